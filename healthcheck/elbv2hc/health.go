package elbv2hc

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/awsha/awsha/healthcheck"
	"github.com/awsha/awsha/internal/awserr"
	"github.com/awsha/awsha/internal/retry"
)

// Health is what Elastic Load Balancing says of one registration, without interpretation. Two values are equal if it says the
// same.
type Health struct {
	Target    Target
	CheckPort string // where its checks connect

	State       types.TargetHealthStateEnum
	Reason      types.TargetHealthReasonEnum // empty for a healthy target
	Description string

	// Override is empty unless Elastic Load Balancing says something about a zonal shift. It is beside the state: a target
	// that a zonal shift takes the traffic from is as healthy as before.
	Override            types.TargetAdministrativeOverrideStateEnum
	OverrideReason      types.TargetAdministrativeOverrideReasonEnum
	OverrideDescription string

	// Anomaly and Mitigation are empty unless FollowOptions.Anomalies asks for them.
	Anomaly    types.AnomalyResultEnum
	Mitigation types.MitigationInEffectEnum
}

// String reads like "i-1:80 is unhealthy (Target.Timeout)".
func (h Health) String() string {
	if h.Reason == "" {
		return fmt.Sprintf("%s is %s", h.Target, h.State)
	}
	return fmt.Sprintf("%s is %s (%s)", h.Target, h.State, h.Reason)
}

// Outcome says what the state means to a pool:
//
//   - healthy passes.
//   - unhealthy and unhealthy.draining fail, unless the reason is Elb.InternalError, which is a fault of the load balancer and
//     not of the target.
//   - unused fails where the target is stopped or terminated or its address belongs to a load balancer.
//   - Everything else is Unknown: initial is not known yet; draining targets, and those that are unused because nobody
//     forwards to them or because they are not registered, are not checked; unavailable says that nothing is known.
func (h Health) Outcome() healthcheck.Outcome {
	switch h.State {
	case types.TargetHealthStateEnumHealthy:
		return healthcheck.Pass
	case types.TargetHealthStateEnumUnhealthy, types.TargetHealthStateEnumUnhealthyDraining:
		if h.Reason != types.TargetHealthReasonEnumInternalError {
			return healthcheck.Fail
		}
	}
	if h.dead() {
		return healthcheck.Fail
	}
	return healthcheck.Unknown
}

// absent is the health of what an answer leaves out.
func absent(t Target) Health {
	return Health{
		Target: t, State: types.TargetHealthStateEnumUnused, Reason: types.TargetHealthReasonEnumNotRegistered,
		Description: "Target is not registered to the target group",
	}
}

func (h Health) registered() bool {
	return h.State != types.TargetHealthStateEnumDraining && h.Reason != types.TargetHealthReasonEnumNotRegistered
}

// dead reports whether a target gets no traffic whatever happens to the others.
func (h Health) dead() bool {
	return h.State == types.TargetHealthStateEnumUnused &&
		(h.Reason == types.TargetHealthReasonEnumInvalidState || h.Reason == types.TargetHealthReasonEnumIpUnusable)
}

// describe reads the health of all registrations of a group, by ID and port. There are no pages.
func describe(ctx context.Context, api HealthAPI, timeout time.Duration, in *elbv2.DescribeTargetHealthInput) ([]Health, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	out, err := api.DescribeTargetHealth(ctx, in)
	if err != nil {
		return nil, err
	}
	all := make([]Health, 0, len(out.TargetHealthDescriptions))
	for i := range out.TargetHealthDescriptions {
		if d := &out.TargetHealthDescriptions[i]; d.Target != nil && d.TargetHealth != nil {
			all = append(all, healthOf(d))
		}
	}
	slices.SortFunc(all, func(a, b Health) int { return compareTargets(a.Target, b.Target) })
	return all, nil
}

func healthOf(d *types.TargetHealthDescription) Health {
	h := Health{
		Target: Target{
			ID: aws.ToString(d.Target.Id), Port: uint16(aws.ToInt32(d.Target.Port)), Zone: aws.ToString(d.Target.AvailabilityZone),
		}.canonical(),
		CheckPort: aws.ToString(d.HealthCheckPort),
		State:     d.TargetHealth.State, Reason: d.TargetHealth.Reason, Description: aws.ToString(d.TargetHealth.Description),
	}
	if o := d.AdministrativeOverride; o != nil {
		h.Override, h.OverrideReason, h.OverrideDescription = o.State, o.Reason, aws.ToString(o.Description)
	}
	if a := d.AnomalyDetection; a != nil {
		h.Anomaly, h.Mitigation = a.Result, a.MitigationInEffect
	}
	return h
}

// repeatable chooses the pauses for calls, all of which may be repeated whatever became of them.
func repeatable(err error, _ time.Duration) (retry.Policy, bool) {
	switch awserr.Of(err) {
	case awserr.Throttle:
		return retry.Throttle(), true
	case awserr.Transient, awserr.Unsent:
		return retry.Transient(), true
	}
	return retry.Policy{}, false
}
