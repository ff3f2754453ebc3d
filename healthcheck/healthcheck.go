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
	reasons reasons
	wake    chan struct{}  // asks Run to look again before its timer fires
	checks  sync.WaitGroup // the checks that are running, started by Run only

	mu        sync.Mutex // never held across a wait, a check, a hook or a log record
	entries   map[string]*entry
	table     table
	zones     zoneTable
	up        map[string]bool // the zones that are
	asked     map[*entry][]chan<- answer
	shift     *shift // nil without one
	local     local
	workers   workers
	starts    []start // of this turn; of Run only
	alarms    alarms
	running   calls
	traffic   traffic
	backlog   []*entry // due, and waiting for MaxInFlight, in that order; see entry.waiting
	inFlight  int
	nextTurn  int64           // when Run looks again
	checksCtx context.Context // the values that checks see; nil before Run
	stopped   bool

	callingOff bool // Run is about to end

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
		reasons: newReasons(),
		wake:    make(chan struct{}, 1),
		entries: make(map[string]*entry),
		zones:   make(zoneTable),
		up:      make(map[string]bool),
		asked:   make(map[*entry][]chan<- answer),
		local:   newLocal(o),
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
	if !p.begin(ctx) {
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
	p.callOff()
	p.checks.Wait()
	p.end()
	return context.Cause(ctx)
}

func (p *Pool) begin(ctx context.Context) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.checksCtx != nil {
		return false
	}
	// Checks end by their own deadline or are called off, and never see a deadline of ctx, which would look like theirs.
	p.checksCtx, p.hookCtx = context.WithoutCancel(ctx), ctx
	for _, e := range p.entries {
		p.scheduleFirstLocked(e)
	}
	return true
}

// callOff ends the checks that are running.
func (p *Pool) callOff() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.callingOff = true
	p.reapLocked(0, true)
	for _, e := range p.entries {
		if e.call != nil {
			_ = e.call.end(context.Canceled)
		}
	}
}

func (p *Pool) end() {
	p.mu.Lock()
	p.stopped = true
	p.alarms, p.backlog = nil, nil
	var probes []Probe
	for _, e := range p.entries {
		probes = append(probes, e.probe)
		p.answerLocked(e, Result{}, ErrStopped)
	}
	for _, q := range p.queues {
		q.signal()
	}
	p.queues = nil
	p.changedLocked()
	p.mu.Unlock()
	p.closeProbes(probes...)
	p.deliver()
}

// Register adds targets, which are Initial until they are checked, soon if Run is running. A target that is registered
// already, with all fields equal, is left as it is. One that differs, or is draining, is replaced: it loses its health, and a
// check of it that is running is called off.
//
// It has an effect on all targets or on none: it returns a *FieldError for each invalid target and a *RegisterError for
// each that the Checker refused, joined, and ErrStopped once Run has ended.
func (p *Pool) Register(targets ...Target) error {
	probes, err := p.open(targets)
	if err != nil {
		return err
	}
	p.mu.Lock()
	if p.stopped {
		p.mu.Unlock()
		p.closeProbes(probes...)
		return ErrStopped
	}
	for i, t := range targets {
		if probes[i] != nil {
			probes[i], _ = p.addLocked(t, probes[i])
		}
	}
	p.mu.Unlock()
	p.closeProbes(probes...)
	p.deliver()
	return nil
}

// open returns a probe for each target, but for those that are registered already.
func (p *Pool) open(targets []Target) ([]Probe, error) {
	if errs := validateTargets(targets); len(errs) > 0 {
		return nil, errors.Join(errs...)
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
		return nil, errors.Join(errs...)
	}
	return probes, nil
}

// registered reports whether Register can leave t as it is.
func (p *Pool) registered(t Target) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.registeredLocked(t)
}

func (p *Pool) registeredLocked(t Target) bool {
	e := p.entries[t.ID]
	return e != nil && e.target == t && e.state != Draining
}

// change is what became of a target that was to be added.
type change uint8

const (
	kept change = iota
	added
	replaced
)

// addLocked puts a target into the pool, in the place of one with the same ID, and returns the probe that is to be closed,
// if any.
func (p *Pool) addLocked(t Target, probe Probe) (unneeded Probe, did change) {
	did = added
	if old := p.entries[t.ID]; old != nil {
		if old.target == t && old.state != Draining {
			return probe, kept // another Register was faster
		}
		did = replaced
		unneeded = p.retireLocked(old)
		p.removeLocked(old)
	}
	e := &entry{target: t, probe: probe, pos: absent, place: p.table.add(), hash: uint32(maphash.String(p.seed, t.ID))}
	p.entries[t.ID] = e
	p.editLocked(e).entry = e
	p.moveLocked(e, Initial, p.reasons.registering)
	if p.checksCtx != nil {
		p.scheduleFirstLocked(e)
	}
	return unneeded, did
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
		if e := p.entries[id]; e != nil && e.state != Draining {
			probes = append(probes, p.drainLocked(e))
		}
	}
	p.mu.Unlock()
	p.closeProbes(probes...)
	p.deliver()
	return nil
}

// drainLocked takes a target out of service and returns its probe for closing, if that can be closed.
func (p *Pool) drainLocked(e *entry) Probe {
	probe := p.retireLocked(e)
	if p.checksCtx == nil || p.opts.DeregistrationDelay == 0 {
		p.removeLocked(e)
		return probe
	}
	p.moveLocked(e, Draining, p.reasons.draining)
	if p.opts.FinishWhenIdle && e.idleLocked() {
		p.removeLocked(e)
		return probe
	}
	p.alarmLocked(e, ceilTick(p.now()+int64(p.opts.DeregistrationDelay)))
	return probe
}

// editLocked returns the record of a target for a change.
func (p *Pool) editLocked(e *entry) *record {
	p.view = nil
	return p.table.edit(e.place)
}

// moveLocked gives a target its next state, and publishes what that changes.
func (p *Pool) moveLocked(e *entry, to State, why *finding) {
	r := p.editLocked(e)
	from, was := r.state, r.why
	r.state, r.why = to, why
	if to == from {
		if why != was && (why == nil || was == nil || why.reason != was.reason) {
			p.changedLocked()
		}
		return
	}
	p.transitLocked(e, from)
}

// transitLocked publishes a new state. It is apart from moveLocked because its large events would make every check grow its stack.
func (p *Pool) transitLocked(e *entry, from State) {
	now := time.Now()
	r := p.editLocked(e)
	to := r.state
	r.since, e.state, e.entered = now.UnixNano(), to, int64(now.Sub(p.epoch))
	if to == Draining {
		r.passes, r.fails = 0, 0
	}
	p.changedLocked()
	p.zones.move(e.target.Zone, from, to)
	status := notRegistered(e.target)
	status.Since = now
	if to != Unused {
		status = p.statusLocked(e, e.entered)
	}
	p.publishLocked(Event{Kind: Transition, Time: now, From: from, Status: status})
	p.routeLocked(e)
	p.zoneChangedLocked(e.target.Zone)
}

// zoneChangedLocked publishes that a zone went up or down, if it did.
func (p *Pool) zoneChangedLocked(zone string) {
	status := p.zoneStatusLocked(zone)
	if status.Up() == p.up[zone] {
		return
	}
	if status.Up() {
		p.up[zone] = true
	} else {
		delete(p.up, zone)
	}
	p.publishLocked(Event{Kind: ZoneChange, Time: time.Now(), Zone: status})
}

// removeLocked forgets a target.
func (p *Pool) removeLocked(e *entry) {
	p.alarms.remove(e)
	delete(p.entries, e.target.ID)
	p.moveLocked(e, Unused, nil)
	p.table.remove(e.place)
	p.view = nil
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
