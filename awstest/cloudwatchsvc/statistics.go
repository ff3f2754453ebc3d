package cloudwatchsvc

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/cwmodel"
)

func (s *service) addStatistics(e *awstest.Endpoint) {
	awstest.Handle(e, s.getMetricStatistics, "Namespace", "MetricName", "Dimensions", "StartTime", "EndTime", "Period", "Statistics", "ExtendedStatistics", "Unit")
	awstest.Handle(e, s.getMetricData, "MetricDataQueries", "StartTime", "EndTime", "ScanBy", "MaxDatapoints", "NextToken")
}

// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html (read 2026-11)
const (
	maxDatapoints = 1440
	// What is older than each of these is kept by periods of a minute, of five
	// minutes and of an hour, and no longer than the last.
	highKept   = 3 * time.Hour
	minuteKept = 15 * 24 * time.Hour
	fiveKept   = 63 * 24 * time.Hour
	hourKept   = 455 * 24 * time.Hour
)

// span is the time that statistics are asked for, in periods.
type span struct {
	start, end time.Time
	period     time.Duration
}

// newSpan rounds the beginning down, and the end too if the period is a part of
// a minute: the last full period is the last one then. It refuses what is no
// time.
func newSpan(now time.Time, start, end *time.Time, seconds int32) (span, error) {
	period := time.Duration(seconds) * time.Second
	switch {
	case !cwmodel.ValidPeriod(period):
		return span{}, badValue("The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60.")
	case start.Equal(*end):
		return span{}, badValue("The parameter StartTime must not equal parameter EndTime.")
	case start.After(*end):
		return span{}, badValue("The parameter StartTime must be less than the parameter EndTime.")
	}
	to, last := time.Minute, *end
	switch age := now.Sub(*start); {
	case age > fiveKept:
		to = time.Hour
	case age > minuteKept:
		to = 5 * time.Minute
	case period < time.Minute:
		if to = period; period > time.Second {
			last = last.Truncate(to)
		}
	}
	// In UTC, as the SDK reads times.
	return span{start.Truncate(to).UTC(), last, period}, nil
}

// count returns how many periods there may be.
func (s *span) count() int64 {
	d := s.end.Sub(s.start) // at most 292 years, so that nothing may be added to it
	n := int64(d / s.period)
	if d%s.period != 0 {
		n++
	}
	return n
}

// kept tells whether data since the beginning is kept by that period.
func (s *span) kept(now time.Time) bool {
	switch age := now.Sub(s.start); {
	case age > fiveKept:
		return s.period%time.Hour == 0
	case age > minuteKept:
		return s.period%(5*time.Minute) == 0
	case age > highKept:
		return s.period%time.Minute == 0
	}
	return true
}

// first returns when the first period begins that there may be data of.
func (s *span) first(now time.Time) time.Time {
	late := now.Add(-hourKept).Unix() - s.start.Unix() // in seconds: a Duration has no room for it
	if late <= 0 {
		return s.start
	}
	period := int64(s.period / time.Second)
	return time.Unix(s.start.Unix()+(late+period-1)/period*period, 0).UTC()
}

// windows returns what a metric held in each period of the span, oldest first.
func (s *span) windows(region *cwmodel.Region, tx *awstest.Tx, call *awstest.Call, m cwmodel.Metric, unit string) (all []window) {
	if !s.kept(tx.Now()) {
		return nil
	}
	last := s.end
	if ahead := tx.Now().Add(maxAhead + time.Second); last.After(ahead) {
		last = ahead // nothing is put for later
	}
	for at := s.first(tx.Now()); at.Before(last); at = at.Add(s.period) {
		end := at.Add(s.period)
		if end.After(last) {
			end = last
		}
		for _, w := range region.Windows(call.At, m, unit, at, end) {
			all = append(all, window{at, w})
		}
	}
	return all
}

type window struct {
	at time.Time
	cwmodel.Window
}

func (s *service) getMetricStatistics(tx *awstest.Tx, call *awstest.Call, in *cloudwatch.GetMetricStatisticsInput) (*cloudwatch.GetMetricStatisticsOutput, error) {
	statistics, err := readStatistics(call, in)
	if err != nil {
		return nil, err
	}
	m, err := readMetric(in.Namespace, in.MetricName, in.Dimensions)
	if err != nil {
		return nil, err
	}
	t, err := newSpan(tx.Now(), in.StartTime, in.EndTime, *in.Period)
	if err != nil {
		return nil, err
	}
	if err := oneOf("Unit", in.Unit, in.Unit.Values()); err != nil {
		return nil, err
	}
	if n := t.count(); n > maxDatapoints {
		return nil, badCombination("You have requested up to %d datapoints, which exceeds the limit of %d. You may reduce the datapoints requested by increasing Period, or decreasing the time range.", n, maxDatapoints)
	}
	out := &cloudwatch.GetMetricStatisticsOutput{Label: aws.String(m.Name)}
	for _, w := range t.windows(s.region(call), tx, call, m, string(in.Unit)) {
		if d, ok := datapoint(&w, statistics); ok {
			out.Datapoints = append(out.Datapoints, d)
		}
	}
	out.Datapoints = outOfOrder(out.Datapoints)
	return out, nil
}

// outOfOrder puts data points into an order that is not that of time, as AWS
// does: every other one first.
func outOfOrder(points []types.Datapoint) (mixed []types.Datapoint) {
	for _, first := range []int{1, 0} {
		for i := first; i < len(points); i += 2 {
			mixed = append(mixed, points[i])
		}
	}
	return mixed
}

// readStatistics returns the statistics that are asked for.
func readStatistics(call *awstest.Call, in *cloudwatch.GetMetricStatisticsInput) (all []cwmodel.Statistic, err error) {
	switch {
	case len(in.Statistics) == 0 && len(in.ExtendedStatistics) == 0:
		return nil, missing("At least one of the parameters Statistics and ExtendedStatistics must be specified.")
	case len(in.Statistics) > 0 && len(in.ExtendedStatistics) > 0:
		return nil, badCombination("The parameters Statistics and ExtendedStatistics are mutually exclusive and you have specified both.")
	}
	for _, name := range in.Statistics {
		statistic, ok := cwmodel.ParseStatistic(string(name))
		if !ok || !slices.Contains(name.Values(), name) {
			return nil, badValue("The parameter Statistics.member.1 must be a value in the set %v.", name.Values())
		}
		all = append(all, statistic)
	}
	for _, name := range in.ExtendedStatistics {
		statistic, err := readExtended(call, name)
		if err != nil {
			return nil, err
		}
		all = append(all, statistic)
	}
	return all, nil
}

// readExtended returns a percentile.
func readExtended(call *awstest.Call, name string) (cwmodel.Statistic, error) {
	statistic, ok := cwmodel.ParseStatistic(name)
	switch {
	case !ok:
		return statistic, call.NotModelled("statistic %q", name)
	case !statistic.Percentile():
		return statistic, badValue("The value %s for parameter ExtendedStatistics is invalid.", name)
	}
	return statistic, nil
}

func readMetric(namespace, name *string, dimensions []types.Dimension) (cwmodel.Metric, error) {
	m := cwmodel.Metric{Namespace: aws.ToString(namespace), Name: aws.ToString(name)}
	if !printable(m.Namespace) || !printable(m.Name) {
		return m, badValue("The metric %q in %q has characters that no metric has.", m.Name, m.Namespace)
	}
	var err error
	m.Dimensions, err = readDimensions("the metric", dimensions)
	return m, err
}

// datapoint shows statistics of a period, if there is any of them.
func datapoint(w *window, statistics []cwmodel.Statistic) (types.Datapoint, bool) {
	d := types.Datapoint{Timestamp: aws.Time(w.at), Unit: types.StandardUnit(w.Unit)}
	there := false
	for _, statistic := range statistics {
		v, ok := w.Value(statistic)
		if !ok {
			continue
		}
		there = true
		switch statistic {
		case cwmodel.SampleCount:
			d.SampleCount = &v
		case cwmodel.Average:
			d.Average = &v
		case cwmodel.Sum:
			d.Sum = &v
		case cwmodel.Minimum:
			d.Minimum = &v
		case cwmodel.Maximum:
			d.Maximum = &v
		default:
			if d.ExtendedStatistics == nil {
				d.ExtendedStatistics = map[string]float64{}
			}
			d.ExtendedStatistics[statistic.String()] = v
		}
	}
	return d, there
}
