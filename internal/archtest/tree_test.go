package archtest_test

import (
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
)

// tree is the repository as files. Its nested modules are part of it, what begins with a dot is not.
var tree = os.DirFS(root)

// walk calls f with every file of a tree that the go command could see: nothing below testdata, "." or "_".
func walk(t *testing.T, files fs.FS, f func(name string)) {
	t.Helper()
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		base := path.Base(name)
		switch {
		case err != nil:
			return err
		case name != "." && (strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "testdata"):
			if d.IsDir() {
				return fs.SkipDir
			}
		case d.Type().IsRegular():
			f(name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// watch lets go test see what these tests depend on. The files that the go command reads for us are unknown to the test cache;
// opening their directories makes a change in any of them a reason to run again.
func watch(t *testing.T) {
	t.Helper()
	walk(t, tree, func(string) {})
}

// goDirs returns the directories that hold Go files.
func goDirs(t *testing.T, files fs.FS) []string {
	t.Helper()
	dirs := map[string]bool{}
	walk(t, files, func(name string) {
		if path.Ext(name) == ".go" {
			dirs[path.Dir(name)] = true
		}
	})
	return slices.Sorted(maps.Keys(dirs))
}
