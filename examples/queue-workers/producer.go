package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"golang.org/x/sync/errgroup"
)

// producers is how many sends are under way at a time.
const producers = 8

// produce sends n messages, ten at a time.
func produce(ctx context.Context, p *place, t *tally, n int) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(producers)
	for from := 0; from < n && ctx.Err() == nil; from += 10 {
		group.Go(func() error { return send(ctx, p, t, from, min(from+10, n)) })
	}
	return group.Wait()
}

// send sends the messages from one number up to another, those again that a batch leaves out.
func send(ctx context.Context, p *place, t *tally, from, to int) error {
	left := make([]types.SendMessageBatchRequestEntry, 0, to-from)
	for n := from; n < to; n++ {
		left = append(left, types.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(n)), MessageBody: aws.String(t.body(n))})
	}
	for {
		out, err := p.client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &p.queue, Entries: left})
		if err != nil {
			return err
		}
		t.addSent(len(out.Successful))
		if len(out.Failed) == 0 {
			return nil
		}
		failed := map[string]bool{}
		for i := range out.Failed {
			if f := &out.Failed[i]; f.SenderFault {
				return fmt.Errorf("message %s was refused: %s: %s", aws.ToString(f.Id), aws.ToString(f.Code), aws.ToString(f.Message))
			}
			failed[*out.Failed[i].Id] = true
		}
		again := left[:0]
		for _, entry := range left {
			if failed[*entry.Id] {
				again = append(again, entry)
			}
		}
		left = again
		if !sleep(ctx, 100*time.Millisecond) {
			return context.Cause(ctx)
		}
	}
}
