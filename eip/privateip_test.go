package eip_test

import (
	"net/netip"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/awsha/awsha/eip"
)

// privateIPs returns the primary private address of an interface and a secondary one that it is given.
func (w *world) privateIPs(t *testing.T, eni string) (primary, secondary netip.Addr) {
	t.Helper()
	assigned, err := w.client.AssignPrivateIpAddresses(t.Context(), &ec2.AssignPrivateIpAddressesInput{
		NetworkInterfaceId: &eni, SecondaryPrivateIpAddressCount: aws.Int32(1),
	})
	must(t, err)
	out, err := w.client.DescribeNetworkInterfaces(t.Context(), &ec2.DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{eni}})
	must(t, err)
	return netip.MustParseAddr(*out.NetworkInterfaces[0].PrivateIpAddress), netip.MustParseAddr(*assigned.AssignedPrivateIpAddresses[0].PrivateIpAddress)
}

// An owner that is expected on one private address is not the one that another private address of the same interface has.
func TestOwnerIsExpectedWithItsPrivateAddress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		primary, secondary := w.privateIPs(t, w.eni[0])
		req := w.request(1)
		req.Expect.Association = eip.Association{NetworkInterfaceID: w.eni[0], PrivateIP: secondary}
		_, err := newRemapper(t, w.client).Remap(t.Context(), req)
		if e := failure(t, err, eip.ErrConflict); e.Op != eip.OpRead || e.Owner.PrivateIP != primary || w.owner(t) != w.eni[0] {
			t.Errorf("error %v; %s holds the address", err, w.owner(t))
		}
		req.Expect.Association.PrivateIP = primary
		if res, err := newRemapper(t, w.client).Remap(t.Context(), req); err != nil || !res.Changed {
			t.Errorf("result %+v, error %v", res, err)
		}
	})
}

// From one private address of an interface to another one is a move, of an owner that is named.
func TestOwnerOnAnotherPrivateAddressOfTheTargetIsKnown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		primary, secondary := w.privateIPs(t, w.eni[0])
		req := w.request(0)
		req.Target.PrivateIP, req.Expect.Association.PrivateIP = secondary, primary
		w.start = w.counts()
		res, err := newRemapper(t, w.client).Remap(t.Context(), req)
		must(t, err)
		if want := (eip.Calls{Disassociate: 1, Associate: 1, Describe: 1}); w.calls() != want || res.After.PrivateIP != secondary {
			t.Errorf("calls %+v, want %+v; result %+v", w.calls(), want, res)
		}
	})
}
