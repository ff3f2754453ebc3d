package elbstep

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/internal/awsstep"
)

// apiELB is by which [failover.Options.Limits] counts the steps of this package.
const apiELB = "elasticloadbalancing"

// Target names a registration in a target group.
type Target struct {
	// ID is an instance ID, an IP address, or the ARN of an Application Load Balancer.
	ID failover.Ref

	// Port is where the target gets traffic. Zero is the port of the group where a target is registered, and all registrations of the ID everywhere
	// else.
	Port uint16

	// Zone is the name of an Availability Zone or "all": for an address outside of the VPC, as RegisterTargets demands. Empty for all others.
	Zone string
}

var (
	// ErrUnusable reports that targets will not be in service however long one waits: their group is not in use or not checked, their zone is
	// not enabled, they are stopped or terminated, or their address cannot be a target.
	ErrUnusable = errors.New("unusable")

	// ErrTooFew reports that a deregistration would leave fewer healthy targets than DeregisterSpec.MinHealthy.
	ErrTooFew = errors.New("too few healthy targets would be left")
)

// registration is a target whose ID is known.
type registration struct {
	id   string
	port uint16 // zero is any
	zone string
}

func (r registration) String() string {
	if r.port == 0 {
		return r.id
	}
	return r.id + ":" + strconv.Itoa(int(r.port))
}

func (r registration) is(h *types.TargetHealthDescription) bool {
	return h.Target != nil && aws.ToString(h.Target.Id) == r.id && (r.port == 0 || int32(r.port) == aws.ToInt32(h.Target.Port))
}

func (r registration) describe() types.TargetDescription {
	t := types.TargetDescription{Id: aws.String(r.id)}
	if r.port != 0 {
		t.Port = aws.Int32(int32(r.port))
	}
	if r.zone != "" {
		t.AvailabilityZone = aws.String(r.zone)
	}
	return t
}

func resolve(env *failover.Env, targets []Target) ([]registration, error) {
	all := make([]registration, len(targets))
	for i, t := range targets {
		id, err := t.ID.Get(env)
		if err != nil {
			return nil, err
		}
		all[i] = registration{id, t.Port, t.Zone}
	}
	return all, nil
}

func names(all []registration) string {
	text := make([]string, len(all))
	for i, r := range all {
		text[i] = r.String()
	}
	return strings.Join(text, ", ")
}

// members reads a whole group, together with other steps that ask for it.
func members(ctx context.Context, env *failover.Env, api HealthAPI, group string) ([]types.TargetHealthDescription, error) {
	const action = "elasticloadbalancing:DescribeTargetHealth"
	return failover.Share(ctx, env, action+" "+group, func(ctx context.Context) ([]types.TargetHealthDescription, error) {
		out, err := awsstep.Call(ctx, action, group, api.DescribeTargetHealth, &elbv2.DescribeTargetHealthInput{TargetGroupArn: aws.String(group)})
		if err != nil {
			return nil, err
		}
		all := slices.DeleteFunc(out.TargetHealthDescriptions, func(h types.TargetHealthDescription) bool {
			return h.Target == nil || h.TargetHealth == nil || h.TargetHealth.Reason == types.TargetHealthReasonEnumNotRegistered
		})
		return all, nil
	})
}

// registered tells whether a registration is there, and not on its way out.
func registered(all []types.TargetHealthDescription, r registration) bool {
	return slices.ContainsFunc(all, func(h types.TargetHealthDescription) bool { return r.is(&h) && !drains(&h) })
}

func drains(h *types.TargetHealthDescription) bool {
	return h.TargetHealth.State == types.TargetHealthStateEnumDraining || h.TargetHealth.State == types.TargetHealthStateEnumUnhealthyDraining
}

// unusable tells why a target will not be in service, and is empty if it may.
func unusable(h *types.TargetHealthDescription) string {
	switch h.TargetHealth.Reason {
	case types.TargetHealthReasonEnumNotInUse, types.TargetHealthReasonEnumInvalidState, types.TargetHealthReasonEnumIpUnusable,
		types.TargetHealthReasonEnumHealthCheckDisabled:
		return fmt.Sprintf("%s: %s", h.TargetHealth.Reason, aws.ToString(h.TargetHealth.Description))
	}
	return ""
}

func checkSpec(group string, targets []Target, needs []string) error {
	m := awsstep.Mistakes{Needs: needs}
	if !strings.HasPrefix(group, "arn:") {
		m.Add("TargetGroup", group, "must be the ARN of a target group")
	}
	if len(targets) == 0 {
		m.Add("Targets", len(targets), "targets: must have at least one")
	}
	for i, t := range targets {
		m.Ref(fmt.Sprintf("Targets[%d].ID", i), t.ID)
	}
	return m.Err()
}

// written names the registrations, where they are known when the plan is made.
func written(group string, targets []Target) []string {
	var all []string
	for _, t := range targets {
		if id, ok := t.ID.Text(); ok {
			all = append(all, group+" "+registration{id, t.Port, ""}.String())
		}
	}
	return all
}

// health tells how many targets of a group are healthy.
func health(all []types.TargetHealthDescription) (healthy int) {
	for i := range all {
		if all[i].TargetHealth.State == types.TargetHealthStateEnumHealthy {
			healthy++
		}
	}
	return healthy
}

// groupFinding tells what a group is worth now.
func groupFinding(group string, all []types.TargetHealthDescription) failover.Finding {
	healthy := health(all)
	f := failover.Finding{Text: fmt.Sprintf("%s: %d of %d targets are healthy", group, healthy, len(all))}
	for i := range all {
		if why := unusable(&all[i]); all[i].TargetHealth.Reason == types.TargetHealthReasonEnumNotInUse {
			f.Level, f.Text = failover.LevelFail, f.Text+": "+why
			return f
		}
	}
	if healthy == 0 {
		f.Level, f.Text = failover.LevelWarn, f.Text+": a load balancer without a healthy target sends traffic to all of them, so that what answers proves nothing"
	}
	return f
}
