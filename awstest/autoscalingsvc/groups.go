package autoscalingsvc

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/asgmodel"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

func (s *service) addGroups(e *awstest.Endpoint) {
	awstest.Handle(e, s.createAutoScalingGroup, "AutoScalingGroupName", "LaunchTemplate", "MinSize", "MaxSize", "DesiredCapacity",
		"AvailabilityZones", "AvailabilityZoneIds", "VPCZoneIdentifier", "AvailabilityZoneDistribution", "AvailabilityZoneImpairmentPolicy",
		"InstanceMaintenancePolicy", "HealthCheckType", "HealthCheckGracePeriod", "DefaultCooldown", "DefaultInstanceWarmup",
		"NewInstancesProtectedFromScaleIn", "TerminationPolicies", "LifecycleHookSpecificationList", "TargetGroupARNs", "TrafficSources", "Tags",
		"CapacityRebalance", "MaxInstanceLifetime", "DesiredCapacityType", "DeletionProtection",
		// Accepted and without effect here:
		"ServiceLinkedRoleARN", "SkipZonalShiftValidation")
	awstest.Handle(e, s.updateAutoScalingGroup, "AutoScalingGroupName", "LaunchTemplate", "MinSize", "MaxSize", "DesiredCapacity",
		"AvailabilityZones", "AvailabilityZoneIds", "VPCZoneIdentifier", "AvailabilityZoneDistribution", "AvailabilityZoneImpairmentPolicy",
		"InstanceMaintenancePolicy", "HealthCheckType", "HealthCheckGracePeriod", "DefaultCooldown", "DefaultInstanceWarmup",
		"NewInstancesProtectedFromScaleIn", "TerminationPolicies",
		"CapacityRebalance", "MaxInstanceLifetime", "DesiredCapacityType", "DeletionProtection",
		// Accepted and without effect here:
		"ServiceLinkedRoleARN", "SkipZonalShiftValidation")
	awstest.Handle(e, s.deleteAutoScalingGroup, "AutoScalingGroupName", "ForceDelete")
}

func (s *service) createAutoScalingGroup(tx *awstest.Tx, call *awstest.Call, in *autoscaling.CreateAutoScalingGroupInput) (*autoscaling.CreateAutoScalingGroupOutput, error) {
	spec := asgmodel.CreateSpec{Spec: asgmodel.Spec{
		Name: aws.ToString(in.AutoScalingGroupName), Min: int(aws.ToInt32(in.MinSize)), Max: int(aws.ToInt32(in.MaxSize)),
		Cooldown: asgmodel.DefaultCooldown, HealthCheckType: healthEC2, Policies: asgmodel.DefaultPolicies(),
	}}
	spec.Desired = spec.Min
	if in.DesiredCapacity != nil {
		spec.Desired = int(*in.DesiredCapacity)
	}
	// What both operations can set is read from the input of an update.
	if err := s.settings(tx, call, &spec.Spec, &autoscaling.UpdateAutoScalingGroupInput{
		LaunchTemplate: in.LaunchTemplate, AvailabilityZones: in.AvailabilityZones, AvailabilityZoneIds: in.AvailabilityZoneIds, VPCZoneIdentifier: in.VPCZoneIdentifier,
		AvailabilityZoneDistribution: in.AvailabilityZoneDistribution, AvailabilityZoneImpairmentPolicy: in.AvailabilityZoneImpairmentPolicy,
		InstanceMaintenancePolicy: in.InstanceMaintenancePolicy, HealthCheckType: in.HealthCheckType, HealthCheckGracePeriod: in.HealthCheckGracePeriod,
		DefaultCooldown: in.DefaultCooldown, DefaultInstanceWarmup: in.DefaultInstanceWarmup,
		NewInstancesProtectedFromScaleIn: in.NewInstancesProtectedFromScaleIn, TerminationPolicies: in.TerminationPolicies,
		CapacityRebalance: in.CapacityRebalance, MaxInstanceLifetime: in.MaxInstanceLifetime, DesiredCapacityType: in.DesiredCapacityType, DeletionProtection: in.DeletionProtection,
	}); err != nil {
		return nil, err
	}
	for i := range in.LifecycleHookSpecificationList {
		h := &in.LifecycleHookSpecificationList[i]
		if h.NotificationTargetARN != nil || h.RoleARN != nil {
			return nil, call.NotModelled("a notification target of a lifecycle hook")
		}
		spec.Hooks = append(spec.Hooks, asgmodel.Hook{
			Name: aws.ToString(h.LifecycleHookName), Transition: asgmodel.Transition(aws.ToString(h.LifecycleTransition)),
			Default: aws.ToString(h.DefaultResult), Heartbeat: seconds(h.HeartbeatTimeout), Metadata: aws.ToString(h.NotificationMetadata),
		})
	}
	for _, arn := range in.TargetGroupARNs {
		spec.Sources = append(spec.Sources, asgmodel.Source{ARN: arn})
	}
	sources, err := trafficSources(call, in.TrafficSources)
	if err != nil {
		return nil, err
	}
	spec.Sources = append(spec.Sources, sources...)
	var tags []asgmodel.Tag
	for _, t := range in.Tags {
		if aws.ToString(t.ResourceId) != "" && *t.ResourceId != spec.Name {
			return nil, invalid("The tag %s is of another resource, %s", aws.ToString(t.Key), *t.ResourceId)
		}
		tags = append(tags, tag(t))
	}
	if spec.Tags, err = asgmodel.Tags(tags); err != nil {
		return nil, err
	}
	if _, err = s.region(call).Create(tx, spec); err != nil {
		return nil, err
	}
	return &autoscaling.CreateAutoScalingGroupOutput{}, nil
}

func (s *service) updateAutoScalingGroup(tx *awstest.Tx, call *awstest.Call, in *autoscaling.UpdateAutoScalingGroupInput) (*autoscaling.UpdateAutoScalingGroupOutput, error) {
	var desired *int
	if in.DesiredCapacity != nil {
		desired = aws.Int(int(*in.DesiredCapacity))
	}
	_, err := s.region(call).Update(tx, aws.ToString(in.AutoScalingGroupName), desired, func(spec *asgmodel.Spec) error {
		if in.MinSize != nil {
			spec.Min = int(*in.MinSize)
		}
		if in.MaxSize != nil {
			spec.Max = int(*in.MaxSize)
		}
		return s.settings(tx, call, spec, in)
	})
	if err != nil {
		return nil, err
	}
	return &autoscaling.UpdateAutoScalingGroupOutput{}, nil
}

// The health check types that are modelled.
const (
	healthEC2 = "EC2"
	healthELB = "ELB"
)

// settings puts what a request sets into a spec, but for its sizes.
func (s *service) settings(tx *awstest.Tx, call *awstest.Call, spec *asgmodel.Spec, in *autoscaling.UpdateAutoScalingGroupInput) error {
	switch {
	case aws.ToBool(in.CapacityRebalance):
		return call.NotModelled("capacity rebalancing")
	case aws.ToInt32(in.MaxInstanceLifetime) != 0:
		return call.NotModelled("a maximum instance lifetime")
	case in.DesiredCapacityType != nil && *in.DesiredCapacityType != "units":
		return call.NotModelled("desired capacity type %s", *in.DesiredCapacityType)
	case in.DeletionProtection != "" && in.DeletionProtection != types.DeletionProtectionNone:
		return call.NotModelled("deletion protection %s", in.DeletionProtection)
	}
	if t := in.LaunchTemplate; t != nil {
		if t.LaunchTemplateId != nil && t.LaunchTemplateName != nil {
			return invalid("Valid requests must contain either launchTemplateId or LaunchTemplateName")
		}
		spec.Template = asgmodel.Template{ID: aws.ToString(t.LaunchTemplateId), Name: aws.ToString(t.LaunchTemplateName), Version: aws.ToString(t.Version)}
		if spec.Template.Version == "" {
			spec.Template.Version = ec2model.DefaultVersion
		}
	}
	if err := s.places(tx, call, spec, in); err != nil {
		return err
	}
	if in.HealthCheckType != nil {
		spec.HealthCheckType, spec.ELBChecks = *in.HealthCheckType, false
		for kind := range strings.SplitSeq(*in.HealthCheckType, ",") {
			switch kind {
			case healthEC2:
			case healthELB:
				spec.ELBChecks = true
			case "EBS", "VPC_LATTICE":
				return call.NotModelled("health check type %s", kind)
			default:
				return invalid("Invalid HealthCheckType '%s'", kind)
			}
		}
	}
	if in.HealthCheckGracePeriod != nil {
		spec.Grace = seconds(in.HealthCheckGracePeriod)
	}
	if in.DefaultCooldown != nil {
		spec.Cooldown = seconds(in.DefaultCooldown)
	}
	if in.DefaultInstanceWarmup != nil {
		spec.Warmup = nil
		switch n := *in.DefaultInstanceWarmup; {
		case n < -1:
			return invalid("DefaultInstanceWarmup must not be less than -1")
		case n >= 0:
			d := seconds(in.DefaultInstanceWarmup)
			spec.Warmup = &d
		}
	}
	if in.NewInstancesProtectedFromScaleIn != nil {
		spec.ProtectNew = *in.NewInstancesProtectedFromScaleIn
	}
	if len(in.TerminationPolicies) > 0 {
		for _, p := range in.TerminationPolicies {
			if !asgmodel.PolicyModelled(p) {
				return call.NotModelled("termination policy %s", p)
			}
		}
		spec.Policies = slices.Clone(in.TerminationPolicies)
	}
	return zonal(call, spec, in)
}

// zonal reads the settings that are about zones and about replacements.
func zonal(call *awstest.Call, spec *asgmodel.Spec, in *autoscaling.UpdateAutoScalingGroupInput) error {
	if d := in.AvailabilityZoneDistribution; d != nil {
		switch d.CapacityDistributionStrategy {
		case types.CapacityDistributionStrategyBalancedOnly:
			spec.BalancedOnly = true
		case types.CapacityDistributionStrategyBalancedBestEffort, "":
			spec.BalancedOnly = false
		default:
			return call.NotModelled("capacity distribution strategy %s", d.CapacityDistributionStrategy)
		}
	}
	if p := in.AvailabilityZoneImpairmentPolicy; p != nil {
		enabled := aws.ToBool(p.ZonalShiftEnabled)
		switch p.ImpairedZoneHealthCheckBehavior {
		case types.ImpairedZoneHealthCheckBehaviorIgnoreUnhealthy, types.ImpairedZoneHealthCheckBehaviorReplaceUnhealthy:
		case "":
			if enabled {
				return invalid("ImpairedZoneHealthCheckBehavior must be specified when zonal shift is enabled")
			}
		default:
			return invalid("Invalid ImpairedZoneHealthCheckBehavior '%s'", p.ImpairedZoneHealthCheckBehavior)
		}
		spec.Impairment = &asgmodel.Impairment{
			ShiftEnabled: enabled, Behavior: string(p.ImpairedZoneHealthCheckBehavior),
			IgnoreUnhealthy: p.ImpairedZoneHealthCheckBehavior == types.ImpairedZoneHealthCheckBehaviorIgnoreUnhealthy,
		}
	}
	if p := in.InstanceMaintenancePolicy; p != nil {
		least, most := p.MinHealthyPercentage, p.MaxHealthyPercentage
		switch {
		case least == nil || most == nil:
			return invalid("Both MinHealthyPercentage and MaxHealthyPercentage must be specified")
		case *least == -1 && *most == -1:
			spec.Maintenance = nil
		default:
			spec.Maintenance = &asgmodel.Maintenance{Min: int(*least), Max: int(*most)}
		}
	}
	return nil
}

// places reads where a group launches: into subnets, or into the default
// subnets of zones.
func (s *service) places(tx *awstest.Tx, call *awstest.Call, spec *asgmodel.Spec, in *autoscaling.UpdateAutoScalingGroupInput) error {
	if len(in.AvailabilityZones) > 0 && len(in.AvailabilityZoneIds) > 0 {
		return invalid("You cannot specify both AvailabilityZones and AvailabilityZoneIds in the same request")
	}
	ec2 := s.ec2.Region(tx, call.Region)
	var named []*awstest.Zone
	name := func(id, name string) error {
		z, err := ec2.Zone(id, name)
		if err != nil || z == nil {
			return invalid("Invalid availability zones: [%s]", id+name)
		}
		if !slices.Contains(named, z) {
			named = append(named, z)
		}
		return nil
	}
	for _, n := range in.AvailabilityZones {
		if err := name("", n); err != nil {
			return err
		}
	}
	for _, id := range in.AvailabilityZoneIds {
		if err := name(id, ""); err != nil {
			return err
		}
	}
	switch {
	case aws.ToString(in.VPCZoneIdentifier) != "":
		spec.Zones, spec.Subnets, spec.ByZone = nil, nil, false
		for id := range strings.SplitSeq(*in.VPCZoneIdentifier, ",") {
			subnet, err := ec2.Subnet(strings.TrimSpace(id))
			if err != nil {
				return invalid("The subnet ID '%s' does not exist", strings.TrimSpace(id))
			}
			if len(named) > 0 && !slices.Contains(named, subnet.Zone) {
				return invalid("The availability zones of the specified subnets and the Auto Scaling group do not match")
			}
			spec.Subnets = append(spec.Subnets, subnet)
			if !slices.Contains(spec.Zones, subnet.Zone) {
				spec.Zones = append(spec.Zones, subnet.Zone)
			}
		}
	case len(named) > 0:
		spec.Zones, spec.Subnets, spec.ByZone = named, nil, true
		for _, z := range named {
			subnet, err := ec2.DefaultSubnet(z)
			if err != nil {
				return invalid("No default subnet for availability zone: '%s'", z.Name())
			}
			spec.Subnets = append(spec.Subnets, subnet)
		}
	}
	return nil
}

func (s *service) deleteAutoScalingGroup(tx *awstest.Tx, call *awstest.Call, in *autoscaling.DeleteAutoScalingGroupInput) (*autoscaling.DeleteAutoScalingGroupOutput, error) {
	if err := s.region(call).Delete(tx, aws.ToString(in.AutoScalingGroupName), aws.ToBool(in.ForceDelete)); err != nil {
		return nil, err
	}
	return &autoscaling.DeleteAutoScalingGroupOutput{}, nil
}
