package zonalhc

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/arczonalshift"
	"github.com/aws/aws-sdk-go-v2/service/arczonalshift/types"
)

// ShiftedZones returns the IDs of the zones that a resource is shifted away from, by anybody. asghc.Options.ShiftedZones
// takes it, with what it needs beside the context bound. It costs 1 GetManagedResource.
func ShiftedZones(ctx context.Context, api Reader, resource string) ([]string, error) {
	out, err := api.GetManagedResource(ctx, &arczonalshift.GetManagedResourceInput{ResourceIdentifier: &resource})
	if err != nil {
		return nil, &CallError{Op: "GetManagedResource", Resource: resource, Err: err}
	}
	away := map[string]bool{}
	for zone, weight := range out.AppliedWeights {
		if weight == 0 {
			away[zone] = true
		}
	}
	// What has just been started may not be in effect yet.
	for i := range out.ZonalShifts {
		if out.ZonalShifts[i].AppliedStatus == types.AppliedStatusApplied {
			away[aws.ToString(out.ZonalShifts[i].AwayFrom)] = true
		}
	}
	for i := range out.Autoshifts {
		if out.Autoshifts[i].AppliedStatus == types.AutoshiftAppliedStatusApplied {
			away[aws.ToString(out.Autoshifts[i].AwayFrom)] = true
		}
	}
	return slices.Sorted(maps.Keys(away)), nil
}

// get reads the resource.
func (s *Shifter) get(ctx context.Context) (*Resource, error) {
	var out *arczonalshift.GetManagedResourceOutput
	err := s.call(ctx, "GetManagedResource", func(ctx context.Context) (err error) {
		out, err = s.read.GetManagedResource(ctx, &arczonalshift.GetManagedResourceInput{ResourceIdentifier: &s.resource})
		return err
	})
	if err != nil {
		return nil, err
	}
	r := &Resource{ARN: s.resource, Zones: slices.Sorted(maps.Keys(out.AppliedWeights))}
	now := time.Now()
	for i := range out.ZonalShifts {
		// A read that is behind may show what has been cancelled, or has expired.
		shift := s.shift(&out.ZonalShifts[i])
		_, cancelled := s.cancelled[shift.ID]
		if !cancelled && (shift.Expiry.IsZero() || now.Before(shift.Expiry)) {
			r.Shifts = append(r.Shifts, shift)
		}
	}
	maps.DeleteFunc(s.cancelled, func(_ string, expiry time.Time) bool { return !now.Before(expiry) })
	for i := range out.Autoshifts {
		r.Autoshifts = append(r.Autoshifts, aws.ToString(out.Autoshifts[i].AwayFrom))
	}
	return r, nil
}

// shift tells whether a shift is one's own by its comment. Practice runs and experiments have comments too.
func (s *Shifter) shift(z *types.ZonalShiftInResource) Shift {
	byCustomer := z.ShiftType == types.ShiftTypeZonalShift || z.ShiftType == ""
	return Shift{
		ID: aws.ToString(z.ZonalShiftId), AwayFrom: aws.ToString(z.AwayFrom), Start: aws.ToTime(z.StartTime), Expiry: aws.ToTime(z.ExpiryTime),
		Own: byCustomer && s.opts.Comment != "" && aws.ToString(z.Comment) == s.opts.Comment,
	}
}

// call makes one call within its time.
func (s *Shifter) call(ctx context.Context, op string, fn func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.opts.CallTimeout)
	defer cancel()
	if err := fn(ctx); err != nil {
		return &CallError{Op: op, Resource: s.resource, Err: err}
	}
	return nil
}
