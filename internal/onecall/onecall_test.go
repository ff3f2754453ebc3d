package onecall_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"
	"go.uber.org/goleak"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/dynamodbsvc"
	"github.com/awsha/awsha/internal/awserr"
	"github.com/awsha/awsha/internal/onecall"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// v1 hides that a retryer is one of the SDK's newer kind.
type v1 struct{ aws.Retryer }

func TestDo(t *testing.T) {
	t.Parallel()
	why := errors.New("the reason")
	throttled := awserr.Throttle
	for name, test := range map[string]struct {
		effect  awstest.Effect
		retryer aws.Retryer
		leave   bool
		cut     bool
		is      error
		class   awserr.Class
	}{
		"an answer":                 {effect: awstest.Deny(), class: awserr.Denied},
		"throttled":                 {effect: awstest.Throttle(), cut: true, is: context.DeadlineExceeded, class: throttled},
		"throttled, an old retryer": {effect: awstest.Throttle(), retryer: v1{slow()}, cut: true, is: context.DeadlineExceeded, class: throttled},
		"throttled, without pauses": {effect: awstest.Throttle(), retryer: aws.NopRetryer{}, class: throttled},
		"silence":                   {effect: awstest.Hang(), cut: true, is: context.DeadlineExceeded, class: awserr.Transient},
		"silence, and the caller leaves": {
			effect: awstest.Hang(), leave: true, cut: true, is: why, class: awserr.Transient,
		},
		"slow, but in time": {effect: awstest.Delay(900 * time.Millisecond), class: awserr.None},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				cloud, err := awstest.New([]awstest.Service{dynamodbsvc.New()})
				if err != nil {
					t.Fatal(err)
				}
				defer cloud.Close()
				if _, err := cloud.Inject(awstest.Match{}, test.effect); err != nil {
					t.Fatal(err)
				}
				client := dynamodb.NewFromConfig(cloud.Config("us-east-1"), func(o *dynamodb.Options) {
					if o.Retryer = slow(); test.retryer != nil {
						o.Retryer = test.retryer
					}
				})
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				if test.leave {
					time.AfterFunc(100*time.Millisecond, func() { cancel(why) })
				}
				began := time.Now()
				err = onecall.Do(ctx, time.Second, func(ctx context.Context, tap onecall.Tap) error {
					_, err := client.ListTables(ctx, &dynamodb.ListTablesInput{}, func(o *dynamodb.Options) { o.Retryer = tap(o.Retryer) })
					return err
				})
				if took := time.Since(began); took > time.Second {
					t.Errorf("took %v", took)
				}
				if cut := errors.As(err, new(*onecall.CutError)); cut != test.cut || awserr.Of(err) != test.class || test.is != nil && !errors.Is(err, test.is) {
					t.Errorf("class %v, cut %v, want class %v, cut %v: %v", awserr.Of(err), cut, test.class, test.cut, err)
				}
			})
		})
	}
}

// slow pauses for more than half a second, so that a second has time for two tries and not for the third.
func slow() aws.Retryer {
	pause := retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 600 * time.Millisecond, nil })
	return retry.NewStandard(func(o *retry.StandardOptions) { o.Backoff = pause })
}

func TestTheClockMayBeAheadOfTheTimer(t *testing.T) {
	t.Parallel()
	err := onecall.Do(t.Context(), time.Millisecond, func(ctx context.Context, _ onecall.Tap) error {
		end, _ := ctx.Deadline()
		for time.Now().Before(end) {
			runtime.Gosched()
		}
		return &smithy.CanceledError{Err: context.DeadlineExceeded}
	})
	if !errors.As(err, new(*onecall.CutError)) {
		t.Error(err)
	}
}

// TestAnErrorThatHidesTheContextsEnd has a call that returns, after its context has ended, what neither wraps that nor is an answer of AWS: a provider of
// credentials, say.
func TestAnErrorThatHidesTheContextsEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		why := errors.New("why")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(why) })
		last := errors.New("no credentials")
		err := onecall.Do(ctx, time.Minute, func(ctx context.Context, _ onecall.Tap) error {
			<-ctx.Done()
			return last
		})
		if !errors.Is(err, why) || !errors.Is(err, last) {
			t.Error(err)
		}
	})
}
