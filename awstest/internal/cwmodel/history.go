package cwmodel

import (
	"iter"
	"slices"
	"sort"
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

// kept is how long what happened to alarms is told.
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html (read 2026-11)
const kept = 30 * 24 * time.Hour

func (r *Region) note(tx *awstest.Tx, alarm string, t HistoryType, summary string) {
	// What nobody can read any more goes when it is the greater part, so that
	// an item costs constant time on average.
	if old := r.firstAfter(tx.Now().Add(-kept - awstest.Memory)); old > len(r.events)/2 {
		r.events = slices.Delete(r.events, 0, old)
	}
	r.events = append(r.events, HistoryItem{alarm, tx.Now(), t, summary})
}

// firstAfter returns the place of the first item that is younger than a moment.
func (r *Region) firstAfter(at time.Time) int {
	return sort.Search(len(r.events), func(i int) bool { return r.events[i].Time.After(at) })
}

// History yields what had happened to the alarms as of a moment, oldest first,
// as far as it is kept.
func (r *Region) History(at time.Time) iter.Seq[HistoryItem] {
	return func(yield func(HistoryItem) bool) {
		for _, item := range r.events[r.firstAfter(at.Add(-kept)):] {
			if item.Time.After(at) || !yield(item) {
				return
			}
		}
	}
}
