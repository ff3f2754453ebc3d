package elbv2hc

import (
	"iter"
	"slices"
	"time"
)

// Snapshot is what one read told of a whole target group. It does not change and can be kept; it is safe for concurrent
// use.
type Snapshot struct {
	// At is when the read was sent: what it tells is that old, or older if Elastic Load Balancing was behind.
	At time.Time

	all []Health // by ID and port
}

// All yields every registration of the group, draining ones included, by ID and port.
func (s *Snapshot) All() iter.Seq[Health] { return slices.Values(s.all) }

// Len is the number of registrations, draining ones included.
func (s *Snapshot) Len() int { return len(s.all) }

// Health returns the health of the registrations that a target means: one, or for a target without a port all of its ID. What
// is not in the group is unused, for Target.NotRegistered.
func (s *Snapshot) Health(t Target) []Health { return slices.Clone(of(t.canonical(), s.all)) }

// Change is a registration that one snapshot shows otherwise than another.
type Change struct{ Before, After Health }

// Since yields what has changed since an earlier snapshot, by ID and port. Nil is one of an empty group. Before or After is
// unused, for Target.NotRegistered, where a snapshot does not have the registration.
func (s *Snapshot) Since(earlier *Snapshot) iter.Seq[Change] {
	var before []Health
	if earlier != nil {
		before = earlier.all
	}
	return func(yield func(Change) bool) {
		after := s.all
		for i, j := 0, 0; i < len(before) || j < len(after); {
			var c Change
			switch order := orderAt(before, i, after, j); {
			case order < 0:
				c = Change{before[i], absent(before[i].Target)}
				i++
			case order > 0:
				c = Change{absent(after[j].Target), after[j]}
				j++
			default:
				c = Change{before[i], after[j]}
				i, j = i+1, j+1
			}
			if c.Before != c.After && !yield(c) {
				return
			}
		}
	}
}

// orderAt compares the next registrations of two lists; what a list no longer has comes last.
func orderAt(a []Health, i int, b []Health, j int) int {
	switch {
	case i == len(a):
		return 1
	case j == len(b):
		return -1
	}
	return compareTargets(a[i].Target, b[j].Target)
}
