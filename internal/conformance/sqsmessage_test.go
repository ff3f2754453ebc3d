package conformance_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html (read 2026-11)
var messageScenarios = []scenario{
	{
		name: "a message is sent, received and deleted",
		run: func(s *session) {
			q := s.queue("jobs")
			sent := must(s.sqs.SendMessage(s.Context(), &sqs.SendMessageInput{
				QueueUrl: &q, MessageBody: aws.String("test"),
				MessageAttributes: map[string]types.MessageAttributeValue{
					"Help.Me": value("String", "Me"), "Hello": value("String", "There"), "General": value("String", "Kenobi"),
				},
				MessageSystemAttributes: map[string]types.MessageSystemAttributeValue{"AWSTraceHeader": {
					DataType: aws.String("String"), StringValue: aws.String("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"),
				}},
			}))(s)
			s.call(*sent.MessageId, "ID")
			s.is("digest of the body", *sent.MD5OfMessageBody, "098f6bcd4621d373cade4e832627b4f6")
			s.is("digest of the attributes", told(sent.MD5OfMessageAttributes), "4c360f3fdafd970e05fae2f149d997f5")
			s.is("digest of the system attributes", told(sent.MD5OfMessageSystemAttributes), "5ae4d5d7636402d80f4eb6d213245a88")
			s.is("sequence number", told(sent.SequenceNumber), told(nil))
			s.shows("sent", "1 waiting, 0 in flight, 0 delayed", func() string { return s.numbers(q) })
			m := s.one(q)
			s.is("received", *m.MessageId+" "+*m.Body+" "+*m.MD5OfBody, "ID test 098f6bcd4621d373cade4e832627b4f6")
			s.is("its attributes", told(m.MD5OfMessageAttributes)+" "+fmt.Sprint(len(m.MessageAttributes)), "4c360f3fdafd970e05fae2f149d997f5 3")
			s.is("its trace header", m.Attributes["AWSTraceHeader"], "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1")
			s.is("times received", m.Attributes["ApproximateReceiveCount"], "1")
			s.shows("in flight", "0 waiting, 1 in flight, 0 delayed", func() string { return s.numbers(q) })
			s.is("received by others", got(s.receive(q, 10)), "nothing")
			s.accepted("deleting", s.deleteMessage(q, m.ReceiptHandle))
			s.shows("deleted", "0 waiting, 0 in flight, 0 delayed", func() string { return s.numbers(q) })
			s.accepted("deleting again", s.deleteMessage(q, m.ReceiptHandle))
			s.refused("deleting by what is no handle", s.deleteMessage(q, aws.String("garbage")), "ReceiptHandleIsInvalid")
		},
		differs: []difference{
			{on: motoName, at: "digest of the system attributes", does: "none"},
		},
	},
	{
		name: "a receive shows what it asks for",
		run: func(s *session) {
			q := s.queue("jobs", "VisibilityTimeout=0")
			must(s.sqs.SendMessage(s.Context(), &sqs.SendMessageInput{QueueUrl: &q, MessageBody: aws.String("msg"), MessageAttributes: map[string]types.MessageAttributeValue{
				"Help.Me": value("String", "Me"), "Hello": value("String", "There"), "General": value("String", "Kenobi"),
			}}))(s)
			for _, c := range []struct{ asked, want string }{
				{"All", "4c360f3fdafd970e05fae2f149d997f5"}, {".*", "4c360f3fdafd970e05fae2f149d997f5"}, {"Hello General", "fca026605781cb4126a1e9044df24232"},
				{"Foo Hello", "a311262e065454b75da111d535b8dacd"}, {"Hel.*", "83fee93c1bcd8b9a5a923ffacdc636c7"}, {"Foo Help", told(nil)},
			} {
				m := s.one(q, func(in *sqs.ReceiveMessageInput) { in.MessageAttributeNames = strings.Fields(c.asked) })
				s.is("digest of "+c.asked, told(m.MD5OfMessageAttributes), c.want)
			}
			m := s.one(q, func(in *sqs.ReceiveMessageInput) { in.MessageSystemAttributeNames, in.MessageAttributeNames = nil, nil })
			s.is("asked for nothing", fmt.Sprint(len(m.Attributes), len(m.MessageAttributes)), "0 0")
			for at, change := range map[string]func(*sqs.ReceiveMessageInput){
				"eleven messages":        func(in *sqs.ReceiveMessageInput) { in.MaxNumberOfMessages = 11 },
				"a wait of 21 seconds":   func(in *sqs.ReceiveMessageInput) { in.WaitTimeSeconds = 21 },
				"more than twelve hours": hiddenFor(43201),
			} {
				in := &sqs.ReceiveMessageInput{QueueUrl: &q}
				change(in)
				_, err := s.sqs.ReceiveMessage(s.Context(), in)
				s.refused(at, err, badParameter)
			}
		},
	},
	{
		name: "messages have rules",
		run: func(s *session) {
			q := s.queue("jobs", "MaximumMessageSize=1024")
			send := func(body string, attributes map[string]types.MessageAttributeValue) error {
				_, err := s.sqs.SendMessage(s.Context(), &sqs.SendMessageInput{QueueUrl: &q, MessageBody: &body, MessageAttributes: attributes})
				return err
			}
			one := func(name string, v types.MessageAttributeValue) map[string]types.MessageAttributeValue {
				return map[string]types.MessageAttributeValue{name: v}
			}
			many := map[string]types.MessageAttributeValue{}
			for n := range 11 {
				many[fmt.Sprint("a", n)] = value("String", "x")
			}
			s.accepted("1 KiB", send(strings.Repeat("x", 1024), nil))
			s.refused("more than 1 KiB", send(strings.Repeat("x", 1025), nil), badParameter)
			s.refused("an attribute that makes it longer", send(strings.Repeat("x", 1020), one("k", value("String", "x"))), badParameter)
			s.refused("an empty body", send("", nil), "MissingParameter", badParameter)
			s.refused("a control character", send("\x01", nil), "InvalidMessageContents")
			s.refused("eleven attributes", send("x", many), badParameter)
			s.refused("an empty value", send("x", one("k", value("String", ""))), badParameter)
			s.refused("an unknown type", send("x", one("k", value("Colour", "red"))), badParameter)
			s.refused("a number that is none", send("x", one("k", value("Number", "one"))), badParameter)
			s.refused("a name of AWS", send("x", one("AWS.x", value("String", "x"))), badParameter)
			s.refused("a name with a space", send("x", one("a b", value("String", "x"))), badParameter)
			s.accepted("a label", send("x", one("k", value("Number.int", "1"))))
			_, err := s.sqs.SendMessage(s.Context(), &sqs.SendMessageInput{QueueUrl: &q, MessageBody: aws.String("x"), DelaySeconds: 901})
			s.refused("a delay beyond 15 minutes", err, badParameter)
			_, err = s.sqs.SendMessage(s.Context(), &sqs.SendMessageInput{QueueUrl: &q, MessageBody: aws.String("x"), MessageDeduplicationId: aws.String("x")})
			s.refused("a deduplication ID", err, badParameter)
			_, err = s.sqs.SendMessage(s.Context(), &sqs.SendMessageInput{QueueUrl: &q, MessageBody: aws.String("x"), MessageGroupId: aws.String("x")})
			s.accepted("a group", err)
		},
		differs: []difference{
			{on: motoName, at: "an attribute that makes it longer", does: "accepted"},
			{on: motoName, at: "an empty body", does: "accepted"},
			{on: motoName, at: "a control character", does: "accepted"},
			{on: motoName, at: "eleven attributes", does: "accepted"},
			{on: motoName, at: "an empty value", does: "accepted"},
			{on: motoName, at: "a number that is none", does: "accepted"},
			{on: motoName, at: "a name of AWS", does: "accepted"},
			{on: motoName, at: "a deduplication ID", does: "accepted"},
		},
	},
	{
		name: "a message is delayed",
		run: func(s *session) {
			q := s.queue("jobs")
			must(s.sqs.SendMessage(s.Context(), &sqs.SendMessageInput{QueueUrl: &q, MessageBody: aws.String("later"), DelaySeconds: 2}))(s)
			s.shows("at first", "0 waiting, 0 in flight, 1 delayed", func() string { return s.numbers(q) })
			s.is("received at first", got(s.receive(q, 1)), "nothing")
			s.is("received then", got(s.receive(q, 1, func(in *sqs.ReceiveMessageInput) { in.WaitTimeSeconds = 5 })), "later")
		},
	},
	{
		name: "a long poll ends with a message",
		run: func(s *session) {
			q := s.queue("jobs", "ReceiveMessageWaitTimeSeconds=20")
			type answer struct {
				got   string
				after time.Duration
			}
			answers := make(chan answer, 1)
			go func() {
				start := time.Now()
				out, err := s.sqs.ReceiveMessage(s.Context(), &sqs.ReceiveMessageInput{QueueUrl: &q})
				if err != nil {
					answers <- answer{outcome(err), 0}
					return
				}
				answers <- answer{got(out.Messages), time.Since(start)}
			}()
			s.pass(time.Second)
			s.send(q, "a")
			a := <-answers
			s.is("the poll", a.got, "a")
			s.is("it took less than the wait", fmt.Sprint(a.after < 15*time.Second), "true")
		},
	},
	{
		name: "a batch fails in parts",
		run: func(s *session) {
			q := s.queue("jobs")
			batch := func(bodies ...string) (*sqs.SendMessageBatchOutput, error) {
				in := &sqs.SendMessageBatchInput{QueueUrl: &q, Entries: []types.SendMessageBatchRequestEntry{}}
				for i, body := range bodies {
					in.Entries = append(in.Entries, types.SendMessageBatchRequestEntry{Id: aws.String(fmt.Sprint("entry-", i)), MessageBody: &body})
				}
				return s.sqs.SendMessageBatch(s.Context(), in)
			}
			out := must(batch("a", "\x01", "c"))(s)
			s.is("successful", fmt.Sprint(len(out.Successful)), "2")
			s.is("failed", failures(out.Failed), "entry-1 InvalidMessageContents true")
			_, err := batch()
			s.refused("an empty one", err, "AWS.SimpleQueueService.EmptyBatchRequest")
			_, err = batch(strings.Split("abcdefghijk", "")...)
			s.refused("eleven entries", err, "AWS.SimpleQueueService.TooManyEntriesInBatchRequest")
			_, err = batch(strings.Repeat("x", 1<<20), "x")
			s.refused("more than 1 MiB", err, "AWS.SimpleQueueService.BatchRequestTooLong")
			for at, c := range map[string][]string{"the same ID twice": {"a", "a", "BatchEntryIdsNotDistinct"}, "an ID with a colon": {"a:b", "c", "InvalidBatchEntryId"}} {
				_, err := s.sqs.SendMessageBatch(s.Context(), &sqs.SendMessageBatchInput{QueueUrl: &q, Entries: []types.SendMessageBatchRequestEntry{
					{Id: &c[0], MessageBody: aws.String("x")}, {Id: &c[1], MessageBody: aws.String("x")},
				}})
				s.refused(at, err, "AWS.SimpleQueueService."+c[2])
			}

			first, second := s.one(q), s.one(q)
			hidden := must(s.sqs.ChangeMessageVisibilityBatch(s.Context(), &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &q, Entries: []types.ChangeMessageVisibilityBatchRequestEntry{
				{Id: aws.String("good"), ReceiptHandle: first.ReceiptHandle, VisibilityTimeout: 60},
				{Id: aws.String("bad"), ReceiptHandle: aws.String("garbage"), VisibilityTimeout: 60},
			}}))(s)
			s.is("changes of visibility", fmt.Sprint(len(hidden.Successful))+", "+failures(hidden.Failed), "1, bad ReceiptHandleIsInvalid true")
			deleted := must(s.sqs.DeleteMessageBatch(s.Context(), &sqs.DeleteMessageBatchInput{QueueUrl: &q, Entries: []types.DeleteMessageBatchRequestEntry{
				{Id: aws.String("good"), ReceiptHandle: first.ReceiptHandle},
				{Id: aws.String("bad"), ReceiptHandle: aws.String("garbage")},
				{Id: aws.String("too"), ReceiptHandle: second.ReceiptHandle},
			}}))(s)
			s.is("deletions", fmt.Sprint(len(deleted.Successful))+", "+failures(deleted.Failed), "2, bad ReceiptHandleIsInvalid true")
			s.shows("left", "0 waiting, 0 in flight, 0 delayed", func() string { return s.numbers(q) })
		},
		differs: []difference{
			{on: motoName, at: "successful", does: "3"},
			{on: motoName, at: "failed", does: "none"},
			{on: motoName, at: "left", does: "1 waiting, 0 in flight, 0 delayed"}, // what should have failed
		},
	},
}

func value(kind, text string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: &kind, StringValue: &text}
}

// failures tells the entries of a batch that failed.
func failures(failed []types.BatchResultErrorEntry) string {
	var list []string
	for _, e := range failed {
		list = append(list, fmt.Sprintf("%s %s %v", *e.Id, *e.Code, e.SenderFault))
	}
	if list == nil {
		return "none"
	}
	return strings.Join(list, ", ")
}
