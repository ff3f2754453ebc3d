package healthcheck_test

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/awsha/awsha/healthcheck"
)

// BenchmarkFleet is 15,000 targets that are checked over HTTP every 3 s, by a server in a process of its own: what a check costs
// with everything that belongs to it, what part of a core that is, how many goroutines there are at most, and how late checks
// start. It runs for some ten seconds whatever b.N is.
func BenchmarkFleet(b *testing.B) {
	const targets, interval = 15_000, 3 * time.Second
	for name, reuse := range map[string]int{"kept": 1 << 30, "new": 0} {
		b.Run(name, func(b *testing.B) {
			addr, _ := startServerAt(b, "0.0.0.0:0")
			_, port, _ := net.SplitHostPort(addr)
			pool, err := healthcheck.New(newHTTP(b, func(o *healthcheck.HTTPOptions) { o.Reuse = reuse }),
				func(o *healthcheck.Options) {
					o.Interval, o.Timeout, o.MaxStartSpread = interval, time.Second, interval
				})
			if err != nil {
				b.Fatal(err)
			}
			for i := range targets {
				// As many addresses as a fleet has: to one of them, the kernel has to look for a free port ever longer.
				at := net.JoinHostPort(fmt.Sprintf("127.1.%d.%d", i/100, i%100+1), port)
				if err := pool.Register(healthcheck.Target{ID: fmt.Sprint("i-", i), Zone: "use1-az1", Addr: at}); err != nil {
					b.Fatal(err)
				}
			}
			ctx, cancel := context.WithCancel(b.Context())
			ended := make(chan error)
			go func() { ended <- pool.Run(ctx) }()
			defer func() {
				cancel()
				<-ended
			}()
			time.Sleep(2 * interval)
			before, most := cpuTime(b), 0
			const intervals = 3
			for range intervals * 100 {
				time.Sleep(interval / 100)
				most = max(most, runtime.NumGoroutine())
			}
			used := cpuTime(b) - before
			var lags []time.Duration
			var unhealthy int
			for id, s := range pool.All() {
				lags = append(lags, s.Last.Lag)
				if s.State != healthcheck.Healthy || s.Last.Outcome != healthcheck.Pass {
					b.Logf("%s is %v, %+v", id, s.State, s.Last)
					unhealthy++
				}
			}
			slices.Sort(lags)
			if unhealthy > 0 {
				b.Errorf("%d of %d do not pass, %+v", unhealthy, targets, pool.View().Local())
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(used.Nanoseconds())/1e3/(targets*intervals), "cpu-us/check")
			b.ReportMetric(100*used.Seconds()/(intervals*interval.Seconds()), "core-%")
			b.ReportMetric(float64(most), "goroutines")
			b.ReportMetric(float64(lags[len(lags)/2].Microseconds())/1e3, "lag-p50-ms")
			b.ReportMetric(float64(lags[len(lags)*99/100].Microseconds())/1e3, "lag-p99-ms")
		})
	}
}
