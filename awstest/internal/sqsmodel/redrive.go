package sqsmodel

import (
	"time"

	"github.com/awsha/awsha/awstest"
)

// exhausted moves a message that has been received as often as the redrive
// policy allows to the dead-letter queue, and tells whether it did. The
// message has just stopped waiting.
//
// It keeps its ID, and in a standard queue its age, which starts anew in a
// FIFO queue; there its own ID becomes its deduplication ID. Receives count
// on, and what the policy of the dead-letter queue itself counts starts anew.
// Without a dead-letter queue the message stays. The last two are not
// documented.
//
// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/setting-up-dead-letter-queue-retention.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html (read 2026-11)
func (q *Queue) exhausted(tx *awstest.Tx, m *Message) bool {
	p := q.set.Redrive
	if p == nil || m.here < p.MaxReceives {
		return false
	}
	target, ok := q.region.withARN(tx, p.Target)
	if !ok || target == q {
		return false
	}
	q.drop(m)
	q.note(tx.Now())
	moved := m.resent(m.ID, m.sent)
	moved.From, moved.receives, moved.first = q.arn, m.receives, m.first
	if target.set.FIFO {
		moved.sent, moved.Dedup = tx.Now(), m.ID
	}
	target.arrive(moved, 0, tx.Now())
	return true
}

// resent returns the message as one that is in no queue yet.
func (m *Message) resent(id string, sent time.Time) *Message {
	return &Message{
		ID: id, Body: m.Body, MD5: m.MD5, Attributes: m.Attributes, Trace: m.Trace,
		Group: m.Group, Dedup: m.Dedup, Sender: m.Sender, sent: sent,
	}
}

// Sources returns the queues whose dead-letter queue was the one of a view,
// at the moment of the view.
func (r *Region) Sources(at time.Time, v View) (sources []View) {
	for other := range r.All(at) {
		if p := other.Settings.Redrive; p != nil && p.Target == v.arn {
			sources = append(sources, other)
		}
	}
	return sources
}

// isTarget tells whether the queue is a dead-letter queue now.
func (q *Queue) isTarget() bool {
	for _, other := range q.region.byName {
		if p := other.set.Redrive; p != nil && p.Target == q.arn {
			return true
		}
	}
	return false
}
