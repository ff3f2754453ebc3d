package sqsscale

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/awsha/awsha/internal/awserr"
	"github.com/awsha/awsha/internal/retry"
	"github.com/awsha/awsha/queueworker"
)

// ErrTerminating is the cause of the end of the context of a work whose instance is being terminated by its Auto Scaling group.
var ErrTerminating = errors.New("sqsscale: the instance is being terminated")

// Instance is an EC2 instance of an Auto Scaling group.
type Instance struct {
	ID    string // such as "i-0123456789abcdef0"
	Group string // the name of the Auto Scaling group
}

// Protector keeps the EC2 instance that it runs on from being terminated by its Auto Scaling group while handlers run there. Make one
// with [NewProtector], one for an instance, however many workers run on it. It does so in two ways, which go together:
//
//   - While the instance is busy it is protected from scale-in, so that the group chooses others. A message that comes within ProtectAfter
//     of a choice finds the instance without it: that is the gap which the hook closes.
//   - ProtectOptions.Hook makes the group wait once the instance has been chosen, by whomever. The work drains, heartbeats prolong the
//     wait, and the group goes on as soon as the work has ended, also if that was with an error.
//
// With the hook, no handler that runs when an instance is chosen is cut off, whatever makes the group terminate it, as long as heartbeats get
// through: the wait ends after 100 timeouts of the hook, or 48 hours, and AWS promises of no hook that it runs or ends before the
// instance does. Without it, handlers that have run for less than ProtectAfter and the time of a call may be cut off; so is
// everything when the instance is unhealthy or somebody terminates it. Their messages are received again elsewhere after their leases.
//
// Scale-in protection has no end: AWS leaves an instance protected until somebody says otherwise. A Protector takes over what it
// finds: it removes the protection of an idle instance, whoever has set it, once UnprotectAfter has passed since Run began, and when Run
// ends. So a process that has died leaves its instance protected until it has been started again; let something start it. A group may
// protect its new instances (NewInstancesProtectedFromScaleIn), until they have been idle for the first time. Protection does not
// keep an instance that fails its health checks.
//
// An instance refresh waits for protected instances for an hour, unless its ScaleInProtectedInstances says Refresh: then it takes them, and
// they drain by the hook.
//
// A wait for the hook has an end: when heartbeats stop, since the process has died, the group goes on after the timeout of the hook. A
// few minutes are better there than the hour that is the default, since heartbeats prolong it anyway; but 100 times that must suffice
// for the longest drain.
//
// Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-instance-protection.html,
// https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks.html,
// https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_RefreshPreferences.html and
// https://docs.aws.amazon.com/autoscaling/ec2/userguide/gracefully-handle-instance-termination.html (read 2026-11)
type Protector struct {
	api      ProtectAPI
	instance Instance
	running  func() int
	opts     ProtectOptions
	ran      atomic.Bool

	// These belong to one goroutine at a time: guard's, then Run's.
	wish       wish
	protection protection
	// And these: Run's, then attend's, then Run's.
	terminating bool
	waiting     bool      // the group has been seen to wait for the hook
	blind       bool      // the metadata service does not answer, which has been told
	described   time.Time // the last DescribeAutoScalingInstances
}

// NewProtector returns a Protector of an instance; running tells how many handlers run there, such as the Running of Worker.Stats, or the
// sum of several. It is called once a second, and must return at once. NewProtector makes no call and starts nothing. Every mistake is
// a *queueworker.FieldError of the error.
func NewProtector(api ProtectAPI, instance Instance, running func() int, optFns ...func(*ProtectOptions)) (*Protector, error) {
	var o ProtectOptions
	for _, fn := range optFns {
		fn(&o)
	}
	var m mistakes
	m.require(api != nil, "api", nil, "must not be nil")
	m.require(instance.ID != "", "Instance.ID", nil, "must not be empty")
	m.require(instance.Group != "", "Instance.Group", nil, "must not be empty")
	m.require(running != nil, "running", nil, "must not be nil")
	o.complete(&m)
	if err := m.err(); err != nil {
		return nil, err
	}
	return &Protector{
		api: api, instance: instance, running: running, opts: o,
		wish: wish{protectAfter: o.ProtectAfter, unprotectAfter: o.UnprotectAfter},
	}, nil
}

// Run runs work, such as Worker.Run, and protects the instance meanwhile. The context of work ends with ctx, or with the cause
// [ErrTerminating] when the group terminates the instance; work is to drain then, and to return when it has. Give the worker a DrainTimeout
// as long as its handlers may take: the default of 25 s is for an end that does not wait.
//
// After work, Run completes the lifecycle action if the instance is being terminated, and else removes its protection. It repeats what does
// not succeed: a completion for as long as the group can wait, or FinishTimeout from the end of ctx on; the removal for FinishTimeout.
//
// On an instance that is being terminated already, as for a process that was started again, work is not called, and the action completed.
// Run asks for that first, if there is a hook, for Timeout at most.
//
// Run returns what work returns, joined with a *CallError of what could not be done after it. What fails before is told by events and the
// log, and does not stop the work. Nothing of Run is left when it returns. A second call is refused with [ErrAlreadyRun].
func (p *Protector) Run(ctx context.Context, work func(context.Context) error) error {
	if work == nil {
		return &queueworker.FieldError{Field: "work", Rule: "must not be nil"}
	}
	if p.ran.Swap(true) {
		return ErrAlreadyRun
	}
	if p.lookFirst(ctx) {
		return p.finish(ctx)
	}
	err := p.during(ctx, work)
	if end := p.finish(ctx); end != nil {
		return errors.Join(err, end)
	}
	return err
}

// lookFirst keeps work from an instance that is being terminated. What cannot be told soon keeps nothing.
func (p *Protector) lookFirst(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, p.opts.Timeout)
	defer cancel()
	return p.look(ctx)
}

// during runs work with all that protects it.
func (p *Protector) during(ctx context.Context, work func(context.Context) error) error {
	working, end := context.WithCancelCause(ctx)
	defer end(nil)
	// A drain is protected too.
	helping, stop := context.WithCancel(context.WithoutCancel(ctx))
	guarding, unguard := context.WithCancel(helping)
	var helpers sync.WaitGroup
	defer helpers.Wait()
	defer stop()
	defer unguard()
	if !p.opts.HookOnly {
		helpers.Go(func() { p.guard(guarding) })
	}
	if p.opts.Hook != "" {
		helpers.Go(func() {
			p.attend(helping, func() {
				unguard() // nothing can protect it any more
				end(ErrTerminating)
			})
		})
	}
	return work(working)
}

// finish does what is left to do after the work, and goes on for FinishTimeout if ctx has ended, or ends meanwhile.
func (p *Protector) finish(ctx context.Context) error {
	if ctx.Err() == nil {
		if err := p.settle(ctx); err == nil || ctx.Err() == nil {
			return err
		}
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.opts.FinishTimeout)
	defer cancel()
	return p.settle(bounded)
}

// settle lets the group do with the instance what it wants to.
func (p *Protector) settle(ctx context.Context) error {
	switch {
	case p.look(ctx): // the work may have ended before the next look
		return p.complete(ctx)
	case p.opts.HookOnly || p.protection == unprotected:
		return nil
	default:
		return p.unprotect(ctx)
	}
}

// insist repeats a call of the protector until it succeeds, ctx ends, or enough says so, and tells of each failure. It returns the last.
func (p *Protector) insist(ctx context.Context, op string, call func(context.Context) error, enough func(error) bool) error {
	const forever = 1<<63 - 1 // ctx ends it
	return retry.Do(ctx, forever, func(ctx context.Context) error {
		bounded, cancel := context.WithTimeout(ctx, p.opts.Timeout)
		defer cancel()
		if err := call(bounded); err != nil {
			return &CallError{Op: op, Of: p.instance.ID, Err: err}
		}
		return nil
	}, func(err error, _ time.Duration) (retry.Policy, bool) {
		if enough(err) {
			return retry.Policy{}, false
		}
		p.failed(ctx, err)
		return pauses(err), true
	}, nil)
}

// pauses are those between the tries of a call.
func pauses(err error) retry.Policy {
	switch awserr.Of(err) {
	case awserr.Throttle:
		return retry.Throttle()
	case awserr.Transient, awserr.Unsent:
		return retry.Transient()
	case awserr.Pending, awserr.NotFound: // the instance is in no state for it yet
		return retry.Policy{First: 5 * time.Second, Max: 5 * time.Second, Growth: 1, Jitter: 0.2}
	default: // until somebody has put it right
		return retry.Policy{First: 10 * time.Second, Max: time.Minute, Growth: 2, Jitter: 0.5}
	}
}
