package awstest_test

import (
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"go.uber.org/goleak"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/history"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// counter is an adapter made for these tests, behind the smallest client that
// there is: AssumeRole adds to what GetCallerIdentity reads.
type counter struct {
	sum *history.Table[string, int]
}

func (s *counter) service(r *awstest.Registry) error {
	s.sum = history.NewTable[string, int](awstest.Memory)
	e := r.Add(awstest.ServiceSpec{
		ID:          sts.ServiceID,
		Throttled:   awstest.APIError{Code: "Throttling", Message: "Rate exceeded"},
		Unavailable: awstest.APIError{Code: "ServiceUnavailable", Message: "down", Status: http.StatusServiceUnavailable},
		Denied:      awstest.APIError{Code: "AccessDenied", Message: "no", Status: http.StatusForbidden},
		Modelled: func(_, code, message string) error {
			if code == "MalformedPolicyDocument" {
				return &types.MalformedPolicyDocumentException{Message: aws.String(message)}
			}
			return nil
		},
	})
	awstest.Handle(e, s.add, "RoleArn", "RoleSessionName")
	awstest.Handle(e, s.read)
	return e.Err()
}

func (s *counter) add(tx *awstest.Tx, _ *awstest.Call, in *sts.AssumeRoleInput) (*sts.AssumeRoleOutput, error) {
	if *in.RoleSessionName == "malformed" {
		return nil, awstest.Errorf("MalformedPolicyDocument", "not a policy")
	}
	n, _ := s.sum.Get(tx.Now(), "sum")
	s.sum.Put(tx.Now(), "sum", n+1)
	return &sts.AssumeRoleOutput{SourceIdentity: aws.String(string(rune('1' + n)))}, nil
}

func (s *counter) read(_ *awstest.Tx, call *awstest.Call, _ *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
	n, _ := s.sum.Get(call.At, "sum")
	return &sts.GetCallerIdentityOutput{Account: aws.String(string(rune('0' + n)))}, nil
}

// fixture is a cloud with the counter in it.
type fixture struct {
	testing.TB
	cloud  *awstest.Cloud
	client *sts.Client
}

func newFixture(t testing.TB, optFns ...func(*awstest.Options)) *fixture {
	t.Helper()
	cloud, err := awstest.New([]awstest.Service{new(counter).service}, optFns...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cloud.Close(); err != nil {
			t.Error(err)
		}
	})
	return &fixture{TB: t, cloud: cloud, client: sts.NewFromConfig(cloud.Config("us-east-1"))}
}

// add calls the mutation; the role is "ROLE", or as given.
func (f *fixture) add(role ...string) error {
	_, err := f.client.AssumeRole(f.Context(), addInput(role...))
	return err
}

func addInput(role ...string) *sts.AssumeRoleInput {
	name := "arn:aws:iam::123456789012:role/web"
	if len(role) > 0 {
		name = role[0]
	}
	return &sts.AssumeRoleInput{RoleArn: aws.String(name), RoleSessionName: aws.String("session")}
}

// read returns what the read sees.
func (f *fixture) read() string {
	f.Helper()
	out, err := f.client.GetCallerIdentity(f.Context(), nil)
	if err != nil {
		f.Fatal(err)
	}
	return *out.Account
}

func (f *fixture) inject(m awstest.Match, e awstest.Effect) (heal func()) {
	f.Helper()
	heal, err := f.cloud.Inject(m, e)
	if err != nil {
		f.Fatal(err)
	}
	return heal
}

func (f *fixture) zone(id string) *awstest.Zone {
	f.Helper()
	z, err := f.cloud.Zone(id)
	if err != nil {
		f.Fatal(err)
	}
	return z
}

// instance switches a machine on.
func (f *fixture) instance(zone, private, public string) *awstest.Instance {
	f.Helper()
	z := f.zone(zone)
	var i *awstest.Instance
	f.cloud.Update(func(tx *awstest.Tx) {
		i = tx.NewInstance(awstest.InstanceSpec{ID: tx.NewID("i"), Zone: z})
		tx.Route(z.Region(), netip.MustParseAddr(private), i)
		if public != "" {
			tx.Route(nil, netip.MustParseAddr(public), i)
		}
		tx.PowerOn(i)
	})
	return i
}

var mutation = awstest.Match{Service: "STS", Operation: "AssumeRole"}

func took(start time.Time) time.Duration { return time.Since(start) }
