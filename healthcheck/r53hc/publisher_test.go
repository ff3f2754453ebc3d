package r53hc_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/healthcheck"
	"github.com/awsha/awsha/healthcheck/healthcheckmock"
	"github.com/awsha/awsha/healthcheck/r53hc"
)

// statistic is what CloudWatch tells of a metric in the last whole minute.
func (w *world) statistic(metric string) string {
	w.Helper()
	end := time.Now().Truncate(time.Minute)
	out := must(w.metrics.GetMetricStatistics(w.Context(), &cloudwatch.GetMetricStatisticsInput{
		Namespace: aws.String("awsha/healthcheck"), MetricName: &metric, Dimensions: []types.Dimension{{Name: aws.String("Pool"), Value: aws.String("web")}},
		StartTime: aws.Time(end.Add(-time.Minute)), EndTime: &end, Period: aws.Int32(60), Statistics: []types.Statistic{types.StatisticAverage, types.StatisticSampleCount},
	}))(w)
	if len(out.Datapoints) == 0 {
		return "nothing"
	}
	d := out.Datapoints[0]
	return fmt.Sprintf("%v of %v %s", *d.Average, *d.SampleCount, d.Unit)
}

func TestMetricsFollowThePool(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		defer w.publish(func(o *r53hc.Options) {
			o.Metrics = []r53hc.Metric{r53hc.HealthyPercent(), r53hc.HealthyCount(), r53hc.InZone("Zone0", "z0")}
		})()
		for _, step := range []struct {
			err                  error
			ids                  []string
			percent, count, zone string
		}{
			{nil, nil, "100 of 3 Percent", "4 of 3 Count", "100 of 3 Percent"},
			{errDead, []string{"t0"}, "75 of 3 Percent", "3 of 3 Count", "50 of 3 Percent"},
			{errDead, nil, "0 of 3 Percent", "0 of 3 Count", "0 of 3 Percent"},
			{nil, nil, "100 of 3 Percent", "4 of 3 Count", "100 of 3 Percent"},
		} {
			w.fail(step.err, step.ids...)
			time.Sleep(3 * time.Minute)
			for metric, want := range map[string]string{"HealthyPercent": step.percent, "HealthyCount": step.count, "Zone0": step.zone} {
				if got := w.statistic(metric); got != want {
					t.Errorf("%s is %s, want %s", metric, got, want)
				}
			}
		}
		if n := w.cloud.Count("CloudWatch", "PutMetricData"); n < 36 || n > 37 {
			t.Errorf("%d calls in 12 minutes, want one each 20 seconds", n)
		}
	})
}

// Before the first checks there is nothing to say, and nothing after the end.
func TestNothingIsSaidThatIsNotKnown(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		for i := range 4 {
			must(0, w.pool.Deregister(fmt.Sprint("t", i)))(w)
		}
		stop := w.publish()
		time.Sleep(10 * time.Minute)
		if got := w.statistic("HealthyPercent"); got != "nothing" {
			t.Errorf("an empty pool says %s", got)
		}
		if said := w.said(); said[r53hc.KindPublished] != 0 || said[r53hc.KindSilent] < 30 {
			t.Errorf("events %v", said)
		}
		w.stop()
		w.wg.Wait()
		time.Sleep(time.Minute)
		if err := stop(); !errors.Is(err, healthcheck.ErrStopped) {
			t.Errorf("Run returns %v after the pool has stopped", err)
		}
	})
}

// What counts is what gets traffic, whoever has decided about that.
func TestMetricsCountWhatServes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		a, b                 string
		percent, count, zone float64
		silent               bool
	}{
		"as checked":             {"hu", "hu", 50, 2, 50, false},
		"drained by hand":        {"DD", "D", 0, 0, 0, false},
		"one is drained by hand": {"Dh", "u", 50, 1, 100, false},
		"unhealthy by hand":      {"UU", "hh", 50, 2, 0, false},
		"healthy by hand":        {"HH", "uu", 50, 2, 100, false},
		"ejected":                {"eh", "hh", 75, 3, 50, false},
		"draining":               {"dh", "d", 100, 1, 100, false},
		"a zone is shifted":      {"ss", "hh", 100, 4, 0, false},
		"not checked yet":        {"ii", "i", 0, 0, 0, true},
		"nothing is there":       {"", "", 0, 0, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var view *healthcheck.View
			_ = of(c.a, c.b).Wait(t.Context(), func(v *healthcheck.View) bool { view = v; return true })
			for _, m := range []struct {
				r53hc.Metric
				want float64
			}{{r53hc.HealthyPercent(), c.percent}, {r53hc.HealthyCount(), c.count}, {r53hc.InZone("Zone", "a"), c.zone}} {
				if got, ok := m.Value(view); ok == c.silent || got != m.want {
					t.Errorf("%s is %v, %v, want %v", m.Name, got, ok, m.want)
				}
			}
		})
	}
}

// A metric that is none, or panics, does not silence the others.
func TestValuesThatCloudWatchDoesNotTake(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		metrics := []r53hc.Metric{r53hc.HealthyPercent(), {Name: "panics", Value: func(*healthcheck.View) (float64, bool) { panic("no") }}}
		for i, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64} {
			metrics = append(metrics, r53hc.Metric{Name: fmt.Sprint("value ", i), Value: func(*healthcheck.View) (float64, bool) { return v, true }})
		}
		stop := w.publish(func(o *r53hc.Options) { o.Metrics = metrics })
		time.Sleep(3 * time.Minute)
		if err := stop(); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if got := w.statistic("HealthyPercent"); got != "100 of 3 Percent" {
			t.Errorf("HealthyPercent is %s", got)
		}
		for _, e := range w.events {
			if e.Kind == r53hc.KindFailed || len(e.Values) > 1 {
				t.Errorf("got %+v", e)
			}
		}
	})
}

// A pool that is behind its schedule is believed as long as it has results: what passes is well.
func TestPoolBehindItsSchedule(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		degraded bool
		fresh    bool
		points   int64
	}{
		"it checks, if slowly":           {true, true, 60},
		"it does not check any more":     {true, false, 31}, // of MaxDoubt
		"its interval is just that long": {false, false, 60},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				last := time.Now()
				source := &healthcheckmock.SourceMock{WaitFunc: func(ctx context.Context, cond func(*healthcheck.View) bool) error {
					if c.fresh {
						last = time.Now().Add(-4 * time.Minute)
					}
					cond(healthcheck.ViewOptions{Local: healthcheck.Local{Exhausted: c.degraded}}.View(healthcheck.Status{
						Target: healthcheck.Target{ID: "a"}, State: healthcheck.Healthy, Last: healthcheck.Result{Outcome: healthcheck.Pass, Start: last},
					}))
					return context.Cause(ctx)
				}}
				var points atomic.Int64
				api := &healthcheckmock.MetricsAPIMock{PutMetricDataFunc: func(_ context.Context, in *cloudwatch.PutMetricDataInput, _ ...func(*cloudwatch.Options)) (*cloudwatch.PutMetricDataOutput, error) {
					points.Add(int64(len(in.MetricData)))
					return &cloudwatch.PutMetricDataOutput{}, nil
				}}
				p := must(r53hc.New(api, source, func(o *r53hc.Options) {
					o.Series, o.Interval, o.Metrics = series, 10*time.Second, []r53hc.Metric{r53hc.HealthyCount()}
				}))(t)
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute-time.Second)
				defer cancel()
				if err := p.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
					t.Error(err)
				}
				if n := points.Load(); n != c.points {
					t.Errorf("%d points, want %d", n, c.points)
				}
			})
		})
	}
}

// A machine that cannot check says what it knew last, for a while.
func TestDoubt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var unknown atomic.Bool
		var points atomic.Int64
		source := &healthcheckmock.SourceMock{WaitFunc: func(ctx context.Context, cond func(*healthcheck.View) bool) error {
			outcome := healthcheck.Pass
			if unknown.Load() {
				outcome = healthcheck.Unknown
			}
			cond(healthcheck.NewView(healthcheck.Status{
				Target: healthcheck.Target{ID: "a"}, State: healthcheck.Healthy, Last: healthcheck.Result{Outcome: outcome, Start: time.Now()},
			}))
			return context.Cause(ctx)
		}}
		api := &healthcheckmock.MetricsAPIMock{PutMetricDataFunc: func(_ context.Context, in *cloudwatch.PutMetricDataInput, _ ...func(*cloudwatch.Options)) (*cloudwatch.PutMetricDataOutput, error) {
			points.Add(int64(len(in.MetricData)))
			return &cloudwatch.PutMetricDataOutput{}, nil
		}}
		p := must(r53hc.New(api, source, func(o *r53hc.Options) {
			o.Series, o.Interval, o.Metrics = series, 10*time.Second, []r53hc.Metric{r53hc.HealthyCount()}
		}))(t)
		ctx, cancel := context.WithCancel(t.Context())
		defer func() { cancel(); synctest.Wait() }()
		go func() { _ = p.Run(ctx) }()
		expect := func(what string, d time.Duration, want int64) {
			t.Helper()
			points.Store(0)
			time.Sleep(d)
			synctest.Wait()
			if n := points.Load(); n != want {
				t.Errorf("%s: %d points, want %d", what, n, want)
			}
		}
		time.Sleep(5 * time.Second) // between two intervals
		expect("well", time.Minute, 6)
		unknown.Store(true)
		expect("in doubt", 5*time.Minute, 30)
		expect("for too long", 5*time.Minute, 0)
		unknown.Store(false)
		expect("well again", time.Minute, 6)
	})
}

func TestFailedCallsAreMadeUpFor(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		effect awstest.Effect
		times  int
		err    error
		want   string // of a minute under the fault, once it is healed
	}{
		"throttled":    {awstest.Throttle(), 0, nil, "100 of 3 Percent"},
		"down":         {awstest.Unavailable(), 0, nil, "100 of 3 Percent"},
		"denied":       {awstest.Deny(), 0, r53hc.ErrDenied, "100 of 3 Percent"},
		"hanging":      {awstest.Hang(), 0, context.DeadlineExceeded, "100 of 3 Percent"},
		"lost replies": {awstest.LoseReply(), 1, nil, "100 of 4 Percent"}, // one is put twice, which changes no average
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				defer w.publish(func(o *r53hc.Options) { o.Metrics = []r53hc.Metric{r53hc.HealthyPercent()} })()
				time.Sleep(time.Until(time.Now().Truncate(time.Minute).Add(2*time.Minute - 5*time.Second)))
				w.said()
				heal := must(w.cloud.Inject(awstest.Match{Service: "CloudWatch", Operation: "PutMetricData", Times: c.times}, c.effect))(w)
				time.Sleep(70 * time.Second)
				heal()
				time.Sleep(20 * time.Second)
				if got := w.statistic("HealthyPercent"); got != c.want {
					t.Errorf("the minute has %s, want %s", got, c.want)
				}
				w.mu.Lock()
				defer w.mu.Unlock()
				failed := slices.IndexFunc(w.events, func(e r53hc.Event) bool { return e.Kind == r53hc.KindFailed })
				switch {
				case c.times > 0 && failed >= 0: // the SDK has repeated it
					t.Errorf("failed: %v", w.events[failed].Err)
				case c.times > 0:
				case failed < 0:
					t.Error("nothing has failed")
				case c.err != nil && !errors.Is(w.events[failed].Err, c.err):
					t.Errorf("got %v, want %v", w.events[failed].Err, c.err)
				}
			})
		})
	}
}

func TestBacklogIsBounded(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		defer w.publish(func(o *r53hc.Options) { o.Backlog = 2 })()
		time.Sleep(time.Second)
		heal := must(w.cloud.FailService("CloudWatch", region))(w)
		time.Sleep(time.Hour)
		heal()
		w.said()
		time.Sleep(21 * time.Second)
		w.mu.Lock()
		defer w.mu.Unlock()
		if len(w.events) == 0 || w.events[0].Kind != r53hc.KindPublished || w.events[0].Points != 6 { // of two metrics, three
			t.Errorf("got %+v", w.events)
		}
	})
}

func TestRunTwice(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		p := must(r53hc.New(w.metrics, w.pool, func(o *r53hc.Options) { o.Series = series }))(w)
		ctx, cancel := context.WithCancelCause(w.Context())
		cancel(errDead)
		if err := p.Run(ctx); !errors.Is(err, errDead) {
			t.Errorf("Run returns %v", err)
		}
		if err := p.Run(ctx); !errors.Is(err, r53hc.ErrAlreadyRun) {
			t.Errorf("the second Run returns %v", err)
		}
	})
}

func TestPanicInOnEventIsRecovered(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		n := 0
		stop := w.publish(func(o *r53hc.Options) { o.OnEvent = func(context.Context, r53hc.Event) { n++; panic("no") } })
		time.Sleep(time.Minute)
		if err := stop(); n < 3 || !errors.Is(err, context.Canceled) {
			t.Errorf("%d events, %v", n, err)
		}
	})
}

func TestMistakesInOptions(t *testing.T) {
	t.Parallel()
	none := func(*healthcheck.View) (float64, bool) { return 0, false }
	_, err := r53hc.New(nil, nil, func(o *r53hc.Options) {
		o.Namespace = "AWS/Web"
		o.Dimensions = []r53hc.Dimension{{Name: "", Value: ""}, {Name: "a", Value: "b"}, {Name: "a", Value: "c"}}
		o.Metrics = []r53hc.Metric{{Name: "m", Value: none}, {Name: "m"}, {}}
		o.Interval, o.MaxDoubt, o.Backlog, o.CallTimeout = time.Minute, -1, 16, time.Hour
	})
	want := map[string]int{
		"api": 1, "source": 1, "Options.Namespace": 1, "Options.Dimensions[0].Name": 1, "Options.Dimensions[0].Value": 1, "Options.Dimensions[2].Name": 1,
		"Options.Metrics[1].Name": 1, "Options.Metrics[1].Value": 1, "Options.Metrics[2].Name": 1, "Options.Metrics[2].Value": 1,
		"Options.Interval": 1, "Options.MaxDoubt": 1, "Options.Backlog": 1, "Options.CallTimeout": 1,
	}
	wantFields(t, err, want)
	_, err = r53hc.New(&healthcheckmock.MetricsAPIMock{}, &healthcheckmock.SourceMock{})
	wantFields(t, err, map[string]int{"Options.Dimensions": 1})

	// What CloudWatch would refuse with each call is refused at once.
	_, err = r53hc.New(&healthcheckmock.MetricsAPIMock{}, &healthcheckmock.SourceMock{}, func(o *r53hc.Options) {
		o.Namespace = "Zürich"
		o.Dimensions = []r53hc.Dimension{{Name: "Größe", Value: "\t"}, {Name: "Pool", Value: "wéb"}}
		o.Metrics = []r53hc.Metric{{Name: "é", Unit: "Apples", Value: none}}
	})
	wantFields(t, err, map[string]int{
		"Options.Namespace": 1, "Options.Dimensions[0].Name": 1, "Options.Dimensions[0].Value": 1, "Options.Dimensions[1].Value": 1,
		"Options.Metrics[0].Name": 1, "Options.Metrics[0].Unit": 1,
	})
}

// wantFields asserts which fields the mistakes of an error are about.
func wantFields(t *testing.T, err error, want map[string]int) {
	t.Helper()
	got := map[string]int{}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("got %v", err)
	}
	var walk func(errs []error)
	walk = func(errs []error) {
		for _, e := range errs {
			if more, ok := e.(interface{ Unwrap() []error }); ok {
				walk(more.Unwrap())
			} else if fe, ok := errors.AsType[*r53hc.FieldError](e); ok {
				got[fe.Field]++
			}
		}
	}
	walk(joined.Unwrap())
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}
