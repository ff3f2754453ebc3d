package archtest_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// home is the beginning of an absolute path on somebody's machine, as generators and pasted logs leave it behind.
var home = regexp.MustCompile(`(^|[^\w.$}/-])(/(home|root|Users)/\w|[A-Z]:\\Users\\)`)

// TestNoMachinePaths: no file names a path of the machine that it was written on.
func TestNoMachinePaths(t *testing.T) {
	t.Parallel()
	walk(t, tree, func(name string) {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Error(err)
			return
		}
		if at := home.Find(text); at != nil {
			t.Errorf("%s holds a path of a machine: %q", name, at)
		}
	})
}

func TestNoMachinePathsCanFail(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"// moq -out " + "/home" + "/me/x.go":           true,
		"at C:" + `\Users\me`:                           true,
		"https://example.com" + "/home" + "/page":       false,
		"the path " + "/root" + " of a URL, and /home/": false,
	} {
		if got := home.MatchString(text); got != want {
			t.Errorf("%q: %t, want %t", text, got, want)
		}
	}
}

// TestReadmeCommands: the first screen of the README holds the two commands that a visitor needs.
func TestReadmeCommands(t *testing.T) {
	t.Parallel()
	text, err := fs.ReadFile(tree, "README.md")
	if err != nil {
		t.Fatal(err)
	}
	const screen = 30 // lines
	lines := strings.Split(string(text), "\n")
	lines = lines[:min(screen, len(lines))]
	for _, command := range []string{"go run ./examples/zone-outage", "go test ./..."} {
		if !slices.ContainsFunc(lines, func(line string) bool { return strings.HasPrefix(line, command) }) {
			t.Errorf("the first %d lines do not hold %q", screen, command)
		}
	}
}
