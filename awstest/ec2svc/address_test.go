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

func TestAllocateUpToTheQuota(t *testing.T) {
	t.Parallel()
	t.Run("of AWS", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			var list []string
			for range 5 {
				list = append(list, w.allocate())
			}
			_, err := w.AllocateAddress(w.Context(), &ec2.AllocateAddressInput{})
			wantCode(w, err, "AddressLimitExceeded")
			must(w.ReleaseAddress(w.Context(), &ec2.ReleaseAddressInput{AllocationId: &list[2]}))(w)
			w.allocate()
			elsewhere := ec2.NewFromConfig(w.cloud.Config("eu-west-1"))
			must(elsewhere.AllocateAddress(w.Context(), &ec2.AllocateAddressInput{}))(w)
		})
	})
	t.Run("of the options", func(t *testing.T) {
		t.Parallel()
		inBubbleWith(t, func(o *ec2svc.Options) { o.AddressQuota = 300 }, func(w *world) {
			seen := map[string]bool{}
			for range 300 { // more than the first range holds
				out := must(w.AllocateAddress(w.Context(), &ec2.AllocateAddressInput{}))(w)
				seen[*out.PublicIp] = true
			}
			if len(seen) != 300 || !seen["203.0.113.10"] || !seen["203.0.113.254"] || !seen["198.18.0.1"] {
				w.Errorf("%d different addresses", len(seen))
			}
		})
	})
}

func TestAllocatedAddressIsDescribed(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		out := must(w.AllocateAddress(w.Context(), &ec2.AllocateAddressInput{Domain: types.DomainTypeVpc, TagSpecifications: tags(types.ResourceTypeElasticIp, "Name", "vip")}))(w)
		a := w.address(*out.AllocationId)
		got := []any{*a.PublicIp, a.Domain, *a.NetworkBorderGroup, *a.Tags[0].Value, a.AssociationId, a.InstanceId, a.NetworkInterfaceId, a.PrivateIpAddress}
		var none *string
		if diff := cmp.Diff([]any{"203.0.113.10", types.DomainTypeVpc, region, "vip", none, none, none, none}, got); diff != "" {
			w.Error(diff)
		}
		_, err := w.AllocateAddress(w.Context(), &ec2.AllocateAddressInput{Domain: types.DomainTypeStandard})
		wantCode(w, err, "InvalidParameterValue")
	})
}

func TestRelease(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		a := w.allocate()
		association := w.associate(a, w.running(zoneA))
		release := func(in *ec2.ReleaseAddressInput) error {
			_, err := w.ReleaseAddress(w.Context(), in)
			return err
		}
		wantCode(w, release(&ec2.ReleaseAddressInput{AllocationId: &a}), "InvalidIPAddress.InUse")
		must(w.DisassociateAddress(w.Context(), &ec2.DisassociateAddressInput{AssociationId: &association}))(w)
		wantCode(w, release(&ec2.ReleaseAddressInput{AllocationId: &a, NetworkBorderGroup: aws.String("us-east-2")}), "InvalidAddress.NotFound")
		wantCode(w, release(&ec2.ReleaseAddressInput{AllocationId: &a, NetworkBorderGroup: aws.String(region)}), "")
		wantCode(w, release(&ec2.ReleaseAddressInput{AllocationId: &a}), "InvalidAllocationID.NotFound")
		wantCode(w, release(&ec2.ReleaseAddressInput{}), "MissingParameter")
		_, err := w.DescribeAddresses(w.Context(), &ec2.DescribeAddressesInput{AllocationIds: []string{a}})
		wantCode(w, err, "InvalidAllocationID.NotFound")
		// What released it ended, too.
		must(w.DisassociateAddress(w.Context(), &ec2.DisassociateAddressInput{AssociationId: &association}))(w)
	})
}

// holds asserts who has an address: an instance, an interface and a private
// address, or nobody.
func (w *world) holds(allocation, instance, nic, private string) {
	w.Helper()
	a := w.address(allocation)
	got := []string{aws.ToString(a.InstanceId), aws.ToString(a.NetworkInterfaceId), aws.ToString(a.PrivateIpAddress)}
	if diff := cmp.Diff([]string{instance, nic, private}, got); diff != "" {
		w.Errorf("%s: %s", allocation, diff)
	}
	if (a.AssociationId == nil) != (nic == "") {
		w.Errorf("%s has association %q", allocation, aws.ToString(a.AssociationId))
	}
}

func TestAssociateBothWays(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		one, two := w.running(zoneA), w.running(zoneB)
		a, b := w.allocate(), w.allocate()
		nic := w.eni(two)
		w.associate(a, one)
		out := must(w.AssociateAddress(w.Context(), &ec2.AssociateAddressInput{AllocationId: &b, NetworkInterfaceId: &nic}))(w)
		w.holds(a, one, w.eni(one), "172.31.80.4")
		w.holds(b, two, nic, "172.31.0.4")
		i := w.instance(two)
		got := []string{*i.PublicIpAddress, *i.PublicDnsName, *i.NetworkInterfaces[0].Association.PublicIp}
		if diff := cmp.Diff([]string{"203.0.113.11", "ec2-203-0-113-11.compute-1.amazonaws.com", "203.0.113.11"}, got); diff != "" {
			w.Error(diff)
		}
		nics := must(w.DescribeNetworkInterfaces(w.Context(), &ec2.DescribeNetworkInterfacesInput{Filters: []types.Filter{filter("association.allocation-id", b)}}))(w)
		if diff := cmp.Diff(*out.AssociationId, *nics.NetworkInterfaces[0].Association.AssociationId); diff != "" {
			w.Error(diff)
		}
	})
}

func TestAllowReassociation(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		allow *bool
		code  string
	}{
		"left out, it takes the address": {nil, ""},
		"true, it takes the address":     {aws.Bool(true), ""},
		"false, the owner keeps it":      {aws.Bool(false), "Resource.AlreadyAssociated"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				owner, taker, a := w.running(zoneA), w.running(zoneB), w.allocate()
				first := w.associate(a, owner)
				_, err := w.AssociateAddress(w.Context(), &ec2.AssociateAddressInput{AllocationId: &a, InstanceId: &taker, AllowReassociation: c.allow})
				wantCode(w, err, c.code)
				if c.code != "" {
					wantMessage(w, err, c.code, "resource "+a+" is already associated with associate-id "+first)
					w.holds(a, owner, w.eni(owner), "172.31.80.4")
					return
				}
				w.holds(a, taker, w.eni(taker), "172.31.0.4")
				if w.instance(owner).PublicIpAddress != nil {
					w.Error("the former owner still shows the address")
				}
				if *w.address(a).AssociationId == first {
					w.Error("the new association has the ID of the old one")
				}
				// The end of the old association is no business of the new one.
				must(w.DisassociateAddress(w.Context(), &ec2.DisassociateAddressInput{AssociationId: &first}))(w)
				w.holds(a, taker, w.eni(taker), "172.31.0.4")
			})
		})
	}
}

func TestAssociateDisplacesTheOtherAddressOfTheTarget(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id, a, b := w.running(zoneA), w.allocate(), w.allocate()
		w.associate(a, id)
		_, err := w.AssociateAddress(w.Context(), &ec2.AssociateAddressInput{AllocationId: &b, InstanceId: &id, AllowReassociation: aws.Bool(false)})
		wantMessage(w, err, "Resource.AlreadyAssociated", "resource "+w.eni(id)+" and 172.31.80.4 is already associated with public address 203.0.113.10")
		w.holds(a, id, w.eni(id), "172.31.80.4")
		w.associate(b, id)
		w.holds(a, "", "", "")
		w.holds(b, id, w.eni(id), "172.31.80.4")
	})
}

func TestAssociateSwapsTwoAddresses(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		one, two, a, b := w.running(zoneA), w.running(zoneB), w.allocate(), w.allocate()
		w.associate(a, one)
		w.associate(b, two)
		w.associate(a, two) // leaves one, displaces b
		w.holds(a, two, w.eni(two), "172.31.0.4")
		w.holds(b, "", "", "")
		if w.instance(one).PublicIpAddress != nil {
			w.Error("the first instance still shows an address")
		}
	})
}

func TestAssociateIsIdempotent(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id, a := w.running(zoneA), w.allocate()
		first := w.associate(a, id)
		for _, allow := range []*bool{nil, aws.Bool(true), aws.Bool(false)} {
			out := must(w.AssociateAddress(w.Context(), &ec2.AssociateAddressInput{AllocationId: &a, InstanceId: &id, AllowReassociation: allow}))(w)
			if *out.AssociationId != first {
				w.Errorf("a repeat made the association %s out of %s", *out.AssociationId, first)
			}
		}
	})
}

func TestDisassociate(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id, a := w.running(zoneA), w.allocate()
		association := w.associate(a, id)
		for range 2 {
			must(w.DisassociateAddress(w.Context(), &ec2.DisassociateAddressInput{AssociationId: &association}))(w)
			w.holds(a, "", "", "")
		}
		_, err := w.DisassociateAddress(w.Context(), &ec2.DisassociateAddressInput{AssociationId: aws.String("eipassoc-0123456789abcdef0")})
		wantCode(w, err, "InvalidAssociationID.NotFound")
		_, err = w.DisassociateAddress(w.Context(), &ec2.DisassociateAddressInput{})
		wantCode(w, err, "MissingParameter")
	})
}

func TestAssociateToStates(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		into                    func(*world) string
		byInstance, byInterface string
	}{
		"pending":       {inState(pending), "InvalidInstanceID", "IncorrectInstanceState"},
		"running":       {inState(isRunning), "", ""},
		"stopping":      {inState(stopping), "", ""},
		"stopped":       {inState(stopped), "", ""},
		"shutting down": {inState(shuttingDown), "InvalidInstanceID", "IncorrectInstanceState"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				id, a := c.into(w), w.allocate()
				nic := w.eni(id)
				_, err := w.AssociateAddress(w.Context(), &ec2.AssociateAddressInput{AllocationId: &a, InstanceId: &id})
				wantCode(w, err, c.byInstance)
				_, err = w.AssociateAddress(w.Context(), &ec2.AssociateAddressInput{AllocationId: &a, NetworkInterfaceId: &nic})
				wantCode(w, err, c.byInterface)
			})
		})
	}
	t.Run("terminated", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			id, a := inState(terminated)(w), w.allocate()
			_, err := w.AssociateAddress(w.Context(), &ec2.AssociateAddressInput{AllocationId: &a, InstanceId: &id})
			wantCode(w, err, "InvalidInstanceID")
		})
	})
	t.Run("of no instance", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			nic := *must(w.CreateNetworkInterface(w.Context(), &ec2.CreateNetworkInterfaceInput{SubnetId: aws.String(w.subnet(zoneA))}))(w).NetworkInterface.NetworkInterfaceId
			a := w.allocate()
			must(w.AssociateAddress(w.Context(), &ec2.AssociateAddressInput{AllocationId: &a, NetworkInterfaceId: &nic}))(w)
			w.holds(a, "", nic, "172.31.80.4")
		})
	})
}

func TestAssociateRefuses(t *testing.T) {
	t.Parallel()
	const unknown = "-0123456789abcdef0"
	for name, c := range map[string]struct {
		change func(w *world, in *ec2.AssociateAddressInput)
		code   string
	}{
		"no address": {func(_ *world, in *ec2.AssociateAddressInput) { in.AllocationId = nil }, "MissingParameter"},
		"no target":  {func(_ *world, in *ec2.AssociateAddressInput) { in.InstanceId = nil }, "MissingParameter"},
		"two targets": {func(w *world, in *ec2.AssociateAddressInput) {
			in.NetworkInterfaceId = aws.String(w.eni(*in.InstanceId))
		}, "InvalidParameterCombination"},
		"an unknown address":   {func(_ *world, in *ec2.AssociateAddressInput) { in.AllocationId = aws.String("eipalloc" + unknown) }, "InvalidAllocationID.NotFound"},
		"an unknown instance":  {func(_ *world, in *ec2.AssociateAddressInput) { in.InstanceId = aws.String("i" + unknown) }, "InvalidInstanceID.NotFound"},
		"a malformed instance": {func(_ *world, in *ec2.AssociateAddressInput) { in.InstanceId = aws.String("i-1") }, "InvalidInstanceID.Malformed"},
		"an unknown interface": {func(_ *world, in *ec2.AssociateAddressInput) {
			in.InstanceId, in.NetworkInterfaceId = nil, aws.String("eni"+unknown)
		}, "InvalidNetworkInterfaceID.NotFound"},
		"a malformed interface": {func(_ *world, in *ec2.AssociateAddressInput) {
			in.InstanceId, in.NetworkInterfaceId = nil, aws.String("i"+unknown)
		}, "InvalidNetworkInterfaceId.Malformed"},
		"an address of another": {func(_ *world, in *ec2.AssociateAddressInput) { in.PrivateIpAddress = aws.String("172.31.80.99") }, "InvalidParameterValue"},
		"no address at all":     {func(_ *world, in *ec2.AssociateAddressInput) { in.PrivateIpAddress = aws.String("::1") }, "InvalidParameterValue"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				id, a := w.running(zoneA), w.allocate()
				input := &ec2.AssociateAddressInput{AllocationId: &a, InstanceId: &id}
				c.change(w, input)
				_, err := w.AssociateAddress(w.Context(), input)
				wantCode(w, err, c.code)
				w.holds(a, "", "", "")
			})
		})
	}
}

func TestAddressFollowsTheLifeOfItsHolder(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id, a := w.running(zoneA), w.allocate()
		w.associate(a, id)
		nic := w.eni(id)
		wantCode(w, w.stop(id), "")
		time.Sleep(time.Minute)
		w.holds(a, id, nic, "172.31.80.4") // a stopped instance keeps it
		wantCode(w, w.start(id), "")
		time.Sleep(time.Minute)
		w.holds(a, id, nic, "172.31.80.4")
		wantCode(w, w.terminate(id), "")
		w.holds(a, id, nic, "172.31.80.4") // until it is terminated
		time.Sleep(time.Minute)
		w.holds(a, "", "", "")
	})
}

func TestAddressLeadsToItsHolder(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		one, two, a := w.running(zoneA), w.running(zoneB), w.allocate()
		for _, id := range []string{one, two} {
			machine, _ := w.cloud.Instance(id)
			must(machine.Serve(80, says(id)))(w)
		}
		ip := *w.address(a).PublicIp
		w.associate(a, one)
		wantAnswer(w, ip, one)
		association := w.associate(a, two)
		wantAnswer(w, ip, two)
		heal := w.zone(zoneB).Fail(awstest.PowerLoss)
		wantAnswer(w, ip, "")
		heal()
		wantAnswer(w, ip, two)
		must(w.DisassociateAddress(w.Context(), &ec2.DisassociateAddressInput{AssociationId: &association}))(w)
		wantAnswer(w, ip, "")
	})
}

func TestDescribeAddresses(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id, a, b := w.running(zoneA), w.allocate(), w.allocate()
		association := w.associate(a, id)
		must(w.CreateTags(w.Context(), &ec2.CreateTagsInput{Resources: []string{b}, Tags: []types.Tag{{Key: aws.String("role"), Value: aws.String("spare")}}}))(w)
		for name, c := range map[string]struct {
			in   ec2.DescribeAddressesInput
			want []string
			code string
		}{
			"all":                 {want: []string{a, b}},
			"by allocation":       {in: ec2.DescribeAddressesInput{AllocationIds: []string{b, a, b}}, want: []string{b, a}},
			"by address":          {in: ec2.DescribeAddressesInput{PublicIps: []string{"203.0.113.11"}}, want: []string{b}},
			"unknown address":     {in: ec2.DescribeAddressesInput{PublicIps: []string{"203.0.113.11", "192.0.2.1"}}, code: "InvalidAddress.NotFound"},
			"unknown allocation":  {in: ec2.DescribeAddressesInput{AllocationIds: []string{a, "eipalloc-0"}}, code: "InvalidAllocationID.NotFound"},
			"of an instance":      {in: ec2.DescribeAddressesInput{Filters: []types.Filter{filter("instance-id", id)}}, want: []string{a}},
			"of an interface":     {in: ec2.DescribeAddressesInput{Filters: []types.Filter{filter("network-interface-id", w.eni(id))}}, want: []string{a}},
			"of an owner":         {in: ec2.DescribeAddressesInput{Filters: []types.Filter{filter("network-interface-owner-id", account)}}, want: []string{a}},
			"of an association":   {in: ec2.DescribeAddressesInput{Filters: []types.Filter{filter("association-id", association)}}, want: []string{a}},
			"of any association":  {in: ec2.DescribeAddressesInput{Filters: []types.Filter{filter("association-id", "*")}}, want: []string{a}},
			"of a private one":    {in: ec2.DescribeAddressesInput{Filters: []types.Filter{filter("private-ip-address", "172.31.80.*")}}, want: []string{a}},
			"by tag":              {in: ec2.DescribeAddressesInput{Filters: []types.Filter{filter("tag:role", "sp?re")}}, want: []string{b}},
			"by either of values": {in: ec2.DescribeAddressesInput{Filters: []types.Filter{filter("public-ip", "203.0.113.10", "203.0.113.11")}}, want: []string{a, b}},
			"by two filters":      {in: ec2.DescribeAddressesInput{Filters: []types.Filter{filter("public-ip", "*.10"), filter("tag-key", "role")}}},
			"ID and filter":       {in: ec2.DescribeAddressesInput{AllocationIds: []string{a, b}, Filters: []types.Filter{filter("network-border-group", region), filter("allocation-id", b)}}, want: []string{b}},
		} {
			out, err := w.DescribeAddresses(w.Context(), &c.in)
			if c.code != "" {
				wantCode(w, err, c.code)
				continue
			}
			if err != nil {
				w.Fatalf("%s: %v", name, err)
			}
			var got []string
			for _, a := range out.Addresses {
				got = append(got, *a.AllocationId)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				w.Errorf("%s: %s", name, diff)
			}
		}
	})
}
