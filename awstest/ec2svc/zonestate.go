package ec2svc

import (
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

// MarkZone has DescribeAvailabilityZones show a state of a zone, such as [types.AvailabilityZoneStateImpaired], and messages, at once and until unmark is
// called. The zone is named by its ID or its name. Of several marks the last one shows, and a zone that is down is unavailable whatever is marked.
//
// It changes nothing but what is shown: [awstest.Zone.Fail] fails a zone, and [awstest.Zone.RefuseLaunches] refuses launches, as AWS may in a zone that is
// constrained.
//
// A mistake is a [*awstest.FieldError].
func MarkZone(cloud *awstest.Cloud, region, zone string, state types.AvailabilityZoneState, messages ...string) (unmark func(), err error) {
	if !slices.Contains(state.Values(), state) {
		return nil, mistake("state", string(state), fmt.Sprintf("is not one of %v", state.Values()))
	}
	var end func(*awstest.Tx)
	err = update(cloud, region, func(_ *awstest.Tx, r *ec2model.Region) error {
		z := r.FindZone(zone)
		if z == nil {
			return mistake("zone", zone, "is not a zone of "+region)
		}
		end = r.MarkZone(z, ec2model.ZoneMark{State: string(state), Messages: messages})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return func() { cloud.Update(end) }, nil
}

// showMark shows what a zone is marked with.
func showMark(out *types.AvailabilityZone, mark ec2model.ZoneMark) {
	out.State = types.AvailabilityZoneState(mark.State)
	for _, text := range mark.Messages {
		out.Messages = append(out.Messages, types.AvailabilityZoneMessage{Message: aws.String(text)})
	}
}
