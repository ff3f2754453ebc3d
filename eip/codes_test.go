package eip_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/smithy-go"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/eip"
)

var sentinels = []error{
	eip.ErrConflict, eip.ErrOccupied, eip.ErrStolen, eip.ErrEnded, eip.ErrUnverified, eip.ErrUnreachable, eip.ErrFenced,
	eip.ErrNotFound, eip.ErrTargetGone, eip.ErrNoGateway, eip.ErrDenied, eip.ErrHalted, eip.ErrPoolEmpty, eip.ErrNotReady,
}

const (
	pendingInstance  = "The pending instance 'i-1' is not in a valid state for this operation."
	pendingInterface = "The pending instance to which 'eni-1' is attached is not in a valid state for this operation"
	goneInstance     = "The terminated instance 'i-1' is not in a valid state for this operation."
	goneInterface    = "The shutting-down instance to which 'eni-1' is attached is not in a valid state for this operation"
)

// Every code that EC2 is known to answer with, at every call of a move; InvalidAssociationID.NotFound has tests of its own.
// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html (read 2026-11)
func TestEveryCodeHasItsTreatment(t *testing.T) {
	t.Parallel()
	const describe, inspect, disassociate, associate = "DescribeAddresses", "DescribeNetworkInterfaces", "DisassociateAddress", "AssociateAddress"
	everywhere := []string{describe, inspect, disassociate, associate}
	tests := []struct {
		at            []string
		code, message string
		status        int
		retried       bool  // until it is over, and then succeeds
		want          error // the sentinel, if it does not pass; nil: none of ours
	}{
		{everywhere, "RequestLimitExceeded", "Request limit exceeded.", 503, true, nil},
		{everywhere, "Throttling", "Rate exceeded", 400, true, nil},
		{everywhere, "ThrottlingException", "Rate exceeded", 400, true, nil},
		{everywhere, "EC2ThrottledException", "", 400, true, nil},
		{everywhere, "PriorRequestNotComplete", "", 400, true, nil},
		{everywhere, "BandwidthLimitExceeded", "", 400, true, nil},
		{everywhere, "Unavailable", "The server is overloaded and can't handle the request.", 503, true, nil},
		{everywhere, "ServiceUnavailable", "", 503, true, nil},
		{everywhere, "InternalError", "", 500, true, nil},
		{everywhere, "InternalFailure", "", 500, true, nil},
		{everywhere, "SomethingNew", "", 502, true, nil},

		{everywhere, "UnauthorizedOperation", "You are not authorized to perform this operation.", 403, false, eip.ErrDenied},
		{everywhere, "AuthFailure", "You do not have permission to access the specified resource.", 401, false, eip.ErrDenied},
		{everywhere, "OptInRequired", "", 401, false, eip.ErrDenied},
		{everywhere, "Blocked", "", 400, false, eip.ErrDenied},
		{everywhere, "InvalidClientTokenId", "", 403, false, eip.ErrDenied},
		{everywhere, "SignatureDoesNotMatch", "", 403, false, eip.ErrDenied},
		{everywhere, "RequestExpired", "Request has expired.", 400, false, eip.ErrDenied},
		{everywhere, "ExpiredToken", "", 400, false, eip.ErrDenied},

		{everywhere, "InvalidParameterValue", "", 400, false, nil},
		{everywhere, "InvalidParameterCombination", "", 400, false, nil},
		{everywhere, "MissingParameter", "", 400, false, nil},
		{everywhere, "UnsupportedOperation", "", 400, false, nil},
		{everywhere, "OperationNotPermitted", "", 400, false, nil},

		{[]string{describe, associate}, "InvalidAllocationID.NotFound", "", 400, false, eip.ErrNotFound},
		{[]string{describe, associate}, "InvalidAddress.NotFound", "", 400, false, eip.ErrNotFound},
		{[]string{inspect, associate}, "InvalidNetworkInterfaceID.NotFound", "", 400, false, eip.ErrTargetGone},
		{[]string{associate}, "InvalidInstanceID.NotFound", "", 400, false, eip.ErrTargetGone},

		// One code, told apart by the state.
		{[]string{associate}, "InvalidInstanceID", pendingInstance, 400, true, nil},
		{[]string{associate}, "IncorrectInstanceState", pendingInterface, 400, true, nil},
		{[]string{associate}, "InvalidInstanceID", goneInstance, 400, false, eip.ErrTargetGone},
		{[]string{associate}, "IncorrectInstanceState", goneInterface, 400, false, eip.ErrTargetGone},
		{[]string{associate}, "InvalidInstanceID", "There are multiple interfaces attached to instance 'i-1'.", 400, false, nil},

		{[]string{associate}, "Gateway.NotAttached", "Network vpc-1 is not attached to any internet gateway", 400, false, eip.ErrNoGateway},
		{[]string{associate}, "Resource.AlreadyAssociated", "resource eipalloc-1 is already associated with associate-id eipassoc-99", 400, false, eip.ErrConflict},
	}
	for _, test := range tests {
		for _, operation := range test.at {
			t.Run(operation+" "+test.code+" "+test.message, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					w := settled(t)
					over := 0 // never
					if test.retried {
						over = 4 // more often than the SDK tries
					}
					w.inject(t, operation, awstest.Match{Times: over}, awstest.Reject(awstest.APIError{Code: test.code, Message: test.message, Status: test.status}))
					req := w.request(1)
					req.Expect = eip.Expect{}
					res, err := newRemapper(t, w.client).Remap(t.Context(), req)
					if test.retried {
						if err != nil || !res.Changed || w.owner(t) != w.eni[1] {
							t.Errorf("result %+v, error %v", res, err)
						}
						return
					}
					steps := map[string]eip.Op{describe: eip.OpRead, inspect: eip.OpInspect, disassociate: eip.OpDisassociate, associate: eip.OpAssociate}
					var e *eip.RemapError
					var api smithy.APIError
					if !errors.As(err, &e) || !errors.As(err, &api) || api.ErrorCode() != test.code || e.Op != steps[operation] || e.RequestID == "" {
						t.Fatalf("error %v, want a RemapError around %s in step %s, with its request ID", err, test.code, steps[operation])
					}
					for _, sentinel := range sentinels {
						if got := errors.Is(err, sentinel); got != (sentinel == test.want) {
							t.Errorf("matches %q: %t", sentinel, got)
						}
					}
					if wait := res.Took > time.Second; wait != (errors.Is(test.want, eip.ErrConflict) || errors.Is(test.want, eip.ErrTargetGone) && e.Kind != nil && isNotFound(test.code)) {
						t.Errorf("took %v", res.Took)
					}
					if operation != associate && w.owner(t) != w.eni[0] {
						t.Error("the owner has lost the address")
					}
				})
			})
		}
	}
}

// isNotFound tells the codes that may mean that something is too new to be known.
func isNotFound(code string) bool {
	return code == "InvalidNetworkInterfaceID.NotFound" || code == "InvalidInstanceID.NotFound"
}
