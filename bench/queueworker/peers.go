package main

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	watermillsqs "github.com/ThreeDotsLabs/watermill-aws/sqs"
	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/awsha/awsha/queueworker"
	"gocloud.dev/pubsub/awssnssqs"
)

// A peer is one way to work a queue off, and the role of its process.
const (
	bare    = "bare"
	gocloud = "gocloud"
	ours    = "queueworker"
	mill    = "watermill"
)

// task is the same for all peers.
type task struct {
	URL        string
	Messages   int
	Slots      int
	Handler    time.Duration
	Visibility time.Duration
	Profile    string // file
}

// peers run until ctx ends and then stop in their own way. handle never fails.
var peers = map[string]func(ctx context.Context, cfg aws.Config, t task, handle func(body string)) error{
	bare: runBare, gocloud: runGocloud, ours: runOurs, mill: runWatermill,
}

// waitTime is how long receives wait for messages.
const waitTime = 20 * time.Second

// config is that of the clients of all peers: as many connections as are used are kept, and requests are signed.
func config(t task) aws.Config {
	return aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(t.URL[:len(t.URL)-len("/000000000000/bench")]),
		HTTPClient: awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) {
			tr.MaxIdleConns, tr.MaxIdleConnsPerHost = 1000, 1000
		}),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "bench", SecretAccessKey: "bench"}, nil
		}),
	}
}

func runOurs(ctx context.Context, cfg aws.Config, t task, handle func(string)) error {
	w, err := queueworker.New(sqs.NewFromConfig(cfg), t.URL,
		queueworker.HandlerFunc(func(_ context.Context, m *queueworker.Message) error {
			handle(m.Body)
			return nil
		}),
		func(o *queueworker.Options) {
			o.Concurrency, o.Visibility, o.WaitTime = t.Slots, t.Visibility, waitTime
		})
	if err != nil {
		return err
	}
	return w.Run(ctx)
}

// barePollers is enough for every scenario at 20 ms round trip.
const barePollers = 80

// runBare is what one would write by hand: no lease is extended, nothing is retried, and what was received when ctx ends is dropped.
func runBare(ctx context.Context, cfg aws.Config, t task, handle func(string)) error {
	client := sqs.NewFromConfig(cfg)
	messages, handled := make(chan types.Message), make(chan *string, 10*barePollers)
	batches := make(chan []types.DeleteMessageBatchRequestEntry, barePollers)
	var pollers, handlers, deleters sync.WaitGroup
	for range barePollers {
		pollers.Go(func() {
			for ctx.Err() == nil {
				out, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
					QueueUrl: &t.URL, MaxNumberOfMessages: 10, WaitTimeSeconds: int32(waitTime / time.Second),
					VisibilityTimeout: int32(t.Visibility / time.Second),
				})
				if err != nil {
					continue
				}
				for i := range out.Messages {
					select {
					case messages <- out.Messages[i]:
					case <-ctx.Done():
						return
					}
				}
			}
		})
		deleters.Go(func() {
			for batch := range batches {
				// Without a second attempt: what is not deleted comes again.
				_, _ = client.DeleteMessageBatch(context.WithoutCancel(ctx), &sqs.DeleteMessageBatchInput{QueueUrl: &t.URL, Entries: batch})
			}
		})
	}
	for range t.Slots {
		handlers.Go(func() {
			for m := range messages {
				handle(*m.Body)
				handled <- m.ReceiptHandle
			}
		})
	}
	deleters.Go(func() { batch(handled, batches) })
	pollers.Wait()
	close(messages)
	handlers.Wait()
	close(handled)
	deleters.Wait()
	return nil
}

var digits = [...]string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}

// batch makes batches of ten, or of what there is after 100 ms.
func batch(handled <-chan *string, batches chan<- []types.DeleteMessageBatchRequestEntry) {
	defer close(batches)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	var entries []types.DeleteMessageBatchRequestEntry
	flush := func() {
		if len(entries) > 0 {
			batches <- entries
			entries = nil
		}
	}
	for {
		select {
		case handle, ok := <-handled:
			if !ok {
				flush()
				return
			}
			entries = append(entries, types.DeleteMessageBatchRequestEntry{Id: &digits[len(entries)], ReceiptHandle: handle})
			if len(entries) == len(digits) {
				flush()
			}
		case <-tick.C:
			flush()
		}
	}
}

// runGocloud is the loop of its documentation.
func runGocloud(ctx context.Context, cfg aws.Config, t task, handle func(string)) error {
	subscription := awssnssqs.OpenSubscription(context.WithoutCancel(ctx), sqs.NewFromConfig(cfg), t.URL,
		&awssnssqs.SubscriptionOptions{Raw: true, WaitTime: waitTime})
	slots := make(chan struct{}, t.Slots)
	var handlers sync.WaitGroup
	for ctx.Err() == nil {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			continue
		}
		m, err := subscription.Receive(ctx)
		if err != nil {
			<-slots
			continue
		}
		handlers.Go(func() {
			handle(string(m.Body))
			m.Ack()
			<-slots
		})
	}
	handlers.Wait()
	return subscription.Shutdown(context.WithoutCancel(ctx))
}

// runWatermill subscribes once for each slot, since a subscription hands one message out at a time.
func runWatermill(ctx context.Context, cfg aws.Config, t task, handle func(string)) error {
	subscriber, err := watermillsqs.NewSubscriber(watermillsqs.SubscriberConfig{
		AWSConfig: cfg, DoNotCreateQueueIfNotExists: true,
		GenerateReceiveMessageInput: func(context.Context, watermillsqs.QueueURL) (*sqs.ReceiveMessageInput, error) {
			return &sqs.ReceiveMessageInput{
				QueueUrl: &t.URL, MaxNumberOfMessages: 10, WaitTimeSeconds: int32(waitTime / time.Second),
				VisibilityTimeout: int32(t.Visibility / time.Second),
			}, nil
		},
	}, watermill.NopLogger{})
	if err != nil {
		return err
	}
	var handlers sync.WaitGroup
	for range t.Slots {
		messages, err := subscriber.Subscribe(context.WithoutCancel(ctx), "bench")
		if err != nil {
			return err
		}
		handlers.Go(func() {
			for m := range messages {
				handle(string(m.Payload))
				m.Ack()
			}
		})
	}
	<-ctx.Done()
	err = subscriber.Close()
	handlers.Wait()
	return err
}
