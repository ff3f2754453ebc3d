package eip

import "sync"

// history remembers associations, so that a read that shows an ended one is known to stand behind the present instead
// of being taken for a theft, or for the target holding an address that it has lost since.
//
// What makes this sound: an association ID is never used again, and an address is in one association at a time. When
// AssociateAddress has succeeded, with or without reassociation, the association that it returned was the only one at some
// moment after it was sent. Then all others that were seen before it was sent have ended. It forgets the oldest; that costs
// certainty about very late reads and nothing else.
type history struct {
	mu   sync.Mutex
	ring [256]sighting
	seen int // sightings so far
}

type sighting struct {
	allocation, association string
	ended                   bool
}

// note remembers an association that was read.
func (h *history) note(allocation, association string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.add(allocation, association)
}

// mark is the present, to be given to replace.
func (h *history) mark() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.seen
}

// replace remembers that an association was made by a call sent after mark, so that all sightings of the address before
// mark have ended. It reports whether the association is new: EC2 answers with the existing one if it is the target's.
func (h *history) replace(allocation, by string, mark int) (fresh bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	fresh = true
	for i := max(0, h.seen-len(h.ring)); i < mark; i++ {
		s := &h.ring[i%len(h.ring)]
		switch {
		case s.association == by:
			fresh = false
		case s.allocation == allocation:
			s.ended = true
		}
	}
	h.add(allocation, by)
	return fresh
}

// end remembers that EC2 has ended an association.
func (h *history) end(association string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.add("", association)
	h.find(association).ended = true
}

// ended tells whether an association is known to have ended.
func (h *history) ended(association string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.find(association)
	return s != nil && s.ended
}

// allocation returns the address that an association is or was of; empty if it was never seen.
func (h *history) allocation(association string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s := h.find(association); s != nil {
		return s.allocation
	}
	return ""
}

func (h *history) add(allocation, association string) {
	if association == "" || h.find(association) != nil {
		return
	}
	h.ring[h.seen%len(h.ring)] = sighting{allocation: allocation, association: association}
	h.seen++
}

func (h *history) find(association string) *sighting {
	if association == "" {
		return nil
	}
	for i := range h.ring[:min(h.seen, len(h.ring))] {
		if h.ring[i].association == association {
			return &h.ring[i]
		}
	}
	return nil
}
