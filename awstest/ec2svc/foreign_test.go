package ec2svc_test

import (
	"errors"
	"strings"
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
	neighbour = "210987654321"
	denied    = "You do not have permission to access the specified resource."
)

// do fails the test unless the world was changed behind the API's back.
func (w *world) do(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) wantDenied(err error) {
	w.Helper()
	wantMessage(w, err, "AuthFailure", denied)
	wantStatus(w, err, 400)
}

// to associates an address with an interface.
func (w *world) to(allocation, nic string, allow *bool) error {
	_, err := w.AssociateAddress(w.Context(), &ec2.AssociateAddressInput{AllocationId: &allocation, NetworkInterfaceId: &nic, AllowReassociation: allow})
	return err
}

func (w *world) disassociate(association string) error {
	_, err := w.DisassociateAddress(w.Context(), &ec2.DisassociateAddressInput{AssociationId: &association})
	return err
}

func (w *world) release(allocation string) error {
	_, err := w.ReleaseAddress(w.Context(), &ec2.ReleaseAddressInput{AllocationId: &allocation})
	return err
}

func TestServiceManagedAddressIsOutOfReach(t *testing.T) {
	t.Parallel()
	for _, by := range types.ServiceManaged("").Values() {
		t.Run(string(by), func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				id, other, a, free := w.running(zoneA), w.running(zoneB), w.allocate(), w.allocate()
				association := w.associate(a, id)
				w.do(ec2svc.ManageAddress(w.cloud, region, a, by))
				w.do(ec2svc.ManageAddress(w.cloud, region, free, by))
				if got := w.address(a).ServiceManaged; got != by {
					w.Errorf("the address shows %q", got)
				}
				w.wantDenied(w.disassociate(association))
				w.wantDenied(w.release(a))
				w.wantDenied(w.release(free))
				for _, allow := range []*bool{nil, aws.Bool(false)} {
					w.wantDenied(w.to(a, w.eni(other), allow))
					w.wantDenied(w.to(a, w.eni(id), allow)) // where it is
					w.wantDenied(w.to(free, w.eni(other), allow))
				}
				// Nor is it displaced.
				b := w.allocate()
				w.wantDenied(w.to(b, w.eni(id), nil))
				wantCode(w, w.to(b, w.eni(id), aws.Bool(false)), "Resource.AlreadyAssociated")
				w.holds(a, id, w.eni(id), "172.31.80.4")
				w.holds(b, "", "", "")

				w.do(ec2svc.ManageAddress(w.cloud, region, a, ""))
				if got := w.address(a).ServiceManaged; got != "" {
					w.Errorf("the address that was given back shows %q", got)
				}
				wantCode(w, w.disassociate(association), "")
				wantCode(w, w.release(a), "")
			})
		})
	}
}

func TestForeignInterfaceIsOutOfReach(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		give, back func(w *world, nic string) error
		shows      []any // owner, managed, requester
	}{
		"of another account": {
			func(w *world, nic string) error { return ec2svc.ShareInterface(w.cloud, region, nic, neighbour) },
			func(w *world, nic string) error { return ec2svc.ShareInterface(w.cloud, region, nic, account) },
			[]any{neighbour, false, ""},
		},
		"of a service": {
			func(w *world, nic string) error { return ec2svc.ManageInterface(w.cloud, region, nic, "amazon-elb") },
			func(w *world, nic string) error { return ec2svc.ManageInterface(w.cloud, region, nic, "") },
			[]any{account, true, "amazon-elb"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				id, nic, a, b := w.running(zoneA), w.nic(zoneA), w.allocate(), w.allocate()
				out := must(w.AssociateAddress(w.Context(), &ec2.AssociateAddressInput{AllocationId: &a, NetworkInterfaceId: &nic}))(w)
				w.do(c.give(w, nic))

				shown := w.describeNIC(nic)
				if diff := cmp.Diff(c.shows, []any{*shown.OwnerId, *shown.RequesterManaged, aws.ToString(shown.RequesterId)}); diff != "" {
					w.Error(diff)
				}
				if got := *w.address(a).NetworkInterfaceOwnerId; got != c.shows[0] {
					w.Errorf("the address on it shows the owner %s", got)
				}
				if got := *shown.Association.IpOwnerId; got != account {
					w.Errorf("the address on it belongs to %s", got)
				}

				w.wantDenied(w.to(b, nic, nil))
				w.wantDenied(w.to(b, nic, aws.Bool(false)))
				w.wantDenied(w.to(a, w.eni(id), nil))
				wantCode(w, w.to(a, w.eni(id), aws.Bool(false)), "Resource.AlreadyAssociated")
				w.wantDenied(w.disassociate(*out.AssociationId))
				w.wantDenied(w.release(a))
				w.wantDenied(w.deleteNIC(nic))
				_, err := w.attach(nic, id, 1)
				w.wantDenied(err)
				_, err = w.AssignPrivateIpAddresses(w.Context(), &ec2.AssignPrivateIpAddressesInput{NetworkInterfaceId: &nic, SecondaryPrivateIpAddressCount: aws.Int32(1)})
				w.wantDenied(err)
				_, err = w.RunInstances(w.Context(), run(1, func(in *ec2.RunInstancesInput) {
					in.NetworkInterfaces = []types.InstanceNetworkInterfaceSpecification{{DeviceIndex: aws.Int32(0), NetworkInterfaceId: &nic}}
				}))
				w.wantDenied(err)
				w.holds(a, "", nic, "172.31.80.5")

				w.do(c.back(w, nic))
				wantCode(w, w.to(a, w.eni(id), nil), "")
				wantCode(w, w.deleteNIC(nic), "")
			})
		})
	}
}

func TestFiltersTellWhoseItIs(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		mine, shared, managed := w.nic(zoneA), w.nic(zoneA), w.nic(zoneA)
		a, b := w.allocate(), w.allocate()
		wantCode(w, w.to(a, mine, nil), "")
		wantCode(w, w.to(b, shared, nil), "")
		w.do(ec2svc.ShareInterface(w.cloud, region, shared, neighbour))
		w.do(ec2svc.ManageInterface(w.cloud, region, managed, "amazon-elb"))
		for _, c := range []struct {
			filter types.Filter
			want   []string
		}{
			{filter("owner-id", neighbour), []string{shared}},
			{filter("owner-id", account), []string{mine, managed}},
			{filter("requester-managed", "true"), []string{managed}},
			{filter("requester-id", "amazon-*"), []string{managed}},
		} {
			var got []string
			for _, n := range must(w.DescribeNetworkInterfaces(w.Context(), &ec2.DescribeNetworkInterfacesInput{Filters: []types.Filter{c.filter}}))(w).NetworkInterfaces {
				got = append(got, *n.NetworkInterfaceId)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				w.Errorf("%s=%s: %s", *c.filter.Name, c.filter.Values[0], diff)
			}
		}
		out := must(w.DescribeAddresses(w.Context(), &ec2.DescribeAddressesInput{Filters: []types.Filter{filter("network-interface-owner-id", neighbour)}}))(w)
		if len(out.Addresses) != 1 || *out.Addresses[0].AllocationId != b {
			w.Errorf("on the neighbour's interfaces: %v", out.Addresses)
		}
	})
}

func TestHandingOverLagsBehind(t *testing.T) {
	t.Parallel()
	const lag = 10 * time.Second
	inBubble(t, func(w *world) {
		a, nic := w.allocate(), w.nic(zoneA)
		time.Sleep(lag)
		w.do(ec2svc.ManageAddress(w.cloud, region, a, types.ServiceManagedRnat))
		w.do(ec2svc.ShareInterface(w.cloud, region, nic, neighbour))
		shows := func() []any { return []any{w.address(a).ServiceManaged, *w.describeNIC(nic).OwnerId} }
		if diff := cmp.Diff([]any{types.ServiceManaged(""), account}, shows()); diff != "" {
			w.Errorf("a read sees it at once: %s", diff)
		}
		w.wantDenied(w.release(a)) // changes look at the present
		time.Sleep(lag)
		if diff := cmp.Diff([]any{types.ServiceManagedRnat, neighbour}, shows()); diff != "" {
			w.Errorf("after the lag: %s", diff)
		}
	}, func(o *awstest.Options) { o.VisibilityLag = lag })
}

func TestHandingOverRefuses(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		a, nic, attached := w.allocate(), w.nic(zoneA), w.eni(w.running(zoneA))
		without, err := awstest.New(nil)
		w.do(err)
		for name, c := range map[string]struct {
			err   error
			field string
		}{
			"unknown region":           {ec2svc.ManageAddress(w.cloud, "mars-1", a, types.ServiceManagedAlb), "region"},
			"other region":             {ec2svc.ManageAddress(w.cloud, "eu-west-1", a, types.ServiceManagedAlb), "allocationID"},
			"unknown service":          {ec2svc.ManageAddress(w.cloud, region, a, "elb"), "by"},
			"unknown address":          {ec2svc.ManageAddress(w.cloud, region, "eipalloc-12345678", types.ServiceManagedAlb), "allocationID"},
			"cloud without EC2":        {ec2svc.ManageAddress(without, region, a, types.ServiceManagedAlb), "cloud"},
			"unknown interface":        {ec2svc.ShareInterface(w.cloud, region, "eni-12345678", neighbour), "networkInterfaceID"},
			"interface of an instance": {ec2svc.ShareInterface(w.cloud, region, attached, neighbour), "networkInterfaceID"},
			"no account":               {ec2svc.ShareInterface(w.cloud, region, nic, "neighbour"), "ownerAccountID"},
			"interface in use":         {ec2svc.ManageInterface(w.cloud, region, attached, "amazon-elb"), "networkInterfaceID"},
		} {
			var fe *awstest.FieldError
			if !errors.As(c.err, &fe) || fe.Field != c.field || fe.Rule == "" {
				w.Errorf("%s: got %v, want a FieldError of %s", name, c.err, c.field)
			}
		}
		if *w.describeNIC(attached).OwnerId != account || w.address(a).ServiceManaged != "" {
			w.Error("a refused call changed something")
		}
	})
}

func TestSnapshotsOfServicesAndOfOthers(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		v := w.volume(zoneA)
		w.write(v, "kept")
		id := w.completed(v, func(in *ec2.CreateSnapshotInput) {
			in.TagSpecifications = tags(types.ResourceTypeSnapshot, "role", "data")
		})
		w.do(ec2svc.ManageSnapshot(w.cloud, region, id, ec2svc.ByBackup))
		err := w.deleteSnapshot(id)
		wantCode(t, err, "InvalidParameterValue")
		if !strings.Contains(err.Error(), "AWS Backup") || len(w.snapshot(id).Tags) != 2 {
			t.Errorf("%v, tags %v", err, w.snapshot(id).Tags)
		}
		w.do(ec2svc.ManageSnapshot(w.cloud, region, id, ec2svc.ByLifecycleManager))
		if shown := w.snapshot(id).Tags; len(shown) != 3 || *shown[1].Key != "aws:dlm:lifecycle-policy-id" {
			t.Errorf("tags %v", shown)
		}
		w.do(ec2svc.ManageSnapshot(w.cloud, region, id, ec2svc.ByNobody))
		w.do(ec2svc.ShareSnapshot(w.cloud, region, id, "111122223333"))
		list := func(owner string) int {
			return len(must(w.DescribeSnapshots(w.Context(), &ec2.DescribeSnapshotsInput{OwnerIds: []string{owner}}))(w).Snapshots)
		}
		if shown := w.snapshot(id); *shown.OwnerId != "111122223333" || len(shown.Tags) != 0 || list("self") != 0 || list("111122223333") != 1 {
			t.Errorf("%+v", shown)
		}
		wantCode(t, w.deleteSnapshot(id), "AuthFailure")
		_, err = w.LockSnapshot(w.Context(), &ec2.LockSnapshotInput{SnapshotId: &id, LockMode: types.LockModeGovernance, LockDuration: aws.Int32(1)})
		w.wantDenied(err)
		w.wantContent(*must(w.made(id))(w).VolumeId, "kept")
		w.do(ec2svc.ShareSnapshot(w.cloud, region, id, w.cloud.AccountID()))
		w.do(w.deleteSnapshot(id))
		for field, err := range map[string]error{
			"snapshotID":     ec2svc.ManageSnapshot(w.cloud, region, id, ec2svc.ByBackup),
			"by":             ec2svc.ManageSnapshot(w.cloud, region, id, "somebody"),
			"ownerAccountID": ec2svc.ShareSnapshot(w.cloud, region, id, "me"),
		} {
			if mistake, ok := errors.AsType[*awstest.FieldError](err); !ok || mistake.Field != field {
				t.Errorf("%s: %v", field, err)
			}
		}
	})
}
