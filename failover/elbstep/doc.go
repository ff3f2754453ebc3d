// Package elbstep has steps for failover plans that act on target groups of
// Elastic Load Balancing: they register targets, wait until they are healthy,
// and deregister others without taking the last healthy ones away.
//
//	web := "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/0123456789abcdef"
//	fresh := []elbstep.Target{{ID: failover.Output("launch", "instance")}}
//	steps := []failover.Step{
//		elbstep.Register(client, elbstep.RegisterSpec{ID: "register", Needs: []string{"launch"}, TargetGroup: web, Targets: fresh}),
//		elbstep.WaitHealthy(client, elbstep.WaitSpec{ID: "healthy", Needs: []string{"launch", "register"}, TargetGroup: web, Targets: fresh}),
//		elbstep.Deregister(client, elbstep.DeregisterSpec{
//			ID: "deregister", Needs: []string{"healthy"}, TargetGroup: web,
//			Targets: []elbstep.Target{{ID: failover.Fact(failover.FactFailed)}},
//		}),
//	}
//
// # When to use it
//
// Use it where a plan brings a target that the group does not have. A load
// balancer stops sending traffic to targets that its checks find bad by itself,
// and a zonal shift (package arcstep) takes a whole zone out in one call: both
// need no plan. Instances that an Auto Scaling group launches it registers itself.
//
// Outside of plans, package elbv2hc waits, follows and syncs.
//
// # How it works
//
//	Register     RegisterTargets -> registered
//	WaitHealthy  (no effect)     -> healthy
//	Deregister   DeregisterTargets -> draining, or not registered
//
// A step reads the whole group in one call, and steps that read it at the same
// time share the answer. The waiting is the engine's: WaitInService of elbv2hc,
// which waits by itself, would hide from the journal how far it is.
//
// # Guarantees and failure modes
//
//   - Registering and deregistering may be repeated: lost replies, crashes and
//     requests that come late do no harm beyond doing the same once more.
//   - Deregister leaves at least DeregisterSpec.MinHealthy healthy targets, by
//     what Elastic Load Balancing says, which may be some seconds old. Where two
//     programs deregister at once neither knows of the other: take a lease.
//   - That all is healthy does not prove that traffic arrives, since a load
//     balancer without a healthy target sends traffic to all of them. Probe.
//   - Rollback restores which of the step's targets were registered when it began.
//
// # AWS calls and IAM actions
//
//	{"Version": "2012-10-17", "Statement": [
//		{"Effect": "Allow", "Resource": "*", "Action": "elasticloadbalancing:DescribeTargetHealth"},
//		{"Effect": "Allow", "Action": ["elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets"],
//			"Resource": "arn:aws:elasticloadbalancing:REGION:ACCOUNT:targetgroup/NAME/*"}]}
//
// Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awselasticloadbalancingv2.html
// (read 2026-11)
//
// # Limits
//
// A Network Load Balancer may take minutes until a new target is healthy.
// Groups of Lambda functions, and of QUIC, are not for these steps.
//
// # Errors
//
// [ErrUnusable], [ErrTooFew], and [*failover.CallError] for calls. There are no
// dry runs of Elastic Load Balancing: a missing permission to register shows
// when it is used. The ready check tells whether the group is in use, and how
// many of its targets are healthy.
//
// # Testing
//
// Package awstest with elbv2svc runs all of it in testing/synctest bubbles, with
// real checks of the targets. Package stepmock has mocks of the interfaces.
package elbstep
