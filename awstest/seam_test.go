package awstest_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
)

func TestCallRunsTheWholeClient(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		start := time.Now()
		out, err := f.client.AssumeRole(t.Context(), addInput())
		if err != nil || *out.SourceIdentity != "1" {
			t.Fatalf("got %v, %v", out, err)
		}
		if d := took(start); d != time.Millisecond {
			t.Errorf("a call took %v, want the latency of 1ms", d)
		}
		id, ok := awsmiddleware.GetRequestIDMetadata(out.ResultMetadata)
		if records := f.cloud.Calls(mutation); !ok || len(records) != 1 || records[0].RequestID != id {
			t.Errorf("request ID %q is not that of the ledger: %+v", id, records)
		}

		// Validation is the client's own, and comes before the cloud.
		_, err = f.client.AssumeRole(t.Context(), &sts.AssumeRoleInput{})
		var invalid smithy.InvalidParamsError
		if !errors.As(err, &invalid) || f.cloud.Count("STS", "") != 1 {
			t.Errorf("got %v after %d calls, want the client to refuse", err, f.cloud.Count("STS", ""))
		}

		// So is the resolution of the region and the credentials.
		for name, cfg := range map[string]aws.Config{
			"no region": f.cloud.Config(""),
			"failing credentials": func() aws.Config {
				cfg := f.cloud.Config("us-east-1")
				cfg.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
					return aws.Credentials{}, errors.New("expired")
				})
				return cfg
			}(),
		} {
			if _, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), nil); err == nil {
				t.Errorf("%s: passed", name)
			}
		}
	})
}

func TestErrorsHaveTheirRealShape(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		in := addInput()
		in.RoleSessionName = aws.String("malformed")
		_, err := f.client.AssumeRole(t.Context(), in)

		var operation *smithy.OperationError
		var response *awshttp.ResponseError
		var modelled *types.MalformedPolicyDocumentException
		if !errors.As(err, &operation) || operation.ServiceID != "STS" || operation.OperationName != "AssumeRole" {
			t.Errorf("%v is no operation error of STS AssumeRole", err)
		}
		if !errors.As(err, &response) || response.HTTPStatusCode() != 400 || response.ServiceRequestID() == "" {
			t.Errorf("%v is no response error with status and request ID", err)
		}
		if !errors.As(err, &modelled) || modelled.ErrorMessage() != "not a policy" {
			t.Errorf("%v is not the SDK's modelled error", err)
		}

		f.inject(mutation, awstest.Deny())
		var generic *smithy.GenericAPIError
		if err := f.add(); !errors.As(err, &generic) || generic.Code != "AccessDenied" || !errors.As(err, &response) || response.HTTPStatusCode() != 403 {
			t.Errorf("%v is no generic error with status 403", err)
		}
	})
}

func TestWhatIsNotModelledIsLoud(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cloud, err := awstest.New([]awstest.Service{new(counter).service})
		if err != nil {
			t.Fatal(err)
		}
		client := sts.NewFromConfig(cloud.Config("us-east-1"))
		start := time.Now()
		_, err = client.GetSessionToken(t.Context(), nil)
		var missing *awstest.NotModelledError
		if !errors.As(err, &missing) || !errors.Is(err, awstest.ErrNotModelled) || missing.Operation != "GetSessionToken" {
			t.Errorf("operation: got %v", err)
		}
		in := addInput()
		in.DurationSeconds = aws.Int32(900)
		_, err = client.AssumeRole(t.Context(), in)
		if !errors.As(err, &missing) || missing.What != "parameter DurationSeconds" {
			t.Errorf("parameter: got %v", err)
		}
		if d := took(start); d > 10*time.Millisecond {
			t.Errorf("took %v: the SDK has retried", d)
		}
		err = cloud.Close()
		for _, what := range []string{"STS.GetSessionToken is not modelled", "STS.AssumeRole: parameter DurationSeconds is not modelled"} {
			if err == nil || !strings.Contains(err.Error(), what) {
				t.Errorf("Close does not say %q: %v", what, err)
			}
		}
	})
}

func TestRegionThatDoesNotExistDoesNotResolve(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		client := sts.NewFromConfig(f.cloud.Config("mars-north-1"))
		if _, err := client.GetCallerIdentity(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "no such host") {
			t.Errorf("got %v", err)
		}
	})
}

func TestPresignedRequestsAreMadeAndNotSent(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	req, err := sts.NewPresignClient(f.client).PresignGetCallerIdentity(t.Context(), nil)
	if err != nil || !strings.Contains(req.URL, "X-Amz-Signature=") {
		t.Errorf("got %v, %v", req, err)
	}
	if n := f.cloud.Count("STS", ""); n != 0 {
		t.Errorf("%d calls were made", n)
	}
}

func TestCallEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(o *awstest.Options) { o.Latency = time.Minute })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		_, err := f.client.AssumeRole(ctx, addInput())
		if !errors.Is(err, context.DeadlineExceeded) || took(start) != time.Second {
			t.Errorf("got %v after %v", err, took(start))
		}
		if records := f.cloud.Calls(mutation); len(records) != 1 || records[0].Applied || records[0].Err == nil {
			t.Errorf("ledger: %+v", records)
		}
	})
}

func TestClosedCloudAnswersNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.inject(mutation, awstest.Hang())
		failed := make(chan error)
		go func() { failed <- f.add() }()
		time.Sleep(time.Second)
		if err := f.cloud.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-failed; !errors.Is(err, awstest.ErrClosed) {
			t.Errorf("call under way: %v", err)
		}
		if _, err := f.client.GetCallerIdentity(t.Context(), nil); !errors.Is(err, awstest.ErrClosed) {
			t.Errorf("later call: %v", err)
		}
		if _, err := f.cloud.Dial(t.Context(), "tcp", "203.0.113.1:80"); !errors.Is(err, awstest.ErrClosed) {
			t.Errorf("dial: %v", err)
		}
	})
}

func TestRegistrationMistakesAreFoundByNew(t *testing.T) {
	t.Parallel()
	twice := []awstest.Service{new(counter).service, new(counter).service}
	typo := []awstest.Service{func(r *awstest.Registry) error {
		e := r.Add(awstest.ServiceSpec{ID: "STS"})
		awstest.Handle(e, func(*awstest.Tx, *awstest.Call, *sts.AssumeRoleInput) (*sts.AssumeRoleOutput, error) { return nil, nil }, "RoleARN")
		return e.Err()
	}}
	for name, services := range map[string][]awstest.Service{"a service twice": twice, "a field that is none": typo} {
		var field *awstest.FieldError
		if _, err := awstest.New(services); !errors.As(err, &field) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestWrongOptionsAreNamedAllAtOnce(t *testing.T) {
	t.Parallel()
	_, err := awstest.New(nil, func(o *awstest.Options) {
		o.Regions = []string{"us-east-1", "us-east-1", "mars-north-1"}
		o.AccountID = "12"
		o.Latency = -2
		o.VisibilityLag = time.Hour
		o.CallLog = -1
	})
	var got []string
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range joined.Unwrap() {
			var field *awstest.FieldError
			if errors.As(err, &field) {
				got = append(got, field.Field)
			}
		}
	}
	want := []string{"Options.Regions[1]", "Options.Regions[2]", "Options.AccountID", "Options.Latency", "Options.VisibilityLag", "Options.CallLog"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestZoneNamesAreNotZoneIDs(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	region, err := f.cloud.Region("us-east-1")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, z := range region.Zones() {
		got = append(got, z.Name()+" "+z.ID())
	}
	want := []string{"us-east-1a use1-az2", "us-east-1b use1-az3", "us-east-1c use1-az4", "us-east-1d use1-az5", "us-east-1e use1-az6", "us-east-1f use1-az1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var field *awstest.FieldError
	if _, err := f.cloud.Zone("us-east-1a"); !errors.As(err, &field) {
		t.Errorf("a name for an ID: got %v", err)
	}
	if _, err := f.cloud.Region("us-east-1a"); !errors.As(err, &field) {
		t.Errorf("a zone for a region: got %v", err)
	}
}

func TestLedgerForgetsButCounts(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *awstest.Options) { o.CallLog, o.Latency = 3, awstest.NoLatency })
	for range 20 {
		if err := f.add(); err != nil {
			t.Fatal(err)
		}
	}
	records := f.cloud.Calls(awstest.Match{})
	if len(records) != 3 || records[2].Seq != 20 || f.cloud.Count("STS", "AssumeRole") != 20 {
		t.Errorf("remembers %d, last %d, counted %d", len(records), records[len(records)-1].Seq, f.cloud.Count("STS", "AssumeRole"))
	}
	if in, ok := records[0].Input.(*sts.AssumeRoleInput); !ok || *in.RoleSessionName != "session" {
		t.Errorf("input: %v", records[0].Input)
	}
}
