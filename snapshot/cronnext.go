package snapshot

import "time"

// horizon is for how many days a match is looked for: 29 February comes after eight years at the latest.
const horizon = 9 * 366

// Next returns the first time of the schedule after t.
func (s *CronSchedule) Next(t time.Time) time.Time {
	if s.hours == everyHour {
		return s.nextElapsed(t)
	}
	year, month, day := t.In(s.location).Date()
	for d := range horizon {
		year, month, day := time.Date(year, month, day+d, 0, 0, 0, 0, time.UTC).Date()
		if !s.matches(year, month, day) {
			continue
		}
		for hour, ok := s.hours.next(0); ok; hour, ok = s.hours.next(hour + 1) {
			for minute, ok := s.minutes.next(0); ok; minute, ok = s.minutes.next(minute + 1) {
				if at := instant(year, month, day, hour, minute, s.location); at.After(t) {
					return at
				}
			}
		}
	}
	return time.Time{} // no such date; Cron has refused it
}

// nextElapsed is Next for schedules of every hour: it goes by what clocks show, whichever hour that is.
func (s *CronSchedule) nextElapsed(t time.Time) time.Time {
	at := t.In(s.location)
	at = at.Add(time.Minute - time.Duration(at.Second())*time.Second - time.Duration(at.Nanosecond()))
	for end := at.AddDate(0, 0, horizon); at.Before(end); {
		year, month, day := at.Date()
		if !s.matches(year, month, day) {
			// The first instant of the next day, which need not be at midnight.
			at = instant(year, month, day+1, 0, 0, s.location)
			continue
		}
		minute, ok := s.minutes.next(at.Minute())
		switch {
		case ok && minute == at.Minute():
			return at
		case ok:
			at = at.Add(time.Duration(minute-at.Minute()) * time.Minute)
		default:
			at = at.Add(time.Duration(60-at.Minute()) * time.Minute)
		}
	}
	return time.Time{}
}

// instant is when clocks of a location show a time: the first time if they do so twice, and if they never do, when they skip it.
func instant(year int, month time.Month, day, hour, minute int, location *time.Location) time.Time {
	wall := time.Date(year, month, day, hour, minute, 0, 0, time.UTC)
	guess := time.Date(year, month, day, hour, minute, 0, 0, location)
	begin, end := guess.ZoneBounds()
	// time.Date does not say which of two it takes, nor what it makes of a time that there is not; the offsets before and after are
	// those that come into question.
	near := []time.Time{guess}
	if !begin.IsZero() {
		near = append(near, begin.Add(-1))
	}
	if !end.IsZero() {
		near = append(near, end)
	}
	var first time.Time
	for _, t := range near {
		_, offset := t.In(location).Zone()
		at := wall.Add(-time.Duration(offset) * time.Second).In(location)
		if clock(at).Equal(wall) && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	if !first.IsZero() {
		return first
	}
	for _, change := range []time.Time{begin, end} {
		if change.IsZero() {
			continue
		}
		if before, after := clock(change.Add(-1).In(location)), clock(change.In(location)); wall.After(before) && wall.Before(after) {
			return change.In(location)
		}
	}
	return guess
}

// clock is what clocks show, as if it were UTC.
func clock(t time.Time) time.Time {
	_, offset := t.Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}
