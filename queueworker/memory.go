package queueworker

import "hash/maphash"

// memorySize is how many messages a worker remembers at least: as many as fill a map with room for 8,192.
const memorySize = 7000

// memory has the IDs of messages that were handled, and whose delete is not proven: SQS says yes to a delete with an old handle and
// does nothing. When one comes back it is deleted, unseen; to ignore it would let it come back until it is in the dead-letter queue.
// Once there are too many it forgets the older half. Guarded by Worker.mu.
//
// It keeps 128 bits of each ID: the ID itself is a part of the answer that it came in, and would keep that. Two IDs are taken for one in
// one of 10^34 cases.
// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html (read 2026-11).
type memory struct {
	young, old map[mark]struct{} // no more than memorySize each
	seeds      [2]maphash.Seed
}

type mark [2]uint64

func newMemory() memory {
	return memory{young: make(map[mark]struct{}), seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
}

func (m *memory) mark(id string) mark {
	return mark{maphash.String(m.seeds[0], id), maphash.String(m.seeds[1], id)}
}

func (m *memory) add(id string) {
	if len(m.young) >= memorySize {
		free := m.old
		clear(free)
		if free == nil {
			free = make(map[mark]struct{})
		}
		m.young, m.old = free, m.young
	}
	m.young[m.mark(id)] = struct{}{}
}

func (m *memory) has(id string) bool {
	mark := m.mark(id)
	_, young := m.young[mark]
	_, old := m.old[mark]
	return young || old
}

func (m *memory) remove(id string) {
	mark := m.mark(id)
	delete(m.young, mark)
	delete(m.old, mark)
}
