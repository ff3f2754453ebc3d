package sqsmodel

import (
	"fmt"
	"net/http"
	"time"

	"github.com/awsha/awsha/awstest"
)

// HandleError is an error about a receipt handle. SQS tells it in other words
// when it is about an entry of a batch.
type HandleError struct{ Single, Entry *awstest.APIError }

// Error is what the call by itself is told.
func (r *HandleError) Error() string { return r.Single.Error() }

// Unwrap returns what the call by itself is told.
func (r *HandleError) Unwrap() error { return r.Single }

// badHandle refuses what is no receipt handle of this queue.
func badHandle(handle string) error {
	return &HandleError{
		Single: &awstest.APIError{Code: "ReceiptHandleIsInvalid", Message: fmt.Sprintf("The input receipt handle %q is not a valid receipt handle.", handle), Status: http.StatusNotFound},
		Entry:  awstest.Errorf("ReceiptHandleIsInvalid", "The input receipt handle is invalid."),
	}
}

// stale refuses a receipt handle that was good once.
func stale(handle, reason string) error {
	return &HandleError{
		Single: invalidValue(handle, "ReceiptHandle", reason+"."),
		Entry:  awstest.Errorf("ReceiptHandleIsInvalid", "%s", reason),
	}
}

const (
	expired    = "The receipt handle has expired"
	notForThat = "Message does not exist or is not available for visibility timeout change"
)

// Delete deletes the message of a receipt handle.
//
// A standard queue takes the handle of the last receive, also when its lease
// has ended, and says yes to an earlier one without doing anything; twelve
// hours after its receive a handle is refused. A FIFO queue refuses a handle
// whose lease has ended. A message that is gone is deleted.
func (q *Queue) Delete(tx *awstest.Tx, handle string) error {
	m, err := q.deletable(tx, handle)
	if m != nil {
		q.drop(m)
		q.note(tx.Now())
		q.touch() // a group may go on, or there is room in flight
	}
	return err
}

// CheckDelete answers as Delete does, and deletes nothing.
func (q *Queue) CheckDelete(tx *awstest.Tx, handle string) error {
	_, err := q.deletable(tx, handle)
	return err
}

// deletable returns the message that a receipt handle deletes. Without one
// and without an error there is nothing to do.
func (q *Queue) deletable(tx *awstest.Tx, handle string) (*Message, error) {
	r, ok := q.readHandle(handle)
	if !ok {
		return nil, badHandle(handle)
	}
	m, there := q.messages[r.key]
	switch {
	case q.set.FIFO && !there:
		return nil, nil
	case q.set.FIFO && (m.lease != r.lease || m.state != leased), tx.Now().Sub(r.at) > MaxVisibility:
		return nil, stale(handle, expired)
	case !there || m.lease != r.lease:
		return nil, nil
	}
	return m, nil
}

// ChangeVisibility makes the lease of a receipt handle end a while from now.
//
// A standard queue does so for a lease that has ended, too, and for an
// earlier handle: the last two have been seen in AWS and are not documented.
// It refuses a message that was given back and that nobody has received
// since; when AWS answers MessageNotInflight it does not document. A FIFO
// queue refuses every handle but that of a lease that lasts.
func (q *Queue) ChangeVisibility(tx *awstest.Tx, handle string, timeout time.Duration) error {
	r, ok := q.readHandle(handle)
	if !ok {
		return badHandle(handle)
	}
	if timeout < 0 || timeout > MaxVisibility {
		return invalidValue(int64(timeout/time.Second), "VisibilityTimeout", "Must be between 0 and 43200, if provided.")
	}
	m, there := q.messages[r.key]
	switch {
	case !there, q.set.FIFO && (m.lease != r.lease || m.state != leased):
		return stale(handle, notForThat)
	case tx.Now().Sub(r.at)+timeout > MaxVisibility:
		return invalidValue(int64(timeout/time.Second), "VisibilityTimeout", "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]")
	case m.state == waiting && m.released:
		return awstest.Errorf("AWS.SimpleQueueService.MessageNotInflight", "The message referred to isn't in flight.")
	}
	m.version++
	m.released = timeout == 0
	switch {
	case timeout > 0 && m.state == leased:
		m.until = tx.Now().Add(timeout)
		q.hidden.fix(m)
	case timeout > 0:
		q.stopWaiting(m)
		m.until = tx.Now().Add(timeout)
		q.hide(m, leased)
	case m.state == leased:
		q.unhide(m)
		q.wait(m, tx.Now())
	}
	q.note(tx.Now())
	q.touch()
	return nil
}
