package queueworker

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// letterbox is where what is given up goes. Guarded by Worker.mu.
type letterbox struct {
	arn string // by the redrive policy; empty: there is none
	url string // empty: not known yet
}

// known reports whether there is one.
func (b *letterbox) known() bool { return b.arn != "" || b.url != "" }

// sendLetters sends messages to the dead-letter queue, and has each deleted that has arrived: in this order, so that a process that
// dies in between leaves two of them, and never none.
func (w *Worker) sendLetters(batch []*lease) {
	url, err := w.letterURL()
	if err != nil || url == "" {
		w.mu.Lock()
		for _, l := range batch {
			w.later = append(w.later, Event{Kind: DeadLetterMissing, Message: l.message, Err: err})
			w.keepLocked(l)
		}
		w.unlock()
		return
	}
	for len(batch) > 0 { // a batch may have a mebibyte, and so may a message
		n := fitting(batch)
		w.sendAll(batch[:n:n], "SendMessageBatch", &w.stats.DeadLetterCalls, func(ctx context.Context, batch []*lease) (*answer, error) {
			entries := make([]types.SendMessageBatchRequestEntry, len(batch))
			for i, l := range batch {
				entries[i] = letter(i, l.message, w.fifo)
			}
			out, err := w.api.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: entries}, once)
			if err != nil {
				return &answer{}, err
			}
			a := &answer{failed: out.Failed}
			for i := range out.Successful {
				a.take(out.Successful[i].Id)
			}
			return a, nil
		}, w.letteredLocked)
		batch = batch[n:]
	}
}

// maxLetters is how many bytes a call may have.
// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html (read 2026-11).
const maxLetters = 1 << 20

// fitting returns how many of the first messages fit into one call, at least one.
func fitting(batch []*lease) int {
	size := 0
	for i, l := range batch {
		size += len(l.message.Body)
		for name, v := range l.message.Attributes {
			size += len(name) + len(aws.ToString(v.DataType)) + len(aws.ToString(v.StringValue)) + len(v.BinaryValue)
		}
		if size > maxLetters && i > 0 {
			return i
		}
	}
	return len(batch)
}

// letter is a message for the dead-letter queue, as it was received. On a FIFO queue it keeps its group, and its ID makes one letter of
// all those that a lost answer brings about.
func letter(i int, m *Message, fifo bool) types.SendMessageBatchRequestEntry {
	e := types.SendMessageBatchRequestEntry{Id: entryID(i), MessageBody: &m.Body, MessageAttributes: m.Attributes}
	if m.GroupID != "" {
		e.MessageGroupId = &m.GroupID
	}
	if fifo {
		e.MessageDeduplicationId = &m.ID
	}
	if m.TraceHeader != "" {
		e.MessageSystemAttributes = map[string]types.MessageSystemAttributeValue{
			string(types.MessageSystemAttributeNameForSendsAWSTraceHeader): {DataType: aws.String("String"), StringValue: &m.TraceHeader},
		}
	}
	return e
}

// letteredLocked takes in what became of a letter.
func (w *Worker) letteredLocked(l *lease, v verdict) bool {
	switch {
	case v == done:
		l.end = end{kind: endDelete}
		w.deletes.addLocked(l)
		w.tracked.add(l.message.ID) // it is not to be sent twice
		w.turnLocked(l)
	case v == again && !l.lost:
		return false
	default:
		w.keepLocked(l)
	}
	return true
}

// keepLocked leaves a message that cannot be sent to the dead-letter queue where it is.
func (w *Worker) keepLocked(l *lease) {
	if l.lost {
		w.breakGroupLocked(l)
		w.endedLocked(l)
		return
	}
	w.heartbeats.remove(l)
	l.end = end{kind: endReturn, delay: retrySeconds(longestRetry)}
	if !l.extending {
		w.returns.addLocked(l)
	}
	w.breakGroupLocked(l)
}

// letterURL returns the URL of the dead-letter queue; empty if there is none.
func (w *Worker) letterURL() (string, error) {
	w.mu.Lock()
	box := w.letterbox
	w.unlock()
	if box.url != "" || box.arn == "" {
		return box.url, nil
	}
	// arn:aws:sqs:us-east-1:123456789012:name
	parts := strings.Split(box.arn, ":")
	if len(parts) != 6 {
		return "", &QueueError{Operation: "GetQueueUrl", QueueURL: box.arn, Err: errARN}
	}
	ctx, cancel := context.WithTimeout(w.calls, endTimeout)
	defer cancel()
	out, err := w.api.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &parts[5], QueueOwnerAWSAccountId: &parts[4]})
	if err != nil {
		return "", w.queueError("GetQueueUrl", err)
	}
	w.mu.Lock()
	defer w.unlock()
	w.letterbox.url = aws.ToString(out.QueueUrl)
	return w.letterbox.url, nil
}

var errARN = &FieldError{Field: "deadLetterTargetArn", Rule: "must be the ARN of a queue"}
