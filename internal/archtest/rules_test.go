package archtest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A rule is one sentence of docs/architecture.md about the arrows between packages.
type rule struct {
	says   string   // the sentence
	about  []string // the packages it speaks of; it holds when there is none
	except []string
	check  func(graph, *pkg) []string // what the package does against it

	// Two graphs that prove the check: one arrow a line, "A -> B C"; "A test -> B" is an import by a test of A.
	kept, broken string
}

var rules = []rule{
	{
		says:   "eip imports no sibling",
		about:  []string{"./eip/..."},
		check:  none(named, "./failover/...", "./healthcheck/...", "./queueworker/...", "./snapshot/..."),
		kept:   "./eip -> ./internal/retry service/ec2\n./eip test -> ./awstest",
		broken: "./eip -> ./internal/retry\n./eip test -> ./healthcheck",
	},
	{
		says:   "snapshot imports no sibling",
		about:  []string{"./snapshot/..."},
		check:  none(named, "./eip/...", "./failover/...", "./healthcheck/...", "./queueworker/..."),
		kept:   "./snapshot -> service/ec2",
		broken: "./snapshot -> ./queueworker/sqsscale",
	},
	{
		says:   "queueworker imports no sibling",
		about:  []string{"./queueworker/..."},
		check:  none(named, "./eip/...", "./failover/...", "./healthcheck/...", "./snapshot/..."),
		kept:   "./queueworker/sqsscale -> ./queueworker service/cloudwatch",
		broken: "./queueworker/sqsscale -> ./failover",
	},
	{
		says:   "healthcheck imports no sibling",
		about:  []string{"./healthcheck/..."},
		check:  none(named, "./eip/...", "./failover/...", "./queueworker/...", "./snapshot/..."),
		kept:   "./healthcheck/elbv2hc -> ./healthcheck service/elasticloadbalancingv2",
		broken: "./healthcheck -> ./eip",
	},
	{
		says:   "healthcheck, selfhealth and statuspage are built on the standard library only",
		about:  []string{"./healthcheck", "./healthcheck/selfhealth", "./healthcheck/statuspage"},
		check:  only(code, "std", "./internal/...", "./healthcheck"),
		kept:   "./healthcheck -> net/http ./internal/memnet\n./healthcheck test -> github.com/google/go-cmp/cmp",
		broken: "./healthcheck -> ./internal/retry\n./internal/retry -> github.com/cenkalti/backoff/v4",
	},
	{
		says:   "a bridge from healthcheck to an AWS service imports the client of that one",
		about:  []string{"./healthcheck/asghc", "./healthcheck/elbv2hc", "./healthcheck/zonalhc"},
		check:  oneService,
		kept:   "./healthcheck/asghc -> ./healthcheck service/autoscaling\n./healthcheck/asghc test -> service/ec2",
		broken: "./healthcheck/zonalhc -> service/arczonalshift service/elasticloadbalancingv2",
	},
	{
		says:   "the failover engine imports no pattern of ours: its sub-packages do",
		about:  []string{"./failover"},
		check:  none(code, "./eip/...", "./healthcheck/...", "./queueworker/...", "./snapshot/..."),
		kept:   "./failover -> ./internal/retry\n./failover/ec2step -> ./failover ./eip",
		broken: "./failover -> ./internal/x\n./internal/x -> ./snapshot",
	},
	{
		says:   "the failover engine imports no AWS service",
		about:  []string{"./failover"},
		check:  none(code, "service/*"),
		kept:   "./failover -> " + awsModule + "/aws\n./failover/dynamostore -> service/dynamodb",
		broken: "./failover -> service/dynamodb/types",
	},
	{
		says:   "the queueworker root imports of AWS services only sqs",
		about:  []string{"./queueworker"},
		check:  onlyServices(code, "sqs"),
		kept:   "./queueworker -> service/sqs/types\nservice/sqs/types -> " + awsModule + "/service/internal/checksum",
		broken: "./queueworker -> ./internal/x\n./internal/x -> service/sqs service/cloudwatch",
	},
	{
		says:   "internal packages import no public package of ours",
		about:  []string{"./internal/..."},
		check:  onlyOfOurs(code, "./internal/..."),
		kept:   "./internal/retry -> ./internal/awserr\n./internal/conformance test -> ./awstest",
		broken: "./internal/retry -> ./eip",
	},
	{
		says:   "nothing but tests, examples and benchmarks imports awstest",
		about:  []string{"./..."},
		except: []string{"./awstest/...", "./examples/...", "./failover/internal/steptest"}, // which is for tests
		check:  none(code, "./awstest/..."),
		kept:   "./eip test -> ./awstest\n./examples/x -> ./awstest",
		broken: "./failover/drill -> ./awstest",
	},
	{
		says:   "nothing imports an example, and no package the tour at the root",
		about:  []string{"./..."},
		check:  none(named, "./examples/*", "."),
		kept:   "./examples/x -> ./eip ./examples/internal/y",
		broken: "./eip test -> ./examples/x",
	},
	{
		says:   "the core of awstest imports no AWS service",
		about:  []string{"./awstest/..."},
		except: []string{"./awstest/*svc/..."},
		check:  none(code, "service/*"),
		kept:   "./awstest -> ./awstest/internal/x " + awsModule + "/aws\n./awstest/ec2svc -> service/ec2",
		broken: "./awstest -> ./awstest/internal/x\n./awstest/internal/x -> service/ec2",
	},
	{
		says:   "an awstest adapter imports the client of one AWS service",
		about:  []string{"./awstest/*svc"},
		check:  oneService,
		kept:   "./awstest/ec2svc -> service/ec2 service/ec2/types",
		broken: "./awstest/ec2svc -> service/ec2 service/sts",
	},
	{
		says:   "an awstest adapter imports no other adapter",
		about:  []string{"./awstest/*svc"},
		check:  none(tests, "./awstest/*svc"),
		kept:   "./awstest/ec2svc -> ./awstest ./awstest/internal/ec2model\n./awstest/ec2svc test -> ./awstest/ec2svc",
		broken: "./awstest/elbv2svc -> ./awstest/internal/x\n./awstest/internal/x -> ./awstest/ec2svc",
	},
	{
		says:   "the tests of an awstest adapter compile no client of another service",
		about:  []string{"./awstest/*svc"},
		check:  testsAddNoService,
		kept:   "./awstest/ec2svc -> service/ec2\n./awstest/ec2svc test -> service/ec2/types",
		broken: "./awstest/stssvc -> service/sts\n./awstest/stssvc test -> ./x\n./x -> service/ec2",
	},
	{
		says:   "what tests are written with stays in tests",
		about:  []string{"./..."},
		except: []string{"./awstest/internal/svctest"},
		check:  none(code, "github.com/google/go-cmp/...", "go.uber.org/goleak/...", "./awstest/internal/svctest"),
		kept:   "./eip test -> go.uber.org/goleak\n./awstest/ec2svc test -> ./awstest/internal/svctest",
		broken: "./awstest -> github.com/google/go-cmp/cmp",
	},
}

// TestImportRules holds the repository to the table.
func TestImportRules(t *testing.T) {
	t.Parallel()
	g := load(t)
	for _, r := range rules {
		for _, breach := range r.breaches(g) {
			t.Errorf("%s: %s", r.says, breach)
		}
	}
}

// TestRulesCanFail holds the table to its own graphs.
func TestRulesCanFail(t *testing.T) {
	t.Parallel()
	for _, r := range rules {
		t.Run(r.says, func(t *testing.T) {
			t.Parallel()
			if got := r.breaches(draw(t, r.kept)); len(got) > 0 {
				t.Errorf("reported although it is kept: %q", got)
			}
			if got := r.breaches(draw(t, r.broken)); len(got) == 0 {
				t.Error("a graph that breaks it passes")
			}
			if got := r.breaches(graph{}); len(got) > 0 {
				t.Errorf("reported of an empty repository: %q", got)
			}
		})
	}
}

func (r rule) breaches(g graph) []string {
	var all []string
	for _, p := range g.ours(r.about...) {
		if !matches(p.ImportPath, r.except) {
			all = append(all, r.check(g, p)...)
		}
	}
	return all
}

// none: no import within reach matches a pattern. A package does not count as its own import.
func none(r reach, patterns ...string) func(graph, *pkg) []string {
	return func(g graph, p *pkg) []string {
		return breaches(g.from(p, r), func(path string) bool { return !matches(path, patterns) })
	}
}

// only: every import within reach matches a pattern.
func only(r reach, patterns ...string) func(graph, *pkg) []string {
	return func(g graph, p *pkg) []string {
		return breaches(g.from(p, r), func(path string) bool { return matches(path, patterns) })
	}
}

// onlyOfOurs: every package of ours within reach matches a pattern.
func onlyOfOurs(r reach, patterns ...string) func(graph, *pkg) []string {
	return func(g graph, p *pkg) []string {
		return breaches(g.from(p, r), func(path string) bool {
			return !matches(path, []string{"./..."}) || matches(path, patterns)
		})
	}
}

// onlyServices: every AWS service within reach is one of the names.
func onlyServices(r reach, names ...string) func(graph, *pkg) []string {
	return func(g graph, p *pkg) []string {
		return breaches(g.from(p, r), func(path string) bool {
			return service(path) == "" || slices.Contains(names, service(path))
		})
	}
}

func oneService(g graph, p *pkg) []string {
	if names := services(g, p, code); len(names) != 1 {
		return []string{fmt.Sprintf("%s imports the clients of %d AWS services: %q", short(p.ImportPath), len(names), names)}
	}
	return nil
}

func testsAddNoService(g graph, p *pkg) []string {
	return onlyServices(tests, services(g, p, code)...)(g, p)
}

func services(g graph, p *pkg, r reach) []string {
	var names []string
	for _, a := range g.from(p, r) {
		if s := service(a.to); s != "" {
			names = append(names, s)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func breaches(arrows []arrow, allowed func(path string) bool) []string {
	var ways []string
	for _, a := range arrows {
		if !allowed(a.to) {
			ways = append(ways, a.way)
		}
	}
	return ways
}

// draw makes the graph that a text describes.
func draw(t *testing.T, text string) graph {
	t.Helper()
	g := graph{}
	node := func(name string) *pkg {
		importPath := name
		switch ours, ok := strings.CutPrefix(name, "./"); {
		case ok:
			importPath = module + "/" + ours
		case name == ".":
			importPath = module
		case strings.HasPrefix(name, "service/"):
			importPath = awsModule + "/" + name
		}
		if g[importPath] == nil {
			g[importPath] = &pkg{ImportPath: importPath}
		}
		return g[importPath]
	}
	for line := range strings.Lines(text) {
		left, right, ok := strings.Cut(line, "->")
		if !ok {
			t.Fatalf("no arrow in %q", line)
		}
		from := strings.Fields(left)
		p := node(from[0])
		for name := range strings.FieldsSeq(right) {
			to := node(name).ImportPath
			if len(from) == 2 && from[1] == "test" {
				p.XTestImports = append(p.XTestImports, to)
			} else {
				p.Imports = append(p.Imports, to)
			}
		}
	}
	return g
}

// TestPatterns holds the small language of the table.
func TestPatterns(t *testing.T) {
	t.Parallel()
	tests := []struct {
		pattern, importPath string
		want                bool
	}{
		{"std", "net/http", true},
		{"std", "golang.org/x/sync/errgroup", false},
		{"service/*", awsModule + "/service/ec2/types", true},
		{"service/*", awsModule + "/service/internal/checksum", false},
		{"service/sqs", awsModule + "/service/ec2", false},
		{"service/*", awsModule + "/feature/ec2/imds", false},
		{".", module, true},
		{".", module + "/eip", false},
		{"./...", module, true},
		{"./...", module + "/eip/eipmock", true},
		{"./...", module + "x/eip", false},
		{"./eip", module + "/eip", true},
		{"./eip", module + "/eip/eipmock", false},
		{"./eip/...", module + "/eip/eipmock", true},
		{"./eip/...", module + "/eiplike", false},
		{"./awstest/*svc", module + "/awstest/ec2svc", true},
		{"./awstest/*svc", module + "/awstest/internal/ec2svc", false},
		{"./awstest/*svc/...", module + "/awstest/ec2svc/internal/x", true},
		{"go.uber.org/goleak/...", "go.uber.org/goleak", true},
	}
	for _, test := range tests {
		if got := matches(test.importPath, []string{test.pattern}); got != test.want {
			t.Errorf("%s matches %s: %t, want %t", test.pattern, test.importPath, got, test.want)
		}
	}
}
