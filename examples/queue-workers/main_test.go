package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// reportOf runs the program in memory and returns what -json says.
func reportOf(t *testing.T, args ...string) report {
	t.Helper()
	var out bytes.Buffer
	if err := run(t.Context(), append(args, "-json"), &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	var r report
	dec := json.NewDecoder(&out)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&r); err != nil {
		t.Fatal(err)
	}
	if err := dec.Decode(new(any)); err != io.EOF {
		t.Errorf("more than one object: %v", err)
	}
	return r
}

func TestNothingIsLostInWhateverGoesWrong(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"-messages", "2000"},
		{"-workers", "1", "-messages", "2000", "-concurrency", "50", "-handler", "5ms"},
		{"-workers", "5", "-messages", "500", "-concurrency", "3", "-handler", "1s", "-visibility", "2s"},
		{"-messages", "1", "-workers", "2"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := reportOf(t, args...)
				if r.Lost != 0 || r.Unsent != 0 || r.Left != 0 || r.InFlight != 0 || r.Foreign != 0 {
					t.Errorf("lost, unsent, left, in flight or foreign: %+v", r)
				}
				if r.Duplicates > r.AtRisk {
					t.Errorf("%d duplicates, the kill excuses %d", r.Duplicates, r.AtRisk)
				}
				if r.DrainMS > 1000 { // of those who are alive, and have nothing to do
					t.Errorf("the drain took %v ms", r.DrainMS)
				}
				if r.Killed != 1 {
					t.Errorf("%d workers were killed", r.Killed)
				}
			})
		})
	}
}

func TestFaultsHappenAndAreCheap(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := reportOf(t)
		if r.FailedCalls == 0 || r.Redelivered == 0 {
			t.Errorf("nothing went wrong: %+v", r)
		}
		if r.CallsPerMessage > 0.25 {
			t.Errorf("%v calls a message", r.CallsPerMessage)
		}
		if got, want := r.Receives+r.Deletes+r.Visibility, r.CallsPerMessage*float64(r.Messages); float64(got) > want || float64(got) < want-10 {
			t.Errorf("%d calls by kind, %v in all", got, want)
		}
	})
}

func TestWithoutFaultsEachMessageIsDeliveredOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := reportOf(t, "-faults=false", "-workers", "2", "-concurrency", "25", "-handler", "100ms", "-messages", "2000")
		if diff := cmp.Diff([]int{0, 0, 0, 0, 0}, []int{r.Duplicates, r.Redelivered, r.FailedCalls, r.Killed, r.InFlight}); diff != "" {
			t.Errorf("duplicates, redelivered, failed calls, killed, in flight (-want +got):\n%s", diff)
		}
		if r.CallsPerMessage > 0.25 {
			t.Errorf("%v calls a message", r.CallsPerMessage)
		}
		if most := 500.0; r.MessagesPerSecond < 0.93*most || r.MessagesPerSecond > most {
			t.Errorf("%v messages a second of %v", r.MessagesPerSecond, most)
		}
	})
}

func TestLeasesAreExtendedWhileHandlersRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := reportOf(t, "-faults=false", "-workers", "1", "-concurrency", "100", "-handler", "5s", "-visibility", "2s", "-messages", "200")
		if r.Duplicates+r.Redelivered != 0 {
			t.Errorf("%d duplicates, %d redelivered", r.Duplicates, r.Redelivered)
		}
		if r.Visibility == 0 {
			t.Error("no lease was extended")
		}
	})
}

func TestProgressIsInPlainLines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		if err := run(t.Context(), []string{"-messages", "3000"}, &out, io.Discard); err != nil {
			t.Fatal(err)
		}
		for _, part := range []string{
			"3 workers, each with 25 handlers of 50ms", "3000 messages are sent", "/3000 handled", "worker 1 is killed", "worker 4 takes its place",
			"0 messages are left, of which 0 in flight", "calls a message", "lost                   0\n",
		} {
			if !strings.Contains(out.String(), part) {
				t.Errorf("no line says %q", part)
			}
		}
		if strings.ContainsRune(out.String(), '\x1b') {
			t.Error("terminal escapes in what is no terminal")
		}
	})
}

func TestTheStatusLineIsReplacedAndNeverWraps(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	s := newScreen(&out)
	s.setStatus(strings.Repeat("x", 200))
	s.print("line\n")
	s.setStatus("")
	x := strings.Repeat("x", 79)
	if diff := cmp.Diff(x+"\r\x1b[K"+"line\n"+x+"\r\x1b[K", out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAnInterruptEndsItAtOnceAndPrintsNoReport(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		interrupt := errors.New("interrupted")
		time.AfterFunc(4*time.Second, func() { cancel(interrupt) })
		var out bytes.Buffer
		start := time.Now()
		if err := run(ctx, []string{"-handler", "1h", "-messages", "500", "-json"}, &out, io.Discard); !errors.Is(err, interrupt) {
			t.Errorf("got %v", err)
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("took %v", took)
		}
		if out.Len() > 0 {
			t.Errorf("printed %s", &out)
		}
	})
}

// memory returns a place in memory without faults.
func memory(t *testing.T) *place {
	t.Helper()
	p, err := open(t.Context(), flags{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestLostMessagesAreAnError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := memory(t)
		time.AfterFunc(2*time.Second, func() {
			if _, err := p.client.PurgeQueue(t.Context(), &sqs.PurgeQueueInput{QueueUrl: &p.queue}); err != nil {
				t.Error(err)
			}
		})
		w := work{messages: 100, workers: 1, concurrency: 1, handler: time.Second, visibility: 2 * time.Second}
		r, err := tellAt(t.Context(), p, w, newScreen(io.Discard))
		if !errors.Is(err, errStalled) || !strings.Contains(err.Error(), "messages are lost") {
			t.Errorf("got %v", err)
		}
		if r == nil || r.Lost < 50 {
			t.Errorf("got %+v", r)
		}
	})
}

func TestAWorkerThatEndsOfItselfEndsTheRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := memory(t)
		p.queue += "-gone"
		_, err := tellAt(t.Context(), p, work{messages: 1, workers: 1, concurrency: 1, visibility: 2 * time.Second}, newScreen(io.Discard))
		if missing := (*types.QueueDoesNotExist)(nil); !errors.As(err, &missing) {
			t.Errorf("got %v", err)
		}
	})
}

// put sends messages with these bodies.
func put(t *testing.T, p *place, bodies ...string) {
	t.Helper()
	for _, body := range bodies {
		if _, err := p.client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &p.queue, MessageBody: &body}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAQueueInUseIsRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := memory(t)
		defer func() { _ = p.close(t.Context(), true) }()
		if _, err := occupy(t.Context(), p.cfg, p.queue, 2*time.Second); err != nil {
			t.Errorf("empty: %v", err)
		}
		put(t, p, "somebody's")
		if _, err := occupy(t.Context(), p.cfg, p.queue, 2*time.Second); err == nil || !strings.Contains(err.Error(), "must be empty") {
			t.Errorf("got %v", err)
		}
	})
}

func TestNothingOfOursStaysInAQueueOfYours(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		memory := memory(t)
		defer func() { _ = memory.close(t.Context(), true) }()
		p, err := occupy(t.Context(), memory.cfg, memory.queue, 3*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		run := newTally()
		put(t, p, run.body(1), "somebody's", run.body(2))
		// One is leased to a worker that has died.
		if _, err := p.client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &p.queue, VisibilityTimeout: 3, MaxNumberOfMessages: 1}); err != nil {
			t.Fatal(err)
		}
		if err := p.close(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Second) // the lease of what was left alone ends
		out, err := p.client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &p.queue, MaxNumberOfMessages: 10})
		if err != nil {
			t.Fatal(err)
		}
		var left []string
		for i := range out.Messages {
			left = append(left, *out.Messages[i].Body)
		}
		if diff := cmp.Diff([]string{"somebody's"}, left); diff != "" {
			t.Errorf("left (-want +got):\n%s", diff)
		}
	})
}

func TestForeignMessagesAreLeftAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := memory(t)
		put(t, p, "somebody's", newTally().body(7))
		w := work{messages: 20, workers: 1, concurrency: 5, visibility: 2 * time.Second}
		r, err := tellAt(t.Context(), p, w, newScreen(io.Discard))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]int{0, 2, 2}, []int{r.Lost, r.Foreign, r.Left}); diff != "" {
			t.Errorf("lost, foreign, left (-want +got):\n%s", diff)
		}
	})
}

func TestADeadMachineHasNoEffect(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := memory(t)
		defer func() { _ = p.close(t.Context(), true) }()
		m := newMachine(p.client)
		polled := make(chan error)
		go func() { // a poll that waits when the power goes
			_, err := m.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &p.queue, WaitTimeSeconds: 20})
			polled <- err
		}()
		time.Sleep(time.Second)
		if undeleted := m.kill(); len(undeleted) != 0 {
			t.Errorf("undeleted: %v", undeleted)
		}
		if err := <-polled; err != errDead {
			t.Errorf("the poll: %v", err)
		}
		if _, err := m.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &p.queue}); err != errDead {
			t.Errorf("another call: %v", err)
		}
		if m.finish("id", func() { t.Error("noted") }) {
			t.Error("a dead machine finished a message")
		}
		if diff := cmp.Diff(calls{receives: 1}, m.made(), cmp.AllowUnexported(calls{})); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
	})
}

func TestOnlyDeletesThatSucceededAreKnown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := memory(t)
		defer func() { _ = p.close(t.Context(), true) }()
		put(t, p, "a")
		m := newMachine(p.client)
		out, err := m.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &p.queue, WaitTimeSeconds: 1})
		if err != nil {
			t.Fatal(err)
		}
		message := out.Messages[0]
		m.finish(*message.MessageId, func() {})
		_, err = m.DeleteMessageBatch(t.Context(), &sqs.DeleteMessageBatchInput{QueueUrl: &p.queue, Entries: []types.DeleteMessageBatchRequestEntry{{Id: aws.String("0"), ReceiptHandle: aws.String("none")}}})
		if err != nil {
			t.Fatal(err)
		}
		if got := m.made(); got.failed != 1 || len(m.undeleted) != 1 {
			t.Errorf("%d failed, %d undeleted; want 1, 1", got.failed, len(m.undeleted))
		}
		_, err = m.DeleteMessageBatch(t.Context(), &sqs.DeleteMessageBatchInput{QueueUrl: &p.queue, Entries: []types.DeleteMessageBatchRequestEntry{{Id: aws.String("0"), ReceiptHandle: message.ReceiptHandle}}})
		if err != nil {
			t.Fatal(err)
		}
		if len(m.undeleted) != 0 {
			t.Errorf("%d undeleted", len(m.undeleted))
		}
	})
}

func TestTheRegionIsThatOfTheQueue(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		f    flags
		want string
	}{
		{flags{queue: "https://sqs.eu-west-1.amazonaws.com/123456789012/work"}, "eu-west-1"},
		{flags{queue: "https://sqs.eu-west-1.amazonaws.com/123456789012/work", region: "us-west-2"}, "us-west-2"},
		{flags{queue: "http://127.0.0.1:5000/123456789012/work"}, "us-east-1"},
		{flags{}, "us-east-1"},
	} {
		if got := regionOf(test.f); got != test.want {
			t.Errorf("%+v: got %s, want %s", test.f, got, test.want)
		}
	}
}

func TestWrongFlagsAreNamedAllAtOnce(t *testing.T) {
	t.Parallel()
	for args, want := range map[string][]string{
		"-messages 0 -workers 0 -concurrency 0":             {"messages", "workers", "concurrency"},
		"-handler -1s -visibility 2500ms":                   {"handler", "visibility"},
		"-aws":                                              {"queue"},
		"-aws -queue https://sqs.us-east-1/1/work.fifo":     {"queue"},
		"-queue https://sqs.us-east-1.amazonaws.com/1/work": {"queue"},
		"-endpoint localhost":                               {"endpoint"},
		"-aws -endpoint http://x -queue work":               {"endpoint", "queue"},
		"-region eu-west-1":                                 {"region"},
		"-endpoint http://x -region=":                       {"region"},
	} {
		var got []string
		err := run(t.Context(), strings.Fields(args), io.Discard, io.Discard)
		if exitCode(err) != 2 {
			t.Errorf("%s: exit code %d", args, exitCode(err))
		}
		joined, ok := err.(interface{ Unwrap() []error })
		if !ok {
			t.Errorf("%s: got %v", args, err)
			continue
		}
		for _, err := range joined.Unwrap() {
			var usage *usageError
			if errors.As(err, &usage) {
				got = append(got, usage.Flag)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", args, diff)
		}
	}
	for _, args := range []string{"-what", "more", "-messages x"} {
		if err := run(t.Context(), strings.Fields(args), io.Discard, io.Discard); exitCode(err) != 2 {
			t.Errorf("%s: got %v", args, err)
		}
	}
	var usage bytes.Buffer
	if err := run(t.Context(), []string{"-h"}, io.Discard, &usage); !errors.Is(err, flag.ErrHelp) || exitCode(err) != 0 {
		t.Errorf("-h: got %v", err)
	}
	if !strings.Contains(usage.String(), "-concurrency") {
		t.Errorf("-h printed %s", &usage)
	}
}

func TestOtherErrorsExitWithOne(t *testing.T) {
	t.Parallel()
	if got := exitCode(errStalled); got != 1 {
		t.Errorf("got %d", got)
	}
	if got := exitCode(nil); got != 0 {
		t.Errorf("got %d", got)
	}
}
