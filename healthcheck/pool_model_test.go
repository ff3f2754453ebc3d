package healthcheck_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/healthcheck"
)

const maxTargets = 12

// modelPool is a pool that leads a random life in a bubble, and what it should know by the rules of target groups, computed from
// what its probes and its callers did.
type modelPool struct {
	t    *testing.T
	r    *rand.Rand // of the test's goroutine
	pool *healthcheck.Pool
	opts healthcheck.Options

	mu     sync.Mutex
	dice   *rand.Rand // of the probes
	ways   map[string]way
	probes map[string]*modelProbe // registered
	opened []*modelProbe
	wrong  []string

	draining map[string]time.Time // when they are gone
	kept     []keptView
	events   []healthcheck.Event // not yet replayed
	seq      uint64
	replayed map[string]healthcheck.Event // the latest transition of each target
	zonesUp  map[string]bool
}

// keptView is a view with what it said at first.
type keptView struct {
	view  *healthcheck.View
	all   []healthcheck.Status
	zones []healthcheck.ZoneStatus
}

// way is how the probe of a target behaves.
type way uint8

const (
	answering way = iota
	failing
	unknown
	panicking
	mixed    // each time one of those above
	hanging  // until its context ends
	ignoring // beyond its context, for some intervals
	numWays
)

// modelProbe is a probe that writes down what happens to it.
type modelProbe struct {
	m        *modelPool
	target   healthcheck.Target
	starts   []time.Time
	results  []healthcheck.Outcome // those that count
	checking bool
	retired  bool // nothing may start
	closed   bool
	ignored  bool // once, so that results are not all that counts
	asked    bool // for, once, and so perhaps checked out of turn
}

func (m *modelPool) Open(target healthcheck.Target) (healthcheck.Probe, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := &modelProbe{m: m, target: target}
	m.opened = append(m.opened, p)
	return p, nil
}

func (m *modelPool) requireLocked(ok bool, format string, args ...any) {
	if !ok {
		m.wrong = append(m.wrong, fmt.Sprintf(format, args...))
	}
}

func (p *modelProbe) Check(ctx context.Context) healthcheck.Result {
	m := p.m
	m.mu.Lock()
	id, w := p.target.ID, m.ways[p.target.ID]
	called := ctx.Err() != nil // off, before it began
	m.requireLocked(!p.checking, "%s: two checks at a time", id)
	m.requireLocked(!p.closed, "%s: checked after Close", id)
	m.requireLocked(!p.retired || called, "%s: checked after it was deregistered", id)
	deadline, ok := ctx.Deadline()
	m.requireLocked(ok && time.Until(deadline) == m.opts.Timeout, "%s: deadline %v", id, time.Until(deadline))
	if n := len(p.starts); n > 0 && !p.ignored && m.opts.MaxInFlight >= maxTargets {
		gap, least := time.Since(p.starts[n-1]), min(m.opts.FastInterval, m.opts.Interval*7/8)-m.opts.Jitter-healthcheck.Tick
		m.requireLocked(gap <= m.opts.Interval+m.opts.Jitter, "%s: started %v after the check before, from %v to %v", id, gap, least, m.opts.Interval+m.opts.Jitter)
		m.requireLocked(gap >= least || p.asked, "%s: started %v after the check before, from %v to %v", id, gap, least, m.opts.Interval+m.opts.Jitter)
	}
	p.starts = append(p.starts, time.Now())
	p.checking = true
	if w == mixed {
		w = way(m.dice.IntN(int(mixed)))
	}
	latency := time.Duration(m.dice.Int64N(int64(m.opts.Timeout)))
	stay := m.opts.Timeout + time.Duration(m.dice.Int64N(int64(3*m.opts.Interval)))
	p.ignored = p.ignored || w == ignoring
	m.mu.Unlock()

	r := healthcheck.Result{Outcome: healthcheck.Fail}
	switch w {
	case ignoring:
		time.Sleep(stay)
	case hanging:
		<-ctx.Done()
	default:
		answered := time.NewTimer(latency)
		defer answered.Stop()
		select {
		case <-answered.C:
			r.Outcome = [...]healthcheck.Outcome{answering: healthcheck.Pass, failing: healthcheck.Fail, unknown: 0, panicking: 0}[w]
		case <-ctx.Done():
		}
	}

	m.mu.Lock()
	defer m.mu.Unlock()
	p.checking = false
	if ctx.Err() != context.Canceled {
		p.results = append(p.results, r.Outcome)
	}
	if w == panicking && r.Outcome == healthcheck.Unknown {
		panic("as it does")
	}
	return r
}

func (p *modelProbe) Close() error {
	p.m.mu.Lock()
	defer p.m.mu.Unlock()
	p.m.requireLocked(!p.closed, "%s: closed twice", p.target.ID)
	p.m.requireLocked(!p.checking, "%s: closed while it was checking", p.target.ID)
	p.closed = true
	return nil
}

// health is that of a target by the results of its checks.
func (p *modelProbe) health(o healthcheck.Options) (state healthcheck.State, passes, fails int) {
	state = healthcheck.Initial
	for _, outcome := range p.results {
		switch outcome {
		case healthcheck.Pass:
			passes, fails = passes+1, 0
		case healthcheck.Fail:
			passes, fails = 0, fails+1
		case healthcheck.Unknown:
			continue
		}
		switch {
		case fails >= o.UnhealthyThreshold:
			state = healthcheck.Unhealthy
		case state == healthcheck.Initial && passes > 0, passes >= o.HealthyThreshold:
			state = healthcheck.Healthy
		}
	}
	return state, passes, fails
}

// target returns a random target: few IDs, so that they are replaced often.
func (m *modelPool) target() healthcheck.Target {
	return healthcheck.Target{
		ID: fmt.Sprint("t", m.r.IntN(maxTargets)), Zone: fmt.Sprint("z", m.r.IntN(3)), Addr: fmt.Sprintf("10.0.0.%d:80", m.r.IntN(2)),
	}
}

// step does something at random.
func (m *modelPool) step() {
	switch m.r.IntN(10) {
	case 0, 1, 2:
		ts := []healthcheck.Target{m.target()}
		register(m.t, m.pool, ts...)
		m.registered(ts...)
	case 3:
		t := m.target()
		if err := m.pool.Deregister(t.ID); err != nil {
			m.t.Fatal(err)
		}
		m.deregistered(t.ID)
	case 4:
		m.reconcile()
	case 5:
		_ = m.pool.Override(m.target().ID, healthcheck.Override(m.r.IntN(4)))
	case 6:
		if cancel, err := m.pool.Shift(m.target().Zone, time.Duration(1+m.r.IntN(100))*time.Second, "as it does"); err == nil && m.r.IntN(2) == 0 {
			cancel()
		}
	case 7:
		m.checkNow(m.target().ID)
	default:
		m.mu.Lock()
		m.ways[m.target().ID] = way(m.r.IntN(int(numWays)))
		m.mu.Unlock()
	}
}

// registered takes note of the targets that the pool has now.
func (m *modelPool) registered(ts ...healthcheck.Target) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, t := range ts {
		old := m.probes[t.ID]
		if old != nil && old.target == t {
			continue // left as it is
		}
		if old != nil {
			old.retired = true
		}
		delete(m.draining, t.ID)
		for _, p := range slices.Backward(m.opened) {
			if p.target == t {
				m.probes[t.ID] = p
				break
			}
		}
	}
}

func (m *modelPool) deregistered(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if p := m.probes[id]; p != nil {
		p.retired = true
		delete(m.probes, id)
		m.draining[id] = time.Now().Add(m.opts.DeregistrationDelay)
	}
}

func (m *modelPool) reconcile() {
	want := map[string]healthcheck.Target{}
	for range m.r.IntN(12) {
		t := m.target()
		if p := m.probes[t.ID]; p != nil && m.r.IntN(3) > 0 {
			t = p.target
		}
		want[t.ID] = t
	}
	var expected healthcheck.Changes
	for _, id := range slices.Sorted(maps.Keys(want)) {
		_, drains := m.draining[id]
		if p := m.probes[id]; p == nil && !drains {
			expected.Added = append(expected.Added, id)
		} else if drains || p.target != want[id] {
			expected.Replaced = append(expected.Replaced, id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(m.probes)) {
		if _, ok := want[id]; !ok {
			expected.Removed = append(expected.Removed, id)
		}
	}
	got, err := m.pool.Reconcile(maps.Values(want))
	if err != nil {
		m.t.Fatal(err)
	}
	if diff := cmp.Diff(expected, got); diff != "" {
		m.t.Errorf("Reconcile (-want +got):\n%s", diff)
	}
	m.registered(slices.Collect(maps.Values(want))...)
	for _, id := range got.Removed {
		m.deregistered(id)
	}
}

// checkNow asks for a check and may give up before it is over.
func (m *modelPool) checkNow(id string) {
	m.mu.Lock()
	if p := m.probes[id]; p != nil {
		p.asked = true
	}
	m.mu.Unlock()
	patience := time.Duration(m.r.Int64N(int64(2 * m.opts.Timeout)))
	go func() {
		ctx, cancel := context.WithTimeout(m.t.Context(), patience)
		defer cancel()
		_, _ = m.pool.CheckNow(ctx, id)
	}()
}

// verify compares the pool with what it should know.
func (m *modelPool) verify() {
	m.t.Helper()
	synctest.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, w := range m.wrong {
		m.t.Error(w)
	}
	m.wrong = nil
	view := m.pool.View()
	m.replayLocked(view)

	known := map[string]bool{}
	zones := map[string]healthcheck.ZoneStatus{}
	for id, s := range view.All() {
		known[id] = true
		if now, ok := m.pool.Status(id); !ok || !cmp.Equal(now, s, statusOptions) {
			m.t.Errorf("%s is %+v in the view, and %+v", id, s, now)
		}
		if e := m.replayed[id]; e.Status.State != s.State || !e.Status.Since.Equal(s.Since) || e.Status.Target != s.Target {
			m.t.Errorf("%s is %v since %v, its latest event says %v at %v", id, s.State, s.Since, e.Status.State, e.Time)
		}
		z := zones[s.Target.Zone]
		switch s.State {
		case healthcheck.Initial:
			z.Initial++
		case healthcheck.Healthy:
			z.Healthy++
		case healthcheck.Unhealthy:
			z.Unhealthy++
		case healthcheck.Draining:
			z.Draining++
			if gone, ok := m.draining[id]; !ok || time.Now().After(gone.Add(healthcheck.Tick)) {
				m.t.Errorf("%s drains, and should have been gone at %v", id, gone)
			}
		case healthcheck.Unused:
			m.t.Errorf("%s is in a view, unused", id)
		}
		zones[s.Target.Zone] = z
		if p := m.probes[id]; p != nil {
			m.verifyTargetLocked(p, s)
		} else if s.State != healthcheck.Draining {
			m.t.Errorf("%s is %v, and not registered", id, s.State)
		}
	}
	for id := range m.probes {
		if !known[id] {
			m.t.Errorf("%s is registered, and not known", id)
		}
	}
	for id, gone := range m.draining {
		if !known[id] {
			if delete(m.draining, id); time.Now().Before(gone) {
				m.t.Errorf("%s is gone before %v", id, gone)
			}
		}
	}
	for _, z := range view.Zones() {
		w := zones[z.Zone]
		delete(zones, z.Zone)
		if w.Initial != z.Initial || w.Healthy != z.Healthy || w.Unhealthy != z.Unhealthy || w.Draining != z.Draining {
			m.t.Errorf("zone %+v, want the counts of %+v", z, w)
		}
		if m.zonesUp[z.Zone] != z.Up() {
			m.t.Errorf("zone %s is up %v, its latest event says otherwise", z.Zone, z.Up())
		}
	}
	if len(zones) > 0 {
		m.t.Errorf("the view lacks the zones %v", zones)
	}
	if m.r.IntN(8) == 0 {
		m.kept = append(m.kept, keptView{view, statuses(view), view.Zones()})
	}
}

// statusOptions compare statuses, whose errors are the same values.
var statusOptions = cmp.Comparer(func(a, b error) bool { return a == b })

func statuses(v *healthcheck.View) (all []healthcheck.Status) {
	for _, s := range v.All() {
		all = append(all, s)
	}
	return all
}

func (m *modelPool) verifyTargetLocked(p *modelProbe, s healthcheck.Status) {
	id := p.target.ID
	if s.Target != p.target {
		m.t.Errorf("%s is %+v, want %+v", id, s.Target, p.target)
	}
	if p.ignored {
		return
	}
	state, passes, fails := p.health(m.opts)
	if s.State != state || s.Passes != passes || s.Fails != fails {
		m.t.Errorf("%s is %v after %d passes or %d failures, want %v, %d, %d", id, s.State, s.Passes, s.Fails, state, passes, fails)
	}
	recent := p.results[max(0, len(p.results)-32):]
	if want := healthcheck.NewHistory(recent...); s.Recent != want {
		m.t.Errorf("%s has a history of %v, want %v", id, s.Recent, want)
	}
}

// replayLocked follows the events, which must lead to the view.
func (m *modelPool) replayLocked(view *healthcheck.View) {
	for _, e := range m.events {
		if m.seq++; e.Seq != m.seq || e.Dropped > 0 {
			m.t.Errorf("event %d comes after %d, with %d lost", e.Seq, m.seq-1, e.Dropped)
		}
		switch e.Kind { //nolint:exhaustive // those that are replayed
		case healthcheck.Transition:
			id := e.Status.Target.ID
			if was := m.replayed[id].Status.State; was != e.From {
				m.t.Errorf("%s was %v, the next event is from %v", id, was, e.From)
			}
			m.replayed[id] = e
			if e.Status.State == healthcheck.Unused {
				delete(m.replayed, id)
			}
		case healthcheck.ZoneChange:
			m.zonesUp[e.Zone.Zone] = e.Zone.Up()
		}
	}
	m.events = nil
	if view.Seq() != m.seq {
		m.t.Errorf("the view is of event %d, the latest is %d", view.Seq(), m.seq)
	}
}

// TestPoolModel lets pools lead random lives, and looks at them after each step.
func TestPoolModel(t *testing.T) {
	t.Parallel()
	for range 8 {
		seed := *modelSeed
		if seed == 0 {
			seed = rand.Uint64()
		}
		t.Run(fmt.Sprint("model.seed=", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { testPoolModel(t, seed) })
		})
	}
}

func testPoolModel(t *testing.T, seed uint64) {
	t.Helper()
	m := &modelPool{
		t: t, r: rand.New(rand.NewPCG(seed, 1)), dice: rand.New(rand.NewPCG(seed, 2)),
		ways: map[string]way{}, probes: map[string]*modelProbe{}, draining: map[string]time.Time{},
		replayed: map[string]healthcheck.Event{}, zonesUp: map[string]bool{},
	}
	interval := time.Duration(2+m.r.IntN(9)) * time.Second
	m.opts = healthcheck.Options{
		Interval: interval, Timeout: interval / 4, FastInterval: interval / time.Duration(1+m.r.IntN(2)),
		Jitter: time.Duration(m.r.Int64N(int64(interval / 8))), HealthyThreshold: 1 + m.r.IntN(4), UnhealthyThreshold: 1 + m.r.IntN(4),
		DeregistrationDelay: time.Duration(1+m.r.IntN(60)) * time.Second, MaxInFlight: []int{1, 3, maxTargets * 100}[m.r.IntN(3)],
		EventBuffer: 10_000,
	}
	m.pool = newPool(t, m, func(o *healthcheck.Options) { *o = m.opts })
	following, unfollow := context.WithCancel(t.Context())
	defer unfollow()
	events := m.pool.Events(following)
	go func() {
		for e := range events {
			m.mu.Lock()
			m.events = append(m.events, e)
			m.mu.Unlock()
		}
	}()
	stop := run(t, m.pool)
	for range 400 {
		m.step()
		m.verify()
		time.Sleep(time.Duration(m.r.Int64N(int64(interval))))
		m.verify()
		if t.Failed() {
			break
		}
	}
	_ = stop()
	for _, k := range m.kept {
		if diff := cmp.Diff(k.all, statuses(k.view), statusOptions) + cmp.Diff(k.zones, k.view.Zones()); diff != "" {
			t.Errorf("a view has changed (-then +now):\n%s", diff)
		}
	}
	for _, p := range m.opened {
		if !p.closed {
			t.Errorf("the probe of %+v is left open", p.target)
		}
	}
}
