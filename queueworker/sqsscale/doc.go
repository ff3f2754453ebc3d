// Package sqsscale scales the workers of a queue: it tells Amazon CloudWatch the backlog of each instance, keeps the policy that
// follows it, or drives the capacity of an Auto Scaling group itself.
//
//	hints, err := queueworker.NewScaler(sqs.NewFromConfig(cfg), queueURL, worker.Stats, func(o *queueworker.ScalerOptions) {
//		o.TargetLatency, o.Max, o.CacheFor = time.Minute, 20, 10*time.Second
//		o.Instances = sqsscale.InService(autoscaling.NewFromConfig(cfg), "workers")
//		o.OldestAge = sqsscale.OldestAge(cloudwatch.NewFromConfig(cfg), "work")
//	})
//	// ...
//	driver, err := sqsscale.NewDriver(autoscaling.NewFromConfig(cfg), "workers", hints)
//	// ...
//	err = driver.Run(ctx)
//
// # When to use it
//
// Use it for workers on EC2 instances in an Auto Scaling group. Workers elsewhere have the hints of package queueworker, which its Scaler also
// serves over HTTP, to KEDA for one; a [Publisher] is of use wherever something scales by metrics of CloudWatch. There are three ways, of which
// a group takes one: a policy and a driver together undo what the other does.
//
//	way                               by what              out after      in                        from nothing
//	TargetTracking with MetricMath    visible messages     some minutes   gradually, in AWS's way   no
//	TargetTracking with a Publisher   visible messages     3 minutes      gradually, in AWS's way   if it runs elsewhere
//	Driver                            the whole hint       15 seconds     by Limits                 if it runs elsewhere
//
// [TargetTracking] with MetricMath has nothing of yours that can fail: Auto Scaling reads metrics that AWS publishes. It is the one to begin with. It
// knows nothing of the handlers: the target is a number that goes stale when they become slower, and messages in flight do not count,
// so that it takes instances away while the last messages are being handled.
//
// TargetTracking with a [Publisher] replaces what SQS publishes by what the workers see. It needs no metrics of the group, and has an alarm
// for data about to be lost to be made of its second metric.
//
// A [Driver] follows the whole hint: the time of handlers as it is now, arrivals, messages in flight, the age of the oldest one. It
// reacts within seconds, says why, and can be rehearsed ([Decide], DriverOptions.DryRun). When it does not run nothing is scaled: let it run on
// several machines, with DriverOptions.Leader, and not only on those that it takes away.
//
// Whichever way: which instances go is Auto Scaling's choice, and no number keeps a running handler from being cut off. A [Protector] does: it
// goes with each of the three, and tells a driver which instances have work.
//
// # How it works
//
// A Driver makes a round every Interval. It asks for the hint, reads the group, and decides:
//
//	hint above the capacity ---------------------------------------> out, at once, up to the group's maximum
//	hint below it ---> for all of Cooldown, nothing else changed ---> nothing comes or goes ---> in, by half at most
//	                                                                                             down to what has work
//
// A hint out of a cache is old news: give the Scaler a CacheFor that is less than the Interval.
//
// What has work is the larger of ScaleHint.Floor, which is what the queue's messages in flight take at the least, and the instances that
// are protected from scale-in, as by a [Protector]. The first cannot know on how many instances those messages are: one each on ten looks like
// ten on one.
//
// # Guarantees and failure modes
//
//   - No hint is no zero. A queue that cannot be read publishes nothing, and target tracking does not scale on data that are missing; a driver
//     leaves the capacity alone, and begins its cooldown anew after a break.
//   - Several publishers of one metric are one to who reads its Average. The sum counts them.
//   - A driver sets a capacity, not a difference: a call that is repeated, or whose reply was lost, does no harm. Reads that are behind do not
//     take away what has just been added, for SettleTime.
//   - SetDesiredCapacity has no condition. One who has just ceased to lead may set a capacity as late as Timeout after; who leads
//     corrects it in the next round. Two drivers differ by a few seconds of the queue, and the larger hint of a cooldown holds.
//   - Nothing is changed during an instance refresh, while the group is deleted or counts vCPUs, memory or weights; nothing is added while
//     Launch is suspended, and nothing taken away while Terminate is or the group has not come to rest. A refresh that waits for days
//     keeps the capacity for days, which ScaleOutInRefresh changes.
//   - A capacity that somebody sets by hand stays for the cooldown only. The bounds of the group are what a driver respects: raise its
//     minimum before a busy day.
//   - A wrong hint, of another queue for example, takes half of the group away after the cooldown, and half of the rest after another one.
//   - Messages that always fail count as backlog as long as they are tried again. A dead-letter queue ends that.
//   - Instances that are wanted and do not come, for want of capacity, are wanted no more once the hint has been lower for the cooldown.
//   - [TargetTracking.Ensure] repairs what a person has changed by hand in the console, at each start of a program. [TargetTracking.Check] shows it.
//
// # AWS calls and IAM actions
//
// In an hour, with the defaults and a Scaler whose Instances is [InService] and whose CacheFor is 10 seconds:
//
//	way                               SQS   Auto Scaling                CloudWatch
//	TargetTracking with MetricMath    0     0                           0
//	TargetTracking with a Publisher   120   120                         120 PutMetricData
//	Driver                            240   480, and 2 for each change  0
//	OldestAge with any of them                                          60 GetMetricStatistics at the most
//	TargetTracking.Ensure, each time        1 if nothing is to do
//
// Each worker that runs a Publisher costs that. The actions:
//
//	{"Effect": "Allow", "Action": "sqs:GetQueueAttributes", "Resource": "arn:aws:sqs:REGION:ACCOUNT:work"},
//	{"Effect": "Allow", "Resource": "*", "Action": [
//		"autoscaling:DescribeAutoScalingGroups", "autoscaling:DescribeInstanceRefreshes", "autoscaling:DescribePolicies",
//		"cloudwatch:GetMetricStatistics"]},
//	{"Effect": "Allow", "Action": ["autoscaling:SetDesiredCapacity", "autoscaling:PutScalingPolicy"], "Resource":
//		"arn:aws:autoscaling:REGION:ACCOUNT:autoScalingGroup:*:autoScalingGroupName/workers"},
//	{"Effect": "Allow", "Action": "cloudwatch:PutMetricData", "Resource": "*",
//		"Condition": {"StringEquals": {"cloudwatch:namespace": "awsha/queueworker"}}}
//
// A Publisher needs the first and the last, with InService DescribeAutoScalingGroups too; a Driver the first, DescribeAutoScalingGroups,
// DescribeInstanceRefreshes and, unless it is a dry run, SetDesiredCapacity; Ensure DescribePolicies and PutScalingPolicy.
//
// Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2autoscaling.html (read 2026-11)
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
//
// # Limits
//
// Metrics have a resolution of a minute: target tracking by periods of 10 or 30 seconds is not there. Capacity is in instances. A FIFO
// queue has no use for more slots than it has message groups, of which no hint knows: the maximum of the group is the place for that. Where AWS's
// documentation says nothing: that a ratio by zero instances is a missing value, so that MetricMath never leaves zero; and whether
// Auto Scaling holds back scaling policies during an instance refresh.
//
// # Errors
//
// Constructors and TargetTracking report every mistake at once, each a [*queueworker.FieldError]. Run returns [ErrAlreadyRun] or the
// cause of its context; calls that fail are a [*CallError] in a [PublisherEvent] or a [DriverEvent], which may match [ErrDenied] or [ErrNoGroup].
//
// # Testing
//
// [Decide] is a pure function. awstest's autoscalingsvc and cloudwatchsvc are behind the real clients, target tracking included, but for
// metric math and instance refreshes. Package queueworkermock has a mock of each interface. All time is that of package time.
package sqsscale
