package archtest_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
)

const (
	root      = "../.." // of the repository, seen from the directory in which go test runs this package
	module    = "github.com/awsha/awsha"
	awsModule = "github.com/aws/aws-sdk-go-v2"
)

// A pkg is one package as `go list -json` reports it, without its test variants.
type pkg struct {
	ImportPath string
	Name       string
	Doc        string
	ForTest    string

	GoFiles, CgoFiles, TestGoFiles, XTestGoFiles []string
	Imports, TestImports, XTestImports           []string
}

func (p *pkg) sources() []string { return slices.Concat(p.GoFiles, p.CgoFiles) }

// A graph holds packages by import path, those that they reach included.
type graph map[string]*pkg

// reach says which imports a rule looks at.
type reach int

const (
	code  reach = iota // what the package compiles into a program: its imports and all that they import
	tests              // what its tests compile as well
	named              // what its own files name in an import, tests included
)

// An arrow is an import that a package reaches, with the way there.
type arrow struct{ to, way string }

// from returns every package that p reaches, in order, each with a shortest way to it. The standard library is reported, not
// entered.
func (g graph) from(p *pkg, r reach) []arrow {
	first := p.Imports
	if r != code {
		first = slices.Concat(p.Imports, p.TestImports, p.XTestImports)
	}
	var found []arrow
	seen := map[string]bool{p.ImportPath: true}
	add := func(way string, imports []string) (fresh []arrow) {
		for _, to := range imports {
			if !seen[to] {
				seen[to] = true
				fresh = append(fresh, arrow{to, way + " -> " + short(to)})
			}
		}
		found = append(found, fresh...)
		return fresh
	}
	queue := add(short(p.ImportPath), first)
	for r != named && len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		if next := g[at.to]; next != nil && !isStd(at.to) {
			queue = append(queue, add(at.way, next.Imports)...)
		}
	}
	slices.SortFunc(found, func(a, b arrow) int { return cmp.Compare(a.to, b.to) })
	return found
}

// ours returns the packages of the repository that one of the patterns matches, in order.
func (g graph) ours(patterns ...string) []*pkg {
	var found []*pkg
	for _, p := range g {
		if (p.ImportPath == module || strings.HasPrefix(p.ImportPath, module+"/")) && matches(p.ImportPath, patterns) {
			found = append(found, p)
		}
	}
	slices.SortFunc(found, func(a, b *pkg) int { return cmp.Compare(a.ImportPath, b.ImportPath) })
	return found
}

// matches reports whether one of the patterns matches an import path. A pattern is
//
//	std           any package of the standard library
//	service/sqs   the AWS service module of that name; service/* is any of them
//	./eip         our package, . the one at the root; ./eip/... adds all below it, and * stands for part of one path
//	              element (./awstest/*svc)
//	a/b           any other package by its path; a/b/... adds all below it
func matches(importPath string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		switch {
		case pattern == "std":
			return isStd(importPath)
		case strings.HasPrefix(pattern, "service/"):
			name := service(importPath)
			return name != "" && glob(strings.TrimPrefix(pattern, "service/"), name)
		}
		if pattern == "." || strings.HasPrefix(pattern, "./") {
			pattern = path.Join(module, pattern)
		}
		tree, deep := strings.CutSuffix(pattern, "/...")
		elements := strings.Split(importPath, "/")
		depth := strings.Count(tree, "/") + 1
		if len(elements) < depth || !deep && len(elements) > depth {
			return false
		}
		return glob(tree, strings.Join(elements[:depth], "/"))
	})
}

func glob(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	if err != nil {
		panic(err) // a mistake in the table
	}
	return ok
}

func isStd(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return !strings.Contains(first, ".")
}

// service names the AWS service module that a package belongs to, or returns "".
func service(importPath string) string {
	rest, ok := strings.CutPrefix(importPath, awsModule+"/service/")
	name, _, _ := strings.Cut(rest, "/")
	if !ok || name == "internal" {
		return ""
	}
	return name
}

// short writes an import path as the patterns do.
func short(importPath string) string {
	if importPath == module {
		return "."
	}
	if rest, ok := strings.CutPrefix(importPath, module+"/"); ok {
		return "./" + rest
	}
	if rest, ok := strings.CutPrefix(importPath, awsModule+"/service/"); ok {
		return "service/" + rest
	}
	return importPath
}

// repository returns the graph of this repository. One call of the go command serves all tests.
var repository = sync.OnceValues(func() (graph, error) {
	// -e: a package that does not compile is somebody else's failure, and the arrows that it does draw still count.
	out, err := run("go", "list", "-e", "-deps", "-test", "-json="+
		"ImportPath,Name,Doc,ForTest,GoFiles,CgoFiles,TestGoFiles,XTestGoFiles,Imports,TestImports,XTestImports", "./...")
	if err != nil {
		return nil, err
	}
	g := graph{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		p := new(pkg)
		if err := d.Decode(p); errors.Is(err, io.EOF) {
			return g, nil
		} else if err != nil {
			return nil, fmt.Errorf("read go list: %w", err)
		}
		if p.ForTest == "" && !strings.HasSuffix(p.ImportPath, ".test") {
			g[p.ImportPath] = p
		}
	}
})

func load(t *testing.T) graph {
	t.Helper()
	g, err := repository()
	if err != nil {
		t.Fatal(err)
	}
	watch(t)
	return g
}

func run(name string, args ...string) ([]byte, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, &stderr)
	}
	return out, nil
}
