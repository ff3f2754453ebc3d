package archtest_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
)

// allowed are the modules that the library may require directly, with what each is for. docs/adr/0003 has the reasons; a
// further one needs a record of its own. "*" stands for one path element.
var allowed = []string{
	"github.com/aws/aws-sdk-go-v2",
	"github.com/aws/aws-sdk-go-v2/service/*",
	"github.com/aws/aws-sdk-go-v2/config",           // where a program finds out who it is
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds", // likewise
	"github.com/aws/smithy-go",
	"github.com/cenkalti/backoff/v4",
	"golang.org/x/sync",
	"github.com/google/go-cmp", // tests
	"go.uber.org/goleak",       // tests
}

// A goMod is a go.mod as `go mod edit -json` prints it.
type goMod struct {
	Require []struct {
		Path     string
		Indirect bool
	}
	Replace, Exclude, Tool []any
}

// TestRequirements: go.mod requires what is allowed, and a user's build is the one that we test.
func TestRequirements(t *testing.T) {
	t.Parallel()
	watch(t)
	out, err := run("go", "mod", "edit", "-json")
	if err != nil {
		t.Fatal(err)
	}
	var mod goMod
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatal(err)
	}
	for _, wrong := range checkRequirements(mod) {
		t.Error("go.mod " + wrong)
	}
}

func TestRequirementsCanFail(t *testing.T) {
	t.Parallel()
	var mod goMod
	if err := json.Unmarshal([]byte(`{
		"Require": [
			{"Path": "github.com/aws/aws-sdk-go-v2/service/ec2"},
			{"Path": "github.com/aws/aws-sdk-go-v2/service/internal/presigned-url"},
			{"Path": "github.com/stretchr/testify"},
			{"Path": "github.com/davecgh/go-spew", "Indirect": true}],
		"Tool": [{"Path": "github.com/matryer/moq"}],
		"Replace": [{}]
	}`), &mod); err != nil {
		t.Fatal(err)
	}
	got := checkRequirements(mod)
	want := []string{
		"requires github.com/aws/aws-sdk-go-v2/service/internal/presigned-url, which is not allowed",
		"requires github.com/stretchr/testify, which is not allowed",
		"replaces or excludes modules, which does not reach its users",
		"names tools, which belong to internal/tools",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func checkRequirements(mod goMod) []string {
	var wrong []string
	for _, require := range mod.Require {
		if !require.Indirect && !slices.ContainsFunc(allowed, func(a string) bool { return glob(a, require.Path) }) {
			wrong = append(wrong, fmt.Sprintf("requires %s, which is not allowed", require.Path))
		}
	}
	if len(mod.Replace)+len(mod.Exclude) > 0 {
		wrong = append(wrong, "replaces or excludes modules, which does not reach its users")
	}
	if len(mod.Tool) > 0 {
		wrong = append(wrong, "names tools, which belong to internal/tools")
	}
	return wrong
}
