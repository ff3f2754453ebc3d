package cloudwatchsvc

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/cwmodel"
)

func (s *service) addData(e *awstest.Endpoint) {
	awstest.Handle(e, s.putMetricData, "Namespace", "MetricData")
	awstest.Handle(e, s.listMetrics, "Namespace", "MetricName", "Dimensions", "RecentlyActive", "NextToken")
}

// Limits of data points.
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html (read 2026-11)
const (
	maxData           = 1000
	maxValues         = 150
	maxDimensions     = 30
	maxName           = 255
	maxDimensionValue = 1024
	maxAge            = 14 * 24 * time.Hour
	maxAhead          = 2 * time.Hour
	maxExponent       = 360 // of two
)

// reserved is the beginning of the namespaces of AWS. The SDK's page says that
// one should not use it, and accounts refuse it.
const reserved = "AWS/"

func (s *service) putMetricData(tx *awstest.Tx, call *awstest.Call, in *cloudwatch.PutMetricDataInput) (*cloudwatch.PutMetricDataOutput, error) {
	if strings.HasPrefix(aws.ToString(in.Namespace), reserved) {
		return nil, badValue("The value %s for parameter Namespace is invalid.", *in.Namespace)
	}
	data, err := readData(tx.Now(), aws.ToString(in.Namespace), in.MetricData)
	if err != nil {
		return nil, err
	}
	s.region(call).Put(tx, data...)
	return &cloudwatch.PutMetricDataOutput{}, nil
}

// readData holds data points against the rules: all of them or none.
func readData(now time.Time, namespace string, list []types.MetricDatum) ([]cwmodel.Datum, error) {
	switch {
	case blank(namespace) || len(namespace) > maxName || strings.HasPrefix(namespace, ":") || !printable(namespace):
		return nil, badValue("The value %s for parameter Namespace is invalid.", namespace)
	case len(list) == 0:
		return nil, missing("The parameter MetricData is required.")
	case len(list) > maxData:
		return nil, badValue("The collection MetricData must not have a size greater than %d.", maxData)
	}
	data := make([]cwmodel.Datum, len(list))
	for i := range list {
		at := fmt.Sprintf("MetricData.member.%d", i+1)
		if err := readDatum(now, at, namespace, &list[i], &data[i]); err != nil {
			return nil, err
		}
	}
	return data, nil
}

func readDatum(now time.Time, at, namespace string, in *types.MetricDatum, out *cwmodel.Datum) error {
	name := aws.ToString(in.MetricName)
	switch {
	case name == "" || len(name) > maxName:
		return badValue("The parameter %s.MetricName must have from 1 to %d characters.", at, maxName)
	case blank(name) || !printable(name):
		return badValue("The value %q for the parameter %s.MetricName is invalid.", name, at)
	case in.Unit != "" && !slices.Contains(in.Unit.Values(), in.Unit):
		return badValue("The parameter %s.Unit must be a value in the set %v.", at, in.Unit.Values())
	case in.StorageResolution != nil && *in.StorageResolution != 1 && *in.StorageResolution != 60:
		return badValue("The parameter %s.StorageResolution must be a value in the set [1, 60].", at)
	case in.Timestamp != nil && in.Timestamp.Before(now.Add(-maxAge)):
		return badValue("The parameter %s.Timestamp must specify a time within the past two weeks.", at)
	case in.Timestamp != nil && in.Timestamp.After(now.Add(maxAhead)):
		return badValue("The parameter %s.Timestamp must specify a time no more than two hours in the future.", at)
	}
	dimensions, err := readDimensions(at, in.Dimensions)
	if err != nil {
		return err
	}
	*out = cwmodel.Datum{
		Metric: cwmodel.Metric{Namespace: namespace, Name: name, Dimensions: dimensions},
		Unit:   string(in.Unit), Time: aws.ToTime(in.Timestamp), High: aws.ToInt32(in.StorageResolution) == 1,
	}
	return readValues(at, in, out)
}

// readValues takes the one value, the values or the statistic that a data
// point has.
func readValues(at string, in *types.MetricDatum, out *cwmodel.Datum) error {
	var given []string
	for name, is := range map[string]bool{"StatisticValues": in.StatisticValues != nil, "Value": in.Value != nil, "Values": len(in.Values) > 0} {
		if is {
			given = append(given, at+"."+name)
		}
	}
	slices.Sort(given)
	switch {
	case len(given) == 0:
		return missing("At least one of the parameters %[1]s.Value, %[1]s.Values and %[1]s.StatisticValues must be specified.", at)
	case len(given) > 1:
		return badCombination("The parameters %s are mutually exclusive and you have specified both.", strings.Join(given, " and "))
	case len(in.Values) > maxValues:
		return badValue("The collection %s.Values must not have a size greater than %d.", at, maxValues)
	case len(in.Counts) > 0 && len(in.Counts) != len(in.Values):
		return badValue("The parameters %[1]s.Values and %[1]s.Counts must be of the same size.", at)
	}
	numbers := slices.Concat(in.Values, in.Counts)
	switch {
	case in.Value != nil:
		out.Values = []float64{*in.Value}
		numbers = out.Values
	case in.StatisticValues != nil:
		set := in.StatisticValues
		out.Set = &cwmodel.Set{Count: aws.ToFloat64(set.SampleCount), Sum: aws.ToFloat64(set.Sum), Min: aws.ToFloat64(set.Minimum), Max: aws.ToFloat64(set.Maximum)}
		numbers = []float64{out.Set.Count, out.Set.Sum, out.Set.Min, out.Set.Max}
	default:
		out.Values, out.Counts = in.Values, in.Counts
	}
	for _, n := range numbers {
		if math.IsNaN(n) || math.Abs(n) > math.Ldexp(1, maxExponent) {
			return badValue("The value %v for parameter %s is invalid.", n, given[0])
		}
	}
	if set := out.Set; set != nil && (set.Count < 0 || set.Min > set.Max) {
		return badValue("The parameter %s.StatisticValues is no statistic of any values.", at)
	}
	if slices.ContainsFunc(in.Counts, func(n float64) bool { return n < 0 }) {
		return badValue("The parameter %s.Counts must not have negative values.", at)
	}
	return nil
}

// blank tells whether a part of a metric's identity has nothing but space.
func blank(text string) bool { return strings.TrimSpace(text) == "" }

// printable tells whether all of a part of a metric's identity is in ASCII
// without its control characters.
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Dimension.html (read 2026-11)
func printable(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
}

func readDimensions(at string, list []types.Dimension) (all []cwmodel.Dimension, err error) {
	if len(list) > maxDimensions {
		return nil, badValue("The collection %s.Dimensions must not have a size greater than %d.", at, maxDimensions)
	}
	for _, d := range list {
		name, value := aws.ToString(d.Name), aws.ToString(d.Value)
		switch {
		case blank(name) || len(name) > maxName || strings.HasPrefix(name, ":") || !printable(name):
			return nil, badValue("The value %q for the name of a dimension of %s is invalid.", name, at)
		case blank(value) || len(value) > maxDimensionValue || !printable(value):
			return nil, badValue("The value %q for the dimension %s of %s is invalid.", value, name, at)
		case slices.ContainsFunc(all, func(d cwmodel.Dimension) bool { return d.Name == name }):
			return nil, badValue("No metric can specify the same dimension %s multiple times.", name)
		}
		all = append(all, cwmodel.Dimension{Name: name, Value: value})
	}
	return all, nil
}

func showDimensions(list []cwmodel.Dimension) []types.Dimension {
	var all []types.Dimension
	for _, d := range list {
		all = append(all, types.Dimension{Name: aws.String(d.Name), Value: aws.String(d.Value)})
	}
	return all
}
