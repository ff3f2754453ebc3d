// Package onecall bounds the time of a call to AWS, and finds out what the SDK forgets when its context ends in a pause between two tries:
// the answer that it was going to try again after. A caller who is throttled is not told that nobody answered.
package onecall

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/aws/smithy-go"

	"github.com/awsha/awsha/internal/awserr"
)

// Tap is given the retryer of a call's options, and returns the one to use instead.
type Tap func(aws.Retryer) aws.Retryer

// CutError is a call that ended for want of time, or because its caller left: whether it had an effect is unknown. Its parts are reachable,
// so that a class of [awserr.Of] is that of the last answer and not that of the call: who decides what was done looks for this type first.
type CutError struct {
	Cause error // why it ended: of the caller's context, or the timeout, which matches context.DeadlineExceeded
	Last  error // the last answer, or what the SDK returned if there was none
}

func (e *CutError) Error() string { return fmt.Sprintf("%v: at last: %v", e.Cause, e.Last) }

// Unwrap returns both.
func (e *CutError) Unwrap() []error { return []error{e.Cause, e.Last} }

// Do makes a call within a timeout. Its error is a [*CutError] if the time or the context ended first, and else that of the call.
func Do(ctx context.Context, timeout time.Duration, call func(context.Context, Tap) error) error {
	limited, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("no success in %v: %w", timeout, context.DeadlineExceeded))
	defer cancel()
	var heard answers
	err := call(limited, heard.tap)
	if end, _ := limited.Deadline(); errors.Is(err, context.DeadlineExceeded) && !time.Now().Before(end) {
		<-limited.Done() // whoever looks at the clock may be ahead of the context's timer
	}
	cause := context.Cause(limited)
	if err == nil || cause == nil || awserr.Of(err) != awserr.Transient && errors.As(err, new(smithy.APIError)) {
		return err // answered, even if the time ended just then
	}
	if last := heard.get(); last != nil {
		err = last
	}
	return &CutError{cause, err}
}

// answers keeps the last answer that the SDK took for a reason to try again.
type answers struct {
	mu   sync.Mutex
	last error
}

func (a *answers) get() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.last
}

func (a *answers) hear(err error) {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return // none
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last = err
}

func (a *answers) tap(r aws.Retryer) aws.Retryer {
	if v2, ok := r.(aws.RetryerV2); ok {
		return &tapped2{v2, a}
	}
	return &tapped{r, a}
}

// tapped and tapped2 are retryers of both kinds that the SDK knows.
type tapped struct {
	aws.Retryer
	answers *answers
}

// IsErrorRetryable is asked about every try that failed.
func (t *tapped) IsErrorRetryable(err error) bool {
	t.answers.hear(err)
	return t.Retryer.IsErrorRetryable(err)
}

type tapped2 struct {
	aws.RetryerV2
	answers *answers
}

// IsErrorRetryable is asked about every try that failed.
func (t *tapped2) IsErrorRetryable(err error) bool {
	t.answers.hear(err)
	return t.RetryerV2.IsErrorRetryable(err)
}
