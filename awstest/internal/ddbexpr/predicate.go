package ddbexpr

// predicate reads a function that is true or false by itself.
func (p *parser) predicate() (node, error) {
	name, args, err := p.call()
	if err != nil {
		return nil, err
	}
	want := 2
	switch name {
	case "attribute_exists", "attribute_not_exists":
		want = 1
	case "attribute_type", "begins_with", "contains":
	default:
		return nil, p.misused(name)
	}
	if len(args) != want {
		return nil, p.wrongCount(name, len(args))
	}
	// In a comparison it would be a number.
	for _, operator := range []string{"=", "<>", "<", "<=", ">", ">=", "BETWEEN", "IN"} {
		if p.peek().is(operator) {
			return nil, p.misused(name)
		}
	}
	switch name {
	case "attribute_exists", "attribute_not_exists":
		path, ok := args[0].(Path)
		switch {
		case !ok:
			return nil, p.invalid("Operator or function requires a document path; operator or function: %s", name)
		case name == "attribute_exists":
			return exists{path}, nil
		}
		return not{exists{path}}, nil
	case "attribute_type":
		return p.attributeType(args[0], args[1])
	case "begins_with":
		for _, arg := range args {
			if k, known := kindOf(arg); known && k != S && k != B {
				return nil, p.wrongType(name, k)
			}
		}
		return beginsWith{args[0], args[1]}, p.checkDistinct(name, args)
	}
	return contains{args[0], args[1]}, p.checkDistinct(name, args)
}

// attributeType is of a type that the request names, not the item.
func (p *parser) attributeType(x, kind operand) (node, error) {
	const name = "attribute_type"
	l, ok := kind.(literal)
	if !ok {
		return nil, p.invalid("Incorrect operand type for operator or function; operator or function: %s, operand type: {S}", name)
	}
	text, ok := l.value.(String)
	if !ok {
		return nil, p.wrongType(name, l.value.Kind())
	}
	k, ok := kindNamed(string(text))
	if !ok {
		return nil, p.invalid("Invalid attribute type name found; type: %s, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}", text)
	}
	return isOfKind{x, k}, nil
}

// kindOf returns the type of an operand, if it is known without the item.
func kindOf(o operand) (Kind, bool) {
	switch o := o.(type) {
	case literal:
		return o.value.Kind(), true
	case sizeOf:
		return N, true
	}
	return 0, false
}
