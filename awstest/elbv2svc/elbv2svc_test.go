package elbv2svc_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/elbv2svc"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fixture is a cloud with load balancing and a few machines, made without the
// EC2 client.
type fixture struct {
	t      testing.TB
	cloud  *awstest.Cloud
	client *elbv2.Client
	region *awstest.Region
	ec2    *ec2model.Model
	start  time.Time
}

func newFixture(t testing.TB, optFns ...func(*awstest.Options)) *fixture {
	t.Helper()
	f := &fixture{t: t, start: time.Now()}
	cloud, err := awstest.New([]awstest.Service{
		elbv2svc.New(func(o *elbv2svc.Options) { o.Provisioning = elbv2svc.Immediately }),
		func(r *awstest.Registry) error { f.ec2 = ec2model.Of(r); return nil },
	}, optFns...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cloud.Close(); err != nil {
			t.Error(err)
		}
	})
	region, err := cloud.Region("us-east-1")
	if err != nil {
		t.Fatal(err)
	}
	f.cloud, f.region, f.client = cloud, region, elbv2.NewFromConfig(cloud.Config("us-east-1"))
	return f
}

// machine switches an instance on in a zone and makes it serve port 80.
func (f *fixture) machine(zone int, addr string, h http.Handler) *awstest.Instance {
	f.t.Helper()
	var i *awstest.Instance
	f.cloud.Update(func(tx *awstest.Tx) {
		i = tx.NewInstance(awstest.InstanceSpec{ID: tx.NewID("i"), Zone: f.region.Zones()[zone]})
		tx.Route(f.region, netip.MustParseAddr(addr), i)
		tx.PowerOn(i)
	})
	if h != nil {
		if _, err := i.Serve(80, h); err != nil {
			f.t.Fatal(err)
		}
	}
	return i
}

// group makes a target group that a load balancer in the first two zones
// forwards to.
func (f *fixture) group(change func(*elbv2.CreateTargetGroupInput)) *string {
	f.t.Helper()
	ctx := f.t.Context()
	in := &elbv2.CreateTargetGroupInput{
		Name: aws.String("web"), Protocol: types.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: aws.String("vpc-1"),
		HealthCheckIntervalSeconds: aws.Int32(10), HealthCheckTimeoutSeconds: aws.Int32(5),
	}
	if change != nil {
		change(in)
	}
	g, err := f.client.CreateTargetGroup(ctx, in)
	if err != nil {
		f.t.Fatal(err)
	}
	lb, err := f.client.CreateLoadBalancer(ctx, &elbv2.CreateLoadBalancerInput{Name: aws.String("front"), Subnets: f.subnets(2)})
	if err != nil {
		f.t.Fatal(err)
	}
	if _, err := f.client.CreateListener(ctx, &elbv2.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancers[0].LoadBalancerArn, Port: aws.Int32(80), Protocol: types.ProtocolEnumHttp,
		DefaultActions: []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: g.TargetGroups[0].TargetGroupArn}},
	}); err != nil {
		f.t.Fatal(err)
	}
	return g.TargetGroups[0].TargetGroupArn
}

// subnets returns the IDs of the default subnets in the first n zones.
func (f *fixture) subnets(n int) (ids []string) {
	f.cloud.Update(func(tx *awstest.Tx) {
		for _, s := range f.ec2.Region(tx, f.region).Subnets()[:n] {
			ids = append(ids, s.ID)
		}
	})
	return ids
}

func (f *fixture) register(group *string, ids ...string) {
	f.t.Helper()
	var targets []types.TargetDescription
	for _, id := range ids {
		targets = append(targets, types.TargetDescription{Id: aws.String(id)})
	}
	if _, err := f.client.RegisterTargets(f.t.Context(), &elbv2.RegisterTargetsInput{TargetGroupArn: group, Targets: targets}); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) health(group *string, id string) string {
	f.t.Helper()
	out, err := f.client.DescribeTargetHealth(f.t.Context(), &elbv2.DescribeTargetHealthInput{
		TargetGroupArn: group, Targets: []types.TargetDescription{{Id: aws.String(id)}},
	})
	if err != nil {
		f.t.Fatal(err)
	}
	h := out.TargetHealthDescriptions[0].TargetHealth
	return string(h.State) + " " + string(h.Reason)
}

// status serves one HTTP status after the other as they are set.
type status struct{ code atomic.Int32 }

func answering(code int) *status {
	s := &status{}
	s.code.Store(int32(code))
	return s
}

func (s *status) ServeHTTP(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(int(s.code.Load())) }

func (f *fixture) expect(group *string, id, want string) {
	f.t.Helper()
	if got := f.health(group, id); got != want {
		f.t.Errorf("after %v: %s is %q, want %q", time.Since(f.start), id, got, want)
	}
}

func TestTargetFollowsItsChecks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		group := f.group(func(in *elbv2.CreateTargetGroupInput) {
			in.HealthyThresholdCount, in.UnhealthyThresholdCount = aws.Int32(3), aws.Int32(2)
		})
		web := answering(200)
		id := f.machine(0, "172.31.0.10", web).ID()
		f.register(group, id)

		f.expect(group, id, "initial Elb.RegistrationInProgress")
		time.Sleep(6 * time.Second)
		f.expect(group, id, "healthy ") // one pass is enough from initial

		web.code.Store(503)
		time.Sleep(10 * time.Second)
		f.expect(group, id, "healthy ") // one failure is not
		time.Sleep(10 * time.Second)
		f.expect(group, id, "unhealthy Target.ResponseCodeMismatch")

		web.code.Store(200)
		time.Sleep(20 * time.Second)
		f.expect(group, id, "unhealthy Target.ResponseCodeMismatch") // two passes of three
		web.code.Store(503)
		time.Sleep(10 * time.Second) // counters are of results in a row
		web.code.Store(200)
		time.Sleep(20 * time.Second)
		f.expect(group, id, "unhealthy Target.ResponseCodeMismatch")
		time.Sleep(10 * time.Second)
		f.expect(group, id, "healthy ")
	})
}

func TestTargetThatNeverAnswersBecomesUnhealthy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		group := f.group(nil)
		hung := f.machine(0, "172.31.0.10", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
		closed := f.machine(0, "172.31.0.11", nil)
		panics := f.machine(1, "172.31.16.12", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("bug") }))
		silent := f.machine(1, "172.31.16.13", answering(200))
		silent.Fail(awstest.NetworkLoss)
		f.register(group, hung.ID(), closed.ID(), panics.ID(), silent.ID())
		time.Sleep(21 * time.Second)
		f.expect(group, hung.ID(), "unhealthy Target.Timeout")
		f.expect(group, closed.ID(), "unhealthy Target.FailedHealthChecks")
		f.expect(group, panics.ID(), "unhealthy Target.FailedHealthChecks")
		f.expect(group, silent.ID(), "unhealthy Target.Timeout")
	})
}

func TestProgramWithItsOwnServerIsCheckedOverAConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		group := f.group(nil)
		inst := f.machine(0, "172.31.0.10", nil)
		l, err := inst.Listen(80)
		if err != nil {
			t.Fatal(err)
		}
		agents := make(chan string, 1)
		server := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { agents <- r.UserAgent() })}
		go server.Serve(l)
		defer server.Close()
		f.register(group, inst.ID())
		if agent := <-agents; agent != "ELB-HealthChecker/2.0" {
			t.Errorf("checked by %q", agent)
		}
		time.Sleep(time.Second)
		f.expect(group, inst.ID(), "healthy ")
	})
}

func TestUnusedTargets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		group := f.group(nil) // zones 0 and 1
		elsewhere := f.machine(2, "172.31.32.10", answering(200))
		off := f.machine(0, "172.31.0.10", answering(200))
		f.register(group, elsewhere.ID(), off.ID())
		f.cloud.Update(func(tx *awstest.Tx) { tx.PowerOff(off) })
		time.Sleep(10 * time.Second)
		f.expect(group, elsewhere.ID(), "unused Target.NotInUse")
		f.expect(group, off.ID(), "unused Target.InvalidState")
		f.expect(group, "i-0000000000000ffff", "unused Target.NotRegistered")

		lonely, err := f.client.CreateTargetGroup(t.Context(), &elbv2.CreateTargetGroupInput{
			Name: aws.String("lonely"), Protocol: types.ProtocolEnumTcp, Port: aws.Int32(80), VpcId: aws.String("vpc-1"),
		})
		if err != nil {
			t.Fatal(err)
		}
		arn := lonely.TargetGroups[0].TargetGroupArn
		f.register(arn, elsewhere.ID())
		time.Sleep(time.Minute)
		f.expect(arn, elsewhere.ID(), "unused Target.NotInUse")
	})
}

func TestDeregisteredTargetDrains(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		group := f.group(nil)
		inst := f.machine(0, "172.31.0.10", answering(200))
		f.register(group, inst.ID())
		time.Sleep(6 * time.Second)
		if _, err := f.client.ModifyTargetGroupAttributes(t.Context(), &elbv2.ModifyTargetGroupAttributesInput{
			TargetGroupArn: group,
			Attributes:     []types.TargetGroupAttribute{{Key: aws.String("deregistration_delay.timeout_seconds"), Value: aws.String("60")}},
		}); err != nil {
			t.Fatal(err)
		}
		drop := &elbv2.DeregisterTargetsInput{TargetGroupArn: group, Targets: []types.TargetDescription{{Id: aws.String(inst.ID())}, {Id: aws.String("i-absent")}}}
		if _, err := f.client.DeregisterTargets(t.Context(), drop); err != nil {
			t.Fatal(err)
		}
		f.expect(group, inst.ID(), "draining Target.DeregistrationInProgress")
		time.Sleep(59 * time.Second)
		f.expect(group, inst.ID(), "draining Target.DeregistrationInProgress")
		time.Sleep(time.Second)
		f.expect(group, inst.ID(), "unused Target.NotRegistered")
	})
}

func TestLoadBalancerSendsTrafficWhereItIsHealthy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		group := f.group(nil)
		named := func(name string) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, name) })
		}
		a := f.machine(0, "172.31.0.10", named("a"))
		b := f.machine(1, "172.31.16.10", named("b"))
		f.register(group, a.ID(), b.ID())
		time.Sleep(6 * time.Second)

		lbs, err := f.client.DescribeLoadBalancers(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		transport := f.cloud.Transport()
		transport.DisableKeepAlives = true
		client := &http.Client{Transport: transport, Timeout: time.Second}
		ask := func(n int) map[string]int {
			got := map[string]int{}
			for range n {
				resp, err := client.Get("http://" + *lbs.LoadBalancers[0].DNSName + "/")
				if err != nil {
					got["error"]++
					continue
				}
				body, _ := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				got[string(body)]++
			}
			return got
		}
		if diff := cmp.Diff(map[string]int{"a": 5, "b": 5}, ask(10)); diff != "" {
			t.Errorf("both healthy (-want +got):\n%s", diff)
		}
		heal := a.Zone().Fail(awstest.PowerLoss)
		time.Sleep(25 * time.Second) // 2 x interval + timeout
		if diff := cmp.Diff(map[string]int{"b": 10}, ask(10)); diff != "" {
			t.Errorf("one zone down (-want +got):\n%s", diff)
		}
		stop := b.Fail(awstest.PowerLoss)
		time.Sleep(25 * time.Second)
		if got := ask(2); got["error"] != 2 {
			t.Errorf("nothing lives, yet it answered: %v", got)
		}
		heal()
		time.Sleep(time.Second) // not yet healthy again: only failing open reaches it
		if got := ask(4); got["a"] == 0 {
			t.Errorf("does not fail open: %v", got)
		}
		stop()
	})
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		ctx := t.Context()
		group := f.group(nil)
		off := f.machine(0, "172.31.0.10", nil)
		f.cloud.Update(func(tx *awstest.Tx) { tx.PowerOff(off) })
		create := func(change func(*elbv2.CreateTargetGroupInput)) error {
			in := &elbv2.CreateTargetGroupInput{Name: aws.String("other"), Protocol: types.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: aws.String("vpc-1")}
			change(in)
			_, err := f.client.CreateTargetGroup(ctx, in)
			return err
		}
		register := func(id string) error {
			_, err := f.client.RegisterTargets(ctx, &elbv2.RegisterTargetsInput{TargetGroupArn: group, Targets: []types.TargetDescription{{Id: &id}}})
			return err
		}
		_, deleteErr := f.client.DeleteTargetGroup(ctx, &elbv2.DeleteTargetGroupInput{TargetGroupArn: group})
		_, lostErr := f.client.DescribeTargetHealth(ctx, &elbv2.DescribeTargetHealthInput{TargetGroupArn: aws.String("arn:none")})
		for name, tc := range map[string]struct {
			err  error
			code string
		}{
			"interval not above the timeout": {create(func(in *elbv2.CreateTargetGroupInput) {
				in.HealthCheckIntervalSeconds, in.HealthCheckTimeoutSeconds = aws.Int32(5), aws.Int32(5)
			}), "ValidationError"},
			"TCP check of an HTTP group": {create(func(in *elbv2.CreateTargetGroupInput) { in.HealthCheckProtocol = types.ProtocolEnumTcp }), "ValidationError"},
			"threshold out of range":     {create(func(in *elbv2.CreateTargetGroupInput) { in.HealthyThresholdCount = aws.Int32(11) }), "ValidationError"},
			"matcher out of range":       {create(func(in *elbv2.CreateTargetGroupInput) { in.Matcher = &types.Matcher{HttpCode: aws.String("200-599")} }), "ValidationError"},
			"name taken":                 {create(func(in *elbv2.CreateTargetGroupInput) { in.Name = aws.String("web") }), "DuplicateTargetGroupName"},
			"bad name":                   {create(func(in *elbv2.CreateTargetGroupInput) { in.Name = aws.String("-") }), "ValidationError"},
			"group in use":               {deleteErr, "ResourceInUse"},
			"no such group":              {lostErr, "TargetGroupNotFound"},
			"instance is off":            {register(off.ID()), "InvalidTarget"},
			"no such instance":           {register("i-none"), "InvalidTarget"},
		} {
			var api smithy.APIError
			if !errors.As(tc.err, &api) || api.ErrorCode() != tc.code {
				t.Errorf("%s: got %v, want %s", name, tc.err, tc.code)
			}
		}
		var modelled *types.TargetGroupNotFoundException
		if !errors.As(lostErr, &modelled) {
			t.Errorf("%v is not the SDK's modelled error", lostErr)
		}
	})
}

func TestIdleDayOfChecks(t *testing.T) {
	t.Parallel()
	checks := runIdleDay(t)
	if want := 100 * 86400 / 30; checks < want-200 || checks > want+200 {
		t.Errorf("%d checks in a day, want about %d", checks, want)
	}
}

// runIdleDay lets a virtual day pass with 100 checked targets.
func runIdleDay(t *testing.T) (checks int) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		group := f.group(func(in *elbv2.CreateTargetGroupInput) {
			in.HealthCheckIntervalSeconds, in.HealthCheckTimeoutSeconds = nil, nil
		})
		var asked atomic.Int64
		web := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { asked.Add(1) })
		var ids []string
		for n := range 100 {
			ids = append(ids, f.machine(n%2, fmt.Sprintf("172.31.%d.%d", 16*(n%2), 10+n), web).ID())
		}
		f.register(group, ids...)
		time.Sleep(24 * time.Hour)
		f.expect(group, ids[99], "healthy ")
		checks = int(asked.Load())
	})
	return checks
}
