// Package awscall puts the AWS calls of a failover plan's steps into its timeline: which operation, how long it took, the request ID that AWS support asks
// for, and the error.
//
//	cfg, err := config.LoadDefaultConfig(ctx)
//	awscall.Record(&cfg)
//	client := ec2.NewFromConfig(cfg) // each call with a step's context is told as failover.KindCall
//
// # When to use it
//
// Use it for the clients that steps call, whatever package they are of. Steps need nothing for it but to pass on the context that Check, Do, Undo or Ready gets.
//
// # How it works
//
// Record adds a middleware to the configuration, which every client made of it has. It tells [failover.RecordCall] of an operation when that has ended, once, however
// often the SDK has tried; the request ID is that of the last answer. Calls with any other context pass it without a trace.
//
// # Guarantees and failure modes
//
// It changes no request and no answer, never fails a call, and keeps nothing. A call that got no answer has no request ID.
//
// # AWS calls and IAM actions
//
// None.
//
// # Testing
//
// The clients of an awstest cloud take it as any.
package awscall
