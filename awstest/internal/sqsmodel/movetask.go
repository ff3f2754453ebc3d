package sqsmodel

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/awsha/awsha/awstest"
)

// Status of a task.
const (
	Running    = "RUNNING"
	Completed  = "COMPLETED"
	Cancelling = "CANCELLING"
	Cancelled  = "CANCELLED"
	Failed     = "FAILED"
)

// maxRate is the highest rate that can be asked for, and the one without it:
// AWS then finds a rate of its own.
// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html (read 2026-11)
const maxRate = 500

// maxTasks is how many tasks of a queue are remembered.
const maxTasks = 10

// Task moves messages out of a dead-letter queue.
type Task struct {
	Handle  string
	Source  *Queue
	Target  string // ARN; "" is where each message came from
	Rate    int    // messages a second; 0 if nothing was said
	ToMove  int
	Moved   int
	Status  string
	Failure string
	Started time.Time
}

// handleText is what a task handle says, in base64.
type handleText struct {
	Task   string `json:"taskId"`
	Source string `json:"sourceArn"`
}

func notFound(message string) error {
	return &awstest.APIError{Code: "ResourceNotFoundException", Message: message, Status: http.StatusNotFound}
}

func noSource() error {
	return notFound("The resource that you specified for the SourceArn parameter doesn't exist.")
}

// StartTask begins to move what waits in a dead-letter queue, as much as
// there is now.
func (r *Region) StartTask(tx *awstest.Tx, source, target string, rate int) (*Task, error) {
	q, ok := r.withARN(tx, source)
	if !ok {
		return nil, noSource()
	}
	if target != "" {
		switch t, ok := r.withARN(tx, target); {
		case !ok:
			return nil, notFound("The resource that you specified for the DestinationArn parameter doesn't exist.")
		case t == q:
			return nil, invalid("Source queue and destination queue must not be the same.")
		case t.set.FIFO != q.set.FIFO:
			return nil, invalid("Source queue and destination queue must be of the same type.")
		}
	}
	switch {
	case rate < 0 || rate > maxRate:
		return nil, invalidValue(rate, "MaxNumberOfMessagesPerSecond", "Must be between 1 and 500, if provided.")
	case !q.isTarget():
		return nil, invalid("Source queue must be configured as a Dead Letter Queue.")
	case len(q.tasks) > 0 && q.tasks[len(q.tasks)-1].active():
		return nil, invalid("There is already a task running. Only one active task is allowed for a source queue arn at a given time.")
	}
	r.model.tasks++
	text, err := json.Marshal(handleText{uuid('1', r.model.tasks), q.arn})
	if err != nil {
		return nil, err
	}
	t := &Task{
		Handle: base64.StdEncoding.EncodeToString(text), Source: q, Target: target, Rate: rate,
		ToMove: q.Waiting, Status: Running, Started: tx.Now(),
	}
	if q.tasks = append(q.tasks, t); len(q.tasks) > maxTasks {
		q.tasks = q.tasks[1:]
	}
	t.schedule(tx, tx.Now())
	return t, nil
}

func (t *Task) active() bool { return t.Status == Running || t.Status == Cancelling }

// Tasks returns the last tasks of a source queue, the latest first.
func (r *Region) Tasks(tx *awstest.Tx, source string, limit int) ([]*Task, error) {
	if limit < 1 || limit > maxTasks {
		return nil, invalidValue(limit, "MaxResults", "Must be between 1 and "+strconv.Itoa(maxTasks)+", if provided.")
	}
	q, ok := r.withARN(tx, source)
	if !ok {
		return nil, noSource()
	}
	var tasks []*Task
	for i := len(q.tasks) - 1; i >= 0 && len(tasks) < limit; i-- {
		tasks = append(tasks, q.tasks[i])
	}
	return tasks, nil
}

// CancelTask stops a task, before its next messages.
func (r *Region) CancelTask(tx *awstest.Tx, handle string) (*Task, error) {
	var said handleText
	text, err := base64.StdEncoding.DecodeString(handle)
	if err != nil || json.Unmarshal(text, &said) != nil {
		return nil, invalid("Value for parameter TaskHandle is invalid.")
	}
	q, ok := r.withARN(tx, said.Source)
	if !ok {
		return nil, noSource()
	}
	for _, t := range q.tasks {
		if t.Handle != handle {
			continue
		}
		if t.Status != Running {
			// AWS documents that only a running task can be cancelled, and not the code.
			return nil, awstest.Errorf("AWS.SimpleQueueService.UnsupportedOperation", "Only a task in status RUNNING can be cancelled.")
		}
		t.Status = Cancelling
		return t, nil
	}
	return nil, notFound("Task does not exist.")
}

func (t *Task) schedule(tx *awstest.Tx, at time.Time) {
	tx.Schedule(at, func(tx *awstest.Tx) { tx.WhenFree(nil, t.Source.arn, t.step) })
}

// step moves the messages of a second.
func (t *Task) step(tx *awstest.Tx) {
	if t.Status == Cancelling {
		t.Status = Cancelled
		return
	}
	rate := t.Rate
	if rate == 0 {
		rate = maxRate
	}
	t.Source.advance(tx.Now())
	for ; rate > 0 && t.Status == Running; rate-- {
		t.move(tx)
	}
	if t.Status == Running {
		t.schedule(tx, tx.Now().Add(time.Second))
	}
	t.Source.region.model.Settle(tx)
}

// move moves one message. To its new queue it is a new message.
// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html (read 2026-11)
func (t *Task) move(tx *awstest.Tx) {
	q := t.Source
	l := q.nextLane()
	if l == nil || t.Moved == t.ToMove {
		t.Status = Completed
		return
	}
	m := l.next()
	arn := t.Target
	if arn == "" {
		arn = m.From
	}
	target, ok := q.region.withARN(tx, arn)
	switch {
	case arn == "":
		t.fail("CouldNotDetermineMessageSource")
	case !ok:
		t.fail("AWS.SimpleQueueService.NonExistentQueue")
	default:
		q.drop(m)
		q.note(tx.Now())
		target.arrive(m.resent(q.region.model.newID(), tx.Now()), 0, tx.Now())
		if t.Moved++; t.Moved == t.ToMove {
			t.Status = Completed
		}
	}
}

func (t *Task) fail(reason string) { t.Status, t.Failure = Failed, reason }
