// Package history keeps what a model was, so that a read can be served as of
// a moment in the past: that is how an eventually consistent describe lags
// behind a mutation.
package history

import (
	"iter"
	"time"
)

// Table is a map whose values can be read as of an earlier moment. Values are
// treated as immutable: change a copy and Put it. Times given to Put and
// Delete must not decrease. A Table has no lock of its own.
type Table[K comparable, V any] struct {
	keep   time.Duration
	rows   map[K]*row[V]
	order  []K // of first Put; deleted keys leave when they are forgotten
	graves []grave[K]
}

type row[V any] struct {
	versions []version[V] // oldest first, never empty
}

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
	r.push(now, version[V]{since: now, value: v}, t.keep)
}

// Delete removes k from now on. Deleting what is not there does nothing.
func (t *Table[K, V]) Delete(now time.Time, k K) {
	r, ok := t.rows[k]
	if !ok || r.versions[len(r.versions)-1].deleted {
		return
	}
	r.push(now, version[V]{since: now, deleted: true}, t.keep)
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

// All yields what was there as of at, in the order of the first Put.
func (t *Table[K, V]) All(at time.Time) iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		for _, k := range t.order {
			if v, ok := t.rows[k].at(at); ok && !yield(k, v) {
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
		if r, ok := t.rows[g.key]; ok && r.versions[len(r.versions)-1].deleted && now.Sub(r.versions[len(r.versions)-1].since) > t.keep {
			delete(t.rows, g.key)
		}
	}
	t.graves = append([]grave[K](nil), t.graves[old:]...)
	live := t.order[:0]
	for _, k := range t.order {
		if _, ok := t.rows[k]; ok {
			live = append(live, k)
		}
	}
	t.order = live
}

// push appends a version and drops those that no read can ask for any more.
func (r *row[V]) push(now time.Time, v version[V], keep time.Duration) {
	if n := len(r.versions); n > 0 && !r.versions[n-1].since.Before(now) {
		r.versions[n-1] = v // the same instant: the later write wins
		return
	}
	dead := 0
	for dead+1 < len(r.versions) && now.Sub(r.versions[dead+1].since) >= keep {
		dead++
	}
	r.versions = append(r.versions[dead:len(r.versions):len(r.versions)], v)
}

func (r *row[V]) at(at time.Time) (V, bool) {
	for i := len(r.versions) - 1; i >= 0; i-- {
		if v := &r.versions[i]; !v.since.After(at) {
			return v.value, !v.deleted
		}
	}
	var zero V
	return zero, false
}
