package cwmodel_test

import (
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/cwmodel"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// inBubble gives a test the model of a region, as another model has it.
func inBubble(t *testing.T, test func(t *testing.T, cloud *awstest.Cloud, r *cwmodel.Region)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var m *cwmodel.Model
		cloud := svctest.Must(awstest.New([]awstest.Service{func(r *awstest.Registry) error { m = cwmodel.Of(r); return nil }}))(t)
		defer func() {
			if err := cloud.Close(); err != nil {
				t.Error(err)
			}
		}()
		test(t, cloud, m.Region(svctest.Must(cloud.Region("us-east-1"))(t)))
	})
}

var backlog = cwmodel.Query{Metric: cwmodel.Metric{Namespace: "app", Name: "backlog"}, Statistic: cwmodel.Sum}

func TestStatIsOfAPeriodAsOfAMoment(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, cloud *awstest.Cloud, r *cwmodel.Region) {
		start := time.Now()
		put := func(v float64) {
			cloud.Update(func(tx *awstest.Tx) { r.Put(tx, cwmodel.Datum{Metric: backlog.Metric, Values: []float64{v}}) })
		}
		put(1)
		time.Sleep(10 * time.Second)
		put(2)
		for at, want := range map[time.Duration]float64{0: 1, 9 * time.Second: 1, 10 * time.Second: 3} {
			if v, ok := r.Stat(start.Add(at), backlog, start, time.Minute); v != want || !ok {
				t.Errorf("as of %v: %v %v, want %v", at, v, ok, want)
			}
		}
		for name, q := range map[string]cwmodel.Query{
			"another metric": {Metric: cwmodel.Metric{Namespace: "app", Name: "age"}, Statistic: cwmodel.Sum},
			"another unit":   {Metric: backlog.Metric, Unit: "Bytes", Statistic: cwmodel.Sum},
		} {
			if v, ok := r.Stat(time.Now(), q, start, time.Minute); ok {
				t.Errorf("%s: %v", name, v)
			}
		}
		if v, ok := r.Stat(time.Now(), backlog, start.Add(time.Minute), time.Minute); ok {
			t.Errorf("of a period without data: %v", v)
		}
	})
}

// Route 53 goes by the data: a state that was set by hand does not fool it.
func TestJudgeLooksAtTheData(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, cloud *awstest.Cloud, r *cwmodel.Region) {
		judge := func(want cwmodel.State, wantOK bool) {
			t.Helper()
			cloud.Update(func(tx *awstest.Tx) {
				if s, ok := r.Judge(tx, "high"); s != want || ok != wantOK {
					t.Errorf("got %s %v, want %s %v", s, ok, want, wantOK)
				}
			})
		}
		judge(cwmodel.InsufficientData, false)
		cloud.Update(func(tx *awstest.Tx) {
			svctest.Must(r.PutAlarm(tx, cwmodel.AlarmSpec{Name: "high", Query: backlog, Period: time.Minute, Periods: 1, Operator: cwmodel.Greater, Threshold: 10}, nil))(t)
			r.Put(tx, cwmodel.Datum{Metric: backlog.Metric, Values: []float64{11}})
		})
		time.Sleep(time.Minute)
		cloud.Update(func(tx *awstest.Tx) {
			if err := r.SetState(tx, "high", cwmodel.OK, "a drill", ""); err != nil {
				t.Error(err)
			}
		})
		judge(cwmodel.InAlarm, true)
		time.Sleep(4 * time.Minute)
		judge(cwmodel.InsufficientData, true)
	})
}
