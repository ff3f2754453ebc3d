package ddbmodel

import (
	"iter"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ddbexpr"
	"github.com/awsha/awsha/awstest/internal/history"
)

// Items are the items of one table. They have no lock of their own.
type Items struct {
	rows  *history.Table[Key, ddbexpr.Map]
	order sorted

	// The order of those that are there now, and since when it is this one:
	// reads of the present do not have to pass over what is deleted.
	live    sorted
	changed time.Time

	// Deleted items stay in the order as long as reads of the past find them:
	// since when they are deleted, and the deletions in turn.
	deleted map[Key]time.Time
	graves  []grave

	count, bytes int
}

type grave struct {
	key Key
	at  time.Time
}

// NewItems returns a table's items, of which there are none.
func NewItems() *Items {
	return &Items{rows: history.NewTable[Key, ddbexpr.Map](awstest.Memory), deleted: map[Key]time.Time{}}
}

// Get returns the item of a key as of a moment. Items are not to be changed.
func (s *Items) Get(at time.Time, k Key) (ddbexpr.Map, bool) { return s.rows.Get(at, k) }

// In yields the items of a stretch as of a moment, in order. Nothing may be
// changed meanwhile.
func (s *Items) In(at time.Time, stretch Stretch, backwards bool) iter.Seq2[Key, ddbexpr.Map] {
	return func(yield func(Key, ddbexpr.Map) bool) {
		for k := range s.orderAt(at).in(stretch, backwards) {
			if item, ok := s.rows.Get(at, k); ok && !yield(k, item) {
				return
			}
		}
	}
}

// orderAt returns an order that has all that was there at a moment.
func (s *Items) orderAt(at time.Time) *sorted {
	if at.Before(s.changed) {
		return &s.order
	}
	return &s.live
}

func (s *Items) change(now time.Time) {
	if now.After(s.changed) {
		s.changed = now
	}
}

// Put stores an item, which is not to be changed any more.
func (s *Items) Put(now time.Time, k Key, item ddbexpr.Map) {
	s.forget(now)
	if old, there := s.rows.Get(now, k); there {
		s.bytes -= ddbexpr.Size(old)
	} else {
		s.count++
		s.live.insert(k)
		s.change(now)
		if _, inOrder := s.deleted[k]; !inOrder {
			s.order.insert(k)
		}
		delete(s.deleted, k)
	}
	s.bytes += ddbexpr.Size(item)
	s.rows.Put(now, k, item)
}

// Delete removes an item, if it is there.
func (s *Items) Delete(now time.Time, k Key) {
	s.forget(now)
	old, there := s.rows.Get(now, k)
	if !there {
		return
	}
	s.count--
	s.live.remove(k)
	s.change(now)
	s.bytes -= ddbexpr.Size(old)
	s.rows.Delete(now, k)
	s.deleted[k] = now
	s.graves = append(s.graves, grave{k, now})
}

// Count returns how many items there are, and their size.
func (s *Items) Count() (items, bytes int) { return s.count, s.bytes }

// forget takes those out of the order that no read finds any more. A key that
// has come back since, or was deleted once more, has another time or none.
func (s *Items) forget(now time.Time) {
	n := 0
	for ; n < len(s.graves) && now.Sub(s.graves[n].at) > awstest.Memory; n++ {
		g := s.graves[n]
		if at, ok := s.deleted[g.key]; ok && at.Equal(g.at) {
			s.order.remove(g.key)
			delete(s.deleted, g.key)
		}
	}
	s.graves = s.graves[n:]
}
