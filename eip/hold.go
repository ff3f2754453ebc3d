package eip

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/netip"
	"time"
)

// HoldRequest says which address to keep, and who says where.
type HoldRequest struct {
	AllocationID string

	// Choose names the target that should have the address now: the instance that is healthy, the leader of a cluster. It is
	// called once each Interval, never concurrently, with a context that ends after CallTimeout. The zero Target, or an error,
	// means that it cannot tell: the address stays where it is.
	Choose func(ctx context.Context) (Target, error)

	// Fence is the lease under which the address is held. Required: two Holds without one would move the address to and fro.
	Fence Fence

	// Guard, Displace and Probe are as in [Request]. The probe is asked after a move; one that fails is an event, and moves nothing.
	Guard    Guard
	Displace bool
	Probe    func(ctx context.Context, publicIP netip.Addr) error

	// Interval is the pause between looks, with 10 % of jitter. Default 5 s.
	Interval time.Duration

	// Stable is how long Choose must have named the same target before the address leaves its owner for it. Default 90 % of
	// Interval, which is two looks in a row; [Immediately] means the first.
	Stable time.Duration

	// Cooldown is the least time between two moves. It doubles with each move that follows within twice that time, up to
	// MaxCooldown, and starts anew after a quiet time. An address that nobody holds is associated at once. Defaults 1 minute
	// and 15 minutes.
	Cooldown, MaxCooldown time.Duration
}

// Immediately asks for no time at all in HoldRequest.Stable, where zero means a default.
const Immediately time.Duration = -1

// Hold keeps an address on the target that req.Choose names, until ctx ends or the fence is not valid any more.
//
// Each Interval it asks Choose, reads the address, and moves it if it is elsewhere, as Remap would from exactly the owner
// that was read; what a read of the target shows to be wrong with it is never begun. (What only EC2 knows, such as a missing
// gateway, leaves the address free until Choose names another target: ask [Remapper.Ready] about those that it may name.)
// Whoever else moves the address, it is brought back: under the lease this Hold is right. Stable and Cooldown keep it from
// following a choice that flaps, and from fighting another mover faster than once per Cooldown. That is remembered within one
// call of Hold only.
//
// A move takes as long as Remap does, with its probe; until then Choose is not asked, and the fence only before a change.
//
// A look or a move that fails is an event and is tried again at the next look. Hold returns a [*FieldError] for mistakes in
// the request, at once or when a read has shown them; [ErrNotFound] if the address does not exist for ReadLag; [ErrFenced]
// when the fence is not valid; and an error with ctx's cause when that ends. It never returns nil. Acquire a lease and
// call Hold again to go on.
//
// A look costs 1 DescribeAddresses, a move what Remap costs with an owner that is not named, less 1 DescribeAddresses.
func (r *Remapper) Hold(ctx context.Context, req HoldRequest) error {
	if err := req.complete(); err != nil {
		return err
	}
	h := &holder{Remapper: r, req: req, damper: damper{first: req.Cooldown, max: req.MaxCooldown}}
	for {
		if err := h.look(ctx); err != nil {
			return err
		}
		jitter := 0.9 + 0.2*rand.Float64()
		select {
		case <-time.After(time.Duration(jitter * float64(req.Interval))):
		case <-ctx.Done():
			return h.move().fail(ctx, OpHold, nil, nil)
		}
	}
}

// complete fills in the defaults and reports every mistake.
func (r *HoldRequest) complete() error {
	var errs []error
	bad := func(field string, value any, rule string) {
		errs = append(errs, &FieldError{"HoldRequest." + field, value, rule})
	}
	if !isID(r.AllocationID, "eipalloc") {
		bad("AllocationID", r.AllocationID, "must be eipalloc- and hexadecimal digits")
	}
	if r.Choose == nil {
		bad("Choose", "nil", "must be set")
	}
	if r.Fence == nil {
		bad("Fence", "nil", "must be set")
	}
	if int(r.Guard) >= len(guardNames) {
		bad("Guard", uint8(r.Guard), "must be GuardStrict, GuardFree or GuardLease")
	}
	set := func(field string, d *time.Duration, def time.Duration) {
		switch {
		case *d < 0:
			bad(field, *d, "must not be negative")
		case *d == 0:
			*d = def
		}
	}
	set("Interval", &r.Interval, 5*time.Second)
	if r.Stable == Immediately {
		r.Stable = 0
	} else {
		set("Stable", &r.Stable, r.Interval*9/10)
	}
	set("Cooldown", &r.Cooldown, time.Minute)
	set("MaxCooldown", &r.MaxCooldown, max(15*time.Minute, r.Cooldown))
	if r.Cooldown > 0 && r.MaxCooldown > 0 && r.MaxCooldown < r.Cooldown {
		bad("MaxCooldown", r.MaxCooldown, "must not be less than Cooldown, which is "+r.Cooldown.String())
	}
	return errors.Join(errs...)
}

// holder is one Hold under way.
type holder struct {
	*Remapper
	req    HoldRequest
	damper damper

	chosen  Target    // by the last look
	since   time.Time // when Choose began to name it
	last    Association
	missing time.Time // since when the address does not exist; zero if it does
	damped  bool      // a move is being put off, as an event has told
}

// move prepares the move of the address to the chosen target.
func (h *holder) move() *move {
	return h.newMove(Request{
		AllocationID: h.req.AllocationID, Target: h.chosen, Guard: h.req.Guard, Fence: h.req.Fence,
		Displace: h.req.Displace, Probe: h.req.Probe,
	}, "HoldRequest")
}

// look looks once at what should be and at what is, and moves the address if they differ. An error ends the Hold.
func (h *holder) look(ctx context.Context) error {
	if err := h.move().fence(); err != nil {
		return h.move().fail(ctx, OpHold, ErrFenced, err)
	}
	if !h.choose(ctx) {
		return nil
	}
	m := h.move()
	address, now, err := m.read(ctx)
	if end, failure := h.judge(ctx, m, now, err); end || failure != nil {
		return failure
	}
	m.address, m.res.Before = &address, now
	return h.carry(ctx, m)
}

// choose asks where the address should be, and reports whether that is known.
func (h *holder) choose(ctx context.Context) bool {
	asked, cancel := context.WithTimeout(ctx, h.opts.CallTimeout)
	defer cancel()
	target, err := h.req.Choose(asked)
	if ctx.Err() != nil {
		return false // Hold says why it ends
	}
	if err == nil && target != (Target{}) {
		err = errors.Join(target.validate("HoldRequest.Choose")...)
	}
	if err != nil || target == (Target{}) {
		h.chosen = Target{} // what it named before has to prove itself anew
		h.emit(ctx, Event{Kind: KindUndecided, AllocationID: h.req.AllocationID, Token: h.req.Fence.Token(), Err: err})
		return false
	}
	if target != h.chosen {
		h.chosen, h.since = target, time.Now()
	}
	return true
}

// judge says whether a read leaves nothing to do, and whether it is the end of the Hold.
func (h *holder) judge(ctx context.Context, m *move, now Association, err error) (done bool, failure error) {
	if errors.Is(kindOf(err), ErrNotFound) {
		if h.missing.IsZero() {
			h.missing = time.Now()
		}
		if time.Since(h.missing) >= h.opts.ReadLag {
			return true, m.fail(ctx, OpHold, ErrNotFound, err)
		}
	}
	if err != nil {
		m.emit(ctx, Event{Kind: KindFailed, Err: m.fail(ctx, OpRead, kindOf(err), err)})
		return true, nil
	}
	h.missing = time.Time{}
	switch {
	case h.history.ended(h.req.AllocationID, now.ID):
		m.emit(ctx, Event{Kind: KindLagging, Association: now})
		return true, nil
	case m.to.holds(now):
		if h.last.ID != now.ID {
			m.emit(ctx, Event{Kind: KindHeld, Association: now})
		}
		h.last, h.damped = now, false
		return true, nil
	case now.ID != "" && now.ID != h.last.ID && h.last.ID != "":
		m.emit(ctx, Event{Kind: KindDrifted, Association: now})
	}
	h.last = now
	return false, nil
}

// carry moves the address, if it is time to.
func (h *holder) carry(ctx context.Context, m *move) error {
	if m.req.Guard == GuardFree && m.res.Before.ID != "" {
		return nil // it is not for us to take
	}
	now := time.Now()
	if m.res.Before.ID != "" { // whoever holds it may be serving
		pause := max(h.req.Stable-now.Sub(h.since), h.damper.wait(now))
		if pause > 0 {
			if !h.damped {
				m.emit(ctx, Event{Kind: KindDamped, Association: m.res.Before, Pause: pause})
			}
			h.damped = true
			return nil
		}
	}
	if err := m.movable(); err != nil {
		return err
	}
	if m.req.Guard == GuardLease && m.res.Before.ID == "" {
		m.req.Guard = GuardFree // the read may be late, and whoever holds the address in truth is not to be robbed undamped
	}
	res, err := m.finish(ctx, m.carry)
	if res.Changed || m.ended && !m.gone { // a try that changed nothing is no move
		h.damper.moved(time.Now())
	}
	h.damped = false
	h.last = res.After
	if errors.Is(err, ErrFenced) {
		return err
	}
	return nil // the event has told of it
}
