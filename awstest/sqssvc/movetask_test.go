package sqssvc_test

import (
	"encoding/base64"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/awsha/awsha/awstest/internal/svctest"
)

// graveyard is a queue, its dead-letter queue with n messages, and a third
// queue.
func (w *world) graveyard(n int, kind string) (q, dead, other string) {
	w.Helper()
	dead, other = w.queue("dead"+kind), w.queue("other"+kind)
	q = w.queue("jobs"+kind, redriveTo("dead"+kind, 1), "VisibilityTimeout=0")
	for i := range n {
		w.send(q, fmt.Sprintf("g:%d", i))
		w.one(q)
		w.gets(q, nil)
	}
	w.counts(dead, n, 0, 0)
	return q, dead, other
}

func (w *world) move(source, target string, rate int32) (handle string, err error) {
	in := &sqs.StartMessageMoveTaskInput{SourceArn: &source}
	if target != "" {
		in.DestinationArn = &target
	}
	if rate != 0 {
		in.MaxNumberOfMessagesPerSecond = &rate
	}
	out, err := w.StartMessageMoveTask(w.Context(), in)
	if err != nil {
		return "", err
	}
	return *out.TaskHandle, nil
}

func (w *world) tasks(source string, limit int32) []types.ListMessageMoveTasksResultEntry {
	w.Helper()
	return must(w.ListMessageMoveTasks(w.Context(), &sqs.ListMessageMoveTasksInput{SourceArn: &source, MaxResults: &limit}))(w).Results
}

// task asserts what the latest task is told to have done.
func (w *world) task(source, want string) types.ListMessageMoveTasksResultEntry {
	w.Helper()
	t := w.tasks(source, 1)[0]
	got := fmt.Sprintf("%s %d of %d", *t.Status, t.ApproximateNumberOfMessagesMoved, *t.ApproximateNumberOfMessagesToMove)
	if t.FailureReason != nil {
		got += " " + *t.FailureReason
	}
	if got != want {
		w.Errorf("after %v: the task is %s, want %s", time.Since(w.start), got, want)
	}
	return t
}

func TestMoveTask(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"", ".fifo"} {
		for _, toSource := range []bool{true, false} {
			t.Run(fmt.Sprintf("queue%s, to the source %v", kind, toSource), func(t *testing.T) {
				t.Parallel()
				inBubble(t, func(w *world) {
					q, dead, other := w.graveyard(3, kind)
					before := w.receive(dead, hiddenFor(time.Second))
					time.Sleep(time.Second)
					target, to := "", q
					if !toSource {
						target, to = arn("other"+kind), other
					}
					must(w.move(arn("dead"+kind), target, 0))(w)
					time.Sleep(time.Millisecond)
					e := w.task(arn("dead"+kind), "COMPLETED 3 of 3")
					if aws.ToString(e.DestinationArn) != target || *e.SourceArn != arn("dead"+kind) || e.TaskHandle != nil || e.MaxNumberOfMessagesPerSecond != nil {
						w.Errorf("%+v", e)
					}
					w.counts(dead, 0, 0, 0)
					moved := w.gets(to, []string{"g:0", "g:1", "g:2"})
					for i, m := range moved {
						a := m.Attributes
						if *m.MessageId == *before[i].MessageId || a["SentTimestamp"] == before[i].Attributes["SentTimestamp"] || a["ApproximateReceiveCount"] != "1" || a["DeadLetterQueueSourceArn"] != "" {
							w.Errorf("a moved message is a new one: %s %v", *m.MessageId, a)
						}
					}
				})
			})
		}
	}
}

func TestRateOfAMoveTask(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		_, dead, other := w.graveyard(4, "")
		got := w.poll(other)
		handle := must(w.move(arn("dead"), arn("other"), 2))(w)
		w.says("a poll of the destination", got, "[g:0 g:1] after 0s")
		e := w.task(arn("dead"), "RUNNING 2 of 4")
		if aws.ToString(e.TaskHandle) != handle || *e.MaxNumberOfMessagesPerSecond != 2 || e.StartedTimestamp < w.start.UnixMilli() {
			w.Errorf("%+v", e)
		}
		w.send(dead, "late") // which is not of this task
		time.Sleep(time.Second)
		w.task(arn("dead"), "COMPLETED 4 of 4")
		w.gets(dead, []string{"late"})
		time.Sleep(time.Hour)
		w.task(arn("dead"), "COMPLETED 4 of 4")
	})
}

func TestCancelMoveTask(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		_, dead, _ := w.graveyard(10, "")
		handle := must(w.move(arn("dead"), arn("other"), 1))(w)
		cancel := func(handle string) (*sqs.CancelMessageMoveTaskOutput, error) {
			return w.CancelMessageMoveTask(w.Context(), &sqs.CancelMessageMoveTaskInput{TaskHandle: &handle})
		}
		time.Sleep(2500 * time.Millisecond)
		if n := must(cancel(handle))(w).ApproximateNumberOfMessagesMoved; n != 3 {
			w.Errorf("%d were moved, want 3", n)
		}
		w.task(arn("dead"), "CANCELLING 3 of 10")
		_, err := cancel(handle)
		wantCode(w, err, "AWS.SimpleQueueService.UnsupportedOperation")
		time.Sleep(time.Second)
		w.task(arn("dead"), "CANCELLED 3 of 10")
		w.counts(dead, 7, 0, 0)
		_, err = cancel(handle)
		wantCode(w, err, "AWS.SimpleQueueService.UnsupportedOperation")
		_, err = cancel("garbage")
		wantCode(w, err, "InvalidParameterValue")
		_, err = cancel(base64.StdEncoding.EncodeToString([]byte(`{"taskId":"x","sourceArn":"` + arn("dead") + `"}`)))
		wantCode(w, err, "ResourceNotFoundException")
		second := must(w.move(arn("dead"), arn("other"), 1))(w)
		must(cancel(second))(w)
		must(w.DeleteQueue(w.Context(), &sqs.DeleteQueueInput{QueueUrl: &dead}))(w)
		_, err = cancel(handle)
		wantCode(w, err, "ResourceNotFoundException")
		svctest.WantStatus(w, err, 404)
		_, err = w.ListMessageMoveTasks(w.Context(), &sqs.ListMessageMoveTasksInput{SourceArn: aws.String(arn("dead"))})
		wantCode(w, err, "ResourceNotFoundException")
	})
}

func TestMoveTaskFails(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		_, dead, other := w.graveyard(3, "")
		must(w.move(arn("dead"), arn("other"), 1))(w)
		time.Sleep(time.Millisecond)
		must(w.DeleteQueue(w.Context(), &sqs.DeleteQueueInput{QueueUrl: &other}))(w)
		time.Sleep(time.Second)
		w.task(arn("dead"), "FAILED 1 of 3 AWS.SimpleQueueService.NonExistentQueue")
		w.counts(dead, 2, 0, 0)

		must(w.PurgeQueue(w.Context(), &sqs.PurgeQueueInput{QueueUrl: &dead}))(w)
		w.send(dead, "sent by hand")
		must(w.move(arn("dead"), "", 0))(w)
		time.Sleep(time.Millisecond)
		w.task(arn("dead"), "FAILED 0 of 1 CouldNotDetermineMessageSource")
		w.counts(dead, 1, 0, 0)
	})
}

func TestMoveTaskIsRefused(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.graveyard(5, "")
		w.queue("other.fifo")
		for _, c := range []struct {
			source, target string
			rate           int32
			code           string
		}{
			{arn("other"), arn("jobs"), 0, "InvalidParameterValue"}, // no dead-letter queue
			{arn("none"), "", 0, "ResourceNotFoundException"},
			{"dead", "", 0, "ResourceNotFoundException"},
			{arn("dead"), arn("none"), 0, "ResourceNotFoundException"},
			{arn("dead"), arn("dead"), 0, "InvalidParameterValue"},
			{arn("dead"), arn("other.fifo"), 0, "InvalidParameterValue"},
			{arn("dead"), "", 501, "InvalidParameterValue"},
			{arn("dead"), "", -1, "InvalidParameterValue"},
			{arn("dead"), "", 1, ""},
			{arn("dead"), "", 1, "InvalidParameterValue"}, // one at a time
		} {
			_, err := w.move(c.source, c.target, c.rate)
			wantCode(w, err, c.code)
		}
		_, err := w.StartMessageMoveTask(w.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: aws.String(arn("dead")), MaxNumberOfMessagesPerSecond: aws.Int32(0)})
		wantCode(w, err, "InvalidParameterValue")
		for _, limit := range []int32{0, 11} {
			_, err := w.ListMessageMoveTasks(w.Context(), &sqs.ListMessageMoveTasksInput{SourceArn: aws.String(arn("dead")), MaxResults: &limit})
			wantCode(w, err, "InvalidParameterValue")
		}
	})
}

func TestTasksAreRemembered(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.graveyard(0, "")
		for n := range 12 {
			must(w.move(arn("dead"), "", int32(n+1)))(w)
			time.Sleep(time.Second)
		}
		if n := len(must(w.ListMessageMoveTasks(w.Context(), &sqs.ListMessageMoveTasksInput{SourceArn: aws.String(arn("dead"))}))(w).Results); n != 1 {
			w.Errorf("%d by default, want 1", n)
		}
		all := w.tasks(arn("dead"), 10)
		if len(all) != 10 || *all[0].MaxNumberOfMessagesPerSecond != 12 || *all[9].MaxNumberOfMessagesPerSecond != 3 {
			w.Errorf("%d tasks: %+v", len(all), all)
		}
	})
}

func TestStuckMoveTask(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.graveyard(4, "")
		heal := must(w.cloud.Stick(arn("dead")))(w)
		handle := must(w.move(arn("dead"), arn("other"), 1))(w)
		time.Sleep(time.Hour)
		w.task(arn("dead"), "RUNNING 0 of 4")
		heal()
		w.task(arn("dead"), "RUNNING 1 of 4")
		heal = must(w.cloud.Stick(arn("dead")))(w)
		must(w.CancelMessageMoveTask(w.Context(), &sqs.CancelMessageMoveTaskInput{TaskHandle: &handle}))(w)
		time.Sleep(time.Hour)
		w.task(arn("dead"), "CANCELLING 1 of 4")
		heal()
		w.task(arn("dead"), "CANCELLED 1 of 4")
	})
}

// What is in flight at the start is not moved, and not counted.
func TestMoveTaskLeavesWhatIsInFlight(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		q, dead, _ := w.graveyard(2, "")
		m := w.one(dead)
		must(w.move(arn("dead"), "", 0))(w)
		time.Sleep(time.Second)
		w.task(arn("dead"), "COMPLETED 1 of 1")
		w.counts(q, 1, 0, 0)
		w.counts(dead, 0, 1, 0)
		wantCode(w, w.remove(dead, m), "")
	})
}
