package sqssvc_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// fair sends n messages to a group of a standard queue; "" is no group.
func (w *world) fair(q, group string, n int) {
	w.Helper()
	for range n {
		in := &sqs.SendMessageInput{QueueUrl: &q, MessageBody: aws.String("of " + group)}
		if group != "" {
			in.MessageGroupId = &group
		}
		must(w.SendMessage(w.Context(), in))(w)
	}
}

// take receives n messages and returns how many of which body came, in the
// order in which the bodies first came.
func (w *world) take(q string, n int) string {
	w.Helper()
	var order []string
	for n > 0 {
		got := w.receive(q, atMost(int32(min(n, 10))), hiddenFor(time.Hour))
		if len(got) == 0 {
			break
		}
		for _, m := range got {
			if !slices.Contains(order, *m.Body) {
				order = append(order, *m.Body)
			}
		}
		n -= len(got)
	}
	return strings.Join(order, ", ")
}

// A group with 30 messages in flight, and more than a tenth of all, lets
// others go first.
func TestFairQueues(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		loud, others int // in flight
		want         string
	}{
		"29 in flight":                         {29, 0, "of loud, of quiet, of "},
		"30 in flight":                         {30, 0, "of quiet, of , of loud"},
		"30 in flight, a tenth of all":         {30, 270, "of loud, of quiet, of "},
		"31 in flight, more than a tenth":      {31, 270, "of quiet, of , of loud"},
		"many without a group are never noisy": {0, 40, "of loud, of quiet, of "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				q := w.queue("jobs")
				w.fair(q, "loud", c.loud)
				w.fair(q, "", c.others)
				w.take(q, c.loud+c.others)
				w.counts(q, 0, c.loud+c.others, 0)
				w.fair(q, "loud", 3)
				w.fair(q, "quiet", 3)
				w.fair(q, "", 3)
				if got := w.take(q, 9); got != c.want {
					w.Errorf("got %s, want %s", got, c.want)
				}
			})
		})
	}
}

// A group of a standard queue holds nothing back, and comes with its messages.
func TestGroupsOfAStandardQueueDoNotBlock(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		q := w.queue("jobs")
		w.fair(q, "a", 2)
		for range 2 {
			if m := w.one(q); m.Attributes["MessageGroupId"] != "a" || m.Attributes["SequenceNumber"] != "" {
				w.Errorf("%v", m.Attributes)
			}
		}
	})
}

// What is alone noisy is served all the same.
func TestNoisyGroupIsNotStarved(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		q := w.queue("jobs")
		w.fair(q, "loud", 100)
		w.take(q, 100)
		w.counts(q, 0, 100, 0)
	})
}
