package cloudwatchsvc_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/cloudwatchsvc"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

func dimensions(n int) (all []types.Dimension) {
	for i := range n {
		all = append(all, types.Dimension{Name: aws.String(fmt.Sprintf("d%d", i)), Value: aws.String("v")})
	}
	return all
}

func TestPutMetricDataIsHeldAgainstTheRules(t *testing.T) {
	t.Parallel()
	noValue := func(d *types.MetricDatum) { d.Value = nil }
	inBubble(t, func(w *world) {
		for name, c := range map[string]struct {
			change func(*types.MetricDatum)
			code   string // empty is accepted
		}{
			"no value":                     {noValue, "MissingParameter"},
			"the largest value":            {value(math.Ldexp(1, 360)), ""},
			"the smallest value":           {value(-math.Ldexp(1, 360)), ""},
			"a value that is too large":    {value(math.Ldexp(1.001, 360)), "InvalidParameterValue"},
			"no number":                    {value(math.NaN()), "InvalidParameterValue"},
			"infinity":                     {value(math.Inf(-1)), "InvalidParameterValue"},
			"a value and values":           {func(d *types.MetricDatum) { d.Values = []float64{1} }, "InvalidParameterCombination"},
			"a value and a statistic":      {func(d *types.MetricDatum) { d.StatisticValues = set(1, 1, 1, 1) }, "InvalidParameterCombination"},
			"150 values":                   {func(d *types.MetricDatum) { d.Value, d.Values = nil, make([]float64, 150) }, ""},
			"151 values":                   {func(d *types.MetricDatum) { d.Value, d.Values = nil, make([]float64, 151) }, "InvalidParameterValue"},
			"fewer counts than values":     {func(d *types.MetricDatum) { d.Value, d.Values, d.Counts = nil, []float64{1, 2}, []float64{1} }, "InvalidParameterValue"},
			"a negative count":             {func(d *types.MetricDatum) { d.Value, d.Values, d.Counts = nil, []float64{1}, []float64{-1} }, "InvalidParameterValue"},
			"a statistic":                  {func(d *types.MetricDatum) { d.Value, d.StatisticValues = nil, set(2, 3, 1, 2) }, ""},
			"a statistic that cannot be":   {func(d *types.MetricDatum) { d.Value, d.StatisticValues = nil, set(2, 3, 2, 1) }, "InvalidParameterValue"},
			"a statistic without a number": {func(d *types.MetricDatum) { d.Value, d.StatisticValues = nil, set(2, math.Inf(1), 1, 2) }, "InvalidParameterValue"},
			"two weeks ago":                {at(time.Now().Add(-14*24*time.Hour + time.Second)), ""},
			"more than two weeks ago":      {at(time.Now().Add(-14*24*time.Hour - time.Second)), "InvalidParameterValue"},
			"in two hours":                 {at(time.Now().Add(2 * time.Hour)), ""},
			"in more than two hours":       {at(time.Now().Add(2*time.Hour + time.Second)), "InvalidParameterValue"},
			"a resolution of a second":     {func(d *types.MetricDatum) { d.StorageResolution = aws.Int32(1) }, ""},
			"another resolution":           {func(d *types.MetricDatum) { d.StorageResolution = aws.Int32(5) }, "InvalidParameterValue"},
			"a unit":                       {func(d *types.MetricDatum) { d.Unit = types.StandardUnitBytes }, ""},
			"no unit that there is":        {func(d *types.MetricDatum) { d.Unit = "Apples" }, "InvalidParameterValue"},
			"no name":                      {func(d *types.MetricDatum) { d.MetricName = aws.String("") }, "InvalidParameterValue"},
			"a name that is too long":      {func(d *types.MetricDatum) { d.MetricName = aws.String(strings.Repeat("a", 256)) }, "InvalidParameterValue"},
			"a name with a control":        {func(d *types.MetricDatum) { d.MetricName = aws.String("a\x00b\x01c") }, "InvalidParameterValue"},
			"a name of spaces":             {func(d *types.MetricDatum) { d.MetricName = aws.String("  ") }, "InvalidParameterValue"},
			"a name with a space":          {func(d *types.MetricDatum) { d.MetricName = aws.String("a b") }, ""},
			"a dimension not in ASCII": {func(d *types.MetricDatum) {
				d.Dimensions = []types.Dimension{{Name: aws.String("größe"), Value: aws.String("1")}}
			}, "InvalidParameterValue"},
			"a dimension of spaces": {func(d *types.MetricDatum) {
				d.Dimensions = []types.Dimension{{Name: aws.String(" "), Value: aws.String("1")}}
			}, "InvalidParameterValue"},
			"a dimension's value of tabs": {func(d *types.MetricDatum) {
				d.Dimensions = []types.Dimension{{Name: aws.String("a"), Value: aws.String("\t")}}
			}, "InvalidParameterValue"},
			"a control in a value": {func(d *types.MetricDatum) {
				d.Dimensions = []types.Dimension{{Name: aws.String("a"), Value: aws.String("b\x00c\x01d")}}
			}, "InvalidParameterValue"},
			"30 dimensions":               {func(d *types.MetricDatum) { d.Dimensions = dimensions(30) }, ""},
			"31 dimensions":               {func(d *types.MetricDatum) { d.Dimensions = dimensions(31) }, "InvalidParameterValue"},
			"a dimension twice":           {func(d *types.MetricDatum) { d.Dimensions = append(dimensions(1), dimensions(1)...) }, "InvalidParameterValue"},
			"a dimension with a colon":    {func(d *types.MetricDatum) { d.Dimensions = dimensions(1); d.Dimensions[0].Name = aws.String(":d") }, "InvalidParameterValue"},
			"a dimension without a value": {func(d *types.MetricDatum) { d.Dimensions = dimensions(1); d.Dimensions[0].Value = aws.String("") }, "InvalidParameterValue"},
			"a dimension that is too long": {func(d *types.MetricDatum) {
				d.Dimensions = dimensions(1)
				d.Dimensions[0].Value = aws.String(strings.Repeat("v", 1025))
			}, "InvalidParameterValue"},
			"a dimension of its full length": {func(d *types.MetricDatum) {
				d.Dimensions = dimensions(1)
				d.Dimensions[0].Value = aws.String(strings.Repeat("v", 1024))
			}, ""},
		} {
			err := w.put(datum(c.change))
			switch {
			case c.code != "":
				w.Log(name)
				svctest.WantCode(w, err, c.code)
				svctest.WantStatus(w, err, 400)
			case err != nil:
				w.Errorf("%s: %v", name, err)
			}
		}
	})
}

func set(count, sum, low, high float64) *types.StatisticSet {
	return &types.StatisticSet{SampleCount: &count, Sum: &sum, Minimum: &low, Maximum: &high}
}

func TestPutMetricDataIsAllOrNothing(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		svctest.WantCode(w, w.put(datum(), datum(value(math.NaN()))), "InvalidParameterValue")
		if got := w.statistics(); got != "" {
			w.Errorf("some of a request that was refused is there: %s", got)
		}
		w.mustPut(make1000()...)
		svctest.WantCode(w, w.put(append(make1000(), datum())...), "InvalidParameterValue")
		svctest.WantCode(w, w.put(), "MissingParameter")
		if got := w.statistics(); got != "0s 1000" {
			w.Errorf("got %s", got)
		}
	})
}

func make1000() (all []types.MetricDatum) {
	for range 1000 {
		all = append(all, datum())
	}
	return all
}

func TestNamespaces(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		for namespace, ok := range map[string]bool{
			"app": true, "app/web": true, "": false, ":app": false, "AWS/SQS": false, strings.Repeat("n", 255): true, strings.Repeat("n", 256): false,
		} {
			_, err := w.PutMetricData(w.Context(), &cloudwatch.PutMetricDataInput{Namespace: &namespace, MetricData: []types.MetricDatum{datum()}})
			if ok && err != nil {
				w.Errorf("%s: %v", namespace, err)
			} else if !ok {
				svctest.WantCode(w, err, "InvalidParameterValue")
			}
		}
		if err := cloudwatchsvc.Publish(w.cloud, "us-east-1", "AWS/SQS", datum()); err != nil {
			w.Error(err)
		}
		if got := w.statistics(func(in *cloudwatch.GetMetricStatisticsInput) { in.Namespace = aws.String("AWS/SQS") }); got != "0s 1" {
			w.Errorf("what a service publishes: %s", got)
		}
	})
}

func (w *world) list(change func(*cloudwatch.ListMetricsInput)) (told []string) {
	w.Helper()
	in := &cloudwatch.ListMetricsInput{}
	change(in)
	pages := cloudwatch.NewListMetricsPaginator(w, in)
	for pages.HasMorePages() {
		out := svctest.Must(pages.NextPage(w.Context()))(w)
		if len(out.Metrics) > 500 {
			w.Errorf("a page of %d metrics", len(out.Metrics))
		}
		for _, m := range out.Metrics {
			var text strings.Builder
			text.WriteString(*m.Namespace + " " + *m.MetricName)
			for _, d := range m.Dimensions {
				text.WriteString(" " + *d.Name + "=" + *d.Value)
			}
			told = append(told, text.String())
		}
	}
	return told
}

func TestListMetrics(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		queue := func(name, queue string, more ...types.Dimension) types.MetricDatum {
			return datum(func(d *types.MetricDatum) {
				d.MetricName = &name
				d.Dimensions = append([]types.Dimension{{Name: aws.String("Queue"), Value: &queue}}, more...)
			})
		}
		w.mustPut(datum(), queue("age", "a"), queue("age", "b"), queue("depth", "a", types.Dimension{Name: aws.String("Kind"), Value: aws.String("fifo")}), queue("age", "a"))
		time.Sleep(3 * time.Hour)
		w.mustPut(queue("age", "b"))
		all := []string{"app backlog", "app age Queue=a", "app age Queue=b", "app depth Queue=a Kind=fifo"}
		filter := func(name string, value *string) func(*cloudwatch.ListMetricsInput) {
			return func(in *cloudwatch.ListMetricsInput) {
				in.Dimensions = append(in.Dimensions, types.DimensionFilter{Name: &name, Value: value})
			}
		}
		for name, c := range map[string]struct {
			change func(*cloudwatch.ListMetricsInput)
			want   []string
		}{
			"all":                   {func(*cloudwatch.ListMetricsInput) {}, all},
			"a namespace":           {func(in *cloudwatch.ListMetricsInput) { in.Namespace = aws.String("app") }, all},
			"another namespace":     {func(in *cloudwatch.ListMetricsInput) { in.Namespace = aws.String("ap") }, nil},
			"a name":                {func(in *cloudwatch.ListMetricsInput) { in.MetricName = aws.String("age") }, all[1:3]},
			"a dimension":           {filter("Queue", nil), all[1:]},
			"a dimension's value":   {filter("Queue", aws.String("a")), []string{all[1], all[3]}},
			"a dimension not there": {filter("Topic", nil), nil},
			"the recently active":   {func(in *cloudwatch.ListMetricsInput) { in.RecentlyActive = types.RecentlyActivePt3h }, all[2:3]},
		} {
			if got := w.list(c.change); fmt.Sprint(got) != fmt.Sprint(c.want) {
				w.Errorf("%s: got %q, want %q", name, got, c.want)
			}
		}
		_, err := w.ListMetrics(w.Context(), &cloudwatch.ListMetricsInput{RecentlyActive: "PT4H"})
		svctest.WantCode(w, err, "InvalidParameterValue")
		_, err = w.ListMetrics(w.Context(), &cloudwatch.ListMetricsInput{NextToken: aws.String("x")})
		svctest.WantCode(w, err, "InvalidNextToken")
	})
}

func TestListMetricsHasPages(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		for n := range 3 {
			data := make1000()[:400]
			for i := range data {
				data[i].MetricName = aws.String(fmt.Sprintf("m%d", 400*n+i))
			}
			w.mustPut(data...)
		}
		if n := len(w.list(func(*cloudwatch.ListMetricsInput) {})); n != 1200 {
			w.Errorf("%d metrics", n)
		}
		if n := w.cloud.Count("CloudWatch", "ListMetrics"); n != 3 {
			w.Errorf("%d pages", n)
		}
	})
}

func TestMetricIsListedAfterAWhile(t *testing.T) {
	t.Parallel()
	options := func(o *cloudwatchsvc.Options) { o.Listed, o.Visible = 15*time.Minute, 2*time.Minute }
	inBubbleWith(t, options, func(w *world) {
		w.mustPut(datum())
		w.until(2*time.Minute - time.Millisecond) // the call takes one, as the first did
		if got := w.statistics(); got != "" {
			w.Errorf("seen too early: %s", got)
		}
		if got := w.statistics(); got != "0s 1" {
			w.Errorf("not seen: %s", got)
		}
		w.until(15*time.Minute - time.Millisecond)
		all := func(*cloudwatch.ListMetricsInput) {}
		if got := w.list(all); got != nil {
			w.Errorf("listed too early: %q", got)
		}
		if got := w.list(all); len(got) != 1 {
			w.Errorf("not listed: %q", got)
		}
	})
}

func TestRegionsAreApart(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.mustPut(datum())
		elsewhere := *w
		elsewhere.Client = cloudwatch.NewFromConfig(w.cloud.Config("eu-west-1"))
		if got := elsewhere.statistics(); got != "" {
			w.Errorf("got %s", got)
		}
	})
}

func TestReadsOfThePast(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.mustPut(datum())
		w.until(10 * time.Second)
		w.mustPut(datum(value(5)))
		w.alarm()
		w.until(20 * time.Second)
		for ago, want := range map[time.Duration]string{
			time.Second: "0s 6; [app backlog]; 1", 15 * time.Second: "0s 1; [app backlog]; 0", time.Minute: "; []; 0",
		} {
			heal := svctest.Must(w.cloud.Inject(awstest.Match{Service: "CloudWatch"}, awstest.Stale(ago)))(w)
			alarms := svctest.Must(w.DescribeAlarms(w.Context(), nil))(w).MetricAlarms
			got := fmt.Sprintf("%s; %v; %d", w.statistics(), w.list(func(*cloudwatch.ListMetricsInput) {}), len(alarms))
			heal()
			if got != want {
				w.Errorf("%v ago: got %s, want %s", ago, got, want)
			}
		}
	})
}
