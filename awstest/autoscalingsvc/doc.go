// Package autoscalingsvc is Amazon EC2 Auto Scaling for awstest: groups that
// keep their number of instances when instances, zones or load balancers'
// health checks fail, behind the SDK's own *autoscaling.Client.
//
//	cloud, err := awstest.New([]awstest.Service{ec2svc.New(), autoscalingsvc.New()})
//	client := autoscaling.NewFromConfig(cloud.Config("us-east-1"))
//
// # When to use it
//
// Use it to rehearse what a group does while a zone is down or out of
// capacity, and what your program does beside it: it fails over by hand, puts
// instances on standby, waits in lifecycle hooks, scales on a metric, or shifts
// a zone away, and Auto Scaling goes on acting by itself.
//
// It models what high availability depends on and nothing else: groups launch
// On-Demand Instances from a launch template. It has no launch configurations,
// no mixed instances, Spot Instances or weights, no warm pools, instance
// refreshes, scheduled actions or predictive scaling. What it does not know it
// refuses with [awstest.ErrNotModelled], an operation, a parameter or a part of
// a parameter alike, and [awstest.Cloud.Close] returns the refusal once more.
//
// # How it works
//
// A group looks at itself when something has happened to it: a call, an
// instance of EC2 that changes its state, a status check or a target of a load
// balancer that changes its health, a time that it waits for. It acts after
// Options.Reaction. An instance goes through these states:
//
//	launch -> Pending ---------------------------------> InService
//	             |  \                                     ^  | | |
//	             |   Pending:Wait -> Pending:Proceed -----'  | | '-> Detaching -> no member
//	(no success) |        |  (hooks)                         | '-> EnteringStandby -> Standby
//	             v        v (ABANDON)                        v           (back: Pending)
//	          Terminating <-------------------------- Terminating
//	             |                                     |  (out of target groups, drained)
//	             '-> terminated by EC2 <-- Terminating:Proceed <-- Terminating:Wait (hooks)
//
// Instances are launched where the group has the fewest. Where EC2 refuses a
// launch, there is a failed activity, and the zone is left alone for
// Options.Retry, twice as long after each failure; the others take its share,
// unless the group is balanced-only. When the zone is back, the group is
// rebalanced: new instances come before old ones go, up to a tenth, or one,
// above the maximum.
//
// An instance that does not run is unhealthy at once. One whose status checks
// fail is so after Options.Impaired, and one that a load balancer calls
// unhealthy, if the group asks for that, as soon as Auto Scaling sees it; both
// not before the end of the grace period, which begins in service. An
// unhealthy instance is terminated and another one launched at the same time:
// those that do not run, or that SetInstanceHealth has marked, all at once, the
// others a tenth of the group, or one, at a time. With an instance maintenance
// policy new ones come first, as it says.
//
// So when a zone loses its power, its instances are replaced elsewhere after
// about five minutes: two until EC2's status checks fail, three that Auto
// Scaling waits. The old instances stay Terminating, since EC2 does not end
// anything in a dead zone; they go when it is back. [awstest.Cloud.Stick] keeps
// an instance in the state that it is in or enters next. While Auto Scaling is
// down, by [awstest.Cloud.FailService], it does nothing by itself either; while
// EC2 is, launches fail and terminations wait.
//
// A group that is enabled for zonal shift can be shifted away from a zone with
// arczonalshiftsvc, an autoshift that is under way included: nothing is
// launched there but by LaunchInstances, of which AWS does not say it, nothing
// is rebalanced into it or out of it, and scaling policies do not make the
// group smaller. Unhealthy instances of the zone are replaced elsewhere or
// ignored, as the group is set.
//
// An instance of [awstest.Cloud.Instance] is told by its metadata service the
// steady state that it is in or on its way to, as
// autoscaling/target-lifecycle-state, at once.
//
// Scaling policies are the actions of CloudWatch alarms; with cloudwatchsvc a
// test can put metrics and see the alarms.
//
// Describe operations stand behind changes by [awstest.Options].VisibilityLag
// or by the effect [awstest.Stale]. AWS does not say how far its own do.
//
// # Operations
//
// Each line says what is as AWS documents it, what is simplified, and what is
// not there.
//
//   - AttachInstances: running ones, of the group's zones and of no other group, up to the maximum; they go through Pending, with lifecycle hooks, and then belong to the group. Refused while Launch is suspended.
//   - AttachLoadBalancerTargetGroups: of instances; Adding, Added and, if the group looks at their health checks, InService with the first healthy target.
//   - AttachTrafficSources: target groups of load balancers (elbv2); no Classic Load Balancers, no VPC Lattice.
//   - CompleteLifecycleAction: CONTINUE and ABANDON, by the instance or by the token, for which there is [LifecycleActionToken].
//   - CreateAutoScalingGroup: a launch template by ID or name, with a version, $Latest or $Default; zones by name or ID, or subnets; bounds, health checks, grace period, cooldown, warmup, protection, hooks, target groups, tags; distribution balanced-best-effort or balanced-only, impairment policy, instance maintenance policy; the termination policies Default, OldestInstance, NewestInstance, OldestLaunchTemplate and ClosestToNextInstanceHour. Health check types EC2 and ELB.
//   - CreateOrUpdateTags: of groups, up to 50 each; instances that are there do not get them.
//   - DeleteAutoScalingGroup: refused with instances or activities, unless forced; then instances are terminated without draining and hooks, and the group does not wait for them, but until EC2 takes the order. Its policies and their alarms go.
//   - DeleteLifecycleHook: abandons launches that wait for it, and continues terminations.
//   - DeletePolicy: with the alarms of target tracking; a user's alarms stay, without the action.
//   - DeleteTags: by their keys.
//   - DescribeAccountLimits: groups; no launch configuration is there.
//   - DescribeAutoScalingGroups: names, filters tag-key, tag-value and tag:<key>, pages, with or without instances.
//   - DescribeAutoScalingInstances: IDs, pages.
//   - DescribeInstanceRefreshes: of a group, which has none: StartInstanceRefresh is not there. No IDs.
//   - DescribeLifecycleHooks: names.
//   - DescribeLoadBalancerTargetGroups: those attached as such, pages.
//   - DescribePolicies: group, names, types, pages.
//   - DescribeScalingActivities: in progress first, then the youngest; IDs, filters Status, StartTimeLowerBound and StartTimeUpperBound, deleted groups, pages. Texts are made like those of the guide; an activity has a status, a progress and a cause, as there. A scale-in that protection stops leaves no activity.
//   - DescribeTags: filters auto-scaling-group, key, value and propagate-at-launch, pages.
//   - DescribeTrafficSources: all target groups, pages.
//   - DetachInstances: from service or standby, through draining; they run on, without the tag of the group.
//   - DetachLoadBalancerTargetGroups: Removing until the instances have drained.
//   - DetachTrafficSources: the same, of those attached as traffic sources.
//   - EnterStandby: through draining; not replaced if the desired capacity is decremented, and not checked meanwhile.
//   - ExecutePolicy: simple and step scaling; the cooldown of simple scaling.
//   - ExitStandby: through Pending, with lifecycle hooks; the desired capacity grows. Refused beyond the maximum and while Launch is suspended.
//   - LaunchInstances: into one zone or subnet, at once, with errors in the answer, client tokens and both retry strategies. The desired capacity grows by what was launched.
//   - PutLifecycleHook: launching and terminating, heartbeat timeout, default result, up to 50; all hooks of a transition are waited for at the same time. No notification targets.
//   - PutScalingPolicy: simple and step scaling in all adjustment types; target tracking of a customized metric, with the two alarms that AWS makes. The group grows by all that is missing and shrinks by a tenth, or one, each minute, where AWS says only that it does so gradually. The metric of an empty group counts as that of one instance. No predefined metrics: nobody measures CPU here. No metric math, no periods below a minute.
//   - RecordLifecycleActionHeartbeat: by the instance or by the token; for 100 heartbeat timeouts, or 48 hours, in all.
//   - ResumeProcesses: one, several or all.
//   - SetDesiredCapacity: within the bounds; HonorCooldown.
//   - SetInstanceHealth: Healthy holds until the next look at an instance that is not. Unhealthy is refused in the grace period, unless ShouldRespectGracePeriod is false.
//   - SetInstanceProtection: all or none; of instances in service, on standby or on their way there.
//   - SuspendProcesses: Launch, Terminate, AddToLoadBalancer, AlarmNotification, AZRebalance, HealthCheck and ReplaceUnhealthy have their effects; InstanceRefresh and ScheduledActions have nothing to suspend. AWS does not suspend any by itself after a day of failures here.
//   - TerminateInstanceInAutoScalingGroup: one or several, with or without decrementing the desired capacity; one on standby does not count for it.
//   - UpdateAutoScalingGroup: what CreateAutoScalingGroup sets, but for hooks, target groups and tags; bounds move the desired capacity; another launch template is tried at once in all zones.
//
// A token of a page is a place in the result: what is added or goes between
// two pages may move a group or an activity from one to the next.
//
// # Simplified
//
// AWS chooses at random among equals, and here the first one is taken. It
// promises none of the durations in [Options]. All zones of a group are tried
// in one go, where AWS may take a while to get from one to the next. Scale-in
// chooses among instances in service only. An instance that stays pending is
// given up after Options.LaunchTimeout. Whether a launch that has come to
// nothing runs the hooks of its termination is not documented; here it does
// not. If a load balancer calls all instances unhealthy, AWS may replace fewer
// than a tenth at a time, and here it is a tenth.
//
// # Errors
//
// An error is the SDK's type of its code where the SDK has one for it in that
// operation, else a *smithy.GenericAPIError, inside a response error with an
// HTTP status and a request ID. SetDesiredCapacity, for one, has
// *types.ScalingActivityInProgressFault, but leaves LimitExceeded, which an
// effect may reject it with, generic. The codes are those of
// https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_Operations.html
// (read 2026-11); the status is 400 unless noted. ResourceContention, status
// 500, is not raised by itself: inject it with [awstest.Reject].
//
//   - AccessDenied: status 403, by the effect [awstest.Deny].
//   - AlreadyExists: a group of that name.
//   - IdempotentParameterMismatch: a client token of LaunchInstances with another request.
//   - InvalidNextToken
//   - LimitExceeded: too many groups, hooks or tags.
//   - ResourceInUse: DeleteAutoScalingGroup with instances.
//   - ScalingActivityInProgress: DeleteAutoScalingGroup while instances terminate; the cooldown, where it is honored.
//   - ServiceUnavailable: status 503, by the effect [awstest.Unavailable].
//   - Throttling: by the effect [awstest.Throttle].
//   - Unavailable: in the answer of LaunchInstances, while EC2 is down.
//   - ValidationError: anything else that breaks a rule, and all that is not there.
//
// # Cost
//
// Nothing polls: a group costs nothing while nothing happens to it. A look at
// a group takes time in proportion to its instances, about 10 µs for a
// hundred. A day of a hundred instances behind a load balancer is that of
// their health checks.
package autoscalingsvc
