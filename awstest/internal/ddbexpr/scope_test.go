package ddbexpr_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/awsha/awsha/awstest/internal/ddbexpr"
)

func TestReferencesAreRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		names  map[string]string
		values map[string]ddbexpr.Value
		want   string
	}{
		{map[string]string{"a": "a"}, nil, `ExpressionAttributeNames contains invalid key: Syntax error; key: "a"`},
		{map[string]string{"#": "a"}, nil, `ExpressionAttributeNames contains invalid key: Syntax error; key: "#"`},
		{map[string]string{"#a-b": "a"}, nil, `ExpressionAttributeNames contains invalid key: Syntax error; key: "#a-b"`},
		{map[string]string{"#" + strings.Repeat("a", 255): "a"}, nil, `ExpressionAttributeNames contains invalid key: Size has exceeded the maximum allowed size; key: "#` + strings.Repeat("a", 255) + `"`},
		{map[string]string{"#a": ""}, nil, "ExpressionAttributeNames contains invalid value: Attribute name is empty"},
		{map[string]string{"#a": strings.Repeat("a", 65536)}, nil, "ExpressionAttributeNames contains invalid value: Member must have length less than or equal to 65535"},
		{nil, map[string]ddbexpr.Value{"#a": s("")}, `ExpressionAttributeValues contains invalid key: Syntax error; key: "#a"`},
	} {
		_, err := ddbexpr.NewScope(c.names, c.values)
		if got := message(t, err); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
	if _, err := ddbexpr.NewScope(map[string]string{"#" + strings.Repeat("a", 254): strings.Repeat("a", 65535), "#_": "a"}, nil); err != nil {
		t.Error(err)
	}
}

func TestWhatIsNotUsedIsRefused(t *testing.T) {
	t.Parallel()
	newScope := func() *ddbexpr.Scope {
		scope, err := ddbexpr.NewScope(map[string]string{"#a": "a", "#b": "b", "#c": "c"}, map[string]ddbexpr.Value{":a": s("a"), ":b": s("b")})
		if err != nil {
			t.Fatal(err)
		}
		return scope
	}
	scope := newScope()
	if _, err := scope.Condition("ConditionExpression", "#b = :a"); err != nil {
		t.Fatal(err)
	}
	if got := message(t, scope.Unused()); got != "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a, #c}" {
		t.Error(got)
	}
	if _, err := scope.Projection("#a, #c"); err != nil {
		t.Fatal(err)
	}
	if got := message(t, scope.Unused()); got != "Value provided in ExpressionAttributeValues unused in expressions: keys: {:b}" {
		t.Error(got)
	}
	// Also where it does not come to that when the condition is tried.
	scope = newScope()
	if _, err := scope.Condition("ConditionExpression", "#a = :a OR #b = :b OR #c = :b"); err != nil {
		t.Fatal(err)
	}
	if err := scope.Unused(); err != nil {
		t.Error(err)
	}
}

// The list has 573 words, which stand in the source in AWS's order.
func TestReservedWords(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "reserved.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	ast.Inspect(file, func(n ast.Node) bool {
		if clause, ok := n.(*ast.CaseClause); ok {
			for _, e := range clause.List {
				word, _ := strconv.Unquote(e.(*ast.BasicLit).Value)
				words = append(words, word)
			}
		}
		return true
	})
	if len(words) != 573 || !slices.IsSorted(words) || len(slices.Compact(slices.Clone(words))) != 573 {
		t.Errorf("%d words", len(words))
	}
	for _, word := range words {
		for _, spelt := range []string{word, strings.ToLower(word), word[:1] + strings.ToLower(word[1:])} {
			_, err := newScope(t).Projection(spelt)
			if got := message(t, err); got != "Invalid ProjectionExpression: Attribute name is a reserved keyword; reserved keyword: "+spelt {
				t.Error(got)
			}
		}
	}
	for _, free := range []string{"owner1", "token_", "seq", "rvn", "leaseOwner", "expires", "pk", "sk"} {
		if _, err := newScope(t).Projection(free); err != nil {
			t.Error(err)
		}
	}
}
