package queueworkerotel_test

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/sqssvc"
	"github.com/awsha/awsha/otel/queueworkerotel"
	"github.com/awsha/awsha/queueworker"
)

func ExampleNew() {
	ctx := context.Background()
	cloud, err := awstest.New([]awstest.Service{sqssvc.New()})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer cloud.Close()
	client := sqs.NewFromConfig(cloud.Config("us-east-1"))
	queue, err := client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("orders")})
	if err != nil {
		fmt.Println(err)
		return
	}
	spans := tracetest.NewInMemoryExporter()
	tracers := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	telemetry, err := queueworkerotel.New(*queue.QueueUrl, func(o *queueworkerotel.Options) { o.TracerProvider = tracers })
	if err != nil {
		fmt.Println(err)
		return
	}

	// The sender.
	sending, span := tracers.Tracer("shop").Start(ctx, "checkout")
	_, err = client.SendMessage(sending, &sqs.SendMessageInput{
		QueueUrl: queue.QueueUrl, MessageBody: aws.String("order 7"), MessageAttributes: telemetry.Inject(sending, nil),
	})
	span.End()
	if err != nil {
		fmt.Println(err)
		return
	}

	// The worker.
	ctx, stop := context.WithCancel(ctx)
	handler := queueworker.HandlerFunc(func(context.Context, *queueworker.Message) error {
		stop()
		return nil
	})
	worker, err := queueworker.New(telemetry.API(client), *queue.QueueUrl, handler, telemetry.Configure, func(o *queueworker.Options) {
		o.CancelReceives = true
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := worker.Run(ctx); err != nil {
		fmt.Println(err)
		return
	}

	for _, s := range spans.GetSpans() {
		if s.Name == "process orders" {
			fmt.Println(s.Name, "is linked to the checkout:", s.Links[0].SpanContext.TraceID() == span.SpanContext().TraceID())
		}
	}
	// Output: process orders is linked to the checkout: true
}
