package eip_test

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/smithy-go"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/eip"
	"github.com/awsha/awsha/eip/eipmock"
)

func TestVerificationThatIsDeniedSaysWhatItKnows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		w.inject(t, "DescribeAddresses", awstest.Match{}, awstest.Deny())
		res, err := newRemapper(t, w.client).Remap(t.Context(), w.request(1))
		e := failure(t, err, eip.ErrUnverified)
		var api smithy.APIError
		if !errors.As(err, &api) || api.ErrorCode() != "UnauthorizedOperation" || e.Op != eip.OpVerify {
			t.Errorf("error %v", err)
		}
		if !res.Changed || res.After.ID == "" || res.Calls.Describe != 1 {
			t.Errorf("result %+v", res)
		}
	})
}

func TestGoneAssociationIsNoError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		w.inject(t, "DisassociateAddress", awstest.Match{}, awstest.Reject(awstest.APIError{Code: "InvalidAssociationID.NotFound"}))
		req := w.request(1)
		req.AllocationID = w.allocate(t) // free
		if _, err := newRemapper(t, w.client).Remap(t.Context(), req); err != nil {
			t.Error(err)
		}
	})
}

func TestOccupiedTargetNamesTheOtherAddress(t *testing.T) {
	t.Parallel()
	messages := map[string]string{
		"as awstest says it":  "",
		"as EC2 says it":      "resource ENI and 10.0.0.5 is already associated with public address 203.0.113.7",
		"as an emulator does": "the resource is already associated",
	}
	for name, message := range messages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := settled(t)
				other := w.allocate(t)
				occupant := w.associate(t, other, w.eni[1])
				if message != "" {
					w.inject(t, "AssociateAddress", awstest.Match{Times: 1}, awstest.Reject(awstest.APIError{
						Code: "Resource.AlreadyAssociated", Message: strings.Replace(message, "ENI", w.eni[1], 1),
					}))
				}
				_, err := newRemapper(t, w.client).Remap(t.Context(), w.request(1))
				e := failure(t, err, eip.ErrOccupied)
				if !errors.Is(err, eip.ErrConflict) {
					t.Error("it is no conflict")
				}
				if want := (eip.Occupant{AllocationID: other, AssociationID: occupant.ID, PublicIP: e.Occupant.PublicIP}); e.Occupant != want || !want.PublicIP.IsValid() || e.Owner != (eip.Association{}) {
					t.Errorf("occupant %+v, owner %v, want %+v and nobody", e.Occupant, e.Owner, want)
				}
				if text := err.Error(); !strings.Contains(text, other) {
					t.Errorf("%q does not name %s", text, other)
				}
			})
		})
	}
}

func TestConflictIsSeenBeforeAnyEffectIfARead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		req := w.request(1)
		req.Expect = eip.Expect{Association: eip.Association{NetworkInterfaceID: w.eni[2]}}
		res, err := newRemapper(t, w.client).Remap(t.Context(), req)
		e := failure(t, err, eip.ErrConflict)
		if e.Owner.ID != w.first.ID || e.Op != eip.OpRead || res.Calls.Associate+res.Calls.Disassociate != 0 || res.Took > 8*time.Second {
			t.Errorf("error %v after %+v", err, res.Calls)
		}
		req.Expect, req.Guard = eip.Expect{}, eip.GuardFree
		if _, err = newRemapper(t, w.client).Remap(t.Context(), req); !errors.Is(err, eip.ErrConflict) {
			t.Errorf("expected free: %v", err)
		}
		if got := w.calls(); got.Disassociate != 0 || w.owner(t) != w.eni[0] {
			t.Errorf("somebody lost the address: %+v", got)
		}
	})
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	reset := errors.New("connection reset")
	tests := []struct {
		err  eip.RemapError
		want string
	}{
		{
			eip.RemapError{Op: eip.OpAssociate, Kind: eip.ErrConflict, Owner: eip.Association{ID: "eipassoc-4", NetworkInterfaceID: "eni-3"}, Err: reset},
			"eip: associate eipalloc-1 to eni-2: conflict: held by eni-3 (eipassoc-4): connection reset",
		},
		{
			eip.RemapError{Op: eip.OpAssociate, Kind: eip.ErrOccupied, Occupant: eip.Occupant{AllocationID: "eipalloc-9", AssociationID: "eipassoc-9"}},
			"eip: associate eipalloc-1 to eni-2: conflict: the target holds another address, eipalloc-9 (eipassoc-9)",
		},
		{
			eip.RemapError{Op: eip.OpVerify, Kind: eip.ErrUnverified, Cause: context.Canceled},
			"eip: verify eipalloc-1 on eni-2: unverified: context canceled",
		},
		{
			eip.RemapError{Op: eip.OpRead, Err: reset},
			"eip: read eipalloc-1 for eni-2: connection reset",
		},
	}
	for _, test := range tests {
		test.err.AllocationID, test.err.Target = "eipalloc-1", eip.Target{NetworkInterfaceID: "eni-2"}
		if got := test.err.Error(); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}

func TestAssociationText(t *testing.T) {
	t.Parallel()
	tests := map[string]eip.Association{
		"nobody":                    {},
		"eipassoc-1":                {ID: "eipassoc-1"},
		"eni-2 (eipassoc-1)":        {ID: "eipassoc-1", NetworkInterfaceID: "eni-2"},
		"i-3 (eipassoc-1)":          {ID: "eipassoc-1", InstanceID: "i-3"},
		"eni-2 of i-3 (eipassoc-1)": {ID: "eipassoc-1", NetworkInterfaceID: "eni-2", InstanceID: "i-3"},
	}
	for want, a := range tests {
		if got := a.String(); got != want {
			t.Errorf("%+v reads %q, want %q", a, got, want)
		}
	}
}

func TestBadRequestsAreRefusedBeforeAnyCall(t *testing.T) {
	t.Parallel()
	v4, v6 := netip.MustParseAddr("10.0.0.4"), netip.MustParseAddr("fd00::1")
	eni := eip.Target{NetworkInterfaceID: "eni-0a"}
	tests := []struct {
		name string
		req  eip.Request
		want []string
	}{
		{"nothing", eip.Request{}, []string{
			`eip: Request.AllocationID: "" must be set`,
			`eip: Request.Target: "" must have a NetworkInterfaceID or an InstanceID`,
		}},
		{"all at once", eip.Request{
			AllocationID: "203.0.113.7",
			Target:       eip.Target{NetworkInterfaceID: "eni-xyz", InstanceID: "eni-1", PrivateIP: v6},
			Expect:       eip.Expect{Association: eip.Association{ID: "eipassoc-", NetworkInterfaceID: "eni", InstanceID: "I-1", PrivateIP: v6}},
		}, []string{
			`eip: Request.AllocationID: "203.0.113.7" must be eipalloc- and hexadecimal digits`,
			`eip: Request.Target: "eni-xyz and eni-1" must not have both a NetworkInterfaceID and an InstanceID`,
			`eip: Request.Target.NetworkInterfaceID: "eni-xyz" must be eni- and hexadecimal digits`,
			`eip: Request.Target.InstanceID: "eni-1" must be i- and hexadecimal digits`,
			`eip: Request.Target.PrivateIP: fd00::1 must be an IPv4 address`,
			`eip: Request.Expect.Association.ID: "eipassoc-" must be eipassoc- and hexadecimal digits`,
			`eip: Request.Expect.Association.NetworkInterfaceID: "eni" must be eni- and hexadecimal digits`,
			`eip: Request.Expect.Association.InstanceID: "I-1" must be i- and hexadecimal digits`,
			`eip: Request.Expect.Association.PrivateIP: fd00::1 must be an IPv4 address`,
		}},
		{"free and held", eip.Request{AllocationID: "eipalloc-1", Target: eni, Guard: eip.GuardFree, Expect: eip.Expect{Association: eip.Association{ID: "eipassoc-1", NetworkInterfaceID: "eni-9"}}}, []string{
			`eip: Request.Expect.Association: "eni-9 (eipassoc-1)" must be nobody or the target under GuardFree, which takes the address from nobody`,
		}},
		{"lease without a fence", eip.Request{AllocationID: "eipalloc-1", Target: eni, Guard: eip.GuardLease}, []string{
			`eip: Request.Fence: "nil" must be set under GuardLease`,
		}},
		{"guard that there is none of", eip.Request{AllocationID: "eipalloc-1", Target: eni, Guard: 3}, []string{
			`eip: Request.Guard: 3 must be GuardStrict, GuardFree or GuardLease`,
		}},
		{"owner known by its private address only", eip.Request{AllocationID: "eipalloc-1", Target: eni, Expect: eip.Expect{Association: eip.Association{PrivateIP: v4}}}, []string{
			`eip: Request.Expect.Association.PrivateIP: 10.0.0.4 needs a NetworkInterfaceID, an InstanceID or an ID beside it`,
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := newRemapper(t, &eipmock.APIMock{}).Remap(t.Context(), test.req) // a call would panic
			var field *eip.FieldError
			if !errors.As(err, &field) {
				t.Fatalf("error %v, want FieldErrors", err)
			}
			if got, want := err.Error(), strings.Join(test.want, "\n"); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestReplyWithoutTheAddressIsNotFound(t *testing.T) {
	t.Parallel()
	api := &eipmock.APIMock{
		DescribeAddressesFunc: func(context.Context, *ec2.DescribeAddressesInput, ...func(*ec2.Options)) (*ec2.DescribeAddressesOutput, error) {
			return &ec2.DescribeAddressesOutput{}, nil
		},
	}
	_, err := newRemapper(t, api).Remap(t.Context(), eip.Request{AllocationID: "eipalloc-1", Target: eip.Target{InstanceID: "i-1"}})
	failure(t, err, eip.ErrNotFound)
}

// The HTTP status is part of what survives.
func TestResponseErrorSurvives(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		w.inject(t, "AssociateAddress", awstest.Match{}, awstest.Deny())
		_, err := newRemapper(t, w.client).Remap(t.Context(), w.request(1))
		var status interface{ HTTPStatusCode() int }
		if !errors.As(err, &status) || status.HTTPStatusCode() != http.StatusForbidden {
			t.Errorf("error %v has no status 403", err)
		}
	})
}
