package autoscalingsvc

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/asgmodel"
)

func (s *service) addDescribe(e *awstest.Endpoint) {
	awstest.Handle(e, s.describeAutoScalingGroups, "AutoScalingGroupNames", "Filters", "IncludeInstances", "MaxRecords", "NextToken")
	awstest.Handle(e, s.describeAutoScalingInstances, "InstanceIds", "MaxRecords", "NextToken")
	awstest.Handle(e, s.describeInstanceRefreshes, "AutoScalingGroupName", "MaxRecords", "NextToken")
	awstest.Handle(e, s.describeAccountLimits)
}

func (s *service) describeAutoScalingGroups(_ *awstest.Tx, call *awstest.Call, in *autoscaling.DescribeAutoScalingGroupsInput) (*autoscaling.DescribeAutoScalingGroupsOutput, error) {
	match, err := tagFilter(in.Filters)
	if err != nil {
		return nil, err
	}
	var list []*asgmodel.Group
	for name, g := range s.region(call).Groups(call.At) {
		if wanted(in.AutoScalingGroupNames, name) && match(g) {
			list = append(list, g)
		}
	}
	list, next, err := page(pagesOfGroups, list, in.NextToken, in.MaxRecords)
	if err != nil {
		return nil, err
	}
	members := map[string][]types.Instance{}
	if in.IncludeInstances == nil || *in.IncludeInstances {
		for _, m := range s.region(call).Members(call.At) {
			members[m.Group] = append(members[m.Group], showInstance(m))
		}
	}
	out := &autoscaling.DescribeAutoScalingGroupsOutput{AutoScalingGroups: []types.AutoScalingGroup{}, NextToken: next}
	for _, g := range list {
		shown := showGroup(g)
		shown.Instances = members[g.Name]
		out.AutoScalingGroups = append(out.AutoScalingGroups, shown)
	}
	return out, nil
}

// describeInstanceRefreshes finds none, as none can be started here.
func (s *service) describeInstanceRefreshes(_ *awstest.Tx, call *awstest.Call, in *autoscaling.DescribeInstanceRefreshesInput) (*autoscaling.DescribeInstanceRefreshesOutput, error) {
	if _, err := s.region(call).Group(call.At, aws.ToString(in.AutoScalingGroupName)); err != nil {
		return nil, err
	}
	list, next, err := page(pagesOfGroups, []types.InstanceRefresh{}, in.NextToken, in.MaxRecords)
	if err != nil {
		return nil, err
	}
	return &autoscaling.DescribeInstanceRefreshesOutput{InstanceRefreshes: list, NextToken: next}, nil
}

// tagFilter reads filters by tags. Each must match; of the values of one, any.
// Source: https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_Filter.html (read 2026-11)
func tagFilter(filters []types.Filter) (func(*asgmodel.Group) bool, error) {
	for _, f := range filters {
		name := aws.ToString(f.Name)
		if name != "tag-key" && name != "tag-value" && !strings.HasPrefix(name, "tag:") {
			return nil, invalid("Filter type %s is not correct. Allowed Filter types are: tag-key, tag-value, tag:<key>", name)
		}
	}
	one := func(f types.Filter, t asgmodel.Tag) bool {
		switch name := aws.ToString(f.Name); name {
		case "tag-key":
			return slices.Contains(f.Values, t.Key)
		case "tag-value":
			return slices.Contains(f.Values, t.Value)
		default:
			return name == "tag:"+t.Key && slices.Contains(f.Values, t.Value)
		}
	}
	return func(g *asgmodel.Group) bool {
		for _, f := range filters {
			if !slices.ContainsFunc(g.Tags, func(t asgmodel.Tag) bool { return one(f, t) }) {
				return false
			}
		}
		return true
	}, nil
}

func showGroup(group *asgmodel.Group) types.AutoScalingGroup {
	shown := *group // whoever asks may write into what it gets
	g := &shown
	out := types.AutoScalingGroup{
		AutoScalingGroupName: &g.Name, AutoScalingGroupARN: &g.ARN, CreatedTime: &g.Created, Status: optional(g.Status),
		LaunchTemplate: showTemplate(g.Template),
		MinSize:        aws.Int32(int32(g.Min)), MaxSize: aws.Int32(int32(g.Max)), DesiredCapacity: aws.Int32(int32(g.Desired)),
		HealthCheckType: &g.HealthCheckType, HealthCheckGracePeriod: inSeconds(g.Grace), DefaultCooldown: inSeconds(g.Cooldown),
		NewInstancesProtectedFromScaleIn: &g.ProtectNew, TerminationPolicies: slices.Clone(g.Policies),
		AvailabilityZoneDistribution: &types.AvailabilityZoneDistribution{CapacityDistributionStrategy: types.CapacityDistributionStrategyBalancedBestEffort},
	}
	if g.Warmup != nil {
		out.DefaultInstanceWarmup = inSeconds(*g.Warmup)
	}
	var subnets []string
	for _, z := range g.Zones {
		out.AvailabilityZones = append(out.AvailabilityZones, z.Name())
		out.AvailabilityZoneIds = append(out.AvailabilityZoneIds, z.ID())
	}
	for _, subnet := range g.Subnets {
		subnets = append(subnets, subnet.ID)
	}
	if !g.ByZone {
		out.VPCZoneIdentifier = aws.String(strings.Join(subnets, ","))
	}
	if g.BalancedOnly {
		out.AvailabilityZoneDistribution.CapacityDistributionStrategy = types.CapacityDistributionStrategyBalancedOnly
	}
	if p := g.Impairment; p != nil {
		out.AvailabilityZoneImpairmentPolicy = &types.AvailabilityZoneImpairmentPolicy{
			ZonalShiftEnabled: aws.Bool(p.ShiftEnabled), ImpairedZoneHealthCheckBehavior: types.ImpairedZoneHealthCheckBehavior(p.Behavior),
		}
	}
	if p := g.Maintenance; p != nil {
		out.InstanceMaintenancePolicy = &types.InstanceMaintenancePolicy{
			MinHealthyPercentage: aws.Int32(int32(p.Min)), MaxHealthyPercentage: aws.Int32(int32(p.Max)),
		}
	}
	for _, s := range g.Suspended {
		out.SuspendedProcesses = append(out.SuspendedProcesses, types.SuspendedProcess{ProcessName: aws.String(s.Process), SuspensionReason: aws.String(s.Reason)})
	}
	for _, s := range g.Sources {
		if !s.Traffic {
			out.TargetGroupARNs = append(out.TargetGroupARNs, s.ARN)
		}
		out.TrafficSources = append(out.TrafficSources, types.TrafficSourceIdentifier{Identifier: aws.String(s.ARN), Type: aws.String(elbv2)})
	}
	for _, t := range g.Tags {
		out.Tags = append(out.Tags, showTag(g.Name, t))
	}
	return out
}

func showTemplate(t asgmodel.Template) *types.LaunchTemplateSpecification {
	if t.ID == "" {
		return nil
	}
	return &types.LaunchTemplateSpecification{LaunchTemplateId: &t.ID, LaunchTemplateName: &t.Name, Version: &t.Version}
}

// The words for health. DescribeAutoScalingInstances writes them in capitals.
// Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-enter-exit-standby.html (read 2026-11)
const (
	healthy   = "Healthy"
	unhealthy = "Unhealthy"
)

func healthOf(m asgmodel.Member) string {
	if m.Unhealthy {
		return unhealthy
	}
	return healthy
}

func showInstance(m asgmodel.Member) types.Instance {
	return types.Instance{
		InstanceId: &m.ID, InstanceType: &m.Type, AvailabilityZone: aws.String(m.Zone.Name()), AvailabilityZoneId: aws.String(m.Zone.ID()),
		LifecycleState: types.LifecycleState(m.State), HealthStatus: aws.String(healthOf(m)),
		ProtectedFromScaleIn: &m.Protected, LaunchTemplate: showTemplate(m.Template),
	}
}

func (s *service) describeAutoScalingInstances(_ *awstest.Tx, call *awstest.Call, in *autoscaling.DescribeAutoScalingInstancesInput) (*autoscaling.DescribeAutoScalingInstancesOutput, error) {
	if len(in.InstanceIds) > pagesOfInstances.most {
		return nil, invalid("At most %d instance IDs can be specified", pagesOfInstances.most)
	}
	var list []types.AutoScalingInstanceDetails
	for id, m := range s.region(call).Members(call.At) {
		if wanted(in.InstanceIds, id) {
			list = append(list, types.AutoScalingInstanceDetails{
				InstanceId: &m.ID, AutoScalingGroupName: &m.Group, InstanceType: &m.Type,
				AvailabilityZone: aws.String(m.Zone.Name()), AvailabilityZoneId: aws.String(m.Zone.ID()),
				LifecycleState: aws.String(string(m.State)), HealthStatus: aws.String(strings.ToUpper(healthOf(m))),
				ProtectedFromScaleIn: &m.Protected, LaunchTemplate: showTemplate(m.Template),
			})
		}
	}
	list, next, err := page(pagesOfInstances, list, in.NextToken, in.MaxRecords)
	if err != nil {
		return nil, err
	}
	return &autoscaling.DescribeAutoScalingInstancesOutput{AutoScalingInstances: list, NextToken: next}, nil
}

func (s *service) describeAccountLimits(_ *awstest.Tx, call *awstest.Call, _ *autoscaling.DescribeAccountLimitsInput) (*autoscaling.DescribeAccountLimitsOutput, error) {
	// Source: DescribeAccountLimitsOutput of the SDK (read 2026-11)
	const launchConfigurations = 200
	r := s.region(call)
	return &autoscaling.DescribeAccountLimitsOutput{
		MaxNumberOfAutoScalingGroups: aws.Int32(int32(r.Quota())), NumberOfAutoScalingGroups: aws.Int32(int32(r.Count(call.At))),
		MaxNumberOfLaunchConfigurations: aws.Int32(launchConfigurations), NumberOfLaunchConfigurations: aws.Int32(0),
	}, nil
}
