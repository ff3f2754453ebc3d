package s3model

import (
	"iter"
	"slices"
	"strings"
)

// Ordered is a map that knows its keys in order. They stand in chunks, so that
// an insertion moves no more than one of them, and a search looks at few. The
// zero value is empty.
type Ordered[V any] struct {
	chunks [][]pair[V] // none is empty
	size   int
}

type pair[V any] struct {
	key   string
	value V
}

const maxChunk = 512

// Len returns how many keys there are.
func (o *Ordered[V]) Len() int { return o.size }

// find returns the place of a key, or the place that it would have.
func (o *Ordered[V]) find(key string) (chunk, i int, found bool) {
	chunk, _ = slices.BinarySearchFunc(o.chunks, key, func(c []pair[V], key string) int {
		return strings.Compare(c[len(c)-1].key, key)
	})
	if chunk == len(o.chunks) {
		return chunk, 0, false // after everything
	}
	i, found = slices.BinarySearchFunc(o.chunks[chunk], key, func(p pair[V], key string) int {
		return strings.Compare(p.key, key)
	})
	return chunk, i, found
}

// Get returns the value of a key.
func (o *Ordered[V]) Get(key string) (v V, ok bool) {
	chunk, i, found := o.find(key)
	if !found {
		return v, false
	}
	return o.chunks[chunk][i].value, true
}

// Put makes v the value of a key.
func (o *Ordered[V]) Put(key string, v V) {
	chunk, i, found := o.find(key)
	if found {
		o.chunks[chunk][i].value = v
		return
	}
	o.size++
	switch {
	case len(o.chunks) == 0:
		o.chunks = [][]pair[V]{nil}
	case chunk == len(o.chunks):
		chunk--
		i = len(o.chunks[chunk])
	}
	c := slices.Insert(o.chunks[chunk], i, pair[V]{key, v})
	o.chunks[chunk] = c
	if len(c) > maxChunk {
		// Keys that come in order fill the last chunk: it is left full.
		half := len(c) / 2
		if chunk == len(o.chunks)-1 && i == len(c)-1 {
			half = len(c) - 1
		}
		o.chunks[chunk] = slices.Clone(c[:half])
		o.chunks = slices.Insert(o.chunks, chunk+1, slices.Clone(c[half:]))
	}
}

// Delete removes a key. Deleting what is not there does nothing.
func (o *Ordered[V]) Delete(key string) {
	chunk, i, found := o.find(key)
	if !found {
		return
	}
	o.size--
	if c := slices.Delete(o.chunks[chunk], i, i+1); len(c) > 0 {
		o.chunks[chunk] = c
	} else {
		o.chunks = slices.Delete(o.chunks, chunk, chunk+1)
	}
}

// From yields the keys that are not less than key, in order. The map must not
// be changed meanwhile.
func (o *Ordered[V]) From(key string) iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		chunk, i, _ := o.find(key)
		for ; chunk < len(o.chunks); chunk, i = chunk+1, 0 {
			for _, p := range o.chunks[chunk][i:] {
				if !yield(p.key, p.value) {
					return
				}
			}
		}
	}
}
