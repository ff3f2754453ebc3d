package cwmodel

import (
	"fmt"
	"strings"
	"time"

	"github.com/awsha/awsha/awstest"
)

// An ActionFunc carries out an action of an alarm that has come into a state.
// It runs with the cloud locked, and must not change the alarm it is given.
type ActionFunc func(tx *awstest.Tx, region *awstest.Region, action string, alarm *Alarm, state State)

type action struct {
	prefix string
	fn     ActionFunc
}

// OnAction lets fn carry out the actions whose ARN begins with a prefix, such
// as "arn:aws:autoscaling:". Actions that nobody carries out are noted in the
// history of their alarm, and that is all.
func (m *Model) OnAction(prefix string, fn ActionFunc) {
	m.actions = append(m.actions, action{prefix, fn})
}

// autoScaling is the prefix of actions that are repeated every minute as long
// as the state lasts.
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-actions.html (read 2026-11)
const (
	autoScaling = "arn:aws:autoscaling:"
	repetition  = time.Minute
)

// setState brings an alarm into a state and carries out the actions of that,
// if it is another.
func (r *Region) setState(tx *awstest.Tx, a *Alarm, s State, reason, data string) {
	before := a.State
	a = r.change(tx, a, func(a *Alarm) {
		a.State, a.Reason, a.ReasonData, a.StateUpdated = s, reason, data, tx.Now()
		if s != before {
			a.StateChanged = tx.Now()
		}
	})
	if s == before {
		return
	}
	r.note(tx, a.Name, StateUpdate, fmt.Sprintf("Alarm updated from %s to %s", before, s))
	r.watches[a.Name].acted = tx.Now()
	for _, arn := range a.Actions(s) {
		r.act(tx, a, arn)
	}
}

// repeat carries out what is repeated as long as the state lasts. The state
// that an alarm begins with has been brought about by nothing.
func (r *Region) repeat(tx *awstest.Tx, w *watch, a *Alarm) {
	if w.acted.IsZero() || tx.Now().Sub(w.acted) < repetition {
		return
	}
	for _, arn := range a.Actions(a.State) {
		if strings.HasPrefix(arn, autoScaling) {
			w.acted = tx.Now()
			r.act(tx, a, arn)
		}
	}
}

func (r *Region) act(tx *awstest.Tx, a *Alarm, arn string) {
	if a.ActionsDisabled {
		return
	}
	r.note(tx, a.Name, Action, "Successfully executed action "+arn)
	for _, act := range r.model.actions {
		if strings.HasPrefix(arn, act.prefix) {
			act.fn(tx, r.region, arn, a, a.State)
		}
	}
}
