package r53hc

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	r53 "github.com/aws/aws-sdk-go-v2/service/route53/types"
)

// Missing is what a health check makes of a metric that nobody publishes.
type Missing uint8

const (
	// MissingUnhealthy takes silence for ill health: who does not publish may be down, and so may be the region's
	// CloudWatch, which then makes traffic go elsewhere.
	MissingUnhealthy Missing = iota
	// MissingLastKnown keeps the last known health: silence moves no traffic, not even that of a region that is down.
	MissingLastKnown
)

// Spec is an alarm of a pool's metric and the health check that follows it. The zero value of each field means its default.
type Spec struct {
	Series // as the Publishers have it

	// Metric is the name of the metric. Default "HealthyPercent".
	Metric string

	// Alarm is the name of the alarm. Required.
	Alarm string

	// Region is where the metric and the alarm are: that of the CloudWatch client. Required.
	Region string

	// Reference makes the creation of the health check repeatable: the same reference and the same settings are the same
	// health check. Default "awsha-" and the region and the name of the alarm, which ends in a digest if it is longer than 64.
	Reference string

	// Below is the value below which a period is bad, and not zero. Default 1: that no target is healthy, and with
	// HealthyPercent that fewer than one of a hundred are; a pool of more than that may want HealthyCount.
	Below float64

	// Statistic of the values of a period, of all that publish: Average, Minimum, Maximum or Sum. With the default,
	// Average, a period that has begun well is well under the default of Below. A Sum grows with the number of those that
	// publish, and with calls that are repeated.
	Statistic cw.Statistic

	// Period is what is looked at as one, in whole minutes: Route 53 supports no alarms of shorter ones. Default 1 minute.
	Period time.Duration

	// Periods is how many in a row have to be bad. Default 2: a health check follows between 2 and 3 minutes after the
	// pool, and a few seconds. Route 53 supports no alarms of M out of N periods.
	Periods int

	// Missing is what a period without data means. Default MissingUnhealthy.
	Missing Missing

	// Actions are ARNs for the alarm itself to act on, such as a topic of SNS, at most 5.
	Actions []string

	// CallTimeout bounds each call, with the SDK's retries inside it; default 10 s. Timeout is of an Ensure, with its own
	// repetitions and reads; default 2 minutes.
	CallTimeout, Timeout time.Duration
}

const (
	defaultBelow   = 1
	defaultPeriod  = time.Minute
	defaultPeriods = 2
	defaultTimeout = 2 * time.Minute

	maxReference = 64
	maxActions   = 5

	// An alarm looks back a day at most, for periods below an hour.
	// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html (read 2026-11)
	maxRange = 24 * time.Hour
)

// complete fills in the defaults and reports every mistake.
func (s *Spec) complete() error {
	orDefault(&s.Metric, HealthyPercent().Name)
	orDefault(&s.Below, defaultBelow)
	orDefault(&s.Statistic, cw.StatisticAverage)
	orDefault(&s.Period, defaultPeriod)
	orDefault(&s.Periods, defaultPeriods)
	orDefault(&s.CallTimeout, defaultCallTimeout)
	orDefault(&s.Timeout, defaultTimeout)
	if s.Reference == "" {
		s.Reference = shorten("awsha-" + s.Region + "-" + s.Alarm)
	}
	c := &checks{of: "Spec"}
	s.Series.complete(c)
	c.require(printable(s.Metric) && len(s.Metric) <= maxText, "Metric", s.Metric, "must have at most 255 characters of ASCII")
	c.require(s.Alarm != "" && len(s.Alarm) <= maxText, "Alarm", s.Alarm, "must have from 1 to 255 characters")
	c.require(s.Region != "", "Region", s.Region, "must be that of the CloudWatch client")
	c.require(len(s.Reference) <= maxReference, "Reference", s.Reference, "must have at most 64 characters")
	switch s.Statistic {
	case cw.StatisticAverage, cw.StatisticMinimum, cw.StatisticMaximum, cw.StatisticSum:
	default:
		c.require(false, "Statistic", string(s.Statistic), "must be Average, Minimum, Maximum or Sum")
	}
	c.require(!math.IsNaN(s.Below) && !math.IsInf(s.Below, 0), "Below", s.Below, "must be a number")
	c.require(s.Period >= time.Minute && s.Period%time.Minute == 0, "Period", s.Period, "must be whole minutes: Route 53 does not support alarms of high resolution")
	c.require(s.Periods > 0 && s.Period*time.Duration(s.Periods) <= maxRange, "Periods", s.Periods, "must be positive, and a day with Period at most")
	c.require(s.Missing <= MissingLastKnown, "Missing", s.Missing, "must be MissingUnhealthy or MissingLastKnown")
	c.require(len(s.Actions) <= maxActions, "Actions", len(s.Actions), "must be at most 5")
	c.require(s.CallTimeout > 0, "CallTimeout", s.CallTimeout, "must not be negative")
	c.require(s.Timeout > 0, "Timeout", s.Timeout, "must not be negative")
	return errors.Join(c.errs...)
}

// shorten cuts a reference to what Route 53 takes, so that different ones stay different.
func shorten(reference string) string {
	if len(reference) <= maxReference {
		return reference
	}
	sum := sha256.Sum256([]byte(reference))
	digest := "-" + hex.EncodeToString(sum[:8])
	return strings.ToValidUTF8(reference[:maxReference-len(digest)], "") + digest
}

// AlarmInput returns the call that makes the alarm, or every mistake in s, each a [*FieldError].
func (s Spec) AlarmInput() (*cloudwatch.PutMetricAlarmInput, error) {
	if err := s.complete(); err != nil {
		return nil, err
	}
	return s.alarm(), nil
}

func (s *Spec) alarm() *cloudwatch.PutMetricAlarmInput {
	missing := "breaching"
	if s.Missing == MissingLastKnown {
		missing = "ignore"
	}
	return &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String(s.Alarm), AlarmDescription: aws.String("The health of a pool, which a health check of Route 53 follows"),
		Namespace: aws.String(s.Namespace), MetricName: aws.String(s.Metric), Dimensions: s.dimensions(),
		Statistic: s.Statistic, Period: aws.Int32(int32(s.Period / time.Second)), EvaluationPeriods: aws.Int32(int32(s.Periods)),
		Threshold: aws.Float64(s.Below), ComparisonOperator: cw.ComparisonOperatorLessThanThreshold,
		TreatMissingData: aws.String(missing), AlarmActions: s.Actions,
	}
}

// HealthCheckInput returns the call that makes the health check, or every mistake in s, each a [*FieldError]. The alarm
// must be there when the call is made.
func (s Spec) HealthCheckInput() (*route53.CreateHealthCheckInput, error) {
	if err := s.complete(); err != nil {
		return nil, err
	}
	return s.healthCheck(), nil
}

// healthCheck says once more what missing data means: AWS does not document whether Route 53 takes note of how an alarm
// treats it.
func (s *Spec) healthCheck() *route53.CreateHealthCheckInput {
	insufficient := r53.InsufficientDataHealthStatusUnhealthy
	if s.Missing == MissingLastKnown {
		insufficient = r53.InsufficientDataHealthStatusLastKnownStatus
	}
	return &route53.CreateHealthCheckInput{
		CallerReference: aws.String(s.Reference),
		HealthCheckConfig: &r53.HealthCheckConfig{
			Type:                         r53.HealthCheckTypeCloudwatchMetric,
			AlarmIdentifier:              s.identifier(),
			InsufficientDataHealthStatus: insufficient,
		},
	}
}

func (s *Spec) identifier() *r53.AlarmIdentifier {
	return &r53.AlarmIdentifier{Name: aws.String(s.Alarm), Region: r53.CloudWatchRegion(s.Region)}
}
