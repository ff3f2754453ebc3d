package failover

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Quorum says when observers agree. It is a plain value, and its Judge a pure function.
type Quorum struct {
	// Need is how many votes for Failed make the verdict, of Of observers in all controllers together. Of is required; the default of Need is
	// more than half of it.
	Need, Of int

	// MinZones is in how many zones those have to stand. Default 2, or 1 if Of is 1.
	MinZones int

	// Fall is after how many failed observations in a row an observer votes for Failed, and Rise after how many good ones it stops. Defaults 3
	// and 2. Until then it votes for Suspect, which makes all look again at once.
	Fall, Rise int

	// TTL is how long a vote counts that is not repeated. Default 30 s.
	TTL time.Duration
}

func (q *Quorum) complete(errs *[]error, field string) {
	before := len(*errs)
	notNegative(errs, field+".Need", q.Need)
	notNegative(errs, field+".Of", q.Of)
	notNegative(errs, field+".MinZones", q.MinZones)
	notNegative(errs, field+".Fall", q.Fall)
	notNegative(errs, field+".Rise", q.Rise)
	notNegative(errs, field+".TTL", q.TTL)
	if len(*errs) > before {
		return
	}
	if q.Of == 0 {
		*errs = append(*errs, &FieldError{field + ".Of", q.Of, "must be the number of observers in all controllers together"})
		return
	}
	orDefault(&q.Need, q.Of/2+1)
	orDefault(&q.MinZones, min(2, q.Of))
	orDefault(&q.Fall, 3)
	orDefault(&q.Rise, 2)
	orDefault(&q.TTL, 30*time.Second)
	if q.Need > q.Of {
		*errs = append(*errs, &FieldError{field + ".Need", q.Need, fmt.Sprintf("must not be more than Of, which is %d", q.Of)})
	}
	if q.MinZones > q.Need {
		*errs = append(*errs, &FieldError{field + ".MinZones", q.MinZones, fmt.Sprintf("must not be more than Need, which is %d", q.Need)})
	}
}

// Validate reports every mistake in the quorum as a [*FieldError].
func (q Quorum) Validate() error {
	var errs []error
	q.complete(&errs, "Quorum")
	return errors.Join(errs...)
}

// Vote is what an observer says for the time being.
type Vote struct {
	Observer string  `json:"observer"`
	Zone     string  `json:"zone"` // where the observer stands
	Verdict  Verdict `json:"verdict"`
	Evidence string  `json:"evidence,omitempty"`
	Where    string  `json:"where,omitempty"` // the zone of what it looks at

	// Failing is for how long it had failed when the observer voted. Zero: it does not.
	Failing time.Duration `json:"failing_ns,omitempty"`

	// Age is for how long the vote has not been repeated, by the clock of who reads it.
	Age time.Duration `json:"-"`
}

// live returns the votes that count: of each observer the youngest, unless it has expired.
func (q Quorum) live(votes []Vote) map[string]Vote {
	youngest := make(map[string]Vote, len(votes))
	for _, v := range votes {
		if old, ok := youngest[v.Observer]; v.Age <= q.TTL && (!ok || v.Age < old.Age) {
			youngest[v.Observer] = v
		}
	}
	return youngest
}

// Judge counts votes. Those that are older than TTL, or for Unknown, count for nothing; of several of one observer, the youngest counts.
//
//   - Failed: at least Need observers in at least MinZones zones say so.
//   - Suspect: fewer do, or somebody suspects.
//   - Healthy: somebody says so, and nobody anything else.
//   - Unknown: nobody says anything. That is never a reason to act.
func (q Quorum) Judge(votes []Vote) (Verdict, string) {
	var errs []error
	if q.complete(&errs, "Quorum"); len(errs) > 0 {
		return Unknown, errors.Join(errs...).Error()
	}
	live := q.live(votes)
	var healthy, suspect, failed int
	zones := make(map[string]bool)
	for _, v := range live {
		switch v.Verdict {
		case Healthy:
			healthy++
		case Suspect:
			suspect++
		case Failed:
			failed++
			zones[v.Zone] = true
		}
	}
	reason := fmt.Sprintf("%d of %d say failed", failed, q.Of)
	if len(zones) > 0 {
		names := make([]string, 0, len(zones))
		for z := range zones {
			names = append(names, z)
		}
		slices.Sort(names)
		reason += " (" + strings.Join(names, ", ") + ")"
	}
	reason += fmt.Sprintf(", %d suspect, %d healthy; %d in %d zones are needed", suspect, healthy, q.Need, q.MinZones)
	if len(live) > q.Of {
		reason += fmt.Sprintf("; but %d vote, so that Of should not be %d", len(live), q.Of)
	}
	switch {
	case failed >= q.Need && len(zones) >= q.MinZones:
		return Failed, reason
	case failed+suspect > 0:
		return Suspect, reason
	case healthy > 0:
		return Healthy, reason
	default:
		return Unknown, "nobody can tell"
	}
}

// voter turns the observations of one observer into its vote.
type voter struct {
	observer Observer
	quorum   Quorum

	bad, good int       // in a row
	since     time.Time // of bad
	vote      Vote
	at        time.Time

	answer chan Observation // of the look that is under way
}

// see takes in an observation.
func (v *voter) see(o Observation, now time.Time) {
	was := v.vote.Verdict
	failing := was == Suspect || was == Failed
	v.vote = Vote{Observer: v.observer.Name(), Zone: v.observer.Zone(), Evidence: brief(o.Evidence, maxEvidence), Where: brief(o.Zone, maxZone)}
	v.at = now
	switch o.Verdict {
	case Failed, Suspect:
		if !failing {
			v.since = now
		}
		v.bad, v.good = v.bad+1, 0
		v.vote.Verdict = Suspect
		if was == Failed || v.bad >= v.quorum.Fall {
			v.vote.Verdict = Failed
		}
		v.vote.Failing = now.Sub(v.since)
	case Healthy:
		v.bad, v.good = 0, v.good+1
		v.vote.Verdict = Healthy
		if failing && v.good < v.quorum.Rise {
			v.vote.Verdict, v.vote.Failing = was, now.Sub(v.since)
		}
	default: // whoever cannot tell abstains at once, and begins anew
		v.bad, v.good = 0, 0
		v.vote.Verdict = Unknown
	}
}
