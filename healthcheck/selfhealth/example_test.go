package selfhealth_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"github.com/awsha/awsha/healthcheck"
	"github.com/awsha/awsha/healthcheck/healthcheckmock"
	"github.com/awsha/awsha/healthcheck/selfhealth"
)

// A server goes out of service without losing a request: it says so, waits for the load balancer to hear it, finishes what has
// begun, and only then stops its checks.
func Example() {
	asked := make(chan struct{}, 1)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	health, err := selfhealth.New(func(o *selfhealth.Options) {
		o.OnEvent = func(_ context.Context, e selfhealth.Event) {
			if e.Status == selfhealth.Degraded && e.Was != e.Status {
				asked <- struct{}{}
			}
		}
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	loop := selfhealth.NewHeartbeat()
	_, err = health.Register(
		selfhealth.Check{Name: "loop", Kind: selfhealth.Live, Func: loop.Within(time.Minute)},
		selfhealth.Check{Name: "recommendations", Kind: selfhealth.Soft, Func: func(context.Context) error {
			return errors.New("connection refused")
		}},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	running, stop := context.WithCancel(context.Background()) // not that of the signal: checks run until the end
	var background sync.WaitGroup
	background.Go(func() { _ = health.Run(running) })
	<-asked // the checks have run

	server := &http.Server{Handler: health.Handler(), ReadHeaderTimeout: time.Second}
	background.Go(func() { _ = server.Serve(listener) })
	url := "http://" + listener.Addr().String()
	get(url + "/readyz")

	// SIGTERM. The wait is that of a load balancer that checks each 100 ms, for the example's sake.
	background.Go(func() {
		for health.Status() != selfhealth.Draining {
			time.Sleep(time.Millisecond)
		}
		get(url + "/readyz")
		get(url + "/livez")
	})
	if err := health.Drain(context.Background(), selfhealth.DrainTime(100*time.Millisecond, 2)); err != nil {
		fmt.Println(err)
	}
	grace, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		fmt.Println(err)
	}
	stop()
	background.Wait()
	fmt.Println("done")

	// Output:
	// 200 {"status":"degraded"}
	// 503 {"status":"draining"}
	// 200 {"status":"ok"}
	// done
}

func get(url string) {
	resp, err := http.Get(url)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	fmt.Print(resp.StatusCode, " ", string(body))
}

// A Hard check with a Guard: the instance leaves when its own replica is gone, unless too many of its peers have left.
func ExampleNew() {
	health, err := selfhealth.New(func(o *selfhealth.Options) {
		o.Authorize = func(r *http.Request) bool { return r.Header.Get("X-Operator") != "" } // a proxy sets it
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	peers := healthcheckmock.SourceMock{ViewFunc: func() *healthcheck.View { // a *healthcheck.Pool
		return healthcheck.NewView(
			healthcheck.Status{Target: healthcheck.Target{ID: "i-1"}, State: healthcheck.Healthy},
			healthcheck.Status{Target: healthcheck.Target{ID: "i-2"}, State: healthcheck.Unhealthy},
		)
	}}
	_, err = health.Register(
		selfhealth.Check{Name: "replica", Kind: selfhealth.Hard, Func: func(context.Context) error {
			return errors.New("no route to host")
		}},
		selfhealth.Check{Name: "peers", Kind: selfhealth.Guard, Func: func(context.Context) error {
			v := peers.View()
			if healthy := v.Count(healthcheck.Healthy); 2*healthy <= v.Registered() {
				return fmt.Errorf("only %d of %d peers are healthy", healthy, v.Registered())
			}
			return nil
		}},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- health.Run(ctx) }()
	for health.Status() == selfhealth.Starting {
		time.Sleep(time.Millisecond)
	}
	for _, c := range health.Report().Checks {
		fmt.Printf("%s is %v: %v (fails open: %t)\n", c.Name, c.State, c.Err, c.FailOpen)
	}
	w := httptest.NewRecorder()
	health.Readyz().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/readyz", http.NoBody))
	fmt.Print(w.Code, " ", w.Body)
	stop()
	fmt.Println(<-done)

	// Output:
	// peers is failing: only 1 of 2 peers are healthy (fails open: false)
	// replica is failing: no route to host (fails open: true)
	// 200 {"status":"degraded"}
	// context canceled
}
