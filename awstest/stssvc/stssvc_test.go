package stssvc_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/stssvc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newCloud returns a cloud with a running instance.
func newCloud(t *testing.T, optFns ...func(*awstest.Options)) (*awstest.Cloud, *awstest.Instance) {
	t.Helper()
	cloud, err := awstest.New([]awstest.Service{stssvc.New()}, optFns...)
	if err != nil {
		t.Fatal(err)
	}
	zone, err := cloud.Zone("euw1-az2")
	if err != nil {
		t.Fatal(err)
	}
	var inst *awstest.Instance
	cloud.Update(func(tx *awstest.Tx) {
		inst = tx.NewInstance(awstest.InstanceSpec{ID: tx.NewID("i"), Zone: zone})
		tx.PowerOn(inst)
	})
	return cloud, inst
}

func TestCallerIdentity(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cloud, inst := newCloud(t, func(o *awstest.Options) { o.AccountID = "210987654321" })
		defer cloud.Close()
		var wg sync.WaitGroup
		for name, c := range map[string]struct {
			config   aws.Config
			arn, uid string
		}{
			"outside":        {cloud.Config("us-east-1"), "arn:aws:iam::210987654321:user/awstest", "AIDACKCEVSQ6C2EXAMPLE"},
			"elsewhere":      {cloud.Config("eu-west-1"), "arn:aws:iam::210987654321:user/awstest", "AIDACKCEVSQ6C2EXAMPLE"},
			"on an instance": {inst.Config(), "arn:aws:sts::210987654321:assumed-role/instance/i-00000000000000001", "AROA3XFRBF535PLBIFPI4:i-00000000000000001"},
		} {
			for range 33 {
				wg.Go(func() {
					out, err := sts.NewFromConfig(c.config).GetCallerIdentity(t.Context(), nil)
					if err != nil {
						t.Errorf("%s: %v", name, err)
						return
					}
					if diff := cmp.Diff([]string{"210987654321", c.arn, c.uid}, []string{*out.Account, *out.Arn, *out.UserId}); diff != "" {
						t.Errorf("%s: %s", name, diff)
					}
				})
			}
		}
		wg.Wait()
	})
}

func TestFaults(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cloud, inst := newCloud(t)
		defer cloud.Close()
		for _, c := range []struct {
			effect awstest.Effect
			code   string
			status int
		}{
			{awstest.Throttle(), "Throttling", 400},
			{awstest.Unavailable(), "ServiceUnavailable", 503},
			{awstest.Deny(), "AccessDenied", 403},
		} {
			heal, err := cloud.Inject(awstest.Match{Service: "STS"}, c.effect)
			if err != nil {
				t.Fatal(err)
			}
			_, err = sts.NewFromConfig(inst.Config()).GetCallerIdentity(t.Context(), nil)
			heal()
			var api smithy.APIError
			var re *awshttp.ResponseError
			if !errors.As(err, &api) || api.ErrorCode() != c.code || !errors.As(err, &re) || re.HTTPStatusCode() != c.status || re.RequestID == "" {
				t.Errorf("got %v, want %s with status %d", err, c.code, c.status)
			}
			if !strings.Contains(readDoc(t), "//   - "+c.code+":") {
				t.Errorf("doc.go does not list %s", c.code)
			}
		}
	})
}

func readDoc(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestDocListsEveryOperation(t *testing.T) {
	t.Parallel()
	cloud, _ := newCloud(t)
	defer cloud.Close()
	var modelled, documented []string
	client := reflect.TypeFor[*sts.Client]()
	for method := range client.Methods() {
		name := method.Name
		if _, err := cloud.Inject(awstest.Match{Service: "STS", Operation: name}, awstest.Throttle()); err == nil {
			modelled = append(modelled, name)
		}
	}
	_, rest, _ := strings.Cut(readDoc(t), "# Operations")
	rest, _, _ = strings.Cut(rest, "# Errors")
	for line := range strings.Lines(rest) {
		if item, ok := strings.CutPrefix(line, "//   - "); ok {
			item, _, _ = strings.Cut(item, ":")
			documented = append(documented, item)
		}
	}
	slices.Sort(documented)
	if diff := cmp.Diff(modelled, documented); diff != "" {
		t.Errorf("what is modelled (-) and what doc.go lists (+): %s", diff)
	}
}

func TestNotModelledIsLoud(t *testing.T) {
	t.Parallel()
	cloud, _ := newCloud(t)
	_, err := sts.NewFromConfig(cloud.Config("us-east-1")).GetSessionToken(t.Context(), nil)
	if !errors.Is(err, awstest.ErrNotModelled) {
		t.Errorf("got %v", err)
	}
	if err := cloud.Close(); !errors.Is(err, awstest.ErrNotModelled) {
		t.Errorf("Close returns %v", err)
	}
}

// A program asks who it is, from outside.
func ExampleNew() {
	cloud, err := awstest.New([]awstest.Service{stssvc.New()})
	if err != nil {
		log.Fatal(err)
	}
	defer cloud.Close()
	who, err := sts.NewFromConfig(cloud.Config("eu-west-1")).GetCallerIdentity(context.Background(), nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(*who.Arn)
	// Output: arn:aws:iam::123456789012:user/awstest
}
