package sqssvc

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/sqsmodel"
)

func (s *service) addLeases(e *awstest.Endpoint) {
	awstest.Handle(e, s.deleteMessage, "QueueUrl", "ReceiptHandle")
	awstest.Handle(e, s.deleteMessageBatch, "QueueUrl", "Entries")
	awstest.Handle(e, s.changeMessageVisibility, "QueueUrl", "ReceiptHandle", "VisibilityTimeout")
	awstest.Handle(e, s.changeMessageVisibilityBatch, "QueueUrl", "Entries")
}

func (s *service) deleteMessage(tx *awstest.Tx, call *awstest.Call, in *sqs.DeleteMessageInput) (*sqs.DeleteMessageOutput, error) {
	q, err := s.queue(tx, call, in.QueueUrl)
	if err == nil {
		err = remove(tx, call, q, in.ReceiptHandle)
	}
	if err != nil {
		return nil, err
	}
	s.model.Settle(tx)
	return &sqs.DeleteMessageOutput{}, nil
}

// remove deletes a message, unless an effect of the call keeps a copy.
func remove(tx *awstest.Tx, call *awstest.Call, q *sqsmodel.Queue, handle *string) error {
	if !q.FIFO() && struckBy[resurrect](call) {
		return q.CheckDelete(tx, aws.ToString(handle))
	}
	return q.Delete(tx, aws.ToString(handle))
}

func (s *service) deleteMessageBatch(tx *awstest.Tx, call *awstest.Call, in *sqs.DeleteMessageBatchInput) (*sqs.DeleteMessageBatchOutput, error) {
	q, err := s.queue(tx, call, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	if err := checkBatch(in.Entries, func(e *types.DeleteMessageBatchRequestEntry) *string { return e.Id }); err != nil {
		return nil, err
	}
	out := &sqs.DeleteMessageBatchOutput{}
	faults := awstest.Specials[failEntries](call)
	for i := range in.Entries {
		e := &in.Entries[i]
		err := injected(faults, i, e.Id)
		if err == nil {
			err = remove(tx, call, q, e.ReceiptHandle)
		}
		if err != nil {
			out.Failed = append(out.Failed, failed(e.Id, err))
		} else {
			out.Successful = append(out.Successful, types.DeleteMessageBatchResultEntry{Id: aws.String(*e.Id)})
		}
	}
	s.model.Settle(tx)
	return out, nil
}

func (s *service) changeMessageVisibility(tx *awstest.Tx, call *awstest.Call, in *sqs.ChangeMessageVisibilityInput) (*sqs.ChangeMessageVisibilityOutput, error) {
	q, err := s.queue(tx, call, in.QueueUrl)
	if err == nil {
		err = q.ChangeVisibility(tx, aws.ToString(in.ReceiptHandle), time.Duration(in.VisibilityTimeout)*time.Second)
	}
	if err != nil {
		return nil, err
	}
	s.model.Settle(tx)
	return &sqs.ChangeMessageVisibilityOutput{}, nil
}

func (s *service) changeMessageVisibilityBatch(tx *awstest.Tx, call *awstest.Call, in *sqs.ChangeMessageVisibilityBatchInput) (*sqs.ChangeMessageVisibilityBatchOutput, error) {
	q, err := s.queue(tx, call, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	if err := checkBatch(in.Entries, func(e *types.ChangeMessageVisibilityBatchRequestEntry) *string { return e.Id }); err != nil {
		return nil, err
	}
	out := &sqs.ChangeMessageVisibilityBatchOutput{}
	faults := awstest.Specials[failEntries](call)
	for i := range in.Entries {
		e := &in.Entries[i]
		err := injected(faults, i, e.Id)
		if err == nil {
			err = q.ChangeVisibility(tx, aws.ToString(e.ReceiptHandle), time.Duration(e.VisibilityTimeout)*time.Second)
		}
		if err != nil {
			out.Failed = append(out.Failed, failed(e.Id, err))
		} else {
			out.Successful = append(out.Successful, types.ChangeMessageVisibilityBatchResultEntry{Id: aws.String(*e.Id)})
		}
	}
	s.model.Settle(tx)
	return out, nil
}
