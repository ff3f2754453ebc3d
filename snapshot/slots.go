package snapshot

import (
	"context"
	"slices"
	"sync"
	"time"
)

// slots are the copies to a region that may be under way at a time. Of those who wait for one the newest goes first.
type slots struct {
	mu      sync.Mutex
	most    int // as far as is known
	limit   int // at most, as it is now
	used    int
	waiting []*ticket
}

func newSlots(most int) slots { return slots{most: most, limit: most} }

type ticket struct {
	of  time.Time
	got chan struct{}
}

// acquire returns when there is a slot for a copy of data of a time, or with the cause of ctx's end.
func (s *slots) acquire(ctx context.Context, of time.Time) error {
	t := &ticket{of: of, got: make(chan struct{})}
	s.mu.Lock()
	s.waiting = append(s.waiting, t)
	s.nextLocked()
	s.mu.Unlock()
	select {
	case <-t.got:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-t.got: // at the same moment
		s.used--
		s.nextLocked()
	default:
		s.waiting = slices.DeleteFunc(s.waiting, func(w *ticket) bool { return w == t })
	}
	return context.Cause(ctx)
}

func (s *slots) nextLocked() {
	for s.used < s.limit && len(s.waiting) > 0 {
		newest := 0
		for i, t := range s.waiting {
			if t.of.After(s.waiting[newest].of) {
				newest = i
			}
		}
		close(s.waiting[newest].got)
		s.waiting = slices.Delete(s.waiting, newest, newest+1)
		s.used++
	}
}

// release gives a slot back. After a success there may be room for one more.
func (s *slots) release(success bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used--
	if success && s.limit < s.most {
		s.limit++
	}
	s.nextLocked()
}

// full gives a slot back whose copy AWS has refused because too many are under way, and takes in what it says the limit is, zero if it does
// not say. Those who wait go on waiting, until another slot is released or somebody wakes them: they would be refused as well.
func (s *slots) full(limit int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if limit > 0 {
		s.most = min(s.most, limit)
	}
	s.used--
	s.limit = max(1, min(s.limit, s.used, s.most))
}

func (s *slots) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nextLocked()
}

// room is how many copies are made at a time, as far as is known.
func (s *slots) room() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.most
}
