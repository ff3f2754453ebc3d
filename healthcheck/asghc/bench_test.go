package asghc_test

import (
	"testing"

	"github.com/awsha/awsha/healthcheck/asghc"
)

// BenchmarkPlan decides about 100 unhealthy targets of a group of 1,000.
func BenchmarkPlan(b *testing.B) {
	unhealthy := make([]int, 100)
	for k := range unhealthy {
		unhealthy[k] = 10 * k
	}
	s := fleet(1000, unhealthy...)
	b.ReportAllocs()
	for b.Loop() {
		if d := asghc.Plan(s, asghc.Limits{}); d[0].Verdict != asghc.Mark {
			b.Fatal(d[0])
		}
	}
}
