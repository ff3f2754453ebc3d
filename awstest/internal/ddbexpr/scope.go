package ddbexpr

import (
	"maps"
	"slices"
	"strings"
)

// maxReference is how long #name and :value may be, the sign included.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html (read 2026-11)
const maxReference = 255

// Scope is what the expressions of one request substitute. It notes what they
// use.
type Scope struct {
	names                 map[string]string
	values                map[string]Value
	usedNames, usedValues map[string]bool
}

// NewScope returns a scope, or what is wrong with the references.
func NewScope(names map[string]string, values map[string]Value) (*Scope, error) {
	for _, ref := range slices.Sorted(maps.Keys(names)) {
		if err := checkReference("ExpressionAttributeNames", '#', ref); err != nil {
			return nil, err
		}
		if err := checkName(names[ref]); err != nil {
			return nil, err
		}
	}
	for _, ref := range slices.Sorted(maps.Keys(values)) {
		if err := checkReference("ExpressionAttributeValues", ':', ref); err != nil {
			return nil, err
		}
	}
	return &Scope{names: names, values: values, usedNames: make(map[string]bool, len(names)), usedValues: make(map[string]bool, len(values))}, nil
}

func checkReference(parameter string, sign byte, ref string) error {
	if len(ref) < 2 || ref[0] != sign || run(ref[1:], isNamePart) < len(ref)-1 {
		return invalid("%s contains invalid key: Syntax error; key: \"%s\"", parameter, ref)
	}
	if len(ref) > maxReference {
		return invalid("%s contains invalid key: Size has exceeded the maximum allowed size; key: \"%s\"", parameter, ref)
	}
	return nil
}

// maxName is how long the name of an attribute may be. The guide says 64 KB,
// and AWS takes a byte less.
const maxName = 65535

func checkName(name string) error {
	switch {
	case name == "":
		return invalid("ExpressionAttributeNames contains invalid value: Attribute name is empty")
	case len(name) > maxName:
		return invalid("ExpressionAttributeNames contains invalid value: Member must have length less than or equal to %d", maxName)
	}
	return nil
}

// Unused returns an error if there is a name or a value that no expression of
// the request has used.
func (s *Scope) Unused() error {
	if left := missing(s.names, s.usedNames); left != "" {
		return invalid("Value provided in ExpressionAttributeNames unused in expressions: keys: {%s}", left)
	}
	if left := missing(s.values, s.usedValues); left != "" {
		return invalid("Value provided in ExpressionAttributeValues unused in expressions: keys: {%s}", left)
	}
	return nil
}

func missing[V any](all map[string]V, used map[string]bool) string {
	if len(used) == len(all) {
		return ""
	}
	left := slices.DeleteFunc(slices.Sorted(maps.Keys(all)), func(ref string) bool { return used[ref] })
	return strings.Join(left, ", ")
}
