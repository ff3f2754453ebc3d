package ddbexpr

// KeyTest is the condition of a Query on one key attribute.
type KeyTest struct {
	Attribute string
	Operator  string  // =, <, <=, >, >=, BETWEEN or begins_with
	Values    []Value // two for BETWEEN, else one
}

const keyExpression = "KeyConditionExpression"

// KeyCondition parses the key condition of a Query, which has one test, or two
// on two attributes. Which attributes the key has, the caller knows.
func (s *Scope) KeyCondition(text string) ([]KeyTest, error) {
	p, err := s.parser(keyExpression, text)
	if err != nil {
		return nil, err
	}
	n, err := p.condition()
	if err != nil {
		return nil, err
	}
	parts := []node{n}
	if n, ok := n.(and); ok {
		parts = []node{n.a, n.b}
	}
	var tests []KeyTest
	for _, part := range parts {
		t, err := p.keyTest(part)
		if err != nil {
			return nil, err
		}
		tests = append(tests, t)
	}
	if len(tests) == 2 && tests[0].Attribute == tests[1].Attribute {
		return nil, p.onePerKey()
	}
	return tests, nil
}

func (p *parser) onePerKey() error {
	return invalid("%ss must only contain one condition per key", keyExpression)
}

func (p *parser) keyTest(n node) (KeyTest, error) {
	var operator string
	var operands []operand
	switch n := n.(type) {
	case comparison:
		if n.operator == "<>" {
			return p.notForKeys(n.operator)
		}
		operator, operands = n.operator, []operand{n.a, n.b}
		if _, turned := n.a.(literal); turned {
			operator, operands = mirror(n.operator), []operand{n.b, n.a}
		}
	case between:
		operator, operands = "BETWEEN", []operand{n.x, n.low, n.high}
	case beginsWith:
		operator, operands = "begins_with", []operand{n.x, n.prefix}
	case and:
		return KeyTest{}, p.onePerKey()
	case or:
		return p.notForKeys("OR")
	case not:
		if e, ok := n.a.(exists); ok && e.path != nil {
			return p.notForKeys("attribute_not_exists")
		}
		return p.notForKeys("NOT")
	case in:
		return p.notForKeys("IN")
	case exists:
		return p.notForKeys("attribute_exists")
	case isOfKind:
		return p.notForKeys("attribute_type")
	case contains:
		return p.notForKeys("contains")
	}
	path, ok := operands[0].(Path)
	switch {
	case !ok:
		return KeyTest{}, p.invalid("No key attribute specified")
	case len(path) > 1:
		return KeyTest{}, invalid("%ss cannot have conditions on nested attributes", keyExpression)
	}
	t := KeyTest{Attribute: path.Top(), Operator: operator}
	for _, o := range operands[1:] {
		l, ok := o.(literal)
		if !ok {
			return KeyTest{}, invalid("Invalid condition in %s: Multiple attribute names used in one condition", keyExpression)
		}
		t.Values = append(t.Values, l.value)
	}
	return t, nil
}

func (p *parser) notForKeys(operator string) (KeyTest, error) {
	return KeyTest{}, invalid("Invalid operator used in %s: %s", keyExpression, operator)
}

// mirror is the operator seen from the other side.
func mirror(operator string) string {
	switch operator {
	case "<":
		return ">"
	case "<=":
		return ">="
	case ">":
		return "<"
	case ">=":
		return "<="
	}
	return operator
}
