package healthcheck

import "math/rand/v2"

// aliasTable draws a place in proportion to its weight in constant time, exactly: Vose's variant of Walker's alias method, in
// whole numbers.
type aliasTable struct {
	total uint64   // of the weights
	keep  []uint64 // out of total: how often a place that was drawn stands
	alias []uint32 // what it is otherwise
}

// newAliasTable takes weights of at least one.
func newAliasTable(weights []uint64) aliasTable {
	n := uint64(len(weights))
	t := aliasTable{keep: make([]uint64, n), alias: make([]uint32, n)}
	for _, w := range weights {
		t.total += w
	}
	var small, large []uint32
	for i, w := range weights {
		t.keep[i], t.alias[i] = w*n, uint32(i) // at most 2^16 times the number of targets squared
		if t.keep[i] < t.total {
			small = append(small, uint32(i))
		} else {
			large = append(large, uint32(i))
		}
	}
	for len(small) > 0 && len(large) > 0 {
		s, l := small[len(small)-1], large[len(large)-1]
		small = small[:len(small)-1]
		t.alias[s] = l
		t.keep[l] -= t.total - t.keep[s]
		if t.keep[l] < t.total {
			large = large[:len(large)-1]
			small = append(small, l)
		}
	}
	return t // whole numbers leave nothing over: what remains in large keeps all of total
}

func (t aliasTable) draw() int {
	i := rand.IntN(len(t.keep))
	if k := t.keep[i]; k < t.total && rand.Uint64N(t.total) >= k {
		return int(t.alias[i])
	}
	return i
}
