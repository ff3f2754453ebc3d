//go:build unix

package healthcheck_test

import (
	"context"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/healthcheck"
)

// cpuTime is what the process has used of the processors.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkPool is what the pool adds to a check, in CPU time: the schedule, a goroutine with its context, the state. It runs
// at 50,000 checks a second, so that ns/op says nothing.
func BenchmarkPool(b *testing.B) {
	var checks atomic.Int64
	counting := make(chan struct{})
	done := make(chan struct{})
	pool, err := healthcheck.New(healthcheck.Func(func(context.Context, healthcheck.Target) error {
		switch checks.Add(1) {
		case 50_000: // each target has had its first
			close(counting)
		case 50_000 + int64(b.N):
			close(done)
		}
		return nil
	}), func(o *healthcheck.Options) { o.Interval, o.Timeout = time.Second, time.Second/2 })
	if err != nil {
		b.Fatal(err)
	}
	if err := pool.Register(idle(50_000)...); err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error)
	go func() { ended <- pool.Run(ctx) }()
	<-counting
	b.ReportAllocs()
	b.ResetTimer()
	before := cpuTime(b)
	<-done
	b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op")
	b.ReportMetric(0, "ns/op")
	b.StopTimer()
	cancel()
	<-ended
}

// BenchmarkDay is a day of 1,000 targets, checked every 10 s, of which a hundredth are down at any time: 8,640,000 checks in a
// synctest bubble.
func BenchmarkDay(b *testing.B) {
	for b.Loop() {
		var checks atomic.Int64
		begin := time.Now()
		// A bubble wants a *testing.T.
		ok := testing.RunTests(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{{Name: "day", F: func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pool := newPool(t, healthcheck.Func(func(_ context.Context, target healthcheck.Target) error {
					if n := checks.Add(1); (int(target.ID[len(target.ID)-1])+int(n/100_000))%100 == 0 {
						return errRefused
					}
					return nil
				}), func(o *healthcheck.Options) { o.Interval = 10 * time.Second })
				register(t, pool, idle(1000)...)
				run(t, pool)
				time.Sleep(24 * time.Hour)
			})
		}}})
		if !ok || checks.Load() < 8_600_000 {
			b.Fatalf("%d checks", checks.Load())
		}
		b.ReportMetric(float64(time.Since(begin).Nanoseconds())/float64(checks.Load()), "ns/check")
	}
}
