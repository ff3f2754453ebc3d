package main

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/awsha/awsha/eip"
	"github.com/awsha/awsha/failover"
)

// plan moves the service from one node to another:
//
//	remap-address
//	register-target -> deregister-target
//
// The new node gets traffic before the old one loses its registration. Every
// step reads before it writes, so that an execution that was cut short can be
// taken up again. call is what a call to AWS takes.
func (s *service) plan(from, to node, call time.Duration) failover.Plan {
	steps := []failover.Step{s.remapStep(from, to, call)}
	if s.targetGroup != "" {
		steps = append(steps,
			s.registrationStep("register-target", nil, to, call, true),
			s.registrationStep("deregister-target", []string{"register-target"}, from, call, false))
	}
	return failover.Plan{Service: "zone-outage", Steps: steps, Budget: time.Minute}
}

// remapStep takes the address from the node given and from nobody else: what
// another controller has moved elsewhere stays there.
func (s *service) remapStep(from, to node, call time.Duration) failover.Step {
	target := eip.Target{NetworkInterfaceID: to.Interface}
	return failover.NewStep(failover.StepFuncs{
		ID: "remap-address", Plane: failover.PlaneMutate, Writes: []string{s.allocation},
		Estimate: 4 * call, // read, disassociate, associate, verify
		Check: func(ctx context.Context, _ *failover.Env) (failover.State, error) {
			held, err := s.association(ctx)
			switch {
			case err != nil:
				return 0, err
			case held.NetworkInterfaceID == to.Interface:
				return failover.Done, nil
			case held.NetworkInterfaceID != from.Interface && held.ID != "":
				return failover.Impossible, nil // somebody else has it
			}
			return failover.NotDone, nil
		},
		Do: func(ctx context.Context, env *failover.Env) error {
			if err := env.Valid(); err != nil {
				return err
			}
			expect, guard := s.expect(from)
			result, err := s.remapper.Remap(ctx, eip.Request{AllocationID: s.allocation, Target: target, Expect: expect, Guard: guard})
			if err != nil {
				return err
			}
			env.Note("%s: %s -> %s", s.allocation, result.Before, result.After)
			return nil
		},
	})
}

// expect names the association that the address may be taken from: the last
// one that was read, if it is the node's, and otherwise whatever is.
func (s *service) expect(from node) (eip.Expect, eip.Guard) {
	held := s.lastRead.Load()
	switch {
	case held == nil:
		return eip.Expect{Association: eip.Association{NetworkInterfaceID: from.Interface}}, eip.GuardStrict
	case held.ID == "":
		return eip.Expect{}, eip.GuardFree
	case held.NetworkInterfaceID != from.Interface: // somebody else's: not to be taken
		return eip.Expect{Association: eip.Association{NetworkInterfaceID: from.Interface}}, eip.GuardStrict
	}
	return eip.Expect{Association: *held}, eip.GuardStrict
}

// association reads who holds the address.
func (s *service) association(ctx context.Context) (eip.Association, error) {
	out, err := s.ec2.DescribeAddresses(ctx, &ec2.DescribeAddressesInput{AllocationIds: []string{s.allocation}})
	if err != nil {
		return eip.Association{}, err
	}
	if len(out.Addresses) != 1 {
		return eip.Association{}, fmt.Errorf("%d addresses for %s", len(out.Addresses), s.allocation)
	}
	a := out.Addresses[0]
	held := eip.Association{ID: aws.ToString(a.AssociationId), NetworkInterfaceID: aws.ToString(a.NetworkInterfaceId), InstanceID: aws.ToString(a.InstanceId)}
	s.lastRead.Store(&held)
	return held, nil
}

// registrationStep registers a node with the target group, or takes it out.
func (s *service) registrationStep(id string, needs []string, n node, call time.Duration, wanted bool) failover.Step {
	return failover.NewStep(failover.StepFuncs{
		ID: id, Needs: needs, Plane: failover.PlaneMutate, Writes: []string{s.targetGroup + "/" + n.ID},
		Estimate: 2 * call, // read, write
		Check: func(ctx context.Context, _ *failover.Env) (failover.State, error) {
			registered, err := s.registered(ctx, n)
			if err != nil {
				return 0, err
			}
			if registered == wanted {
				return failover.Done, nil
			}
			return failover.NotDone, nil
		},
		Do: func(ctx context.Context, env *failover.Env) error {
			if err := env.Valid(); err != nil {
				return err
			}
			if wanted {
				_, err := s.elb.RegisterTargets(ctx, &elbv2.RegisterTargetsInput{TargetGroupArn: aws.String(s.targetGroup), Targets: targets(n.ID)})
				return err
			}
			_, err := s.elb.DeregisterTargets(ctx, &elbv2.DeregisterTargetsInput{TargetGroupArn: aws.String(s.targetGroup), Targets: targets(n.ID)})
			return err
		},
	})
}

// registered tells whether a node is in the target group, and not on its way
// out.
func (s *service) registered(ctx context.Context, n node) (bool, error) {
	out, err := s.elb.DescribeTargetHealth(ctx, &elbv2.DescribeTargetHealthInput{TargetGroupArn: aws.String(s.targetGroup), Targets: targets(n.ID)})
	if err != nil {
		return false, err
	}
	for _, t := range out.TargetHealthDescriptions {
		h := t.TargetHealth
		if h.State == elbtypes.TargetHealthStateEnumDraining || h.Reason == elbtypes.TargetHealthReasonEnumNotRegistered {
			return false, nil
		}
	}
	return len(out.TargetHealthDescriptions) > 0, nil
}
