package drill

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/awsha/awsha/failover"
)

// phases goes through the drill.
func (r *run) phases(ctx context.Context) error {
	if err := r.steady(ctx); err != nil {
		return err
	}
	if err := r.disturb(ctx); err != nil {
		return err
	}
	return r.after(ctx)
}

// steady sees that all is well before anything is broken.
func (r *run) steady(ctx context.Context) error {
	r.mark(ctx, "steady state: "+r.id, nil)
	from := time.Now()
	bad := &NotSteadyError{Service: r.response.Plan.Service}
	if !isNil(r.response.Engine) {
		ready, err := r.response.Engine.Readiness(ctx, r.response.Plan, r.response.Facts)
		if err != nil {
			return r.wrap("readiness", err)
		}
		if r.readiness = ready; ready.Level == failover.LevelFail {
			bad.Readiness = ready
		}
	}
	err := r.await(ctx, func() bool {
		return r.everyProbe(func(p *probing) bool { return p.well(from, r.opts.Steady) || p.failed(from) != nil })
	})
	if err != nil {
		return r.wrap("steady state", err)
	}
	for _, p := range r.probing {
		if err := p.failed(from); err != nil {
			bad.Probes = append(bad.Probes, ProbeFailure{p.Name, err})
		}
	}
	bad.Incident = r.watched.now().incident
	switch {
	case bad.Probes == nil && bad.Readiness == nil && bad.Incident == "":
	case !r.opts.BeginAnyway:
		return bad
	default:
		r.mark(ctx, "begins although it is not steady", bad)
		r.watched.forget()
	}
	return nil
}

// disturb injects the fault, waits for what is done about it and for the service to be back, and ends the fault, whatever happens.
func (r *run) disturb(ctx context.Context) (err error) {
	r.mark(ctx, "inject "+r.Drill.fault.String(), nil)
	r.injected = time.Now()
	r.fault, err = inject(ctx, r.injector, r.id, r.Drill.fault, &r.opts)
	defer func() {
		if end := r.endFault(ctx); end != nil {
			err = errors.Join(end, err)
		}
	}()
	if err != nil {
		return r.wrap("", err)
	}
	limited, cancel := context.WithTimeoutCause(ctx, r.opts.Limit, errLimit)
	defer cancel()
	// A step of the plan may be slow to stop. The fault does not wait for that.
	defer context.AfterFunc(limited, func() { _ = r.fault.end(ctx) })()
	if err := r.fault.await(limited); err != nil {
		return r.wrap("", err)
	}
	r.struck = r.firstSign(time.Now())
	r.mark(ctx, "in force", nil)

	watching, unwatch := context.WithCancel(limited)
	var watcher sync.WaitGroup
	defer watcher.Wait()
	defer unwatch()
	watcher.Go(func() {
		if r.fault.watch(watching) {
			r.selfEnded.Store(true)
			r.mark(ctx, "the fault has ended by itself", nil)
		}
	})
	phase, err := r.respond(limited)
	r.settle(time.Now())
	if cause := context.Cause(ctx); cause != nil {
		return r.wrap(phase, cause)
	}
	if err != nil && limitReached(limited) {
		r.limited = phase
		r.mark(ctx, "limit reached", fmt.Errorf("%s: %w", phase, errLimit))
		err = nil // it is a miss
	}
	return r.wrap(phase, err)
}

func limitReached(ctx context.Context) bool { return errors.Is(context.Cause(ctx), errLimit) }

// respond has the response answer, and waits for the service to be back. An error is that of a wait; that the plan failed is none.
func (r *run) respond(ctx context.Context) (phase string, err error) {
	if r.response.Watch != nil {
		phase, err = r.watch(ctx)
	} else {
		phase, err = r.execute(ctx)
	}
	if err != nil || r.planErr != nil {
		return phase, err
	}
	err = r.await(ctx, func() bool { return r.everyProbe(func(p *probing) bool { return p.well(r.planEnded, r.opts.Steady) }) })
	if err == nil {
		r.mark(ctx, "recovered", nil)
	}
	return "recovery", err
}

// execute notices the fault and executes the plan by hand.
func (r *run) execute(ctx context.Context) (phase string, err error) {
	if r.response.Detect != nil {
		if err := guard(func() error { return r.response.Detect(ctx) }); err != nil {
			return "detection", err
		}
		r.detected = time.Now()
		r.mark(ctx, "detected", nil)
	}
	r.planErr = r.carry(ctx, r.id, r.response.Plan)
	r.planEnded = time.Now()
	if cause := context.Cause(ctx); cause != nil && r.planErr != nil {
		return "plan", cause
	}
	return "plan", nil
}

func (r *run) carry(ctx context.Context, incident string, plan failover.Plan) error {
	return guard(func() error {
		_, err := r.response.Engine.Execute(ctx, incident, plan, func(o *failover.ExecOptions) {
			o.Timeline, o.Facts, o.Cause, o.Holder = r.timeline, r.response.Facts, "drill "+r.id, r.id
		})
		return err
	})
}

// watch waits for a controller to notice the fault and to execute its plan.
func (r *run) watch(ctx context.Context) (phase string, err error) {
	if err := r.await(ctx, func() bool { return r.watched.now().incident != "" }); err != nil {
		return "detection", err
	}
	r.detected = r.watched.now().detected.Time
	if err := r.await(ctx, func() bool { t := r.watched.now(); return t.done || t.over }); err != nil {
		if t := r.watched.now(); t.err != nil || t.why != "" {
			r.planErr = t.failure()
		}
		return "plan", err
	}
	t := r.watched.now()
	if !t.done {
		r.planErr = t.failure()
	}
	if t.done || t.err != nil { // it was executed
		r.planEnded = time.Now()
	}
	return "plan", nil
}

// after waits for the service to be well once the fault is ended, and fails back.
func (r *run) after(ctx context.Context) error {
	from := time.Now()
	calm, err := r.bounded(ctx, func(ctx context.Context) error {
		return r.await(ctx, func() bool { return r.everyProbe(func(p *probing) bool { return p.well(from, r.opts.Steady) }) })
	})
	if err != nil {
		return r.wrap("after the fault", err)
	}
	r.calm = calm
	if well := calm && r.limited == "" && r.planErr == nil; !well || r.response.Failback == nil {
		return nil
	}
	return r.wrap("failback", r.failBack(ctx))
}

// failBack waits until the service can go home, and has it go. An error is that of a wait; what fails is a miss.
func (r *run) failBack(ctx context.Context) error {
	if r.response.HomeReady != nil {
		ready, err := r.bounded(ctx, func(ctx context.Context) error { return guard(func() error { return r.response.HomeReady(ctx) }) })
		if err != nil {
			return err
		}
		if !ready {
			r.backErr = fmt.Errorf("what the service goes back to was not ready after %v", r.opts.Limit)
			return nil
		}
	}
	r.failback = time.Now()
	r.mark(ctx, "failback", nil)
	done, err := r.bounded(ctx, func(ctx context.Context) error {
		r.backErr = r.carry(ctx, r.id+"-failback", *r.response.Failback)
		return context.Cause(ctx)
	})
	if failed := r.backErr != nil; err != nil || !done || failed {
		return err
	}
	from := time.Now()
	r.back, err = r.bounded(ctx, func(ctx context.Context) error {
		return r.await(ctx, func() bool { return r.everyProbe(func(p *probing) bool { return p.well(from, r.opts.Steady) }) })
	})
	return err
}

// bounded waits for what takes no longer than the limit. It returns false if it did.
func (r *run) bounded(ctx context.Context, wait func(context.Context) error) (bool, error) {
	limited, cancel := context.WithTimeoutCause(ctx, r.opts.Limit, errLimit)
	defer cancel()
	err := wait(limited)
	well := err == nil
	if ctx.Err() == nil && limitReached(limited) {
		err = nil // it is a miss
	}
	return well, err
}

// endFault ends the fault and tells it. It does nothing if none was asked for.
func (r *run) endFault(ctx context.Context) error {
	err := r.fault.end(ctx)
	if r.fault.injection == nil && err == nil {
		return nil
	}
	if err != nil {
		r.opts.Logger.LogAttrs(ctx, slog.LevelError, err.Error(), slog.String("drill", r.id))
	}
	what := "fault ended"
	if err != nil {
		what = "FAULT NOT ENDED"
	}
	r.mark(ctx, what, err)
	return err
}

// firstSign is when the fault took effect: when it was seen to, or when a request that was sent after it was asked for failed, whichever
// was first.
func (r *run) firstSign(active time.Time) time.Time {
	for _, p := range r.probing {
		p.mu.Lock()
		for i := range p.samples {
			if s := &p.samples[i]; !s.ok && !s.start.Before(r.injected) && s.start.Before(active) {
				active = s.start
				break
			}
		}
		p.mu.Unlock()
	}
	return active
}

// settle notes which probes are back as the wait for that ends.
func (r *run) settle(now time.Time) {
	r.settled = now
	from := r.struck
	if !r.planEnded.IsZero() {
		from = r.planEnded
	}
	for _, p := range r.probing {
		r.recovered = append(r.recovered, p.well(from, r.opts.Steady))
	}
}

func (r *run) everyProbe(is func(*probing) bool) bool {
	for _, p := range r.probing {
		if !is(p) {
			return false
		}
	}
	return true
}

// await returns nil once something is so. It looks whenever there is news; only one at a time may wait.
func (r *run) await(ctx context.Context, is func() bool) error {
	for !is() {
		select {
		case <-r.news:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

func (r *run) tick() {
	select {
	case r.news <- struct{}{}:
	default:
	}
}
