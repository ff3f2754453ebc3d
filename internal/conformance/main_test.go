package conformance_test

import (
	"os"
	"slices"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A scenario is a piece of what AWS documents, told in calls through the SDK.
type scenario struct {
	name    string
	run     func(*session)
	differs []difference
}

func scenarios() []scenario {
	return slices.Concat(
		addressScenarios, reassociationScenarios, addressRefusals, addressReads, addressRaces,
		launchScenarios, lifecycleScenarios, instanceReads, interfaceScenarios, zoneScenarios,
		tagScenarios, statusScenarios, groupScenarios, targetScenarios, remapScenarios,
	)
}

// TestAwstest runs the suite on awstest, each scenario on a cloud and in a bubble of its own.
func TestAwstest(t *testing.T) {
	t.Parallel()
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { s.play(t, onAwstest(t)) })
		})
	}
}

// TestEndpoint runs the suite over HTTP, on what the settings name; one scenario after the other, since the place may be
// reset in between, and an account may allow five addresses.
func TestEndpoint(t *testing.T) {
	set, err := readSettings(os.Environ())
	switch {
	case err != nil:
		t.Fatal(err)
	case !set.anywhere() && set.required:
		t.Fatalf("%sREQUIRED is set and %sENDPOINT is not", prefix, prefix)
	case !set.anywhere():
		t.Skipf("%sENDPOINT is not set; `make conformance` runs this on moto's server, and `go doc ./internal/conformance` has the settings", prefix)
	}
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			p := overHTTP(t, &set)
			if p.forgets {
				set.reset(t)
			}
			s.play(t, p)
		})
	}
}
