package cwmodel

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// Statistic is how the values of a period become one number.
type Statistic struct {
	name       string
	percentile float64 // of p99 and its like
}

// Statistics that are no percentiles.
var (
	SampleCount = Statistic{name: "SampleCount"}
	Average     = Statistic{name: "Average"}
	Sum         = Statistic{name: "Sum"}
	Minimum     = Statistic{name: "Minimum"}
	Maximum     = Statistic{name: "Maximum"}
)

// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html (read 2026-11)
var percentilePattern = regexp.MustCompile(`^p(100|[0-9]{1,2}(\.[0-9]{1,10})?)$`)

// ParseStatistic returns the statistic of a name such as Average or p99.9, and
// whether it is modelled. Trimmed means and their like are not.
func ParseStatistic(name string) (Statistic, bool) {
	for _, s := range []Statistic{SampleCount, Average, Sum, Minimum, Maximum} {
		if s.name == name {
			return s, true
		}
	}
	if !percentilePattern.MatchString(name) {
		return Statistic{}, false
	}
	p, err := strconv.ParseFloat(name[1:], 64)
	return Statistic{name, p}, err == nil
}

// String returns the statistic's name.
func (s Statistic) String() string { return s.name }

// Percentile tells whether the statistic is one.
func (s Statistic) Percentile() bool { return s.name != "" && s.name[0] == 'p' }

// Query asks for a statistic of a metric.
type Query struct {
	Metric    Metric
	Unit      string // empty is that of every data point
	Statistic Statistic
}

// Window is the values of a period by unit, as of a moment.
type Window struct {
	Unit string
	sets []*bucket
	of   time.Time
	Set
}

// Windows returns what a metric held from one time to another, without the
// latter, as of a moment: by unit, those of every unit if none is given.
func (r *Region) Windows(at time.Time, m Metric, unit string, from, to time.Time) []Window {
	s, ok := r.metrics[m.key()]
	if !ok {
		return nil
	}
	return s.windows(at.Add(-r.model.opts.Visible), unit, from.Unix(), to.Unix())
}

func (s *series) windows(of time.Time, unit string, from, to int64) (all []Window) {
	for _, u := range s.units {
		if unit != "" && u.unit != unit {
			continue
		}
		if w := u.window(of, from, to); w.Count > 0 {
			all = append(all, w)
		}
	}
	return all
}

func (u *unitSeries) window(of time.Time, from, to int64) Window {
	w := Window{Unit: u.unit, of: of}
	first := u.from(from)
	last := first
	for ; last < len(u.buckets) && u.buckets[last].at < to; last++ {
		w.merge(u.buckets[last].as(of))
	}
	w.sets = u.buckets[first:last]
	return w
}

// Value returns a statistic of a window, and whether it can be told: a
// percentile needs every value, and none of them may be negative.
func (w *Window) Value(s Statistic) (float64, bool) {
	switch s {
	case SampleCount:
		return w.Count, true
	case Average:
		return w.Sum / w.Count, true
	case Sum:
		return w.Sum, true
	case Minimum:
		return w.Min, true
	case Maximum:
		return w.Max, true
	}
	if w.Min < 0 {
		return 0, false
	}
	return w.percentile(s.percentile)
}

// percentile returns the smallest value that is not exceeded by that part of
// the values. CloudWatch does not document how it comes to one; it estimates.
func (w *Window) percentile(p float64) (float64, bool) {
	type weighted struct{ value, count float64 }
	var values []weighted
	for _, b := range w.sets {
		for i := range b.parts {
			part := &b.parts[i]
			if part.put.After(w.of) {
				break
			}
			if part.values == nil {
				return 0, false
			}
			for j, v := range part.values {
				values = append(values, weighted{v, part.count(j)})
			}
		}
	}
	slices.SortFunc(values, func(a, b weighted) int {
		switch {
		case a.value < b.value:
			return -1
		case a.value > b.value:
			return 1
		}
		return 0
	})
	rank := math.Max(1, math.Ceil(p/100*w.Count))
	seen := 0.0
	for _, v := range values {
		if seen += v.count; seen >= rank {
			return v.value, true
		}
	}
	return w.Max, true
}

// Stat returns a statistic of the period that begins at a time, as of a
// moment, and whether there is one.
func (r *Region) Stat(at time.Time, q Query, from time.Time, period time.Duration) (float64, bool) {
	all := r.Windows(at, q.Metric, q.Unit, from, from.Add(period))
	if len(all) == 0 {
		return 0, false
	}
	return all[0].Value(q.Statistic)
}
