package queueworker

// memorySize is how many messages a worker remembers.
const memorySize = 10_000

// memory has the IDs of messages that were handled, and whose delete is not proven: SQS says yes to a delete with an old handle and
// does nothing. When one comes back it is deleted, unseen; to ignore it would let it come back until it is in the dead-letter queue. Of
// too many it forgets the oldest. Guarded by Worker.mu.
// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html (read 2026-11).
type memory struct {
	ids  map[string]int // to their places
	ring []string
	next int
}

func (m *memory) add(id string) {
	if m.ids == nil {
		m.ids = make(map[string]int)
	}
	if _, ok := m.ids[id]; ok {
		return
	}
	if len(m.ring) < memorySize {
		m.ids[id] = len(m.ring)
		m.ring = append(m.ring, id)
		return
	}
	if at, ok := m.ids[m.ring[m.next]]; ok && at == m.next {
		delete(m.ids, m.ring[m.next])
	}
	m.ids[id], m.ring[m.next] = m.next, id
	m.next = (m.next + 1) % memorySize
}

func (m *memory) has(id string) bool {
	_, ok := m.ids[id]
	return ok
}

func (m *memory) remove(id string) { delete(m.ids, id) }
