package snapshot_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/awsha/awsha/snapshot"
)

func zone(tb testing.TB, name string) *time.Location {
	tb.Helper()
	l, err := time.LoadLocation(name)
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

const minuteLayout = "2006-01-02T15:04 -0700"

func TestCronGoesByTheClock(t *testing.T) {
	t.Parallel()
	// In New York clocks go from 02:00 to 03:00 on 8 March 2026, and from 02:00 back to 01:00 on 1 November.
	for _, c := range []struct {
		name, expr, zone, from string
		want                   []string
	}{
		{
			"each day at the same time", "30 3 * * *", "America/New_York", "2026-03-07T00:00 -0500",
			[]string{"2026-03-07T03:30 -0500", "2026-03-08T03:30 -0400", "2026-03-09T03:30 -0400"},
		},
		{
			"what is skipped runs when the gap is over", "30 2 * * *", "America/New_York", "2026-03-07T00:00 -0500",
			[]string{"2026-03-07T02:30 -0500", "2026-03-08T03:00 -0400", "2026-03-09T02:30 -0400"},
		},
		{
			"all that is skipped runs once", "0,15,30,45 2,3 * * *", "America/New_York", "2026-03-08T00:00 -0500",
			[]string{"2026-03-08T03:00 -0400", "2026-03-08T03:15 -0400"},
		},
		{
			"what comes twice runs the first time", "30 1 * * *", "America/New_York", "2026-10-31T12:00 -0400",
			[]string{"2026-11-01T01:30 -0400", "2026-11-02T01:30 -0500"},
		},
		{
			"every hour follows elapsed time where clocks go back", "30 * * * *", "America/New_York", "2026-11-01T00:00 -0400",
			[]string{"2026-11-01T00:30 -0400", "2026-11-01T01:30 -0400", "2026-11-01T01:30 -0500", "2026-11-01T02:30 -0500"},
		},
		{
			"every hour follows elapsed time where they go forward", "30 * * * *", "America/New_York", "2026-03-08T00:45 -0500",
			[]string{"2026-03-08T01:30 -0500", "2026-03-08T03:30 -0400"},
		},
		{
			"a day that begins at one o'clock", "0 0 * * *", "America/Asuncion", "2024-10-05T00:00 -0400",
			[]string{"2024-10-06T01:00 -0300", "2024-10-07T00:00 -0300"},
		},
		{
			"half an hour of daylight saving", "15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00 +1030",
			[]string{"2026-10-04T02:30 +1100", "2026-10-05T02:15 +1100"},
		},
		{
			"a date that was left out of the calendar", "0 3 * * *", "Pacific/Apia", "2011-12-29T12:00 -1000",
			[]string{"2011-12-31T00:00 +1400", "2011-12-31T03:00 +1400"},
		},
		{"leap days", "0 0 29 2 *", "UTC", "2096-03-01T00:00 +0000", []string{"2104-02-29T00:00 +0000"}},
		{"one of both days", "0 0 13 * fri", "UTC", "2026-02-01T00:00 +0000", []string{"2026-02-06T00:00 +0000", "2026-02-13T00:00 +0000", "2026-02-20T00:00 +0000", "2026-02-27T00:00 +0000", "2026-03-06T00:00 +0000", "2026-03-13T00:00 +0000"}},
		{"Sunday is 0 and 7", "0 0 * * 7", "UTC", "2026-11-23T00:00 +0000", []string{"2026-11-29T00:00 +0000"}},
		{"steps and ranges", "5-20/5 8/8 * jan-mar/2 *", "UTC", "2026-01-31T16:10 +0000", []string{"2026-01-31T16:15 +0000", "2026-01-31T16:20 +0000", "2026-03-01T08:05 +0000"}},
		{"seconds are cut off", "* * * * *", "UTC", "2026-11-23T00:00 +0000", []string{"2026-11-23T00:01 +0000"}},
		{"@weekly", "@weekly", "UTC", "2026-11-23T00:00 +0000", []string{"2026-11-29T00:00 +0000"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, err := snapshot.Cron(c.expr, zone(t, c.zone))
			if err != nil {
				t.Fatal(err)
			}
			at, err := time.Parse(minuteLayout, c.from)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range c.want {
				at = s.Next(at)
				if got := at.Format(minuteLayout); got != want {
					t.Fatalf("%s, want %s", got, want)
				}
			}
		})
	}
}

func TestCronRefusesWhatItCannotDo(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string]string{
		"":                "has 0 fields",
		"* * * *":         "has 4 fields",
		"0 * * * * *":     "has 6 fields",
		"60 * * * *":      `minute: "60" is none: want 0 to 59`,
		"* 24 * * *":      "hour",
		"* * 0 * *":       "day of the month",
		"* * * 13 *":      "month",
		"* * * * 8":       "day of the week",
		"5-1 * * * *":     "ends before it begins",
		"*/0 * * * *":     "is no step",
		"*/x * * * *":     "is no step",
		"1- * * * *":      `"" is none`,
		"-1 * * * *":      `"" is none`,
		"+1 * * * *":      `"+1" is none`,
		",1 * * * *":      `"" is none`,
		"0 0 31 2 *":      "no month of it has such a day",
		"0 0 30,31 feb *": "no month of it has such a day",
		"0 0 31 4,6 *":    "no month of it has such a day",
		"@reboot":         "has 1 fields",
		"61 25 * * *":     "hour", // and the minute
	} {
		if _, err := snapshot.Cron(expr, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", expr, err, want)
		}
	}
}

// naive says whether a schedule runs at u, minute by minute.
type naive struct {
	minutes, hours map[int]bool
	location       *time.Location
}

func wallOf(t time.Time) time.Time {
	_, offset := t.Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

func (n *naive) runs(u time.Time) bool {
	u = u.In(n.location)
	match := func(wall time.Time) bool { return n.minutes[wall.Minute()] && n.hours[wall.Hour()] }
	wall := wallOf(u)
	if len(n.hours) == 24 {
		return match(wall)
	}
	before := wallOf(u.Add(-time.Minute))
	for skipped := before.Add(time.Minute); skipped.Before(wall); skipped = skipped.Add(time.Minute) {
		if match(skipped) {
			return true
		}
	}
	if !match(wall) {
		return false
	}
	for earlier := u.Add(-time.Minute); u.Sub(earlier) < 25*time.Hour; earlier = earlier.Add(-time.Minute) {
		if wallOf(earlier.In(n.location)).Equal(wall) {
			return false // has run
		}
	}
	return true
}

func TestCronAgreesWithAMinuteByMinuteModel(t *testing.T) {
	t.Parallel()
	changes := []struct{ zone, around string }{
		{"America/New_York", "2026-03-08T00:00 -0500"}, {"America/New_York", "2026-11-01T00:00 -0400"},
		{"Europe/Berlin", "2026-03-28T12:00 +0100"}, {"Europe/Berlin", "2026-10-24T12:00 +0200"},
		{"Australia/Lord_Howe", "2026-04-04T12:00 +1100"}, {"Africa/Cairo", "2026-04-23T12:00 +0200"},
		{"America/Asuncion", "2024-10-05T12:00 -0400"}, {"Asia/Kathmandu", "2026-03-08T00:00 +0545"},
	}
	for n := range 64 {
		rng := rand.New(rand.NewPCG(uint64(n), 1))
		c := changes[n%len(changes)]
		m := naive{minutes: map[int]bool{}, hours: map[int]bool{}, location: zone(t, c.zone)}
		list := func(set map[int]bool, below, most int) string {
			var texts []string
			for range 1 + rng.IntN(most) {
				v := rng.IntN(below)
				set[v] = true
				texts = append(texts, fmt.Sprint(v))
			}
			return strings.Join(texts, ",")
		}
		expr := list(m.minutes, 60, 4) + " "
		if rng.IntN(4) == 0 {
			expr += "*"
			for h := range 24 {
				m.hours[h] = true
			}
		} else {
			expr += list(m.hours, 5, 3) // the hours of changes
		}
		expr += " * * *"
		s, err := snapshot.Cron(expr, m.location)
		if err != nil {
			t.Fatal(err)
		}
		begin, err := time.Parse(minuteLayout, c.around)
		if err != nil {
			t.Fatal(err)
		}
		next := s.Next(begin)
		for u := begin.Add(time.Minute); u.Sub(begin) < 36*time.Hour; u = u.Add(time.Minute) {
			if runs := m.runs(u); runs != next.Equal(u) {
				t.Fatalf("%s in %s at %s: the model runs: %t; next is %s", expr, c.zone, u.In(m.location).Format(minuteLayout), runs, next.Format(minuteLayout))
			}
			if next.Equal(u) {
				next = s.Next(u)
			}
		}
	}
}

func FuzzCron(f *testing.F) {
	for _, expr := range []string{"*/5 1-3 1,15 jan,7-9/2 mon-fri", "0 0 29 2 0", "@daily", "59/2 23 31 12 7", "x"} {
		f.Add(expr, int64(1_772_953_200))
	}
	newYork := zone(f, "America/New_York")
	f.Fuzz(func(t *testing.T, expr string, unix int64) {
		s, err := snapshot.Cron(expr, newYork)
		if err != nil {
			return
		}
		from := time.Unix(unix%4_102_444_800, 0)
		next := s.Next(from)
		if !next.After(from) || next.Second() != 0 || next.Sub(from) > 9*366*24*time.Hour {
			t.Fatalf("%q: %v after %v", expr, next, from)
		}
		if s.String() != expr {
			t.Fatalf("%q is shown as %q", expr, s)
		}
	})
}

func BenchmarkCronNext(b *testing.B) {
	s, err := snapshot.Cron("30 3 * * *", zone(b, "America/New_York"))
	if err != nil {
		b.Fatal(err)
	}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for b.Loop() {
		at = s.Next(at)
	}
}
