package ec2step

import (
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrNoCapacity is matched by a [*CapacityError].
	ErrNoCapacity = errors.New("no capacity")

	// ErrHeld reports a volume that is attached to an instance which nobody has named: neither the one that it is to leave nor the one that it is to
	// come to.
	ErrHeld = errors.New("held by another instance")

	// ErrNotFenced reports that a volume is not taken away by force, since the instance that holds it may still write.
	ErrNotFenced = errors.New("not fenced")

	// ErrEnded reports an instance that is terminated or about to be.
	ErrEnded = errors.New("instance ended")
)

// CapacityError is a launch that was refused everywhere. It matches [ErrNoCapacity], and the errors of EC2.
type CapacityError struct {
	Tried []CandidateError // in order; those of an earlier execution are in its timeline
}

// CandidateError is what EC2 has said to one candidate.
type CandidateError struct {
	Candidate Candidate
	Err       error
}

// Error lists what was tried.
func (e *CapacityError) Error() string {
	var b strings.Builder
	b.WriteString("no capacity")
	if len(e.Tried) == 0 {
		b.WriteString(": no zone will do")
	}
	for _, t := range e.Tried {
		fmt.Fprintf(&b, "; %s: %v", t.Candidate, t.Err)
	}
	return b.String()
}

// Unwrap returns ErrNoCapacity and the errors of EC2.
func (e *CapacityError) Unwrap() []error {
	errs := []error{ErrNoCapacity}
	for _, t := range e.Tried {
		errs = append(errs, t.Err)
	}
	return errs
}
