// Package asghc lets Auto Scaling replace the instances that a pool of package healthcheck finds to be unhealthy, with a
// brake.
//
//	replacer, err := asghc.New(autoscaling.NewFromConfig(cfg), pool, func(o *asghc.Options) {
//		o.Groups = []string{"web"}
//	})
//	...
//	err = replacer.Run(ctx)
//
// # When to use it
//
// Use it where a load balancer cannot see what is wrong with an instance and a check of your own can: workers without a
// load balancer, checks that look deeper, instances behind a balancer of your own. Where a load balancer's health check
// says enough, attach its target group to the group with the health check type ELB instead: Auto Scaling then acts by
// itself, also when your program is down.
//
// The check decides what it means to be replaced. One that fails because a database does condemns the whole fleet; a
// Replacer then stops (see below), but rather give the pool that it follows a check of the instance alone.
//
// # How it works
//
// Auto Scaling replaces what [SetInstanceHealth] has marked at once, however many instances that are; of its own health
// checks of load balancers it replaces a tenth of a group at a time. So the brake is here. While targets are unhealthy,
// a Replacer makes a round every Interval: it looks at the pool, reads the groups, makes a [Plan] and carries it out.
//
//	unhealthy in the pool ---> for MinUnhealthy ---> the pool can be believed ---> in service, and not marked
//	                                                                                        |
//	                                          marked <--- the group is not missing as many as MaxInFlightPercent
//
// The pool is not believed, and nothing is marked, while it fails open, is short of CPU, or less than MinHealthyPercent
// of it is healthy, nor for MinUnhealthy after that; nor in a zone that is shifted away from, by the pool or by what
// Options.ShiftedZones says, since a zone that is in trouble gets no better by new instances. Of a target that somebody has
// overridden, or whose latest check has passed or told nothing, nothing is concluded. The pool is asked again before each
// mark, and watched between rounds. [Verdict] lists all that stands against a mark. Package zonalhc knows what ARC says of the
// group, if that is enabled for zonal shift, or of the load balancer in front of it:
//
//	o.ShiftedZones = func(ctx context.Context) ([]string, error) { return zonalhc.ShiftedZones(ctx, arc, groupARN) }
//
// # Guarantees and failure modes
//
//   - No more of a group is missing by a Replacer than one instance, or MaxInFlightPercent if that is more. What is
//     missing is read from the group in each round: what is not in service, not healthy, or in service and initial in the
//     pool; what the pool does not have counts as serving, so register instances as they come into service. So a restart
//     changes nothing, and two Replacers for one group see each other's marks as soon as describes show them; for as long
//     as these are behind, each may mark as many as the brake allows.
//   - A mark counts as made for SettleTime, if the call has succeeded or its reply was lost, so that describes
//     which are behind let no further instance go. After that it is repeated on the same instance.
//   - Only instances in service are marked. Those on standby, pending, terminating or detaching are not, nor those of a
//     group that is being deleted, or of which ReplaceUnhealthy, Terminate or Launch is suspended.
//   - The grace period of the group is respected: Auto Scaling refuses the mark, and it is tried again after RetryGrace. One
//     that is refused otherwise likewise, so that it keeps no other from its turn, nor do groups that are not permitted.
//   - Protection from scale-in does not protect from this, as it does not from Auto Scaling's own checks; see KeepProtected.
//   - A pool whose only target is unhealthy fails open, so that a group of one is never replaced.
//   - An instance that comes up unhealthy is replaced in its turn. A launch template that is broken thus makes a group
//     replace at the brake's pace until half of the pool is unhealthy.
//   - A group that is missing instances for another reason, such as want of capacity, is left alone: nothing would come
//     in the place of what went.
//   - While Auto Scaling fails, or refuses everything, nothing is marked, and it is asked less and less often, down to every
//     eighth Interval.
//   - When the pool stops so does the Replacer: what was said last grows old, and is acted on no more.
//
// # AWS calls and IAM actions
//
// See [Replacer.Run] for their number. The policy, of which the second statement is not needed for a dry run:
//
//	{"Effect": "Allow", "Resource": "*", "Action": [
//		"autoscaling:DescribeAutoScalingGroups", "autoscaling:DescribeAutoScalingInstances"]},
//	{"Effect": "Allow", "Action": "autoscaling:SetInstanceHealth", "Resource":
//		"arn:aws:autoscaling:REGION:ACCOUNT:autoScalingGroup:*:autoScalingGroupName/web"}
//
// Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2autoscaling.html (read 2026-11)
//
// # Limits
//
// Groups whose desired capacity is in vCPUs or memory are left alone; weights are understood. Instances of a warm pool are
// not in service, and so not marked. That an error in the grace period reads as it did in
// https://github.com/aws/aws-cli/issues/171 is not settled; one that reads otherwise is told as a failed call, and tried again
// as late.
//
// # Errors
//
// New reports every mistake at once, each a [*FieldError]. Run returns [ErrAlreadyRun], the cause of its context, or
// [healthcheck.ErrStopped]; calls that fail are a [*CallError] in an [Event], which may match [ErrDenied].
//
// # Testing
//
// Package awstest has an Auto Scaling behind the real client that replaces, refuses and is behind as AWS's. Package
// healthcheckmock has a mock of [API]. All time is that of package time.
//
// [SetInstanceHealth]: https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_SetInstanceHealth.html
package asghc
