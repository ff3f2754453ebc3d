package queueworker

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

//go:generate go tool -modfile=../internal/tools/go.mod moq -rm -out queueworkermock/queueworkermock.go -pkg queueworkermock . API Handler Store ScalerAPI

// API is what the package calls of SQS; *sqs.Client is one. Implementations are safe for concurrent use, end a call when its
// context ends, and return errors in the SDK's form.
//
// Give the worker a client of its own: the SDK's retryer has one budget of repetitions for each client, which others would use up.
type API interface {
	// ReceiveMessage needs sqs:ReceiveMessage. Wait time and visibility timeout are always set. The SDK's check of digests is off:
	// it throws nine good messages away with one bad one. The worker makes that check for each message.
	ReceiveMessage(ctx context.Context, params *sqs.ReceiveMessageInput, optFns ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error)

	// DeleteMessageBatch needs sqs:DeleteMessage.
	DeleteMessageBatch(ctx context.Context, params *sqs.DeleteMessageBatchInput, optFns ...func(*sqs.Options)) (*sqs.DeleteMessageBatchOutput, error)

	// ChangeMessageVisibilityBatch needs sqs:ChangeMessageVisibility.
	ChangeMessageVisibilityBatch(ctx context.Context, params *sqs.ChangeMessageVisibilityBatchInput, optFns ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityBatchOutput, error)

	// GetQueueAttributes needs sqs:GetQueueAttributes. It is called once by Run, for the redrive policy and the kind of the queue.
	GetQueueAttributes(ctx context.Context, params *sqs.GetQueueAttributesInput, optFns ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error)

	// GetQueueUrl needs sqs:GetQueueUrl on the dead-letter queue. It is called once, when the first message is to go there and
	// Options.DeadLetterURL is empty.
	GetQueueUrl(ctx context.Context, params *sqs.GetQueueUrlInput, optFns ...func(*sqs.Options)) (*sqs.GetQueueUrlOutput, error)

	// SendMessageBatch needs sqs:SendMessage on the dead-letter queue. It is called for messages that a handler or a decoder gives up.
	SendMessageBatch(ctx context.Context, params *sqs.SendMessageBatchInput, optFns ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error)
}

var _ API = (*sqs.Client)(nil)
