package faultinjector_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"
	"go.uber.org/goleak"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/faultinjector"
	"github.com/awsha/awsha/awstest/stssvc"
	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/drill"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newCloud(t *testing.T) *awstest.Cloud {
	t.Helper()
	cloud, err := awstest.New([]awstest.Service{stssvc.New()}, func(o *awstest.Options) { o.Latency = awstest.NoLatency })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cloud.Close() })
	return cloud
}

// machine is an instance in a zone, which listens.
func machine(t *testing.T, cloud *awstest.Cloud, zoneID string) (m *awstest.Instance) {
	t.Helper()
	zone, err := cloud.Zone(zoneID)
	if err != nil {
		t.Fatal(err)
	}
	cloud.Update(func(tx *awstest.Tx) {
		m = tx.NewInstance(awstest.InstanceSpec{ID: tx.NewID("i"), Zone: zone})
		tx.Route(zone.Region(), netip.MustParseAddr("10.0.0.1"), m)
		tx.PowerOn(m)
	})
	if _, err := m.Serve(80, http.NotFoundHandler()); err != nil {
		t.Fatal(err)
	}
	return m
}

func reachable(m *awstest.Instance) bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	conn, err := m.Zone().Dial(ctx, "tcp", "10.0.0.1:80")
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

func TestFaultsTakeEffectAndEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, faultsTakeEffectAndEnd)
}

func faultsTakeEffectAndEnd(t *testing.T) {
	cloud := newCloud(t)
	m := machine(t, cloud, "use1-az2")
	api := sts.NewFromConfig(cloud.Config("us-east-1"), func(o *sts.Options) { o.RetryMaxAttempts = 1 })
	answers := func() bool {
		_, err := api.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
		return err == nil
	}
	elsewhere := sts.NewFromConfig(cloud.Config("eu-west-1"))
	custom := true
	injector, err := faultinjector.New(cloud, func(o *faultinjector.Options) {
		o.Kinds = map[string]func(drill.Fault) (func(), error){
			"custom": func(drill.Fault) (func(), error) { custom = false; return func() { custom = true }, nil },
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if !injector.Simulated() {
		t.Error("it is real")
	}
	up := func() bool { return reachable(m) }
	for i, test := range []struct {
		fault drill.Fault
		well  func() bool // nil: that cannot be seen here
	}{
		{drill.Fault{Kind: faultinjector.PowerLoss, Target: "use1-az2"}, up},
		{drill.Fault{Kind: faultinjector.NetworkLoss, Target: m.ID()}, up},
		{drill.Fault{Kind: faultinjector.PowerLoss, Target: "us-east-1"}, func() bool {
			if _, err := elsewhere.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}); err != nil {
				t.Errorf("another Region: %v", err)
			}
			return up() || answers()
		}},
		{drill.Fault{Kind: faultinjector.ServiceDown, Target: "STS"}, answers},
		{drill.Fault{Kind: faultinjector.ServiceDown, Target: "STS", Params: map[string]string{faultinjector.ParamRegion: "us-east-1"}}, answers},
		{drill.Fault{Kind: faultinjector.NoCapacity, Target: "use1-az2", Params: map[string]string{faultinjector.ParamType: "t3.micro"}}, nil},
		{drill.Fault{Kind: "custom"}, func() bool { return custom }},
	} {
		id := fmt.Sprint(i)
		if test.well != nil && !test.well() {
			t.Fatalf("%s: not well before", test.fault)
		}
		one, err := injector.Inject(t.Context(), id, test.fault)
		if err != nil {
			t.Fatal(err)
		}
		again, err := injector.Inject(t.Context(), id, test.fault)
		if again != one || err != nil {
			t.Errorf("%s: another injection for the same ID: %v", test.fault, err)
		}
		if state, err := one.State(t.Context()); state != drill.FaultActive || err != nil || test.well != nil && test.well() {
			t.Errorf("%s: %v %v", test.fault, state, err)
		}
		var all sync.WaitGroup
		for range 2 {
			all.Go(func() {
				if err := one.End(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if state, err := one.State(t.Context()); state != drill.FaultEnded || err != nil {
			t.Errorf("%s: %v %v", test.fault, state, err)
		}
		if test.well != nil {
			time.Sleep(time.Minute) // a machine boots
			if !test.well() {
				t.Errorf("%s: not well after", test.fault)
			}
		}
	}
}

func TestFaultsThatAreDescribedWrongly(t *testing.T) {
	t.Parallel()
	injector, err := faultinjector.New(newCloud(t))
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range []drill.Fault{
		{Kind: "flood"},
		{Kind: faultinjector.PowerLoss, Target: "us-east-1a"},
		{Kind: faultinjector.PowerLoss},
		{Kind: faultinjector.NoCapacity, Target: "i-1"},
		{Kind: faultinjector.ServiceDown},
		{Kind: faultinjector.ServiceDown, Target: "EC2"},
		{Kind: faultinjector.ServiceDown, Target: "STS", Params: map[string]string{faultinjector.ParamRegion: "mars-1"}},
	} {
		one, err := injector.Inject(t.Context(), fmt.Sprint(i), f)
		ours, theirs := errors.As(err, new(*failover.FieldError)), errors.As(err, new(*awstest.FieldError))
		if one != nil || !ours && !theirs {
			t.Errorf("%s: %v %v", f, one, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if one, err := injector.Inject(ctx, "late", drill.Fault{Kind: faultinjector.PowerLoss, Target: "use1-az2"}); one != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("%v %v", one, err)
	}
	if _, err := faultinjector.New(newCloud(t), func(o *faultinjector.Options) {
		o.Kinds = map[string]func(drill.Fault) (func(), error){"x": nil}
	}); !errors.As(err, new(*failover.FieldError)) {
		t.Errorf("%v", err)
	}
	if _, err := faultinjector.New(nil); !errors.As(err, new(*failover.FieldError)) {
		t.Errorf("%v", err)
	}
}
