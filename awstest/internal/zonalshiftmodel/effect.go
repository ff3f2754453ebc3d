package zonalshiftmodel

import (
	"slices"
	"time"

	"github.com/awsha/awsha/awstest"
)

// Autoshift is a shift that AWS has started for a zone. It moves every
// resource of the zone that is enabled for it.
type Autoshift struct {
	AwayFrom   *awstest.Zone
	Start, End time.Time // End is zero while it is active
}

// Active tells whether the autoshift was active at a moment.
func (a *Autoshift) Active(at time.Time) bool {
	return !a.Start.After(at) && (a.End.IsZero() || a.End.After(at))
}

// StartAutoshift moves the resources of a zone out of it, as AWS does when it
// sees a zone in trouble, until end is called with the cloud locked.
func (r *Region) StartAutoshift(tx *awstest.Tx, zone *awstest.Zone) (end func(*awstest.Tx)) {
	a := &Autoshift{AwayFrom: zone, Start: tx.Now()}
	r.autoshifts = append(r.autoshifts, a)
	r.settleAll(tx)
	r.tellOf(tx, a, AutoshiftInProgress, r.included(tx, a))
	return func(tx *awstest.Tx) {
		if a.End.IsZero() {
			were := r.included(tx, a)
			a.End = tx.Now()
			r.settleAll(tx)
			r.tellOf(tx, a, AutoshiftCompleted, were)
		}
	}
}

// Autoshifts returns the autoshifts as of a moment, oldest first. One that
// ended later is still without its end.
func (r *Region) Autoshifts(at time.Time) (all []Autoshift) {
	for _, a := range r.autoshifts {
		if a.Start.After(at) {
			break
		}
		seen := *a
		if seen.End.After(at) {
			seen.End = time.Time{}
		}
		all = append(all, seen)
	}
	return all
}

// AutoshiftOf returns the autoshift that is active for a resource at a moment:
// the oldest, since no more than one zone of a resource is left.
func (r *Region) AutoshiftOf(res Resource, at time.Time) (Autoshift, bool) {
	if res.NoAutoshift {
		return Autoshift{}, false
	}
	for _, a := range r.autoshifts {
		if a.Active(at) && slices.Contains(res.Zones, a.AwayFrom) {
			return *a, true
		}
	}
	return Autoshift{}, false
}

// ShiftOf returns the customer's shift that is active for a resource at a
// moment.
func (r *Region) ShiftOf(arn string, at time.Time) (Shift, bool) {
	for _, s := range r.shifts.All(at) {
		if s.ARN == arn && s.Status == Active {
			return s, true
		}
	}
	return Shift{}, false
}

// wanted returns the zones that a resource should be out of: a customer's
// shift comes before an autoshift, and only one is in effect at a time.
// Source: https://docs.aws.amazon.com/r53recovery/latest/dg/arc-zonal-autoshift.how-it-works.html (read 2026-11)
func (r *Region) wanted(tx *awstest.Tx, arn string) []*awstest.Zone {
	if id, ok := r.active[arn]; ok {
		s, _ := r.shifts.Get(tx.Now(), id)
		return []*awstest.Zone{s.AwayFrom}
	}
	k, ok := r.model.kind(arn)
	if !ok {
		return nil
	}
	if res, ok := k.Resolve(tx, r.region, arn); ok {
		if a, ok := r.AutoshiftOf(res, tx.Now()); ok {
			return []*awstest.Zone{a.AwayFrom}
		}
	}
	return nil
}

// settle brings a resource into the zones that it should be in as of now, once
// that takes effect and nothing holds the resource up. What has changed until
// then takes its own time.
func (r *Region) settle(tx *awstest.Tx, arn string) {
	zones := r.wanted(tx, arn)
	apply := func(tx *awstest.Tx) {
		r.due[arn] = zones
		tx.WhenFree(nil, arn, func(tx *awstest.Tx) { r.apply(tx, arn) })
	}
	if r.model.opts.Effect == 0 {
		apply(tx)
		return
	}
	tx.Schedule(tx.Now().Add(r.model.opts.Effect), apply)
}

// Refresh is called when a resource has come, has gone, or has other zones:
// an autoshift that is active holds for it too, or does not any more.
func (m *Model) Refresh(tx *awstest.Tx, region *awstest.Region, arn string) {
	m.Region(region).settle(tx, arn)
}

func (r *Region) settleAll(tx *awstest.Tx) {
	for _, res := range r.Resources(tx) {
		r.settle(tx, res.ARN)
	}
}

func (r *Region) apply(tx *awstest.Tx, arn string) {
	zones := r.due[arn]
	if len(zones) == 0 {
		delete(r.due, arn)
	}
	if slices.Equal(zones, r.Effective(tx.Now(), arn)) {
		return
	}
	r.effective.Put(tx.Now(), arn, zones)
	if k, ok := r.model.kind(arn); ok && k.Changed != nil {
		k.Changed(tx, r.region, arn)
	}
}
