package ddbexpr_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest/internal/ddbexpr"
)

func TestProjection(t *testing.T) {
	t.Parallel()
	item := m{"id": s("1"), "a": m{"b": l{n("2"), n("4"), m{"x": s("hi"), "y": s("yo")}}, "c": n("5")}, "bb": s("hello"), "e": m{}, "f": l{}}
	for expression, want := range map[string]m{
		"a.c, bb":            {"a": m{"c": n("5")}, "bb": s("hello")},
		"a.b[0]":             {"a": m{"b": l{n("2")}}},
		"a.b[2].y , a.b[0]":  {"a": m{"b": l{n("2"), m{"y": s("yo")}}}},
		"a.b[2].y, a.b[2].x": {"a": m{"b": l{m{"x": s("hi"), "y": s("yo")}}}},
		"a":                  {"a": item["a"]},
		"gone":               {},
		"a.x.y, a.b[3]":      {},
		"a[0]":               {},
		"bb.x":               {},
		"e, f":               {"e": m{}, "f": l{}},
		"e.x, f[0]":          {},
		"#id":                {"id": s("1")},
	} {
		p, err := newScope(t).Projection(expression)
		if err != nil {
			t.Errorf("%s: %v", expression, err)
			continue
		}
		if got := p.Of(item); !ddbexpr.Equal(want, got) {
			t.Errorf("%s: got %v, want %v", expression, got, want)
		}
	}
	var all *ddbexpr.Projection
	if !ddbexpr.Equal(item, all.Of(item)) {
		t.Error("no projection is not everything")
	}
}

func TestProjectionIsRefused(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]string{
		"":               "The expression can not be empty;",
		"a,":             `Syntax error; token: "<EOF>", near: ","`,
		",a":             `Syntax error; token: ",", near: ",a"`,
		"a,,bb":          `Syntax error; token: ",", near: ",,bb"`,
		"a bb":           `Syntax error; token: "bb", near: "a bb"`,
		"bb.x, bb[0]":    "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [bb, x], path two: [bb, [0]]",
		"a, a":           "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a]",
		"a[1], a":        "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a, [1]], path two: [a]",
		"size(a)":        "Attribute name is a reserved keyword; reserved keyword: size",
		":one":           `Syntax error; token: ":one", near: ":one"`,
		"a[-1]":          `Syntax error; token: "-", near: "[-1"`,
		"a[1.5]":         `Syntax error; token: ".", near: "1.5"`,
		"a..bb":          `Syntax error; token: ".", near: "..bb"`,
		"a.where1.where": "Attribute name is a reserved keyword; reserved keyword: where",
	} {
		_, err := newScope(t).Projection(expression)
		if got := message(t, err); got != "Invalid ProjectionExpression: "+want {
			t.Errorf("%s:\n got %s\nwant %s", expression, got, want)
		}
	}
}

func TestTouched(t *testing.T) {
	t.Parallel()
	u, err := newScope(t).Update("SET a.c[1] = :one, map1.x = :two, bb = :one REMOVE d, e[100]")
	if err != nil {
		t.Fatal(err)
	}
	item := m{"a": m{"c": l{s("0"), s("1"), s("2")}, "z": s("z")}, "map1": m{"y": s("y")}, "bb": s("b"), "e": l{s("0")}, "id": s("1")}
	if got, want := u.Touched(item), (m{"a": m{"c": l{s("1")}}, "bb": s("b")}); !ddbexpr.Equal(want, got) {
		t.Errorf("got %v, want %v", got, want)
	}
	var paths []string
	for _, p := range u.Paths() {
		paths = append(paths, p.String())
	}
	if diff := cmp.Diff([]string{"[a, c, [1]]", "[map1, x]", "[bb]", "[d]", "[e, [100]]"}, paths); diff != "" {
		t.Error(diff)
	}
}

func TestKeyCondition(t *testing.T) {
	t.Parallel()
	test := func(attribute, operator string, values ...ddbexpr.Value) ddbexpr.KeyTest {
		return ddbexpr.KeyTest{Attribute: attribute, Operator: operator, Values: values}
	}
	for expression, want := range map[string][]ddbexpr.KeyTest{
		"pk = :a":                              {test("pk", "=", s("a"))},
		":a = pk AND :one < sk":                {test("pk", "=", s("a")), test("sk", ">", n("1"))},
		"sk <= :one and #id = :a":              {test("sk", "<=", n("1")), test("id", "=", s("a"))},
		":one >= sk":                           {test("sk", "<=", n("1"))},
		"(pk = :a AND (:one > sk))":            {test("pk", "=", s("a")), test("sk", "<", n("1"))},
		"pk = :a AND :one <= sk":               {test("pk", "=", s("a")), test("sk", ">=", n("1"))},
		"pk = :a AND sk BETWEEN :one AND :two": {test("pk", "=", s("a")), test("sk", "BETWEEN", n("1"), n("2"))},
		"pk = :a AND begins_with(sk, :hell)":   {test("pk", "=", s("a")), test("sk", "begins_with", s("hell"))},
	} {
		got, err := newScope(t).KeyCondition(expression)
		if diff := cmp.Diff(want, got, same); err != nil || diff != "" {
			t.Errorf("%s: %v %s", expression, err, diff)
		}
	}
	for expression, want := range map[string]string{
		"":                                     "Invalid KeyConditionExpression: The expression can not be empty;",
		"pk = :a AND sk != :one":               `Invalid KeyConditionExpression: Syntax error; token: "!", near: "sk !="`,
		"pk = :a AND pk = :a":                  "KeyConditionExpressions must only contain one condition per key",
		"pk = :a AND sk > :one AND sk < :two":  "KeyConditionExpressions must only contain one condition per key",
		"pk <> :a":                             "Invalid operator used in KeyConditionExpression: <>",
		"pk = :a OR sk = :one":                 "Invalid operator used in KeyConditionExpression: OR",
		"NOT pk = :a":                          "Invalid operator used in KeyConditionExpression: NOT",
		"pk = :a AND sk IN (:one)":             "Invalid operator used in KeyConditionExpression: IN",
		"pk = :a AND attribute_exists(sk)":     "Invalid operator used in KeyConditionExpression: attribute_exists",
		"pk = :a AND attribute_not_exists(sk)": "Invalid operator used in KeyConditionExpression: attribute_not_exists",
		"pk = :a AND attribute_type(sk, :S)":   "Invalid operator used in KeyConditionExpression: attribute_type",
		"pk = :a AND contains(sk, :a)":         "Invalid operator used in KeyConditionExpression: contains",
		"pk = :a AND a.x < :one":               "KeyConditionExpressions cannot have conditions on nested attributes",
		"pk = sk":                              "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition",
		":a = :a":                              "Invalid KeyConditionExpression: No key attribute specified",
		"size(pk) = :one":                      "Invalid KeyConditionExpression: No key attribute specified",
		"pk = :a AND BEGINS_WITH(sk, :a)":      "Invalid KeyConditionExpression: Invalid function name; function: BEGINS_WITH",
		"pk = :a AND begins_with(sk, :one)":    "Invalid KeyConditionExpression: Incorrect operand type for operator or function; operator or function: begins_with, operand type: N",
	} {
		_, err := newScope(t).KeyCondition(expression)
		if got := message(t, err); got != want {
			t.Errorf("%s: got %s, want %s", expression, got, want)
		}
	}
}
