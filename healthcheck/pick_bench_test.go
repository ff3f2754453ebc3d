package healthcheck_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/awsha/awsha/healthcheck"
)

// BenchmarkPick is a Pick and its Done by GOMAXPROCS goroutines at a time, over targets that are all candidates.
func BenchmarkPick(b *testing.B) {
	for _, c := range []struct {
		name        string
		algorithm   healthcheck.Algorithm
		targets     int
		subscribers int
		passive     bool
	}{
		{name: "RoundRobin", algorithm: healthcheck.RoundRobin, targets: 100},
		{name: "RoundRobin", algorithm: healthcheck.RoundRobin, targets: 10_000},
		{name: "RoundRobinPassive", algorithm: healthcheck.RoundRobin, targets: 100, passive: true},
		{name: "RoundRobinSubscribed", algorithm: healthcheck.RoundRobin, targets: 100, subscribers: 1000},
		{name: "PowerOfTwo", algorithm: healthcheck.PowerOfTwo, targets: 100},
		{name: "PowerOfTwo", algorithm: healthcheck.PowerOfTwo, targets: 10_000},
		{name: "LeastOutstanding", algorithm: healthcheck.LeastOutstanding, targets: 10},
		{name: "LeastOutstanding", algorithm: healthcheck.LeastOutstanding, targets: 100},
		{name: "LeastOutstanding", algorithm: healthcheck.LeastOutstanding, targets: 10_000},
		{name: "LeastOutstandingExact", algorithm: healthcheck.LeastOutstandingExact, targets: 10_000},
		{name: "WeightedRandom", algorithm: healthcheck.WeightedRandom, targets: 100},
		{name: "WeightedRandom", algorithm: healthcheck.WeightedRandom, targets: 10_000},
	} {
		b.Run(fmt.Sprintf("%s/targets=%d", c.name, c.targets), func(b *testing.B) {
			pool, err := healthcheck.New(pass(), func(o *healthcheck.Options) {
				o.Algorithm = c.algorithm
				if c.passive {
					o.Passive = &healthcheck.PassiveOptions{}
				}
			})
			if err != nil {
				b.Fatal(err)
			}
			ts := idle(c.targets)
			for i := range ts {
				ts[i].Weight = uint16(i%7 + 1)
			}
			if err := pool.Register(ts...); err != nil {
				b.Fatal(err)
			}
			ctx, cancel := context.WithCancel(b.Context())
			defer cancel()
			for range c.subscribers {
				_ = pool.Events(ctx)
			}
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					lease, err := pool.Pick(healthcheck.PickOptions{})
					if err != nil {
						b.Error(err)
						return
					}
					lease.Done(healthcheck.Use{StatusCode: 200})
				}
			})
		})
	}
}
