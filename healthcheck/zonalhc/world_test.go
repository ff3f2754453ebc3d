package zonalhc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/arczonalshift"
	"github.com/aws/aws-sdk-go-v2/service/arczonalshift/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/arczonalshiftsvc"
	"github.com/awsha/awsha/awstest/elbv2svc"
	"github.com/awsha/awsha/healthcheck"
	"github.com/awsha/awsha/healthcheck/zonalhc"
)

const service = arczonalshift.ServiceID

// world is a load balancer with two targets in each of three zones, which can be shifted, and a pool that checks the same
// targets more deeply: what the load balancer asks for is well as long as there is power; what the pool asks for can be
// made to fail by zone.
type world struct {
	testing.TB
	*arczonalshift.Client
	cloud *awstest.Cloud
	zones []*awstest.Zone
	lb    string // ARN
	host  string
	pool  *healthcheck.Pool
	stop  context.CancelFunc
	wg    sync.WaitGroup
	start time.Time

	mu     sync.Mutex
	gray   map[string]bool // zones, by ID, where the deep check fails
	events []zonalhc.Event
}

func inBubble(t *testing.T, test func(*world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		w.until("all are healthy", func() bool { return w.pool.View().Count(healthcheck.Healthy) == 6 })
		time.Sleep(time.Minute) // so they are to the load balancer
		w.start = time.Now()
		test(w)
	})
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{TB: t, gray: map[string]bool{}}
	w.cloud = must(awstest.New([]awstest.Service{
		elbv2svc.New(func(o *elbv2svc.Options) { o.Provisioning = elbv2svc.Immediately }), arczonalshiftsvc.New(),
	}))(t)
	region := must(w.cloud.Region("us-east-1"))(t)
	w.zones = region.Zones()[:3]
	w.Client = arczonalshift.NewFromConfig(w.cloud.Config("us-east-1"))
	group := w.front()

	var watcher *awstest.Instance // where the pool is: in a zone of its own
	w.cloud.Update(func(tx *awstest.Tx) {
		watcher = tx.NewInstance(awstest.InstanceSpec{ID: tx.NewID("i"), Zone: region.Zones()[3]})
		tx.PowerOn(watcher)
	})
	checker := must(healthcheck.HTTP(func(o *healthcheck.HTTPOptions) { o.Path, o.Dial = "/deep", watcher.Dial }))(t)
	w.pool = must(healthcheck.New(checker, func(o *healthcheck.Options) {
		o.Interval, o.Timeout, o.HealthyThreshold = 10*time.Second, 2*time.Second, 2
	}))(t)
	elb := elbv2.NewFromConfig(w.cloud.Config("us-east-1"))
	for k := range 6 {
		zone := w.zones[k%3]
		addr := fmt.Sprintf("172.31.%d.%d", 16*(k%3), 10+k)
		var i *awstest.Instance
		w.cloud.Update(func(tx *awstest.Tx) {
			i = tx.NewInstance(awstest.InstanceSpec{ID: tx.NewID("i"), Zone: zone})
			tx.Route(region, netip.MustParseAddr(addr), i)
			tx.PowerOn(i)
		})
		must(i.Serve(80, w.serve(zone.ID())))(t)
		must(elb.RegisterTargets(t.Context(), &elbv2.RegisterTargetsInput{TargetGroupArn: &group, Targets: []elbtypes.TargetDescription{{Id: aws.String(i.ID())}}}))(t)
		must(0, w.pool.Register(healthcheck.Target{ID: i.ID(), Zone: zone.Name(), Addr: addr + ":80"}))(t)
	}
	ctx, cancel := context.WithCancel(t.Context())
	w.stop = cancel
	w.wg.Go(func() { _ = w.pool.Run(ctx) })
	return w
}

// front makes the load balancer and returns its target group.
func (w *world) front() (group string) {
	w.Helper()
	elb := elbv2.NewFromConfig(w.cloud.Config("us-east-1"))
	group = *must(elb.CreateTargetGroup(w.Context(), &elbv2.CreateTargetGroupInput{
		Name: aws.String("web"), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: aws.String("vpc-00000000000000001"),
		HealthCheckIntervalSeconds: aws.Int32(30),
	}))(w).TargetGroups[0].TargetGroupArn
	b := must(elb.CreateLoadBalancer(w.Context(), &elbv2.CreateLoadBalancerInput{
		Name: aws.String("front"), Subnets: []string{"subnet-00000000000000001", "subnet-00000000000000002", "subnet-00000000000000003"},
	}))(w).LoadBalancers[0]
	w.lb, w.host = *b.LoadBalancerArn, *b.DNSName
	must(elb.CreateListener(w.Context(), &elbv2.CreateListenerInput{
		LoadBalancerArn: &w.lb, Port: aws.Int32(80), Protocol: elbtypes.ProtocolEnumHttp,
		DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: &group}},
	}))(w)
	must(elb.ModifyLoadBalancerAttributes(w.Context(), &elbv2.ModifyLoadBalancerAttributesInput{
		LoadBalancerArn: &w.lb, Attributes: []elbtypes.LoadBalancerAttribute{{Key: aws.String("zonal_shift.config.enabled"), Value: aws.String("true")}},
	}))(w)
	return group
}

func (w *world) serve(zone string) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		gray := w.gray[zone]
		w.mu.Unlock()
		if r.URL.Path == "/deep" && gray {
			rw.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(rw, zone)
	})
}

func (w *world) close() {
	w.stop()
	w.wg.Wait()
	if err := w.cloud.Close(); err != nil {
		w.Error(err)
	}
}

// ids maps the names of the zones to their IDs.
func (w *world) ids() map[string]string {
	ids := map[string]string{}
	for _, z := range w.zones {
		ids[z.Name()] = z.ID()
	}
	return ids
}

// follow runs a Shifter until the end of the test, or until stop is called.
func (w *world) follow(optFns ...func(*zonalhc.Options)) (stop func()) {
	w.Helper()
	basic := func(o *zonalhc.Options) {
		o.Comment, o.Expiry, o.ZoneIDs, o.OnEvent = "web: zone is bad", 4*time.Hour, w.ids(), w.note
	}
	s := must(zonalhc.New(w.Client, w.pool, w.lb, append([]func(*zonalhc.Options){basic}, optFns...)...))(w)
	return w.run(s)
}

func (w *world) run(s interface{ Run(context.Context) error }) (stop func()) {
	ctx, cancel := context.WithCancel(w.Context())
	done := make(chan struct{})
	w.wg.Go(func() {
		defer close(done)
		if err := s.Run(ctx); !errors.Is(err, context.Canceled) && !errors.Is(err, healthcheck.ErrStopped) {
			w.Errorf("Run returned %v", err)
		}
	})
	stop = func() { cancel(); <-done }
	old := w.stop
	w.stop = func() { stop(); old() }
	return stop
}

func (w *world) note(_ context.Context, e zonalhc.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
}

// log tells the events since it was asked last, but for decisions to wait.
func (w *world) log() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var told []string
	for _, e := range w.events {
		switch {
		case e.Kind == zonalhc.KindDecided:
		case e.Err != nil:
			told = append(told, "failed "+strings.Fields(e.Err.Error())[1])
		default:
			told = append(told, strings.TrimSpace(string(e.Kind)+" "+e.Decision.Zone))
		}
	}
	w.events = nil
	return strings.Join(told, ", ")
}

// reasons tells the decisions to wait, since log was asked last.
func (w *world) reasons() (all []zonalhc.Reason) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.events {
		if e.Kind == zonalhc.KindDecided {
			all = append(all, e.Decision.Reason)
		}
	}
	return all
}

func (w *world) expect(when, want string) {
	w.Helper()
	if got := w.log(); got != want {
		w.Errorf("%s: got %q, want %q", when, got, want)
	}
}

// set makes the deep checks of a zone fail, or pass again.
func (w *world) set(zone int, gray bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gray[w.zones[zone].ID()] = gray
}

// traffic returns the zones that answer requests to the load balancer.
func (w *world) traffic() string {
	w.Helper()
	transport := w.cloud.Transport()
	transport.DisableKeepAlives = true
	client := &http.Client{Transport: transport, Timeout: time.Second}
	seen := map[string]bool{}
	for range 12 {
		resp, err := client.Get("http://" + w.host + "/")
		if err != nil {
			seen["error"] = true
			continue
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		seen[string(body)] = true
	}
	var told []string
	for k, z := range w.zones {
		if seen[z.ID()] {
			told = append(told, fmt.Sprint(k))
		}
	}
	if seen["error"] {
		told = append(told, "error")
	}
	return strings.Join(told, " ")
}

// shifts tells the shifts that are active: from which zone, how long they still hold, and their comment.
func (w *world) shifts() string {
	w.Helper()
	var told []string
	for _, s := range must(w.ListZonalShifts(w.Context(), &arczonalshift.ListZonalShiftsInput{Status: types.ZonalShiftStatusActive}))(w).Items {
		k := slices.IndexFunc(w.zones, func(z *awstest.Zone) bool { return z.ID() == *s.AwayFrom })
		told = append(told, fmt.Sprintf("%d for %v, %s", k, time.Until(*s.ExpiryTime).Round(time.Hour), *s.Comment))
	}
	return strings.Join(told, "; ")
}

// shift starts a shift as a human does.
func (w *world) shift(zone int) {
	w.Helper()
	must(w.StartZonalShift(w.Context(), &arczonalshift.StartZonalShiftInput{
		ResourceIdentifier: &w.lb, AwayFrom: aws.String(w.zones[zone].ID()), ExpiresIn: aws.String("1h"), Comment: aws.String("by hand"),
	}))(w)
}

// cancel ends the active shift as a human does.
func (w *world) cancel() {
	w.Helper()
	for _, s := range must(w.ListZonalShifts(w.Context(), &arczonalshift.ListZonalShiftsInput{}))(w).Items {
		must(w.CancelZonalShift(w.Context(), &arczonalshift.CancelZonalShiftInput{ZonalShiftId: s.ZonalShiftId}))(w)
	}
}

// started returns how many shifts there have ever been.
func (w *world) started() (n int) {
	for _, r := range w.cloud.Calls(awstest.Match{Service: service, Operation: "StartZonalShift"}) {
		if r.Applied {
			n++
		}
	}
	return n
}

// until waits, in steps of five seconds, for something that comes within a day.
func (w *world) until(what string, cond func() bool) time.Duration {
	w.Helper()
	from := time.Now()
	for !cond() {
		if time.Since(from) > 24*time.Hour {
			w.Fatalf("never: %s", what)
		}
		time.Sleep(5 * time.Second)
	}
	return time.Since(from)
}
