package ddbexpr

import (
	"slices"
)

// Update parses an update.
func (s *Scope) Update(text string) (*Update, error) {
	p, err := s.parser("UpdateExpression", text)
	if err != nil {
		return nil, err
	}
	u := &Update{}
	type section struct {
		keyword string
		clause  func(*Update) (Path, error)
	}
	sections := []section{{"SET", p.assignment}, {"REMOVE", p.removal}, {"ADD", p.addition}, {"DELETE", p.deletion}}
	var seen [4]bool
	for p.peek().kind != end {
		i := slices.IndexFunc(sections, func(s section) bool { return p.accept(s.keyword) })
		if i < 0 {
			return nil, p.unexpected()
		}
		if seen[i] {
			return nil, p.invalid("The \"%s\" section can only be used once in an update expression;", sections[i].keyword)
		}
		seen[i] = true
		for more := true; more; more = p.accept(",") {
			path, err := sections[i].clause(u)
			if err != nil {
				return nil, err
			}
			u.paths = append(u.paths, path)
		}
	}
	if err := p.checkApart(u.paths); err != nil {
		return nil, err
	}
	slices.SortStableFunc(u.sets, func(a, b assignment) int { return pathOrder(a.path, b.path) })
	return u, nil
}

func (p *parser) assignment(u *Update) (Path, error) {
	path, err := p.path()
	if err != nil {
		return nil, err
	}
	if err := p.expect("="); err != nil {
		return nil, err
	}
	v, err := p.term()
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.is("+") || t.is("-") {
		p.next()
		if err := p.operator(); err != nil {
			return nil, err
		}
		b, err := p.term()
		if err != nil {
			return nil, err
		}
		if err := p.checkTypes(t.text, N, v, b); err != nil {
			return nil, err
		}
		v = arithmetic{t.text, v, b}
	}
	u.sets = append(u.sets, assignment{path, v})
	return path, nil
}

// term reads a path, a value or a function.
func (p *parser) term() (expression, error) {
	switch {
	case p.isCall():
		return p.function()
	case p.peek().kind == valRef:
		v, err := p.value()
		return given{v}, err
	}
	path, err := p.path()
	return read{path}, err
}

// function reads the call of if_not_exists or list_append.
func (p *parser) function() (expression, error) {
	name := p.next().text
	switch name {
	case "if_not_exists", "list_append":
	case "attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains", "size":
		return nil, p.misused(name)
	default:
		return nil, p.invalid("Invalid function name; function: %s", name)
	}
	p.next() // the parenthesis
	var args []expression
	for more := true; more; more = p.accept(",") {
		arg, err := p.term()
		if err != nil {
			return nil, err
		}
		if _, nested := arg.(listAppend); nested {
			return nil, p.misused("list_append") // AWS does not take it as an operand
		}
		args = append(args, arg)
	}
	if err := p.expect(")"); err != nil {
		return nil, err
	}
	if len(args) != 2 {
		return nil, p.wrongCount(name, len(args))
	}
	if name == "list_append" {
		return listAppend{args[0], args[1]}, p.checkTypes(name, L, args...)
	}
	r, ok := args[0].(read)
	if !ok {
		return nil, p.invalid("Operator or function requires a document path; operator or function: %s", name)
	}
	return ifNotExists{r.path, args[1]}, nil
}

// checkTypes refuses operands whose type is known without the item, and wrong.
func (p *parser) checkTypes(function string, want Kind, operands ...expression) error {
	for _, o := range operands {
		k := want
		switch o := o.(type) {
		case given:
			k = o.value.Kind()
		case listAppend:
			k = L
		}
		if k != want {
			return p.wrongType(function, k)
		}
	}
	return nil
}

func (p *parser) removal(u *Update) (Path, error) {
	path, err := p.path()
	u.removes = append(u.removes, path)
	return path, err
}

func (p *parser) addition(u *Update) (Path, error) {
	path, v, err := p.elements("ADD", "ALLOWED_FOR_ADD_OPERAND", N, SS, NS, BS)
	u.sets = append(u.sets, assignment{path, increase{path, v}})
	return path, err
}

func (p *parser) deletion(u *Update) (Path, error) {
	path, v, err := p.elements("DELETE", "ALLOWED_FOR_DELETE_OPERAND", SS, NS, BS)
	if set, ok := v.(Set); ok {
		u.deletes = append(u.deletes, elements{path, set})
	}
	return path, err
}

// elements reads what ADD and DELETE are given.
func (p *parser) elements(keyword, allowed string, kinds ...Kind) (Path, Value, error) {
	path, err := p.path()
	if err != nil {
		return nil, nil, err
	}
	v, err := p.value()
	if err != nil {
		return nil, nil, err
	}
	if !slices.Contains(kinds, v.Kind()) {
		return nil, nil, p.invalid("Incorrect operand type for operator or function; operator: %s, operand type: %s, typeSet: %s", keyword, longName(v.Kind()), allowed)
	}
	return path, v, nil
}

// longName is how the messages of ADD and DELETE call a type.
func longName(k Kind) string {
	return [kinds]string{"STRING", "NUMBER", "BINARY", "STRING_SET", "NUMBER_SET", "BINARY_SET", "MAP", "LIST", "NULL", "BOOLEAN"}[k]
}
