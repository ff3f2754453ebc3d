package cwmodel

import (
	"fmt"
	"strings"
	"time"

	"github.com/awsha/awsha/awstest"
)

// How often alarms are evaluated: once a minute whatever the period, over a
// window that slides, and every ten seconds those of a period below a minute.
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html (read 2026-11)
const (
	standardTurn = time.Minute
	highTurn     = 10 * time.Second
)

func (a *Alarm) turn() time.Duration {
	if a.Period < time.Minute {
		return highTurn
	}
	return standardTurn
}

// watch evaluates an alarm as long as it exists.
type watch struct {
	region *Region
	name   string
	turn   time.Duration
	next   *awstest.Event
	held   bool      // an evaluation waits until nothing holds the alarm up
	acted  time.Time // when the actions of the state were carried out last

	onTurn, onFree func(*awstest.Tx) // turned and freed, made once
}

// watch evaluates an alarm when the next minute begins, and from then on.
func (r *Region) watch(tx *awstest.Tx, a *Alarm) {
	w, ok := r.watches[a.Name]
	if !ok {
		w = &watch{region: r, name: a.Name}
		w.onTurn, w.onFree = w.turned, w.freed
		r.watches[a.Name] = w
	}
	w.stop(tx)
	w.turn = a.turn()
	w.schedule(tx)
}

func (w *watch) stop(tx *awstest.Tx) {
	if w.next != nil {
		w.next.Cancel(tx)
	}
}

func (w *watch) schedule(tx *awstest.Tx) {
	w.next = tx.Schedule(tx.Now().Truncate(w.turn).Add(w.turn), w.onTurn)
}

func (w *watch) turned(tx *awstest.Tx) {
	w.schedule(tx)
	if !w.held {
		w.held = true
		tx.WhenFree(nil, w.name, w.onFree)
	}
}

func (w *watch) freed(tx *awstest.Tx) {
	w.held = false
	if w.region.watches[w.name] == w { // it may have been deleted meanwhile
		w.region.evaluate(tx, w)
	}
}

// evaluate brings an alarm into the state that the data asks for. While the
// service is down nothing is evaluated.
func (r *Region) evaluate(tx *awstest.Tx, w *watch) {
	if tx.ServiceDown(serviceID, r.region) {
		return
	}
	a, _ := r.alarms.Get(tx.Now(), w.name)
	e := r.evidence(tx.Now(), a)
	if s, ok := e.verdict(a); ok && s != a.State {
		r.setState(tx, a, s, e.reason(a), "")
		return
	}
	r.repeat(tx, w, a)
}

// Judge returns the state that the data asks for now, which is not always that
// of the alarm: one that was set by hand holds until the next evaluation, and
// Route 53 looks at the data and not at the state. The second result is false
// if the data asks for no other state than there is, or if there is no alarm.
func (r *Region) Judge(tx *awstest.Tx, name string) (State, bool) {
	a, ok := r.alarms.Get(tx.Now(), name)
	if !ok {
		return InsufficientData, false
	}
	e := r.evidence(tx.Now(), a)
	return e.verdict(a)
}

// extra is how many periods more than it needs an alarm looks back for data,
// in case some is missing. The guide has 5 for an alarm of 3 periods, and says
// of others only that it depends on the period.
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html (read 2026-11)
const extra = 2

// evidence is the data that an alarm is judged by: the newest points of the
// evaluation range, as many as there are periods to evaluate at most.
type evidence struct {
	points    []point // newest first
	breaching int
}

type point struct {
	age    int // 1 is the last full period
	at     time.Time
	value  float64
	breach bool
}

// evidence collects the data of the periods that end with the last full minute
// or ten seconds.
func (r *Region) evidence(now time.Time, a *Alarm) (e evidence) {
	s, ok := r.metrics[a.metric]
	if !ok {
		return e
	}
	of := now.Add(-r.model.opts.Visible)
	end, period := now.Truncate(a.turn()).Unix(), int64(a.Period/time.Second)
	for age := 1; age <= a.Periods+extra && len(e.points) < a.Periods; age++ {
		from := end - int64(age)*period
		value, ok := s.value(of, &a.Query, from, from+period)
		if !ok {
			continue
		}
		p := point{age: age, at: time.Unix(from, 0), value: value, breach: a.breaches(value)}
		if p.breach {
			e.breaching++
		}
		e.points = append(e.points, p)
	}
	return e
}

// value returns a statistic of a period. Of several units it is that which was
// put first; what CloudWatch does then is not defined.
func (s *series) value(of time.Time, q *Query, from, to int64) (float64, bool) {
	for _, u := range s.units {
		if q.Unit != "" && u.unit != q.Unit {
			continue
		}
		if w := u.window(of, from, to); w.Count > 0 {
			return w.Value(q.Statistic)
		}
	}
	return 0, false
}

func (a *Alarm) breaches(v float64) bool {
	switch a.Operator {
	case GreaterOrEqual:
		return v >= a.Threshold
	case Greater:
		return v > a.Threshold
	case Less:
		return v < a.Threshold
	}
	return v <= a.Threshold
}

// verdict returns the state that the data asks for; false if it asks for none,
// so that the alarm stays what it is.
func (e *evidence) verdict(a *Alarm) (State, bool) {
	missing := a.Periods - len(e.points)
	switch {
	case e.breaching >= a.toAlarm():
		return InAlarm, true // whatever is missing
	case missing == 0:
		return OK, true
	case a.missing() == TreatBreaching && e.breaching+missing >= a.toAlarm():
		return InAlarm, true
	case a.missing() == TreatBreaching, a.missing() == TreatNotBreaching:
		return OK, true
	case e.breaching < len(e.points): // a point within the threshold decides
		return OK, true
	case a.missing() == TreatIgnore:
		return a.State, false
	case len(e.points) == 0:
		return InsufficientData, true
	case e.points[len(e.points)-1].age >= a.toAlarm():
		return InAlarm, true // "premature alarm state": it has been breaching long enough
	}
	// Too young to tell. The guide says that this is not yet an alarm, and not
	// what it is instead.
	return a.State, false
}

// toAlarm returns how many of the periods have to breach.
func (a *Alarm) toAlarm() int {
	if a.ToAlarm == 0 {
		return a.Periods
	}
	return a.ToAlarm
}

// missing returns what a period without data is taken for. Of metrics of
// DynamoDB the guide says that they are ignored unless something else is asked
// for, and the API reference that they always are.
func (a *Alarm) missing() Missing {
	switch {
	case a.Missing != "":
		return a.Missing
	case a.Query.Metric.Namespace == "AWS/DynamoDB":
		return TreatIgnore
	}
	return TreatMissing
}

// told is how many values a reason tells: it has a longest length, like one
// that is given with SetAlarmState.
const told = 5

// reason says in a sentence what the data was, as CloudWatch does.
func (e *evidence) reason(a *Alarm) string {
	if len(e.points) == 0 {
		what := "Threshold Crossed"
		if a.missing() == TreatMissing {
			what = "Insufficient Data"
		}
		return fmt.Sprintf("%s: no datapoints were received for %d periods and %d missing datapoints were treated as [%s].", what, a.Periods, a.Periods, a.missing())
	}
	var values []string
	for _, p := range e.points[:min(told, len(e.points))] {
		values = append(values, fmt.Sprintf("%v (%s)", p.value, p.at.UTC().Format("02/01/06 15:04:05")))
	}
	return fmt.Sprintf("Threshold Crossed: %d out of the last %d datapoints breached the threshold, %s %v. The most recent datapoints: [%s].",
		e.breaching, a.Periods, a.Operator, a.Threshold, strings.Join(values, ", "))
}

// JudgeAs returns the state that the data asks for now of an alarm that is
// configured like this, be there one or not; false if it asks for none. Route 53
// judges by what it has copied of an alarm.
func (r *Region) JudgeAs(tx *awstest.Tx, spec *AlarmSpec) (State, bool) {
	a := &Alarm{AlarmSpec: *spec, State: InsufficientData, metric: spec.Query.Metric.key()}
	e := r.evidence(tx.Now(), a)
	return e.verdict(a)
}
