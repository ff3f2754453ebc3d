package cloudwatchsvc_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/awsha/awsha/awstest/internal/svctest"
)

type statisticsInput = cloudwatch.GetMetricStatisticsInput

func allStatistics(in *statisticsInput) { in.Statistics = types.Statistic("").Values() }

func period(seconds int32) func(*statisticsInput) {
	return func(in *statisticsInput) { in.Period = &seconds }
}

func percentiles(names ...string) func(*statisticsInput) {
	return func(in *statisticsInput) { in.Statistics, in.ExtendedStatistics = nil, names }
}

func TestStatistics(t *testing.T) {
	t.Parallel()
	minute := func(n int, changes ...func(*types.MetricDatum)) types.MetricDatum {
		return datum(append(changes, func(d *types.MetricDatum) {
			d.Timestamp = aws.Time(time.Date(2000, 1, 1, 0, n, 30, 0, time.UTC))
		})...)
	}
	high := func(d *types.MetricDatum) { d.StorageResolution = aws.Int32(1) }
	for name, c := range map[string]struct {
		data   []types.MetricDatum
		change func(*statisticsInput)
		want   string
	}{
		"nothing":            {nil, allStatistics, ""},
		"one value":          {[]types.MetricDatum{minute(0)}, allStatistics, "0s 1 1 1 1 1"},
		"values of a minute": {[]types.MetricDatum{minute(0, value(4)), minute(0, value(2)), minute(0, value(3))}, allStatistics, "0s 3 3 9 2 4"},
		"values of two minutes, and of none between": {[]types.MetricDatum{minute(2, value(4)), minute(0, value(2))}, allStatistics, "0s 1 2 2 2 2, 2m0s 1 4 4 4 4"},
		"a longer period":    {[]types.MetricDatum{minute(4, value(4)), minute(0, value(2)), minute(5)}, period(300), "0s 6, 5m0s 1"},
		"values with counts": {[]types.MetricDatum{minute(0, func(d *types.MetricDatum) { d.Value, d.Values, d.Counts = nil, []float64{1, 5}, []float64{3, 1} })}, allStatistics, "0s 4 2 8 1 5"},
		"statistics":         {[]types.MetricDatum{minute(0, func(d *types.MetricDatum) { d.Value, d.StatisticValues = nil, set(4, 8, 1, 5) }), minute(0, value(7))}, allStatistics, "0s 5 3 15 1 7"},
		"units are apart": {
			[]types.MetricDatum{minute(0, func(d *types.MetricDatum) { d.Unit = types.StandardUnitBytes }), minute(0, value(2))},
			allStatistics, "0s 1 1 1 1 1 Bytes, 0s 1 2 2 2 2",
		},
		"one of the units": {
			[]types.MetricDatum{minute(0, func(d *types.MetricDatum) { d.Unit = types.StandardUnitBytes }), minute(0, value(2))},
			func(in *statisticsInput) { in.Unit = types.StandardUnitBytes }, "0s 1 Bytes",
		},
		"seconds":                      {[]types.MetricDatum{minute(0, high)}, period(10), "30s 1"},
		"minutes by ten seconds":       {[]types.MetricDatum{minute(0)}, period(10), "0s 1"},
		"without the end":              {[]types.MetricDatum{minute(0), minute(1, value(2))}, func(in *statisticsInput) { in.EndTime = aws.Time(in.StartTime.Add(time.Minute)) }, "0s 1"},
		"with the beginning's minute":  {[]types.MetricDatum{minute(0)}, func(in *statisticsInput) { in.StartTime = aws.Time(in.StartTime.Add(59 * time.Second)) }, "0s 1"},
		"dimensions in another order":  {[]types.MetricDatum{minute(0, func(d *types.MetricDatum) { d.Dimensions = dimensions(2) })}, func(in *statisticsInput) { in.Dimensions = dimensions(2); slices.Reverse(in.Dimensions) }, "0s 1"},
		"some of the dimensions":       {[]types.MetricDatum{minute(0, func(d *types.MetricDatum) { d.Dimensions = dimensions(2) })}, func(in *statisticsInput) { in.Dimensions = dimensions(1) }, ""},
		"percentiles":                  {[]types.MetricDatum{minute(0, value(1)), minute(0, value(2)), minute(0, value(3)), minute(0, value(4))}, percentiles("p0.0", "p50", "p75.1", "p100"), "0s map[p0.0:1 p100:4 p50:2 p75.1:4]"},
		"percentiles with counts":      {[]types.MetricDatum{minute(0, func(d *types.MetricDatum) { d.Value, d.Values, d.Counts = nil, []float64{9, 1}, []float64{1, 9} })}, percentiles("p90", "p91"), "0s map[p90:1 p91:9]"},
		"percentiles of a statistic":   {[]types.MetricDatum{minute(0, func(d *types.MetricDatum) { d.Value, d.StatisticValues = nil, set(4, 8, 1, 5) })}, percentiles("p50"), ""},
		"percentiles of equal values":  {[]types.MetricDatum{minute(0, func(d *types.MetricDatum) { d.Value, d.StatisticValues = nil, set(4, 8, 2, 2) })}, percentiles("p50"), "0s map[p50:2]"},
		"percentiles of what is below": {[]types.MetricDatum{minute(0, value(-1)), minute(0, value(2))}, percentiles("p50"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				if c.data != nil {
					w.mustPut(c.data...)
				}
				if got := w.statistics(c.change); got != c.want {
					w.Errorf("got %s, want %s", got, c.want)
				}
			})
		})
	}
}

func TestStatisticsAreRefused(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		end := func(d time.Duration) func(*statisticsInput) {
			return func(in *statisticsInput) { in.EndTime = aws.Time(in.StartTime.Add(d)) }
		}
		for name, c := range map[string]struct {
			change func(*statisticsInput)
			code   string
		}{
			"no statistic":              {func(in *statisticsInput) { in.Statistics = nil }, "MissingParameter"},
			"both kinds of statistics":  {func(in *statisticsInput) { in.ExtendedStatistics = []string{"p50"} }, "InvalidParameterCombination"},
			"no statistic that it is":   {func(in *statisticsInput) { in.Statistics = []types.Statistic{"Median"} }, "InvalidParameterValue"},
			"a percentile as one":       {func(in *statisticsInput) { in.Statistics = []types.Statistic{"p50"} }, "InvalidParameterValue"},
			"a plain one as extended":   {percentiles("Sum"), "InvalidParameterValue"},
			"a period of 45 s":          {period(45), "InvalidParameterValue"},
			"a period of 90 s":          {period(90), "InvalidParameterValue"},
			"no time":                   {end(0), "InvalidParameterValue"},
			"an end before the start":   {end(-time.Second), "InvalidParameterValue"},
			"a point too many":          {end(1441 * time.Minute), "InvalidParameterCombination"},
			"a part of a point as well": {end(1440*time.Minute + time.Second), "InvalidParameterCombination"},
			"a dimension twice":         {func(in *statisticsInput) { in.Dimensions = append(dimensions(1), dimensions(1)...) }, "InvalidParameterValue"},
		} {
			w.Log(name)
			_, err := w.GetMetricStatistics(w.Context(), w.statisticsInput(c.change))
			svctest.WantCode(w, err, c.code)
		}
		if _, err := w.GetMetricStatistics(w.Context(), w.statisticsInput(end(1440*time.Minute))); err != nil {
			w.Error(err)
		}
	})
}

// AWS says that data points come in no order. Code that takes the last one for
// the newest is found out.
func TestDataPointsAreOutOfOrder(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		for n := range 4 {
			w.mustPut(datum(at(w.start.Add(time.Duration(n) * time.Minute))))
		}
		var got []time.Duration
		for _, p := range svctest.Must(w.GetMetricStatistics(w.Context(), w.statisticsInput()))(w).Datapoints {
			got = append(got, p.Timestamp.Sub(w.start))
		}
		if len(got) != 4 || slices.IsSorted(got) {
			w.Errorf("got %v", got)
		}
	})
}

func TestOldDataIsKeptByLongerPeriods(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	inBubble(t, func(w *world) {
		w.mustPut(datum(func(d *types.MetricDatum) { d.StorageResolution = aws.Int32(1) }))
		for _, c := range []struct {
			after  time.Duration
			period int32
			want   string
		}{
			{3*time.Hour - time.Second, 10, "0s 1"},
			{3*time.Hour + time.Second, 10, ""},
			{3*time.Hour + time.Second, 60, "0s 1"},
			{15*day - time.Second, 60, "0s 1"},
			{15*day + time.Second, 60, ""},
			{15*day + time.Second, 300, "0s 1"},
			{63*day - time.Second, 300, "0s 1"},
			{63*day + time.Second, 300, ""},
			{63*day + time.Second, 3600, "0s 1"},
			{455*day - time.Second, 3600, "0s 1"},
			{455*day + time.Second, 3600, ""},
		} {
			w.until(c.after)
			if got := w.statistics(period(c.period)); got != c.want {
				w.Errorf("period %d after %v: got %s, want %s", c.period, c.after, got, c.want)
			}
		}
	})
}

func query(id string, changes ...func(*types.MetricDataQuery)) types.MetricDataQuery {
	q := types.MetricDataQuery{Id: &id, MetricStat: &types.MetricStat{
		Metric: &types.Metric{Namespace: aws.String("app"), MetricName: aws.String("backlog")}, Period: aws.Int32(60), Stat: aws.String("Sum"),
	}}
	for _, change := range changes {
		change(&q)
	}
	return q
}

// data tells the results of queries, a page in brackets.
func (w *world) data(change func(*cloudwatch.GetMetricDataInput), queries ...types.MetricDataQuery) (told string) {
	w.Helper()
	in := &cloudwatch.GetMetricDataInput{StartTime: &w.start, EndTime: aws.Time(w.start.Add(time.Hour)), MetricDataQueries: queries}
	if change != nil {
		change(in)
	}
	pages := cloudwatch.NewGetMetricDataPaginator(w, in)
	for pages.HasMorePages() {
		told += "["
		for _, r := range svctest.Must(pages.NextPage(w.Context()))(w).MetricDataResults {
			told += fmt.Sprintf(" %s %s %s:", *r.Id, *r.Label, r.StatusCode)
			for i, v := range r.Values {
				told += fmt.Sprintf(" %v=%v", r.Timestamps[i].Sub(w.start).Minutes(), v)
			}
		}
		told += " ]"
	}
	return told
}

func TestMetricData(t *testing.T) {
	t.Parallel()
	none := func(q *types.MetricDataQuery) { q.MetricStat.Metric.MetricName = aws.String("none") }
	inBubble(t, func(w *world) {
		for n := range 3 {
			w.mustPut(datum(value(float64(10+n)), at(w.start.Add(time.Duration(n)*time.Minute))))
		}
		ascending := func(in *cloudwatch.GetMetricDataInput) { in.ScanBy = types.ScanByTimestampAscending }
		limit := func(n int32) func(*cloudwatch.GetMetricDataInput) {
			return func(in *cloudwatch.GetMetricDataInput) { in.MaxDatapoints = &n }
		}
		average := func(q *types.MetricDataQuery) {
			q.MetricStat.Stat, q.MetricStat.Period, q.Label = aws.String("Average"), aws.Int32(3600), aws.String("mean")
		}
		hidden := func(q *types.MetricDataQuery) { q.ReturnData = aws.Bool(false) }
		for name, c := range map[string]struct {
			change  func(*cloudwatch.GetMetricDataInput)
			queries []types.MetricDataQuery
			want    string
		}{
			"newest first":           {nil, []types.MetricDataQuery{query("a")}, "[ a backlog Complete: 2=12 1=11 0=10 ]"},
			"oldest first":           {ascending, []types.MetricDataQuery{query("a")}, "[ a backlog Complete: 0=10 1=11 2=12 ]"},
			"two queries":            {nil, []types.MetricDataQuery{query("a", average), query("b", none)}, "[ a mean Complete: 0=11 b none Complete: ]"},
			"one that is not wanted": {nil, []types.MetricDataQuery{query("a", hidden), query("b", average)}, "[ b mean Complete: 0=11 ]"},
			"pages": {
				limit(2), []types.MetricDataQuery{query("a"), query("n", none), query("b", average)},
				"[ a backlog PartialData: 2=12 1=11 n none Complete: ][ a backlog Complete: 0=10 b mean Complete: 0=11 ]",
			},
			"a page that ends with a query": {limit(3), []types.MetricDataQuery{query("a"), query("b", average)}, "[ a backlog Complete: 2=12 1=11 0=10 ][ b mean Complete: 0=11 ]"},
			"pages that end":                {limit(3), []types.MetricDataQuery{query("a"), query("n", none)}, "[ a backlog Complete: 2=12 1=11 0=10 n none Complete: ]"},
		} {
			if got := w.data(c.change, c.queries...); got != c.want {
				w.Errorf("%s: got %s, want %s", name, got, c.want)
			}
		}
	})
}

func TestMetricDataIsRefused(t *testing.T) {
	t.Parallel()
	one := []types.MetricDataQuery{query("a")}
	many := func(n int) (all []types.MetricDataQuery) {
		for i := range n {
			all = append(all, query(fmt.Sprintf("q%d", i)))
		}
		return all
	}
	inBubble(t, func(w *world) {
		for name, c := range map[string]struct {
			queries []types.MetricDataQuery
			change  func(*cloudwatch.GetMetricDataInput)
			code    string
		}{
			"500 queries":            {many(500), nil, ""},
			"501 queries":            {many(501), nil, "ValidationError"},
			"no query":               {[]types.MetricDataQuery{}, nil, "ValidationError"},
			"two of one ID":          {append(many(1), many(1)...), nil, "ValidationError"},
			"an ID in capitals":      {[]types.MetricDataQuery{query("A")}, nil, "ValidationError"},
			"no metric":              {[]types.MetricDataQuery{query("a", func(q *types.MetricDataQuery) { q.MetricStat = nil })}, nil, "ValidationError"},
			"no name":                {[]types.MetricDataQuery{query("a", func(q *types.MetricDataQuery) { q.MetricStat.Metric.MetricName = nil })}, nil, "ValidationError"},
			"nothing to return":      {[]types.MetricDataQuery{query("a", func(q *types.MetricDataQuery) { q.ReturnData = aws.Bool(false) })}, nil, "ValidationError"},
			"a period of 45 s":       {[]types.MetricDataQuery{query("a", func(q *types.MetricDataQuery) { q.MetricStat.Period = aws.Int32(45) })}, nil, "InvalidParameterValue"},
			"no data points":         {one, func(in *cloudwatch.GetMetricDataInput) { in.MaxDatapoints = aws.Int32(0) }, "ValidationError"},
			"too many data points":   {one, func(in *cloudwatch.GetMetricDataInput) { in.MaxDatapoints = aws.Int32(100_801) }, "ValidationError"},
			"no order that there is": {one, func(in *cloudwatch.GetMetricDataInput) { in.ScanBy = "Up" }, "ValidationError"},
			"a foreign token":        {one, func(in *cloudwatch.GetMetricDataInput) { in.NextToken = aws.String("x") }, "InvalidNextToken"},
		} {
			in := &cloudwatch.GetMetricDataInput{StartTime: &w.start, EndTime: aws.Time(w.start.Add(time.Hour)), MetricDataQueries: c.queries}
			if c.change != nil {
				c.change(in)
			}
			_, err := w.GetMetricData(w.Context(), in)
			switch {
			case c.code != "":
				w.Log(name)
				svctest.WantCode(w, err, c.code)
			case err != nil:
				w.Errorf("%s: %v", name, err)
			}
		}
	})
}

// There is no data in the future, and no work for its periods: nobody else
// comes to the cloud meanwhile.
func TestEndInTheFarFutureIsNoWork(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.mustPut(datum(), datum(at(w.start.Add(119*time.Minute))))
		end := time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
		if got := w.data(func(in *cloudwatch.GetMetricDataInput) { in.EndTime = &end }, query("q")); got != "[ q backlog Complete: 119=1 0=1 ]" {
			w.Errorf("got %s", got)
		}
		_, err := w.GetMetricStatistics(w.Context(), w.statisticsInput(func(in *cloudwatch.GetMetricStatisticsInput) { in.EndTime = &end }))
		svctest.WantCode(w, err, "InvalidParameterCombination")
	})
}

// AWS keeps 455 days of data: an earlier beginning is no reason to show none.
func TestWhatIsKeptIsThereHoweverEarlyTheBeginning(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	inBubble(t, func(w *world) {
		w.mustPut(datum())
		w.until(100 * day)
		w.mustPut(datum())
		for _, c := range []struct {
			after time.Duration
			want  string
		}{{101 * day, "0s 1, 2400h0m0s 1"}, {456 * day, "2400h0m0s 1"}, {556 * day, ""}} {
			w.until(c.after)
			if got := w.statistics(period(86400), func(in *cloudwatch.GetMetricStatisticsInput) {
				in.StartTime, in.EndTime = aws.Time(w.start.Add(-500*day)), aws.Time(w.start.Add(600*day))
			}); got != c.want {
				w.Errorf("after %v: got %s, want %s", c.after, got, c.want)
			}
		}
	})
}

// The example of the SDK's page: at 01:05:23, for the 10 seconds before.
func TestShortPeriodsEndWithTheLastFullOne(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		high := func(seconds int) types.MetricDatum {
			return datum(at(w.start.Add(time.Duration(seconds)*time.Second)), func(d *types.MetricDatum) { d.StorageResolution = aws.Int32(1) })
		}
		w.until(23 * time.Second)
		w.mustPut(high(9), high(10), high(19), high(20), high(22))
		between := func(in *cloudwatch.GetMetricStatisticsInput) {
			in.StartTime, in.EndTime = aws.Time(w.start.Add(13*time.Second)), aws.Time(w.start.Add(23*time.Second))
		}
		if got := w.statistics(period(10), between); got != "10s 2" {
			w.Errorf("got %s", got)
		}
	})
}

func TestPercentilesOfOneValue(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.mustPut(datum(func(d *types.MetricDatum) {
			d.Value, d.StatisticValues = nil, &types.StatisticSet{SampleCount: aws.Float64(1), Sum: aws.Float64(4), Minimum: aws.Float64(3), Maximum: aws.Float64(5)}
		}))
		if got := w.statistics(func(in *cloudwatch.GetMetricStatisticsInput) {
			in.Statistics, in.ExtendedStatistics = nil, []string{"p50"}
		}); got != "0s map[p50:4]" {
			w.Errorf("got %s", got)
		}
	})
}

func TestOutputIsNotTheCallersInput(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.mustPut(datum())
		in := w.statisticsInput(func(in *statisticsInput) { in.StartTime = aws.Time(w.start.In(time.FixedZone("here", 3600))) })
		out := svctest.Must(w.GetMetricStatistics(w.Context(), in))(w)
		*in.MetricName = "another"
		if at := out.Datapoints; len(at) != 1 || at[0].Timestamp.Location() != time.UTC {
			w.Errorf("got %+v, want one in UTC", at)
		}
		if *out.Label != "backlog" {
			w.Errorf("the label became %s", *out.Label)
		}
	})
}
