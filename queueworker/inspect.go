package queueworker

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// lookAtQueue reads what the worker has to know of the queue, and so finds out whether it is there. It repeats what may succeed later.
func (w *Worker) lookAtQueue(ctx context.Context) error {
	for tries := 1; ; tries++ {
		call, cancel := context.WithTimeout(ctx, endTimeout)
		out, err := w.api.GetQueueAttributes(call, &sqs.GetQueueAttributesInput{
			QueueUrl: &w.queueURL, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameRedrivePolicy},
		}, once)
		cancel()
		if err == nil {
			w.redrive(out.Attributes[string(types.QueueAttributeNameRedrivePolicy)])
			return nil
		}
		if ctx.Err() != nil {
			return nil //nolint:nilerr // nothing was begun, so that there is nothing to drain
		}
		err = w.queueError("GetQueueAttributes", err)
		if errors.Is(err, ErrQueueNotFound) || errors.Is(err, ErrAccessDenied) {
			return err
		}
		w.mu.Lock()
		w.failing.err = err
		w.stats.FailedCalls++
		w.later = append(w.later, Event{Kind: CallFailed, Operation: "GetQueueAttributes", Err: err})
		w.unlock()
		if !sleep(ctx, pauseAfter(tries, firstPause, longestPause)) {
			return nil
		}
	}
}

// redrive takes in a redrive policy. One that cannot be read is none.
func (w *Worker) redrive(policy string) {
	var p struct {
		MaxReceiveCount     json.RawMessage `json:"maxReceiveCount"` // a number, or one in quotes
		DeadLetterTargetArn string          `json:"deadLetterTargetArn"`
	}
	if policy == "" || json.Unmarshal([]byte(policy), &p) != nil {
		return
	}
	n, err := strconv.Atoi(strings.Trim(string(p.MaxReceiveCount), `"`))
	if err != nil {
		return
	}
	w.mu.Lock()
	defer w.unlock()
	w.maxAttempts = n
	w.letterbox.arn = p.DeadLetterTargetArn
}
