package statuspage_test

import (
	"net/http"
	"testing"

	"github.com/awsha/awsha/healthcheck"
	"github.com/awsha/awsha/healthcheck/healthcheckmock"
	"github.com/awsha/awsha/healthcheck/statuspage"
)

// BenchmarkPage is what an answer about 50,000 targets costs: one that has to take a view first, and one that finds one.
func BenchmarkPage(b *testing.B) {
	all := fleet(50_000)
	for name, bm := range map[string]struct {
		query string
		fresh bool
	}{
		"new view":     {"/", true},
		"first page":   {"/", false},
		"last page":    {"/?page=500", false},
		"one zone":     {"/?zone=use1-az2", false},
		"JSON":         {"/?format=json", false},
		"1000 of JSON": {"/?format=json&size=1000", false},
	} {
		b.Run(name, func(b *testing.B) {
			view := healthcheck.NewView(all...)
			src := &healthcheckmock.SourceMock{ViewFunc: func() *healthcheck.View {
				if bm.fresh {
					view = healthcheck.NewView(all...)
				}
				return view
			}}
			h := statuspage.Handler(src, func(o *statuspage.Options) {
				if o.MaxAge = 1 << 60; bm.fresh {
					o.MaxAge = -1
				}
			})
			request(h, http.MethodGet, bm.query)
			b.ReportAllocs()
			var size int
			for b.Loop() {
				size = request(h, http.MethodGet, bm.query).Body.Len()
			}
			b.ReportMetric(float64(size), "B/answer")
		})
	}
}
