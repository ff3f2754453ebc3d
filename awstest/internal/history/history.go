// Package history keeps what a model was, so that a read can be served as of
// a moment in the past: that is how an eventually consistent describe lags
// behind a mutation.
package history

import (
	"iter"
	"slices"
	"sort"
	"time"
)

// Table is a map whose values can be read as of an earlier moment, at most as
// far back as the span that it was made with: what was before that may be
// forgotten. Values are treated as immutable: change a copy and Put it. Times
// given to Put and Delete should not decrease; one that does counts as the
// time of the key's last change. A Table has no lock of its own.
type Table[K comparable, V any] struct {
	keep   time.Duration
	rows   map[K]*row[V]
	order  []K // of first Put; deleted keys leave when they are forgotten
	graves []grave[K]
}

// row is one key's versions, oldest first. It is never empty.
type row[V any] []version[V]

type version[V any] struct {
	since   time.Time
	value   V
	deleted bool
}

type grave[K comparable] struct {
	key K
	at  time.Time
}

// NewTable returns a table that can be read as of any moment in the last keep.
func NewTable[K comparable, V any](keep time.Duration) *Table[K, V] {
	return &Table[K, V]{keep: keep, rows: map[K]*row[V]{}}
}

// Put makes v the value of k from now on.
func (t *Table[K, V]) Put(now time.Time, k K, v V) {
	r, ok := t.rows[k]
	if !ok {
		r = &row[V]{}
		t.rows[k] = r
		t.order = append(t.order, k)
	}
	r.push(version[V]{since: now, value: v}, t.keep)
}

// Delete removes k from now on. Deleting what is not there does nothing.
func (t *Table[K, V]) Delete(now time.Time, k K) {
	r, ok := t.rows[k]
	if !ok || r.last().deleted {
		return
	}
	r.push(version[V]{since: now, deleted: true}, t.keep)
	t.graves = append(t.graves, grave[K]{k, now})
	t.forget(now)
}

// Get returns the value of k as of at.
func (t *Table[K, V]) Get(at time.Time, k K) (V, bool) {
	if r, ok := t.rows[k]; ok {
		return r.at(at)
	}
	var zero V
	return zero, false
}

// All yields what was there as of at, in the order of the first Put. The
// table may be changed meanwhile: a key that is added is not yielded, one
// that is removed still may be.
func (t *Table[K, V]) All(at time.Time) iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		for _, k := range t.order {
			if v, ok := t.Get(at, k); ok && !yield(k, v) {
				return
			}
		}
	}
}

// forget drops the keys whose deletion is older than what may be read. The
// order is rebuilt only when a good part of it is dead, so that the cost of a
// deletion stays constant on average.
func (t *Table[K, V]) forget(now time.Time) {
	old := 0
	for old < len(t.graves) && now.Sub(t.graves[old].at) > t.keep {
		old++
	}
	if old < 64 || old < len(t.order)/4 {
		return
	}
	for _, g := range t.graves[:old] {
		// The key may have come back since, or been deleted once more.
		if r, ok := t.rows[g.key]; ok && r.last().deleted && now.Sub(r.last().since) > t.keep {
			delete(t.rows, g.key)
		}
	}
	t.graves = slices.Clone(t.graves[old:])
	live := make([]K, 0, len(t.rows)) // a new slice: All may be reading the old one
	for _, k := range t.order {
		if _, ok := t.rows[k]; ok {
			live = append(live, k)
		}
	}
	t.order = live
}

func (r *row[V]) last() *version[V] { return &(*r)[len(*r)-1] }

// push appends a version. Those that no read can ask for any more are dropped
// when they are the greater part, so that a push costs constant time on
// average.
func (r *row[V]) push(v version[V], keep time.Duration) {
	if len(*r) > 0 && !r.last().since.Before(v.since) {
		v.since = r.last().since
		*r.last() = v // the same instant: the later write wins
		return
	}
	// A version is dead when its successor was already there at the oldest
	// moment that may be read.
	oldest := v.since.Add(-keep)
	dead := r.after(oldest) - 1
	if dead > len(*r)/2 {
		*r = slices.Delete(*r, 0, dead)
	}
	*r = append(*r, v)
}

// after returns how many versions are not younger than at.
func (r *row[V]) after(at time.Time) int {
	return sort.Search(len(*r), func(i int) bool { return (*r)[i].since.After(at) })
}

func (r *row[V]) at(at time.Time) (V, bool) {
	if v := r.last(); !v.since.After(at) { // the usual case: the present
		return v.value, !v.deleted
	}
	if n := r.after(at); n > 0 {
		v := &(*r)[n-1]
		return v.value, !v.deleted
	}
	var zero V
	return zero, false
}
