package conformance_test

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html (read 2026-11)
var redriveScenarios = []scenario{
	{
		name: "a message that is received too often goes to the dead-letter queue",
		run: func(s *session) {
			q, dead := s.deadLetters("VisibilityTimeout=0")
			sent := must(s.sqs.SendMessage(s.Context(), &sqs.SendMessageInput{QueueUrl: &q, MessageBody: aws.String("a")}))(s)
			s.one(q)
			s.one(q)
			s.shows("in the queue after two receives", "1 waiting, 0 in flight, 0 delayed", func() string { return s.numbers(q) })
			s.is("the third", got(s.receive(q, 1)), "nothing")
			m := s.one(dead)
			s.is("the same message", fmt.Sprint(*m.MessageId == *sent.MessageId), "true")
			s.is("it tells where it came from", fmt.Sprint(m.Attributes["DeadLetterQueueSourceArn"] == s.queueARN(q)), "true")
			s.is("times received, in all queues", m.Attributes["ApproximateReceiveCount"], "3")
		},
		differs: []difference{
			{on: motoName, at: "it tells where it came from", does: "false"},
		},
	},
	{
		name: "redrive policies have rules",
		run: func(s *session) {
			q, dead := s.deadLetters()
			fifo := s.queue("dead.fifo")
			s.shows("the sources of a dead-letter queue", s.set([]string{q}), func() string {
				return s.set(must(s.sqs.ListDeadLetterSourceQueues(s.Context(), &sqs.ListDeadLetterSourceQueuesInput{QueueUrl: &dead}))(s).QueueUrls)
			})
			policy := func(target string, receives int) error {
				return s.setAttributes(q, fmt.Sprintf(`RedrivePolicy={"deadLetterTargetArn":%q,"maxReceiveCount":%d}`, target, receives))
			}
			s.refused("a queue that there is not", policy(s.queueARN(dead)+"x", 1), badParameter)
			s.refused("of another type", policy(s.queueARN(fifo), 1), badParameter)
			s.refused("no receives", policy(s.queueARN(dead), 0), badParameter)
			s.refused("1001 receives", policy(s.queueARN(dead), 1001), badParameter)
			s.refused("no ARN", policy("dummy", 1), badParameter)
			s.accepted("taking it away", s.setAttributes(q, "RedrivePolicy="))
			s.accepted("allowing nobody", s.setAttributes(dead, `RedriveAllowPolicy={"redrivePermission":"denyAll"}`))
			s.refused("a queue that allows nobody", policy(s.queueARN(dead), 1), badParameter)
		},
		differs: []difference{
			{on: motoName, at: "a queue that there is not", does: noSuchQueue},
			{on: motoName, at: "of another type", does: "accepted"},
			{on: motoName, at: "no receives", does: "accepted"},
			{on: motoName, at: "1001 receives", does: "accepted"},
			{on: motoName, at: "no ARN", does: noSuchQueue},
			{on: motoName, at: "a queue that allows nobody", does: "accepted"},
		},
	},
	{
		name: "messages are moved out of a dead-letter queue",
		run: func(s *session) {
			q, dead := s.deadLetters("VisibilityTimeout=0")
			for _, body := range []string{"a", "b"} {
				s.send(q, body)
				s.one(q)
				s.one(q)
				s.receive(q, 1)
			}
			s.shows("dead letters", "2 waiting, 0 in flight, 0 delayed", func() string { return s.numbers(dead) })
			_, err := s.sqs.StartMessageMoveTask(s.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: aws.String(s.queueARN(q))})
			s.refused("from what is no dead-letter queue", err, badParameter)
			_, err = s.sqs.StartMessageMoveTask(s.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: aws.String(s.queueARN(dead) + "x")})
			s.refused("from a queue that there is not", err, "ResourceNotFoundException")
			_, err = s.sqs.CancelMessageMoveTask(s.Context(), &sqs.CancelMessageMoveTaskInput{TaskHandle: aws.String("garbage")})
			s.refused("cancelling what is no task", err, badParameter)
			started, err := s.sqs.StartMessageMoveTask(s.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: aws.String(s.queueARN(dead)), MaxNumberOfMessagesPerSecond: aws.Int32(1)})
			if !s.accepted("moving", err) {
				return
			}
			s.shows("the task", "COMPLETED 2 of 2", func() string { return s.lastTask(dead) })
			s.shows("moved", "2 waiting, 0 in flight, 0 delayed", func() string { return s.numbers(q) })
			s.is("times received, as a new message", s.one(q).Attributes["ApproximateReceiveCount"], "1")
			_, err = s.sqs.CancelMessageMoveTask(s.Context(), &sqs.CancelMessageMoveTaskInput{TaskHandle: started.TaskHandle})
			s.is("cancelling a task that has ended", fmt.Sprint(err == nil), "false")
		},
		differs: []difference{
			{on: motoName, at: "from what is no dead-letter queue", does: "not implemented"},
			{on: motoName, at: "from a queue that there is not", does: "not implemented"},
			{on: motoName, at: "cancelling what is no task", does: "not implemented"},
			{on: motoName, at: "moving", does: "not implemented"},
		},
	},
	{
		name: "a move of messages is cancelled",
		run: func(s *session) {
			q, dead := s.deadLetters("VisibilityTimeout=0")
			for _, body := range []string{"a", "b", "c", "d", "e"} {
				s.send(q, body)
				s.one(q)
				s.one(q)
				s.receive(q, 1)
			}
			s.shows("dead letters", "5 waiting, 0 in flight, 0 delayed", func() string { return s.numbers(dead) })
			in := &sqs.StartMessageMoveTaskInput{SourceArn: aws.String(s.queueARN(dead)), MaxNumberOfMessagesPerSecond: aws.Int32(1)}
			started, err := s.sqs.StartMessageMoveTask(s.Context(), in)
			if !s.accepted("moving", err) {
				return
			}
			_, err = s.sqs.StartMessageMoveTask(s.Context(), in)
			s.refused("a second move", err, badParameter)
			_, err = s.sqs.CancelMessageMoveTask(s.Context(), &sqs.CancelMessageMoveTaskInput{TaskHandle: started.TaskHandle})
			s.accepted("cancelling", err)
			s.shows("the task", "CANCELLED", func() string {
				out := must(s.sqs.ListMessageMoveTasks(s.Context(), &sqs.ListMessageMoveTasksInput{SourceArn: in.SourceArn}))(s)
				return aws.ToString(out.Results[0].Status)
			})
		},
		differs: []difference{
			{on: motoName, at: "moving", does: "not implemented"},
		},
	},
}

// deadLetters makes a queue that allows two receives, and its dead-letter queue.
func (s *session) deadLetters(attributes ...string) (q, dead string) {
	s.Helper()
	dead = s.queue("dead")
	policy := fmt.Sprintf(`RedrivePolicy={"deadLetterTargetArn":%q,"maxReceiveCount":2}`, s.queueARN(dead))
	return s.queue("jobs", append(attributes, policy)...), dead
}

// lastTask tells of the last move out of a dead-letter queue.
func (s *session) lastTask(dead string) string {
	out, err := s.sqs.ListMessageMoveTasks(s.Context(), &sqs.ListMessageMoveTasksInput{SourceArn: aws.String(s.queueARN(dead))})
	switch {
	case err != nil:
		return outcome(err)
	case len(out.Results) == 0:
		return "no task"
	}
	return describeTask(out.Results[0])
}

func describeTask(t types.ListMessageMoveTasksResultEntry) string {
	return fmt.Sprintf("%s %d of %d", *t.Status, t.ApproximateNumberOfMessagesMoved, aws.ToInt64(t.ApproximateNumberOfMessagesToMove))
}
