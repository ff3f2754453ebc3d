// Package route53svc is the health checks of Amazon Route 53 for awstest:
// endpoints that are really asked from the Internet, alarms, and sums of them,
// behind the SDK's own *route53.Client.
//
//	cloud, err := awstest.New([]awstest.Service{ec2svc.New(), cloudwatchsvc.New(), route53svc.New()})
//	client := route53.NewFromConfig(cloud.Config("eu-west-1")) // one Route 53 for all regions
//
// # When to use it
//
// Use it to test and to rehearse what decides a failover of DNS: an endpoint that
// checkers of the Internet ask, or a metric and its alarm, how long either takes
// to be found out, and that nothing of it needs the control plane.
//
// It models what high availability depends on and nothing else: it has health
// checks, and neither hosted zones nor records yet. What it does not know it
// refuses with [awstest.ErrNotModelled], an operation or a parameter alike, and
// [awstest.Cloud.Close] returns the refusal once more.
//
// # How it works
//
//	us-east-1: control plane            the Internet: 16 checkers
//	  CreateHealthCheck, ...  ------->  each asks the endpoint, on its own
//	                                      threshold in a row: its opinion
//	  GetHealthCheckStatus    <-------  more than 18 % healthy: the verdict
//	                                      inverted, if asked for
//
// Calls of clients in any region go to us-east-1, and
// [awstest.Cloud.FailService] of that region takes the control plane away: the
// checkers go on. They stand outside of every zone and region, two in each of the
// regions of [types.HealthCheckRegion]; AWS has more, and does not say how many.
// Each waits 10 or 30 seconds from an answer to its next question, so that an
// endpoint is asked every 0.6 or 1.9 seconds; in AWS the checkers do not know of
// each other, here they begin evenly spread. They come in by the network of
// [awstest.Cloud.Dial], to an address or to the name of a load balancer, and meet
// what clients meet. An HTTP endpoint has 4 seconds to connect, 2 more until its
// status, of 2xx or 3xx, and 2 more for the body, in whose first 5,120 bytes the
// search string has to be; a TCP endpoint has 10 seconds. There is no TLS in the
// network: HTTPS is asked as HTTP is.
//
// Every checker needs its threshold of answers in a row to change its opinion.
// More than 18 % of 16 are three, so that the fourteenth decides on the death of
// an endpoint, and the third on its return. With the defaults that takes 84 to 87
// seconds if the endpoint refuses, and three timeouts more if it is silent; at 10
// seconds and a threshold of one, 8 to 9 seconds and a timeout.
//
// A health check of an alarm looks at the data, every 10 seconds, and not at the
// state of the alarm: what SetAlarmState sets does not matter to it. It copies
// the alarm when it is created, or updated with the name of the alarm; what
// changes there later it does not see. Whether Route 53 takes note of how an
// alarm treats missing data AWS does not say; here it does.
//
// New health checks are healthy until there is enough data. One that is stuck
// ([awstest.Cloud.Stick], by its ID) keeps its verdict. [Healthy] tells what DNS
// would be told; the metrics HealthCheckStatus, HealthCheckPercentageHealthy and
// ChildHealthCheckHealthyCount of the namespace AWS/Route53 in us-east-1 tell it
// every minute. How long a verdict takes to reach DNS AWS does not say; here it
// takes no time.
//
// Configurations are shown as of [awstest.Options].VisibilityLag or the effect
// [awstest.Stale] ago, and so is what the checkers report.
//
// # Operations
//
// Each line says what is as AWS documents it, what is simplified, and what is
// not there.
//
//   - CreateHealthCheck: types HTTP, HTTPS, HTTP_STR_MATCH, HTTPS_STR_MATCH, TCP, CALCULATED and CLOUDWATCH_METRIC; the caller reference makes it repeatable, and is known for seven days after the deletion. Addresses that the checkers cannot reach are refused, except for those reserved for documentation, which this cloud has for public ones. Latency is not measured; a path without a slash gets one. Not there are routing controls, calculated health checks of calculated ones, and alarms of M out of N data points.
//   - GetHealthCheck: with the alarm as it was copied.
//   - UpdateHealthCheck: what is given, after what is reset; the version guards it. An address is neither added nor removed. The opinions of checkers are kept, except when a health check is enabled again. A checker of a region that is taken out stops at once.
//   - DeleteHealthCheck: also while another health check counts on it, which then goes on as if it were unhealthy.
//   - ListHealthChecks: pages of 100 unless it is said, 1,000 at most; a marker is the ID of a health check, and not valid any more once that is gone.
//   - GetHealthCheckCount: of the account.
//   - GetHealthCheckStatus: what each checker has met last, with texts of the kind that AWS answers. A calculated health check is refused, one of an alarm is not modelled.
//   - GetHealthCheckLastFailureReason: the last failure that each checker has met, if there was any.
//   - GetCheckerIpRanges: the ranges that the checkers here ask from, which are some of the real ones.
//   - ChangeTagsForResource: of health checks, at most ten tags.
//   - ListTagsForResource: of health checks, in the order of the keys.
//
// # Errors
//
// An error is the SDK's type of its code where it has one, such as
// *types.NoSuchHealthCheck, inside a response error with an HTTP status and a
// request ID. The codes are those of
// https://docs.aws.amazon.com/Route53/latest/APIReference/API_CreateHealthCheck.html
// (read 2026-11).
//
//   - AccessDenied: status 403, by the effect [awstest.Deny].
//   - HealthCheckAlreadyExists: status 409; the caller reference is that of a health check with other settings, or of one that was deleted.
//   - HealthCheckVersionMismatch: status 409; somebody else has changed the health check.
//   - InvalidInput: status 400.
//   - NoSuchHealthCheck: status 404.
//   - ServiceUnavailable: status 503, by the effect [awstest.Unavailable].
//   - Throttling: status 400, by the effect [awstest.Throttle].
//   - TooManyHealthChecks: status 400; an account has 200.
//
// # Cost
//
// A look of a checker is an event, and one more and a goroutine if a handler is
// asked: an hour of a health check with defaults is 1,920 looks. A health check
// of an alarm is 360 events an hour, one that is calculated none; the metrics of
// all are 60. Without health checks nothing runs.
package route53svc
