package conformance_test

import (
	"flag"
	"os"
	"slices"
	"strings"
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
		identityScenarios, addressScenarios, reassociationScenarios, addressRefusals, addressReads, addressRaces,
		launchScenarios, lifecycleScenarios, instanceReads, interfaceScenarios, zoneScenarios,
		tagScenarios, statusScenarios, groupScenarios, targetScenarios, gatewayScenarios, listenerScenarios, remapScenarios,
		capacityScenarios, securityGroupScenarios, templateScenarios, volumeScenarios, attachmentScenarios, snapshotScenarios, imageScenarios,
		bucketScenarios, objectScenarios, versionScenarios, uploadScenarios,
		cloudWatchScenarios, alarmScenarios, keyScenarios, aliasScenarios, zonalShiftScenarios, healthCheckScenarios,
		databaseScenarios, databaseSnapshotScenarios, databaseRestoreScenarios, clusterScenarios,
		tableScenarios, itemScenarios, queryScenarios, transactScenarios,
		autoScalingScenarios, scalingInstanceScenarios, scalingHookScenarios,
		eventScenarios, queueScenarios, messageScenarios, leaseScenarios, fifoScenarios, redriveScenarios,
	)
}

// TestAwstest runs the suite on awstest, each scenario on a cloud and in a bubble of its own. Every operation that is
// modelled has to succeed in one of them.
func TestAwstest(t *testing.T) {
	t.Parallel()
	covered := &coverage{succeeded: map[string]bool{}}
	t.Cleanup(func() { // when all scenarios have ended
		if strings.Contains(flag.Lookup("test.run").Value.String(), "/") {
			return // some have not run
		}
		for _, name := range covered.missing() {
			t.Errorf("no scenario has seen %s succeed", name)
		}
	})
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { s.play(t, onAwstest(t, covered)) })
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
