package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/awsha/awsha/healthcheck"
)

// A design is one way to check, and the role of its process.
const (
	haproxyNew = "haproxy, new connections"
	goNew      = "goroutine per target, new connections"
	goKept     = "goroutine per target, kept connections"
	oursNew    = "healthcheck, new connections"
	oursKept   = "healthcheck, kept connections"
	floorKept  = "bare writes and reads, kept connections" // see exchangeOnly
)

var designs = []string{haproxyNew, goNew, oursNew, goKept, oursKept, floorKept}

// work is what a checker gets as a line of JSON.
type work struct {
	Settings settings
	Addrs    []string
}

// fallen is the line of JSON by which a checker says that a target is down.
type fallen struct{ Target int }

// check runs a checker in Go until its input ends.
func check(ctx context.Context, design string, stdin io.Reader, stdout io.Writer) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	in := json.NewDecoder(stdin)
	var w work
	if err := in.Decode(&w); err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(io.Discard, stdin)
		stop()
	}()
	var mu sync.Mutex
	out := json.NewEncoder(stdout)
	down := func(target int) {
		mu.Lock()
		defer mu.Unlock()
		_ = out.Encode(fallen{target}) // a parent that is gone needs no news
	}
	switch design {
	case goNew, goKept:
		return checkEach(ctx, w, design == goKept, down)
	case oursNew, oursKept:
		return checkPool(ctx, w, design == oursKept, down)
	case floorKept:
		return exchangeOnly(ctx, w)
	default:
		return fmt.Errorf("there is no design %q", design)
	}
}

// checkPool is package healthcheck.
func checkPool(ctx context.Context, w work, keep bool, down func(int)) error {
	checker, err := healthcheck.HTTP(func(o *healthcheck.HTTPOptions) {
		if keep {
			o.Reuse = 1 << 30
		}
	})
	if err != nil {
		return err
	}
	number := make(map[string]int, len(w.Addrs))
	pool, err := healthcheck.New(checker, func(o *healthcheck.Options) {
		o.Interval, o.Timeout, o.UnhealthyThreshold = w.Settings.Interval, w.Settings.Timeout, w.Settings.Fall
		o.MaxStartSpread = w.Settings.Interval
		o.OnEvent = func(_ context.Context, e healthcheck.Event) {
			if e.Kind == healthcheck.Transition && e.Status.State == healthcheck.Unhealthy {
				down(number[e.Status.Target.ID])
			}
		}
	})
	if err != nil {
		return err
	}
	for i, addr := range w.Addrs {
		number[addr] = i
		if err := pool.Register(healthcheck.Target{ID: addr, Addr: addr}); err != nil {
			return err
		}
	}
	_ = pool.Run(ctx) // until the input ends
	return nil
}

// checkEach is a goroutine and a ticker for each target, on net/http.
func checkEach(ctx context.Context, w work, keep bool, down func(int)) error {
	s := w.Settings
	client := &http.Client{
		Timeout: s.Timeout,
		Transport: &http.Transport{
			DisableKeepAlives: !keep, MaxIdleConnsPerHost: 1,
			DialContext: (&net.Dialer{Timeout: s.Timeout, KeepAlive: -1}).DialContext,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	var wait sync.WaitGroup
	for i, addr := range w.Addrs {
		wait.Go(func() {
			select {
			case <-time.After(rand.N(s.Interval)): // as Consul does
			case <-ctx.Done():
				return
			}
			ticker := time.NewTicker(s.Interval)
			defer ticker.Stop()
			for fails := 0; ; {
				if get(ctx, client, "http://"+addr+"/") {
					fails = 0
				} else if fails++; fails == s.Fall && ctx.Err() == nil {
					down(i)
				}
				select {
				case <-ticker.C:
				case <-ctx.Done():
					return
				}
			}
		})
	}
	wait.Wait()
	return nil
}

func get(ctx context.Context, client *http.Client, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return false
	}
	res, err := client.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, io.LimitReader(res.Body, 8<<10))
	return err == nil && res.StatusCode == http.StatusOK
}
