package awstest_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/awsha/awsha/awstest"
)

func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

func TestRejectedCallHasNoEffect(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		effect   awstest.Effect
		code     string
		attempts int // of the SDK
	}{
		"throttled":   {awstest.Throttle(), "Throttling", 3},
		"unavailable": {awstest.Unavailable(), "ServiceUnavailable", 3},
		"denied":      {awstest.Deny(), "AccessDenied", 1},
		"own code":    {awstest.Reject(awstest.APIError{Code: "ExpiredToken"}), "ExpiredToken", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				heal := f.inject(mutation, tc.effect)
				if err := f.add(); code(err) != tc.code || f.cloud.Count("STS", "AssumeRole") != tc.attempts {
					t.Errorf("got %v after %d attempts", err, f.cloud.Count("STS", "AssumeRole"))
				}
				if got := f.read(); got != "0" {
					t.Errorf("sum is %s", got)
				}
				heal()
				heal() // twice is allowed
				if err := f.add(); err != nil {
					t.Errorf("healed: %v", err)
				}
			})
		})
	}
}

func TestRetryerOutlastsAThrottle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.inject(awstest.Match{Service: "STS", Times: 2}, awstest.Throttle())
		if err := f.add(); err != nil || f.cloud.Count("STS", "AssumeRole") != 3 {
			t.Errorf("got %v after %d attempts", err, f.cloud.Count("STS", "AssumeRole"))
		}
	})
}

// This is the trap that LoseReply is for: the SDK repeats what was applied.
func TestLostReplyIsAppliedAndRepeatedByTheSDK(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		if _, err := f.cloud.LoseReply("STS", "AssumeRole", 1); err != nil {
			t.Fatal(err)
		}
		if err := f.add(); err != nil {
			t.Fatal(err)
		}
		if got := f.read(); got != "2" {
			t.Errorf("sum is %s, want 2: applied, lost, applied again", got)
		}
		if _, err := f.cloud.LoseReply("STS", "AssumeRole", 1); err != nil {
			t.Fatal(err)
		}
		_, err := f.client.AssumeRole(t.Context(), addInput(), func(o *sts.Options) { o.RetryMaxAttempts = 1 })
		var send *smithyhttp.RequestSendError
		if !errors.As(err, &send) {
			t.Errorf("got %v, want a broken connection", err)
		}
		if got := f.read(); got != "3" {
			t.Errorf("sum is %s, want 3", got)
		}
		last := f.cloud.Calls(mutation)[2]
		if !last.Applied || last.Err == nil {
			t.Errorf("ledger: %+v", last)
		}
	})
}

func TestApplyThenReject(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.inject(mutation, awstest.ApplyThenReject(awstest.APIError{Code: "InternalFailure", Status: 500}))
		_, err := f.client.AssumeRole(t.Context(), addInput(), func(o *sts.Options) { o.Retryer = retry.AddWithMaxAttempts(o.Retryer, 1) })
		if code(err) != "InternalFailure" || f.read() != "1" {
			t.Errorf("got %v, sum %s", err, f.read())
		}
	})
}

func TestDelays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		within := func(limit time.Duration) error {
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			_, err := f.client.AssumeRole(ctx, addInput())
			return err
		}
		heal := f.inject(mutation, awstest.Delay(time.Second))
		if err := within(500 * time.Millisecond); !errors.Is(err, context.DeadlineExceeded) || f.read() != "0" {
			t.Errorf("delayed before: %v, sum %s", err, f.read())
		}
		heal()
		heal = f.inject(mutation, awstest.DelayReply(time.Second))
		if err := within(500 * time.Millisecond); !errors.Is(err, context.DeadlineExceeded) || f.read() != "1" {
			t.Errorf("delayed after: %v, sum %s: a caller that gives up has still changed something", err, f.read())
		}
		start := time.Now()
		if err := f.add(); err != nil || took(start) != time.Second+time.Millisecond {
			t.Errorf("got %v after %v", err, took(start))
		}
		heal()
	})
}

func TestHungCallGoesOnWhenHealed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		m := mutation
		m.Times = 1
		heal := f.inject(m, awstest.Hang())
		done := make(chan error)
		go func() { done <- f.add() }()
		time.Sleep(time.Hour)
		if err := f.add(); err != nil { // the fault has struck as often as it may
			t.Error(err)
		}
		if got := f.read(); got != "1" {
			t.Errorf("sum is %s", got)
		}
		heal()
		if err := <-done; err != nil || f.read() != "2" {
			t.Errorf("got %v, sum %s", err, f.read())
		}
	})
}

func TestStaleReads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		for range 3 { // at 0 s, 10 s, 20 s
			if err := f.add(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Second)
		}
		for lag, want := range map[time.Duration]string{time.Second: "3", 5 * time.Second: "3", 15 * time.Second: "2", 25 * time.Second: "1", time.Minute: "0"} {
			heal := f.inject(awstest.Match{Service: "STS"}, awstest.Stale(lag))
			if got := f.read(); got != want {
				t.Errorf("%v ago: %s, want %s", lag, got, want)
			}
			heal()
		}
		heal := f.inject(awstest.Match{Service: "STS"}, awstest.Stale(time.Minute))
		if err := f.add(); err != nil { // mutations are not affected
			t.Fatal(err)
		}
		heal()
		if got := f.read(); got != "4" {
			t.Errorf("sum is %s", got)
		}
	})
}

func TestVisibilityLag(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(o *awstest.Options) { o.VisibilityLag = 30 * time.Second })
		if err := f.add(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(29 * time.Second)
		if got := f.read(); got != "0" {
			t.Errorf("after 29 s: %s", got)
		}
		time.Sleep(time.Second)
		if got := f.read(); got != "1" {
			t.Errorf("after 30 s: %s", got)
		}
	})
}

func TestInterceptionLetsASecondWriterWin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		var seen []string
		m := mutation
		m.Resource, m.Times = "arn:aws:iam::123456789012:role/first", 1
		f.inject(m, awstest.Before(func(_ context.Context, r awstest.Record) {
			seen = append(seen, r.Operation+" before "+f.read())
			if err := f.add("arn:aws:iam::123456789012:role/second"); err != nil {
				t.Error(err)
			}
		}))
		f.inject(m, awstest.After(func(_ context.Context, r awstest.Record) { seen = append(seen, r.Operation+" after "+f.read()) }))
		if err := f.add("arn:aws:iam::123456789012:role/first"); err != nil {
			t.Fatal(err)
		}
		if len(seen) != 2 || seen[0] != "AssumeRole before 0" || seen[1] != "AssumeRole after 2" {
			t.Errorf("got %q", seen)
		}
	})
}

func TestMatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		m := mutation
		m.Skip, m.Times = 2, 1
		f.inject(m, awstest.Deny())
		var failed []int
		for n := range 5 {
			if f.add() != nil {
				failed = append(failed, n)
			}
		}
		if len(failed) != 1 || failed[0] != 2 {
			t.Errorf("the third call was to fail: %v", failed)
		}

		m = mutation
		m.Region = "eu-west-1"
		f.inject(m, awstest.Deny())
		if err := f.add(); err != nil {
			t.Errorf("another region: %v", err)
		}

		m = mutation
		m.Probability = 0.25
		heal := f.inject(m, awstest.Deny())
		count := 0
		for range 400 {
			if f.add() != nil {
				count++
			}
		}
		heal()
		if count < 60 || count > 140 {
			t.Errorf("%d of 400 calls failed, want about 100", count)
		}
	})
}

func TestMatchThatCanSelectNothingIsRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for field, m := range map[string]awstest.Match{
		"Match.Service":     {Service: "EC2"},
		"Match.Operation":   {Service: "STS", Operation: "GetSessionToken"},
		"Match.Region":      {Region: "mars-north-1"},
		"Match.Skip":        {Skip: -1},
		"Match.Times":       {Times: -1},
		"Match.Probability": {Probability: 1.5},
	} {
		_, err := f.cloud.Inject(m, awstest.Throttle())
		var wrong *awstest.FieldError
		if !errors.As(err, &wrong) || wrong.Field != field {
			t.Errorf("%s: got %v", field, err)
		}
	}
	if _, err := f.cloud.Inject(awstest.Match{Operation: "AssumeRole"}, awstest.Throttle()); err == nil {
		t.Error("an operation without its service was taken")
	}
	if _, err := f.cloud.Inject(awstest.Match{}, awstest.Stale(time.Hour)); err == nil {
		t.Error("a read from before the cloud's memory was taken")
	}
	if _, err := f.cloud.LoseReply("STS", "AssumeRole", 0); err == nil {
		t.Error("no reply to lose was taken")
	}
}

func TestServiceIsDownInOneRegion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		heal, err := f.cloud.FailService("STS", "us-east-1")
		if err != nil {
			t.Fatal(err)
		}
		if err := f.add(); code(err) != "ServiceUnavailable" {
			t.Errorf("got %v", err)
		}
		elsewhere := sts.NewFromConfig(f.cloud.Config("eu-west-1"))
		if _, err := elsewhere.AssumeRole(t.Context(), addInput()); err != nil {
			t.Errorf("elsewhere: %v", err)
		}
		heal()
		if err := f.add(); err != nil {
			t.Errorf("healed: %v", err)
		}
	})
}
