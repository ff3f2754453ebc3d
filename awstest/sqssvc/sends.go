package sqssvc

import (
	"bytes"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/sqsmodel"
)

func (s *service) addSends(e *awstest.Endpoint) {
	awstest.Handle(e, s.sendMessage, "QueueUrl", "MessageBody", "DelaySeconds", "MessageAttributes", "MessageDeduplicationId",
		"MessageGroupId", "MessageSystemAttributes")
	awstest.Handle(e, s.sendMessageBatch, "QueueUrl", "Entries")
}

func (s *service) sendMessage(tx *awstest.Tx, call *awstest.Call, in *sqs.SendMessageInput) (*sqs.SendMessageOutput, error) {
	q, err := s.queue(tx, call, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	entry, err := readEntry(call, &types.SendMessageBatchRequestEntry{
		MessageBody: in.MessageBody, DelaySeconds: in.DelaySeconds, MessageAttributes: in.MessageAttributes,
		MessageDeduplicationId: in.MessageDeduplicationId, MessageGroupId: in.MessageGroupId, MessageSystemAttributes: in.MessageSystemAttributes,
	})
	if err != nil {
		return nil, err
	}
	sent, err := q.Send(tx, entry)
	if err != nil {
		return nil, err
	}
	s.model.Settle(tx)
	r := showSent(nil, entry, sent)
	return &sqs.SendMessageOutput{
		MessageId: r.MessageId, SequenceNumber: r.SequenceNumber, MD5OfMessageBody: r.MD5OfMessageBody,
		MD5OfMessageAttributes: r.MD5OfMessageAttributes, MD5OfMessageSystemAttributes: r.MD5OfMessageSystemAttributes,
	}, nil
}

func (s *service) sendMessageBatch(tx *awstest.Tx, call *awstest.Call, in *sqs.SendMessageBatchInput) (*sqs.SendMessageBatchOutput, error) {
	q, err := s.queue(tx, call, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	if err := checkBatch(in.Entries, func(e *types.SendMessageBatchRequestEntry) *string { return e.Id }); err != nil {
		return nil, err
	}
	var size int
	entries := make([]*sqsmodel.Entry, len(in.Entries))
	for i := range in.Entries {
		if entries[i], err = readEntry(call, &in.Entries[i]); err != nil {
			return nil, err
		}
		size += entries[i].Size()
		if missing := q.Missing(entries[i]); missing != nil {
			return nil, awstest.Errorf("InvalidParameterValue", "%s", missing.Message)
		}
	}
	if size > sqsmodel.MaxMessage {
		return nil, awstest.Errorf("AWS.SimpleQueueService.BatchRequestTooLong", "Batch requests cannot be longer than %d bytes. You have sent %d bytes.", sqsmodel.MaxMessage, size)
	}
	out := &sqs.SendMessageBatchOutput{}
	faults := awstest.Specials[failEntries](call)
	for i, entry := range entries {
		id := in.Entries[i].Id
		sent, err := sqsmodel.Sent{}, injected(faults, i, id)
		if err == nil {
			sent, err = q.Send(tx, entry)
		}
		if err != nil {
			out.Failed = append(out.Failed, failed(id, err))
		} else {
			out.Successful = append(out.Successful, showSent(id, entry, sent))
		}
	}
	s.model.Settle(tx)
	return out, nil
}

// readEntry reads a message that is to be sent.
func readEntry(call *awstest.Call, in *types.SendMessageBatchRequestEntry) (*sqsmodel.Entry, error) {
	e := &sqsmodel.Entry{
		Body: aws.ToString(in.MessageBody), Delay: in.DelaySeconds,
		Group: aws.ToString(in.MessageGroupId), Dedup: aws.ToString(in.MessageDeduplicationId),
		Sender: sender(call),
	}
	for name, v := range in.MessageAttributes {
		if v.StringListValues != nil || v.BinaryListValues != nil {
			return nil, awstest.Errorf("AWS.SimpleQueueService.UnsupportedOperation", "Message attribute list values in SendMessage operation are not supported.")
		}
		e.Attributes = append(e.Attributes, sqsmodel.Attribute{Name: name, Type: aws.ToString(v.DataType), Text: aws.ToString(v.StringValue), Binary: bytes.Clone(v.BinaryValue)})
	}
	for name, v := range in.MessageSystemAttributes {
		if name != string(types.MessageSystemAttributeNameForSendsAWSTraceHeader) {
			return nil, awstest.Errorf("InvalidParameterValue", "Message system attribute name '%s' is invalid.", name)
		}
		e.Trace = &sqsmodel.Attribute{Name: name, Type: aws.ToString(v.DataType), Text: aws.ToString(v.StringValue)}
	}
	sqsmodel.SortAttributes(e.Attributes)
	return e, nil
}

// sender is the ID of the user or the role that sends: instances have a role.
// The user is the one of AWS's examples.
func sender(call *awstest.Call) string {
	if call.Caller != nil {
		return "AROACKCEVSQ6C2EXAMPLE:" + call.Caller.ID()
	}
	return "AIDACKCEVSQ6C2EXAMPLE"
}

func showSent(id *string, e *sqsmodel.Entry, sent sqsmodel.Sent) types.SendMessageBatchResultEntry {
	r := types.SendMessageBatchResultEntry{
		MessageId: aws.String(sent.ID), SequenceNumber: nonEmpty(sent.Sequence), MD5OfMessageBody: aws.String(sqsmodel.MD5(e.Body)),
		MD5OfMessageAttributes: nonEmpty(sqsmodel.MD5OfAttributes(e.Attributes)),
	}
	if id != nil {
		r.Id = aws.String(*id)
	}
	if e.Trace != nil {
		r.MD5OfMessageSystemAttributes = aws.String(sqsmodel.MD5OfAttributes([]sqsmodel.Attribute{*e.Trace}))
	}
	return r
}

func nonEmpty(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
