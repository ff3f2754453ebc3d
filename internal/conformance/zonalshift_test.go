package conformance_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/arczonalshift"
	"github.com/aws/aws-sdk-go-v2/service/arczonalshift/types"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	asgtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
)

// noZonalShift is the one difference of a place without zonal shift: moto has none.
var noZonalShift = []difference{{on: motoName, at: "the service is there", does: "not implemented"}}

// Source: https://docs.aws.amazon.com/arc-zonal-shift/latest/api/API_StartZonalShift.html (read 2026-11)
// Source: https://docs.aws.amazon.com/arc-zonal-shift/latest/api/API_UpdateZonalShift.html (read 2026-11)
// Source: https://docs.aws.amazon.com/arc-zonal-shift/latest/api/API_CancelZonalShift.html (read 2026-11)
// Source: https://docs.aws.amazon.com/arc-zonal-shift/latest/api/API_ListZonalShifts.html (read 2026-11)
var zonalShiftScenarios = []scenario{
	{
		name: "a group is moved out of a zone, and back",
		run: func(s *session) {
			if !s.zonalShiftIsThere() {
				return
			}
			arn, zone, other := s.shiftable()
			s.shows("before", "all of its zones, 0 shifts", func() string { return s.weights(arn, zone) })
			id, err := s.startShift(arn, zone, "1h")
			s.accepted("starting", err)
			s.shows("shifted", "all but the zone, 1 shifts", func() string { return s.weights(arn, zone) })
			s.shows("listed", "ACTIVE", func() string { return s.shiftStatus(id, types.ZonalShiftStatusActive) })
			_, err = s.startShift(arn, zone, "1h")
			s.refused("starting again", err, "ConflictException")
			_, err = s.startShift(arn, other, "1h")
			s.refused("starting from another zone", err, "ConflictException")
			out, err := s.zonalshift.UpdateZonalShift(s.Context(), &arczonalshift.UpdateZonalShiftInput{ZonalShiftId: &id, ExpiresIn: aws.String("2h"), Comment: aws.String("longer")})
			if s.accepted("updating", err) {
				s.is("updated", fmt.Sprint(out.ExpiryTime.Sub(*out.StartTime).Hours() >= 2, " ", *out.Comment, " ", out.Status), "true longer ACTIVE")
			}
			s.accepted("cancelling", s.cancelShift(id))
			s.shows("cancelled", "CANCELED", func() string { return s.shiftStatus(id, types.ZonalShiftStatusCanceled) })
			s.shows("back", "all of its zones, 0 shifts", func() string { return s.weights(arn, zone) })
			s.refused("cancelling again", s.cancelShift(id), "ConflictException")
		},
		differs: noZonalShift,
	},
	{
		name: "a load balancer is moved out of a zone, and back",
		run: func(s *session) {
			if !s.zonalShiftIsThere() {
				return
			}
			arn := s.listen(*must(s.group(s.groupInput("a")))(s).TargetGroupArn)
			zone := *s.subnets()[0].AvailabilityZoneId
			s.is("not enabled", s.weights(arn, zone), "ResourceNotFoundException")
			s.accepted("enabling it", s.setAttribute(arn, "zonal_shift.config.enabled", "true"))
			s.shows("before", "all of its zones, 0 shifts", func() string { return s.weights(arn, zone) })
			id, err := s.startShift(arn, zone, "1h")
			s.accepted("starting", err)
			s.shows("shifted", "all but the zone, 1 shifts", func() string { return s.weights(arn, zone) })
			s.accepted("cancelling", s.cancelShift(id))
			s.shows("back", "all of its zones, 0 shifts", func() string { return s.weights(arn, zone) })
		},
		differs: noZonalShift,
	},
	{
		name: "a zonal shift is refused",
		run: func(s *session) {
			if !s.zonalShiftIsThere() {
				return
			}
			arn, zone, _ := s.shiftable()
			for _, c := range []struct{ at, arn, zone, expires, code string }{
				{"seconds", arn, zone, "90s", "ValidationException"},
				{"more than three days", arn, zone, "73h", "ValidationException"},
				{"no zone ID", arn, "nowhere", "1h", "ValidationException"},
				{"no ARN", "web", zone, "1h", "ValidationException"},
				{"an unknown group", strings.Replace(arn, "autoScalingGroupName/", "autoScalingGroupName/un", 1), zone, "1h", "ResourceNotFoundException"},
			} {
				_, err := s.startShift(c.arn, c.zone, c.expires)
				s.refused(c.at, err, c.code)
			}
			s.refused("cancelling an unknown one", s.cancelShift("00000000-0000-4000-8000-ffffffffffff"), "ResourceNotFoundException")
			_, err := s.zonalshift.GetManagedResource(s.Context(), &arczonalshift.GetManagedResourceInput{
				ResourceIdentifier: aws.String(strings.Replace(arn, "autoScalingGroupName/", "autoScalingGroupName/un", 1)),
			})
			s.refused("an unknown resource", err, "ResourceNotFoundException")
		},
		differs: noZonalShift,
	},
}

func (s *session) zonalShiftIsThere() bool {
	_, err := s.zonalshift.ListAutoshifts(s.Context(), &arczonalshift.ListAutoshiftsInput{})
	return s.there(err)
}

// shiftable makes an empty Auto Scaling group in two zones that is enabled for zonal shift, and returns its ARN and the IDs
// of its zones.
func (s *session) shiftable() (arn, zone, other string) {
	s.Helper()
	name, subnets := "awsha-"+s.mark, s.subnets()
	template := s.template("the template", s.launchData())
	must(s.asg.CreateAutoScalingGroup(s.Context(), &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: &name, MinSize: aws.Int32(0), MaxSize: aws.Int32(0), VPCZoneIdentifier: aws.String(*subnets[0].SubnetId + "," + *subnets[1].SubnetId),
		LaunchTemplate: &asgtypes.LaunchTemplateSpecification{LaunchTemplateId: &template},
		AvailabilityZoneImpairmentPolicy: &asgtypes.AvailabilityZoneImpairmentPolicy{
			ZonalShiftEnabled: aws.Bool(true), ImpairedZoneHealthCheckBehavior: asgtypes.ImpairedZoneHealthCheckBehaviorReplaceUnhealthy,
		},
	}))(s)
	s.cleanly(name, func(ctx context.Context) error {
		_, err := s.asg.DeleteAutoScalingGroup(ctx, &autoscaling.DeleteAutoScalingGroupInput{AutoScalingGroupName: &name})
		return err
	})
	s.shows("the group is managed", "managed", func() string {
		pages := arczonalshift.NewListManagedResourcesPaginator(s.zonalshift, &arczonalshift.ListManagedResourcesInput{})
		for pages.HasMorePages() {
			for _, r := range must(pages.NextPage(s.Context()))(s).Items {
				if strings.HasSuffix(aws.ToString(r.Arn), "autoScalingGroupName/"+name) {
					arn = *r.Arn
					return "managed"
				}
			}
		}
		return "not managed"
	})
	return arn, *subnets[0].AvailabilityZoneId, *subnets[1].AvailabilityZoneId
}

func (s *session) startShift(arn, zone, expires string) (id string, err error) {
	out, err := s.zonalshift.StartZonalShift(s.Context(), &arczonalshift.StartZonalShiftInput{
		ResourceIdentifier: &arn, AwayFrom: &zone, ExpiresIn: &expires, Comment: aws.String("awsha-conformance " + s.mark),
	})
	if err != nil {
		return "", err
	}
	s.cleanly(*out.ZonalShiftId, func(ctx context.Context) error {
		_, err := s.zonalshift.CancelZonalShift(ctx, &arczonalshift.CancelZonalShiftInput{ZonalShiftId: out.ZonalShiftId})
		return unless(err, "ConflictException")
	})
	return *out.ZonalShiftId, nil
}

func (s *session) cancelShift(id string) error {
	_, err := s.zonalshift.CancelZonalShift(s.Context(), &arczonalshift.CancelZonalShiftInput{ZonalShiftId: &id})
	return err
}

// weights tells which zones a resource is in.
func (s *session) weights(arn, zone string) string {
	r, err := s.zonalshift.GetManagedResource(s.Context(), &arczonalshift.GetManagedResourceInput{ResourceIdentifier: &arn})
	if err != nil {
		return outcome(err)
	}
	out, in := 0, 0
	for z, w := range r.AppliedWeights {
		switch {
		case w == 1:
			in++
		case z == zone:
			out++
		}
	}
	switch {
	case len(r.AppliedWeights) == in:
		return fmt.Sprintf("all of its zones, %d shifts", len(r.ZonalShifts))
	case len(r.AppliedWeights) == in+out:
		return fmt.Sprintf("all but the zone, %d shifts", len(r.ZonalShifts))
	}
	return fmt.Sprint(r.AppliedWeights)
}

// shiftStatus tells the status of a shift among those of a status.
func (s *session) shiftStatus(id string, status types.ZonalShiftStatus) string {
	pages := arczonalshift.NewListZonalShiftsPaginator(s.zonalshift, &arczonalshift.ListZonalShiftsInput{Status: status})
	for pages.HasMorePages() {
		for _, shift := range must(pages.NextPage(s.Context()))(s).Items {
			if *shift.ZonalShiftId == id {
				return string(shift.Status)
			}
		}
	}
	return "not listed"
}
