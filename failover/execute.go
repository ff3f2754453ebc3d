package failover

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// cleanupTimeout bounds what has to be written after the work was cancelled: the outcome of an effect, the lease's release.
const cleanupTimeout = 5 * time.Second

// execution is one call of Execute or Rollback.
type execution struct {
	*Engine
	incident string
	service  string
	budget   time.Duration
	graph    *graph
	back     bool // a rollback
	abandon  bool // only that, for why
	why      string
	timeline *Timeline
	how      ExecOptions

	lease  Lease
	log    Log
	cancel context.CancelCauseFunc // stops the work

	flights *flights
	known   memory // from before this execution
}

func (x *execution) run(ctx context.Context) (err error) {
	started := time.Now()
	x.emit(ctx, Event{Kind: KindStarted})
	defer func() { x.emit(ctx, Event{Kind: KindEnded, Took: time.Since(started), Err: err}) }()

	work, cancel := context.WithCancelCause(ctx)
	x.cancel = cancel
	x.flights = &flights{ctx: work}
	defer x.flights.running.Wait()
	defer cancel(nil)
	if x.budget > 0 {
		var stop context.CancelFunc
		work, stop = context.WithTimeoutCause(work, x.budget, fmt.Errorf("%w after %s", ErrBudgetSpent, x.budget))
		defer stop()
	}

	holder := LeaseOptions{Holder: x.how.Holder, Dead: x.how.Dead}
	if holder.Holder == "" {
		holder.Holder = x.incident
	}
	if x.lease, err = x.locker.Acquire(work, x.service, holder); err != nil {
		return x.refuse(work, fmt.Errorf("acquire lease: %w", err))
	}
	defer x.release(ctx)
	defer context.AfterFunc(x.lease.Context(), func() { cancel(context.Cause(x.lease.Context())) })()
	x.emit(ctx, Event{Kind: KindLeased, Took: time.Since(started), Detail: fmt.Sprintf("token %d", x.lease.Token())})

	if err := x.open(work); err != nil {
		return x.refuse(work, err)
	}
	switch {
	case x.abandon:
		return x.giveUp(work)
	case x.back:
		return x.rollBack(work)
	}
	return x.goOn(work)
}

// giveUp abandons the incident, if there is anything to give up.
func (x *execution) giveUp(ctx context.Context) error {
	switch in := x.known.incident; in.State {
	case IncidentOpen, IncidentRollingBack, IncidentAbandoned:
		return x.close(ctx, IncidentAbandoned, x.why)
	case "":
		return x.refuse(ctx, fmt.Errorf("%w: it is not in the journal", ErrNotOpen))
	default:
		if err := x.close(ctx, in.State, in.Detail); err != nil {
			return x.refuse(ctx, err)
		}
		return x.refuse(ctx, fmt.Errorf("%w: it is %s", ErrNotOpen, in.State))
	}
}

// open opens the journal, learns what is known, and records that the incident begins.
func (x *execution) open(ctx context.Context) error {
	if err := x.insist(ctx, x.replay); err != nil {
		return err
	}
	if x.abandon {
		return nil
	}
	if err := x.graph.knows(x.known.steps); err != nil {
		return err
	}
	if x.how.Confirm != nil && !x.back {
		if err := guard(func() error { return x.how.Confirm(ctx, x.known.incident.clone()) }); err != nil {
			return err
		}
	}
	switch state := x.known.incident.State; {
	case x.back && (state == "" || state == IncidentDone || state == IncidentOpen || state == IncidentAbandoned):
		return x.recordWhole(ctx, Record{Phase: PhaseRollback})
	case x.back:
		return nil
	case state == IncidentRollingBack || state == IncidentRolledBack:
		return fmt.Errorf("%w: it is %s", ErrRolledBack, state)
	case state == "" || state == IncidentAbandoned:
		return x.recordWhole(ctx, Record{Phase: PhaseOpened, Outputs: x.how.Facts, Detail: x.how.Cause, Automatic: x.how.Automatic})
	default:
		return nil
	}
}

func (x *execution) replay(ctx context.Context) (err error) {
	if x.log, err = x.journal.Open(ctx, x.service, x.incident, x.lease.Token()); err != nil {
		return fmt.Errorf("open journal: %w", err)
	}
	records, err := x.log.Replay(ctx)
	if err != nil {
		return fmt.Errorf("replay journal: %w", err)
	}
	if x.known, err = remember(x.service, x.incident, records); err != nil {
		return Permanent(fmt.Errorf("replay journal: %w", err))
	}
	return nil
}

// recordWhole records something of the whole incident.
func (x *execution) recordWhole(ctx context.Context, r Record) error {
	r.Version, r.Service, r.Incident = RecordVersion, x.service, x.incident
	r.Token, r.Time = x.lease.Token(), time.Now().UTC()
	return x.insist(ctx, func(ctx context.Context) error {
		if err := x.log.Append(ctx, r); err != nil {
			return fmt.Errorf("record %s: %w", r.Phase, err)
		}
		x.known.incident.take(r)
		return nil
	})
}

// insist repeats what the journal is asked for, for as long as a step may take.
func (x *execution) insist(ctx context.Context, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, x.opts.StepTimeout)
	defer cancel()
	for pauses := x.opts.retries(nil); ; {
		err := try(ctx)
		if err == nil || isPermanent(err) || sleep(ctx, pauses.NextBackOff()) != nil {
			return err
		}
	}
}

// close records how the incident ended, also if that is recorded already: whoever did may not have come to the end of it. What has been
// done is done, whatever became of ctx.
func (x *execution) close(ctx context.Context, state IncidentState, detail string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	return x.recordWhole(ctx, Record{Phase: PhaseClosed, State: state, Detail: detail})
}

// refuse ends an execution before its first step.
func (x *execution) refuse(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) {
		err = fmt.Errorf("%w: %w", err, cause) // a store may say no more than "canceled"
	}
	e := &ExecuteError{Incident: x.incident, Service: x.service, Cause: err}
	for i := range x.graph.nodes {
		e.NotRun = append(e.NotRun, x.graph.nodes[i].id)
	}
	return e
}

// release gives the lease back. That it could not is no failure of the failover: the lease runs out by itself.
func (x *execution) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	if err := x.lease.Release(ctx); err != nil {
		x.emit(ctx, Event{Kind: KindReleaseError, Err: err})
	}
}

// goOn runs the steps that are not done.
func (x *execution) goOn(ctx context.Context) error {
	nodes := x.graph.nodes
	outputs := make([]map[string]string, len(nodes))
	again := x.again()
	began, failed := x.schedule(ctx, func(n *node) (before, after []int) { return n.needs, n.feeds }, work{
		skip: func(i int) bool {
			r := x.known.steps[nodes[i].id].settled
			if r == nil || again[i] {
				return false
			}
			x.emit(ctx, Event{
				Kind: KindStepSkipped, Step: r.Step, Attempt: r.Attempt,
				Detail: fmt.Sprintf("journal: %s under token %d at %s", r.Phase, r.Token, r.Time.Format(time.RFC3339)),
			})
			outputs[i] = r.Outputs
			return true
		},
		start: func(i int) (*stepRun, func(context.Context) *StepError) {
			inputs := make(map[string]map[string]string, len(nodes[i].needs))
			for _, need := range nodes[i].needs {
				inputs[nodes[need].id] = maps.Clone(outputs[need])
			}
			s := x.stepRun(i, inputs)
			return s, s.run
		},
		ended: func(r result) { outputs[r.node] = r.outputs },
		final: func(i int) bool { return nodes[i].final },
	})
	err := x.verdict(ctx, began, failed)
	if err == nil {
		if cerr := x.close(ctx, IncidentDone, ""); cerr != nil {
			return x.ended(ctx, cerr)
		}
	}
	return err
}

// again tells which steps the journal has as done and are to be looked at once more: final steps that ran after something before them had failed, and
// what those need and may have taken back. It is over once a final step has run after all that is before it.
func (x *execution) again() []bool {
	nodes := x.graph.nodes
	again := make([]bool, len(nodes))
	newest := make([]int, len(nodes)) // the last record that settled the step or one before it
	for _, i := range x.graph.order {
		n := &nodes[i]
		h := x.known.steps[n.id]
		before := -1
		for _, need := range n.needs {
			before = max(before, newest[need])
		}
		newest[i] = math.MaxInt
		if h.settled == nil {
			continue
		}
		if newest[i] = max(before, h.at); !n.final || before <= h.at {
			continue
		}
		again[i] = true
		for _, need := range n.needs {
			k := x.known.steps[nodes[need].id]
			again[need] = again[need] || k.settled != nil && k.at < h.at && !blind(nodes[need].step)
		}
	}
	return again
}

// result is how a step ended.
type result struct {
	node    int
	outputs map[string]string
	err     *StepError
	kept    string // of a rollback: why the effect stays
}

// work is what a schedule does with the steps. Its functions are called by one goroutine, but for the one that start returns.
type work struct {
	skip  func(i int) bool // nothing is to do
	start func(i int) (*stepRun, func(context.Context) *StepError)
	ended func(result)
	final func(i int) bool // runs also when something before it failed, as long as something before it began
}

// schedule runs each step the moment all before it have ended well. It alone knows which have ended, so that it needs no lock.
func (x *execution) schedule(ctx context.Context, order func(*node) (before, after []int), w work) (began []bool, failed []*StepError) {
	nodes := x.graph.nodes
	began, failed = make([]bool, len(nodes)), make([]*StepError, len(nodes))
	var (
		waits   = make([]int, len(nodes))  // what is before it and has not ended
		blocked = make([]bool, len(nodes)) // something before it has not ended well
		touched = make([]bool, len(nodes)) // something before it began
		ready   []int
		running int
		results = make(chan result)
		stopped = ctx.Done()
	)
	var end func(i int, well bool)
	end = func(i int, well bool) {
		_, after := order(&nodes[i])
		for _, next := range after {
			blocked[next] = blocked[next] || !well
			touched[next] = touched[next] || began[i]
			if waits[next]--; waits[next] > 0 {
				continue
			}
			if !blocked[next] || w.final(next) && touched[next] {
				ready = append(ready, next)
			} else {
				end(next, false)
			}
		}
	}
	for i := range nodes {
		before, _ := order(&nodes[i])
		if waits[i] = len(before); waits[i] == 0 {
			ready = append(ready, i)
		}
	}
	for {
		for len(ready) > 0 && ctx.Err() == nil {
			i := ready[0]
			ready = ready[1:]
			began[i] = true
			if w.skip(i) {
				end(i, true)
				continue
			}
			running++
			s, run := w.start(i)
			go s.report(ctx, i, run, results)
		}
		if running == 0 {
			break
		}
		select {
		case r := <-results:
			running--
			failed[r.node] = r.err
			w.ended(r)
			end(r.node, r.err == nil)
		case <-stopped:
			x.emit(ctx, Event{Kind: KindStopped, Err: context.Cause(ctx)})
			stopped = nil // told once
		}
	}
	if stopped != nil && ctx.Err() != nil {
		x.emit(ctx, Event{Kind: KindStopped, Err: context.Cause(ctx)})
	}
	return began, failed
}

// verdict is what Execute returns once no step runs any more.
func (x *execution) verdict(ctx context.Context, began []bool, failed []*StepError) error {
	e := &ExecuteError{Incident: x.incident, Service: x.service}
	for i := range x.graph.nodes {
		switch id := x.graph.nodes[i].id; {
		case failed[i] != nil:
			e.Steps = append(e.Steps, failed[i])
		case !began[i]:
			e.NotRun = append(e.NotRun, id)
			x.emit(ctx, Event{Kind: KindStepNotRun, Step: id})
		}
	}
	if len(e.Steps) == 0 && len(e.NotRun) == 0 {
		return nil
	}
	e.Cause = context.Cause(ctx)
	return e
}

// ended is for an execution whose steps have ended, and whose end could not be recorded.
func (x *execution) ended(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) {
		err = fmt.Errorf("%w: %w", err, cause)
	}
	return &ExecuteError{Incident: x.incident, Service: x.service, Cause: err}
}

// stepRun is the state of a step as far as the journal has it.
func (x *execution) stepRun(i int, inputs map[string]map[string]string) *stepRun {
	n := &x.graph.nodes[i]
	h := x.known.steps[n.id]
	s := &stepRun{
		execution: x, node: n, inputs: inputs, known: h, attempt: h.attempt, outputs: maps.Clone(h.outputs),
		logger: x.opts.Logger.With("incident", x.incident, "step", n.id),
	}
	if h.doubt {
		s.doubtSince = time.Now()
	}
	return s
}

// report runs a step and always sends a result: also when the step ends the goroutine by runtime.Goexit.
func (s *stepRun) report(ctx context.Context, i int, run func(context.Context) *StepError, results chan<- result) {
	var err *StepError
	ended := false
	defer func() {
		if !ended {
			err = s.failure(errors.New("the step ended its goroutine"), nil)
			s.tell(ctx, Event{Kind: KindStepFailed, Err: err})
		}
		results <- result{node: i, outputs: s.outputs, err: err, kept: s.kept}
	}()
	err = run(ctx)
	ended = true
}

// knows refuses a journal that tells of steps which the plan does not have: what became of them could not be settled.
func (g *graph) knows(steps map[string]history) error {
	missing := make(map[string]bool, len(steps))
	for id := range steps {
		missing[id] = true
	}
	for i := range g.nodes {
		delete(missing, g.nodes[i].id)
	}
	if len(missing) == 0 {
		return nil
	}
	return &PlanChangedError{slices.Sorted(maps.Keys(missing))}
}

// PlanChangedError reports that the journal of an incident has steps that the plan does not have: it was begun by another plan. Nothing was done.
type PlanChangedError struct {
	Steps []string // in the journal, and not in the plan
}

func (e *PlanChangedError) Error() string {
	return "the incident was begun by a plan with other steps: " + strings.Join(e.Steps, ", ")
}

// emit tells the timeline, the logger and the caller's hook, in this order.
func (x *execution) emit(ctx context.Context, ev Event) {
	ev.Time = time.Now()
	ev.Incident, ev.Service = x.incident, x.service
	x.timeline.add(ev)
	x.opts.tell(ctx, ev)
}

// tell gives an event to the logger and to the caller's hook.
func (o *Options) tell(ctx context.Context, ev Event) {
	level := slog.LevelInfo
	if ev.Err != nil {
		level = slog.LevelWarn
	}
	if o.Logger.Enabled(ctx, level) {
		o.Logger.LogAttrs(ctx, level, "failover: "+string(ev.Kind), ev.attrs()...)
	}
	if o.OnEvent == nil {
		return
	}
	defer func() {
		if v := recover(); v != nil {
			o.Logger.ErrorContext(ctx, "failover: OnEvent panicked", "panic", v, "stack", string(debug.Stack()))
		}
	}()
	o.OnEvent(ctx, ev)
}
