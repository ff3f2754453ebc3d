package cwmodel

import (
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/awsha/awsha/awstest"
)

// Dimension is a part of a metric's identity.
type Dimension struct{ Name, Value string }

// Metric is what identifies a metric. The order of dimensions does not matter.
type Metric struct {
	Namespace, Name string
	Dimensions      []Dimension
}

// key is the same for equal metrics. What it joins has no control characters.
func (m *Metric) key() string {
	var b strings.Builder
	b.WriteString(m.Namespace)
	b.WriteByte(0)
	b.WriteString(m.Name)
	for _, d := range m.sorted() {
		b.WriteByte(0)
		b.WriteString(d.Name)
		b.WriteByte(1)
		b.WriteString(d.Value)
	}
	return b.String()
}

func (m *Metric) sorted() []Dimension {
	byName := func(a, b Dimension) int { return strings.Compare(a.Name, b.Name) }
	if slices.IsSortedFunc(m.Dimensions, byName) {
		return m.Dimensions
	}
	return slices.SortedFunc(slices.Values(m.Dimensions), byName)
}

// Datum is what is put: values that a metric had, or a statistic of them.
type Datum struct {
	Metric Metric
	Unit   string    // empty is None
	Time   time.Time // zero is now
	High   bool      // high resolution: kept by the second and not by the minute

	Values []float64
	Counts []float64 // how often each of Values occurred; nil is once each
	Set    *Set      // in place of Values
}

// Set is a statistic of values that are not known one by one.
type Set struct{ Count, Sum, Min, Max float64 }

// None is the unit of a data point that was put without one.
const None = "None"

// series is a metric: its data points by unit.
type series struct {
	metric Metric
	first  time.Time // when its first data point was put
	last   time.Time // the newest data point's time
	units  []*unitSeries
}

type unitSeries struct {
	unit    string
	buckets []*bucket // by time
}

// bucket is what was put for a minute or, at high resolution, a second.
type bucket struct {
	at    int64 // Unix time
	total Set
	parts []part // in the order in which they were put
}

// part is one datum of a bucket.
type part struct {
	put    time.Time
	set    Set
	values []float64 // nil if they are not known one by one
	counts []float64
}

// Put adds data points. What they say is not checked.
func (r *Region) Put(tx *awstest.Tx, data ...Datum) {
	for i := range data {
		r.put(tx, &data[i])
	}
}

func (r *Region) put(tx *awstest.Tx, d *Datum) {
	key := d.Metric.key()
	s, ok := r.metrics[key]
	if !ok {
		m := d.Metric
		m.Dimensions = slices.Clone(m.Dimensions)
		s = &series{metric: m, first: tx.Now()}
		r.metrics[key] = s
		r.order = append(r.order, s)
	}
	when := d.Time
	if when.IsZero() {
		when = tx.Now()
	}
	if when.After(s.last) {
		s.last = when
	}
	resolution := int64(60)
	if d.High {
		resolution = 1
	}
	unit := d.Unit
	if unit == "" {
		unit = None
	}
	at := when.Unix()
	s.unit(unit).bucket(at - at%resolution).add(newPart(tx.Now(), d))
}

func newPart(put time.Time, d *Datum) part {
	if d.Set != nil {
		p := part{put: put, set: *d.Set}
		switch { // is every value known?
		case p.set.Count == 1:
			p.values, p.counts = []float64{p.set.Sum}, []float64{1}
		case p.set.Min == p.set.Max:
			p.values, p.counts = []float64{p.set.Min}, []float64{p.set.Count}
		}
		return p
	}
	p := part{put: put, values: slices.Clone(d.Values), counts: slices.Clone(d.Counts)}
	for i, v := range p.values {
		p.set.merge(Set{Count: p.count(i), Sum: v * p.count(i), Min: v, Max: v})
	}
	return p
}

// count returns how often a value occurred.
func (p *part) count(i int) float64 {
	if p.counts == nil {
		return 1
	}
	return p.counts[i]
}

// merge adds a statistic of other values. One of no values has no extremes.
func (s *Set) merge(o Set) {
	switch {
	case o.Count == 0:
	case s.Count == 0:
		*s = o
	default:
		*s = Set{s.Count + o.Count, s.Sum + o.Sum, min(s.Min, o.Min), max(s.Max, o.Max)}
	}
}

func (s *series) unit(name string) *unitSeries {
	for _, u := range s.units {
		if u.unit == name {
			return u
		}
	}
	u := &unitSeries{unit: name}
	s.units = append(s.units, u)
	return u
}

// bucket returns the bucket of a time, which is mostly the last one.
func (u *unitSeries) bucket(at int64) *bucket {
	i := u.from(at)
	if i < len(u.buckets) && u.buckets[i].at == at {
		return u.buckets[i]
	}
	b := &bucket{at: at}
	u.buckets = slices.Insert(u.buckets, i, b)
	return b
}

// from returns the place of the first bucket that is not before a time.
func (u *unitSeries) from(at int64) int {
	if n := len(u.buckets); n == 0 || u.buckets[n-1].at < at {
		return n
	}
	i, _ := slices.BinarySearchFunc(u.buckets, at, func(b *bucket, at int64) int {
		switch {
		case b.at < at:
			return -1
		case b.at > at:
			return 1
		}
		return 0
	})
	return i
}

func (b *bucket) add(p part) {
	b.total.merge(p.set)
	b.parts = append(b.parts, p)
}

// as returns what the bucket held as of a moment.
func (b *bucket) as(of time.Time) Set {
	if !b.parts[len(b.parts)-1].put.After(of) { // the usual case
		return b.total
	}
	var s Set
	for i := range b.parts {
		if b.parts[i].put.After(of) {
			break
		}
		s.merge(b.parts[i].set)
	}
	return s
}

// Listed is a metric in a list.
type Listed struct {
	Metric
	Last time.Time // the time of its newest data point
}

// Metrics yields the metrics as of a moment, in the order of their first data
// points.
func (r *Region) Metrics(at time.Time) iter.Seq[Listed] {
	at = at.Add(-r.model.opts.Listed)
	return func(yield func(Listed) bool) {
		for _, s := range r.order {
			if s.first.After(at) {
				return
			}
			if !yield(Listed{s.metric, s.last}) {
				return
			}
		}
	}
}
