// Package r53hc tells Route 53 how a pool of package healthcheck is, so that DNS leaves a region, or an endpoint, that is
// down.
//
//	publisher, err := r53hc.New(cloudwatch.NewFromConfig(cfg), pool, func(o *r53hc.Options) {
//		o.Dimensions = []r53hc.Dimension{{Name: "Pool", Value: "web"}}
//	})
//	...
//	err = publisher.Run(ctx)
//
// # When to use it
//
// There are two ways, and the first is the better one where it can be had:
//
//   - A [Handler] answers Route 53's own checkers, which come from the Internet and see what clients see: the network, the
//     port, the process. It needs a public address.
//   - A [Publisher] puts the health of a pool into CloudWatch, for targets that nobody reaches from outside; [Ensure] makes
//     the alarm and the health check that follow it. What it finds out it finds out later, and only as long as CloudWatch works.
//
// Do not move traffic by UpdateHealthCheck, with Inverted or Disabled: that is the control plane of Route 53, in one region for
// the whole world, and a failover must not need it. A metric is the data plane, and so is the answer to a checker; where a
// person or a program is to decide, the routing controls of Application Recovery Controller are.
//
// # How it works
//
//	pool --> Publisher --> metric: HealthyPercent --> alarm: below 1 in each of 2 minutes --> health check --> DNS
//	               every 20 s      by the minute             missing data is bad        reads the data, not the alarm
//
// A target that dies is unhealthy to the pool by its thresholds; the pool has no healthy target when the last of them is. From
// then on the metric is 0. The minute that is running may still be good on average, so that the health check is unhealthy
// Periods of Period later and up to a minute more, plus the seconds that CloudWatch and Route 53 take, which AWS does not
// promise. With the defaults: 2 to 3 minutes. It is healthy again with the first minute that is good as a whole or on average.
// Resolvers then go on with the old answer for the TTL of the record.
//
// Route 53 supports neither alarms of high resolution nor M out of N nor metric math, and takes a copy of the alarm:
// [Ensure] holds to the first and takes care of the second.
//
// # Guarantees and failure modes
//
//   - Silence is bad: the alarm treats missing data as breaching, and the health check takes insufficient data for ill health,
//     as it is not documented which of the two Route 53 heeds. A machine that is dead says nothing. So does a region whose
//     CloudWatch is down: traffic leaves it after Periods. [MissingLastKnown] wants neither.
//   - Nothing is published before the first checks, nor by a pool that has stopped. Put a process into service
//     before traffic depends on it for longer than Periods of Period.
//   - A pool that fails open publishes how few of its targets are healthy, if any, and not that it serves. Where all endpoints
//     of a name are unhealthy, Route 53 answers as if all were healthy, so that the last region goes on serving.
//   - What a person has decided about a target (healthcheck.Override) and what passive checks have ejected count as they do
//     for traffic: who drains all of a region takes it out of DNS too.
//   - A machine that is too busy to check has checks that tell nothing, or none. The last known health is published for
//     MaxDoubt, and then nothing: another machine that looks at the same pool, and publishes the same series, may know better.
//   - Several publish one series: the average decides by default, so that one that is cut off from a healthy pool does not move
//     the traffic, and its silence does not either.
//   - Calls that fail lose nothing for some intervals: data points carry their time and are put with the next call. A reply
//     that was lost makes a value count twice, which moves an average a little and a minimum or maximum not at all.
//
// # AWS calls and IAM actions
//
// A Publisher makes one PutMetricData each interval: 130,000 a month with the default.
//
//	{"Effect": "Allow", "Action": "cloudwatch:PutMetricData", "Resource": "*",
//		"Condition": {"StringEquals": {"cloudwatch:namespace": "awsha/healthcheck"}}}
//
// Ensure needs these, in a deployment:
//
//	{"Effect": "Allow", "Action": ["cloudwatch:PutMetricAlarm", "cloudwatch:DescribeAlarms"], "Resource":
//		"arn:aws:cloudwatch:REGION:ACCOUNT:alarm:*"},
//	{"Effect": "Allow", "Action": "route53:CreateHealthCheck", "Resource": "*"},
//	{"Effect": "Allow", "Action": ["route53:GetHealthCheck", "route53:UpdateHealthCheck"], "Resource":
//		"arn:aws:route53:::healthcheck/*"}
//
// Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonroute53.html and
// .../list_amazoncloudwatch.html (read 2026-11)
//
// A Handler makes no call.
//
// # Limits
//
// Up to 50 metrics of up to 30 dimensions. Health checks that exist are found by their reference alone; nothing is ever
// deleted here. Records and hosted zones are not its business.
//
// # Errors
//
// New, NewHandler and Ensure report every mistake at once, each a [*FieldError]. Run returns [ErrAlreadyRun], the cause of its
// context, or [healthcheck.ErrStopped]; calls that fail are a [*CallError], in an [Event] or from Ensure.
//
// # Testing
//
// Package awstest has a CloudWatch and a Route 53 behind the real clients, whose health checks follow the data as
// here described: see its packages cloudwatchsvc and route53svc. Package healthcheckmock has mocks of the interfaces. All
// time is that of package time.
package r53hc
