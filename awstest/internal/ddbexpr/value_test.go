package ddbexpr_test

import (
	"strings"
	"testing"

	"github.com/awsha/awsha/awstest/internal/ddbexpr"
)

func TestSetsAreSorted(t *testing.T) {
	t.Parallel()
	got := set(ddbexpr.NS, n("10"), n("9"), n("-1"), n("0.5")).Members()
	for i, want := range []string{"-1", "0.5", "9", "10"} {
		if got[i].(ddbexpr.Number).String() != want {
			t.Errorf("member %d is %v, want %s", i, got[i], want)
		}
	}
}

func TestSetsAreRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind    ddbexpr.Kind
		members []ddbexpr.Value
		want    string
	}{
		{ddbexpr.SS, nil, "One or more parameter values were invalid: An string set  may not be empty"},
		{ddbexpr.NS, nil, "One or more parameter values were invalid: An number set  may not be empty"},
		{ddbexpr.BS, nil, "One or more parameter values were invalid: An binary set  may not be empty"},
		{ddbexpr.SS, []ddbexpr.Value{s("b"), s("a"), s("b")}, "One or more parameter values were invalid: Input collection [b, a, b] contains duplicates."},
		{ddbexpr.NS, []ddbexpr.Value{n("1"), n("1.0")}, "One or more parameter values were invalid: Input collection [1, 1] contains duplicates."},
	} {
		_, err := ddbexpr.NewSet(c.kind, c.members)
		if got := message(t, err); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

// Values of all types, each unlike the others.
var all = []ddbexpr.Value{
	s(""), s("1"), n("1"), n("2"), b(""), b("1"), ddbexpr.Bool(true), ddbexpr.Bool(false), ddbexpr.Null{},
	l{}, l{s("1")}, l{s("1"), s("1")}, m{}, m{"a": s("1")}, m{"b": s("1")}, m{"a": l{}},
	set(ddbexpr.SS, s("1")), set(ddbexpr.NS, n("1")), set(ddbexpr.BS, b("1")), set(ddbexpr.SS, s("1"), s("2")),
}

func TestEqual(t *testing.T) {
	t.Parallel()
	for i, v := range all {
		for j, w := range all {
			if ddbexpr.Equal(v, w) != (i == j) {
				t.Errorf("%v %v and %v %v", v.Kind(), v, w.Kind(), w)
			}
		}
	}
}

// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html (read 2026-11)
func TestSize(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		item m
		want int
	}{
		{m{}, 0},
		{nil, 0},
		{m{"a": s("")}, 1},
		{m{"name1": s("hello")}, 10},
		{m{"ä": s("日本")}, 2 + 6},
		{m{"a": b("\x00\x01")}, 3},
		{m{"a": n("0")}, 1 + 1},
		{m{"a": n("1200")}, 1 + 2},
		{m{"a": n("-123.5")}, 1 + 3},
		{m{"a": n(strings.Repeat("9", 38))}, 1 + 20},
		{m{"a": ddbexpr.Bool(false), "b": ddbexpr.Null{}}, 4},
		{m{"a": set(ddbexpr.SS, s("aa"), s("b"))}, 4},
		{m{"a": l{}}, 1 + 3},
		{m{"a": l{s("x"), n("1")}}, 1 + 3 + 2 + 3},
		{m{"a": m{}}, 1 + 3},
		{m{"a": m{"key": s("x")}}, 1 + 3 + 1 + 4},
	} {
		if got := ddbexpr.Size(c.item); got != c.want {
			t.Errorf("%v: got %d, want %d", c.item, got, c.want)
		}
	}
}

func TestDepth(t *testing.T) {
	t.Parallel()
	nested := func(levels int) (v ddbexpr.Value) {
		v = s("x")
		for i := range levels {
			if i%2 == 0 {
				v = l{s("y"), v}
			} else {
				v = m{"a": v}
			}
		}
		return v
	}
	if err := ddbexpr.CheckDepth(m{"a": s("x"), "b": nested(32)}); err != nil {
		t.Errorf("32 levels: %v", err)
	}
	const want = "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"
	if got := message(t, ddbexpr.CheckDepth(m{"a": s("x"), "b": nested(33)})); got != want {
		t.Errorf("33 levels: %s", got)
	}
}
