// Package dynamodedupe remembers in an Amazon DynamoDB table which messages have been handled, for all the workers that share it: the
// store of queueworker.Deduplicate.
//
//	store, err := dynamodedupe.New(dynamodb.NewFromConfig(cfg), "handled-messages")
//	// ...
//	options.Middleware = []queueworker.Middleware{queueworker.Deduplicate(store)}
//
// # Table
//
// The table has a partition key, a string named "key", and no sort key. Time to live, on the attribute "expires", keeps it small: DynamoDB
// deletes items within days of that time, and until then the store takes those whose time has passed as absent. An item has
// these attributes:
//
//	key      S  Options.Prefix and the key of the message, at most 2048 bytes together
//	token    S  who has, or had, the claim
//	state    S  "open" or "done"
//	until    N  milliseconds since 1970: when the claim ends if it is open, when it is forgotten if it is done
//	expires  N  seconds since 1970: for time to live
//
// A global table that is written to in two regions does not keep claims apart: its conditions hold in one region only, unless it
// has multi-region strong consistency.
//
// # Guarantees
//
// Each change is one conditional write, and so is each question, which reads nothing that is stale. Of those who claim a key at a time one
// wins. A call whose reply was lost is repeated by the SDK, meets its own token, and succeeds. Whoever has lost a claim changes
// nothing: its token is another's.
//
// The ends of claims are told by the clocks of the workers. If one is ahead of another's by more than what a claim has left, it takes a claim
// that still goes on, and a message may be handled twice. What DynamoDB does not say in time is an error: the message is
// tried again later.
//
// # AWS calls and IAM actions
//
// A message that is handled costs two writes, a duplicate one, and each extension of its lease one more. A write whose condition fails
// is charged as well. An item of less than 1 KB is one write unit.
//
//	{
//	  "Effect": "Allow",
//	  "Action": ["dynamodb:UpdateItem", "dynamodb:DeleteItem"],
//	  "Resource": "arn:aws:dynamodb:REGION:ACCOUNT:table/TABLE"
//	}
//
// # Testing
//
// awstest's dynamodbsvc is a DynamoDB in memory. queueworkermock.DynamoDedupeAPIMock stands for single odd replies.
package dynamodedupe
