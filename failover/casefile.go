package failover

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"
)

// casefile is what a leader knows of a service, and does about it.
type casefile struct {
	w         *watched
	verdict   Verdict // of this round
	detection Detection

	draft   *draft    // an incident that has not begun
	open    *opened   // one that has, or is about to
	settles time.Time // until then what was done may not be seen yet
	last    time.Time // of the last draft

	held   bool // the board says that something is held
	writes sequence
}

// draft is an incident that would begin, and is asked about or held.
type draft struct {
	Proposal

	shown     bool // it is up on the board for an approval: its facts do not change any more
	survey    survey
	told      told
	failures  int // executions that ended before the journal had it
	notBefore time.Time
}

// told is what has been told about an incident that is held.
type told struct {
	last hold
	at   map[string]time.Time // by brake
}

// tellAgain is after how long it is told again that a brake holds an incident, if another has held it meanwhile.
const tellAgain = 15 * time.Minute

// sequence runs functions one after another, without making their callers wait.
type sequence struct {
	mu    sync.Mutex
	queue []func()
}

func (s *sequence) do(group *sync.WaitGroup, fn func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = append(s.queue, fn)
	if len(s.queue) > 1 {
		return
	}
	group.Go(func() {
		for next := fn; next != nil; {
			next()
			next = s.done()
		}
	})
}

// done takes the first function off, and returns the one after it.
func (s *sequence) done() func() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.queue = s.queue[1:]; len(s.queue) == 0 {
		return nil
	}
	return s.queue[0]
}

// wants tells whether an incident of the service is to begin now.
func (l *leading) wants(ctx context.Context, c *casefile) bool {
	if c.verdict != Failed {
		if c.verdict == Healthy {
			l.drop(ctx, c, "the service is well again")
			l.unhold(ctx, c)
		}
		return false
	}
	for _, wait := range []time.Time{l.began.Add(l.opts.WarmUp), c.settles} {
		if time.Now().Before(wait) {
			l.remind(wait)
			return false
		}
	}
	if d := c.draft; d != nil && d.shown && d.Zone != "" && c.detection.Zone != "" && d.Zone != c.detection.Zone {
		l.drop(ctx, c, fmt.Sprintf("it is zone %s now that has failed", c.detection.Zone))
	}
	if c.draft == nil {
		l.detect(ctx, c)
	}
	d := c.draft
	if time.Now().Before(d.notBefore) {
		l.remind(d.notBefore)
		return false
	}
	s := l.state(c, d.Incident)
	if why := l.opts.Brakes.before(s); why != (hold{}) {
		l.hold(ctx, c, &d.told, d.Incident, why)
		return false
	}
	if last := d.survey.last; d.shown && last != nil && last.digest == d.Plan {
		s.take(last)
		if !l.opts.Brakes.approved(s) { // until a person has looked, the service need not be asked again
			l.hold(ctx, c, &d.told, d.Incident, s.unapproved())
			return false
		}
	}
	f := l.findings(ctx, c, &d.survey, d.asks(c))
	switch {
	case f == nil:
		return false
	case f.why != (hold{}):
		l.hold(ctx, c, &d.told, d.Incident, f.why)
		return false
	case d.shown && f.digest != d.Plan:
		l.drop(ctx, c, "its plan is another one now")
		l.remind(time.Now())
		return false
	}
	d.take(f)
	s.take(f)
	if why := l.opts.Brakes.after(s); why != (hold{}) {
		f.held = why.brake != needsApproval
		if why.brake == needsApproval && !d.shown {
			if !l.propose(ctx, d.Proposal) {
				return false
			}
			d.shown = true
		}
		l.hold(ctx, c, &d.told, d.Incident, why)
		return false
	}
	if time.Since(f.at) > c.w.Quorum.TTL { // it held, and does not any more: not to be begun on
		d.survey.next = time.Time{}
		l.remind(time.Now())
		return false
	}
	return true
}

// detect makes the draft of an incident.
func (l *leading) detect(ctx context.Context, c *casefile) {
	now := time.Now()
	at := now
	if second := c.last.Add(time.Second); at.Before(second) {
		at = second
	}
	for l.incident(incidentKey{c.w.Name, incidentID(c.w.Name, at)}) != nil {
		at = at.Add(time.Second)
	}
	c.last = at
	c.draft = &draft{Proposal: Proposal{
		Service: c.w.Name, Incident: incidentID(c.w.Name, at), Zone: c.detection.Zone, Cause: c.detection.Reason, Time: now.UTC(),
	}}
	l.emit(ctx, Event{
		Kind: KindDetected, Service: c.w.Name, Incident: c.draft.Incident, Took: now.Sub(c.detection.Since), Detail: c.detection.Reason,
	})
}

// asks is the survey of the draft. What is shown is not prepared again: somebody may be approving it.
func (d *draft) asks(c *casefile) func(context.Context) findings {
	in := Incident{Version: RecordVersion, Service: d.Service, ID: d.Incident, Facts: maps.Clone(d.Facts), Automatic: true}
	if d.shown {
		return func(ctx context.Context) findings { return c.w.ask(ctx, in, nil) }
	}
	detection := c.detection
	return func(ctx context.Context) findings { return c.w.ask(ctx, in, &detection) }
}

// take takes over what the service has said.
func (d *draft) take(f *findings) {
	if d.shown {
		return
	}
	d.Facts, d.Zone, d.Cause = f.facts, f.zone, f.cause
	d.Blast, d.Plan, d.Steps = f.blast.String(), f.digest, f.plan.Order()
}

// take takes over what the service has said.
func (s *state) take(f *findings) {
	s.facts, s.blast, s.plan, s.surviving = f.facts, f.blast, f.digest, f.surviving
}

// hold tells that something is held: once for each brake, and again after a while.
func (l *leading) hold(ctx context.Context, c *casefile, t *told, incident string, why hold) {
	same := t.last.brake == why.brake
	t.last = why
	if at, ok := t.at[why.brake]; same || ok && time.Since(at) < tellAgain {
		return
	}
	if t.at == nil {
		t.at = make(map[string]time.Time)
	}
	now := time.Now()
	t.at[why.brake] = now
	kind := KindHeld
	if why.brake == needsApproval {
		kind = KindProposed
	}
	l.emit(ctx, Event{Kind: kind, Service: c.w.Name, Incident: incident, Detail: why.text})
	c.held = true
	l.write(ctx, c, incident, "held", func(ctx context.Context) error {
		return l.board.hold(ctx, Held{Service: c.w.Name, Incident: incident, Why: brief(why.text, maxDetail), By: l.opts.Name, Time: now.UTC()})
	})
}

// unhold tells the board that nothing of the service is held any more.
func (l *leading) unhold(ctx context.Context, c *casefile) {
	if !c.held {
		return
	}
	c.held = false
	l.write(ctx, c, "", "held", func(ctx context.Context) error { return l.board.unhold(ctx, c.w.Name) })
}

// propose puts a proposal up. What is not up cannot be approved, so that it is waited for.
func (l *leading) propose(ctx context.Context, p Proposal) bool {
	ctx, cancel := context.WithTimeout(ctx, l.opts.ObserveTimeout)
	defer cancel()
	if err := l.board.propose(ctx, p); err != nil {
		l.emit(ctx, Event{Kind: KindStoreError, Service: p.Service, Incident: p.Incident, Err: fmt.Errorf("proposal: %w", err)})
		return false
	}
	return true
}

// withdraw takes a proposal down: see [Board.withdraw]. It may come later than another one of the same incident is put up.
func (l *leading) withdraw(ctx context.Context, c *casefile, incident, plan string) {
	l.write(ctx, c, incident, "proposal", func(ctx context.Context) error { return l.board.withdraw(ctx, c.w.Name, incident, plan) })
}

// write writes to the board when what was to be written for the service before is. Nobody waits for it; it is done even if the term has ended.
func (l *leading) write(ctx context.Context, c *casefile, incident, what string, write func(context.Context) error) {
	c.writes.do(&l.running, func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.opts.ObserveTimeout)
		defer cancel()
		if err := write(ctx); err != nil {
			l.emit(ctx, Event{Kind: KindStoreError, Service: c.w.Name, Incident: incident, Err: fmt.Errorf("%s: %w", what, err)})
		}
	})
}

// drop forgets the draft.
func (l *leading) drop(ctx context.Context, c *casefile, why string) {
	d := c.draft
	if d == nil {
		return
	}
	if d.shown {
		l.withdraw(ctx, c, d.Incident, "")
	}
	l.emit(ctx, Event{Kind: KindDropped, Service: c.w.Name, Incident: d.Incident, Detail: why})
	c.draft = nil
}
