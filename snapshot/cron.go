package snapshot

import (
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"time"
)

// CronSchedule is a schedule by a cron expression of five fields. Make one with Cron. It is safe for concurrent use.
type CronSchedule struct {
	expr                           string
	location                       *time.Location
	minutes, hours, days, weekdays field
	months                         field
}

// field has a bit for each value that matches.
type field uint64

func (f field) has(v int) bool { return f>>v&1 == 1 }

// next returns the first value from v on that matches, and whether there is one.
func (f field) next(v int) (int, bool) {
	if rest := f >> v; rest != 0 && v < 64 {
		return v + bits.TrailingZeros64(uint64(rest)), true
	}
	return 0, false
}

const everyHour = field(1<<24 - 1)

// Cron parses a cron expression: minute, hour, day of the month, month, day of the week. A field is *, a number, a range such as 1-5,
// either with a step such as */15, or a list of them with commas. Months and days of the week may be named by three letters, and
// Sunday is 0 or 7. If both days are restricted, one of them must match, as in other crons. @hourly, @daily, @weekly, @monthly and
// @yearly stand for what they say.
//
// It goes by the clock of location; nil is UTC. Where clocks are put forward, what falls into the gap runs once, at the first instant
// after it; where they are put back, what falls into the repeated hour runs once, the first time. Expressions that name every hour
// follow elapsed time instead: they run in both of the repeated hours, and not in the one that is left out.
//
// An expression that no date matches, such as that of 31 February, is an error, as is one with seconds or a year.
func Cron(expr string, location *time.Location) (*CronSchedule, error) {
	if location == nil {
		location = time.UTC
	}
	s := &CronSchedule{expr: expr, location: location}
	if macro, ok := macros[expr]; ok {
		expr = macro
	}
	texts := strings.Fields(expr)
	if len(texts) != 5 {
		return nil, fmt.Errorf("cron expression %q has %d fields, want 5: minute, hour, day of the month, month, day of the week", s.expr, len(texts))
	}
	var errs []error
	for i, to := range []*field{&s.minutes, &s.hours, &s.days, &s.months, &s.weekdays} {
		var err error
		if *to, err = parseField(texts[i], &fields[i]); err != nil {
			errs = append(errs, fmt.Errorf("cron expression %q: %s: %w", s.expr, fields[i].name, err))
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	if s.weekdays.has(7) {
		s.weekdays = s.weekdays&^(1<<7) | 1
	}
	if !s.possible() {
		return nil, fmt.Errorf("cron expression %q: no month of it has such a day", s.expr)
	}
	return s, nil
}

// String returns the expression.
func (s *CronSchedule) String() string { return s.expr }

var macros = map[string]string{
	"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *",
	"@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
}

// fieldRule is what a field may have.
type fieldRule struct {
	name      string
	low, high int
	all       field    // what * means
	names     []string // of low, low+1 and so on
}

var fields = [...]fieldRule{
	{name: "minute", low: 0, high: 59, all: 1<<60 - 1},
	{name: "hour", low: 0, high: 23, all: everyHour},
	{name: "day of the month", low: 1, high: 31, all: 1<<32 - 2},
	{name: "month", low: 1, high: 12, all: 1<<13 - 2, names: []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
	{name: "day of the week", low: 0, high: 7, all: 1<<7 - 1, names: []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}},
}

// parseField parses a list.
func parseField(text string, rule *fieldRule) (field, error) {
	var f field
	for part := range strings.SplitSeq(text, ",") {
		one, err := parsePart(part, rule)
		if err != nil {
			return 0, err
		}
		f |= one
	}
	return f, nil
}

// parsePart parses *, a number or a range, with or without a step.
func parsePart(text string, rule *fieldRule) (field, error) {
	span, stepText, stepped := strings.Cut(text, "/")
	step := 1
	if stepped {
		var err error
		if step, err = strconv.Atoi(stepText); err != nil || step < 1 || step > rule.high {
			return 0, fmt.Errorf("%q is no step: want a number from 1 to %d", stepText, rule.high)
		}
	}
	if span == "*" || span == "?" {
		if step == 1 {
			return rule.all, nil
		}
		return steps(rule.low, min(rule.high, 63-leading(rule.all)), step), nil
	}
	fromText, toText, ranged := strings.Cut(span, "-")
	from, err := rule.value(fromText)
	if err != nil {
		return 0, err
	}
	to := from
	switch {
	case ranged:
		if to, err = rule.value(toText); err != nil {
			return 0, err
		}
	case stepped: // 5/15 is from 5 on
		to = min(rule.high, 63-leading(rule.all))
	}
	if to < from {
		return 0, fmt.Errorf("%q ends before it begins", span)
	}
	return steps(from, to, step), nil
}

func leading(f field) int { return bits.LeadingZeros64(uint64(f)) }

func steps(from, to, step int) (f field) {
	for v := from; v <= to; v += step {
		f |= 1 << v
	}
	return f
}

// value parses a number or a name.
func (r *fieldRule) value(text string) (int, error) {
	for i, name := range r.names {
		if strings.EqualFold(text, name) {
			return r.low + i, nil
		}
	}
	if v, err := strconv.ParseUint(text, 10, 8); err == nil && text[0] != '+' && r.low <= int(v) && int(v) <= r.high {
		return int(v), nil
	}
	return 0, fmt.Errorf("%q is none: want %d to %d", text, r.low, r.high)
}

// possible reports whether some date matches.
func (s *CronSchedule) possible() bool {
	if s.weekdays != fields[4].all {
		return true // each month has each of them
	}
	for m := 1; m <= 12; m++ {
		if day, ok := s.days.next(1); s.months.has(m) && ok && day <= longest(m) {
			return true
		}
	}
	return false
}

// longest is the number of days of a month in a leap year.
func longest(month int) int {
	return time.Date(2024, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// matches reports whether the schedule has the date.
func (s *CronSchedule) matches(year int, month time.Month, day int) bool {
	if !s.months.has(int(month)) {
		return false
	}
	byDay := s.days.has(day)
	byWeekday := s.weekdays.has(int(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Weekday()))
	if s.days != fields[2].all && s.weekdays != fields[4].all {
		return byDay || byWeekday
	}
	return byDay && byWeekday
}
