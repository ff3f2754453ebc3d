package failover_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/awsha/awsha/failover"
)

// look moves what a service's observers look at to another zone.
func (p *patient) look(where string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.where = where
}

// oneStep makes the plan of a service one step of a radius.
func (f *fleet) oneStep(service string, change func(*failover.StepFuncs)) {
	f.plans[service] = func(failover.Incident) (failover.Plan, error) {
		s := f.w.step(service+"-move", time.Second)
		change(&s)
		return failover.Plan{Service: service, Steps: steps(s)}, nil
	}
}

func denied(s *failover.StepFuncs) {
	s.Do = func(context.Context, *failover.Env) error { return failover.Permanent(errors.New("denied")) }
}

func (f *fleet) holdLease(service string) failover.Lease {
	f.Helper()
	lease, err := storeLocker(f, f.store).Acquire(f.Context(), service, failover.LeaseOptions{Holder: "somebody"})
	if err != nil {
		f.Fatal(err)
	}
	return lease
}

func (f *fleet) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// What an incident is made from is kept until the journal has it, though its execution ends before that.
func TestAnIncidentThatCouldNotBeginKeepsItsFacts(t *testing.T) {
	controllers(t, func(f *fleet) {
		f.services = append(f.services, func(s *failover.Service) {
			s.Prepare = func(context.Context, failover.Detection) (map[string]string, error) {
				return map[string]string{failover.FactTarget: "i-2"}, nil
			}
			plan := s.Plan
			s.Plan = func(in failover.Incident) (failover.Plan, error) {
				if in.Facts[failover.FactTarget] != "i-2" {
					f.Errorf("planned with %v", in.Facts)
				}
				return plan(in)
			}
		})
		f.startAll()
		time.Sleep(time.Minute)
		lease := f.holdLease("orders")
		f.patients["orders"].set(failover.Failed, zones...)
		f.until("it waits for the lease", func() bool { return f.leader().count(failover.KindStarted) == 1 })
		f.must(f.board.Pause(f.Context(), "ann", "wait"))
		time.Sleep(time.Minute)
		f.must(lease.Release(f.Context()))
		time.Sleep(time.Minute)
		if len(f.incidents()) > 0 {
			f.Errorf("it began in spite of the order: %+v", f.incidents())
		}
		f.must(f.board.Unpause(f.Context(), "ann", "go"))
		f.until("it is done", func() bool { return f.done("orders") })
		if in := f.incidents(); len(in) != 1 || in[0].Facts[failover.FactTarget] != "i-2" || in[0].Facts[failover.FactZone] != "use1-az9" || in[0].Detail != "" {
			f.Errorf("%+v", in)
		}
	})
}

// While a failover waits for the lease, the service recovers: nothing is done.
func TestAServiceThatIsWellAgainIsNotFailedOver(t *testing.T) {
	controllers(t, func(f *fleet) {
		f.startAll()
		time.Sleep(time.Minute)
		lease := f.holdLease("orders")
		f.patients["orders"].set(failover.Failed, zones...)
		f.until("it waits for the lease", func() bool { return f.leader().count(failover.KindStarted) == 1 })
		f.patients["orders"].set(failover.Healthy, zones...)
		f.until("it is dropped", func() bool { return f.leader().count(failover.KindDropped) == 1 })
		f.must(lease.Release(f.Context()))
		time.Sleep(time.Hour)
		if len(f.incidents()) > 0 || len(f.w.times("orders-fence")) > 0 {
			f.Errorf("%+v", f.incidents())
		}
	})
}

// The wait for the lease outlasts what was known: it is found out anew before anything is done.
func TestWhatWasPreparedBeforeALongWaitIsPreparedAgain(t *testing.T) {
	controllers(t, func(f *fleet) {
		var target atomic.Value
		target.Store("i-2")
		f.services = append(f.services, func(s *failover.Service) {
			s.Prepare = func(context.Context, failover.Detection) (map[string]string, error) {
				return map[string]string{failover.FactTarget: target.Load().(string)}, nil
			}
		})
		f.startAll()
		time.Sleep(time.Minute)
		lease := f.holdLease("orders")
		f.patients["orders"].set(failover.Failed, zones...)
		f.until("it waits for the lease", func() bool { return f.leader().count(failover.KindStarted) == 1 })
		target.Store("i-3")
		time.Sleep(5 * time.Minute)
		f.must(lease.Release(f.Context()))
		if took := f.until("it is done", func() bool { return f.done("orders") }); took > 20*time.Second {
			f.Errorf("it took %v", took)
		}
		if in := f.incidents()[0]; in.Facts[failover.FactTarget] != "i-3" {
			f.Errorf("%+v", in)
		}
		f.once("orders")
	})
}

// A vote that has expired says nothing, not even where it was.
func TestTheZoneIsNotThatOfAnOldVote(t *testing.T) {
	controllers(t, func(f *fleet) {
		f.startAll()
		time.Sleep(time.Minute)
		f.patients["orders"].look("use1-az7")
		f.patients["orders"].set(failover.Failed, zones[2])
		time.Sleep(30 * time.Second)
		f.kill(zones[2])
		delete(f.members, zones[2])
		f.patients["orders"].set(failover.Healthy, zones...)
		f.patients["orders"].look("")
		time.Sleep(time.Hour)
		f.patients["orders"].set(failover.Failed, zones...)
		f.until("it is done", func() bool { return f.done("orders") })
		if in := f.incidents()[0]; in.Facts[failover.FactZone] != "" {
			f.Errorf("%+v", in)
		}
	})
}

// What holds for an hour is decided on what is known then, not on what was known before.
func TestFactsAreNotAsOldAsTheHold(t *testing.T) {
	controllers(t, func(f *fleet) {
		f.startAll()
		time.Sleep(time.Minute)
		f.patients["orders"].set(failover.Failed, zones...)
		f.until("it is done", func() bool { return f.done("orders") })
		f.patients["orders"].set(failover.Healthy, zones...)
		time.Sleep(2 * time.Minute)
		f.patients["orders"].set(failover.Failed, zones...)
		time.Sleep(10 * time.Minute)
		f.patients["orders"].look("use1-az8")
		f.until("the cooldown is over", func() bool { return len(f.incidents()) == 2 })
		if in := f.incidents()[1]; in.Facts[failover.FactZone] != "use1-az8" {
			f.Errorf("%+v", in)
		}
	})
}

func TestOneAcknowledgementIsForOneGivingUp(t *testing.T) {
	controllers(t, func(f *fleet) {
		f.oneStep("orders", denied)
		f.startAll()
		time.Sleep(time.Minute)
		f.patients["orders"].set(failover.Failed, zones...)
		f.until("it is given up", func() bool { return f.leader().count(failover.KindGivenUp) == 1 })
		began := f.leader().count(failover.KindStarted)
		f.must(f.board.Acknowledge(f.Context(), "orders", f.incidents()[0].ID, "ann", "mended, I think"))
		time.Sleep(3 * time.Hour)
		if n, more := f.leader().count(failover.KindGivenUp), f.leader().count(failover.KindStarted)-began; n != 2 || more != began {
			f.Errorf("given up %d times, executed %d times, and %d times more", n, began, more)
		}
	})
}

func TestPausesBetweenResumesDoNotEnd(t *testing.T) {
	controllers(t, func(f *fleet) {
		f.oneStep("orders", denied)
		f.adjust = append(f.adjust, func(o *failover.ControllerOptions) { o.MaxResumes = 45 })
		f.startAll()
		time.Sleep(time.Minute)
		f.patients["orders"].set(failover.Failed, zones...)
		time.Sleep(2 * time.Hour)
		if n := f.leader().count(failover.KindStarted); n > 55 || n < 30 {
			f.Errorf("executed %d times in two hours", n)
		}
	})
}

// A share that is none holds.
func TestNobodyKnowsWhatSurvives(t *testing.T) {
	for _, share := range []float64{math.NaN(), -0.5, 1.5, math.Inf(1)} {
		t.Run(fmt.Sprint(share), func(t *testing.T) {
			controllers(t, func(f *fleet) {
				f.services = append(f.services, func(s *failover.Service) {
					s.Surviving = func(context.Context, map[string]string) (float64, error) { return share, nil }
				})
				f.startAll()
				time.Sleep(time.Minute)
				f.patients["orders"].set(failover.Failed, zones...)
				time.Sleep(5 * time.Minute)
				if held := f.leader().last(failover.KindHeld); len(f.incidents()) > 0 || !strings.Contains(held.Detail, "no share") {
					f.Errorf("%v, held: %q", f.incidents(), held.Detail)
				}
			})
		})
	}
}

// What was approved is a plan, and not whatever is made of the incident later.
func TestAnApprovalIsOfThePlanThatWasShown(t *testing.T) {
	controllers(t, func(f *fleet) {
		var blast atomic.Int64
		blast.Store(int64(failover.BlastRegion))
		f.oneStep("orders", func(s *failover.StepFuncs) { s.Blast = failover.Blast(blast.Load()) })
		f.startAll()
		time.Sleep(time.Minute)
		f.patients["orders"].set(failover.Failed, zones...)
		f.until("it is proposed", func() bool { return f.leader().count(failover.KindProposed) == 1 })
		proposals, err := f.board.Proposals(f.Context())
		f.must(err)
		first := proposals[0]
		if first.Blast != "region" || !slices.Equal(first.Steps, []string{"orders-move"}) || first.Plan == "" {
			f.Errorf("%+v", first)
		}
		blast.Store(int64(failover.BlastData)) // as the next version of the service plans
		time.Sleep(10 * time.Minute)
		f.must(f.board.Approve(f.Context(), "orders", first.Incident, "ann", "a Region is fine"))
		f.until("the new plan is proposed", func() bool { return f.leader().count(failover.KindProposed) == 2 })
		time.Sleep(10 * time.Minute)
		proposals, err = f.board.Proposals(f.Context())
		f.must(err)
		if len(f.incidents()) > 0 || len(proposals) != 1 || proposals[0].Blast != "data" || proposals[0].Incident == first.Incident {
			f.Fatalf("%v, %+v", f.incidents(), proposals)
		}
		if err := f.board.Approve(f.Context(), "orders", first.Incident, "ann", "again"); !errors.Is(err, failover.ErrNotProposed) {
			f.Errorf("%v", err)
		}
		f.must(f.board.Approve(f.Context(), "orders", proposals[0].Incident, "ann", "so be it"))
		f.until("it is done", func() bool { return f.done("orders") })
	})
}

// An open incident whose plan reaches further than when it was begun waits for a person.
func TestAResumedPlanThatReachesFurtherIsProposed(t *testing.T) {
	controllers(t, func(f *fleet) {
		var wider atomic.Bool
		f.plans["orders"] = func(failover.Incident) (failover.Plan, error) {
			all := []failover.StepFuncs{f.w.step("orders-fence", 10*time.Second)}
			if wider.Load() {
				lose := f.w.step("orders-lose", time.Second, "orders-fence")
				lose.Blast = failover.BlastData
				all = append(all, lose)
			}
			return failover.Plan{Service: "orders", Steps: steps(all...)}, nil
		}
		f.startAll()
		time.Sleep(time.Minute)
		f.patients["orders"].set(failover.Failed, zones...)
		f.until("it has begun", func() bool { return len(f.incidents()) == 1 })
		wider.Store(true)
		f.kill(zones[0])
		delete(f.members, zones[0])
		time.Sleep(5 * time.Minute)
		proposals, err := f.board.Proposals(f.Context())
		f.must(err)
		id := f.incidents()[0].ID
		if len(f.w.times("orders-lose")) > 0 || len(proposals) != 1 || proposals[0].Incident != id || proposals[0].Blast != "data" {
			f.Fatalf("%d effects, %+v", len(f.w.times("orders-lose")), proposals)
		}
		f.must(f.board.Approve(f.Context(), "orders", id, "ann", "so be it"))
		if took := f.until("it is done", func() bool { return f.done("orders") }); took > 20*time.Second {
			f.Errorf("it took %v", took)
		}
		f.until("the proposal is down", func() bool {
			proposals, err := f.board.Proposals(f.Context())
			f.must(err)
			return len(proposals) == 0
		})
	})
}

// The last proposal of a finished incident is left on the board by a leader that died: it is neither executed again nor in the way of the next.
func TestAProposalThatIsOverIsTakenDown(t *testing.T) {
	controllers(t, func(f *fleet) {
		f.oneStep("orders", func(s *failover.StepFuncs) { s.Blast = failover.BlastRegion })
		f.startAll()
		time.Sleep(time.Minute)
		f.patients["orders"].set(failover.Failed, zones...)
		f.until("it is proposed", func() bool { return f.leader().count(failover.KindProposed) == 1 })
		entries, err := f.store.List(f.Context(), "proposals")
		f.must(err)
		proposals, err := f.board.Proposals(f.Context())
		f.must(err)
		id := proposals[0].Incident
		f.must(f.board.Approve(f.Context(), "orders", id, "ann", "go"))
		f.until("it is done", func() bool { return f.done("orders") })
		f.kill(zones[0]) // before it has taken the proposal down:
		delete(f.members, zones[0])
		time.Sleep(time.Second)
		now, err := f.store.Get(f.Context(), "proposals", "orders")
		f.must(err)
		_, err = f.store.Put(f.Context(), "proposals", "orders", entries[0].Value, now.Version)
		f.must(err)
		f.must(f.board.Acknowledge(f.Context(), "orders", id, "ann", "it did not help: again"))
		f.until("another is proposed", func() bool {
			proposals, err := f.board.Proposals(f.Context())
			f.must(err)
			return len(proposals) == 1 && proposals[0].Incident != id
		})
		if n := f.leader().count(failover.KindStarted); n > 0 || len(f.w.times("orders-move")) != 1 {
			f.Errorf("%d executions", n)
		}
	})
}

// Incidents that are resumed count, and are resumed in the order in which they began.
func TestResumesAreNotMoreAtOnceThanAllowed(t *testing.T) {
	controllers(t, func(f *fleet) {
		var mu sync.Mutex
		running, most, failures := 0, 0, 0
		for _, name := range []string{"a", "b"} {
			f.oneStep(name, func(s *failover.StepFuncs) {
				do := s.Do
				s.Do = func(ctx context.Context, env *failover.Env) error {
					mu.Lock()
					running++
					most = max(most, running)
					failures++
					fails := failures == 1
					mu.Unlock()
					defer func() { mu.Lock(); running--; mu.Unlock() }()
					if fails {
						return failover.Permanent(errors.New("not yet"))
					}
					return errors.Join(do(ctx, env), sleep(ctx, time.Minute))
				}
			})
		}
		f.startAll()
		time.Sleep(time.Minute)
		f.patients["a"].set(failover.Failed, zones...)
		f.patients["b"].set(failover.Failed, zones...)
		f.until("both are done", func() bool { return f.done("a") && f.done("b") })
		if most != 1 {
			f.Errorf("%d at once", most)
		}
	}, "a", "b")
}

// Those that are suspect count as well: what falls first is not failed over before the others have fallen.
func TestTooMuchIsSeenBeforeAllHaveFailed(t *testing.T) {
	controllers(t, func(f *fleet) {
		f.services = append(f.services, func(s *failover.Service) {
			if s.Name == "a" {
				s.Quorum.Fall = 2
			}
		})
		f.startAll()
		time.Sleep(time.Minute)
		for _, p := range f.patients {
			p.set(failover.Failed, zones...)
		}
		time.Sleep(10 * time.Minute)
		if held := f.leader().last(failover.KindHeld); len(f.incidents()) > 0 || !strings.Contains(held.Detail, "suspect themselves") {
			f.Errorf("%v, held: %q", f.incidents(), held.Detail)
		}
	}, "a", "b", "c", "d")
}

func TestAcknowledgedIncidentsDoNotCountForTheBudget(t *testing.T) {
	controllers(t, func(f *fleet) {
		f.oneStep("orders", func(*failover.StepFuncs) {})
		f.startAll()
		time.Sleep(time.Minute)
		for i := range 5 {
			f.patients["orders"].set(failover.Failed, zones...)
			f.until("it begins", func() bool { return len(f.incidents()) == i+1 })
			f.patients["orders"].set(failover.Healthy, zones...)
			time.Sleep(2 * time.Minute)
			for _, in := range f.incidents() {
				f.must(f.board.Acknowledge(f.Context(), in.Service, in.ID, "ann", "understood"))
			}
		}
	})
}

// Clocks of those who have opened or closed an incident may be wrong by hours: what happened while this controller led was not hours ago.
func TestWrongClocksLiftNoCooldown(t *testing.T) {
	controllers(t, func(f *fleet) {
		f.startAll()
		time.Sleep(time.Minute)
		rewrite := func(shift time.Duration) {
			entries, err := f.store.List(f.Context(), "incidents")
			f.must(err)
			for _, e := range entries {
				var in map[string]any
				f.must(json.Unmarshal(e.Value, &in))
				for _, field := range []string{"opened", "closed"} {
					if text, ok := in[field].(string); ok {
						at, err := time.Parse(time.RFC3339Nano, text)
						f.must(err)
						in[field] = at.Add(shift)
					}
				}
				value, err := json.Marshal(in)
				f.must(err)
				_, err = f.store.Put(f.Context(), "incidents", e.Name, value, e.Version)
				f.must(err)
			}
		}
		f.patients["orders"].set(failover.Failed, zones...)
		f.until("it is done", func() bool { return f.done("orders") })
		rewrite(-3 * time.Hour)
		time.Sleep(50 * time.Minute)
		if n := len(f.incidents()); n != 1 {
			f.Errorf("%d incidents in the cooldown", n)
		}
		rewrite(30 * 24 * time.Hour) // and a clock that is a month ahead holds for no longer than the cooldown
		f.until("the next begins", func() bool { return len(f.incidents()) == 2 })
	})
}

func TestAnIncidentThatWasLeftLongAgoIsNotGoneOnWith(t *testing.T) {
	controllers(t, func(f *fleet) {
		f.startAll()
		time.Sleep(time.Minute)
		f.patients["orders"].set(failover.Failed, zones...)
		f.until("the first step is done", func() bool { return len(f.w.times("orders-fence")) == 1 })
		for _, z := range zones {
			f.kill(z)
		}
		f.members = make(map[string]*member)
		f.patients["orders"].set(failover.Healthy, zones...)
		time.Sleep(30 * 24 * time.Hour)
		f.startAll()
		time.Sleep(time.Hour)
		if s := f.leader().Status().Services[0]; len(f.w.times("orders-move")) > 0 || !s.GivenUp || f.leader().count(failover.KindGivenUp) != 1 {
			f.Errorf("%+v", s)
		}
		f.must(f.board.Acknowledge(f.Context(), "orders", f.incidents()[0].ID, "ann", "it may go on"))
		f.until("it is done", func() bool { return f.done("orders") })
	})
}

// All are unwell: the one that leads goes on, since none would be better.
func TestWhereNobodyIsFitTheLeaderLeadsOn(t *testing.T) {
	controllers(t, func(f *fleet) {
		var bad atomic.Bool
		f.adjust = append(f.adjust, func(o *failover.ControllerOptions) {
			o.SelfCheck = func(context.Context) error {
				if bad.Load() {
					return errors.New("no way out")
				}
				return nil
			}
		})
		f.startAll()
		time.Sleep(time.Minute)
		f.patients["orders"].set(failover.Failed, zones...)
		f.until("the first step is done", func() bool { return len(f.w.times("orders-fence")) == 1 })
		bad.Store(true)
		if took := f.until("it is done", func() bool { return f.done("orders") }); took > 30*time.Second {
			f.Errorf("it took %v", took)
		}
		time.Sleep(6 * time.Hour)
		n := 0
		for _, m := range f.members {
			n += m.count(failover.KindHandOver)
		}
		if n > 2 { // a ballot may be a moment old
			f.Errorf("%d hand-overs", n)
		}
	})
}

// One that led alone in a bad place gives the lead away when another comes that is better.
func TestALeaderInABadPlaceIsRelievedWhenItCanBe(t *testing.T) {
	controllers(t, func(f *fleet) {
		f.start(zones[0], func(o *failover.ControllerOptions) {
			o.SelfCheck = func(context.Context) error { return errors.New("no way out") }
		})
		time.Sleep(5 * time.Minute)
		if !f.members[zones[0]].Status().Leading {
			f.Error("nobody leads")
		}
		f.start(zones[1])
		f.until("another leads", func() bool { return f.members[zones[1]].Status().Leading })
		if n := f.members[zones[0]].count(failover.KindHandOver); n != 1 {
			f.Errorf("%d hand-overs", n)
		}
	})
}

// A leader that cannot read what a newer version has written leaves the lead to one that can, and votes on.
func TestALeaderThatDoesNotUnderstandLeavesTheLead(t *testing.T) {
	controllers(t, func(f *fleet) {
		f.startAll()
		time.Sleep(time.Minute)
		f.must(f.board.Acknowledge(f.Context(), "x", "y", "ann", "z"))
		entries, err := f.store.List(f.Context(), "orders")
		f.must(err)
		var o map[string]any
		f.must(json.Unmarshal(entries[0].Value, &o))
		o["v"] = 2
		newer, err := json.Marshal(o)
		f.must(err)
		v, err := f.store.Put(f.Context(), "orders", entries[0].Name, newer, entries[0].Version)
		f.must(err)
		f.patients["orders"].set(failover.Failed, zones...)
		time.Sleep(10 * time.Minute)
		for zone, m := range f.members {
			if n := m.count(failover.KindHandOver); n == 0 || n > 15 || len(f.incidents()) > 0 || m.Status().Services[0].Verdict != failover.Failed {
				f.Errorf("%s: %d hand-overs, %v, %v", zone, n, f.incidents(), m.Status().Services[0].Verdict)
			}
		}
		_, err = f.store.Put(f.Context(), "orders", entries[0].Name, entries[0].Value, v)
		f.must(err)
		f.until("it is done", func() bool { return f.done("orders") })
	})
}

// Whoever asks AWS for something that does not come does not hold up the kill switch.
func TestTheKillSwitchWaitsForNobody(t *testing.T) {
	names := make([]string, 12)
	for i := range names {
		names[i] = fmt.Sprintf("s%02d", i)
	}
	controllers(t, func(f *fleet) {
		f.adjust = append(f.adjust, func(o *failover.ControllerOptions) {
			o.Brakes.MaxFailedShare, o.Brakes.MaxPerHour, o.Brakes.MaxConcurrent = 1, 100, 100
		})
		f.plans["s00"] = func(failover.Incident) (failover.Plan, error) {
			return failover.Plan{Service: "s00", Steps: steps(f.w.step("s00-long", 10*time.Minute))}, nil
		}
		var calls atomic.Int64
		f.services = append(f.services, func(s *failover.Service) {
			if s.Name != "s00" {
				s.Prepare = func(ctx context.Context, _ failover.Detection) (map[string]string, error) {
					calls.Add(1)
					<-ctx.Done()
					return nil, ctx.Err()
				}
			}
		})
		f.startAll()
		time.Sleep(time.Minute)
		for _, p := range f.patients {
			p.set(failover.Failed, zones...)
		}
		f.until("s00 is under way", func() bool { return f.leader().count(failover.KindStepStarted) == 1 })
		time.Sleep(40 * time.Second)
		f.must(f.board.Pause(f.Context(), "ann", "stop"))
		if took := f.until("it has stopped", func() bool { return f.leader().count(failover.KindStopped) > 0 }); took > 3*time.Second {
			f.Errorf("it took %v", took)
		}
		if n := calls.Load(); n > 11*8 {
			f.Errorf("Prepare was called %d times", n)
		}
	}, names...)
}

// Reasons that come and go are told now and then, and who gives them is not asked all the time.
func TestNobodyIsPagedAllTheTime(t *testing.T) {
	controllers(t, func(f *fleet) {
		f.oneStep("orders", func(s *failover.StepFuncs) { s.Blast = failover.BlastRegion })
		var calls atomic.Int64
		f.services = append(f.services, func(s *failover.Service) {
			s.Surviving = func(context.Context, map[string]string) (float64, error) {
				switch calls.Add(1) % 3 {
				case 0:
					return 0, errors.New("throttled")
				case 1:
					return 0.1, nil
				}
				return 1, nil
			}
		})
		f.startAll()
		time.Sleep(time.Minute)
		f.patients["orders"].set(failover.Failed, zones...)
		time.Sleep(2 * time.Hour)
		m := f.leader()
		if p, h := m.count(failover.KindProposed), m.count(failover.KindHeld); p != 1 || h > 2 || calls.Load() > 10 {
			f.Errorf("proposed %d times, held %d times, asked %d times", p, h, calls.Load())
		}
	})
}

// Each failure is told, and what is told of one that is over is not shown any more. The board has it.
func TestWhatIsHeldIsToldAndWrittenDown(t *testing.T) {
	controllers(t, func(f *fleet) {
		f.services = append(f.services, func(s *failover.Service) {
			s.Prepare = func(context.Context, failover.Detection) (map[string]string, error) { return nil, errors.New("denied") }
		})
		f.startAll()
		time.Sleep(time.Minute)
		for i := range 3 {
			f.patients["orders"].set(failover.Failed, zones...)
			time.Sleep(5 * time.Minute)
			held, err := f.board.Held(f.Context())
			if err != nil || len(held) != 1 || !held[0].Ended.IsZero() || !strings.Contains(held[0].Why, "denied") || held[0].Service != "orders" {
				f.Errorf("%+v, %v", held, err)
			}
			f.patients["orders"].set(failover.Healthy, zones...)
			time.Sleep(time.Hour)
			held, err = f.board.Held(f.Context())
			if s := f.leader().Status().Services[0]; err != nil || s.Held != "" || held[0].Ended.IsZero() || f.leader().count(failover.KindHeld) != i+1 {
				f.Errorf("%+v, %+v, %v", s, held, err)
			}
		}
	})
}

// A leader that was given an incident by one that died has its count of resumes of its own, and each incident its own.
func TestEachIncidentHasItsOwnResumes(t *testing.T) {
	controllers(t, func(f *fleet) {
		var broken atomic.Bool
		broken.Store(true)
		f.oneStep("orders", func(s *failover.StepFuncs) {
			s.Do = func(context.Context, *failover.Env) error {
				if broken.Load() {
					return failover.Permanent(errors.New("denied"))
				}
				return nil
			}
		})
		f.adjust = append(f.adjust, func(o *failover.ControllerOptions) { o.MaxResumes = 4 })
		f.startAll()
		time.Sleep(time.Minute)
		f.patients["orders"].set(failover.Failed, zones...)
		f.until("it was resumed", func() bool { return f.leader().count(failover.KindEnded) == 4 })
		j, err := failover.NewJournal(f.store)
		f.must(err)
		p, err := f.plans["orders"](failover.Incident{})
		f.must(err)
		id := f.incidents()[0].ID
		if _, err := newEngine(f, storeLocker(f, f.store), j).Rollback(f.Context(), id, p); err != nil {
			f.Fatal(err)
		}
		f.must(f.board.Acknowledge(f.Context(), "orders", id, "ann", "again"))
		n := f.leader().count(failover.KindStarted)
		f.until("the next is given up", func() bool { return f.leader().count(failover.KindGivenUp) == 1 })
		if more := f.leader().count(failover.KindStarted) - n; more != 5 {
			f.Errorf("%d executions", more)
		}
	})
}

// slow is a store that takes its time.
type slow struct{ failover.Store }

func (s slow) Get(ctx context.Context, group, name string) (failover.Entry, error) {
	time.Sleep(5 * time.Millisecond)
	return s.Store.Get(ctx, group, name)
}

func (s slow) List(ctx context.Context, group string) ([]failover.Entry, error) {
	time.Sleep(5 * time.Millisecond)
	return s.Store.List(ctx, group)
}

func (s slow) Put(ctx context.Context, group, name string, value []byte, old failover.Version) (failover.Version, error) {
	time.Sleep(5 * time.Millisecond)
	return s.Store.Put(ctx, group, name, value, old)
}

// byHand leaves an incident of a person open.
func (f *fleet) byHand(do func(context.Context, *failover.Env) error) (again func() error) {
	f.Helper()
	j, err := failover.NewJournal(f.store)
	f.must(err)
	engine := newEngine(f, storeLocker(f, f.store), j)
	p := plan(failover.StepFuncs{ID: "x", Plane: failover.PlaneData, Do: do})
	again = func() error {
		_, err := engine.Execute(f.Context(), "by hand", p)
		return err
	}
	if again() == nil {
		f.Fatal("no error")
	}
	return again
}

// An order to abandon is carried out once, and does not count for what somebody opens again.
func TestAnOrderToAbandonIsCarriedOutOnce(t *testing.T) {
	controllers(t, func(f *fleet) {
		var works atomic.Bool
		again := f.byHand(func(context.Context, *failover.Env) error {
			if works.Load() {
				return nil
			}
			return failover.Permanent(errors.New("no"))
		})
		m := f.startOn(slow{f.store}, zones[0])
		time.Sleep(time.Minute)
		f.must(f.board.Abandon(f.Context(), "orders", "by hand", "bob", "is stuck"))
		time.Sleep(3 * time.Minute)
		orders, err := f.board.Orders(f.Context())
		if n := m.count(failover.KindStarted); n != 1 || f.incidents()[0].State != failover.IncidentAbandoned || len(orders) > 0 || err != nil {
			f.Errorf("%d times, %+v, %v, %v", n, f.incidents(), orders, err)
		}
		works.Store(true)
		f.must(again())
		time.Sleep(10 * time.Minute)
		if in := f.incidents()[0]; in.State != failover.IncidentDone {
			f.Errorf("%+v", in)
		}
	})
}

// What cannot be abandoned is tried again with pauses, and told now and then.
func TestWhatCannotBeAbandonedIsTriedWithPauses(t *testing.T) {
	controllers(t, func(f *fleet) {
		f.byHand(func(context.Context, *failover.Env) error { return failover.Permanent(errors.New("no")) })
		segments, err := f.store.List(f.Context(), "log/orders/by%20hand")
		f.must(err)
		var o map[string]any
		f.must(json.Unmarshal(segments[0].Value, &o))
		o["v"] = 2
		newer, err := json.Marshal(o)
		f.must(err)
		_, err = f.store.Put(f.Context(), "log/orders/by%20hand", segments[0].Name, newer, segments[0].Version)
		f.must(err)
		m := f.startOn(slow{f.store}, zones[0])
		time.Sleep(time.Minute)
		f.must(f.board.Abandon(f.Context(), "orders", "by hand", "bob", "is stuck"))
		time.Sleep(time.Hour)
		if n, told := m.count(failover.KindStarted), m.count(failover.KindStoreError); n < 10 || n > 35 || told < 1 || told > 5 {
			f.Errorf("tried %d times, told %d times (%v)", n, told, m.last(failover.KindStoreError).Err)
		}
	})
}

// What was done by the time somebody gives it up stays done.
func TestWhatIsDoneIsNotAbandoned(t *testing.T) {
	controllers(t, func(f *fleet) {
		var works atomic.Bool
		again := f.byHand(func(ctx context.Context, _ *failover.Env) error {
			if works.Load() {
				return sleep(ctx, 5*time.Minute)
			}
			return failover.Permanent(errors.New("no"))
		})
		f.startOn(slow{f.store}, zones[0])
		time.Sleep(time.Minute)
		works.Store(true)
		done := make(chan error, 1)
		go func() { done <- again() }()
		time.Sleep(30 * time.Second)
		f.must(f.board.Abandon(f.Context(), "orders", "by hand", "bob", "is stuck, I think"))
		f.must(<-done)
		time.Sleep(5 * time.Minute)
		orders, err := f.board.Orders(f.Context())
		if in := f.incidents()[0]; in.State != failover.IncidentDone || len(orders) > 0 || err != nil {
			f.Errorf("%+v, %v, %v", in, orders, err)
		}
	})
}

// Two controllers of one name would have one voice: that is told.
func TestTwoControllersOfOneNameAreTold(t *testing.T) {
	controllers(t, func(f *fleet) {
		first := f.start(zones[0])
		second := f.startOn(f.store, zones[1], func(o *failover.ControllerOptions) { o.Name = "c@" + zones[0] })
		time.Sleep(5 * time.Minute)
		if n := first.count(failover.KindStoreError) + second.count(failover.KindStoreError); n == 0 {
			f.Error("nobody has noticed")
		} else if err := cmpErr(first.last(failover.KindStoreError).Err, second.last(failover.KindStoreError).Err); !strings.Contains(err, "by this name") {
			f.Error(err)
		}
	})
}

func cmpErr(errs ...error) string { return fmt.Sprint(errors.Join(errs...)) }

func TestAbandonIsForOpenIncidents(t *testing.T) {
	t.Parallel()
	var j failover.MemoryJournal
	e := newEngine(t, newLocker(t), &j)
	if err := e.Abandon(t.Context(), "orders", "i", "x"); !errors.Is(err, failover.ErrNotOpen) {
		t.Error(err)
	}
	list, err := j.Incidents(t.Context())
	if err != nil || len(list) > 0 {
		t.Errorf("%v, %v", list, err)
	}
	done := failover.StepFuncs{ID: "x", Plane: failover.PlaneData, Do: func(context.Context, *failover.Env) error { return nil }}
	if _, err := e.Execute(t.Context(), "i", plan(done)); err != nil {
		t.Fatal(err)
	}
	if err := e.Abandon(t.Context(), "orders", "i", "x"); !errors.Is(err, failover.ErrNotOpen) || !strings.Contains(err.Error(), "it is done") {
		t.Error(err)
	}
}

// Confirm is asked under the lease, and before anything is recorded.
func TestAnExecutionThatIsNotConfirmedLeavesNothing(t *testing.T) {
	t.Parallel()
	var j failover.MemoryJournal
	e := newEngine(t, newLocker(t), &j)
	var states []failover.IncidentState
	no := errors.New("not any more")
	var answer error
	p := plan(failover.StepFuncs{ID: "x", Plane: failover.PlaneData, Do: func(context.Context, *failover.Env) error { return failover.Permanent(no) }})
	execute := func() error {
		_, err := e.Execute(t.Context(), "i", p, func(o *failover.ExecOptions) {
			o.Facts = map[string]string{"a": "b"}
			o.Confirm = func(_ context.Context, in failover.Incident) error {
				states = append(states, in.State)
				if in.State != "" && !maps.Equal(in.Facts, map[string]string{"a": "b"}) {
					t.Errorf("%+v", in)
				}
				return answer
			}
		})
		return err
	}
	answer = no
	if err := execute(); !errors.Is(err, no) {
		t.Error(err)
	}
	if list, err := j.Incidents(t.Context()); err != nil || len(list) > 0 {
		t.Errorf("%v, %v", list, err)
	}
	answer = nil
	for range 2 {
		if execute() == nil {
			t.Error("no error")
		}
	}
	if !slices.Equal(states, []failover.IncidentState{"", "", failover.IncidentOpen}) {
		t.Errorf("%q", states)
	}
}
