package ddbexpr_test

import (
	"strings"
	"testing"

	"github.com/awsha/awsha/awstest/internal/ddbexpr"
)

// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html (read 2026-11)
func TestCondition(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		expression string
		want       bool
	}{
		{"str = :hello", true},
		{"str = twin", true},
		{"str = :hell", false},
		{":hello = str", true},
		{"num = :five", true}, // 5 and 5.0
		{"num = :text5", false},
		{"gone = :five", false},
		{"gone = #none2", false},
		{"arr = :list", true},
		{"map1.box = :map", true},
		{"ss = :ss", true}, // in another order
		{"ss = :ssa", false},
		{"yes = :yes", true},
		{"yes = :no", false},
		{"nil = :null", true},
		{"bin = :bin", true},
		{"str <> :hell", true},
		{"str <> :hello", false},
		{"num <> :text5", true}, // of another type
		{"gone <> :one", true},  // not there, so not equal to anything
		{"gone <> nowhere", true},
		{"num < :six", true},
		{"num < :five", false},
		{"num <= :five", true},
		{"num > :two", true},
		{"num >= :five", true},
		{"num >= :six", false},
		{"num < :z", false}, // of another type
		{"str < :z", true},
		{"str > :hell", true},
		{"bin < :bin1", true},
		{"gone < :one", false},
		{"arr < :one", false}, // has no order
		{":one < arr[1]", true},
		{"num BETWEEN :five AND :six", true},
		{"num between :one and :two", false},
		{"str BETWEEN :a AND :z", true},
		{"num BETWEEN map1.x AND :six", true},
		{"gone BETWEEN :one AND :two", false},
		{"num IN (:one, :five)", true},
		{"num In (:one, :text5)", false},
		{"str IN (twin)", true},
		{"gone IN (:one)", false},
		{"attribute_exists(map1.box.deep)", true},
		{"attribute_exists(map1.box.deeper)", false},
		{"attribute_exists(arr[2][0])", true},
		{"attribute_exists(arr[3])", false},
		{"attribute_exists(arr.x)", false},
		{"attribute_exists(map1[0])", false},
		{"attribute_exists(str.x)", false},
		{"attribute_exists (#space)", true},
		{"attribute_not_exists(#none)", true},
		{"attribute_not_exists(nil)", false}, // null is there
		{"attribute_type(str, :S)", true},
		{"attribute_type(str, :N)", false},
		{"attribute_type(ss, :SS)", true},
		{"attribute_type(map1, :M)", true},
		{"attribute_type(nil, :NULL)", true},
		{"attribute_type(gone, :S)", false},
		{"attribute_type(:one, :N)", true},
		{"begins_with(str, :hell)", true},
		{"begins_with(str, :ell)", false},
		{"begins_with(str, :empty)", true},
		{"begins_with(bin, :bin)", true},
		{"begins_with(bin, :bin1)", false},
		{"begins_with(num, :hell)", false},
		{"begins_with(gone, :hell)", false},
		{"begins_with(:hello, str)", true},
		{"contains(str, :ell)", true},
		{"contains(str, :z)", false},
		{"contains(bin, :bin1)", true},
		{"contains(ss, :a)", true},
		{"contains(ss, :z)", false},
		{"contains(ss, :one)", false},
		{"contains(ns, :two)", true},
		{"contains(arr, :two)", true},
		{"contains(arr, :l3)", true},
		{"contains(arr, :three)", false},
		{"contains(num, :five)", false},
		{"contains(map1, :one)", false},
		{"contains(gone, :a)", false},
		{"contains(str, gone)", false},
		{"size(str) = :five", true},
		{"size(greek) = :three", true},
		{"size(bin) = :two", true},
		{"size(ss) = :two", true},
		{"size(arr) = :three", true},
		{"size(map1) = :two", true},
		{"size(:hello) > size(bin)", true},
		{"size(num) = :one", false},
		{"size(gone) < :six", false},
		{"size(str) = num", true},
		{"size(str) BETWEEN :one AND :five", true},
		{"size(str) IN (:five)", true},
		{"NOT str = :hello", false},
		{"not NOT str = :hello", true},
		{"NOT gone = :one", true},
		{"str = :z OR num = :five", true},
		{"str = :hello AND num = :one", false},
		{"str = :hello or str = :z and num = :one", true}, // AND binds more
		{"(str = :hello OR str = :z) AND num = :one", false},
		{"NOT str = :z AND num = :one", false}, // NOT binds most
		{"num BETWEEN :one AND :six AND str = :z", false},
		{"(num = :five) AND (str = :hello)", true},
		{"((num = :five) OR str = :z)", true},
		{"map1.x=:one", true},
		{"#m.x = :one", true},
		{"#0 = :hello", true},
		{"\tnum\n=\r:five ", true},
		{"arr[0]=:a", true},
		{"arr [ 2 ] [0] = :three", true},
	} {
		scope, err := ddbexpr.NewScope(map[string]string{"#space": "with space", "#none": "gone", "#none2": "gone2", "#m": "map1", "#0": "str"}, values)
		if err != nil {
			t.Fatal(err)
		}
		cond, err := scope.Condition("ConditionExpression", c.expression)
		if err != nil {
			t.Errorf("%s: %v", c.expression, err)
			continue
		}
		if got := cond.Holds(thing); got != c.want {
			t.Errorf("%s: got %v", c.expression, got)
		}
	}
}

func TestConditionOfNothing(t *testing.T) {
	t.Parallel()
	cond, err := newScope(t).Condition("ConditionExpression", "attribute_not_exists(id) AND id <> :one")
	if err != nil || !cond.Holds(nil) {
		t.Errorf("of an item that does not exist: %v", err)
	}
	var none *ddbexpr.Condition
	if !none.Holds(thing) {
		t.Error("no condition fails")
	}
}

func TestConditionIsRefused(t *testing.T) {
	t.Parallel()
	many := strings.Repeat("num = :one OR ", 150) + "num = :one"
	for expression, want := range map[string]string{
		"":              "The expression can not be empty;",
		"  ":            "The expression can not be empty;",
		"num":           `Syntax error; token: "<EOF>", near: "num"`,
		"num = ":        `Syntax error; token: "<EOF>", near: "= "`,
		"num == :one":   `Syntax error; token: "=", near: "== :one"`,
		"num != :one":   `Syntax error; token: "!", near: "num !="`,
		"_a = :one":     `Syntax error; token: "_", near: "_a"`,
		"num = :one x":  `Syntax error; token: "x", near: ":one x"`,
		"num = 5":       `Syntax error; token: "5", near: "= 5"`,
		"num IN ()":     `Syntax error; token: ")", near: "()"`,
		"arr[:one]":     `Syntax error; token: ":one", near: "[:one]"`,
		"arr[1 = :one":  `Syntax error; token: "=", near: "1 = :one"`,
		"# = :one":      `Syntax error; token: "#", near: "# ="`,
		"(num = :one":   `Syntax error; token: "<EOF>", near: ":one"`,
		"num.:one = :a": `Syntax error; token: ":one", near: ".:one ="`,

		"name = :one":                      "Attribute name is a reserved keyword; reserved keyword: name",
		"map1.Name = :one":                 "Attribute name is a reserved keyword; reserved keyword: Name",
		"ttl < :one":                       "Attribute name is a reserved keyword; reserved keyword: ttl",
		"#missing = :one":                  "An expression attribute name used in the document path is not defined; attribute name: #missing",
		"num = :missing":                   "An expression attribute value used in expression is not defined; attribute value: :missing",
		"arr[99999999999999999999] = :one": "List index is not within the allowable range; index: [99999999999999999999]",

		"((num = :one))":                                    "The expression has redundant parentheses;",
		"num = :one AND ((str = :a))":                       "The expression has redundant parentheses;",
		"num < :list":                                       "Incorrect operand type for operator or function; operator or function: <, operand type: L",
		":yes >= num":                                       "Incorrect operand type for operator or function; operator or function: >=, operand type: BOOL",
		"num BETWEEN :ss AND :ss":                           "Incorrect operand type for operator or function; operator or function: BETWEEN, operand type: SS",
		"num BETWEEN :two AND :one":                         "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {N:2}, upper bound operand: AttributeValue: {N:1}",
		"num BETWEEN :two AND :a":                           "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: {N:2}, upper bound operand: AttributeValue: {S:a}",
		"num = num":                                         "The first operand must be distinct from the remaining operands for this operator or function; operator: =, first operand: [num]",
		"contains(map1.x, #m.x)":                            "The first operand must be distinct from the remaining operands for this operator or function; operator: contains, first operand: [map1, x]",
		"arr[0] IN (:one, arr[0])":                          "The first operand must be distinct from the remaining operands for this operator or function; operator: IN, first operand: [arr, [0]]",
		"dog(num)":                                          "Invalid function name; function: dog",
		"Attribute_exists(num)":                             "Invalid function name; function: Attribute_exists",
		"size(num)":                                         "The function is not allowed to be used this way in an expression; function: size",
		"attribute_exists(num) = :one":                      "The function is not allowed to be used this way in an expression; function: attribute_exists",
		":one = attribute_exists(num)":                      "The function is not allowed to be used this way in an expression; function: attribute_exists",
		"if_not_exists(num, :one) = :one":                   "The function is not allowed to be used this way in an expression; function: if_not_exists",
		"size(num, num) = :one":                             "Incorrect number of operands for operator or function; operator or function: size, number of operands: 2",
		"size(:one) = :one":                                 "Incorrect operand type for operator or function; operator or function: size, operand type: N",
		"size(size(num)) = :one":                            "Incorrect operand type for operator or function; operator or function: size, operand type: N",
		"attribute_exists(num, str)":                        "Incorrect number of operands for operator or function; operator or function: attribute_exists, number of operands: 2",
		"attribute_exists(:one)":                            "Operator or function requires a document path; operator or function: attribute_exists",
		"begins_with(str, :one)":                            "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N",
		"begins_with(str)":                                  "Incorrect number of operands for operator or function; operator or function: begins_with, number of operands: 1",
		"attribute_type(str, :DOG)":                         "Invalid attribute type name found; type: DOG, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}",
		"attribute_type(str, :one)":                         "Incorrect operand type for operator or function; operator or function: attribute_type, operand type: N",
		"attribute_type(str, twin)":                         "Incorrect operand type for operator or function; operator or function: attribute_type, operand type: {S}",
		many:                                                "The expression contains too many operators; operator count: 301",
		strings.Repeat("not ", 400) + "a=:a":                "The expression contains too many operators; operator count: 301",
		strings.Repeat("a", 4097):                           "Expression size has exceeded the maximum allowed size; expression size: 4097",
		"num IN (" + strings.Repeat(":one,", 100) + ":one)": "The IN operator is provided with too many operands; number of operands: 101",
	} {
		_, err := newScope(t).Condition("ConditionExpression", expression)
		if got := message(t, err); got != "Invalid ConditionExpression: "+want {
			t.Errorf("%.60s:\n got %s\nwant Invalid ConditionExpression: %s", expression, got, want)
		}
	}
	if _, err := newScope(t).Condition("ConditionExpression", strings.TrimSuffix(many, " OR num = :one")); err != nil {
		t.Errorf("299 operators: %v", err)
	}
	if _, err := newScope(t).Condition("ConditionExpression", "num IN ("+strings.Repeat(":one,", 99)+":one)"); err != nil {
		t.Errorf("IN with 100 values: %v", err)
	}
	if _, err := newScope(t).Condition("FilterExpression", strings.Repeat("(", 4096)); !strings.HasPrefix(message(t, err), "Invalid FilterExpression: Syntax error") {
		t.Errorf("4096 parentheses: %v", err)
	}
}
