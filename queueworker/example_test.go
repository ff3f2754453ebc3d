package queueworker_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/sqssvc"
	"github.com/awsha/awsha/queueworker"
)

// A service that works a queue off until it is told to stop.
func Example() { //nolint:testableexamples // needs an account
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	handler := queueworker.HandlerFunc(func(ctx context.Context, m *queueworker.Message) error {
		return ship(ctx, m.Body)
	})
	worker, err := queueworker.New(sqs.NewFromConfig(cfg), "https://sqs.eu-north-1.amazonaws.com/123456789012/shipments", handler,
		func(o *queueworker.Options) { o.Concurrency = 50 })
	if err != nil {
		fmt.Println(err)
		return
	}
	http.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) {
		if err := worker.Healthy(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	})
	var left *queueworker.DrainError
	switch err := worker.Run(ctx); {
	case errors.As(err, &left):
		fmt.Println(len(left.Abandoned), "handlers did not end; their messages come back")
	case errors.Is(err, queueworker.ErrQueueNotFound), errors.Is(err, queueworker.ErrAccessDenied):
		fmt.Println("a mistake in the deployment:", err)
	}
}

func ship(context.Context, string) error { return nil }

// exampleQueue makes a queue with messages in an SQS in memory.
func exampleQueue(bodies ...string) (client *sqs.Client, url string, end func()) {
	cloud, err := awstest.New([]awstest.Service{sqssvc.New()})
	if err != nil {
		panic(err)
	}
	client = sqs.NewFromConfig(cloud.Config("eu-north-1"))
	queue, err := client.CreateQueue(context.Background(), &sqs.CreateQueueInput{QueueName: aws.String("shipments")})
	if err != nil {
		panic(err)
	}
	for i := range bodies {
		if _, err := client.SendMessage(context.Background(), &sqs.SendMessageInput{QueueUrl: queue.QueueUrl, MessageBody: &bodies[i]}); err != nil {
			panic(err)
		}
	}
	return client, *queue.QueueUrl, func() { _ = cloud.Close() }
}

// What a handler returns decides what becomes of the message.
func ExampleWorker_Run() {
	client, url, end := exampleQueue("book", "unknown", "lamp")
	defer end()
	var handled atomic.Int32
	ctx, cancel := context.WithCancel(context.Background())
	worker, err := queueworker.New(client, url, queueworker.HandlerFunc(func(_ context.Context, m *queueworker.Message) error {
		if handled.Add(1) == 3 {
			cancel() // the worker drains
		}
		if m.Body == "unknown" {
			return queueworker.Drop(errors.New("no such thing"))
		}
		return nil
	}), func(o *queueworker.Options) { o.CancelReceives = true })
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(worker.Run(ctx))
	s := worker.Stats()
	fmt.Println(s.Completed, "completed,", s.Dropped, "dropped")
	// Output:
	// <nil>
	// 2 completed, 1 dropped
}

// Every mistake is told at once.
func ExampleNew() {
	client, _, end := exampleQueue()
	defer end()
	_, err := queueworker.New(client, "shipments", nil, func(o *queueworker.Options) {
		o.Visibility = 1500 * time.Millisecond
		o.WaitTime = time.Minute
	})
	fmt.Println(err)
	// Output:
	// queueworker: handler: must not be nil
	// queueworker: queueURL: shipments must be the URL of a queue
	// queueworker: Options.WaitTime: 1m0s must be whole seconds from 1s to 20s
	// queueworker: Options.Visibility: 1.5s must be whole seconds from 2s to 6h
}

// While what the handlers need is down, messages stay in the queue.
func ExampleWorker_Pause() {
	client, url, end := exampleQueue()
	defer end()
	var worker *queueworker.Worker
	worker, err := queueworker.New(client, url, queueworker.HandlerFunc(func(_ context.Context, _ *queueworker.Message) error {
		back, err := time.Now().Add(30*time.Second), errors.New("429 Too Many Requests")
		worker.Pause(back)
		return queueworker.RetryAfter(time.Until(back), err)
	}))
	fmt.Println(err, worker.Healthy())
	// Output: <nil> queueworker: the worker is not running
}

// Middleware is around handlers: here one that counts those that took long.
func ExampleMiddleware() {
	slow := 0
	watch := func(next queueworker.Handler) queueworker.Handler {
		return queueworker.HandlerFunc(func(ctx context.Context, m *queueworker.Message) error {
			began := time.Now()
			defer func() {
				if time.Since(began) > 10*time.Millisecond {
					slow++
				}
			}()
			return next.Handle(ctx, m)
		})
	}
	h := queueworker.Chain(queueworker.HandlerFunc(func(context.Context, *queueworker.Message) error {
		time.Sleep(20 * time.Millisecond)
		return nil
	}), watch)
	fmt.Println(h.Handle(context.Background(), &queueworker.Message{}), slow)
	// Output: <nil> 1
}
