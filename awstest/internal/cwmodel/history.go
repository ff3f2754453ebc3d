package cwmodel

import (
	"iter"
	"time"

	"github.com/awsha/awsha/awstest"
)

// HistoryType is what an item of an alarm's history is about.
type HistoryType string

// What an item of an alarm's history is about.
const (
	ConfigurationUpdate HistoryType = "ConfigurationUpdate"
	StateUpdate         HistoryType = "StateUpdate"
	Action              HistoryType = "Action"
)

// HistoryItem is something that happened to an alarm.
type HistoryItem struct {
	Alarm   string // name
	Time    time.Time
	Type    HistoryType
	Summary string
}

func (r *Region) note(tx *awstest.Tx, alarm string, t HistoryType, summary string) {
	r.events = append(r.events, HistoryItem{alarm, tx.Now(), t, summary})
}

// History yields what had happened to the alarms as of a moment, oldest first.
func (r *Region) History(at time.Time) iter.Seq[HistoryItem] {
	return func(yield func(HistoryItem) bool) {
		for _, item := range r.events {
			if item.Time.After(at) || !yield(item) {
				return
			}
		}
	}
}
