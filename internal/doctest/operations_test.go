package doctest_test

import (
	"flag"
	"fmt"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write docs/operations.md")

const (
	root   = "../.."
	module = "github.com/awsha/awsha"
)

// TestOperationsPage: docs/operations.md says what the adapters' pages say.
func TestOperationsPage(t *testing.T) {
	t.Parallel()
	want, err := operationsPage(os.DirFS(root))
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(root, "docs", "operations.md")
	if *update {
		if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("docs/operations.md is not what the adapters' pages say (-), run go test ./internal/doctest -update: %s", diff)
	}
}

func TestOperationsPageIsMadeOfThePages(t *testing.T) {
	t.Parallel()
	page := "// Package xsvc is Amazon X for awstest: x, behind the SDK's own *x.Client.\n//\n//\tcode\n//\n// # When to use it\n//\n// Always.\n//\n" +
		"// # Operations\n//\n// Each line says [awstest.New].\n//\n//   - Get: exact.\n//   - Put: never | ever.\n//\n// # Errors\n//\n//   - No: none.\npackage xsvc\n"
	got, err := operationsPage(fstest.MapFS{
		"awstest/xsvc/doc.go":     {Data: []byte(page)},
		"awstest/xsvc/x.go":       {},
		"awstest/internal/doc.go": {Data: []byte("// Package internal is not an adapter.\npackage internal\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := "\n## xsvc\n\nPackage xsvc is Amazon X for awstest: x, behind the SDK's own \\*x.Client.\n\n" +
		"Each line says [awstest.New](https://pkg.go.dev/github.com/awsha/awsha/awstest#New).\n\n" +
		"| operation | what is exact, what is simplified, what is not there |\n| --- | --- |\n| Get | exact. |\n| Put | never \\| ever. |\n"
	if _, body, _ := strings.Cut(got, "\n## "); "\n## "+body != want {
		t.Error(cmp.Diff(want, "\n## "+body))
	}
	if !strings.Contains(got, "2 operations of 1 service ") {
		t.Errorf("it does not count: %s", got)
	}
	if _, err := operationsPage(fstest.MapFS{"awstest/ysvc/doc.go": {Data: []byte("// Package ysvc is silent.\npackage ysvc\n")}}); err == nil {
		t.Error("a page without operations is accepted")
	}
}

// operationsPage makes the page from the sections named Operations of the adapters' package pages.
func operationsPage(files fs.FS) (string, error) {
	names, err := fs.Glob(files, "awstest/*svc/doc.go")
	if err != nil {
		return "", err
	}
	var body strings.Builder
	operations := 0
	for _, name := range names {
		n, err := writeService(&body, files, name)
		if err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		operations += n
	}
	services := "services"
	if len(names) == 1 {
		services = "service"
	}
	return fmt.Sprintf(`# What awstest models

%d operations of %d %s are there. A call of any other one, or with a parameter that is not looked at, fails with
awstest.ErrNotModelled, at the call and once more at Cloud.Close: nothing is half understood in silence.

This page is made from the package pages of the adapters, which have more: how each works, its errors, what it costs. What is
here is held to AWS's documentation by [internal/conformance](../internal/conformance), scenario by scenario.
`, operations, len(names), services) + body.String(), nil
}

// writeService writes the section of one adapter, and returns how many operations it has.
func writeService(w *strings.Builder, files fs.FS, name string) (operations int, err error) {
	source, err := fs.ReadFile(files, name)
	if err != nil {
		return 0, err
	}
	file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.ParseComments|parser.PackageClauseOnly)
	if err != nil {
		return 0, err
	}
	adapter := path.Base(path.Dir(name))
	parse := comment.Parser{
		LookupSym: func(string, string) bool { return true },
		LookupPackage: func(name string) (string, bool) {
			if name == "awstest" {
				return module + "/awstest", true
			}
			return comment.DefaultLookupPackage(name)
		},
	}
	all := parse.Parse(file.Doc.Text()).Content
	printer := comment.Printer{DocLinkURL: func(link *comment.DocLink) string {
		to, symbol := link.ImportPath, link.Name
		if to == "" {
			to = module + "/awstest/" + adapter
		}
		if link.Recv != "" {
			symbol = link.Recv + "." + link.Name
		}
		return "https://pkg.go.dev/" + to + "#" + symbol
	}}
	markdown := func(blocks ...comment.Block) string {
		return strings.TrimSpace(string(printer.Markdown(&comment.Doc{Content: blocks})))
	}
	fmt.Fprintf(w, "\n## %s\n\n%s\n", adapter, markdown(all[0]))
	start := slices.IndexFunc(all, func(b comment.Block) bool {
		h, ok := b.(*comment.Heading)
		return ok && markdown(&comment.Paragraph{Text: h.Text}) == "Operations"
	})
	if start < 0 {
		return 0, fmt.Errorf("there is no section named Operations")
	}
	for _, b := range all[start+1:] {
		if _, next := b.(*comment.Heading); next {
			break
		}
		list, ok := b.(*comment.List)
		if !ok {
			fmt.Fprintf(w, "\n%s\n", markdown(b))
			continue
		}
		w.WriteString("\n| operation | what is exact, what is simplified, what is not there |\n| --- | --- |\n")
		for _, item := range list.Items {
			operation, text, _ := strings.Cut(markdown(item.Content...), ":")
			text = strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "|", `\|`)
			fmt.Fprintf(w, "| %s | %s |\n", operation, text)
			operations++
		}
	}
	return operations, nil
}
