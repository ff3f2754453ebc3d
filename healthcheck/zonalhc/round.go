package zonalhc

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/arczonalshift"

	"github.com/awsha/awsha/internal/awserr"
)

// round looks at the pool, and at the resource if that matters, and does what is to be done. It reports whether all calls
// have succeeded.
func (s *Shifter) round(ctx context.Context) bool {
	sit := s.situation()
	d := Plan(sit, s.opts.Limits)
	if !s.known || s.own != nil || d.Reason == Unread {
		resource, err := s.get(ctx)
		if err != nil {
			if ctx.Err() == nil { // else the read was called off, which is no news
				if s.own != nil { // what the zones are like is not all there is to say
					d = s.about(s.own)
					d.Action, d.Reason = Wait, Unread
				}
				s.tell(ctx, d)
				s.emit(ctx, Event{Kind: KindFailed, Decision: d, Err: err})
			}
			return false
		}
		s.known = true
		s.reconcile(ctx, time.Now(), resource)
		sit = s.situation() // the pool has gone on meanwhile
		sit.Resource = resource
		d = Plan(sit, s.opts.Limits)
	}
	if d.Action == Wait || s.opts.DryRun {
		s.tell(ctx, d)
		return true
	}
	s.told = d
	switch d.Action {
	case Start:
		return s.start(ctx, d)
	case Extend:
		return s.extend(ctx, d)
	default:
		return s.cancel(ctx, d)
	}
}

// tell emits a decision that is new.
func (s *Shifter) tell(ctx context.Context, d Decision) {
	if d == s.told {
		return
	}
	s.told = d
	e := Event{Kind: KindDecided, Decision: d}
	if d.Action != Wait {
		e.Kind = KindAdvised
	}
	if s.own != nil {
		e.Expiry = s.own.Expiry
	}
	s.emit(ctx, e)
}

// reconcile compares what is known of the own shift with a read, and tells of it what is new. Reads may be behind for
// SettleTime: until then a shift that is not there is believed to be.
func (s *Shifter) reconcile(ctx context.Context, now time.Time, r *Resource) {
	i := slices.IndexFunc(r.Shifts, func(shift Shift) bool { return shift.Own })
	switch {
	case i >= 0 && (s.own == nil || s.own.ID != r.Shifts[i].ID):
		s.own = &r.Shifts[i]
		s.lag = s.own.Start.Add(s.opts.SettleTime) // the next read may be from before it
		s.emit(ctx, Event{Kind: KindAdopted, Decision: s.about(s.own), Expiry: s.own.Expiry})
	case i >= 0 && now.Before(s.lag):
		r.Shifts[i] = *s.own // which may have been extended
	case i >= 0:
		s.own = &r.Shifts[i]
	case s.own == nil:
	case !now.Before(s.own.Expiry):
		s.end(ctx, KindExpired, Expired)
	case now.Before(s.lag):
		r.Shifts = append(r.Shifts, *s.own)
	case s.own.ID == s.cancelling: // by the call that has had no reply
		s.ended(ctx, s.about(s.own))
	default:
		s.end(ctx, KindTakenBack, TakenBack)
	}
}

// end forgets the own shift, which was not ended from here.
func (s *Shifter) end(ctx context.Context, kind Kind, why Reason) {
	own := *s.own
	s.own = nil
	s.spent[own.AwayFrom] = why
	s.emit(ctx, Event{Kind: kind, Decision: s.about(&own), Expiry: own.Expiry})
}

// about is a decision to name a shift by.
func (s *Shifter) about(shift *Shift) Decision {
	d := Decision{ZoneID: shift.AwayFrom, Shift: shift.ID}
	for name := range s.zones {
		if s.id(name) == shift.AwayFrom {
			d.Zone = name
		}
	}
	return d
}

// sendOnce keeps the SDK from repeating a call whose reply was lost.
func sendOnce(o *arczonalshift.Options) { o.RetryMaxAttempts = 1 }

// start starts the shift. If the call may have had an effect, the next round's read tells: a shift that has this comment
// is the own one. Even a read that is behind then does no harm, as ARC refuses a second shift for a resource.
func (s *Shifter) start(ctx context.Context, d Decision) bool {
	var out *arczonalshift.StartZonalShiftOutput
	err := s.call(ctx, "StartZonalShift", func(ctx context.Context) (err error) {
		out, err = s.write.StartZonalShift(ctx, &arczonalshift.StartZonalShiftInput{
			ResourceIdentifier: &s.resource, AwayFrom: &d.ZoneID, Comment: &s.opts.Comment, ExpiresIn: aws.String(minutes(s.limits.Expiry)),
		}, sendOnce)
		return err
	})
	if err != nil {
		return s.failed(ctx, d, err)
	}
	s.lag = time.Now().Add(s.opts.SettleTime)
	s.own = &Shift{ID: aws.ToString(out.ZonalShiftId), AwayFrom: d.ZoneID, Start: aws.ToTime(out.StartTime), Expiry: aws.ToTime(out.ExpiryTime), Own: true}
	d.Shift = s.own.ID
	s.emit(ctx, Event{Kind: KindStarted, Decision: d, Expiry: s.own.Expiry})
	return true
}

// extend sets the expiry anew, counted from now.
func (s *Shifter) extend(ctx context.Context, d Decision) bool {
	var out *arczonalshift.UpdateZonalShiftOutput
	expiresIn := minutes(extension(s.own, time.Now(), s.limits))
	err := s.call(ctx, "UpdateZonalShift", func(ctx context.Context) (err error) {
		out, err = s.write.UpdateZonalShift(ctx, &arczonalshift.UpdateZonalShiftInput{ZonalShiftId: &d.Shift, ExpiresIn: &expiresIn})
		return err
	})
	if err != nil {
		return s.failed(ctx, d, err)
	}
	s.lag = time.Now().Add(s.opts.SettleTime)
	s.own.Expiry = aws.ToTime(out.ExpiryTime)
	s.emit(ctx, Event{Kind: KindExtended, Decision: d, Expiry: s.own.Expiry})
	return true
}

// cancel ends the own shift. A conflict says that it has ended already.
func (s *Shifter) cancel(ctx context.Context, d Decision) bool {
	s.cancelling = d.Shift
	err := s.call(ctx, "CancelZonalShift", func(ctx context.Context) error {
		_, err := s.write.CancelZonalShift(ctx, &arczonalshift.CancelZonalShiftInput{ZonalShiftId: &d.Shift})
		return err
	})
	if err != nil && awserr.Of(err) != awserr.Conflict {
		return s.failed(ctx, d, err)
	}
	s.ended(ctx, d)
	return true
}

// ended forgets the own shift, which was cancelled from here. Reads that are behind may show it yet.
func (s *Shifter) ended(ctx context.Context, d Decision) {
	expiry := s.own.Expiry
	s.cancelled[d.Shift] = expiry
	s.own = nil
	s.emit(ctx, Event{Kind: KindCancelled, Decision: d, Expiry: expiry})
}

func (s *Shifter) failed(ctx context.Context, d Decision, err error) bool {
	if ctx.Err() == nil {
		s.emit(ctx, Event{Kind: KindFailed, Decision: d, Err: err})
	}
	return false
}

// minutes writes a duration as the API wants it.
func minutes(d time.Duration) string { return strconv.Itoa(int(d/time.Minute)) + "m" }
