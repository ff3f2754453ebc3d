package queueworker_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/sqssvc"
	"github.com/awsha/awsha/queueworker"
)

// TestDeletesAreRepeatedUntilTheyAreCertain: each message is handled once, whatever SQS says of its delete.
func TestDeletesAreRepeatedUntilTheyAreCertain(t *testing.T) {
	t.Parallel()
	half := func(i int, _ string) bool { return i%2 == 0 }
	for name, effect := range map[string]awstest.Effect{
		"throttled":                  awstest.Throttle(),
		"unavailable":                awstest.Unavailable(),
		"denied":                     awstest.Deny(),
		"no answer":                  awstest.Hang(),
		"the answer lost":            awstest.LoseReply(),
		"refused for what it is":     awstest.Reject(awstest.APIError{Code: "UnsupportedOperation"}),
		"half of the entries fail":   sqssvc.FailEntries("InternalError", false, half),
		"half of them are throttled": sqssvc.FailEntries("RequestThrottled", true, half),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, nil)
				w.send(50)
				heal := w.inject(remove, effect)
				time.AfterFunc(5*time.Minute, heal)
				var handled tally
				var r record
				worker := w.worker(func(_ context.Context, m *queueworker.Message) error {
					handled.add(m.Body)
					return nil
				}, r.option)
				if err := w.runFor(worker, 6*time.Minute); err != nil {
					t.Error(err)
				}
				w.empty()
				handled.each(w, 50, 1)
				if s := worker.Stats(); s.Received != 50 || s.LeasesLost+s.DeletedAgain != 0 {
					t.Errorf("%+v", s)
				}
				failed := r.of(queueworker.CallFailed)
				if len(failed) == 0 || len(failed) > 200 || failed[0].Operation != remove {
					t.Errorf("%d failures were told, %+v", len(failed), failed)
				}
				if name == "denied" && !errors.Is(failed[0].Err, queueworker.ErrAccessDenied) {
					t.Errorf("%v", failed[0].Err)
				}
			})
		})
	}
}

// TestADeleteThatIsRefusedIsMadeWithTheNextHandle: it is told, and the message is deleted when it comes back.
func TestADeleteThatIsRefusedIsMadeWithTheNextHandle(t *testing.T) {
	t.Parallel()
	for code, lost := range map[string]uint64{"InvalidParameterValue": 0, "ReceiptHandleIsInvalid": 1} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, nil)
				w.send(10)
				w.inject(remove, sqssvc.FailEntries(code, true, func(i int, _ string) bool { return i == 4 }), times(1))
				var handled tally
				var r record
				worker := w.worker(func(_ context.Context, m *queueworker.Message) error {
					handled.add(m.Body)
					return nil
				}, r.option)
				if err := w.runFor(worker, time.Minute); err != nil {
					t.Error(err)
				}
				w.empty()
				handled.each(w, 10, 1)
				if s := worker.Stats(); s.DeletedAgain != 1 || s.LeasesLost != lost {
					t.Errorf("%+v", s)
				}
				if told := len(r.of(queueworker.CallFailed)) + len(r.of(queueworker.LeaseLost)); told != 1 {
					t.Errorf("told %d times", told)
				}
			})
		})
	}
}

// TestAnEntryThatTheAnswerDoesNotMentionIsRepeated: SQS says that every entry is in its answer; a server that is not SQS may not.
func TestAnEntryThatTheAnswerDoesNotMentionIsRepeated(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		dead := w.deadLetters(10)
		w.send(40)
		var removes, extends, letters atomic.Int64
		api := &tampered{API: w.client}
		api.remove = func(ctx context.Context, in *sqs.DeleteMessageBatchInput) (*sqs.DeleteMessageBatchOutput, error) {
			if removes.Add(1)%2 == 1 {
				in.Entries = in.Entries[1:]
			}
			if len(in.Entries) == 0 {
				return &sqs.DeleteMessageBatchOutput{}, nil
			}
			return w.client.DeleteMessageBatch(ctx, in)
		}
		api.extend = func(ctx context.Context, in *sqs.ChangeMessageVisibilityBatchInput) (*sqs.ChangeMessageVisibilityBatchOutput, error) {
			if extends.Add(1)%2 == 1 {
				in.Entries = in.Entries[1:]
			}
			if len(in.Entries) == 0 {
				return &sqs.ChangeMessageVisibilityBatchOutput{}, nil
			}
			return w.client.ChangeMessageVisibilityBatch(ctx, in)
		}
		api.letter = func(ctx context.Context, in *sqs.SendMessageBatchInput) (*sqs.SendMessageBatchOutput, error) {
			if letters.Add(1)%2 == 1 {
				in.Entries = in.Entries[1:]
			}
			if len(in.Entries) == 0 {
				return &sqs.SendMessageBatchOutput{}, nil
			}
			return w.client.SendMessageBatch(ctx, in)
		}
		var handled tally
		worker := w.workerOf(api, func(_ context.Context, m *queueworker.Message) error {
			time.Sleep(20 * time.Second) // it is extended once
			handled.add(m.Body)
			if n, _ := strconv.Atoi(m.Body); n%2 == 0 {
				return queueworker.DeadLetter(nil)
			}
			return nil
		}, func(o *queueworker.Options) { o.Concurrency = 40 })
		if err := w.runFor(worker, 5*time.Minute); err != nil {
			t.Error(err)
		}
		w.empty()
		handled.each(w, 40, 1)
		if visible, _ := w.counts(dead); visible != 20 {
			t.Errorf("%d dead letters, want 20", visible)
		}
		if s := worker.Stats(); s.LeasesLost+s.DeletedAgain != 0 || removes.Load() < 2 || extends.Load() < 2 || letters.Load() < 2 {
			t.Errorf("%d, %d and %d calls: %+v", removes.Load(), extends.Load(), letters.Load(), s)
		}
	})
}

// TestALongTimeWithoutDeletes: messages go on coming. No more are received than can be kept in mind, nothing is handled twice, and all
// goes on afterwards.
func TestALongTimeWithoutDeletes(t *testing.T) {
	t.Parallel()
	for name, effect := range map[string]awstest.Effect{"unavailable": awstest.Unavailable(), "denied": awstest.Deny()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const n, most = 2000, 1000 + 2*5 + 100 // what is under way when it stops included
				w := newWorld(t, nil)
				w.send(n)
				heal := w.inject(remove, effect)
				var handled tally
				worker := w.worker(func(_ context.Context, m *queueworker.Message) error {
					handled.add(m.Body)
					return nil
				}, func(o *queueworker.Options) { o.Concurrency, o.Visibility = 5, 10*time.Minute })
				time.AfterFunc(2*time.Minute, func() {
					during := worker.Stats()
					time.Sleep(2 * time.Minute)
					s := worker.Stats()
					if s.Received > most || s.Received != during.Received || s.Receives != during.Receives {
						t.Errorf("receives go on: %+v, two minutes before %+v", s, during)
					}
					if s.DeleteCalls > 4*60*50 {
						t.Errorf("%d deletes in four minutes", s.DeleteCalls)
					}
					if err := worker.Healthy(); err == nil || name == "denied" && !errors.Is(err, queueworker.ErrAccessDenied) {
						t.Errorf("healthy: %v", err)
					}
					heal()
				})
				if err := w.runFor(worker, 5*time.Minute); err != nil {
					t.Error(err)
				}
				w.empty()
				handled.each(w, n, 1)
				if s := worker.Stats(); s.LeasesLost+s.DeletedAgain+s.Duplicates != 0 {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

func TestADrainSaysWhatCouldNotBeDeletedAndWhy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.send(3)
		w.inject(remove, awstest.Deny())
		worker := w.worker(func(context.Context, *queueworker.Message) error { return nil })
		err := w.runFor(worker, time.Minute)
		drain, ok := errors.AsType[*queueworker.DrainError](err)
		if !ok || len(drain.Undeleted) != 3 || len(drain.Abandoned)+len(drain.Unreleased) != 0 || !errors.Is(err, queueworker.ErrAccessDenied) {
			t.Errorf("%v", err)
		}
	})
}

// TestAMessageThatWasHandledIsNotHandledAgain: its delete was not certain, or did nothing.
func TestAMessageThatWasHandledIsNotHandledAgain(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fifo   bool
		faults map[string]awstest.Effect
		again  uint64
	}{
		"a copy survived":                {false, map[string]awstest.Effect{remove: sqssvc.Resurrect()}, 2},
		"the lease ended under it":       {false, map[string]awstest.Effect{remove: awstest.Unavailable(), extend: awstest.Unavailable()}, 2},
		"the lease ended under it, FIFO": {true, map[string]awstest.Effect{remove: awstest.Unavailable(), extend: awstest.Unavailable()}, 2},
		"the answer came late":           {false, map[string]awstest.Effect{remove: awstest.Hang(), extend: awstest.Hang()}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, nil)
				if tt.fifo {
					w.url = w.queue("work.fifo", map[string]string{"FifoQueue": "true"})
				}
				w.sendBodies(tt.fifo, "a1", "b1")
				for operation, effect := range tt.faults {
					time.AfterFunc(35*time.Second, w.inject(operation, effect))
				}
				var handled tally
				var r record
				worker := w.worker(func(_ context.Context, m *queueworker.Message) error {
					handled.add(m.Body)
					return nil
				}, r.option)
				if err := w.runFor(worker, 3*time.Minute); err != nil {
					t.Error(err)
				}
				w.empty()
				handled.each(w, 2, 1)
				s := worker.Stats()
				if s.DeletedAgain < tt.again || s.Completed != 2 || len(r.of(queueworker.DeletedAgain)) != int(s.DeletedAgain) {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

// TestWhatWasHandledIsForgottenInTheEnd: after thousands of others a copy that comes back is handled again, since the memory is bounded.
func TestWhatWasHandledIsForgottenInTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.sendBodies(false, "copied")
		w.inject(remove, sqssvc.Resurrect(), times(1))
		var handled tally
		worker := w.worker(func(_ context.Context, m *queueworker.Message) error {
			handled.add(m.Body)
			return nil
		}, func(o *queueworker.Options) { o.Concurrency, o.Visibility = 100, 10*time.Minute })
		time.AfterFunc(time.Minute, func() {
			for range 21_000 / 100 {
				w.send(100)
			}
		})
		if err := w.runFor(worker, 12*time.Minute); err != nil {
			t.Error(err)
		}
		w.empty()
		if got := handled.add("copied") - 1; got != 2 {
			t.Errorf("handled %d times, want 2", got)
		}
	})
}

// TestReturnsAreRepeated: a message that is to be tried again later does not come before.
func TestReturnsAreRepeated(t *testing.T) {
	t.Parallel()
	for name, effect := range map[string]awstest.Effect{
		"throttled": awstest.Throttle(), "denied": awstest.Deny(), "an entry fails": sqssvc.FailEntries("InternalError", false, nil),
		"refused for what it is": awstest.Reject(awstest.APIError{Code: "UnsupportedOperation"}), "the answer lost": awstest.LoseReply(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, nil)
				w.sendBodies(false, "one")
				w.inject(extend, effect, times(4))
				var at []time.Time
				var r record
				worker := w.worker(func(context.Context, *queueworker.Message) error {
					if at = append(at, time.Now()); len(at) == 1 {
						return queueworker.RetryAfter(2*time.Minute, nil)
					}
					return nil
				}, r.option)
				if err := w.runFor(worker, 3*time.Minute); err != nil {
					t.Error(err)
				}
				w.empty()
				if len(at) != 2 || at[1].Sub(at[0]) < 2*time.Minute {
					t.Errorf("tried at %v", at)
				}
				if failed := r.of(queueworker.CallFailed); len(failed) != 3 { // the first, second and fourth
					t.Errorf("%d failures were told", len(failed))
				}
			})
		})
	}
}

// TestCredentialsThatAreGoneForAWhile: no call is made, and nothing is given up.
func TestCredentialsThatAreGoneForAWhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		dead := w.deadLetters(10)
		w.send(20)
		began := time.Now()
		gone := func() bool { return time.Since(began) < 2*time.Minute }
		errGone := errors.New("get credentials: the endpoint of the role is away")
		api := &tampered{API: w.client}
		api.remove = func(ctx context.Context, in *sqs.DeleteMessageBatchInput) (*sqs.DeleteMessageBatchOutput, error) {
			if gone() {
				return nil, errGone
			}
			return w.client.DeleteMessageBatch(ctx, in)
		}
		api.letter = func(ctx context.Context, in *sqs.SendMessageBatchInput) (*sqs.SendMessageBatchOutput, error) {
			if gone() {
				return nil, errGone
			}
			return w.client.SendMessageBatch(ctx, in)
		}
		var handled tally
		worker := w.workerOf(api, func(_ context.Context, m *queueworker.Message) error {
			handled.add(m.Body)
			if slices.Contains([]string{"3", "13"}, m.Body) {
				return queueworker.DeadLetter(nil)
			}
			return nil
		})
		if err := w.runFor(worker, 3*time.Minute); err != nil {
			t.Error(err)
		}
		w.empty()
		handled.each(w, 20, 1)
		if visible, _ := w.counts(dead); visible != 2 {
			t.Errorf("%d dead letters, want 2", visible)
		}
	})
}
