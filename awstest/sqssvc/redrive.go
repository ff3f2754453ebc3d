package sqssvc

import (
	"cmp"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/sqsmodel"
)

func (s *service) addRedrive(e *awstest.Endpoint) {
	awstest.Handle(e, s.listDeadLetterSourceQueues, "QueueUrl", "MaxResults", "NextToken")
	awstest.Handle(e, s.startMessageMoveTask, "SourceArn", "DestinationArn", "MaxNumberOfMessagesPerSecond")
	awstest.Handle(e, s.cancelMessageMoveTask, "TaskHandle")
	awstest.Handle(e, s.listMessageMoveTasks, "SourceArn", "MaxResults")
}

func (s *service) listDeadLetterSourceQueues(_ *awstest.Tx, call *awstest.Call, in *sqs.ListDeadLetterSourceQueuesInput) (*sqs.ListDeadLetterSourceQueuesOutput, error) {
	r := s.region(call)
	v, err := r.View(call.At, aws.ToString(in.QueueUrl))
	if err != nil {
		return nil, err
	}
	urls, next, err := page(r.Sources(call.At, v), in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	return &sqs.ListDeadLetterSourceQueuesOutput{QueueUrls: urls, NextToken: next}, nil
}

func (s *service) startMessageMoveTask(tx *awstest.Tx, call *awstest.Call, in *sqs.StartMessageMoveTaskInput) (*sqs.StartMessageMoveTaskOutput, error) {
	rate := 0
	if in.MaxNumberOfMessagesPerSecond != nil {
		rate = cmp.Or(int(*in.MaxNumberOfMessagesPerSecond), -1) // zero is no rate
	}
	t, err := s.region(call).StartTask(tx, aws.ToString(in.SourceArn), aws.ToString(in.DestinationArn), rate)
	if err != nil {
		return nil, err
	}
	return &sqs.StartMessageMoveTaskOutput{TaskHandle: aws.String(t.Handle)}, nil
}

func (s *service) cancelMessageMoveTask(tx *awstest.Tx, call *awstest.Call, in *sqs.CancelMessageMoveTaskInput) (*sqs.CancelMessageMoveTaskOutput, error) {
	t, err := s.region(call).CancelTask(tx, aws.ToString(in.TaskHandle))
	if err != nil {
		return nil, err
	}
	return &sqs.CancelMessageMoveTaskOutput{ApproximateNumberOfMessagesMoved: int64(t.Moved)}, nil
}

func (s *service) listMessageMoveTasks(tx *awstest.Tx, call *awstest.Call, in *sqs.ListMessageMoveTasksInput) (*sqs.ListMessageMoveTasksOutput, error) {
	limit := 1
	if in.MaxResults != nil {
		limit = int(*in.MaxResults)
	}
	tasks, err := s.region(call).Tasks(tx, aws.ToString(in.SourceArn), limit)
	if err != nil {
		return nil, err
	}
	out := &sqs.ListMessageMoveTasksOutput{}
	for _, t := range tasks {
		out.Results = append(out.Results, showTask(t))
	}
	return out, nil
}

func showTask(t *sqsmodel.Task) types.ListMessageMoveTasksResultEntry {
	e := types.ListMessageMoveTasksResultEntry{
		ApproximateNumberOfMessagesMoved: int64(t.Moved), ApproximateNumberOfMessagesToMove: aws.Int64(int64(t.ToMove)),
		SourceArn: aws.String(t.Source.ARN()), DestinationArn: nonEmpty(t.Target), FailureReason: nonEmpty(t.Failure),
		StartedTimestamp: t.Started.UnixMilli(), Status: aws.String(t.Status),
	}
	if t.Rate != 0 {
		e.MaxNumberOfMessagesPerSecond = aws.Int32(int32(t.Rate))
	}
	if t.Status == sqsmodel.Running {
		e.TaskHandle = aws.String(t.Handle)
	}
	return e
}
