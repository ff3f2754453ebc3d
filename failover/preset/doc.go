// Package preset composes the ready-made steps into whole plans: an address that
// moves to a standby, an instance that is replaced, a zone that is left, databases
// that leave a zone.
//
//	plan := preset.ReplaceInstance(ec2Client, elbClient, preset.Replacement{
//		Service: "orders", Volumes: []string{"vol-1"}, Zone: failover.Literal("use1-az1"), Addresses: []string{"eipalloc-1"},
//		Launch: ec2step.LaunchSpec{
//			Image: failover.Literal("ami-1"), Types: []string{"m7g.large", "m7i.large"}, Subnets: []string{"subnet-1"},
//		},
//	})
//
// # When to use it
//
// Use it as a beginning. A preset returns a [failover.Plan], which is a plain
// value: read it, draw it ([failover.Plan.Mermaid]), ask whether it would work
// ([failover.Engine.Readiness]), add steps to it or take some out. What a service
// needs beyond that is a few steps of its own.
//
// # How it works
//
//	EIPStandby       [fence ->] address
//	ReplaceInstance  fence, launch -> volumes -> probe -> addresses, targets
//	ZoneEvacuation   shifts, groups, single instances from snapshots
//	DatabaseFailover databases and clusters, by RDS itself or when it is asked
//
// New comes first, then the switch, then what is old goes; only data with a single
// writer are fenced, moved and checked in that order.
//
// # Guarantees and failure modes
//
// Those of the steps: see packages ec2step, elbstep, asgstep, arcstep and rdsstep. Mistakes
// in a description are told by [failover.Plan.Validate], all at once, as fields of
// the steps. A preset makes no call.
//
// # AWS calls and IAM actions
//
// Those of the steps.
//
// # Limits
//
// DNS, CloudFront and S3 are not in these plans.
//
// # Testing
//
// Package drill rehearses a plan against a fault; awstest is where to begin.
package preset
