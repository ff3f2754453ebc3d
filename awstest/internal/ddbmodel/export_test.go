package ddbmodel

import "time"

// Passed returns how many keys a read of everything looks at.
func (s *Items) Passed(at time.Time) int {
	n := 0
	for range s.orderAt(at).in(Stretch{}, false) {
		n++
	}
	return n
}

// Kept returns how many keys are in the order, those of deleted items
// included.
func (s *Items) Kept() int {
	n := 0
	for _, b := range s.order.blocks {
		n += len(b)
	}
	return n
}
