package queueworker

// queue is a first-in-first-out queue of leases in a ring that grows, and shrinks when it is empty.
type queue struct {
	ring []*lease
	head int
	n    int
}

func (q *queue) len() int { return q.n }

func (q *queue) push(l *lease) {
	if q.n == len(q.ring) {
		grown := make([]*lease, max(16, 2*len(q.ring)))
		for i := range q.n {
			grown[i] = q.ring[(q.head+i)%len(q.ring)]
		}
		q.ring, q.head = grown, 0
	}
	q.ring[(q.head+q.n)%len(q.ring)] = l
	q.n++
}

// pop returns nil if there is none.
func (q *queue) pop() *lease {
	if q.n == 0 {
		return nil
	}
	l := q.ring[q.head]
	q.ring[q.head] = nil
	q.head = (q.head + 1) % len(q.ring)
	q.n--
	if q.n == 0 && len(q.ring) > 1024 {
		*q = queue{}
	}
	return l
}
