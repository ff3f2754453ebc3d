package cwmodel

import (
	"fmt"
	"iter"
	"time"

	"github.com/awsha/awsha/awstest"
)

// State is the state of an alarm.
type State string

// The states of an alarm.
const (
	OK               State = "OK"
	InAlarm          State = "ALARM"
	InsufficientData State = "INSUFFICIENT_DATA"
)

// Missing is what an alarm takes a period without data for.
type Missing string

// What a period without data is taken for.
const (
	TreatMissing      Missing = "missing"
	TreatIgnore       Missing = "ignore"
	TreatBreaching    Missing = "breaching"
	TreatNotBreaching Missing = "notBreaching"
)

// Operator compares a statistic with a threshold.
type Operator string

// The operators of alarms with a threshold.
const (
	GreaterOrEqual Operator = "GreaterThanOrEqualToThreshold"
	Greater        Operator = "GreaterThanThreshold"
	Less           Operator = "LessThanThreshold"
	LessOrEqual    Operator = "LessThanOrEqualToThreshold"
)

// AlarmSpec is what an alarm is made from.
type AlarmSpec struct {
	Name, Description string

	Query     Query
	Period    time.Duration
	Periods   int // that are evaluated
	ToAlarm   int // of them that have to breach; zero is all of them
	Operator  Operator
	Threshold float64
	Missing   Missing // empty is TreatMissing

	LowSamples string // as it was given; few samples are evaluated like many

	ActionsDisabled                                  bool
	AlarmActions, OKActions, InsufficientDataActions []string // ARNs
}

// Alarm is an alarm. It is a value: a change makes a new one.
type Alarm struct {
	AlarmSpec
	ARN           string
	State         State
	Reason        string
	ReasonData    string    // as it was given with the state
	StateUpdated  time.Time // when the state was set last
	StateChanged  time.Time // when it became another
	ConfigUpdated time.Time
	Tags          map[string]string
	metric        string // key
}

// Actions returns the actions of a state.
func (a *Alarm) Actions(s State) []string {
	switch s {
	case OK:
		return a.OKActions
	case InAlarm:
		return a.AlarmActions
	}
	return a.InsufficientDataActions
}

// ARN returns the ARN that an alarm of that name has.
func (r *Region) ARN(name string) string { return r.alarmARN(name) }

// PutAlarm makes an alarm, or gives the one of that name another
// configuration: its state and its tags stay then.
func (r *Region) PutAlarm(tx *awstest.Tx, spec AlarmSpec, tags map[string]string) (Alarm, error) {
	if err := spec.check(); err != nil {
		return Alarm{}, err
	}
	old, known := r.alarms.Get(tx.Now(), spec.Name)
	what, a := "created", Alarm{
		ARN: r.alarmARN(spec.Name), Tags: tags,
		State: InsufficientData, Reason: "Unchecked: Initial alarm creation", StateUpdated: tx.Now(), StateChanged: tx.Now(),
	}
	if known {
		what, a = "updated", *old
	}
	a.AlarmSpec, a.ConfigUpdated, a.metric = spec, tx.Now(), spec.Query.Metric.key()
	r.alarms.Put(tx.Now(), spec.Name, &a)
	r.note(tx, spec.Name, ConfigurationUpdate, fmt.Sprintf("Alarm %q %s", spec.Name, what))
	r.watch(tx, &a)
	return a, nil
}

// DeleteAlarms deletes alarms. Names that no alarm has are passed over.
func (r *Region) DeleteAlarms(tx *awstest.Tx, names ...string) {
	for _, name := range names {
		if _, ok := r.alarms.Get(tx.Now(), name); !ok {
			continue
		}
		r.alarms.Delete(tx.Now(), name)
		r.watches[name].stop(tx)
		delete(r.watches, name)
		r.note(tx, name, ConfigurationUpdate, fmt.Sprintf("Alarm %q deleted", name))
	}
}

// Alarm returns an alarm as of a moment.
func (r *Region) Alarm(at time.Time, name string) (Alarm, bool) {
	if a, ok := r.alarms.Get(at, name); ok {
		return *a, true
	}
	return Alarm{}, false
}

// Alarms yields the alarms as of a moment, in the order of their creation.
func (r *Region) Alarms(at time.Time) iter.Seq[Alarm] {
	return func(yield func(Alarm) bool) {
		for _, a := range r.alarms.All(at) {
			if !yield(*a) {
				return
			}
		}
	}
}

// SetState sets the state of an alarm until its next evaluation. Actions of the
// state are carried out as if the data had brought it about.
func (r *Region) SetState(tx *awstest.Tx, name string, s State, reason, data string) error {
	a, ok := r.alarms.Get(tx.Now(), name)
	if !ok {
		return notFound(name)
	}
	r.setState(tx, a, s, reason, data)
	return nil
}

// EnableActions lets the actions of alarms be carried out or not. Names that
// no alarm has are passed over.
func (r *Region) EnableActions(tx *awstest.Tx, enable bool, names ...string) {
	for _, name := range names {
		if a, ok := r.alarms.Get(tx.Now(), name); ok && a.ActionsDisabled == enable {
			r.change(tx, a, func(a *Alarm) { a.ActionsDisabled, a.ConfigUpdated = !enable, tx.Now() })
			r.note(tx, name, ConfigurationUpdate, fmt.Sprintf("Alarm %q updated", name))
		}
	}
}

// SetTags replaces the tags of an alarm.
func (r *Region) SetTags(tx *awstest.Tx, name string, tags map[string]string) {
	if a, ok := r.alarms.Get(tx.Now(), name); ok {
		r.change(tx, a, func(a *Alarm) { a.Tags = tags })
	}
}

// change puts what fn makes of a copy of an alarm in its place, and returns
// that.
func (r *Region) change(tx *awstest.Tx, a *Alarm, fn func(*Alarm)) *Alarm {
	changed := *a
	fn(&changed)
	r.alarms.Put(tx.Now(), a.Name, &changed)
	return &changed
}

func notFound(name string) error {
	e := awstest.Errorf("ResourceNotFound", "Unknown alarm %s", name)
	e.Status = 404
	return e
}

// Watches tells whether the alarm is one of a metric.
func (a *Alarm) Watches(m Metric) bool { return a.metric == m.key() }
