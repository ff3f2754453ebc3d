// Package s3svc is Amazon S3 for awstest: buckets with versions of objects,
// conditional writes, multipart uploads, and replication that takes time,
// behind the SDK's own *s3.Client.
//
//	cloud, err := awstest.New([]awstest.Service{s3svc.New()})
//	client := s3.NewFromConfig(cloud.Config("us-east-1"))
//
// # When to use it
//
// Use it to test and to rehearse what a program does that keeps its state in
// S3: a lease by conditional writes, a journal whose entries are written once,
// a standby region that reads what replication has brought so far.
//
// It models what high availability depends on and nothing else. Directory
// buckets, access points, Object Lock, access control lists, policies, keys of
// KMS, lifecycle rules, notifications and archives are not there. What it does
// not know it refuses with [awstest.ErrNotModelled], an operation, a parameter,
// a part of a parameter alike, and [awstest.Cloud.Close] returns the refusal
// once more.
//
// # How it works
//
// Names of buckets are global in the cloud; each bucket lives in one region. A
// client of another region is told which: HTTP status 301 with the header
// X-Amz-Bucket-Region, which the SDK does not follow.
//
// S3 is strongly consistent: a read sees every write that was answered before
// it. So [awstest.Options].VisibilityLag and the effect [awstest.Stale] do not
// touch objects, their tags and their lists. They do touch what S3 documents as
// eventually consistent, the settings of buckets: HeadBucket, ListBuckets,
// GetBucketLocation, GetBucketVersioning and GetBucketReplication.
// What is set has its effect at once, though.
//
// Of two conditional writes the first to arrive wins, and the other meets
// PreconditionFailed. That two of them overlap, and S3 answers
// ConditionalRequestConflict, is the effect [Conflict]. A condition of a write
// that is there and empty is not modelled: it is no write without a condition.
//
// A version that a rule of the bucket's replication is about is PENDING until
// its replica is made, after Options.ReplicationLag, and then COMPLETED:
//
//	source:       PENDING --lag--> COMPLETED, or FAILED
//	destination:                   REPLICA
//
// The replica has the version ID, the ETag and the date of its source.
// [awstest.Cloud.Stick] with the name of either bucket holds replication up, and
// so does a service that is down in either region ([awstest.Cloud.FailService]).
// It fails for good when the destination is gone or its versioning is suspended.
//
// S3 is in no zone: [awstest.Zone.Fail] does not touch it, except that
// instances in the zone reach it as little as anything else.
//
// A body that a client sends is read before the call takes effect, by the rules
// of the SDK: it must have a length, and a retry needs one that can be sought
// in. A body that keeps its reader waiting, such as a pipe, does so until the
// context of the call ends. The body of GetObject reads the bytes of that
// moment, whatever is written later; [CutBody] breaks its connection.
//
// # Operations
//
// Each line says what is as AWS documents it, what is simplified, and what is
// not there. Every operation takes ExpectedBucketOwner; RequestPayer is accepted
// and ignored.
//
//   - AbortMultipartUpload: the upload and its parts are gone at once.
//   - CompleteMultipartUpload: order, size and ETags of the parts, checksums, conditions. A second call meets NoSuchUpload, also where the first one's reply was lost. The object has the date of the upload's beginning, but is the current version as of its completion.
//   - CopyObject: across buckets and regions, versions, directives, conditions on source and destination, checksums. No limit of size; there is no error in a response of status 200.
//   - CreateBucket: names, regions by location constraint; in us-east-1 a bucket that one has is created again without error. No tags, no account namespace, no Object Lock. There is one account, so nobody else has a name.
//   - CreateMultipartUpload: attributes, tags, checksum algorithm and type.
//   - DeleteBucket: without versions and delete markers only; uploads that are under way go with it.
//   - DeleteBucketReplication: what is PENDING is still replicated.
//   - DeleteObject: delete markers, null versions, versions for good, If-Match of the current version. No multi-factor authentication. AWS does not say what If-Match meets where there is nothing: here NoSuchKey.
//   - DeleteObjectTagging: of a version.
//   - DeleteObjects: up to 1,000, each as DeleteObject does, with its ETag as a condition; quiet or not.
//   - GetBucketLocation: answers in every region.
//   - GetBucketReplication: the rules as they were put.
//   - GetBucketVersioning
//   - GetObject: versions, conditions, one range, parts, overridden headers, checksums. The HTTP status, 200 or 206, cannot be seen.
//   - GetObjectTagging: of a version.
//   - HeadBucket: with the region.
//   - HeadObject: as GetObject, without a body. Errors have none either, so that their codes are made of the status: NotFound, NotModified, PreconditionFailed.
//   - ListBuckets: of all regions, prefix, region, pages.
//   - ListMultipartUploads: prefix, delimiter, pages. No encoding.
//   - ListObjectVersions: prefix, delimiter, pages. No encoding, no optional attributes.
//   - ListObjectsV2: prefix, delimiter, start, owner, pages. No encoding, no optional attributes.
//   - ListParts: pages.
//   - PutBucketReplication: rules of both versions of the schema, filters by prefix and tags, priorities, delete markers, storage class. Permissions of the role are not looked at; no time control, no metrics, no owner override, no replicas of modified replicas.
//   - PutBucketVersioning: enabled and suspended, at once.
//   - PutObject: conditions, attributes, tags, checksums. No limit of size, no appending.
//   - PutObjectTagging: of a version; replicas follow.
//   - UploadPart: again with the same number, checksums. Its checksum must be of the algorithm of the upload, if that has one: the SDK sends CRC32 unless told otherwise.
//
// A page begins after the last result of the one before, so what is written
// meanwhile is seen if it comes later in the order.
//
// # Checksums
//
// CRC32, CRC32C, CRC64NVME, MD5, SHA1, SHA256 and SHA512 are kept, and held
// against the bytes that arrive, whether the caller tells a value or the SDK
// makes one and sends it behind the body: a CRC32 unless told otherwise. If
// nothing came, S3 makes a CRC64NVME of its own. GetObject and HeadObject show the
// checksum as they are asked to, but the SDK holds no response against it: that
// part of it reads HTTP, and the bytes have not left the process.
//
// # Encryption and storage classes
//
// Objects are encrypted with AES256, as all are by default; keys of KMS and of
// the customer are not there. Storage classes are kept and shown; those that
// are in one zone, or that must be restored, are not there.
//
// # Errors
//
// An error is the SDK's type of its code where the SDK has one for it in that
// operation, else a *smithy.GenericAPIError, inside a response error with an
// HTTP status and a request ID. The SDK has few: GetObject has *types.NoSuchKey
// and ListObjectsV2 *types.NoSuchBucket, but GetObject leaves NoSuchBucket
// generic, and UploadPart NoSuchUpload. Compare codes. They are those of
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html (read
// 2026-11); the status is 400 unless noted.
//
//   - AccessDenied: status 403; another owner is expected, or the effect [awstest.Deny].
//   - BadDigest: bytes that are not those of their checksum.
//   - BadRequest: more than 10 tags.
//   - BucketAlreadyOwnedByYou: status 409.
//   - BucketNotEmpty: status 409.
//   - ConditionalRequestConflict: status 409, by the effect [Conflict].
//   - EntityTooSmall: a part of less than 5 MiB that is not the last.
//   - IllegalLocationConstraintException: a bucket of another region.
//   - IllegalVersioningConfigurationException: a versioning configuration without a status.
//   - InvalidArgument
//   - InvalidBucketName
//   - InvalidBucketState: status 409; versioning cannot be suspended under replication.
//   - InvalidDigest: what is no MD5 digest.
//   - InvalidLocationConstraint
//   - InvalidPart: a part that was not uploaded, or not like this.
//   - InvalidPartNumber: status 416.
//   - InvalidPartOrder
//   - InvalidRange: status 416.
//   - InvalidRequest
//   - InvalidTag
//   - InvalidURI: a key that is not UTF-8.
//   - KeyTooLongError
//   - MalformedXML: a configuration or a list that has not the form.
//   - MetadataTooLarge
//   - MethodNotAllowed: status 405; a delete marker is read by its version ID.
//   - MissingContentLength: status 411; a stream whose length is not known.
//   - NoSuchBucket: status 404.
//   - NoSuchKey: status 404; with the header X-Amz-Delete-Marker if a delete marker is current.
//   - NoSuchUpload: status 404.
//   - NoSuchVersion: status 404.
//   - NotImplemented: status 501; a condition that S3 does not have.
//   - NotModified: status 304.
//   - PermanentRedirect: status 301, with the header X-Amz-Bucket-Region.
//   - PreconditionFailed: status 412.
//   - ReplicationConfigurationNotFoundError: status 404.
//   - ServiceUnavailable: status 503, by the effect [awstest.Unavailable].
//   - SlowDown: status 503, by the effect [awstest.Throttle].
//
// Answers to HeadBucket and HeadObject have codes made of the status besides:
// MovedPermanently, Forbidden, BadRequest, RequestedRangeNotSatisfiable. What
// effects reject them with keeps its code, though: SlowDown and AccessDenied,
// where the SDK would make ServiceUnavailable and Forbidden of AWS's answer.
//
// # Cost
//
// A call costs about 150 µs of CPU, nine tenths of it in the SDK. The bytes
// of an object are kept once, whatever copies, versions and readers it has.
// A page of a list costs what is on it, however many keys there are and
// however many are rolled up in a common prefix.
package s3svc
