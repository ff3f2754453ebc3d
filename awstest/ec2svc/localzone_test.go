package ec2svc_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
)

const (
	boston  = "us-east-1-bos-1"
	bostonA = "use1-bos1-az1"
)

// inBoston runs a test on a cloud that has opted in to two Local Zones.
func inBoston(t *testing.T, test func(*world)) {
	t.Helper()
	inBubbleWith(t, func(o *ec2svc.Options) { o.LocalZones = []string{boston + "a", "us-east-1-mia-2b"} }, test)
}

// allocateIn allocates an address of a network border group.
func (w *world) allocateIn(group string) *ec2.AllocateAddressOutput {
	w.Helper()
	return must(w.AllocateAddress(w.Context(), &ec2.AllocateAddressInput{NetworkBorderGroup: &group}))(w)
}

func TestLocalZonesAreZones(t *testing.T) {
	t.Parallel()
	inBoston(t, func(w *world) {
		zones := func(in *ec2.DescribeAvailabilityZonesInput) []types.AvailabilityZone {
			return must(w.DescribeAvailabilityZones(w.Context(), in))(w).AvailabilityZones
		}
		all := zones(&ec2.DescribeAvailabilityZonesInput{})
		if len(all) != 8 {
			w.Fatalf("%d zones, want the six and two", len(all))
		}
		want := []types.AvailabilityZone{{
			ZoneName: aws.String("us-east-1a"), ZoneId: aws.String(zoneB), ZoneType: aws.String("availability-zone"),
			RegionName: aws.String(region), GroupName: aws.String("us-east-1-zg-1"), NetworkBorderGroup: aws.String(region),
			OptInStatus: types.AvailabilityZoneOptInStatusOptInNotRequired, State: types.AvailabilityZoneStateAvailable,
		}, {
			ZoneName: aws.String("us-east-1-bos-1a"), ZoneId: aws.String(bostonA), ZoneType: aws.String("local-zone"),
			RegionName: aws.String(region), GroupName: aws.String(boston), NetworkBorderGroup: aws.String(boston),
			ParentZoneName: aws.String("us-east-1a"), ParentZoneId: aws.String(zoneB),
			OptInStatus: types.AvailabilityZoneOptInStatusOptedIn, State: types.AvailabilityZoneStateAvailable,
		}}
		if diff := cmp.Diff(want, []types.AvailabilityZone{all[0], all[6]}, unexported); diff != "" {
			w.Error(diff)
		}
		for name, c := range map[string]struct {
			in   ec2.DescribeAvailabilityZonesInput
			want []string
		}{
			"by ID":     {ec2.DescribeAvailabilityZonesInput{ZoneIds: []string{bostonA}}, []string{bostonA}},
			"by name":   {ec2.DescribeAvailabilityZonesInput{ZoneNames: []string{"us-east-1-mia-2b"}}, []string{"use1-mia2-az2"}},
			"by type":   {ec2.DescribeAvailabilityZonesInput{Filters: []types.Filter{filter("zone-type", "local-zone")}}, []string{bostonA, "use1-mia2-az2"}},
			"by group":  {ec2.DescribeAvailabilityZonesInput{Filters: []types.Filter{filter("group-name", boston)}}, []string{bostonA}},
			"by opt-in": {ec2.DescribeAvailabilityZonesInput{Filters: []types.Filter{filter("opt-in-status", "opted-in")}}, []string{bostonA, "use1-mia2-az2"}},
			"by parent": {ec2.DescribeAvailabilityZonesInput{Filters: []types.Filter{filter("parent-zone-id", zoneB), filter("parent-zone-name", "us-east-1a"), filter("zone-name", "*-mia-*")}}, []string{"use1-mia2-az2"}},
			"by state":  {ec2.DescribeAvailabilityZonesInput{Filters: []types.Filter{filter("state", "unavailable")}}, nil},
		} {
			var got []string
			for _, z := range zones(&c.in) {
				got = append(got, *z.ZoneId)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				w.Errorf("%s: %s", name, diff)
			}
		}
		elsewhere := must(ec2.NewFromConfig(w.cloud.Config("us-west-2")).DescribeAvailabilityZones(w.Context(), &ec2.DescribeAvailabilityZonesInput{AllAvailabilityZones: aws.Bool(true)}))(w)
		if len(elsewhere.AvailabilityZones) != 4 {
			w.Errorf("us-west-2 has %d zones", len(elsewhere.AvailabilityZones))
		}
		heal := w.zone(bostonA).Fail(awstest.PowerLoss)
		defer heal()
		if got := zones(&ec2.DescribeAvailabilityZonesInput{ZoneIds: []string{bostonA}})[0].State; got != types.AvailabilityZoneStateUnavailable {
			w.Errorf("a Local Zone without power is %s", got)
		}
	})
}

func TestLocalZoneHasASubnetThatIsNotDefault(t *testing.T) {
	t.Parallel()
	inBoston(t, func(w *world) {
		out := must(w.DescribeSubnets(w.Context(), &ec2.DescribeSubnetsInput{Filters: []types.Filter{filter("default-for-az", "false")}}))(w)
		var got []any
		for _, s := range out.Subnets {
			got = append(got, *s.AvailabilityZone, *s.AvailabilityZoneId, *s.CidrBlock, *s.DefaultForAz)
		}
		want := []any{"us-east-1-bos-1a", bostonA, "172.31.96.0/20", false, "us-east-1-mia-2b", "use1-mia2-az2", "172.31.112.0/20", false}
		if diff := cmp.Diff(want, got); diff != "" {
			w.Error(diff)
		}
		n := w.describeNIC(w.nic(bostonA))
		if diff := cmp.Diff([]string{"172.31.96.4", "us-east-1-bos-1a"}, []string{*n.PrivateIpAddress, *n.AvailabilityZone}); diff != "" {
			w.Error(diff)
		}

		// A launch goes there if it names the subnet, and only then.
		_, err := w.RunInstances(w.Context(), run(1, func(in *ec2.RunInstancesInput) { in.Placement = at(bostonA) }))
		wantMessage(w, err, "MissingInput", "No default subnet for availability zone: 'us-east-1-bos-1a'.")
		into := func(in *ec2.RunInstancesInput) { in.SubnetId = aws.String(w.subnet(bostonA)) }
		id := w.launch(bostonA, into)
		time.Sleep(time.Minute)
		if got := *w.instance(id).Placement.AvailabilityZoneId; got != bostonA {
			w.Errorf("launched into %s", got)
		}
		for _, z := range w.zone(zoneA).Region().Zones() {
			z.RefuseLaunches("")
		}
		_, err = w.RunInstances(w.Context(), run(1, func(in *ec2.RunInstancesInput) { in.Placement = nil }))
		wantCode(w, err, "InsufficientInstanceCapacity")
	})
}

func TestAddressShowsItsBorderGroup(t *testing.T) {
	t.Parallel()
	inBoston(t, func(w *world) {
		here, there := w.allocateIn(region), w.allocateIn(boston)
		got := []string{*here.NetworkBorderGroup, *w.address(*here.AllocationId).NetworkBorderGroup, *there.NetworkBorderGroup, *w.address(*there.AllocationId).NetworkBorderGroup}
		if diff := cmp.Diff([]string{region, region, boston, boston}, got); diff != "" {
			w.Error(diff)
		}
		out := must(w.DescribeAddresses(w.Context(), &ec2.DescribeAddressesInput{Filters: []types.Filter{filter("network-border-group", boston)}}))(w)
		if len(out.Addresses) != 1 || *out.Addresses[0].AllocationId != *there.AllocationId {
			w.Errorf("of %s: %v", boston, out.Addresses)
		}
		for _, unknown := range []string{"us-east-1-lax-1", "us-west-2", "us-east-1-bos-1a", ""} {
			_, err := w.AllocateAddress(w.Context(), &ec2.AllocateAddressInput{NetworkBorderGroup: &unknown})
			wantCode(w, err, "InvalidParameterValue")
		}
	})
}

func TestAssociateStaysWithinABorderGroup(t *testing.T) {
	t.Parallel()
	inBoston(t, func(w *world) {
		here, there := *w.allocateIn(region).AllocationId, *w.allocateIn(boston).AllocationId
		home, away := w.nic(zoneA), w.nic(bostonA)
		for address, nic := range map[string]string{here: away, there: home} {
			for _, allow := range []*bool{nil, aws.Bool(false)} {
				wantCode(w, w.to(address, nic, allow), "OperationNotPermitted")
			}
			w.holds(address, "", "", "")
		}
		wantCode(w, w.to(here, home, nil), "")
		wantCode(w, w.to(there, away, nil), "")
		w.holds(there, "", away, "172.31.96.4")
		// What is in the way across groups is not displaced.
		wantCode(w, w.to(there, home, nil), "OperationNotPermitted")
		w.holds(here, "", home, "172.31.80.4")
		w.holds(there, "", away, "172.31.96.4")
		wantCode(w, w.to(there, w.nic(bostonA), nil), "")
	})
}

func TestReleaseNamesTheBorderGroup(t *testing.T) {
	t.Parallel()
	inBoston(t, func(w *world) {
		a := *w.allocateIn(boston).AllocationId
		for _, group := range []*string{nil, aws.String(region), aws.String("us-east-1-mia-2")} {
			_, err := w.ReleaseAddress(w.Context(), &ec2.ReleaseAddressInput{AllocationId: &a, NetworkBorderGroup: group})
			wantCode(w, err, "InvalidAddress.NotFound")
		}
		must(w.ReleaseAddress(w.Context(), &ec2.ReleaseAddressInput{AllocationId: &a, NetworkBorderGroup: aws.String(boston)}))(w)
	})
}

func TestAddressLeadsIntoALocalZone(t *testing.T) {
	t.Parallel()
	inBoston(t, func(w *world) {
		id := w.launch(bostonA, func(in *ec2.RunInstancesInput) { in.SubnetId = aws.String(w.subnet(bostonA)) })
		time.Sleep(time.Minute)
		machine, _ := w.cloud.Instance(id)
		must(machine.Serve(80, says("boston")))(w)
		a := w.allocateIn(boston)
		w.associate(*a.AllocationId, id)
		wantAnswer(w, *a.PublicIp, "boston")
		heal := w.zone(bostonA).Fail(awstest.NetworkLoss)
		wantAnswer(w, *a.PublicIp, "")
		heal()
		wantAnswer(w, *a.PublicIp, "boston")
	})
}
