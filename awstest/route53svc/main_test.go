package route53svc_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
	"go.uber.org/goleak"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/cwmodel"
	"github.com/awsha/awsha/awstest/internal/svctest"
	"github.com/awsha/awsha/awstest/route53svc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// addr is the public address of the machines of these tests.
const addr = "203.0.113.10"

type world struct {
	*testing.T
	*route53.Client
	cloud *awstest.Cloud
	cw    *cwmodel.Model
	start time.Time
	refs  int
}

func inBubble(t *testing.T, test func(*world), optFns ...func(*awstest.Options)) {
	t.Helper()
	var cw *cwmodel.Model
	watch := func(r *awstest.Registry) error {
		cw = cwmodel.Of(r)
		return r.Add(awstest.ServiceSpec{ID: "CloudWatch"}).Err() // which can fail
	}
	svctest.InBubble(t, []awstest.Service{watch, route53svc.New()}, func(t *testing.T, cloud *awstest.Cloud) {
		test(&world{T: t, Client: route53.NewFromConfig(cloud.Config("eu-west-1")), cloud: cloud, cw: cw, start: time.Now()})
	}, optFns...)
}

// until sleeps until a time since the beginning.
func (w *world) until(d time.Duration) { time.Sleep(time.Until(w.start.Add(d))) }

// site is what a machine answers.
type site struct {
	status atomic.Int64
	asked  atomic.Int64
	last   atomic.Pointer[http.Request]
	serve  http.HandlerFunc // in place of the status
}

func (s *site) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	s.asked.Add(1)
	s.last.Store(r)
	if s.serve != nil {
		s.serve(rw, r)
		return
	}
	rw.WriteHeader(int(s.status.Load()))
}

func answering(status int) *site {
	s := &site{}
	s.status.Store(int64(status))
	return s
}

// machine serves port 80 at addr.
func (w *world) machine(h http.Handler) *awstest.Instance {
	w.Helper()
	zone := svctest.Must(w.cloud.Zone("use1-az1"))(w)
	var i *awstest.Instance
	w.cloud.Update(func(tx *awstest.Tx) {
		i = tx.NewInstance(awstest.InstanceSpec{ID: tx.NewID("i"), Zone: zone})
		tx.Route(zone.Region(), netip.MustParseAddr("10.0.0.10"), i)
		tx.Route(nil, netip.MustParseAddr(addr), i)
		tx.PowerOn(i)
	})
	svctest.Must(i.Serve(80, h))(w)
	return i
}

type config = types.HealthCheckConfig

// endpoint is an HTTP health check of addr, with changes.
func endpoint(changes ...func(*config)) *config {
	c := &config{Type: types.HealthCheckTypeHttp, IPAddress: aws.String(addr), ResourcePath: aws.String("/healthz")}
	for _, change := range changes {
		change(c)
	}
	return c
}

func quick(c *config) { c.RequestInterval, c.FailureThreshold = aws.Int32(10), aws.Int32(1) }

// try creates a health check with a reference of its own.
func (w *world) try(c *config) (*types.HealthCheck, error) {
	w.refs++
	return w.tryAs(fmt.Sprint("ref-", w.refs), c)
}

func (w *world) tryAs(ref string, c *config) (*types.HealthCheck, error) {
	out, err := w.CreateHealthCheck(w.Context(), &route53.CreateHealthCheckInput{CallerReference: &ref, HealthCheckConfig: c})
	if err != nil {
		return nil, err
	}
	return out.HealthCheck, nil
}

// create creates a health check and returns its ID.
func (w *world) create(c *config) string {
	w.Helper()
	return *svctest.Must(w.try(c))(w).Id
}

func (w *world) update(id string, change func(*route53.UpdateHealthCheckInput)) (*types.HealthCheck, error) {
	in := &route53.UpdateHealthCheckInput{HealthCheckId: &id}
	change(in)
	out, err := w.UpdateHealthCheck(w.Context(), in)
	if err != nil {
		return nil, err
	}
	return out.HealthCheck, nil
}

func (w *world) remove(id string) {
	w.Helper()
	svctest.Must(w.DeleteHealthCheck(w.Context(), &route53.DeleteHealthCheckInput{HealthCheckId: &id}))(w)
}

// is asserts whether a health check is healthy.
func (w *world) is(id string, want bool) {
	w.Helper()
	if got := svctest.Must(route53svc.Healthy(w.cloud, id))(w); got != want {
		w.Errorf("after %v healthy is %v", time.Since(w.start), got)
	}
}

// flips waits until a health check is healthy or not, and returns how long that took.
func (w *world) flips(id string, to bool) time.Duration {
	w.Helper()
	from := time.Now()
	for svctest.Must(route53svc.Healthy(w.cloud, id))(w) != to {
		if time.Since(from) > time.Hour {
			w.Fatalf("it does not become %v", to)
		}
		time.Sleep(10 * time.Millisecond)
	}
	return time.Since(from)
}
