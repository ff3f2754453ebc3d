package dynamodbsvc_test

import (
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/dynamodbsvc"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

func (w *world) setTTL(attribute string, enabled bool) error {
	_, err := w.UpdateTimeToLive(w.Context(), &dynamodb.UpdateTimeToLiveInput{
		TableName: aws.String("plain"), TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: &attribute, Enabled: &enabled},
	})
	return err
}

func (w *world) wantTTL(status types.TimeToLiveStatus, attribute string) {
	w.Helper()
	d := svctest.Must(w.DescribeTimeToLive(w.Context(), &dynamodb.DescribeTimeToLiveInput{TableName: aws.String("plain")}))(w).TimeToLiveDescription
	if d.TimeToLiveStatus != status || aws.ToString(d.AttributeName) != attribute {
		w.Errorf("got %s %s, want %s %s", d.TimeToLiveStatus, aws.ToString(d.AttributeName), status, attribute)
	}
}

func TestTimeToLiveIsSet(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.wantTTL(types.TimeToLiveStatusDisabled, "")
		wantInvalid(w, w.setTTL("expires", false), "TimeToLive is already disabled")
		if err := w.setTTL("expires", true); err != nil {
			w.Error(err)
		}
		w.wantTTL(types.TimeToLiveStatusEnabling, "expires")
		wantInvalid(w, w.setTTL("expires", false), "Time to live has been modified multiple times within a fixed interval")
		time.Sleep(time.Hour)
		w.wantTTL(types.TimeToLiveStatusEnabled, "expires")
		wantInvalid(w, w.setTTL("expires", true), "TimeToLive is already enabled")
		wantInvalid(w, w.setTTL("other", true), "TimeToLive is active on a different AttributeName: current AttributeName is expires")
		if err := w.setTTL("expires", false); err != nil {
			w.Error(err)
		}
		w.wantTTL(types.TimeToLiveStatusDisabling, "expires")
		time.Sleep(time.Hour)
		w.wantTTL(types.TimeToLiveStatusDisabled, "")
		if err := w.setTTL("other", true); err != nil {
			w.Error(err)
		}
		svctest.WantCode(w, w.setTTL("", true), "ValidationException")
	})
}

// The trap of every store that relies on it: an expired item is there for
// days, to reads and to conditions.
func TestExpiredItemsStay(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		if err := w.setTTL("expires", true); err != nil {
			w.Fatal(err)
		}
		time.Sleep(2 * time.Hour)
		in := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
		minute := in(time.Minute)
		w.put("plain", it("pk", "soon", "expires", minute))
		w.put("plain", it("pk", "later", "expires", in(24*time.Hour)))
		w.put("plain", it("pk", "past", "expires", in(-24*time.Hour)))
		w.put("plain", it("pk", "long past", "expires", in(-6*365*24*time.Hour))) // a mistake, says AWS, and leaves it
		w.put("plain", it("pk", "text", "expires", "1700000000"))
		w.put("plain", it("pk", "milliseconds", "expires", time.Now().UnixMilli()))
		w.put("plain", it("pk", "never"))
		w.put("plain", it("pk", "renewed", "expires", minute))
		w.put("plain", it("pk", "cleared", "expires", minute))
		w.put("plain", it("pk", "replaced", "expires", minute))
		w.put("plain", it("pk", "deleted", "expires", minute))

		time.Sleep(47 * time.Hour)
		w.expect("plain", it("pk", "soon"), it("pk", "soon", "expires", minute))
		svctest.WantCode(w, w.update("soon", "SET x = :x", "attribute_not_exists(pk)", it(":x", 1)), "ConditionalCheckFailedException")
		if err := w.update("renewed", "SET expires = :e", "expires < :now", it(":e", in(time.Hour), ":now", in(0))); err != nil {
			w.Error(err)
		}
		if err := w.update("cleared", "REMOVE expires", "", nil); err != nil {
			w.Error(err)
		}
		w.put("plain", it("pk", "replaced"))
		svctest.Must(w.DeleteItem(w.Context(), &dynamodb.DeleteItemInput{TableName: aws.String("plain"), Key: it("pk", "deleted")}))(w)
		w.put("plain", it("pk", "deleted", "x", 1))

		time.Sleep(time.Hour + 2*time.Minute) // two days have passed since the minute
		there := func(want ...string) {
			w.Helper()
			wanted := map[string]bool{}
			for _, pk := range want {
				wanted[pk] = true
			}
			for _, pk := range []string{"soon", "later", "past", "long past", "text", "milliseconds", "never", "renewed", "cleared", "replaced", "deleted"} {
				if got := w.get("plain", it("pk", pk)) != nil; got != wanted[pk] {
					w.Errorf("%s is there: %v", pk, got)
				}
			}
		}
		kept := []string{"long past", "text", "milliseconds", "never", "cleared", "replaced", "deleted"}
		there(append(kept, "later", "renewed")...)
		time.Sleep(24 * time.Hour)
		there(append(kept, "renewed")...)
		time.Sleep(48 * time.Hour)
		there(kept...)
		// Then the condition of an idempotency store holds without a look at the time.
		if err := w.update("soon", "SET x = :x", "attribute_not_exists(pk)", it(":x", 1)); err != nil {
			w.Error(err)
		}
	})
}

// What deletes by itself is seen late by reads that stand behind, like any
// change.
func TestExpiryIsInThePast(t *testing.T) {
	t.Parallel()
	inBubbleWith(t, func(o *dynamodbsvc.Options) {
		instantly(o)
		o.TimeToLiveChange, o.Expiry = dynamodbsvc.Immediately, 10*time.Minute
	}, func(w *world) {
		if err := w.setTTL("expires", true); err != nil {
			w.Fatal(err)
		}
		w.wantTTL(types.TimeToLiveStatusEnabled, "expires")
		w.put("plain", it("pk", "a", "v", 1, "expires", time.Now().Add(time.Minute).Unix()))
		time.Sleep(15 * time.Minute) // expired after one, gone after eleven
		for ago, want := range map[time.Duration]string{0: "none", 3 * time.Minute: "none", 5 * time.Minute: "1"} {
			heal := func() {}
			if ago > 0 {
				heal = svctest.Must(w.cloud.Inject(awstest.Match{Service: serviceID}, awstest.Stale(ago)))(w)
			}
			if d := diff(everywhere(want), w.seen(false)); d != "" {
				w.Errorf("%v ago: %s", ago, d)
			}
			heal()
		}
	})
}

func TestItemsFromBeforeTimeToLiveExpire(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.put("plain", it("pk", "a", "expires", time.Now().Unix()))
		w.put("plain", it("pk", "b", "expires", time.Now().Unix()))
		time.Sleep(100 * time.Hour)
		w.expect("plain", it("pk", "a"), w.get("plain", it("pk", "a")))
		if err := w.setTTL("expires", true); err != nil {
			w.Fatal(err)
		}
		time.Sleep(48 * time.Hour) // and not the hour that it takes to be enabled
		if w.get("plain", it("pk", "a")) == nil {
			w.Error("gone too early")
		}
		time.Sleep(time.Hour)
		if w.get("plain", it("pk", "a")) != nil {
			w.Error("still there")
		}
		w.put("plain", it("pk", "c", "expires", time.Now().Unix()))
		if err := w.setTTL("expires", false); err != nil {
			w.Fatal(err)
		}
		time.Sleep(100 * time.Hour)
		if w.get("plain", it("pk", "c")) == nil {
			w.Error("gone although time to live is disabled")
		}
	})
}

// Who renews a lease that expires does not fill the memory with the moments of
// before.
func TestRenewalsAreForgotten(t *testing.T) {
	t.Parallel()
	kept, due := dynamodbsvc.Renewed(3, 10_000)
	if kept > 100 {
		t.Errorf("%d moments are kept", kept)
	}
	if want := []string{"0", "1", "2"}; !slices.Equal(due, want) {
		t.Errorf("due are %v, want %v", due, want)
	}
}
