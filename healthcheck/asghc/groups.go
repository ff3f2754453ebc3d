package asghc

import (
	"context"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
)

// maxNames is how many instances or groups a describe takes, and returns.
// Source: the SDK's comments on DescribeAutoScalingInstancesInput and DescribeAutoScalingGroupsInput (read 2026-11)
const maxNames = 50

// groups reads the groups in Options.Groups, or those of the instances.
func (r *Replacer) groups(ctx context.Context, instances []string) (all []Group, err error) {
	names := r.opts.Groups
	if len(names) == 0 {
		if names, err = r.groupsOf(ctx, instances); err != nil {
			return nil, err
		}
	}
	for chunk := range slices.Chunk(unique(names), maxNames) {
		in := &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: chunk}
		for more := true; more; more = aws.ToString(in.NextToken) != "" { // an empty one is none, as to the SDK
			var out *autoscaling.DescribeAutoScalingGroupsOutput
			err := r.call(ctx, "DescribeAutoScalingGroups", "", func(ctx context.Context) (err error) {
				out, err = r.api.DescribeAutoScalingGroups(ctx, in)
				return err
			})
			if err != nil {
				return nil, err
			}
			for i := range out.AutoScalingGroups {
				all = append(all, group(&out.AutoScalingGroups[i]))
			}
			in.NextToken = out.NextToken
		}
	}
	return all, nil
}

// groupsOf returns the names of the groups that instances belong to. Instances without one are passed over.
func (r *Replacer) groupsOf(ctx context.Context, instances []string) (names []string, err error) {
	for chunk := range slices.Chunk(unique(instances), maxNames) {
		in := &autoscaling.DescribeAutoScalingInstancesInput{InstanceIds: chunk}
		for more := true; more; more = aws.ToString(in.NextToken) != "" { // an empty one is none, as to the SDK
			var out *autoscaling.DescribeAutoScalingInstancesOutput
			err := r.call(ctx, "DescribeAutoScalingInstances", "", func(ctx context.Context) (err error) {
				out, err = r.api.DescribeAutoScalingInstances(ctx, in)
				return err
			})
			if err != nil {
				return nil, err
			}
			for i := range out.AutoScalingInstances {
				names = append(names, aws.ToString(out.AutoScalingInstances[i].AutoScalingGroupName))
			}
			in.NextToken = out.NextToken
		}
	}
	return names, nil
}

func group(g *types.AutoScalingGroup) Group {
	out := Group{Name: aws.ToString(g.AutoScalingGroupName), Desired: int(aws.ToInt32(g.DesiredCapacity)), Blocked: blocked(g)}
	for i := range g.Instances {
		m := &g.Instances[i]
		weight, _ := strconv.Atoi(aws.ToString(m.WeightedCapacity)) // empty without weights
		out.Instances = append(out.Instances, Instance{
			ID: aws.ToString(m.InstanceId), Zone: aws.ToString(m.AvailabilityZone), ZoneID: aws.ToString(m.AvailabilityZoneId),
			State: string(m.LifecycleState), Healthy: aws.ToString(m.HealthStatus) != "Unhealthy",
			Protected: aws.ToBool(m.ProtectedFromScaleIn), Weight: weight,
		})
	}
	return out
}

// blocked returns why nothing of a group may be marked; empty if something may. That HealthCheck is suspended does not
// matter: it stops the checks of EC2 and of load balancers, not those of others.
// Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-suspend-resume-processes.html (read 2026-11)
func blocked(g *types.AutoScalingGroup) Verdict {
	if aws.ToString(g.Status) != "" { // it has one only then
		return Deleting
	}
	for _, p := range g.SuspendedProcesses {
		switch aws.ToString(p.ProcessName) {
		case "ReplaceUnhealthy", "Terminate", "Launch":
			return Suspended
		}
	}
	if unit := aws.ToString(g.DesiredCapacityType); unit != "" && unit != "units" {
		return OtherUnits
	}
	return ""
}
