package ddbexpr_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ddbexpr"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Short names for what the tables are full of.
type (
	s = ddbexpr.String
	b = ddbexpr.Binary
	l = ddbexpr.List
	m = ddbexpr.Map
)

func n(text string) ddbexpr.Number {
	number, err := ddbexpr.ParseNumber(text)
	if err != nil {
		panic(err)
	}
	return number
}

func set(kind ddbexpr.Kind, members ...ddbexpr.Value) ddbexpr.Set {
	v, err := ddbexpr.NewSet(kind, members)
	if err != nil {
		panic(err)
	}
	return v
}

// same compares values as DynamoDB does.
var same = cmp.Comparer(ddbexpr.Equal)

// message returns the text of an error that must be a ValidationException.
func message(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return "no error"
	}
	api, ok := errors.AsType[*awstest.APIError](err)
	if !ok || api.Code != "ValidationException" {
		t.Errorf("got %v, want a ValidationException", err)
		return ""
	}
	return api.Message
}

// thing is the item of most tests.
var thing = m{
	"id": s("1"), "str": s("hello"), "num": n("5"), "bin": b("\x01\x02"), "yes": ddbexpr.Bool(true), "nil": ddbexpr.Null{},
	"arr": l{s("a"), n("2"), l{n("3")}}, "map1": m{"x": n("1"), "box": m{"deep": s("down")}},
	"ss": set(ddbexpr.SS, s("a"), s("b")), "ns": set(ddbexpr.NS, n("1"), n("2")), "bs": set(ddbexpr.BS, b("x")),
	"with space": n("7"), "twin": s("hello"), "greek": s("αβγ"),
}

var values = map[string]ddbexpr.Value{
	":hello": s("hello"), ":hell": s("hell"), ":ell": s("ell"), ":z": s("z"), ":a": s("a"), ":empty": s(""),
	":one": n("1"), ":two": n("2"), ":three": n("3"), ":five": n("5.0"), ":six": n("6"), ":text5": s("5"), ":seven": n("7"),
	":bin": b("\x01\x02"), ":bin1": b("\x02"), ":yes": ddbexpr.Bool(true), ":no": ddbexpr.Bool(false), ":null": ddbexpr.Null{},
	":list": l{s("a"), n("2"), l{n("3")}}, ":l3": l{n("3")}, ":map": m{"deep": s("down")},
	":ss": set(ddbexpr.SS, s("b"), s("a")), ":ssa": set(ddbexpr.SS, s("a")), ":ns": set(ddbexpr.NS, n("1"), n("2")), ":ns3": set(ddbexpr.NS, n("3")),
	":S": s("S"), ":N": s("N"), ":SS": s("SS"), ":DOG": s("DOG"), ":M": s("M"), ":NULL": s("NULL"),
}

var names = map[string]string{"#space": "with space", "#id": "id", "#m": "map1", "#none": "gone", "#0": "str"}

func newScope(t testing.TB) *ddbexpr.Scope {
	t.Helper()
	scope, err := ddbexpr.NewScope(names, values)
	if err != nil {
		t.Fatal(err)
	}
	return scope
}
