package ddbexpr_test

import (
	"flag"
	"fmt"
	"maps"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/awsha/awsha/awstest/internal/ddbexpr"
)

var seed = flag.Uint64("seed", 0, "replay the random test of this seed")

// Values of the independent evaluator are a string, a *big.Rat, a bool, nil for
// null, a []any, a map[string]any, or strings in a plainSet.
type plainSet map[string]bool

// truth is a condition with its meaning, told twice: as text, and as a
// function that knows nothing of the package.
type truth struct {
	text  string
	holds func(item map[string]any) bool
}

// operandOf is a text and its value; ok is whether it is there.
type operandOf struct {
	text string
	path string
	of   func(item map[string]any) (v any, ok bool)
}

// author writes random conditions.
type author struct {
	*rand.Rand
	values map[string]ddbexpr.Value
}

// scalar returns a random value in both forms.
func (a *author) scalar() (ddbexpr.Value, any) {
	switch a.IntN(6) {
	case 0, 1:
		i := a.IntN(5)
		return ddbexpr.Int(int64(i)), big.NewRat(int64(i), 1)
	case 2, 3, 4:
		text := strings.Repeat("ab", a.IntN(3)) + string(rune('a'+a.IntN(3)))
		return s(text), text
	}
	yes := a.IntN(2) == 0
	return ddbexpr.Bool(yes), yes
}

func (a *author) value() (ddbexpr.Value, any) {
	switch a.IntN(8) {
	case 0:
		v, p := a.scalar()
		return l{v, s("a")}, []any{p, "a"}
	case 1:
		v, p := a.scalar()
		return m{"x": v}, map[string]any{"x": p}
	case 2:
		return set(ddbexpr.SS, s("a"), s("b")), plainSet{"a": true, "b": true}
	case 3:
		return ddbexpr.Null{}, nil
	}
	return a.scalar()
}

var attributeNames = []string{"a1", "a2", "a3", "a4"}

// item returns an item in both forms; some attributes are missing.
func (a *author) item() (m, map[string]any) {
	item, plain := m{}, map[string]any{}
	for _, name := range attributeNames {
		if a.IntN(4) > 0 {
			item[name], plain[name] = a.value()
		}
	}
	return item, plain
}

func (a *author) path() operandOf {
	name := attributeNames[a.IntN(len(attributeNames))]
	top := func(item map[string]any) (any, bool) { v, ok := item[name]; return v, ok }
	switch a.IntN(5) {
	case 0:
		return operandOf{name + ".x", name + ".x", func(item map[string]any) (any, bool) {
			v, _ := top(item)
			c, _ := v.(map[string]any)
			x, ok := c["x"]
			return x, ok
		}}
	case 1:
		return operandOf{name + "[0]", name + "[0]", func(item map[string]any) (any, bool) {
			v, _ := top(item)
			c, ok := v.([]any)
			if !ok {
				return nil, false
			}
			return c[0], true
		}}
	}
	return operandOf{name, name, top}
}

// given returns a value of the request; ordered ones have an order.
func (a *author) given(ordered bool) operandOf {
	v, p := a.value()
	for ordered && v.Kind() != ddbexpr.S && v.Kind() != ddbexpr.N {
		v, p = a.value()
	}
	ref := fmt.Sprintf(":v%d", len(a.values))
	a.values[ref] = v
	return operandOf{ref, "", func(map[string]any) (any, bool) { return p, true }}
}

// operand returns a path, a value or a size, and never the path that is taken.
func (a *author) operand(ordered bool, taken string) operandOf {
	if a.IntN(2) == 0 {
		return a.given(ordered)
	}
	p := a.path()
	for p.path == taken {
		p = a.path()
	}
	if a.IntN(4) > 0 {
		return p
	}
	return operandOf{"size(" + p.text + ")", "", func(item map[string]any) (any, bool) {
		v, ok := p.of(item)
		var n int
		switch v := v.(type) {
		case string:
			n = len(v)
		case []any:
			n = len(v)
		case map[string]any:
			n = len(v)
		case plainSet:
			n = len(v)
		default:
			return nil, false
		}
		return big.NewRat(int64(n), 1), ok
	}}
}

// alike compares values of the independent evaluator by their print.
func alike(x, y any) bool { return fmt.Sprintf("%T%v", x, x) == fmt.Sprintf("%T%v", y, y) }

func relation(x, y any) (order int, ok bool) {
	switch x := x.(type) {
	case string:
		y, ok := y.(string)
		return strings.Compare(x, y), ok
	case *big.Rat:
		if y, ok := y.(*big.Rat); ok {
			return x.Cmp(y), true
		}
	}
	return 0, false
}

func compared(x, y operandOf, operator string) func(map[string]any) bool {
	return func(item map[string]any) bool {
		p, okP := x.of(item)
		q, okQ := y.of(item)
		order, ordered := relation(p, q)
		ordered = ordered && okP && okQ
		switch operator {
		case "=":
			return okP && okQ && alike(p, q)
		case "<>":
			return !okP || !okQ || !alike(p, q)
		case "<":
			return ordered && order < 0
		case "<=":
			return ordered && order <= 0
		case ">":
			return ordered && order > 0
		}
		return ordered && order >= 0
	}
}

func (a *author) leaf() truth {
	x := a.operand(true, "")
	switch a.IntN(8) {
	case 0, 1, 2:
		operator := []string{"=", "<>", "<", "<=", ">", ">="}[a.IntN(6)]
		y := a.operand(operator != "=" && operator != "<>", x.path)
		return truth{x.text + " " + operator + " " + y.text, compared(x, y, operator)}
	case 3:
		p := a.path()
		for p.path == x.path {
			p = a.path()
		}
		low, high := p, a.given(true) // two values of the request would have to be in order
		from, to := compared(x, low, ">="), compared(x, high, "<=")
		return truth{x.text + " BETWEEN " + low.text + " AND " + high.text, func(item map[string]any) bool { return from(item) && to(item) }}
	case 4:
		var texts []string
		var either []func(map[string]any) bool
		for range 1 + a.IntN(3) {
			y := a.operand(false, x.path)
			texts = append(texts, y.text)
			either = append(either, compared(x, y, "="))
		}
		return truth{x.text + " IN (" + strings.Join(texts, ",") + ")", func(item map[string]any) bool {
			return slices.ContainsFunc(either, func(f func(map[string]any) bool) bool { return f(item) })
		}}
	case 5:
		p := a.path()
		return truth{"attribute_exists(" + p.text + ")", func(item map[string]any) bool { _, ok := p.of(item); return ok }}
	case 6:
		p := a.path()
		return truth{"attribute_not_exists(" + p.text + ")", func(item map[string]any) bool { _, ok := p.of(item); return !ok }}
	}
	p := a.path()
	v, text := a.scalar()
	ref := fmt.Sprintf(":v%d", len(a.values))
	a.values[ref] = v
	return truth{"contains(" + p.text + ", " + ref + ")", func(item map[string]any) bool {
		c, ok := p.of(item)
		switch c := c.(type) {
		case string:
			part, isText := text.(string)
			return ok && isText && strings.Contains(c, part)
		case []any:
			return ok && slices.ContainsFunc(c, func(e any) bool { return alike(e, text) })
		case plainSet:
			part, isText := text.(string)
			return ok && isText && c[part]
		}
		return false
	}}
}

// condition writes with as few parentheses as the grammar allows: each level
// is an OR of ANDs of NOTs.
func (a *author) condition(depth int) truth {
	part := func() truth {
		c := a.leaf()
		if depth > 0 && a.IntN(3) == 0 {
			inner := a.condition(depth - 1)
			c = truth{"(" + inner.text + ")", inner.holds}
		}
		if a.IntN(4) == 0 {
			inner := c
			c = truth{"NOT " + inner.text, func(item map[string]any) bool { return !inner.holds(item) }}
		}
		return c
	}
	var ors [][]truth
	var text strings.Builder
	for i := range 1 + a.IntN(3) {
		if i > 0 {
			text.WriteString(" OR ")
		}
		var ands []truth
		for j := range 1 + a.IntN(3) {
			if j > 0 {
				text.WriteString(" AND ")
			}
			c := part()
			text.WriteString(c.text)
			ands = append(ands, c)
		}
		ors = append(ors, ands)
	}
	return truth{text.String(), func(item map[string]any) bool {
		return slices.ContainsFunc(ors, func(ands []truth) bool {
			return !slices.ContainsFunc(ands, func(c truth) bool { return !c.holds(item) })
		})
	}}
}

// TestConditionsMeanWhatTheySay holds 20,000 random conditions, each on a few
// random items, against an evaluator that shares nothing with the package.
func TestConditionsMeanWhatTheySay(t *testing.T) {
	t.Parallel()
	first, count := uint64(1), uint64(20_000)
	if testing.Short() {
		count = 2_000
	}
	if *seed != 0 {
		first, count = *seed, 1
	}
	outcomes := map[bool]int{}
	for n := first; n < first+count; n++ {
		a := &author{rand.New(rand.NewPCG(n, 7)), map[string]ddbexpr.Value{}}
		want := a.condition(2)
		scope, err := ddbexpr.NewScope(nil, a.values)
		if err != nil {
			t.Fatal(err)
		}
		cond, err := scope.Condition("ConditionExpression", want.text)
		redundant := err != nil && strings.Contains(err.Error(), "redundant parentheses")
		if redundant && strings.Contains(want.text, "((") || len(want.text) > 4096 {
			continue // an inner condition that is itself in parentheses
		}
		if err != nil {
			t.Fatalf("-seed=%d: %s: %v", n, want.text, err)
		}
		for range 5 {
			item, plain := a.item()
			got := cond.Holds(item)
			outcomes[got]++
			if w := want.holds(plain); got != w {
				t.Fatalf("-seed=%d: %s\nvalues %v\nitem %v\ngot %v", n, want.text, sorted(a.values), item, got)
			}
		}
	}
	if *seed == 0 && (outcomes[true] < int(count) || outcomes[false] < int(count)) {
		t.Errorf("%v: the conditions are no good for a test", outcomes)
	}
}

func sorted(values map[string]ddbexpr.Value) (list []string) {
	for _, ref := range slices.Sorted(maps.Keys(values)) {
		list = append(list, fmt.Sprintf("%s=%v", ref, values[ref]))
	}
	return list
}
