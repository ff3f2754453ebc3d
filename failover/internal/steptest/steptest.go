// Package steptest tries the ready-made steps on awstest: a controller that dies at each of its calls, reads that are behind, and every error code
// that AWS documents. It is for tests alone.
package steptest

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/failover"
)

// World is a cloud, and two machines in it on which controllers run.
type World struct {
	*testing.T

	Cloud   *awstest.Cloud
	Admin   aws.Config // of whoever prepares and verifies
	Journal *failover.StoreJournal

	// Engine is how the engines are made. Nil is as by default.
	Engine func(*failover.Options)

	store    failover.MemoryStore
	machines [2]*awstest.Instance
}

// Region is where all of it is.
const Region = "us-east-1"

// Run runs a test in a bubble, on a new cloud, which is closed without problems in the end.
func Run(t *testing.T, services func() []awstest.Service, test func(*World)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cloud, err := awstest.New(services())
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := cloud.Close(); err != nil {
				t.Error(err)
			}
		}()
		w := &World{T: t, Cloud: cloud, Admin: cloud.Config(Region)}
		if w.Journal, err = failover.NewJournal(&w.store); err != nil {
			t.Fatal(err)
		}
		for i, zone := range []string{"use1-az4", "use1-az6"} {
			z, err := cloud.Zone(zone)
			if err != nil {
				t.Fatal(err)
			}
			cloud.Update(func(tx *awstest.Tx) {
				w.machines[i] = tx.NewInstance(awstest.InstanceSpec{ID: tx.NewID("i"), Zone: z})
				tx.Route(z.Region(), netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)}), w.machines[i])
				tx.PowerOn(w.machines[i])
			})
		}
		test(w)
	})
}

// Config is that of the first controller.
func (w *World) Config() aws.Config { return w.machines[0].Config() }

// remote is the store as a machine reaches it: not at all once it is off.
type remote struct {
	failover.Store
	machine *awstest.Instance
}

func (r remote) alive() error {
	if !r.machine.Running() {
		return awstest.ErrHalted
	}
	return nil
}

func (r remote) Get(ctx context.Context, group, name string) (failover.Entry, error) {
	if err := r.alive(); err != nil {
		return failover.Entry{}, err
	}
	return r.Store.Get(ctx, group, name)
}

func (r remote) List(ctx context.Context, group string) ([]failover.Entry, error) {
	if err := r.alive(); err != nil {
		return nil, err
	}
	return r.Store.List(ctx, group)
}

func (r remote) Put(ctx context.Context, group, name string, value []byte, old failover.Version) (failover.Version, error) {
	if err := r.alive(); err != nil {
		return "", err
	}
	return r.Store.Put(ctx, group, name, value, old)
}

func (w *World) engine(m *awstest.Instance, optFns []func(*failover.Options)) *failover.Engine {
	w.Helper()
	store := remote{&w.store, m}
	locker, err := failover.NewLocker(store)
	if err != nil {
		w.Fatal(err)
	}
	journal, err := failover.NewJournal(store)
	if err != nil {
		w.Fatal(err)
	}
	if w.Engine != nil {
		optFns = append([]func(*failover.Options){w.Engine}, optFns...)
	}
	engine, err := failover.New(locker, journal, optFns...)
	if err != nil {
		w.Fatal(err)
	}
	return engine
}

// Incident is the one that is executed.
const Incident = "incident"

// Plan makes a plan whose clients are of cfg.
type Plan func(w *World, cfg aws.Config) failover.Plan

// Execute carries a plan out on the first machine.
func (w *World) Execute(plan Plan, optFns ...func(*failover.Options)) (*failover.Timeline, error) {
	w.Helper()
	return w.executeOn(0, plan, optFns...)
}

func (w *World) executeOn(i int, plan Plan, optFns ...func(*failover.Options)) (*failover.Timeline, error) {
	w.Helper()
	m := w.machines[i]
	ctx, end := m.Program(w.Context())
	defer end()
	return w.engine(m, optFns).Execute(ctx, Incident, plan(w, m.Config()))
}

// RollBack takes the plan back, on the first machine.
func (w *World) RollBack(plan Plan, optFns ...func(*failover.Options)) error {
	w.Helper()
	m := w.machines[0]
	ctx, end := m.Program(w.Context())
	defer end()
	_, err := w.engine(m, optFns).Rollback(ctx, Incident, plan(w, m.Config()))
	return err
}

// Ready asks the plan whether it would work, with facts.
func (w *World) Ready(plan Plan, facts map[string]string) *failover.Readiness {
	w.Helper()
	r, err := w.engine(w.machines[0], nil).Readiness(w.Context(), plan(w, w.Config()), facts)
	if err != nil {
		w.Fatal(err)
	}
	return r
}

// Inject puts a fault in for calls of the first machine.
func (w *World) Inject(m awstest.Match, e awstest.Effect) (heal func()) {
	w.Helper()
	m.Caller = w.machines[0].ID()
	heal, err := w.Cloud.Inject(m, e)
	if err != nil {
		w.Fatal(err)
	}
	return heal
}

// Calls counts the calls of an operation that controllers have made, and those that were applied.
func (w *World) Calls(operation string) (made, applied int) {
	for _, m := range w.machines {
		for _, c := range w.Cloud.Calls(awstest.Match{Caller: m.ID()}) {
			if c.Operation != operation {
				continue
			}
			made++
			if c.Applied {
				applied++
			}
		}
	}
	return made, applied
}

// Scenario is a plan in a world of its own, and what must have come of it.
type Scenario struct {
	Services func() []awstest.Service
	Prepare  func(*World)
	Plan     Plan
	Verify   func(*World)

	// RollBack tries a rollback in place of the plan, after the plan has been executed.
	RollBack bool
}

// Scenarios makes a scenario for each run: they run at the same time.
type Scenarios func() Scenario

// KilledAtEachCall kills the controller at each of its calls, before it and after it was applied, and lets another one go on: Verify must hold.
// There must be at least so many points.
func (fresh Scenarios) KilledAtEachCall(t *testing.T, points int) {
	t.Helper()
	for name, after := range map[string]bool{"before the call": false, "after it, before the reply": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := 1
			for ; fresh().killedAt(t, n, after); n++ {
				if t.Failed() {
					t.Fatalf("killed at call %d", n)
				}
			}
			if n-1 < points {
				t.Errorf("only %d points", n-1)
			}
			t.Logf("%d points", n-1)
		})
	}
}

func (s Scenario) killedAt(t *testing.T, n int, after bool) (reached bool) {
	Run(t, s.Services, func(w *World) {
		s.Prepare(w)
		if s.RollBack {
			if _, err := w.Execute(s.Plan); err != nil {
				w.Fatal(err)
			}
		}
		m := w.machines[0]
		effect := awstest.Before(func(ctx context.Context, _ awstest.Record) {
			m.Fail(awstest.PowerLoss)
			<-ctx.Done() // so that the call does not get any further
		})
		if after {
			effect = awstest.After(func(context.Context, awstest.Record) { m.Fail(awstest.PowerLoss) })
		}
		w.Inject(awstest.Match{Skip: n - 1, Times: 1}, effect)
		run := func(i int) error {
			if s.RollBack {
				ctx, end := w.machines[i].Program(w.Context())
				defer end()
				_, err := w.engine(w.machines[i], nil).Rollback(ctx, Incident, s.Plan(w, w.machines[i].Config()))
				return err
			}
			_, err := w.executeOn(i, s.Plan)
			return err
		}
		err := run(0)
		reached = !m.Running()
		if err != nil && !errors.Is(err, awstest.ErrHalted) {
			w.Errorf("killed: %v, error: %v", reached, err)
		}
		if err := run(1); err != nil {
			w.Error(err)
		}
		time.Sleep(time.Minute)
		s.Verify(w)
	})
	return reached
}

// Stale executes the plan while reads are half a minute behind, with an engine that knows it and with one that does not: Verify must hold.
func (fresh Scenarios) Stale(t *testing.T) {
	t.Helper()
	for _, lag := range []time.Duration{30 * time.Second, 2 * time.Second} {
		t.Run(fmt.Sprintf("the engine expects %s", lag), func(t *testing.T) {
			t.Parallel()
			s := fresh()
			Run(t, s.Services, func(w *World) {
				s.Prepare(w)
				time.Sleep(time.Minute)
				w.Inject(awstest.Match{}, awstest.Stale(30*time.Second))
				engine := func(o *failover.Options) { o.ReadLag = lag }
				if _, err := w.Execute(s.Plan, engine); err != nil {
					w.Error(err)
				}
				if s.RollBack {
					if err := w.RollBack(s.Plan, engine); err != nil {
						w.Error(err)
					}
				}
				time.Sleep(time.Minute)
				s.Verify(w)
			})
		})
	}
}

// Outcome is what a step makes of an error.
type Outcome int

// The outcomes.
const (
	Retried   Outcome = iota + 1 // the plan ends well once the fault is gone
	Permanent                    // the step fails at once
	Success                      // the error says that the effect is there: the call is not made again
)

// Code is an error that AWS may answer with.
type Code struct {
	Code, Message string
	Status        int // zero is 400
	Want          Outcome

	// Before runs before the error is answered: for codes that tell of what somebody else has done.
	Before func(*World)
}

// Codes executes the plan once for each error, answered to the first two calls of an operation.
func (fresh Scenarios) Codes(t *testing.T, service, operation string, codes []Code) {
	t.Helper()
	for _, c := range codes {
		t.Run(operation+" "+c.Code+" "+c.Message, func(t *testing.T) {
			t.Parallel()
			s := fresh()
			Run(t, s.Services, func(w *World) {
				s.Prepare(w)
				if c.Before != nil {
					w.Inject(awstest.Match{Service: service, Operation: operation, Times: 1}, awstest.Before(func(context.Context, awstest.Record) { c.Before(w) }))
				}
				w.Inject(awstest.Match{Service: service, Operation: operation, Times: 2}, awstest.Reject(awstest.APIError{Code: c.Code, Message: c.Message, Status: c.Status}))
				_, err := w.Execute(s.Plan)
				made, applied := w.Calls(operation)
				switch c.Want {
				case Retried:
					if err != nil || made < 3 || applied != 1 {
						w.Errorf("%d calls, %d applied: %v", made, applied, err)
					} else {
						s.Verify(w)
					}
				case Permanent:
					if err == nil || made != 1 {
						w.Errorf("%d calls, error %v", made, err)
					}
				case Success:
					if err != nil || made != 1 || applied != 0 {
						w.Errorf("%d calls, %d applied: %v", made, applied, err)
					}
				}
			})
		})
	}
}
