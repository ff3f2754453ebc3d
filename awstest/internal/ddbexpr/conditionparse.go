package ddbexpr

import (
	"fmt"
	"slices"
)

// Condition parses a condition or a filter; the parameter that it is given in
// is for error messages.
func (s *Scope) Condition(parameter, text string) (*Condition, error) {
	p, err := s.parser(parameter, text)
	if err != nil {
		return nil, err
	}
	n, err := p.condition()
	if err != nil {
		return nil, err
	}
	return &Condition{n, p.tops}, nil
}

// condition reads the whole expression as a condition.
func (p *parser) condition() (node, error) {
	n, _, err := p.disjunction()
	if err == nil && p.peek().kind != end {
		err = p.unexpected()
	}
	return n, err
}

// disjunction reads what OR connects. Like the following ones it also tells
// whether what it has read is in parentheses as a whole.
func (p *parser) disjunction() (node, bool, error) {
	return p.connected("OR", p.conjunction, func(a, b node) node { return or{a, b} })
}

func (p *parser) conjunction() (node, bool, error) {
	return p.connected("AND", p.negation, func(a, b node) node { return and{a, b} })
}

func (p *parser) connected(keyword string, part func() (node, bool, error), connect func(a, b node) node) (node, bool, error) {
	n, enclosed, err := part()
	for err == nil && p.accept(keyword) {
		if err := p.operator(); err != nil {
			return nil, false, err
		}
		var b node
		b, _, err = part()
		n, enclosed = connect(n, b), false
	}
	return n, enclosed, err
}

func (p *parser) negation() (node, bool, error) {
	if !p.accept("NOT") {
		return p.primary()
	}
	if err := p.operator(); err != nil {
		return nil, false, err
	}
	n, _, err := p.negation()
	return not{n}, false, err
}

func (p *parser) primary() (node, bool, error) {
	if p.accept("(") {
		n, enclosed, err := p.disjunction()
		if err == nil {
			err = p.expect(")")
		}
		if err == nil && enclosed {
			err = p.invalid("The expression has redundant parentheses;")
		}
		return n, true, err
	}
	n, err := p.test()
	return n, false, err
}

// test reads a function, or operands with an operator between.
func (p *parser) test() (node, error) {
	if p.isCall() && p.peek().text != "size" {
		return p.predicate()
	}
	size := p.isCall()
	x, err := p.operand()
	if err != nil {
		return nil, err
	}
	t := p.next()
	switch {
	case slices.ContainsFunc([]string{"=", "<>", "<", "<=", ">", ">="}, t.is):
		return p.comparison(t.text, x)
	case t.is("BETWEEN"):
		return p.between(x)
	case t.is("IN"):
		return p.in(x)
	case size:
		return nil, p.misused("size")
	}
	if t.kind != end {
		p.at-- // the token that was not expected is this one
	}
	return nil, p.unexpected()
}

func (p *parser) misused(function string) error {
	return p.invalid("The function is not allowed to be used this way in an expression; function: %s", function)
}

// operand reads a path, a value or a size.
func (p *parser) operand() (operand, error) {
	switch {
	case p.isCall():
		name, args, err := p.call()
		switch {
		case err != nil:
			return nil, err
		case name != "size":
			return nil, p.misused(name)
		case len(args) != 1:
			return nil, p.wrongCount(name, len(args))
		}
		if l, ok := args[0].(literal); ok {
			if k := l.value.Kind(); k == N || k == BOOL || k == NULL {
				return nil, p.wrongType(name, k)
			}
		}
		if _, nested := args[0].(sizeOf); nested {
			return nil, p.wrongType(name, N)
		}
		return sizeOf{args[0]}, nil
	case p.peek().kind == valRef:
		v, err := p.value()
		return literal{v}, err
	}
	return p.path()
}

// call reads the call of a function. A name that no function has is refused
// before its operands are looked at.
func (p *parser) call() (name string, args []operand, err error) {
	name = p.next().text
	if !slices.Contains([]string{
		"attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains", "size",
		"if_not_exists", "list_append", // of updates, known and not allowed
	}, name) {
		return "", nil, p.invalid("Invalid function name; function: %s", name)
	}
	p.next() // the parenthesis
	for {
		arg, err := p.operand()
		if err != nil {
			return "", nil, err
		}
		args = append(args, arg)
		if !p.accept(",") {
			return name, args, p.expect(")")
		}
	}
}

func (p *parser) wrongCount(function string, n int) error {
	return p.invalid("Incorrect number of operands for operator or function; operator or function: %s, number of operands: %d", function, n)
}

// comparison reads the second operand of one.
func (p *parser) comparison(operator string, a operand) (node, error) {
	if err := p.operator(); err != nil {
		return nil, err
	}
	b, err := p.operand()
	if err != nil {
		return nil, err
	}
	operands := []operand{a, b}
	if err := p.checkDistinct(operator, operands); err != nil {
		return nil, err
	}
	if operator != "=" && operator != "<>" {
		err = p.checkOrdered(operator, operands)
	}
	return comparison{operator, a, b}, err
}

func (p *parser) between(x operand) (node, error) {
	if err := p.operator(); err != nil {
		return nil, err
	}
	low, err := p.operand()
	if err != nil {
		return nil, err
	}
	if err := p.expect("AND"); err != nil {
		return nil, err
	}
	high, err := p.operand()
	if err != nil {
		return nil, err
	}
	operands := []operand{x, low, high}
	if err := p.checkDistinct("BETWEEN", operands); err != nil {
		return nil, err
	}
	if err := p.checkOrdered("BETWEEN", operands); err != nil {
		return nil, err
	}
	return between{x, low, high}, p.checkBounds(low, high)
}

// checkBounds compares bounds that are both from the request.
func (p *parser) checkBounds(low, high operand) error {
	a, okA := low.(literal)
	b, okB := high.(literal)
	if !okA || !okB {
		return nil
	}
	bounds := fmt.Sprintf("lower bound operand: %s, upper bound operand: %s", show(a.value), show(b.value))
	switch order, ok := Compare(a.value, b.value); {
	case !ok:
		return p.invalid("The BETWEEN operator requires same data type for lower and upper bounds; %s", bounds)
	case order > 0:
		return p.invalid("The BETWEEN operator requires upper bound to be greater than or equal to lower bound; %s", bounds)
	}
	return nil
}

// maxIn is how many values IN takes. Observers have found that AWS counts the
// operand in front of it as well, and takes 99.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html (read 2026-11)
const maxIn = 100

func (p *parser) in(x operand) (node, error) {
	if err := p.operator(); err != nil {
		return nil, err
	}
	if err := p.expect("("); err != nil {
		return nil, err
	}
	operands := []operand{x}
	for more := true; more; more = p.accept(",") {
		o, err := p.operand()
		if err != nil {
			return nil, err
		}
		operands = append(operands, o)
	}
	if err := p.expect(")"); err != nil {
		return nil, err
	}
	if n := len(operands) - 1; n > maxIn {
		return nil, p.invalid("The IN operator is provided with too many operands; number of operands: %d", n)
	}
	return in{operands}, p.checkDistinct("IN", operands)
}

// checkOrdered refuses values of the request that have no order.
func (p *parser) checkOrdered(operator string, operands []operand) error {
	for _, o := range operands {
		if l, ok := o.(literal); ok && !ordered(l.value.Kind()) {
			return p.wrongType(operator, l.value.Kind())
		}
	}
	return nil
}

// checkDistinct refuses an attribute that is put in relation to itself.
func (p *parser) checkDistinct(operator string, operands []operand) error {
	first, ok := operands[0].(Path)
	if !ok {
		return nil
	}
	for _, o := range operands[1:] {
		if path, ok := o.(Path); ok && slices.Equal(path, first) {
			return p.invalid("The first operand must be distinct from the remaining operands for this operator or function; operator: %s, first operand: %v", operator, first)
		}
	}
	return nil
}
