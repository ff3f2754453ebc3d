package queueworker

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Message is a message that has been received. Its fields are for reading; a test of a handler can make one.
type Message struct {
	// ID is SQS's, and the same each time that the message is received. A redrive out of a dead-letter queue gives it a new one.
	ID string
	// Body is as it was sent.
	Body string
	// Attributes are the message attributes that Options.Attributes names. Nil if there are none.
	Attributes map[string]types.MessageAttributeValue

	// GroupID is the message group: what is in order on a FIFO queue, and what is fair to others on a standard one. It may be empty
	// on the latter.
	GroupID string
	// DeduplicationID and SequenceNumber are those of FIFO queues, and else empty.
	DeduplicationID string
	SequenceNumber  string
	// TraceHeader is the X-Ray trace header with which it was sent, if it was.
	TraceHeader string

	// Attempt counts the tries of this message, this one included: what SQS has counted as receives, which is approximate, and the
	// times that a worker has tried it again without giving it back. At least 1.
	Attempt int
	// MaxAttempts is after how many the queue moves the message to its dead-letter queue. Zero if it never does, or that is not known.
	MaxAttempts int

	// SentAt is when SQS got the message, by its clock, in milliseconds.
	SentAt time.Time
	// ReceivedAt is when this worker received it.
	ReceivedAt time.Time

	lease *lease
}

// LastAttempt reports whether the queue's redrive policy takes the message away if this attempt fails. It is false where that is
// not known.
func (m *Message) LastAttempt() bool { return m.MaxAttempts > 0 && m.Attempt >= m.MaxAttempts }

// Deadline returns when the lease ends as it is now: the worker extends it as long as the handler runs. Zero for a message that is
// not from a worker. It is safe for concurrent use.
func (m *Message) Deadline() time.Time {
	if m.lease == nil {
		return time.Time{}
	}
	return m.lease.deadline()
}
