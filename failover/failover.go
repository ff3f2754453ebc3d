package failover

import (
	"context"
	"errors"
)

// Engine executes plans. It holds no state between executions and is safe for concurrent use.
//
// It is the executor alone. When to execute is decided by its caller: a person, a program, or a [Controller].
type Engine struct {
	locker  Locker
	journal Journal
	opts    Options
	limits  *limits
}

// New returns an engine that executes under leases of locker and remembers in journal. It does no I/O and starts nothing.
// It reports every mistake at once, each as a [*FieldError].
func New(locker Locker, journal Journal, optFns ...func(*Options)) (*Engine, error) {
	var opts Options
	for _, fn := range optFns {
		fn(&opts)
	}
	var errs []error
	if locker == nil {
		errs = append(errs, &FieldError{"locker", locker, "must not be nil"})
	}
	if journal == nil {
		errs = append(errs, &FieldError{"journal", journal, "must not be nil"})
	}
	if err := errors.Join(append(errs, opts.complete())...); err != nil {
		return nil, err
	}
	return &Engine{locker, journal, opts, &limits{of: opts.Limits}}, nil
}

// ExecOptions are the options of one execution.
type ExecOptions struct {
	// Timeline receives the events, so that a caller can read it while the plan runs or go on with one that has marks.
	// Nil makes a new one.
	Timeline *Timeline

	// Facts are what the plan was made from, such as what failed and what takes over. The first execution of an incident puts them into the
	// journal; [Env.Facts] and [Incident.Facts] have them from there, whatever a later execution gives.
	Facts map[string]string

	// Cause says why the incident was opened, for the journal: "zone use1-az1 failed", "drill of Monday".
	Cause string

	// Automatic tells the journal that no person has decided this: the brakes of controllers count it.
	Automatic bool

	// Confirm is asked once the lease is held and the journal read, before anything is recorded or done: the wait may have been long, and the world
	// another one since. in is what the journal knows; its State is empty if the incident is new. With an error nothing is begun, and the execution
	// ends with it. Nil confirms. Rollback and Abandon do not ask.
	Confirm func(ctx context.Context, in Incident) error

	// Holder and Dead are of the lease: see [LeaseOptions]. Holder is the incident if it is empty.
	Holder string
	Dead   func(ctx context.Context, holder LeaseHolder) bool

	leader Fence // of a controller: its lease of the lead
}

// Execute carries out plan for an incident, or what is left of it, and returns when nothing that it started runs any more.
//
// The incident's ID is the caller's, and should come from what happened rather than from chance: executing the same ID again,
// by this engine or another one with the same locker and journal, resumes. Steps that the journal has as done are skipped;
// a step that may have begun is checked before anything is repeated. An incident that was abandoned is opened again; one that
// was rolled back is refused with [ErrRolledBack], and one that was begun by a plan with other steps with a [*PlanChangedError].
//
// It waits for the lease of the plan's service, opens the journal, and starts each step the moment everything that it needs
// is done. A step that fails stops the steps that need it and no others: what does not depend on it is service that can still
// be restored. Cancellation, a spent budget or a lost lease stop everything: no effect begins after that, running
// steps are cancelled and waited for.
//
// The timeline is never nil. The error is nil once every step is done and that is in the journal, and otherwise a [*PlanError], a
// [*FieldError] or an [*ExecuteError], which matches [ErrLeaseLost], [ErrFenced], [ErrBudgetSpent] or the cause of ctx if that is
// what stopped it.
func (e *Engine) Execute(ctx context.Context, incident string, plan Plan, optFns ...func(*ExecOptions)) (*Timeline, error) {
	return e.carry(ctx, incident, plan, optFns, false)
}

// Rollback takes back what an incident has done, and returns when nothing that it started runs any more. Steps are undone in the reverse
// of the order that their needs demand, those that nothing orders at the same time. Steps that never began are left alone, and so are those
// that found their effect there. Final steps are not undone: they have cleaned up.
//
// What is irreversible stays, and so does everything that it needs: to start a fenced primary again under a promoted replica would be worse than
// either. The error is a [*KeptError] then, and the incident rolled back all the same. Otherwise the rules are those of Execute:
// rolling back the same ID again resumes; from the first rollback on, Execute refuses the incident.
func (e *Engine) Rollback(ctx context.Context, incident string, plan Plan, optFns ...func(*ExecOptions)) (*Timeline, error) {
	return e.carry(ctx, incident, plan, optFns, true)
}

// Abandon gives an open incident up: what is done stays, what is not is left, and it blocks nothing any more. It waits for the lease of the service, so that
// nobody executes the incident meanwhile. Executing it opens it again. One that was abandoned before is no error; one that is not known, done or rolled
// back by then is left as it is, with [ErrNotOpen]. Holder and Dead of the options are of the lease; the others do not count.
func (e *Engine) Abandon(ctx context.Context, service, incident, why string, optFns ...func(*ExecOptions)) error {
	var opts ExecOptions
	for _, fn := range optFns {
		fn(&opts)
	}
	var errs []error
	for _, f := range []FieldError{{"service", service, ""}, {"incident", incident, ""}} {
		if f.Value == "" {
			errs = append(errs, &FieldError{f.Field, f.Value, "must not be empty"})
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	x := &execution{
		Engine: e, incident: incident, service: service, graph: new(graph), timeline: new(Timeline), how: opts, abandon: true, why: why,
	}
	return x.run(ctx)
}

func (e *Engine) carry(ctx context.Context, incident string, plan Plan, optFns []func(*ExecOptions), back bool) (*Timeline, error) {
	var opts ExecOptions
	for _, fn := range optFns {
		fn(&opts)
	}
	if opts.Timeline == nil {
		opts.Timeline = new(Timeline)
	}
	g, err := compile(plan)
	if incident == "" {
		err = errors.Join(&FieldError{"incident", incident, "must not be empty"}, err)
	}
	if err != nil {
		return opts.Timeline, err
	}
	x := &execution{
		Engine:   e,
		incident: incident,
		service:  plan.Service,
		budget:   plan.Budget,
		graph:    g,
		back:     back,
		timeline: opts.Timeline,
		how:      opts,
	}
	return x.timeline, x.run(ctx)
}
