package ddbexpr

import (
	"cmp"
	"slices"
	"strings"

	"github.com/awsha/awsha/awstest"
)

// Kind is the type of a value.
type Kind uint8

// The types of values, in the order in which AWS lists them.
const (
	S     Kind = iota // string
	N                 // number
	B                 // binary
	SS                // set of strings
	NS                // set of numbers
	BS                // set of binaries
	M                 // map
	L                 // list
	NULL              // null
	BOOL              // boolean
	kinds             // how many there are
)

var kindNames = [kinds]string{"S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL", "BOOL"}

// String returns the name that expressions and the API use.
func (k Kind) String() string { return kindNames[k] }

// kindNamed returns the type of that name, and whether there is one.
func kindNamed(name string) (Kind, bool) {
	i := slices.Index(kindNames[:], name)
	return Kind(max(i, 0)), i >= 0
}

// Value is a value of an attribute: one of the types below.
type Value interface{ Kind() Kind }

// The types of values. Binary is a string of bytes, which cannot change.
type (
	String string
	Binary string
	Bool   bool
	Null   struct{}
	List   []Value
	Map    map[string]Value
)

// Set is a set of strings, numbers or binaries, never empty. Its members are
// sorted: AWS keeps no order, and this one makes runs repeat.
type Set struct {
	kind    Kind
	members []Value
}

// Kind returns S.
func (String) Kind() Kind { return S }

// Kind returns N.
func (Number) Kind() Kind { return N }

// Kind returns B.
func (Binary) Kind() Kind { return B }

// Kind returns BOOL.
func (Bool) Kind() Kind { return BOOL }

// Kind returns NULL.
func (Null) Kind() Kind { return NULL }

// Kind returns L.
func (List) Kind() Kind { return L }

// Kind returns M.
func (Map) Kind() Kind { return M }

// Kind returns SS, NS or BS.
func (s Set) Kind() Kind { return s.kind }

// Members returns the members in order. They are not to be changed.
func (s Set) Members() []Value { return s.members }

// NewSet returns a set of the kind SS, NS or BS. Empty sets and members that
// are there twice are errors.
func NewSet(kind Kind, members []Value) (Set, error) {
	if len(members) == 0 {
		// Two blanks: that is how AWS says it.
		name := map[Kind]string{SS: "string", NS: "number", BS: "binary"}[kind]
		return Set{}, invalid("One or more parameter values were invalid: An %s set  may not be empty", name)
	}
	sorted := slices.SortedFunc(slices.Values(members), order)
	if len(slices.CompactFunc(slices.Clone(sorted), Equal)) < len(sorted) {
		texts := make([]string, len(members))
		for i, m := range members {
			texts[i] = plain(m)
		}
		return Set{}, invalid("One or more parameter values were invalid: Input collection [%s] contains duplicates.", strings.Join(texts, ", "))
	}
	return Set{kind, sorted}, nil
}

// has tells whether v is a member.
func (s Set) has(v Value) bool {
	_, found := slices.BinarySearchFunc(s.members, v, order)
	return found && len(s.members) > 0 && s.members[0].Kind() == v.Kind()
}

// with returns the union of two sets of one kind.
func (s Set) with(other Set) Set {
	all := slices.SortedFunc(slices.Values(slices.Concat(s.members, other.members)), order)
	return Set{s.kind, slices.CompactFunc(all, Equal)}
}

// without returns the members that the other set does not have; there may be
// none left.
func (s Set) without(other Set) Set {
	return Set{s.kind, slices.DeleteFunc(slices.Clone(s.members), other.has)}
}

// order sorts the members of sets, which are of one kind.
func order(a, b Value) int {
	n, _ := Compare(a, b)
	return n
}

// Compare orders two values of one kind: strings and binaries by their bytes,
// numbers by their size. Other values, and values of two kinds, have no order.
func Compare(a, b Value) (n int, ok bool) {
	switch a := a.(type) {
	case String:
		if b, ok := b.(String); ok {
			return cmp.Compare(a, b), true
		}
	case Binary:
		if b, ok := b.(Binary); ok {
			return cmp.Compare(a, b), true
		}
	case Number:
		if b, ok := b.(Number); ok {
			return a.compare(b), true
		}
	}
	return 0, false
}

// ordered tells whether values of a kind have an order.
func ordered(k Kind) bool { return k == S || k == N || k == B }

// Equal tells whether two values are of one type and the same, all the way
// down. Two nil values are the same.
func Equal(a, b Value) bool {
	switch a := a.(type) {
	case List:
		b, ok := b.(List)
		return ok && slices.EqualFunc(a, b, Equal)
	case Set:
		b, ok := b.(Set)
		return ok && a.kind == b.kind && slices.EqualFunc(a.members, b.members, Equal)
	case Map:
		b, ok := b.(Map)
		if !ok || len(a) != len(b) {
			return false
		}
		for name, v := range a {
			if w, ok := b[name]; !ok || !Equal(v, w) {
				return false
			}
		}
		return true
	}
	switch b.(type) {
	case List, Set, Map:
		return false
	}
	return a == b // the others are comparable
}

// plain is a scalar in an error message.
func plain(v Value) string {
	switch v := v.(type) {
	case String:
		return string(v)
	case Binary:
		return string(v)
	case Number:
		return v.String()
	}
	return v.Kind().String()
}

func invalid(format string, args ...any) error {
	return awstest.Errorf("ValidationException", format, args...)
}
