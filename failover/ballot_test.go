package failover_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/failover"
)

// TestManyServicesThatAllFailAreSeen has three controllers watch 500 services, whose observers have much to say when all of them fail at once: votes of
// any length fit into the store, which takes 64 KiB an entry.
func TestManyServicesThatAllFailAreSeen(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		services int
		evidence string
	}{
		"many services":  {500, "0 of 3 targets are healthy: " + strings.Repeat("<connection refused> ", 10)},
		"much evidence":  {3, strings.Repeat("\x00<é>\xff", 20_000)},
		"next to nobody": {1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var store failover.MemoryStore
				var down atomic.Bool
				var failed atomic.Int32
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				var running sync.WaitGroup
				defer running.Wait()
				defer cancel()
				var controllers []*failover.Controller
				for k := range 3 {
					zone := fmt.Sprintf("use1-az%d", k+1)
					var services []failover.Service
					for i := range c.services {
						services = append(services, failover.Service{
							Name: fmt.Sprintf("service-%03d", i), Quorum: failover.Quorum{Of: 3, Need: 2},
							Observers: []failover.Observer{failover.NewObserver("canary@"+zone, zone, func(context.Context) failover.Observation {
								if down.Load() {
									return failover.Observation{Verdict: failover.Failed, Evidence: c.evidence}
								}
								return failover.Observation{Verdict: failover.Healthy}
							})},
							Plan: func(failover.Incident) (failover.Plan, error) { return failover.Plan{}, errors.New("brakes hold") },
						})
					}
					board, err := failover.NewBoard(&store)
					if err != nil {
						t.Fatal(err)
					}
					locker, err := failover.NewLocker(&store)
					if err != nil {
						t.Fatal(err)
					}
					engine, err := failover.New(locker, new(failover.MemoryJournal))
					if err != nil {
						t.Fatal(err)
					}
					controller, err := failover.NewController(engine, board, services, func(o *failover.ControllerOptions) {
						o.Name, o.Zone = "controller/"+zone, zone
						o.OnEvent = func(_ context.Context, ev failover.Event) {
							if ev.Kind == failover.KindStoreError {
								failed.Add(1)
							}
						}
					})
					if err != nil {
						t.Fatal(err)
					}
					controllers = append(controllers, controller)
					running.Go(func() { _ = controller.Run(ctx) })
				}
				time.Sleep(time.Minute)
				down.Store(true)
				time.Sleep(time.Minute)
				for _, controller := range controllers {
					status := controller.Status()
					for _, s := range status.Services {
						if s.Verdict != failover.Failed || len(s.Votes) != 3 {
							t.Fatalf("%s: %s is %s by %d votes", status.Controller, s.Name, s.Verdict, len(s.Votes))
						}
						for _, v := range s.Votes {
							if len(v.Evidence) > 400 {
								t.Fatalf("%d bytes of evidence", len(v.Evidence))
							}
						}
					}
				}
				if n := failed.Load(); n > 0 {
					t.Errorf("%d store errors", n)
				}
			})
		})
	}
}

func TestMoreObserversThanFitAreRefused(t *testing.T) {
	t.Parallel()
	var observers []failover.Observer
	for i := range 100 {
		observers = append(observers, failover.NewObserver(fmt.Sprint(i), "z", func(context.Context) failover.Observation { return failover.Observation{} }))
	}
	_, err := failover.NewController(nil, nil, []failover.Service{{Name: "orders", Observers: observers}})
	if err == nil || !strings.Contains(err.Error(), "services[0].Observers: 100 observers: their votes do not fit") {
		t.Error(err)
	}
}

// TestAStoreThatIsSlowGathersRecords appends many records at once: they are written in several entries that the store takes.
func TestAStoreThatIsSlowGathersRecords(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := &leisurelyStore{}
		j, err := failover.NewJournal(slow)
		if err != nil {
			t.Fatal(err)
		}
		log, err := j.Open(t.Context(), "orders", "i", 1)
		if err != nil {
			t.Fatal(err)
		}
		const n = 500
		var all sync.WaitGroup
		for i := range n {
			all.Go(func() {
				r := record(failover.PhaseIntent, 1, strings.Repeat("x", 300))
				r.Step = fmt.Sprint(i)
				if err := log.Append(t.Context(), r); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		got, err := log.Replay(t.Context())
		if err != nil || len(got) != n {
			t.Errorf("%d records, %v", len(got), err)
		}
	})
}

// leisurelyStore takes its time.
type leisurelyStore struct{ failover.MemoryStore }

func (s *leisurelyStore) Put(ctx context.Context, group, name string, value []byte, old failover.Version) (failover.Version, error) {
	time.Sleep(50 * time.Millisecond)
	return s.MemoryStore.Put(ctx, group, name, value, old)
}

// TestAnErrorOfAnyLengthIsRecorded fails a step with a text that no entry would take.
func TestAnErrorOfAnyLengthIsRecorded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var store failover.MemoryStore
		j, err := failover.NewJournal(&store)
		if err != nil {
			t.Fatal(err)
		}
		a := step("a", 0)
		a.Do = func(context.Context, *failover.Env) error {
			return failover.Permanent(errors.New(strings.Repeat("<no> ", 50_000)))
		}
		_, err = newEngine(t, newLocker(t), j).Execute(t.Context(), "i", plan(a))
		if err == nil || strings.Contains(err.Error(), "record failed") {
			t.Errorf("%.200v", err)
		}
		log, err := j.Open(t.Context(), "orders", "i", 1<<60)
		if err != nil {
			t.Fatal(err)
		}
		got, err := log.Replay(t.Context())
		if err != nil || got[len(got)-1].Phase != failover.PhaseFailed || !strings.HasPrefix(got[len(got)-1].Detail, "do: <no>") {
			t.Errorf("%d records, %v", len(got), err)
		}
	})
}
