package failover

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// opened is an incident that has begun, or is about to.
type opened struct {
	in        Incident  // as the journal has it; its State is empty until it is known to be there
	draft     *draft    // from which it was begun, until it is known to be there
	inherited bool      // of an earlier term, and not gone on with yet
	proposed  *Proposal // to go on with it, if its plan has to be approved
	survey    survey
	told      told

	plan      *Plan
	timeline  *Timeline
	begun     time.Time // of the execution
	confirmed bool      // the execution holds its lease, and may go on
	stop      context.CancelCauseFunc

	resumes      int
	resumeAt     time.Time
	givenUp      bool
	acknowledged time.Time // of the order that let it be resumed after it was given up
}

// begins tells that the incident is about to begin, and has not yet.
func (o *opened) begins() bool { return o.stop != nil && !o.confirmed && o.in.State == "" }

func (o *opened) stopFor(cause error) {
	if o.stop != nil {
		o.stop(cause)
	}
}

// Causes of the end of an execution that the leader stops, or does not let begin.
var (
	errPaused    = errors.New("paused by an order")
	errAbandoned = errors.New("abandoned by an order")
	errWell      = errors.New("the service has not failed any more")
	errHeld      = errors.New("held")
	errStale     = errors.New("what was known is too old")
)

// question is that of an execution which holds the lease of its service, and may have waited long for it: whether to begin, or to go on.
type question struct {
	c      *casefile
	o      *opened
	known  Incident // what the journal knows
	answer chan error
}

// ending is how something has ended that the leader has begun.
type ending interface {
	take(ctx context.Context, l *leading)
}

// begin executes the incident that a service's draft is of.
func (l *leading) begin(ctx context.Context, c *casefile) {
	d := c.draft
	c.draft = nil
	c.open = &opened{
		in:    Incident{Version: RecordVersion, Service: d.Service, ID: d.Incident, Facts: d.Facts, Automatic: true},
		draft: d, plan: &d.survey.last.plan,
	}
	timeline := new(Timeline)
	if at := c.detection.Since; !at.IsZero() {
		timeline.add(Event{Time: time.Now(), Kind: KindDetected, Service: d.Service, Incident: d.Incident, Took: time.Since(at), Detail: d.Cause})
	}
	l.execute(ctx, c, timeline, d.Cause)
}

// resume goes on with a service's open incident.
func (l *leading) resume(ctx context.Context, c *casefile) {
	c.open.inherited = false
	l.execute(ctx, c, new(Timeline), "")
}

func (l *leading) execute(ctx context.Context, c *casefile, timeline *Timeline, cause string) {
	o := c.open
	work, stop := context.WithCancelCause(ctx)
	o.stop, o.begun, o.confirmed, o.timeline, o.told.last = stop, time.Now(), false, timeline, hold{}
	in, plan := o.in.clone(), *o.plan
	l.left++
	l.running.Go(func() {
		defer stop(nil)
		_, err := l.engine.Execute(work, in.ID, plan, func(x *ExecOptions) {
			x.Timeline, x.Facts, x.Cause, x.Automatic = timeline, in.Facts, cause, true
			x.Holder, x.Dead, x.leader = l.holder(l.lease.Token()), l.predecessor, l.lease
			x.Confirm = func(ctx context.Context, known Incident) error {
				q := question{c, o, known, make(chan error, 1)}
				select {
				case l.asked <- q:
				case <-ctx.Done():
					return context.Cause(ctx)
				}
				select {
				case err := <-q.answer:
					return err
				case <-ctx.Done():
					return context.Cause(ctx)
				}
			}
		})
		l.ended <- executed{c, o, err}
	})
}

// freshRead is how old what has been read of the store may be when an execution asks whether to begin.
const freshRead = 250 * time.Millisecond

// confirm answers an execution that holds the lease of its service.
func (l *leading) confirm(ctx context.Context, q question) error {
	if time.Since(l.read) > freshRead {
		if err := l.refresh(ctx); err != nil {
			return err
		}
	}
	c, o := q.c, q.o
	running := 0
	for _, other := range l.cases {
		if other != c && other.open != nil && other.open.confirmed && other.open.stop != nil {
			running++
		}
	}
	switch {
	case l.stopped:
		return errPaused
	case ordered(l.orders, OrderAbandon, o.in.Service, o.in.ID):
		return errAbandoned
	case running >= l.opts.Brakes.MaxConcurrent:
		return fmt.Errorf("%w: %d incidents are being executed", errHeld, running)
	case q.known.State == "" && o.in.State == "":
		if err := l.confirmNew(ctx, c, o.draft); err != nil {
			return err
		}
	case o.in.State == "": // a write of ours that came late: it goes on with what that says
		return fmt.Errorf("%w: the incident has begun already", errStale)
	case q.known.State == IncidentRollingBack, q.known.State == IncidentRolledBack, q.known.State == IncidentAbandoned:
		return fmt.Errorf("%w: the incident is %s", errStale, q.known.State)
	}
	o.confirmed = true
	l.unhold(ctx, c)
	return nil
}

// confirmNew looks again at what a new incident begins on.
func (l *leading) confirmNew(ctx context.Context, c *casefile, d *draft) error {
	verdict, now := c.w.detection()
	f := d.survey.last
	switch {
	case verdict != Failed:
		return fmt.Errorf("%w: %s", errWell, now.Reason)
	case d.Zone != "" && now.Zone != "" && d.Zone != now.Zone:
		return fmt.Errorf("%w: it is zone %s now that has failed", errStale, now.Zone)
	case time.Since(f.at) > c.w.Quorum.TTL:
		return fmt.Errorf("%w: the lease came after %s", errStale, time.Since(f.at).Round(time.Second))
	}
	s := l.state(c, d.Incident)
	s.take(f)
	why := l.opts.Brakes.before(s)
	if why == (hold{}) {
		why = l.opts.Brakes.after(s)
	}
	if why != (hold{}) {
		l.hold(ctx, c, &d.told, d.Incident, why)
		return fmt.Errorf("%w: %s", errHeld, why.text)
	}
	return nil
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

// executed is how an execution ended.
type executed struct {
	c   *casefile
	o   *opened
	err error
}

func (e executed) take(ctx context.Context, l *leading) {
	c, o := e.c, e.o
	o.stop = nil
	l.read = time.Time{} // what the journal says now decides
	if o.draft != nil {
		o.draft.notBefore = time.Now().Add(l.opts.RetryInterval)
	}
	for _, expected := range []error{errPaused, errAbandoned, errWell, errHeld, ErrRolledBack} {
		if errors.Is(e.err, expected) {
			return
		}
	}
	switch {
	case e.err == nil:
		l.close(ctx, c)
		c.settles = time.Now().Add(c.w.Quorum.TTL)
	case ctx.Err() != nil: // another leader resumes it
	case errors.Is(e.err, errStale) && o.draft != nil: // it is judged anew
	case !o.confirmed && o.draft != nil: // it has not begun
		o.draft.notBefore = time.Now().Add(l.pause(o.draft.failures))
		o.draft.failures++
		l.emit(ctx, Event{Kind: KindStoreError, Service: o.in.Service, Incident: o.in.ID, Err: fmt.Errorf("it could not begin: %w", e.err)})
	case o.resumes >= l.opts.MaxResumes:
		l.giveUp(ctx, c, e.err)
	default:
		o.resumeAt = time.Now().Add(l.pause(o.resumes))
		o.resumes++
	}
}

// pause is that after an execution which was the n-th to fail, counted from 0.
func (l *leading) pause(n int) time.Duration {
	return min(l.opts.ResumeAfter<<min(n, 4), 10*l.opts.ResumeAfter)
}

// giveUp leaves an open incident alone, until it is acknowledged from now on.
func (l *leading) giveUp(ctx context.Context, c *casefile, err error) {
	o := c.open
	ack, _ := order(l.orders, OrderAcknowledge, o.in.Service, o.in.ID)
	o.givenUp, o.acknowledged = true, ack.Time
	l.emit(ctx, Event{Kind: KindGivenUp, Service: o.in.Service, Incident: o.in.ID, Err: err})
}

// close forgets a service's incident.
func (l *leading) close(ctx context.Context, c *casefile) {
	if o := c.open; o.draft != nil && o.draft.shown || o.proposed != nil {
		l.withdraw(ctx, c, o.in.ID, "")
	}
	c.open = nil
}

// reconcile compares what is known of a service's incident with the journal.
func (l *leading) reconcile(ctx context.Context, c *casefile) {
	if d := c.draft; d != nil {
		in := l.incident(incidentKey{d.Service, d.Incident})
		if in == nil {
			return
		}
		c.open, c.draft = &opened{in: Incident{Service: in.Service, ID: in.ID}, draft: d}, nil // a write of ours that came late
	}
	o := c.open
	if o == nil || o.stop != nil {
		return
	}
	switch in := l.incident(o.in.key()); {
	case in == nil: // it has not begun
		c.open, c.draft = nil, o.draft
	case in.State != IncidentOpen:
		l.close(ctx, c)
	default:
		o.in = in.clone()
		if o.draft != nil && o.draft.shown {
			l.withdraw(ctx, c, in.ID, o.draft.Plan)
		}
		o.draft = nil
	}
}

// mayResume tells whether an open incident goes on now.
func (l *leading) mayResume(ctx context.Context, c *casefile) bool {
	o := c.open
	if l.stopped || ordered(l.orders, OrderAbandon, o.in.Service, o.in.ID) || l.leaving[o.in.key()] != nil {
		return false
	}
	if time.Now().Before(o.resumeAt) {
		l.remind(o.resumeAt)
		return false
	}
	if n := l.executing(o); n >= l.opts.Brakes.MaxConcurrent {
		l.hold(ctx, c, &o.told, o.in.ID, hold{"busy", fmt.Sprintf("%d incidents are being executed", n)})
		return false
	}
	s := l.state(c, o.in.ID)
	if last := o.survey.last; o.proposed != nil && last != nil && last.digest == o.proposed.Plan {
		s.take(last)
		if !l.opts.Brakes.approved(s) { // until a person has looked, the service need not be asked again
			l.hold(ctx, c, &o.told, o.in.ID, s.unapproved())
			return false
		}
	}
	in := o.in.clone()
	f := l.findings(ctx, c, &o.survey, func(ctx context.Context) findings { return c.w.ask(ctx, in, nil) })
	switch {
	case f == nil:
		return false
	case f.why != (hold{}):
		l.hold(ctx, c, &o.told, in.ID, f.why)
		return false
	}
	o.plan = &f.plan
	if _, estimate := f.plan.CriticalPath(); o.inherited {
		if age := time.Since(in.Opened); age > l.opts.StaleAfter+2*estimate {
			l.giveUp(ctx, c, fmt.Errorf("it was left open %s ago", age.Round(time.Second)))
			o.acknowledged = time.Time{} // whoever has acknowledged it before knows
			return false
		}
	}
	s.take(f)
	if l.opts.Brakes.approved(s) {
		return true
	}
	if o.proposed == nil || o.proposed.Plan != f.digest {
		p := Proposal{
			Service: in.Service, Incident: in.ID, Facts: in.Facts, Zone: in.Facts[FactZone], Cause: "it is open, and its plan reaches further than was agreed to",
			Blast: f.blast.String(), Plan: f.digest, Steps: f.plan.Order(), Time: time.Now().UTC(),
		}
		if !l.propose(ctx, p) {
			return false
		}
		o.proposed = &p
	}
	l.hold(ctx, c, &o.told, in.ID, s.unapproved())
	return false
}
