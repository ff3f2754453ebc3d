package ec2step

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/awsha/awsha/eip"
	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/internal/awsstep"
	"github.com/awsha/awsha/internal/awserr"
)

// AddressSpec describes a [MoveAddress].
type AddressSpec struct {
	ID       string
	Needs    []string
	Estimate time.Duration // default 2 s
	Timeout  time.Duration // zero is the engine's

	AllocationID string // of the address. Required

	// From is the ID of the instance or network interface that the address may be taken from. Zero is whoever has it when the step begins. Required
	// under [eip.GuardStrict], which takes it from nobody else: a step that is late must not take it from whom another has given it to.
	From failover.Ref

	// To is the ID of the instance or network interface that gets the address. Required.
	To failover.Ref

	Guard    eip.Guard // zero is eip.GuardStrict
	Displace bool      // ends the association of another address with the target: see [eip.Request]

	// Probe asks whether traffic to the address arrives: see [eip.Request]. Nil does not ask.
	Probe func(ctx context.Context, publicIP netip.Addr) error
}

// MoveAddress returns a step that moves an Elastic IP address through package eip with the run's fence, and is done when EC2 shows it on the target.
// If somebody else than From and To has the address, it is impossible.
//
// It costs one DescribeAddresses a look, and what [eip.Remapper.Remap] costs. What a late request can do is the guard's to say: under GuardStrict
// nothing. Undo moves the address back to whoever had it, unless somebody else has it by now; what was displaced stays displaced.
func MoveAddress(api eip.API, s AddressSpec, optFns ...func(*eip.Options)) failover.Step {
	a := &address{api: api, s: s}
	m := awsstep.Mistakes{Needs: s.Needs}
	m.Text("AllocationID", s.AllocationID)
	m.Ref("To", s.To)
	m.IfGiven("From", s.From)
	if s.Guard == eip.GuardStrict && s.From.Zero() {
		m.Add("From", "", "must be given with eip.GuardStrict")
	}
	var err error
	a.remapper, err = eip.New(api, optFns...)
	return failover.NewStep(failover.StepFuncs{
		ID: s.ID, Needs: s.Needs, Plane: failover.PlaneMutate, API: apiEC2, Writes: []string{s.AllocationID},
		Estimate: awsstep.Default(s.Estimate, 2*time.Second), Timeout: s.Timeout,
		Check: a.check, Do: a.do, Undo: a.undo, Ready: a.ready, Mistakes: errors.Join(m.Err(), err),
	})
}

type address struct {
	api      eip.API
	s        AddressSpec
	remapper *eip.Remapper
	strange  awsstep.Patience
}

// held reads who has the address.
func (a *address) held(ctx context.Context, env *failover.Env) (eip.Association, error) {
	const action = "ec2:DescribeAddresses"
	return failover.Share(ctx, env, action+" "+a.s.AllocationID, func(ctx context.Context) (held eip.Association, err error) {
		out, err := awsstep.Call(ctx, action, a.s.AllocationID, a.api.DescribeAddresses,
			&ec2.DescribeAddressesInput{AllocationIds: []string{a.s.AllocationID}})
		if err != nil {
			return held, err
		}
		if len(out.Addresses) != 1 {
			return held, &failover.CallError{Action: action, Resource: a.s.AllocationID, Err: awserr.NoSuch(awserr.Address)}
		}
		v := &out.Addresses[0]
		held = eip.Association{ID: aws.ToString(v.AssociationId), NetworkInterfaceID: aws.ToString(v.NetworkInterfaceId), InstanceID: aws.ToString(v.InstanceId)}
		return held, nil
	})
}

// of tells whether an association is with an instance or interface.
func of(held eip.Association, id string) bool {
	return held.ID != "" && (held.InstanceID == id || held.NetworkInterfaceID == id)
}

func target(id string) eip.Target {
	if len(id) > 4 && id[:4] == "eni-" {
		return eip.Target{NetworkInterfaceID: id}
	}
	return eip.Target{InstanceID: id}
}

func (a *address) check(ctx context.Context, env *failover.Env) (failover.State, error) {
	to, err := a.s.To.Get(env)
	if err != nil {
		return 0, err
	}
	held, err := a.held(ctx, env)
	switch {
	case err != nil:
		return 0, err
	case of(held, to):
		return failover.Done, nil
	case held.ID == "" || a.s.From.Zero():
		return failover.NotDone, nil
	}
	from, err := a.s.From.Get(env)
	if err != nil {
		return 0, err
	}
	if !of(held, from) { // or the read is behind what has just been done
		if a.strange.Over(env) {
			env.Note("%s is on %s", a.s.AllocationID, held)
			return failover.Impossible, nil
		}
		return failover.InProgress, nil
	}
	a.strange.End(env)
	return failover.NotDone, nil
}

func (a *address) do(ctx context.Context, env *failover.Env) error {
	to, err := a.s.To.Get(env)
	if err != nil {
		return err
	}
	req := eip.Request{
		AllocationID: a.s.AllocationID, Target: target(to), Guard: a.s.Guard, Fence: env.Fence, Displace: a.s.Displace, Probe: a.s.Probe,
	}
	held, err := a.held(ctx, env)
	if err != nil {
		return err
	}
	if held.ID != "" && !a.s.From.Zero() {
		from, err := a.s.From.Get(env)
		if err != nil {
			return err
		}
		if !of(held, from) && !of(held, to) { // Check says what follows
			return fmt.Errorf("%s is on %s, and not on %s", a.s.AllocationID, held, from)
		}
	}
	switch {
	case held.ID == "":
		if a.s.Guard != eip.GuardLease {
			req.Guard = eip.GuardFree
		}
	case req.Guard == eip.GuardStrict:
		req.Expect.Association = held
	}
	if env.Outputs()[keyWas] == "" && held.ID != "" && !of(held, to) {
		env.Put(keyWas, held.NetworkInterfaceID)
		if err := env.Save(ctx); err != nil {
			return err
		}
	}
	result, err := a.remapper.Remap(ctx, req)
	if err != nil {
		return verdict(err)
	}
	env.Note("%s: %s -> %s", a.s.AllocationID, result.Before, result.After)
	return nil
}

// verdict marks what a repetition would meet again.
func verdict(err error) error {
	for _, final := range []error{eip.ErrStolen, eip.ErrOccupied, eip.ErrTargetGone} {
		if errors.Is(err, final) {
			return failover.Permanent(err)
		}
	}
	return err
}

func (a *address) undo(ctx context.Context, env *failover.Env) error {
	to, err := a.s.To.Get(env)
	if err != nil {
		return err
	}
	was := env.Outputs()[keyWas]
	held, err := a.held(ctx, env)
	switch {
	case err != nil:
		return err
	case was == "" && of(held, to): // nobody had it
		return a.remapper.Release(ctx, held)
	case was == "" || of(held, was):
		return nil
	case held.ID != "" && !of(held, to):
		return fmt.Errorf("%s has %s: %w", held, a.s.AllocationID, failover.ErrIrreversible)
	}
	req := eip.Request{AllocationID: a.s.AllocationID, Target: target(was), Guard: eip.GuardFree, Fence: env.Fence}
	if held.ID != "" {
		req.Guard, req.Expect.Association = eip.GuardStrict, held
	}
	_, err = a.remapper.Remap(ctx, req)
	if errors.Is(err, eip.ErrTargetGone) {
		return fmt.Errorf("%w: %w", err, failover.ErrIrreversible)
	}
	if err != nil {
		return verdict(err)
	}
	return nil
}

func (a *address) ready(ctx context.Context, env *failover.Env) ([]failover.Finding, error) {
	to, err := a.s.To.Get(env)
	if err != nil {
		return awsstep.NotYetKnown(err)
	}
	req := eip.Request{AllocationID: a.s.AllocationID, Target: target(to), Guard: a.s.Guard, Displace: a.s.Displace}
	if a.s.Guard == eip.GuardLease {
		req.Guard = eip.GuardStrict // which asks for every permission that the lease's needs, and for no fence
	}
	if !a.s.From.Zero() {
		from, err := a.s.From.Get(env)
		if err != nil {
			return awsstep.NotYetKnown(err)
		}
		owner := target(from)
		req.Expect.Association = eip.Association{InstanceID: owner.InstanceID, NetworkInterfaceID: owner.NetworkInterfaceID}
	}
	report, err := a.remapper.Ready(ctx, req)
	if err != nil {
		return nil, err
	}
	var found []failover.Finding
	for _, c := range report.Checks {
		f := failover.Finding{Text: a.s.AllocationID + " to " + to + ": " + c.String()}
		if c.Action != "" {
			f.Text += ": " + c.Action
		}
		switch c.Verdict {
		case eip.Fail:
			f.Level = failover.LevelFail
		case eip.Unknown:
			f.Level = failover.LevelWarn
		}
		found = append(found, f)
	}
	return found, nil
}
