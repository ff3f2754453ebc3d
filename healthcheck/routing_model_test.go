package healthcheck_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/healthcheck"
)

var modelSeed = flag.Uint64("model.seed", 0, "seed of TestRoutingModel; zero is a random one")

// model is Elastic Load Balancing's rules of routing as simply as they can be said, over everything at once.
type model struct {
	zonal          bool
	routing, inDNS healthcheck.Threshold
	targets        map[string]*modelTarget
	shifted        map[string]bool
}

type modelTarget struct {
	zone        string
	state       healthcheck.State
	override    healthcheck.Override
	outstanding []healthcheck.Lease
}

func (t *modelTarget) healthy() bool {
	return t.override == healthcheck.OverrideHealthy || t.override == healthcheck.NoOverride && t.state == healthcheck.Healthy
}

// in returns the registered targets of a scope, and the healthy ones among them.
func (m *model) in(scope func(*modelTarget) bool) (registered, healthy []string) {
	for id, t := range m.targets {
		if t.override == healthcheck.OverrideDrain || !scope(t) {
			continue
		}
		registered = append(registered, id)
		if t.healthy() {
			healthy = append(healthy, id)
		}
	}
	return registered, healthy
}

func (m *model) tooFew(limit healthcheck.Threshold, registered, healthy []string) bool {
	if len(healthy) < limit.Count {
		return true
	}
	return limit.Percent > 0 && float64(len(healthy)) < float64(limit.Percent)/100*float64(len(registered))-1e-9
}

func (m *model) zones() []string {
	zones := map[string]bool{}
	for _, t := range m.targets {
		if t.override != healthcheck.OverrideDrain {
			zones[t.zone] = true
		}
	}
	return slices.Sorted(maps.Keys(zones))
}

func everywhere(*modelTarget) bool { return true }

func inZone(zone string) func(*modelTarget) bool {
	return func(t *modelTarget) bool { return t.zone == zone }
}

// candidates returns who may be picked, and for each whether that is by failing open.
func (m *model) candidates() map[string]bool {
	all := map[string]bool{}
	add := func(ids []string, failOpen bool) {
		for _, id := range ids {
			all[id] = failOpen
		}
	}
	if !m.zonal {
		registered, healthy := m.in(everywhere)
		if m.tooFew(m.routing, registered, healthy) {
			add(registered, true)
			return all
		}
		elsewhere := slices.DeleteFunc(slices.Clone(healthy), func(id string) bool { return m.shifted[m.targets[id].zone] })
		if len(elsewhere) > 0 {
			healthy = elsewhere
		}
		add(healthy, false)
		return all
	}
	zones := m.zones()
	up := slices.DeleteFunc(slices.Clone(zones), func(zone string) bool {
		registered, healthy := m.in(inZone(zone))
		return m.tooFew(m.inDNS, registered, healthy)
	})
	unshifted := slices.DeleteFunc(slices.Clone(up), func(zone string) bool { return m.shifted[zone] })
	switch {
	case len(unshifted) > 0:
		zones = unshifted
	case len(up) > 0:
		zones = up
	}
	for _, zone := range zones {
		registered, healthy := m.in(inZone(zone))
		if m.tooFew(m.routing, registered, healthy) {
			add(registered, true)
		} else {
			add(healthy, false)
		}
	}
	return all
}

// failsOpen is View.FailOpen.
func (m *model) failsOpen(zone string) bool {
	scope := everywhere
	if m.zonal {
		scope = inZone(zone)
	}
	if zone != "" || !m.zonal {
		registered, healthy := m.in(scope)
		return m.tooFew(m.routing, registered, healthy)
	}
	return !slices.Contains(slices.Collect(maps.Values(m.candidates())), false)
}

// TestRoutingModel does at random what changes routing, and compares every pick with the model. A failure prints its seed, for
// -model.seed.
func TestRoutingModel(t *testing.T) {
	t.Parallel()
	seed := *modelSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	for n := range uint64(60) {
		a := healthcheck.Algorithm(n % 5)
		t.Run(fmt.Sprintf("%d/%v", n, a), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, n))
			testRoutingModel(t, r, a)
			if t.Failed() {
				t.Logf("-model.seed=%d", seed)
			}
		})
	}
}

func testRoutingModel(t *testing.T, r *rand.Rand, a healthcheck.Algorithm) {
	t.Helper()
	routing := healthcheck.Threshold{Count: 1 + r.IntN(3), Percent: []int{0, 0, 30, 50, 100}[r.IntN(5)]}
	m := &model{
		zonal: r.IntN(2) == 0, routing: routing,
		inDNS:   healthcheck.Threshold{Count: routing.Count + r.IntN(2), Percent: max(routing.Percent, []int{0, 60}[r.IntN(2)])},
		targets: map[string]*modelTarget{}, shifted: map[string]bool{},
	}
	events := map[string]bool{} // fail-open of each scope as the events tell
	pool := newPool(t, pass(), func(o *healthcheck.Options) {
		o.Algorithm, o.ZonalOnly, o.RoutingFailover, o.ZoneFailover = a, m.zonal, m.routing, m.inDNS
		o.OnEvent = func(_ context.Context, e healthcheck.Event) {
			if e.Kind == healthcheck.FailOpenChange {
				if was, ok := events[e.Zone.Zone]; (was || !ok) == e.FailOpen {
					t.Errorf("an event says fail open=%t of %q again", e.FailOpen, e.Zone.Zone)
				}
				events[e.Zone.Zone] = e.FailOpen
			}
		}
	})
	zones := []string{"z1", "z2", "z3"}
	some := func() string {
		ids := slices.Sorted(maps.Keys(m.targets))
		if len(ids) == 0 {
			return ""
		}
		return ids[r.IntN(len(ids))]
	}
	for step := range 150 {
		var did string
		switch id, dice := some(), r.IntN(24); {
		case dice < 6 || id == "":
			id = fmt.Sprint("t", r.IntN(12))
			zone := zones[r.IntN(3)]
			did = "register " + id + " in " + zone
			if old := m.targets[id]; old == nil || old.zone != zone {
				m.targets[id] = &modelTarget{zone: zone, state: healthcheck.Initial}
			}
			register(t, pool, healthcheck.Target{ID: id, Zone: zone})
		case dice < 8:
			did = "deregister " + id
			delete(m.targets, id)
			_ = pool.Deregister(id)
		case dice < 11:
			o := healthcheck.Override(r.IntN(4))
			did = fmt.Sprintf("override %s: %v", id, o)
			m.targets[id].override = o
			pool.SetOverride(id, o)
		case dice < 14:
			zone := zones[r.IntN(3)]
			m.shifted[zone] = !m.shifted[zone]
			did = fmt.Sprintf("shift %s: %t", zone, m.shifted[zone])
			pool.SetShift(zone, m.shifted[zone])
		case dice < 17:
			did = "leases"
			for range 3 {
				if lease, err := pool.Pick(healthcheck.PickOptions{}); err == nil {
					mt := m.targets[lease.Target.ID]
					mt.outstanding = append(mt.outstanding, lease)
				}
			}
		default:
			s := []healthcheck.State{healthcheck.Healthy, healthcheck.Healthy, healthcheck.Unhealthy}[r.IntN(3)]
			did = fmt.Sprintf("%s is %v", id, s)
			m.targets[id].state = s
			pool.SetState(id, s)
			if ls := m.targets[id].outstanding; len(ls) > 0 {
				ls[0].Done(healthcheck.Use{})
				m.targets[id].outstanding = ls[1:]
			}
		}
		if diff := m.compare(pool, slices.Concat([]string{"", "nowhere"}, zones)[r.IntN(5)]); diff != "" {
			t.Fatalf("step %d, after %q: zonal %t, routing %+v, DNS %+v, shifted %v: %s",
				step, did, m.zonal, m.routing, m.inDNS, m.shifted, diff)
		}
		view := pool.View()
		for _, zone := range slices.Concat([]string{""}, m.zones()) {
			want := m.failsOpen(zone)
			if got := view.FailOpen(zone); got != want {
				t.Fatalf("step %d, after %q: FailOpen(%q) is %t", step, did, zone, got)
			}
			if told, ok := events[zone]; zone != "" == m.zonal && (told || !ok) != want {
				t.Fatalf("step %d, after %q: the events say of %q: fail open=%t", step, did, zone, told)
			}
		}
	}
}

// compare picks all that can be picked, one after the other, and returns how that differs from the model.
func (m *model) compare(pool *healthcheck.Pool, zone string) string {
	want, got := m.candidates(), map[string]bool{}
	var home int // candidates in the zone of the caller: they come first
	for id := range want {
		if m.zonal && m.targets[id].zone == zone {
			home++
		}
	}
	o := healthcheck.PickOptions{Zone: zone}
	for {
		lease, err := pool.Pick(o)
		if errors.Is(err, healthcheck.ErrNoTargets) {
			break
		}
		id := lease.Target.ID
		lease.Done(healthcheck.Use{})
		if _, again := got[id]; again || err != nil {
			return fmt.Sprintf("pick of %+v: %q, %v", o, id, err)
		}
		if len(got) < home && lease.Target.Zone != zone {
			return fmt.Sprintf("pick of %+v: %q in %s", o, id, lease.Target.Zone)
		}
		got[id] = lease.FailOpen
		o.Except = append(o.Except, id)
	}
	for id, t := range m.targets {
		if s, _ := pool.Status(id); s.Outstanding != len(t.outstanding) {
			return fmt.Sprintf("%d outstanding at %s, want %d", s.Outstanding, id, len(t.outstanding))
		}
	}
	return cmp.Diff(want, got)
}
