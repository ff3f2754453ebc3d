package archtest_test

import (
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// TestFileMap: docs/architecture.md says of every directory with Go files what it is for, and of none that is not there.
func TestFileMap(t *testing.T) {
	t.Parallel()
	for _, wrong := range checkFileMap(t, tree) {
		t.Error("docs/architecture.md: " + wrong)
	}
}

func TestFileMapCanFail(t *testing.T) {
	t.Parallel()
	architecture := &fstest.MapFile{Data: []byte("# A\n\n| `elsewhere` | not the map |\n\n" +
		"## File map\n\n| directory | what it is for |\n| --- | --- |\n| `.` | the tour |\n| `gone` | moved |\n| `empty` |  |\n\n" +
		"## B\n\n| `late` | x |\n")}
	got := checkFileMap(t, fstest.MapFS{
		"docs/architecture.md": architecture,
		"doc.go":               {},
		"empty/x.go":           {},
		"late/x.go":            {},
		"testdata/x/x.go":      {},
	})
	want := []string{
		"the file map says nothing of empty, which holds Go files",
		"the file map says nothing of late, which holds Go files",
		"the file map names gone, which does not exist",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

var mapRow = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| *[^ |]")

func checkFileMap(t *testing.T, files fs.FS) []string {
	t.Helper()
	text, err := fs.ReadFile(files, "docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(text), "\n## File map\n")
	if !ok {
		return []string{"there is no section named File map"}
	}
	section, _, _ = strings.Cut(section, "\n## ")
	mapped := map[string]bool{}
	for _, row := range mapRow.FindAllStringSubmatch(section, -1) {
		mapped[row[1]] = true
	}
	var wrong []string
	for _, dir := range goDirs(t, files) {
		if !mapped[dir] {
			wrong = append(wrong, fmt.Sprintf("the file map says nothing of %s, which holds Go files", dir))
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(mapped)) {
		if info, err := fs.Stat(files, dir); err != nil || !info.IsDir() {
			wrong = append(wrong, fmt.Sprintf("the file map names %s, which does not exist", dir))
		}
	}
	return wrong
}
