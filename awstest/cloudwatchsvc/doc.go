// Package cloudwatchsvc is Amazon CloudWatch for awstest: metrics, statistics,
// and alarms that are evaluated by themselves and act, behind the SDK's own
// *cloudwatch.Client.
//
//	cloud, err := awstest.New([]awstest.Service{cloudwatchsvc.New()})
//	client := cloudwatch.NewFromConfig(cloud.Config("us-east-1"))
//
// # When to use it
//
// Use it to test and to rehearse what a program does with metrics and alarms:
// what it publishes, when an alarm sees it, what happens when the data stops
// coming, or when CloudWatch itself is slow, down or behind.
//
// It models what high availability depends on and nothing else: it has no
// metric math, no composite alarms, no dashboards, no logs. What it does not
// know it refuses with [awstest.ErrNotModelled], an operation, a parameter or
// a part of a parameter alike, and [awstest.Cloud.Close] returns the refusal
// once more.
//
// # How it works
//
// A data point belongs to a minute or, at high resolution, to a second. A
// statistic is made of all that was put for a period, in whatever order it came.
// Options.Visible is how long data takes to be seen by statistics and alarms,
// Options.Listed how long a metric takes to be listed; both are none unless
// set.
//
// An alarm is evaluated at the beginning of every minute, over its periods up
// to then, and every ten seconds if its period is below a minute:
//
//	                 enough of the periods breach the threshold
//	INSUFFICIENT_DATA, OK --------------------------> ALARM
//	INSUFFICIENT_DATA, ALARM -----------------------> OK
//	                 fewer do
//	OK, ALARM --------------------------------------> INSUFFICIENT_DATA
//	                 no data, and missing data is missing
//
// If data is missing, it looks back as far as two periods more than it has,
// and fills in by TreatMissingData what is missing still, as the guide's tables
// have it. An alarm that comes into another state carries out the actions of
// that state, once; Auto Scaling's are repeated every minute. Policies of the
// Auto Scaling of the same cloud act by themselves; for all others there is
// [OnAction]. [Publish] puts what a service of AWS would publish about itself.
//
// Statistics, lists and descriptions stand behind changes by
// [awstest.Options].VisibilityLag or by the effect [awstest.Stale]. Alarms look
// at the present, less Options.Visible. They stand still while CloudWatch is
// down in the region ([awstest.Cloud.FailService]) or the alarm is stuck
// ([awstest.Cloud.Stick], by its name). The loss of a zone does nothing to
// CloudWatch.
//
// # Operations
//
// Each line says what is as AWS documents it, what is simplified, and what is
// not there.
//
//   - PutMetricData: values, values with counts, statistics; units, dimensions, times and both resolutions; all of a request or none, and all of the rules for its parts. No entities. It is not held to the size of a request.
//   - GetMetricStatistics: all statistics and percentiles, which are exact here and estimates in AWS; units apart; rounding of the beginning; 1,440 points; how long which periods are kept. Data points are in no order of time. Periods begin with the rounded beginning. No trimmed means and their like.
//   - GetMetricData: metrics with any of these statistics, both orders, pages. Of several units in a period it is that which was put first. No expressions, no Metrics Insights, no dynamic labels, no time zones for labels.
//   - ListMetrics: filters, the recently active, pages of 500. A metric is never forgotten, where AWS lists it for two weeks after its last data point.
//   - PutMetricAlarm: alarms on a metric with a threshold: statistics and percentiles, M out of N, all operators, missing data, actions, tags. An update leaves the state and the tags. No metric math, anomaly detection, PromQL, wall clock windows, warm-up, or low samples of percentiles. The quota of alarms is not there.
//   - DescribeAlarms: names, prefix, state, action, pages. There are no alarms but metric alarms.
//   - DescribeAlarmsForMetric: the metric, statistic, period, unit.
//   - DescribeAlarmHistory: changes of the configuration and the state, and actions, by alarm, type and time, in both orders, in pages; also of alarms that are deleted; for 30 days. Without the data in JSON.
//   - SetAlarmState: holds until the next evaluation, and acts as if the data had done it.
//   - EnableAlarmActions: names that nothing has are passed over.
//   - DisableAlarmActions: the same.
//   - DeleteAlarms: names that nothing has are passed over, and the others are deleted. AWS documents both that and ResourceNotFound.
//   - TagResource: alarms only.
//   - UntagResource: the same.
//   - ListTagsForResource: the same.
//
// A token is a place in the result: what is added or goes between two pages
// may move something from one to the next.
//
// # Simplified
//
// The evaluation range is two periods longer than the alarm's: the guide has
// that for an alarm of three periods, and says of others only that it depends
// on the period. An alarm whose few data points all breach, but have not done so for
// long enough, stays what it is; the guide says only that it is not yet in
// alarm. An alarm on a metric of DynamoDB ignores missing data unless it asks for
// something else, as the guide has it; the API reference has that it always
// does. A data point of three hours ago is seen as soon as one of now, where AWS
// takes hours.
//
// # Errors
//
// An error is the SDK's type of its code, such as
// *types.InvalidParameterValueException, or a *smithy.GenericAPIError, inside a
// response error with an HTTP status and a request ID. Its code is that of the
// service's older protocol, as the SDK has it from AWS. The codes are those of
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Operations.html
// (read 2026-11); the status is 400 unless noted. Which of them answers which
// mistake AWS documents for few.
//
//   - AccessDenied: status 403, by the effect [awstest.Deny].
//   - InvalidFormat: SetAlarmState with data that is not in JSON.
//   - InvalidNextToken
//   - InvalidParameterCombination: two of what excludes each other; more than 1,440 data points.
//   - InvalidParameterValue: a data point, a metric, a time or a tag that breaks a rule.
//   - MissingParameter: no data, no value, no statistic.
//   - ResourceNotFound: status 404, SetAlarmState of an unknown alarm.
//   - ResourceNotFoundException: status 404, tags of an unknown alarm.
//   - ServiceUnavailable: status 503, by the effect [awstest.Unavailable].
//   - Throttling: by the effect [awstest.Throttle].
//   - ValidationError: an alarm or a query that breaks a rule, a size of a page, a value that is none of its set.
//
// # Cost
//
// An evaluation of an alarm costs about 2 µs of CPU, however much data there is
// outside of its periods, and about 30 ns for each minute within them, or each
// second that has data of high resolution: those of a day cost 3 ms.
// Data points are kept for good.
package cloudwatchsvc
