package cloudwatchsvc

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/cwmodel"
	"github.com/awsha/awsha/awstest/internal/paging"
)

// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html (read 2026-11)
const (
	maxQueries = 500
	maxPoints  = 100_800
)

var queryID = regexp.MustCompile(`^[a-z][a-zA-Z0-9_]*$`)

// query is one of the queries of a request, as far as it is modelled.
type query struct {
	id, label string
	hidden    bool
	metric    cwmodel.Metric
	unit      string
	statistic cwmodel.Statistic
	span      span
}

func (s *service) getMetricData(tx *awstest.Tx, call *awstest.Call, in *cloudwatch.GetMetricDataInput) (*cloudwatch.GetMetricDataOutput, error) {
	queries, err := readQueries(tx, call, in)
	if err != nil {
		return nil, err
	}
	limit := maxPoints
	if in.MaxDatapoints != nil {
		if *in.MaxDatapoints < 1 || *in.MaxDatapoints > maxPoints {
			return nil, invalid("MaxDatapoints must be between 1 and %d", maxPoints)
		}
		limit = int(*in.MaxDatapoints)
	}
	from, ok := paging.From(in.NextToken)
	if !ok {
		return nil, badToken()
	}
	out := &cloudwatch.GetMetricDataOutput{}
	place := 0 // among the data points of all queries
	for i := range queries {
		q := &queries[i]
		if q.hidden {
			continue
		}
		times, values := s.points(tx, call, q)
		if in.ScanBy != types.ScanByTimestampAscending {
			slices.Reverse(times)
			slices.Reverse(values)
		}
		first, last := clamp(from-place, len(times)), clamp(from+limit-place, len(times))
		if last < len(times) && out.NextToken == nil {
			out.NextToken = paging.Token(from + limit)
		}
		// A page shows the queries that it has points of, and the first those that have none.
		if first < last || len(times) == 0 && from == 0 {
			r := types.MetricDataResult{
				Id: aws.String(q.id), Label: aws.String(q.label), StatusCode: types.StatusCodeComplete,
				Timestamps: times[first:last], Values: values[first:last],
			}
			if last < len(times) {
				r.StatusCode = types.StatusCodePartialData
			}
			out.MetricDataResults = append(out.MetricDataResults, r)
		}
		place += len(times)
	}
	return out, nil
}

func clamp(n, most int) int { return min(max(n, 0), most) }

// points returns the data of a query, oldest first. Of several units in a
// period it is that which was put first.
func (s *service) points(tx *awstest.Tx, call *awstest.Call, q *query) (times []time.Time, values []float64) {
	for _, w := range q.span.windows(s.region(call), tx, call, q.metric, q.unit) {
		if n := len(times); n > 0 && times[n-1].Equal(w.at) {
			continue
		}
		if v, ok := w.Value(q.statistic); ok {
			times, values = append(times, w.at), append(values, v)
		}
	}
	return times, values
}

func readQueries(tx *awstest.Tx, call *awstest.Call, in *cloudwatch.GetMetricDataInput) (all []query, err error) {
	if n := len(in.MetricDataQueries); n == 0 || n > maxQueries {
		return nil, invalid("The parameter MetricDataQueries must have from 1 to %d members", maxQueries)
	}
	if err := oneOf("ScanBy", in.ScanBy, in.ScanBy.Values()); err != nil {
		return nil, err
	}
	for i := range in.MetricDataQueries {
		q, err := readQuery(tx, call, in, &in.MetricDataQueries[i])
		switch {
		case err != nil:
			return nil, err
		case slices.ContainsFunc(all, func(o query) bool { return o.id == q.id }):
			return nil, invalid("The values for parameter id in MetricDataQueries are not unique.")
		}
		all = append(all, q)
	}
	if !slices.ContainsFunc(all, func(q query) bool { return !q.hidden }) {
		return nil, invalid("At least one element in MetricDataQueries must have ReturnData set to true.")
	}
	return all, nil
}

func readQuery(tx *awstest.Tx, call *awstest.Call, in *cloudwatch.GetMetricDataInput, d *types.MetricDataQuery) (q query, err error) {
	switch {
	case !queryID.MatchString(aws.ToString(d.Id)) || len(*d.Id) > maxName:
		return q, invalid("The value %q for parameter Id is invalid.", aws.ToString(d.Id))
	case d.Expression != nil:
		return q, call.NotModelled("an expression of a query")
	case d.AccountId != nil:
		return q, call.NotModelled("an account of a query")
	case d.Period != nil:
		return q, call.NotModelled("a period of a query, beside that of its metric")
	case strings.Contains(aws.ToString(d.Label), "${"):
		return q, call.NotModelled("a dynamic label")
	case d.MetricStat == nil:
		return q, invalid("Each element in MetricDataQueries must have either MetricStat or Expression.")
	}
	m := d.MetricStat
	q = query{id: *d.Id, label: aws.ToString(d.Label), hidden: d.ReturnData != nil && !*d.ReturnData, unit: string(m.Unit)}
	if d.Label == nil {
		q.label = aws.ToString(m.Metric.MetricName)
	}
	if aws.ToString(m.Metric.Namespace) == "" || aws.ToString(m.Metric.MetricName) == "" {
		return q, invalid("A metric must have a namespace and a name.")
	}
	var ok bool
	if q.statistic, ok = cwmodel.ParseStatistic(aws.ToString(m.Stat)); !ok {
		return q, call.NotModelled("statistic %q", aws.ToString(m.Stat))
	}
	if q.metric, err = readMetric(m.Metric.Namespace, m.Metric.MetricName, m.Metric.Dimensions); err != nil {
		return q, err
	}
	if err := oneOf("Unit", m.Unit, m.Unit.Values()); err != nil {
		return q, err
	}
	q.span, err = newSpan(tx.Now(), in.StartTime, in.EndTime, aws.ToInt32(m.Period))
	return q, err
}
