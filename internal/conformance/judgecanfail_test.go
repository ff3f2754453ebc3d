package conformance_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestJudge(t *testing.T) {
	t.Parallel()
	const release = "releasing it"
	documented := observation{release, "InvalidIPAddress.InUse", "InvalidIPAddress.InUse"}
	accepted := observation{release, "InvalidIPAddress.InUse", "accepted"}
	known := difference{on: motoName, at: release, does: "accepted"}
	for name, c := range map[string]struct {
		observed []observation
		known    []difference
		want     []string
		ended    bool // before its time
	}{
		"as documented":                {observed: []observation{documented}},
		"known difference":             {observed: []observation{accepted}, known: []difference{known}},
		"difference of another place":  {observed: []observation{documented}, known: []difference{{on: awstestName, at: release, does: "accepted"}}},
		"nothing known, nothing found": {},
		"ended before it was reached":  {known: []difference{known}, ended: true},
		"unknown difference": {
			observed: []observation{accepted},
			want:     []string{"releasing it: got accepted, and AWS documents InvalidIPAddress.InUse"},
		},
		"difference known of another place": {
			observed: []observation{accepted},
			known:    []difference{{on: awstestName, at: release, does: "accepted"}},
			want:     []string{"releasing it: got accepted, and AWS documents InvalidIPAddress.InUse"},
		},
		"mended": {
			observed: []observation{documented},
			known:    []difference{known},
			want:     []string{`moto does what AWS documents by now: "releasing it" is InvalidIPAddress.InUse; its entry in the list of differences can go`},
		},
		"differs in another way": {
			observed: []observation{{release, "InvalidIPAddress.InUse", "not implemented"}},
			known:    []difference{known},
			want:     []string{"releasing it: got not implemented, and AWS documents InvalidIPAddress.InUse; moto is known to differ, but by accepted"},
		},
		"never reached": {
			observed: []observation{{"another", "a", "a"}},
			known:    []difference{known},
			want:     []string{`the list of differences of moto has "releasing it", which the scenario did not get to; that entry can go`},
		},
		"asserted twice": {
			observed: []observation{documented, accepted},
			want:     []string{`"releasing it" is asserted twice; give each assertion a name of its own`},
		},
	} {
		if diff := cmp.Diff(c.want, judge(motoName, c.observed, c.known, !c.ended)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestListOfScenarios(t *testing.T) {
	t.Parallel()
	for _, wrong := range checkList(scenarios()) {
		t.Error(wrong)
	}
}

func TestListOfScenariosCanFail(t *testing.T) {
	t.Parallel()
	got := checkList([]scenario{
		{name: "a", differs: []difference{
			{on: "mto", at: "x", does: "y"},
			{on: motoName, at: "x"},
			{on: motoName, at: "z", does: "y"},
			{on: motoName, at: "z", does: "w"},
			{on: awstestName, at: "z", does: "w"},
		}},
		{name: "a"},
	})
	want := []string{
		`a: nothing is named "mto", only awstest and moto`,
		"a: a difference of moto does not say at what, or what is observed",
		`a: moto has two differences at "z"`,
		`a: awstest is ours; say why it differs at "z"`,
		`two scenarios are named "a"`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
