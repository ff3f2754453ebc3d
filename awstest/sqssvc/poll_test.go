package sqssvc_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/sqssvc"
)

// poll starts a long poll; it tells what it got, and when, once it has ended.
func (w *world) poll(url string, changes ...func(*sqs.ReceiveMessageInput)) func() string {
	var result string
	done := later(func() {
		start := time.Now()
		out, err := w.ReceiveMessage(w.Context(), receiveInput(url, append([]func(*sqs.ReceiveMessageInput){waiting(20 * time.Second)}, changes...)...))
		if err != nil {
			result = err.Error()
			return
		}
		result = fmt.Sprintf("%v after %v", bodies(out.Messages), time.Since(start).Round(time.Second))
	})
	return func() string { done(); return result }
}

func (w *world) says(what string, got func() string, want string) {
	w.Helper()
	if g := got(); g != want {
		w.Errorf("%s: %s, want %s", what, g, want)
	}
}

// What ends a long poll, and when.
func TestPollWakesUp(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		queue   string
		prepare func(w *world, q string)
		change  func(w *world, q string) // five seconds into the poll
		want    string
	}{
		"a message that is there": {"jobs", func(w *world, q string) { w.send(q, "a") }, nil, "[a] after 0s"},
		"nothing":                 {"jobs", nil, nil, "[] after 20s"},
		"a send":                  {"jobs", nil, func(w *world, q string) { w.send(q, "a") }, "[a] after 5s"},
		"a batch, as a whole": {"jobs", nil, func(w *world, q string) {
			must(w.SendMessageBatch(w.Context(), &sqs.SendMessageBatchInput{QueueUrl: &q, Entries: entries("a", "b", "c")}))(w)
		}, "[a b c] after 5s"},
		"a lease that ends": {"jobs", func(w *world, q string) { w.send(q, "a"); w.one(q, hiddenFor(10*time.Second)) }, nil, "[a] after 10s"},
		"a delay that ends": {"jobs", func(w *world, q string) {
			must(w.SendMessage(w.Context(), &sqs.SendMessageInput{QueueUrl: &q, MessageBody: aws.String("a"), DelaySeconds: 7}))(w)
		}, nil, "[a] after 7s"},
		"a delay that ends after a lease was extended": {"jobs", func(w *world, q string) {
			w.send(q, "a")
			m := w.one(q, hiddenFor(3*time.Second))
			must(w.SendMessage(w.Context(), &sqs.SendMessageInput{QueueUrl: &q, MessageBody: aws.String("b"), DelaySeconds: 7}))(w)
			wantCode(w, w.hide(q, m, time.Hour), "")
		}, nil, "[b] after 7s"},
		"a message in the way that is too old": {"jobs.fifo", func(w *world, q string) {
			must(w.SetQueueAttributes(w.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &q, Attributes: set("MessageRetentionPeriod=60")}))(w)
			w.send(q, "a:1")
			w.one(q, hiddenFor(time.Hour))
			time.Sleep(50 * time.Second)
			w.send(q, "a:2")
		}, nil, "[a:2] after 10s"},
		"a purge is nothing": {"jobs", func(w *world, q string) { w.send(q, "a"); w.one(q, hiddenFor(10*time.Second)) }, func(w *world, q string) {
			must(w.PurgeQueue(w.Context(), &sqs.PurgeQueueInput{QueueUrl: &q}))(w)
		}, "[] after 20s"},
		"the queue is deleted": {"jobs", nil, func(w *world, q string) {
			must(w.DeleteQueue(w.Context(), &sqs.DeleteQueueInput{QueueUrl: &q}))(w)
		}, "operation error SQS: ReceiveMessage, https response error StatusCode: 400, RequestID: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				q := w.queue(c.queue)
				if c.prepare != nil {
					c.prepare(w, q)
				}
				got := w.poll(q)
				if c.change != nil {
					time.Sleep(5 * time.Second)
					c.change(w, q)
				}
				result := got()
				if len(result) > len(c.want) && name == "the queue is deleted" {
					result = result[:len(c.want)]
				}
				if result != c.want {
					w.Errorf("got %s, want %s", result, c.want)
				}
			})
		})
	}
}

func TestPollOfAGroupThatGoesOn(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		q := w.queue("jobs.fifo")
		w.send(q, "a:1", "a:2")
		m := w.one(q)
		got := w.poll(q)
		time.Sleep(3 * time.Second)
		wantCode(w, w.remove(q, m), "")
		w.says("deleted", got, "[a:2] after 3s")

		w.send(q, "b:1")
		m = w.one(q)
		got = w.poll(q)
		time.Sleep(3 * time.Second)
		wantCode(w, w.hide(q, m, 0), "")
		w.says("released", got, "[b:1] after 3s")
	})
}

func TestPollOfADeadLetterQueue(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		dead := w.queue("dead")
		q := w.queue("jobs", redriveTo("dead", 1))
		w.send(q, "a")
		w.one(q, hiddenFor(5*time.Second))
		atSource, atTarget := w.poll(q), w.poll(dead)
		w.says("the dead-letter queue", atTarget, "[a] after 5s") // moved for the other poll
		w.says("the queue", atSource, "[] after 20s")
	})
}

// The queue's wait counts where the receive asks for none, since the SDK does
// not send a zero.
func TestWaitOfTheQueue(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		q := w.queue("jobs", "ReceiveMessageWaitTimeSeconds=7")
		w.says("the queue's", w.poll(q, waiting(0)), "[] after 7s")
		w.says("the receive's", w.poll(q, waiting(3*time.Second)), "[] after 3s")
		for _, change := range []func(*sqs.ReceiveMessageInput){
			waiting(21 * time.Second), waiting(-time.Second), atMost(11), atMost(-1), hiddenFor(13 * time.Hour), hiddenFor(-time.Second), attempt("x"),
		} {
			_, err := w.ReceiveMessage(w.Context(), receiveInput(q, change))
			wantCode(w, err, "InvalidParameterValue")
		}
		if in := (&sqs.ReceiveMessageInput{QueueUrl: &q}); len(must(w.ReceiveMessage(w.Context(), in))(w).Messages) != 0 {
			w.Error("found something")
		}
		w.send(q, "a", "b")
		if n := len(must(w.ReceiveMessage(w.Context(), &sqs.ReceiveMessageInput{QueueUrl: &q}))(w).Messages); n != 1 {
			w.Errorf("received %d by default, want 1", n)
		}
	})
}

// Receives that wait get messages in the order in which they came; one message
// wakes one of them.
func TestPollsTakeTurns(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		q := w.queue("jobs")
		var polls []func() string
		for range 3 {
			polls = append(polls, w.poll(q))
			time.Sleep(time.Second)
		}
		w.send(q, "a", "b")
		w.says("first", polls[0], "[a] after 3s")
		w.says("second", polls[1], "[b] after 2s")
		w.says("third", polls[2], "[] after 20s")
		w.counts(q, 0, 2, 0)
	})
}

// A caller that has gone is not known to be gone: what comes is leased to
// nobody.
func TestPollWithoutItsCaller(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		disconnect time.Duration
		lost       bool // the message that comes two seconds after the caller has gone
	}{
		"noticed at the end of the poll": {0, true},
		"noticed later":                  {5 * time.Second, true},
		"noticed before":                 {time.Second, false},
		"noticed at once":                {sqssvc.Immediately, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubbleWith(t, func(o *sqssvc.Options) { o.Disconnect = c.disconnect }, func(w *world) {
				q := w.queue("jobs")
				ctx, cancel := context.WithCancel(w.Context())
				done := later(func() {
					if _, err := w.ReceiveMessage(ctx, receiveInput(q, waiting(20*time.Second))); !errors.Is(err, context.Canceled) {
						w.Errorf("got %v", err)
					}
				})
				cancel()
				done()
				time.Sleep(2 * time.Second)
				w.send(q, "a")
				if c.lost {
					w.counts(q, 0, 1, 0)
					w.gets(q, nil)
					time.Sleep(30 * time.Second) // the visibility timeout
				}
				w.gets(q, []string{"a"})
			})
		})
	}
}

// Who is known to have gone does not keep a message from who waits behind.
func TestPollBehindOneThatIsGone(t *testing.T) {
	t.Parallel()
	inBubbleWith(t, func(o *sqssvc.Options) { o.Disconnect = time.Second }, func(w *world) {
		q := w.queue("jobs")
		ctx, cancel := context.WithCancel(w.Context())
		gone := later(func() {
			if _, err := w.ReceiveMessage(ctx, receiveInput(q, waiting(20*time.Second))); !errors.Is(err, context.Canceled) {
				w.Errorf("got %v", err)
			}
		})
		time.Sleep(time.Second)
		behind := w.poll(q)
		cancel()
		gone()
		time.Sleep(2 * time.Second)
		w.send(q, "a")
		w.says("the poll behind", behind, "[a] after 2s")
	})
}

// instance switches a machine on in the first zone, without EC2.
func (w *world) instance() *awstest.Instance {
	zone := must(w.cloud.Region(home))(w).Zones()[0]
	var i *awstest.Instance
	w.cloud.Update(func(tx *awstest.Tx) {
		i = tx.NewInstance(awstest.InstanceSpec{ID: tx.NewID("i"), Zone: zone})
		tx.PowerOn(i)
	})
	return i
}

func TestPollOfALostMachine(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(*awstest.Instance) func(){
		"power of the instance":   func(i *awstest.Instance) func() { return i.Fail(awstest.PowerLoss) },
		"network of the instance": func(i *awstest.Instance) func() { return i.Fail(awstest.NetworkLoss) },
		"power of the zone":       func(i *awstest.Instance) func() { return i.Zone().Fail(awstest.PowerLoss) },
		"network of the zone":     func(i *awstest.Instance) func() { return i.Zone().Fail(awstest.NetworkLoss) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				q := w.queue("jobs")
				i := w.instance()
				ctx, cancel := w.within(15 * time.Second)
				defer cancel()
				done := later(func() {
					client := sqs.NewFromConfig(i.Config(), func(o *sqs.Options) { o.Retryer = aws.NopRetryer{} })
					if out, err := client.ReceiveMessage(ctx, receiveInput(q, waiting(20*time.Second))); err == nil {
						w.Errorf("a machine that is cut off received %v", bodies(out.Messages))
					}
				})
				time.Sleep(time.Second)
				heal := fail(i)
				w.send(q, "a")
				w.counts(q, 0, 1, 0) // leased to nobody
				w.gets(q, nil)
				done()
				heal()
				time.Sleep(30 * time.Second)
				w.gets(q, []string{"a"})
			})
		})
	}
}

// A machine that boots again has forgotten its poll.
func TestPollOfAMachineThatBootsAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		disconnect time.Duration
		lost       bool
	}{
		"noticed at the end of the poll": {0, true},
		"noticed before":                 {4 * time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubbleWith(t, func(o *sqssvc.Options) { o.Disconnect = c.disconnect }, func(w *world) {
				q := w.queue("jobs")
				i := w.instance()
				done := later(func() {
					client := sqs.NewFromConfig(i.Config(), func(o *sqs.Options) { o.Retryer = aws.NopRetryer{} })
					if out, err := client.ReceiveMessage(w.Context(), receiveInput(q, waiting(20*time.Second))); err == nil {
						w.Errorf("a machine that was without power received %v", bodies(out.Messages))
					}
				})
				time.Sleep(time.Second)
				heal := i.Fail(awstest.PowerLoss)
				time.Sleep(3 * time.Second)
				heal()
				time.Sleep(time.Second)
				w.send(q, "a")
				if c.lost {
					w.gets(q, nil)
					time.Sleep(30 * time.Second) // the visibility timeout
				}
				w.gets(q, []string{"a"})
				done()
			})
		})
	}
}

func TestCloseEndsPolls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cloud := must(awstest.New([]awstest.Service{sqssvc.New()}))(t)
		w := newWorld(t, cloud)
		q := w.queue("jobs")
		done := later(func() {
			if _, err := w.ReceiveMessage(t.Context(), receiveInput(q, waiting(20*time.Second))); !errors.Is(err, awstest.ErrClosed) {
				t.Errorf("got %v, want ErrClosed", err)
			}
		})
		if err := cloud.Close(); err != nil {
			t.Error(err)
		}
		if time.Since(w.start) > time.Second {
			t.Error("Close waited for the poll")
		}
		done()
	})
}

// A hundred pollers and a hundred senders: each message is received once.
func TestHundredPollers(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"jobs", "jobs.fifo"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				q := w.queue(name)
				var mu sync.Mutex
				got := map[string]int{}
				var wg sync.WaitGroup
				for n := range 100 {
					wg.Go(func() {
						for range 3 {
							out, err := w.ReceiveMessage(w.Context(), receiveInput(q, waiting(20*time.Second), atMost(int32(1+n%10))))
							wantCode(w, err, "")
							mu.Lock()
							for _, m := range out.Messages {
								got[*m.Body]++
							}
							mu.Unlock()
							for _, m := range out.Messages {
								wantCode(w, w.remove(q, m), "")
							}
						}
					})
					wg.Go(func() {
						time.Sleep(time.Duration(n%7) * time.Second)
						w.send(q, fmt.Sprintf("group%d:%d", n%13, n))
					})
				}
				wg.Wait()
				for range 20 {
					for _, m := range w.receive(q) {
						got[*m.Body]++
						wantCode(w, w.remove(q, m), "")
					}
				}
				for body, n := range got {
					if n != 1 {
						w.Errorf("%s was received %d times", body, n)
					}
				}
				if len(got) != 100 {
					w.Errorf("%d messages were received, want 100", len(got))
				}
				w.counts(q, 0, 0, 0)
			})
		})
	}
}
