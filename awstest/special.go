package awstest

import (
	"fmt"
	"slices"
)

// special is what an effect of an adapter says to its handlers.
type special struct {
	service    string
	operations []string
	value      any
}

// Special makes an effect of an adapter's own, such as the failure of some of
// a batch: handlers of the operations named find value in [Specials], and do
// what it says. It strikes no other operation, whatever the match selects; a
// match that names another service or operation is refused by [Cloud.Inject],
// and so is an effect without a value or for operations that are not modelled.
func Special(service string, operations []string, value any) Effect {
	return Effect{special: &special{service, slices.Clone(operations), value}}
}

// Specials returns what the effects of type T that strike a call say, the one
// that was injected first at the beginning.
func Specials[T any](call *Call) (values []T) {
	for _, v := range call.specials {
		if v, ok := v.(T); ok {
			values = append(values, v)
		}
	}
	return values
}

// knows tells whether a call is to an operation that the effect is for.
func (s *special) knows(r *Record) bool {
	return s == nil || s.service == r.Service && slices.Contains(s.operations, r.Operation)
}

// checkSpecial refuses a match that selects no operation which the effect is
// for.
func (c *Cloud) checkSpecial(m Match, s *special) error {
	bad := func(field, value, rule string) error {
		return &FieldError{Field: "Match." + field, Value: fmt.Sprintf("%q", value), Rule: rule}
	}
	e := c.services[s.service]
	missing := func(name string) bool { return e.ops[name] == nil }
	switch {
	case m.Service != "" && m.Service != s.service, e == nil:
		return bad("Service", m.Service, fmt.Sprintf("must select %s, which the effect is for", s.service))
	case m.Operation != "" && !slices.Contains(s.operations, m.Operation):
		return bad("Operation", m.Operation, fmt.Sprintf("is not one of %v, which the effect is for", s.operations))
	case len(s.operations) == 0, slices.ContainsFunc(s.operations, missing):
		return &FieldError{Field: "Special", Value: s.operations, Rule: "must name operations that " + s.service + " models"}
	case s.value == nil:
		return &FieldError{Field: "Special", Value: "the value", Rule: "must not be nil"}
	}
	return nil
}
