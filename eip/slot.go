package eip

import (
	"context"
	"slices"
)

// slot is the right of a move to change something, of which a RemapAll has a number. A move keeps it from its first change to
// its last, whatever happens in between, so that no more addresses are free at any time than there are slots. A nil slot is
// always to be had.
//
// The slots live with the rounds, because a round of reads has to know who can still ask: not a move that waits for a slot
// while all who have one wait for the round.
type slot struct {
	of    *rounds
	held  bool
	ready chan struct{} // closed when the slot is handed over; set while waiting in line
}

// take waits for the slot, unless it is held already. It returns ErrHalted if there is none left.
func (s *slot) take(ctx context.Context) error {
	if s == nil || s.held || ctx.Err() != nil {
		return ctx.Err()
	}
	ready := s.queue()
	if ready == nil {
		return s.lost()
	}
	select {
	case <-ready:
		return s.lost()
	case <-ctx.Done():
		s.unqueue()
		return ctx.Err()
	}
}

// queue takes a free slot and returns nil, or gets in line and returns what to wait for.
func (s *slot) queue() <-chan struct{} {
	r := s.of
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.slots == 0 {
		return nil
	}
	if r.free > 0 {
		r.free--
		s.held = true
		return nil
	}
	s.ready = make(chan struct{})
	r.line = append(r.line, s)
	r.flushIfIdle()
	return s.ready
}

// unqueue leaves the line. If the slot was handed over meanwhile, it is held, and given back as usual.
func (s *slot) unqueue() {
	r := s.of
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := slices.Index(r.line, s); i >= 0 {
		r.line = slices.Delete(r.line, i, i+1)
	}
}

// give gives the slot back, if it is held. The first in line gets it at once, so that it never looks as if it still waited.
func (s *slot) give() {
	if s == nil || !s.held {
		return
	}
	r := s.of
	r.mu.Lock()
	defer r.mu.Unlock()
	s.held = false
	if len(r.line) == 0 {
		r.free++
		return
	}
	next := r.line[0]
	r.line = slices.Delete(r.line, 0, 1)
	next.held = true
	close(next.ready)
}

// drop takes the slot out of use, because the address has lost its owner and an outage keeps it from getting another. Without
// a slot left, nobody else's is ended.
func (s *slot) drop(outage error) {
	if s == nil || !s.held {
		return
	}
	r := s.of
	r.mu.Lock()
	defer r.mu.Unlock()
	s.held = false
	if r.slots--; r.slots > 0 {
		return
	}
	r.outage = outage
	for _, waiting := range r.line {
		close(waiting.ready)
	}
	r.line = nil
}

// lost tells whether there is no slot any more.
func (s *slot) lost() error {
	s.of.mu.Lock()
	defer s.of.mu.Unlock()
	if s.held {
		return nil
	}
	return ErrHalted
}
