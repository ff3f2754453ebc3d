package eip_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/eip"
)

// sent is what a Ready has sent, the SDK's retries included.
type sent struct{ describe, inspect, dryAssociate, dryDisassociate int }

// ready asks for a report, and makes sure that nothing but reads and dry runs was sent, none of which took effect: the
// ledger has every call, and nothing else changes an EC2 in memory.
func (w *world) ready(ctx context.Context, t *testing.T, r *eip.Remapper, req eip.Request) (eip.Report, sent, error) {
	t.Helper()
	before := len(w.cloud.Calls(awstest.Match{}))
	report, err := r.Ready(ctx, req)
	var s sent
	for _, call := range w.cloud.Calls(awstest.Match{})[before:] {
		switch in := call.Input.(type) {
		case *ec2.AssociateAddressInput:
			s.dryAssociate++
			if !aws.ToBool(in.DryRun) || call.Applied {
				t.Errorf("sent in earnest: %+v", in)
			}
		case *ec2.DisassociateAddressInput:
			s.dryDisassociate++
			if !aws.ToBool(in.DryRun) || call.Applied {
				t.Errorf("sent in earnest: %+v", in)
			}
		case *ec2.DescribeAddressesInput:
			s.describe++
		case *ec2.DescribeInstancesInput, *ec2.DescribeNetworkInterfacesInput, *ec2.DescribeAvailabilityZonesInput, *ec2.DescribeInternetGatewaysInput:
			s.inspect++
		default:
			t.Errorf("%s was sent", call.Operation)
		}
	}
	// What the SDK repeats within a call is in the ledger only.
	if c := report.Calls; c.Associate+c.Disassociate != 0 || c.Describe > s.describe || c.Inspect > s.inspect || report.DryRuns > s.dryAssociate+s.dryDisassociate {
		t.Errorf("sent %+v, counted %+v and %d dry runs", s, c, report.DryRuns)
	}
	return report, s, err
}

// verdicts are those of the checks that did not pass.
type verdicts map[eip.CheckName]eip.Verdict

// notPassed returns the verdicts of a report, and makes sure that it is whole and in order.
func notPassed(t *testing.T, report *eip.Report) verdicts {
	t.Helper()
	order := []eip.CheckName{
		eip.CheckAddress, eip.CheckOwner, eip.CheckTarget, eip.CheckOccupant, eip.CheckBorderGroup, eip.CheckGateway,
		eip.CheckAssociate, eip.CheckDisassociate, eip.CheckFence,
	}
	found := verdicts{}
	last := -1
	for _, c := range report.Checks {
		at := slices.Index(order, c.Name)
		if at <= last {
			t.Errorf("%s is out of order", c.Name)
		}
		last = at
		if c.Detail == "" || (c.Err != nil) != (c.Verdict == eip.Fail || c.Verdict == eip.Unknown) {
			t.Errorf("check %+v", c)
		}
		if c.Verdict != eip.Pass {
			found[c.Name] = c.Verdict
		}
	}
	return found
}

func find(report *eip.Report, name eip.CheckName) eip.Check {
	for _, c := range report.Checks {
		if c.Name == name {
			return c
		}
	}
	return eip.Check{}
}

// What is found, and that Remap finds the same: it fails for the first reason of the report, or succeeds.
func TestReadyFindsWhatRemapWouldMeet(t *testing.T) {
	t.Parallel()
	const warn, fail, unknown = eip.Warn, eip.Fail, eip.Unknown
	unmet := func(v verdicts) verdicts { // what depends on the target
		for _, name := range []eip.CheckName{eip.CheckOccupant, eip.CheckBorderGroup, eip.CheckGateway} {
			v[name] = unknown
		}
		return v
	}
	tests := []struct {
		name   string
		adjust func(t *testing.T, w *world, r *eip.Request) // of a strict move to an interface of an instance that runs
		want   verdicts
		kind   error  // that Report.Err and Remap match, or
		text   string // of a FieldError, in both
		detail string // in the worst check
	}{
		{name: "nothing", adjust: func(*testing.T, *world, *eip.Request) {}, want: verdicts{}},
		{name: "nothing, for an instance", adjust: byInstance, want: verdicts{}},
		{name: "nothing, for an address that is free", adjust: func(t *testing.T, w *world, r *eip.Request) {
			r.AllocationID, r.Expect = w.allocate(t), eip.Expect{}
		}, want: verdicts{}},
		{name: "nothing, although the expected association has ended", adjust: func(t *testing.T, w *world, _ *eip.Request) {
			w.disassociate(t, w.first.ID)
		}, want: verdicts{}},
		{name: "nothing, under a lease", adjust: func(_ *testing.T, _ *world, r *eip.Request) {
			r.Guard, r.Fence = eip.GuardLease, &lease{}
		}, want: verdicts{}},

		{name: "unknown address", adjust: func(_ *testing.T, _ *world, r *eip.Request) {
			r.AllocationID, r.Expect = "eipalloc-0123456789abcdef0", eip.Expect{}
		}, want: verdicts{eip.CheckAddress: fail, eip.CheckOwner: unknown, eip.CheckBorderGroup: unknown, eip.CheckDisassociate: unknown}, kind: eip.ErrNotFound, detail: "address not found"},
		{name: "address that a service manages", adjust: func(t *testing.T, w *world, r *eip.Request) {
			must(t, ec2svc.ManageAddress(w.cloud, "us-east-1", w.allocation, types.ServiceManagedAlb))
			r.Expect = eip.Expect{}
		}, want: verdicts{eip.CheckAddress: fail}, text: "must not be an address that a service manages, which is alb"},

		{name: "other owner than the expected one", adjust: func(t *testing.T, w *world, _ *eip.Request) {
			w.associate(t, w.allocation, w.eni[2])
		}, want: verdicts{eip.CheckOwner: fail}, kind: eip.ErrConflict, detail: "expected"},
		{name: "other owner than the expected interface", adjust: func(_ *testing.T, w *world, r *eip.Request) {
			r.Expect.Association = eip.Association{NetworkInterfaceID: w.eni[2]}
		}, want: verdicts{eip.CheckOwner: fail}, kind: eip.ErrConflict, detail: "expected " + "eni-"},
		{name: "owner under GuardFree", adjust: func(_ *testing.T, _ *world, r *eip.Request) {
			r.Guard, r.Expect = eip.GuardFree, eip.Expect{}
		}, want: verdicts{eip.CheckOwner: fail}, kind: eip.ErrConflict, detail: "takes it from nobody"},
		{name: "other owner, whom a lease robs", adjust: func(t *testing.T, w *world, r *eip.Request) {
			w.associate(t, w.allocation, w.eni[2])
			r.Guard, r.Fence = eip.GuardLease, &lease{}
		}, want: verdicts{eip.CheckOwner: warn}, detail: "who would lose it"},
		{name: "association with the target that has ended", adjust: func(t *testing.T, w *world, r *eip.Request) {
			r.Expect.Association = w.associate(t, w.allocation, r.Target.NetworkInterfaceID)
			w.disassociate(t, r.Expect.Association.ID)
		}, want: verdicts{eip.CheckOwner: fail}, kind: eip.ErrEnded, detail: "nobody holds it"},
		{name: "association with the target that was robbed", adjust: func(t *testing.T, w *world, r *eip.Request) {
			r.Expect.Association = w.associate(t, w.allocation, r.Target.NetworkInterfaceID)
			w.associate(t, w.allocation, w.eni[2])
		}, want: verdicts{eip.CheckOwner: fail}, kind: eip.ErrStolen, detail: "held by eni-"},

		{name: "interface of another account", adjust: func(t *testing.T, w *world, r *eip.Request) {
			must(t, ec2svc.ShareInterface(w.cloud, "us-east-1", w.eni[1], "111122223333"))
			r.Target.NetworkInterfaceID, r.Expect = w.eni[1], eip.Expect{}
		}, want: verdicts{eip.CheckOwner: fail, eip.CheckTarget: warn}, text: "must be of the account that owns the interface with the address, which is"},
		{name: "unknown interface", adjust: func(_ *testing.T, _ *world, r *eip.Request) {
			r.Target.NetworkInterfaceID = "eni-0123456789abcdef0"
		}, want: unmet(verdicts{eip.CheckTarget: fail}), kind: eip.ErrTargetGone, detail: "EC2 does not know eni-0123456789abcdef0"},
		{name: "unknown instance", adjust: func(_ *testing.T, _ *world, r *eip.Request) {
			r.Target = eip.Target{InstanceID: "i-0123456789abcdef0"}
		}, want: unmet(verdicts{eip.CheckTarget: fail}), kind: eip.ErrTargetGone, detail: "EC2 does not know i-0123456789abcdef0"},
		{name: "interface of no instance", adjust: func(_ *testing.T, w *world, r *eip.Request) {
			r.Target.NetworkInterfaceID = w.eni[1]
		}, want: verdicts{eip.CheckTarget: warn}, detail: "attached to no instance"},
		{name: "interface of a service", adjust: func(t *testing.T, w *world, r *eip.Request) {
			must(t, ec2svc.ManageInterface(w.cloud, "us-east-1", w.eni[1], "amazon-elb"))
			r.Target.NetworkInterfaceID, r.Expect = w.eni[1], eip.Expect{}
		}, want: verdicts{eip.CheckTarget: fail}, text: "must not be a network interface that a service of AWS manages"},
		{name: "pending instance", adjust: func(t *testing.T, w *world, r *eip.Request) {
			r.Target = eip.Target{InstanceID: *w.launch(t).InstanceId}
		}, want: verdicts{eip.CheckTarget: warn}, detail: "is pending: a Remap waits for it"},
		{name: "interface of a pending instance", adjust: func(t *testing.T, w *world, r *eip.Request) {
			r.Target.NetworkInterfaceID = *w.launch(t).NetworkInterfaces[0].NetworkInterfaceId
		}, want: verdicts{eip.CheckTarget: warn}, detail: "is pending: a Remap waits for it"},
		{name: "instance that is stopping", adjust: func(t *testing.T, w *world, r *eip.Request) {
			byInstance(t, w, r)
			w.stop(t, r.Target.InstanceID)
		}, want: verdicts{eip.CheckTarget: warn}, detail: "is stopping: it would get the address, and nobody would answer"},
		{name: "interface of a stopped instance", adjust: func(t *testing.T, w *world, r *eip.Request) {
			w.stop(t, w.instanceOf(t, r.Target.NetworkInterfaceID))
			time.Sleep(time.Minute)
		}, want: verdicts{eip.CheckTarget: warn}, detail: "is stopped: it would get the address, and nobody would answer"},
		{name: "instance that is shutting down", adjust: func(t *testing.T, w *world, r *eip.Request) {
			byInstance(t, w, r)
			w.terminate(t, r.Target.InstanceID)
		}, want: unmet(verdicts{eip.CheckTarget: fail}), kind: eip.ErrTargetGone, detail: "terminated or shutting down"},
		{name: "terminated instance", adjust: func(t *testing.T, w *world, r *eip.Request) {
			byInstance(t, w, r)
			w.terminate(t, r.Target.InstanceID)
			time.Sleep(time.Minute)
		}, want: unmet(verdicts{eip.CheckTarget: fail}), kind: eip.ErrTargetGone, detail: "terminated or shutting down"},
		{name: "interface of an instance that is shutting down", adjust: func(t *testing.T, w *world, r *eip.Request) {
			w.terminate(t, w.instanceOf(t, r.Target.NetworkInterfaceID))
		}, want: verdicts{eip.CheckTarget: fail}, kind: eip.ErrTargetGone, detail: "is shutting-down"},
		{name: "instance with two interfaces", adjust: func(t *testing.T, w *world, r *eip.Request) {
			byInstance(t, w, r)
			w.second(t, r.Target.InstanceID, "")
		}, want: unmet(verdicts{eip.CheckTarget: fail}), text: "must have one network interface, or a PrivateIP beside it; it has eni-"},
		{name: "private address of another interface", adjust: func(_ *testing.T, _ *world, r *eip.Request) {
			r.Target.PrivateIP, r.Expect = netip.MustParseAddr("172.31.0.99"), eip.Expect{}
		}, want: unmet(verdicts{eip.CheckTarget: fail}), text: "Request.Target.PrivateIP: 172.31.0.99 must be a private address of eni-"},

		{name: "occupied interface", adjust: func(t *testing.T, w *world, r *eip.Request) {
			w.associate(t, w.allocate(t), r.Target.NetworkInterfaceID)
		}, want: verdicts{eip.CheckOccupant: fail}, kind: eip.ErrOccupied, detail: "the target holds eipalloc-"},
		{name: "occupied instance", adjust: func(t *testing.T, w *world, r *eip.Request) {
			w.associate(t, w.allocate(t), r.Target.NetworkInterfaceID)
			byInstance(t, w, r)
		}, want: verdicts{eip.CheckOccupant: fail}, kind: eip.ErrOccupied, detail: "the target holds 203.0.113."},
		{name: "interface with an address to displace", adjust: func(t *testing.T, w *world, r *eip.Request) {
			w.associate(t, w.allocate(t), r.Target.NetworkInterfaceID)
			r.Displace = true
		}, want: verdicts{eip.CheckOccupant: warn}, detail: "(eipassoc-"},
		{name: "instance with an address to displace", adjust: func(t *testing.T, w *world, r *eip.Request) {
			w.associate(t, w.allocate(t), r.Target.NetworkInterfaceID)
			r.Displace = true
			byInstance(t, w, r)
		}, want: verdicts{eip.CheckOccupant: warn}, detail: "(eipassoc-"},
		{name: "instance with an address that a lease displaces", adjust: func(t *testing.T, w *world, r *eip.Request) {
			w.associate(t, w.allocate(t), r.Target.NetworkInterfaceID)
			r.Displace, r.Guard, r.Fence = true, eip.GuardLease, &lease{}
			byInstance(t, w, r)
		}, want: verdicts{eip.CheckOccupant: warn}, detail: "would be displaced"},

		{name: "other border group", adjust: func(t *testing.T, w *world, r *eip.Request) {
			r.Target.NetworkInterfaceID, r.Expect = w.inBoston(t), eip.Expect{}
		}, want: verdicts{eip.CheckTarget: warn, eip.CheckBorderGroup: fail}, text: "must be in the network border group of the address, which is us-east-1; it is in us-east-1-bos-1"},
		{name: "missing gateway", adjust: func(t *testing.T, w *world, r *eip.Request) {
			r.Expect = eip.Expect{}
			w.detachGateway(t)
		}, want: verdicts{eip.CheckGateway: fail}, kind: eip.ErrNoGateway, detail: "has no internet gateway"},

		{name: "permission to associate that is missing", adjust: func(t *testing.T, w *world, _ *eip.Request) {
			w.inject(t, "AssociateAddress", awstest.Match{}, awstest.Deny())
		}, want: verdicts{eip.CheckAssociate: fail}, kind: eip.ErrDenied, detail: "not permitted"},
		{name: "permission to disassociate that is missing", adjust: func(t *testing.T, w *world, _ *eip.Request) {
			w.inject(t, "DisassociateAddress", awstest.Match{}, awstest.Deny())
		}, want: verdicts{eip.CheckDisassociate: fail}, kind: eip.ErrDenied, detail: "not permitted"},
		{name: "permission to displace that is missing", adjust: func(t *testing.T, w *world, r *eip.Request) {
			other := w.associate(t, w.allocate(t), r.Target.NetworkInterfaceID)
			r.Displace = true
			w.inject(t, "DisassociateAddress", awstest.Match{Resource: other.ID}, awstest.Deny())
		}, want: verdicts{eip.CheckOccupant: warn, eip.CheckDisassociate: fail}, kind: eip.ErrDenied, detail: "not permitted"},
		{name: "bad credentials", adjust: func(t *testing.T, w *world, _ *eip.Request) {
			w.inject(t, "AssociateAddress", awstest.Match{}, awstest.Reject(awstest.APIError{Code: "AuthFailure"}))
		}, want: verdicts{eip.CheckAssociate: fail}, kind: eip.ErrDenied, detail: "denied"},

		{name: "lease that is lost", adjust: func(_ *testing.T, _ *world, r *eip.Request) {
			l := &lease{}
			l.lose(errLeaseLost)
			r.Guard, r.Fence = eip.GuardLease, l
		}, want: verdicts{eip.CheckFence: fail}, kind: eip.ErrFenced, detail: errLeaseLost.Error()},
		{name: "fence of a strict move that is not valid", adjust: func(_ *testing.T, _ *world, r *eip.Request) {
			l := &lease{}
			l.lose(errLeaseLost)
			r.Fence = l
		}, want: verdicts{eip.CheckFence: fail}, kind: errLeaseLost, detail: errLeaseLost.Error()},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := settled(t)
				req := w.request(1)
				_, req.Target.NetworkInterfaceID = w.running(t)
				test.adjust(t, w, &req)
				r := newRemapper(t, w.client)
				report, _, err := w.ready(t.Context(), t, r, req)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(test.want, notPassed(t, &report)); diff != "" {
					t.Errorf("verdicts (-want +got):\n%s", diff)
				}
				worst := ""
				for _, c := range report.Checks {
					if c.Verdict == fail || worst == "" && c.Verdict == warn {
						worst = c.Detail
					}
				}
				if !strings.Contains(worst, test.detail) || !strings.Contains(worst, test.text) {
					t.Errorf("detail %q, want %q", worst, test.detail+test.text)
				}

				found := report.Err()
				_, err = r.Remap(t.Context(), req)
				for _, err := range []error{found, err} {
					field := (*eip.FieldError)(nil)
					switch {
					case test.kind != nil && !errors.Is(err, test.kind), test.kind == nil && test.text == "" && err != nil:
						t.Errorf("error %v, want %v", err, test.kind)
					case test.text != "" && (!errors.As(err, &field) || !strings.Contains(field.Error(), test.text)):
						t.Errorf("error %v, want a FieldError %q", err, test.text)
					}
				}
				if e := (*eip.NotReadyError)(nil); found != nil && (!errors.Is(found, eip.ErrNotReady) || !errors.As(found, &e) || e.AllocationID != req.AllocationID) {
					t.Errorf("error %v, want a NotReadyError", found)
				}
			})
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// byInstance turns the target into the instance that its interface is of.
func byInstance(t *testing.T, w *world, r *eip.Request) {
	t.Helper()
	r.Target = eip.Target{InstanceID: w.instanceOf(t, r.Target.NetworkInterfaceID)}
}

// toBoston moves the address to a Local Zone, which EC2 does not do.
func toBoston(t *testing.T, w *world, r *eip.Request) {
	t.Helper()
	r.Target.NetworkInterfaceID = w.inBoston(t)
}

// withinBoston moves an address of a Local Zone within it.
func withinBoston(t *testing.T, w *world, r *eip.Request) {
	t.Helper()
	out, err := w.client.AllocateAddress(t.Context(), &ec2.AllocateAddressInput{NetworkBorderGroup: aws.String("us-east-1-bos-1")})
	must(t, err)
	r.AllocationID, r.Target.NetworkInterfaceID = *out.AllocationId, w.inBoston(t)
	r.Expect.Association = w.associate(t, r.AllocationID, w.inBoston(t))
}

func (w *world) instanceOf(t *testing.T, eni string) string {
	t.Helper()
	out, err := w.client.DescribeNetworkInterfaces(t.Context(), &ec2.DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{eni}})
	must(t, err)
	return *out.NetworkInterfaces[0].Attachment.InstanceId
}

func (w *world) stop(t *testing.T, instance string) {
	t.Helper()
	_, err := w.client.StopInstances(t.Context(), &ec2.StopInstancesInput{InstanceIds: []string{instance}})
	must(t, err)
}

func (w *world) terminate(t *testing.T, instance string) {
	t.Helper()
	_, err := w.client.TerminateInstances(t.Context(), &ec2.TerminateInstancesInput{InstanceIds: []string{instance}})
	must(t, err)
}

func (w *world) disassociate(t *testing.T, association string) {
	t.Helper()
	_, err := w.client.DisassociateAddress(t.Context(), &ec2.DisassociateAddressInput{AssociationId: &association})
	must(t, err)
}

// detachGateway takes the internet gateway away, for which no address may be associated.
func (w *world) detachGateway(t *testing.T) {
	t.Helper()
	addresses, err := w.client.DescribeAddresses(t.Context(), &ec2.DescribeAddressesInput{})
	must(t, err)
	for _, a := range addresses.Addresses {
		if a.AssociationId != nil {
			w.disassociate(t, *a.AssociationId)
		}
	}
	gateways, err := w.client.DescribeInternetGateways(t.Context(), &ec2.DescribeInternetGatewaysInput{})
	must(t, err)
	for _, g := range gateways.InternetGateways {
		_, err := w.client.DetachInternetGateway(t.Context(), &ec2.DetachInternetGatewayInput{
			InternetGatewayId: g.InternetGatewayId, VpcId: g.Attachments[0].VpcId,
		})
		must(t, err)
	}
}

// A mistake in the request is the same as Remap's, and costs no call.
func TestReadyRefusesABadRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		r := newRemapper(t, w.client)
		for _, req := range []eip.Request{
			{},
			{AllocationID: "eipalloc-1", Target: eip.Target{InstanceID: "i-1", NetworkInterfaceID: "eni-1"}, Guard: eip.GuardLease},
			{AllocationID: "vpc-1", Target: eip.Target{NetworkInterfaceID: "eni-1"}, Guard: 7},
		} {
			report, s, err := w.ready(t.Context(), t, r, req)
			_, want := r.Remap(t.Context(), req)
			if field := (*eip.FieldError)(nil); !errors.As(err, &field) || err.Error() != want.Error() || s != (sent{}) || report.Checks != nil {
				t.Errorf("sent %+v, report %+v, error %v, want %v", s, report, err, want)
			}
		}
		// An association that is known to be of another address is such a mistake, too.
		other := w.allocate(t)
		if _, err := r.Remap(t.Context(), eip.Request{AllocationID: other, Target: eip.Target{NetworkInterfaceID: w.eni[2]}}); err != nil {
			t.Fatal(err)
		}
		moved, err := r.Remap(t.Context(), eip.Request{AllocationID: other, Target: eip.Target{NetworkInterfaceID: w.eni[2]}})
		must(t, err)
		req := w.request(1)
		req.Expect.Association.ID = moved.After.ID
		if _, s, err := w.ready(t.Context(), t, r, req); !errors.As(err, new(*eip.FieldError)) || s != (sent{}) {
			t.Errorf("sent %+v, error %v", s, err)
		}
	})
}

// The table on the page of Ready.
func TestReadyCosts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		adjust func(*testing.T, *world, *eip.Request)
		want   sent
	}{
		{"interface of an instance", func(*testing.T, *world, *eip.Request) {}, sent{1, 3, 1, 1}},
		{"interface of no instance", func(_ *testing.T, w *world, r *eip.Request) { r.Target.NetworkInterfaceID = w.eni[1] }, sent{1, 2, 1, 1}},
		{"instance", byInstance, sent{1, 2, 1, 1}},
		{"owner not named", func(_ *testing.T, _ *world, r *eip.Request) { r.Expect = eip.Expect{} }, sent{1, 3, 1, 1}},
		{"address that is free", func(t *testing.T, w *world, r *eip.Request) {
			r.AllocationID, r.Expect = w.allocate(t), eip.Expect{}
		}, sent{1, 3, 1, 0}},
		{"free guard", func(t *testing.T, w *world, r *eip.Request) {
			r.AllocationID, r.Expect, r.Guard = w.allocate(t), eip.Expect{}, eip.GuardFree
		}, sent{1, 3, 1, 0}},
		{"lease", func(_ *testing.T, _ *world, r *eip.Request) { r.Guard, r.Fence = eip.GuardLease, &lease{} }, sent{1, 3, 1, 0}},
		{"on the target already", func(_ *testing.T, w *world, r *eip.Request) {
			r.Target.NetworkInterfaceID, r.Expect = w.eni[0], eip.Expect{}
		}, sent{1, 0, 0, 0}},
		{"interface with an address to displace", func(t *testing.T, w *world, r *eip.Request) {
			w.associate(t, w.allocate(t), r.Target.NetworkInterfaceID)
			r.Displace = true
		}, sent{1, 3, 1, 2}},
		{"instance with an address to displace", func(t *testing.T, w *world, r *eip.Request) {
			w.associate(t, w.allocate(t), r.Target.NetworkInterfaceID)
			r.Displace = true
			byInstance(t, w, r)
		}, sent{1, 3, 1, 2}},
		{"within a Local Zone", withinBoston, sent{1, 2, 1, 1}},
		{"to a Local Zone", toBoston, sent{1, 3, 1, 1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := settled(t)
				req := w.request(1)
				_, req.Target.NetworkInterfaceID = w.running(t)
				test.adjust(t, w, &req)
				var events []eip.Event
				r := newRemapper(t, w.client, func(o *eip.Options) {
					o.OnEvent = func(_ context.Context, e eip.Event) { events = append(events, e) }
				})
				report, got, err := w.ready(t.Context(), t, r, req)
				must(t, err)
				if counted := (sent{report.Calls.Describe, report.Calls.Inspect, report.DryRuns - got.dryDisassociate, report.DryRuns - got.dryAssociate}); got != test.want || counted != got {
					t.Errorf("sent %+v, counted %+v, want %+v", got, counted, test.want)
				}
				if events != nil {
					t.Errorf("events %+v", events)
				}
				if test.name == "to a Local Zone" {
					if _, again, _ := w.ready(t.Context(), t, r, req); again.inspect != got.inspect-1 {
						t.Errorf("the second time %+v", again)
					}
				}
			})
		})
	}
}

// The report says what is what, and the dry run asks for just what Remap would send.
func TestReadyReportsWhatIsThere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		instance, eni := w.running(t)
		l := &lease{}
		r := newRemapper(t, w.client)
		req := eip.Request{AllocationID: w.allocation, Target: eip.Target{InstanceID: instance}, Guard: eip.GuardLease, Fence: l}
		report, _, err := w.ready(t.Context(), t, r, req)
		must(t, err)
		if report.Owner.ID != w.first.ID || report.Owner.NetworkInterfaceID != w.eni[0] || report.Target != (eip.Target{NetworkInterfaceID: eni}) || !report.PublicIP.IsValid() || report.AllocationID != w.allocation {
			t.Errorf("report %+v", report)
		}
		if l.asked != 1 || report.Err() != nil || report.MissingActions() != nil {
			t.Errorf("asked %d times, error %v, missing %v", l.asked, report.Err(), report.MissingActions())
		}
		if got, want := find(&report, eip.CheckTarget).String(), "target: pass: "+eni+" of "+instance+", which is running"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
		_, err = r.Remap(t.Context(), req)
		must(t, err)
		calls := w.cloud.Calls(awstest.Match{Service: "EC2", Operation: "AssociateAddress"})
		dry, wet := *calls[len(calls)-2].Input.(*ec2.AssociateAddressInput), *calls[len(calls)-1].Input.(*ec2.AssociateAddressInput)
		wet.DryRun = aws.Bool(true)
		if diff := cmp.Diff(wet, dry, cmp.Comparer(func(a, b ec2.AssociateAddressInput) bool {
			return aws.ToString(a.AllocationId) == aws.ToString(b.AllocationId) && *a.AllowReassociation == *b.AllowReassociation &&
				aws.ToString(a.NetworkInterfaceId) == aws.ToString(b.NetworkInterfaceId) && *a.DryRun == *b.DryRun && a.InstanceId == nil && b.InstanceId == nil
		})); diff != "" {
			t.Errorf("the dry run differs from what Remap sends:\n%s", diff)
		}

		// And once it is there:
		report, _, err = w.ready(t.Context(), t, r, req)
		must(t, err)
		if len(report.Checks) != 2 || report.Err() != nil || report.Target != (eip.Target{NetworkInterfaceID: eni}) || !strings.HasPrefix(report.Checks[1].Detail, "on the target already: ") {
			t.Errorf("report %+v", report)
		}
	})
}

// Whatever is denied, everything else is found out, and every missing action is named.
func TestReadyNamesMissingActions(t *testing.T) {
	t.Parallel()
	const fail, unknown = eip.Fail, eip.Unknown
	const addresses, interfaces, instances, zones, gateways = "DescribeAddresses", "DescribeNetworkInterfaces", "DescribeInstances", "DescribeAvailabilityZones", "DescribeInternetGateways"
	const associate, disassociate = "AssociateAddress", "DisassociateAddress"
	named := func(*testing.T, *world, *eip.Request) {}
	read := func(_ *testing.T, _ *world, r *eip.Request) { r.Expect = eip.Expect{} }
	tests := []struct {
		denied []string
		adjust func(*testing.T, *world, *eip.Request)
		want   verdicts
	}{
		{[]string{addresses}, named, verdicts{eip.CheckAddress: fail, eip.CheckOwner: unknown, eip.CheckBorderGroup: unknown}},
		{[]string{addresses}, read, verdicts{eip.CheckAddress: fail, eip.CheckOwner: unknown, eip.CheckBorderGroup: unknown, eip.CheckDisassociate: unknown}},
		{[]string{addresses}, func(t *testing.T, w *world, r *eip.Request) {
			w.associate(t, w.allocate(t), r.Target.NetworkInterfaceID)
			byInstance(t, w, r)
		}, verdicts{eip.CheckAddress: fail, eip.CheckOwner: unknown, eip.CheckOccupant: fail, eip.CheckBorderGroup: unknown}},
		{[]string{interfaces}, named, verdicts{eip.CheckTarget: unknown, eip.CheckOccupant: unknown, eip.CheckBorderGroup: unknown, eip.CheckGateway: unknown}},
		{[]string{interfaces}, read, verdicts{eip.CheckTarget: fail, eip.CheckOccupant: unknown, eip.CheckBorderGroup: unknown, eip.CheckGateway: unknown}},
		{[]string{interfaces}, func(t *testing.T, w *world, r *eip.Request) {
			w.associate(t, w.allocate(t), r.Target.NetworkInterfaceID)
			r.Displace = true
			byInstance(t, w, r)
		}, verdicts{eip.CheckOccupant: fail}},
		{[]string{instances}, read, verdicts{eip.CheckTarget: unknown}},
		{[]string{instances}, byInstance, verdicts{eip.CheckTarget: fail, eip.CheckOccupant: unknown, eip.CheckBorderGroup: unknown, eip.CheckGateway: unknown}},
		{[]string{zones}, toBoston, verdicts{eip.CheckTarget: eip.Warn, eip.CheckBorderGroup: unknown}},
		{[]string{zones}, func(t *testing.T, w *world, r *eip.Request) {
			toBoston(t, w, r)
			r.Expect = eip.Expect{}
		}, verdicts{eip.CheckTarget: eip.Warn, eip.CheckBorderGroup: fail}},
		{[]string{gateways}, read, verdicts{eip.CheckGateway: unknown}},
		{[]string{associate}, read, verdicts{eip.CheckAssociate: fail}},
		{[]string{disassociate}, read, verdicts{eip.CheckDisassociate: fail}},
		{[]string{associate, disassociate, gateways}, read, verdicts{eip.CheckAssociate: fail, eip.CheckDisassociate: fail, eip.CheckGateway: unknown}},
		{[]string{associate, disassociate, interfaces, addresses}, named, verdicts{
			eip.CheckAddress: fail, eip.CheckOwner: unknown, eip.CheckTarget: unknown, eip.CheckOccupant: unknown, eip.CheckBorderGroup: unknown,
			eip.CheckGateway: unknown, eip.CheckAssociate: fail, eip.CheckDisassociate: fail,
		}},
	}
	for i, test := range tests {
		t.Run(fmt.Sprint(i, " ", strings.Join(test.denied, ", ")), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := settled(t)
				req := w.request(1)
				_, req.Target.NetworkInterfaceID = w.running(t)
				test.adjust(t, w, &req)
				var actions []string
				for _, operation := range test.denied {
					w.inject(t, operation, awstest.Match{}, awstest.Deny())
					actions = append(actions, "ec2:"+operation)
				}
				slices.Sort(actions)
				report, _, err := w.ready(t.Context(), t, newRemapper(t, w.client), req)
				must(t, err)
				if diff := cmp.Diff(test.want, notPassed(t, &report)); diff != "" {
					t.Errorf("verdicts (-want +got):\n%s", diff)
				}
				if got := report.MissingActions(); !slices.Equal(got, actions) {
					t.Errorf("missing %v, want %v", got, actions)
				}
				failed := slices.ContainsFunc(report.Checks, func(c eip.Check) bool { return c.Verdict == fail })
				if err := report.Err(); (err != nil) != failed || failed && !errors.Is(err, eip.ErrDenied) {
					t.Errorf("error %v", err)
				}
				// It fails just if Remap does. What is Unknown may still be wrong.
				if _, err := newRemapper(t, w.client).Remap(t.Context(), req); (err != nil) != failed && test.want[eip.CheckBorderGroup] != unknown {
					t.Errorf("Remap returned %v", err)
				}
			})
		})
	}
}

// Bad credentials are no missing action.
func TestReadyNamesNoActionForBadCredentials(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		if _, err := w.cloud.Inject(awstest.Match{Service: "EC2"}, awstest.Reject(awstest.APIError{Code: "ExpiredToken", Status: 400})); err != nil {
			t.Fatal(err)
		}
		report, _, err := w.ready(t.Context(), t, newRemapper(t, w.client), w.request(1))
		must(t, err)
		if got := report.MissingActions(); got != nil || !errors.Is(report.Err(), eip.ErrDenied) {
			t.Errorf("missing %v, error %v", got, report.Err())
		}
		if e := (*eip.RemapError)(nil); !errors.As(report.Err(), &e) || e.RequestID == "" {
			t.Errorf("error %v has no request ID", report.Err())
		}
	})
}

// All that fails is in the error, in words and for errors.Is.
func TestNotReadyErrorNamesAllReasons(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		req := w.request(1)
		_, req.Target.NetworkInterfaceID = w.running(t)
		w.associate(t, w.allocation, w.eni[2])
		other := w.allocate(t)
		w.associate(t, other, req.Target.NetworkInterfaceID)
		w.inject(t, "AssociateAddress", awstest.Match{}, awstest.Deny())
		report, _, err := w.ready(t.Context(), t, newRemapper(t, w.client), req)
		must(t, err)
		err = report.Err()
		for _, want := range []error{eip.ErrNotReady, eip.ErrConflict, eip.ErrOccupied, eip.ErrDenied} {
			if !errors.Is(err, want) {
				t.Errorf("error %v does not match %q", err, want)
			}
		}
		if errors.Is(err, eip.ErrNoGateway) || errors.Is(err, eip.ErrTargetGone) {
			t.Errorf("error %v matches what is all right", err)
		}
		want := "eip: move " + w.allocation + " to " + req.Target.NetworkInterfaceID + ": not ready: owner: held by " + w.eni[2]
		if text := err.Error(); !strings.HasPrefix(text, want) || !strings.Contains(text, "; occupant: the target holds "+other) || !strings.HasSuffix(text, "; associate: not permitted") {
			t.Errorf("text %q", text)
		}
		if e := (*eip.RemapError)(nil); !errors.As(find(&report, eip.CheckOccupant).Err, &e) || e.Occupant.AllocationID != other {
			t.Errorf("the occupant is not in %+v", e)
		}
	})
}
