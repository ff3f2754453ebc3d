package ec2svc_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
)

const (
	available   = types.AvailabilityZoneStateAvailable
	impairedAZ  = types.AvailabilityZoneStateImpaired
	unavailable = types.AvailabilityZoneStateUnavailable
	constrained = types.AvailabilityZoneStateConstrained
)

func TestMarkedZones(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		want := func(zone string, state types.AvailabilityZoneState, messages ...string) {
			w.Helper()
			z := must(w.DescribeAvailabilityZones(w.Context(), &ec2.DescribeAvailabilityZonesInput{ZoneIds: []string{zone}}))(w).AvailabilityZones[0]
			var texts []string
			for _, m := range z.Messages {
				texts = append(texts, *m.Message)
			}
			if z.State != state {
				w.Errorf("%s is %s, want %s", zone, z.State, state)
			}
			if diff := cmp.Diff(messages, texts); diff != "" {
				w.Error(diff)
			}
		}
		mark := func(zone string, state types.AvailabilityZoneState, messages ...string) func() {
			w.Helper()
			return must(ec2svc.MarkZone(w.cloud, region, zone, state, messages...))(w)
		}
		want(zoneA, available)
		first := mark(zoneA, impairedAZ, "We are investigating.", "It may take a while.")
		second := mark("us-east-1f", constrained) // its name
		want(zoneA, constrained)
		want(zoneB, available)
		found := must(w.DescribeAvailabilityZones(w.Context(), &ec2.DescribeAvailabilityZonesInput{Filters: []types.Filter{filter("state", "constrained")}}))(w)
		if len(found.AvailabilityZones) != 1 || *found.AvailabilityZones[0].ZoneId != zoneA {
			w.Errorf("%+v", found.AvailabilityZones)
		}
		second()
		second()
		want(zoneA, impairedAZ, "We are investigating.", "It may take a while.")
		w.launch(zoneA) // it says so, and launches all the same
		heal := w.zone(zoneA).Fail(awstest.PowerLoss)
		want(zoneA, unavailable, "We are investigating.", "It may take a while.")
		heal()
		first()
		want(zoneA, available)
	})
}

func TestMarkZoneMistakes(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		for _, c := range []struct {
			region, zone string
			state        types.AvailabilityZoneState
		}{{"mars", zoneA, impairedAZ}, {region, "mars", impairedAZ}, {region, "usw2-az1", impairedAZ}, {region, zoneA, "sleepy"}} {
			var mistake *awstest.FieldError
			if _, err := ec2svc.MarkZone(w.cloud, c.region, c.zone, c.state); !errors.As(err, &mistake) {
				w.Errorf("%+v: %v", c, err)
			}
		}
	})
}
