package failover

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Service is something that a [Controller] watches, and knows what to do for when it fails.
type Service struct {
	// Name is that of the plans' Service, and unique in the fleet. Required.
	Name string

	// Observers are this controller's own. Those of other controllers vote too: see [Quorum.Of].
	Observers []Observer

	// Quorum says when they agree. Quorum.Of is required.
	Quorum Quorum

	// Prepare chooses what is to happen, once the observers agree that the service has failed: what failed, what takes over, where. What it
	// returns are the incident's facts, from which Plan makes the plan now and whenever the incident is resumed. It reads; it has no effect.
	// An error holds the incident, and Prepare is called again: after RetryInterval, doubling up to a minute. Its facts count for as long as a vote
	// ([Quorum.TTL]), and are prepared again after that, unless they wait for an approval. It has ObserveTimeout, and holds up nothing else. Nil means no facts.
	Prepare func(ctx context.Context, d Detection) (map[string]string, error)

	// Plan makes the plan of an incident from its facts, without I/O: the same plan whenever they are the same. An approval is of the plan that was shown;
	// one that differs, after an update of the service, is proposed anew. Required.
	Plan func(in Incident) (Plan, error)

	// Surviving returns which share of the service, from 0 to 1, would still serve without what the facts say has failed. See
	// [Brakes.MinSurviving]. An error, and what is no share, hold the incident. It is called when Prepare is, after Plan, within the same ObserveTimeout; not
	// for what has begun. Nil means that nobody tells, and that nothing is held for it.
	Surviving func(ctx context.Context, facts map[string]string) (float64, error)
}

// Detection is what the observers agree about.
type Detection struct {
	Service string
	Zone    string // of what failed, if the observers know it and do not contradict each other
	Reason  string // the count
	Votes   []Vote
	Since   time.Time // when the first of them saw it fail, by our own clock
}

// ControllerOptions configure a [Controller]. Every zero value means the default that its comment names.
type ControllerOptions struct {
	// Name is this controller's, unique among those of the fleet. Required. Zone is where it stands, by its ID ("use1-az2").
	Name, Zone string

	// Lease is the name of the lease that the leader of the fleet holds. Default "controllers".
	Lease string

	// Interval is the time between looks at services that are well; while something is suspect it is RetryInterval. Defaults 5 s and 1 s, less up
	// to 10 % of jitter. ObserveTimeout bounds one look; default 3 s.
	Interval, RetryInterval, ObserveTimeout time.Duration

	// WarmUp is for how long a fresh leader only watches, so that it decides nothing on what it has seen once. What a dead leader has left open
	// is gone on with at once. Default three Intervals.
	WarmUp time.Duration

	// SelfCheck tells whether this controller can judge others: it reaches its control targets, say. With an error its observers that do not see a
	// service well abstain, and it gives the lead to a controller that can judge, if one says so. It is called once per look. Nil means that it can.
	SelfCheck func(ctx context.Context) error

	// StandBack is for how long a leader that has given the lead away leaves it to others. Default 45 s.
	StandBack time.Duration

	// ResumeAfter is the first pause before an incident that did not come to its end is resumed; it doubles up to ten times that. After MaxResumes
	// of them a leader gives up, until it is acknowledged. Defaults 15 s and 8.
	ResumeAfter time.Duration
	MaxResumes  int

	// StaleAfter is for how long an open incident may have been open, beside twice what its plan takes, for a fresh leader to go on with it: one that
	// nobody has gone on with for longer is given up, until it is acknowledged. Default 1 h.
	StaleAfter time.Duration

	Brakes Brakes

	// Logger receives every event. Nil is silent.
	Logger *slog.Logger

	// OnEvent is called synchronously with every event of the controller, by several goroutines at once; those of executions go to the engine's. It must
	// return at once. A panic in it is recovered and logged. Nil means nobody listens.
	OnEvent func(context.Context, Event)
}

// Controller watches services, and executes their plans when they fail. Any number of controllers run at once, in different zones, on one
// store: all of them watch, and the one that holds the lease decides and acts. Make one with [NewController].
type Controller struct {
	engine   *Engine
	board    *Board
	opts     ControllerOptions
	services []*watched
	parts    [][]*watched // of which the votes fit into an entry each
	run      string       // unique to it
	ran      atomic.Bool
	wake     chan struct{}

	watching sync.WaitGroup
	self     chan error // of the self-check that is under way

	ages map[incidentKey]incidentAge // of the leading goroutine, for all terms

	mu        sync.Mutex
	lead      *leading // nil while another controller leads
	unwell    error    // of the last self-check
	unwells   int      // in a row
	unfit     string   // why it should not lead; empty: it can
	unfitFrom time.Time
	successor string // another that can
	leader    string // as far as the votes tell
	cases     map[string]caseStatus
}

// watched is a service with what this controller sees of it. It belongs to the watching goroutine but for what judgement copies.
type watched struct {
	Service

	voters []*voter

	mu      sync.Mutex
	verdict Verdict
	reason  string
	votes   []Vote
	since   time.Time // of the verdict
	failing time.Time // when it was first seen to fail; zero: it does not
}

// NewController returns a controller that executes with engine and talks to others on board. It does no I/O and starts nothing. It reports every
// mistake at once, each as a [*FieldError].
func NewController(engine *Engine, board *Board, services []Service, optFns ...func(*ControllerOptions)) (*Controller, error) {
	var o ControllerOptions
	for _, fn := range optFns {
		fn(&o)
	}
	var errs []error
	require := func(ok bool, field string, v any, rule string) {
		if !ok {
			errs = append(errs, &FieldError{field, v, rule})
		}
	}
	require(engine != nil, "engine", engine, "must not be nil")
	require(board != nil, "board", board, "must not be nil")
	require(len(services) > 0, "services", len(services), "services: there must be at least one")
	c := &Controller{engine: engine, board: board, run: rand.Text(), wake: make(chan struct{}, 1), ages: make(map[incidentKey]incidentAge)}
	names, observers := make(map[string]bool), make(map[string]bool)
	for i, s := range services {
		field := fmt.Sprintf("services[%d]", i)
		require(s.Name != "", field+".Name", s.Name, "must not be empty")
		require(s.Name == "" || !names[s.Name], field+".Name", s.Name, "is that of another service")
		require(s.Plan != nil, field+".Plan", nil, "must not be nil")
		names[s.Name] = true
		s.Quorum.complete(&errs, field+".Quorum")
		w := &watched{Service: s}
		for k, obs := range s.Observers {
			field := fmt.Sprintf("%s.Observers[%d]", field, k)
			if obs == nil {
				require(false, field, nil, "must not be nil")
				continue
			}
			key := s.Name + "\x00" + obs.Name()
			require(obs.Name() != "", field+".Name", obs.Name(), "must not be empty")
			require(!observers[key], field+".Name", obs.Name(), "is that of another observer")
			observers[key] = true
			w.voters = append(w.voters, &voter{observer: obs, quorum: s.Quorum})
		}
		require(w.size() <= maxPart, field+".Observers", len(s.Observers), "observers: their votes do not fit into an entry of a Store")
		c.services = append(c.services, w)
	}
	c.parts = partition(c.services)
	if err := errors.Join(append(errs, o.complete())...); err != nil {
		return nil, err
	}
	c.opts = o
	return c, nil
}

func (o *ControllerOptions) complete() error {
	var errs []error
	if o.Name == "" {
		errs = append(errs, &FieldError{"ControllerOptions.Name", o.Name, "must not be empty"})
	}
	for _, d := range []struct {
		field string
		v     *time.Duration
		def   time.Duration
	}{
		{"Interval", &o.Interval, 5 * time.Second},
		{"RetryInterval", &o.RetryInterval, time.Second},
		{"ObserveTimeout", &o.ObserveTimeout, 3 * time.Second},
		{"WarmUp", &o.WarmUp, 3 * max(o.Interval, 0)},
		{"StandBack", &o.StandBack, 45 * time.Second},
		{"ResumeAfter", &o.ResumeAfter, 15 * time.Second},
		{"StaleAfter", &o.StaleAfter, time.Hour},
	} {
		notNegative(&errs, "ControllerOptions."+d.field, *d.v)
		orDefault(d.v, d.def)
	}
	orDefault(&o.WarmUp, 3*o.Interval)
	notNegative(&errs, "ControllerOptions.MaxResumes", o.MaxResumes)
	orDefault(&o.MaxResumes, 8)
	orDefault(&o.Lease, "controllers")
	if err := o.Brakes.complete(); err != nil {
		errs = append(errs, err)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return errors.Join(errs...)
}

// ErrAlreadyRun reports a second call of Run.
var ErrAlreadyRun = errors.New("already run")

// errHandOver is why a leader stops to lead of its own will.
var errHandOver = errors.New("handed over")

// Run watches, and decides and acts while this controller leads, until ctx ends. It returns the cause of ctx when nothing that it started runs any
// more, or at once what no waiting mends: a lease that it does not understand, or that is retired. A leader that does not understand what else is in
// the store, which a newer version may have written, gives the lead away and votes on. A second call is refused with [ErrAlreadyRun].
//
// When ctx ends, executions stop as if their controller had died, but at once: they stay resumable, and another controller goes on.
func (c *Controller) Run(ctx context.Context) error {
	if c.ran.Swap(true) {
		return fmt.Errorf("failover: controller %s: %w", c.opts.Name, ErrAlreadyRun)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer c.watching.Wait()
	defer cancel(nil)
	c.watching.Go(func() { c.watch(ctx) })
	for {
		lease, err := c.engine.locker.Acquire(ctx, c.opts.Lease, LeaseOptions{Holder: c.holder(0)})
		if err != nil {
			if cause := context.Cause(ctx); cause != nil {
				return cause
			}
			return fmt.Errorf("failover: controller %s: %w", c.opts.Name, err)
		}
		err = c.leads(ctx, lease)
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		if errors.Is(err, errHandOver) {
			if cause := sleep(ctx, c.opts.StandBack); cause != nil {
				return cause
			}
		}
	}
}

// Wake makes the controller look at once, instead of at the end of its interval: for an event that says that something may have happened. It
// decides nothing. A storm of calls makes one look after another, RetryInterval apart at least. It never blocks.
func (c *Controller) Wake() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// holder names this controller beside a lease; as that of a plan's service it names the term of the lead too, by its token.
func (c *Controller) holder(token uint64) string {
	if token == 0 {
		return c.opts.Name
	}
	return fmt.Sprintf("%s, leader %s/%d", c.opts.Name, c.opts.Lease, token)
}

// emit tells the logger and the caller's hook.
func (c *Controller) emit(ctx context.Context, ev Event) {
	ev.Time = time.Now()
	o := Options{Logger: c.opts.Logger, OnEvent: c.opts.OnEvent}
	o.tell(ctx, ev)
}

// incidentID names an incident by when the observers agreed.
func incidentID(service string, at time.Time) string {
	return service + "-" + at.UTC().Format("20060102T150405Z")
}

// detection returns the verdict on the service, and what it rests on: the votes that count.
func (w *watched) detection() (Verdict, Detection) {
	w.mu.Lock()
	defer w.mu.Unlock()
	d := Detection{Service: w.Name, Reason: w.reason, Since: w.failing}
	contradicted := false
	for _, v := range w.Quorum.live(w.votes) {
		d.Votes = append(d.Votes, v)
		switch {
		case v.Verdict != Failed || v.Where == "":
		case d.Zone == "":
			d.Zone = v.Where
		case d.Zone != v.Where:
			contradicted = true
		}
	}
	if contradicted {
		d.Zone = ""
	}
	slices.SortFunc(d.Votes, func(a, b Vote) int { return strings.Compare(a.Observer, b.Observer) })
	return w.verdict, d
}

// judged returns what is thought of the service.
func (w *watched) judged() Verdict {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.verdict
}
