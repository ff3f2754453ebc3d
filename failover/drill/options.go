package drill

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/awsha/awsha/failover"
)

// Response is what is done about the fault: a plan that an engine executes by hand, or a controller that is watched.
type Response struct {
	// Plan is what moves the service. Its Service names what is drilled. A drill that watches executes it not: it is shown beside what the
	// controller did. Required.
	Plan failover.Plan

	// Engine executes Plan, and Failback, and is asked for the readiness of Plan. Required without Watch or with Failback; without it,
	// nobody asks for readiness.
	Engine Executor

	// Facts are those of the incident: see [failover.ExecOptions]. Nil: none.
	Facts map[string]string

	// Detect returns when the failure has been noticed, as by [healthcheck.Pool.Wait] or by a person who presses a key; Plan is executed
	// then. Its error ends the drill. Nil executes Plan as soon as the fault is in force: what is measured is the plan alone.
	//
	// [healthcheck.Pool.Wait]: https://pkg.go.dev/github.com/awsha/awsha/healthcheck#Pool.Wait
	Detect func(ctx context.Context) error

	// Watch has the events of a running controller and its engine, which detect and execute. Nil executes by hand.
	Watch *Events

	// Failback is executed by Engine once the fault is ended, if the failover went well. HomeReady returns when it may begin: when what the
	// service goes back to is well again. Nil: there is none, and nothing to wait for.
	Failback  *failover.Plan
	HomeReady func(ctx context.Context) error
}

// Targets are what a drill has to keep to. A nil or zero field is no target.
type Targets struct {
	RTO       time.Duration // of every probe that has none of its own: from the fault to the first good answer of those that go on
	Detection time.Duration // from the fault until it was noticed. It needs Response.Watch or Response.Detect

	// RPO and MaxLostWrites bound what was acknowledged and is gone, by the probes with a [LossTeller]; new(0) allows nothing. They need
	// such a probe.
	RPO           *time.Duration
	MaxLostWrites *int

	// MaxFailed bounds the requests that failed, of all probes together, from the fault until the failback begins; new(0) allows none.
	MaxFailed *int
}

// Options configure a [Drill]. Every zero value means the default that its comment names.
type Options struct {
	// Confirm must be the service's name ([failover.Plan].Service), unless the injector is a [Simulator]: a drill breaks things.
	Confirm string

	// ID names the drill, and the incident that it executes by hand; the failback is ID-failback. A new one for each drill: an incident
	// that is done is not done again. At most 128 characters. Default drill-SERVICE-TIME, with milliseconds.
	ID string

	Targets Targets

	// Steady is for how long every probe must have good answers before the drill begins, after the failover, after the end of the fault and
	// after the failback. Default 10 s, or the longest interval and timeout of a probe if that is more.
	Steady time.Duration

	// BeginAnyway breaks things although probes fail, the plan is not ready or a controller has begun an incident.
	BeginAnyway bool

	// InjectTimeout bounds the call of Inject, and after it the wait until the fault is in force. Default 2 minutes.
	InjectTimeout time.Duration

	// Limit is for how long the fault may be in force: then it is ended, whatever has happened, a plan that still runs is stopped, and the
	// drill has failed. It bounds the wait for the probes after the fault and the failback, too. Default 15 minutes.
	Limit time.Duration

	// EndTimeout bounds the end of the fault, also when Run is cancelled. Default 2 minutes.
	EndTimeout time.Duration

	// PollInterval is the time between looks at the fault, and between tries to end it. Default 1 s.
	PollInterval time.Duration

	// Timeline receives the events, so that a caller can show it while the drill runs. Nil makes a new one.
	Timeline *failover.Timeline

	// Logger receives the marks of the drill; a fault that could not be ended as an error. Nil is silent.
	Logger *slog.Logger

	// OnEvent is called synchronously with the same marks, as events of [failover.KindMark]; those of executions go to the engine's. It
	// must return at once. A panic in it is recovered and logged. Nil means nobody listens.
	OnEvent func(context.Context, failover.Event)
}

// mistakes gathers what is wrong with what a caller gave.
type mistakes []error

func (m *mistakes) require(ok bool, field string, v any, rule string) {
	if !ok {
		*m = append(*m, &failover.FieldError{Field: field, Value: v, Rule: rule})
	}
}

func (m *mistakes) notNegative(field string, d time.Duration) {
	m.require(d >= 0, field, d, "must not be negative")
}

// plan adds what is wrong with a plan.
func (m *mistakes) plan(field string, p failover.Plan) {
	if err := p.Validate(); err != nil {
		*m = append(*m, fmt.Errorf("%s: %w", field, err))
	}
}

// maxID is how long an ID may be.
const maxID = 128

func (d *Drill) validate() error {
	var m mistakes
	r, o := &d.response, &d.opts
	service := r.Plan.Service
	m.require(d.injector != nil, "injector", nil, "must not be nil")
	m.require(d.fault.Kind != "", "fault.Kind", d.fault.Kind, "must not be empty")
	m.plan("response.Plan", r.Plan)
	if isNil(r.Engine) {
		m.require(r.Watch != nil, "response.Engine", nil, "must not be nil without a Watch")
		m.require(r.Failback == nil, "response.Engine", nil, "must not be nil with a Failback")
	}
	m.require(r.Watch == nil || r.Detect == nil, "response.Detect", "a function", "must not be given with a Watch")
	if r.Failback != nil {
		m.plan("response.Failback", *r.Failback)
		m.require(r.Failback.Service == service, "response.Failback.Service", r.Failback.Service, "must be that of Plan, which is "+service)
	}
	m.require(r.HomeReady == nil || r.Failback != nil, "response.HomeReady", "a function", "must not be given without a Failback")
	d.validateProbes(&m)
	if o.Confirm != service || o.Confirm == "" {
		s, ok := d.injector.(Simulator)
		simulated := ok && s.Simulated() && o.Confirm == ""
		m.require(simulated, "Options.Confirm", o.Confirm, fmt.Sprintf("must be the service's name, %q, since the drill breaks it", service))
	}
	m.require(len(o.ID) <= maxID, "Options.ID", o.ID, fmt.Sprintf("must not be longer than %d characters", maxID))
	for _, f := range []struct {
		field string
		v     time.Duration
	}{
		{"Steady", o.Steady}, {"InjectTimeout", o.InjectTimeout}, {"Limit", o.Limit}, {"EndTimeout", o.EndTimeout}, {"PollInterval", o.PollInterval},
		{"Targets.RTO", o.Targets.RTO}, {"Targets.Detection", o.Targets.Detection},
	} {
		m.notNegative("Options."+f.field, f.v)
	}
	d.validateTargets(&m)
	return errors.Join(m...)
}

func (d *Drill) validateTargets(m *mistakes) {
	t := &d.opts.Targets
	m.require(t.Detection <= 0 || d.response.Watch != nil || d.response.Detect != nil, "Options.Targets.Detection", t.Detection,
		"needs a Watch or a Detect in the response")
	loss := slices.ContainsFunc(d.probes, func(p Probe) bool { _, ok := p.Client.(LossTeller); return ok })
	if t.RPO != nil {
		m.notNegative("Options.Targets.RPO", *t.RPO)
		m.require(loss, "Options.Targets.RPO", *t.RPO, "needs a probe that writes and reads")
	}
	for _, f := range []struct {
		field string
		v     *int
	}{{"MaxLostWrites", t.MaxLostWrites}, {"MaxFailed", t.MaxFailed}} {
		if f.v != nil {
			m.require(*f.v >= 0, "Options.Targets."+f.field, *f.v, "must not be negative")
		}
	}
	if t.MaxLostWrites != nil {
		m.require(loss, "Options.Targets.MaxLostWrites", *t.MaxLostWrites, "needs a probe that writes and reads")
	}
}

func (d *Drill) validateProbes(m *mistakes) {
	m.require(len(d.probes) > 0, "probes", len(d.probes), "probes: there must be at least one")
	names := make(map[string]bool)
	for i, p := range d.probes {
		field := fmt.Sprintf("probes[%d]", i)
		m.require(p.Name != "", field+".Name", p.Name, "must not be empty")
		m.require(p.Name == "" || !names[p.Name], field+".Name", p.Name, "is that of another probe")
		names[p.Name] = true
		m.notNegative(field+".Interval", p.Interval)
		m.require(p.Interval <= 0 || p.Interval >= minInterval, field+".Interval", p.Interval, "must be at least "+minInterval.String())
		m.notNegative(field+".Timeout", p.Timeout)
		m.notNegative(field+".RTO", p.RTO)
		m.require(!isNil(p.Client), field+".Client", nil, "must not be nil")
		v, ok := p.Client.(failover.Validator)
		if !ok || isNil(p.Client) {
			continue
		}
		for _, f := range fieldErrors(v.Validate()) {
			m.require(false, field+".Client."+f.Field, f.Value, f.Rule)
		}
	}
}

// fieldErrors are those that are joined in an error.
func fieldErrors(err error) []*failover.FieldError {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var list []*failover.FieldError
		for _, one := range joined.Unwrap() {
			list = append(list, fieldErrors(one)...)
		}
		return list
	}
	if f, ok := errors.AsType[*failover.FieldError](err); ok {
		return []*failover.FieldError{f}
	}
	return []*failover.FieldError{{Field: "spec", Value: "", Rule: err.Error()}}
}

// complete fills in the defaults.
func (d *Drill) complete() {
	o := &d.opts
	longest := time.Duration(0)
	d.probes = slices.Clone(d.probes)
	for i := range d.probes {
		p := &d.probes[i]
		orDefault(&p.Interval, time.Second)
		orDefault(&p.Timeout, time.Second)
		orDefault(&p.RTO, o.Targets.RTO)
		longest = max(longest, p.Interval, p.Timeout)
	}
	orDefault(&o.Steady, max(10*time.Second, longest))
	orDefault(&o.InjectTimeout, 2*time.Minute)
	orDefault(&o.Limit, 15*time.Minute)
	orDefault(&o.EndTimeout, 2*time.Minute)
	orDefault(&o.PollInterval, time.Second)
	if o.Timeline == nil {
		o.Timeline = new(failover.Timeline)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
}

func orDefault(v *time.Duration, def time.Duration) {
	if *v == 0 {
		*v = def
	}
}
