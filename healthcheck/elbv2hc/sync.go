package elbv2hc

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/smithy-go"

	"github.com/awsha/awsha/internal/awserr"
	"github.com/awsha/awsha/internal/retry"
)

const opSync = "sync"

// Syncer keeps the registrations of a target group equal to what is wanted. Make one with [NewSyncer]; all methods are safe
// for concurrent use, and syncs of one Syncer run one after the other.
type Syncer struct {
	api    SyncAPI
	group  string
	opts   SyncOptions
	ran    chan struct{} // holds one token until Run takes it
	turn   chan struct{} // holds one token while no Sync runs
	memory memory        // of who has the turn
}

// NewSyncer returns a Syncer of a target group. It makes no call. Every mistake is a *FieldError of the error that it
// returns.
func NewSyncer(api SyncAPI, targetGroupARN string, optFns ...func(*SyncOptions)) (*Syncer, error) {
	opts, errs := syncOptions(optFns)
	if errs = append(checkGroup(api, targetGroupARN), errs...); len(errs) > 0 {
		return nil, joined(errs)
	}
	s := &Syncer{
		api: api, group: targetGroupARN, opts: opts,
		ran: make(chan struct{}, 1), turn: make(chan struct{}, 1),
		memory: newMemory(opts.RegistrationLag),
	}
	s.ran <- struct{}{}
	s.turn <- struct{}{}
	return s, nil
}

// Sync makes the group's targets equal to those wanted: it reads what is registered, registers what is missing, and then
// deregisters what is too much. Only targets that differ are in a call. Where nothing differs it costs one call.
//
// It is refused as a whole, with [ErrTooMany], if it would deregister more than SyncOptions allow, or all. Targets that are
// stopped or terminated do not count: they serve nobody.
//
// A wanted target that drains is registered again. Where a call is refused because of some of its targets, the others are
// sent without them, and each is a *TargetError of the *GroupError that Sync returns; the result says what was done. Those that
// no message names cost some 13 calls each; one Sync finds ten of them, and refuses others together with what is in their
// calls, to go on in the next Sync from there. If the
// group or the load balancer has no room for new targets, what is too much goes first. Throttled and failed calls are
// repeated, for SyncOptions.RetryTimeout: registering and deregistering can be. A Sync that ends early has
// deregistered nothing that it was to replace; the next one goes on from there.
func (s *Syncer) Sync(ctx context.Context, want []Target) (SyncResult, error) {
	want = slices.Clone(want)
	for i, t := range want {
		want[i] = s.complete(t)
	}
	if errs := validateTargets("want", want, true); len(errs) > 0 {
		return SyncResult{}, joined(errs)
	}
	select {
	case <-s.turn:
		defer func() { s.turn <- struct{}{} }()
	case <-ctx.Done():
		return SyncResult{}, &GroupError{Op: opSync, Group: s.group, Cause: context.Cause(ctx)}
	}
	result, err := s.sync(ctx, want)
	if err != nil {
		err.Op, err.Group = opSync, s.group
		if ctx.Err() != nil {
			err.Cause = context.Cause(ctx)
		}
		return result, err
	}
	return result, nil
}

// complete returns a wanted target as a registration has it.
func (s *Syncer) complete(t Target) Target {
	if t.Port == 0 && !isLambda(t.ID) {
		t.Port = s.opts.Port
	}
	return t.canonical()
}

// sync does it, for who has the turn.
func (s *Syncer) sync(ctx context.Context, want []Target) (SyncResult, *GroupError) {
	var all []Health
	if err := s.retry(ctx, func(ctx context.Context) (err error) {
		in := &elbv2.DescribeTargetHealthInput{TargetGroupArn: aws.String(s.group)}
		all, err = describe(ctx, s.api, s.opts.CallTimeout, in)
		return err
	}); err != nil {
		return SyncResult{}, failed("", "", err)
	}
	s.memory.forget()
	p := makePlan(want, all, s.memory.own, s.opts.Owns)
	result := SyncResult{Unchanged: p.unchanged, OtherZone: p.otherZone, DryRun: s.opts.DryRun}
	if p.tooMany(0, &s.opts) {
		return result, &GroupError{Kind: ErrTooMany, Targets: about(p.remove, all)}
	}
	if s.opts.DryRun {
		result.Registered, result.Deregistered = p.add, p.remove
		return result, nil
	}
	return s.carryOut(ctx, &p, want, all, result)
}

// carryOut registers, waits and deregisters.
func (s *Syncer) carryOut(
	ctx context.Context, p *plan, want []Target, all []Health, result SyncResult,
) (SyncResult, *GroupError) {
	s.memory.expect(want, p.add, all)
	add := s.newBatch(opRegister)
	defer func() { s.memory.remember(add.done, true) }()
	err := add.send(ctx, s.memory.guiltyLast(p.add))
	result.Registered = sortTargets(slices.Clone(add.done))
	if err != nil {
		return result, withRefused(failed("", "", err), add)
	}
	s.memory.blame(add)
	if p.tooMany(len(add.refused), &s.opts) {
		return result, withRefused(&GroupError{Kind: ErrTooMany, Targets: about(p.remove, all)}, add)
	}
	if err := s.inService(ctx, s.memory.waiting(want, all, add), p.remove); err != nil {
		return result, withRefused(err, add)
	}
	remove := s.newBatch(opDeregister)
	err = remove.send(ctx, p.remove)
	s.memory.remember(remove.done, false)
	result.Deregistered = remove.done
	if err != nil {
		return result, withRefused(failed("", "", err), add, remove)
	}
	if len(remove.done) > 0 { // there is room now for what did not fit
		err := add.send(ctx, add.noRoom())
		result.Registered = sortTargets(slices.Clone(add.done))
		if err != nil {
			return result, withRefused(failed("", "", err), add, remove)
		}
	}
	if len(add.refused)+len(remove.refused) > 0 {
		return result, withRefused(&GroupError{}, add, remove)
	}
	return result, nil
}

// inService waits for new targets before others go.
func (s *Syncer) inService(ctx context.Context, fresh, remove []Target) *GroupError {
	if s.opts.InService == 0 || len(fresh) == 0 || len(remove) == 0 {
		return nil
	}
	err := WaitInService(ctx, s.api, s.group, withoutZones(fresh), func(o *WaitOptions) {
		o.Timeout, o.CallTimeout = s.opts.InService, s.opts.CallTimeout
	})
	if err == nil {
		clear(s.memory.fresh)
		return nil
	}
	var ended *GroupError
	if !errors.As(err, &ended) {
		ended = &GroupError{Err: err}
	}
	return ended
}

func withoutZones(targets []Target) []Target {
	out := slices.Clone(targets)
	for i := range out {
		out[i].Zone = ""
	}
	return out
}

// withRefused adds what batches were refused to an error.
func withRefused(err *GroupError, batches ...*batch) *GroupError {
	for _, b := range batches {
		err.Refused = append(err.Refused, b.refused...)
	}
	return err
}

// about returns the health of targets.
func about(targets []Target, all []Health) []Health {
	var out []Health
	for _, t := range targets {
		out = append(out, of(t, all)...)
	}
	return out
}

func (s *Syncer) retry(ctx context.Context, call func(context.Context) error) error {
	return retry.Do(ctx, s.opts.RetryTimeout, call, repeatable, nil)
}

// aboutTargets reports whether a call was refused because of what is in it, so that a part of it may be accepted.
func aboutTargets(err error) bool {
	switch awserr.Of(err) {
	case awserr.Quota:
		return true
	case awserr.Terminal: // but not what never left this machine, such as a call without credentials
		return errors.As(err, new(smithy.APIError))
	case awserr.NotFound:
		return awserr.Missing(err) == awserr.Target
	}
	return false
}
