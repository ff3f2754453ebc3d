package sqssvc_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
)

// batches are the three calls with entries, each with the IDs given.
func (w *world) batches(q string, ids ...string) map[string]error {
	send, del, hide := []types.SendMessageBatchRequestEntry{}, []types.DeleteMessageBatchRequestEntry{}, []types.ChangeMessageVisibilityBatchRequestEntry{}
	for _, id := range ids {
		send = append(send, types.SendMessageBatchRequestEntry{Id: &id, MessageBody: aws.String("x")})
		del = append(del, types.DeleteMessageBatchRequestEntry{Id: &id, ReceiptHandle: aws.String("x")})
		hide = append(hide, types.ChangeMessageVisibilityBatchRequestEntry{Id: &id, ReceiptHandle: aws.String("x")})
	}
	_, sent := w.SendMessageBatch(w.Context(), &sqs.SendMessageBatchInput{QueueUrl: &q, Entries: send})
	_, deleted := w.DeleteMessageBatch(w.Context(), &sqs.DeleteMessageBatchInput{QueueUrl: &q, Entries: del})
	_, hidden := w.ChangeMessageVisibilityBatch(w.Context(), &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &q, Entries: hide})
	return map[string]error{"send": sent, "delete": deleted, "hide": hidden}
}

func TestBatchRules(t *testing.T) {
	t.Parallel()
	var eleven []string
	for n := range 11 {
		eleven = append(eleven, fmt.Sprint(n))
	}
	const prefix = "AWS.SimpleQueueService."
	inBubble(t, func(w *world) {
		q := w.queue("jobs")
		for name, c := range map[string]struct {
			ids  []string
			code string
		}{
			"ten":               {eleven[:10], ""},
			"eleven":            {eleven, prefix + "TooManyEntriesInBatchRequest"},
			"none":              {nil, prefix + "EmptyBatchRequest"},
			"twice the same":    {[]string{"a", "b", "a"}, prefix + "BatchEntryIdsNotDistinct"},
			"all characters":    {[]string{"aZ0_-"}, ""},
			"an empty ID":       {[]string{""}, prefix + "InvalidBatchEntryId"},
			"an ID with colon":  {[]string{"a:b"}, prefix + "InvalidBatchEntryId"},
			"an ID of 80":       {[]string{strings.Repeat("x", 80)}, ""},
			"an ID of 81":       {[]string{strings.Repeat("x", 81)}, prefix + "InvalidBatchEntryId"},
			"an ID with a line": {[]string{"a\n"}, prefix + "InvalidBatchEntryId"},
		} {
			for call, err := range w.batches(q, c.ids...) {
				if api, ok := errors.AsType[smithy.APIError](err); c.code == "" && err != nil || c.code != "" && (!ok || api.ErrorCode() != c.code) {
					w.Errorf("%s, %s: got %v, want %q", name, call, err, c.code)
				}
			}
		}
		for call, err := range w.batches(q+"x", "a") {
			if api, ok := errors.AsType[smithy.APIError](err); !ok || api.ErrorCode() != prefix+"NonExistentQueue" {
				w.Errorf("%s to a queue that is not there: %v", call, err)
			}
		}
	})
}

func TestSizeOfABatch(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		q := w.queue("jobs")
		half := strings.Repeat("x", 1<<19)
		batch := func(more ...string) error {
			_, err := w.SendMessageBatch(w.Context(), &sqs.SendMessageBatchInput{QueueUrl: &q, Entries: entries(more...)})
			return err
		}
		wantCode(w, batch(half, half), "")
		err := batch(half, half, "y")
		wantCode(w, err, "AWS.SimpleQueueService.BatchRequestTooLong")
		says(w, err, "Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes.")
		w.counts(q, 2, 0, 0)

		// A queue's own limit is one of messages, not of batches.
		must(w.SetQueueAttributes(w.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &q, Attributes: set("MaximumMessageSize=1024")}))(w)
		wantCode(w, batch(half[:1024], half[:1024]), "")
	})
}

// What is missing for a FIFO queue refuses the batch; what is wrong fails an
// entry.
func TestFIFOBatches(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		q := w.queue("jobs.fifo")
		entry := func(id, group, dedup string) types.SendMessageBatchRequestEntry {
			e := types.SendMessageBatchRequestEntry{Id: &id, MessageBody: aws.String("body " + id)}
			if group != "" {
				e.MessageGroupId = &group
			}
			if dedup != "" {
				e.MessageDeduplicationId = &dedup
			}
			return e
		}
		batch := func(entries ...types.SendMessageBatchRequestEntry) (*sqs.SendMessageBatchOutput, error) {
			return w.SendMessageBatch(w.Context(), &sqs.SendMessageBatchInput{QueueUrl: &q, Entries: entries})
		}
		_, err := batch(entry("1", "a", "1"), entry("2", "a", ""))
		wantCode(w, err, "InvalidParameterValue")
		_, err = batch(entry("1", "a", "1"), entry("2", "", "2"))
		wantCode(w, err, "InvalidParameterValue")
		w.counts(q, 0, 0, 0)

		delayed := entry("4", "a", "4")
		delayed.DelaySeconds = 1
		out := must(batch(entry("1", "a", "1"), entry("2", "a", "1"), entry("3", "a b", "3"), delayed, entry("5", "a", "5")))(w)
		w.failed(out.Failed,
			"3 InvalidParameterValue true Value a b for parameter MessageGroupId is invalid. Reason: Can only include alphanumeric and punctuation characters. 1 to 128 in length.",
			"4 InvalidParameterValue true Value 1 for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid for this queue type.")
		if len(out.Successful) != 3 || *out.Successful[0].MessageId != *out.Successful[1].MessageId || *out.Successful[0].SequenceNumber >= *out.Successful[2].SequenceNumber {
			w.Errorf("%v", out.Successful)
		}
		w.gets(q, []string{"body 1", "body 5"})
	})
}
