package snapshot

import (
	"errors"
	"time"
)

// Schedule says when points are taken: by a cron expression, at even intervals, or by anything that has a Next. At most one of Cron, Every
// and Custom is set.
type Schedule struct {
	// Cron is an expression of five fields, as [Cron] takes it.
	Cron string
	// Every is an interval. Its slots are the multiples of it since the beginning of 1970 in UTC, so that they do not depend on when a
	// program was started. From a minute to 366 days.
	Every time.Duration
	// Location is by whose clock Cron goes. Nil is UTC.
	Location *time.Location
	// Custom is a schedule of your own, such as one of robfig/cron. It has no form in JSON. Next returns the first slot after a time, and the zero time if
	// there is none; it always returns the same for the same time.
	Custom interface{ Next(time.Time) time.Time }
}

// IsZero reports whether the schedule is not set.
func (s *Schedule) IsZero() bool { return s.Cron == "" && s.Every == 0 && s.Custom == nil }

const minEvery, maxEvery = time.Minute, 366 * 24 * time.Hour

func (s *Schedule) check(m *mistakes, path string) {
	set := 0
	for _, is := range []bool{s.Cron != "", s.Every != 0, s.Custom != nil} {
		if is {
			set++
		}
	}
	m.require(set <= 1, path, nil, "must have only one of cron and every")
	m.require(s.Every == 0 || s.Every >= minEvery && s.Every <= maxEvery && s.Every%time.Second == 0, join(path, "every"), s.Every, "must be a minute to 366 days, in whole seconds")
	if s.Cron == "" {
		m.require(s.Location == nil, join(path, "zone"), s.Location, "is of use with cron only")
		return
	}
	checkZone(m, join(path, "zone"), s.Location)
	if _, err := Cron(s.Cron, s.Location); err != nil {
		m.require(false, join(path, "cron"), nil, err.Error())
	}
}

// slots returns what tells the slots.
func (s *Schedule) slots() (interface{ Next(time.Time) time.Time }, error) {
	switch {
	case s.Custom != nil:
		return s.Custom, nil
	case s.Every > 0:
		return interval(s.Every), nil
	case s.Cron != "":
		return Cron(s.Cron, s.Location)
	}
	return nil, errors.New("snapshot: the policy has no schedule")
}

// Newest returns the newest slot up to a time; ok is false if there is none in the ten years before, or the schedule is not valid.
func (s *Schedule) Newest(at time.Time) (slot time.Time, ok bool) {
	next, err := s.slots()
	if err != nil {
		return time.Time{}, false
	}
	const tenYears = 10 * 366 * 24 * time.Hour
	for back := time.Hour; back < 2*tenYears; back *= 2 {
		if slot, count := missed(next, at.Add(-min(back, tenYears)), at); count > 0 {
			return slot, true
		}
	}
	return time.Time{}, false
}

type interval time.Duration

func (i interval) Next(t time.Time) time.Time {
	since := time.Duration(t.Unix()%int64(time.Duration(i)/time.Second))*time.Second + time.Duration(t.Nanosecond())
	return t.Add(time.Duration(i) - since).UTC()
}

// missed returns the newest slot after one time up to another, and how many there are.
func missed(s interface{ Next(time.Time) time.Time }, after, now time.Time) (newest time.Time, count int) {
	for at := s.Next(after); at.After(after) && !at.After(now); at = s.Next(at) {
		newest, after = at, at
		count++
	}
	return newest, count
}
