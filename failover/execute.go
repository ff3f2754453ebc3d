package failover

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"time"
)

// cleanupTimeout bounds what has to be written after the work was cancelled: the outcome of an effect, the lease's release.
const cleanupTimeout = 5 * time.Second

// execution is one call of Execute.
type execution struct {
	*Engine
	incident string
	service  string
	budget   time.Duration
	graph    *graph
	timeline *Timeline

	lease  Lease
	log    Log
	cancel context.CancelCauseFunc // stops the work
	known  map[string]history      // by step ID, from before this execution
}

func (x *execution) run(ctx context.Context) (err error) {
	started := time.Now()
	x.emit(ctx, Event{Kind: KindStarted})
	defer func() { x.emit(ctx, Event{Kind: KindEnded, Took: time.Since(started), Err: err}) }()

	work, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	x.cancel = cancel
	if x.budget > 0 {
		var stop context.CancelFunc
		work, stop = context.WithTimeoutCause(work, x.budget, fmt.Errorf("%w after %s", ErrBudgetSpent, x.budget))
		defer stop()
	}

	if x.lease, err = x.locker.Acquire(work, x.service, LeaseOptions{Holder: x.incident}); err != nil {
		return x.refuse(work, fmt.Errorf("acquire lease: %w", err))
	}
	defer x.release(ctx)
	defer context.AfterFunc(x.lease.Context(), func() { cancel(context.Cause(x.lease.Context())) })()
	x.emit(ctx, Event{Kind: KindLeased, Detail: fmt.Sprintf("token %d", x.lease.Token())})

	if x.log, err = x.journal.Open(work, x.service, x.incident, x.lease.Token()); err != nil {
		return x.refuse(work, fmt.Errorf("open journal: %w", err))
	}
	records, err := x.log.Replay(work)
	if err == nil {
		x.known, err = remember(x.service, x.incident, records)
	}
	if err != nil {
		return x.refuse(work, fmt.Errorf("replay journal: %w", err))
	}
	return x.schedule(work)
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

// result is how a step ended.
type result struct {
	node    int
	outputs map[string]string
	err     *StepError
}

// schedule runs the steps. It alone knows which have ended, so that it needs no lock.
func (x *execution) schedule(ctx context.Context) error {
	nodes := x.graph.nodes
	var (
		waits   = make([]int, len(nodes)) // needs that are not done yet
		began   = make([]bool, len(nodes))
		outputs = make(map[string]map[string]string, len(nodes))
		failed  = make([]*StepError, len(nodes))
		ready   []int
		running int
		results = make(chan result)
		stopped = ctx.Done()
	)
	done := func(i int, out map[string]string) {
		outputs[nodes[i].id] = out
		for _, next := range nodes[i].feeds {
			if waits[next]--; waits[next] == 0 {
				ready = append(ready, next)
			}
		}
	}
	for i := range nodes {
		if waits[i] = len(nodes[i].needs); waits[i] == 0 {
			ready = append(ready, i)
		}
	}
	for {
		for len(ready) > 0 && ctx.Err() == nil {
			i := ready[0]
			ready = ready[1:]
			began[i] = true
			if r := x.known[nodes[i].id].settled; r != nil {
				x.emit(ctx, Event{
					Kind: KindStepSkipped, Step: r.Step, Attempt: r.Attempt,
					Detail: fmt.Sprintf("journal: %s under token %d at %s", r.Phase, r.Token, r.Time.Format(time.RFC3339)),
				})
				done(i, r.Outputs)
				continue
			}
			inputs := make(map[string]map[string]string, len(nodes[i].needs))
			for _, need := range nodes[i].needs {
				inputs[nodes[need].id] = maps.Clone(outputs[nodes[need].id])
			}
			running++
			x.start(ctx, i, inputs, results)
		}
		if running == 0 {
			break
		}
		select {
		case r := <-results:
			running--
			if failed[r.node] = r.err; r.err == nil {
				done(r.node, r.outputs)
			}
		case <-stopped:
			x.emit(ctx, Event{Kind: KindStopped, Err: context.Cause(ctx)})
			stopped = nil // told once
		}
	}
	if stopped != nil && ctx.Err() != nil {
		x.emit(ctx, Event{Kind: KindStopped, Err: context.Cause(ctx)})
	}

	return x.verdict(ctx, began, failed)
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

// start runs a step in a goroutine of its own, which always sends a result: also when the step ends it by runtime.Goexit.
func (x *execution) start(ctx context.Context, i int, inputs map[string]map[string]string, results chan<- result) {
	n := &x.graph.nodes[i]
	h := x.known[n.id]
	s := &stepRun{
		execution: x, node: n, inputs: inputs, attempt: h.attempt, outputs: maps.Clone(h.outputs),
		logger: x.opts.Logger.With("incident", x.incident, "step", n.id),
	}
	if h.doubt {
		s.doubtSince = time.Now()
	}
	go func() {
		var err *StepError
		ended := false
		defer func() {
			if !ended {
				err = s.failure(errors.New("the step ended its goroutine"), nil)
				s.tell(ctx, Event{Kind: KindStepFailed, Err: err})
			}
			results <- result{i, s.outputs, err}
		}()
		err = s.run(ctx)
		ended = true
	}()
}

// emit tells the timeline, the logger and the caller's hook, in this order.
func (x *execution) emit(ctx context.Context, ev Event) {
	ev.Time = time.Now()
	ev.Incident, ev.Service = x.incident, x.service
	x.timeline.add(ev)

	level := slog.LevelInfo
	if ev.Err != nil {
		level = slog.LevelWarn
	}
	if x.opts.Logger.Enabled(ctx, level) {
		x.opts.Logger.LogAttrs(ctx, level, "failover: "+string(ev.Kind), ev.attrs()...)
	}
	if x.opts.OnEvent == nil {
		return
	}
	defer func() {
		if v := recover(); v != nil {
			x.opts.Logger.ErrorContext(ctx, "failover: OnEvent panicked", "panic", v, "stack", string(debug.Stack()))
		}
	}()
	x.opts.OnEvent(ctx, ev)
}
