package sqssvc

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/sqsmodel"
)

func (s *service) addReceive(e *awstest.Endpoint) {
	awstest.HandleLater(e, s.receiveMessage, "QueueUrl", "AttributeNames", "MaxNumberOfMessages", "MessageAttributeNames",
		"MessageSystemAttributeNames", "ReceiveRequestAttemptId", "VisibilityTimeout", "WaitTimeSeconds")
}

func (s *service) receiveMessage(tx *awstest.Tx, call *awstest.Call, in *sqs.ReceiveMessageInput, reply *awstest.Reply[sqs.ReceiveMessageOutput]) {
	q, err := s.queue(tx, call, in.QueueUrl)
	if err != nil {
		reply.Send(tx, nil, err)
		return
	}
	show := shown{
		system: systemNames(in), attributes: slices.Clone(in.MessageAttributeNames),
		corrupt: struckBy[corrupt](call),
	}
	set := q.Current()
	q.Receive(tx, &sqsmodel.Receive{
		Max: cmp.Or(int(in.MaxNumberOfMessages), 1),
		// The SDK does not send a zero: the queue's own values count.
		Visibility: cmp.Or(time.Duration(in.VisibilityTimeout)*time.Second, set.Visibility),
		Wait:       cmp.Or(time.Duration(in.WaitTimeSeconds)*time.Second, set.Wait),
		Attempt:    aws.ToString(in.ReceiveRequestAttemptId),
		Duplicate:  struckBy[duplicate](call),
		Miss:       struckBy[miss](call),
		Gone:       reply.Gone,
		Answer: func(tx *awstest.Tx, got []sqsmodel.Delivery, err error) {
			reply.Send(tx, show.messages(got), err)
		},
	})
	s.model.Settle(tx)
}

// shown is what a receive wants to see of messages.
type shown struct {
	system     []string // names of system attributes
	attributes []string // names, prefixes and wildcards
	corrupt    bool     // the first message is to be damaged
}

// systemNames returns the system attributes that are asked for, under the
// parameter's name of now or of old.
func systemNames(in *sqs.ReceiveMessageInput) (names []string) {
	for _, n := range in.MessageSystemAttributeNames {
		names = append(names, string(n))
	}
	for _, n := range in.AttributeNames { //nolint:staticcheck // deprecated, and still used
		names = append(names, string(n))
	}
	return names
}

func (s *shown) messages(got []sqsmodel.Delivery) *sqs.ReceiveMessageOutput {
	out := &sqs.ReceiveMessageOutput{}
	if len(got) > 0 {
		out.Messages = make([]types.Message, len(got))
	}
	for i := range got {
		out.Messages[i] = s.message(&got[i], s.corrupt && i == 0)
	}
	return out
}

func (s *shown) message(d *sqsmodel.Delivery, corrupted bool) types.Message {
	// Copies, since the caller may write into what it gets.
	text := &struct{ body, md5, id, handle, attributes string }{d.Body, d.MD5, d.ID, d.Handle, ""}
	if corrupted {
		text.body += " (damaged on the way)"
	}
	m := types.Message{Body: &text.body, MD5OfBody: &text.md5, MessageId: &text.id, ReceiptHandle: &text.handle, Attributes: s.systemAttributes(d)}
	if len(d.Attributes) == 0 || len(s.attributes) == 0 {
		return m
	}
	var selected []sqsmodel.Attribute
	for _, a := range d.Attributes {
		if !slices.ContainsFunc(s.attributes, func(wanted string) bool { return matches(a.Name, wanted) }) {
			continue
		}
		selected = append(selected, a)
		v := types.MessageAttributeValue{DataType: aws.String(a.Type), StringValue: nonEmpty(a.Text), BinaryValue: bytes.Clone(a.Binary)}
		if m.MessageAttributes == nil {
			m.MessageAttributes = map[string]types.MessageAttributeValue{}
		}
		m.MessageAttributes[a.Name] = v
	}
	if text.attributes = sqsmodel.MD5OfAttributes(selected); text.attributes != "" {
		m.MD5OfMessageAttributes = &text.attributes
	}
	return m
}

// matches tells whether an attribute is asked for: by its name, by "prefix.*",
// or by one of the words for all.
func matches(name, wanted string) bool {
	if prefix, ok := strings.CutSuffix(wanted, ".*"); ok {
		return strings.HasPrefix(name, prefix)
	}
	return wanted == name || wanted == "All" || wanted == "*"
}

// systemAttributes returns those that are asked for and that the message has.
func (s *shown) systemAttributes(d *sqsmodel.Delivery) map[string]string {
	if len(s.system) == 0 {
		return nil
	}
	found := map[string]string{}
	for _, wanted := range s.system {
		for _, a := range systemAttributes {
			if wanted != string(a.name) && wanted != string(types.MessageSystemAttributeNameAll) {
				continue
			}
			if v := a.of(d); v != "" {
				found[string(a.name)] = v
			}
		}
	}
	if len(found) == 0 {
		return nil
	}
	return found
}

// systemAttributes are what SQS knows of a message; "" is not there.
var systemAttributes = []struct {
	name types.MessageSystemAttributeName
	of   func(*sqsmodel.Delivery) string
}{
	{types.MessageSystemAttributeNameSenderId, func(d *sqsmodel.Delivery) string { return d.Sender }},
	{types.MessageSystemAttributeNameSentTimestamp, func(d *sqsmodel.Delivery) string { return millis(d.Sent()) }},
	{types.MessageSystemAttributeNameApproximateReceiveCount, func(d *sqsmodel.Delivery) string { return strconv.Itoa(d.Receives) }},
	{types.MessageSystemAttributeNameApproximateFirstReceiveTimestamp, func(d *sqsmodel.Delivery) string { return millis(d.First) }},
	{types.MessageSystemAttributeNameSequenceNumber, func(d *sqsmodel.Delivery) string { return d.Sequence }},
	{types.MessageSystemAttributeNameMessageDeduplicationId, func(d *sqsmodel.Delivery) string { return d.Dedup }},
	{types.MessageSystemAttributeNameMessageGroupId, func(d *sqsmodel.Delivery) string { return d.Group }},
	{types.MessageSystemAttributeNameDeadLetterQueueSourceArn, func(d *sqsmodel.Delivery) string { return d.From }},
	{types.MessageSystemAttributeNameAWSTraceHeader, func(d *sqsmodel.Delivery) string {
		if d.Trace == nil {
			return ""
		}
		return d.Trace.Text
	}},
}

func millis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }
