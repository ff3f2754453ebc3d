package conformance_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

const (
	noSuchQueue  = "AWS.SimpleQueueService.NonExistentQueue"
	badParameter = "InvalidParameterValue"
)

// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_PurgeQueue.html (read 2026-11)
var queueScenarios = []scenario{
	{
		name: "a queue is made once",
		run: func(s *session) {
			q := s.queue("jobs", "DelaySeconds=1")
			name := s.queueName("jobs")
			s.is("the same again", s.made(name, "DelaySeconds=1"), "the queue jobs")
			s.is("the same without attributes", s.made(name), "the queue jobs")
			s.is("the same with a default", s.made(name, "VisibilityTimeout=30"), "the queue jobs")
			s.is("the same with another value", s.made(name, "DelaySeconds=2"), "QueueAlreadyExists")
			out := must(s.sqs.GetQueueUrl(s.Context(), &sqs.GetQueueUrlInput{QueueName: &name}))(s)
			s.is("its URL", *out.QueueUrl, q)
			_, err := s.sqs.GetQueueUrl(s.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String(name + "x")})
			s.refused("the URL of another", err, noSuchQueue)
			for _, c := range []struct{ at, name, attribute, want string }{
				{"a name with a space", "a b", "DelaySeconds=0", badParameter},
				{"a name of 81 characters", strings.Repeat("x", 81-len(s.queueName(""))), "DelaySeconds=0", badParameter},
				{"FIFO without the suffix", "plain", "FifoQueue=true", badParameter},
				{"the suffix without FIFO", "plain.fifo", "DelaySeconds=0", badParameter},
				{"a timeout beyond 12 hours", "hidden", "VisibilityTimeout=43201", "InvalidAttributeValue"},
				{"a retention of less than a minute", "kept", "MessageRetentionPeriod=59", "InvalidAttributeValue"},
				{"an attribute that there is not", "red", "Colour=red", "InvalidAttributeName"},
				{"FIFO's attribute on a standard one", "content", "ContentBasedDeduplication=true", "InvalidAttributeName"},
			} {
				s.is(c.at, s.made(s.queueName(c.name), c.attribute), c.want)
			}
			must(s.sqs.DeleteQueue(s.Context(), &sqs.DeleteQueueInput{QueueUrl: &q}))(s)
			s.shows("a deleted one", noSuchQueue, func() string {
				_, err := s.sqs.GetQueueUrl(s.Context(), &sqs.GetQueueUrlInput{QueueName: &name})
				return outcome(err)
			})
			s.is("its name within a minute", s.made(name), "AWS.SimpleQueueService.QueueDeletedRecently")
			_, err = s.sqs.SendMessage(s.Context(), &sqs.SendMessageInput{QueueUrl: &q, MessageBody: aws.String("x")})
			s.refused("a message to it", err, noSuchQueue)
		},
		differs: []difference{
			{on: motoName, at: "the suffix without FIFO", does: "accepted"},
			{on: motoName, at: "a timeout beyond 12 hours", does: "accepted"},
			{on: motoName, at: "a retention of less than a minute", does: "accepted"},
			{on: motoName, at: "an attribute that there is not", does: "accepted"},
			{on: motoName, at: "FIFO's attribute on a standard one", does: "accepted"},
			{on: motoName, at: "its name within a minute", does: "the queue jobs"},
			{on: motoName, at: "a message to it", does: "accepted"}, // since that was made
		},
	},
	{
		name: "queues are listed by prefix, in pages",
		run: func(s *session) {
			for _, name := range []string{"a-1", "a-2", "a-3", "b-1"} {
				s.queue(name)
			}
			list := func(prefix string, size int32) string {
				var got []string
				pages := sqs.NewListQueuesPaginator(s.sqs, &sqs.ListQueuesInput{QueueNamePrefix: aws.String(s.queueName(prefix)), MaxResults: &size})
				for pages.HasMorePages() {
					page := must(pages.NextPage(s.Context()))(s)
					got = append(got, page.QueueUrls...)
					if len(page.QueueUrls) > int(size) {
						got = append(got, "too many in a page")
					}
				}
				return s.set(got)
			}
			s.shows("by prefix", s.set([]string{s.url("a-1"), s.url("a-2"), s.url("a-3")}), func() string { return list("a", 1000) })
			s.shows("in pages", s.set([]string{s.url("a-1"), s.url("a-2"), s.url("a-3"), s.url("b-1")}), func() string { return list("", 2) })
			s.shows("by a prefix that none has", s.set(nil), func() string { return list("c", 1000) })
		},
		differs: []difference{
			{on: motoName, at: "in pages", does: "the queue a-1, the queue a-2, the queue a-3, the queue b-1, too many in a page"},
		},
	},
	{
		name: "a queue has attributes",
		run: func(s *session) {
			q, f := s.queue("jobs"), s.queue("jobs.fifo")
			s.shows("defaults", "DelaySeconds=0 MaximumMessageSize=1048576 MessageRetentionPeriod=345600 ReceiveMessageWaitTimeSeconds=0 SqsManagedSseEnabled=true VisibilityTimeout=30", func() string {
				return s.attributes(q, "DelaySeconds", "MaximumMessageSize", "MessageRetentionPeriod", "ReceiveMessageWaitTimeSeconds", "SqsManagedSseEnabled", "VisibilityTimeout")
			})
			s.shows("defaults of FIFO", "ContentBasedDeduplication=false DeduplicationScope=queue FifoQueue=true FifoThroughputLimit=perQueue", func() string {
				return s.attributes(f, "ContentBasedDeduplication", "DeduplicationScope", "FifoQueue", "FifoThroughputLimit")
			})
			s.is("none asked for", s.attributes(q), "")
			s.is("one that there is not", s.attributes(q, "Colour"), "InvalidAttributeName")
			s.accepted("setting two", s.setAttributes(q, "DelaySeconds=5", "VisibilityTimeout=0"))
			s.shows("then", "DelaySeconds=5 VisibilityTimeout=0", func() string { return s.attributes(q, "DelaySeconds", "VisibilityTimeout") })
			s.refused("a value out of range", s.setAttributes(q, "DelaySeconds=901"), "InvalidAttributeValue")
			s.refused("an attribute that there is not", s.setAttributes(q, "Colour=red"), "InvalidAttributeName")
			s.refused("FIFO of a standard one", s.setAttributes(q, "FifoQueue=true"), "InvalidAttributeName")
			s.refused("another type", s.setAttributes(f, "FifoQueue=false"), "InvalidAttributeValue")
			s.refused("throughput by group alone", s.setAttributes(f, "FifoThroughputLimit=perMessageGroupId"), "InvalidAttributeValue")
			s.accepted("throughput by group", s.setAttributes(f, "DeduplicationScope=messageGroup", "FifoThroughputLimit=perMessageGroupId"))
		},
		differs: []difference{
			{on: motoName, at: "a value out of range", does: "accepted"},
			{on: motoName, at: "an attribute that there is not", does: "accepted"},
			{on: motoName, at: "FIFO of a standard one", does: "accepted"},
			{on: motoName, at: "another type", does: "accepted"},
			{on: motoName, at: "throughput by group alone", does: "accepted"},
		},
	},
	{
		name: "a queue has tags",
		run: func(s *session) {
			q := s.queue("jobs")
			tags := func() string {
				all := must(s.sqs.ListQueueTags(s.Context(), &sqs.ListQueueTagsInput{QueueUrl: &q}))(s).Tags
				delete(all, markKey)
				return pairs(all)
			}
			must(s.sqs.TagQueue(s.Context(), &sqs.TagQueueInput{QueueUrl: &q, Tags: map[string]string{"a": "1", "A": "2", "empty": ""}}))(s)
			s.shows("tags", "A=2 a=1 empty=", tags)
			must(s.sqs.TagQueue(s.Context(), &sqs.TagQueueInput{QueueUrl: &q, Tags: map[string]string{"a": "3"}}))(s)
			s.shows("overwritten", "A=2 a=3 empty=", tags)
			must(s.sqs.UntagQueue(s.Context(), &sqs.UntagQueueInput{QueueUrl: &q, TagKeys: []string{"a", "never", "empty"}}))(s)
			s.shows("taken away", "A=2", tags)
			_, err := s.sqs.ListQueueTags(s.Context(), &sqs.ListQueueTagsInput{QueueUrl: aws.String(q + "x")})
			s.refused("of a queue that there is not", err, noSuchQueue)
		},
	},
	{
		name: "a queue is purged once a minute",
		run: func(s *session) {
			q := s.queue("jobs")
			s.send(q, "a", "b")
			s.one(q)
			purge := func() error {
				_, err := s.sqs.PurgeQueue(s.Context(), &sqs.PurgeQueueInput{QueueUrl: &q})
				return err
			}
			s.accepted("purging", purge())
			s.shows("messages", "0 waiting, 0 in flight, 0 delayed", func() string { return s.numbers(q) })
			s.refused("purging again", purge(), "AWS.SimpleQueueService.PurgeQueueInProgress")
		},
		differs: []difference{
			{on: motoName, at: "purging again", does: "accepted"},
		},
	},
}

// queueName is the name that a scenario's queue has in a place.
func (s *session) queueName(name string) string { return "awsha-conformance-" + s.mark + "-" + name }

// queue makes a queue, "NAME=value" are its attributes. It is FIFO if its name says so.
func (s *session) queue(name string, attributes ...string) (url string) {
	s.Helper()
	if strings.HasSuffix(name, ".fifo") {
		attributes = append(attributes, "FifoQueue=true")
	}
	full := s.queueName(name)
	url = *must(s.sqs.CreateQueue(s.Context(), &sqs.CreateQueueInput{QueueName: &full, Attributes: unpaired(attributes), Tags: map[string]string{markKey: s.mark}}))(s).QueueUrl
	s.call(url, "the queue "+name)
	s.cleanly("queue "+full, func(ctx context.Context) error {
		_, err := s.sqs.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: &url})
		if outcome(err) == noSuchQueue {
			return nil
		}
		return err
	})
	return url
}

// url is the URL of a queue of the scenario.
func (s *session) url(name string) string {
	for _, n := range s.names {
		if n[1] == "the queue "+name {
			return n[0]
		}
	}
	return "no queue " + name
}

func (s *session) made(name string, attributes ...string) string {
	out, err := s.sqs.CreateQueue(s.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: unpaired(attributes)})
	if err != nil {
		return outcome(err)
	}
	for _, n := range s.names {
		if n[0] == *out.QueueUrl {
			return n[1]
		}
	}
	s.cleanly("queue "+name, func(ctx context.Context) error {
		_, err := s.sqs.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: out.QueueUrl})
		return err
	})
	return "accepted"
}

func (s *session) queueARN(url string) string {
	s.Helper()
	return must(s.sqs.GetQueueAttributes(s.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{"QueueArn"}}))(s).Attributes["QueueArn"]
}

func (s *session) setAttributes(url string, attributes ...string) error {
	_, err := s.sqs.SetQueueAttributes(s.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &url, Attributes: unpaired(attributes)})
	return err
}

// attributes tells the attributes of a queue that are asked for.
func (s *session) attributes(url string, names ...string) string {
	in := &sqs.GetQueueAttributesInput{QueueUrl: &url}
	for _, n := range names {
		in.AttributeNames = append(in.AttributeNames, types.QueueAttributeName(n))
	}
	out, err := s.sqs.GetQueueAttributes(s.Context(), in)
	if err != nil {
		return outcome(err)
	}
	return pairs(out.Attributes)
}

// numbers tells how many messages are in which state.
func (s *session) numbers(url string) string {
	a := must(s.sqs.GetQueueAttributes(s.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{"All"}}))(s).Attributes
	return fmt.Sprintf("%s waiting, %s in flight, %s delayed", a["ApproximateNumberOfMessages"], a["ApproximateNumberOfMessagesNotVisible"], a["ApproximateNumberOfMessagesDelayed"])
}

func pairs(m map[string]string) string {
	var list []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		list = append(list, k+"="+m[k])
	}
	return strings.Join(list, " ")
}

func unpaired(list []string) map[string]string {
	m := map[string]string{}
	for _, p := range list {
		k, v, _ := strings.Cut(p, "=")
		m[k] = v
	}
	return m
}

// pass lets time pass, which in a bubble takes none.
func (s *session) pass(d time.Duration) {
	s.Helper()
	select {
	case <-time.After(d):
	case <-s.Context().Done():
		s.Fatal(context.Cause(s.Context()))
	}
}

// send sends messages; in a FIFO queue "group:body" has a group, and is its own deduplication ID.
func (s *session) send(url string, bodies ...string) {
	s.Helper()
	for _, body := range bodies {
		must(s.sqs.SendMessage(s.Context(), message(url, body)))(s)
	}
}

func message(url, body string) *sqs.SendMessageInput {
	in := &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &body}
	if strings.HasSuffix(url, ".fifo") {
		group, _, _ := strings.Cut(body, ":")
		in.MessageGroupId, in.MessageDeduplicationId = &group, &body
	}
	return in
}

// receive receives up to n messages, and waits for the first of them.
func (s *session) receive(url string, n int32, changes ...func(*sqs.ReceiveMessageInput)) []types.Message {
	s.Helper()
	in := &sqs.ReceiveMessageInput{
		QueueUrl: &url, MaxNumberOfMessages: n, WaitTimeSeconds: 1,
		MessageAttributeNames: []string{"All"}, MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"},
	}
	for _, change := range changes {
		change(in)
	}
	return must(s.sqs.ReceiveMessage(s.Context(), in))(s).Messages
}

// one receives one message, which must be there.
func (s *session) one(url string, changes ...func(*sqs.ReceiveMessageInput)) types.Message {
	s.Helper()
	got := s.receive(url, 1, append([]func(*sqs.ReceiveMessageInput){func(in *sqs.ReceiveMessageInput) { in.WaitTimeSeconds = 5 }}, changes...)...)
	if len(got) == 0 {
		s.Fatal("received nothing")
	}
	return got[0]
}

func hiddenFor(seconds int32) func(*sqs.ReceiveMessageInput) {
	return func(in *sqs.ReceiveMessageInput) { in.VisibilityTimeout = seconds }
}

// got tells the bodies of messages, in their order.
func got(messages []types.Message) string {
	var list []string
	for _, m := range messages {
		list = append(list, *m.Body)
	}
	if list == nil {
		return "nothing"
	}
	return strings.Join(list, ", ")
}

func (s *session) deleteMessage(url string, handle *string) error {
	_, err := s.sqs.DeleteMessage(s.Context(), &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: handle})
	return err
}

func (s *session) changeVisibility(url string, handle *string, seconds int32) error {
	_, err := s.sqs.ChangeMessageVisibility(s.Context(), &sqs.ChangeMessageVisibilityInput{QueueUrl: &url, ReceiptHandle: handle, VisibilityTimeout: seconds})
	return err
}
