package queueworker_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/sqssvc"
	"github.com/awsha/awsha/queueworker"
)

// TestASecondDeliveryJoinsTheFirst: SQS delivers a message again while it is in hand, however far it has come.
func TestASecondDeliveryJoinsTheFirst(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		concurrency int
		took        time.Duration
		returns     error
		slow        string // a call that takes two seconds
		want        queueworker.Stats
	}{
		"running":                      {10, 5 * time.Second, nil, "", queueworker.Stats{Received: 4, Completed: 2, Duplicates: 2}},
		"running, and extended":        {10, time.Minute, nil, "", queueworker.Stats{Received: 4, Completed: 2, Duplicates: 2}},
		"being deleted":                {10, 0, nil, remove, queueworker.Stats{Received: 4, Completed: 2, DeletedAgain: 2}},
		"going to the dead letters":    {10, 0, queueworker.DeadLetter(nil), letter, queueworker.Stats{Received: 4, DeadLettered: 2, Duplicates: 2}},
		"a dead letter, being deleted": {10, 0, queueworker.DeadLetter(nil), remove, queueworker.Stats{Received: 4, DeadLettered: 2, DeletedAgain: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, nil)
				dead := w.deadLetters(20)
				w.sendBodies(false, "one", "two")
				w.inject(receive, sqssvc.Duplicate(), times(1))
				if tt.slow == remove { // the second delivery is to come while that goes on
					w.inject(receive, awstest.Delay(time.Second), func(m *awstest.Match) { m.Skip, m.Times = 1, 1 })
				}
				if tt.slow != "" {
					w.inject(tt.slow, awstest.Delay(2*time.Second), times(1))
				}
				var handled tally
				worker := w.worker(func(ctx context.Context, m *queueworker.Message) error {
					handled.add(m.Body)
					time.Sleep(tt.took)
					if ctx.Err() != nil {
						t.Error(context.Cause(ctx))
					}
					return tt.returns
				}, func(o *queueworker.Options) { o.Concurrency = tt.concurrency })
				if err := w.runFor(worker, 5*time.Minute); err != nil {
					t.Error(err)
				}
				w.empty()
				handled.each(w, 2, 1)
				s := worker.Stats()
				got := queueworker.Stats{Received: s.Received, Completed: s.Completed, DeadLettered: s.DeadLettered, Duplicates: s.Duplicates, DeletedAgain: s.DeletedAgain}
				if got != tt.want {
					t.Errorf("%+v, want %+v", got, tt.want)
				}
				if visible, _ := w.counts(dead); uint64(visible) != tt.want.DeadLettered {
					t.Errorf("%d dead letters", visible)
				}
			})
		})
	}
}

// TestAMessageThatIsTwiceInOneReceive: under two handles, so that entries of a batch cannot be named after messages.
func TestAMessageThatIsTwiceInOneReceive(t *testing.T) {
	t.Parallel()
	for name, concurrency := range map[string]int{"running": 10, "waiting": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, nil)
				w.send(4)
				w.inject(receive, sqssvc.Duplicate(), times(1))
				api := &tampered{API: w.client}
				api.receive = func(ctx context.Context, in *sqs.ReceiveMessageInput) (*sqs.ReceiveMessageOutput, error) {
					out, err := w.client.ReceiveMessage(ctx, in)
					if err == nil && len(out.Messages) > 0 {
						var more *sqs.ReceiveMessageOutput
						if more, err = w.client.ReceiveMessage(ctx, in); err == nil {
							out.Messages = append(out.Messages, more.Messages...)
						}
					}
					return out, err
				}
				var handled tally
				worker := w.workerOf(api, func(_ context.Context, m *queueworker.Message) error {
					handled.add(m.Body)
					time.Sleep(20 * time.Second)
					return nil
				}, func(o *queueworker.Options) { o.Concurrency = concurrency })
				if err := w.runFor(worker, 3*time.Minute); err != nil {
					t.Error(err)
				}
				w.empty()
				handled.each(w, 4, 1)
				if s := worker.Stats(); s.Received != 8 || s.Duplicates != 4 || s.FailedCalls+s.LeasesLost != 0 {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

// TestAReturnIsNotRepeatedUnderAnOlderHandle: the answer to it was lost, and the message is back and being handled. To make it visible
// once more would have it handled by somebody else at the same time.
func TestAReturnIsNotRepeatedUnderAnOlderHandle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.sendBodies(false, "one")
		w.inject(extend, awstest.LoseReply(), times(5))
		var handled tally
		worker := w.worker(func(_ context.Context, m *queueworker.Message) error {
			if handled.add(m.Body) == 1 {
				return queueworker.Release(nil)
			}
			time.Sleep(5 * time.Second)
			return nil
		})
		if err := w.runFor(worker, time.Minute); err != nil {
			t.Error(err)
		}
		w.empty()
		handled.each(w, 1, 2)
		if s := worker.Stats(); s.Received != 2 || s.RetryCalls != 1 {
			t.Errorf("%+v", s)
		}
	})
}

// TestALostMessageIsHandledByTheHandlerThatStillRuns: it comes back while its handler, which has been told to stop, goes on.
func TestALostMessageIsHandledByTheHandlerThatStillRuns(t *testing.T) {
	t.Parallel()
	for name, returns := range map[string]error{"completed": nil, "dead letter": queueworker.DeadLetter(nil), "dropped": queueworker.Drop(nil)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, nil)
				dead := w.deadLetters(20)
				w.sendBodies(false, "one")
				time.AfterFunc(31*time.Second, w.inject(extend, awstest.Unavailable()))
				var handled tally
				worker := w.worker(func(ctx context.Context, m *queueworker.Message) error {
					handled.add(m.Body)
					<-ctx.Done()
					if !errors.Is(context.Cause(ctx), queueworker.ErrLeaseLost) {
						t.Error(context.Cause(ctx))
					}
					time.Sleep(2 * time.Minute)
					if time.Until(m.Deadline()) <= 0 {
						t.Error("the second lease has not been kept")
					}
					return returns
				})
				if err := w.runFor(worker, 4*time.Minute); err != nil {
					t.Error(err)
				}
				w.empty()
				handled.each(w, 1, 1)
				if s := worker.Stats(); s.Received != 2 || s.Duplicates != 1 || s.LeasesLost != 1 {
					t.Errorf("%+v", s)
				}
				if visible, _ := w.counts(dead); (visible == 1) != (name == "dead letter") {
					t.Errorf("%d dead letters", visible)
				}
			})
		})
	}
}

// TestALossInEachStage: nothing is lost but the lease, and it is told.
func TestALossInEachStage(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		concurrency int
		first       error // what the first handlers return
		took        time.Duration
		also        string // fails as well
		lost        int    // are told
		handled     int
	}{
		"running":     {4, queueworker.RetryAfter(time.Second, nil), 40 * time.Second, "", 3, 2},
		"deleted":     {4, nil, time.Second, remove, 0, 1},
		"given back":  {4, queueworker.Release(nil), time.Second, "", 0, 2},
		"dead letter": {4, queueworker.DeadLetter(nil), time.Second, letter, 0, 2},
	} {
		for _, fifo := range []bool{false, true} {
			if fifo {
				name += ", FIFO"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, nil)
					dead, attributes := "dead", map[string]string{}
					if fifo {
						attributes["FifoQueue"] = "true"
						dead += ".fifo"
						w.url = w.queue("work.fifo", attributes)
					}
					dead = w.queue(dead, attributes)
					w.sendBodies(fifo, "a1", "b1", "c1")
					heals := []func(){w.inject(extend, awstest.Unavailable())}
					if tt.also != "" {
						heals = append(heals, w.inject(tt.also, awstest.Unavailable()))
					}
					time.AfterFunc(40*time.Second, func() {
						for _, heal := range heals {
							heal()
						}
					})
					// What comes behind them is handled as well.
					time.AfterFunc(2*time.Minute, func() { w.sendBodies(fifo, "a2", "b2", "c2") })
					var handled tally
					var r record
					worker := w.worker(func(ctx context.Context, m *queueworker.Message) error {
						times := handled.add(m.Body)
						if m.Body[1:] == "2" || times > 1 {
							return nil
						}
						select {
						case <-time.After(tt.took):
						case <-ctx.Done():
						}
						return tt.first
					}, r.option, func(o *queueworker.Options) { o.Concurrency, o.DeadLetterURL = tt.concurrency, dead })
					if tt.also == letter { // else it comes back before it is given up, and goes on under the new lease
						time.AfterFunc(10*time.Second, func() { worker.Pause(time.Now().Add(40 * time.Second)) })
					}
					if err := w.runFor(worker, 5*time.Minute); err != nil {
						t.Error(err)
					}
					w.empty()
					for _, body := range []string{"a1", "b1", "c1"} {
						if got := handled.add(body) - 1; got != tt.handled {
							t.Errorf("%s was handled %d times, want %d", body, got, tt.handled)
						}
					}
					for _, body := range []string{"a2", "b2", "c2"} {
						if got := handled.add(body) - 1; got != 1 {
							t.Errorf("%s was handled %d times, want 1", body, got)
						}
					}
					if lost := r.of(queueworker.LeaseLost); len(lost) != tt.lost {
						t.Errorf("%d losses were told, want %d", len(lost), tt.lost)
					}
					s := worker.Stats()
					if s.Received != s.Completed+s.Retried+s.Released+s.DeadLettered+s.DeletedAgain+s.Duplicates+s.Unstarted-s.TriedHere {
						t.Errorf("the numbers do not add up: %+v", s)
					}
				})
			})
		}
	}
}

// TestALateAnswerHasALateLease: the lease began when the message was handed out, at the latest when the wait was over.
func TestALateAnswerHasALateLease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.sendBodies(false, "one")
		w.inject(receive, awstest.DelayReply(8*time.Second), times(1))
		worker := w.worker(func(ctx context.Context, m *queueworker.Message) error {
			if left := time.Until(m.Deadline()); left > 3*time.Second {
				t.Errorf("%v left of ten seconds, eight of which are over", left)
			}
			select {
			case <-time.After(time.Minute):
			case <-ctx.Done():
				t.Error(context.Cause(ctx))
			}
			return nil
		}, func(o *queueworker.Options) { o.WaitTime, o.Visibility = time.Second, 10*time.Second })
		if err := w.runFor(worker, 2*time.Minute); err != nil {
			t.Error(err)
		}
		w.empty()
		if s := worker.Stats(); s.Received != 1 {
			t.Errorf("%+v", s)
		}
	})
}

// TestAMessageWithoutNumbersIsAFirstAttempt: a server that is not SQS may leave attributes out.
func TestAMessageWithoutNumbersIsAFirstAttempt(t *testing.T) {
	t.Parallel()
	for name, attributes := range map[string]map[string]string{
		"none": nil, "no number": {"ApproximateReceiveCount": "many", "SentTimestamp": "now"}, "zero": {"ApproximateReceiveCount": "0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, nil)
				w.sendBodies(false, "one")
				api := &tampered{API: w.client}
				api.receive = func(ctx context.Context, in *sqs.ReceiveMessageInput) (*sqs.ReceiveMessageOutput, error) {
					for _, name := range in.AttributeNames { //nolint:staticcheck // deprecated, and not to be used
						t.Errorf("asks for %s by AttributeNames", name)
					}
					out, err := w.client.ReceiveMessage(ctx, in)
					for i := range out.Messages {
						out.Messages[i].Attributes = attributes
					}
					return out, err
				}
				tries := 0
				worker := w.workerOf(api, func(_ context.Context, m *queueworker.Message) error {
					if m.Attempt != 1 || !m.SentAt.IsZero() || m.LastAttempt() {
						t.Errorf("%+v", m)
					}
					if tries++; tries == 1 {
						return errors.New("not yet")
					}
					return nil
				})
				if err := w.runFor(worker, time.Minute); err != nil {
					t.Error(err)
				}
				w.empty()
			})
		})
	}
}

// TestAMessageThatCannotBeTakenIsLeftAlone: one of ten has changed on its way, or nobody could delete it. It comes again.
func TestAMessageThatCannotBeTakenIsLeftAlone(t *testing.T) {
	t.Parallel()
	wrong := "0123456789abcdef0123456789abcdef"
	for name, spoil := range map[string]func(m *types.Message){
		"another body": func(m *types.Message) { m.MD5OfBody = &wrong },
		"no ID":        func(m *types.Message) { m.MessageId = nil },
		"no handle":    func(m *types.Message) { m.ReceiptHandle = nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, nil)
				w.send(10)
				api := &tampered{API: w.client}
				spoilt := 0
				api.receive = func(ctx context.Context, in *sqs.ReceiveMessageInput) (*sqs.ReceiveMessageOutput, error) {
					out, err := w.client.ReceiveMessage(ctx, in)
					if err == nil && len(out.Messages) > 0 && spoilt < 2 {
						spoil(&out.Messages[0])
						spoilt++
					}
					return out, err
				}
				var handled tally
				var r record
				worker := w.workerOf(api, func(_ context.Context, m *queueworker.Message) error {
					handled.add(m.Body)
					return nil
				}, r.option)
				if err := w.runFor(worker, 2*time.Minute); err != nil {
					t.Error(err)
				}
				w.empty()
				handled.each(w, 10, 1)
				if s := worker.Stats(); s.Corrupt != 2 || len(r.of(queueworker.Corrupt)) != 2 || s.Received != 12 || s.Completed != 10 {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

// TestNothingOfAGroupIsHandledBeforeWhatCannotBeTaken: what was before it in the same answer is, and other groups are.
func TestNothingOfAGroupIsHandledBeforeWhatCannotBeTaken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.url = w.queue("work.fifo", map[string]string{"FifoQueue": "true"})
		w.sendBodies(true, "a1", "a2", "a3", "a4", "b1", "b2")
		api := &tampered{API: w.client}
		api.receive = func(ctx context.Context, in *sqs.ReceiveMessageInput) (*sqs.ReceiveMessageOutput, error) {
			out, err := w.client.ReceiveMessage(ctx, in)
			for i := range out.Messages {
				if *out.Messages[i].Body == "a2" && out.Messages[i].Attributes["ApproximateReceiveCount"] == "1" {
					*out.Messages[i].Body = "changed"
				}
			}
			return out, err
		}
		order := map[byte]string{}
		var lock tally
		worker := w.workerOf(api, func(_ context.Context, m *queueworker.Message) error {
			lock.mu.Lock()
			defer lock.mu.Unlock()
			order[m.Body[0]] += m.Body + " "
			return nil
		})
		if err := w.runFor(worker, 3*time.Minute); err != nil {
			t.Error(err)
		}
		w.empty()
		if order['a'] != "a1 a2 a3 a4 " || order['b'] != "b1 b2 " {
			t.Errorf("%v", order)
		}
		if s := worker.Stats(); s.Corrupt != 1 || s.Unstarted < 2 {
			t.Errorf("%+v", s)
		}
	})
}
