// Package elbv2hc joins healthcheck and Elastic Load Balancing: Application, Network and Gateway Load Balancers.
//
//	client := elasticloadbalancingv2.NewFromConfig(cfg)
//	follower, err := elbv2hc.Follow(client, targetGroupARN)
//	...
//	go follower.Run(ctx)
//	pool, err := healthcheck.New(follower, follower.Options) // as the load balancer sees it
//
//	group, err := elbv2hc.Import(ctx, client, targetGroupARN)
//	...
//	checker, err := group.Checker()
//	...
//	pool, err := healthcheck.New(checker, group.Options) // with its settings, from here
//
//	err = elbv2hc.WaitInService(ctx, client, targetGroupARN, []elbv2hc.Target{{ID: "i-0123456789abcdef0", Port: 80}})
//
//	syncer, err := elbv2hc.NewSyncer(client, targetGroupARN)
//	...
//	go syncer.Run(ctx, pool) // what is in the pool is in the group
//
// # When to use it
//
// [Follow] is for programs that decide by what the load balancer thinks of its targets: it makes that a
// healthcheck.Checker, alone in a pool or beside checks of your own in healthcheck.All. [Import] is for those that check from
// where they are, by the rules of a target group, so that both can be compared. [WaitInService] and [WaitDrained] are for deployments,
// where the waiters of the SDK give up early, come late, and wait for targets of others. [Syncer] is for discovery that
// registers targets.
//
// Do not use Follow to find out quickly that a target has died: the load balancer needs its own thresholds first, a read
// of it up to an interval more, and the pool up to a quarter of one. Nor should two programs sync one group to different lists:
// each undoes what the other does. SyncOptions.Owns keeps them apart.
//
// # How it works
//
// A [Follower] reads the whole group in one call, every FollowOptions.Interval, and longer while calls are throttled or fail. All
// probes and watchers live on the latest read:
//
//	healthy                                            pass
//	unhealthy, unhealthy.draining                      fail; unknown for Elb.InternalError
//	unused: Target.InvalidState, Target.IpUnusable     fail
//	initial, draining, unavailable, any other unused   unknown
//	no read yet, or none since StaleAfter              unknown
//
// A zonal shift and an anomaly are beside the state ([Health]): they move traffic and say nothing about health.
//
// A wait reads the whole group at once, and again after 1 s, growing to 5 s. Reads may show the past, so that every read of 5 s
// must show what ends a wait without success; and a target that is missing, or is still there, has 30 s from the call.
//
// A sync reads the group, registers what is missing and then deregisters what is too much, each in calls of 100. If something
// does not fit, what is too much goes first. If a call is refused, those targets are left out that the message names, or they are
// searched for by halves. For 30 s the Syncer believes its own changes against reads.
//
// # Guarantees and failure modes
//
//   - While Elastic Load Balancing cannot be read, pools stay as they are: a check is Unknown, never a failure.
//   - The number of targets, probes and watchers costs no calls.
//   - A wait ends successfully only if a read shows every one of its targets where it should be; otherwise its error says of each
//     target that is not how it is, and why. A read of the past can end one too early where the same target was registered or
//     deregistered a moment before: WaitOptions.AtLeast, or a pause, is for that.
//   - Under SyncOptions.InService what is too much stays until what is new has been healthy, however many syncs that takes.
//   - A sync deregisters at most half of the targets unless told otherwise, never the last ones, and nothing if its registrations
//     ended early. Targets that are stopped or terminated do not count.
//   - Registering and deregistering may be repeated: lost replies and restarts do no harm.
//   - Two programs that sync one group at the same time are not kept from each other: take a lease.
//   - An imported group is as it was when it was read. Differences name what a pool cannot follow; beyond them, checks call
//     themselves otherwise in their User-Agent header, and come from one place: those of a load balancer come from each of its
//     nodes, and those of a Network Load Balancer agree among each other first.
//   - A draining target of a Network Load Balancer may get new connections for some time: see WaitOptions.AtLeast.
//
// # AWS calls and IAM actions
//
// A Follower makes one DescribeTargetHealth for each interval, a wait one for each read, a sync one and the changes; an import
// makes two or three calls. The policy, of which only the actions in use are needed:
//
//	{"Version": "2012-10-17", "Statement": [
//		{"Effect": "Allow", "Resource": "*", "Action": [
//			"elasticloadbalancing:DescribeTargetHealth",
//			"elasticloadbalancing:DescribeTargetGroups",
//			"elasticloadbalancing:DescribeTargetGroupAttributes",
//			"elasticloadbalancing:DescribeLoadBalancerAttributes"]},
//		{"Effect": "Allow", "Action": [
//			"elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets"],
//			"Resource": "arn:aws:elasticloadbalancing:REGION:ACCOUNT:targetgroup/NAME/*"}]}
//
// The first line is for Follow, waits and syncs, the next three are for Import, and the second statement is for Syncers.
// Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awselasticloadbalancingv2.html (read 2026-11)
//
// # Limits
//
// DescribeTargetHealth has no pages, and is throttled for the account and Region at a rate that AWS does not tell. Groups of
// Lambda functions are not imported: nothing can be asked over a network. Registrations of QUIC and TCP_QUIC groups need a server
// ID each, which a [Target] does not have: such groups can be followed, waited for and imported, and not synced.
//
// # Errors
//
// Mistakes in arguments and options are [FieldError], all at once, before any call. Everything else is a [GroupError]: it
// matches a sentinel or none, names the targets in the way, and has the last error of Elastic Load Balancing with its request ID.
// Run returns the cause of its context.
//
// # Testing
//
// Package awstest has an Elastic Load Balancing behind the real client, with throttles, lost replies, reads that lag and zones
// that die; time is package time's, so that all of this runs in [testing/synctest] bubbles. Package healthcheckmock has mocks of
// [HealthAPI], [ImportAPI] and [SyncAPI].
package elbv2hc
