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
	allocation, association string // an empty allocation stands for any: it was ended without being seen
	ended                   bool
	hearsay                 bool // a caller has named it; neither a read nor EC2 has
}

// note remembers an association that was read.
func (h *history) note(allocation, association string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s := h.add(allocation, association); s != nil {
		s.hearsay = false
	}
}

// tell remembers an association that a caller has named. Should it be another address's, that is known of neither.
func (h *history) tell(allocation, association string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if association != "" && h.find(allocation, association) == nil {
		h.add(allocation, association).hearsay = true
	}
}

// end remembers that EC2 has ended an association.
func (h *history) end(association string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	known := false
	for i := range h.ring[:min(h.seen, len(h.ring))] {
		if s := &h.ring[i]; s.association == association {
			s.ended, known = true, true
		}
	}
	if !known {
		h.add("", association).ended = true
	}
}

// revive forgets that an association has ended, because EC2 has named it as the one that an address has.
func (h *history) revive(association string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range h.ring[:min(h.seen, len(h.ring))] {
		if s := &h.ring[i]; s.association == association {
			s.ended = false
		}
	}
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
		case s.allocation == allocation && s.association == by:
			fresh = false
		case s.allocation == allocation:
			s.ended = true
		}
	}
	if s := h.add(allocation, by); s != nil {
		s.hearsay = false
	}
	return fresh
}

// ended tells whether an association of an address is known to have ended.
func (h *history) ended(allocation, association string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.find(allocation, association)
	return s != nil && s.ended
}

// allocation returns the address that an association is or was of; empty if it was never seen.
func (h *history) allocation(association string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range h.ring[:min(h.seen, len(h.ring))] {
		if s := &h.ring[i]; s.association == association && !s.hearsay && association != "" {
			return s.allocation
		}
	}
	return ""
}

// latest returns the association of an address that was seen last, whether it has ended or not; empty if there is none. To expect
// it is to expect nobody who came later.
func (h *history) latest(allocation string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := h.seen - 1; i >= max(0, h.seen-len(h.ring)); i-- {
		if s := &h.ring[i%len(h.ring)]; s.allocation == allocation && !s.hearsay {
			return s.association
		}
	}
	return ""
}

// add returns the sighting of an association, a new one if there is none; nil for no association.
func (h *history) add(allocation, association string) *sighting {
	if association == "" {
		return nil
	}
	if s := h.find(allocation, association); s != nil {
		return s
	}
	s := &h.ring[h.seen%len(h.ring)]
	*s = sighting{allocation: allocation, association: association}
	h.seen++
	return s
}

func (h *history) find(allocation, association string) *sighting {
	if association == "" {
		return nil
	}
	for i := range h.ring[:min(h.seen, len(h.ring))] {
		if s := &h.ring[i]; s.association == association && (s.allocation == allocation || s.allocation == "") {
			return s
		}
	}
	return nil
}
