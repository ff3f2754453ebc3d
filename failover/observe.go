package failover

import (
	"context"
	"fmt"
	"strconv"
)

// Verdict is what is thought of a service. The zero Verdict is Unknown, which is neither good nor bad: who cannot see votes for nothing.
type Verdict int

// The verdicts.
const (
	Unknown Verdict = iota // it cannot be told
	Healthy
	Suspect // something fails, and not enough of it, or not for long enough
	Failed
)

var verdictNames = [...]string{"unknown", "healthy", "suspect", "failed"}

// String returns the verdict in lower case.
func (v Verdict) String() string {
	if v >= 0 && int(v) < len(verdictNames) {
		return verdictNames[v]
	}
	return "Verdict(" + strconv.Itoa(int(v)) + ")"
}

// MarshalText implements encoding.TextMarshaler.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (v *Verdict) UnmarshalText(text []byte) error {
	for i, name := range verdictNames {
		if name == string(text) {
			*v = Verdict(i)
			return nil
		}
	}
	return fmt.Errorf("failover: %q is no verdict", text)
}

// Observation is what an [Observer] saw, once.
type Observation struct {
	Verdict  Verdict // Healthy, Failed, or Unknown for one that cannot tell. Suspect counts as Failed: the fall of the [Quorum] makes the difference
	Evidence string  // why, in some words
	Zone     string  // where what it looked at stands, if it knows that; a leader that stands there too hands over
}

// Observer is a voter: it says how a service looks from where it stands. A controller asks each of its own in turn, and tells the other controllers what
// they said.
//
// Observers of one service should share as little as possible: stand in several zones, look along several ways. Name and Zone are constant.
type Observer interface {
	// Name is unique among all observers of the service, in all controllers: "canary@use1-az2".
	Name() string

	// Zone is where the observer stands, by its ID ("use1-az2").
	Zone() string

	// Observe looks once. It returns soon after ctx ends, and is never called again before it has returned. A panic counts as Unknown.
	Observe(ctx context.Context) Observation
}

// NewObserver makes an observer of a function.
func NewObserver(name, zone string, observe func(ctx context.Context) Observation) Observer {
	return &funcObserver{name, zone, observe}
}

type funcObserver struct {
	name, zone string
	observe    func(context.Context) Observation
}

func (o *funcObserver) Name() string                            { return o.name }
func (o *funcObserver) Zone() string                            { return o.zone }
func (o *funcObserver) Observe(ctx context.Context) Observation { return o.observe(ctx) }
