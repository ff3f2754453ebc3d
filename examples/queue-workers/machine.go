package main

import (
	"context"
	"errors"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/awsha/awsha/queueworker"
)

// machine is what a worker runs on: its way to SQS, and its power. It sees every call, which a worker sends once.
type machine struct {
	queueworker.API

	power    context.Context // ends when it is killed
	powerOff context.CancelFunc

	mu        sync.Mutex
	calls     calls
	messages  map[string]string   // IDs by receipt handle, of what was received and is not deleted
	undeleted map[string]struct{} // IDs of messages that were handled, and are not known to be deleted
}

// calls that were made of SQS, whatever became of them.
type calls struct {
	receives, deletes, visibility, others int
	failed                                int // these, and those of which entries failed
}

func (c calls) all() int { return c.receives + c.deletes + c.visibility + c.others }

func (c *calls) add(d calls) {
	c.receives += d.receives
	c.deletes += d.deletes
	c.visibility += d.visibility
	c.others += d.others
	c.failed += d.failed
}

func newMachine(api queueworker.API) *machine {
	m := &machine{API: api, messages: map[string]string{}, undeleted: map[string]struct{}{}}
	m.power, m.powerOff = context.WithCancel(context.Background())
	return m
}

var errDead = errors.New("the machine is dead")

// kill takes the power away: calls break off, nothing that comes later has an effect. It returns the messages that were handled and
// are not known to be deleted, which no worker can keep from being handled again.
func (m *machine) kill() map[string]struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.powerOff()
	return m.undeleted
}

// finish notes that a message is handled, and reports whether the machine was alive to see it. It calls note before a kill can come.
func (m *machine) finish(id string, note func()) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.alive() {
		return false
	}
	m.undeleted[id] = struct{}{}
	note()
	return true
}

func (m *machine) alive() bool { return m.power.Err() == nil }

// through makes a call, if the machine has power, and as long as it has; done looks at the reply under the lock. What SQS does with a
// call whose caller dies is up to SQS.
func through[Out any](ctx context.Context, m *machine, kind *int, call func(context.Context) (*Out, error), done func(*Out) (failed int)) (*Out, error) {
	if !m.alive() {
		return nil, errDead
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(m.power, cancel)()
	out, err := call(ctx)
	calledOff := ctx.Err() != nil

	m.mu.Lock()
	defer m.mu.Unlock()
	*kind++
	switch {
	case !m.alive():
		return nil, errDead
	case err != nil:
		if !calledOff {
			m.calls.failed++
		}
		return nil, err
	case done(out) > 0:
		m.calls.failed++
	}
	return out, nil
}

// ReceiveMessage implements queueworker.API.
func (m *machine) ReceiveMessage(ctx context.Context, in *sqs.ReceiveMessageInput, optFns ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error) {
	return through(ctx, m, &m.calls.receives, func(ctx context.Context) (*sqs.ReceiveMessageOutput, error) {
		return m.API.ReceiveMessage(ctx, in, optFns...)
	}, func(out *sqs.ReceiveMessageOutput) int {
		for i := range out.Messages {
			m.messages[*out.Messages[i].ReceiptHandle] = *out.Messages[i].MessageId
		}
		return 0
	})
}

// DeleteMessageBatch implements queueworker.API.
func (m *machine) DeleteMessageBatch(ctx context.Context, in *sqs.DeleteMessageBatchInput, optFns ...func(*sqs.Options)) (*sqs.DeleteMessageBatchOutput, error) {
	return through(ctx, m, &m.calls.deletes, func(ctx context.Context) (*sqs.DeleteMessageBatchOutput, error) {
		return m.API.DeleteMessageBatch(ctx, in, optFns...)
	}, func(out *sqs.DeleteMessageBatchOutput) int {
		failed := map[string]bool{}
		for i := range out.Failed {
			failed[*out.Failed[i].Id] = true
		}
		for _, entry := range in.Entries {
			if !failed[*entry.Id] {
				delete(m.undeleted, m.messages[*entry.ReceiptHandle])
				delete(m.messages, *entry.ReceiptHandle)
			}
		}
		return len(failed)
	})
}

// ChangeMessageVisibilityBatch implements queueworker.API.
func (m *machine) ChangeMessageVisibilityBatch(ctx context.Context, in *sqs.ChangeMessageVisibilityBatchInput, optFns ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityBatchOutput, error) {
	return through(ctx, m, &m.calls.visibility, func(ctx context.Context) (*sqs.ChangeMessageVisibilityBatchOutput, error) {
		return m.API.ChangeMessageVisibilityBatch(ctx, in, optFns...)
	}, func(out *sqs.ChangeMessageVisibilityBatchOutput) int { return len(out.Failed) })
}

// GetQueueAttributes implements queueworker.API.
func (m *machine) GetQueueAttributes(ctx context.Context, in *sqs.GetQueueAttributesInput, optFns ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error) {
	return through(ctx, m, &m.calls.others, func(ctx context.Context) (*sqs.GetQueueAttributesOutput, error) {
		return m.API.GetQueueAttributes(ctx, in, optFns...)
	}, func(*sqs.GetQueueAttributesOutput) int { return 0 })
}

// made returns the calls until now.
func (m *machine) made() calls {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.calls
}
