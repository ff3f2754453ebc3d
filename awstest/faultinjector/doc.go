// Package faultinjector makes the faults of a cloud of package awstest an Injector of package drill, so that a drill can be rehearsed in
// memory before it breaks anything real.
//
//	injector, err := faultinjector.New(cloud)
//	d, err := drill.New(injector, drill.Fault{Kind: faultinjector.PowerLoss, Target: "use1-az1"}, response, probes)
//
// # When to use it
//
// Use it in tests and examples, with the plans and probes that a real drill will have; the probes go through [awstest.Cloud.Dial] and
// [awstest.Cloud.Transport].
//
// # How it works
//
//	kind           target                         parameters
//	power loss     Region, zone ID or instance ID
//	network loss   Region, zone ID or instance ID
//	service down   SDK service ID, such as "EC2"  region; without it, every region
//	no capacity    zone ID                        type; without it, every instance type
//
// A fault is in force when Inject returns, and over when End does. More kinds are functions of Options.Kinds.
//
// # Guarantees and failure modes
//
// A fault that names nothing in the cloud is refused, before anything breaks. Inject with the ID of an earlier fault returns that fault, as
// AWS FIS does with a client token. It is safe for concurrent use.
//
// # AWS calls and IAM actions
//
// None.
//
// # Errors
//
// A fault that is described wrongly is a [*failover.FieldError], or an [*awstest.FieldError] of the cloud.
package faultinjector
