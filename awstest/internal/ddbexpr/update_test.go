package ddbexpr_test

import (
	"fmt"
	"testing"

	"github.com/awsha/awsha/awstest/internal/ddbexpr"
)

// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html (read 2026-11)
func TestUpdate(t *testing.T) {
	t.Parallel()
	lst := func(texts ...string) (list l) {
		for _, text := range texts {
			list = append(list, s(text))
		}
		return list
	}
	for _, c := range []struct {
		expression  string
		before, now m
	}{
		{"SET a = :one", m{}, m{"a": n("1")}},
		{"SET a = :one, bb = :two", m{"a": s("x"), "c": s("y")}, m{"a": n("1"), "bb": n("2"), "c": s("y")}},
		{"sEt a = bb", m{"bb": s("x")}, m{"a": s("x"), "bb": s("x")}},
		{"SET a = bb, bb = a", m{"a": s("1"), "bb": s("2")}, m{"a": s("2"), "bb": s("1")}}, // of the item as it was
		{"REMOVE a SET bb = a", m{"a": s("1")}, m{"bb": s("1")}},
		{"SET a = a + :one", m{"a": n("41")}, m{"a": n("42")}},
		{"SET a = :one - a", m{"a": n("0.5")}, m{"a": n("0.5")}},
		{"SET a = if_not_exists(a, :one)", m{}, m{"a": n("1")}},
		{"SET a = if_not_exists(a, :one)", m{"a": n("7")}, m{"a": n("7")}},
		{"SET a = if_not_exists(a, :one) + :two", m{}, m{"a": n("3")}},
		{"SET a = if_not_exists(a, :one) + if_not_exists(bb, :two)", m{"bb": n("5")}, m{"a": n("6"), "bb": n("5")}},
		{"SET a = if_not_exists(bb, if_not_exists(c, :one))", m{"c": s("x")}, m{"a": s("x"), "c": s("x")}},
		{"SET a = list_append(a, :l3)", m{"a": lst("x")}, m{"a": l{s("x"), n("3")}}},
		{"SET a = list_append(:l3, a)", m{"a": lst("x")}, m{"a": l{n("3"), s("x")}}},
		{"SET a = list_append(if_not_exists(a, :l3), :l3)", m{}, m{"a": l{n("3"), n("3")}}},
		{"SET a.x = :one, a.y.z = :two REMOVE a.gone, bb", m{"a": m{"gone": n("0"), "y": m{}}, "bb": n("0")}, m{"a": m{"x": n("1"), "y": m{"z": n("2")}}}},
		{"SET a[1] = :one", m{"a": lst("x", "y", "z")}, m{"a": l{s("x"), n("1"), s("z")}}},
		{"SET a[7] = :one", m{"a": lst("x")}, m{"a": l{s("x"), n("1")}}},
		{"SET a[84] = :six, a[37] = :two, a[17] = :one, a[50] = :three", m{"a": l{}}, m{"a": l{n("1"), n("2"), n("3"), n("6")}}},
		{"REMOVE a[1] SET a[3] = :one", m{"a": lst("0", "1", "2", "3", "4")}, m{"a": l{s("0"), s("2"), n("1"), s("4")}}},
		{"SET a[3] = :one REMOVE a[1]", m{"a": lst("0", "1", "2", "3", "4")}, m{"a": l{s("0"), s("2"), n("1"), s("4")}}},
		{"REMOVE a[0], a[2], a[10]", m{"a": lst("0", "1", "2", "3")}, m{"a": lst("1", "3")}},
		{"REMOVE a[3] SET a[9] = :one", m{"a": lst("0", "1", "2")}, m{"a": l{s("0"), s("1"), s("2"), n("1")}}}, // there was no a[3]
		{"REMOVE a[0], a[1].x", m{"a": l{s("0"), m{"x": s("1"), "y": s("2")}}}, m{"a": l{m{"y": s("2")}}}},
		{"REMOVE a.x", m{"a": m{"x": s("1")}}, m{"a": m{}}},
		{"REMOVE a[0]", m{"a": lst("x")}, m{"a": l{}}},
		{"REMOVE a.gone, bb[5], c", m{"a": m{}, "bb": l{}}, m{"a": m{}, "bb": l{}}},
		{"ADD a :one", m{}, m{"a": n("1")}},
		{"ADD a :one", m{"a": n("99999999999999999999999999999999999998")}, m{"a": n("99999999999999999999999999999999999999")}},
		{"ADD a :ss", m{}, m{"a": set(ddbexpr.SS, s("a"), s("b"))}},
		{"ADD a :ss", m{"a": set(ddbexpr.SS, s("b"), s("c"))}, m{"a": set(ddbexpr.SS, s("a"), s("b"), s("c"))}},
		{"ADD map1.x :one", m{"map1": m{"x": n("1")}}, m{"map1": m{"x": n("2")}}},
		{"ADD map1.x :one", m{"map1": m{}}, m{"map1": m{"x": n("1")}}},
		{"DELETE a :ssa", m{"a": set(ddbexpr.SS, s("a"), s("b"))}, m{"a": set(ddbexpr.SS, s("b"))}},
		{"DELETE a :ss", m{"a": set(ddbexpr.SS, s("a"))}, m{}}, // no empty sets
		{"DELETE a :ss", m{}, m{}},
		{"DELETE map1.x :ssa", m{"map1": m{"x": set(ddbexpr.SS, s("a"))}}, m{"map1": m{}}},
		{"SET c = :one REMOVE d ADD a :one DELETE bb :ssa", m{"a": n("1"), "bb": set(ddbexpr.SS, s("a"), s("z")), "d": s("d")},
			m{"a": n("2"), "bb": set(ddbexpr.SS, s("z")), "c": n("1")}},
		{"SET #space = #id", m{"id": s("x")}, m{"id": s("x"), "with space": s("x")}},
	} {
		u, err := newScope(t).Update(c.expression)
		if err != nil {
			t.Errorf("%s: %v", c.expression, err)
			continue
		}
		before := fmt.Sprint(c.before)
		got, err := u.Apply(c.before, true)
		if err != nil {
			t.Errorf("%s: %v", c.expression, err)
		}
		if !ddbexpr.Equal(c.now, got) {
			t.Errorf("%s: got %v, want %v", c.expression, got, c.now)
		}
		if fmt.Sprint(c.before) != before {
			t.Errorf("%s has changed the item that it was applied to", c.expression)
		}
	}
}

func TestUpdateOfNothing(t *testing.T) {
	t.Parallel()
	for expression, creates := range map[string]bool{
		"SET a = :one": true, "ADD a :one": true, "REMOVE a": false, "REMOVE a.x, bb[1]": false, "DELETE a :ss": false, "REMOVE a ADD c :one": true,
	} {
		u, err := newScope(t).Update(expression)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := u.Apply(m{"id": s("1")}, false); err != nil || u.Creates() != creates {
			t.Errorf("%s: creates %v, %v", expression, u.Creates(), err)
		}
	}
}

func TestUpdateIsRefused(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]string{
		"":                                    "The expression can not be empty;",
		"HELLO a = :one":                      `Syntax error; token: "HELLO", near: "HELLO a"`,
		"SET _1 = :one":                       `Syntax error; token: "_", near: "SET _1"`,
		"SET a":                               `Syntax error; token: "<EOF>", near: "a"`,
		"SET a = :one,":                       `Syntax error; token: "<EOF>", near: ","`,
		"SET a = :one + :one + :one":          `Syntax error; token: "+", near: ":one + :one"`,
		"SET a = if_not_exists(a, :one+:two)": `Syntax error; token: "+", near: ":one+:two"`,
		"SET :one = :two":                     `Syntax error; token: ":one", near: "SET :one ="`,
		"SET a = (:one)":                      `Syntax error; token: "(", near: "= (:one"`,
		"ADD a bb":                            `Syntax error; token: "bb", near: "a bb"`,
		"REMOVE":                              `Syntax error; token: "<EOF>", near: "REMOVE"`,
		"SET a = :one SET bb = :two":          `The "SET" section can only be used once in an update expression;`,
		"REMOVE a ADD c :one REMOVE d":        `The "REMOVE" section can only be used once in an update expression;`,
		"SET a = :one REMOVE a":               "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a]",
		"SET a.bb = :one, a = :two":           "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a, bb], path two: [a]",
		"SET a[1] = :one, a[1][2] = :two":     "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a, [1]], path two: [a, [1], [2]]",
		"SET a[1] = :one, a.x = :two":         "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [a, [1]], path two: [a, x]",
		"SET status = :one":                   "Attribute name is a reserved keyword; reserved keyword: status",
		"SET a = f(bb)":                       "Invalid function name; function: f",
		"SET a = size(bb)":                    "The function is not allowed to be used this way in an expression; function: size",
		"SET a = LIST_APPEND(:list, :list)":   "Invalid function name; function: LIST_APPEND",
		"SET a = list_append(:list)":          "Incorrect number of operands for operator or function; operator or function: list_append, number of operands: 1",
		"SET a = list_append(:list, :one)":    "Incorrect operand type for operator or function; operator or function: list_append, operand type: N",
		"SET a = list_append(list_append(:list, :list), :list)": "The function is not allowed to be used this way in an expression; function: list_append",
		"SET a = list_append(:list, :list) + :one":              "Incorrect operand type for operator or function; operator or function: +, operand type: L",
		"SET a = if_not_exists(:one, :two)":                     "Operator or function requires a document path; operator or function: if_not_exists",
		"SET a = :one + :a":                                     "Incorrect operand type for operator or function; operator or function: +, operand type: S",
		"SET a = :list - :one":                                  "Incorrect operand type for operator or function; operator or function: -, operand type: L",
		"ADD a :a":                                              "Incorrect operand type for operator or function; operator: ADD, operand type: STRING, typeSet: ALLOWED_FOR_ADD_OPERAND",
		"ADD a :list":                                           "Incorrect operand type for operator or function; operator: ADD, operand type: LIST, typeSet: ALLOWED_FOR_ADD_OPERAND",
		"DELETE a :one":                                         "Incorrect operand type for operator or function; operator: DELETE, operand type: NUMBER, typeSet: ALLOWED_FOR_DELETE_OPERAND",
		"DELETE a :missing":                                     "An expression attribute value used in expression is not defined; attribute value: :missing",
	} {
		_, err := newScope(t).Update(expression)
		if got := message(t, err); got != "Invalid UpdateExpression: "+want {
			t.Errorf("%s:\n got %s\nwant Invalid UpdateExpression: %s", expression, got, want)
		}
	}
}

func TestUpdateDoesNotFitTheItem(t *testing.T) {
	t.Parallel()
	const (
		missing = "The provided expression refers to an attribute that does not exist in the item"
		badPath = "The document path provided in the update expression is invalid for update"
		badType = "An operand in the update expression has an incorrect data type"
		tooMuch = "Number overflow. Attempting to store a number with magnitude larger than supported range"
	)
	item := m{"str": s("x"), "num": n("9E125"), "big": n("1E50"), "arr": l{s("a")}, "map1": m{}, "ns": set(ddbexpr.NS, n("1")), "id": s("1")}
	for expression, want := range map[string]string{
		"SET a = gone":                       missing,
		"SET a = :one, bb = a":               missing,
		"SET a = gone + :one":                missing,
		"SET a = list_append(gone, :list)":   missing,
		"SET a = if_not_exists(gone, gone2)": missing,
		"SET a = str + :one":                 badType,
		"SET a = list_append(str, :list)":    badType,
		"SET a = num + num":                  tooMuch,
		"SET a = big + :one":                 tooMuch, // needs 51 digits
		"SET str.x = :one":                   badPath,
		"SET arr.x = :one":                   badPath,
		"SET map1[0] = :one":                 badPath,
		"SET gone.x = :one":                  badPath,
		"SET map1.x.y = :one":                badPath,
		"SET arr[3].x = :one":                badPath,
		"REMOVE str.x":                       badPath,
		"REMOVE arr.x":                       badPath,
		"REMOVE gone[0]":                     badPath,
		"ADD str :one":                       badType,
		"ADD ns :one":                        badType,
		"ADD ns :ss":                         badType,
		"ADD gone.x :one":                    badPath,
		"ADD num :one":                       tooMuch,
		"DELETE str :ss":                     badType,
		"DELETE ns :ss":                      badType,
	} {
		u, err := newScope(t).Update(expression)
		if err != nil {
			t.Errorf("%s: %v", expression, err)
			continue
		}
		_, err = u.Apply(item, true)
		if got := message(t, err); got != want {
			t.Errorf("%s: got %s, want %s", expression, got, want)
		}
	}
	u, err := newScope(t).Update("SET a.x = :one")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Apply(m{"id": s("1")}, false); message(t, err) != badPath {
		t.Errorf("of an item that does not exist: %v", err)
	}
}
