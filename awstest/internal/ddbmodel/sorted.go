package ddbmodel

import (
	"iter"
	"slices"
)

// maxBlock is how many keys a block may have: few enough that to move half of
// them costs little, and many enough that there are few blocks.
const maxBlock = 512

// sorted is a sorted list of keys in blocks, none of which is empty.
type sorted struct{ blocks [][]Key }

// find returns the block that a key is in, or would be in.
func (s *sorted) find(k Key) int {
	i, found := slices.BinarySearchFunc(s.blocks, k, func(b []Key, k Key) int {
		switch {
		case b[0] < k:
			return -1
		case b[0] > k:
			return 1
		}
		return 0
	})
	if !found && i > 0 {
		i--
	}
	return i
}

// insert adds a key that is not in the list.
func (s *sorted) insert(k Key) {
	if len(s.blocks) == 0 {
		s.blocks = [][]Key{{k}}
		return
	}
	n := s.find(k)
	b := s.blocks[n]
	i, _ := slices.BinarySearch(b, k)
	if len(b) < maxBlock {
		s.blocks[n] = slices.Insert(b, i, k)
		return
	}
	half := maxBlock / 2
	if n == len(s.blocks)-1 && i == maxBlock {
		half = maxBlock // keys that only grow fill their blocks
	}
	low, high := b[:half:half], slices.Clone(b[half:])
	if i <= half && half < maxBlock {
		low = slices.Insert(low, i, k)
	} else {
		high = slices.Insert(high, i-half, k)
	}
	s.blocks[n] = low
	s.blocks = slices.Insert(s.blocks, n+1, high)
}

// remove takes out a key that is in the list.
func (s *sorted) remove(k Key) {
	n := s.find(k)
	i, found := slices.BinarySearch(s.blocks[n], k)
	if !found {
		return
	}
	if s.blocks[n] = slices.Delete(s.blocks[n], i, i+1); len(s.blocks[n]) == 0 {
		s.blocks = slices.Delete(s.blocks, n, n+1)
	}
}

// in yields the keys of a stretch. The list must not change meanwhile.
func (s *sorted) in(stretch Stretch, backwards bool) iter.Seq[Key] {
	if backwards {
		return s.down(stretch)
	}
	return s.up(stretch)
}

func (s *sorted) up(stretch Stretch) iter.Seq[Key] {
	return func(yield func(Key) bool) {
		for n := s.find(stretch.From); n < len(s.blocks); n++ {
			b := s.blocks[n]
			i, _ := slices.BinarySearch(b, stretch.From) // 0 from the second block on
			for _, k := range b[i:] {
				if !stretch.Holds(k) || !yield(k) {
					return
				}
			}
		}
	}
}

func (s *sorted) down(stretch Stretch) iter.Seq[Key] {
	return func(yield func(Key) bool) {
		n := len(s.blocks) - 1
		if stretch.To != "" {
			n = min(n, s.find(stretch.To))
		}
		for ; n >= 0; n-- {
			b := s.blocks[n]
			i := len(b)
			if stretch.To != "" {
				i, _ = slices.BinarySearch(b, stretch.To) // all of them from the second block on
			}
			for i--; i >= 0; i-- {
				if !stretch.Holds(b[i]) || !yield(b[i]) {
					return
				}
			}
		}
	}
}
