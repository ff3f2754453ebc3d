package guide

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	queue "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// A Worker books orders from a queue, one unit each, into a table: every order once, however often it is delivered.
type Worker struct {
	SQS      *sqs.Client
	DynamoDB *dynamodb.Client
	Queue    string // URL
	Table    string
}

// Run works until ctx ends.
func (w *Worker) Run(ctx context.Context) {
	for ctx.Err() == nil {
		got, err := w.SQS.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: &w.Queue, MaxNumberOfMessages: 10, WaitTimeSeconds: 20, VisibilityTimeout: 30,
		})
		if err != nil {
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
			continue
		}
		for _, m := range got.Messages {
			if w.book(ctx, m) == nil {
				// If this fails the message comes again, and is found to be booked.
				_, _ = w.SQS.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &w.Queue, ReceiptHandle: m.ReceiptHandle})
			}
		}
	}
}

// book adds one to the total and notes the order, both or none.
func (w *Worker) book(ctx context.Context, m queue.Message) error {
	_, err := w.DynamoDB.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []ddb.TransactWriteItem{
		{Put: &ddb.Put{
			TableName: &w.Table, Item: map[string]ddb.AttributeValue{"id": &ddb.AttributeValueMemberS{Value: "order " + *m.Body}},
			ConditionExpression: aws.String("attribute_not_exists(id)"),
		}},
		{Update: &ddb.Update{
			TableName: &w.Table, Key: map[string]ddb.AttributeValue{"id": &ddb.AttributeValueMemberS{Value: "total"}},
			UpdateExpression: aws.String("ADD orders :one"), ExpressionAttributeValues: map[string]ddb.AttributeValue{":one": &ddb.AttributeValueMemberN{Value: "1"}},
		}},
	}})
	var canceled *ddb.TransactionCanceledException
	if errors.As(err, &canceled) && aws.ToString(canceled.CancellationReasons[0].Code) == "ConditionalCheckFailed" {
		return nil // it is booked already
	}
	return err
}
