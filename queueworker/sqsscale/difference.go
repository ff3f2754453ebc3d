package sqsscale

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
)

// The fields of differences that are none of a policy's own.
const (
	fieldPolicy  = "Policy"
	fieldMetrics = "EnabledMetrics"
)

// compare tells how a policy differs from what it should be, in the order of the fields' names. Labels do not matter.
func compare(have *types.ScalingPolicy, want *autoscaling.PutScalingPolicyInput) (all []Difference) {
	if have == nil {
		return []Difference{{Field: fieldPolicy, Want: aws.ToString(want.PolicyName)}}
	}
	h := flat(have)
	w := flat(&types.ScalingPolicy{
		PolicyType: want.PolicyType, Enabled: want.Enabled, EstimatedInstanceWarmup: want.EstimatedInstanceWarmup,
		TargetTrackingConfiguration: want.TargetTrackingConfiguration,
	})
	names := maps.Clone(h)
	maps.Copy(names, w)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if h[name] != w[name] {
			all = append(all, Difference{Field: name, Have: h[name], Want: w[name]})
		}
	}
	return all
}

// flat returns what matters of a policy, by name and as text. What is not set, and what is set to the default, are the same.
func flat(p *types.ScalingPolicy) map[string]string {
	f := map[string]string{}
	set := func(name, value string) {
		if value != "" {
			f[name] = value
		}
	}
	set("PolicyType", aws.ToString(p.PolicyType))
	set("Enabled", strconv.FormatBool(p.Enabled == nil || *p.Enabled))
	if p.EstimatedInstanceWarmup != nil {
		set("EstimatedInstanceWarmup", strconv.Itoa(int(*p.EstimatedInstanceWarmup)))
	}
	c := p.TargetTrackingConfiguration
	if c == nil {
		return f
	}
	set("DisableScaleIn", strconv.FormatBool(aws.ToBool(c.DisableScaleIn)))
	if c.TargetValue != nil {
		set("TargetValue", strconv.FormatFloat(*c.TargetValue, 'g', -1, 64))
	}
	if c.PredefinedMetricSpecification != nil {
		set("PredefinedMetricType", string(c.PredefinedMetricSpecification.PredefinedMetricType))
	}
	m := c.CustomizedMetricSpecification
	if m == nil {
		return f
	}
	set("Namespace", aws.ToString(m.Namespace))
	set("MetricName", aws.ToString(m.MetricName))
	set("Dimensions", dimensionText(m.Dimensions))
	set("Statistic", string(m.Statistic))
	if u := aws.ToString(m.Unit); u != string(unit) { // which is none
		set("Unit", u)
	}
	set("Period", periodText(m.Period))
	for i := range m.Metrics {
		set("Metrics."+aws.ToString(m.Metrics[i].Id), queryText(&m.Metrics[i]))
	}
	return f
}

// queryText tells all of a query but its label.
func queryText(q *types.TargetTrackingMetricDataQuery) string {
	text := aws.ToString(q.Expression)
	if s := q.MetricStat; s != nil {
		var metric types.Metric
		if s.Metric != nil {
			metric = *s.Metric
		}
		text = fmt.Sprintf("%s of %s of %s {%s}", aws.ToString(s.Stat), aws.ToString(metric.MetricName), aws.ToString(metric.Namespace), dimensionText(metric.Dimensions))
		if u := aws.ToString(s.Unit); u != "" {
			text += " in " + u
		}
		if p := periodText(s.Period); p != "" {
			text += " by " + p
		}
	}
	if p := periodText(q.Period); p != "" {
		text += " by " + p
	}
	if q.ReturnData != nil && !*q.ReturnData {
		text += ", not returned"
	}
	return text
}

// periodText is empty for a minute, which is the default.
func periodText(seconds *int32) string {
	if seconds == nil || *seconds == 60 {
		return ""
	}
	return strconv.Itoa(int(*seconds)) + "s"
}

// dimensionText tells dimensions in an order that does not depend on theirs.
func dimensionText(dimensions []types.MetricDimension) string {
	var all []string
	for _, d := range dimensions {
		all = append(all, aws.ToString(d.Name)+"="+aws.ToString(d.Value))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}
