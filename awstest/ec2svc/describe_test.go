package ec2svc_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
)

func TestDescribeInstancesFilters(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		web := w.launch(zoneA, func(in *ec2.RunInstancesInput) {
			in.TagSpecifications = tags(types.ResourceTypeInstance, "role", "web*1", "stack", "blue")
			in.KeyName, in.ClientToken = aws.String("key"), aws.String("token")
		})
		db := w.launch(zoneB, func(in *ec2.RunInstancesInput) {
			in.TagSpecifications = tags(types.ResourceTypeInstance, "role", "db")
			in.InstanceType, in.ImageId = "m5.large", aws.String("ami-00000002")
		})
		time.Sleep(time.Minute)
		a := w.allocate()
		w.associate(a, web)
		wantCode(w, w.stop(db), "")
		reservation := must(w.DescribeInstances(w.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{db}}))(w).Reservations[0]
		for _, c := range []struct {
			filters []types.Filter
			want    []string
		}{
			{nil, []string{web, db}},
			{[]types.Filter{filter("instance-id", web)}, []string{web}},
			{[]types.Filter{filter("instance-state-name", "running", "pending")}, []string{web}},
			{[]types.Filter{filter("instance-type", "m?.*")}, []string{db}},
			{[]types.Filter{filter("image-id", "ami-*2")}, []string{db}},
			{[]types.Filter{filter("availability-zone", "us-east-1a")}, []string{db}},
			{[]types.Filter{filter("availability-zone-id", zoneA)}, []string{web}},
			{[]types.Filter{filter("subnet-id", w.subnet(zoneA))}, []string{web}},
			{[]types.Filter{filter("vpc-id", "vpc-*")}, []string{web, db}},
			{[]types.Filter{filter("client-token", "token")}, []string{web}},
			{[]types.Filter{filter("key-name", "*")}, []string{web}},
			{[]types.Filter{filter("reservation-id", *reservation.ReservationId)}, []string{db}},
			{[]types.Filter{filter("private-ip-address", "172.31.80.4")}, []string{web}},
			{[]types.Filter{filter("ip-address", "203.0.113.*")}, []string{web}},
			{[]types.Filter{filter("tag:role", "web?1")}, []string{web}},
			{[]types.Filter{filter("tag:role", `web\*1`)}, []string{web}},
			{[]types.Filter{filter("tag:role", `web\?1`)}, nil},
			{[]types.Filter{filter("tag:role", "WEB*")}, nil},
			{[]types.Filter{filter("tag:Role", "*")}, nil},
			{[]types.Filter{filter("tag-key", "stack")}, []string{web}},
			{[]types.Filter{filter("tag:role", "*"), filter("instance-state-name", "stop*")}, []string{db}},
		} {
			out := must(w.DescribeInstances(w.Context(), &ec2.DescribeInstancesInput{Filters: c.filters}))(w)
			var got []string
			for _, r := range out.Reservations {
				got = append(got, ids(r.Instances)...)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				w.Errorf("%s=%v: %s", *c.filters[0].Name, c.filters[0].Values, diff)
			}
		}
	})
}

func TestDescribeNetworkInterfacesFilters(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id := w.running(zoneA)
		primary, free := w.eni(id), w.nic(zoneB)
		for _, c := range []struct {
			filter types.Filter
			want   []string
		}{
			{filter("network-interface-id", "eni-*"), []string{primary, free}},
			{filter("status", "available"), []string{free}},
			{filter("availability-zone", "us-east-1a"), []string{free}},
			{filter("availability-zone-id", zoneA), []string{primary}},
			{filter("subnet-id", w.subnet(zoneB)), []string{free}},
			{filter("vpc-id", "*"), []string{primary, free}},
			{filter("description", ""), []string{primary, free}},
			{filter("attachment.instance-id", "*"), []string{primary}},
			{filter("attachment.device-index", "0"), []string{primary}},
			{filter("attachment.attachment-id", "eni-attach-*"), []string{primary}},
			{filter("private-ip-address", "172.31.0.4"), []string{free}},
			{filter("addresses.private-ip-address", "172.31.80.*"), []string{primary}},
			{filter("tag-key", "*"), nil},
		} {
			out := must(w.DescribeNetworkInterfaces(w.Context(), &ec2.DescribeNetworkInterfacesInput{Filters: []types.Filter{c.filter}}))(w)
			var got []string
			for _, n := range out.NetworkInterfaces {
				got = append(got, *n.NetworkInterfaceId)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				w.Errorf("%s: %s", *c.filter.Name, diff)
			}
		}
	})
}

func TestZonesSubnetsAndVPC(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		zones := func(in *ec2.DescribeAvailabilityZonesInput) (list []string) {
			for _, z := range must(w.DescribeAvailabilityZones(w.Context(), in))(w).AvailabilityZones {
				list = append(list, *z.ZoneName+" "+*z.ZoneId+" "+string(z.State))
			}
			return list
		}
		want := []string{"us-east-1a use1-az2 available", "us-east-1b use1-az3 available", "us-east-1c use1-az4 available", "us-east-1d use1-az5 available", "us-east-1e use1-az6 available", "us-east-1f use1-az1 available"}
		if diff := cmp.Diff(want, zones(&ec2.DescribeAvailabilityZonesInput{AllAvailabilityZones: aws.Bool(true)})); diff != "" {
			w.Error(diff)
		}
		heal := w.zone(zoneA).Fail(awstest.NetworkLoss)
		if diff := cmp.Diff([]string{"us-east-1f use1-az1 unavailable"}, zones(&ec2.DescribeAvailabilityZonesInput{ZoneIds: []string{zoneA}})); diff != "" {
			w.Error(diff)
		}
		heal()
		in := &ec2.DescribeAvailabilityZonesInput{ZoneNames: []string{"us-east-1a", "us-east-1f"}, Filters: []types.Filter{filter("zone-id", "*-az1"), filter("region-name", region), filter("zone-type", "availability-zone"), filter("zone-name", "us-*")}}
		if diff := cmp.Diff(want[5:], zones(in)); diff != "" {
			w.Error(diff)
		}
		_, err := w.DescribeAvailabilityZones(w.Context(), &ec2.DescribeAvailabilityZonesInput{ZoneIds: []string{"us-east-1a"}})
		wantCode(w, err, "InvalidParameterValue")
		_, err = w.DescribeAvailabilityZones(w.Context(), &ec2.DescribeAvailabilityZonesInput{ZoneNames: []string{zoneA}})
		wantCode(w, err, "InvalidParameterValue")

		vpcs := must(w.DescribeVpcs(w.Context(), &ec2.DescribeVpcsInput{Filters: []types.Filter{filter("is-default", "true"), filter("cidr", "172.31.0.0/16")}}))(w)
		vpc := *vpcs.Vpcs[0].VpcId
		must(w.DescribeVpcs(w.Context(), &ec2.DescribeVpcsInput{VpcIds: []string{vpc}}))(w)
		_, err = w.DescribeVpcs(w.Context(), &ec2.DescribeVpcsInput{VpcIds: []string{"vpc-12345678"}})
		wantCode(w, err, "InvalidVpcID.NotFound")
		_, err = w.DescribeVpcs(w.Context(), &ec2.DescribeVpcsInput{VpcIds: []string{"default"}})
		wantCode(w, err, "InvalidVpcID.Malformed")

		var subnets []string
		for _, s := range must(w.DescribeSubnets(w.Context(), &ec2.DescribeSubnetsInput{Filters: []types.Filter{filter("vpc-id", vpc), filter("default-for-az", "true"), filter("cidr-block", "172.31.0.0/20", "172.31.80.0/20")}}))(w).Subnets {
			subnets = append(subnets, *s.AvailabilityZoneId+" "+*s.CidrBlock)
		}
		if diff := cmp.Diff([]string{"use1-az2 172.31.0.0/20", "use1-az1 172.31.80.0/20"}, subnets); diff != "" {
			w.Error(diff)
		}
		_, err = w.DescribeSubnets(w.Context(), &ec2.DescribeSubnetsInput{SubnetIds: []string{"subnet-12345678"}})
		wantCode(w, err, "InvalidSubnetID.NotFound")
		_, err = w.DescribeSubnets(w.Context(), &ec2.DescribeSubnetsInput{SubnetIds: []string{vpc}})
		wantCode(w, err, "InvalidSubnetID.Malformed")
	})
}

func TestPaginators(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		launched := ids(must(w.RunInstances(w.Context(), run(23, func(in *ec2.RunInstancesInput) {
			in.TagSpecifications = tags(types.ResourceTypeInstance, "Name", "web")
		})))(w).Instances)
		time.Sleep(time.Minute)
		var sizes []int
		var got []string
		collect := func(page []string) {
			sizes = append(sizes, len(page))
			got = append(got, page...)
		}
		check := func(what string) {
			w.Helper()
			if diff := cmp.Diff([]int{10, 10, 3}, sizes); diff != "" {
				w.Errorf("%s: pages %s", what, diff)
			}
			if !slices.Equal(got, launched) {
				w.Errorf("%s: got %v, want %v", what, got, launched)
			}
			sizes, got = nil, nil
		}
		instances := ec2.NewDescribeInstancesPaginator(w.Client, &ec2.DescribeInstancesInput{MaxResults: aws.Int32(10)})
		for instances.HasMorePages() {
			page := must(instances.NextPage(w.Context()))(w)
			collect(ids(page.Reservations[0].Instances))
		}
		check("instances")
		statuses := ec2.NewDescribeInstanceStatusPaginator(w.Client, &ec2.DescribeInstanceStatusInput{MaxResults: aws.Int32(10)})
		for statuses.HasMorePages() {
			var page []string
			for _, s := range must(statuses.NextPage(w.Context()))(w).InstanceStatuses {
				page = append(page, *s.InstanceId)
			}
			collect(page)
		}
		check("statuses")
		nics := ec2.NewDescribeNetworkInterfacesPaginator(w.Client, &ec2.DescribeNetworkInterfacesInput{MaxResults: aws.Int32(10)})
		for nics.HasMorePages() {
			var page []string
			for _, n := range must(nics.NextPage(w.Context()))(w).NetworkInterfaces {
				page = append(page, *n.Attachment.InstanceId)
			}
			collect(page)
		}
		check("interfaces")
		list := ec2.NewDescribeTagsPaginator(w.Client, &ec2.DescribeTagsInput{MaxResults: aws.Int32(10)})
		for list.HasMorePages() {
			var page []string
			for _, tag := range must(list.NextPage(w.Context()))(w).Tags {
				page = append(page, *tag.ResourceId)
			}
			collect(page)
		}
		check("tags")
		subnets := ec2.NewDescribeSubnetsPaginator(w.Client, &ec2.DescribeSubnetsInput{MaxResults: aws.Int32(5)})
		for subnets.HasMorePages() {
			sizes = append(sizes, len(must(subnets.NextPage(w.Context()))(w).Subnets))
		}
		if diff := cmp.Diff([]int{5, 1}, sizes); diff != "" {
			w.Error(diff)
		}
		vpcs := ec2.NewDescribeVpcsPaginator(w.Client, &ec2.DescribeVpcsInput{MaxResults: aws.Int32(5)})
		must(vpcs.NextPage(w.Context()))(w)
		if vpcs.HasMorePages() {
			w.Error("a second page of one VPC")
		}
	})
}

func TestPagesRefused(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id := w.launch(zoneA)
		describe := func(size *int32, token *string, ids ...string) error {
			_, err := w.DescribeInstances(w.Context(), &ec2.DescribeInstancesInput{MaxResults: size, NextToken: token, InstanceIds: ids})
			return err
		}
		wantCode(w, describe(aws.Int32(4), nil), "InvalidParameterValue")
		wantCode(w, describe(aws.Int32(1001), nil), "InvalidParameterValue")
		wantCode(w, describe(aws.Int32(5), nil, id), "InvalidParameterCombination")
		wantCode(w, describe(nil, aws.String("more")), "InvalidNextToken")
		wantCode(w, describe(nil, aws.String("")), "InvalidNextToken")
		_, err := w.DescribeInstanceStatus(w.Context(), &ec2.DescribeInstanceStatusInput{MaxResults: aws.Int32(5), InstanceIds: []string{id}})
		wantCode(w, err, "InvalidParameterCombination")
	})
}

func TestIDs(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id := w.launch(zoneA)
		for _, c := range []struct {
			ids     []string
			code    string
			message string
		}{
			{[]string{"i-12345678"}, "InvalidInstanceID.NotFound", "The instance ID 'i-12345678' does not exist"},
			{[]string{id, "i-12345678", "i-0123456789abcdef0"}, "InvalidInstanceID.NotFound", "The instance IDs 'i-12345678, i-0123456789abcdef0' do not exist"},
			{[]string{"i-12345678", "web"}, "InvalidInstanceID.Malformed", `Invalid id: "web" (expecting "i-...")`},
			{[]string{"i-1234567"}, "InvalidInstanceID.Malformed", `Invalid id: "i-1234567" (expecting "i-...")`},
			{[]string{"i-1234567G"}, "InvalidInstanceID.Malformed", `Invalid id: "i-1234567G" (expecting "i-...")`},
			{[]string{"eni-12345678"}, "InvalidInstanceID.Malformed", `Invalid id: "eni-12345678" (expecting "i-...")`},
		} {
			_, err := w.DescribeInstances(w.Context(), &ec2.DescribeInstancesInput{InstanceIds: c.ids})
			wantCode(w, err, c.code)
			wantStatus(w, err, 400)
			var api interface{ ErrorMessage() string }
			if errors.As(err, &api); api.ErrorMessage() != c.message {
				w.Errorf("got %q, want %q", api.ErrorMessage(), c.message)
			}
			_, err = w.DescribeInstanceStatus(w.Context(), &ec2.DescribeInstanceStatusInput{InstanceIds: c.ids})
			wantCode(w, err, c.code)
			wantCode(w, w.stop(c.ids...), c.code)
		}
		_, err := w.DescribeNetworkInterfaces(w.Context(), &ec2.DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{"eni-12345678"}})
		wantCode(w, err, "InvalidNetworkInterfaceID.NotFound")
		_, err = w.DescribeNetworkInterfaces(w.Context(), &ec2.DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{"eni-attach-12345678"}})
		wantCode(w, err, "InvalidNetworkInterfaceId.Malformed")
		wantCode(w, w.stop([]string{}...), "MissingParameter")
	})
}

func TestRegionsAreApart(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id, a := w.running(zoneA), w.allocate()
		elsewhere := ec2.NewFromConfig(w.cloud.Config("eu-west-1"))
		all := must(elsewhere.DescribeInstances(w.Context(), &ec2.DescribeInstancesInput{}))(w)
		if len(all.Reservations) != 0 {
			w.Errorf("eu-west-1 has %d reservations", len(all.Reservations))
		}
		_, err := elsewhere.DescribeInstances(w.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
		wantCode(w, err, "InvalidInstanceID.NotFound")
		_, err = elsewhere.AssociateAddress(w.Context(), &ec2.AssociateAddressInput{AllocationId: &a, InstanceId: &id})
		wantCode(w, err, "InvalidAllocationID.NotFound")
		_, err = elsewhere.RunInstances(w.Context(), run(1))
		wantCode(w, err, "InvalidParameterValue") // the zone is not there
		there := must(elsewhere.RunInstances(w.Context(), run(1, func(in *ec2.RunInstancesInput) { in.Placement = nil })))(w)
		if *there.Instances[0].PrivateIpAddress != "172.31.0.4" {
			w.Errorf("the default VPC of eu-west-1 gave %s", *there.Instances[0].PrivateIpAddress)
		}
	})
}
