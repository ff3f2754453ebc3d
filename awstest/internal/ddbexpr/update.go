package ddbexpr

import (
	"maps"
	"slices"
)

// Update is what an UpdateExpression changes.
type Update struct {
	sets    []assignment // ADD included, in the order of their places
	removes []Path
	deletes []elements
	paths   []Path // all of them
}

type assignment struct {
	path  Path
	value expression
}

// elements are what DELETE takes out of a set.
type elements struct {
	path Path
	set  Set
}

// Paths returns what the update changes. They are not to be changed.
func (u *Update) Paths() []Path { return u.paths }

// Touched returns the parts of an item that the update is about: of the item
// before it for UPDATED_OLD, of the one after it for UPDATED_NEW.
func (u *Update) Touched(item Map) Map { return parts(item, u.paths) }

// Creates tells whether the update makes an item that does not exist: one that
// only takes away does not.
func (u *Update) Creates() bool { return len(u.sets) > 0 }

// Apply returns the item after the update; exists tells whether it was there
// before.
//
// What is assigned is read from the item as it was, and so are the places in
// lists. Therefore the assignments come first, in the order of their places,
// so that what is past the end of a list is appended in this order, and then
// the removals, from the end of a list to its front.
func (u *Update) Apply(old Map, exists bool) (Map, error) {
	values := make([]Value, len(u.sets))
	for i, s := range u.sets {
		var err error
		if values[i], err = s.value.of(old); err != nil {
			return nil, err
		}
	}
	item := maps.Clone(old)
	if item == nil {
		item = Map{}
	}
	for i, s := range u.sets {
		if err := item.put(s.path, values[i]); err != nil {
			return nil, err
		}
	}
	removes, err := u.removals(old, exists)
	if err != nil {
		return nil, err
	}
	for _, d := range u.deletes {
		left, err := d.left(old)
		switch {
		case err != nil:
			return nil, err
		case left == nil: // it was not there
		case len(left.members) == 0:
			removes = append(removes, d.path)
		default:
			if err := item.put(d.path, *left); err != nil {
				return nil, err
			}
		}
	}
	slices.SortFunc(removes, func(a, b Path) int { return pathOrder(b, a) })
	for _, path := range removes {
		item = cut(item, path).(Map)
	}
	return item, nil
}

// removals returns what REMOVE removes of what is there. A part of what is not
// there is an error, but not if the item is not there at all.
func (u *Update) removals(old Map, exists bool) (there []Path, err error) {
	for _, path := range u.removes {
		if _, found := path.in(old); found {
			there = append(there, path)
			continue
		}
		last := len(path) - 1
		if parent, found := path[:last].in(old); exists && (!found || !takes(parent, path[last])) {
			return nil, invalidPath()
		}
	}
	return there, nil
}

// put assigns in place, to an item that is a copy already.
func (m Map) put(path Path, v Value) error {
	old, found := m[path.Top()]
	if !found && len(path) > 1 {
		return invalidPath()
	}
	changed, ok := put(old, path[1:], v)
	if !ok {
		return invalidPath()
	}
	m[path.Top()] = changed
	return nil
}

// takes tells whether a step can lead into a value.
func takes(v Value, s step) bool {
	return v.Kind() == L && s.isIndex() || v.Kind() == M && !s.isIndex()
}

func invalidPath() error {
	return invalid("The document path provided in the update expression is invalid for update")
}

// wrongOperand is the error of an attribute that has the wrong type.
func wrongOperand() error {
	return invalid("An operand in the update expression has an incorrect data type")
}

// left returns what DELETE leaves of a set; nil if there is none to take from.
func (d elements) left(item Map) (*Set, error) {
	old, found := d.path.in(item)
	if !found {
		return nil, nil
	}
	s, ok := old.(Set)
	if !ok || s.kind != d.set.kind {
		return nil, wrongOperand()
	}
	left := s.without(d.set)
	return &left, nil
}

// expression is what can be assigned.
type expression interface {
	of(item Map) (Value, error)
}

type (
	read       struct{ path Path }
	given      struct{ value Value }
	arithmetic struct {
		operator string
		a, b     expression
	}
	ifNotExists struct {
		path      Path
		otherwise expression
	}
	listAppend struct{ a, b expression }

	// increase is ADD: a sum, or a union. What is not there is 0, or empty.
	increase struct {
		path Path
		by   Value
	}
)

func (e given) of(Map) (Value, error) { return e.value, nil }

func (e read) of(item Map) (Value, error) {
	if v, ok := e.path.in(item); ok {
		return v, nil
	}
	return nil, invalid("The provided expression refers to an attribute that does not exist in the item")
}

func (e ifNotExists) of(item Map) (Value, error) {
	if v, ok := e.path.in(item); ok {
		return v, nil
	}
	return e.otherwise.of(item)
}

func (e arithmetic) of(item Map) (Value, error) {
	a, b, err := both[Number](item, e.a, e.b)
	if err != nil {
		return nil, err
	}
	if e.operator == "-" {
		return a.minus(b)
	}
	return a.plus(b)
}

func (e listAppend) of(item Map) (Value, error) {
	a, b, err := both[List](item, e.a, e.b)
	return slices.Concat(a, b), err
}

func (e increase) of(item Map) (Value, error) {
	old, found := e.path.in(item)
	if !found {
		return e.by, nil
	}
	switch by := e.by.(type) {
	case Number:
		if n, ok := old.(Number); ok {
			return n.plus(by)
		}
	case Set:
		if s, ok := old.(Set); ok && s.kind == by.kind {
			return s.with(by), nil
		}
	}
	return nil, wrongOperand()
}

// both returns two operands that must be of one type.
func both[T Value](item Map, first, second expression) (a, b T, err error) {
	for _, o := range []struct {
		from expression
		to   *T
	}{{first, &a}, {second, &b}} {
		v, err := o.from.of(item)
		if err != nil {
			return a, b, err
		}
		var ok bool
		if *o.to, ok = v.(T); !ok {
			return a, b, wrongOperand()
		}
	}
	return a, b, nil
}
