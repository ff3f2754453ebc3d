package drill

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/awsha/awsha/failover"
)

// Drill is a rehearsal of a failover. Make one with [New]; it runs once.
type Drill struct {
	injector Injector
	fault    Fault
	response Response
	probes   []Probe
	opts     Options
	ran      atomic.Bool
}

// New returns a drill that breaks what fault describes, has response answer, and measures it by the probes. It does no I/O and starts
// nothing. It reports every mistake at once: each a [*failover.FieldError], those of plans in a [*failover.PlanError].
func New(injector Injector, fault Fault, response Response, probes []Probe, optFns ...func(*Options)) (*Drill, error) {
	d := &Drill{injector: injector, fault: fault, response: response, probes: probes}
	for _, fn := range optFns {
		fn(&d.opts)
	}
	if isNil(injector) {
		d.injector = nil
	}
	if err := d.validate(); err != nil {
		return nil, err
	}
	d.complete()
	return d, nil
}

// Run drills, and returns when the fault is ended and nothing that it started runs any more: with a report of what was measured, and nil if
// the drill was carried out, whatever its verdict ([Report.Err] has that). A second call is refused with [failover.ErrAlreadyRun]; then
// alone the report is nil.
//
// An error says why the drill was not carried out to its end, and the report's verdict is [NoVerdict]: a [*NotSteadyError], an error of the
// injector, of Detect or of HomeReady, or the cause of ctx. The fault is ended all the same, at once, for up to Options.EndTimeout. If it
// could not be ended, the error is an [*UnendedError], and comes before all others.
func (d *Drill) Run(ctx context.Context) (*Report, error) {
	service := d.response.Plan.Service
	if d.ran.Swap(true) {
		return nil, fmt.Errorf("drill: %s: %w", service, failover.ErrAlreadyRun)
	}
	r := &run{Drill: d, timeline: d.opts.Timeline, began: time.Now(), news: make(chan struct{}, 1), id: d.opts.ID}
	if r.id == "" {
		r.id = "drill-" + service + "-" + r.began.UTC().Format("20060102T150405.000Z")
		r.id = r.id[:min(len(r.id), maxID)]
	}
	return r.run(ctx)
}

// run is one run of a drill.
type run struct {
	*Drill

	id       string
	timeline *failover.Timeline
	probing  []*probing
	news     chan struct{} // a probe has an answer, or a controller has told something

	watched watched
	fault   *injected // nil: none was asked for

	// These are when it came to what; zero: it did not.
	began, injected, struck, detected, planEnded, settled, failback, ended time.Time

	readiness *failover.Readiness
	planErr   error
	selfEnded atomic.Bool // the fault has ended by itself
	limited   string      // what was under way when the limit of the fault was reached
	recovered []bool      // by probe, as the wait for it ended
	calm      bool        // all probes were well after the fault's end
	backErr   error
	back      bool // all probes were well after the failback
}

func (r *run) run(ctx context.Context) (*Report, error) {
	service := r.response.Plan.Service
	if r.response.Watch != nil {
		unlisten, ok := r.response.Watch.listen(r.hear)
		if !ok {
			return r.report(true), fmt.Errorf("drill: %s: another drill watches these events", service)
		}
		defer unlisten()
	}
	asking, stop := context.WithCancel(ctx)
	var all sync.WaitGroup
	defer all.Wait()
	defer stop()
	for _, p := range r.probes {
		if c, ok := p.Client.(interface{ reset() }); ok {
			c.reset()
		}
		one := &probing{Probe: p, timeline: r.timeline, news: r.tick}
		r.probing = append(r.probing, one)
		all.Go(func() { one.run(asking) })
	}
	err := r.phases(ctx)
	stop()
	all.Wait()
	r.ended = time.Now()
	for _, p := range r.probing {
		p.close()
		if c, ok := p.Client.(interface{ close() }); ok {
			c.close()
		}
	}
	report := r.report(err != nil)
	r.mark(ctx, "verdict: "+report.Verdict.String(), report.Err())
	return report, err
}

// hear takes in an event of a controller or its engine.
func (r *run) hear(ev failover.Event) {
	if ev.Service != "" && ev.Service != r.response.Plan.Service || ev.Incident == r.id || ev.Incident == r.id+"-failback" {
		return // of another service, or by ourselves
	}
	r.timeline.Add(ev)
	r.watched.take(&ev)
	r.tick()
}

// wrap says what was under way.
func (r *run) wrap(phase string, err error) error {
	switch {
	case err == nil:
		return nil
	case phase == "":
		return fmt.Errorf("drill: %s: %w", r.response.Plan.Service, err)
	}
	return fmt.Errorf("drill: %s: %s: %w", r.response.Plan.Service, phase, err)
}

// mark tells the timeline, the logger and the caller's hook, in this order.
func (r *run) mark(ctx context.Context, what string, err error) {
	ev := failover.Event{Time: time.Now(), Kind: failover.KindMark, Service: r.response.Plan.Service, Incident: r.id, Detail: what, Err: err}
	r.timeline.Add(ev)
	level := slog.LevelInfo
	attrs := []slog.Attr{slog.String("drill", r.id)}
	if err != nil {
		level = slog.LevelWarn
		attrs = append(attrs, slog.Any("error", err))
	}
	r.opts.Logger.LogAttrs(ctx, level, "drill: "+what, attrs...)
	if r.opts.OnEvent == nil {
		return
	}
	defer func() {
		if v := recover(); v != nil {
			r.opts.Logger.ErrorContext(ctx, "drill: OnEvent panicked", "panic", v, "stack", string(debug.Stack()))
		}
	}()
	r.opts.OnEvent(ctx, ev)
}
