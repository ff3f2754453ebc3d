package conformance_test

import (
	"fmt"
	"slices"
)

// Names of places that have differences of their own.
const (
	awstestName = "awstest"
	motoName    = "moto" // 5.2.1
)

// A difference is something that a place is known to do in another way than AWS documents. It stands beside its scenario
// and is held to its word in both directions: as long as it stands there the place must do exactly that.
type difference struct {
	on      string // the place
	at      string // the assertion of the scenario
	does    string // what is observed in place of what AWS documents
	because string // where it has to be explained: why the difference is there
}

// An observation is one assertion of a scenario: what AWS documents and what the place showed.
type observation struct{ at, want, got string }

// judge returns what is wrong with a run of a scenario on a place: what differs from AWS's documentation and is not known,
// and what is said to differ and does not. A run that was not completed need not have got to all that is known.
func judge(place string, observed []observation, known []difference, completed bool) []string {
	var wrong []string
	bad := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }

	seen := map[string]bool{}
	for _, o := range observed {
		if seen[o.at] {
			bad("%q is asserted twice; give each assertion a name of its own", o.at)
			continue
		}
		seen[o.at] = true
		d, listed := find(place, o.at, known)
		switch {
		case o.got == o.want && listed:
			bad("%s does what AWS documents by now: %q is %s; its entry in the list of differences can go", place, o.at, o.got)
		case o.got != o.want && !listed:
			bad("%s: got %s, and AWS documents %s", o.at, o.got, o.want)
		case o.got != o.want && o.got != d.does:
			bad("%s: got %s, and AWS documents %s; %s is known to differ, but by %s", o.at, o.got, o.want, place, d.does)
		}
	}
	for _, d := range known {
		if completed && d.on == place && !seen[d.at] {
			bad("the list of differences of %s has %q, which the scenario did not get to; that entry can go", place, d.at)
		}
	}
	return wrong
}

// find returns the difference that a place has at an assertion.
func find(place, at string, known []difference) (difference, bool) {
	i := slices.IndexFunc(known, func(d difference) bool { return d.on == place && d.at == at })
	if i < 0 {
		return difference{}, false
	}
	return known[i], true
}

// checkList returns what is wrong with the scenarios as they are written.
func checkList(list []scenario) []string {
	var wrong []string
	bad := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	names := map[string]bool{}
	for _, s := range list {
		if names[s.name] {
			bad("two scenarios are named %q", s.name)
		}
		names[s.name] = true
		entries := map[[2]string]bool{}
		for _, d := range s.differs {
			switch {
			case d.on != awstestName && d.on != motoName:
				bad("%s: nothing is named %q, only %s and %s", s.name, d.on, awstestName, motoName)
			case d.at == "" || d.does == "":
				bad("%s: a difference of %s does not say at what, or what is observed", s.name, d.on)
			case d.on == awstestName && d.because == "":
				bad("%s: awstest is ours; say why it differs at %q", s.name, d.at)
			case entries[[2]string{d.on, d.at}]:
				bad("%s: %s has two differences at %q", s.name, d.on, d.at)
			}
			entries[[2]string{d.on, d.at}] = true
		}
	}
	return wrong
}
