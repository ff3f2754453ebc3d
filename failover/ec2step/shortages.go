package ec2step

import (
	"slices"
	"sync"
	"time"
)

// Shortages remembers where there was no capacity, for several launches of one process: what has just been refused to one is asked for
// last by the next, so that fifty replacements do not ask the same empty zone fifty times. The zero value is empty and remembers for three
// minutes. It is safe for concurrent use, and costs no calls.
type Shortages struct {
	// For is how long a refusal is remembered. Default 3 minutes.
	For time.Duration

	mu  sync.Mutex
	all []Shortage
}

// add remembers that a candidate was refused for want of capacity of its type in its zone. What a reservation refuses says nothing of either.
func (s *Shortages) add(c Candidate) {
	if s == nil || c.Reservation != "" {
		return
	}
	keep := s.For
	if keep == 0 {
		keep = 3 * time.Minute
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.all = slices.DeleteFunc(s.all, func(old Shortage) bool { return old.of(c) || !now.Before(old.Until) })
	s.all = append(s.all, Shortage{c.Type, c.ZoneID, now.Add(keep)})
}

// List returns what is remembered now.
func (s *Shortages) List() []Shortage {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.all = slices.DeleteFunc(s.all, func(old Shortage) bool { return !now.Before(old.Until) })
	return slices.Clone(s.all)
}
