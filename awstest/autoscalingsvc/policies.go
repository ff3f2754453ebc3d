package autoscalingsvc

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/asgmodel"
	"github.com/awsha/awsha/awstest/internal/cwmodel"
)

func (s *service) addPolicies(e *awstest.Endpoint) {
	awstest.Handle(e, s.putScalingPolicy, "AutoScalingGroupName", "PolicyName", "PolicyType", "Enabled", "AdjustmentType", "ScalingAdjustment",
		"MinAdjustmentMagnitude", "Cooldown", "StepAdjustments", "MetricAggregationType", "EstimatedInstanceWarmup", "TargetTrackingConfiguration")
	awstest.Handle(e, s.describePolicies, "AutoScalingGroupName", "PolicyNames", "PolicyTypes", "MaxRecords", "NextToken")
	awstest.Handle(e, s.deletePolicy, "AutoScalingGroupName", "PolicyName")
	awstest.Handle(e, s.executePolicy, "AutoScalingGroupName", "PolicyName", "HonorCooldown", "MetricValue", "BreachThreshold")
}

func (s *service) putScalingPolicy(tx *awstest.Tx, call *awstest.Call, in *autoscaling.PutScalingPolicyInput) (*autoscaling.PutScalingPolicyOutput, error) {
	spec := asgmodel.PolicySpec{
		Group: aws.ToString(in.AutoScalingGroupName), Name: aws.ToString(in.PolicyName), Type: aws.ToString(in.PolicyType),
		Disabled: in.Enabled != nil && !*in.Enabled, AdjustmentType: aws.ToString(in.AdjustmentType),
		MinMagnitude: int(aws.ToInt32(in.MinAdjustmentMagnitude)), Aggregation: aws.ToString(in.MetricAggregationType),
	}
	if spec.Type == "" {
		spec.Type = asgmodel.SimpleScaling
	}
	if err := fits(call, spec.Type, in); err != nil {
		return nil, err
	}
	spec.Adjustment = int(aws.ToInt32(in.ScalingAdjustment))
	spec.Cooldown, spec.Warmup = duration(in.Cooldown), duration(in.EstimatedInstanceWarmup)
	for _, step := range in.StepAdjustments {
		spec.Steps = append(spec.Steps, asgmodel.Step{Lower: clone(step.MetricIntervalLowerBound), Upper: clone(step.MetricIntervalUpperBound), Adjustment: int(aws.ToInt32(step.ScalingAdjustment))})
	}
	if spec.Type == asgmodel.StepScaling && spec.Aggregation == "" {
		spec.Aggregation = "Average"
	}
	if spec.Type == asgmodel.TargetTracking {
		var err error
		if spec.Tracking, err = tracking(call, in.TargetTrackingConfiguration); err != nil {
			return nil, err
		}
	}
	p, err := s.region(call).PutPolicy(tx, spec)
	if err != nil {
		return nil, err
	}
	return &autoscaling.PutScalingPolicyOutput{PolicyARN: &p.ARN, Alarms: s.showAlarms(tx.Now(), call, p)}, nil
}

// clone returns a number that nobody else has.
func clone(f *float64) *float64 {
	if f == nil {
		return nil
	}
	return aws.Float64(*f)
}

func duration(n *int32) *time.Duration {
	if n == nil {
		return nil
	}
	d := seconds(n)
	return &d
}

// fits refuses parameters that are not of the type of a policy, and types
// that lack theirs.
// Source: PutScalingPolicyInput of the SDK (read 2026-11)
func fits(call *awstest.Call, kind string, in *autoscaling.PutScalingPolicyInput) error {
	simple, step, track := kind == asgmodel.SimpleScaling, kind == asgmodel.StepScaling, kind == asgmodel.TargetTracking
	switch {
	case kind == "PredictiveScaling":
		return call.NotModelled("policy type %s", kind)
	case !simple && !step && !track:
		return invalid("Invalid PolicyType '%s'", kind)
	case simple && in.ScalingAdjustment == nil:
		return invalid("ScalingAdjustment is required for policies of type SimpleScaling")
	case track && in.TargetTrackingConfiguration == nil:
		return invalid("TargetTrackingConfiguration is required for policies of type TargetTrackingScaling")
	}
	for _, p := range []struct {
		name         string
		set, allowed bool
	}{
		{"AdjustmentType", in.AdjustmentType != nil, simple || step},
		{"ScalingAdjustment", in.ScalingAdjustment != nil, simple},
		{"Cooldown", in.Cooldown != nil, simple},
		{"MinAdjustmentMagnitude", in.MinAdjustmentMagnitude != nil, simple || step},
		{"StepAdjustments", len(in.StepAdjustments) > 0, step},
		{"MetricAggregationType", in.MetricAggregationType != nil, step},
		{"EstimatedInstanceWarmup", in.EstimatedInstanceWarmup != nil, step || track},
		{"TargetTrackingConfiguration", in.TargetTrackingConfiguration != nil, track},
	} {
		if p.set && !p.allowed {
			return invalid("%s is not supported by policies of type %s", p.name, kind)
		}
	}
	if in.MetricAggregationType != nil && *in.MetricAggregationType != "Average" {
		// The alarm's own statistic is what is looked at.
		return call.NotModelled("metric aggregation type %s", *in.MetricAggregationType)
	}
	return nil
}

func tracking(call *awstest.Call, in *types.TargetTrackingConfiguration) (*asgmodel.Tracking, error) {
	m := in.CustomizedMetricSpecification
	switch {
	case (m == nil) == (in.PredefinedMetricSpecification == nil):
		return nil, invalid("Either a PredefinedMetricSpecification or a CustomizedMetricSpecification must be specified")
	case m == nil:
		return nil, call.NotModelled("a predefined metric") // nobody puts it: there is no load on these machines
	case len(m.Metrics) > 0:
		return nil, call.NotModelled("metric data queries")
	case m.Period != nil && *m.Period != 60:
		return nil, call.NotModelled("a period of %d seconds", *m.Period)
	case aws.ToFloat64(in.TargetValue) <= 0:
		return nil, invalid("TargetValue must be greater than 0")
	}
	statistic, ok := cwmodel.ParseStatistic(string(m.Statistic))
	if !ok || statistic.Percentile() {
		return nil, invalid("Invalid statistic '%s'", m.Statistic)
	}
	t := &asgmodel.Tracking{
		Target: *in.TargetValue, DisableScaleIn: aws.ToBool(in.DisableScaleIn),
		Query: cwmodel.Query{Metric: cwmodel.Metric{Namespace: aws.ToString(m.Namespace), Name: aws.ToString(m.MetricName)}, Unit: aws.ToString(m.Unit), Statistic: statistic},
	}
	for _, d := range m.Dimensions {
		t.Query.Metric.Dimensions = append(t.Query.Metric.Dimensions, cwmodel.Dimension{Name: aws.ToString(d.Name), Value: aws.ToString(d.Value)})
	}
	return t, nil
}

func (s *service) describePolicies(_ *awstest.Tx, call *awstest.Call, in *autoscaling.DescribePoliciesInput) (*autoscaling.DescribePoliciesOutput, error) {
	group := aws.ToString(in.AutoScalingGroupName)
	if group != "" {
		if _, err := s.region(call).Group(call.At, group); err != nil {
			return nil, err
		}
	}
	var list []asgmodel.Policy
	for _, p := range s.region(call).Policies(call.At) {
		if (group == "" || p.Group == group) && (wanted(in.PolicyNames, p.Name) || wanted(in.PolicyNames, p.ARN)) && wanted(in.PolicyTypes, p.Type) {
			list = append(list, p)
		}
	}
	list, next, err := page(pagesOfGroups, list, in.NextToken, in.MaxRecords)
	if err != nil {
		return nil, err
	}
	out := &autoscaling.DescribePoliciesOutput{NextToken: next}
	for _, p := range list {
		out.ScalingPolicies = append(out.ScalingPolicies, s.showPolicy(call, p))
	}
	return out, nil
}

func (s *service) showPolicy(call *awstest.Call, p asgmodel.Policy) types.ScalingPolicy {
	out := types.ScalingPolicy{
		AutoScalingGroupName: &p.Group, PolicyName: &p.Name, PolicyARN: &p.ARN, PolicyType: &p.Type, Enabled: aws.Bool(!p.Disabled),
		AdjustmentType: optional(p.AdjustmentType), MetricAggregationType: optional(p.Aggregation), Alarms: s.showAlarms(call.At, call, p),
	}
	if p.Type == asgmodel.SimpleScaling {
		out.ScalingAdjustment = aws.Int32(int32(p.Adjustment))
	}
	if p.MinMagnitude != 0 {
		out.MinAdjustmentMagnitude = aws.Int32(int32(p.MinMagnitude))
	}
	if p.Cooldown != nil {
		out.Cooldown = inSeconds(*p.Cooldown)
	}
	if p.Warmup != nil {
		out.EstimatedInstanceWarmup = inSeconds(*p.Warmup)
	}
	for _, step := range p.Steps {
		out.StepAdjustments = append(out.StepAdjustments, types.StepAdjustment{
			MetricIntervalLowerBound: clone(step.Lower), MetricIntervalUpperBound: clone(step.Upper), ScalingAdjustment: aws.Int32(int32(step.Adjustment)),
		})
	}
	if t := p.Tracking; t != nil {
		m := &types.CustomizedMetricSpecification{
			Namespace: aws.String(t.Query.Metric.Namespace), MetricName: aws.String(t.Query.Metric.Name),
			Statistic: types.MetricStatistic(t.Query.Statistic.String()), Unit: optional(t.Query.Unit),
		}
		for _, d := range t.Query.Metric.Dimensions {
			m.Dimensions = append(m.Dimensions, types.MetricDimension{Name: &d.Name, Value: &d.Value})
		}
		out.TargetTrackingConfiguration = &types.TargetTrackingConfiguration{TargetValue: aws.Float64(t.Target), DisableScaleIn: aws.Bool(t.DisableScaleIn), CustomizedMetricSpecification: m}
	}
	return out
}

func (s *service) showAlarms(at time.Time, call *awstest.Call, p asgmodel.Policy) (out []types.Alarm) {
	for _, a := range s.region(call).AlarmsOf(at, p) {
		out = append(out, types.Alarm{AlarmName: &a.Name, AlarmARN: &a.ARN})
	}
	return out
}

func (s *service) deletePolicy(tx *awstest.Tx, call *awstest.Call, in *autoscaling.DeletePolicyInput) (*autoscaling.DeletePolicyOutput, error) {
	if err := s.region(call).DeletePolicy(tx, aws.ToString(in.AutoScalingGroupName), aws.ToString(in.PolicyName)); err != nil {
		return nil, err
	}
	return &autoscaling.DeletePolicyOutput{}, nil
}

func (s *service) executePolicy(tx *awstest.Tx, call *awstest.Call, in *autoscaling.ExecutePolicyInput) (*autoscaling.ExecutePolicyOutput, error) {
	err := s.region(call).Execute(tx, aws.ToString(in.AutoScalingGroupName), aws.ToString(in.PolicyName), aws.ToBool(in.HonorCooldown), in.MetricValue, in.BreachThreshold)
	if err != nil {
		return nil, err
	}
	return &autoscaling.ExecutePolicyOutput{}, nil
}
