package elbv2svc_test

import (
	"context"
	"errors"
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
	"go.uber.org/goleak"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/elbv2svc"
	"github.com/awsha/awsha/awstest/internal/ec2model"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a cloud with load balancing and machines, made without the EC2
// client.
type world struct {
	testing.TB
	*elbv2.Client
	cloud   *awstest.Cloud
	region  *awstest.Region
	subnets []string // by zone
	vpc     string
	start   time.Time
}

// newWorld makes a cloud whose load balancers are active at once, and whose
// targets are checked five seconds after their registration.
func newWorld(t testing.TB, optFns ...func(*awstest.Options)) *world {
	t.Helper()
	return newWorldWith(t, func(o *elbv2svc.Options) { o.Provisioning = elbv2svc.Immediately }, optFns...)
}

func newWorldWith(t testing.TB, options func(*elbv2svc.Options), optFns ...func(*awstest.Options)) *world {
	t.Helper()
	w := &world{TB: t, start: time.Now()}
	var ec2 *ec2model.Model
	w.cloud = must(awstest.New([]awstest.Service{
		elbv2svc.New(options),
		func(r *awstest.Registry) error { ec2 = ec2model.Of(r); return nil },
	}, optFns...))(t)
	w.region = must(w.cloud.Region("us-east-1"))(t)
	w.Client = elbv2.NewFromConfig(w.cloud.Config("us-east-1"))
	w.cloud.Update(func(tx *awstest.Tx) {
		region := ec2.Region(tx, w.region)
		w.vpc = region.VPC().ID
		for _, s := range region.Subnets() {
			w.subnets = append(w.subnets, s.ID)
		}
	})
	return w
}

// inBubble runs a test in a bubble, on a cloud that is closed without
// problems in the end.
func inBubble(t *testing.T, test func(*world), optFns ...func(*awstest.Options)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, optFns...)
		defer w.close()
		test(w)
	})
}

func (w *world) close() {
	if err := w.cloud.Close(); err != nil {
		w.Error(err)
	}
}

// machine switches an instance on in a zone and makes it serve port 80.
func (w *world) machine(zone int, addr string, h http.Handler) *awstest.Instance {
	w.Helper()
	var i *awstest.Instance
	w.cloud.Update(func(tx *awstest.Tx) {
		i = tx.NewInstance(awstest.InstanceSpec{ID: tx.NewID("i"), Zone: w.region.Zones()[zone]})
		tx.Route(w.region, netip.MustParseAddr(addr), i)
		tx.PowerOn(i)
	})
	if h != nil {
		must(i.Serve(80, h))(w)
	}
	return i
}

func (w *world) power(i *awstest.Instance, on bool) {
	w.cloud.Update(func(tx *awstest.Tx) {
		if on {
			tx.PowerOn(i)
		} else {
			tx.PowerOff(i)
		}
	})
}

// groupInput describes an HTTP group on port 80 that is checked every ten
// seconds and times out after five.
func (w *world) groupInput(name string, changes ...func(*elbv2.CreateTargetGroupInput)) *elbv2.CreateTargetGroupInput {
	in := &elbv2.CreateTargetGroupInput{
		Name: &name, Protocol: types.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: &w.vpc,
		HealthCheckIntervalSeconds: aws.Int32(10), HealthCheckTimeoutSeconds: aws.Int32(5),
	}
	for _, change := range changes {
		change(in)
	}
	return in
}

// overTCP makes a group one of a network load balancer.
func overTCP(in *elbv2.CreateTargetGroupInput) { in.Protocol = types.ProtocolEnumTcp }

func byAddress(in *elbv2.CreateTargetGroupInput) { in.TargetType = types.TargetTypeEnumIp }

// group makes a target group and returns its ARN.
func (w *world) group(name string, changes ...func(*elbv2.CreateTargetGroupInput)) string {
	w.Helper()
	return *must(w.CreateTargetGroup(w.Context(), w.groupInput(name, changes...)))(w).TargetGroups[0].TargetGroupArn
}

// balancer makes a load balancer in the first two zones.
func (w *world) balancer(name string, kind types.LoadBalancerTypeEnum) types.LoadBalancer {
	w.Helper()
	return must(w.CreateLoadBalancer(w.Context(), &elbv2.CreateLoadBalancerInput{Name: &name, Type: kind, Subnets: w.subnets[:2]}))(w).LoadBalancers[0]
}

func listener(balancer, group string, port int32, changes ...func(*elbv2.CreateListenerInput)) *elbv2.CreateListenerInput {
	in := &elbv2.CreateListenerInput{
		LoadBalancerArn: &balancer, Port: &port, Protocol: types.ProtocolEnumHttp,
		DefaultActions: []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: &group}},
	}
	for _, change := range changes {
		change(in)
	}
	return in
}

// listen makes an HTTP listener and returns its ARN.
func (w *world) listen(balancer, group string, port int32) string {
	w.Helper()
	return *must(w.CreateListener(w.Context(), listener(balancer, group, port)))(w).Listeners[0].ListenerArn
}

// front is a group behind a load balancer in the first two zones.
func (w *world) front(changes ...func(*elbv2.CreateTargetGroupInput)) (group string, b types.LoadBalancer) {
	w.Helper()
	in := w.groupInput("web", changes...)
	group = *must(w.CreateTargetGroup(w.Context(), in))(w).TargetGroups[0].TargetGroupArn
	kind := types.LoadBalancerTypeEnumApplication
	if in.Protocol == types.ProtocolEnumTcp {
		kind = types.LoadBalancerTypeEnumNetwork
	}
	b = w.balancer("front", kind)
	must(w.CreateListener(w.Context(), listener(*b.LoadBalancerArn, group, 80, func(l *elbv2.CreateListenerInput) { l.Protocol = in.Protocol })))(w)
	return group, b
}

func targets(ids ...string) (list []types.TargetDescription) {
	for _, id := range ids {
		list = append(list, types.TargetDescription{Id: &id})
	}
	return list
}

func (w *world) register(group string, ids ...string) {
	w.Helper()
	must(w.RegisterTargets(w.Context(), &elbv2.RegisterTargetsInput{TargetGroupArn: &group, Targets: targets(ids...)}))(w)
}

func (w *world) deregister(group string, ids ...string) {
	w.Helper()
	must(w.DeregisterTargets(w.Context(), &elbv2.DeregisterTargetsInput{TargetGroupArn: &group, Targets: targets(ids...)}))(w)
}

// delay sets the deregistration delay of a group.
func (w *world) delay(group, seconds string) error {
	_, err := w.ModifyTargetGroupAttributes(w.Context(), &elbv2.ModifyTargetGroupAttributesInput{
		TargetGroupArn: &group, Attributes: []types.TargetGroupAttribute{{Key: aws.String("deregistration_delay.timeout_seconds"), Value: &seconds}},
	})
	return err
}

// health returns the state of a target and the last part of its reason.
func (w *world) health(group, id string) types.TargetHealthDescription {
	w.Helper()
	out := must(w.DescribeTargetHealth(w.Context(), &elbv2.DescribeTargetHealthInput{TargetGroupArn: &group, Targets: targets(id)}))(w)
	return out.TargetHealthDescriptions[0]
}

// What the health of a target is called here: its state and its reason.
const (
	isRegistering = "initial Elb.RegistrationInProgress"
	isNew         = "initial Elb.InitialHealthChecking"
	isHealthy     = "healthy"
	mismatches    = "unhealthy Target.ResponseCodeMismatch"
	timesOut      = "unhealthy Target.Timeout"
	fails         = "unhealthy Target.FailedHealthChecks"
	isDraining    = "draining Target.DeregistrationInProgress"
	isAbsent      = "unused Target.NotRegistered"
	isNotInUse    = "unused Target.NotInUse"
	isOff         = "unused Target.InvalidState"
)

func text(h *types.TargetHealth) string {
	if h.Reason == "" {
		return string(h.State)
	}
	return string(h.State) + " " + string(h.Reason)
}

func (w *world) expect(group, id, want string) {
	w.Helper()
	if got := text(w.health(group, id).TargetHealth); got != want {
		w.Errorf("after %v: %s is %q, want %q", time.Since(w.start), id, got, want)
	}
}

// until waits, in steps of a tenth of a second, until a target's health is
// the one wanted, and returns how long that took.
func (w *world) until(group, id, want string) time.Duration {
	w.Helper()
	from := time.Now()
	for text(w.health(group, id).TargetHealth) != want {
		if time.Since(from) > time.Hour {
			w.Fatalf("%s is never %q", id, want)
		}
		time.Sleep(100 * time.Millisecond)
	}
	return time.Since(from)
}

// status serves one HTTP status after the other as they are set, and counts.
type status struct{ code, asked atomic.Int32 }

func answering(code int) *status {
	s := &status{}
	s.code.Store(int32(code))
	return s
}

func (s *status) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	s.asked.Add(1)
	w.WriteHeader(int(s.code.Load()))
}

// named answers by a name.
func named(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, name) })
}

// ask sends n requests, each over a connection of its own, and counts the
// replies.
func (w *world) ask(n int, host string) map[string]int {
	w.Helper()
	transport := w.cloud.Transport()
	transport.DisableKeepAlives = true
	client := &http.Client{Transport: transport, Timeout: time.Second}
	got := map[string]int{}
	for range n {
		ctx, cancel := context.WithTimeout(w.Context(), time.Second)
		req := must(http.NewRequestWithContext(ctx, http.MethodGet, "http://"+host+"/", http.NoBody))(w)
		if resp, err := client.Do(req); err != nil {
			got["error"]++
		} else {
			body, _ := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			got[string(body)]++
		}
		cancel()
	}
	return got
}

// must ends the test unless a call succeeded.
func must[T any](out T, err error) func(testing.TB) T { return svctest.Must(out, err) }

// wantCode holds an error against the code that the service answers; "" is
// success.
func wantCode(t testing.TB, err error, want string) {
	t.Helper()
	var api smithy.APIError
	switch {
	case want == "" && err == nil:
	case want == "" || !errors.As(err, &api):
		t.Errorf("got error %v, want code %q", err, want)
	case api.ErrorCode() != want:
		t.Errorf("got code %s (%s), want %s", api.ErrorCode(), api.ErrorMessage(), want)
	}
}

func wantStatus(t testing.TB, err error, want int) {
	t.Helper()
	svctest.WantStatus(t, err, want)
}

// within holds a duration against bounds.
func within(t testing.TB, got, from, to time.Duration) {
	t.Helper()
	if got < from || got > to {
		t.Errorf("after %v, want from %v to %v", got, from, to)
	}
}
