package ebmodel

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/awsha/awsha/awstest"
)

// Pattern is an event pattern: fields, all of which an event must match.
// Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html (read 2026-11)
type Pattern struct{ fields []field }

// field is a field of a pattern: its values, or the fields within.
type field struct {
	name   string
	within *Pattern
	values []condition
}

// condition tells whether the values of a field, of which there may be none,
// are such as it asks for.
type condition func(values []any) bool

// UnmodelledError is a part of a pattern that EventBridge knows and this
// package does not.
type UnmodelledError struct{ What string }

// Error says what it is.
func (e *UnmodelledError) Error() string { return e.What }

// ParsePattern reads an event pattern. What is no pattern is an
// [*awstest.APIError], what is not modelled an [*UnmodelledError].
func ParsePattern(text string) (*Pattern, error) {
	v, err := decode(text)
	if err != nil {
		return nil, badPattern("Invalid JSON")
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, badPattern("Filter is not an object")
	}
	return parseFields(object)
}

func badPattern(format string, args ...any) error {
	return awstest.Errorf("InvalidEventPatternException", "Event pattern is not valid. Reason: %s", fmt.Sprintf(format, args...))
}

// decode reads one JSON value. Numbers are compared as they are written: 300,
// 300.0 and 3.0e2 are not equal.
// Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html (read 2026-11)
func decode(text string) (v any, err error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one value")
	}
	return v, nil
}

func parseFields(object map[string]any) (*Pattern, error) {
	if len(object) == 0 {
		return nil, badPattern("Empty objects are not allowed")
	}
	p := &Pattern{}
	for _, name := range sortedKeys(object) {
		f := field{name: name}
		var err error
		switch v := object[name].(type) {
		case map[string]any:
			f.within, err = parseFields(v)
		case []any:
			if name == "$or" {
				return nil, &UnmodelledError{"$or in an event pattern"}
			}
			f.values, err = parseValues(v)
		default:
			err = badPattern("%q must be an object or an array", name)
		}
		if err != nil {
			return nil, err
		}
		p.fields = append(p.fields, f)
	}
	return p, nil
}

func parseValues(list []any) (conditions []condition, err error) {
	if len(list) == 0 {
		return nil, badPattern("Empty arrays are not allowed")
	}
	for _, v := range list {
		var c condition
		switch v := v.(type) {
		case map[string]any:
			c, err = parseOperator(v)
		case []any:
			err = badPattern("Match value must be String, number, true, false, or null")
		default:
			c = anyOf(func(value any) bool { return value == v })
		}
		if err != nil {
			return nil, err
		}
		conditions = append(conditions, c)
	}
	return conditions, nil
}

// unmodelled are the operators that EventBridge has besides.
var unmodelled = []string{"suffix", "equals-ignore-case", "wildcard", "numeric", "cidr"}

func parseOperator(object map[string]any) (condition, error) {
	if len(object) != 1 {
		return nil, badPattern("Only one key allowed in match expression")
	}
	operator := sortedKeys(object)[0]
	operand := object[operator]
	_, nested := operand.(map[string]any)
	switch {
	case slices.Contains(unmodelled, operator):
		return nil, &UnmodelledError{operator + " in an event pattern"}
	case nested && (operator == "prefix" || operator == "anything-but"):
		return nil, &UnmodelledError{"an operator within " + operator + " in an event pattern"}
	}
	switch operator {
	case "prefix":
		prefix, ok := operand.(string)
		if !ok {
			return nil, badPattern("prefix match pattern must be a string")
		}
		return anyOf(func(v any) bool { s, ok := v.(string); return ok && strings.HasPrefix(s, prefix) }), nil
	case "anything-but":
		but, err := parseBut(operand)
		return anyOf(func(v any) bool { return !slices.Contains(but, v) }), err
	case "exists":
		wanted, ok := operand.(bool)
		if !ok {
			return nil, badPattern("exists match pattern must be either true or false.")
		}
		return func(values []any) bool { return len(values) > 0 == wanted }, nil
	}
	return nil, badPattern("Unrecognized match type %s", operator)
}

// parseBut reads what a value must not be: a string or a number, or a list of
// either.
func parseBut(operand any) ([]any, error) {
	list, ok := operand.([]any)
	if !ok {
		list = []any{operand}
	}
	if len(list) == 0 {
		return nil, badPattern("Empty arrays are not allowed")
	}
	for _, v := range list {
		switch v.(type) {
		case string, json.Number:
		default:
			return nil, badPattern("anything-but match pattern must be a string, a number, or a list of them")
		}
	}
	return list, nil
}

// anyOf is met by one value at least, so not by a field that is not there.
func anyOf(is func(any) bool) condition {
	return func(values []any) bool { return slices.ContainsFunc(values, is) }
}

// Match tells whether an event, in JSON, matches.
func (p *Pattern) Match(event string) bool {
	v, err := decode(event)
	object, ok := v.(map[string]any)
	return err == nil && ok && p.matches(object)
}

// matches tells whether all fields match those of an object, which may be nil.
func (p *Pattern) matches(object map[string]any) bool {
	for _, f := range p.fields {
		v := object[f.name]
		if f.within != nil {
			if !f.within.matchesAny(v) {
				return false
			}
			continue
		}
		_, there := object[f.name]
		var values []any
		if there {
			values = leaves(v, nil)
		}
		if !slices.ContainsFunc(f.values, func(c condition) bool { return c(values) }) {
			return false
		}
	}
	return true
}

// matchesAny tells whether an object matches, or one of an array of them. For
// anything else the fields are not there.
func (p *Pattern) matchesAny(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		return p.matches(v)
	case []any:
		if len(v) > 0 {
			return slices.ContainsFunc(v, p.matchesAny)
		}
	}
	return p.matches(nil)
}

// leaves are the values of a field that is an array or a single one. An object
// is none: there is nothing at its own path.
func leaves(v any, so []any) []any {
	switch v := v.(type) {
	case map[string]any:
		return so
	case []any:
		for _, e := range v {
			so = leaves(e, so)
		}
		return so
	}
	return append(so, v)
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
