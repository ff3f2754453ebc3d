package ddbexpr

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Condition is a condition or a filter.
type Condition struct {
	root node
	tops []string
}

// Attributes returns the names of the attributes that the condition looks at.
func (c *Condition) Attributes() []string { return c.tops }

// Holds tells whether an item meets the condition. An item that does not
// exist is an empty one. The nil Condition always holds.
func (c *Condition) Holds(item Map) bool { return c == nil || c.root.holds(item) }

// node is a part of a condition that is true or false.
type node interface{ holds(item Map) bool }

type (
	and struct{ a, b node }
	or  struct{ a, b node }
	not struct{ a node }

	// comparison is of two operands; one that is not there is not equal to
	// anything, and has no order.
	comparison struct {
		operator string
		a, b     operand
	}
	between  struct{ x, low, high operand }
	in       struct{ operands []operand } // the first among the others
	exists   struct{ path Path }
	isOfKind struct {
		x    operand
		kind Kind
	}
	beginsWith struct{ x, prefix operand }
	contains   struct{ x, part operand }
)

func (n and) holds(item Map) bool { return n.a.holds(item) && n.b.holds(item) }
func (n or) holds(item Map) bool  { return n.a.holds(item) || n.b.holds(item) }
func (n not) holds(item Map) bool { return !n.a.holds(item) }

func (n comparison) holds(item Map) bool {
	a, okA := n.a.of(item)
	b, okB := n.b.of(item)
	same := okA && okB && Equal(a, b)
	switch n.operator {
	case "=":
		return same
	case "<>":
		return !same
	}
	order, ok := Compare(a, b)
	return ok && fits(order, n.operator)
}

// fits tells whether the outcome of a comparison is that of an operator.
func fits(order int, operator string) bool {
	switch operator {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	case ">=":
		return order >= 0
	}
	return order == 0
}

func (n between) holds(item Map) bool {
	return comparison{">=", n.x, n.low}.holds(item) && comparison{"<=", n.x, n.high}.holds(item)
}

func (n in) holds(item Map) bool {
	return slices.ContainsFunc(n.operands[1:], func(o operand) bool { return comparison{"=", n.operands[0], o}.holds(item) })
}

func (n exists) holds(item Map) bool {
	_, ok := n.path.in(item)
	return ok
}

func (n isOfKind) holds(item Map) bool {
	v, ok := n.x.of(item)
	return ok && v.Kind() == n.kind
}

func (n beginsWith) holds(item Map) bool {
	x, _ := n.x.of(item)
	prefix, _ := n.prefix.of(item)
	switch x := x.(type) {
	case String:
		prefix, ok := prefix.(String)
		return ok && strings.HasPrefix(string(x), string(prefix))
	case Binary:
		prefix, ok := prefix.(Binary)
		return ok && strings.HasPrefix(string(x), string(prefix))
	}
	return false
}

func (n contains) holds(item Map) bool {
	x, _ := n.x.of(item)
	part, ok := n.part.of(item)
	if !ok {
		return false
	}
	switch x := x.(type) {
	case String:
		part, ok := part.(String)
		return ok && strings.Contains(string(x), string(part))
	case Binary:
		part, ok := part.(Binary)
		return ok && strings.Contains(string(x), string(part))
	case Set:
		return x.has(part)
	case List:
		return slices.ContainsFunc(x, func(e Value) bool { return Equal(e, part) })
	}
	return false
}

// operand is a part of a condition that has a value, if what it leads to is
// there.
type operand interface {
	of(item Map) (Value, bool)
}

type (
	literal struct{ value Value }
	sizeOf  struct{ x operand }
)

func (p Path) of(item Map) (Value, bool) { return p.in(item) }
func (l literal) of(Map) (Value, bool)   { return l.value, true }

// of returns the length or the number of elements. Whether AWS counts bytes,
// characters or something between in a string is not documented; here it is
// characters.
func (s sizeOf) of(item Map) (Value, bool) {
	v, _ := s.x.of(item)
	switch v := v.(type) {
	case String:
		return Int(int64(utf8.RuneCountInString(string(v)))), true
	case Binary:
		return Int(int64(len(v))), true
	case Set:
		return Int(int64(len(v.members))), true
	case List:
		return Int(int64(len(v))), true
	case Map:
		return Int(int64(len(v))), true
	}
	return nil, false
}
