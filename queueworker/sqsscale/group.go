package sqsscale

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
)

// Group is what a [Decide] knows of an Auto Scaling group.
type Group struct {
	Name              string
	Min, Max, Desired int
	// InService counts the instances that are in service, Protected those of them that are protected from scale-in, and Changing those on
	// their way into service or out of it.
	InService, Protected, Changing int
	// Suspended are the processes that are suspended, such as "Launch".
	Suspended []string
	// Deleting: the group is being deleted.
	Deleting bool
	// OtherUnits: capacity is not in instances, but in vCPUs, memory or weights.
	OtherUnits bool
	// Refresh is the status of an instance refresh that is under way. Empty: there is none, or nobody has asked.
	Refresh types.InstanceRefreshStatus
}

// suspended tells whether a process of the group is suspended.
func (g *Group) suspended(process string) bool { return slices.Contains(g.Suspended, process) }

// describe reads a group by its name.
func describe(ctx context.Context, api GroupsAPI, name string) (*types.AutoScalingGroup, error) {
	out, err := api.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{name}})
	if err == nil && len(out.AutoScalingGroups) != 1 {
		err = ErrNoGroup
	}
	if err != nil {
		return nil, err
	}
	return &out.AutoScalingGroups[0], nil
}

// read is what matters here of a group.
func read(ctx context.Context, api GroupsAPI, name string) (Group, error) {
	g, err := describe(ctx, api, name)
	if err != nil {
		return Group{}, &CallError{Op: "DescribeAutoScalingGroups", Of: name, Err: err}
	}
	return groupOf(g), nil
}

// groupOf takes what matters here out of a description.
func groupOf(g *types.AutoScalingGroup) Group {
	out := Group{
		Name: aws.ToString(g.AutoScalingGroupName), Deleting: aws.ToString(g.Status) != "", // it has one only then
		Min: int(aws.ToInt32(g.MinSize)), Max: int(aws.ToInt32(g.MaxSize)), Desired: int(aws.ToInt32(g.DesiredCapacity)),
	}
	if u := aws.ToString(g.DesiredCapacityType); u != "" && u != "units" {
		out.OtherUnits = true
	}
	for i := range g.Instances {
		m := &g.Instances[i]
		switch {
		case m.LifecycleState == types.LifecycleStateInService:
			out.InService++
			if aws.ToBool(m.ProtectedFromScaleIn) {
				out.Protected++
			}
		case transient(m.LifecycleState):
			out.Changing++
		}
		if w := aws.ToString(m.WeightedCapacity); w != "" && w != "1" {
			out.OtherUnits = true
		}
	}
	for _, p := range g.SuspendedProcesses {
		out.Suspended = append(out.Suspended, aws.ToString(p.ProcessName))
	}
	return out
}

// InService returns a function that counts the instances of a group that are in service, for ScalerOptions.Instances: the hint then speaks
// of the whole group. Each call of it costs one DescribeAutoScalingGroups. Its error is a *CallError.
func InService(api GroupsAPI, group string) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		g, err := read(ctx, api, group)
		return g.InService, err
	}
}

// transient tells whether an instance in a state is on its way to another: the group has not come to rest. Those on standby, detached or of a
// warm pool stay as they are.
//
// Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html (read 2026-11)
func transient(state types.LifecycleState) bool {
	s := string(state)
	return strings.HasPrefix(s, "Pending") || strings.HasPrefix(s, "Terminating") || strings.HasPrefix(s, "ReplacingRootVolume") ||
		s == "RootVolumeReplaced" || s == "Detaching" || s == "EnteringStandby"
}

// ended tells whether an instance refresh in a status is over. A status that the SDK does not know yet is not: waiting is the safe side.
func ended(s types.InstanceRefreshStatus) bool {
	switch s {
	case types.InstanceRefreshStatusSuccessful, types.InstanceRefreshStatusFailed, types.InstanceRefreshStatusCancelled,
		types.InstanceRefreshStatusRollbackFailed, types.InstanceRefreshStatusRollbackSuccessful:
		return true
	}
	return false
}

// refresh returns the status of the instance refresh of a group that is under way, if there is one. A group has one at a time, and the
// latest is the first.
func refresh(ctx context.Context, api DriverAPI, name string) (types.InstanceRefreshStatus, error) {
	out, err := api.DescribeInstanceRefreshes(ctx, &autoscaling.DescribeInstanceRefreshesInput{AutoScalingGroupName: &name, MaxRecords: aws.Int32(1)})
	if err != nil {
		return "", &CallError{Op: "DescribeInstanceRefreshes", Of: name, Err: err}
	}
	if len(out.InstanceRefreshes) == 0 || ended(out.InstanceRefreshes[0].Status) {
		return "", nil
	}
	return out.InstanceRefreshes[0].Status, nil
}
