package doctest_test

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// TestGuides: the code in a guide is code that is compiled and run.
func TestGuides(t *testing.T) {
	t.Parallel()
	wrong, blocks, err := checkGuides(os.DirFS(root + "/docs"))
	if err != nil {
		t.Fatal(err)
	}
	if blocks == 0 {
		t.Error("no guide has a block of Go")
	}
	for _, w := range wrong {
		t.Error(w)
	}
}

func TestGuidesCanFail(t *testing.T) {
	t.Parallel()
	guide := "# Guide\n\n```go\nfunc f() {\n\tg()\n}\n```\n\n```sh\ngo test\n```\n\n1. in a list\n\n   ```go\n   h()\n   ```\n\n```go\nnever()\n```\n\n```go\nopen\n"
	wrong, blocks, err := checkGuides(fstest.MapFS{
		"guide/README.md": {Data: []byte(guide)},
		"guide/f_test.go": {Data: []byte("package guide\n\nfunc f() {\n\tg()\n}\n\nfunc i() {\n\th()\n}\n")},
		"other/never.go":  {Data: []byte("never()\n")},
		"page.md":         {Data: []byte("```go\nnot a guide\n```\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"guide/README.md:19: this is in no file beside it: never()",
		"guide/README.md:23: the block does not end",
	}
	if blocks != 3 || !slices.Equal(wrong, want) {
		t.Errorf("%d blocks, %q; want 3, %q", blocks, wrong, want)
	}
}

// checkGuides compares the blocks of Go in the guides, which are the files named README.md in directories of their own,
// with the Go files beside them. Indentation does not count.
func checkGuides(docs fs.FS) (wrong []string, blocks int, err error) {
	guides, err := fs.Glob(docs, "*/README.md")
	if err != nil {
		return nil, 0, err
	}
	for _, name := range guides {
		var sources []string
		files, err := fs.Glob(docs, path.Dir(name)+"/*.go")
		if err != nil {
			return nil, 0, err
		}
		for _, file := range files {
			source, err := fs.ReadFile(docs, file)
			if err != nil {
				return nil, 0, err
			}
			sources = append(sources, "\n"+flat(string(source)))
		}
		text, err := fs.ReadFile(docs, name)
		if err != nil {
			return nil, 0, err
		}
		lines := strings.Split(string(text), "\n")
		for i := 0; i < len(lines); i++ {
			if strings.TrimSpace(lines[i]) != "```go" {
				continue
			}
			start := i + 1
			for i = start; i < len(lines) && strings.TrimSpace(lines[i]) != "```"; i++ {
			}
			if i == len(lines) {
				wrong = append(wrong, fmt.Sprintf("%s:%d: the block does not end", name, start))
				break
			}
			blocks++
			block := strings.Join(lines[start:i], "\n")
			if !slices.ContainsFunc(sources, func(s string) bool { return strings.Contains(s, "\n"+flat(block)) }) {
				first, _, _ := strings.Cut(strings.TrimSpace(block), "\n")
				wrong = append(wrong, fmt.Sprintf("%s:%d: this is in no file beside it: %s", name, start, first))
			}
		}
	}
	return wrong, blocks, nil
}

// flat is a text without indentation, each line with its end.
func flat(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(strings.TrimSpace(line) + "\n")
	}
	return b.String()
}
