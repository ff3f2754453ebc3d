package route53svc_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/cwmodel"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

var metric = cwmodel.Metric{Namespace: "Web", Name: "Healthy", Dimensions: []cwmodel.Dimension{{Name: "Pool", Value: "a"}}}

// alarm is of a minimum below 1, twice in a row.
func alarm(changes ...func(*cwmodel.AlarmSpec)) cwmodel.AlarmSpec {
	spec := cwmodel.AlarmSpec{
		Name: "web", Query: cwmodel.Query{Metric: metric, Statistic: cwmodel.Minimum},
		Period: time.Minute, Periods: 2, Operator: cwmodel.Less, Threshold: 1,
	}
	for _, change := range changes {
		change(&spec)
	}
	return spec
}

// home is CloudWatch where the alarm is.
func (w *world) home(fn func(tx *awstest.Tx, r *cwmodel.Region)) {
	w.Helper()
	region := svctest.Must(w.cloud.Region("eu-west-1"))(w)
	w.cloud.Update(func(tx *awstest.Tx) { fn(tx, w.cw.Region(region)) })
}

func (w *world) putAlarm(spec cwmodel.AlarmSpec) {
	w.Helper()
	w.home(func(tx *awstest.Tx, r *cwmodel.Region) { svctest.Must(r.PutAlarm(tx, spec, nil))(w) })
}

func ofAlarm(insufficient types.InsufficientDataHealthStatus) *config {
	return &config{
		Type: "CLOUDWATCH_METRIC", AlarmIdentifier: &types.AlarmIdentifier{Name: aws.String("web"), Region: "eu-west-1"},
		InsufficientDataHealthStatus: insufficient,
	}
}

// put puts a value now and every minute, for some minutes.
func (w *world) put(value float64, minutes int) {
	w.Helper()
	for range minutes {
		w.home(func(tx *awstest.Tx, r *cwmodel.Region) {
			r.Put(tx, cwmodel.Datum{Metric: metric, Values: []float64{value}})
		})
		time.Sleep(time.Minute)
	}
}

func TestHealthFollowsTheDataOfAnAlarm(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.putAlarm(alarm())
		id := w.create(ofAlarm(""))
		w.is(id, true)
		w.put(1, 3)
		w.is(id, true)
		w.put(0, 1)
		w.is(id, true) // one of two
		w.put(0, 1)
		w.is(id, false)
		w.put(1, 2)
		w.is(id, true)
		w.home(func(tx *awstest.Tx, r *cwmodel.Region) {
			if err := r.SetState(tx, "web", cwmodel.InAlarm, "by hand", ""); err != nil {
				t.Error(err)
			}
		})
		time.Sleep(50 * time.Second)
		w.is(id, true) // what is set by hand does not matter
	})
}

func TestInsufficientData(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		missing   cwmodel.Missing
		status    types.InsufficientDataHealthStatus
		new, well bool // without any data, and when data ends after a failure
	}{
		"the last known status, which is healthy": {"", "", true, false},
		"healthy":                        {"", types.InsufficientDataHealthStatusHealthy, true, true},
		"unhealthy":                      {"", types.InsufficientDataHealthStatusUnhealthy, false, false},
		"missing data that breaches":     {cwmodel.TreatBreaching, types.InsufficientDataHealthStatusHealthy, false, false},
		"missing data that is all right": {cwmodel.TreatNotBreaching, types.InsufficientDataHealthStatusUnhealthy, true, true},
		"missing data that is ignored":   {cwmodel.TreatIgnore, types.InsufficientDataHealthStatusUnhealthy, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				w.putAlarm(alarm(func(s *cwmodel.AlarmSpec) { s.Missing = c.missing }))
				id := w.create(ofAlarm(c.status))
				time.Sleep(5 * time.Minute)
				w.is(id, c.new)
				w.put(1, 3)
				w.is(id, true)
				w.put(0, 3)
				w.is(id, false)
				time.Sleep(10 * time.Minute)
				w.is(id, c.well)
			})
		})
	}
}

// What changes in an alarm reaches its health check when that is updated.
func TestAlarmIsCopied(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.putAlarm(alarm())
		made := svctest.Must(w.try(ofAlarm("")))(w)
		want := &types.CloudWatchAlarmConfiguration{
			ComparisonOperator: "LessThanThreshold", EvaluationPeriods: aws.Int32(2), MetricName: aws.String("Healthy"), Namespace: aws.String("Web"),
			Period: aws.Int32(60), Statistic: "Minimum", Threshold: aws.Float64(1), Dimensions: []types.Dimension{{Name: aws.String("Pool"), Value: aws.String("a")}},
		}
		if diff := cmp.Diff(want, made.CloudWatchAlarmConfiguration, shape); diff != "" {
			t.Error(diff)
		}
		w.put(5, 3)
		w.putAlarm(alarm(func(s *cwmodel.AlarmSpec) { s.Threshold = 10 }))
		w.put(5, 3)
		w.is(*made.Id, true)
		w.home(func(tx *awstest.Tx, r *cwmodel.Region) { r.DeleteAlarms(tx, "web") })
		svctest.Must(w.update(*made.Id, func(in *route53.UpdateHealthCheckInput) { in.Inverted = aws.Bool(false) }))(w)
		w.put(0, 3)
		w.is(*made.Id, false) // also without the alarm
		w.putAlarm(alarm(func(s *cwmodel.AlarmSpec) { s.Threshold = 10 }))
		w.put(5, 3)
		w.is(*made.Id, true)
		got := svctest.Must(w.update(*made.Id, func(in *route53.UpdateHealthCheckInput) { in.AlarmIdentifier = made.HealthCheckConfig.AlarmIdentifier }))(w)
		if *got.CloudWatchAlarmConfiguration.Threshold != 10 {
			t.Errorf("threshold %v", *got.CloudWatchAlarmConfiguration.Threshold)
		}
		w.put(5, 1)
		w.is(*made.Id, false)
	})
}

func TestAlarmsThatAreRefused(t *testing.T) {
	t.Parallel()
	p99, _ := cwmodel.ParseStatistic("p99")
	for name, change := range map[string]func(*cwmodel.AlarmSpec){
		"an extended statistic": func(s *cwmodel.AlarmSpec) { s.Query.Statistic = p99 },
		"high resolution":       func(s *cwmodel.AlarmSpec) { s.Period = 10 * time.Second },
	} {
		inBubble(t, func(w *world) {
			w.putAlarm(alarm(change))
			_, err := w.try(ofAlarm(""))
			svctest.WantCode(w, err, "InvalidInput")
			if err == nil {
				t.Error(name)
			}
		})
	}
}

func TestDisabledHealthCheckOfAnAlarm(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.putAlarm(alarm())
		id := w.create(ofAlarm("Unhealthy"))
		w.is(id, false)
		disable := func(yes bool) {
			svctest.Must(w.update(id, func(in *route53.UpdateHealthCheckInput) { in.Disabled = &yes }))(w)
		}
		disable(true)
		time.Sleep(time.Hour)
		w.is(id, true)
		disable(false)
		w.is(id, false)
		w.put(1, 3)
		w.is(id, true)
	})
}

func TestCalculatedHealthCheck(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		s := answering(200)
		w.machine(s)
		a, b := w.create(endpoint(quick)), w.create(endpoint(quick, func(c *config) { c.Inverted = aws.Bool(true) }))
		sums := map[int32]string{}
		for needed := range int32(4) {
			sums[needed] = w.create(&config{Type: "CALCULATED", ChildHealthChecks: []string{a, b}, HealthThreshold: &needed})
		}
		expect := func(healthy int32) {
			w.Helper()
			for needed, id := range sums {
				w.is(id, healthy >= needed)
			}
		}
		expect(1) // a is, and b is inverted
		s.status.Store(500)
		time.Sleep(time.Minute)
		expect(1)
		svctest.Must(w.update(b, func(in *route53.UpdateHealthCheckInput) { in.Inverted = aws.Bool(false) }))(w)
		expect(0)
		svctest.Must(w.update(a, func(in *route53.UpdateHealthCheckInput) { in.Disabled = aws.Bool(true) }))(w)
		expect(1)
		s.status.Store(200)
		time.Sleep(time.Minute)
		expect(2)
		w.remove(b)
		expect(1)
		for _, id := range sums {
			svctest.Must(w.update(id, func(in *route53.UpdateHealthCheckInput) {
				in.ResetElements = []types.ResettableElementName{"ChildHealthChecks"}
			}))(w)
		}
		expect(0)
	})
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		s := answering(200)
		w.machine(s)
		id := w.create(endpoint(quick))
		sum := w.create(&config{Type: "CALCULATED", ChildHealthChecks: []string{id}, HealthThreshold: aws.Int32(1)})
		value := func(name, id string) (v float64) {
			region := svctest.Must(w.cloud.Region("us-east-1"))(w)
			w.cloud.Update(func(tx *awstest.Tx) {
				m := cwmodel.Metric{Namespace: "AWS/Route53", Name: name, Dimensions: []cwmodel.Dimension{{Name: "HealthCheckId", Value: id}}}
				var ok bool
				v, ok = w.cw.Region(region).Stat(tx.Now(), cwmodel.Query{Metric: m, Statistic: cwmodel.Minimum}, tx.Now().Truncate(time.Minute), time.Minute)
				if !ok {
					v = -1
				}
			})
			return v
		}
		time.Sleep(90 * time.Second)
		for _, step := range []struct {
			status        int64
			health, share float64
		}{{200, 1, 100}, {500, 0, 0}, {200, 1, 100}} {
			s.status.Store(step.status)
			time.Sleep(2 * time.Minute)
			for name, want := range map[string]float64{"HealthCheckStatus": step.health, "HealthCheckPercentageHealthy": step.share, "ChildHealthCheckHealthyCount": -1} {
				if got := value(name, id); got != want {
					t.Errorf("%s of the endpoint is %v, want %v", name, got, want)
				}
			}
			for name, want := range map[string]float64{"HealthCheckStatus": step.health, "HealthCheckPercentageHealthy": -1, "ChildHealthCheckHealthyCount": step.health} {
				if got := value(name, sum); got != want {
					t.Errorf("%s of the sum is %v, want %v", name, got, want)
				}
			}
		}
		heal := svctest.Must(w.cloud.FailService("CloudWatch", "us-east-1"))(w)
		time.Sleep(2 * time.Minute)
		if v := value("HealthCheckStatus", id); v != -1 {
			t.Errorf("put while CloudWatch is down: %v", v)
		}
		heal()
		time.Sleep(2 * time.Minute)
		if v := value("HealthCheckStatus", id); v != 1 {
			t.Errorf("CloudWatch is back, and has %v", v)
		}
		w.remove(id)
		w.remove(sum)
		time.Sleep(2 * time.Minute)
		if v := value("HealthCheckStatus", sum); v != -1 {
			t.Errorf("put after the deletion: %v", v)
		}
	})
}
