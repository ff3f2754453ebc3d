package eip

import (
	"context"

	"golang.org/x/sync/semaphore"
)

// slot is the right of a move to change something, of which a RemapAll has a number. A move keeps it from its first change to
// its last, so that no address is free while others of the same RemapAll are taken away from their owners. A nil slot is
// always to be had.
type slot struct {
	of   *semaphore.Weighted
	held bool
}

// take waits for the slot, unless it is held already.
func (s *slot) take(ctx context.Context) error {
	if s == nil || s.held {
		return ctx.Err()
	}
	if err := s.of.Acquire(ctx, 1); err != nil {
		return err
	}
	s.held = true
	return nil
}

// give gives the slot back, if it is held.
func (s *slot) give() {
	if s != nil && s.held {
		s.held = false
		s.of.Release(1)
	}
}
