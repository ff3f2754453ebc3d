package sqsmodel

// heap is a binary heap whose elements know their places in it, so that any
// of them can be moved or taken out in logarithmic time.
type heap[T any] struct {
	items []T
	less  func(a, b T) bool
	place func(T) *int // where an element keeps its index and one; 0 is outside
}

func (h *heap[T]) has(x T) bool { return *h.place(x) > 0 }

// top returns the least element.
func (h *heap[T]) top() (x T, ok bool) {
	if len(h.items) == 0 {
		return x, false
	}
	return h.items[0], true
}

func (h *heap[T]) push(x T) {
	h.items = append(h.items, x)
	h.put(len(h.items)-1, x)
	h.up(len(h.items) - 1)
}

// remove takes an element out; one that is not there is left alone.
func (h *heap[T]) remove(x T) {
	i := *h.place(x) - 1
	if i < 0 {
		return
	}
	last := len(h.items) - 1
	moved := h.items[last]
	var none T
	h.items[last] = none
	h.items = h.items[:last]
	*h.place(x) = 0
	if i < last {
		h.put(i, moved)
		h.settle(i)
	}
}

// fix brings an element whose order has changed to its place.
func (h *heap[T]) fix(x T) { h.settle(*h.place(x) - 1) }

func (h *heap[T]) settle(i int) {
	if !h.down(i) {
		h.up(i)
	}
}

func (h *heap[T]) put(i int, x T) {
	h.items[i] = x
	*h.place(x) = i + 1
}

func (h *heap[T]) up(i int) {
	x := h.items[i]
	for i > 0 {
		parent := (i - 1) / 2
		if !h.less(x, h.items[parent]) {
			break
		}
		h.put(i, h.items[parent])
		i = parent
	}
	h.put(i, x)
}

func (h *heap[T]) down(i int) (moved bool) {
	x, from := h.items[i], i
	for {
		child := 2*i + 1
		if child >= len(h.items) {
			break
		}
		if right := child + 1; right < len(h.items) && h.less(h.items[right], h.items[child]) {
			child = right
		}
		if !h.less(h.items[child], x) {
			break
		}
		h.put(i, h.items[child])
		i = child
	}
	h.put(i, x)
	return i != from
}
