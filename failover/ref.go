package failover

import (
	"errors"
	"fmt"
	"slices"
)

// Ref is a string that a step needs, such as the ID of an instance, and where it comes from: [Literal], [Output] or [Fact]. It is a value to
// compare. The zero Ref refers to nothing: [Ref.Zero].
type Ref struct {
	from      source
	step, key string
}

type source uint8

const (
	nowhere source = iota
	literal
	output
	fact
)

// Literal is a string that is known when the plan is made.
func Literal(value string) Ref { return Ref{from: literal, key: value} }

// Output is what a step puts by [Env.Put] under a key. The step that refers to it must need that step.
func Output(step, key string) Ref { return Ref{output, step, key} }

// Fact is a fact of the incident: see [ExecOptions.Facts].
func Fact(key string) Ref { return Ref{from: fact, key: key} }

// Zero tells whether r refers to nothing.
func (r Ref) Zero() bool { return r == Ref{} }

// Text returns the string of a [Literal]; of others it returns false, since they are known only when the plan runs.
func (r Ref) Text() (string, bool) { return r.key, r.from == literal }

// ErrNoValue reports a [Ref] whose step has put no such output, or whose incident has no such fact. During a readiness check that is
// what a step must expect of the outputs of steps that have not run.
var ErrNoValue = errors.New("no value")

// Get returns the string. Without one, or if it is empty, the error matches ErrNoValue and is permanent.
func (r Ref) Get(env *Env) (string, error) {
	var v string
	switch r.from {
	case literal:
		v = r.key
	case output:
		v = env.Inputs[r.step][r.key]
	case fact:
		v = env.Facts[r.key]
	}
	if v == "" {
		return "", Permanent(fmt.Errorf("%s: %w", r, ErrNoValue))
	}
	return v, nil
}

// Check returns what is wrong with r as the value of a field of a step that has these needs, or nil: it must refer to something,
// not to an empty literal, and to outputs of what the step needs only.
func (r Ref) Check(field string, needs []string) error {
	switch {
	case r.Zero(), r.from == literal && r.key == "":
		return &FieldError{field, r.String(), "must be given"}
	case r.from == output && !slices.Contains(needs, r.step):
		return &FieldError{field, r.String(), "must be of a step in Needs"}
	case r.from != literal && r.key == "":
		return &FieldError{field, r.String(), "must have a key"}
	}
	return nil
}

// String returns a literal as it is; others read like "output instance of step launch" and "fact target".
func (r Ref) String() string {
	switch r.from {
	case literal:
		return r.key
	case output:
		return "output " + r.key + " of step " + r.step
	case fact:
		return "fact " + r.key
	}
	return ""
}
