package ec2svc

import (
	"encoding/json"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

func (s *service) addReservations(e *awstest.Endpoint) {
	handle(e, s.createCapacityReservation, "InstanceType", "InstancePlatform", "InstanceCount", "AvailabilityZone", "AvailabilityZoneId", "ClientToken",
		"InstanceMatchCriteria", "EndDate", "EndDateType", "TagSpecifications", "Tenancy")
	handle(e, s.cancelCapacityReservation, "CapacityReservationId")
	handle(e, s.describeCapacityReservations, "CapacityReservationIds", "Filters", "MaxResults", "NextToken")
	handle(e, s.describeReservedInstances, "ReservedInstancesIds", "Filters")
}

func (s *service) createCapacityReservation(
	tx *awstest.Tx, call *awstest.Call, in *ec2.CreateCapacityReservationInput,
) (*ec2.CreateCapacityReservationOutput, error) {
	if in.Tenancy != "" && in.Tenancy != types.CapacityReservationTenancyDefault {
		return nil, call.NotModelled("tenancy %s", in.Tenancy)
	}
	if (in.EndDate != nil) != (in.EndDateType == types.EndDateTypeLimited) {
		return nil, awstest.Errorf("InvalidParameterCombination", "EndDate is required with EndDateType limited, and not allowed otherwise")
	}
	if err := checkToken(in.ClientToken); err != nil {
		return nil, err
	}
	tags, err := tagsFor(call, in.TagSpecifications, types.ResourceTypeCapacityReservation)
	if err != nil {
		return nil, err
	}
	request, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	region := s.region(tx, call)
	v, err := region.CreateReservation(tx, ec2model.ReservationSpec{
		Type: aws.ToString(in.InstanceType), Platform: string(in.InstancePlatform), ZoneID: aws.ToString(in.AvailabilityZoneId), ZoneName: aws.ToString(in.AvailabilityZone),
		Targeted: in.InstanceMatchCriteria == types.InstanceMatchCriteriaTargeted, Total: int(aws.ToInt32(in.InstanceCount)), End: aws.ToTime(in.EndDate),
		Token: aws.ToString(in.ClientToken), Request: string(request), Tags: tags,
	})
	if err != nil {
		return nil, err
	}
	shown := showReservation(tx, present(tx, call), region, v)
	return &ec2.CreateCapacityReservationOutput{CapacityReservation: &shown}, nil
}

func (s *service) cancelCapacityReservation(
	tx *awstest.Tx, call *awstest.Call, in *ec2.CancelCapacityReservationInput,
) (*ec2.CancelCapacityReservationOutput, error) {
	if err := reservationKind.check(aws.ToString(in.CapacityReservationId)); err != nil {
		return nil, err
	}
	if err := s.region(tx, call).CancelReservation(tx, *in.CapacityReservationId); err != nil {
		return nil, err
	}
	return &ec2.CancelCapacityReservationOutput{Return: aws.Bool(true)}, nil
}

var reservationFilters = filterable[ec2model.Reservation]{
	"instance-type":           one(func(v ec2model.Reservation) string { return v.Type }),
	"instance-platform":       one(func(v ec2model.Reservation) string { return v.Platform }),
	"availability-zone":       one(func(v ec2model.Reservation) string { return v.Zone.Name() }),
	"availability-zone-id":    one(func(v ec2model.Reservation) string { return v.Zone.ID() }),
	"state":                   one(func(v ec2model.Reservation) string { return v.State }),
	"tenancy":                 one(func(ec2model.Reservation) string { return string(types.CapacityReservationTenancyDefault) }),
	"instance-match-criteria": one(func(v ec2model.Reservation) string { return string(matchCriteria(v)) }),
	"end-date-type":           one(func(v ec2model.Reservation) string { return string(endDateType(v)) }),
}

func matchCriteria(v ec2model.Reservation) types.InstanceMatchCriteria {
	if v.Targeted {
		return types.InstanceMatchCriteriaTargeted
	}
	return types.InstanceMatchCriteriaOpen
}

func endDateType(v ec2model.Reservation) types.EndDateType {
	if v.End.IsZero() {
		return types.EndDateTypeUnlimited
	}
	return types.EndDateTypeLimited
}

func (s *service) describeCapacityReservations(
	tx *awstest.Tx, call *awstest.Call, in *ec2.DescribeCapacityReservationsInput,
) (*ec2.DescribeCapacityReservationsOutput, error) {
	match, err := reservationFilters.matcher(call, in.Filters, func(v ec2model.Reservation) ec2model.Tags { return v.Tags })
	if err != nil {
		return nil, err
	}
	region := s.region(tx, call)
	get := func(id string) (ec2model.Reservation, error) { return region.Reservation(call.At, id) }
	found, err := find(reservationKind, in.CapacityReservationIds, get, region.Reservations(call.At))
	if err != nil {
		return nil, err
	}
	found, next, err := page(only(found, match), in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &ec2.DescribeCapacityReservationsOutput{NextToken: next}
	for _, v := range found {
		out.CapacityReservations = append(out.CapacityReservations, showReservation(tx, call, region, v))
	}
	return out, nil
}

func showReservation(tx *awstest.Tx, call *awstest.Call, region *ec2model.Region, v ec2model.Reservation) types.CapacityReservation {
	total := 0
	if v.State == ec2model.Active {
		total = v.Total
	}
	out := types.CapacityReservation{
		CapacityReservationId: aws.String(v.ID), OwnerId: aws.String(tx.Cloud().AccountID()),
		CapacityReservationArn: aws.String("arn:aws:ec2:" + call.Region.Name() + ":" + tx.Cloud().AccountID() + ":capacity-reservation/" + v.ID),
		InstanceType:           aws.String(v.Type), InstancePlatform: types.CapacityReservationInstancePlatform(v.Platform),
		AvailabilityZone: aws.String(v.Zone.Name()), AvailabilityZoneId: aws.String(v.Zone.ID()), Tenancy: types.CapacityReservationTenancyDefault,
		TotalInstanceCount: aws.Int32(int32(total)), AvailableInstanceCount: aws.Int32(int32(region.Free(call.At, v))),
		EbsOptimized: aws.Bool(false), EphemeralStorage: aws.Bool(false), State: types.CapacityReservationState(v.State),
		StartDate: aws.Time(v.Created), CreateDate: aws.Time(v.Created), EndDateType: endDateType(v), InstanceMatchCriteria: matchCriteria(v),
		ReservationType: types.CapacityReservationTypeDefault, Tags: showTags(v.Tags),
	}
	if !v.End.IsZero() {
		out.EndDate = aws.Time(v.End)
	}
	return out
}

// reserve reads how an instance wants its capacity.
func reserve(call *awstest.Call, in *types.CapacityReservationSpecification) (how ec2model.Reserve, err error) {
	if in == nil {
		return how, nil
	}
	how.Preference = ec2model.Preference(in.CapacityReservationPreference)
	if t := in.CapacityReservationTarget; t != nil {
		if t.CapacityReservationResourceGroupArn != nil {
			return how, call.NotModelled("groups of Capacity Reservations")
		}
		if how.Preference == ec2model.PreferOpen || how.Preference == ec2model.PreferNone {
			return how, awstest.Errorf("InvalidParameterCombination", "A Capacity Reservation target cannot be specified with the preference '%s'", how.Preference)
		}
		how.Target = aws.ToString(t.CapacityReservationId)
		return how, reservationKind.check(how.Target)
	}
	if how.Preference != "" && !slices.Contains([]ec2model.Preference{ec2model.PreferOpen, ec2model.PreferNone, ec2model.PreferOnly}, how.Preference) {
		return how, awstest.Errorf("InvalidParameterValue", "Value (%s) for parameter CapacityReservationPreference is invalid.", how.Preference)
	}
	return how, nil
}

func showReserve(how ec2model.Reserve) *types.CapacityReservationSpecificationResponse {
	if how.Target != "" {
		return &types.CapacityReservationSpecificationResponse{
			CapacityReservationPreference: types.CapacityReservationPreference(how.Preference),
			CapacityReservationTarget:     &types.CapacityReservationTargetResponse{CapacityReservationId: aws.String(how.Target)},
		}
	}
	preference := how.Preference
	if preference == "" {
		preference = ec2model.PreferOpen
	}
	return &types.CapacityReservationSpecificationResponse{CapacityReservationPreference: types.CapacityReservationPreference(preference)}
}

var reservedFilters = filterable[ec2model.ReservedInstances]{
	"instance-type":       one(func(v ec2model.ReservedInstances) string { return v.Type }),
	"scope":               one(func(v ec2model.ReservedInstances) string { return string(scope(v)) }),
	"state":               one(func(ec2model.ReservedInstances) string { return string(types.ReservedInstanceStateActive) }),
	"product-description": one(func(v ec2model.ReservedInstances) string { return v.Platform }),
	"availability-zone": ifAny(func(v ec2model.ReservedInstances) string {
		if v.Zone == nil {
			return ""
		}
		return v.Zone.Name()
	}),
}

func scope(v ec2model.ReservedInstances) types.Scope {
	if v.Zone == nil {
		return types.ScopeRegional
	}
	return types.ScopeAvailabilityZone
}

func (s *service) describeReservedInstances(
	tx *awstest.Tx, call *awstest.Call, in *ec2.DescribeReservedInstancesInput,
) (*ec2.DescribeReservedInstancesOutput, error) {
	match, err := reservedFilters.matcher(call, in.Filters, nil)
	if err != nil {
		return nil, err
	}
	out := new(ec2.DescribeReservedInstancesOutput)
	for _, v := range only(s.region(tx, call).ReservedInstances(), match) {
		if !named(in.ReservedInstancesIds, v.ID) {
			continue
		}
		shown := types.ReservedInstances{
			ReservedInstancesId: aws.String(v.ID), InstanceType: types.InstanceType(v.Type), InstanceCount: aws.Int32(int32(v.Count)),
			ProductDescription: types.RIProductDescription(v.Platform), InstanceTenancy: types.TenancyDefault, Scope: scope(v),
			State: types.ReservedInstanceStateActive, Start: aws.Time(v.Start),
		}
		if v.Zone != nil {
			shown.AvailabilityZone, shown.AvailabilityZoneId = aws.String(v.Zone.Name()), aws.String(v.Zone.ID())
		}
		out.ReservedInstances = append(out.ReservedInstances, shown)
	}
	return out, nil
}

// ReservedInstances are what [Reserve] puts into an account.
type ReservedInstances struct {
	Type  string
	Count int

	// Zone is the ID or the name of the zone in which they hold capacity. Empty are Reserved Instances of the region, which are a discount and hold none.
	Zone string
}

// Reserve puts Reserved Instances for Linux into the account, as a purchase does, which is not modelled. Those of a zone hold capacity: launches that match
// succeed where [awstest.Zone.RefuseLaunches] refuses others. They never end.
//
// A mistake is a [*awstest.FieldError].
func Reserve(cloud *awstest.Cloud, region string, v ReservedInstances) error {
	switch {
	case v.Type == "":
		return mistake("Type", v.Type, "must be given")
	case v.Count < 1:
		return mistake("Count", strconv.Itoa(v.Count), "must be at least 1")
	}
	return update(cloud, region, func(tx *awstest.Tx, r *ec2model.Region) error {
		add := ec2model.ReservedInstances{Type: v.Type, Platform: ec2model.DefaultPlatform, Count: v.Count}
		if v.Zone != "" {
			if add.Zone = r.FindZone(v.Zone); add.Zone == nil {
				return mistake("Zone", v.Zone, "is not a zone of "+region)
			}
		}
		r.AddReservedInstances(tx, add)
		return nil
	})
}
