package queueworker

import (
	"errors"
	"fmt"
)

// FieldError is a value that breaks a rule. All of those of a call are joined in the error that it returns.
type FieldError struct {
	Field string // such as "Options.Concurrency"
	Value any    // nil where it would tell nothing
	Rule  string // such as "must be at least 1"
}

func (e *FieldError) Error() string {
	if e.Value == nil {
		return fmt.Sprintf("queueworker: %s: %s", e.Field, e.Rule)
	}
	return fmt.Sprintf("queueworker: %s: %v %s", e.Field, e.Value, e.Rule)
}

// mistakes collects what is wrong with the arguments of a call.
type mistakes []error

// require adds a mistake unless ok.
func (m *mistakes) require(ok bool, field string, value any, rule string) {
	if !ok {
		*m = append(*m, &FieldError{Field: field, Value: value, Rule: rule})
	}
}

func (m *mistakes) err() error { return errors.Join(*m...) }

func orDefault[T comparable](field *T, value T) {
	if *field == *new(T) {
		*field = value
	}
}
