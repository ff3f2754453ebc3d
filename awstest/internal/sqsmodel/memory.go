package sqsmodel

import "time"

// memory keeps values under keys for five minutes: what FIFO queues know of
// sends and of receive attempts.
// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-exactly-once-processing.html (read 2026-11)
type memory[V any] struct {
	values map[string]remembered[V]
	order  []keyAt // oldest first
}

const remembrance = 5 * time.Minute

type remembered[V any] struct {
	value V
	at    time.Time
}

type keyAt struct {
	key string
	at  time.Time
}

func newMemory[V any]() memory[V] { return memory[V]{values: map[string]remembered[V]{}} }

func (m *memory[V]) get(now time.Time, key string) (V, bool) {
	r, ok := m.values[key]
	return r.value, ok && now.Sub(r.at) < remembrance
}

func (m *memory[V]) put(now time.Time, key string, v V) {
	for len(m.order) > 0 && now.Sub(m.order[0].at) >= remembrance {
		if old := m.order[0]; m.values[old.key].at.Equal(old.at) { // not put again since
			delete(m.values, old.key)
		}
		m.order = m.order[1:]
	}
	m.values[key] = remembered[V]{v, now}
	m.order = append(m.order, keyAt{key, now})
}

func (m *memory[V]) forget(key string) { delete(m.values, key) }
