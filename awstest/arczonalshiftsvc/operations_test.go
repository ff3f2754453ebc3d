package arczonalshiftsvc_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/arczonalshift"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/arczonalshiftsvc"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

func TestDocListsEveryOperation(t *testing.T) {
	t.Parallel()
	svctest.PageListsOperations(t, svctest.Operations[*arczonalshift.Client](t, arczonalshiftsvc.New(), arczonalshift.ServiceID))
}

func codes(t *testing.T) map[string]bool {
	t.Helper()
	return svctest.Codes(t, "*.go", "../internal/zonalshiftmodel/*.go")
}

func TestDocListsEveryErrorCode(t *testing.T) {
	t.Parallel()
	svctest.PageListsCodes(t, codes(t))
}

func TestErrorsAreOfTheSDKsTypes(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		for code := range codes(w.T) {
			heal := svctest.Must(w.cloud.Inject(awstest.Match{}, awstest.Reject(awstest.APIError{Code: code, Message: "no"})))(w)
			_, err := w.ListZonalShifts(w.Context(), nil)
			heal()
			svctest.WantCode(w, err, code)
			modelled := false
			for ; err != nil; err = errors.Unwrap(err) {
				modelled = modelled || strings.HasSuffix(reflect.TypeOf(err).String(), "types."+code)
			}
			if !modelled {
				w.Errorf("%s is not of the SDK's type", code)
			}
		}
	})
}

// An injected error has the reason that its message begins with.
func TestInjectedReason(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		for code, reason := range map[string]string{"ConflictException": "ZonalAutoshiftActive", "ValidationException": "InvalidAz"} {
			heal := svctest.Must(w.cloud.Inject(awstest.Match{}, awstest.Reject(awstest.APIError{Code: code, Message: reason + ": a test"})))(w)
			_, err := w.StartZonalShift(w.Context(), startInput())
			heal()
			wantReason(w, err, reason)
		}
	})
}

func TestServiceFaults(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		list := func() error { _, err := w.ListManagedResources(w.Context(), nil); return err }
		svctest.ServiceFaults(w, w.cloud, awstest.Match{Service: arczonalshift.ServiceID, Operation: "ListManagedResources"}, list,
			svctest.ServiceFault{Effect: awstest.Throttle(), Code: "ThrottlingException", Status: 429, Attempts: 3},
			svctest.ServiceFault{Effect: awstest.Unavailable(), Code: "InternalServerException", Status: 500, Attempts: 3},
			svctest.ServiceFault{Effect: awstest.Deny(), Code: "AccessDeniedException", Status: 403, Attempts: 1},
		)
	})
}

// StartZonalShift has no token: after a lost reply the SDK's second attempt
// meets the shift of the first.
func TestLostReplyMeetsItself(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		svctest.Must(w.cloud.Inject(awstest.Match{Service: arczonalshift.ServiceID, Operation: "StartZonalShift", Times: 1}, awstest.LoseReply()))(w)
		_, err := w.StartZonalShift(w.Context(), startInput())
		wantReason(w, err, "ZonalShiftAlreadyExists")
		if got := w.changes(); got != "0s web out of [use1-az2]" {
			w.Errorf("got %s", got)
		}
	})
}

func TestNotModelledIsLoud(t *testing.T) {
	t.Parallel()
	for says, input := range map[string]any{
		"StartPracticeRun": &arczonalshift.StartPracticeRunInput{AwayFrom: aws.String(zone), Comment: aws.String("c"), ResourceIdentifier: aws.String("r")},
		"UpdateZonalAutoshiftConfiguration": &arczonalshift.UpdateZonalAutoshiftConfigurationInput{
			ResourceIdentifier: aws.String("r"), ZonalAutoshiftStatus: "ENABLED",
		},
	} {
		svctest.NotModelled(t, arczonalshiftsvc.New(), func(cloud *awstest.Cloud) error {
			_, err := svctest.Call(t.Context(), arczonalshift.NewFromConfig(cloud.Config("us-east-1")), input)
			return err
		}, "awstest: ARC Zonal Shift."+says+" is not modelled")
	}
}

func TestMistakesInOptions(t *testing.T) {
	t.Parallel()
	_, err := awstest.New([]awstest.Service{arczonalshiftsvc.New(func(o *arczonalshiftsvc.Options) { o.Effect = -1 })})
	if fe, ok := errors.AsType[*awstest.FieldError](err); !ok || fe.Field != "arczonalshiftsvc.Options.Effect" {
		t.Errorf("got %v", err)
	}
}
