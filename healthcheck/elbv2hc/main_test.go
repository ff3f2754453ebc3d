package elbv2hc_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"go.uber.org/goleak"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/elbv2svc"
	"github.com/awsha/awsha/healthcheck/elbv2hc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The default VPC of awstest and its subnets, one in each zone.
const (
	vpc    = "vpc-00000000000000001"
	subnet = "subnet-0000000000000000%d"
	name   = elbv2.ServiceID
)

// world is a cloud with a load balancer in the first two zones and a target group behind it, whose targets are checked
// every ten seconds, from five seconds after their registration.
type world struct {
	testing.TB
	*elbv2.Client
	cloud  *awstest.Cloud
	region *awstest.Region
	group  string
	start  time.Time
}

// inBubble runs a test in a bubble, on a cloud that is closed without problems in the end.
func inBubble(t *testing.T, test func(*world), changes ...func(*elbv2.CreateTargetGroupInput)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, changes...)
		defer func() {
			if err := w.cloud.Close(); err != nil {
				t.Error(err)
			}
		}()
		test(w)
	})
}

func newWorld(t testing.TB, changes ...func(*elbv2.CreateTargetGroupInput)) *world {
	t.Helper()
	w := &world{TB: t, start: time.Now()}
	w.cloud = must(awstest.New([]awstest.Service{elbv2svc.New(func(o *elbv2svc.Options) { o.Provisioning = elbv2svc.Immediately })}))(t)
	w.region = must(w.cloud.Region("us-east-1"))(t)
	w.Client = elbv2.NewFromConfig(w.cloud.Config("us-east-1"))
	in := &elbv2.CreateTargetGroupInput{
		Name: aws.String("web"), Protocol: types.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: aws.String(vpc),
		HealthCheckIntervalSeconds: aws.Int32(10), HealthCheckTimeoutSeconds: aws.Int32(5),
	}
	for _, change := range changes {
		change(in)
	}
	w.group = *must(w.CreateTargetGroup(t.Context(), in))(t).TargetGroups[0].TargetGroupArn
	return w
}

// front puts a load balancer before the group and returns the ARN of its listener.
func (w *world) front() string {
	w.Helper()
	g := must(w.DescribeTargetGroups(w.Context(), &elbv2.DescribeTargetGroupsInput{TargetGroupArns: []string{w.group}}))(w).TargetGroups[0]
	kind := types.LoadBalancerTypeEnumNetwork
	if g.Protocol == types.ProtocolEnumHttp || g.Protocol == types.ProtocolEnumHttps {
		kind = types.LoadBalancerTypeEnumApplication
	}
	b := must(w.CreateLoadBalancer(w.Context(), &elbv2.CreateLoadBalancerInput{
		Name: aws.String("front"), Type: kind, Subnets: []string{fmt.Sprintf(subnet, 1), fmt.Sprintf(subnet, 2)},
	}))(w).LoadBalancers[0]
	return *must(w.CreateListener(w.Context(), &elbv2.CreateListenerInput{
		LoadBalancerArn: b.LoadBalancerArn, Port: aws.Int32(80), Protocol: g.Protocol,
		DefaultActions: []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: &w.group}},
	}))(w).Listeners[0].ListenerArn
}

// server is an instance that answers every request on port 80 with a status that can be changed.
type server struct {
	*awstest.Instance
	addr   string
	status atomic.Int32
}

func (s *server) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(int(s.status.Load()))
}

// target is the server's registration.
func (s *server) target() elbv2hc.Target { return elbv2hc.Target{ID: s.ID(), Port: 80} }

// server switches on an instance in a zone, the n-th one by its address.
func (w *world) server(zone, n int) *server {
	w.Helper()
	s := &server{addr: fmt.Sprintf("172.31.%d.%d", zone, n+10)}
	s.status.Store(http.StatusOK)
	w.cloud.Update(func(tx *awstest.Tx) {
		s.Instance = tx.NewInstance(awstest.InstanceSpec{ID: tx.NewID("i"), Zone: w.region.Zones()[zone]})
		tx.Route(w.region, netip.MustParseAddr(s.addr), s.Instance)
		tx.PowerOn(s.Instance)
	})
	must(s.Serve(80, s))(w)
	return s
}

// powerOff stops an instance.
func (w *world) powerOff(s *server) { w.cloud.Update(func(tx *awstest.Tx) { tx.PowerOff(s.Instance) }) }

// register registers targets without the package under test.
func (w *world) register(targets ...elbv2hc.Target) {
	w.Helper()
	must(w.RegisterTargets(w.Context(), &elbv2.RegisterTargetsInput{TargetGroupArn: &w.group, Targets: raw(targets)}))(w)
}

func (w *world) deregister(targets ...elbv2hc.Target) {
	w.Helper()
	must(w.DeregisterTargets(w.Context(), &elbv2.DeregisterTargetsInput{TargetGroupArn: &w.group, Targets: raw(targets)}))(w)
}

func raw(targets []elbv2hc.Target) (out []types.TargetDescription) {
	for _, t := range targets {
		d := types.TargetDescription{Id: aws.String(t.ID)}
		if t.Port != 0 {
			d.Port = aws.Int32(int32(t.Port))
		}
		if t.Zone != "" {
			d.AvailabilityZone = aws.String(t.Zone)
		}
		out = append(out, d)
	}
	return out
}

// registered returns what the group holds, draining targets apart.
func (w *world) registered() (now, draining []string) {
	w.Helper()
	out := must(w.DescribeTargetHealth(w.Context(), &elbv2.DescribeTargetHealthInput{TargetGroupArn: &w.group}))(w)
	for _, d := range out.TargetHealthDescriptions {
		t := elbv2hc.Target{ID: *d.Target.Id, Port: uint16(*d.Target.Port)}.String()
		if d.TargetHealth.State == types.TargetHealthStateEnumDraining {
			draining = append(draining, t)
		} else {
			now = append(now, t)
		}
	}
	return now, draining
}

// inject injects a fault into an operation of Elastic Load Balancing until it is healed.
func (w *world) inject(operation string, times int, e awstest.Effect) (heal func()) {
	w.Helper()
	return must(w.cloud.Inject(awstest.Match{Service: name, Operation: operation, Times: times}, e))(w)
}

// must ends the test unless a call succeeded.
func must[T any](out T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

// wantFields holds an error against the fields that must be named wrong in it, all of them.
func wantFields(t testing.TB, err error, fields ...string) {
	t.Helper()
	var got []string
	list, _ := err.(interface{ Unwrap() []error })
	if list == nil {
		t.Fatalf("error %v, want mistakes in %q", err, fields)
	}
	for _, e := range list.Unwrap() {
		mistake := (*elbv2hc.FieldError)(nil)
		if !errors.As(e, &mistake) || mistake.Rule == "" {
			t.Fatalf("error %v, want a *FieldError", e)
		}
		got = append(got, mistake.Field)
	}
	if fmt.Sprint(got) != fmt.Sprint(fields) {
		t.Errorf("mistakes in %q, want %q", got, fields)
	}
}

// within holds a duration against bounds.
func within(t testing.TB, what string, got, from, to time.Duration) {
	t.Helper()
	if got < from || got > to {
		t.Errorf("%s after %v, want from %v to %v", what, got, from, to)
	}
}
