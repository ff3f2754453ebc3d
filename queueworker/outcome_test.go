package queueworker_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/awsha/awsha/queueworker"
)

func TestOutcomesAreFoundInWhateverWrapsThem(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	for name, tt := range map[string]struct {
		err  error
		want queueworker.OutcomeError
		text string
	}{
		"retry":              {queueworker.RetryAfter(3*time.Second, cause), queueworker.OutcomeError{Outcome: queueworker.Retried, After: 3 * time.Second}, "cause"},
		"release":            {queueworker.Release(cause), queueworker.OutcomeError{Outcome: queueworker.Released}, "cause"},
		"drop":               {queueworker.Drop(cause), queueworker.OutcomeError{Outcome: queueworker.Dropped}, "cause"},
		"dead letter":        {queueworker.DeadLetter(cause), queueworker.OutcomeError{Outcome: queueworker.DeadLettered}, "cause"},
		"a body":             {&queueworker.DecodeError{MessageID: "m", Err: cause}, queueworker.OutcomeError{Outcome: queueworker.DeadLettered}, "queueworker: message m cannot be decoded: cause"},
		"the first of some":  {errors.Join(queueworker.Drop(cause), queueworker.Release(nil)), queueworker.OutcomeError{Outcome: queueworker.Dropped}, "cause\nto be released"},
		"retry, no reason":   {queueworker.RetryAfter(time.Second, nil), queueworker.OutcomeError{Outcome: queueworker.Retried, After: time.Second}, "to be retried after 1s"},
		"release, no reason": {queueworker.Release(nil), queueworker.OutcomeError{Outcome: queueworker.Released}, "to be released"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got *queueworker.OutcomeError
			if !errors.As(fmt.Errorf("wrapped: %w", tt.err), &got) || got.Outcome != tt.want.Outcome || got.After != tt.want.After {
				t.Errorf("%+v", got)
			}
			if tt.err.Error() != tt.text {
				t.Errorf("%q, want %q", tt.err.Error(), tt.text)
			}
			if name != "retry, no reason" && name != "release, no reason" && !errors.Is(tt.err, cause) {
				t.Error("the cause is lost")
			}
		})
	}
}

func TestBackoffGrowsScattersAndEnds(t *testing.T) {
	t.Parallel()
	policy := queueworker.Backoff(func(o *queueworker.BackoffOptions) { o.Max = time.Minute })
	for attempt, full := range map[int]time.Duration{0: time.Second, 1: time.Second, 2: 2 * time.Second, 6: 32 * time.Second, 7: time.Minute, 5000: time.Minute} {
		seen := map[time.Duration]bool{}
		for range 50 {
			d := policy(&queueworker.Message{Attempt: attempt}, nil)
			if d < full/2 || d > full {
				t.Errorf("attempt %d: %v, want from %v to %v", attempt, d, full/2, full)
			}
			seen[d] = true
		}
		if len(seen) < 40 {
			t.Errorf("attempt %d: only %d of 50 delays differ", attempt, len(seen))
		}
	}
}
