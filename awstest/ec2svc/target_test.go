package ec2svc_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"
)

const account = "123456789012"

// crowded is an instance with two interfaces and three addresses, of which
// the middle one, on a secondary private address, is returned with it.
func crowded(w *world) (id, primary, second, allocation string) {
	w.Helper()
	id = w.running(zoneA)
	primary, second = w.eni(id), w.nic(zoneA)
	must(w.attach(second, id, 1))(w)
	must(w.AssignPrivateIpAddresses(w.Context(), &ec2.AssignPrivateIpAddressesInput{NetworkInterfaceId: &second, PrivateIpAddresses: []string{"172.31.80.100"}}))(w)
	for _, in := range []*ec2.AssociateAddressInput{
		{NetworkInterfaceId: &primary},
		{NetworkInterfaceId: &second, PrivateIpAddress: aws.String("172.31.80.100")},
		{NetworkInterfaceId: &second},
	} {
		a := w.allocate()
		in.AllocationId = &a
		must(w.AssociateAddress(w.Context(), in))(w)
		if in.PrivateIpAddress != nil {
			allocation = a
		}
	}
	return id, primary, second, allocation
}

func TestInterfaceShowsWhatATargetIs(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id, _, second, a := crowded(w)
		n, holds := w.describeNIC(second), w.address(a)
		got := types.NetworkInterface{
			NetworkInterfaceId: n.NetworkInterfaceId, Status: n.Status, VpcId: n.VpcId, SubnetId: n.SubnetId,
			AvailabilityZone: n.AvailabilityZone, AvailabilityZoneId: n.AvailabilityZoneId,
			OwnerId: n.OwnerId, RequesterManaged: n.RequesterManaged, PrivateIpAddress: n.PrivateIpAddress,
			Attachment: &types.NetworkInterfaceAttachment{
				InstanceId: n.Attachment.InstanceId, InstanceOwnerId: n.Attachment.InstanceOwnerId, Status: n.Attachment.Status,
				DeviceIndex: n.Attachment.DeviceIndex, DeleteOnTermination: n.Attachment.DeleteOnTermination,
			},
		}
		i := w.instance(id)
		want := types.NetworkInterface{
			NetworkInterfaceId: &second, Status: types.NetworkInterfaceStatusInUse, VpcId: i.VpcId, SubnetId: i.SubnetId,
			AvailabilityZone: aws.String("us-east-1f"), AvailabilityZoneId: aws.String(zoneA),
			OwnerId: aws.String(account), RequesterManaged: aws.Bool(false), PrivateIpAddress: aws.String("172.31.80.5"),
			Attachment: &types.NetworkInterfaceAttachment{
				InstanceId: &id, InstanceOwnerId: aws.String(account), Status: types.AttachmentStatusAttached,
				DeviceIndex: aws.Int32(1), DeleteOnTermination: aws.Bool(false),
			},
		}
		if diff := cmp.Diff(want, got, unexported); diff != "" {
			w.Error(diff)
		}
		// Each private address says which address it holds, and the interface
		// that of the primary one.
		if len(n.PrivateIpAddresses) != 2 {
			w.Fatalf("%d private addresses", len(n.PrivateIpAddresses))
		}
		if diff := cmp.Diff(n.Association, n.PrivateIpAddresses[0].Association, unexported); diff != "" || *n.Association.PublicIp != "203.0.113.12" {
			w.Errorf("the association of the primary address is %s: %s", *n.Association.PublicIp, diff)
		}
		wantPrivate := types.NetworkInterfacePrivateIpAddress{
			Primary: aws.Bool(false), PrivateIpAddress: aws.String("172.31.80.100"),
			Association: &types.NetworkInterfaceAssociation{
				AllocationId: &a, AssociationId: holds.AssociationId, PublicIp: holds.PublicIp,
				PublicDnsName: aws.String("ec2-203-0-113-11.compute-1.amazonaws.com"), IpOwnerId: aws.String(account),
			},
		}
		if diff := cmp.Diff(wantPrivate, n.PrivateIpAddresses[1], unexported); diff != "" {
			w.Error(diff)
		}
	})
}

func TestInstanceShowsWhatATargetIs(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id, primary, second, _ := crowded(w)
		i := w.instance(id)
		got := []any{i.State.Name, *i.Placement.AvailabilityZone, *i.Placement.AvailabilityZoneId, *i.PrivateIpAddress, *i.PublicIpAddress, *i.VpcId}
		for _, n := range i.NetworkInterfaces {
			got = append(got, *n.NetworkInterfaceId, n.Status, n.Attachment.Status, *n.Attachment.DeviceIndex, *n.OwnerId, *n.VpcId, *n.InterfaceType)
			for _, p := range n.PrivateIpAddresses {
				got = append(got, *p.PrivateIpAddress, *p.Primary, *p.Association.PublicIp, *p.Association.IpOwnerId)
			}
		}
		inUse, attached := types.NetworkInterfaceStatusInUse, types.AttachmentStatusAttached
		want := []any{
			isRunning, "us-east-1f", zoneA, "172.31.80.4", "203.0.113.10", *i.VpcId,
			primary, inUse, attached, int32(0), account, *i.VpcId, "interface",
			"172.31.80.4", true, "203.0.113.10", account,
			second, inUse, attached, int32(1), account, *i.VpcId, "interface",
			"172.31.80.5", true, "203.0.113.12", account,
			"172.31.80.100", false, "203.0.113.11", account,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			w.Error(diff)
		}
	})
}

func TestAddressShowsWhoseItsTargetIs(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id, _, second, a := crowded(w)
		w.holds(a, id, second, "172.31.80.100")
		if owner := *w.address(a).NetworkInterfaceOwnerId; owner != account {
			w.Errorf("the interface belongs to %s", owner)
		}
		if owner := w.address(w.allocate()).NetworkInterfaceOwnerId; owner != nil {
			w.Errorf("an address that is on no interface shows the owner %s", *owner)
		}
	})
}

func TestFiltersFindATargetByItsAddresses(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id, primary, second, a := crowded(w)
		other := w.running(zoneA)
		association := *w.address(a).AssociationId
		for name, c := range map[string]struct {
			filter     types.Filter
			interfaces []string // nil: not a filter of interfaces
			instances  []string
		}{
			"address of any private one":  {filter("network-interface.addresses.association.allocation-id", a), nil, []string{id}},
			"association":                 {filter("network-interface.addresses.association.association-id", association), nil, []string{id}},
			"any public address":          {filter("network-interface.addresses.association.public-ip", "203.0.113.11"), nil, []string{id}},
			"any private address":         {filter("network-interface.addresses.private-ip-address", "172.31.80.100"), nil, []string{id}},
			"interface":                   {filter("network-interface.network-interface-id", second), nil, []string{id}},
			"attachment":                  {filter("network-interface.attachment.attachment-id", *w.describeNIC(second).Attachment.AttachmentId), nil, []string{id}},
			"attachment status":           {filter("network-interface.attachment.status", "attached"), nil, []string{id, other}},
			"interface status":            {filter("network-interface.status", "available"), nil, []string{}},
			"subnet of an interface":      {filter("network-interface.subnet-id", w.subnet(zoneB)), nil, []string{}},
			"owner of an interface":       {filter("network-interface.owner-id", account), nil, []string{id, other}},
			"owner":                       {filter("owner-id", account), []string{primary, second, w.eni(other)}, []string{id, other}},
			"primary's public address":    {filter("association.public-ip", "203.0.113.12"), []string{second}, nil},
			"not the secondary's":         {filter("association.public-ip", "203.0.113.11"), []string{}, nil},
			"each one's public address":   {filter("addresses.association.public-ip", "203.0.113.11"), []string{second}, nil},
			"primary's allocation":        {filter("association.allocation-id", a), []string{}, nil},
			"primary's association":       {filter("association.association-id", *w.describeNIC(primary).Association.AssociationId), []string{primary}, nil},
			"owner of the address":        {filter("association.ip-owner-id", account), []string{primary, second}, nil},
			"owner of any address":        {filter("addresses.association.owner-id", account), []string{primary, second}, nil},
			"owner of the instance":       {filter("attachment.instance-owner-id", account), []string{primary, second, w.eni(other)}, nil},
			"attached":                    {filter("attachment.status", "attached"), []string{primary, second, w.eni(other)}, nil},
			"going with the instance":     {filter("attachment.delete-on-termination", "false"), []string{second}, nil},
			"not managed by a service":    {filter("requester-managed", "false"), []string{primary, second, w.eni(other)}, nil},
			"managed by a service":        {filter("requester-managed", "true"), []string{}, nil},
			"private addresses, any one":  {filter("addresses.private-ip-address", "172.31.80.100"), []string{second}, nil},
			"instance of the interface":   {filter("attachment.instance-id", id), []string{primary, second}, nil},
			"private address, first only": {filter("private-ip-address", "172.31.80.5"), []string{second}, []string{}},
		} {
			if c.interfaces != nil {
				got := []string{}
				for _, n := range must(w.DescribeNetworkInterfaces(w.Context(), &ec2.DescribeNetworkInterfacesInput{Filters: []types.Filter{c.filter}}))(w).NetworkInterfaces {
					got = append(got, *n.NetworkInterfaceId)
				}
				if diff := cmp.Diff(c.interfaces, got); diff != "" {
					w.Errorf("%s: interfaces %s", name, diff)
				}
			}
			if c.instances != nil {
				got := []string{}
				for _, r := range must(w.DescribeInstances(w.Context(), &ec2.DescribeInstancesInput{Filters: []types.Filter{c.filter}}))(w).Reservations {
					got = append(got, ids(r.Instances)...)
				}
				if diff := cmp.Diff(c.instances, got); diff != "" {
					w.Errorf("%s: instances %s", name, diff)
				}
			}
		}
	})
}
