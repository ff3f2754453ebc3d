package conformance_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html (read 2026-11)
var leaseScenarios = []scenario{
	{
		name: "a lease ends by itself",
		run: func(s *session) {
			q := s.queue("jobs")
			s.send(q, "a")
			first := s.one(q, hiddenFor(2))
			s.is("within it", got(s.receive(q, 1)), "nothing")
			second := s.one(q, hiddenFor(30))
			s.is("the same message", fmt.Sprint(*first.MessageId == *second.MessageId), "true")
			s.is("under another handle", fmt.Sprint(*first.ReceiptHandle != *second.ReceiptHandle), "true")
			s.is("times received", second.Attributes["ApproximateReceiveCount"], "2")
			s.accepted("deleting by the first handle", s.deleteMessage(q, first.ReceiptHandle))
			s.shows("messages", "0 waiting, 1 in flight, 0 delayed", func() string { return s.numbers(q) })
			s.accepted("deleting by the second", s.deleteMessage(q, second.ReceiptHandle))
			s.shows("messages then", "0 waiting, 0 in flight, 0 delayed", func() string { return s.numbers(q) })
		},
		differs: []difference{
			{on: motoName, at: "messages", does: "0 waiting, 0 in flight, 0 delayed"},
		},
	},
	{
		name: "the visibility of a message is changed",
		run: func(s *session) {
			q := s.queue("jobs")
			s.send(q, "a")
			m := s.one(q, hiddenFor(2))
			s.accepted("a longer lease", s.changeVisibility(q, m.ReceiptHandle, 30))
			s.pass(3 * time.Second)
			s.is("after the first timeout", got(s.receive(q, 1)), "nothing")
			s.refused("twelve hours from now", s.changeVisibility(q, m.ReceiptHandle, 43200), badParameter)
			s.refused("more than twelve hours", s.changeVisibility(q, m.ReceiptHandle, 43201), badParameter)
			s.accepted("giving it back", s.changeVisibility(q, m.ReceiptHandle, 0))
			again := s.one(q, hiddenFor(2))
			s.is("received at once", again.Attributes["ApproximateReceiveCount"], "2")
			s.pass(3 * time.Second)
			s.accepted("a lease that has ended goes on", s.changeVisibility(q, again.ReceiptHandle, 30))
			s.is("then", got(s.receive(q, 1)), "nothing")
			s.accepted("deleting", s.deleteMessage(q, again.ReceiptHandle))
			s.refused("of a deleted message", s.changeVisibility(q, again.ReceiptHandle, 30), badParameter)
			s.refused("by what is no handle", s.changeVisibility(q, aws.String("garbage"), 30), "ReceiptHandleIsInvalid")
		},
		differs: []difference{
			{on: motoName, at: "of a deleted message", does: "ReceiptHandleIsInvalid"},
		},
	},
	{
		name: "a lease that has ended still deletes in a standard queue, and not in a FIFO queue",
		run: func(s *session) {
			for _, name := range []string{"jobs", "jobs.fifo"} {
				q := s.queue(name)
				s.send(q, "a:1")
				m := s.one(q, hiddenFor(1))
				s.pass(2 * time.Second)
				if name == "jobs" {
					s.accepted("deleting in "+name, s.deleteMessage(q, m.ReceiptHandle))
					s.shows("messages in "+name, "0 waiting, 0 in flight, 0 delayed", func() string { return s.numbers(q) })
				} else {
					s.refused("deleting in "+name, s.deleteMessage(q, m.ReceiptHandle), badParameter)
					s.shows("messages in "+name, "1 waiting, 0 in flight, 0 delayed", func() string { return s.numbers(q) })
				}
			}
		},
		differs: []difference{
			{on: motoName, at: "deleting in jobs.fifo", does: "accepted"},
			{on: motoName, at: "messages in jobs.fifo", does: "0 waiting, 0 in flight, 0 delayed"},
		},
	},
}

// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-exactly-once-processing.html (read 2026-11)
var fifoScenarios = []scenario{
	{
		name: "messages of a group come in order, and wait for each other",
		run: func(s *session) {
			q := s.queue("jobs.fifo")
			s.send(q, "a:1", "b:1", "a:2", "a:3")
			first := s.receive(q, 2)
			s.is("a group in order", got(first), "a:1, a:2")
			s.is("another group", got(s.receive(q, 10)), "b:1")
			s.is("a group of which a message is in flight", got(s.receive(q, 10)), "nothing")
			must(s.sqs.DeleteMessage(s.Context(), &sqs.DeleteMessageInput{QueueUrl: &q, ReceiptHandle: first[0].ReceiptHandle}))(s)
			s.is("the first is deleted", got(s.receive(q, 10)), "nothing")
			must(s.sqs.DeleteMessage(s.Context(), &sqs.DeleteMessageInput{QueueUrl: &q, ReceiptHandle: first[1].ReceiptHandle}))(s)
			s.is("both are deleted", got(s.receive(q, 10)), "a:3")
		},
		differs: []difference{
			{on: motoName, at: "a group in order", does: "a:1, b:1"},
			{on: motoName, at: "another group", does: "nothing"},
			{on: motoName, at: "the first is deleted", does: "a:2, a:3"},
			{on: motoName, at: "both are deleted", does: "nothing"},
		},
	},
	{
		name: "duplicates are taken and not delivered",
		run: func(s *session) {
			q := s.queue("jobs.fifo", "ContentBasedDeduplication=true")
			send := func(group, dedup, body string) *sqs.SendMessageOutput {
				in := &sqs.SendMessageInput{QueueUrl: &q, MessageBody: &body, MessageGroupId: &group}
				if dedup != "" {
					in.MessageDeduplicationId = &dedup
				}
				return must(s.sqs.SendMessage(s.Context(), in))(s)
			}
			first := send("a", "1", "first")
			s.is("the ID of a duplicate", fmt.Sprint(*send("a", "1", "again").MessageId == *first.MessageId), "true")
			send("b", "1", "in another group")
			send("a", "", "by content")
			last := send("a", "", "by content")
			s.is("digits of a sequence number", fmt.Sprint(len(told(first.SequenceNumber))), "20")
			s.is("sequence numbers grow", fmt.Sprint(told(first.SequenceNumber) < told(last.SequenceNumber)), "true")
			all := s.receive(q, 10)
			s.is("delivered", got(all), "first, by content")
			for _, m := range all {
				must(s.sqs.DeleteMessage(s.Context(), &sqs.DeleteMessageInput{QueueUrl: &q, ReceiptHandle: m.ReceiptHandle}))(s)
			}
			send("a", "1", "after deletion")
			s.is("a duplicate of what is deleted", got(s.receive(q, 10)), "nothing")
		},
		differs: []difference{
			{on: motoName, at: "the ID of a duplicate", does: "false"},
			{on: motoName, at: "a duplicate of what is deleted", does: "after deletion"},
		},
	},
	{
		name: "FIFO queues have rules",
		run: func(s *session) {
			q := s.queue("jobs.fifo")
			send := func(change func(*sqs.SendMessageInput)) error {
				in := &sqs.SendMessageInput{QueueUrl: &q, MessageBody: aws.String("x"), MessageGroupId: aws.String("a"), MessageDeduplicationId: aws.String("1")}
				change(in)
				_, err := s.sqs.SendMessage(s.Context(), in)
				return err
			}
			s.refused("no group", send(func(in *sqs.SendMessageInput) { in.MessageGroupId = nil }), "MissingParameter")
			s.refused("no deduplication ID", send(func(in *sqs.SendMessageInput) { in.MessageDeduplicationId = nil }), badParameter)
			s.refused("a delay", send(func(in *sqs.SendMessageInput) { in.DelaySeconds = 1 }), badParameter)
			s.refused("a group with a space", send(func(in *sqs.SendMessageInput) { in.MessageGroupId = aws.String("a b") }), badParameter)
			s.refused("a deduplication ID of 129", send(func(in *sqs.SendMessageInput) { in.MessageDeduplicationId = aws.String(strings.Repeat("x", 129)) }), badParameter)
			_, err := s.sqs.SendMessageBatch(s.Context(), &sqs.SendMessageBatchInput{QueueUrl: &q, Entries: []types.SendMessageBatchRequestEntry{
				{Id: aws.String("good"), MessageBody: aws.String("x"), MessageGroupId: aws.String("a"), MessageDeduplicationId: aws.String("1")},
				{Id: aws.String("bad"), MessageBody: aws.String("x"), MessageDeduplicationId: aws.String("2")},
			}})
			s.refused("no group in a batch", err, badParameter)
		},
		differs: []difference{
			{on: motoName, at: "a group with a space", does: "accepted"},
			{on: motoName, at: "a deduplication ID of 129", does: "accepted"},
			{on: motoName, at: "no group in a batch", does: "MissingParameter"},
		},
	},
	{
		name: "a receive attempt is repeated",
		run: func(s *session) {
			q := s.queue("jobs.fifo")
			s.send(q, "a:1", "b:1")
			attempt := func(in *sqs.ReceiveMessageInput) { in.ReceiveRequestAttemptId = aws.String("attempt") }
			first := s.receive(q, 1, attempt)
			again := s.receive(q, 1, attempt)
			s.is("again", got(again), got(first))
			s.is("under the same handle", fmt.Sprint(len(again) == 1 && *again[0].ReceiptHandle == *first[0].ReceiptHandle), "true")
			must(s.sqs.DeleteMessage(s.Context(), &sqs.DeleteMessageInput{QueueUrl: &q, ReceiptHandle: first[0].ReceiptHandle}))(s)
			s.is("after it was deleted", got(s.receive(q, 1, attempt)), "b:1")
		},
		differs: []difference{
			{on: motoName, at: "again", does: "b:1"},
			{on: motoName, at: "under the same handle", does: "false"},
			{on: motoName, at: "after it was deleted", does: "nothing"},
		},
	},
}
