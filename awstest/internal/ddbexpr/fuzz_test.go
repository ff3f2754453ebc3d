package ddbexpr_test

import (
	"strings"
	"testing"

	"github.com/awsha/awsha/awstest/internal/ddbexpr"
)

// FuzzExpression reads whatever text as an expression of every kind. What is
// accepted can be applied, and means the same with more blanks in it.
func FuzzExpression(f *testing.F) {
	for _, seed := range []string{
		"attribute_not_exists(id) OR (num < :five AND NOT contains(ss, :a))", "map1.x BETWEEN :one AND :two", "num IN (:one, :two)",
		"SET a = if_not_exists(a, :one) + :two, arr[3] = list_append(:list, :list) REMOVE map1.box ADD num :one DELETE ss :ssa",
		"a.b[0], #m.x", "id = :a AND begins_with(str, :hell)", "size(str) >= :one", "((a = :a))", "SET", "a[99999999999999999999]", "#", ":",
		"not not not a <> b1", "SET a[0]=:one,a[0]=:one", "attribute_type(:one, :N)",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		wide := widen(text)
		cond, err := newScope(t).Condition("ConditionExpression", text)
		wideCond, wideErr := newScope(t).Condition("ConditionExpression", wide)
		check(t, text, err, wideErr, wide)
		if err == nil && wideErr == nil && cond.Holds(thing) != wideCond.Holds(thing) {
			t.Errorf("%q: blanks matter", text)
		}
		u, err := newScope(t).Update(text)
		wideU, wideErr := newScope(t).Update(wide)
		check(t, text, err, wideErr, wide)
		if err == nil && wideErr == nil {
			for _, exists := range []bool{true, false} {
				item := m{"id": s("1")}
				if exists {
					item = thing
				}
				before := ddbexpr.Size(item)
				now, err := u.Apply(item, exists)
				wideNow, wideErr := wideU.Apply(item, exists)
				if (err == nil) != (wideErr == nil) || err == nil && !ddbexpr.Equal(now, wideNow) {
					t.Errorf("%q: blanks matter: %v and %v, %v and %v", text, now, wideNow, err, wideErr)
				}
				if ddbexpr.Size(item) != before {
					t.Errorf("%q has changed what it was applied to", text)
				}
				u.Touched(item)
			}
		}
		p, err := newScope(t).Projection(text)
		wideP, wideErr := newScope(t).Projection(wide)
		check(t, text, err, wideErr, wide)
		if err == nil && wideErr == nil && !ddbexpr.Equal(p.Of(thing), wideP.Of(thing)) {
			t.Errorf("%q: blanks matter", text)
		}
		if _, err := newScope(t).KeyCondition(text); err != nil {
			message(t, err)
		}
	})
}

// check holds the two readings of a text together. The one with blanks may be
// too long.
func check(t *testing.T, text string, err, wideErr error, wide string) {
	t.Helper()
	if err != nil {
		message(t, err)
	}
	if (err == nil) != (wideErr == nil) && len(wide) <= 4096 {
		t.Errorf("%q: %v, and with blanks %v", text, err, wideErr)
	}
}

// widen puts blanks around everything that is a token by itself.
func widen(text string) string {
	return strings.NewReplacer("<=", " <= ", ">=", " >= ", "<>", " <> ", "<", " < ", ">", " > ", "=", " = ", "(", " ( ", ")", " ) ",
		"[", " [ ", "]", " ] ", ",", " , ", ".", " . ", "+", " + ", "-", " - ").Replace(text)
}

// FuzzNumber reads whatever text as a number: what is one has a normal form.
func FuzzNumber(f *testing.F) {
	for _, seed := range []string{"0", "-1.5e10", ".5", "1e-130", "9E125", "1e126", "00012000", "e", "-", "+1."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		number, err := ddbexpr.ParseNumber(text)
		if err != nil {
			message(t, err)
			return
		}
		again, err := ddbexpr.ParseNumber(number.String())
		if err != nil || again != number {
			t.Errorf("%q is %v, and then %v, %v", text, number, again, err)
		}
	})
}
