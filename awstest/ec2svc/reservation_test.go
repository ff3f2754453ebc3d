package ec2svc_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
)

const reservedType = "m7g.large"

// reservation makes a Capacity Reservation.
func (w *world) reservation(zone string, count int32, edit ...func(*ec2.CreateCapacityReservationInput)) string {
	w.Helper()
	in := &ec2.CreateCapacityReservationInput{
		InstanceType: aws.String(reservedType), InstancePlatform: types.CapacityReservationInstancePlatformLinuxUnix, InstanceCount: &count,
		AvailabilityZoneId: &zone,
	}
	for _, fn := range edit {
		fn(in)
	}
	return *must(w.CreateCapacityReservation(w.Context(), in))(w).CapacityReservation.CapacityReservationId
}

func targeted(in *ec2.CreateCapacityReservationInput) {
	in.InstanceMatchCriteria = types.InstanceMatchCriteriaTargeted
}

// launchReserved launches an instance of the type in a zone.
func (w *world) launchReserved(zone string, how *types.CapacityReservationSpecification) (*types.Instance, error) {
	out, err := w.RunInstances(w.Context(), &ec2.RunInstancesInput{
		ImageId: aws.String("ami-12345678"), InstanceType: reservedType, MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
		Placement: &types.Placement{AvailabilityZoneId: &zone}, CapacityReservationSpecification: how,
	}, once)
	if err != nil {
		return nil, err
	}
	return &out.Instances[0], nil
}

func once(o *ec2.Options) { o.RetryMaxAttempts = 1 }

func into(id string) *types.CapacityReservationSpecification {
	return &types.CapacityReservationSpecification{CapacityReservationTarget: &types.CapacityReservationTarget{CapacityReservationId: &id}}
}

func prefer(p types.CapacityReservationPreference) *types.CapacityReservationSpecification {
	return &types.CapacityReservationSpecification{CapacityReservationPreference: p}
}

func (w *world) free(id string) int32 {
	w.Helper()
	out := must(w.DescribeCapacityReservations(w.Context(), &ec2.DescribeCapacityReservationsInput{CapacityReservationIds: []string{id}}))(w)
	return *out.CapacityReservations[0].AvailableInstanceCount
}

// refuse has a zone without capacity for the type.
func (w *world) refuse(zone string) {
	w.Helper()
	w.zone(zone).RefuseLaunches(reservedType)
}

func TestOpenReservationsAreUsedByWhateverMatches(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id := w.reservation(zoneA, 2)
		w.refuse(zoneA)
		for want := range 2 {
			i := must(w.launchReserved(zoneA, nil))(w)
			if aws.ToString(i.CapacityReservationId) != id || w.free(id) != int32(1-want) {
				t.Errorf("in %q, %d free", aws.ToString(i.CapacityReservationId), w.free(id))
			}
		}
		_, err := w.launchReserved(zoneA, nil)
		wantCode(w, err, "InsufficientInstanceCapacity")
		_, err = w.launchReserved(zoneB, prefer(types.CapacityReservationPreferenceCapacityReservationsOnly))
		wantCode(w, err, "InsufficientInstanceCapacity")
	})
}

func TestPlacesInAReservationComeBack(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id := w.reservation(zoneA, 1)
		i := *must(w.launchReserved(zoneA, nil))(w).InstanceId
		time.Sleep(time.Minute)
		must(w.StopInstances(w.Context(), &ec2.StopInstancesInput{InstanceIds: []string{i}}))(w)
		if w.free(id) != 0 {
			t.Error("free before it has stopped")
		}
		time.Sleep(time.Minute)
		w.refuse(zoneA)
		if w.free(id) != 1 {
			t.Error("not free after it has stopped")
		}
		must(w.StartInstances(w.Context(), &ec2.StartInstancesInput{InstanceIds: []string{i}}))(w)
		time.Sleep(time.Minute)
		if w.free(id) != 0 {
			t.Error("free after it has started")
		}
		must(w.TerminateInstances(w.Context(), &ec2.TerminateInstancesInput{InstanceIds: []string{i}}))(w)
		time.Sleep(time.Minute)
		if w.free(id) != 1 {
			t.Error("not free after it has been terminated")
		}
	})
}

func TestTargetedReservationsAreUsedByNameAlone(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id := w.reservation(zoneA, 1, targeted)
		w.refuse(zoneA)
		_, err := w.launchReserved(zoneA, nil)
		wantCode(w, err, "InsufficientInstanceCapacity")
		_, err = w.launchReserved(zoneB, into(id))
		wantCode(w, err, "InvalidParameterCombination")
		if i := must(w.launchReserved(zoneA, into(id)))(w); aws.ToString(i.CapacityReservationId) != id {
			t.Error(aws.ToString(i.CapacityReservationId))
		}
		_, err = w.launchReserved(zoneA, into(id))
		wantCode(w, err, "ReservationCapacityExceeded")
		_, err = w.launchReserved(zoneA, into("cr-0123456789abcdef0"))
		wantCode(w, err, "InvalidCapacityReservationId.NotFound")
		_, err = w.launchReserved(zoneA, into("x"))
		wantCode(w, err, "InvalidCapacityReservationId.Malformed")
	})
}

func TestAReservationEnds(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		end := time.Now().Add(time.Hour)
		id := w.reservation(zoneA, 1, func(in *ec2.CreateCapacityReservationInput) {
			in.EndDate, in.EndDateType = &end, types.EndDateTypeLimited
		})
		cancelled := w.reservation(zoneB, 3)
		i := *must(w.launchReserved(zoneB, nil))(w).InstanceId
		must(w.CancelCapacityReservation(w.Context(), &ec2.CancelCapacityReservationInput{CapacityReservationId: &cancelled}))(w)
		must(w.CancelCapacityReservation(w.Context(), &ec2.CancelCapacityReservationInput{CapacityReservationId: &cancelled}))(w)
		time.Sleep(2 * time.Hour)
		states := map[string]types.CapacityReservationState{}
		for _, v := range must(w.DescribeCapacityReservations(w.Context(), &ec2.DescribeCapacityReservationsInput{}))(w).CapacityReservations {
			states[*v.CapacityReservationId] = v.State
			if *v.TotalInstanceCount != 0 || *v.AvailableInstanceCount != 0 {
				t.Errorf("%+v", v)
			}
		}
		if states[id] != types.CapacityReservationStateExpired || states[cancelled] != types.CapacityReservationStateCancelled {
			t.Error(states)
		}
		out := must(w.DescribeInstances(w.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{i}}))(w)
		if got := out.Reservations[0].Instances[0]; got.State.Name != types.InstanceStateNameRunning || got.CapacityReservationId != nil {
			t.Errorf("%+v", got)
		}
	})
}

func TestReservationsNeedCapacityAndAZone(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		create := func(edit func(*ec2.CreateCapacityReservationInput)) error {
			in := &ec2.CreateCapacityReservationInput{
				InstanceType: aws.String(reservedType), InstancePlatform: types.CapacityReservationInstancePlatformLinuxUnix, InstanceCount: aws.Int32(1),
				AvailabilityZoneId: aws.String(zoneA),
			}
			edit(in)
			_, err := w.CreateCapacityReservation(w.Context(), in, once)
			return err
		}
		for code, edit := range map[string]func(*ec2.CreateCapacityReservationInput){
			"MissingParameter":            func(in *ec2.CreateCapacityReservationInput) { in.AvailabilityZoneId = nil },
			"InvalidParameterValue":       func(in *ec2.CreateCapacityReservationInput) { in.InstanceCount = aws.Int32(0) },
			"InvalidParameterCombination": func(in *ec2.CreateCapacityReservationInput) { in.EndDateType = types.EndDateTypeLimited },
		} {
			wantCode(w, create(edit), code)
		}
		token := func(in *ec2.CreateCapacityReservationInput) { in.ClientToken = aws.String("token") }
		wantCode(w, create(token), "")
		wantCode(w, create(token), "")
		wantCode(w, create(func(in *ec2.CreateCapacityReservationInput) { token(in); in.InstanceCount = aws.Int32(2) }), "IdempotentParameterMismatch")
		if n := len(must(w.DescribeCapacityReservations(w.Context(), &ec2.DescribeCapacityReservationsInput{}))(w).CapacityReservations); n != 1 {
			t.Errorf("%d reservations", n)
		}
		w.refuse(zoneA)
		wantCode(w, create(func(*ec2.CreateCapacityReservationInput) {}), "InsufficientInstanceCapacity")
	})
}

func TestADeadZoneKeepsNoReservation(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.reservation(zoneA, 1)
		if err := ec2svc.Reserve(w.cloud, region, ec2svc.ReservedInstances{Type: reservedType, Count: 1, Zone: zoneA}); err != nil {
			t.Fatal(err)
		}
		w.zone(zoneA).Fail(awstest.PowerLoss)
		_, err := w.launchReserved(zoneA, nil)
		wantCode(w, err, "InsufficientInstanceCapacity")
	})
}

func TestZonalReservedInstancesHoldCapacity(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		for _, v := range []ec2svc.ReservedInstances{{Type: reservedType, Count: 1, Zone: zoneA}, {Type: reservedType, Count: 5}} {
			if err := ec2svc.Reserve(w.cloud, region, v); err != nil {
				t.Fatal(err)
			}
		}
		w.refuse(zoneA)
		must(w.launchReserved(zoneA, prefer(types.CapacityReservationPreferenceNone)))(w)
		_, err := w.launchReserved(zoneA, nil)
		wantCode(w, err, "InsufficientInstanceCapacity")
		zonal := &ec2.DescribeReservedInstancesInput{Filters: []types.Filter{filter("scope", string(types.ScopeAvailabilityZone))}}
		out := must(w.DescribeReservedInstances(w.Context(), zonal))(w).ReservedInstances
		if len(out) != 1 || *out[0].AvailabilityZoneId != zoneA || *out[0].InstanceCount != 1 {
			t.Errorf("%+v", out)
		}
		for _, v := range []ec2svc.ReservedInstances{{Count: 1}, {Type: reservedType}, {Type: reservedType, Count: 1, Zone: "mars"}} {
			if err := ec2svc.Reserve(w.cloud, region, v); err == nil {
				t.Errorf("%+v was taken", v)
			}
		}
	})
}

func TestWhatAZoneOffers(t *testing.T) {
	t.Parallel()
	notInA := func(o *ec2svc.Options) { o.NotOffered = map[string][]string{reservedType: {zoneA}} }
	inBubbleWith(t, notInA, func(w *world) {
		out := must(w.DescribeInstanceTypeOfferings(w.Context(), &ec2.DescribeInstanceTypeOfferingsInput{
			LocationType: types.LocationTypeAvailabilityZoneId, Filters: []types.Filter{filter("instance-type", reservedType, "x9.large")},
		}))(w).InstanceTypeOfferings
		zones := map[string]int{}
		for _, o := range out {
			zones[*o.Location]++
		}
		if zones[zoneA] != 1 || zones[zoneB] != 2 {
			t.Error(zones)
		}
		_, err := w.launchReserved(zoneA, nil)
		wantCode(w, err, "Unsupported")
		byRegion := must(w.DescribeInstanceTypeOfferings(w.Context(), &ec2.DescribeInstanceTypeOfferingsInput{
			Filters: []types.Filter{filter("instance-type", reservedType)},
		}))(w).InstanceTypeOfferings
		if len(byRegion) != 1 || *byRegion[0].Location != region {
			t.Errorf("%+v", byRegion)
		}
	})
}

func TestTypesByTheirNames(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		for name, want := range map[types.InstanceType]struct {
			vCPUs   int32
			storage bool
		}{
			"t3.micro": {2, false}, "m7g.medium": {1, false}, "m5.large": {2, false}, "c7g.xlarge": {4, false}, "r7g.16xlarge": {64, false},
			"m5d.large": {2, true}, "c6gd.2xlarge": {8, true}, "r5dn.large": {2, true}, "i4i.large": {2, true}, "is4gen.large": {2, true}, "d3.xlarge": {4, true},
			"u-6tb1.metal": {1, false}, "m7i.metal-24xl": {96, false}, "t2.micro": {1, false}, "t2.medium": {2, false}, "c4.8xlarge": {36, false},
		} {
			out := must(w.DescribeInstanceTypes(w.Context(), &ec2.DescribeInstanceTypesInput{InstanceTypes: []types.InstanceType{name}}))(w).InstanceTypes
			if len(out) != 1 || *out[0].VCpuInfo.DefaultVCpus != want.vCPUs || *out[0].InstanceStorageSupported != want.storage {
				t.Errorf("%s: %+v", name, out)
			}
		}
		storage := &ec2.DescribeInstanceTypesInput{Filters: []types.Filter{filter("instance-storage-supported", "true")}}
		for _, i := range must(w.DescribeInstanceTypes(w.Context(), storage))(w).InstanceTypes {
			if !*i.InstanceStorageSupported {
				t.Errorf("%+v", i)
			}
		}
	})
}
