package failover_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/failover"
)

// patient is what controllers watch: it is well or not, as each zone sees it.
type patient struct {
	mu    sync.Mutex
	views map[string]failover.Verdict // by the observer's zone
	where string
}

func (p *patient) set(v failover.Verdict, zones ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.views == nil {
		p.views = make(map[string]failover.Verdict)
	}
	for _, z := range zones {
		p.views[z] = v
	}
}

func (p *patient) see(zone string) failover.Observation {
	p.mu.Lock()
	defer p.mu.Unlock()
	v, ok := p.views[zone]
	if !ok {
		v = failover.Healthy
	}
	return failover.Observation{Verdict: v, Evidence: "as " + zone + " sees it", Zone: p.where}
}

var zones = []string{"use1-az1", "use1-az2", "use1-az3"}

// fleet is some controllers on one store, each with a link of its own.
type fleet struct {
	*testing.T

	store    *failover.MemoryStore
	board    *failover.Board
	patients map[string]*patient
	plans    map[string]func(failover.Incident) (failover.Plan, error)
	adjust   []func(*failover.ControllerOptions)
	services []func(*failover.Service)
	members  map[string]*member
	w        world
}

// member is one controller, in its process.
type member struct {
	*failover.Controller

	link *link
	stop context.CancelFunc
	done chan error

	mu     sync.Mutex
	events []failover.Event
}

func newFleet(t *testing.T, services ...string) *fleet {
	t.Helper()
	f := &fleet{
		T: t, store: new(failover.MemoryStore), patients: make(map[string]*patient),
		plans: make(map[string]func(failover.Incident) (failover.Plan, error)), members: make(map[string]*member),
	}
	f.board = f.boardOn(f.store)
	for _, s := range services {
		f.patients[s] = &patient{where: "use1-az9"}
		f.plans[s] = func(in failover.Incident) (failover.Plan, error) {
			return failover.Plan{Service: s, Steps: steps(f.w.step(s+"-fence", time.Second), f.w.step(s+"-move", 10*time.Second, s+"-fence"))}, nil
		}
	}
	return f
}

func (f *fleet) boardOn(s failover.Store) *failover.Board {
	f.Helper()
	b, err := failover.NewBoard(s)
	if err != nil {
		f.Fatal(err)
	}
	return b
}

// start runs a controller in a zone.
func (f *fleet) start(zone string, optFns ...func(*failover.ControllerOptions)) *member {
	f.Helper()
	return f.startOn(f.store, zone, optFns...)
}

func (f *fleet) startOn(store failover.Store, zone string, optFns ...func(*failover.ControllerOptions)) *member {
	f.Helper()
	m := &member{link: &link{Store: store}, done: make(chan error, 1)}
	journal, err := failover.NewJournal(m.link)
	if err != nil {
		f.Fatal(err)
	}
	take := func(_ context.Context, ev failover.Event) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.events = append(m.events, ev)
	}
	engine := newEngine(f, storeLocker(f, m.link), journal, func(o *failover.Options) { o.OnEvent = take })
	var services []failover.Service
	for name, p := range f.patients {
		s := failover.Service{
			Name: name, Plan: f.plans[name], Quorum: failover.Quorum{Of: 3},
			Observers: []failover.Observer{failover.NewObserver("probe@"+zone, zone, func(context.Context) failover.Observation { return p.see(zone) })},
		}
		for _, change := range f.services {
			change(&s)
		}
		services = append(services, s)
	}
	slices.SortFunc(services, func(a, b failover.Service) int { return strings.Compare(a.Name, b.Name) })
	options := slices.Concat([]func(*failover.ControllerOptions){func(o *failover.ControllerOptions) {
		o.Name, o.Zone, o.OnEvent = "c@"+zone, zone, take
	}}, f.adjust, optFns)
	m.Controller, err = failover.NewController(engine, f.boardOn(m.link), services, options...)
	if err != nil {
		f.Fatal(err)
	}
	var ctx context.Context
	ctx, m.stop = context.WithCancel(f.Context())
	go func() { m.done <- m.Run(ctx) }()
	f.members[zone] = m
	return m
}

func (f *fleet) startAll() {
	for _, z := range zones {
		f.start(z)
		synctest.Wait() // the first leads
	}
}

// end stops all controllers.
func (f *fleet) end(limit time.Duration) {
	f.Helper()
	for zone, m := range f.members {
		m.stop()
		began := time.Now()
		if err := <-m.done; !errors.Is(err, context.Canceled) {
			f.Errorf("%s: %v", zone, err)
		}
		if took := time.Since(began); took > limit && !m.link.isDown() {
			f.Errorf("%s: it took %v to stop", zone, took)
		}
	}
}

// kill ends a controller's process: nothing of it reaches anything any more.
func (f *fleet) kill(zone string) {
	m := f.members[zone]
	m.link.set(true)
	m.stop()
}

func (m *member) count(kind failover.Kind) (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, ev := range m.events {
		if ev.Kind == kind {
			n++
		}
	}
	return n
}

func (m *member) last(kind failover.Kind) (last failover.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, ev := range m.events {
		if ev.Kind == kind {
			last = ev
		}
	}
	return last
}

func (f *fleet) leader() *member {
	f.Helper()
	for _, m := range f.members {
		if m.Status().Leading {
			return m
		}
	}
	f.Fatal("nobody leads")
	return nil
}

// until waits for a condition, and returns how long that took.
func (f *fleet) until(what string, cond func() bool) time.Duration {
	f.Helper()
	began := time.Now()
	for !cond() {
		if time.Since(began) > 2*time.Hour {
			for zone, m := range f.members {
				m.mu.Lock()
				for _, ev := range m.events {
					f.Log(zone, ev.Time.Sub(began), ev.Kind, ev.Service, ev.Step, ev.Detail, ev.Err)
				}
				m.mu.Unlock()
			}
			f.Fatalf("not in two hours: %s", what)
		}
		time.Sleep(100 * time.Millisecond)
	}
	return time.Since(began)
}

func (f *fleet) incidents() []failover.Incident {
	f.Helper()
	j, err := failover.NewJournal(f.store)
	if err != nil {
		f.Fatal(err)
	}
	list, err := j.Incidents(context.Background())
	if err != nil {
		f.Fatal(err)
	}
	return list
}

func (f *fleet) done(service string) bool {
	return slices.ContainsFunc(f.incidents(), func(in failover.Incident) bool {
		return in.Service == service && in.State == failover.IncidentDone
	})
}

// once checks that each effect of a service was made once.
func (f *fleet) once(service string) {
	f.Helper()
	for _, step := range []string{service + "-fence", service + "-move"} {
		if n := len(f.w.times(step)); n != 1 {
			f.Errorf("%s has %d effects", step, n)
		}
	}
}

func controllers(t *testing.T, test func(f *fleet), services ...string) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		if len(services) == 0 {
			services = []string{"orders"}
		}
		f := newFleet(t, services...)
		test(f)
		f.end(100 * time.Millisecond)
	})
}

func TestControllersFailAServiceOverOnce(t *testing.T) {
	controllers(t, func(f *fleet) {
		f.startAll()
		time.Sleep(time.Hour)
		f.patients["orders"].set(failover.Failed, zones...)
		detected := f.until("it is detected", func() bool { return f.leader().count(failover.KindDetected) == 1 })
		if detected > 12*time.Second { // the interval, two looks more, and the votes of others
			f.Errorf("detected after %v", detected)
		}
		f.until("it is done", func() bool { return f.done("orders") })
		f.once("orders")
		in := f.incidents()[0]
		if !in.Automatic || in.Facts[failover.FactZone] != "use1-az9" || !strings.HasPrefix(in.ID, "orders-") {
			f.Errorf("%+v", in)
		}
		// It stays failed: the cooldown holds.
		time.Sleep(30 * time.Minute)
		if n, held := len(f.incidents()), f.leader().last(failover.KindHeld); n != 1 || !strings.Contains(held.Detail, "cooldown") {
			f.Errorf("%d incidents, held: %v", n, held)
		}
		if n := f.leader().count(failover.KindHeld); n > 2 {
			f.Errorf("told %d times", n)
		}
		if err := f.board.Acknowledge(f.Context(), "orders", in.ID, "ann", "seen"); err != nil {
			f.Fatal(err)
		}
		f.until("another begins", func() bool { return len(f.incidents()) == 2 })
	})
}

func TestOneObserverIsNoQuorum(t *testing.T) {
	tests := []struct {
		name  string
		views map[string]failover.Verdict
		want  failover.Verdict
	}{
		{"one of three", map[string]failover.Verdict{zones[0]: failover.Failed}, failover.Suspect},
		{"one, and the others cannot tell", map[string]failover.Verdict{zones[0]: failover.Failed, zones[1]: failover.Unknown, zones[2]: failover.Unknown}, failover.Suspect},
		{"nobody can tell", map[string]failover.Verdict{zones[0]: failover.Unknown, zones[1]: failover.Unknown, zones[2]: failover.Unknown}, failover.Unknown},
		{"two of three", map[string]failover.Verdict{zones[0]: failover.Failed, zones[2]: failover.Failed}, failover.Failed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			controllers(t, func(f *fleet) {
				f.startAll()
				time.Sleep(time.Minute)
				for zone, v := range tt.views {
					f.patients["orders"].set(v, zone)
				}
				time.Sleep(10 * time.Minute)
				status := f.leader().Status().Services[0]
				if status.Verdict != tt.want || (len(f.incidents()) > 0) != (tt.want == failover.Failed) {
					f.Errorf("%s (%s), %d incidents", status.Verdict, status.Reason, len(f.incidents()))
				}
			})
		})
	}
}

// The leader's zone dies in the middle of a plan: another leader goes on, and no effect is made twice.
func TestAnotherLeaderFinishesWhatADeadOneHasBegun(t *testing.T) {
	for after := time.Duration(0); after < 11*time.Second; after += 700 * time.Millisecond {
		t.Run(after.String(), func(t *testing.T) {
			controllers(t, func(f *fleet) {
				f.startAll()
				time.Sleep(time.Minute)
				f.patients["orders"].set(failover.Failed, zones...)
				f.until("it has begun", func() bool { return len(f.incidents()) == 1 })
				time.Sleep(after)
				f.kill(zones[0])
				took := f.until("it is done", func() bool { return f.done("orders") })
				if limit := ttl + retry + time.Second + 11*time.Second + 10*time.Second; took > limit { // the lease, a look, the steps anew, their read lag
					f.Errorf("it took %v", took)
				}
				f.once("orders")
				if m := f.leader(); m == f.members[zones[0]] || len(f.incidents()) != 1 {
					f.Errorf("leader %s, incidents %v", m.Status().Controller, f.incidents())
				}
			})
		})
	}
}

func TestALeaderThatStandsInTheFailedZoneHandsOver(t *testing.T) {
	controllers(t, func(f *fleet) {
		f.patients["orders"].where = zones[0]
		f.startAll()
		time.Sleep(time.Minute)
		f.patients["orders"].set(failover.Failed, zones...)
		f.until("it is done", func() bool { return f.done("orders") })
		first := f.members[zones[0]]
		if first.count(failover.KindHandOver) != 1 || first.count(failover.KindStepDo) != 0 || f.leader() == first {
			f.Errorf("handed over %d times, did %d steps", first.count(failover.KindHandOver), first.count(failover.KindStepDo))
		}
		f.once("orders")
	})
}

// A leader in a bad place is better than none.
func TestALeaderWithoutSuccessorsLeadsOn(t *testing.T) {
	controllers(t, func(f *fleet) {
		f.patients["orders"].where = zones[0]
		f.services = append(f.services, func(s *failover.Service) { s.Quorum = failover.Quorum{Of: 1} })
		only := f.start(zones[0])
		time.Sleep(time.Minute)
		f.patients["orders"].set(failover.Failed, zones...)
		if took := f.until("it is done", func() bool { return f.done("orders") }); took > time.Minute || only.count(failover.KindHandOver) != 0 {
			f.Errorf("after %v and %d hand-overs", took, only.count(failover.KindHandOver))
		}
	})
}

func TestAControllerThatCannotJudgeAbstainsAndGivesTheLeadAway(t *testing.T) {
	controllers(t, func(f *fleet) {
		var mu sync.Mutex
		broken := false
		f.start(zones[0], func(o *failover.ControllerOptions) {
			o.SelfCheck = func(context.Context) error {
				mu.Lock()
				defer mu.Unlock()
				if broken {
					return errors.New("no way out")
				}
				return nil
			}
		})
		synctest.Wait()
		f.start(zones[1])
		f.start(zones[2])
		time.Sleep(time.Minute)
		mu.Lock()
		broken = true
		mu.Unlock()
		f.patients["orders"].set(failover.Failed, zones[0], zones[1]) // it is the network of zone 1, and a flaw in zone 2
		time.Sleep(5 * time.Minute)
		s := f.leader().Status()
		if s.Controller == "c@"+zones[0] || s.Services[0].Verdict != failover.Suspect || len(f.incidents()) > 0 {
			f.Errorf("%+v", s)
		}
		i := slices.IndexFunc(s.Services[0].Votes, func(v failover.Vote) bool { return v.Zone == zones[0] })
		if v := s.Services[0].Votes[i]; v.Verdict != failover.Unknown || !strings.Contains(v.Evidence, "no way out") {
			f.Errorf("%+v", v)
		}
	})
}

func TestPlansThatReachFarWaitForAPerson(t *testing.T) {
	controllers(t, func(f *fleet) {
		f.plans["orders"] = func(failover.Incident) (failover.Plan, error) {
			move := f.w.step("orders-move", time.Second, "orders-fence")
			move.Blast = failover.BlastRegion
			return failover.Plan{Service: "orders", Steps: steps(f.w.step("orders-fence", time.Second), move)}, nil
		}
		f.startAll()
		time.Sleep(time.Minute)
		f.patients["orders"].set(failover.Failed, zones...)
		f.until("it is proposed", func() bool { return f.leader().count(failover.KindProposed) == 1 })
		time.Sleep(10 * time.Minute)
		proposals, err := f.board.Proposals(f.Context())
		if err != nil || len(proposals) != 1 || proposals[0].Blast != "region" || len(f.incidents()) != 0 {
			f.Fatalf("%+v, %v", proposals, err)
		}
		// Another leader proposes the same.
		f.kill(zones[0])
		delete(f.members, zones[0])
		time.Sleep(2 * time.Minute)
		id := proposals[0].Incident
		if s := f.leader().Status().Services[0]; s.Proposed == nil || s.Proposed.Incident != id {
			f.Fatalf("%+v", s)
		}
		if err := f.board.Approve(f.Context(), "orders", id, "ann", "go"); err != nil {
			f.Fatal(err)
		}
		if took := f.until("it is done", func() bool { return f.done("orders") }); took > 10*time.Second {
			f.Errorf("it took %v", took)
		}
		f.once("orders")
		if proposals, err := f.board.Proposals(f.Context()); err != nil || len(proposals) > 0 {
			f.Errorf("%+v, %v", proposals, err)
		}
	})
}

func TestWhatIsNotNeededAnyMoreIsDropped(t *testing.T) {
	controllers(t, func(f *fleet) {
		f.adjust = append(f.adjust, func(o *failover.ControllerOptions) { o.Brakes.Approval = failover.BlastInstance })
		f.startAll()
		time.Sleep(time.Minute)
		f.patients["orders"].set(failover.Failed, zones...)
		f.until("it is proposed", func() bool { return f.leader().count(failover.KindProposed) == 1 })
		f.patients["orders"].set(failover.Healthy, zones...)
		f.until("it is dropped", func() bool { return f.leader().count(failover.KindDropped) == 1 })
		if proposals, err := f.board.Proposals(f.Context()); err != nil || len(proposals) > 0 || len(f.incidents()) > 0 {
			f.Errorf("%+v, %v", proposals, err)
		}
	})
}

func TestTheKillSwitchStopsWhatRuns(t *testing.T) {
	controllers(t, func(f *fleet) {
		f.startAll()
		time.Sleep(time.Minute)
		f.patients["orders"].set(failover.Failed, zones...)
		f.until("the first step is done", func() bool { return len(f.w.times("orders-fence")) == 1 })
		if err := f.board.Pause(f.Context(), "ann", "something is odd"); err != nil {
			f.Fatal(err)
		}
		time.Sleep(10 * time.Minute)
		if len(f.w.times("orders-move")) > 0 {
			f.Error("it went on")
		}
		if err := f.board.Unpause(f.Context(), "ann", "it was not"); err != nil {
			f.Fatal(err)
		}
		if took := f.until("it is done", func() bool { return f.done("orders") }); took > 20*time.Second {
			f.Errorf("it took %v", took)
		}
		f.once("orders")
	})
}

func TestTooMuchAtOnceIsOurselves(t *testing.T) {
	controllers(t, func(f *fleet) {
		f.startAll()
		time.Sleep(time.Minute)
		for _, p := range f.patients {
			p.set(failover.Failed, zones...)
		}
		time.Sleep(10 * time.Minute)
		if held := f.leader().last(failover.KindHeld); len(f.incidents()) > 0 || !strings.Contains(held.Detail, "suspect themselves") {
			f.Errorf("%v, held: %v", f.incidents(), held)
		}
		f.patients["b"].set(failover.Healthy, zones...)
		f.patients["c"].set(failover.Healthy, zones...)
		f.until("the one that is left is failed over", func() bool { return f.done("a") })
	}, "a", "b", "c")
}

func TestIncidentsBeginOneAfterAnother(t *testing.T) {
	controllers(t, func(f *fleet) {
		f.adjust = append(f.adjust, func(o *failover.ControllerOptions) { o.Brakes.MaxFailedShare, o.Brakes.MaxPerHour = 1, 4 })
		f.startAll()
		time.Sleep(time.Minute)
		for _, p := range f.patients {
			p.set(failover.Failed, zones...)
		}
		f.until("four are done", func() bool { return len(f.incidents()) == 4 })
		time.Sleep(10 * time.Minute)
		if held := f.leader().last(failover.KindHeld); len(f.incidents()) != 4 {
			f.Errorf("%d incidents, held: %v", len(f.incidents()), held)
		}
		var times []time.Time
		for _, in := range f.incidents() {
			times = append(times, f.w.times(in.Service + "-fence")[0])
		}
		slices.SortFunc(times, time.Time.Compare)
		for i := 1; i < len(times); i++ {
			if d := times[i].Sub(times[i-1]); d < 10*time.Second {
				f.Errorf("two began %v apart", d)
			}
		}
	}, "a", "b", "c", "d", "e")
}

// What was just promoted is not taken away from, though it is another service that looks ill there.
func TestTheCooldownIsOfTheTargetToo(t *testing.T) {
	controllers(t, func(f *fleet) {
		f.services = append(f.services, func(s *failover.Service) {
			s.Prepare = func(_ context.Context, d failover.Detection) (map[string]string, error) {
				if d.Service == "a" {
					return map[string]string{failover.FactFailed: "i-1", failover.FactTarget: "i-2"}, nil
				}
				return map[string]string{failover.FactFailed: "i-2", failover.FactTarget: "i-1"}, nil
			}
		})
		f.startAll()
		time.Sleep(time.Minute)
		f.patients["a"].set(failover.Failed, zones...)
		f.until("it is done", func() bool { return f.done("a") })
		f.patients["a"].set(failover.Healthy, zones...)
		f.patients["b"].set(failover.Failed, zones...)
		time.Sleep(20 * time.Minute)
		if held := f.leader().last(failover.KindHeld); len(f.incidents()) != 1 || !strings.Contains(held.Detail, "of a was") {
			f.Errorf("%d incidents, held: %v", len(f.incidents()), held)
		}
		f.until("the cooldown is over", func() bool { return f.done("b") })
	}, "a", "b")
}

func TestTooLittleThatSurvivesHolds(t *testing.T) {
	controllers(t, func(f *fleet) {
		var mu sync.Mutex
		share, broken := 0.4, error(nil)
		f.services = append(f.services, func(s *failover.Service) {
			s.Surviving = func(context.Context, map[string]string) (float64, error) {
				mu.Lock()
				defer mu.Unlock()
				return share, broken
			}
		})
		f.startAll()
		time.Sleep(time.Minute)
		f.patients["orders"].set(failover.Failed, zones...)
		time.Sleep(time.Minute)
		if held := f.leader().last(failover.KindHeld); !strings.Contains(held.Detail, "only 40 %") {
			f.Errorf("held: %v", held)
		}
		mu.Lock()
		share, broken = 1, errors.New("cannot count")
		mu.Unlock()
		time.Sleep(time.Minute)
		if held := f.leader().last(failover.KindHeld); !strings.Contains(held.Detail, "cannot count") || len(f.incidents()) > 0 {
			f.Errorf("held: %v", held)
		}
		mu.Lock()
		broken = nil
		mu.Unlock()
		f.until("it is done", func() bool { return f.done("orders") })
	})
}

func TestAnIncidentThatFailsIsResumedAndThenGivenUp(t *testing.T) {
	controllers(t, func(f *fleet) {
		var mu sync.Mutex
		tries, mended := 0, false
		f.plans["orders"] = func(failover.Incident) (failover.Plan, error) {
			move := f.w.step("orders-move", time.Second, "orders-fence")
			do := move.Do
			move.Do = func(ctx context.Context, env *failover.Env) error {
				mu.Lock()
				defer mu.Unlock()
				if tries++; !mended {
					return failover.Permanent(errors.New("denied"))
				}
				return do(ctx, env)
			}
			return failover.Plan{Service: "orders", Steps: steps(f.w.step("orders-fence", time.Second), move)}, nil
		}
		f.startAll()
		time.Sleep(time.Minute)
		f.patients["orders"].set(failover.Failed, zones...)
		f.until("it is given up", func() bool { return f.leader().count(failover.KindGivenUp) == 1 })
		mu.Lock()
		if tries != 9 {
			f.Errorf("%d tries", tries)
		}
		mended = true
		mu.Unlock()
		time.Sleep(time.Hour)
		in := f.incidents()[0]
		if in.State != failover.IncidentOpen || !f.leader().Status().Services[0].GivenUp {
			f.Errorf("%+v", in)
		}
		if err := f.board.Acknowledge(f.Context(), "orders", in.ID, "ann", "permissions are there"); err != nil {
			f.Fatal(err)
		}
		f.until("it is done", func() bool { return f.done("orders") })
		f.once("orders")
	})
}

func TestAFreshLeaderWatchesFirst(t *testing.T) {
	controllers(t, func(f *fleet) {
		f.patients["orders"].set(failover.Failed, zones...) // from the start
		f.startAll()
		took := f.until("it begins", func() bool { return len(f.incidents()) == 1 })
		if took < 15*time.Second || took > 30*time.Second {
			f.Errorf("it took %v, want the warm-up and a look", took)
		}
	})
}

func TestWakingMakesControllersLookAtOnce(t *testing.T) {
	controllers(t, func(f *fleet) {
		f.adjust = append(f.adjust, func(o *failover.ControllerOptions) { o.Interval = 5 * time.Minute })
		f.services = append(f.services, func(s *failover.Service) { s.Quorum.TTL = 20 * time.Minute })
		f.startAll()
		time.Sleep(time.Hour)
		f.patients["orders"].set(failover.Failed, zones...)
		for range 1000 { // a storm
			for _, m := range f.members {
				m.Wake()
			}
		}
		if took := f.until("it is detected", func() bool { return f.leader().count(failover.KindDetected) == 1 }); took > 10*time.Second {
			f.Errorf("it took %v", took)
		}
	})
}

// While the store does not answer nobody acts; when it does again, everything goes on.
func TestAnOutageOfTheStoreIsWaitedOut(t *testing.T) {
	controllers(t, func(f *fleet) {
		f.startAll()
		time.Sleep(time.Minute)
		for _, m := range f.members {
			m.link.set(true)
		}
		f.patients["orders"].set(failover.Failed, zones...)
		time.Sleep(10 * time.Minute)
		if len(f.w.times("orders-fence")) > 0 {
			f.Error("somebody acted without a lease")
		}
		for _, m := range f.members {
			m.link.set(false)
		}
		if took := f.until("it is done", func() bool { return f.done("orders") }); took > time.Minute {
			f.Errorf("it took %v", took)
		}
		f.once("orders")
	})
}

func TestAnAbandonedIncidentIsLeftAlone(t *testing.T) {
	controllers(t, func(f *fleet) {
		f.startAll()
		time.Sleep(time.Minute)
		f.patients["orders"].set(failover.Failed, zones...)
		f.until("the first step is done", func() bool { return len(f.w.times("orders-fence")) == 1 })
		if err := f.board.Abandon(f.Context(), "orders", f.incidents()[0].ID, "ann", "by hand"); err != nil {
			f.Fatal(err)
		}
		f.until("it is abandoned", func() bool { return f.incidents()[0].State == failover.IncidentAbandoned })
		time.Sleep(30 * time.Minute)
		if s := f.leader().Status().Services[0]; len(f.w.times("orders-move")) > 0 || len(f.incidents()) != 1 || s.Incident != "" || !strings.Contains(s.Held, "cooldown") {
			f.Errorf("%v, %+v", f.incidents(), s)
		}
	})
}

func TestMistakesOfAControllerAreReportedAtOnce(t *testing.T) {
	t.Parallel()
	_, err := failover.NewController(nil, nil, []failover.Service{
		{Quorum: failover.Quorum{Need: 4, Of: 3}, Observers: []failover.Observer{nil}},
		{Name: "a", Quorum: failover.Quorum{TTL: -1}},
		{Name: "a"},
	}, func(o *failover.ControllerOptions) {
		o.Interval, o.MaxResumes, o.Brakes.Cooldown, o.Brakes.MinSurviving, o.Brakes.Approval = -1, -1, -1, 2, failover.BlastData
	})
	for _, want := range []string{
		"engine", "board", "services[0].Name", "services[0].Plan", "services[0].Quorum.Need", "services[0].Observers[0]", "services[1].Quorum.TTL",
		"services[2].Name", "services[2].Quorum.Of", "ControllerOptions.Name", "ControllerOptions.Interval", "ControllerOptions.MaxResumes",
		"Brakes.Cooldown", "Brakes.MinSurviving", "Brakes.Approval",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no word of %s in\n%v", want, err)
		}
	}
	board, err := failover.NewBoard(new(failover.MemoryStore))
	if err != nil {
		t.Fatal(err)
	}
	var field *failover.FieldError
	if err := board.Approve(t.Context(), "orders", "", "", ""); !errors.As(err, &field) || !strings.Contains(err.Error(), "incident") || !strings.Contains(err.Error(), "by") {
		t.Error(err)
	}
	if _, err := failover.NewBoard(nil); !errors.As(err, &field) {
		t.Error(err)
	}
}

func TestAControllerRunsOnce(t *testing.T) {
	controllers(t, func(f *fleet) {
		m := f.start(zones[0])
		synctest.Wait()
		if err := m.Run(f.Context()); !errors.Is(err, failover.ErrAlreadyRun) {
			f.Error(err)
		}
	})
}

func TestJudge(t *testing.T) {
	t.Parallel()
	vote := func(observer, zone string, v failover.Verdict, age time.Duration) failover.Vote {
		return failover.Vote{Observer: observer, Zone: zone, Verdict: v, Age: age}
	}
	tests := []struct {
		name   string
		quorum failover.Quorum
		votes  []failover.Vote
		want   failover.Verdict
	}{
		{"nobody", failover.Quorum{Of: 3}, nil, failover.Unknown},
		{"two of three, in two zones", failover.Quorum{Of: 3}, []failover.Vote{vote("a", "1", failover.Failed, 0), vote("b", "2", failover.Failed, 0)}, failover.Failed},
		{"two of three, in one zone", failover.Quorum{Of: 3}, []failover.Vote{vote("a", "1", failover.Failed, 0), vote("b", "1", failover.Failed, 0)}, failover.Suspect},
		{"one observer twice", failover.Quorum{Of: 3}, []failover.Vote{vote("a", "1", failover.Failed, 0), vote("a", "2", failover.Failed, 0)}, failover.Suspect},
		{"one has expired", failover.Quorum{Of: 3}, []failover.Vote{vote("a", "1", failover.Failed, 0), vote("b", "2", failover.Failed, 31*time.Second)}, failover.Suspect},
		{"the youngest counts", failover.Quorum{Of: 1}, []failover.Vote{vote("a", "1", failover.Failed, 2*time.Second), vote("a", "1", failover.Healthy, time.Second)}, failover.Healthy},
		{"all have expired", failover.Quorum{Of: 1}, []failover.Vote{vote("a", "1", failover.Failed, time.Hour)}, failover.Unknown},
		{"one alone", failover.Quorum{Of: 1}, []failover.Vote{vote("a", "1", failover.Failed, 0)}, failover.Failed},
		{"no quorum at all", failover.Quorum{}, []failover.Vote{vote("a", "1", failover.Failed, 0)}, failover.Unknown},
		{"a healthy one does not outvote", failover.Quorum{Of: 3}, []failover.Vote{vote("a", "1", failover.Failed, 0), vote("b", "2", failover.Failed, 0), vote("c", "3", failover.Healthy, 0)}, failover.Failed},
		{"suspicion is no vote for failed", failover.Quorum{Of: 3}, []failover.Vote{vote("a", "1", failover.Failed, 0), vote("b", "2", failover.Suspect, 0)}, failover.Suspect},
	}
	for _, tt := range tests {
		if got, reason := tt.quorum.Judge(tt.votes); got != tt.want {
			t.Errorf("%s: %s (%s), want %s", tt.name, got, reason, tt.want)
		}
	}
	for _, q := range []failover.Quorum{{}, {Of: -1}, {Of: 2, Need: 3}, {Of: 3, Need: 1, MinZones: 2}} {
		if q.Validate() == nil {
			t.Errorf("%+v is valid", q)
		}
	}
}

func TestVerdictsAreText(t *testing.T) {
	t.Parallel()
	for _, v := range []failover.Verdict{failover.Unknown, failover.Healthy, failover.Suspect, failover.Failed} {
		text, err := v.MarshalText()
		var back failover.Verdict
		if err != nil || back.UnmarshalText(text) != nil || back != v {
			t.Errorf("%v: %s, %v", v, text, err)
		}
	}
	if new(failover.Verdict).UnmarshalText([]byte("dead")) == nil {
		t.Error("dead is a verdict")
	}
	if text := failover.Verdict(9).String(); text != "Verdict(9)" {
		t.Error(text)
	}
}

// An observer that hangs holds nobody up: it cannot tell, and the others go on.
func TestAnObserverThatHangsHoldsNobodyUp(t *testing.T) {
	controllers(t, func(f *fleet) {
		hung := make(chan struct{})
		f.services = append(f.services, func(s *failover.Service) {
			if zone := s.Observers[0].Zone(); zone == zones[0] {
				s.Observers = append(s.Observers, failover.NewObserver("deaf", zone, func(context.Context) failover.Observation {
					<-hung
					return failover.Observation{Verdict: failover.Failed}
				}))
			}
		})
		f.startAll()
		time.Sleep(time.Minute)
		f.patients["orders"].set(failover.Failed, zones...)
		if took := f.until("it is done", func() bool { return f.done("orders") }); took > 45*time.Second {
			f.Errorf("it took %v", took)
		}
		votes := f.members[zones[0]].Status().Services[0].Votes
		i := slices.IndexFunc(votes, func(v failover.Vote) bool { return v.Observer == "deaf" })
		if votes[i].Verdict != failover.Unknown || !strings.Contains(votes[i].Evidence, "does not return") {
			f.Errorf("%+v", votes[i])
		}
		close(hung)
	})
}

// What somebody has begun by hand and left open blocks automatic runs until it is abandoned.
func TestAnOpenIncidentOfAPersonBlocksUntilItIsAbandoned(t *testing.T) {
	controllers(t, func(f *fleet) {
		j, err := failover.NewJournal(f.store)
		if err != nil {
			f.Fatal(err)
		}
		broken := failover.StepFuncs{ID: "x", Plane: failover.PlaneData, Do: func(context.Context, *failover.Env) error { return failover.Permanent(errors.New("no")) }}
		if _, err := newEngine(f, storeLocker(f, f.store), j).Execute(f.Context(), "by hand", plan(broken)); err == nil {
			f.Fatal("no error")
		}
		f.startAll()
		time.Sleep(time.Minute)
		f.patients["orders"].set(failover.Failed, zones...)
		time.Sleep(10 * time.Minute)
		if held := f.leader().last(failover.KindHeld); len(f.incidents()) != 1 || !strings.Contains(held.Detail, "by hand is open") {
			f.Errorf("%v, held: %v", f.incidents(), held)
		}
		if err := f.board.Abandon(f.Context(), "orders", "by hand", "ann", "looked after"); err != nil {
			f.Fatal(err)
		}
		f.until("it is done", func() bool { return f.done("orders") })
		f.once("orders")
	})
}
