package ddbexpr

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Path leads to an attribute, or into one: a.b[2].
type Path []step

// step is a name or, where the name is empty, an index.
type step struct {
	name  string
	index int
}

func (s step) isIndex() bool { return s.name == "" }

// Top returns the name of the attribute that the path begins with.
func (p Path) Top() string { return p[0].name }

// String writes the path as error messages do: [a, b, [2]].
func (p Path) String() string {
	parts := make([]string, len(p))
	for i, s := range p {
		parts[i] = s.name
		if s.isIndex() {
			parts[i] = "[" + strconv.Itoa(s.index) + "]"
		}
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// in returns what a path leads to, and whether it is there.
func (p Path) in(item Map) (Value, bool) {
	var v Value = item
	for _, s := range p {
		ok := false
		switch c := v.(type) {
		case Map:
			v, ok = c[s.name]
			ok = ok && !s.isIndex()
		case List:
			if ok = s.isIndex() && s.index < len(c); ok {
				v = c[s.index]
			}
		}
		if !ok {
			return nil, false
		}
	}
	return v, true
}

// put returns the value with what the path leads to replaced. All but the last
// step must be there; an index past the end of a list appends to it.
func put(in Value, p Path, v Value) (Value, bool) {
	if len(p) == 0 {
		return v, true
	}
	s := p[0]
	switch c := in.(type) {
	case Map:
		old, found := c[s.name]
		if s.isIndex() || !found && len(p) > 1 {
			return nil, false
		}
		changed, ok := put(old, p[1:], v)
		n := maps.Clone(c)
		n[s.name] = changed
		return n, ok
	case List:
		switch {
		case !s.isIndex():
			return nil, false
		case s.index < len(c):
			changed, ok := put(c[s.index], p[1:], v)
			n := slices.Clone(c)
			n[s.index] = changed
			return n, ok
		case len(p) == 1:
			return append(slices.Clone(c), v), true
		}
	}
	return nil, false
}

// cut returns the value without what the path leads to, which is there.
func cut(in Value, p Path) Value {
	s := p[0]
	switch c := in.(type) {
	case Map:
		n := maps.Clone(c)
		if len(p) == 1 {
			delete(n, s.name)
		} else {
			n[s.name] = cut(c[s.name], p[1:])
		}
		return n
	case List:
		if len(p) == 1 {
			return slices.Delete(slices.Clone(c), s.index, s.index+1)
		}
		n := slices.Clone(c)
		n[s.index] = cut(c[s.index], p[1:])
		return n
	}
	return in
}

// pathOrder sorts paths step by step, indices by number.
func pathOrder(a, b Path) int {
	return slices.CompareFunc(a, b, func(x, y step) int {
		return cmp.Or(strings.Compare(x.name, y.name), cmp.Compare(x.index, y.index))
	})
}

// checkApart refuses two paths of which one leads into the other, and two of
// which one takes for a list what the other takes for a map.
func (p *parser) checkApart(paths []Path) error {
	for i, b := range paths {
		for _, a := range paths[:i] {
			n := 0
			for n < len(a) && n < len(b) && a[n] == b[n] {
				n++
			}
			switch {
			case n == len(a) || n == len(b):
				return p.invalid("Two document paths overlap with each other; must remove or rewrite one of these paths; path one: %v, path two: %v", a, b)
			case a[n].isIndex() != b[n].isIndex():
				return p.invalid("Two document paths conflict with each other; must remove or rewrite one of these paths; path one: %v, path two: %v", a, b)
			}
		}
	}
	return nil
}
