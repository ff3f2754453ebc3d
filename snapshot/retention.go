package snapshot

import (
	"fmt"
	"time"
)

// Retention says which points of a series are kept. A point is a snapshot, or a set of snapshots that were taken together; only those
// that are completed count. Rules are alternatives: a point that one of them keeps is kept. The zero value keeps everything.
//
// Each of the counts but Last keeps the newest point of that many hours, days, weeks, months or years, of which only those that have a
// point are counted; Unlimited is no limit. As long as there are fewer, the oldest point stands for the one to come.
type Retention struct {
	Last    int // the newest points
	Hourly  int
	Daily   int
	Weekly  int // by ISO 8601: from Monday on
	Monthly int
	Yearly  int

	// Within keeps what is younger than that, seen from the newest point; so a backup that has stopped does not expire.
	Within time.Duration
	// MaxAge keeps what is younger than that, seen from now. Beside counts, a point goes only if it is older than MaxAge and no count keeps
	// it.
	MaxAge time.Duration
	// FromNow makes Within be seen from now as well.
	FromNow bool

	// MinKeep is how many of the newest points of a series are kept whatever else is said. Zero is one: the last good point is never
	// deleted.
	MinKeep int
	// FailedAfter is for how long a snapshot that failed is kept to be looked at. Zero is 24 hours.
	FailedAfter time.Duration
	// Location is where days begin. Nil is UTC.
	Location *time.Location
}

// Unlimited as a count keeps the newest point of every period.
const Unlimited = -1

const defaultFailedAfter = 24 * time.Hour

// rule is a count of a Retention.
type rule struct {
	name   string
	count  int
	period func(time.Time) period // of a local time; nil: each point is its own
}

// period is a number that is the same for two times in one period, and greater for later ones.
type period int64

// rules returns the counts that are set.
func (r *Retention) rules() []rule {
	all := [...]rule{
		{"last", r.Last, nil},
		{"hourly", r.Hourly, hourOf},
		{"daily", r.Daily, dayOf},
		{"weekly", r.Weekly, weekOf},
		{"monthly", r.Monthly, monthOf},
		{"yearly", r.Yearly, yearOf},
	}
	set := make([]rule, 0, len(all))
	for _, one := range all {
		if one.count != 0 {
			set = append(set, one)
		}
	}
	return set
}

// hourOf tells the two hours apart that clocks show alike.
func hourOf(t time.Time) period { return period(t.Unix() - int64(t.Minute()*60+t.Second())) }

func dayOf(t time.Time) period {
	year, month, day := t.Date()
	return period(year)*512 + period(month)*32 + period(day)
}

func weekOf(t time.Time) period {
	year, week := t.ISOWeek()
	return period(year)*64 + period(week)
}

func monthOf(t time.Time) period { return period(t.Year())*16 + period(t.Month()) }

func yearOf(t time.Time) period { return period(t.Year()) }

// Validate returns every mistake as a [*FieldError], joined, whose fields are those of JSON, such as "max_age".
func (r *Retention) Validate() error {
	var m mistakes
	r.check(&m, "")
	return m.err()
}

func (r *Retention) check(m *mistakes, path string) {
	r.counts(func(name string, count *int) {
		m.require(*count >= Unlimited, join(path, name), *count, "must be at least 0, or -1 for no limit")
	})
	m.require(r.Within >= 0, join(path, "within"), r.Within, "must not be negative")
	m.require(r.MaxAge >= 0, join(path, "max_age"), r.MaxAge, "must not be negative")
	m.require(r.FailedAfter >= 0, join(path, "failed_after"), r.FailedAfter, "must not be negative")
	m.require(r.MinKeep >= 0, join(path, "min_keep"), r.MinKeep, "must not be negative")
	checkZone(m, join(path, "zone"), r.Location)
}

// checkZone refuses a zone that is another one, or none, when it is read by its name: a policy is JSON in a stored plan.
func checkZone(m *mistakes, path string, l *time.Location) {
	if l == nil {
		return
	}
	same := false
	if known, err := time.LoadLocation(l.String()); err == nil && l.String() != "Local" {
		same = true
		for month := range time.Month(12) { // winter and summer
			at := time.Date(2026, month+1, 1, 0, 0, 0, 0, time.UTC)
			_, is := at.In(l).Zone()
			_, reads := at.In(known).Zone()
			same = same && is == reads
		}
	}
	m.require(same, path, l.String(), "must be a zone of the IANA database by its name, as time.LoadLocation returns it")
}

// String says the rules in a few words, such as "daily 7, weekly 4, within 48h0m0s".
func (r *Retention) String() string {
	text := ""
	add := func(format string, args ...any) {
		if text != "" {
			text += ", "
		}
		text += fmt.Sprintf(format, args...)
	}
	for _, one := range r.rules() {
		if one.count == Unlimited {
			add("%s all", one.name)
			continue
		}
		add("%s %d", one.name, one.count)
	}
	if r.Within > 0 {
		add("within %v", r.Within)
	}
	if r.MaxAge > 0 {
		add("max age %v", r.MaxAge)
	}
	if text == "" {
		return "everything"
	}
	return text
}
