package statuspage_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/awsha/awsha/healthcheck"
	"github.com/awsha/awsha/healthcheck/statuspage"
)

// The admin server of a program shows its pool to people, and to programs.
func ExampleHandler() {
	pool, err := healthcheck.New(healthcheck.Func(func(_ context.Context, t healthcheck.Target) error {
		if t.ID == "i-2" {
			return fmt.Errorf("connection refused")
		}
		return nil
	}), func(o *healthcheck.Options) { o.Interval, o.Timeout = 20*time.Millisecond, 10*time.Millisecond })
	if err != nil {
		fmt.Println(err)
		return
	}
	err = pool.Register(
		healthcheck.Target{ID: "i-1", Zone: "use1-az1", Addr: "10.0.0.1:80"},
		healthcheck.Target{ID: "i-2", Zone: "use1-az2", Addr: "10.0.0.2:80"},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- pool.Run(ctx) }()
	_ = pool.Wait(ctx, func(v *healthcheck.View) bool { return v.Count(healthcheck.Initial) == 0 })

	mux := http.NewServeMux()
	mux.Handle("/targets", statuspage.Handler(pool, func(o *statuspage.Options) {
		o.Title, o.Refresh = "Web servers", 5*time.Second
	}))
	server := httptest.NewServer(mux)
	page := fetch(server.URL + "/targets")
	fmt.Println(page[strings.Index(page, "<title>"):strings.Index(page, "<style>")])
	for line := range strings.Lines(fetch(server.URL + "/targets?format=json&state=unhealthy")) {
		if strings.Contains(line, `"id"`) || strings.Contains(line, `"matched"`) {
			fmt.Print(line)
		}
	}
	server.Close()
	stop()
	fmt.Println(<-done)

	// Output:
	// <title>Web servers: 1 of 2 healthy</title>
	//
	//   "matched": 1,
	//       "id": "i-2",
	// context canceled
}

func fetch(url string) string {
	resp, err := http.Get(url)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return string(body)
}
