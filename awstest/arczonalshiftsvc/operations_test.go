package arczonalshiftsvc_test

import (
	"errors"
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
		svctest.ErrorTypes(w, w.cloud, arczonalshift.ServiceID, codes(w.T), w.Client, func(code string) *arczonalshift.Client {
			return arczonalshift.New(arczonalshift.Options{
				Region: "us-east-1", Credentials: aws.AnonymousCredentials{}, RetryMaxAttempts: 1,
				HTTPClient: svctest.Answer(`{"__type":"` + code + `","message":"no"}`),
			})
		})
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
