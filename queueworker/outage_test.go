package queueworker_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/queueworker"
)

// TestReceivesComeThroughAnOutage: one goes on asking, ever more slowly, Healthy says so, and what is sent afterwards is handled within
// the longest pause.
func TestReceivesComeThroughAnOutage(t *testing.T) {
	t.Parallel()
	for name, effect := range map[string]awstest.Effect{
		"unavailable":                 awstest.Unavailable(),
		"throttled":                   awstest.Throttle(),
		"denied":                      awstest.Deny(),
		"no answer":                   awstest.Hang(),
		"too many messages in flight": awstest.Reject(awstest.APIError{Code: "OverLimit", Status: 403}),
		"a key that is throttled":     awstest.Reject(awstest.APIError{Code: "KMS.ThrottlingException"}),
		"a key that is disabled":      awstest.Reject(awstest.APIError{Code: "KMS.DisabledException"}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, nil)
				w.send(100)
				var handled tally
				var r record
				worker := w.worker(func(_ context.Context, m *queueworker.Message) error {
					handled.add(m.Body)
					return nil
				}, r.option, func(o *queueworker.Options) { o.WaitTime = 5 * time.Second })
				time.AfterFunc(time.Minute, func() {
					if err := worker.Healthy(); err != nil {
						t.Errorf("before: %v", err)
					}
					heal := w.inject(receive, effect)
					time.Sleep(time.Hour)
					err := worker.Healthy()
					if qe, ok := errors.AsType[*queueworker.QueueError](err); !ok || qe.Operation != receive {
						t.Errorf("during: %v", err)
					}
					if name == "denied" && !errors.Is(err, queueworker.ErrAccessDenied) {
						t.Errorf("during: %v", err)
					}
					if n := len(r.of(queueworker.CallFailed)); n > 260 {
						t.Errorf("%d receives in an hour", n)
					}
					if len(r.of(queueworker.Recovered)) > 0 {
						t.Error("recovered before it was over")
					}
					heal()
					time.Sleep(36 * time.Second) // the longest pause, and a receive that waits
					if err := worker.Healthy(); err != nil {
						t.Errorf("after: %v", err)
					}
					w.sendBodies(false, "afterwards")
				})
				if err := w.runFor(worker, 63*time.Minute); err != nil {
					t.Error(err)
				}
				w.empty()
				handled.each(w, 101, 1)
				if n := len(r.of(queueworker.Recovered)); n != 1 {
					t.Errorf("recovered %d times", n)
				}
				if err := worker.Healthy(); !errors.Is(err, queueworker.ErrNotRunning) {
					t.Errorf("after the end: %v", err)
				}
			})
		})
	}
}

// TestAQueueThatIsDeletedAndCreatedAgain: the worker waits for it, and what handlers of before return has no effect.
func TestAQueueThatIsDeletedAndCreatedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.send(5)
		var handled tally
		lost := make(chan error, 5)
		worker := w.worker(func(ctx context.Context, m *queueworker.Message) error {
			if handled.add(m.Body); m.Body == "new" {
				return nil
			}
			<-ctx.Done()
			lost <- context.Cause(ctx)
			return nil
		})
		time.AfterFunc(10*time.Second, func() {
			if _, err := w.client.DeleteQueue(context.Background(), &sqs.DeleteQueueInput{QueueUrl: &w.url}); err != nil {
				t.Error(err)
			}
			time.Sleep(5 * time.Minute)
			if err := worker.Healthy(); !errors.Is(err, queueworker.ErrQueueNotFound) {
				t.Errorf("%v", err)
			}
			if _, err := w.client.CreateQueue(context.Background(), &sqs.CreateQueueInput{QueueName: aws.String("work")}); err != nil {
				t.Error(err)
			}
			w.sendBodies(false, "new")
		})
		if err := w.runFor(worker, 7*time.Minute); err != nil {
			t.Error(err)
		}
		w.empty()
		handled.each(w, 6, 1)
		for range 5 {
			if err := <-lost; !errors.Is(err, queueworker.ErrLeaseLost) {
				t.Errorf("%v", err)
			}
		}
	})
}

// TestAPauseIsKeptInAnOutage: nothing is asked for, and nothing received, until it ends.
func TestAPauseIsKeptInAnOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		heal := w.inject(receive, awstest.Unavailable())
		var handled tally
		began := time.Now()
		worker := w.worker(func(_ context.Context, m *queueworker.Message) error {
			if handled.add(m.Body); time.Since(began) < 30*time.Minute {
				t.Error("received in the pause")
			}
			return nil
		})
		time.AfterFunc(time.Minute, func() {
			worker.Pause(began.Add(30 * time.Minute))
			time.Sleep(31 * time.Second)
			heal()
			w.send(10)
		})
		if err := w.runFor(worker, 31*time.Minute); err != nil {
			t.Error(err)
		}
		w.empty()
		handled.each(w, 10, 1)
	})
}

func TestRunLooksAtTheQueueFirst(t *testing.T) {
	t.Parallel()
	look := "GetQueueAttributes"
	for name, tt := range map[string]struct {
		effect  awstest.Effect
		want    error         // of Run
		handled time.Duration // within which a message is, if Run goes on; the fault lasts for a minute
	}{
		"denied":            {awstest.Deny(), queueworker.ErrAccessDenied, 0},
		"missing":           {awstest.Reject(awstest.APIError{Code: "AWS.SimpleQueueService.NonExistentQueue"}), queueworker.ErrQueueNotFound, 0},
		"unavailable":       {awstest.Unavailable(), nil, 91 * time.Second},
		"throttled":         {awstest.Throttle(), nil, 91 * time.Second},
		"no answer at all":  {awstest.Hang(), nil, 91 * time.Second},
		"the answer is bad": {awstest.Reject(awstest.APIError{Code: "NeverHeardOf"}), nil, 91 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, nil)
				w.send(1)
				heal := w.inject(look, tt.effect)
				began := time.Now()
				var at time.Duration
				var r record
				worker := w.worker(func(context.Context, *queueworker.Message) error {
					at = time.Since(began)
					return nil
				}, r.option)
				time.AfterFunc(time.Minute, func() {
					if err := worker.Healthy(); err == nil {
						t.Error("healthy")
					}
					heal()
				})
				err := w.runFor(worker, 2*time.Minute)
				if !errors.Is(err, tt.want) {
					t.Errorf("%v, want %v", err, tt.want)
				}
				if tt.want != nil {
					if err := worker.Run(t.Context()); !errors.Is(err, queueworker.ErrAlreadyRun) {
						t.Errorf("the second run: %v", err)
					}
					return
				}
				if at == 0 || at > tt.handled {
					t.Errorf("handled after %v", at)
				}
				if failed := r.of(queueworker.CallFailed); len(failed) < 3 || len(failed) > 20 || failed[0].Operation != look {
					t.Errorf("%d failures were told", len(failed))
				}
				w.empty()
			})
		})
		t.Run(name+", and the context ends", func(t *testing.T) {
			t.Parallel()
			if tt.want != nil {
				t.Skip("Run has ended before")
			}
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, nil)
				heal := w.inject(look, tt.effect)
				defer heal()
				worker := w.worker(func(context.Context, *queueworker.Message) error { return nil })
				began := time.Now()
				if err := w.runFor(worker, 3*time.Second); err != nil || time.Since(began) != 3*time.Second {
					t.Errorf("%v after %v", err, time.Since(began))
				}
			})
		})
	}
}

// TestTheFirstReceiveIsDenied: Run ends, since it never will be allowed, and says why.
func TestTheFirstReceiveIsDenied(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.inject(receive, awstest.Deny())
		worker := w.worker(func(context.Context, *queueworker.Message) error { return nil })
		if err := worker.Run(t.Context()); !errors.Is(err, queueworker.ErrAccessDenied) {
			t.Errorf("%v", err)
		}
	})
}
