package failover_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/failover"
)

var (
	schedules    = flag.Int("schedules", 60, "random schedules of controllers to try")
	scheduleSeed = flag.Uint64("schedule", 0, "the one schedule to try; 0 tries many")
)

// cloud is what the steps of a schedule act on.
type cloud struct {
	lag time.Duration // of reads

	mu      sync.Mutex
	things  map[string]*thing
	overran []string // effects that landed after the lease of who sent them
	faults  []string
}

// thing is one resource.
type thing struct {
	version int
	landed  []time.Time
	tokens  map[string]bool
	refused int
}

func (c *cloud) thing(name string) *thing {
	if c.things == nil {
		c.things = make(map[string]*thing)
	}
	if c.things[name] == nil {
		c.things[name] = &thing{tokens: make(map[string]bool)}
	}
	return c.things[name]
}

// read returns what a describe shows: it may be behind.
func (c *cloud) read(name string) (version int, done bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.thing(name)
	for _, at := range t.landed {
		if time.Since(at) >= c.lag {
			version++
		}
	}
	return version, version > 0
}

// land makes an effect, if its condition allows it.
func (c *cloud) land(name string, env *failover.Env, allowed func(*thing) bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.thing(name)
	if !allowed(t) {
		t.refused++
		return errors.New("condition not met")
	}
	t.version++
	t.landed = append(t.landed, time.Now())
	if errors.Is(env.Valid(), failover.ErrLeaseLost) {
		c.overran = append(c.overran, fmt.Sprintf("%s/%d", name, env.Fence.Token()))
	}
	return nil
}

// step makes a step of a kind. Requests are under way for a while after their fence was checked, also when their caller has given up: one without a
// condition for less than the margin, one with a condition for as long as a paused process is.
func (c *cloud) step(r *rand.Rand, mu *sync.Mutex, id string, kind int, needs []string) failover.Step {
	delay := func(limit time.Duration) time.Duration {
		mu.Lock()
		defer mu.Unlock()
		if r.IntN(3) > 0 {
			return time.Duration(r.Int64N(int64(200 * time.Millisecond)))
		}
		return time.Duration(r.Int64N(int64(limit)))
	}
	f := failover.StepFuncs{ID: id, Needs: needs, Plane: failover.PlaneMutate, Estimate: time.Second}
	f.Check = func(_ context.Context, _ *failover.Env) (failover.State, error) {
		if _, done := c.read(id); done {
			return failover.Done, nil
		}
		return failover.NotDone, nil
	}
	f.Do = func(_ context.Context, env *failover.Env) error {
		for _, need := range needs {
			if _, done := c.read(need); !done && c.lag == 0 {
				c.fault("%s before %s", id, need)
			}
		}
		expected, done := c.read(id)
		if done { // an earlier request of this step has landed since the check
			return nil
		}
		if err := env.Valid(); err != nil {
			return err
		}
		switch kind {
		case 0: // without a condition: as AttachVolume
			time.Sleep(delay(margin))
			return c.land(id, env, func(*thing) bool { return true })
		case 1: // with the expected state: as an ETag, or a strict remap
			time.Sleep(delay(2 * time.Minute))
			return c.land(id, env, func(t *thing) bool { return t.version == expected })
		case 2: // with a client token: as RunInstances
			time.Sleep(delay(2 * time.Minute))
			token := env.ClientToken()
			return c.land(id, env, func(t *thing) bool {
				known := t.tokens[token]
				t.tokens[token] = true
				return !known
			})
		default: // asked for, and done later
			time.Sleep(delay(margin))
			if err := c.land(id, env, func(*thing) bool { return true }); err != nil {
				return err
			}
			return failover.ErrInProgress
		}
	}
	return failover.NewStep(f)
}

func (c *cloud) fault(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults = append(c.faults, fmt.Sprintf(format, args...))
}

// TestRandomSchedules runs controllers whose stores lose and delay requests, whose clocks run at different rates, and whose processes pause and
// die, while a service fails: every effect is there once, and what landed after its lease was seen to overrun.
func TestRandomSchedules(t *testing.T) {
	t.Parallel()
	seeds := make([]uint64, 0, *schedules)
	for seed := range uint64(*schedules) {
		seeds = append(seeds, seed+1)
	}
	if *scheduleSeed != 0 {
		seeds = []uint64{*scheduleSeed}
	}
	var deaths, overruns, refusals, leaders int
	for _, seed := range seeds {
		synctest.Test(t, func(t *testing.T) {
			d, o, r, l := schedule(t, seed)
			deaths, overruns, refusals, leaders = deaths+d, overruns+o, refusals+r, leaders+l
		})
		if t.Failed() {
			t.Fatalf("go test ./failover -run RandomSchedules -schedule %d", seed)
		}
	}
	t.Logf("%d schedules: %d deaths, %d terms of leaders, %d effects that overran, %d that their condition refused", len(seeds), deaths, leaders, overruns, refusals)
}

func schedule(t *testing.T, seed uint64) (deaths, overruns, refusals, leaders int) {
	r := rand.New(rand.NewPCG(seed, 2026))
	c := &cloud{lag: time.Duration(r.Int64N(int64(1500 * time.Millisecond)))}
	f := newFleet(t, "orders")
	var mu sync.Mutex                       // of draws
	draws := rand.New(rand.NewPCG(seed, 8)) // of the steps, which run beside this goroutine
	type shape struct {
		kind  int
		needs []string
	}
	var shapes []shape
	for i := range 2 + r.IntN(5) {
		s := shape{kind: r.IntN(4)}
		for k := range i {
			if r.IntN(3) == 0 {
				s.needs = append(s.needs, fmt.Sprintf("s%d", k))
			}
		}
		shapes = append(shapes, s)
	}
	f.plans["orders"] = func(failover.Incident) (failover.Plan, error) {
		p := failover.Plan{Service: "orders"}
		for i, s := range shapes {
			p.Steps = append(p.Steps, c.step(draws, &mu, fmt.Sprintf("s%d", i), s.kind, s.needs))
		}
		return p, nil
	}
	n := 2 + r.IntN(4)
	f.services = append(f.services, func(s *failover.Service) { s.Quorum = failover.Quorum{Of: n, Need: 1, MinZones: 1} })
	f.adjust = append(f.adjust, func(o *failover.ControllerOptions) { o.WarmUp, o.ResumeAfter = 5*time.Second, 2*time.Second })
	var ways []*chaosStore
	shared := f.store
	start := func(zone string) {
		way := &chaosStore{
			Store: shared, rand: rand.New(rand.NewPCG(seed, r.Uint64())), rate: 0.15 * r.Float64(), delay: 10 * time.Second, ttl: 0.85 + 0.3*r.Float64(),
		}
		ways = append(ways, way)
		f.startOn(way, zone)
	}
	for i := range n {
		start(fmt.Sprintf("zone-%d", i))
	}
	time.Sleep(time.Duration(r.Int64N(int64(time.Minute))))
	for i := range n + 20 {
		f.patients["orders"].set(failover.Failed, fmt.Sprintf("zone-%d", i))
	}
	born := n
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
	defer cancel()
	for calm := false; !f.done("orders"); {
		if err := sleep(ctx, time.Duration(r.Int64N(int64(8*time.Second)))); err != nil {
			break
		}
		if calm = calm || deaths > 6; calm {
			continue
		}
		var zone string
		var m *member
		for z, candidate := range f.members { // any of them: the order of a map is not replayed, so choose by name
			if zone == "" || z < zone {
				zone, m = z, candidate
			}
		}
		switch r.IntN(4) {
		case 0: // it dies, and another is started
			leaders += m.count(failover.KindLeading)
			f.kill(zone)
			<-m.done
			overruns += m.count(failover.KindOverrun)
			delete(f.members, zone)
			deaths++
			start(fmt.Sprintf("zone-%d", born))
			born++
		case 1: // its network is gone for a while
			m.link.set(true)
			time.AfterFunc(time.Duration(r.Int64N(int64(time.Minute))), func() { m.link.set(false) })
		}
	}
	if !f.done("orders") {
		for zone, m := range f.members {
			m.mu.Lock()
			for _, ev := range m.events {
				t.Log(zone, ev.Time.Format("05.000"), ev.Kind, ev.Step, ev.Detail, ev.Err)
			}
			m.mu.Unlock()
		}
		t.Errorf("not done after half an hour: %+v", f.incidents())
	}
	time.Sleep(3 * time.Minute) // what is still under way lands
	for _, m := range f.members {
		m.link.set(false)
		leaders += m.count(failover.KindLeading)
		overruns += m.count(failover.KindOverrun)
	}
	f.end(time.Minute)
	for _, way := range ways {
		way.late.Wait()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range shapes {
		th := c.thing(fmt.Sprintf("s%d", i))
		refusals += th.refused
		if len(th.landed) != 1 {
			t.Errorf("seed %d: s%d, of kind %d, has %d effects: %v", seed, i, shapes[i].kind, len(th.landed), th.landed)
		}
	}
	for _, fault := range c.faults {
		t.Errorf("seed %d: %s", seed, fault)
	}
	if overruns < len(c.overran) {
		t.Errorf("seed %d: %v overran, and %d were told", seed, c.overran, overruns)
	}
	return deaths, len(c.overran), refusals, leaders
}
