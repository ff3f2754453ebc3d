package conformance_test

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
)

// Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks.html (read 2026-11)
// Source: https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutLifecycleHook.html (read 2026-11)
// Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-suspend-resume-processes.html (read 2026-11)
// Source: https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutScalingPolicy.html (read 2026-11)
var scalingHookScenarios = []scenario{
	{
		name: "a lifecycle hook has defaults and limits",
		run: func(s *session) {
			g := s.scaling("a", 0, 1, 0)
			put := func(in *autoscaling.PutLifecycleHookInput) error {
				in.AutoScalingGroupName, in.LifecycleHookName = &g, aws.String("hook")
				_, err := s.asg.PutLifecycleHook(s.Context(), in)
				return err
			}
			read := func() string {
				out, err := s.asg.DescribeLifecycleHooks(s.Context(), &autoscaling.DescribeLifecycleHooksInput{AutoScalingGroupName: &g})
				if err != nil {
					return outcome(err)
				}
				var list []string
				for _, h := range out.LifecycleHooks {
					list = append(list, fmt.Sprintf("%s %s %d %d", told(h.LifecycleTransition), told(h.DefaultResult), aws.ToInt32(h.HeartbeatTimeout), aws.ToInt32(h.GlobalTimeout)))
				}
				return s.set(list)
			}
			s.refused("no transition", put(&autoscaling.PutLifecycleHookInput{}), "ValidationError")
			s.accepted("putting", put(&autoscaling.PutLifecycleHookInput{LifecycleTransition: aws.String("autoscaling:EC2_INSTANCE_TERMINATING")}))
			s.shows("hook", "autoscaling:EC2_INSTANCE_TERMINATING ABANDON 3600 172800", read)
			s.refused("29 seconds", put(&autoscaling.PutLifecycleHookInput{HeartbeatTimeout: aws.Int32(29)}), "ValidationError")
			s.refused("an unknown result", put(&autoscaling.PutLifecycleHookInput{DefaultResult: aws.String("STOP")}), "ValidationError")
			s.accepted("changing", put(&autoscaling.PutLifecycleHookInput{HeartbeatTimeout: aws.Int32(60), DefaultResult: aws.String("CONTINUE")}))
			s.shows("changed hook", "autoscaling:EC2_INSTANCE_TERMINATING CONTINUE 60 6000", read)
			_, err := s.asg.DeleteLifecycleHook(s.Context(), &autoscaling.DeleteLifecycleHookInput{AutoScalingGroupName: &g, LifecycleHookName: aws.String("hook")})
			s.accepted("deleting", err)
			s.shows("no hook", "nothing", read)
		},
		differs: []difference{
			{on: motoName, at: "no transition", does: "accepted"},
			{on: motoName, at: "29 seconds", does: "accepted"},
			{on: motoName, at: "an unknown result", does: "accepted"},
			{on: motoName, at: "changed hook", does: "none CONTINUE 60 172800"},
		},
	},
	{
		name: "an instance waits for lifecycle hooks",
		run: func(s *session) {
			g := s.scaling("a", 0, 1, 1, func(in *autoscaling.CreateAutoScalingGroupInput) {
				in.LifecycleHookSpecificationList = []types.LifecycleHookSpecification{
					{LifecycleHookName: aws.String("ready"), LifecycleTransition: aws.String("autoscaling:EC2_INSTANCE_LAUNCHING"), HeartbeatTimeout: aws.Int32(3600)},
					{LifecycleHookName: aws.String("drain"), LifecycleTransition: aws.String("autoscaling:EC2_INSTANCE_TERMINATING"), HeartbeatTimeout: aws.Int32(3600)},
				}
			})
			s.shows("launching", "1 Pending:Wait", func() string { return s.scaled(g) })
			list := s.scalingGroup(g).Instances
			if len(list) != 1 {
				s.Fatalf("%d instances", len(list))
			}
			id := list[0].InstanceId
			_, err := s.asg.RecordLifecycleActionHeartbeat(s.Context(), &autoscaling.RecordLifecycleActionHeartbeatInput{AutoScalingGroupName: &g, LifecycleHookName: aws.String("ready"), InstanceId: id})
			s.accepted("a heartbeat", err)
			complete := func(hook string) error {
				_, err := s.asg.CompleteLifecycleAction(s.Context(), &autoscaling.CompleteLifecycleActionInput{
					AutoScalingGroupName: &g, LifecycleHookName: &hook, InstanceId: id, LifecycleActionResult: aws.String("CONTINUE"),
				})
				return err
			}
			s.refused("completing a hook that nobody waits for", complete("drain"), "ValidationError")
			s.accepted("completing", complete("ready"))
			s.shows("launched", "1 InService", func() string { return s.scaled(g) })
			s.refused("completing again", complete("ready"), "ValidationError")
			s.accepted("no instances", s.desire(g, 0))
			s.shows("terminating", "1 Terminating:Wait", func() string { return s.scaled(g) })
			s.is("the instance", s.state(*id), "running")
			s.accepted("completing the termination", complete("drain"))
			s.shows("terminated", "nothing", func() string { return s.scaled(g) })
		},
		differs: []difference{
			{on: motoName, at: "launching", does: "1 InService"},
			{on: motoName, at: "a heartbeat", does: "not implemented"},
			{on: motoName, at: "completing a hook that nobody waits for", does: "not implemented"},
			{on: motoName, at: "completing", does: "not implemented"},
			{on: motoName, at: "completing again", does: "not implemented"},
			{on: motoName, at: "terminating", does: "nothing"},
			{on: motoName, at: "the instance", does: "terminated"},
			{on: motoName, at: "completing the termination", does: "not implemented"},
		},
	},
	{
		name: "processes of an Auto Scaling group are suspended",
		run: func(s *session) {
			g := s.scaling("a", 0, 1, 0)
			suspend := func(names ...string) error {
				_, err := s.asg.SuspendProcesses(s.Context(), &autoscaling.SuspendProcessesInput{AutoScalingGroupName: &g, ScalingProcesses: names})
				return err
			}
			resume := func(names ...string) error {
				_, err := s.asg.ResumeProcesses(s.Context(), &autoscaling.ResumeProcessesInput{AutoScalingGroupName: &g, ScalingProcesses: names})
				return err
			}
			read := func() string {
				var list []string
				for _, p := range s.scalingGroup(g).SuspendedProcesses {
					list = append(list, told(p.ProcessName))
				}
				return s.set(list)
			}
			s.accepted("suspending", suspend("Launch", "Terminate"))
			s.shows("suspended", "Launch, Terminate", read)
			s.accepted("one more instance", s.desire(g, 1))
			s.is("instances meanwhile", s.scaled(g), "nothing")
			s.accepted("resuming one", resume("Launch"))
			s.shows("suspended still", "Terminate", read)
			s.shows("instances", "1 InService", func() string { return s.scaled(g) })
			s.refused("an unknown process", suspend("Everything"), "ValidationError")
			s.accepted("resuming all", resume())
			s.shows("suspended no more", "nothing", read)
		},
		differs: []difference{
			{on: motoName, at: "instances meanwhile", does: "1 InService"},
			{on: motoName, at: "an unknown process", does: "accepted"},
		},
	},
	{
		name: "an Auto Scaling group has scaling policies",
		run: func(s *session) {
			g := s.scaling("a", 0, 3, 0)
			policies := func() string {
				out := must(s.asg.DescribePolicies(s.Context(), &autoscaling.DescribePoliciesInput{AutoScalingGroupName: &g}))(s)
				var list []string
				for _, p := range out.ScalingPolicies {
					list = append(list, fmt.Sprintf("%s %s with %d alarms", told(p.PolicyName), told(p.PolicyType), len(p.Alarms)))
				}
				return s.set(list)
			}
			out, err := s.asg.PutScalingPolicy(s.Context(), &autoscaling.PutScalingPolicyInput{AutoScalingGroupName: &g, PolicyName: aws.String("more"), AdjustmentType: aws.String("ChangeInCapacity"), ScalingAdjustment: aws.Int32(2)})
			s.accepted("simple scaling", err)
			s.is("ARN", fmt.Sprint(strings.HasSuffix(aws.ToString(out.PolicyARN), ":autoScalingGroupName/"+g+":policyName/more")), "true")
			s.shows("policies", "more SimpleScaling with 0 alarms", policies)
			_, err = s.asg.ExecutePolicy(s.Context(), &autoscaling.ExecutePolicyInput{AutoScalingGroupName: &g, PolicyName: aws.String("more")})
			s.accepted("executing", err)
			s.shows("sizes", "0..3, 2 desired", func() string { return sizes(s.scalingGroup(g)) })
			_, err = s.asg.ExecutePolicy(s.Context(), &autoscaling.ExecutePolicyInput{AutoScalingGroupName: &g, PolicyName: aws.String("more")})
			s.accepted("executing again", err)
			s.shows("sizes at the maximum", "0..3, 3 desired", func() string { return sizes(s.scalingGroup(g)) })
			_, err = s.asg.PutScalingPolicy(s.Context(), &autoscaling.PutScalingPolicyInput{
				AutoScalingGroupName: &g, PolicyName: aws.String("keep"), PolicyType: aws.String("TargetTrackingScaling"),
				TargetTrackingConfiguration: &types.TargetTrackingConfiguration{TargetValue: aws.Float64(10), CustomizedMetricSpecification: &types.CustomizedMetricSpecification{
					Namespace: aws.String("awsha-" + s.mark), MetricName: aws.String("backlog"), Statistic: types.MetricStatisticAverage,
				}},
			})
			s.accepted("target tracking", err)
			s.shows("policies with target tracking", "keep TargetTrackingScaling with 2 alarms, more SimpleScaling with 0 alarms", policies)
			_, err = s.asg.PutScalingPolicy(s.Context(), &autoscaling.PutScalingPolicyInput{
				AutoScalingGroupName: &g, PolicyName: aws.String("step"), PolicyType: aws.String("StepScaling"), AdjustmentType: aws.String("ChangeInCapacity"),
				StepAdjustments: []types.StepAdjustment{{MetricIntervalLowerBound: aws.Float64(0), MetricIntervalUpperBound: aws.Float64(10), ScalingAdjustment: aws.Int32(1)}, {MetricIntervalLowerBound: aws.Float64(20), ScalingAdjustment: aws.Int32(2)}},
			})
			s.refused("a gap between steps", err, "ValidationError")
			_, err = s.asg.PutScalingPolicy(s.Context(), &autoscaling.PutScalingPolicyInput{AutoScalingGroupName: &g, PolicyName: aws.String("none"), AdjustmentType: aws.String("Double"), ScalingAdjustment: aws.Int32(1)})
			s.refused("an unknown adjustment", err, "ValidationError")
			for _, name := range []string{"more", "keep"} {
				_, err = s.asg.DeletePolicy(s.Context(), &autoscaling.DeletePolicyInput{AutoScalingGroupName: &g, PolicyName: &name})
				s.accepted("deleting "+name, err)
			}
			s.shows("no policies", "nothing", policies)
		},
		differs: []difference{
			{on: motoName, at: "ARN", does: "false"},
			{on: motoName, at: "sizes at the maximum", does: "0..3, 4 desired"},
			{on: motoName, at: "policies with target tracking", does: "keep TargetTrackingScaling with 0 alarms, more SimpleScaling with 0 alarms"},
			{on: motoName, at: "a gap between steps", does: "accepted"},
			{on: motoName, at: "an unknown adjustment", does: "accepted"},
			{on: motoName, at: "no policies", does: "none SimpleScaling with 0 alarms, step StepScaling with 0 alarms"},
		},
	},
}
