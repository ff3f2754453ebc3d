package failover

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/awsha/awsha/internal/awserr"
)

// leading is one term of a leader. What it does not share with executions belongs to one goroutine, which waits for nobody but the store.
type leading struct {
	*Controller

	lease  Lease
	began  time.Time
	cancel context.CancelCauseFunc

	running sync.WaitGroup
	asked   chan question // executions that hold their lease, and ask whether to begin
	ended   chan ending   // those that have ended
	news    chan struct{}

	left      int // executions that have not told their end
	cases     map[string]*casefile
	incidents []agedIncident // of the journal
	orders    []Order
	read      time.Time // when both were last read; zero: they have to be read again
	stopped   bool      // by an order to pause
	leaving   map[incidentKey]*leave
	next      time.Time // when to look again at the latest, if there is no news; zero: not before that
}

// leads decides until the lease or ctx ends, or the lead is given away. All executions have ended when it returns.
func (c *Controller) leads(ctx context.Context, lease Lease) error {
	work, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(lease.Context(), func() { cancel(context.Cause(lease.Context())) })()
	l := &leading{
		Controller: c, lease: lease, began: time.Now(), cancel: cancel,
		asked: make(chan question), ended: make(chan ending), news: make(chan struct{}, 1),
		cases: make(map[string]*casefile), leaving: make(map[incidentKey]*leave),
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
	if l != nil {
		l.tick()
	}
}

func (l *leading) tick() {
	select {
	case l.news <- struct{}{}:
	default:
	}
}

// remind makes the leader look again at t at the latest.
func (l *leading) remind(t time.Time) {
	if l.next.IsZero() || t.Before(l.next) {
		l.next = t
	}
}

// decide goes round whenever something new has been seen or something has ended, until ctx ends.
func (l *leading) decide(ctx context.Context) {
	defer l.running.Wait()
	defer l.publish()
	inherited := false
	for {
		l.next = time.Time{}
		if ctx.Err() == nil {
			if !inherited {
				inherited = l.inherit(ctx)
			}
			if inherited {
				l.round(ctx)
			}
		}
		l.publish()
		if ctx.Err() != nil && l.left == 0 {
			return
		}
		l.wait(ctx)
	}
}

// wait waits for something new.
func (l *leading) wait(ctx context.Context) {
	var over <-chan struct{}
	var due <-chan time.Time
	if ctx.Err() == nil {
		over = ctx.Done()
		if !l.next.IsZero() {
			timer := time.NewTimer(time.Until(l.next))
			defer timer.Stop()
			due = timer.C
		}
	}
	select {
	case <-l.news:
	case <-due:
	case <-over:
	case q := <-l.asked:
		q.answer <- l.confirm(ctx, q)
	case e := <-l.ended:
		l.left--
		e.take(ctx, l)
	}
}

// inherit reads what the last leader has left.
func (l *leading) inherit(ctx context.Context) bool {
	bounded, cancel := context.WithTimeout(ctx, l.opts.ObserveTimeout)
	defer cancel()
	err := l.refresh(bounded)
	var proposals []Proposal
	if err == nil {
		proposals, err = l.board.Proposals(bounded)
	}
	var held []Held
	if err == nil {
		held, err = l.board.Held(bounded)
	}
	if err != nil {
		l.unread(ctx, err)
		return false
	}
	for _, h := range held {
		if c := l.cases[h.Service]; c != nil && h.Ended.IsZero() {
			c.held = true
		}
	}
	for i := range l.incidents {
		in := &l.incidents[i].Incident
		switch c := l.cases[in.Service]; {
		case !in.Automatic || in.State != IncidentOpen:
		case c == nil:
			l.emit(ctx, Event{Kind: KindHeld, Service: in.Service, Incident: in.ID, Detail: "it is open, and of a service that this controller does not know"})
		default:
			c.open = &opened{in: *in, inherited: true}
		}
	}
	for _, p := range proposals {
		c := l.cases[p.Service]
		switch known := l.incident(incidentKey{p.Service, p.Incident}); {
		case c == nil: // of a service that another version of the fleet knows
		case known == nil && c.open == nil:
			c.draft = &draft{Proposal: p, shown: true}
		case known != nil && c.open != nil && c.open.in.ID == p.Incident:
			c.open.proposed = &p
		default: // it is over
			l.withdraw(ctx, c, p.Incident, "")
		}
	}
	return true
}

// incident returns what the journal knows of an incident, or nil.
func (l *leading) incident(key incidentKey) *Incident {
	i := slices.IndexFunc(l.incidents, func(in agedIncident) bool { return in.key() == key })
	if i < 0 {
		return nil
	}
	return &l.incidents[i].Incident
}

// unread tells that the store could not be read. What no waiting mends is left to a controller that understands it.
func (l *leading) unread(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	l.emit(ctx, Event{Kind: KindStoreError, Err: err})
	if isPermanent(err) || errors.Is(err, ErrNewer) || awserr.Refused(err) {
		l.handOver(ctx, fmt.Sprintf("it cannot read the store: %v", err))
	}
}

func (l *leading) handOver(ctx context.Context, why string) {
	l.emit(ctx, Event{Kind: KindHandOver, Detail: why})
	l.cancel(fmt.Errorf("%w: %s", errHandOver, why))
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
	l.incidents, l.orders, l.read = l.age(incidents, l.incidents == nil), orders, time.Now()
	l.stopped = slices.ContainsFunc(orders, func(o Order) bool { return o.Kind == OrderPause })
	return nil
}

// round looks at every service, and begins what is to begin.
func (l *leading) round(ctx context.Context) {
	for _, w := range l.services {
		c := l.cases[w.Name]
		c.verdict, c.detection = w.detection()
	}
	if !l.quiet() {
		if err := l.refresh(ctx); err != nil {
			l.unread(ctx, err)
			return // what people have said cannot be told
		}
	}
	l.obey()
	l.abandon(ctx)
	if why, successor := l.unfitness(); why != "" && successor != "" {
		l.handOver(ctx, fmt.Sprintf("to %s: %s", successor, why))
		return
	}
	for _, w := range l.services {
		l.reconcile(ctx, l.cases[w.Name])
	}
	for _, c := range l.resumable() {
		if l.mayResume(ctx, c) {
			l.resume(ctx, c)
		}
	}
	for _, w := range l.services {
		if c := l.cases[w.Name]; c.open == nil && l.wants(ctx, c) {
			l.begin(ctx, c)
		}
	}
}

// quietRefresh is how often the store is asked while nothing is to be decided.
const quietRefresh = time.Minute

// quiet tells that nothing is to be decided, so that the store need not be asked now. While people are waited for it is asked once per Interval.
func (l *leading) quiet() bool {
	most := quietRefresh
	if len(l.leaving) > 0 {
		return false
	}
	for _, c := range l.cases {
		switch {
		case c.open != nil && c.open.givenUp, c.draft != nil && c.draft.told.last != (hold{}):
			most = l.opts.Interval
		case c.open != nil, c.draft != nil, c.verdict == Failed:
			return false
		}
	}
	return time.Since(l.read) < most
}

// unfitness returns why this controller should not lead, and who else could. One that nobody else could replace leads on: a leader in a bad place is
// better than none.
func (l *leading) unfitness() (why, successor string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.unfit, l.successor
}

// obey does what orders say about what is under way.
func (l *leading) obey() {
	for _, c := range l.cases {
		o := c.open
		if o == nil {
			continue
		}
		key := o.in.key()
		switch {
		case ordered(l.orders, OrderAbandon, key.service, key.id):
			o.stopFor(errAbandoned)
		case l.stopped:
			o.stopFor(errPaused)
		case o.begins() && c.verdict == Healthy:
			o.stopFor(errWell)
		case o.givenUp:
			if ack, ok := order(l.orders, OrderAcknowledge, key.service, key.id); ok && !ack.Time.Equal(o.acknowledged) {
				o.givenUp, o.acknowledged, o.resumes, o.resumeAt, o.inherited = false, ack.Time, 0, time.Time{}, false
			}
		}
	}
}

// executing counts the incidents that are executed, but for one. What waits for the lease of its service for long does not count: another is at work there.
func (l *leading) executing(but *opened) (n int) {
	for _, c := range l.cases {
		if o := c.open; o != nil && o != but && o.stop != nil && (o.confirmed || time.Since(o.begun) < l.opts.Interval) {
			n++
		}
	}
	return n
}

// resumable returns the cases whose incident is open and not executed, the oldest first.
func (l *leading) resumable() []*casefile {
	var list []*casefile
	for _, c := range l.cases {
		if c.open != nil && c.open.stop == nil && !c.open.givenUp {
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b *casefile) int { return a.open.in.Opened.Compare(b.open.in.Opened) })
	return list
}

// state is what the brakes look at before the service has been asked.
func (l *leading) state(c *casefile, incident string) *state {
	s := &state{service: c.w.Name, incident: incident, services: len(l.services), incidents: l.incidents, orders: l.orders, surviving: -1}
	for _, other := range l.cases {
		if other.verdict == Failed || other.verdict == Suspect {
			s.ill++
		}
		if o := other.open; o != nil && o.stop == nil && !o.givenUp && l.leaving[o.in.key()] == nil && other != c {
			s.running++ // it will be resumed
		}
	}
	s.running += l.executing(c.open)
	return s
}
