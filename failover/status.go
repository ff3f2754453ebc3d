package failover

import (
	"slices"
	"strings"
	"time"
)

// Status is what a controller knows at one moment.
type Status struct {
	Time       time.Time
	Controller string
	Zone       string
	Leading    bool
	Leader     string // as far as this controller knows; empty: it does not
	Unwell     error  // why it cannot judge others; nil: it can
	Services   []ServiceStatus
}

// ServiceStatus is a service in a [Status]. What only the leader knows is empty on other controllers.
type ServiceStatus struct {
	Name    string
	Verdict Verdict
	Since   time.Time // of the verdict
	Reason  string
	Votes   []Vote

	Incident string    // that is open
	Held     string    // why nothing is done although the service has failed
	Proposed *Proposal // waits for an approval
	GivenUp  bool      // the incident did not come to its end, and waits for a person
	Plan     *Plan     // of the incident
	Timeline *Timeline // of its execution by this controller, as it goes on
}

// caseStatus is what the leader knows of a service.
type caseStatus struct {
	incident, held string
	proposed       *Proposal
	givenUp        bool
	plan           *Plan
	timeline       *Timeline
}

// Status returns what the controller knows now. It does no I/O and waits for nothing, so that a handler can serve it.
func (c *Controller) Status() Status {
	c.mu.Lock()
	s := Status{
		Time: time.Now(), Controller: c.opts.Name, Zone: c.opts.Zone, Leading: c.lead != nil, Leader: c.leader, Unwell: c.unwell,
	}
	cases := c.cases
	c.mu.Unlock()
	for _, w := range c.services {
		w.mu.Lock()
		one := ServiceStatus{Name: w.Name, Verdict: w.verdict, Since: w.since, Reason: w.reason, Votes: slices.Clone(w.votes)}
		w.mu.Unlock()
		slices.SortFunc(one.Votes, func(a, b Vote) int { return strings.Compare(a.Observer, b.Observer) })
		k := cases[w.Name]
		one.Incident, one.Held, one.Proposed, one.GivenUp, one.Plan, one.Timeline = k.incident, k.held, k.proposed, k.givenUp, k.plan, k.timeline
		s.Services = append(s.Services, one)
	}
	return s
}

// publish shows what the leading goroutine knows.
func (l *leading) publish() {
	cases := make(map[string]caseStatus, len(l.cases))
	for name, c := range l.cases {
		var k caseStatus
		switch o, d := c.open, c.draft; {
		case o != nil:
			k = caseStatus{incident: o.in.ID, held: o.told.last.text, givenUp: o.givenUp, plan: o.plan, timeline: o.timeline, proposed: o.proposed}
		case d != nil:
			k.held = d.told.last.text
			if d.survey.last != nil && d.survey.last.why == (hold{}) {
				k.plan = &d.survey.last.plan
			}
			if d.shown {
				p := d.Proposal
				k.proposed = &p
			}
		}
		cases[name] = k
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.Controller.cases = cases
}
