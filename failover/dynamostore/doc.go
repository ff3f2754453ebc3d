// Package dynamostore keeps leases, journals and votes of package failover in an Amazon DynamoDB table, for controllers in all zones of a
// region.
//
//	store, err := dynamostore.New(dynamodb.NewFromConfig(cfg), "failover")
//
// # When to use it
//
// Use it as the [failover.Store] of a fleet, unless what is to be failed over must go on while DynamoDB is down in the region: package
// s3store is for those, and slower. Two stores never stand in for each other.
//
// # Table
//
// An entry is an item. The table has a partition key and a sort key, both strings; their names are options:
//
//	group    S  HASH   the group, at most 2048 bytes of UTF-8
//	name     S  RANGE  the name, at most 1024 bytes of UTF-8
//	value    B         up to 64 KiB
//	version  N         how often the entry was written
//	write    S         the request that wrote it last
//
// For CloudFormation:
//
//	FailoverTable:
//	  Type: AWS::DynamoDB::Table
//	  DeletionPolicy: Retain
//	  Properties:
//	    TableName: failover
//	    BillingMode: PAY_PER_REQUEST
//	    DeletionProtectionEnabled: true
//	    AttributeDefinitions:
//	      - {AttributeName: group, AttributeType: S}
//	      - {AttributeName: name, AttributeType: S}
//	    KeySchema:
//	      - {AttributeName: group, KeyType: HASH}
//	      - {AttributeName: name, KeyType: RANGE}
//
// On the command line:
//
//	aws dynamodb create-table --table-name failover --billing-mode PAY_PER_REQUEST --deletion-protection-enabled \
//	  --attribute-definitions AttributeName=group,AttributeType=S AttributeName=name,AttributeType=S \
//	  --key-schema AttributeName=group,KeyType=HASH AttributeName=name,KeyType=RANGE
//
// Time to live must stay off: it would delete a lease under its holder. Others may have items in the table, in groups of their own.
//
// # Global tables
//
// In a global table with eventual consistency, conditions hold in one region only, and of two regions that write an entry the last wins:
// leases would be held twice. Before its first use a store asks DescribeTable, and refuses such a table with [ErrEventual]; one that becomes
// global later is not noticed. A global table with multi-Region strong consistency will do, from any of its regions: two that
// write an entry at once may both meet [ErrBusy]. Global tables of version 2017.11.29 do not show in DescribeTable: keep to tables that
// are none.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html (read 2026-11)
//
// # Guarantees and failure modes
//
// A Put is one conditional write, and a version is the number of writes with the identity of the last: it does not return, even if an item is
// deleted by hand. Reads are strongly consistent. Whether a write whose reply was lost took effect is known from the refusal of its
// repetition, which brings the item.
//
//   - Throttled: the SDK repeats the call within Options.Timeout; then its error is returned. One partition, and so one group, takes
//     1,000 write units and 3,000 read units a second.
//     Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html (read 2026-11)
//   - No answer: each request ends after Options.Timeout, with an error that matches [context.DeadlineExceeded]. The write may
//     have been stored, or be stored later; once anybody has written the entry again, it will not be.
//   - Table missing or deleted: the SDK's *types.ResourceNotFoundException. Leases in it end by their holders' own clocks.
//   - Region or DynamoDB down: every call fails, nobody acquires, and holders stop in time. That is the price of a lease.
//   - Table restored from a backup: leases and journals are those of that time. Tokens may return then: stop all controllers first, and
//     put a group of another name into use.
//
// # Retries
//
// The SDK's pause before its first repetition is drawn from up to two seconds, twice what a request may take here. A client that is made
// for the store has more tries in that time:
//
//	client := dynamodb.NewFromConfig(cfg, func(o *dynamodb.Options) {
//		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts, o.MaxBackoff = 5, 100*time.Millisecond })
//	})
//
// Source: https://pkg.go.dev/github.com/aws/aws-sdk-go-v2/aws/retry (read 2026-11)
//
// # AWS calls and IAM actions
//
// Get is one GetItem, Put one PutItem, List one Query for each 1 MB. DescribeTable comes once, before the first of them. A lease of
// less than 1 KB that is renewed every 3 s costs 28,800 write units a day; a refused write costs as much as another.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html (read 2026-11)
//
//	{
//	  "Effect": "Allow",
//	  "Action": ["dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"],
//	  "Resource": "arn:aws:dynamodb:REGION:ACCOUNT:table/TABLE"
//	}
//
// The condition key dynamodb:LeadingKeys narrows it to some groups. [Options].SkipTableCheck does without DescribeTable.
//
// # Errors
//
// [failover.ErrChanged], [ErrBusy], [ErrEventual], [*KeyError], and those of the SDK, which every error has within.
//
// # Testing
//
// awstest's dynamodbsvc is a DynamoDB in memory. failovermock.DynamoStoreAPIMock stands for single odd replies. Package storetest holds
// this store to the contract of [failover.Store].
package dynamostore
