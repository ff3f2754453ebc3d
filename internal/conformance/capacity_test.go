package conformance_test

import (
	"context"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateCapacityReservation.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/capacity-reservations-launch.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceTypeOfferings.html (read 2026-11)
var capacityScenarios = []scenario{
	{
		name: "capacity is reserved, used by what names it, and given back",
		run: func(s *session) {
			if s.shared { // what is reserved is paid for
				return
			}
			zone := s.subnets()[0]
			out, err := s.ec2.CreateCapacityReservation(s.Context(), &ec2.CreateCapacityReservationInput{
				InstanceType: aws.String("t3.micro"), InstancePlatform: types.CapacityReservationInstancePlatformLinuxUnix, InstanceCount: aws.Int32(1),
				AvailabilityZone: zone.AvailabilityZone, InstanceMatchCriteria: types.InstanceMatchCriteriaTargeted, EndDateType: types.EndDateTypeUnlimited,
				TagSpecifications: s.tagged(types.ResourceTypeCapacityReservation),
			})
			if !s.accepted("reserving", err) {
				return
			}
			id := *out.CapacityReservation.CapacityReservationId
			s.call(id, "the reservation")
			s.cleanly(id, func(ctx context.Context) error {
				_, err := s.ec2.CancelCapacityReservation(ctx, &ec2.CancelCapacityReservationInput{CapacityReservationId: &id})
				return unless(err, "InvalidCapacityReservationId.NotFound")
			})
			s.shows("free", "1 of 1, active", func() string { return s.reserved(id) })
			launch := func() (*ec2.RunInstancesOutput, error) {
				return s.ec2.RunInstances(s.Context(), &ec2.RunInstancesInput{
					ImageId: &s.image, InstanceType: types.InstanceTypeT3Micro, MinCount: aws.Int32(1), MaxCount: aws.Int32(1), SubnetId: zone.SubnetId,
					CapacityReservationSpecification: &types.CapacityReservationSpecification{
						CapacityReservationTarget: &types.CapacityReservationTarget{CapacityReservationId: &id},
					},
				})
			}
			launched, err := launch()
			if !s.accepted("launching into it", err) {
				return
			}
			instance := *launched.Instances[0].InstanceId
			s.call(instance, "the instance")
			terminate := func(ctx context.Context) error {
				_, err := s.ec2.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{instance}})
				return err
			}
			s.cleanly(instance, terminate)
			s.shows("used", "0 of 1, active", func() string { return s.reserved(id) })
			_, err = launch()
			s.refused("launching once more", err, "ReservationCapacityExceeded")
			s.accepted("terminating", terminate(s.Context()))
			s.shows("free again", "1 of 1, active", func() string { return s.reserved(id) })
			_, err = s.ec2.CancelCapacityReservation(s.Context(), &ec2.CancelCapacityReservationInput{CapacityReservationId: &id})
			s.accepted("giving back", err)
			s.shows("cancelled", "0 of 0, cancelled", func() string { return s.reserved(id) })
			s.is("an unknown one", s.reserved("cr"+unknown), "InvalidCapacityReservationId.NotFound")
		},
		differs: []difference{
			{on: motoName, at: "reserving", does: "not implemented"},
		},
	},
	{
		name: "what a region offers",
		run: func(s *session) {
			out, err := s.ec2.DescribeInstanceTypeOfferings(s.Context(), &ec2.DescribeInstanceTypeOfferingsInput{
				LocationType: types.LocationTypeAvailabilityZoneId, Filters: filters("instance-type", "t3.micro"),
			})
			if s.accepted("offerings", err) {
				strange := 0
				for _, o := range out.InstanceTypeOfferings {
					if o.InstanceType != types.InstanceTypeT3Micro {
						strange++
					}
				}
				s.is("offered somewhere", strconv.FormatBool(len(out.InstanceTypeOfferings) > 0), "true")
				s.is("offerings of other types", strconv.Itoa(strange), "0")
			}
			found, err := s.ec2.DescribeInstanceTypes(s.Context(), &ec2.DescribeInstanceTypesInput{InstanceTypes: []types.InstanceType{"t3.micro", "m5d.large"}})
			if s.accepted("types", err) {
				storage := map[types.InstanceType]string{}
				for _, t := range found.InstanceTypes {
					storage[t.InstanceType] = fmt.Sprintf("%d vCPUs, storage: %v", *t.VCpuInfo.DefaultVCpus, aws.ToBool(t.InstanceStorageSupported))
				}
				s.is("t3.micro", storage["t3.micro"], "2 vCPUs, storage: false")
				s.is("m5d.large", storage["m5d.large"], "2 vCPUs, storage: true")
			}
			zonal, err := s.ec2.DescribeReservedInstances(s.Context(), &ec2.DescribeReservedInstancesInput{Filters: filters("scope", "Availability Zone")})
			if s.accepted("Reserved Instances", err) {
				for _, r := range zonal.ReservedInstances {
					s.is("their scope", string(r.Scope), "Availability Zone")
				}
			}
		},
		differs: []difference{
			{on: motoName, at: "Reserved Instances", does: "not implemented"},
		},
	},
}

// reserved tells how much of a reservation is free, and its state.
func (s *session) reserved(id string) string {
	out, err := s.ec2.DescribeCapacityReservations(s.Context(), &ec2.DescribeCapacityReservationsInput{CapacityReservationIds: []string{id}})
	if err != nil {
		return outcome(err)
	}
	v := out.CapacityReservations[0]
	return fmt.Sprintf("%d of %d, %s", *v.AvailableInstanceCount, *v.TotalInstanceCount, v.State)
}
