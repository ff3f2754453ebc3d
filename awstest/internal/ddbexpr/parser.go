package ddbexpr

import (
	"fmt"
	"strconv"
)

// Limits of an expression.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html (read 2026-11)
const (
	maxExpression = 4 << 10 // bytes
	maxOperators  = 300
)

// parser reads one expression. Its methods return the first error.
type parser struct {
	scope     *Scope
	parameter string // such as ConditionExpression
	text      string
	list      []token
	at        int
	operators int
	tops      []string // the attributes that paths begin with
}

func (s *Scope) parser(parameter, text string) (*parser, error) {
	p := &parser{scope: s, parameter: parameter, text: text}
	if len(text) > maxExpression {
		return nil, p.invalid("Expression size has exceeded the maximum allowed size; expression size: %d", len(text))
	}
	if p.list = tokens(text); p.list[0].kind == end {
		return nil, p.invalid("The expression can not be empty;")
	}
	return p, nil
}

func (p *parser) invalid(format string, args ...any) error {
	return invalid("Invalid %s: %s", p.parameter, fmt.Sprintf(format, args...))
}

func (p *parser) peek() token { return p.list[p.at] }

// next returns the next token and goes on; the end is never passed.
func (p *parser) next() token {
	t := p.list[p.at]
	if t.kind != end {
		p.at++
	}
	return t
}

// accept goes on if the next token is this keyword or symbol.
func (p *parser) accept(text string) bool {
	if !p.peek().is(text) {
		return false
	}
	p.at++
	return true
}

func (p *parser) expect(text string) error {
	if !p.accept(text) {
		return p.unexpected()
	}
	return nil
}

// unexpected is the error of the next token, with its neighbours.
func (p *parser) unexpected() error {
	t := p.peek()
	from, to := t.from, t.to
	if p.at > 0 {
		from = p.list[p.at-1].from
	}
	if p.at+1 < len(p.list) {
		to = p.list[p.at+1].to
	}
	return p.invalid("Syntax error; token: \"%s\", near: \"%s\"", t.text, p.text[from:to])
}

// operator counts one operator.
func (p *parser) operator() error {
	if p.operators++; p.operators > maxOperators {
		return p.invalid("The expression contains too many operators; operator count: %d", p.operators)
	}
	return nil
}

// path reads a path.
func (p *parser) path() (Path, error) {
	first, err := p.name()
	if err != nil {
		return nil, err
	}
	p.tops = append(p.tops, first.name)
	path := Path{first}
	for {
		switch {
		case p.accept("."):
			s, err := p.name()
			if err != nil {
				return nil, err
			}
			path = append(path, s)
		case p.accept("["):
			t := p.peek()
			index, err := strconv.Atoi(t.text)
			if t.kind != number {
				return nil, p.unexpected()
			}
			if err != nil {
				return nil, p.invalid("List index is not within the allowable range; index: [%s]", t.text)
			}
			p.next()
			if err := p.expect("]"); err != nil {
				return nil, err
			}
			path = append(path, step{index: index})
		default:
			return path, nil
		}
	}
}

// name reads a name, or what #name stands for.
func (p *parser) name() (step, error) {
	t := p.peek()
	switch t.kind {
	case word:
		if isReserved(t.text) {
			return step{}, p.invalid("Attribute name is a reserved keyword; reserved keyword: %s", t.text)
		}
		p.next()
		return step{name: t.text}, nil
	case nameRef:
		name, ok := p.scope.names[t.text]
		if !ok {
			return step{}, p.invalid("An expression attribute name used in the document path is not defined; attribute name: %s", t.text)
		}
		p.next()
		p.scope.usedNames[t.text] = true
		return step{name: name}, nil
	}
	return step{}, p.unexpected()
}

// value reads :value and returns what it stands for.
func (p *parser) value() (Value, error) {
	t := p.peek()
	if t.kind != valRef {
		return nil, p.unexpected()
	}
	v, ok := p.scope.values[t.text]
	if !ok {
		return nil, p.invalid("An expression attribute value used in expression is not defined; attribute value: %s", t.text)
	}
	p.next()
	p.scope.usedValues[t.text] = true
	return v, nil
}

// isCall tells whether a function is called next.
func (p *parser) isCall() bool {
	return p.peek().kind == word && p.at+1 < len(p.list) && p.list[p.at+1].is("(")
}

// wrongType is the error of an operand from the request that has a type which
// its operator or function never takes.
func (p *parser) wrongType(function string, k Kind) error {
	return p.invalid("Incorrect operand type for operator or function; operator or function: %s, operand type: %v", function, k)
}
