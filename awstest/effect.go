package awstest

import (
	"context"
	"time"
)

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
