package sqsscale

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// Metric identifies the backlog per instance in CloudWatch: what a [Publisher] puts and what a [TargetTracking] follows must be the same.
//
// AWS's guide leaves the dimensions of such a metric to the user. Here they are those by which SQS and Auto Scaling name their own,
// QueueName and AutoScalingGroupName: one queue that two groups work on has two backlogs per instance.
//
// Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/scale-sqs-queue-cli.html (read 2026-11)
type Metric struct {
	// Namespace is "awsha/queueworker" by default. It must not begin with "AWS/" or a colon.
	Namespace string
	// Name is "BacklogPerInstance" by default.
	Name string
	// QueueName is the name of the queue, not its URL. It is required.
	QueueName string
	// GroupName is the Auto Scaling group of the workers. Empty: the metric has no such dimension.
	GroupName string
}

// The dimensions of a Metric.
const (
	dimensionQueue = "QueueName"
	dimensionGroup = "AutoScalingGroupName"
)

const (
	defaultNamespace = "awsha/queueworker"
	defaultName      = "BacklogPerInstance"

	// The unit of AWS's guide for this metric. An alarm with a unit sees the data of no other.
	unit = types.StandardUnitNone

	// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html (read 2026-11)
	maxText  = 255 // of namespaces and names
	maxValue = 1024
)

// complete fills in the defaults and reports mistakes.
func (s *Metric) complete(m *mistakes) {
	orDefault(&s.Namespace, defaultNamespace)
	orDefault(&s.Name, defaultName)
	m.require(printable(s.Namespace, maxText) && !strings.HasPrefix(s.Namespace, "AWS/") && !strings.HasPrefix(s.Namespace, ":"),
		"Metric.Namespace", s.Namespace, "must have at most 255 characters of ASCII and must not begin with AWS/ or a colon")
	m.require(printable(s.Name, maxText), "Metric.Name", s.Name, "must have at most 255 characters of ASCII")
	m.require(printable(s.QueueName, maxValue) && !strings.Contains(s.QueueName, "/"), "Metric.QueueName", s.QueueName, "must be the name of a queue")
	m.require(s.GroupName == "" || printable(s.GroupName, maxValue), "Metric.GroupName", s.GroupName, "must be the name of an Auto Scaling group")
}

// printable tells whether CloudWatch takes a text as a part of the identity of a metric.
func printable(text string, most int) bool {
	return strings.TrimSpace(text) != "" && len(text) <= most && !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
}

// dimensions are name and value of each, in order.
func (s *Metric) dimensions() [][2]string {
	all := [][2]string{{dimensionQueue, s.QueueName}}
	if s.GroupName != "" {
		all = append(all, [2]string{dimensionGroup, s.GroupName})
	}
	return all
}

// cloudWatch are the dimensions as CloudWatch has them.
func (s *Metric) cloudWatch() (all []types.Dimension) {
	for _, d := range s.dimensions() {
		all = append(all, types.Dimension{Name: aws.String(d[0]), Value: aws.String(d[1])})
	}
	return all
}
