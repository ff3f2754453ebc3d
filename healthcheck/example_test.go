package healthcheck_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"time"

	"github.com/awsha/awsha/healthcheck"
)

func Example() {
	// Two instances, of which one answers 503.
	healthy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer healthy.Close()
	sick := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer sick.Close()

	checker, err := healthcheck.HTTP(func(o *healthcheck.HTTPOptions) { o.Path = "/healthz" })
	if err != nil {
		fmt.Println(err)
		return
	}
	pool, err := healthcheck.New(checker, func(o *healthcheck.Options) {
		o.Interval, o.Timeout = 200*time.Millisecond, 100*time.Millisecond
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	err = pool.Register(
		healthcheck.Target{ID: "i-1", Zone: "use1-az1", Addr: healthy.Listener.Addr().String()},
		healthcheck.Target{ID: "i-2", Zone: "use1-az2", Addr: sick.Listener.Addr().String()},
	)
	if err != nil {
		fmt.Println(err)
		return
	}

	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- pool.Run(ctx) }()
	err = pool.Wait(ctx, func(v *healthcheck.View) bool { return v.Count(healthcheck.Initial) == 0 })
	if err != nil {
		fmt.Println(err)
	}
	for id, s := range pool.All() {
		fmt.Printf("%s is %v: %q\n", id, s.State, s.Detail)
	}
	for _, z := range pool.Zones() {
		fmt.Println(z.Zone, z.Up())
	}
	stop()
	fmt.Println(<-ended)

	// Output:
	// i-1 is healthy: ""
	// i-2 is unhealthy: "Health checks failed with these codes: [503]"
	// use1-az1 true
	// use1-az2 false
	// context canceled
}

func ExampleNew() {
	checker, err := healthcheck.TCP()
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = healthcheck.New(checker, func(o *healthcheck.Options) {
		o.Interval = 5 * time.Second
		o.UnhealthyThreshold = -1
	})
	fmt.Println(err)
	// Output:
	// healthcheck: Options.Interval: 5s must be greater than Timeout (5s)
	// healthcheck: Options.UnhealthyThreshold: -1 must be from 1 to 1000
}

func ExampleHTTP() {
	server := httptest.NewServer(http.RedirectHandler("http://169.254.169.254/", http.StatusFound))
	defer server.Close()

	checker, err := healthcheck.HTTP(func(o *healthcheck.HTTPOptions) {
		o.Path, o.Host, o.Matcher = "/healthz", "example.com", "200-299"
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	// A pool does this for each target, again and again.
	probe, err := checker.Open(healthcheck.Target{ID: "i-1", Addr: server.Listener.Addr().String()})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer probe.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	result := probe.Check(ctx)
	fmt.Println(result.Outcome, result.Reason, result.Code)
	// Output: fail Target.ResponseCodeMismatch 302
}

func ExampleTCP() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer listener.Close()

	checker, err := healthcheck.TCP()
	if err != nil {
		fmt.Println(err)
		return
	}
	probe, err := checker.Open(healthcheck.Target{ID: "db", Addr: listener.Addr().String()})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer probe.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	fmt.Println(probe.Check(ctx).Outcome)
	// Output: pass
}

func ExampleGRPC() {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/grpc")
		if r.URL.Path != "/grpc.health.v1.Health/Check" {
			w.Header().Set("Grpc-Status", "12") // UNIMPLEMENTED
			return
		}
		_, _ = w.Write([]byte("\x00\x00\x00\x00\x02\x08\x02")) // NOT_SERVING
		w.Header().Set(http.TrailerPrefix+"Grpc-Status", "0")
	}))
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	defer server.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	for _, health := range []bool{false, true} {
		checker, err := healthcheck.GRPC(func(o *healthcheck.GRPCOptions) { o.Health = health })
		if err != nil {
			fmt.Println(err)
			return
		}
		probe, err := checker.Open(healthcheck.Target{ID: "i-1", Addr: server.Listener.Addr().String()})
		if err != nil {
			fmt.Println(err)
			return
		}
		result := probe.Check(ctx)
		if err := probe.Close(); err != nil {
			fmt.Println(err)
		}
		fmt.Printf("%v, status %d: %q\n", result.Outcome, result.Code, result.Detail)
	}
	// Output:
	// pass, status 12: ""
	// fail, status 0: "Health checks failed: the service is NOT_SERVING"
}

func ExampleAll() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer listener.Close()

	tcp, err := healthcheck.TCP()
	if err != nil {
		fmt.Println(err)
		return
	}
	checker := healthcheck.All(tcp, healthcheck.Func(func(context.Context, healthcheck.Target) error {
		return errors.New("replication is 90 s behind")
	}))
	probe, err := checker.Open(healthcheck.Target{ID: "db", Addr: listener.Addr().String()})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer probe.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	result := probe.Check(ctx)
	fmt.Println(result.Outcome, result.Err)
	// Output: fail replication is 90 s behind
}

func ExampleFunc() {
	checker := healthcheck.Func(func(_ context.Context, target healthcheck.Target) error {
		if target.ID == "queue-2" {
			return errors.New("12,000 messages behind")
		}
		return nil
	})
	for _, id := range []string{"queue-1", "queue-2"} {
		probe, err := checker.Open(healthcheck.Target{ID: id})
		if err != nil {
			fmt.Println(err)
			return
		}
		result := probe.Check(context.Background())
		fmt.Println(id, result.Outcome, result.Reason, result.Err)
	}
	// Output:
	// queue-1 pass  <nil>
	// queue-2 fail Target.FailedHealthChecks 12,000 messages behind
}

func ExampleOptions_DetectionBound() {
	fmt.Println(healthcheck.Options{}.DetectionBound())
	fmt.Println(healthcheck.Options{
		Interval: 5 * time.Second, Timeout: 2 * time.Second, UnhealthyThreshold: 3,
	}.DetectionBound())
	// Output:
	// 1m5.01s
	// 17.01s
}

func ExamplePool_Events() {
	pool, err := healthcheck.New(healthcheck.Func(func(context.Context, healthcheck.Target) error { return nil }))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	events := pool.Events(ctx) // from here on
	if err := pool.Register(healthcheck.Target{ID: "i-1", Zone: "use1-az1"}); err != nil {
		fmt.Println(err)
		return
	}
	go pool.Run(ctx)
	for e := range events {
		switch e.Kind {
		case healthcheck.Transition:
			fmt.Println(e.Seq, e.Status.Target.ID, e.From, "to", e.Status.State)
		case healthcheck.ZoneChange:
			fmt.Println(e.Seq, e.Zone.Zone, "has", e.Zone.Healthy, "healthy")
			cancel()
		}
	}
	// Output:
	// 1 i-1 unused to initial
	// 2 i-1 initial to healthy
	// 3 use1-az1 has 1 healthy
}

func ExampleNewDNS() {
	pool, err := healthcheck.New(healthcheck.Func(func(context.Context, healthcheck.Target) error { return nil }), healthcheck.NLBTCP)
	if err != nil {
		fmt.Println(err)
		return
	}
	dns, err := healthcheck.NewDNS(pool, "db.internal:5432", func(o *healthcheck.DNSOptions) {
		o.Lookup = func(context.Context, string, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr("10.0.1.7"), netip.MustParseAddr("10.0.2.7")}, nil
		}
		o.Zone = func(a netip.Addr) string { return fmt.Sprint("use1-az", a.As4()[2]) }
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go pool.Run(ctx)
	go dns.Run(ctx)
	if err := pool.Wait(ctx, func(v *healthcheck.View) bool { return v.Count(healthcheck.Healthy) == 2 }); err != nil {
		fmt.Println(err)
		return
	}
	for id, s := range pool.All() {
		fmt.Println(id, s.Target.Zone, s.State, s.Recent)
	}
	// Output:
	// db.internal:5432/10.0.1.7 use1-az1 healthy +
	// db.internal:5432/10.0.2.7 use1-az2 healthy +
}

func ExamplePool_Shift() {
	pool, err := healthcheck.New(healthcheck.Func(func(context.Context, healthcheck.Target) error { return nil }), func(o *healthcheck.Options) {
		o.MaxStartSpread = healthcheck.None
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	err = pool.Register(healthcheck.Target{ID: "i-1", Zone: "use1-az1"}, healthcheck.Target{ID: "i-2", Zone: "use1-az2"})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go pool.Run(ctx)
	if err := pool.Wait(ctx, func(v *healthcheck.View) bool { return v.Count(healthcheck.Healthy) == 2 }); err != nil {
		fmt.Println(err)
		return
	}
	end, err := pool.TryShift("use1-az1", time.Hour, "elevated error rate")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer end()
	for range 3 {
		lease, err := pool.Pick(healthcheck.PickOptions{})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(lease.Target.ID)
		lease.Done(healthcheck.Use{})
	}
	// Output:
	// i-2
	// i-2
	// i-2
}
