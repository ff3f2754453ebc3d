// Package kmssvc is AWS Key Management Service for awstest: keys, what state
// they are in, and their aliases, behind the SDK's own *kms.Client.
//
//	cloud, err := awstest.New([]awstest.Service{kmssvc.New()})
//	client := kms.NewFromConfig(cloud.Config("us-east-1"))
//
// # When to use it
//
// Use it to test and to rehearse what a program does when the key behind its
// volumes and snapshots is disabled, about to be deleted, in another region, or
// not for it to use: traps that spring when the copy is needed.
//
// It encrypts nothing: Encrypt, Decrypt, GenerateDataKey and the like are not
// there. What it does not know it refuses with [awstest.ErrNotModelled], an
// operation or a parameter alike, and [awstest.Cloud.Close] returns the refusal
// once more.
//
// # How it works
//
//	CreateKey --> Enabled <--EnableKey, DisableKey--> Disabled
//	                 |                                 |  ^
//	                 ScheduleKeyDeletion               |  CancelKeyDeletion
//	                 v                                 v  |
//	                 PendingDeletion ----7 to 30 days----> not there
//
// Keys and aliases are of a region. The other services of the cloud that
// encrypt ask whether a key can be used, and fail as they do in AWS if it
// cannot: most of them late. [Deny] and [Disconnect] take the use of a key away
// otherwise; while KMS is down in a region ([awstest.Cloud.FailService]) no key
// of it can be used.
//
// Each region has the aliases of AWS for the services that are modelled here, such as
// alias/aws/ebs. The key behind one is made when it is asked for first.
//
// Reads stand behind changes by [awstest.Options].VisibilityLag or by the effect
// [awstest.Stale], as KMS says of itself. Whether a key can be used is always
// decided as of now. A key that is stuck ([awstest.Cloud.Stick], by its ID)
// stays pending deletion until it is healed. The loss of a zone does nothing
// to KMS.
//
// # Operations
//
// Each line says what is as AWS documents it, what is simplified, and what is
// not there. Keys are given by ID or ARN, to DescribeKey also by the name or the
// ARN of an alias.
//
//   - CreateKey: symmetric keys for encryption with material of KMS, also multi-Region primary keys. Policies and tags are accepted and ignored. No other keys.
//   - DescribeKey: state, manager, dates; makes the key of an alias of AWS.
//   - ListKeys: pages.
//   - EnableKey: refused while the key is pending deletion; of a key that is unavailable the state changes once it is available.
//   - DisableKey: the same.
//   - ScheduleKeyDeletion: 7 to 30 days, and then exactly, where AWS may take a day more; the aliases go with the key. Keys have no replicas.
//   - CancelKeyDeletion: the key is disabled then.
//   - CreateAlias: names, one key to an alias. No quota.
//   - UpdateAlias: to another key. An alias whose key has gone is gone too.
//   - DeleteAlias: the key stays.
//   - ListAliases: all or those of a key, those of AWS without a key included; pages.
//
// A marker is a place in the result: what is added or goes between two pages
// may move something from one to the next.
//
// # Errors
//
// An error is the SDK's type of its code where there is one, such as
// *types.NotFoundException, else a *smithy.GenericAPIError, inside a response
// error with an HTTP status and a request ID. The codes are those of
// https://docs.aws.amazon.com/kms/latest/APIReference/API_Operations.html
// (read 2026-11); the status is 400 unless noted.
//
//   - AccessDeniedException: by the effect [awstest.Deny]; changing a key that AWS manages, whose policy allows only reads: AWS documents no code for it. Services meet it by [Deny].
//   - AlreadyExistsException: CreateAlias with a name that is taken.
//   - DisabledException: services that use a disabled key.
//   - InvalidAliasNameException: also for names that begin with alias/aws/, for which AWS documents no code.
//   - InvalidArnException
//   - InvalidMarkerException
//   - KMSInternalException: status 500, by the effect [awstest.Unavailable].
//   - KMSInvalidStateException: a state that does not allow it. Services that use a key that is pending deletion meet it, where AWS has DisabledException too.
//   - NotFoundException: an unknown key or alias; a key of another region or account, as accounts answer.
//   - ThrottlingException: by the effect [awstest.Throttle].
//   - ValidationException: a number or a text that breaks a rule.
//
// # Cost
//
// A key costs a few hundred bytes, and an event while it is pending deletion.
package kmssvc
