package ddbexpr

import (
	"slices"
)

// Projection is the parts of an item that are asked for.
type Projection struct{ paths []Path }

// Projection parses a projection.
func (s *Scope) Projection(text string) (*Projection, error) {
	p, err := s.parser("ProjectionExpression", text)
	if err != nil {
		return nil, err
	}
	var paths []Path
	for more := true; more; more = p.accept(",") {
		path, err := p.path()
		if err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	if p.peek().kind != end {
		return nil, p.unexpected()
	}
	return &Projection{paths}, p.checkApart(paths)
}

// Of returns the parts of an item that are there, each within what it is a
// part of; from lists without the elements in between. The nil Projection asks
// for everything.
func (p *Projection) Of(item Map) Map {
	if p == nil {
		return item
	}
	return parts(item, p.paths)
}

// parts returns what the paths lead to, within the item.
func parts(item Map, paths []Path) Map {
	if v, ok := pick(item, paths); ok {
		return v.(Map)
	}
	return Map{}
}

// pick returns the parts of a value, and whether there are any. The paths do
// not overlap: if one ends here, it is the only one.
func pick(v Value, paths []Path) (Value, bool) {
	if len(paths[0]) == 0 {
		return v, true
	}
	paths = slices.SortedFunc(slices.Values(paths), pathOrder)
	m, list := Map{}, List{}
	for len(paths) > 0 {
		s := paths[0][0]
		n := 0 // how many begin with this step
		var inner []Path
		for n < len(paths) && paths[n][0] == s {
			inner = append(inner, paths[n][1:])
			n++
		}
		paths = paths[n:]
		var child Value
		found := false
		switch c := v.(type) {
		case Map:
			child, found = c[s.name]
			found = found && !s.isIndex()
		case List:
			if found = s.isIndex() && s.index < len(c); found {
				child = c[s.index]
			}
		}
		if found {
			child, found = pick(child, inner)
		}
		switch {
		case !found:
		case s.isIndex():
			list = append(list, child)
		default:
			m[s.name] = child
		}
	}
	if _, ok := v.(List); ok {
		return list, len(list) > 0
	}
	return m, len(m) > 0
}
