package ddbexpr

import "fmt"

// MaxItemSize is how large an item may be, names included.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html (read 2026-11)
const MaxItemSize = 400 << 10

// maxDepth is how deep lists and maps may be nested. From which level on AWS
// counts is not documented; here the first list or map is the first level.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html (read 2026-11)
const maxDepth = 32

// Size returns the size of an item in bytes: that of the names and the values.
//
// Strings count in UTF-8. A number takes about a byte for two digits and one
// more; a list or map three bytes, and one for each element.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html (read 2026-11)
func Size(item Map) int {
	n := 0
	for name, v := range item {
		n += len(name) + size(v)
	}
	return n
}

func size(v Value) int {
	switch v := v.(type) {
	case String:
		return len(v)
	case Binary:
		return len(v)
	case Number:
		return (len(v.digits)+1)/2 + 1
	case Set:
		n := 0
		for _, m := range v.members {
			n += size(m)
		}
		return n
	case List:
		n := 3
		for _, e := range v {
			n += 1 + size(e)
		}
		return n
	case Map:
		return 3 + len(v) + Size(v)
	}
	return 1 // null and booleans
}

// CheckDepth refuses an item that is nested too deep.
func CheckDepth(item Map) error {
	for _, v := range item {
		if depth(v) > maxDepth {
			return invalid("Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit")
		}
	}
	return nil
}

func depth(v Value) int {
	deepest := 0
	switch v := v.(type) {
	case List:
		for _, e := range v {
			deepest = max(deepest, depth(e))
		}
	case Map:
		for _, e := range v {
			deepest = max(deepest, depth(e))
		}
	default:
		return 0
	}
	return 1 + deepest
}

// show writes a value as error messages do.
func show(v Value) string { return fmt.Sprintf("AttributeValue: {%s:%s}", v.Kind(), plain(v)) }
