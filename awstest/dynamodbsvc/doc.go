// Package dynamodbsvc is Amazon DynamoDB for awstest: tables, conditional
// writes, queries and transactions, behind the SDK's own *dynamodb.Client.
//
//	cloud, err := awstest.New([]awstest.Service{dynamodbsvc.New()})
//	client := dynamodb.NewFromConfig(cloud.Config("us-east-1"))
//
// # When to use it
//
// Use it to test and to rehearse what keeps its state in DynamoDB while things
// fail: leases, journals, idempotency stores. Its conditions, updates and
// transactions are held to what AWS documents, down to the types, the numbers
// and most messages.
//
// It has no indexes, streams, PartiQL, backups or global tables: a table lives
// in one region, and a lease in it is worth nothing when the region is gone.
// The effect [Replicated] shows a table as one of a global table to who asks.
// Capacity is counted and never enforced: [awstest.Throttle] stands for that.
// What it does not know it refuses with [awstest.ErrNotModelled], an operation
// or a parameter alike, the legacy parameters (Expected, AttributeUpdates,
// KeyConditions and so on) among them, and [awstest.Cloud.Close] returns the
// refusal once more.
//
// # How it works
//
// A table goes through these states, each for a while that [Options] set,
// unless [awstest.Cloud.Stick] keeps the table of that name in it:
//
//	CreateTable --> CREATING --> ACTIVE --DeleteTable--> DELETING --> gone
//	                             |    ^
//	                  UpdateTable|    |
//	                             v    |
//	                            UPDATING
//
// While it is CREATING its items cannot be reached; while it is DELETING they
// can be read and written, as AWS may allow too, and all of it is lost.
//
// GetItem, BatchGetItem, Query and Scan are eventually consistent unless they
// ask for ConsistentRead: they stand behind changes by
// [awstest.Options].VisibilityLag or by the effect [awstest.Stale].
// TransactGetItems and the item that a failed condition returns are of the
// present, always. DescribeTable, ListTables, DescribeTimeToLive and
// ListTagsOfResource lag too, so that a table may be unknown right after it
// was made.
//
// Time to live deletes an item Options.Expiry after the moment that it names,
// as AWS deletes it at some time in the next two days: until then every read
// and every condition still finds it. Stores have to compare times themselves.
//
// DynamoDB is regional: the failure of a zone does nothing to it, but cuts off
// the callers in the zone.
//
// # A write whose reply is lost
//
// The SDK sends a call again that got no reply. A conditional write that has
// taken effect then meets itself, and fails with
// ConditionalCheckFailedException: its caller has to look whose the item is. The
// effect [awstest.LoseReply] shows it. TransactWriteItems succeeds the second
// time, since the SDK gives it a ClientRequestToken.
//
// # Operations
//
// Each line says what is as AWS documents it, what is simplified, and what is
// not there. Tables are named by name or ARN.
//
//   - CreateTable: keys, names, states, deletion protection, tags. Billing mode, throughput and class are shown and have no effect. No indexes, streams, encryption settings or policies.
//   - DescribeTable: as above; counts of items and bytes are up to six hours old, as AWS's are. Replicas by the effect [Replicated] only. No warm throughput.
//   - ListTables: in the order of names, pages.
//   - UpdateTable: deletion protection, billing mode, throughput and class; the table is UPDATING meanwhile.
//   - DeleteTable: refused while protected or not active; a second time while DELETING it is no error.
//   - UpdateTimeToLive: one change at a time, which takes Options.TimeToLiveChange; items expire from then on.
//   - DescribeTimeToLive: the four states.
//   - TagResource: keys, values, 50 tags.
//   - UntagResource: keys that are not there are passed over.
//   - ListTagsOfResource: in the order of keys, ten a page.
//   - PutItem: conditions, ReturnValues, ReturnValuesOnConditionCheckFailure, item and key limits. No item collection metrics.
//   - UpdateItem: SET, REMOVE, ADD and DELETE with all functions, else as PutItem. Without an expression it makes an item of the key; one that only takes away makes none.
//   - DeleteItem: as PutItem; what is not there is deleted without an error.
//   - GetItem: projections, consistency.
//   - Query: key conditions, filters, projections, both directions, limits, pages of 1 MB. A page that is full names its last item also when nothing is behind it, as AWS's does.
//   - Scan: filters, projections, limits, pages of 1 MB, segments; partitions come in the order of a hash, the same in every run.
//   - BatchGetItem: 100 keys, projections, consistency; items come in another order than they were asked for in. Keys are left unprocessed past 16 MB, and by the effect [Unprocessed].
//   - BatchWriteItem: 25 puts and deletes, no duplicates. Writes are left unprocessed by the effect [Unprocessed].
//   - TransactWriteItems: Put, Update, Delete and ConditionCheck of 100 items, all or none, with a reason for each item; a ClientRequestToken is known for ten minutes. A conflict there is by the effect [Conflict] only, since one call has the cloud to itself.
//   - TransactGetItems: 100 items of one instant. A conflict as above. An item that is asked for twice is not modelled.
//
// ReturnConsumedCapacity counts by the size of items, an update by the larger
// of before and after.
//
// # Expressions
//
// Syntax, precedence, functions, reserved words, references that are not
// defined or not used, overlapping paths, types and limits are AWS's. Numbers
// have 38 digits exactly. Not settled by AWS's pages, and so perhaps other
// there: an operand in parentheses is a syntax error; size of a string counts
// characters; IN takes 100 values; nesting counts from the first list or map.
//
// # Simplified
//
// Sets are returned sorted, where AWS keeps no order. The SDK's check of the
// CRC32 header does not run, since there is no HTTP. A name that is stuck is so
// in every region.
//
// # Errors
//
// An error is the SDK's type of its code where there is one, such as
// *types.ConditionalCheckFailedException with the item in it, else a
// *smithy.GenericAPIError, inside a response error with an HTTP status and a
// request ID. The codes are those of
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
// (read 2026-11); the status is 400 unless noted.
//
//   - AccessDeniedException: by the effect [awstest.Deny].
//   - ConditionalCheckFailedException: with the item, if it is there and asked for.
//   - IdempotentParameterMismatchException: a ClientRequestToken that another transaction has used.
//   - InternalServerError: status 500, by the effect [awstest.Unavailable].
//   - ProvisionedThroughputExceededException: by the effect [awstest.Throttle], and a batch of which [Unprocessed] leaves nothing.
//   - ResourceInUseException: a table that exists, or is not active.
//   - ResourceNotFoundException: a table that does not exist, or is CREATING.
//   - TransactionCanceledException: with a reason for each item: None, ConditionalCheckFailed, ValidationError or TransactionConflict.
//   - TransactionConflictException: by the effect [Conflict].
//   - ValidationException: anything else that breaks a rule.
//
// Of the codes that only [awstest.Reject] brings up, LimitExceededException,
// ReplicatedWriteConflictException, RequestLimitExceeded, ThrottlingException
// and TransactionInProgressException have the SDK's types as well.
//
// # Cost
//
// An item is found in constant time, and the items of a range without looking
// at others, however large the table is. A stale read costs no more, unless it
// has to pass over items that were deleted in the last quarter of an hour.
// GetItem and a conditional UpdateItem take about 15 and 35 µs of CPU on top of
// the SDK's own 65.
package dynamodbsvc
