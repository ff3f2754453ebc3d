package main

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/eip"
	"github.com/awsha/awsha/failover"
)

// The steps of the plan.
const (
	stepStop   = "stop-primary"
	stepRemap  = "remap-address"
	stepLabel  = "label-standby"
	stepVerify = "verify"
)

// plan stops the primary, so that it certainly serves nobody any more, and moves its address:
//
//	stop-primary -> remap-address -> verify
//	stop-primary -> label-standby
//
// Every controller makes it with its own clients. The journal tells a controller that takes over what has been done.
func (s *service) plan(api *ec2.Client, verify func(context.Context) bool) (failover.Plan, error) {
	remapper, err := eip.New(api)
	if err != nil {
		return failover.Plan{}, err
	}
	steps := []failover.StepFuncs{
		{
			ID: stepStop, Plane: failover.PlaneMutate, Estimate: 3 * time.Second, Writes: []string{s.primary.id}, API: "ec2",
			Check: func(ctx context.Context, _ *failover.Env) (failover.State, error) { return s.stopped(ctx, api) },
			Do: func(ctx context.Context, env *failover.Env) error {
				if err := env.Valid(); err != nil {
					return err
				}
				if err := s.stop(ctx, api); err != nil {
					return err
				}
				return failover.ErrInProgress
			},
		},
		{
			ID: stepRemap, Needs: []string{stepStop}, Plane: failover.PlaneMutate, Estimate: 100 * time.Millisecond, Writes: []string{s.allocation}, API: "ec2",
			Check: func(ctx context.Context, _ *failover.Env) (failover.State, error) { return s.remapped(ctx, api) },
			Do: func(ctx context.Context, env *failover.Env) error {
				_, err := remapper.Remap(ctx, eip.Request{AllocationID: s.allocation, Target: eip.Target{NetworkInterfaceID: s.standby.eni}, Fence: env.Fence})
				return err
			},
		},
		{
			ID: stepLabel, Needs: []string{stepStop}, Plane: failover.PlaneMutate, Estimate: 50 * time.Millisecond, Writes: []string{s.standby.id}, API: "ec2",
			Check: func(ctx context.Context, _ *failover.Env) (failover.State, error) { return s.labelled(ctx, api) },
			Do: func(ctx context.Context, env *failover.Env) error {
				if err := env.Valid(); err != nil {
					return err
				}
				_, err := api.CreateTags(ctx, &ec2.CreateTagsInput{
					Resources: []string{s.standby.id}, Tags: []types.Tag{{Key: aws.String("role"), Value: aws.String("primary")}},
				})
				return err
			},
		},
		{
			ID: stepVerify, Needs: []string{stepRemap}, Plane: failover.PlaneData, Estimate: 50 * time.Millisecond,
			Check: func(ctx context.Context, _ *failover.Env) (failover.State, error) {
				if verify(ctx) {
					return failover.Done, nil
				}
				return failover.InProgress, nil
			},
		},
	}
	p := failover.Plan{Service: "checkout", Budget: 5 * time.Minute}
	for _, f := range steps {
		p.Steps = append(p.Steps, failover.NewStep(f))
	}
	return p, nil
}

func (s *service) stopped(ctx context.Context, api *ec2.Client) (failover.State, error) {
	inst, err := describe(ctx, api, s.primary.id)
	if err != nil {
		return 0, err
	}
	switch inst.State.Name {
	case types.InstanceStateNameStopped, types.InstanceStateNameTerminated:
		return failover.Done, nil
	case types.InstanceStateNameStopping, types.InstanceStateNameShuttingDown:
		return failover.InProgress, nil
	default:
		return failover.NotDone, nil
	}
}

func (s *service) remapped(ctx context.Context, api *ec2.Client) (failover.State, error) {
	out, err := api.DescribeAddresses(ctx, &ec2.DescribeAddressesInput{AllocationIds: []string{s.allocation}})
	if err != nil {
		return 0, err
	}
	if len(out.Addresses) != 1 {
		return 0, fmt.Errorf("%d addresses for %s", len(out.Addresses), s.allocation)
	}
	if aws.ToString(out.Addresses[0].NetworkInterfaceId) == s.standby.eni {
		return failover.Done, nil
	}
	return failover.NotDone, nil
}

func (s *service) labelled(ctx context.Context, api *ec2.Client) (failover.State, error) {
	inst, err := describe(ctx, api, s.standby.id)
	if err != nil {
		return 0, err
	}
	for _, t := range inst.Tags {
		if aws.ToString(t.Key) == "role" && aws.ToString(t.Value) == "primary" {
			return failover.Done, nil
		}
	}
	return failover.NotDone, nil
}
