package arczonalshiftsvc

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/arczonalshift"
	"github.com/aws/aws-sdk-go-v2/service/arczonalshift/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/zonalshiftmodel"
)

func (s *service) addShifts(e *awstest.Endpoint) {
	awstest.Handle(e, s.startZonalShift, "ResourceIdentifier", "AwayFrom", "ExpiresIn", "Comment")
	awstest.Handle(e, s.updateZonalShift, "ZonalShiftId", "ExpiresIn", "Comment")
	awstest.Handle(e, s.cancelZonalShift, "ZonalShiftId")
	awstest.Handle(e, s.listZonalShifts, "ResourceIdentifier", "Status", "MaxResults", "NextToken")
}

func (s *service) startZonalShift(tx *awstest.Tx, call *awstest.Call, in *arczonalshift.StartZonalShiftInput) (*arczonalshift.StartZonalShiftOutput, error) {
	shift, err := s.region(call).Start(tx, aws.ToString(in.ResourceIdentifier), aws.ToString(in.AwayFrom), aws.ToString(in.ExpiresIn), aws.ToString(in.Comment))
	if err != nil {
		return nil, err
	}
	return &arczonalshift.StartZonalShiftOutput{
		ZonalShiftId: &shift.ID, ResourceIdentifier: &shift.ARN, AwayFrom: aws.String(shift.AwayFrom.ID()), Comment: &shift.Comment,
		StartTime: &shift.Start, ExpiryTime: &shift.Expiry, Status: types.ZonalShiftStatus(shift.Status),
	}, nil
}

func (s *service) updateZonalShift(tx *awstest.Tx, call *awstest.Call, in *arczonalshift.UpdateZonalShiftInput) (*arczonalshift.UpdateZonalShiftOutput, error) {
	shift, err := s.region(call).Update(tx, aws.ToString(in.ZonalShiftId), in.ExpiresIn, in.Comment)
	if err != nil {
		return nil, err
	}
	return &arczonalshift.UpdateZonalShiftOutput{
		ZonalShiftId: &shift.ID, ResourceIdentifier: &shift.ARN, AwayFrom: aws.String(shift.AwayFrom.ID()), Comment: &shift.Comment,
		StartTime: &shift.Start, ExpiryTime: &shift.Expiry, Status: types.ZonalShiftStatus(shift.Status),
	}, nil
}

func (s *service) cancelZonalShift(tx *awstest.Tx, call *awstest.Call, in *arczonalshift.CancelZonalShiftInput) (*arczonalshift.CancelZonalShiftOutput, error) {
	shift, err := s.region(call).Cancel(tx, aws.ToString(in.ZonalShiftId))
	if err != nil {
		return nil, err
	}
	return &arczonalshift.CancelZonalShiftOutput{
		ZonalShiftId: &shift.ID, ResourceIdentifier: &shift.ARN, AwayFrom: aws.String(shift.AwayFrom.ID()), Comment: &shift.Comment,
		StartTime: &shift.Start, ExpiryTime: &shift.Expiry, Status: types.ZonalShiftStatus(shift.Status),
	}, nil
}

// listZonalShifts lists the active ones unless a status is asked for. The SDK
// says that it lists all, and the API reference that those are the ones.
// Source: https://docs.aws.amazon.com/arc-zonal-shift/latest/api/API_ListZonalShifts.html (read 2026-11)
func (s *service) listZonalShifts(_ *awstest.Tx, call *awstest.Call, in *arczonalshift.ListZonalShiftsInput) (*arczonalshift.ListZonalShiftsOutput, error) {
	status := in.Status
	switch {
	case status == "":
		status = types.ZonalShiftStatusActive
	case !slices.Contains(status.Values(), status):
		return nil, invalid("InvalidStatus", "%q is not a status of a zonal shift", status)
	}
	var found []types.ZonalShiftSummary
	for shift := range s.region(call).Shifts(call.At) {
		switch {
		case string(shift.Status) != string(status):
		case in.ResourceIdentifier != nil && shift.ARN != *in.ResourceIdentifier:
		default:
			found = append(found, summary(shift))
		}
	}
	items, next, err := page(found, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	return &arczonalshift.ListZonalShiftsOutput{Items: items, NextToken: next}, nil
}

func summary(shift zonalshiftmodel.Shift) types.ZonalShiftSummary {
	return types.ZonalShiftSummary{
		ZonalShiftId: &shift.ID, ResourceIdentifier: &shift.ARN, AwayFrom: aws.String(shift.AwayFrom.ID()), Comment: &shift.Comment,
		StartTime: &shift.Start, ExpiryTime: &shift.Expiry, Status: types.ZonalShiftStatus(shift.Status), ShiftType: types.ShiftTypeZonalShift,
	}
}
