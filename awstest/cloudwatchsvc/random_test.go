package cloudwatchsvc_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/cloudwatchsvc"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

// TestRandomSequences holds sequences of calls, with time passing, against a
// model that keeps every value ever put and looks at all of them each time.
func TestRandomSequences(t *testing.T) {
	svctest.Sequences(t, 1000, 125, func(t *testing.T, first, last uint64) {
		for s := first; s <= last && !t.Failed(); s++ {
			sequence(t, s)
		}
	})
}

func sequence(t *testing.T, seed uint64) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cloud := svctest.Must(awstest.New([]awstest.Service{cloudwatchsvc.New()}, func(o *awstest.Options) { o.Latency = awstest.NoLatency }))(t)
		defer func() {
			if err := cloud.Close(); err != nil {
				t.Error(err)
			}
		}()
		r := &run{
			world: &world{T: t, cloud: cloud, start: time.Now(), Client: cloudwatch.NewFromConfig(cloud.Config("us-east-1"), func(o *cloudwatch.Options) {
				o.DisableRequestCompression = true // it is most of what a call costs
			})},
			rng: rand.New(rand.NewPCG(seed, seed)),
			now: time.Now(),
		}
		for range 24 {
			if !r.step() {
				continue
			}
			if got, want := r.observed(), r.expected(); got != want {
				r.say("got %s", got)
				r.say("want %s", want)
				t.Fatalf("seed %d:\n%s", seed, strings.Join(r.log, "\n"))
			}
		}
	})
}

// run is a sequence under way. What follows the world is the model.
type run struct {
	*world
	rng *rand.Rand
	log []string

	now    time.Time
	values []single
	units  []types.StandardUnit // in the order in which they came
	alarms []*modelAlarm
}

// single is one value of one data point.
type single struct {
	at    time.Time // the beginning of its minute or second
	unit  types.StandardUnit
	value float64
}

type modelAlarm struct {
	name    string
	in      *alarmIn
	state   types.StateValue
	changed time.Time
}

func (r *run) say(format string, args ...any) {
	r.log = append(r.log, fmt.Sprintf("%8.0fs ", r.now.Sub(r.start).Seconds())+fmt.Sprintf(format, args...))
}

// pick returns one of several.
func pick[T any](r *run, of ...T) T { return of[r.rng.IntN(len(of))] }

// step does something, and returns whether the alarms may be others then.
func (r *run) step() bool {
	switch n := r.rng.IntN(12); {
	case n < 4:
		r.putValues()
		return false
	case n < 7:
		r.pass(time.Duration(1+r.rng.IntN(pick(r, 20, 100, 600))) * time.Second)
	case n < 9:
		r.putAlarm()
	case n < 10:
		r.setState()
	case n < 11:
		r.deleteAlarm()
	default:
		r.compareStatistics()
		return false
	}
	return true
}

func (r *run) putValues() {
	d := types.MetricDatum{MetricName: aws.String("backlog"), Unit: pick[types.StandardUnit](r, "", "", "", types.StandardUnitCount)}
	when := r.now
	if pick(r, true, false) {
		when = r.now.Add(time.Duration(r.rng.IntN(900)-600) * time.Second)
		d.Timestamp = &when
	}
	to := time.Minute
	if pick(r, true, false, false) {
		d.StorageResolution, to = aws.Int32(1), time.Second
	}
	var values []float64
	small := func() float64 { return float64(r.rng.IntN(10)) }
	switch v := small(); r.rng.IntN(3) {
	case 0:
		d.Value, values = &v, []float64{v}
	case 1:
		d.Values, d.Counts = []float64{v, v + 1}, []float64{float64(r.rng.IntN(3)), 1}
		for range int(d.Counts[0]) {
			values = append(values, v)
		}
		values = append(values, v+1)
	default: // equal values, so that percentiles can be told
		d.StatisticValues, values = set(2, 2*v, v, v), []float64{v, v}
	}
	r.say("put %v at %v by %v %s", values, when.Sub(r.start), to, d.Unit)
	r.mustPut(d)
	unit := d.Unit
	if unit == "" {
		unit = types.StandardUnitNone
	}
	if !slices.Contains(r.units, unit) {
		r.units = append(r.units, unit)
	}
	for _, v := range values {
		r.values = append(r.values, single{when.Truncate(to), unit, v})
	}
}

func (r *run) putAlarm() {
	name := pick(r, "a", "b")
	in := alarmInput(func(in *alarmIn) {
		in.AlarmName, in.Period, in.EvaluationPeriods = &name, pick(r, aws.Int32(10), aws.Int32(60), aws.Int32(60), aws.Int32(180)), aws.Int32(int32(1+r.rng.IntN(4)))
		if pick(r, true, false) {
			in.DatapointsToAlarm = aws.Int32(int32(1 + r.rng.IntN(int(*in.EvaluationPeriods))))
		}
		in.TreatMissingData = pick(r, nil, aws.String("missing"), aws.String("ignore"), aws.String("breaching"), aws.String("notBreaching"))
		in.Statistic, in.Threshold = pick(r, types.StatisticSum, types.StatisticMaximum, types.StatisticSampleCount), aws.Float64(float64(r.rng.IntN(12)))
		in.ComparisonOperator = pick(r, types.ComparisonOperatorGreaterThanThreshold, types.ComparisonOperatorLessThanOrEqualToThreshold)
		in.Unit = pick[types.StandardUnit](r, "", types.StandardUnitNone)
	})
	r.say("alarm %s: %s %s %v, %d s, %v of %d, %s, %s", name, in.Statistic, in.ComparisonOperator, *in.Threshold, *in.Period,
		aws.ToInt32(in.DatapointsToAlarm), *in.EvaluationPeriods, aws.ToString(in.TreatMissingData), in.Unit)
	svctest.Must(r.PutMetricAlarm(r.Context(), in))(r)
	if a := r.find(name); a != nil {
		a.in = in
		return
	}
	r.alarms = append(r.alarms, &modelAlarm{name, in, insufficient, r.now})
}

func (r *run) find(name string) *modelAlarm {
	for _, a := range r.alarms {
		if a.name == name {
			return a
		}
	}
	return nil
}

func (r *run) setState() {
	name, state := pick(r, "a", "b"), pick(r, ok, alarm, insufficient)
	r.say("set %s to %s", name, state)
	_, err := r.SetAlarmState(r.Context(), &cloudwatch.SetAlarmStateInput{AlarmName: &name, StateValue: state, StateReason: aws.String("test")})
	a := r.find(name)
	if a == nil {
		svctest.WantCode(r, err, "ResourceNotFound")
		return
	}
	if err != nil {
		r.Error(err)
	}
	a.become(state, r.now)
}

func (a *modelAlarm) become(state types.StateValue, now time.Time) {
	if a.state != state {
		a.state, a.changed = state, now
	}
}

func (r *run) deleteAlarm() {
	name := pick(r, "a", "b")
	r.say("delete %s", name)
	svctest.Must(r.DeleteAlarms(r.Context(), &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{name}}))(r)
	r.alarms = slices.DeleteFunc(r.alarms, func(a *modelAlarm) bool { return a.name == name })
}

// pass lets time pass. The model goes second by second.
func (r *run) pass(d time.Duration) {
	r.say("pass %v", d)
	time.Sleep(d)
	for range int(d / time.Second) {
		r.now = r.now.Add(time.Second)
		for _, a := range r.alarms {
			every := time.Minute
			if *a.in.Period < 60 {
				every = 10 * time.Second
			}
			if r.now.Truncate(every).Equal(r.now) {
				a.become(r.judge(a), r.now)
			}
		}
	}
}

// judge goes by the guide: what is there of the periods of the range, then
// what is filled in.
func (r *run) judge(a *modelAlarm) types.StateValue {
	periods, length := int(*a.in.EvaluationPeriods), time.Duration(*a.in.Period)*time.Second
	needed := periods
	if a.in.DatapointsToAlarm != nil {
		needed = int(*a.in.DatapointsToAlarm)
	}
	var points []bool // newest first
	oldest, bad := 0, 0
	for age := 1; age <= periods+2 && len(points) < periods; age++ {
		v, there := r.point(a, r.now.Add(-time.Duration(age)*length), length)
		if !there {
			continue
		}
		breach := v > *a.in.Threshold
		if a.in.ComparisonOperator == types.ComparisonOperatorLessThanOrEqualToThreshold {
			breach = !breach
		}
		points, oldest = append(points, breach), age
		if breach {
			bad++
		}
	}
	filled := periods - len(points)
	switch treat := aws.ToString(a.in.TreatMissingData); {
	case treat == "breaching" || treat == "notBreaching":
		for range filled {
			if treat == "breaching" {
				bad++
			}
		}
	case bad >= needed || filled == 0 || slices.Contains(points, false):
	case treat == "ignore":
		return a.state
	case len(points) == 0:
		return insufficient
	case oldest >= needed:
		return alarm
	default:
		return a.state
	}
	if bad >= needed {
		return alarm
	}
	return ok
}

// point is what an alarm sees of a period: of the unit that was there first, if
// it does not ask for one.
func (r *run) point(a *modelAlarm, from time.Time, length time.Duration) (float64, bool) {
	for _, unit := range r.units {
		if a.in.Unit != "" && a.in.Unit != unit {
			continue
		}
		if values := r.within(unit, from, from.Add(length)); len(values) > 0 {
			return statisticOf(values, string(a.in.Statistic)), true
		}
	}
	return 0, false
}

func (r *run) within(unit types.StandardUnit, from, to time.Time) (values []float64) {
	for _, v := range r.values {
		if v.unit == unit && !v.at.Before(from) && v.at.Before(to) {
			values = append(values, v.value)
		}
	}
	return values
}

func statisticOf(values []float64, name string) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	switch name {
	case "SampleCount":
		return float64(len(values))
	case "Average":
		return sum / float64(len(values))
	case "Sum":
		return sum
	case "Minimum":
		return slices.Min(values)
	case "Maximum":
		return slices.Max(values)
	}
	sorted := slices.Sorted(slices.Values(values)) // the median
	return sorted[(len(sorted)-1)/2]
}

func (r *run) compareStatistics() {
	length := pick(r, 10*time.Second, time.Minute, 5*time.Minute)
	from := r.now.Add(-time.Duration(r.rng.IntN(1200)) * time.Second)
	to := from.Add(time.Duration(1+r.rng.IntN(1200)) * time.Second)
	r.say("statistics of %v from %v to %v", length, from.Sub(r.start), to.Sub(r.start))
	median := pick(r, true, false)
	got := r.statistics(func(in *statisticsInput) {
		in.StartTime, in.EndTime, in.Period = &from, &to, aws.Int32(int32(length/time.Second))
		if median {
			in.Statistics, in.ExtendedStatistics = nil, []string{"p50"}
		} else {
			allStatistics(in)
		}
	})
	if length < time.Minute {
		to = to.Truncate(length) // the last full period
	}
	var want []string
	for at := from.Truncate(min(length, time.Minute)); at.Before(to); at = at.Add(length) {
		end := at.Add(length)
		if end.After(to) {
			end = to
		}
		for _, unit := range []types.StandardUnit{types.StandardUnitCount, types.StandardUnitNone} {
			values := r.within(unit, at, end)
			if len(values) == 0 {
				continue
			}
			var text strings.Builder
			text.WriteString(at.Sub(r.start).String())
			if median {
				fmt.Fprintf(&text, " map[p50:%v]", statisticOf(values, "p50"))
			} else {
				for _, name := range []string{"SampleCount", "Average", "Sum", "Minimum", "Maximum"} {
					fmt.Fprintf(&text, " %v", statisticOf(values, name))
				}
			}
			if unit != types.StandardUnitNone {
				text.WriteString(" " + string(unit))
			}
			want = append(want, text.String())
		}
	}
	if got != strings.Join(want, ", ") {
		r.Fatalf("got  %s\nwant %s\n%s", got, strings.Join(want, ", "), strings.Join(r.log, "\n"))
	}
}

// observed and expected tell the alarms, as they are and as the model has them.
func (r *run) observed() string {
	var told []string
	for _, a := range svctest.Must(r.DescribeAlarms(r.Context(), nil))(r).MetricAlarms {
		told = append(told, fmt.Sprintf("%s %s since %v", *a.AlarmName, a.StateValue, a.StateTransitionedTimestamp.Sub(r.start)))
	}
	slices.Sort(told)
	return strings.Join(told, ", ")
}

func (r *run) expected() string {
	var told []string
	for _, a := range r.alarms {
		told = append(told, fmt.Sprintf("%s %s since %v", a.name, a.state, a.changed.Sub(r.start)))
	}
	slices.Sort(told)
	return strings.Join(told, ", ")
}
