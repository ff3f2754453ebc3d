// Package s3store keeps leases, journals and votes of package failover in an Amazon S3 bucket, by conditional writes.
//
//	store, err := s3store.New(s3.NewFromConfig(cfg), "failover-use1", func(o *s3store.Options) { o.Prefix = "orders/" })
//
// # When to use it
//
// Use it as the [failover.Store] of a fleet that should not depend on DynamoDB, or has a bucket and no table. S3 is in all zones of a
// region. It takes longer than package dynamostore, and a list is a request for each entry. Two stores never stand in for each other.
//
// # Bucket
//
// An entry is an object. Its key is Options.Prefix, the group, a slash and the name. Letters, digits, "-", "_" and "." stand for
// themselves and other bytes are escaped, as "a/b" is in "a!2Fb"; a part that is too long ends with a hash. The body is a line that names
// the entry and the write, and then the value:
//
//	awsha-failover-entry 1 KZ2SKGLWAVBRVH6FNQQPYB5SHE "leases" "orders"
//	{"token": 7}
//
// A version is the ETag of the object. In a bucket with the default encryption it is the MD5 of the body, so that two equal bodies have the
// same one, whatever their metadata; with the identity of the write in the body, no two are equal. With keys of KMS an ETag is no MD5, but
// follows the content as well.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html (read 2026-11)
//
// For CloudFormation:
//
//	FailoverBucket:
//	  Type: AWS::S3::Bucket
//	  DeletionPolicy: Retain
//	  Properties:
//	    BucketName: failover-use1
//	    PublicAccessBlockConfiguration:
//	      {BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true}
//
// Other settings, and other buckets:
//
//   - Versioning is not needed. In a bucket that has it every renewal of a lease leaves a version, 28,800 a day at 3 s: add a lifecycle rule
//     with NoncurrentVersionExpiration. Conditions are on the current version; behind a delete marker there is none.
//     Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html (read 2026-11)
//   - A lifecycle rule that expires current versions deletes leases under their holders, and so does a clean-up by hand.
//   - Replication from the bucket does no harm, and its copy is no store: it is behind. In a bucket that replication also writes to, the
//     last writer of two regions wins. That does not show in a bucket, so keep to one that is no destination.
//   - A Multi-Region Access Point leads to several buckets; [New] refuses it.
//   - A directory bucket (S3 Express One Zone) is in one zone, and gone with it. Its ETags are random and unique to the object, not MD5;
//     nothing here relies on that. It lists in no order, which does not matter here.
//     Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-express-differences.html (read 2026-11)
//   - A bucket policy may insist on conditions, by s3:if-match and s3:if-none-match: nobody overwrites a lease by mistake then.
//     Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html (read 2026-11)
//
// # Guarantees and failure modes
//
// Put creates with If-None-Match and replaces with If-Match; of several writers one wins. S3 is strongly consistent: every read and list sees
// the writes that were answered before it began.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/Welcome.html#ConsistencyModel (read 2026-11)
//
//   - 412 PreconditionFailed: the object is read, for it may be what an earlier try of the same request wrote, whose reply was lost. If so,
//     Put succeeds; else the error matches [failover.ErrChanged].
//   - 404 NoSuchKey for an If-Match: the object was deleted; [failover.ErrChanged].
//   - 409 ConditionalRequestConflict: another write, or a delete, was under way. Nothing was stored, unless an earlier try of the
//     same request was, whose reply was lost: [ErrBusy].
//   - Throttled (503 SlowDown): the SDK repeats the call within Options.Timeout; then its error is returned. A prefix takes at least 3,500
//     writes and 5,500 reads a second.
//     Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html (read 2026-11)
//   - No answer: each request ends after Options.Timeout, with an error that matches [context.DeadlineExceeded]. The write may
//     have been stored, or be stored later; once anybody has written the entry again, it will not be.
//   - Bucket missing, or of another owner than Options.ExpectedOwner: the SDK's error NoSuchBucket or AccessDenied.
//   - Region or S3 down: every call fails, nobody acquires, and holders stop in time. That is the price of a lease.
//
// # Retries
//
// The SDK's pause before its first repetition is drawn from up to two seconds, twice what a request may take here. A client that is made
// for the store has more tries in that time:
//
//	client := s3.NewFromConfig(cfg, func(o *s3.Options) {
//		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts, o.MaxBackoff = 5, 100*time.Millisecond })
//	})
//
// Source: https://pkg.go.dev/github.com/aws/aws-sdk-go-v2/aws/retry (read 2026-11)
//
// # AWS calls and IAM actions
//
// Get is one GetObject. Put is one PutObject, and one GetObject more if it was refused. List is one ListObjectsV2 for each 1,000 entries
// and one GetObject for each entry.
//
//	{
//	  "Effect": "Allow",
//	  "Action": ["s3:GetObject", "s3:PutObject"],
//	  "Resource": "arn:aws:s3:::BUCKET/PREFIX*"
//	},
//	{
//	  "Effect": "Allow",
//	  "Action": "s3:ListBucket",
//	  "Resource": "arn:aws:s3:::BUCKET"
//	}
//
// Without s3:ListBucket, S3 answers AccessDenied for an object that does not exist, and a Get of an entry that is not there is an error.
// Whether that permission may have a condition on s3:prefix, AWS does not say: without one it is known to do.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html (read 2026-11)
//
// # Errors
//
// [failover.ErrChanged], [ErrBusy], and those of the SDK, which every error has within.
//
// # Testing
//
// awstest's s3svc is an S3 in memory. failovermock.S3StoreAPIMock stands for single odd replies. Package storetest holds this store to
// the contract of [failover.Store], and can hold it to that of another object store which claims S3's conditions.
package s3store
