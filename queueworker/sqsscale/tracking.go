package sqsscale

import (
	"context"
	"errors"
	"math"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/awsha/awsha/internal/awserr"
	"github.com/awsha/awsha/internal/retry"
)

// TargetTracking is a scaling policy by which Auto Scaling itself keeps the backlog per instance at a target. The zero value of each field
// means its default.
type TargetTracking struct {
	// Group is the name of the Auto Scaling group. It is required.
	Group string
	// Name of the policy. Default "backlog-per-instance". A policy of that name which is there already becomes this one.
	Name string
	// Target is the backlog per instance to be kept: ScaleHint.AcceptableBacklog, the messages that an instance handles in the time that
	// one may wait. It is required. It is a number of the policy: if handlers become slower, it has to become less.
	Target float64
	// Metric is what a Publisher publishes, with the same dimensions. Of MetricMath only its QueueName is looked at.
	Metric Metric
	// MetricMath makes the policy divide metrics that AWS publishes itself, ApproximateNumberOfMessagesVisible of the queue by
	// GroupInServiceInstances of the group, which needs no publisher. The group must publish its metrics (EnableMetricsCollection), which
	// is off by default and free; and it should never be empty, as nothing can be divided by no instances.
	MetricMath bool
	// DisableScaleIn makes the policy add instances only.
	DisableScaleIn bool
	// Warmup is how long a new instance takes to work, in whole seconds. Zero leaves it to the group.
	Warmup time.Duration
	// Disabled keeps the policy there and has it do nothing.
	Disabled bool

	// Timeout bounds what Check and Ensure do, with repetitions and until reads show what was written; the last call may take ten seconds
	// more. Default a minute.
	Timeout time.Duration
}

// Difference is something of a policy that is not as it should be.
type Difference struct {
	// Field is such as "TargetValue"; "Policy" if there is none of the name, and "EnabledMetrics" is the group's.
	Field      string
	Have, Want string // empty: not there
}

// The statistics and the expression are those of AWS's guide.
//
// Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-target-tracking-metric-math.html (read 2026-11)
// Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/scale-sqs-queue-cli.html (read 2026-11)
const (
	policyType  = "TargetTrackingScaling"
	groupMetric = "GroupInServiceInstances"
	granularity = "1Minute"
	expression  = "m1 / m2"
)

// Input returns what Ensure sends, for those who make policies another way.
func (t TargetTracking) Input() (*autoscaling.PutScalingPolicyInput, error) {
	if err := t.complete(); err != nil {
		return nil, err
	}
	return t.input(), nil
}

func (t *TargetTracking) input() *autoscaling.PutScalingPolicyInput {
	spec := &types.CustomizedMetricSpecification{
		Namespace: &t.Metric.Namespace, MetricName: &t.Metric.Name, Statistic: types.MetricStatisticAverage, Unit: aws.String(string(unit)),
	}
	for _, d := range t.Metric.dimensions() {
		spec.Dimensions = append(spec.Dimensions, types.MetricDimension{Name: aws.String(d[0]), Value: aws.String(d[1])})
	}
	if t.MetricMath {
		spec = &types.CustomizedMetricSpecification{Metrics: []types.TargetTrackingMetricDataQuery{
			query("m1", "messages that wait", "AWS/SQS", "ApproximateNumberOfMessagesVisible", "Sum", dimensionQueue, t.Metric.QueueName),
			query("m2", "instances in service", "AWS/AutoScaling", groupMetric, "Average", dimensionGroup, t.Group),
			{Id: aws.String("e1"), Label: aws.String("backlog per instance"), Expression: aws.String(expression), ReturnData: aws.Bool(true)},
		}}
	}
	in := &autoscaling.PutScalingPolicyInput{
		AutoScalingGroupName: &t.Group, PolicyName: &t.Name, PolicyType: aws.String(policyType), Enabled: aws.Bool(!t.Disabled),
		TargetTrackingConfiguration: &types.TargetTrackingConfiguration{
			TargetValue: &t.Target, DisableScaleIn: &t.DisableScaleIn, CustomizedMetricSpecification: spec,
		},
	}
	if t.Warmup > 0 {
		in.EstimatedInstanceWarmup = aws.Int32(int32(t.Warmup / time.Second))
	}
	return in
}

func query(id, label, namespace, name, stat, dimension, value string) types.TargetTrackingMetricDataQuery {
	return types.TargetTrackingMetricDataQuery{Id: &id, Label: &label, ReturnData: aws.Bool(false), MetricStat: &types.TargetTrackingMetricStat{
		Stat: &stat, Metric: &types.Metric{Namespace: &namespace, MetricName: &name, Dimensions: []types.MetricDimension{{Name: &dimension, Value: &value}}},
	}}
}

// complete fills in the defaults and reports mistakes.
func (t *TargetTracking) complete() error {
	orDefault(&t.Name, "backlog-per-instance")
	orDefault(&t.Timeout, time.Minute)
	var m mistakes
	m.require(t.Group != "", "TargetTracking.Group", nil, "must be the name of an Auto Scaling group")
	m.require(len(t.Name) <= maxText, "TargetTracking.Name", t.Name, "must have at most 255 characters")
	m.require(t.Target > 0 && !math.IsInf(t.Target, 1), "TargetTracking.Target", t.Target, "must be greater than zero")
	m.require(t.Warmup >= 0 && t.Warmup%time.Second == 0 && t.Warmup <= math.MaxInt32*time.Second, "TargetTracking.Warmup", t.Warmup,
		"must be whole seconds, and not negative")
	m.require(t.Timeout > 0, "TargetTracking.Timeout", t.Timeout, "must be greater than zero")
	t.Metric.complete(&m)
	return m.err()
}

// Check tells how the policy differs from what it should be; nothing means that it is as it should be. It changes nothing.
//
// An error is a *CallError, *queueworker.FieldErrors of t, or the cause of ctx. It costs one DescribePolicies, and with MetricMath one
// DescribeAutoScalingGroups.
func (t TargetTracking) Check(ctx context.Context, api PoliciesAPI) ([]Difference, error) {
	w, err := t.begin(api)
	if err != nil {
		return nil, err
	}
	all, err := w.differences(ctx)
	return all, outcome(ctx, err)
}

// Ensure makes the policy what it should be, and returns how it differed. It changes nothing if it did not, so that it can be called at each
// start of each program. Two that want different things undo what the other does, each time they are called.
//
// Whatever else is there of scaling policies stays. Auto Scaling adds as many instances as the one that asks for most, and takes
// instances away only if all of them agree.
//
// An error is a *CallError, which may match [ErrDenied], [ErrUnconfirmed] or, with MetricMath, [ErrNoGroup]; *queueworker.FieldErrors of
// t; [ErrGroupMetrics]; or the cause of ctx. It costs what Check does, and if the policy is another one PutScalingPolicy, and a
// DescribePolicies each second until reads show it.
//
// Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-target-tracking.html (read 2026-11)
func (t TargetTracking) Ensure(ctx context.Context, api PoliciesAPI) ([]Difference, error) {
	w, err := t.begin(api)
	if err != nil {
		return nil, err
	}
	all, err := w.ensure(ctx)
	return all, outcome(ctx, err)
}

// outcome is the cause of a context that has ended, before all that this has brought about.
func outcome(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// tracking is a Check or an Ensure under way.
type tracking struct {
	TargetTracking
	api      PoliciesAPI
	want     *autoscaling.PutScalingPolicyInput
	deadline time.Time
}

func (t TargetTracking) begin(api PoliciesAPI) (*tracking, error) {
	var m mistakes
	m.require(api != nil, "api", nil, "must not be nil")
	if err := errors.Join(m.err(), t.complete()); err != nil {
		return nil, err
	}
	w := &tracking{TargetTracking: t, api: api, deadline: time.Now().Add(t.Timeout)}
	w.want = w.input()
	return w, nil
}

func (w *tracking) ensure(ctx context.Context) ([]Difference, error) {
	found, err := w.differences(ctx)
	if err != nil || len(found) == 0 {
		return found, err
	}
	for _, d := range found {
		if d.Field == fieldMetrics {
			return found, ErrGroupMetrics
		}
	}
	err = w.call(ctx, "PutScalingPolicy", func(ctx context.Context) error {
		_, err := w.api.PutScalingPolicy(ctx, w.want)
		return err
	})
	if err != nil {
		return found, err
	}
	var failed error
	shown := retry.Poll(ctx, time.Until(w.deadline), retry.Pending(), func(ctx context.Context) bool {
		var left []Difference
		left, failed = w.policy(ctx)
		return failed != nil || len(left) == 0
	})
	if failed == nil && !shown {
		failed = &CallError{Op: "DescribePolicies", Of: w.Group, Err: ErrUnconfirmed}
	}
	return found, failed
}

// differences are those of the policy, and of the group.
func (w *tracking) differences(ctx context.Context) ([]Difference, error) {
	all, err := w.policy(ctx)
	if err != nil || !w.MetricMath {
		return all, err
	}
	var g *types.AutoScalingGroup
	err = w.call(ctx, "DescribeAutoScalingGroups", func(ctx context.Context) (err error) {
		g, err = describe(ctx, w.api, w.Group)
		return err
	})
	if err != nil {
		return nil, err
	}
	var enabled []string
	for _, m := range g.EnabledMetrics {
		if aws.ToString(m.Metric) == groupMetric && aws.ToString(m.Granularity) == granularity {
			return all, nil
		}
		enabled = append(enabled, aws.ToString(m.Metric))
	}
	return append(all, Difference{Field: fieldMetrics, Have: strings.Join(enabled, ", "), Want: groupMetric}), nil
}

// policy reads the policy and compares it.
func (w *tracking) policy(ctx context.Context) (all []Difference, err error) {
	err = w.call(ctx, "DescribePolicies", func(ctx context.Context) error {
		out, err := w.api.DescribePolicies(ctx, &autoscaling.DescribePoliciesInput{AutoScalingGroupName: &w.Group, PolicyNames: []string{w.Name}})
		if err != nil {
			return err
		}
		var have *types.ScalingPolicy
		if len(out.ScalingPolicies) > 0 {
			have = &out.ScalingPolicies[0]
		}
		all = compare(have, w.want)
		return nil
	})
	return all, err
}

// tryTimeout bounds a call, with the SDK's retries inside it. The last one may end as much after the deadline.
const tryTimeout = 10 * time.Second

// call makes a call, and again while the error says that this may help. All calls here may be repeated.
func (w *tracking) call(ctx context.Context, op string, fn func(context.Context) error) error {
	err := retry.Do(ctx, time.Until(w.deadline), func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, tryTimeout)
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
		return &CallError{Op: op, Of: w.Group, Err: err}
	}
	return nil
}
