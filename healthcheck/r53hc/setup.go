package r53hc

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	r53 "github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/awsha/awsha/internal/awserr"
	"github.com/awsha/awsha/internal/retry"
)

// Ensured is what [Ensure] has found or made.
type Ensured struct {
	HealthCheckID string // for the HealthCheckId of records
	Version       int64  // of the health check
	AlarmARN      string
}

// Ensure makes the alarm and the health check of a spec, or finds them, and reads both back: it may be called again and
// again, by several at once, and after replies that were lost. It belongs to a deployment: what it calls is the control
// plane, which a failover must not need.
//
// An alarm of that name is overwritten. As Route 53 copies an alarm when a health check is made, one that was made of
// other settings is updated, guarded by its version. What is of the health check itself is left as it is: another
// Spec.Missing, or one that somebody has inverted or disabled, is [ErrReferenceTaken].
//
// A mistake in s is a [*FieldError], and all of them are returned; what AWS refuses is a [*CallError], which matches
// [ErrReferenceTaken], [ErrDenied] or [ErrUnconfirmed] where that is what it means. It takes Spec.Timeout at
// most, and the last call up to Spec.CallTimeout more; 1 PutMetricAlarm, 1 DescribeAlarms, 1 CreateHealthCheck and
// 1 GetHealthCheck if nothing goes wrong.
func Ensure(ctx context.Context, alarms AlarmsAPI, healthChecks HealthChecksAPI, s Spec) (Ensured, error) {
	err := s.complete()
	if alarms == nil {
		err = errors.Join(err, &FieldError{"alarms", nil, "must be a CloudWatch client"})
	}
	if healthChecks == nil {
		err = errors.Join(err, &FieldError{"healthChecks", nil, "must be a Route 53 client"})
	}
	if err != nil {
		return Ensured{}, err
	}
	u := &setup{Spec: s, alarms: alarms, checks: healthChecks, deadline: time.Now().Add(s.Timeout)}
	out, err := u.ensure(ctx)
	if err != nil && ctx.Err() != nil {
		return Ensured{}, context.Cause(ctx)
	}
	return out, err
}

// setup is an Ensure under way.
type setup struct {
	Spec
	alarms   AlarmsAPI
	checks   HealthChecksAPI
	deadline time.Time
}

func (u *setup) ensure(ctx context.Context) (out Ensured, err error) {
	err = u.call(ctx, "PutMetricAlarm", u.Alarm, func(ctx context.Context) error {
		_, err := u.alarms.PutMetricAlarm(ctx, u.alarm())
		return err
	})
	if err != nil {
		return out, err
	}
	if out.AlarmARN, err = u.confirmAlarm(ctx); err != nil {
		return out, err
	}
	var made *r53.HealthCheck
	err = u.call(ctx, "CreateHealthCheck", u.Reference, func(ctx context.Context) error {
		out, err := u.checks.CreateHealthCheck(ctx, u.healthCheck())
		if err == nil {
			made = out.HealthCheck
		}
		return err
	})
	if err != nil {
		return out, err
	}
	out.HealthCheckID = aws.ToString(made.Id)
	out.Version, err = u.confirmHealthCheck(ctx, out.HealthCheckID)
	return out, err
}

// call makes a call, and again while the error says that this may help. All calls here may be repeated.
func (u *setup) call(ctx context.Context, op, of string, fn func(context.Context) error) error {
	err := retry.Do(ctx, time.Until(u.deadline), func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, u.CallTimeout)
		defer cancel()
		return fn(ctx)
	}, func(err error, _ time.Duration) (retry.Policy, bool) {
		switch awserr.Of(err) {
		case awserr.Throttle:
			return retry.Throttle(), true
		case awserr.Transient, awserr.Unsent:
			return retry.Transient(), true
		}
		return retry.Policy{}, false
	}, nil)
	if err != nil {
		return &CallError{Op: op, Of: of, Err: err}
	}
	return nil
}

// poll reads until what was written is seen. A read may be of before.
func (u *setup) poll(ctx context.Context, op, of string, seen func(context.Context) (bool, error)) error {
	var failed error
	shown := retry.Poll(ctx, time.Until(u.deadline), retry.Pending(), func(ctx context.Context) (done bool) {
		done, failed = seen(ctx)
		return done || failed != nil
	})
	switch {
	case failed != nil:
		return failed
	case !shown:
		return &CallError{Op: op, Of: of, Err: ErrUnconfirmed}
	}
	return nil
}

func (u *setup) confirmAlarm(ctx context.Context) (arn string, err error) {
	err = u.poll(ctx, "DescribeAlarms", u.Alarm, func(ctx context.Context) (shown bool, err error) {
		err = u.call(ctx, "DescribeAlarms", u.Alarm, func(ctx context.Context) error {
			out, err := u.alarms.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{u.Alarm}, AlarmTypes: []cw.AlarmType{cw.AlarmTypeMetricAlarm}})
			if err == nil && len(out.MetricAlarms) == 1 && u.isAlarm(&out.MetricAlarms[0]) {
				arn, shown = aws.ToString(out.MetricAlarms[0].AlarmArn), true
			}
			return err
		})
		return shown, err
	})
	return arn, err
}

// confirmHealthCheck reads the health check until it follows the alarm as that is now, and updates it if it was made of
// another.
func (u *setup) confirmHealthCheck(ctx context.Context, id string) (version int64, err error) {
	err = u.poll(ctx, "GetHealthCheck", id, func(ctx context.Context) (bool, error) {
		var got *r53.HealthCheck
		err := u.call(ctx, "GetHealthCheck", id, func(ctx context.Context) error {
			out, err := u.checks.GetHealthCheck(ctx, &route53.GetHealthCheckInput{HealthCheckId: &id})
			if awserr.Of(err) == awserr.NotFound { // as far as this read knows
				return nil
			}
			if err == nil {
				got = out.HealthCheck
			}
			return err
		})
		if err != nil || got == nil {
			return false, err
		}
		version = aws.ToInt64(got.HealthCheckVersion)
		if u.follows(got.CloudWatchAlarmConfiguration) {
			return true, nil
		}
		return false, u.refresh(ctx, id, version)
	})
	return version, err
}

// refresh makes Route 53 copy the alarm anew. Somebody else's update in between is seen by the next read, and so is an
// own one whose reply was lost.
// Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-updating-cloudwatch-alarm-settings.html (read 2026-11)
func (u *setup) refresh(ctx context.Context, id string, version int64) error {
	return u.call(ctx, "UpdateHealthCheck", id, func(ctx context.Context) error {
		_, err := u.checks.UpdateHealthCheck(ctx, &route53.UpdateHealthCheckInput{
			HealthCheckId: &id, HealthCheckVersion: &version, AlarmIdentifier: u.identifier(),
		})
		if awserr.Of(err) == awserr.Conflict {
			return nil
		}
		return err
	})
}

// isAlarm tells whether an alarm is that of the spec.
func (u *setup) isAlarm(a *cw.MetricAlarm) bool {
	want := u.alarm()
	return aws.ToString(a.Namespace) == *want.Namespace && aws.ToString(a.MetricName) == *want.MetricName && a.Statistic == want.Statistic &&
		aws.ToInt32(a.Period) == *want.Period && aws.ToInt32(a.EvaluationPeriods) == *want.EvaluationPeriods &&
		aws.ToFloat64(a.Threshold) == *want.Threshold && a.ComparisonOperator == want.ComparisonOperator &&
		aws.ToString(a.TreatMissingData) == *want.TreatMissingData && slices.Equal(names(a.Dimensions), names(want.Dimensions))
}

// follows tells whether what Route 53 has copied is the alarm of the spec.
func (u *setup) follows(c *r53.CloudWatchAlarmConfiguration) bool {
	if c == nil {
		return false
	}
	var dimensions []cw.Dimension
	for _, d := range c.Dimensions {
		dimensions = append(dimensions, cw.Dimension{Name: d.Name, Value: d.Value})
	}
	want := u.alarm()
	return aws.ToString(c.Namespace) == *want.Namespace && aws.ToString(c.MetricName) == *want.MetricName && string(c.Statistic) == string(want.Statistic) &&
		aws.ToInt32(c.Period) == *want.Period && aws.ToInt32(c.EvaluationPeriods) == *want.EvaluationPeriods &&
		aws.ToFloat64(c.Threshold) == *want.Threshold && string(c.ComparisonOperator) == string(want.ComparisonOperator) &&
		slices.Equal(names(dimensions), names(want.Dimensions))
}

// names are dimensions as text, in an order that does not depend on theirs.
func names(dimensions []cw.Dimension) (all []string) {
	for _, d := range dimensions {
		all = append(all, aws.ToString(d.Name)+"\x00"+aws.ToString(d.Value))
	}
	slices.SortFunc(all, strings.Compare)
	return all
}
