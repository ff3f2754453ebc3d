// Package eip keeps a fixed public IPv4 address on a healthy instance or network interface: it moves Elastic IP
// addresses such that a move never takes one from anybody but the expected owner, and is proven before it is reported.
//
//	remapper, err := eip.New(ec2.NewFromConfig(cfg))
//	...
//	res, err := remapper.Remap(ctx, eip.Request{
//		AllocationID: "eipalloc-0123456789abcdef0",
//		Target:       eip.Target{NetworkInterfaceID: "eni-0123456789abcdef1"},
//		Expect:       eip.Expect{Association: ownerThatDied},
//	})
//	if errors.Is(err, eip.ErrConflict) {
//		// somebody else was faster; the address is theirs
//	}
//
// [Remapper.Remap] moves one address, [Remapper.RemapAll] those of a zone. [Remapper.Claim] takes a free one from a pool
// for an instance that boots, [Remapper.Release] gives it up. [Remapper.Hold] keeps one where a function says.
// [Remapper.Ready] finds out in advance what a move would meet, and [Remapper.Verify] afterwards what became of it.
//
// # When to use it
//
// Use it where clients know a service by an address and cannot be told another: allow lists of partners, devices in the
// field, mail, anything that caches DNS for ever. Behind a load balancer or a DNS name, prefer their health checks: they
// move traffic without a call to the control plane. An Elastic IP stays within its Region and its network border group.
//
// # How it works
//
// EC2 has no conditional associate, and the obvious call is a trap: AssociateAddress without AllowReassociation takes
// the address from whoever holds it. Under the default, [GuardStrict], Remap therefore makes two calls:
//
//	read ---> DisassociateAddress(expected) ---> AssociateAddress(AllowReassociation=false) ---> read until it shows
//	  |                                            |            |          |
//	  |                                            | refused:   | refused: | no answer:
//	  |                                            | conflict   | not yet  | read until that settles it
//	  v                                            v            v          v
//	unchanged: on the target                    ErrConflict   retry      held, ErrConflict, or associate again
//
// An association ID is never used again, so that the first call can never hit a newer owner. The second fails if anybody
// holds the address, and is the only one that decides who won. The first read is spared if [Expect] names the association
// and its owner. [GuardFree] makes the second call only. [GuardLease] makes it with AllowReassociation=true, without a gap
// and without any check by EC2: the caller's lease is then what keeps two movers apart, and a [Fence] is asked right
// before the call. [Request.Fence] may stand beside the other guards, too.
//
// The read at the end compares association IDs ([Status]). The ID that EC2 returned is proof: held. One that is known to
// have ended, or none, is a read that lags behind, and is repeated. Any other, once reads have agreed on it for
// [Options.ReadLag], is a theft: [ErrStolen]. None at all for the whole of [Options.VerifyTimeout] is [ErrEnded].
//
// # Guarantees and failure modes
//
//   - Of any number of callers that expect the same association and have different targets, one wins. That needs no lease
//     and no agreement between them.
//   - A third owner keeps the address: it is reported in [RemapError.Owner], never fought. All that a caller with a stale
//     view can do is to end the association that it named. (Under GuardLease the lease decides instead.)
//   - An address that is on the target already is left alone, without a mutation. That judgement is a read's, which may be
//     stale; reads that show what this Remapper knows to have ended are repeated.
//   - AssociateAddress is never repeated blindly, not even by the SDK's retryer. If its reply is lost, reads decide
//     that agree for [Options.ReadLag]: on the target under an association that is not known to have ended is success; that
//     nobody holds the address, or still the former owner, means that it was not applied, and it is sent again. (To EC2 that is
//     harmless, even if reads lag longer: the target has it already, or nobody has.) DisassociateAddress may be repeated safely.
//   - Between the two calls nobody holds the address. A process that dies there leaves it free, and the next Remap
//     finishes; so it does after a crash at any other point.
//   - What reads tell is refused before any effect: see the table at [Remapper.Remap]. Where the caller names the owner, to
//     lose no time, nobody reads the target; EC2's refusal of it ([ErrTargetGone], [ErrOccupied], [ErrNoGateway], [ErrDenied])
//     then leaves the address free.
//   - A target that holds another address is refused; [Request.Displace] ends exactly the association that is in the way;
//     under GuardLease EC2 ends whatever is there.
//   - A read that lags by more than ReadLag, and shows an owner from before the move of whom this Remapper has never
//     heard, is taken for a theft. Raise ReadLag where addresses move often and reads lag long, and keep the Remapper: it
//     remembers.
//   - [ErrUnverified] is no failure. Remap again with [Result.Next] expected goes on from there, and takes the address from
//     nobody who came in between.
//   - A fence is asked before each call that changes something, not while it travels. A call that arrives after the lease has
//     ended is harmless under GuardStrict and GuardFree, where EC2 checks; under GuardLease it is possible, for as long as
//     CallTimeout, and shows as [ErrStolen] to the one that it robs.
//
// Traffic follows some seconds after the association; users have measured up to about 20 s, and [Request.Probe] waits for it.
// An instance keeps its address when it is stopped, and loses it when it is terminated. One that gives its only public
// address away may have lost its own way to the EC2 API: run the mover elsewhere, or give it a VPC endpoint.
//
// # AWS calls and IAM actions
//
// The shortest move is 1 DisassociateAddress, 1 AssociateAddress and 1 DescribeAddresses; each operation has its own
// table of calls, and each poll of a lagging read is 1 more. Explaining a conflict takes 1 read of the address or of the
// target, and more while they lag, for as long as ReadLag. The policy, of which only the calls in use are needed:
//
//	{"Effect": "Allow", "Resource": "*", "Action": [
//		"ec2:DescribeAddresses",
//		"ec2:DescribeInstances", "ec2:DescribeNetworkInterfaces", "ec2:DescribeAvailabilityZones",
//		"ec2:DescribeInternetGateways"]},
//	{"Effect": "Allow", "Action": ["ec2:AssociateAddress", "ec2:DisassociateAddress"], "Resource": [
//		"arn:aws:ec2:REGION:ACCOUNT:elastic-ip/eipalloc-...",
//		"arn:aws:ec2:REGION:ACCOUNT:network-interface/*",
//		"arn:aws:ec2:REGION:ACCOUNT:instance/*"]}
//
// The second line is for targets that are instances, for owners that are not named and for occupied targets; the third is
// for Ready alone.
// Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_ec2.html (read 2026-11)
//
// # Limits
//
// A Region allows 5 addresses by default; each associate may be charged as a remap, a repeated one too.
// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateAddress.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/elastic-ip-addresses-eip.html (read 2026-11)
//
// Addresses and interfaces that a service manages, such as those of a load balancer or a NAT gateway, are not moved. IPv6
// addresses and the private addresses behind an overlay route are another matter. That the target's route table leads to
// its internet gateway is not looked at.
//
// # Errors
//
// Mistakes in options and requests are [FieldError], all at once, before any effect. Everything else is a [RemapError]; it
// matches a sentinel or none (ErrOccupied is an ErrConflict too, and ErrDenied may stand beside any), and the last error of EC2,
// with its request ID. Throttles, server errors and a
// pending target are retried first, for [Options.RetryTimeout].
//
// # Testing
//
// Package awstest has an EC2 behind the real client, with races, lost replies and reads that lag; time is package time's,
// so that all of this runs in [testing/synctest] bubbles. Package eipmock has mocks of [API], [Mover], [Claimer] and [Fence].
package eip
