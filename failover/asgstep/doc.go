// Package asgstep has steps for failover plans that act on Auto Scaling groups:
// they keep a group from working against the plan, launch where there is
// capacity, replace, put on standby, and wait.
//
//	steps := []failover.Step{
//		asgstep.Suspend(client, asgstep.SuspendSpec{ID: "suspend", Group: "web"}),
//		asgstep.Launch(client, asgstep.LaunchSpec{
//			ID: "launch", Needs: []string{"suspend"}, Group: "web", Count: 3, Zones: []failover.Ref{failover.Literal("use1-az1")},
//		}),
//		asgstep.WaitInService(client, asgstep.WaitSpec{
//			ID: "in-service", Needs: []string{"launch"}, Group: "web",
//			Instances: []failover.Ref{failover.Output("launch", asgstep.InstancesKey)},
//		}),
//		asgstep.Resume(client, asgstep.ResumeSpec{ID: "resume", Needs: []string{"suspend", "in-service"}, Group: "web", Suspended: "suspend"}),
//	}
//
// # When to use it
//
// A group replaces what fails by itself, elsewhere if a zone is down, minutes
// after it has noticed. Use these steps where that is too late, where the plan
// knows more than the group, or where the group has to hold still meanwhile. A
// group that is scaled for the loss of a zone needs none of them: see
// ec2step.Stability. A zonal shift of the group is in package arcstep.
//
// # How it works
//
//	Suspend        AZRebalance and ReplaceUnhealthy stop: they would undo the plan
//	Resume         exactly those go on, also if the plan has failed
//	Launch         LaunchInstances, zone by zone, without a pause where one refuses
//	SetDesired     the group wants more
//	SetUnhealthy   the group replaces an instance, also in its grace period
//	Terminate      the same at once
//	EnterStandby, ExitStandby
//	CompleteHook   an instance waits no longer for a program that is dead
//	WaitInService  no effect
//
// Without Suspend, AZRebalance moves what a plan has launched into one zone to
// the others as soon as it is in service.
//
// # Guarantees and failure modes
//
//   - What a plan suspends is in the journal before it is suspended, and is resumed
//     by a final step, whatever fails and whichever controller dies in between. What
//     somebody else has suspended stays suspended.
//   - Instances are launched once: requests carry client tokens that are derived
//     from the incident and from how far the launch has come. The rest of the calls
//     may be repeated, or are refused where they have happened.
//   - In a zone that is down instances stay Terminating until it is back, and count
//     for nothing here.
//   - A group that is balanced-only goes on launching into a zone that is down. The
//     ready check says so.
//
// # AWS calls and IAM actions
//
//	{"Version": "2012-10-17", "Statement": [
//		{"Effect": "Allow", "Resource": "*", "Action": "autoscaling:DescribeAutoScalingGroups"},
//		{"Effect": "Allow", "Resource": "arn:aws:autoscaling:REGION:ACCOUNT:autoScalingGroup:*:autoScalingGroupName/NAME", "Action": [
//			"autoscaling:LaunchInstances", "autoscaling:SetDesiredCapacity", "autoscaling:SetInstanceHealth",
//			"autoscaling:TerminateInstanceInAutoScalingGroup", "autoscaling:EnterStandby", "autoscaling:ExitStandby",
//			"autoscaling:SuspendProcesses", "autoscaling:ResumeProcesses", "autoscaling:CompleteLifecycleAction"]}]}
//
// Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2autoscaling.html
// (read 2026-11)
//
// # Limits
//
// A group shows up to all of its instances in one read. LaunchInstances takes up
// to 100. Heartbeats of lifecycle hooks are for the program that the hook waits
// for, and not in this package.
//
// # Errors
//
// [ErrNoCapacity], [ErrNoGroup], and [*failover.CallError] for calls. Auto Scaling
// has no dry runs: a missing permission to change a group shows when it is used.
//
// # Testing
//
// Package awstest with autoscalingsvc and ec2svc runs all of it in
// testing/synctest bubbles: groups that rebalance and replace by themselves, zones
// without capacity. Package stepmock has a mock of API.
package asgstep
