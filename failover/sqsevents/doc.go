// Package sqsevents wakes a failover controller by events of EventBridge that come
// through an SQS queue: instances that stop, lifecycle actions of Auto Scaling,
// events of AWS Health and of RDS, zonal shifts.
//
//	source, err := sqsevents.New(sqs.NewFromConfig(cfg), queueURL, controller.Wake, func(o *sqsevents.Options) {
//		o.Match = func(e *sqsevents.Event) bool { return e.About("i-0123456789abcdef0", "web", "use1-az1") }
//	})
//	...
//	err = source.Run(ctx) // until ctx ends
//
// # When to use it
//
// Use it to notice sooner than at the next look: an instance that AWS stops is
// told within seconds. It is never the verdict, and no substitute for looking:
// EventBridge delivers these events as well as it can, late, twice or not at all.
// A zone that is down tells nothing.
//
// # How it works
//
// An event of a known kind, or one that Options.Match takes, wakes the controller
// by its Wake, which looks at all of its services at once and decides by what it
// sees. Events that come within Options.MinInterval share a wake-up, which comes
// after the last of them; so a storm of events costs a look a second, and no event
// goes without one. Each message is done with when it has been read.
//
// The queue is fed by a rule with this pattern, or as much of it as is of use:
//
//	{"source": ["aws.ec2", "aws.autoscaling", "aws.health", "aws.rds", "aws.arc-zonal-shift"]}
//
// and lets EventBridge send, by its policy:
//
//	{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"},
//		"Action": "sqs:SendMessage", "Resource": "ARN of the queue", "Condition": {"ArnEquals": {"aws:SourceArn": "ARN of the rule"}}}]}
//
// Each controller needs a queue of its own: a message wakes one.
//
// # Guarantees and failure modes
//
//   - Wake is called after each matching event, at most once per MinInterval. It
//     decides nothing.
//   - Duplicates, old events, events of other things and of unknown kinds, and
//     messages that are no events are counted ([Source.Stats]) and done with: none is
//     tried again.
//   - A process that dies after it has read an event and before it has woken the
//     controller loses that wake-up; the controller's own interval makes up for it.
//   - While the queue cannot be read, the controller looks at its own interval.
//
// # AWS calls and IAM actions
//
// Those of package queueworker: sqs:ReceiveMessage, sqs:DeleteMessage,
// sqs:ChangeMessageVisibility and sqs:GetQueueAttributes on the queue.
//
// # Limits
//
// Events of other buses, and of SNS around them, are read alike. What is read of
// an event is in [Event]; its details as a whole are not kept.
//
// # Errors
//
// Parse returns [ErrMalformed]; Run what queueworker's does, and [ErrAlreadyRun].
//
// # Testing
//
// Package awstest with sqssvc has the queue, and with eventbridgesvc the rule: what
// instances, groups, databases and shifts in it do comes by itself, late, twice or
// not at all, as a test asks for. [Parse] reads what a test sends.
package sqsevents
