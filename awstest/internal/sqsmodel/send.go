package sqsmodel

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"

	"github.com/awsha/awsha/awstest"
)

// Sent is what SQS answers to a message that it has taken.
type Sent struct{ ID, Sequence string }

// sending is what a FIFO queue remembers of a message that was sent.
type sending Sent

// Send puts a message into the queue. A duplicate is accepted and goes
// nowhere.
func (q *Queue) Send(tx *awstest.Tx, e *Entry) (Sent, error) {
	if err := q.checkBody(e); err != nil {
		return Sent{}, err
	}
	if missing := q.Missing(e); missing != nil {
		return Sent{}, missing
	}
	if err := q.checkGroup(e); err != nil {
		return Sent{}, err
	}
	delay := q.set.Delay
	if e.Delay > 0 {
		delay = time.Duration(e.Delay) * time.Second
	}
	m := &Message{
		Body: e.Body, MD5: MD5(e.Body), Attributes: e.Attributes, Trace: e.Trace,
		Group: e.Group, Dedup: e.Dedup, Sender: e.Sender, sent: tx.Now(),
	}
	var scope string
	if q.set.FIFO {
		if m.Dedup == "" {
			sum := sha256.Sum256([]byte(e.Body))
			m.Dedup = hex.EncodeToString(sum[:])
		}
		if scope = m.Dedup; q.set.DedupPerGroup {
			scope += " " + m.Group // neither has a space
		}
		if earlier, ok := q.sent.get(tx.Now(), scope); ok {
			return Sent(earlier), nil
		}
	}
	m.ID = q.region.model.newID()
	q.arrive(m, delay, tx.Now())
	sent := Sent{m.ID, m.Sequence}
	if q.set.FIFO {
		q.sent.put(tx.Now(), scope, sending(sent))
	}
	return sent, nil
}

// arrive puts a message into the queue that is new there.
func (q *Queue) arrive(m *Message, delay time.Duration, now time.Time) {
	if q.set.FIFO {
		m.Sequence = strconv.FormatUint(firstSequence+sequenceStep*(q.lastKey+1), 10)
	}
	q.add(m, delay, now)
	q.note(now)
	q.touch()
}

// Sequence numbers are large and not consecutive, and here have twenty digits.
const (
	firstSequence = 10_000_000_000_000_000_000
	sequenceStep  = 256
)

// Missing returns what is wrong with a message that lacks what its queue
// needs, or nil. SQS refuses a whole batch for that.
func (q *Queue) Missing(e *Entry) *awstest.APIError {
	switch {
	case q.set.FIFO && e.Group == "":
		return awstest.Errorf("MissingParameter", "The request must contain the parameter MessageGroupId.")
	case q.set.FIFO && e.Dedup == "" && !q.set.ContentDedup:
		return invalid("The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
	}
	return nil
}

// checkGroup holds the group and the deduplication ID of a message against
// the type of its queue.
func (q *Queue) checkGroup(e *Entry) error {
	switch {
	case q.set.FIFO && e.Delay != 0:
		return invalidValue(e.Delay, "DelaySeconds", wrongType)
	case !q.set.FIFO && e.Dedup != "":
		return invalidValue(e.Dedup, "MessageDeduplicationId", wrongType)
	case !isID(e.Group):
		return invalidValue(e.Group, "MessageGroupId", onlyASCII)
	case !isID(e.Dedup):
		return invalidValue(e.Dedup, "MessageDeduplicationId", onlyASCII)
	}
	return nil
}

const (
	onlyASCII = "Can only include alphanumeric and punctuation characters. 1 to 128 in length."
	wrongType = "The request include parameter that is not valid for this queue type."
)

// newID returns an ID of the form of a message ID.
func (m *Model) newID() string {
	m.messages++
	return uuid('0', m.messages)
}

// uuid is a number in the form of a UUID, of a kind.
func uuid(kind byte, n uint64) string {
	const digits = "0123456789abcdef"
	id := []byte("00000000-0000-4000-8000-000000000000")
	for i := len(id) - 1; n > 0 && i > 23; i-- {
		id[i] = digits[n&15]
		n >>= 4
	}
	id[0] = kind
	return string(id)
}
