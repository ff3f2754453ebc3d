// Package ec2step has steps for failover plans that act on Amazon EC2: they
// launch, fence and quarantine instances, move and restore volumes, and move
// addresses; and it tells where there is capacity before it is needed.
//
//	plan := failover.Plan{Service: "orders", Steps: []failover.Step{
//		ec2step.Fence(client, ec2step.FenceSpec{ID: "fence", Instance: failover.Fact(failover.FactFailed)}),
//		ec2step.Launch(client, ec2step.LaunchSpec{
//			ID: "launch", Image: failover.Literal("ami-1"), Types: []string{"m7g.large", "m7i.large"},
//			Subnets: []string{"subnet-1", "subnet-2"}, Zone: failover.Literal("use1-az1"),
//		}),
//		ec2step.Detach(client, ec2step.DetachSpec{
//			ID: "detach", Needs: []string{"fence"}, FencedBy: "fence",
//			Volume: failover.Literal("vol-1"), Instance: failover.Fact(failover.FactFailed),
//		}),
//		ec2step.Attach(client, ec2step.AttachSpec{
//			ID: "attach", Needs: []string{"detach", "launch"},
//			Volume: failover.Literal("vol-1"), Instance: failover.Output("launch", ec2step.InstanceKey),
//		}),
//	}}
//
// # When to use it
//
// Use it where a plan has to replace what an instance is, has or is reached
// by. Prefer not to need it: capacity that runs already, behind a load
// balancer, needs no launch on the day on which everybody launches. [Stability]
// tells how far a fleet is from that.
//
// Instances of an Auto Scaling group are the group's to replace: package
// asgstep acts through the group.
//
// # How it works
//
// Each function makes a step of a spec, a plain value. Mistakes in it are told
// by [failover.Plan.Validate], all at once. What is known only when the plan
// runs is a [failover.Ref]: the output of a step, or a fact of the incident.
//
//	Launch       survey -> ladder -> RunInstances, candidate by candidate -> running
//	Fence        StopInstances with force -> stopped
//	Quarantine   a security group without rules on every interface
//	Detach       DetachVolume, by force only after a fence -> no attachment
//	Attach       AttachVolume, name by name -> attached
//	Restore      CreateVolume of the newest snapshot, through package snapshot
//	MoveAddress  through package eip
//
// A ladder is what a launch tries, in order: Capacity Reservations that are
// meant for it, what is reserved for whoever comes, its first type in any zone,
// its other types. It is in the journal before the first request, and so is
// each candidate before it is asked for.
//
// # Guarantees and failure modes
//
//   - An incident launches one instance and restores one set of volumes, however
//     often controllers die: requests carry client tokens that are derived from
//     the incident, the step and the candidate.
//   - A volume is never taken by force from an instance that may still write:
//     only after a [Fence], and while EC2 says that the instance does not run.
//     A [Quarantine] does not count.
//   - A volume that an instance has which nobody named is left to it ([ErrHeld]);
//     an address as well (the step is impossible).
//   - AttachVolume, DetachVolume, StopInstances and
//     ModifyNetworkInterfaceAttribute have no condition and no token. The fence
//     of the run is checked right before they are sent, and each says in the
//     comment of its step what a late one could do.
//   - Reads may be behind by half a minute: what they show alone decides nothing
//     that cannot be repeated or is not refused by EC2 itself. What is not found
//     is looked for again for a minute.
//   - In a zone that is down nothing is confirmed: stops and detachments wait
//     until it is back. [FenceSpec].Unconfirmed goes on without, and [Restore]
//     does not need the old volume.
//   - Calls are bounded by 10 s each and are repeated by the engine, not by the
//     SDK, wherever a repetition could matter.
//
// # AWS calls and IAM actions
//
// Each step's comment says what it costs. The policy, of which only the actions
// of the steps in use are needed:
//
//	{"Version": "2012-10-17", "Statement": [
//		{"Effect": "Allow", "Resource": "*", "Action": [
//			"ec2:DescribeAvailabilityZones", "ec2:DescribeSubnets", "ec2:DescribeInstances", "ec2:DescribeInstanceTypes",
//			"ec2:DescribeInstanceTypeOfferings", "ec2:DescribeCapacityReservations", "ec2:DescribeReservedInstances",
//			"ec2:DescribeVolumes", "ec2:DescribeSecurityGroups"]},
//		{"Effect": "Allow", "Resource": "*", "Action": [
//			"ec2:RunInstances", "ec2:CreateTags", "ec2:TerminateInstances", "ec2:StopInstances", "ec2:StartInstances",
//			"ec2:ModifyNetworkInterfaceAttribute", "ec2:AttachVolume", "ec2:DetachVolume"]}
//	]}
//
// The second statement is to be narrowed to the resources of the service, by
// ARN or by tag. A launch with an instance profile needs iam:PassRole; packages
// eip and snapshot name theirs.
// Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
// (read 2026-11)
//
// # Limits
//
// A launch is of one instance; several steps launch several, and share
// [Shortages]. Spot Instances, capacity blocks, reservations in placement
// groups, on Outposts or in resource groups, and dedicated tenancy are not
// looked for. RunInstances is throttled for the account and Region.
//
// # Errors
//
// A call that failed is a [*failover.CallError], which names the IAM action. A
// launch that was refused everywhere is a [*CapacityError]. The sentinels of
// this package, of eip and of snapshot can be found by [errors.Is] in what
// [failover.Engine.Execute] returns.
//
// # Testing
//
// Package awstest with ec2svc runs all of it in testing/synctest bubbles: zones
// without capacity, reservations, volumes that hang, instances that never stop.
// Package failovermock has mocks of the interfaces.
package ec2step
