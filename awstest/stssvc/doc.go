// Package stssvc is the Security Token Service for awstest: it tells a
// program who it is, behind the SDK's own *sts.Client.
//
//	cloud, err := awstest.New([]awstest.Service{stssvc.New()})
//	client := sts.NewFromConfig(cloud.Config("us-east-1"))
//
// # When to use it
//
// Use it for programs that ask for their account or their instance at their
// start. It gives no credentials: those of [awstest.Cloud.Config] and
// [awstest.Instance.Config] are always valid, and [awstest.Deny] stands for
// permissions.
//
// # How it works
//
// A client of [awstest.Cloud.Config] is the IAM user "awstest" of
// [awstest.Options].AccountID; a client of an instance's Config is the session
// of that instance in the role "instance". It is the same in every region.
//
// # Operations
//
//   - GetCallerIdentity: account, ARN and user ID in the form that they have for a user and for an instance's role; the IDs of the user and of the role are those of AWS's examples. It needs no permission in AWS; here [awstest.Deny] denies it too.
//
// # Errors
//
// An error is a *smithy.GenericAPIError inside a response error with an HTTP
// status and a request ID. The codes are those of
// https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html (read
// 2026-11).
//
//   - AccessDenied: status 403, by the effect [awstest.Deny].
//   - ServiceUnavailable: status 503, by the effect [awstest.Unavailable].
//   - Throttling: status 400, by the effect [awstest.Throttle].
package stssvc
