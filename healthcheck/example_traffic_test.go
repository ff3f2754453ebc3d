package healthcheck_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"

	"github.com/awsha/awsha/healthcheck"
)

func ExamplePool_Pick() {
	pool, err := healthcheck.New(healthcheck.Func(func(context.Context, healthcheck.Target) error { return nil }))
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := pool.Register(healthcheck.Target{ID: "i-1", Addr: "10.0.0.1:80"}); err != nil {
		fmt.Println(err)
		return
	}

	lease, err := pool.Pick(healthcheck.PickOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(lease.Target.Addr, lease.FailOpen) // no check has passed yet
	// ... send the request there, read the response ...
	lease.Done(healthcheck.Use{StatusCode: http.StatusOK})

	_, err = pool.Pick(healthcheck.PickOptions{Except: []string{"i-1"}})
	fmt.Println(errors.Is(err, healthcheck.ErrNoTargets))
	// Output:
	// 10.0.0.1:80 true
	// true
}

// A reverse proxy that balances over the healthy targets, in a few lines.
func ExamplePool_Transport_reverseProxy() {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, "%s of %s", r.URL.Path, r.Host)
	}))
	defer backend.Close()

	pool, err := healthcheck.New(healthcheck.Func(func(context.Context, healthcheck.Target) error { return nil }))
	if err != nil {
		fmt.Println(err)
		return
	}
	err = pool.Register(
		healthcheck.Target{ID: "i-1", Addr: backend.Listener.Addr().String()},
		healthcheck.Target{ID: "i-2", Addr: "127.0.0.1:1"}, // refuses: its requests go to i-1
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	transport := pool.Transport(nil)
	defer transport.CloseIdleConnections()
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		Transport: transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme = "http" // the transport fills in the host
			r.Out.Host = "service.example"
			r.SetXForwarded()
		},
	})
	defer proxy.Close()

	for range 2 {
		response, err := proxy.Client().Get(proxy.URL + "/orders")
		if err != nil {
			fmt.Println(err)
			return
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		fmt.Println(response.StatusCode, string(body), err)
	}
	// Output:
	// 200 /orders of service.example <nil>
	// 200 /orders of service.example <nil>
}
