package arczonalshiftsvc

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/arczonalshift"
	"github.com/aws/aws-sdk-go-v2/service/arczonalshift/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/zonalshiftmodel"
)

func (s *service) addResources(e *awstest.Endpoint) {
	awstest.Handle(e, s.getManagedResource, "ResourceIdentifier")
	awstest.Handle(e, s.listManagedResources, "MaxResults", "NextToken")
	awstest.Handle(e, s.listAutoshifts, "Status", "MaxResults", "NextToken")
}

func (s *service) getManagedResource(tx *awstest.Tx, call *awstest.Call, in *arczonalshift.GetManagedResourceInput) (*arczonalshift.GetManagedResourceOutput, error) {
	res, err := s.region(call).Resource(tx, aws.ToString(in.ResourceIdentifier))
	if err != nil {
		return nil, err
	}
	shown := s.show(call, res)
	return &arczonalshift.GetManagedResourceOutput{
		Arn: shown.Arn, Name: shown.Name, AppliedWeights: shown.AppliedWeights, ZonalShifts: shown.ZonalShifts,
		Autoshifts: shown.Autoshifts, ZonalAutoshiftStatus: shown.ZonalAutoshiftStatus,
	}, nil
}

func (s *service) listManagedResources(tx *awstest.Tx, call *awstest.Call, in *arczonalshift.ListManagedResourcesInput) (*arczonalshift.ListManagedResourcesOutput, error) {
	part, next, err := page(s.region(call).Resources(tx), in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &arczonalshift.ListManagedResourcesOutput{Items: []types.ManagedResourceSummary{}, NextToken: next}
	for _, res := range part {
		out.Items = append(out.Items, s.show(call, res))
	}
	return out, nil
}

// show tells what is known of a resource: which resources there are is always
// seen as of now, shifts as of the call.
func (s *service) show(call *awstest.Call, res zonalshiftmodel.Resource) types.ManagedResourceSummary {
	region := s.region(call)
	shown := types.ManagedResourceSummary{
		Arn: aws.String(res.ARN), Name: aws.String(res.Name), AvailabilityZones: []string{}, AppliedWeights: map[string]float32{},
		ZonalShifts: []types.ZonalShiftInResource{}, Autoshifts: []types.AutoshiftInResource{},
		ZonalAutoshiftStatus: types.ZonalAutoshiftStatusEnabled, PracticeRunStatus: types.ZonalAutoshiftStatusDisabled,
	}
	if res.NoAutoshift {
		shown.ZonalAutoshiftStatus = types.ZonalAutoshiftStatusDisabled
	}
	away := region.Effective(call.At, res.ARN)
	for _, z := range res.Zones {
		shown.AvailabilityZones = append(shown.AvailabilityZones, z.ID())
		shown.AppliedWeights[z.ID()] = 1
		if slices.Contains(away, z) {
			shown.AppliedWeights[z.ID()] = 0
		}
	}
	shift, shifted := region.ShiftOf(res.ARN, call.At)
	if shifted {
		shown.ZonalShifts = append(shown.ZonalShifts, types.ZonalShiftInResource{
			ZonalShiftId: &shift.ID, ResourceIdentifier: &shift.ARN, AwayFrom: aws.String(shift.AwayFrom.ID()), Comment: &shift.Comment,
			StartTime: &shift.Start, ExpiryTime: &shift.Expiry, AppliedStatus: types.AppliedStatusApplied, ShiftType: types.ShiftTypeZonalShift,
		})
	}
	if a, ok := region.AutoshiftOf(res, call.At); ok {
		applied := types.AutoshiftAppliedStatusApplied
		if shifted { // a customer's shift comes first
			applied = types.AutoshiftAppliedStatusNotApplied
		}
		shown.Autoshifts = append(shown.Autoshifts, types.AutoshiftInResource{AppliedStatus: applied, AwayFrom: aws.String(a.AwayFrom.ID()), StartTime: &a.Start})
	}
	return shown
}

// listAutoshifts lists the active ones unless a status is asked for.
// Source: https://docs.aws.amazon.com/arc-zonal-shift/latest/api/API_ListAutoshifts.html (read 2026-11)
func (s *service) listAutoshifts(_ *awstest.Tx, call *awstest.Call, in *arczonalshift.ListAutoshiftsInput) (*arczonalshift.ListAutoshiftsOutput, error) {
	status := in.Status
	switch {
	case status == "":
		status = types.AutoshiftExecutionStatusActive
	case !slices.Contains(status.Values(), status):
		return nil, invalid("InvalidStatus", "%q is not a status of an autoshift", status)
	}
	var found []types.AutoshiftSummary
	for _, a := range s.region(call).Autoshifts(call.At) {
		shown := types.AutoshiftSummary{AwayFrom: aws.String(a.AwayFrom.ID()), StartTime: &a.Start, Status: types.AutoshiftExecutionStatusActive}
		if !a.End.IsZero() {
			shown.EndTime, shown.Status = &a.End, types.AutoshiftExecutionStatusCompleted
		}
		if shown.Status == status {
			found = append(found, shown)
		}
	}
	items, next, err := page(found, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	return &arczonalshift.ListAutoshiftsOutput{Items: items, NextToken: next}, nil
}
