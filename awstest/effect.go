package awstest

import (
	"context"
	"math"
	"time"
)

// Effect is what happens to a call that a fault strikes. Effects are made by
// the functions of this package: [Reject], [Throttle], [Unavailable], [Deny],
// [LoseReply], [ApplyThenReject], [Delay], [DelayReply], [Hang], [Stale],
// [Before] and [After]; and by adapters, for what can befall their service
// alone, see [Special].
//
// Several faults may strike one call: delays add up, the stalest read counts,
// every hang must be healed, and of rejections and hooks of one kind the one
// that was injected first wins. All of them count as having struck.
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
	special     *special
	wrong       *FieldError // what the function that made it was given
}

// Reject answers with an error of the service; the call has no effect. A zero
// status is 400.
func Reject(e APIError) Effect {
	return Effect{reject: func(ServiceSpec) APIError { return e }, wrong: checkError("Reject", e)}
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
func ApplyThenReject(e APIError) Effect {
	return Effect{applyReject: &e, wrong: checkError("ApplyThenReject", e)}
}

// Delay waits before the call takes effect, on top of Options.Latency.
func Delay(d time.Duration) Effect {
	return Effect{delay: d, wrong: checkDelay("Delay", d, math.MaxInt64)}
}

// DelayReply waits after the call has taken effect: a caller that gives up
// meanwhile has made a change that it does not know of.
func DelayReply(d time.Duration) Effect {
	return Effect{delayReply: d, wrong: checkDelay("DelayReply", d, math.MaxInt64)}
}

// Hang holds the call back until its context ends or the fault is healed; a
// healed call goes on.
func Hang() Effect { return Effect{hang: true} }

// Stale serves reads as of d ago, at most [Memory]. Mutations are not
// affected.
func Stale(d time.Duration) Effect { return Effect{stale: d, wrong: checkDelay("Stale", d, Memory)} }

// Before runs fn when the call has arrived and before it takes effect: the
// place for a second writer to win a race. fn may call the cloud; if its own
// calls match, limit the fault with Times, or they are struck as well.
func Before(fn func(context.Context, Record)) Effect {
	return Effect{before: fn, wrong: checkHook("Before", fn)}
}

// After runs fn when the call has taken effect and before the reply.
func After(fn func(context.Context, Record)) Effect {
	return Effect{after: fn, wrong: checkHook("After", fn)}
}

// check refuses what cannot be meant.
func (e *Effect) check() error {
	switch {
	case e.wrong != nil:
		return e.wrong
	case e.reject == nil && e.applyReject == nil && !e.loseReply && e.delay == 0 && e.delayReply == 0 && !e.hang && e.stale == 0 && e.before == nil && e.after == nil && e.special == nil:
		return &FieldError{Field: "Effect", Value: "the effect", Rule: "must do something"}
	}
	return nil
}

func checkDelay(name string, d, limit time.Duration) *FieldError {
	switch {
	case d <= 0:
		return &FieldError{Field: name, Value: d, Rule: "must be positive"}
	case d > limit:
		return &FieldError{Field: name, Value: d, Rule: "must be at most " + limit.String()}
	}
	return nil
}

func checkHook(name string, fn func(context.Context, Record)) *FieldError {
	if fn == nil {
		return &FieldError{Field: name, Value: "the function", Rule: "must not be nil"}
	}
	return nil
}

func checkError(name string, e APIError) *FieldError {
	if e.Code == "" {
		return &FieldError{Field: name, Value: "the error", Rule: "must have a code"}
	}
	return nil
}
