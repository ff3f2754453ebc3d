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

// round decides about every unhealthy target once and marks the instances that are to be marked. It reports whether all
// calls have succeeded.
func (r *Replacer) round(ctx context.Context) bool {
	s := r.situation(r.source.View())
	s.Now, s.Marked, s.Refused = time.Now(), r.marked, r.refused
	if s.whole(r.opts.Limits) != Mark {
		r.believed = s.Now
	}
	s.Believed = r.believed
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
	}
	s.Now = time.Now()
	r.forget(s.Now)
	decisions := r.tell(ctx, s, nil)
	if r.opts.DryRun {
		return true
	}
	for _, d := range decisions {
		if d.Verdict == Mark && !r.mark(ctx, d) {
			return false // the others wait for the next round: what holds up this call holds up theirs
		}
	}
	return true
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

// mark tells Auto Scaling that an instance is unhealthy. It reports whether there may be more calls.
//
// The call may be repeated. If it may have had an effect, the instance counts as marked, so that no other goes in its
// place; it is marked again if it is not seen to be after SettleTime.
func (r *Replacer) mark(ctx context.Context, d Decision) bool {
	r.marked[d.Instance] = time.Now()
	err := r.call(ctx, "SetInstanceHealth", d.Instance, func(ctx context.Context) error {
		_, err := r.api.SetInstanceHealth(ctx, &autoscaling.SetInstanceHealthInput{
			InstanceId: &d.Instance, HealthStatus: aws.String("Unhealthy"), ShouldRespectGracePeriod: aws.Bool(true),
		})
		return err
	})
	r.marked[d.Instance] = time.Now() // the effect came no later than this
	switch awserr.Of(err) {
	case awserr.None:
		r.emit(ctx, Event{Kind: KindMarked, Decision: d})
		return true
	case awserr.Pending: // the grace period
		delete(r.marked, d.Instance)
		r.refused[d.Instance] = time.Now()
		d.Verdict = Grace
		r.told[d.Target] = d
		r.emit(ctx, Event{Kind: KindDecided, Decision: d})
		return true
	case awserr.Transient:
	default:
		delete(r.marked, d.Instance)
	}
	if ctx.Err() == nil { // else the call was called off, which is no news
		r.emit(ctx, Event{Kind: KindFailed, Decision: d, Err: err})
	}
	return awserr.Of(err) == awserr.Terminal // of this instance, such as one that has just gone
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
