package snapshot

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// FieldError is a value that breaks a rule. All of those of a call are joined in the error that it returns.
type FieldError struct {
	Field string // such as "Options.Workers"; of a policy its path in JSON, such as "copies[1].region", and empty for all of it
	Value any    // nil where it would tell nothing
	Rule  string // such as "must be at least 1"
}

func (e *FieldError) Error() string {
	text := "snapshot: "
	if e.Field != "" {
		text += e.Field + ": "
	}
	switch v := e.Value.(type) {
	case nil:
	case string:
		text += fmt.Sprintf("%q ", v)
	default:
		text += fmt.Sprint(v) + " "
	}
	return text + e.Rule
}

// mistakes collects what is wrong with the arguments of a call.
type mistakes []*FieldError

// require adds a mistake unless ok.
func (m *mistakes) require(ok bool, field string, value any, rule string) {
	if !ok {
		*m = append(*m, &FieldError{Field: field, Value: value, Rule: rule})
	}
}

// has reports whether there is a mistake in a field already, or in all of the value.
func (m mistakes) has(field string) bool {
	return slices.ContainsFunc(m, func(e *FieldError) bool { return e.Field == field || e.Field == "" })
}

// err returns the mistakes in the order of their fields.
func (m mistakes) err() error {
	slices.SortStableFunc(m, func(a, b *FieldError) int { return cmp.Compare(a.Field, b.Field) })
	errs := make([]error, len(m))
	for i := range m {
		errs[i] = m[i]
	}
	return errors.Join(errs...)
}
