package asghc

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"github.com/awsha/awsha/internal/awserr"
)

// round decides about every unhealthy target once and marks the instances that are to be marked. It reports whether calls
// have succeeded, if any were made.
func (r *Replacer) round(ctx context.Context) bool {
	s := r.look()
	var instances []string // that the pool has nothing against marking
	for _, d := range Plan(s, r.opts.Limits) {
		if d.Verdict == NoMember { // no group is known yet
			instances = append(instances, d.Instance)
		}
	}
	if len(instances) > 0 {
		if err := r.read(ctx, &s, instances); err != nil {
			if ctx.Err() == nil { // else the read was called off, which is no news
				r.emit(ctx, Event{Kind: KindFailed, Err: err})
				r.tell(ctx, s, func(d *Decision) { d.Verdict = Unread })
			}
			return false
		}
		// The pool has gone on meanwhile. The time stays that of the first look: who has come of age since was not asked for.
		now := r.look()
		s.Targets, s.Registered, s.Healthy, s.FailOpen, s.Degraded, s.Believed = now.Targets, now.Registered, now.Healthy, now.FailOpen, now.Degraded, now.Believed
	}
	r.forget(s.Now)
	decisions := r.tell(ctx, s, nil)
	if r.opts.DryRun {
		return true
	}
	return r.markAll(ctx, decisions, s.Shifted)
}

// markAll marks what is to be marked. It reports whether one call has succeeded, or none was made.
func (r *Replacer) markAll(ctx context.Context, decisions []Decision, shifted []string) bool {
	refused, marked := false, false
	denied := map[string]bool{} // groups
	for _, d := range decisions {
		if d.Verdict != Mark || denied[d.Group] || !r.stands(d, shifted) {
			continue
		}
		switch r.mark(ctx, d) {
		case awserr.None:
			marked = true
		case awserr.Pending:
		case awserr.Terminal: // of this instance, such as one that has just gone
			refused = true
		case awserr.Denied: // policies name groups
			refused, denied[d.Group] = true, true
		default:
			return false // the others wait for the next round: what holds up this call holds up theirs
		}
	}
	return marked || !refused
}

// tell plans, emits the decisions that are new, and returns all of them. A decision that takes the groups is changed by
// unread, if those could not be read.
func (r *Replacer) tell(ctx context.Context, s Situation, unread func(*Decision)) []Decision {
	decisions := Plan(s, r.opts.Limits)
	told := make(map[string]Decision, len(decisions))
	for i := range decisions {
		d := &decisions[i]
		if unread != nil && d.Verdict == NoMember {
			unread(d)
		}
		told[d.Target] = *d
		if r.told[d.Target] != *d {
			r.emit(ctx, Event{Kind: KindDecided, Decision: *d})
		}
	}
	r.told = told
	return decisions
}

// read completes a situation by what AWS says.
func (r *Replacer) read(ctx context.Context, s *Situation, instances []string) (err error) {
	if r.opts.ShiftedZones != nil {
		err := r.call(ctx, "ShiftedZones", "", func(ctx context.Context) (err error) {
			s.Shifted, err = r.opts.ShiftedZones(ctx)
			return err
		})
		if err != nil {
			return err
		}
	}
	s.Groups, err = r.groups(ctx, instances)
	return err
}

// mark tells Auto Scaling that an instance is unhealthy, and returns the class of the answer.
//
// The call may be repeated. If it may have had an effect, the instance counts as marked, so that no other goes in its
// place; it is marked again if it is not seen to be after SettleTime.
func (r *Replacer) mark(ctx context.Context, d Decision) awserr.Class {
	r.marked[d.Instance] = time.Now()
	err := r.call(ctx, "SetInstanceHealth", d.Instance, func(ctx context.Context) error {
		_, err := r.api.SetInstanceHealth(ctx, &autoscaling.SetInstanceHealthInput{
			InstanceId: &d.Instance, HealthStatus: aws.String("Unhealthy"), ShouldRespectGracePeriod: aws.Bool(true),
		})
		return err
	})
	r.marked[d.Instance] = time.Now() // the effect came no later than this
	class := awserr.Of(err)
	switch class {
	case awserr.None:
		r.emit(ctx, Event{Kind: KindMarked, Decision: d})
		return class
	case awserr.Pending: // the grace period
		delete(r.marked, d.Instance)
		r.refused[d.Instance] = time.Now()
		d.Verdict = Grace
		r.told[d.Target] = d
		r.emit(ctx, Event{Kind: KindDecided, Decision: d})
		return class
	case awserr.Transient:
	case awserr.Terminal:
		delete(r.marked, d.Instance)
		r.refused[d.Instance] = time.Now() // so that it does not keep others from their turn
	default:
		delete(r.marked, d.Instance)
	}
	if ctx.Err() == nil { // else the call was called off, which is no news
		r.emit(ctx, Event{Kind: KindFailed, Decision: d, Err: err})
	}
	return class
}

// call makes one call within its time.
func (r *Replacer) call(ctx context.Context, op, instance string, fn func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, r.opts.CallTimeout)
	defer cancel()
	if err := fn(ctx); err != nil {
		return &CallError{Op: op, Instance: instance, Err: err}
	}
	return nil
}

// forget drops what no longer matters to a plan.
func (r *Replacer) forget(now time.Time) {
	maps.DeleteFunc(r.marked, func(_ string, at time.Time) bool { return now.Sub(at) >= r.opts.SettleTime })
	maps.DeleteFunc(r.refused, func(_ string, at time.Time) bool { return now.Sub(at) >= r.opts.RetryGrace })
}

// unique returns values once each, in order.
func unique(values []string) []string { return slices.Compact(slices.Sorted(slices.Values(values))) }
