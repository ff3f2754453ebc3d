package queueworker

import (
	"context"
	"crypto/rand"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// feedLocked begins as many receives as there should be.
func (w *Worker) feedLocked() {
	for {
		n := w.nextReceiveLocked()
		if n == 0 {
			return
		}
		w.callers.giveLocked(&w.mu, func() { w.receiveOn(n) })
	}
}

// nextReceiveLocked returns how many messages to ask for now, and notes that; zero is not to ask.
func (w *Worker) nextReceiveLocked() int {
	if w.calls == nil || w.alive.Err() != nil || w.draining || w.paused.on || w.failing.prober != nil || w.settling > maxSettling(w.slots) {
		return 0
	}
	n := w.demand.next(load{
		slots: w.slots, running: w.running, buffered: w.buffer.len(), mean: time.Duration(w.mean.value), maxPollers: w.opts.MaxPollers,
	})
	if n > 0 {
		w.demand.begin(n)
	}
	return n
}

// maxSettling bounds the messages that are handled and cannot be deleted, as when SQS takes no deletes.
func maxSettling(slots int) int { return 1000 + 2*slots }

// receiveOn receives, and goes on as long as one more receive is wanted when one is over.
func (w *Worker) receiveOn(n int) {
	for n > 0 {
		n = w.receive(n)
	}
}

// receive makes one receive for n messages, and returns how many to ask for next.
func (w *Worker) receive(n int) int {
	in := &sqs.ReceiveMessageInput{
		QueueUrl:                    &w.queueURL,
		MaxNumberOfMessages:         int32(n),
		WaitTimeSeconds:             seconds(w.opts.WaitTime), // zero would be that of the queue
		VisibilityTimeout:           seconds(w.opts.Visibility),
		MessageAttributeNames:       w.opts.Attributes,
		MessageSystemAttributeNames: systemAttributes,
	}
	if w.fifo {
		in.MessageSystemAttributeNames = fifoAttributes
		in.ReceiveRequestAttemptId = aws.String(rand.Text())
	}
	began := time.Now()
	out, err := w.callReceive(in)
	if err != nil {
		var ok bool
		// The same attempt: should the first one have had messages, this one has them.
		if out, ok = w.insist(n, in, err); !ok {
			return 0
		}
		began = time.Now().Add(-transferTime)
	}
	return w.take(n, out.Messages, began)
}

func (w *Worker) callReceive(in *sqs.ReceiveMessageInput) (*sqs.ReceiveMessageOutput, error) {
	ctx, cancel := context.WithTimeout(w.receives, time.Duration(in.WaitTimeSeconds)*time.Second+receiveMargin)
	defer cancel()
	return w.api.ReceiveMessage(ctx, in, once, unchecked)
}

// receiveMargin is how much longer than its wait a receive may take.
const receiveMargin = 10 * time.Second

// once leaves repetitions to the worker, which knows how long they are of use.
func once(o *sqs.Options) { o.Retryer = aws.NopRetryer{} }

// unchecked leaves digests to the worker.
func unchecked(o *sqs.Options) { o.DisableMessageChecksumValidation = true }

func seconds(d time.Duration) int32 { return int32(d / time.Second) }

// What is not asked for is not sent, and each costs time to read.
var (
	systemAttributes = []types.MessageSystemAttributeName{
		types.MessageSystemAttributeNameApproximateReceiveCount, types.MessageSystemAttributeNameSentTimestamp,
		types.MessageSystemAttributeNameMessageGroupId, types.MessageSystemAttributeNameAWSTraceHeader,
	}
	fifoAttributes = slices.Concat(systemAttributes, []types.MessageSystemAttributeName{
		types.MessageSystemAttributeNameMessageDeduplicationId, types.MessageSystemAttributeNameSequenceNumber,
	})
)

// take takes messages that a receive for n has brought, and returns how many to ask for next.
func (w *Worker) take(n int, messages []types.Message, began time.Time) int {
	arrived := time.Now()
	together := make([]lease, len(messages)) // in one piece, as the SDK has them
	leases := make([]*lease, 0, len(messages))
	var corrupt []string // groups
	var behind []*lease  // messages of a group that has a corrupt one before them
	var digests *digester
	if !w.opts.SkipDigests && len(messages) > 0 {
		digests = newDigester()
	}
	for i := range messages {
		l := &together[i]
		w.prepare(l, &messages[i], began, arrived)
		switch err := check(&messages[i], digests); {
		case err != nil:
			w.corrupt(l, err)
			corrupt = append(corrupt, l.message.GroupID)
		case w.fifo && slices.Contains(corrupt, l.message.GroupID):
			behind = append(behind, l)
		default:
			leases = append(leases, l)
		}
	}
	w.mu.Lock()
	w.stats.Receives++
	w.stats.Received += uint64(len(messages))
	if len(messages) == 0 {
		w.stats.EmptyReceives++
	}
	if w.failing.succeeded() {
		w.later = append(w.later, Event{Kind: Recovered})
	}
	w.demand.end(n, len(messages), w.buffer.len(), w.running < w.slots)
	beat := w.heartbeats.first
	for _, l := range leases {
		w.acceptLocked(l)
	}
	for _, l := range behind {
		w.refuseLocked(l)
	}
	w.startLocked()
	next := w.nextReceiveLocked()
	w.feedLocked()
	w.settledLocked()
	sooner := w.heartbeats.first != beat
	w.unlock()
	if sooner {
		w.wakeHeart()
	}
	return next
}

// prepare makes a lease of a message.
func (w *Worker) prepare(l *lease, m *types.Message, began, arrived time.Time) {
	l.worker, l.handle = w, aws.ToString(m.ReceiptHandle)
	l.first = Message{
		ID: aws.ToString(m.MessageId), Body: aws.ToString(m.Body), Attributes: m.MessageAttributes,
		Attempt: 1, ReceivedAt: arrived,
	}
	l.message = &l.first
	l.message.lease = l
	for name, value := range m.Attributes {
		l.message.set(name, value)
	}
	// The lease began when SQS handed the message out: no earlier than the call, about half a round trip ago, and no later than the
	// wait was over. The latter counts if the answer was under way for long, or this process stood still.
	start := arrived.Add(-min(arrived.Sub(began), transferTime))
	if over := began.Add(w.opts.WaitTime); start.After(over) {
		start = over
	}
	l.until.Store(int64(start.Add(w.opts.Visibility).Sub(w.epoch)))
	l.cap = int64(start.Add(w.opts.MaxHold).Sub(w.epoch))
	l.due = w.nextBeat(int64(start.Sub(w.epoch)))
}

// transferTime is how long ago at most SQS handed out what arrives now, but for answers that take longer to transfer.
const transferTime = 100 * time.Millisecond

// check says whether a message is as it was sent, if there are digests, and can be handled.
func check(m *types.Message, digests *digester) error {
	if aws.ToString(m.MessageId) == "" || aws.ToString(m.ReceiptHandle) == "" {
		return errIncomplete
	}
	if digests == nil {
		return nil
	}
	return digests.check(m)
}

// corrupt leaves a message that has changed on its way alone: it comes again after its lease, as it was sent, or goes to the
// dead-letter queue in the end.
func (w *Worker) corrupt(l *lease, err error) {
	w.mu.Lock()
	defer w.unlock()
	w.stats.Corrupt++
	w.later = append(w.later, Event{Kind: Corrupt, Message: l.message, Err: err})
}

// set sets the field of a system attribute.
func (m *Message) set(name, value string) {
	switch types.MessageSystemAttributeName(name) {
	case types.MessageSystemAttributeNameApproximateReceiveCount:
		if n, err := strconv.Atoi(value); err == nil {
			m.Attempt = max(n, 1)
		}
	case types.MessageSystemAttributeNameSentTimestamp:
		m.SentAt = millis(value)
	case types.MessageSystemAttributeNameMessageGroupId:
		m.GroupID = value
	case types.MessageSystemAttributeNameMessageDeduplicationId:
		m.DeduplicationID = value
	case types.MessageSystemAttributeNameSequenceNumber:
		m.SequenceNumber = value
	case types.MessageSystemAttributeNameAWSTraceHeader:
		m.TraceHeader = value
	default:
	}
}

func millis(s string) time.Time {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(n)
}
