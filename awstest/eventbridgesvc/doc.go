// Package eventbridgesvc is Amazon EventBridge for awstest: rules of the default
// event bus that deliver events to SQS queues, those of a program and those of
// the cloud's own EC2, Auto Scaling, RDS and zonal shift, behind the SDK's own
// *eventbridge.Client.
//
//	cloud, err := awstest.New([]awstest.Service{ec2svc.New(), sqssvc.New(), eventbridgesvc.New()})
//	client := eventbridge.NewFromConfig(cloud.Config("us-east-1"))
//
// # When to use it
//
// Use it to test what a program does with events: whether its rule matches what
// AWS sends, and what happens when events are late, come twice, in another order
// or not at all. In a testing/synctest bubble a day of retries passes at once.
//
// It models what high availability depends on and nothing else: it has no other
// buses, no schedules, no targets but queues, no transformations, no archives,
// and looks at no permissions: the policy of a queue is not evaluated, so that a
// queue whose policy does not let EventBridge send gets events here. What it
// does not know it refuses with [awstest.ErrNotModelled], an operation, a
// parameter or a part of a parameter alike, and [awstest.Cloud.Close] returns the
// refusal once more.
//
// # How it works
//
// An event is matched against the rules at once, and delivered after
// Options.Delay and what is drawn of Options.Spread:
//
//	event --matches--> a copy for each target of each rule --delay--> queue
//	      --matches none--> gone
//
// Deliveries overtake each other within Spread. [Drop] loses some, [Duplicate]
// makes some happen twice. A rule, its targets and its state are felt by
// events after Options.Effect.
//
// While EventBridge is down in the region ([awstest.Cloud.FailService]), the
// services keep their events and try again for up to 24 hours. While SQS is down,
// so do deliveries: after a second, and then twice as long each time up to ten
// minutes. AWS names the 24 hours and no times between. A target that is
// not there, or does not take the event, such as a FIFO queue without
// deduplication by content, gets no second try and the event is lost without
// a word, as in AWS without a dead-letter queue. Faults of SQS's operations do
// not strike deliveries. The loss of a zone does nothing to EventBridge.
//
// Rules and targets are described as of [awstest.Options].VisibilityLag or the
// effect [awstest.Stale] ago.
//
// # Events of the cloud
//
// These come by themselves, of every service that is in the cloud. What has no
// power tells nothing: that a zone dies is no event, but what AWS does
// about it is.
//
//   - aws.ec2, "EC2 Instance State-change Notification": every state that an instance enters, pending included.
//   - aws.autoscaling, "EC2 Instance-launch Lifecycle Action" and "EC2 Instance-terminate Lifecycle Action": one for each hook that an instance waits for.
//   - aws.autoscaling, "EC2 Instance Launch Successful", "EC2 Instance Launch Unsuccessful" and "EC2 Instance Terminate Successful": how an activity has ended; also that a launch was cancelled, which AWS does not document. What is attached, detached or moved to standby and back tells nothing.
//   - aws.rds, "RDS DB Instance Event": created, deleted, shut down and restarted by a reboot, and failovers: started, restarted, completed. A failover that nobody asked for does all of it at the same time, which is when the endpoint moves: when RDS tells of its start is not documented. Restores tell that they have created, and nothing of their source.
//   - aws.rds, "RDS DB Cluster Event": created, deleted.
//   - aws.arc-zonal-shift, "Manual Shift Started", "Manual Shift Updated" and "Manual Shift Canceled": of a customer's shift; none is documented for its expiry.
//   - aws.arc-zonal-shift, "Autoshift In Progress" and "Autoshift Completed": one for each resource that is included. Without any there is none: the notification of observers is not there.
//
// Others, such as those of AWS Health or of Spot Instances, a test can put itself
// into the queue: PutEvents refuses sources that begin with "aws.", as AWS does.
//
// # Operations
//
// Each line says what is as AWS documents it, what is simplified, and what is
// not there.
//
//   - PutRule: makes or replaces a rule on the default bus; its targets stay, what is left out is gone. Event patterns of exact values, prefix, anything-but and exists; others are refused with ErrNotModelled. Patterns of 2,048 characters, the default quota; with which error a longer one is refused is not documented. No schedules, roles, tags or events of CloudTrail. The quota of rules is not there.
//   - PutTargets: queues of the same region and account, of which five fit a rule, with a message group ID; whether a queue is there is not looked at. All of a request or none, but for FailEntries. No input of another form, dead-letter queue, retry policy or role.
//   - DescribeRule: all that a rule has.
//   - ListTargetsByRule: pages of 100.
//   - RemoveTargets: IDs that the rule does not have are passed over.
//   - DeleteRule: refused while there are targets; succeeds where there is no rule. No rule is managed by AWS: Force changes nothing.
//   - PutEvents: up to ten entries below 1 MiB, each of which can fail by itself. No other bus, no endpoint, no trace header.
//
// Of patterns: numbers are compared as they are written; fields of an array match
// if one element does; exists looks at values only, and not at objects.
//
// # Errors
//
// An error is the SDK's type of its code where there is one, such as
// *types.ResourceNotFoundException, else a *smithy.GenericAPIError, inside a
// response error with an HTTP status and a request ID. The codes are those that the
// SDK has (read 2026-11); the status is 400 unless noted, which could
// not be confirmed. Which of them answers which mistake AWS documents for few.
//
//   - AccessDeniedException: by the effect [awstest.Deny].
//   - InvalidEventPatternException: what is no event pattern.
//   - LimitExceededException: more than five targets, or a pattern that is too long.
//   - ResourceNotFoundException: an unknown rule.
//   - ServiceUnavailable: status 503, by the effect [awstest.Unavailable].
//   - ThrottlingException: by the effect [awstest.Throttle].
//   - ValidationException: anything else that breaks a rule.
//
// Entries of PutEvents fail with InvalidArgument, MalformedDetail,
// NotAuthorizedForSourceException, or what [FailEntries] says.
//
// # Cost
//
// An event costs about 5 µs of CPU, 10 µs more if there are rules, and 0.2 µs for
// each of them: one event of the loop for each event, and one for each delivery.
package eventbridgesvc
