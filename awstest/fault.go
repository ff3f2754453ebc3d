package awstest

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"time"
)

// Match selects calls. Zero fields select everything.
type Match struct {
	Service   string // SDK service ID, such as "EC2"
	Operation string // such as "AssociateAddress"
	Region    string

	// Resource selects calls whose input has this string anywhere in it: an
	// ID, an ARN, a name.
	Resource string

	// Caller selects calls made by clients of this instance's Config.
	Caller string

	// Skip lets that many matching calls pass first; Times ends the fault
	// after it has struck that often. Zero Times strikes until healed.
	Skip, Times int

	// Probability that a matching call is struck, drawn from Options.Seed.
	// Zero strikes every one.
	Probability float64
}

// Effect is what happens to a call that a fault strikes. Effects are made by
// the functions of this package: [Reject], [Throttle], [Unavailable], [Deny],
// [LoseReply], [ApplyThenReject], [Delay], [DelayReply], [Hang], [Stale],
// [Before] and [After]. Several faults may strike one call; where they
// disagree, the one that was injected first wins.
type Effect struct {
	reject      func(ServiceSpec) APIError // not applied
	applyReject *APIError
	loseReply   bool
	delay       time.Duration
	delayReply  time.Duration
	hang        bool
	stale       time.Duration
	before      func(context.Context, Record)
	after       func(context.Context, Record)
}

// Reject answers with an error of the service; the call has no effect. A zero
// status is 400.
func Reject(e APIError) Effect {
	return Effect{reject: func(ServiceSpec) APIError { return e }}
}

// Throttle rejects with the service's own throttling error.
func Throttle() Effect { return Effect{reject: func(s ServiceSpec) APIError { return s.Throttled }} }

// Unavailable rejects with the service's own error for being down.
func Unavailable() Effect {
	return Effect{reject: func(s ServiceSpec) APIError { return s.Unavailable }}
}

// Deny rejects with the service's own error for missing permissions. An EC2
// dry run is denied as well.
func Deny() Effect { return Effect{reject: func(s ServiceSpec) APIError { return s.Denied }} }

// LoseReply applies the call and breaks the connection before the reply. The
// SDK takes that for a transport error and sends the call again, if its
// retryer has attempts left.
func LoseReply() Effect { return Effect{loseReply: true} }

// ApplyThenReject applies the call and answers with an error all the same.
func ApplyThenReject(e APIError) Effect { return Effect{applyReject: &e} }

// Delay waits before the call takes effect, on top of Options.Latency.
func Delay(d time.Duration) Effect { return Effect{delay: d} }

// DelayReply waits after the call has taken effect: a caller that gives up
// meanwhile has made a change that it does not know of.
func DelayReply(d time.Duration) Effect { return Effect{delayReply: d} }

// Hang holds the call back until its context ends or the fault is healed; a
// healed call goes on.
func Hang() Effect { return Effect{hang: true} }

// Stale serves reads as of d ago, at most [Memory]. Mutations are not
// affected.
func Stale(d time.Duration) Effect { return Effect{stale: d} }

// Before runs fn when the call has arrived and before it takes effect: the
// place for a second writer to win a race. fn may call the cloud.
func Before(fn func(context.Context, Record)) Effect { return Effect{before: fn} }

// After runs fn when the call has taken effect and before the reply.
func After(fn func(context.Context, Record)) Effect { return Effect{after: fn} }

// fault is an effect in force. It is guarded by the cloud's lock.
type fault struct {
	match  Match
	effect Effect
	seen   int
	struck int
	healed chan struct{}
}

// Inject puts a fault in force until heal is called; heal may be called more
// than once. A match that can select no call, because it names a service or
// an operation that this cloud does not model, is refused with a [*FieldError].
func (c *Cloud) Inject(m Match, e Effect) (heal func(), err error) {
	if err := c.checkMatch(m); err != nil {
		return nil, err
	}
	if e.stale < 0 || e.stale > Memory {
		return nil, &FieldError{Field: "Stale", Value: e.stale, Rule: fmt.Sprintf("must be from 0 to Memory (%v)", Memory)}
	}
	f := &fault{match: m, effect: e, healed: make(chan struct{})}
	c.mu.Lock()
	c.faults = append(c.faults, f)
	c.mu.Unlock()
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.heal(f)
	}, nil
}

// LoseReply injects [LoseReply] for the next n calls of an operation.
func (c *Cloud) LoseReply(service, operation string, n int) (heal func(), err error) {
	if n <= 0 {
		return nil, &FieldError{Field: "n", Value: n, Rule: "must be positive"}
	}
	return c.Inject(Match{Service: service, Operation: operation, Times: n}, LoseReply())
}

// FailService makes every call to a service in a region fail with the
// service's own error for being down, until healed.
func (c *Cloud) FailService(service, region string) (heal func(), err error) {
	return c.Inject(Match{Service: service, Region: region}, Unavailable())
}

func (c *Cloud) checkMatch(m Match) error {
	bad := func(field string, value any, rule string) error {
		return &FieldError{Field: "Match." + field, Value: value, Rule: rule}
	}
	switch {
	case m.Service == "" && m.Operation != "":
		return bad("Operation", m.Operation, "needs a Service")
	case m.Skip < 0:
		return bad("Skip", m.Skip, "must not be negative")
	case m.Times < 0:
		return bad("Times", m.Times, "must not be negative")
	case !(m.Probability >= 0 && m.Probability <= 1):
		return bad("Probability", m.Probability, "must be from 0 to 1")
	}
	if m.Region != "" && c.regions[m.Region] == nil {
		return bad("Region", m.Region, "is not a region of this cloud")
	}
	if m.Service != "" {
		e, ok := c.services[m.Service]
		if !ok {
			return bad("Service", m.Service, "is not a service of this cloud")
		}
		if _, ok := e.ops[m.Operation]; !ok && m.Operation != "" {
			return bad("Operation", m.Operation, "is not modelled by "+m.Service)
		}
	}
	return nil
}

// selects tells whether a call is of the kind that m describes.
func (m *Match) selects(r *Record) bool {
	return (m.Service == "" || m.Service == r.Service) &&
		(m.Operation == "" || m.Operation == r.Operation) &&
		(m.Region == "" || m.Region == r.Region) &&
		(m.Caller == "" || m.Caller == r.Caller) &&
		(m.Resource == "" || mentions(reflect.ValueOf(r.Input), m.Resource))
}

// strike returns the effects of the faults that hit a call, merged, and the
// channel that ends a hang.
func (c *Cloud) strike(r *Record) (e Effect, healed <-chan struct{}) {
	for _, f := range slices.Clone(c.faults) {
		if !f.match.selects(r) {
			continue
		}
		f.seen++
		if f.seen <= f.match.Skip || (f.match.Probability > 0 && c.rng.Float64() >= f.match.Probability) {
			continue
		}
		f.struck++
		if e.reject == nil {
			e.reject = f.effect.reject
		}
		if e.applyReject == nil {
			e.applyReject = f.effect.applyReject
		}
		if e.before == nil {
			e.before = f.effect.before
		}
		if e.after == nil {
			e.after = f.effect.after
		}
		if f.effect.hang && !e.hang {
			e.hang, healed = true, f.healed
		}
		e.loseReply = e.loseReply || f.effect.loseReply
		e.delay += f.effect.delay
		e.delayReply += f.effect.delayReply
		e.stale = max(e.stale, f.effect.stale)
		if f.match.Times > 0 && f.struck >= f.match.Times {
			if f.effect.hang {
				// It strikes nobody else, but holds this call until healed.
				c.faults = slices.DeleteFunc(c.faults, func(g *fault) bool { return g == f })
			} else {
				c.heal(f)
			}
		}
	}
	return e, healed
}

func (c *Cloud) heal(f *fault) {
	c.faults = slices.DeleteFunc(c.faults, func(g *fault) bool { return g == f })
	select {
	case <-f.healed:
	default:
		close(f.healed)
	}
}

// mentions tells whether a string stands anywhere in an input.
func mentions(v reflect.Value, s string) bool {
	switch v.Kind() {
	case reflect.String:
		return v.String() == s
	case reflect.Pointer, reflect.Interface:
		return !v.IsNil() && mentions(v.Elem(), s)
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if mentions(v.Index(i), s) {
				return true
			}
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			if mentions(k, s) || mentions(v.MapIndex(k), s) {
				return true
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() && mentions(v.Field(i), s) {
				return true
			}
		}
	}
	return false
}
