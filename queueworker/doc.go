// Package queueworker handles the messages of an Amazon SQS queue, each at least once: nothing is lost, and nothing is handled
// twice that could have been avoided.
//
//	handler := queueworker.HandlerFunc(func(ctx context.Context, m *queueworker.Message) error {
//		return ship(ctx, m.Body)
//	})
//	worker, err := queueworker.New(sqs.NewFromConfig(cfg), queueURL, handler)
//	...
//	err = worker.Run(ctx) // until ctx ends and all is drained
//
// # How it works
//
//	ReceiveMessage ---> buffer ---> handler ---> DeleteMessageBatch
//	 (long poll,          |            |    \--> ChangeMessageVisibilityBatch: tried again later, or given back
//	  ten at a time)      +--- lease --+     \-> SendMessageBatch to the dead-letter queue, then delete
//	                       kept by one
//	                       heartbeat for all
//
// One receive is under way while the queue is empty, and as many as keep the handlers busy when it is not. About a second's worth of
// messages waits in the buffer, so that each receive can ask for ten. A lease is extended, ten in a call, as long as its message waits
// or its handler runs; only after a success does it count as longer. Deletes go ten in a call, and are repeated until they are
// certain. A backlog so costs a fifth of a call for each message.
//
// On a FIFO queue, message groups are handled in parallel and each in order. While the first message of a group is tried again, those
// that follow it are kept, and their attempts with them.
//
// # Outcomes
//
// What a handler returns decides what becomes of its message: nil deletes it; [RetryAfter], [Release], [Drop] and [DeadLetter] say
// what else to do, wherever in the error they are found; any other error, and a panic, has it tried again after what a
// [RetryPolicy] says, which is [Backoff] by default.
//
// # Handlers
//
// [Typed] decodes bodies; one that cannot be decoded goes to the dead-letter queue. [NewMux] chooses a handler by an attribute.
// [NewBatch] handles messages together: give the worker at least as many slots as a batch has messages.
// [Deduplicate] remembers what was handled: two calls to its store for each message, and one for each extension of its lease. It is
// not exactly-once: a process can die between the effect and the note of it. [LoadPointers] loads bodies that are in S3; name the
// buckets that it may read. Put it inside Deduplicate, so that duplicates load nothing. If the store of Deduplicate cannot be asked,
// attempts are spent: have Options.Retry wait longer for [ErrStoreUnavailable].
//
// # Stopping
//
// When the context of [Worker.Run] ends the worker drains: no receive begins, messages that have not been started go back to the queue,
// handlers run on under their leases for Options.DrainTimeout, and what they end is deleted. A receive that waits is let come
// back, which takes up to Options.WaitTime on an empty queue: SQS may lease messages to a receive whose caller has gone, and they would be
// invisible for Options.Visibility. Who would rather stop within a second, and have such a message come late, sets
// Options.CancelReceives; a shorter WaitTime is the way between, at the price of more calls while the queue is empty.
//
// # Scaling
//
// [Plan] says how many instances a backlog needs for a latency, and why. [Scaler] does so from the queue's attributes and the worker's
// averages, warns before messages reach the end of the queue's retention, and serves its hint as JSON and in Prometheus' text format. Package
// sqsscale makes an Auto Scaling group follow it, and keeps instances from being terminated while their handlers run.
//
// # Guarantees and failure modes
//
//   - A message is deleted only after its handler has returned nil, or an outcome that says so.
//   - A handler whose lease is lost hears of it by its context, with [ErrLeaseLost], before the lease ends if the loss can be foreseen.
//   - A message that was handled, and comes back because its delete did nothing, is deleted unseen, as long as this worker remembers
//     it: the last 7,000 at least.
//   - A process that dies leaves its messages invisible for Options.Visibility at most.
//   - While SQS cannot be reached, one receive goes on trying, with pauses of up to 30 s, and [Worker.Healthy] says so.
//   - A handler that ignores its context holds its slot, and after a drain is listed in the [DrainError].
//
// # Cost in calls
//
//	idle                     1 receive in Options.WaitTime: 180 in an hour
//	a backlog                0.2 for each message: a tenth of a receive, a tenth of a delete
//	a slow handler           0.1 for each message, in each six tenths of Options.Visibility that it is held
//	tried again, given back  a tenth of a ChangeMessageVisibilityBatch more
//	a dead letter            a tenth of a SendMessageBatch more
//	a start                  1 GetQueueAttributes
//	a hint of a Scaler       1 GetQueueAttributes
//
// # IAM
//
//	{"Effect": "Allow", "Resource": "arn:aws:sqs:REGION:ACCOUNT:QUEUE", "Action": [
//		"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"]},
//	{"Effect": "Allow", "Resource": "arn:aws:sqs:REGION:ACCOUNT:DEADLETTERS", "Action": ["sqs:SendMessage", "sqs:GetQueueUrl"]}
//
// If a key of KMS encrypts the queue, kms:Decrypt on that; on the key of the dead-letter queue kms:Decrypt and kms:GenerateDataKey.
//
// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html and
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html (read 2026-11)
//
// # Testing
//
// awstest's sqssvc is SQS in memory, behind the real client and in virtual time. Package queueworkermock has a mock of each interface.
package queueworker
