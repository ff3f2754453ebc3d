package healthcheck

import (
	"iter"
	"slices"
)

// table holds the records of all targets, guarded by Pool.mu. Taking a view of it costs nothing: from then on, what the view
// shares is copied before it changes, a chunk at a time. While nobody looks, records change in place.
type table struct {
	nodes   []*node
	owned   bool   // nodes is of this epoch
	epoch   uint64 // one more with each view
	used    int32  // places that were ever used
	free    []int32
	removed uint64 // records
}

const (
	chunkSize = 16
	nodeSize  = 64
)

type chunk [chunkSize]record

// node is the middle layer, so that the first change after a view copies a few pointers and no array of all of them.
type node struct {
	epoch  uint64
	owned  uint64 // the chunks that are of that epoch, a bit each
	chunks [nodeSize]*chunk
}

// records are those of a table at one instant.
type records struct {
	nodes []*node
	used  int32
}

func (r records) at(place int32) *record {
	return &r.nodes[place/(chunkSize*nodeSize)].chunks[place/chunkSize%nodeSize][place%chunkSize]
}

// all yields those that are of a target.
func (r records) all() iter.Seq[*record] {
	return func(yield func(*record) bool) {
		for place := range r.used {
			if at := r.at(place); at.entry != nil && !yield(at) {
				return
			}
		}
	}
}

// freeze returns the records as they are and will remain.
func (t *table) freeze() records {
	t.epoch, t.owned = t.epoch+1, false
	return t.now()
}

func (t *table) now() records { return records{t.nodes, t.used} }

// add returns a place, with a zero record.
func (t *table) add() int32 {
	if n := len(t.free); n > 0 {
		place := t.free[n-1]
		t.free = t.free[:n-1]
		return place
	}
	place := t.used
	t.used++
	if place%(chunkSize*nodeSize) == 0 {
		t.own()
		t.nodes = append(t.nodes, &node{epoch: t.epoch})
	}
	if place%chunkSize == 0 {
		n, i := t.node(place), place/chunkSize%nodeSize
		n.chunks[i] = new(chunk)
		n.owned |= 1 << i
	}
	return place
}

// remove frees a place. The next add has the one that was freed last, so that a target that replaces another takes its place.
func (t *table) remove(place int32) {
	*t.edit(place) = record{}
	t.free = append(t.free, place)
	t.removed++
}

// edit returns a record that may be changed until the next freeze.
func (t *table) edit(place int32) *record {
	n, i := t.node(place), place/chunkSize%nodeSize
	if n.owned&(1<<i) == 0 {
		c := *n.chunks[i]
		n.chunks[i] = &c
		n.owned |= 1 << i
	}
	return &n.chunks[i][place%chunkSize]
}

// node returns the node of a place, of this epoch.
func (t *table) node(place int32) *node {
	i := place / (chunkSize * nodeSize)
	if t.nodes[i].epoch != t.epoch {
		t.own()
		n := *t.nodes[i]
		n.epoch, n.owned = t.epoch, 0
		t.nodes[i] = &n
	}
	return t.nodes[i]
}

func (t *table) own() {
	if !t.owned {
		t.nodes, t.owned = slices.Clone(t.nodes), true
	}
}
