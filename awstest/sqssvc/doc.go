// Package sqssvc is Amazon SQS for awstest: standard and FIFO queues whose
// leases, delays, redrives and long polls are those of AWS, behind the SDK's
// own *sqs.Client.
//
//	cloud, err := awstest.New([]awstest.Service{sqssvc.New()})
//	client := sqs.NewFromConfig(cloud.Config("us-east-1"))
//
// # When to use it
//
// Use it to test what a worker does when a lease ends under it, when a delete
// is too late, half of a batch fails, a reply is lost, a message comes twice,
// a group of a FIFO queue is stuck, or its machine loses power in the middle of
// a poll. In a testing/synctest bubble twelve hours of heartbeats pass at once.
//
// It does not tell how fast SQS is, and looks at no permissions: policies are
// kept and not evaluated, and there is no AddPermission. What it does not know
// it refuses with [awstest.ErrNotModelled].
//
// # How it works
//
// A message is in one of these states:
//
//	sent --delay--> waiting --receive--> in flight --delete--> gone
//	                   ^                     |
//	                   +-- visibility timeout, or a timeout of zero
//	waiting, received as often as the redrive policy allows
//	        --receive--> in the dead-letter queue
//
// A receive leases what it hands out, under a new receipt handle each time.
// The visibility timeout counts from the call that set it. It can be set
// again, until twelve hours after the receive; a call for more than is left of
// them is refused, and not cut. What a handle can do, by its lease:
//
//	the lease         standard queue             FIFO queue
//	lasts             all                        all
//	has ended         all: it goes on, or the    refused
//	                  message is deleted
//	was given back    delete; a new timeout is   refused
//	                  MessageNotInflight
//	is another's now  delete says yes and does   refused
//	                  nothing; a new timeout
//	                  is set
//	message deleted   delete says yes; a new     the same
//	                  timeout is refused
//	12 hours old      refused                    refused
//
// A refusal is InvalidParameterValue, or ReceiptHandleIsInvalid for an entry
// of a batch. That a new timeout is set under an old handle, or after the end
// of the lease, and the last line, are not documented by AWS, and have been
// observed there; when MessageNotInflight comes is not documented either.
//
// Standard queues give messages in the order in which they were sent; one that
// was received three times goes to the end when it comes back. With groups
// they are fair: a group that has 30 messages in flight, and more than a tenth
// of all, waits until others have nothing. FIFO queues give messages of a group
// in order, as many as fit into a batch, and nothing of a group of which a
// message is in flight; groups come in the order in which their first messages
// have become visible. A receive attempt with an ID gets the same messages
// again within five minutes, unless one of them was touched.
//
// Receives that wait are served in the order in which they came, by whatever
// makes a message available: a send, the end of a lease or a delay, a group
// that goes on, a redrive. The caller of a long poll that has given up, or has
// lost its power or its network, is not known to be gone: messages that come
// until the poll's end are leased to nobody (Options.Disconnect).
//
// Messages are always looked at as of now. Settings, tags, lists and numbers
// of messages stand behind by [awstest.Options].VisibilityLag or by the effect
// [awstest.Stale], and the numbers by Options.CounterLag as well.
// [awstest.Cloud.Stick] with the ARN of a dead-letter queue keeps its move task
// RUNNING or CANCELLING.
//
// Effects of SQS's own, for [awstest.Cloud.Inject], are [FailEntries],
// [Duplicate], [CorruptBody], [Resurrect] and [MissMessages].
//
// # Operations
//
// Each line says what is as AWS documents it, what is simplified, and what is
// not there.
//
//   - CancelMessageMoveTask: CANCELLING until the next second of the task.
//   - ChangeMessageVisibility: as in the table above.
//   - ChangeMessageVisibilityBatch: the same, by entry.
//   - CreateQueue: the same request again returns what is there, by the attributes that are asked for. The queue can be used at once. Keys for encryption are kept, and nothing is encrypted.
//   - DeleteMessage: as in the table above.
//   - DeleteMessageBatch: the same, by entry.
//   - DeleteQueue: at once, and with its messages; polls end with an error. The name is taken for 60 seconds.
//   - GetQueueAttributes: all attributes, the numbers of messages exact unless a lag is asked for.
//   - GetQueueUrl: of this account.
//   - ListDeadLetterSourceQueues: pages.
//   - ListMessageMoveTasks: the last ten.
//   - ListQueueTags: at once.
//   - ListQueues: prefix and pages, by name.
//   - PurgeQueue: at once, with what is in flight and what deduplication remembers; once in 60 seconds.
//   - ReceiveMessage: long polls, filters of attributes, attempt IDs. Short polls find what there is, all of it, which AWS does not promise; see MissMessages. At the limit of messages in flight a standard queue answers a short poll with OverLimit; a long poll waits for room, and a FIFO queue gives nothing. That FIFO queues look for groups among their first 120,000 messages only is not there.
//   - SendMessage: rules of bodies and attributes, digests, delays, groups, deduplication over five minutes. A duplicate returns the ID and the sequence number of the first.
//   - SendMessageBatch: the same, by entry; one that lacks what a FIFO queue needs refuses the batch.
//   - SetQueueAttributes: holds at once, a new retention also for what is there, and in a FIFO queue a new delay for what is delayed.
//   - StartMessageMoveTask: the rate that is asked for, in steps of a second, or 500 a second; what waits at the start is moved, the oldest first. A message that was moved is a new one.
//   - TagQueue: at once.
//   - UntagQueue: at once.
//
// A redrive keeps the ID of a message, and in a standard queue its age; in a
// FIFO queue its age starts anew and its ID becomes the deduplication ID. That
// ApproximateReceiveCount goes on there is from its description, and that the
// policy of the dead-letter queue itself counts anew is not documented, nor
// that a message stays where its dead-letter queue has gone.
//
// # Errors
//
// An error is the SDK's type of its code where there is one, such as
// *types.QueueDoesNotExist, else a *smithy.GenericAPIError, inside a response
// error with an HTTP status and a request ID. Its ErrorCode is the one that
// SQS had in its older query protocol, as it is with a real client; compare
// types. [awstest.Reject] takes either name. The codes are those of
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html
// (read 2026-11); the status is 400 unless noted.
//
//   - AWS.SimpleQueueService.BatchEntryIdsNotDistinct
//   - AWS.SimpleQueueService.BatchRequestTooLong: more than 1 MiB in a batch.
//   - AWS.SimpleQueueService.EmptyBatchRequest
//   - AWS.SimpleQueueService.InvalidBatchEntryId
//   - AWS.SimpleQueueService.MessageNotInflight: a new timeout for a message that was given back.
//   - AWS.SimpleQueueService.NonExistentQueue: the type is QueueDoesNotExist.
//   - AWS.SimpleQueueService.PurgeQueueInProgress: status 403.
//   - AWS.SimpleQueueService.QueueDeletedRecently
//   - AWS.SimpleQueueService.TooManyEntriesInBatchRequest
//   - AWS.SimpleQueueService.UnsupportedOperation: a list of values in a message attribute; the cancellation of a task that is not running.
//   - AccessDenied: status 403, by the effect [awstest.Deny].
//   - InternalError: status 500, of a batch entry; never unless something is wrong here.
//   - InvalidAddress: status 404; what is no queue URL.
//   - InvalidAttributeName
//   - InvalidAttributeValue
//   - InvalidMessageContents: characters that XML does not allow.
//   - InvalidParameterValue: anything else that breaks a rule.
//   - MissingParameter: an empty body, no group in a FIFO queue.
//   - OverLimit: status 403; a short poll of a standard queue with too many messages in flight.
//   - QueueAlreadyExists: the name is taken by a queue with other settings; the type is QueueNameExists.
//   - ReceiptHandleIsInvalid: status 404; what is no receipt handle of the queue.
//   - RequestThrottled: status 403, by the effect [awstest.Throttle].
//   - ResourceNotFoundException: status 404; queues and tasks of moves.
//   - ServiceUnavailable: status 503, by the effect [awstest.Unavailable].
//
// # Cost
//
// A call costs the same with a hundred messages in a queue and with a hundred
// thousand: what comes next is found without a search, and what ends by itself
// is found in logarithmic time. Nothing runs unless a receive waits or messages
// are moved; then there is one event for the queue or the task.
package sqssvc
