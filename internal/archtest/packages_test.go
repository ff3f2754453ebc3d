package archtest_test

import (
	"path"
	"slices"
	"testing"
)

// TestPackages: every package has a comment, the patterns have the same rooms, and the root is documentation alone.
func TestPackages(t *testing.T) {
	t.Parallel()
	for _, wrong := range checkPackages(load(t)) {
		t.Error(wrong)
	}
}

func TestPackagesCanFail(t *testing.T) {
	t.Parallel()
	rooms := []string{"doc.go", "eip.go", "errors.go", "event.go", "options.go"}
	g := graph{}
	for _, p := range []*pkg{
		{ImportPath: module, Doc: "Package awsha", GoFiles: []string{"awsha.go", "doc.go"}},
		{ImportPath: module + "/eip", Doc: "Package eip", GoFiles: rooms, Imports: []string{awsModule + "/service/ec2"}},
		{ImportPath: module + "/failover", Doc: "Package failover", GoFiles: []string{"doc.go", "failover.go", "options.go"}},
		{ImportPath: module + "/internal/retry", GoFiles: []string{"retry.go"}},
		{ImportPath: module + "/internal/onlytests", XTestGoFiles: []string{"x_test.go"}},
	} {
		g[p.ImportPath] = p
	}
	got := checkPackages(g)
	want := []string{
		". exports nothing and is doc.go alone, but has awsha.go",
		"./eip has no ports.go",
		"./failover has no errors.go",
		"./failover has no event.go",
		"./internal/retry has no package comment",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func checkPackages(g graph) []string {
	var wrong []string
	for _, p := range g.ours(".") {
		for _, file := range p.sources() {
			if file != "doc.go" {
				wrong = append(wrong, ". exports nothing and is doc.go alone, but has "+file)
			}
		}
	}
	for _, p := range g.ours("./eip", "./failover", "./healthcheck", "./queueworker", "./snapshot") {
		rooms := []string{"doc.go", path.Base(p.ImportPath) + ".go", "errors.go", "event.go", "options.go"}
		if len(services(g, p, named)) > 0 {
			rooms = append(rooms, "ports.go")
		}
		for _, room := range rooms {
			if !slices.Contains(p.sources(), room) {
				wrong = append(wrong, short(p.ImportPath)+" has no "+room)
			}
		}
	}
	for _, p := range g.ours("./...") {
		if len(p.sources()) > 0 && p.Doc == "" {
			wrong = append(wrong, short(p.ImportPath)+" has no package comment")
		}
	}
	return wrong
}
