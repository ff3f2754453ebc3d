// Package sqsscale scales the workers of a queue: it tells Amazon CloudWatch the backlog of each instance, keeps the policy that
// follows it, or drives the capacity of an Auto Scaling group itself.
package sqsscale
