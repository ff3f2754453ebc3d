package healthcheck_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/healthcheck"
)

func TestThreshold(t *testing.T) {
	t.Parallel()
	type threshold = healthcheck.Threshold
	for _, tt := range []struct {
		name                string
		threshold           threshold
		healthy, registered int
		below               bool
	}{
		{"nothing is below", threshold{}, 0, 0, true},
		{"none of some is below", threshold{}, 0, 5, true},
		{"one suffices by default", threshold{}, 1, 1000, false},
		{"below the count", threshold{Count: 3}, 2, 5, true},
		{"at the count", threshold{Count: 3}, 3, 5, false},
		{"the count is more than there are", threshold{Count: 3}, 2, 2, true},
		{"below the percentage", threshold{Percent: 50}, 49, 100, true},
		{"at the percentage", threshold{Percent: 50}, 50, 100, false},
		{"the percentage is not rounded", threshold{Percent: 34}, 1, 3, true},
		{"at a percentage that does not divide", threshold{Percent: 33}, 1, 3, false},
		{"all of them at 100 percent", threshold{Percent: 100}, 7, 7, false},
		{"one missing at 100 percent", threshold{Percent: 100}, 6, 7, true},
		{"count held, percentage not", threshold{Count: 2, Percent: 50}, 3, 10, true},
		{"percentage held, count not", threshold{Count: 6, Percent: 50}, 5, 10, true},
		{"both held", threshold{Count: 5, Percent: 50}, 5, 10, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := healthcheck.Below(tt.threshold, tt.healthy, tt.registered); got != tt.below {
				t.Errorf("%d of %d is below %+v: %t", tt.healthy, tt.registered, tt.threshold, got)
			}
		})
	}
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	type (
		zone  = healthcheck.ZoneCounts
		route = healthcheck.Route
	)
	half := healthcheck.Threshold{Percent: 50}
	for _, tt := range []struct {
		name     string
		zonal    bool
		routing  healthcheck.Threshold
		inDNS    healthcheck.Threshold
		zones    []zone
		failOpen bool
		want     []route
	}{
		{ // https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health.html
			name: "4 of 10 healthy in one zone at 50 %, cross-zone: 14 of 20 is enough", routing: half, inDNS: half,
			zones: []zone{{10, 10, false}, {10, 4, false}}, want: []route{{true, false}, {true, false}},
		},
		{
			name: "4 of 10 healthy in one zone at 50 %, by zone: it fails over", zonal: true, routing: half, inDNS: half,
			zones: []zone{{10, 10, false}, {10, 4, false}}, want: []route{{true, false}, {false, true}},
		},
		{
			name:  "too few across zones",
			zones: []zone{{10, 9, false}, {10, 0, false}}, routing: half, failOpen: true, want: []route{{true, true}, {true, true}},
		},
		{name: "no zones", failOpen: true, want: []route{}},
		{name: "no zones, by zone", zonal: true, failOpen: true, want: []route{}},
		{
			name:  "none healthy, by zone: all zones stay",
			zonal: true, zones: []zone{{2, 0, false}, {3, 0, false}}, failOpen: true, want: []route{{true, true}, {true, true}},
		},
		{
			name:  "a zone without registered targets never serves",
			zones: []zone{{0, 0, false}, {3, 3, false}}, want: []route{{false, false}, {true, false}},
		},
		{
			name:  "a shifted zone does not serve",
			zones: []zone{{2, 2, true}, {3, 1, false}}, want: []route{{false, false}, {true, false}},
		},
		{
			name:  "a shift has no effect while nothing else is healthy",
			zones: []zone{{2, 2, true}, {3, 0, false}}, want: []route{{true, false}, {true, false}},
		},
		{
			name:  "a shift has no effect while the pool fails open",
			zones: []zone{{10, 0, true}, {10, 9, false}}, routing: half, failOpen: true, want: []route{{true, true}, {true, true}},
		},
		{
			name:  "shifts of all zones have no effect",
			zones: []zone{{2, 2, true}, {3, 3, true}}, want: []route{{true, false}, {true, false}},
		},
		{
			name: "a shifted zone does not serve, by zone", zonal: true,
			zones: []zone{{2, 2, true}, {3, 1, false}, {3, 0, false}}, want: []route{{false, false}, {true, false}, {false, true}},
		},
		{
			name: "a shift has no effect while nothing else is up, by zone", zonal: true,
			zones: []zone{{2, 2, true}, {3, 0, false}}, want: []route{{true, false}, {false, true}},
		},
		{
			name: "a shift has no effect while no zone is up", zonal: true,
			zones: []zone{{2, 0, true}, {3, 0, false}}, failOpen: true, want: []route{{true, true}, {true, true}},
		},
		{
			name: "a zone leaves DNS before it fails open", zonal: true, inDNS: healthcheck.Threshold{Count: 3},
			zones: []zone{{5, 2, false}, {5, 3, false}}, want: []route{{false, false}, {true, false}},
		},
		{
			name: "zones that are not up stay when none is, and do not fail open for that", zonal: true, inDNS: healthcheck.Threshold{Count: 3},
			zones: []zone{{5, 2, false}, {5, 0, false}}, want: []route{{true, false}, {true, true}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, failOpen := healthcheck.Routes(tt.zonal, tt.routing, tt.inDNS, tt.zones)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("routes (-want +got):\n%s", diff)
			}
			if failOpen != tt.failOpen {
				t.Errorf("the pool fails open: %t", failOpen)
			}
		})
	}
}

// TestRoutesAlwaysLeadSomewhere holds what must be so whatever the counts are.
func TestRoutesAlwaysLeadSomewhere(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 5_000 {
		zones := make([]healthcheck.ZoneCounts, r.IntN(4))
		registered, healthy := 0, 0
		for i := range zones {
			z := &zones[i]
			z.Registered = r.IntN(6)
			z.Healthy = r.IntN(z.Registered + 1)
			z.Shifted = r.IntN(3) == 0
			registered, healthy = registered+z.Registered, healthy+z.Healthy
		}
		zonal := r.IntN(2) == 0
		routing := healthcheck.Threshold{Count: 1 + r.IntN(3), Percent: 25 * r.IntN(5)}
		inDNS := healthcheck.Threshold{Count: routing.Count + r.IntN(2), Percent: max(routing.Percent, 25*r.IntN(5))}
		routes, failOpen := healthcheck.Routes(zonal, routing, inDNS, zones)
		call := fmt.Sprintf("Routes(%t, %+v, %+v, %+v)", zonal, routing, inDNS, zones)

		candidates, fit, unshifted := 0, 0, 0
		for i, z := range zones {
			to := routes[i]
			switch {
			case to.Serves && z.Registered == 0:
				t.Fatalf("%s: an empty zone serves", call)
			case to.Serves && to.FailOpen:
				candidates += z.Registered
			case to.Serves:
				candidates += z.Healthy
			}
			if to.Serves && !to.FailOpen {
				fit++
			}
			if !z.Shifted && !to.FailOpen && z.Healthy > 0 {
				unshifted++
			}
			if zonal && to.FailOpen != healthcheck.Below(routing, z.Healthy, z.Registered) {
				t.Fatalf("%s: zone %d fails open: %t", call, i, to.FailOpen)
			}
		}
		if registered > 0 && candidates == 0 {
			t.Fatalf("%s: no candidates", call)
		}
		if !zonal && failOpen != healthcheck.Below(routing, healthy, registered) {
			t.Fatalf("%s: fails open: %t", call, failOpen)
		}
		if zonal && failOpen != (fit == 0) {
			t.Fatalf("%s: fails open: %t with %d zones that do not", call, failOpen, fit)
		}
		for i, z := range zones {
			if !zonal && z.Shifted && !failOpen && unshifted > 0 && routes[i].Serves {
				t.Fatalf("%s: zone %d serves in spite of its shift", call, i)
			}
		}
	}
}
