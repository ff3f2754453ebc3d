package svctest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
)

// Operations returns the operations of a client that the service of that ID models: those that a fault can be injected
// into.
func Operations[Client any](t testing.TB, service awstest.Service, id string) (names []string) {
	t.Helper()
	cloud := Must(awstest.New([]awstest.Service{service}))(t)
	for method := range reflect.TypeFor[Client]().Methods() {
		if _, err := cloud.Inject(awstest.Match{Service: id, Operation: method.Name}, awstest.Throttle()); err == nil {
			names = append(names, method.Name)
		}
	}
	if err := cloud.Close(); err != nil {
		t.Error(err)
	}
	return names
}

// DocItems returns the first words, up to a colon, of the list items in a section of the package's page, which is doc.go in
// the current directory.
func DocItems(t testing.TB, section string) (items []string) {
	t.Helper()
	file := Must(parser.ParseFile(token.NewFileSet(), "doc.go", nil, parser.ParseComments|parser.PackageClauseOnly))(t)
	_, rest, found := strings.Cut(file.Doc.Text(), "\n# "+section+"\n")
	if !found {
		t.Fatalf("doc.go has no section %s", section)
	}
	rest, _, _ = strings.Cut(rest, "\n# ")
	for line := range strings.Lines(rest) {
		if item, ok := strings.CutPrefix(strings.TrimSpace(line), "- "); ok {
			item, _, _ = strings.Cut(item, ":")
			items = append(items, strings.TrimSpace(item))
		}
	}
	return items
}

// Codes returns the error codes in the source files that match the patterns, tests left out: the first arguments of
// Errorf, the values of fields named Code, and the constants of type code.
func Codes(t testing.TB, patterns ...string) map[string]bool {
	t.Helper()
	codes := map[string]bool{}
	note := func(e ast.Expr) {
		if text, ok := e.(*ast.BasicLit); ok && text.Kind == token.STRING {
			if code, err := strconv.Unquote(text.Value); err == nil && code != "" {
				codes[code] = true
			}
		}
	}
	for _, pattern := range patterns {
		for _, name := range Must(filepath.Glob(pattern))(t) {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			file := Must(parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution))(t)
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CallExpr:
					if f, ok := n.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "Errorf" {
						note(n.Args[0])
					}
				case *ast.KeyValueExpr:
					if k, ok := n.Key.(*ast.Ident); ok && k.Name == "Code" {
						note(n.Value)
					}
				case *ast.ValueSpec:
					if k, ok := n.Type.(*ast.Ident); ok && k.Name == "code" {
						for _, v := range n.Values {
							note(v)
						}
					}
				}
				return true
			})
		}
	}
	return codes
}

// PageListsOperations asserts that the section Operations lists what is modelled.
func PageListsOperations(t testing.TB, modelled []string) {
	t.Helper()
	documented := DocItems(t, "Operations")
	slices.Sort(documented)
	modelled = slices.Sorted(slices.Values(modelled))
	if diff := cmp.Diff(modelled, documented); diff != "" {
		t.Errorf("what is modelled (-) and what doc.go lists (+): %s", diff)
	}
}

// PageListsCodes asserts that the section Errors lists the codes in the source.
func PageListsCodes(t testing.TB, codes map[string]bool) {
	t.Helper()
	documented := map[string]bool{}
	for _, code := range DocItems(t, "Errors") {
		documented[code] = true
	}
	if diff := cmp.Diff(codes, documented); diff != "" {
		t.Errorf("codes in the source (-) and in doc.go (+): %s", diff)
	}
}
