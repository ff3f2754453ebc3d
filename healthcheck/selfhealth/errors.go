package selfhealth

import (
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrAlreadyRun is returned by the second call of Run: a Health runs once.
	ErrAlreadyRun = errors.New("selfhealth: Run was called before")

	// ErrStopped is returned by Register once Run has ended.
	ErrStopped = errors.New("selfhealth: Run has ended")

	// ErrTimeout is why a check fails that did not return within its Timeout.
	ErrTimeout = errors.New("selfhealth: the check timed out")

	// ErrStale is why a check fails whose latest result is older than its MaxAge.
	ErrStale = errors.New("selfhealth: the latest result is out of date")

	// ErrPanic is why a check fails that panicked. What it panicked with is logged, as it may hold anything.
	ErrPanic = errors.New("selfhealth: the check panicked")
)

// FieldError is one mistake in a Check. All mistakes of a call are returned together, joined by errors.Join.
type FieldError struct {
	Field string // for example "Check[2].Interval", which counts from zero
	Value any    // what it was, with the default in place of zero
	Rule  string // what it must be
}

// Error reads like "selfhealth: Check[0].Timeout: 5s must be less than Interval (1s)".
func (e *FieldError) Error() string {
	if s, ok := e.Value.(string); ok {
		return fmt.Sprintf("selfhealth: %s: %q %s", e.Field, s, e.Rule)
	}
	return fmt.Sprintf("selfhealth: %s: %v %s", e.Field, e.Value, e.Rule)
}

const maxErrorText = 512

// errorText is the text of an error that a check returned, cut to a length that a page can show. The error is code that the
// Health was given, so a panic in it is recovered.
func errorText(err error) (text string) {
	defer func() {
		if recover() != nil {
			text = "the error has no text: it panicked"
		}
	}()
	if err == nil {
		return ""
	}
	text = err.Error()
	if len(text) > maxErrorText {
		text = text[:maxErrorText] + "…"
	}
	return strings.ToValidUTF8(text, "�")
}
