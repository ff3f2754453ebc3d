package queueworker_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/sqssvc"
	"github.com/awsha/awsha/queueworker"
)

func TestMessagesThatWaitKeepTheirLeases(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.send(10)
		done := make(chan struct{})
		handled := 0
		worker := w.worker(func(_ context.Context, m *queueworker.Message) error {
			if m.Attempt != 1 {
				t.Errorf("%s: attempt %d", m.Body, m.Attempt)
			}
			time.Sleep(20 * time.Second) // the last one waits for three minutes
			if handled++; handled == 10 {
				close(done)
			}
			return nil
		}, func(o *queueworker.Options) { o.Concurrency = 1 })
		if err := w.runUntil(worker, done); err != nil {
			t.Error(err)
		}
		w.empty()
		if s := worker.Stats(); s.Received != 10 || s.LeasesLost != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestADeadlineMovesOnlyAfterASuccess(t *testing.T) {
	t.Parallel()
	for name, effect := range map[string]awstest.Effect{
		"refused":         awstest.Throttle(),
		"unavailable":     awstest.Unavailable(),
		"the answer lost": awstest.LoseReply(),
		"an entry failed": sqssvc.FailEntries("InternalError", false, nil),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, nil)
				w.sendBodies(false, "slow")
				w.inject(extend, effect, times(3)) // at 18 s, 250 ms and 750 ms later
				done := make(chan struct{})
				worker := w.worker(func(ctx context.Context, m *queueworker.Message) error {
					defer close(done)
					first := m.Deadline()
					time.Sleep(18900 * time.Millisecond)
					if !m.Deadline().Equal(first) {
						t.Errorf("moved by %v after calls that failed", m.Deadline().Sub(first))
					}
					time.Sleep(2 * time.Second)
					if moved := m.Deadline().Sub(first); moved < 19*time.Second || moved > 21*time.Second {
						t.Errorf("moved by %v after a success", moved)
					}
					time.Sleep(time.Minute)
					return ctx.Err()
				})
				if err := w.runUntil(worker, done); err != nil {
					t.Error(err)
				}
				w.empty()
				if s := worker.Stats(); s.LeasesLost != 0 || s.Received != 1 {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

func TestOneRefusedExtensionOfTenLosesOneLease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.send(10)
		heal := w.inject(extend, sqssvc.FailEntries("ReceiptHandleIsInvalid", true, func(i int, _ string) bool { return i == 3 }))
		var mu sync.Mutex
		lost := 0
		done := make(chan struct{})
		handled := 0
		worker := w.worker(func(ctx context.Context, _ *queueworker.Message) error {
			select {
			case <-time.After(25 * time.Second):
			case <-ctx.Done():
			}
			mu.Lock()
			defer mu.Unlock()
			if errors.Is(context.Cause(ctx), queueworker.ErrLeaseLost) {
				lost++
				heal()
				return ctx.Err()
			}
			if handled++; handled == 10 {
				close(done)
			}
			return nil
		}, func(o *queueworker.Options) { o.Concurrency = 10 })
		if err := w.runUntil(worker, done); err != nil {
			t.Error(err)
		}
		w.empty()
		if s := worker.Stats(); lost != 1 || s.LeasesLost != 1 || s.Completed != 10 {
			t.Errorf("%d handlers heard of it: %+v", lost, s)
		}
	})
}

// TestALossIsHeardBeforeTheLeaseEnds: however SQS fails, and however many leases there are.
func TestALossIsHeardBeforeTheLeaseEnds(t *testing.T) {
	t.Parallel()
	for name, effect := range map[string]awstest.Effect{
		"refused": awstest.Throttle(), "no answer": awstest.Hang(), "late answers": awstest.Delay(3 * time.Second),
	} {
		for _, visibility := range []time.Duration{2 * time.Second, 5 * time.Second, 30 * time.Second} {
			for _, n := range []int{1, 400} {
				t.Run(name+" "+visibility.String()+" "+strconv.Itoa(n), func(t *testing.T) {
					t.Parallel()
					if effect := name; effect == "late answers" && visibility > 5*time.Second {
						t.Skip("they are not too late")
					}
					synctest.Test(t, func(t *testing.T) {
						w := newWorld(t, nil)
						w.send(n)
						heal := w.inject(extend, effect)
						defer heal()
						heard, told := 0, make(chan struct{}, n)
						worker := w.worker(func(ctx context.Context, m *queueworker.Message) error {
							if m.Attempt > 1 {
								return nil
							}
							<-ctx.Done()
							if left := time.Until(m.ReceivedAt.Add(visibility)); left <= 0 || left > visibility*4/10 {
								t.Errorf("%v before the end", left)
							}
							told <- struct{}{}
							return ctx.Err()
						}, func(o *queueworker.Options) { o.Concurrency, o.Visibility = n, visibility })
						done := make(chan struct{})
						go func() {
							for ; heard < n; heard++ {
								<-told
							}
							heal()
							time.Sleep(time.Minute)
							close(done)
						}()
						if err := w.runUntil(worker, done); err != nil {
							t.Error(err)
						}
						w.empty()
						if s := worker.Stats(); s.LeasesLost != uint64(n) {
							t.Errorf("%+v", s)
						}
					})
				})
			}
		}
	}
}

// TestSlowExtensionsAreEnoughForManyLeases: each call takes almost the time after which it is given up.
func TestSlowExtensionsAreEnoughForManyLeases(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const n = 2000
		w := newWorld(t, nil)
		w.send(n)
		w.inject(extend, awstest.Delay(time.Second))
		done := make(chan struct{})
		left := make(chan struct{}, n)
		worker := w.worker(func(ctx context.Context, m *queueworker.Message) error {
			select {
			case <-time.After(20 * time.Second):
			case <-ctx.Done():
				t.Errorf("%s: %v", m.Body, context.Cause(ctx))
			}
			if left <- struct{}{}; len(left) == n {
				close(done)
			}
			return nil
		}, func(o *queueworker.Options) { o.Concurrency, o.Visibility = n, 10*time.Second })
		if err := w.runUntil(worker, done); err != nil {
			t.Error(err)
		}
		w.empty()
	})
}

// TestAnExtensionUnderWayDoesNotUndoTheEnd: it takes effect, or would begin, after the handler has returned.
func TestAnExtensionUnderWayDoesNotUndoTheEnd(t *testing.T) {
	t.Parallel()
	why := errors.New("why")
	for name, tt := range map[string]struct {
		err   error
		again time.Duration // when it is tried again; zero: never
		dead  int
	}{
		"delete":        {nil, 0, 0},
		"retry":         {queueworker.RetryAfter(5*time.Second, why), 5 * time.Second, 0},
		"retry at once": {queueworker.Release(why), time.Millisecond, 0},
		"retry later":   {queueworker.RetryAfter(2*time.Minute, why), 2 * time.Minute, 0},
		"dead letter":   {queueworker.DeadLetter(why), 0, 1},
	} {
		for slow, fault := range map[string]struct {
			effect awstest.Effect
			took   time.Duration
		}{
			"slow request":               {awstest.Delay(2 * time.Second), 19 * time.Second},
			"slow answer":                {awstest.DelayReply(2 * time.Second), 19 * time.Second},
			"slow request, almost begun": {awstest.Delay(2 * time.Second), 17950 * time.Millisecond},
		} {
			t.Run(name+", "+slow, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, nil)
					dead := w.deadLetters(10)
					w.sendBodies(false, "one")
					w.inject(extend, fault.effect, times(1))
					var at []time.Time
					worker := w.worker(func(ctx context.Context, _ *queueworker.Message) error {
						if at = append(at, time.Now()); len(at) > 1 {
							return nil
						}
						time.Sleep(fault.took) // the extension is due after 18 s
						if ctx.Err() != nil {
							t.Error(context.Cause(ctx))
						}
						at[0] = time.Now()
						return tt.err
					})
					if err := w.runFor(worker, 5*time.Minute); err != nil {
						t.Error(err)
					}
					w.empty()
					if visible, _ := w.counts(dead); visible != tt.dead {
						t.Errorf("%d dead letters, want %d", visible, tt.dead)
					}
					switch {
					case tt.again == 0:
						if len(at) > 1 {
							t.Errorf("handled %d times", len(at))
						}
					case len(at) != 2:
						t.Fatalf("handled %d times", len(at))
					default:
						if got := at[1].Sub(at[0]); got < tt.again || got > tt.again+3*time.Second {
							t.Errorf("tried again after %v, want %v", got, tt.again)
						}
					}
					if s := worker.Stats(); s.LeasesLost+s.DeletedAgain+s.FailedCalls != 0 {
						t.Errorf("%+v", s)
					}
				})
			})
		}
	}
}
