package poolobserver

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/healthcheck"
)

// Observer votes as a pool sees the targets of a service. Make one with [New]. It is safe for concurrent use.
type Observer struct {
	source     healthcheck.Source
	name, zone string
	opts       Options

	mu   sync.Mutex
	told map[string]time.Time // when the last check of a target began that told something
}

var _ failover.Observer = (*Observer)(nil)

// New returns an observer of the given name and zone: see [failover.Observer]. It starts nothing: the pool's Run is the caller's. It reports every mistake at once, each as
// a [*failover.FieldError].
func New(source healthcheck.Source, name, zone string, optFns ...func(*Options)) (*Observer, error) {
	o := &Observer{source: source, name: name, zone: zone}
	for _, fn := range optFns {
		fn(&o.opts)
	}
	var errs []error
	if source == nil {
		errs = append(errs, &failover.FieldError{Field: "source", Value: nil, Rule: "must not be nil"})
	}
	if name == "" {
		errs = append(errs, &failover.FieldError{Field: "name", Value: name, Rule: "must not be empty"})
	}
	if err := errors.Join(append(errs, o.opts.complete())...); err != nil {
		return nil, err
	}
	return o, nil
}

// Name implements [failover.Observer].
func (o *Observer) Name() string { return o.name }

// Zone implements [failover.Observer].
func (o *Observer) Zone() string { return o.zone }

// Observe implements [failover.Observer]. It reads the pool's view.
func (o *Observer) Observe(context.Context) failover.Observation {
	view := o.source.View()
	c := o.count(view, time.Now())
	counted := c.healthy + c.unhealthy
	needed := func(of int) int { return max(o.opts.MinHealthy, (o.opts.MinPercent*of+99)/100) }
	need := needed(counted)
	text := fmt.Sprintf("%d of %d targets are healthy, %d needed", c.healthy, counted, need)
	if c.silent > 0 {
		text += fmt.Sprintf(", %d not checked", c.silent)
	}
	if c.why != "" {
		text += "; " + c.why
	}
	seen := failover.Observation{Evidence: text}
	switch {
	case counted+c.silent == 0:
		seen.Evidence = "no target is selected"
	case counted == 0:
		seen.Evidence = "nothing has been checked lately"
	case c.healthy >= need:
		seen.Verdict = failover.Healthy
	case c.healthy+c.silent >= needed(counted+c.silent): // those may be enough
	case view.Degraded():
		seen.Evidence += "; the pool is behind its schedule, and suspects itself"
	default:
		seen.Verdict, seen.Zone = failover.Failed, c.zone
	}
	return seen
}

// tally is how the targets of a service are.
type tally struct {
	healthy, unhealthy int
	silent             int // of which nothing is known
	zone               string
	why                string // of the first that is unhealthy
}

func (o *Observer) count(view *healthcheck.View, now time.Time) (c tally) {
	o.mu.Lock()
	defer o.mu.Unlock()
	told := make(map[string]time.Time, len(o.told))
	zones := 0
	for id, s := range view.All() {
		if !o.opts.Select(s) {
			continue
		}
		told[id] = o.tells(id, s)
		switch o.state(s, now.Sub(told[id])) {
		case healthcheck.Healthy:
			c.healthy++
		case healthcheck.Unhealthy:
			if c.unhealthy++; c.why == "" {
				c.why = describe(id, s)
			}
			if zones == 0 || s.Target.Zone != c.zone {
				c.zone = s.Target.Zone
				zones++
			}
		case healthcheck.Initial:
			c.silent++
		}
	}
	if zones > 1 {
		c.zone = ""
	}
	o.told = told
	return c
}

// tells is when the last check began that told something of a target. A check that comes to no result, since the checker is at fault, keeps the target in its
// state and says nothing of it: it was told at the latest when it came into that state.
func (o *Observer) tells(id string, s healthcheck.Status) time.Time {
	at := o.told[id]
	if s.Since.After(at) {
		at = s.Since
	}
	if s.Last.Outcome != healthcheck.Unknown && s.Last.Start.After(at) {
		at = s.Last.Start
	}
	return at
}

// state is what counts of a target that was told something of so long ago; Draining for one that does not.
func (o *Observer) state(s healthcheck.Status, age time.Duration) healthcheck.State {
	switch {
	case s.State == healthcheck.Draining || s.Override == healthcheck.OverrideDrain:
		return healthcheck.Draining
	case s.Override == healthcheck.OverrideHealthy:
		return healthcheck.Healthy
	case s.Override == healthcheck.OverrideUnhealthy:
		return healthcheck.Unhealthy
	case s.State == healthcheck.Initial || age > o.opts.MaxAge:
		return healthcheck.Initial
	}
	return s.State
}

func describe(id string, s healthcheck.Status) string {
	if s.Override == healthcheck.OverrideUnhealthy {
		return id + ": unhealthy by an override"
	}
	if s.Last.Err != nil {
		return id + ": " + s.Last.Err.Error()
	}
	return id + ": " + s.Detail
}

// Watch calls wake, such as the Wake of a controller, when a selected target has changed its state, until ctx ends or the pool does. It decides nothing, so that it matters to
// nobody if an event is lost.
func (o *Observer) Watch(ctx context.Context, wake func()) {
	for ev := range o.source.Events(ctx) {
		switch ev.Kind {
		case healthcheck.Transition, healthcheck.OverrideChange:
			if o.opts.Select(ev.Status) {
				wake()
			}
		}
	}
}
