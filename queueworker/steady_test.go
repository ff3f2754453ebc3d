package queueworker_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/sqssvc"
	"github.com/awsha/awsha/queueworker"
)

// adds checks that each message that was received is in hand, or counts once.
func (w *world) adds(s queueworker.Stats, inHand uint64) {
	w.Helper()
	outcomes := s.Completed + s.Retried + s.Released + s.Dropped + s.DeadLettered - s.TriedHere
	if got := outcomes + s.DeletedAgain + s.Corrupt + s.Duplicates + s.Unstarted + inHand; got != s.Received {
		w.Errorf("%d messages were received, and %d are told of: %+v", s.Received, got, s)
	}
}

// TestTheNumbersAddUp: whatever becomes of messages.
func TestTheNumbersAddUp(t *testing.T) {
	t.Parallel()
	for _, fifo := range []bool{false, true} {
		name := "standard"
		if fifo {
			name = "FIFO"
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
				rng := rand.New(rand.NewPCG(1, 1))
				for i := range 400 {
					w.sendBodies(fifo, fmt.Sprintf("%c%d", 'a'+i%7, i))
				}
				for operation, effect := range map[string]awstest.Effect{receive: sqssvc.Duplicate(), remove: sqssvc.Resurrect(), extend: awstest.Throttle()} {
					if _, err := w.cloud.Inject(awstest.Match{Service: "SQS", Operation: operation, Probability: 0.3, Times: 20}, effect); err != nil {
						t.Fatal(err)
					}
				}
				w.inject(receive, sqssvc.CorruptBody(), times(2))
				var mu sync.Mutex
				worker := w.worker(func(ctx context.Context, _ *queueworker.Message) error {
					mu.Lock()
					n, took := rng.IntN(12), time.Duration(rng.IntN(4000))*time.Millisecond
					mu.Unlock()
					select {
					case <-time.After(took):
					case <-ctx.Done():
						return ctx.Err()
					}
					switch n {
					case 0:
						return queueworker.Release(nil)
					case 1:
						return queueworker.Drop(nil)
					case 2:
						return queueworker.DeadLetter(nil)
					case 3:
						return errors.New("to be tried again")
					case 4:
						panic("to be tried again")
					}
					return nil
				}, func(o *queueworker.Options) { o.Visibility, o.DeadLetterURL = 3*time.Second, dead })
				time.AfterFunc(time.Second, func() { // it is drained with messages in hand, some of which it waits for
					for n := 1; n < 40; n++ {
						if err := worker.SetConcurrency(1 + n%20); err != nil {
							t.Error(err)
						}
						time.Sleep(time.Second)
						synctest.Wait()
						if s := worker.Stats(); s.Running > 20 || s.Slots != 1+n%20 {
							t.Errorf("%+v", s)
						} else if !fifo {
							w.adds(s, uint64(s.Running+s.Buffered))
						}
					}
				})
				if err := w.runFor(worker, 45*time.Second); err != nil {
					t.Error(err)
				}
				s := worker.Stats()
				w.adds(s, 0)
				if s.Running+s.Buffered+s.Pollers != 0 {
					t.Errorf("%+v", s)
				}
				for kind, n := range map[string]uint64{"retried": s.Retried, "released": s.Released, "dropped": s.Dropped, "dead letters": s.DeadLettered, "corrupt": s.Corrupt, "unstarted": s.Unstarted} {
					if n == 0 {
						t.Errorf("none are %s: %+v", kind, s)
					}
				}
			})
		})
	}
}

// TestFewerSlotsTakeEffectAsHandlersEnd: and more of them at once.
func TestFewerSlotsTakeEffectAsHandlersEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.send(1000)
		var running, most atomic.Int64
		worker := w.worker(func(context.Context, *queueworker.Message) error {
			if n := running.Add(1); n > most.Load() {
				most.Store(n)
			}
			defer running.Add(-1)
			time.Sleep(time.Second)
			return nil
		})
		time.AfterFunc(500*time.Millisecond, func() {
			for _, slots := range []int64{50, 3, 20, 1} {
				if err := worker.SetConcurrency(int(slots)); err != nil {
					t.Error(err)
				}
				time.Sleep(1100 * time.Millisecond) // those that ran before have ended
				most.Store(0)
				time.Sleep(2 * time.Second)
				if got := most.Load(); got != slots {
					t.Errorf("%d handlers at a time, want %d", got, slots)
				}
			}
			for _, bad := range []int{0, -1, 100_001} {
				if _, ok := errors.AsType[*queueworker.FieldError](worker.SetConcurrency(bad)); !ok {
					t.Errorf("%d slots are taken", bad)
				}
			}
		})
		if err := w.runFor(worker, 20*time.Second); err != nil {
			t.Error(err)
		}
		w.adds(worker.Stats(), 0)
	})
}

// TestMoreSlotsAreUsedAtOnce: while the handlers of before go on.
func TestMoreSlotsAreUsedAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.send(10)
		var running atomic.Int64
		worker := w.worker(func(context.Context, *queueworker.Message) error {
			running.Add(1)
			time.Sleep(time.Minute)
			return nil
		}, func(o *queueworker.Options) { o.Concurrency = 1 })
		time.AfterFunc(10*time.Second, func() {
			if err := worker.SetConcurrency(10); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Second)
			if n := running.Load(); n != 10 {
				t.Errorf("%d handlers run, want 10", n)
			}
		})
		if err := w.runFor(worker, 2*time.Minute); err != nil {
			t.Error(err)
		}
		w.empty()
	})
}

// TestWorkersLeaveNothingBehind: two hundred of them, with work in hand when they stop. The bubble would not end with a goroutine or
// timer of theirs that waits. Not parallel, since it counts the goroutines of the process.
func TestWorkersLeaveNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.url = w.queue("work.fifo", map[string]string{"FifoQueue": "true"})
		rng := rand.New(rand.NewPCG(2, 2))
		fails := w.inject(extend, awstest.Throttle())
		defer fails()
		var before int
		for cycle := range 200 {
			for i := range 5 {
				w.sendBodies(true, fmt.Sprintf("%c%d", 'a'+i%3, 10*cycle+i))
			}
			worker := w.worker(func(ctx context.Context, _ *queueworker.Message) error {
				select {
				case <-time.After(300 * time.Millisecond):
				case <-ctx.Done():
				}
				return errors.New("again")
			}, func(o *queueworker.Options) {
				o.WaitTime, o.DrainTimeout, o.Visibility = time.Second, time.Second, 2*time.Second
				o.Retry = func(*queueworker.Message, error) time.Duration { return time.Hour }
			})
			worker.Pause(time.Now().Add(time.Hour))
			time.AfterFunc(10*time.Millisecond, worker.Resume)
			if err := w.runFor(worker, time.Duration(rng.IntN(1500))*time.Millisecond); err != nil {
				if _, ok := errors.AsType[*queueworker.DrainError](err); !ok {
					t.Error(err)
				}
			}
			synctest.Wait()
			if cycle == 10 {
				before = goroutines()
			} else if n := goroutines(); cycle > 10 && n > before {
				t.Errorf("%d goroutines after %d workers, %d after ten", n, cycle, before)
			}
		}
	})
}

// goroutines returns how many there are. runtime.NumGoroutine may be wrong by some thirty, while those that have ended are put aside; a dump
// stops them all.
func goroutines() int {
	dump := make([]byte, 1<<20)
	return bytes.Count(dump[:runtime.Stack(dump, true)], []byte("\ngoroutine "))
}

// TestEventsAreToldWithoutALock: who is told may call the worker, and may panic.
func TestEventsAreToldWithoutALock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.deadLetters(10)
		w.send(200)
		for operation, effect := range map[string]awstest.Effect{receive: awstest.Throttle(), remove: awstest.Throttle(), extend: awstest.Throttle(), letter: awstest.Throttle()} {
			w.inject(operation, effect, times(6))
		}
		w.inject(receive, sqssvc.CorruptBody(), func(m *awstest.Match) { m.Skip, m.Times = 8, 1 })
		w.inject(remove, sqssvc.Resurrect(), func(m *awstest.Match) { m.Skip, m.Times = 8, 2 })
		var worker *queueworker.Worker
		var logged strings.Builder
		var told [16]atomic.Int64
		worker = w.worker(func(_ context.Context, m *queueworker.Message) error {
			if m.Attempt == 1 && strings.HasSuffix(m.Body, "7") {
				return queueworker.DeadLetter(nil)
			}
			if m.Attempt == 1 && strings.HasSuffix(m.Body, "8") {
				return errors.New("again")
			}
			return nil
		}, func(o *queueworker.Options) {
			o.Logger = slog.New(slog.NewTextHandler(&logged, nil))
			o.Retry = func(*queueworker.Message, error) time.Duration { panic("no idea") }
			o.OnEvent = func(_ context.Context, e queueworker.Event) {
				_ = worker.Stats()
				_ = worker.Healthy()
				if err := worker.SetConcurrency(10); err != nil {
					t.Error(err)
				}
				if e.Kind != queueworker.Paused && e.Kind != queueworker.Resumed {
					worker.Pause(time.Time{})
					worker.Resume()
				}
				_ = e.Kind.String()
				told[e.Kind].Add(1)
				panic(e.Kind.String())
			}
		})
		if err := w.runFor(worker, 20*time.Minute); err != nil {
			t.Error(err)
		}
		w.empty()
		for _, kind := range []queueworker.EventKind{
			queueworker.Handled, queueworker.DeletedAgain, queueworker.Corrupt, queueworker.CallFailed, queueworker.Recovered,
			queueworker.Paused, queueworker.Resumed, queueworker.Draining, queueworker.Drained,
		} {
			if told[kind].Load() == 0 {
				t.Errorf("%v was not told", kind)
			}
		}
		for _, what := range []string{"OnEvent panicked", "Options.Retry panicked"} {
			if !strings.Contains(logged.String(), what) {
				t.Errorf("%q is not in the log", what)
			}
		}
	})
}

// TestAHandlerMayEndItsGoroutine: as t.FailNow does. Its slot is free again, and the message is tried again.
func TestAHandlerMayEndItsGoroutine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.send(50)
		var handled tally
		worker := w.worker(func(_ context.Context, m *queueworker.Message) error {
			if handled.add(m.Body) == 1 {
				runtime.Goexit()
			}
			return nil
		}, func(o *queueworker.Options) { o.Concurrency = 2 })
		if err := w.runFor(worker, time.Minute); err != nil {
			t.Error(err)
		}
		w.empty()
		handled.each(w, 50, 2)
	})
}

// TestDigestsAreLeftAloneWhereThereIsNoMD5: it would panic. The test runs itself as a process in which that is so.
func TestDigestsAreLeftAloneWhereThereIsNoMD5(t *testing.T) {
	t.Parallel()
	if os.Getenv("GODEBUG") != "fips140=only" {
		command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		command.Env = append(os.Environ(), "GODEBUG=fips140=only")
		if out, err := command.CombinedOutput(); err != nil || !strings.Contains(string(out), "handled 1") {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	ctx, cancel := context.WithCancel(t.Context())
	messages := []types.Message{{MessageId: aws.String("m"), ReceiptHandle: aws.String("h"), Body: aws.String("b"), MD5OfBody: aws.String("of another body")}}
	api := &tampered{}
	api.look = func(context.Context, *sqs.GetQueueAttributesInput) (*sqs.GetQueueAttributesOutput, error) {
		return &sqs.GetQueueAttributesOutput{}, nil
	}
	api.receive = func(ctx context.Context, _ *sqs.ReceiveMessageInput) (*sqs.ReceiveMessageOutput, error) {
		if out := (&sqs.ReceiveMessageOutput{Messages: messages}); len(messages) > 0 {
			messages = nil
			return out, nil
		}
		<-ctx.Done()
		return nil, ctx.Err()
	}
	api.remove = func(context.Context, *sqs.DeleteMessageBatchInput) (*sqs.DeleteMessageBatchOutput, error) {
		cancel()
		return &sqs.DeleteMessageBatchOutput{Successful: []types.DeleteMessageBatchResultEntry{{Id: aws.String("0")}}}, nil
	}
	handler := queueworker.HandlerFunc(func(context.Context, *queueworker.Message) error { return nil })
	worker, err := queueworker.New(api, "https://sqs.us-east-1.amazonaws.com/123456789012/work", handler, func(o *queueworker.Options) {
		o.CancelReceives, o.MaxPollers = true, 1
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := worker.Run(ctx); err != nil || worker.Stats().Completed != 1 {
		t.Errorf("%v: %+v", err, worker.Stats())
	}
	t.Log("handled 1")
}
