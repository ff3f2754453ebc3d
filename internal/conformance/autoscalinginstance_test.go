package conformance_test

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
)

// Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-enter-exit-standby.html (read 2026-11)
// Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-detach-attach-instances.html (read 2026-11)
// Source: https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_TerminateInstanceInAutoScalingGroup.html (read 2026-11)
// Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/launching-instances-synchronous-provisioning.html (read 2026-11)
var scalingInstanceScenarios = []scenario{
	{
		name: "an instance of an Auto Scaling group is terminated by its group",
		run: func(s *session) {
			g := s.scaling("a", 1, 4, 2)
			s.await("", "2 InService", func() string { return s.scaled(g) })
			ids := s.inService(g)
			terminate := func(id string, decrement bool) (*autoscaling.TerminateInstanceInAutoScalingGroupOutput, error) {
				return s.asg.TerminateInstanceInAutoScalingGroup(s.Context(), &autoscaling.TerminateInstanceInAutoScalingGroupInput{InstanceId: &id, ShouldDecrementDesiredCapacity: &decrement})
			}
			out, err := terminate(ids[0], true)
			s.accepted("with a decrement", err)
			s.is("activity", activity(out.Activity, ids[0]), "Terminating EC2 instance: the instance, InProgress")
			s.shows("instances after a decrement", "1 InService", func() string { return s.scaled(g) })
			s.is("sizes after a decrement", sizes(s.scalingGroup(g)), "1..4, 1 desired")
			_, err = terminate(ids[1], true)
			s.refused("below the minimum", err, "ValidationError")
			_, err = terminate("i"+unknown, false)
			s.refused("an unknown instance", err, "ValidationError")
			_, err = terminate(ids[1], false)
			s.accepted("without a decrement", err)
			s.shows("after that", "another instance, InService", func() string { return s.replaced(g, ids[1]) })
		},
		differs: []difference{
			{on: motoName, at: "below the minimum", does: "accepted"},
			{on: motoName, at: "an unknown instance", does: "not implemented"},
			{on: motoName, at: "without a decrement", does: "not implemented"},
			{on: motoName, at: "after that", does: "nothing"},
		},
	},
	{
		name: "an instance of an Auto Scaling group goes on standby",
		run: func(s *session) {
			g := s.scaling("a", 1, 2, 2)
			s.await("", "2 InService", func() string { return s.scaled(g) })
			ids := s.inService(g)
			enter := func(id string, decrement bool) error {
				_, err := s.asg.EnterStandby(s.Context(), &autoscaling.EnterStandbyInput{AutoScalingGroupName: &g, InstanceIds: []string{id}, ShouldDecrementDesiredCapacity: &decrement})
				return err
			}
			exit := func(id string) error {
				_, err := s.asg.ExitStandby(s.Context(), &autoscaling.ExitStandbyInput{AutoScalingGroupName: &g, InstanceIds: []string{id}})
				return err
			}
			s.refused("leaving it without having been on it", exit(ids[0]), "ValidationError")
			s.accepted("entering", enter(ids[0], true))
			s.shows("instances on standby", "1 InService, 1 Standby", func() string { return s.scaled(g) })
			s.is("sizes on standby", sizes(s.scalingGroup(g)), "1..2, 1 desired")
			s.refused("entering below the minimum", enter(ids[1], true), "ValidationError")
			s.accepted("leaving", exit(ids[0]))
			s.shows("instances after leaving", "2 InService", func() string { return s.scaled(g) })
			s.is("sizes after leaving", sizes(s.scalingGroup(g)), "1..2, 2 desired")
			s.accepted("entering without a decrement", enter(ids[0], false))
			s.shows("instances with another one", "2 InService, 1 Standby", func() string { return s.scaled(g) })
		},
		differs: []difference{
			{on: motoName, at: "leaving it without having been on it", does: "accepted"},
			{on: motoName, at: "instances on standby", does: "2 InService, 1 Standby"},
			{on: motoName, at: "sizes on standby", does: "1..2, 2 desired"},
			{on: motoName, at: "entering below the minimum", does: "accepted"},
			{on: motoName, at: "instances after leaving", does: "2 InService, 1 Standby"},
			{on: motoName, at: "instances with another one", does: "2 InService, 2 Standby"},
		},
	},
	{
		name: "an instance leaves an Auto Scaling group and comes back",
		run: func(s *session) {
			g := s.scaling("a", 1, 2, 2)
			s.await("", "2 InService", func() string { return s.scaled(g) })
			ids := s.inService(g)
			detach := func(id string, decrement bool) error {
				_, err := s.asg.DetachInstances(s.Context(), &autoscaling.DetachInstancesInput{AutoScalingGroupName: &g, InstanceIds: []string{id}, ShouldDecrementDesiredCapacity: &decrement})
				return err
			}
			attach := func(id string) error {
				_, err := s.asg.AttachInstances(s.Context(), &autoscaling.AttachInstancesInput{AutoScalingGroupName: &g, InstanceIds: []string{id}})
				return err
			}
			s.accepted("detaching", detach(ids[0], true))
			s.shows("instances after detaching", "1 InService", func() string { return s.scaled(g) })
			s.is("sizes after detaching", sizes(s.scalingGroup(g)), "1..2, 1 desired")
			s.is("the instance", s.state(ids[0]), "running")
			s.shows("its tag", "none", func() string { return s.groupTag(ids[0]) })
			s.refused("detaching below the minimum", detach(ids[1], true), "ValidationError")
			s.refused("detaching what is not in the group", detach(ids[0], false), "ValidationError")
			s.refused("attaching an unknown instance", attach("i"+unknown), "ValidationError")
			s.accepted("attaching", attach(ids[0]))
			s.shows("instances after attaching", "2 InService", func() string { return s.scaled(g) })
			s.is("sizes after attaching", sizes(s.scalingGroup(g)), "1..2, 2 desired")
			s.refused("attaching again", attach(ids[0]), "ValidationError")
		},
		differs: []difference{
			{on: motoName, at: "detaching below the minimum", does: "accepted"},
			{on: motoName, at: "detaching what is not in the group", does: "accepted"},
			{on: motoName, at: "attaching an unknown instance", does: "InvalidInstanceID.NotFound"},
			{on: motoName, at: "instances after attaching", does: "1 InService"},
			{on: motoName, at: "sizes after attaching", does: "1..2, 1 desired"},
			{on: motoName, at: "attaching again", does: "accepted"},
		},
	},
	{
		name: "an instance of an Auto Scaling group is protected from scale-in",
		run: func(s *session) {
			g := s.scaling("a", 0, 2, 2)
			s.await("", "2 InService", func() string { return s.scaled(g) })
			ids := s.inService(g)
			protect := func(id string, on bool) error {
				_, err := s.asg.SetInstanceProtection(s.Context(), &autoscaling.SetInstanceProtectionInput{AutoScalingGroupName: &g, InstanceIds: []string{id}, ProtectedFromScaleIn: &on})
				return err
			}
			s.accepted("protecting", protect(ids[0], true))
			s.shows("protected", "1 false, 1 true", func() string {
				var list []string
				for _, i := range s.scalingGroup(g).Instances {
					list = append(list, fmt.Sprint(aws.ToBool(i.ProtectedFromScaleIn)))
				}
				return tally(list, " ")
			})
			s.refused("an unknown instance", protect("i"+unknown, true), "ValidationError")
			s.accepted("fewer", s.desire(g, 0))
			s.shows("who stays", "the same instance, InService", func() string { return s.replaced(g, ids[0]) })
			s.accepted("no protection", protect(ids[0], false))
			s.shows("nobody stays", "nothing", func() string { return s.scaled(g) })
		},
		differs: []difference{
			{on: motoName, at: "an unknown instance", does: "accepted"},
			{on: motoName, at: "nobody stays", does: "1 InService"},
		},
	},
	{
		name: "an Auto Scaling group launches instances in one call",
		run: func(s *session) {
			g := s.scaling("a", 0, 2, 0)
			zone := *s.subnets()[0].AvailabilityZone
			launch := func(token string, n int32, zones ...string) (*autoscaling.LaunchInstancesOutput, error) {
				return s.asg.LaunchInstances(s.Context(), &autoscaling.LaunchInstancesInput{AutoScalingGroupName: &g, ClientToken: &token, RequestedCapacity: &n, AvailabilityZones: zones})
			}
			out, err := launch("a", 1, zone)
			s.accepted("launching", err)
			if err != nil {
				return
			}
			s.is("place", told(out.Instances[0].AvailabilityZone), "the first zone")
			again, err := launch("a", 1, zone)
			s.accepted("launching again", err)
			s.is("instance of the same token", same(again.Instances[0].InstanceIds[0], out.Instances[0].InstanceIds[0]), "the same")
			_, err = launch("a", 2, zone)
			s.refused("another request with the token", err, "IdempotentParameterMismatch")
			_, err = launch("b", 1)
			s.refused("no zone of two", err, "ValidationError")
			s.shows("instances", "1 InService", func() string { return s.scaled(g) })
		},
		differs: []difference{
			{on: motoName, at: "launching", does: "not implemented"},
		},
	},
	{
		name: "an Auto Scaling group registers its instances with target groups",
		run: func(s *session) {
			tg := *must(s.group(s.groupInput("a")))(s).TargetGroupArn
			other := *must(s.group(s.groupInput("b")))(s).TargetGroupArn
			g := s.scaling("a", 0, 1, 1, func(in *autoscaling.CreateAutoScalingGroupInput) { in.TargetGroupARNs = []string{tg} })
			s.await("", "1 InService", func() string { return s.scaled(g) })
			s.call(s.inService(g)[0], "the instance")
			s.shows("targets", "the instance:80", func() string { return s.targets(tg) })
			targetGroups := func() string {
				out := must(s.asg.DescribeLoadBalancerTargetGroups(s.Context(), &autoscaling.DescribeLoadBalancerTargetGroupsInput{AutoScalingGroupName: &g}))(s)
				var list []string
				for _, t := range out.LoadBalancerTargetGroups {
					list = append(list, s.told(*t.LoadBalancerTargetGroupARN)+" "+told(t.State))
				}
				return s.set(list)
			}
			s.shows("target groups", "group a InService", targetGroups)
			_, err := s.asg.AttachLoadBalancerTargetGroups(s.Context(), &autoscaling.AttachLoadBalancerTargetGroupsInput{AutoScalingGroupName: &g, TargetGroupARNs: []string{other}})
			s.accepted("attaching", err)
			s.shows("target groups after attaching", "group a InService, group b Added", targetGroups)
			s.shows("targets after attaching", "the instance:80", func() string { return s.targets(other) })
			_, err = s.asg.DetachLoadBalancerTargetGroups(s.Context(), &autoscaling.DetachLoadBalancerTargetGroupsInput{AutoScalingGroupName: &g, TargetGroupARNs: []string{other}})
			s.accepted("detaching", err)
			s.shows("target groups after detaching", "group a InService", targetGroups)
			s.shows("targets after detaching", "nothing", func() string { return s.targets(other) })
			s.accepted("no instances", s.desire(g, 0))
			s.shows("targets without instances", "nothing", func() string { return s.targets(tg) })
		},
		differs: []difference{
			{on: motoName, at: "target groups", does: "group a Added"},
			{on: motoName, at: "target groups after attaching", does: "group a Added, group b Added"},
			{on: motoName, at: "target groups after detaching", does: "group a Added"},
			{on: motoName, at: "targets without instances", does: "the instance:80"},
		},
	},
	{
		name: "an Auto Scaling group has traffic sources",
		run: func(s *session) {
			tg := *must(s.group(s.groupInput("a")))(s).TargetGroupArn
			g := s.scaling("a", 0, 1, 0)
			source := []types.TrafficSourceIdentifier{{Identifier: &tg, Type: aws.String("elbv2")}}
			_, err := s.asg.AttachTrafficSources(s.Context(), &autoscaling.AttachTrafficSourcesInput{AutoScalingGroupName: &g, TrafficSources: source})
			s.accepted("attaching", err)
			if err != nil {
				return
			}
			read := func() string {
				out := must(s.asg.DescribeTrafficSources(s.Context(), &autoscaling.DescribeTrafficSourcesInput{AutoScalingGroupName: &g}))(s)
				var list []string
				for _, t := range out.TrafficSources {
					list = append(list, s.told(*t.Identifier)+" "+told(t.State))
				}
				return s.set(list)
			}
			s.shows("sources", "group a Added", read)
			_, err = s.asg.DetachTrafficSources(s.Context(), &autoscaling.DetachTrafficSourcesInput{AutoScalingGroupName: &g, TrafficSources: source})
			s.accepted("detaching", err)
			s.shows("sources after detaching", "nothing", read)
		},
		differs: []difference{
			{on: motoName, at: "attaching", does: "not implemented"},
		},
	},
}

// activity tells what an activity is about, and its status.
func activity(a *types.Activity, id string) string {
	if a == nil {
		return "none"
	}
	return strings.ReplaceAll(told(a.Description), id, "the instance") + ", " + string(a.StatusCode)
}
