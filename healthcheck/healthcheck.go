package healthcheck

import (
	"context"
	"errors"
	"hash/maphash"
	"log/slog"
	"sync"
	"time"
)

// Pool checks a set of targets and knows how each of them is. Make one with New. All methods are safe for concurrent use.
type Pool struct {
	checker Checker
	opts    Options // with defaults
	rhythm  rhythm
	limits  thresholds
	seed    maphash.Seed // its own in every pool, so that the checkers of a fleet do not march in step
	epoch   time.Time
	wake    chan struct{}  // asks Run to look again before its timer fires
	checks  sync.WaitGroup // the checks that are running, started by Run only

	mu        sync.Mutex // never held across a wait, a check, a hook or a log record
	entries   map[string]*entry
	zones     zoneTable
	alarms    alarms
	traffic   traffic
	backlog   []*entry // due, and waiting for MaxInFlight, in that order; see entry.waiting
	inFlight  int
	nextTurn  int64           // when Run looks again
	checksCtx context.Context // what checks run under; nil before Run
	stopped   bool

	seq        uint64
	view       *View         // of now; nil until somebody asks
	changed    chan struct{} // closed at the next change; nil while nobody waits
	queues     []*queue
	hook       queue
	hookCtx    context.Context // what hooks get: neither Register nor a check has it at hand
	delivering bool
}

// New returns a pool that checks with checker. It starts nothing; targets can be registered before and while Run runs.
//
// Every mistake in the options is a *FieldError of the error that it returns.
func New(checker Checker, optFns ...func(*Options)) (*Pool, error) {
	var o Options
	for _, fn := range optFns {
		fn(&o)
	}
	o = o.withDefaults()
	errs := o.validate()
	if checker == nil {
		errs = append(errs, &FieldError{Field: "checker", Rule: "must not be nil"})
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	p := &Pool{
		checker: checker,
		opts:    o,
		rhythm:  newRhythm(o),
		limits:  thresholds{healthy: o.HealthyThreshold, unhealthy: o.UnhealthyThreshold},
		seed:    maphash.MakeSeed(),
		epoch:   time.Now(),
		wake:    make(chan struct{}, 1),
		entries: make(map[string]*entry),
		zones:   make(zoneTable),
		hook:    queue{limit: o.EventBuffer},
		hookCtx: context.Background(),
	}
	p.traffic.init(o)
	return p, nil
}

// Run checks the targets until ctx ends, and then returns its cause once every check has returned and every probe is
// closed: nothing of the pool is left running. A check that is called off by this changes no state. A second call returns
// ErrAlreadyRun at once.
//
// A probe that ignores its context holds Run up, because Go cannot end it. While running, such a probe counts as one
// failure for each interval and delays no other target.
func (p *Pool) Run(ctx context.Context) error {
	// Checks end by their own deadline or are called off, and never see a deadline of ctx, which would look like theirs.
	checksCtx, callOff := context.WithCancel(context.WithoutCancel(ctx))
	defer callOff()
	if !p.begin(ctx, checksCtx) {
		return ErrAlreadyRun
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		timer.Reset(p.turn())
		if p.undelivered() {
			p.checks.Go(p.deliver) // not here: a slow hook would stop the schedule
		}
		select {
		case <-timer.C:
		case <-p.wake:
		case <-ctx.Done():
		}
	}
	callOff()
	p.checks.Wait()
	p.end()
	return context.Cause(ctx)
}

func (p *Pool) begin(ctx, checksCtx context.Context) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.checksCtx != nil {
		return false
	}
	p.checksCtx, p.hookCtx = checksCtx, ctx
	for id, e := range p.entries {
		p.scheduleFirstLocked(id, e)
	}
	return true
}

func (p *Pool) end() {
	p.mu.Lock()
	p.stopped = true
	p.alarms, p.backlog = nil, nil
	var probes []Probe
	for _, e := range p.entries {
		probes = append(probes, e.probe)
	}
	for _, q := range p.queues {
		q.signal()
	}
	p.queues = nil
	p.changedLocked()
	p.mu.Unlock()
	p.closeProbes(probes...)
}

// Register adds targets, which are Initial until they are checked, soon if Run is running. A target that is registered
// already, with all fields equal, is left as it is. One that differs, or is draining, is replaced: it loses its health, and a
// check of it that is running is called off.
//
// It has an effect on all targets or on none: it returns a *FieldError for each invalid target and a *RegisterError for
// each that the Checker refused, joined, and ErrStopped once Run has ended.
func (p *Pool) Register(targets ...Target) error {
	if errs := validateTargets(targets); len(errs) > 0 {
		return errors.Join(errs...)
	}
	probes := make([]Probe, len(targets))
	var errs []error
	for i, t := range targets {
		if p.registered(t) {
			continue
		}
		probe, err := p.checker.Open(t)
		if err == nil && probe == nil {
			err = errors.New("the checker opened no probe")
		}
		if err != nil {
			errs = append(errs, &RegisterError{Target: t, Err: err})
			continue
		}
		probes[i] = probe
	}
	if len(errs) > 0 {
		p.closeProbes(probes...)
		return errors.Join(errs...)
	}

	p.mu.Lock()
	if p.stopped {
		p.mu.Unlock()
		p.closeProbes(probes...)
		return ErrStopped
	}
	for i, t := range targets {
		if probes[i] != nil {
			probes[i] = p.addLocked(t, probes[i])
		}
	}
	p.mu.Unlock()
	p.closeProbes(probes...)
	p.deliver()
	return nil
}

// registered reports whether Register can leave t as it is.
func (p *Pool) registered(t Target) bool {
	s, ok := p.Status(t.ID)
	return ok && s.Target == t && s.State != Draining
}

// addLocked puts a target into the pool, in the place of one with the same ID, and returns the probe that is to be closed,
// if any.
func (p *Pool) addLocked(t Target, probe Probe) (unneeded Probe) {
	if old := p.entries[t.ID]; old != nil {
		if old.status.Target == t && old.status.State != Draining {
			return probe // another Register was faster
		}
		unneeded = p.retireLocked(old)
		p.removeLocked(old)
	}
	e := &entry{probe: probe, pos: absent, status: &Status{Target: t}}
	p.entries[t.ID] = e
	p.moveLocked(e, Status{
		Target: t, State: Initial, Reason: ReasonRegistrationInProgress, Detail: "Target registration is in progress",
	})
	if p.checksCtx != nil {
		p.scheduleFirstLocked(t.ID, e)
	}
	return unneeded
}

// Deregister takes targets out of service. They are Draining for Options.DeregistrationDelay and then gone; before Run, and
// with a delay of None, they are gone at once. A check that is running is called off.
//
// As with Elastic Load Balancing, an ID that is not registered is no error. It returns ErrStopped once Run has ended.
func (p *Pool) Deregister(ids ...string) error {
	var probes []Probe
	p.mu.Lock()
	if p.stopped {
		p.mu.Unlock()
		return ErrStopped
	}
	for _, id := range ids {
		e := p.entries[id]
		if e == nil || e.status.State == Draining {
			continue
		}
		probes = append(probes, p.retireLocked(e))
		if p.checksCtx == nil || p.opts.DeregistrationDelay == 0 {
			p.removeLocked(e)
			continue
		}
		p.moveLocked(e, Status{
			Target: e.status.Target, State: Draining,
			Reason: ReasonDeregistrationInProgress, Detail: "Target deregistration is in progress",
			Last: e.status.Last,
		})
		p.alarmLocked(e, ceilTick(p.now()+int64(p.opts.DeregistrationDelay)))
	}
	p.mu.Unlock()
	p.closeProbes(probes...)
	p.deliver()
	return nil
}

// moveLocked gives a target its next status and publishes what that changes.
func (p *Pool) moveLocked(e *entry, to Status) {
	from := e.status
	to.Since, to.SlowStart = from.Since, 1
	if to.State != from.State {
		to.Since = time.Now()
	}
	e.status, p.view = &to, nil
	if to.State == from.State && to.Reason == from.Reason {
		return
	}
	p.changedLocked()
	if to.State == from.State {
		return
	}
	defer p.routeLocked(e)
	flipped := p.zones.move(to.Target.Zone, from.State, to.State)
	p.publishLocked(Event{Kind: Transition, Time: to.Since, From: from.State, Status: to})
	if flipped {
		p.publishLocked(Event{Kind: ZoneChange, Time: to.Since, Zone: p.zoneStatusLocked(to.Target.Zone)})
	}
}

// removeLocked forgets a target.
func (p *Pool) removeLocked(e *entry) {
	p.alarms.remove(e)
	delete(p.entries, e.status.Target.ID)
	p.moveLocked(e, notRegistered(e.status.Target))
}

// closeProbes closes those that are not nil.
func (p *Pool) closeProbes(probes ...Probe) {
	for _, probe := range probes {
		if probe != nil {
			p.closeProbe(probe)
		}
	}
}

func (p *Pool) closeProbe(probe Probe) {
	ctx := context.Background()
	defer p.recovered(ctx, "Probe.Close")
	if err := probe.Close(); err != nil && p.opts.Logger != nil {
		p.opts.Logger.LogAttrs(ctx, slog.LevelWarn, "close probe", slog.String("error", err.Error()))
	}
}
