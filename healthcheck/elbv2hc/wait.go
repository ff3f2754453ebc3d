package elbv2hc

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/awsha/awsha/internal/awserr"
	"github.com/awsha/awsha/internal/retry"
)

// WaitInService returns nil once every one of the targets has been read as healthy. A target without a port is all
// registrations of its ID.
//
// A target that is unhealthy is waited for: it may recover. What cannot come into service ends the wait with [ErrUnusable],
// after WaitOptions.ReadLag: a group that no listener forwards to or that is not checked, a zone that is not enabled for the
// load balancer, an instance that is stopped or terminated, an address of a load balancer. A target that is not
// registered, or drains, ends it with [ErrNotRegistered], after WaitOptions.RegistrationLag. Throttled and failed calls are
// repeated; [ErrNotFound] and [ErrDenied] end the wait.
//
// All of these and [ErrTimeout] come in a *GroupError, which names the targets that are not in service with their states and
// reasons, as does the end of ctx, with its cause.
//
// Other than the SDK's waiter, it does not take other targets for its own, gives no time away at the end of the timeout, and
// finds a target healthy at most MaxPollInterval after the load balancer has. It makes one DescribeTargetHealth for each
// read.
func WaitInService(ctx context.Context, api HealthAPI, targetGroupARN string, targets []Target, optFns ...func(*WaitOptions)) error {
	return wait(ctx, api, targetGroupARN, targets, optFns, &waiter{
		op: "wait for targets in service of", misplaced: ErrNotRegistered,
		done:    func(h Health) bool { return h.State == types.TargetHealthStateEnumHealthy },
		strange: func(h Health) bool { return !h.registered() },
		hopeless: func(h Health) bool {
			switch h.Reason {
			case types.TargetHealthReasonEnumNotInUse, types.TargetHealthReasonEnumInvalidState,
				types.TargetHealthReasonEnumIpUnusable, types.TargetHealthReasonEnumHealthCheckDisabled:
				return true
			}
			return false
		},
	})
}

// WaitDrained returns nil once none of the targets is read as registered or draining any more, and WaitOptions.AtLeast has
// passed. A target without a port is all registrations of its ID. Deregister the targets first.
//
// Elastic Load Balancing shows a target as draining for the whole deregistration delay of its group, also if it has no
// connection left. One that is still registered after WaitOptions.RegistrationLag ends the wait with [ErrRegistered]: nobody
// has deregistered it, or somebody has registered it again. A group that is deleted meanwhile has drained. Errors and
// calls are otherwise those of [WaitInService].
func WaitDrained(ctx context.Context, api HealthAPI, targetGroupARN string, targets []Target, optFns ...func(*WaitOptions)) error {
	return wait(ctx, api, targetGroupARN, targets, optFns, &waiter{
		op: "wait for targets to drain from", misplaced: ErrRegistered, draining: true,
		done:     func(h Health) bool { return h.Reason == types.TargetHealthReasonEnumNotRegistered },
		strange:  Health.registered,
		hopeless: func(Health) bool { return false },
	})
}

// waiter is one wait: what it waits for, what reads have told, and since when.
type waiter struct {
	op        string
	misplaced error // the kind of what stays strange
	draining  bool  // a group that is gone has drained

	done, strange, hopeless func(Health) bool

	api     HealthAPI
	in      *elbv2.DescribeTargetHealthInput
	targets []Target
	opts    WaitOptions
	start   time.Time
	doubt   map[key]doubt // of registrations that the latest read showed as hopeless or strange
	waiting []Health      // of the latest read, those that are not done
}

// doubt is a registration that may be a reason to give up, since when each read has shown it so.
type doubt struct {
	hopeless bool
	since    time.Time
}

// errWaiting is a read that did not end the wait.
var errWaiting = errors.New("waiting")

func wait(
	ctx context.Context, api HealthAPI, group string, targets []Target, optFns []func(*WaitOptions), w *waiter,
) error {
	opts, errs := waitOptions(optFns)
	targets = canonical(targets)
	errs = append(checkGroup(api, group), errs...)
	if len(targets) == 0 {
		errs = append(errs, &FieldError{"targets", "none", "must name a target"})
	}
	if errs = append(errs, validateTargets("targets", targets, false)...); len(errs) > 0 {
		return joined(errs)
	}
	w.api, w.opts, w.targets = api, opts, targets
	w.in = &elbv2.DescribeTargetHealthInput{TargetGroupArn: aws.String(group)}
	w.start = time.Now()

	err := retry.Do(ctx, opts.Timeout, w.read, func(err error, elapsed time.Duration) (retry.Policy, bool) {
		if errors.Is(err, errWaiting) {
			return opts.polling(), true
		}
		return repeatable(err, elapsed)
	}, nil)
	var ended *GroupError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &ended):
	case errors.Is(err, errWaiting):
		ended = &GroupError{Kind: ErrTimeout}
	default:
		ended = failed("", "", err)
		if _, again := repeatable(err, 0); again && ctx.Err() == nil {
			ended.Kind = ErrTimeout
		}
	}
	if ctx.Err() != nil {
		ended.Kind, ended.Cause = nil, context.Cause(ctx)
	}
	ended.Op, ended.Group, ended.Targets = w.op, group, w.waiting
	return ended
}

// read makes one read. It returns nil at the end of the wait, a *GroupError if it ends without success, and errWaiting or
// the error of the call if it goes on.
func (w *waiter) read(ctx context.Context) error {
	all, err := describe(ctx, w.api, w.opts.CallTimeout, w.in)
	if err != nil {
		if !w.draining || awserr.Missing(err) != awserr.TargetGroup {
			return err
		}
		all = nil
	}
	now := time.Now()
	w.waiting = nil
	var misplaced, hopeless bool
	doubts := map[key]doubt{}
	for _, t := range w.targets {
		for _, h := range of(t, all) {
			if w.done(h) {
				continue
			}
			w.waiting = append(w.waiting, h)
			d := doubt{w.hopeless(h), now}
			if !d.hopeless && !w.strange(h) {
				continue
			}
			if before, known := w.doubt[h.Target.key()]; known && before.hopeless == d.hopeless {
				d = before
			}
			doubts[h.Target.key()] = d
			if d.hopeless {
				hopeless = hopeless || now.Sub(d.since) >= w.opts.ReadLag
				continue
			}
			misplaced = misplaced || now.Sub(w.start) >= w.opts.RegistrationLag &&
				now.Sub(d.since) >= min(w.opts.ReadLag, w.opts.RegistrationLag)
		}
	}
	w.doubt = doubts
	switch {
	case hopeless:
		return &GroupError{Kind: ErrUnusable}
	case misplaced:
		return &GroupError{Kind: w.misplaced}
	case len(w.waiting) > 0 || now.Sub(w.start) < w.opts.AtLeast && w.draining:
		if w.opts.OnPoll != nil {
			w.opts.OnPoll(w.waiting)
		}
		return errWaiting
	}
	return nil
}

// of returns the health of the registrations that a target means, out of those of a group in their order. There is one at
// least. It is a part of all where it can be.
func of(t Target, all []Health) []Health {
	first, _ := slices.BinarySearchFunc(all, t, func(h Health, t Target) int { return compareTargets(h.Target, t) })
	last := first
	for last < len(all) && t.covers(all[last].Target) {
		last++
	}
	if first == last {
		return []Health{absent(t)}
	}
	return all[first:last:last]
}
