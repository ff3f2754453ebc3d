package healthcheck_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/awsha/awsha/healthcheck"
)

// BenchmarkPickAlone tells a Pick and a Done apart: GOMAXPROCS goroutines do so many of the one, then so many of the other. It
// reports the time of the calls; ns/op is of a pair, by all goroutines together.
func BenchmarkPickAlone(b *testing.B) {
	const batch = 64
	for _, c := range []struct {
		algorithm healthcheck.Algorithm
		targets   int
	}{
		{healthcheck.RoundRobin, 100},
		{healthcheck.RoundRobin, 10_000},
		{healthcheck.PowerOfTwo, 100},
		{healthcheck.PowerOfTwo, 10_000},
		{healthcheck.LeastOutstanding, 100},
		{healthcheck.WeightedRandom, 100},
	} {
		b.Run(fmt.Sprintf("%v/targets=%d", c.algorithm, c.targets), func(b *testing.B) {
			pool, err := healthcheck.New(pass(), func(o *healthcheck.Options) { o.Algorithm = c.algorithm })
			if err != nil {
				b.Fatal(err)
			}
			if err := pool.Register(idle(c.targets)...); err != nil {
				b.Fatal(err)
			}
			var picking, ending, pairs atomic.Int64
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				var leases [batch]healthcheck.Lease
				for more := true; more; {
					n := 0
					begin := time.Now()
					for ; n < batch; n++ {
						if more = pb.Next(); !more {
							break
						}
						leases[n], _ = pool.Pick(healthcheck.PickOptions{})
					}
					picked := time.Now()
					for _, l := range leases[:n] {
						l.Done(healthcheck.Use{StatusCode: 200})
					}
					picking.Add(int64(picked.Sub(begin)))
					ending.Add(int64(time.Since(picked)))
					pairs.Add(int64(n))
				}
			})
			b.ReportMetric(float64(picking.Load())/float64(pairs.Load()), "ns/Pick")
			b.ReportMetric(float64(ending.Load())/float64(pairs.Load()), "ns/Done")
		})
	}
}
