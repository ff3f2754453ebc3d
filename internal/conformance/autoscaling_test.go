package conformance_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

// Source: https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CreateAutoScalingGroup.html (read 2026-11)
// Source: https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_SetDesiredCapacity.html (read 2026-11)
// Source: https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DeleteAutoScalingGroup.html (read 2026-11)
// Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/auto-scaling-benefits.html (read 2026-11)
var autoScalingScenarios = []scenario{
	{
		name: "an Auto Scaling group has its number of instances",
		run: func(s *session) {
			g := s.scaling("a", 1, 4, 2)
			s.shows("instances", "2 InService", func() string { return s.scaled(g) })
			s.shows("places", "1 in the first zone, 1 in the second zone", func() string { return s.places(g) })
			shown := s.scalingGroup(g)
			s.is("sizes", sizes(shown), "1..4, 2 desired")
			s.is("health check", fmt.Sprintf("%s after %d s", told(shown.HealthCheckType), aws.ToInt32(shown.HealthCheckGracePeriod)), "EC2 after 0 s")
			s.is("cooldown", fmt.Sprint(aws.ToInt32(shown.DefaultCooldown)), "300")
			s.is("termination policies", strings.Join(shown.TerminationPolicies, ", "), "Default")
			s.is("version of the template", told(shown.LaunchTemplate.Version), "$Default")
			ids := s.inService(g)
			s.shows("instances by ID", "InService HEALTHY", func() string { return s.scalingInstance(ids[0]) })
			s.is("an unknown instance by ID", s.scalingInstance("i"+unknown), "nothing")
			s.shows("tag of an instance", g, func() string { return s.groupTag(ids[0]) })
			s.is("refreshes", s.refreshes(g), "0")

			s.accepted("more", s.desire(g, 3))
			s.shows("instances after more", "3 InService", func() string { return s.scaled(g) })
			s.refused("too many", s.desire(g, 5), "ValidationError")
			s.refused("too few", s.desire(g, 0), "ValidationError")
			s.is("sizes after refusals", sizes(s.scalingGroup(g)), "1..4, 3 desired")
			s.accepted("fewer", s.desire(g, 1))
			s.shows("instances after fewer", "1 InService", func() string { return s.scaled(g) })
			s.shows("activities", "3 Launching, 2 Terminating", func() string { return s.activities(g) })
			_, err := s.asg.DeleteAutoScalingGroup(s.Context(), &autoscaling.DeleteAutoScalingGroupInput{AutoScalingGroupName: &g})
			s.refused("deleting with an instance", err, "ResourceInUse")
		},
		differs: []difference{
			{on: motoName, at: "places", does: "2 in the first zone"},
			{on: motoName, at: "health check", does: "EC2 after 300 s"},
			{on: motoName, at: "version of the template", does: "none"},
			{on: motoName, at: "instances by ID", does: "InService Healthy"},
			{on: motoName, at: "refreshes", does: "not implemented"},
			{on: motoName, at: "too many", does: "accepted"},
			{on: motoName, at: "too few", does: "accepted"},
			{on: motoName, at: "sizes after refusals", does: "1..4, 0 desired"},
			{on: motoName, at: "activities", does: "nothing"},
			{on: motoName, at: "deleting with an instance", does: "accepted"},
		},
	},
	{
		name: "what is not healthy in an Auto Scaling group is replaced",
		run: func(s *session) {
			g := s.scaling("a", 1, 2, 1)
			s.await("", "1 InService", func() string { return s.scaled(g) })
			first := s.inService(g)[0]
			s.call(first, "the first instance")
			must(s.terminate(first))(s)
			s.shows("after a termination", "another instance, InService", func() string { return s.replaced(g, first) })
			second := s.inService(g)
			if len(second) != 1 {
				s.Fatalf("%v are in service", second)
			}
			s.refused("health of an unknown instance", s.sayHealth("i"+unknown, "Unhealthy"), "ValidationError")
			s.refused("an unknown health", s.sayHealth(second[0], "Sick"), "ValidationError")
			s.accepted("health", s.sayHealth(second[0], "Unhealthy"))
			s.shows("after a user has called it unhealthy", "another instance, InService", func() string { return s.replaced(g, second[0]) })
		},
		differs: []difference{
			{on: motoName, at: "health of an unknown instance", does: "InvalidInstanceID.NotFound"},
			{on: motoName, at: "an unknown health", does: "not implemented"},
			{on: motoName, at: "after a user has called it unhealthy", does: "the same instance, InService"},
		},
	},
	{
		name: "an Auto Scaling group is refused",
		run: func(s *session) {
			taken := s.scaling("taken", 0, 0, 0)
			for n, c := range []struct {
				at, code string
				change   func(*autoscaling.CreateAutoScalingGroupInput)
			}{
				{"a name that is taken", "AlreadyExists", func(in *autoscaling.CreateAutoScalingGroupInput) { in.AutoScalingGroupName = &taken }},
				{"a colon in the name", "ValidationError", func(in *autoscaling.CreateAutoScalingGroupInput) { in.AutoScalingGroupName = aws.String("a:b") }},
				{"a minimum above the maximum", "ValidationError", func(in *autoscaling.CreateAutoScalingGroupInput) { in.MinSize = aws.Int32(2) }},
				{"a desired capacity above the maximum", "ValidationError", func(in *autoscaling.CreateAutoScalingGroupInput) { in.DesiredCapacity = aws.Int32(2) }},
				{"no template", "ValidationError", func(in *autoscaling.CreateAutoScalingGroupInput) { in.LaunchTemplate = nil }},
				{"an unknown template", "ValidationError", func(in *autoscaling.CreateAutoScalingGroupInput) {
					in.LaunchTemplate = &types.LaunchTemplateSpecification{LaunchTemplateId: aws.String("lt" + unknown)}
				}},
				{"no place", "ValidationError", func(in *autoscaling.CreateAutoScalingGroupInput) { in.VPCZoneIdentifier = nil }},
				{"an unknown target group", "ValidationError", func(in *autoscaling.CreateAutoScalingGroupInput) {
					in.TargetGroupARNs = []string{"arn:aws:elasticloadbalancing:" + s.regions[0] + ":123456789012:targetgroup/none/0123456789abcdef"}
				}},
			} {
				_, err := s.createScaling(string(rune('a'+n)), 0, 1, 0, c.change)
				s.refused(c.at, err, c.code)
			}
			s.refused("a desired capacity of an unknown group", s.desire(taken+"-none", 0), "ValidationError")
			_, err := s.asg.DescribeLifecycleHooks(s.Context(), &autoscaling.DescribeLifecycleHooksInput{AutoScalingGroupName: aws.String(taken + "-none")})
			s.refused("hooks of an unknown group", err, "ValidationError")
			out := must(s.asg.DescribeAutoScalingGroups(s.Context(), &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{taken + "-none"}}))(s)
			s.is("an unknown group", fmt.Sprint(len(out.AutoScalingGroups)), "0")
			_, err = s.asg.DescribeAutoScalingGroups(s.Context(), &autoscaling.DescribeAutoScalingGroupsInput{MaxRecords: aws.Int32(101)})
			s.refused("a page of 101", err, "ValidationError")
		},
		differs: []difference{
			{on: motoName, at: "a desired capacity of an unknown group", does: "not implemented"},
			{on: motoName, at: "hooks of an unknown group", does: "accepted"},
			{on: motoName, at: "a page of 101", does: "not implemented"},
			{on: motoName, at: "a name that is taken", does: "accepted"},
			{on: motoName, at: "a colon in the name", does: "accepted"},
			{on: motoName, at: "a minimum above the maximum", does: "accepted"},
			{on: motoName, at: "a desired capacity above the maximum", does: "accepted"},
			{on: motoName, at: "an unknown template", does: "InvalidLaunchTemplateId.NotFound"},
			{on: motoName, at: "an unknown target group", does: "TargetGroupNotFound"},
		},
	},
	{
		name: "the bounds of an Auto Scaling group move its desired capacity",
		run: func(s *session) {
			g := s.scaling("a", 0, 4, 0)
			update := func(in *autoscaling.UpdateAutoScalingGroupInput) error {
				in.AutoScalingGroupName = &g
				_, err := s.asg.UpdateAutoScalingGroup(s.Context(), in)
				return err
			}
			s.accepted("a minimum of 1", update(&autoscaling.UpdateAutoScalingGroupInput{MinSize: aws.Int32(1)}))
			s.shows("sizes after a minimum", "1..4, 1 desired", func() string { return sizes(s.scalingGroup(g)) })
			s.accepted("a maximum of 0", update(&autoscaling.UpdateAutoScalingGroupInput{MinSize: aws.Int32(0), MaxSize: aws.Int32(0)}))
			s.shows("sizes after a maximum", "0..0, 0 desired", func() string { return sizes(s.scalingGroup(g)) })
			s.refused("a desired capacity of 1", update(&autoscaling.UpdateAutoScalingGroupInput{DesiredCapacity: aws.Int32(1)}), "ValidationError")
			s.accepted("other settings", update(&autoscaling.UpdateAutoScalingGroupInput{
				DefaultCooldown: aws.Int32(10), HealthCheckGracePeriod: aws.Int32(20), NewInstancesProtectedFromScaleIn: aws.Bool(true), TerminationPolicies: []string{"OldestInstance"},
			}))
			s.shows("other settings are", "10, 20, true, [OldestInstance]", func() string {
				shown := s.scalingGroup(g)
				return fmt.Sprintf("%d, %d, %v, %v", aws.ToInt32(shown.DefaultCooldown), aws.ToInt32(shown.HealthCheckGracePeriod), aws.ToBool(shown.NewInstancesProtectedFromScaleIn), shown.TerminationPolicies)
			})
			s.await("", "nothing", func() string { return s.scaled(g) })
			s.accepted("deleting", s.deleteScaling(g))
			s.refused("deleting again", s.deleteScaling(g), "ValidationError")
		},
		differs: []difference{
			{on: motoName, at: "a desired capacity of 1", does: "accepted"},
			{on: motoName, at: "other settings are", does: "300, 20, true, [Default]"},
		},
	},
	{
		name: "the limits of Auto Scaling are told",
		run: func(s *session) {
			before, err := s.asg.DescribeAccountLimits(s.Context(), &autoscaling.DescribeAccountLimitsInput{})
			s.accepted("reading the limits", err)
			if err != nil {
				return
			}
			s.scaling("a", 0, 0, 0)
			s.shows("groups", "one more", func() string {
				out := must(s.asg.DescribeAccountLimits(s.Context(), &autoscaling.DescribeAccountLimitsInput{}))(s)
				if aws.ToInt32(out.NumberOfAutoScalingGroups) > aws.ToInt32(before.NumberOfAutoScalingGroups) && aws.ToInt32(out.MaxNumberOfAutoScalingGroups) >= 1 {
					return "one more"
				}
				return "not more"
			})
		},
		differs: []difference{
			{on: motoName, at: "reading the limits", does: "not implemented"},
		},
	},
	{
		name: "an Auto Scaling group has tags",
		run: func(s *session) {
			g := s.scaling("a", 0, 0, 0)
			tag := func(key, value string) types.Tag {
				return types.Tag{Key: &key, Value: &value, ResourceId: &g, ResourceType: aws.String("auto-scaling-group"), PropagateAtLaunch: aws.Bool(true)}
			}
			set := func(tags ...types.Tag) error {
				_, err := s.asg.CreateOrUpdateTags(s.Context(), &autoscaling.CreateOrUpdateTagsInput{Tags: tags})
				return err
			}
			read := func() string {
				out := must(s.asg.DescribeTags(s.Context(), &autoscaling.DescribeTagsInput{Filters: []types.Filter{{Name: aws.String("auto-scaling-group"), Values: []string{g}}}}))(s)
				var list []string
				for _, t := range out.Tags {
					if aws.ToString(t.Key) != markKey {
						list = append(list, told(t.Key)+"="+told(t.Value))
					}
				}
				slices.Sort(list)
				return strings.Join(list, ", ")
			}
			s.accepted("setting", set(tag("a", "1"), tag("b", "2")))
			s.shows("tags", "a=1, b=2", read)
			s.accepted("setting again", set(tag("a", "3")))
			s.shows("tags after setting again", "a=3, b=2", read)
			out := must(s.asg.DescribeAutoScalingGroups(s.Context(), &autoscaling.DescribeAutoScalingGroupsInput{Filters: []types.Filter{{Name: aws.String("tag:a"), Values: []string{"3"}}, {Name: aws.String("tag:" + markKey), Values: []string{s.mark}}}}))(s)
			s.is("groups with that tag", fmt.Sprint(len(out.AutoScalingGroups)), "1")
			_, err := s.asg.DeleteTags(s.Context(), &autoscaling.DeleteTagsInput{Tags: []types.Tag{tag("a", "3")}})
			s.accepted("deleting", err)
			s.shows("tags after deleting", "b=2", read)
			other := tag("c", "1")
			other.ResourceId = aws.String(g + "-none")
			s.refused("of an unknown group", set(other), "ValidationError")
		},
		differs: []difference{
			{on: motoName, at: "of an unknown group", does: "not implemented"},
		},
	},
}

// createScaling makes a group in the first two zones, by a template of its own; the names of both are the scenario's.
func (s *session) createScaling(name string, least, most, desired int32, change ...func(*autoscaling.CreateAutoScalingGroupInput)) (string, error) {
	s.Helper()
	if s.scalingTemplate == "" {
		s.scalingTemplate = s.template("the template", s.launchData())
	}
	subnets := s.subnets()
	full := "awsha-" + s.mark + "-" + name
	in := &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: &full, MinSize: &least, MaxSize: &most, DesiredCapacity: &desired,
		LaunchTemplate:    &types.LaunchTemplateSpecification{LaunchTemplateId: &s.scalingTemplate},
		VPCZoneIdentifier: aws.String(*subnets[0].SubnetId + "," + *subnets[1].SubnetId),
		Tags:              []types.Tag{{Key: aws.String(markKey), Value: &s.mark, PropagateAtLaunch: aws.Bool(true)}},
	}
	for _, fn := range change {
		fn(in)
	}
	if _, err := s.asg.CreateAutoScalingGroup(s.Context(), in); err != nil {
		return "", err
	}
	g := *in.AutoScalingGroupName
	s.cleanly(g, func(ctx context.Context) error {
		_, err := s.asg.DeleteAutoScalingGroup(ctx, &autoscaling.DeleteAutoScalingGroupInput{AutoScalingGroupName: &g, ForceDelete: aws.Bool(true)})
		if err := unless(err, "ValidationError"); err != nil {
			return err
		}
		return s.scalingGone(ctx)
	})
	return g, nil
}

// scalingGone waits until the instances with the mark have terminated.
func (s *session) scalingGone(ctx context.Context) error {
	for {
		out, err := s.ec2.DescribeInstances(ctx, &ec2.DescribeInstancesInput{Filters: filters("tag:"+markKey, s.mark, "instance-state-name", "pending,running,stopping,stopped,shutting-down")})
		if err != nil || len(out.Reservations) == 0 {
			return err
		}
		if err := s.rest(ctx); err != nil {
			return err
		}
	}
}

// scaling makes a group that the scenario cannot do without.
func (s *session) scaling(name string, least, most, desired int32, change ...func(*autoscaling.CreateAutoScalingGroupInput)) string {
	s.Helper()
	return must(s.createScaling(name, least, most, desired, change...))(s)
}

func (s *session) deleteScaling(g string) error {
	_, err := s.asg.DeleteAutoScalingGroup(s.Context(), &autoscaling.DeleteAutoScalingGroupInput{AutoScalingGroupName: &g})
	return err
}

func (s *session) scalingGroup(g string) types.AutoScalingGroup {
	s.Helper()
	out := must(s.asg.DescribeAutoScalingGroups(s.Context(), &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{g}}))(s)
	if len(out.AutoScalingGroups) == 0 {
		return types.AutoScalingGroup{}
	}
	return out.AutoScalingGroups[0]
}

func (s *session) desire(g string, n int32) error {
	_, err := s.asg.SetDesiredCapacity(s.Context(), &autoscaling.SetDesiredCapacityInput{AutoScalingGroupName: &g, DesiredCapacity: &n})
	return err
}

func (s *session) sayHealth(id, status string) error {
	_, err := s.asg.SetInstanceHealth(s.Context(), &autoscaling.SetInstanceHealthInput{InstanceId: &id, HealthStatus: &status, ShouldRespectGracePeriod: aws.Bool(false)})
	return err
}

func sizes(g types.AutoScalingGroup) string {
	return fmt.Sprintf("%d..%d, %d desired", aws.ToInt32(g.MinSize), aws.ToInt32(g.MaxSize), aws.ToInt32(g.DesiredCapacity))
}

// tally counts equal texts: "2 InService, 1 Terminating".
func tally(texts []string, join string) string {
	slices.Sort(texts)
	var parts []string
	for len(texts) > 0 {
		n := 1
		for n < len(texts) && texts[n] == texts[0] {
			n++
		}
		parts = append(parts, fmt.Sprintf("%d%s%s", n, join, texts[0]))
		texts = texts[n:]
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

// scaled tells the lifecycle states of a group's instances.
func (s *session) scaled(g string) string {
	s.Helper()
	var states []string
	for _, i := range s.scalingGroup(g).Instances {
		states = append(states, string(i.LifecycleState))
	}
	return tally(states, " ")
}

// places tells the zones of a group's instances.
func (s *session) places(g string) string {
	s.Helper()
	var zones []string
	for _, i := range s.scalingGroup(g).Instances {
		zones = append(zones, s.told(aws.ToString(i.AvailabilityZone)))
	}
	return s.told(tally(zones, " in "))
}

func (s *session) inService(g string) (ids []string) {
	s.Helper()
	for _, i := range s.scalingGroup(g).Instances {
		if i.LifecycleState == types.LifecycleStateInService {
			ids = append(ids, *i.InstanceId)
		}
	}
	return ids
}

// replaced tells of the one instance of a group whether it is another one.
func (s *session) replaced(g, before string) string {
	s.Helper()
	var list []string
	for _, i := range s.scalingGroup(g).Instances {
		list = append(list, same(*i.InstanceId, before)+" instance, "+string(i.LifecycleState))
	}
	if len(list) == 0 {
		return "nothing"
	}
	return strings.Join(list, "; ")
}

// scalingInstance tells the lifecycle state and the health of an instance.
func (s *session) scalingInstance(id string) string {
	s.Helper()
	out := must(s.asg.DescribeAutoScalingInstances(s.Context(), &autoscaling.DescribeAutoScalingInstancesInput{InstanceIds: []string{id}}))(s)
	if len(out.AutoScalingInstances) == 0 {
		return "nothing"
	}
	i := out.AutoScalingInstances[0]
	return told(i.LifecycleState) + " " + told(i.HealthStatus)
}

// refreshes tells how many instance refreshes a group has seen.
func (s *session) refreshes(g string) string {
	s.Helper()
	out, err := s.asg.DescribeInstanceRefreshes(s.Context(), &autoscaling.DescribeInstanceRefreshesInput{AutoScalingGroupName: &g})
	if err != nil {
		return outcome(err)
	}
	return fmt.Sprint(len(out.InstanceRefreshes))
}

// groupTag returns the tag by which an instance says whose it is.
func (s *session) groupTag(id string) string {
	s.Helper()
	for _, t := range must(s.instance(id))(s).Tags {
		if aws.ToString(t.Key) == "aws:autoscaling:groupName" {
			return aws.ToString(t.Value)
		}
	}
	return "none"
}

// activities tells what the activities of a group were about, if they succeeded.
func (s *session) activities(g string) string {
	s.Helper()
	out, err := s.asg.DescribeScalingActivities(s.Context(), &autoscaling.DescribeScalingActivitiesInput{AutoScalingGroupName: &g})
	if err != nil {
		return outcome(err)
	}
	var list []string
	for _, a := range out.Activities {
		what, _, _ := strings.Cut(aws.ToString(a.Description), " ")
		if a.StatusCode != types.ScalingActivityStatusCodeSuccessful {
			what += " " + string(a.StatusCode)
		}
		list = append(list, what)
	}
	return tally(list, " ")
}

// rest waits between two looks.
func (s *session) rest(ctx context.Context) error {
	select {
	case <-time.After(s.pause):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
