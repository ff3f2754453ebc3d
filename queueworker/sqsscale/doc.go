// Package sqsscale scales the workers of a queue: it tells Amazon CloudWatch the backlog of each instance, keeps the policy that
// follows it, or drives the capacity of an Auto Scaling group itself.
//
// # Protection of busy instances
//
// A [Protector] runs beside the workers of an EC2 instance and keeps its Auto Scaling group from terminating it while handlers run:
//
//	self := sqsscale.Instance{ID: id, Group: "workers"}
//	protector, err := sqsscale.NewProtector(autoscaling.NewFromConfig(cfg), self,
//		func() int { return worker.Stats().Running },
//		func(o *sqsscale.ProtectOptions) {
//			o.Hook = "drain"
//			o.Metadata = imds.NewFromConfig(cfg)
//		})
//	// ...
//	err = protector.Run(ctx, worker.Run)
//
// A busy instance is protected from scale-in, so that the group chooses an idle one; that takes at most two calls in 70 seconds. One that is
// chosen all the same, since its message came just then or it is unhealthy, waits in the lifecycle hook until the worker has drained.
// The hook is one for autoscaling:EC2_INSTANCE_TERMINATING with the default result CONTINUE and a heartbeat timeout of a few minutes:
// so long an instance waits whose process has died.
//
// What fails, and then:
//   - Auto Scaling does not answer: calls are repeated with pauses that grow. Heartbeats go out three times in each timeout, so that a
//     wait stands an outage of half of it.
//   - The process dies while it is protected: the protection stays, for ever, until the process has been started again and is idle.
//   - The process dies while the group waits: the group goes on after the timeout, and messages are received again after their leases. If
//     the process is started again, it does no work, and the group goes on at once.
//   - A drain longer than 100 heartbeat timeouts, or 48 hours, is cut off.
//   - What no hook waits for cuts handlers off: a Spot interruption, a termination by EC2's own calls, a machine that fails. AWS does not
//     promise for any hook that it runs to its end.
//
// Warm pools are not provided for: what returns to one is not taken for a termination.
//
//	{
//	  "Effect": "Allow",
//	  "Action": [
//	    "autoscaling:SetInstanceProtection",
//	    "autoscaling:RecordLifecycleActionHeartbeat",
//	    "autoscaling:CompleteLifecycleAction"
//	  ],
//	  "Resource": "arn:aws:autoscaling:REGION:ACCOUNT:autoScalingGroup:*:autoScalingGroupName/GROUP"
//	},
//	{
//	  "Effect": "Allow",
//	  "Action": ["autoscaling:DescribeAutoScalingInstances", "autoscaling:DescribeLifecycleHooks"],
//	  "Resource": "*"
//	}
package sqsscale
