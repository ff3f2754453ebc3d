package sqssvc_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"
)

// A message goes to the dead-letter queue at the receive after the last that
// the policy allows, and not before.
func TestRedrive(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"", ".fifo"} {
		t.Run("queue"+kind, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				dead := w.queue("dead"+kind, "MessageRetentionPeriod=60")
				q := w.queue("jobs"+kind, redriveTo("dead"+kind, 2), "VisibilityTimeout=10")
				w.send(q, "a:1")
				first := w.one(q)
				time.Sleep(10 * time.Second)
				w.one(q)
				time.Sleep(10 * time.Second)
				w.counts(q, 1, 0, 0)
				w.counts(dead, 0, 0, 0)
				w.gets(q, nil)
				w.counts(q, 0, 0, 0)
				w.counts(dead, 1, 0, 0)

				m := w.one(dead)
				want := map[string]string{
					"DeadLetterQueueSourceArn": arn("jobs" + kind), "ApproximateReceiveCount": "3",
					"ApproximateFirstReceiveTimestamp": first.Attributes["ApproximateFirstReceiveTimestamp"], "SentTimestamp": first.Attributes["SentTimestamp"],
				}
				left := 40 * time.Second // its age goes on
				if kind == ".fifo" {
					left = time.Minute
					want["MessageDeduplicationId"] = *m.MessageId
					want["SentTimestamp"] = fmt.Sprint(w.start.Add(20*time.Second + 8*time.Millisecond).UnixMilli())
				}
				for k, v := range want {
					if m.Attributes[k] != v {
						w.Errorf("%s is %s, want %s", k, m.Attributes[k], v)
					}
				}
				if *m.MessageId != *first.MessageId || *m.Body != "a:1" {
					w.Errorf("%s %s is another message", *m.MessageId, *m.Body)
				}
				wantCode(w, w.remove(q, first), "") // the old handle, of the old queue
				time.Sleep(left - time.Second)
				w.counts(dead, 1, 0, 0)
				time.Sleep(time.Second)
				w.counts(dead, 0, 0, 0)
			})
		})
	}
}

// A queue that is its own dead-letter queue keeps its messages.
func TestQueueThatIsItsOwnDeadLetterQueue(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"jobs", "jobs.fifo"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				q := w.queue(name)
				must(w.SetQueueAttributes(w.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &q, Attributes: set(redriveTo(name, 1))}))(w)
				w.send(q, "a:1")
				for n := range 3 {
					m := w.one(q, hiddenFor(time.Second))
					if got := m.Attributes["ApproximateReceiveCount"]; got != fmt.Sprint(n+1) || m.Attributes["DeadLetterQueueSourceArn"] != "" {
						w.Errorf("receive %d: %v", n+1, m.Attributes)
					}
					time.Sleep(time.Second)
				}
			})
		})
	}
}

// Messages of a dead-letter queue go by their own ages, in whatever order they
// have come.
func TestAgesInADeadLetterQueue(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		dead := w.queue("dead", "MessageRetentionPeriod=60")
		q := w.queue("jobs", redriveTo("dead", 1), "VisibilityTimeout=0")
		w.send(dead, "sent at 0")
		time.Sleep(20 * time.Second)
		w.send(q, "sent at 20", "sent at 20, too")
		time.Sleep(20 * time.Second)
		w.send(dead, "sent at 40")
		w.receive(q)
		w.gets(q, nil)
		for _, want := range []int{4, 3, 1, 0} {
			w.counts(dead, want, 0, 0)
			time.Sleep(20*time.Second + 10*time.Millisecond)
		}
	})
}

// A receive goes on behind what it moves away.
func TestReceiveGoesOnBehindARedrive(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"", ".fifo"} {
		inBubble(t, func(w *world) {
			dead := w.queue("dead"+kind, "VisibilityTimeout=0")
			q := w.queue("jobs"+kind, redriveTo("dead"+kind, 1), "VisibilityTimeout=10")
			w.send(q, "a:1", "a:2")
			w.receive(q)
			w.send(q, "a:3", "b:1", "a:4")
			time.Sleep(10 * time.Second)
			want := []string{"a:3", "b:1", "a:4"}
			if kind == ".fifo" {
				want = []string{"b:1", "a:3", "a:4"}
			}
			w.gets(q, want)
			w.gets(dead, []string{"a:1", "a:2"})
		})
	}
}

func TestRedriveGoesOn(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		end := w.queue("end")
		dead := w.queue("dead", redriveTo("end", 1), "VisibilityTimeout=0")
		q := w.queue("jobs", redriveTo("dead", 1), "VisibilityTimeout=0")
		w.send(q, "a")
		w.one(q)
		w.gets(q, nil)
		w.one(dead) // once, since its own policy counts anew
		w.gets(dead, nil)
		if m := w.one(end); m.Attributes["DeadLetterQueueSourceArn"] != arn("dead") || m.Attributes["ApproximateReceiveCount"] != "3" {
			w.Errorf("%v", m.Attributes)
		}
	})
}

func TestWithoutADeadLetterQueueMessagesStay(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		dead := w.queue("dead")
		q := w.queue("jobs", redriveTo("dead", 1), "VisibilityTimeout=0")
		must(w.DeleteQueue(w.Context(), &sqs.DeleteQueueInput{QueueUrl: &dead}))(w)
		w.send(q, "a")
		for range 3 {
			w.gets(q, []string{"a"})
		}
	})
}

func TestRedrivePolicies(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.queue("dead")
		w.queue("dead.fifo")
		w.queue("closed", `RedriveAllowPolicy={"redrivePermission":"denyAll"}`)
		w.queue("open", `RedriveAllowPolicy={"redrivePermission":"allowAll"}`)
		w.queue("some", fmt.Sprintf(`RedriveAllowPolicy={"redrivePermission":"byQueue","sourceQueueArns":[%q]}`, arn("friend")))
		const bad = "InvalidParameterValue"
		for i, c := range []struct{ name, attribute, code string }{
			{"", redriveTo("dead", 1), ""},
			{"", redriveTo("dead", 1000), ""},
			{"", redriveTo("dead", 1001), bad},
			{"", redriveTo("dead", 0), bad},
			{"", fmt.Sprintf(`RedrivePolicy={"deadLetterTargetArn":%q,"maxReceiveCount":"7"}`, arn("dead")), ""}, // as templates send it
			{"", fmt.Sprintf(`RedrivePolicy={"deadLetterTargetArn":%q,"maxReceiveCount":"x"}`, arn("dead")), bad},
			{"", fmt.Sprintf(`RedrivePolicy={"deadLetterTargetArn":%q,"maxReceiveCount":1.5}`, arn("dead")), bad},
			{"", fmt.Sprintf(`RedrivePolicy={"deadLetterTargetArn":%q}`, arn("dead")), bad},
			{"", `RedrivePolicy={"maxReceiveCount":1}`, bad},
			{"", `RedrivePolicy={"deadLetterTargetArn":"dummy","maxReceiveCount":42}`, bad},
			{"", `RedrivePolicy=x`, bad},
			{"", `RedrivePolicy=`, ""},
			{"", redriveTo("none", 1), bad},
			{"", redriveTo("dead.fifo", 1), bad},
			{"f.fifo", redriveTo("dead", 1), bad},
			{"g.fifo", redriveTo("dead.fifo", 1), ""},
			{"", redriveTo("open", 1), ""},
			{"", redriveTo("closed", 1), bad},
			{"", redriveTo("some", 1), bad},
			{"friend", redriveTo("some", 1), ""},
			{"", `RedriveAllowPolicy=x`, bad},
			{"", `RedriveAllowPolicy=`, ""},
			{"", `RedriveAllowPolicy={"redrivePermission":"maybe"}`, bad},
			{"", `RedriveAllowPolicy={"redrivePermission":"byQueue"}`, bad},
			{"", `RedriveAllowPolicy={"redrivePermission":"denyAll","sourceQueueArns":["a"]}`, bad},
			{"", `RedriveAllowPolicy={"redrivePermission":"byQueue","sourceQueueArns":["1","2","3","4","5","6","7","8","9","10","11"]}`, bad},
		} {
			name, attributes := c.name, []string{c.attribute}
			if name == "" {
				name = fmt.Sprint("queue", i)
			} else if name[len(name)-1] == 'o' {
				attributes = append(attributes, "FifoQueue=true")
			}
			err := w.create(name, attributes...)
			wantCode(w, err, c.code)
			if c.attribute == `RedrivePolicy={"deadLetterTargetArn":"dummy","maxReceiveCount":42}` {
				says(w, err, `Value {"deadLetterTargetArn":"dummy","maxReceiveCount":42} for parameter RedrivePolicy is invalid. Reason: Invalid value for deadLetterTargetArn.`)
			}
		}
		q := w.queue("shows", fmt.Sprintf(`RedrivePolicy={ "maxReceiveCount": "3", "deadLetterTargetArn": %q }`, arn("dead")))
		if got, want := w.attributes(q)["RedrivePolicy"], fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":3}`, arn("dead")); got != want {
			w.Errorf("shown as %s, want %s", got, want)
		}
		must(w.SetQueueAttributes(w.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &q, Attributes: set("RedrivePolicy=")}))(w)
		if _, ok := w.attributes(q)["RedrivePolicy"]; ok {
			w.Error("an empty policy is shown")
		}
	})
}

func TestListDeadLetterSourceQueues(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		dead := w.queue("dead")
		var want []string
		for _, name := range []string{"c", "a", "b"} {
			want = append(want, w.queue(name, redriveTo("dead", 1)))
		}
		w.queue("other")
		slices.Sort(want)
		var got []string
		p := sqs.NewListDeadLetterSourceQueuesPaginator(w.Client, &sqs.ListDeadLetterSourceQueuesInput{QueueUrl: &dead, MaxResults: new(int32(2))})
		for p.HasMorePages() {
			got = append(got, must(p.NextPage(w.Context()))(w).QueueUrls...)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			w.Error(diff)
		}
		if urls := must(w.ListDeadLetterSourceQueues(w.Context(), &sqs.ListDeadLetterSourceQueuesInput{QueueUrl: &want[0]}))(w).QueueUrls; urls != nil {
			w.Errorf("sources of a source: %v", urls)
		}
		_, err := w.ListDeadLetterSourceQueues(w.Context(), &sqs.ListDeadLetterSourceQueuesInput{QueueUrl: &dead, MaxResults: new(int32(0))})
		wantCode(w, err, "InvalidParameterValue")
		_, err = w.ListDeadLetterSourceQueues(w.Context(), &sqs.ListDeadLetterSourceQueuesInput{QueueUrl: aws.String(dead + "x")})
		wantCode(w, err, "AWS.SimpleQueueService.NonExistentQueue")
	})
}
