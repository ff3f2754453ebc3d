package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/sqssvc"
)

// place is a queue, and where it is.
type place struct {
	cfg    aws.Config
	client *sqs.Client // of the producer, and for looking; each worker has one of its own
	queue  string
	settle time.Duration // how long the queue's numbers may stand behind
	close  func(ctx context.Context, clean bool) error
}

// open returns the place that the flags name. Its close leaves nothing behind; clean says that nothing is in the queue.
func open(ctx context.Context, f flags) (*place, error) {
	switch {
	case f.aws:
		return openAWS(ctx, f)
	case f.endpoint != "":
		return openEmulator(ctx, f)
	}
	return openMemory(ctx, f.work.faults)
}

// latency is that of SQS in memory, about that of a call within a region.
const latency = 5 * time.Millisecond

func openMemory(ctx context.Context, faults bool) (*place, error) {
	cloud, err := awstest.New([]awstest.Service{sqssvc.New()}, func(o *awstest.Options) {
		o.Latency = latency
		o.CallLog = 1 // nobody reads it
	})
	if err != nil {
		return nil, err
	}
	p := &place{cfg: cloud.Config("us-east-1"), close: func(context.Context, bool) error { return cloud.Close() }}
	p.client = sqs.NewFromConfig(p.cfg)
	if err := p.create(ctx, "queue-workers"); err != nil {
		return nil, errors.Join(err, cloud.Close())
	}
	if faults {
		if err := disturb(cloud); err != nil {
			return nil, errors.Join(err, cloud.Close())
		}
	}
	return p, nil
}

// disturb lets some of the workers' calls fail, to the end.
func disturb(cloud *awstest.Cloud) error {
	every := func(k int) func(int, string) bool { return func(i int, _ string) bool { return i%k == 0 } }
	for _, fault := range []struct {
		operation   string
		probability float64
		effect      awstest.Effect
	}{
		{"ReceiveMessage", 0.01, awstest.Throttle()},
		{"ReceiveMessage", 0.002, awstest.LoseReply()}, // ten messages are leased to nobody
		{"DeleteMessageBatch", 0.02, awstest.Throttle()},
		{"DeleteMessageBatch", 0.02, awstest.LoseReply()},
		{"DeleteMessageBatch", 0.03, sqssvc.FailEntries("InternalError", false, every(3))},
		{"ChangeMessageVisibilityBatch", 0.05, awstest.Throttle()},
		{"ChangeMessageVisibilityBatch", 0.05, sqssvc.FailEntries("InternalError", false, every(2))},
	} {
		match := awstest.Match{Service: "SQS", Operation: fault.operation, Probability: fault.probability}
		if _, err := cloud.Inject(match, fault.effect); err != nil {
			return err
		}
	}
	return nil
}

func openEmulator(ctx context.Context, f flags) (*place, error) {
	p := &place{cfg: aws.Config{
		Region: regionOf(f), BaseEndpoint: &f.endpoint,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	}}
	p.client = sqs.NewFromConfig(p.cfg)
	p.close = func(ctx context.Context, _ bool) error {
		_, err := p.client.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: &p.queue})
		return err
	}
	if err := p.create(ctx, "awsha-queue-workers-"+newRun()); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *place) create(ctx context.Context, name string) error {
	out, err := p.client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name})
	if err == nil {
		p.queue = *out.QueueUrl
	}
	return err
}

func openAWS(ctx context.Context, f flags) (*place, error) {
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion(regionOf(f)))
	if err != nil {
		return nil, err
	}
	return occupy(ctx, cfg, f.queue, f.work.visibility)
}

// occupy returns a place at a queue of the user's.
func occupy(ctx context.Context, cfg aws.Config, queue string, visibility time.Duration) (*place, error) {
	p := &place{cfg: cfg, client: sqs.NewFromConfig(cfg), queue: queue, settle: time.Minute}
	n, err := p.count(ctx)
	if err != nil {
		return nil, err
	}
	if n.all() > 0 {
		return nil, fmt.Errorf("-queue: %d messages are in %s; it must be empty", n.all(), queue)
	}
	p.close = func(ctx context.Context, clean bool) error {
		if clean {
			return nil
		}
		return p.sweep(ctx, visibility)
	}
	return p, nil
}

// regionOf is the region of -region, of the queue, or us-east-1.
func regionOf(f flags) string {
	if f.region != "" {
		return f.region
	}
	if u, err := url.Parse(f.queue); err == nil {
		if parts := strings.Split(u.Hostname(), "."); len(parts) >= 4 && parts[0] == "sqs" {
			return parts[1]
		}
	}
	return "us-east-1"
}

// numbers are how many messages a queue has. They are approximate on AWS, and exact in memory.
type numbers struct{ visible, inFlight, delayed int }

func (n numbers) all() int { return n.visible + n.inFlight + n.delayed }

func (p *place) count(ctx context.Context) (numbers, error) {
	names := []types.QueueAttributeName{
		types.QueueAttributeNameApproximateNumberOfMessages,
		types.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
		types.QueueAttributeNameApproximateNumberOfMessagesDelayed,
	}
	out, err := p.client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &p.queue, AttributeNames: names})
	if err != nil {
		return numbers{}, err
	}
	var n numbers
	for i, field := range []*int{&n.visible, &n.inFlight, &n.delayed} {
		if *field, err = strconv.Atoi(out.Attributes[string(names[i])]); err != nil {
			return n, fmt.Errorf("attribute %s of the queue: %w", names[i], err)
		}
	}
	return n, nil
}

// countSettled counts what is left: where numbers stand behind, until nothing is, or they have had the time to be right.
func (p *place) countSettled(ctx context.Context) (numbers, error) {
	for end := time.Now().Add(p.settle); ; {
		n, err := p.count(ctx)
		if err != nil || n.all() == 0 || !time.Now().Before(end) {
			return n, err
		}
		if !sleep(ctx, min(5*time.Second, time.Until(end))) {
			return n, context.Cause(ctx)
		}
	}
}

// sweep deletes the messages of this program from a queue of the user's, those included whose leases last for visibility.
func (p *place) sweep(ctx context.Context, visibility time.Duration) error {
	for quiet := time.Now().Add(visibility); ; {
		out, err := p.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &p.queue, MaxNumberOfMessages: 10, WaitTimeSeconds: 2, VisibilityTimeout: 10})
		if err != nil {
			return fmt.Errorf("messages of this program may be left in %s: %w", p.queue, err)
		}
		if len(out.Messages) == 0 && time.Now().After(quiet) {
			return nil
		}
		for i := range out.Messages {
			m := &out.Messages[i]
			if !strings.HasPrefix(aws.ToString(m.Body), bodyPrefix) {
				continue // somebody else's: it comes back
			}
			if _, err := p.client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &p.queue, ReceiptHandle: m.ReceiptHandle}); err != nil {
				return fmt.Errorf("messages of this program may be left in %s: %w", p.queue, err)
			}
		}
	}
}

// sleep reports whether d passed before ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
