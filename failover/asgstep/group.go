package asgstep

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/internal/awsstep"
)

// apiASG is by which [failover.Options.Limits] counts the steps of this package.
const apiASG = "autoscaling"

// once keeps the SDK from repeating a request: the engine decides about that, after a look.
func once(o *autoscaling.Options) { o.RetryMaxAttempts = 1 }

// ErrNoGroup reports that there is no Auto Scaling group of that name in this account and Region. Auto Scaling leaves out what it does not know.
var ErrNoGroup = errors.New("no such Auto Scaling group")

// group reads an Auto Scaling group, together with other steps that ask for it.
func group(ctx context.Context, env *failover.Env, api API, name string) (*types.AutoScalingGroup, error) {
	const action = "autoscaling:DescribeAutoScalingGroups"
	return failover.Share(ctx, env, action+" "+name, func(ctx context.Context) (*types.AutoScalingGroup, error) {
		out, err := awsstep.Call(ctx, action, name, api.DescribeAutoScalingGroups, &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{name}})
		if err != nil {
			return nil, err
		}
		for i := range out.AutoScalingGroups {
			if g := &out.AutoScalingGroups[i]; aws.ToString(g.AutoScalingGroupName) == name {
				return g, nil
			}
		}
		return nil, failover.Permanent(&failover.CallError{Action: action, Resource: name, Err: ErrNoGroup})
	})
}

// member returns an instance of a group; nil if it is none of it.
func member(g *types.AutoScalingGroup, id string) *types.Instance {
	for i := range g.Instances {
		if aws.ToString(g.Instances[i].InstanceId) == id {
			return &g.Instances[i]
		}
	}
	return nil
}

// leaves tells whether an instance is on its way out of the group for good.
func leaves(i *types.Instance) bool {
	return i == nil || strings.HasPrefix(string(i.LifecycleState), "Terminat") || i.LifecycleState == types.LifecycleStateDetaching ||
		i.LifecycleState == types.LifecycleStateDetached
}

// resolve returns the IDs of instances.
func resolve(env *failover.Env, refs []failover.Ref) ([]string, error) {
	var ids []string
	for _, r := range refs {
		text, err := r.Get(env)
		if err != nil {
			return nil, err
		}
		ids = append(ids, strings.Split(text, ",")...) // InstancesKey has several
	}
	return ids, nil
}

// checkRefs checks a group and its instances.
func checkRefs(m *awsstep.Mistakes, group string, instances []failover.Ref) {
	m.Text("Group", group)
	if len(instances) == 0 {
		m.Add("Instances", len(instances), "instances: must have at least one")
	}
	for i, r := range instances {
		m.Ref(fmt.Sprintf("Instances[%d]", i), r)
	}
}

// groupReady tells whether there is such a group, and what hinders launches.
func groupReady(g *types.AutoScalingGroup) []failover.Finding {
	name := aws.ToString(g.AutoScalingGroupName)
	found := []failover.Finding{{Text: fmt.Sprintf("%s has %d instances, wants %d of %d to %d", name, len(g.Instances), aws.ToInt32(g.DesiredCapacity),
		aws.ToInt32(g.MinSize), aws.ToInt32(g.MaxSize))}}
	for _, p := range g.SuspendedProcesses {
		found = append(found, failover.Finding{Level: failover.LevelWarn, Text: fmt.Sprintf("%s: the process %s is suspended", name, aws.ToString(p.ProcessName))})
	}
	if d := g.AvailabilityZoneDistribution; d != nil && d.CapacityDistributionStrategy == types.CapacityDistributionStrategyBalancedOnly {
		found = append(found, failover.Finding{
			Level: failover.LevelWarn, Text: name + " is balanced-only: it goes on launching into a zone that is down, and not elsewhere",
		})
	}
	return found
}
