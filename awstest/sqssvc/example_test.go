package sqssvc_test

import (
	"context"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/sqssvc"
)

// A real client sends a message, receives it and deletes it.
func ExampleNew() {
	ctx := context.Background()
	cloud, err := awstest.New([]awstest.Service{sqssvc.New()})
	if err != nil {
		log.Fatal(err)
	}
	defer cloud.Close()
	client := sqs.NewFromConfig(cloud.Config("us-east-1"))

	queue, err := client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("jobs")})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: queue.QueueUrl, MessageBody: aws.String("hello")}); err != nil {
		log.Fatal(err)
	}
	out, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: queue.QueueUrl, WaitTimeSeconds: 20})
	if err != nil {
		log.Fatal(err)
	}
	for _, m := range out.Messages {
		fmt.Println(*m.Body)
		if _, err := client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: queue.QueueUrl, ReceiptHandle: m.ReceiptHandle}); err != nil {
			log.Fatal(err)
		}
	}
	// Output: hello
}

// Half of a batch fails, as it may at any time: the call itself succeeds.
func ExampleFailEntries() {
	ctx := context.Background()
	cloud, err := awstest.New([]awstest.Service{sqssvc.New()})
	if err != nil {
		log.Fatal(err)
	}
	defer cloud.Close()
	client := sqs.NewFromConfig(cloud.Config("us-east-1"))
	queue, err := client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("jobs")})
	if err != nil {
		log.Fatal(err)
	}
	heal, err := cloud.Inject(
		awstest.Match{Service: sqs.ServiceID, Operation: "SendMessageBatch", Times: 1},
		sqssvc.FailEntries("InternalError", false, func(i int, _ string) bool { return i == 0 }),
	)
	if err != nil {
		log.Fatal(err)
	}
	defer heal()

	out, err := client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: queue.QueueUrl, Entries: []types.SendMessageBatchRequestEntry{
		{Id: aws.String("first"), MessageBody: aws.String("a")},
		{Id: aws.String("second"), MessageBody: aws.String("b")},
	}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("sent:", *out.Successful[0].Id)
	fmt.Println("failed:", *out.Failed[0].Id, *out.Failed[0].Code)
	// Output:
	// sent: second
	// failed: first InternalError
}
