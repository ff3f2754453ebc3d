package failover

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync"
	"time"
)

// leading is one term of a leader.
type leading struct {
	*Controller
	lease  Lease
	alone  bool // nobody else wants the lead
	since  time.Time
	cancel context.CancelCauseFunc

	running sync.WaitGroup
	ended   chan ending // an execution has ended
	news    chan struct{}

	// These belong to the leading goroutine.
	incidents []Incident // of the journal, as last read
	orders    []Order
	cases     map[string]*casefile // by service
	stopped   bool                 // by an order to pause
	read      time.Time            // when both were last read
	leaving   map[abandonment]bool
}

// casefile is what a leader knows of the incident of a service.
type casefile struct {
	w        *watched
	proposal *Proposal // waits for the brakes, or for a person
	told     hold      // why it was last held

	incident string // open: it is executed, or will be resumed
	stop     context.CancelCauseFunc
	timeline *Timeline
	planned  *Plan
	resumes  int
	resumeAt time.Time
	givenUp  bool
	settles  time.Time // until then what was done may not be seen yet
}

// abandonment is an incident that is being given up.
type abandonment struct{ service, incident string }

type ending struct {
	c    *casefile
	left *abandonment // nil: it was executed
	err  error
}

// Causes of the end of an execution that the leader stops.
var (
	errPaused    = errors.New("paused by an order")
	errAbandoned = errors.New("abandoned by an order")
)

// leads decides until the lease or ctx ends, or the lead is given away. All executions have ended when it returns.
func (c *Controller) leads(ctx context.Context, lease Lease) error {
	work, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(lease.Context(), func() { cancel(context.Cause(lease.Context())) })()
	l := &leading{
		Controller: c, lease: lease, alone: c.gave != 0 && lease.Token() == c.gave+1, since: time.Now(), cancel: cancel,
		ended: make(chan ending), news: make(chan struct{}, 1), cases: make(map[string]*casefile), leaving: make(map[abandonment]bool),
	}
	for _, w := range c.services {
		l.cases[w.Name] = &casefile{w: w}
	}
	c.emit(ctx, Event{Kind: KindLeading, Detail: fmt.Sprintf("token %d", lease.Token())})
	c.setLead(l)
	l.decide(work)
	cause := context.Cause(work)
	c.setLead(nil)
	c.emit(ctx, Event{Kind: KindNotLeading, Err: cause})
	bounded, done := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer done()
	if err := lease.Release(bounded); err != nil {
		c.emit(ctx, Event{Kind: KindReleaseError, Err: err})
	}
	c.gave = 0
	if errors.Is(cause, errHandOver) || l.alone {
		c.gave = lease.Token()
	}
	return cause
}

func (c *Controller) setLead(l *leading) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lead = l
	if l == nil {
		c.cases = nil
	}
}

// tick tells the leader, if this controller is it, that there is something new to see.
func (c *Controller) tick() {
	c.mu.Lock()
	l := c.lead
	c.mu.Unlock()
	if l == nil {
		return
	}
	select {
	case l.news <- struct{}{}:
	default:
	}
}

// decide goes round whenever something new has been seen or something has ended, until ctx ends.
func (l *leading) decide(ctx context.Context) {
	defer l.running.Wait()
	defer l.publish()
	left := 0 // executions that have not told their end
	inherited := false
	for {
		if ctx.Err() == nil {
			if !inherited {
				inherited = l.inherit(ctx)
			}
			if inherited {
				left += l.round(ctx)
			}
		}
		l.publish()
		if ctx.Err() != nil && left == 0 {
			return
		}
		var over <-chan struct{}
		if ctx.Err() == nil {
			over = ctx.Done()
		}
		select {
		case <-l.news:
		case <-over:
		case e := <-l.ended:
			left--
			l.end(ctx, e)
		}
	}
}

// inherit reads what the last leader has left.
func (l *leading) inherit(ctx context.Context) bool {
	if err := l.refresh(ctx); err != nil {
		l.emit(ctx, Event{Kind: KindStoreError, Err: err})
		return false
	}
	proposals, err := l.board.Proposals(ctx)
	if err != nil {
		l.emit(ctx, Event{Kind: KindStoreError, Err: err})
		return false
	}
	for _, p := range proposals {
		if c := l.cases[p.Service]; c != nil {
			c.proposal = &p
		}
	}
	for i := range l.incidents {
		in := &l.incidents[i]
		if c := l.cases[in.Service]; c != nil && in.Automatic && in.State == IncidentOpen {
			c.incident, c.proposal = in.ID, nil
		}
	}
	return true
}

// refresh reads the incidents and the orders.
func (l *leading) refresh(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, l.opts.ObserveTimeout)
	defer cancel()
	incidents, err := l.engine.journal.Incidents(ctx)
	if err != nil {
		return fmt.Errorf("incidents: %w", err)
	}
	orders, err := l.board.Orders(ctx)
	if err != nil {
		return fmt.Errorf("orders: %w", err)
	}
	l.incidents, l.orders, l.read = incidents, orders, time.Now()
	return nil
}

// round looks at every service, and returns how many executions it has begun.
func (l *leading) round(ctx context.Context) (begun int) {
	if !l.quiet() {
		if err := l.refresh(ctx); err != nil {
			if ctx.Err() == nil {
				l.emit(ctx, Event{Kind: KindStoreError, Err: err})
			}
			return 0 // what people have said cannot be told
		}
	}
	l.obey()
	begun = l.abandon(ctx)
	if why := l.unfit(); why != "" {
		l.emit(ctx, Event{Kind: KindHandOver, Detail: why})
		l.cancel(fmt.Errorf("%w: %s", errHandOver, why))
		return begun
	}
	for _, w := range l.services {
		c := l.cases[w.Name]
		switch {
		case c.stop != nil || c.givenUp || l.leaving[abandonment{w.Name, c.incident}]: // it is being executed, or left alone
		case c.incident != "":
			if l.mayResume(c) {
				l.begin(ctx, c)
				begun++
			}
		case l.wants(ctx, c):
			l.begin(ctx, c)
			begun++
		}
	}
	return begun
}

// quietRefresh is how often the store is asked while nothing is to be decided.
const quietRefresh = time.Minute

// quiet tells that nothing is to be decided, so that the store need not be asked now.
func (l *leading) quiet() bool {
	if time.Since(l.read) >= quietRefresh {
		return false
	}
	for _, w := range l.services {
		c := l.cases[w.Name]
		if verdict := w.judged(); verdict == Failed || c.incident != "" || c.proposal != nil {
			return false
		}
	}
	return true
}

// obey does what orders say about what is under way.
func (l *leading) obey() {
	l.stopped = false
	for _, o := range l.orders {
		l.stopped = l.stopped || o.Kind == OrderPause
	}
	for _, c := range l.cases {
		if c.incident == "" {
			continue
		}
		service := c.w.Name
		switch {
		case ordered(l.orders, OrderAbandon, service, c.incident):
			if c.stop != nil {
				c.stop(errAbandoned)
			}
		case l.stopped && c.stop != nil:
			c.stop(errPaused)
		case c.givenUp && ordered(l.orders, OrderAcknowledge, service, c.incident):
			c.givenUp, c.resumes = false, 0
		}
	}
}

// abandon gives up what orders say, whoever has begun it, and returns how many it has begun to give up.
func (l *leading) abandon(ctx context.Context) (begun int) {
	for i := range l.incidents {
		in := &l.incidents[i]
		a := abandonment{in.Service, in.ID}
		c := l.cases[in.Service]
		busy := c != nil && c.stop != nil
		if in.State != IncidentOpen && in.State != IncidentRollingBack || busy || l.leaving[a] || !ordered(l.orders, OrderAbandon, in.Service, in.ID) {
			continue
		}
		l.leaving[a] = true
		begun++
		l.running.Go(func() {
			err := l.engine.Abandon(ctx, a.service, a.incident, "by an order", func(o *ExecOptions) {
				o.Holder, o.Dead = l.holder(l.lease.Token()), l.predecessor
			})
			l.ended <- ending{left: &a, c: c, err: err}
		})
	}
	return begun
}

// unfit returns why this controller should not lead. One that has given the lead away before, and taken it again since nobody else did, keeps it.
func (l *leading) unfit() string {
	if l.alone {
		return ""
	}
	l.mu.Lock()
	err := l.unwell
	if l.unwells < 2 { // once may be chance
		err = nil
	}
	l.mu.Unlock()
	if err != nil {
		return fmt.Sprintf("the self-check fails: %v", err)
	}
	if l.opts.Zone == "" {
		return ""
	}
	for _, w := range l.services {
		if verdict := w.judged(); verdict != Failed {
			continue
		}
		if d := w.detection(); d.Zone == l.opts.Zone {
			return fmt.Sprintf("it stands in zone %s, where %s has failed", l.opts.Zone, w.Name)
		}
	}
	return ""
}

// wants tells whether an incident of the service is to begin now.
func (l *leading) wants(ctx context.Context, c *casefile) bool {
	w := c.w
	verdict := w.judged()
	if verdict != Failed {
		if c.proposal != nil && verdict == Healthy {
			l.drop(ctx, c)
		}
		return false
	}
	if time.Since(l.since) < l.opts.WarmUp || time.Now().Before(c.settles) {
		return false
	}
	if c.proposal == nil {
		if !l.prepare(ctx, c) {
			return false
		}
	}
	s, why := l.state(ctx, c)
	if why == (hold{}) {
		why = l.opts.Brakes.holds(s)
	}
	if why == (hold{}) {
		return true
	}
	l.hold(ctx, c, why)
	return false
}

// prepare makes the proposal of an incident.
func (l *leading) prepare(ctx context.Context, c *casefile) bool {
	d := c.w.detection()
	facts := map[string]string{}
	if d.Zone != "" {
		facts[FactZone] = d.Zone
	}
	if c.w.Prepare != nil {
		bounded, cancel := context.WithTimeout(ctx, l.opts.ObserveTimeout)
		defer cancel()
		err := guard(func() error {
			found, err := c.w.Prepare(bounded, d)
			maps.Copy(facts, found)
			return err
		})
		if err != nil {
			if ctx.Err() == nil {
				l.hold(ctx, c, hold{"prepare", fmt.Sprintf("prepare: %v", err)})
			}
			return false
		}
	}
	c.proposal = &Proposal{
		Service: c.w.Name, Incident: incidentID(c.w.Name, time.Now()), Facts: facts, Cause: d.Reason, Time: time.Now().UTC(),
	}
	l.emit(ctx, Event{
		Kind: KindDetected, Service: c.w.Name, Incident: c.proposal.Incident, Took: time.Since(d.Since), Detail: d.Reason,
	})
	return true
}

// plan makes the plan of an incident.
func (c *casefile) plan(in Incident) (plan Plan, err error) {
	err = guard(func() (err error) {
		plan, err = c.w.Plan(in)
		return err
	})
	if err == nil {
		err = plan.Validate()
	}
	if err == nil && plan.Service != in.Service {
		err = &FieldError{"Plan.Service", plan.Service, "must be " + in.Service}
	}
	return plan, err
}

// state is what the brakes look at for a proposal, or why that cannot be told.
func (l *leading) state(ctx context.Context, c *casefile) (*state, hold) {
	p := c.proposal
	plan, err := c.plan(Incident{Version: RecordVersion, Service: p.Service, ID: p.Incident, Facts: maps.Clone(p.Facts), Automatic: true})
	if err != nil {
		return nil, hold{"plan", fmt.Sprintf("plan: %v", err)}
	}
	p.Blast, c.planned = plan.Blast().String(), &plan
	s := &state{
		now: time.Now(), service: p.Service, facts: p.Facts, blast: plan.Blast(), surviving: -1, services: len(l.services),
		incidents: l.incidents, orders: l.orders, incident: p.Incident,
	}
	for _, w := range l.services {
		if verdict := w.judged(); verdict == Failed {
			s.failed++
		}
		if l.cases[w.Name].stop != nil {
			s.running++
		}
	}
	if c.w.Surviving != nil {
		bounded, cancel := context.WithTimeout(ctx, l.opts.ObserveTimeout)
		defer cancel()
		err := guard(func() (err error) {
			s.surviving, err = c.w.Surviving(bounded, maps.Clone(p.Facts))
			return err
		})
		if err != nil {
			return nil, hold{"surviving", fmt.Sprintf("surviving: %v", err)}
		}
	}
	return s, hold{}
}

// hold tells, once for each reason, that something is held; what a person can approve is put up for that.
func (l *leading) hold(ctx context.Context, c *casefile, why hold) {
	kind, incident := KindHeld, ""
	if c.proposal != nil {
		incident = c.proposal.Incident
	}
	if why.brake == needsApproval {
		kind = KindProposed
		if c.told.brake != why.brake {
			bounded, cancel := context.WithTimeout(ctx, l.opts.ObserveTimeout)
			err := l.board.propose(bounded, *c.proposal)
			cancel()
			if err != nil {
				l.emit(ctx, Event{Kind: KindStoreError, Service: c.w.Name, Incident: incident, Err: fmt.Errorf("proposal: %w", err)})
				return
			}
			c.proposal.Seq = 1 // it is up
		}
	}
	if c.told.brake != why.brake {
		l.emit(ctx, Event{Kind: kind, Service: c.w.Name, Incident: incident, Detail: why.text})
	}
	c.told = why
}

// drop forgets what was held: the service is well again.
func (l *leading) drop(ctx context.Context, c *casefile) {
	if c.proposal.Seq > 0 {
		l.withdraw(ctx, *c.proposal)
	}
	l.emit(ctx, Event{Kind: KindDropped, Service: c.w.Name, Incident: c.proposal.Incident, Detail: "the service is well again"})
	c.proposal, c.told = nil, hold{}
}

// withdraw takes a proposal down that was put up.
func (l *leading) withdraw(ctx context.Context, p Proposal) {
	p.Off = true
	ctx, cancel := context.WithTimeout(ctx, l.opts.ObserveTimeout)
	defer cancel()
	if err := l.board.propose(ctx, p); err != nil {
		l.emit(ctx, Event{Kind: KindStoreError, Service: p.Service, Incident: p.Incident, Err: fmt.Errorf("proposal: %w", err)})
	}
}

// mayResume tells whether an open incident goes on now.
func (l *leading) mayResume(c *casefile) bool {
	return !l.stopped && !time.Now().Before(c.resumeAt) && !ordered(l.orders, OrderAbandon, c.w.Name, c.incident)
}

// begin executes the incident of a service, or goes on with it.
func (l *leading) begin(ctx context.Context, c *casefile) {
	in, cause := Incident{Version: RecordVersion, Service: c.w.Name, ID: c.incident, Automatic: true}, ""
	timeline := new(Timeline)
	if p := c.proposal; p != nil {
		in.ID, in.Facts, cause = p.Incident, maps.Clone(p.Facts), p.Cause
		if d := c.w.detection(); !d.Since.IsZero() {
			timeline.add(Event{Time: time.Now(), Kind: KindDetected, Service: in.Service, Incident: in.ID, Took: time.Since(d.Since), Detail: d.Reason})
		}
	}
	for i := range l.incidents {
		if known := &l.incidents[i]; known.Service == in.Service && known.ID == in.ID {
			in = known.clone()
		}
	}
	plan, err := c.plan(in)
	work, stop := context.WithCancelCause(ctx)
	proposal := c.proposal
	c.planned = &plan
	c.incident, c.proposal, c.told, c.stop, c.timeline = in.ID, nil, hold{}, stop, timeline
	l.running.Go(func() {
		defer stop(nil)
		if err == nil {
			_, err = l.engine.Execute(work, in.ID, plan, func(o *ExecOptions) {
				o.Timeline, o.Facts, o.Cause, o.Automatic = timeline, in.Facts, cause, true
				o.Holder, o.Dead = l.holder(l.lease.Token()), l.predecessor
			})
		}
		if proposal != nil && proposal.Seq > 0 {
			l.withdraw(context.WithoutCancel(work), *proposal)
		}
		l.ended <- ending{c: c, err: err}
	})
}

// predecessor proves that the holder of a service's lease makes no effects any more: it was a controller that led in an earlier term, and its
// executions ended with that, before this term could begin.
func (l *leading) predecessor(_ context.Context, h LeaseHolder) bool {
	mark := ", leader " + l.opts.Lease + "/"
	i := strings.LastIndex(h.Name, mark)
	if i < 0 {
		return false
	}
	term, err := strconv.ParseUint(h.Name[i+len(mark):], 10, 64)
	return err == nil && term < l.lease.Token() && l.lease.Valid() == nil
}

// end takes in how an execution ended.
func (l *leading) end(ctx context.Context, e ending) {
	c := e.c
	if e.left != nil {
		delete(l.leaving, *e.left)
		switch {
		case e.err != nil && ctx.Err() == nil:
			l.emit(ctx, Event{Kind: KindStoreError, Service: e.left.service, Incident: e.left.incident, Err: e.err})
		case e.err == nil && c != nil && c.incident == e.left.incident:
			c.incident, c.givenUp, c.resumes, c.timeline, c.planned = "", false, 0, nil, nil
		}
		return
	}
	c.stop = nil
	switch {
	case e.err == nil:
		c.incident, c.resumes, c.timeline = "", 0, nil
		c.settles = time.Now().Add(c.w.Quorum.TTL)
	case ctx.Err() != nil, errors.Is(e.err, errPaused), errors.Is(e.err, errAbandoned): // it was stopped, and is resumed when that is over
	case errors.Is(e.err, ErrRolledBack): // somebody has decided otherwise
		c.incident = ""
	case c.resumes >= l.opts.MaxResumes:
		c.givenUp = true
		l.emit(ctx, Event{Kind: KindGivenUp, Service: c.w.Name, Incident: c.incident, Err: e.err})
	default:
		pause := min(l.opts.ResumeAfter<<c.resumes, 10*l.opts.ResumeAfter)
		c.resumes++
		c.resumeAt = time.Now().Add(pause)
		time.AfterFunc(pause, l.tick)
	}
}
