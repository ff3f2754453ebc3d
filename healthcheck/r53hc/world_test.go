package r53hc_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"go.uber.org/goleak"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/cloudwatchsvc"
	"github.com/awsha/awsha/awstest/route53svc"
	"github.com/awsha/awsha/healthcheck"
	"github.com/awsha/awsha/healthcheck/r53hc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const region = "eu-west-1"

var series = r53hc.Series{Dimensions: []r53hc.Dimension{{Name: "Pool", Value: "web"}}}

// world is a region with a pool of four targets in two zones, in a cloud with CloudWatch and Route 53.
type world struct {
	*testing.T
	cloud   *awstest.Cloud
	metrics *cloudwatch.Client
	checks  *route53.Client
	pool    *healthcheck.Pool
	stop    context.CancelFunc // of the pool
	wg      sync.WaitGroup

	mu     sync.Mutex
	sick   map[string]error // what the check of a target returns
	events []r53hc.Event
}

func inBubble(t *testing.T, test func(*world), optFns ...func(*awstest.Options)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cloud := must(awstest.New([]awstest.Service{cloudwatchsvc.New(), route53svc.New()}, optFns...))(t)
		w := &world{
			T: t, cloud: cloud, metrics: cloudwatch.NewFromConfig(cloud.Config(region)), checks: route53.NewFromConfig(cloud.Config(region)),
			sick: map[string]error{},
		}
		w.pool = must(healthcheck.New(healthcheck.Func(func(_ context.Context, target healthcheck.Target) error { return w.check(target.ID) }), func(o *healthcheck.Options) {
			o.Interval, o.Timeout, o.UnhealthyThreshold, o.HealthyThreshold = 5*time.Second, 2*time.Second, 2, 2
		}))(t)
		for i := range 4 {
			must(0, w.pool.Register(healthcheck.Target{ID: fmt.Sprint("t", i), Zone: fmt.Sprint("z", i%2), Addr: "192.0.2.1:80"}))(t)
		}
		var ctx context.Context
		ctx, w.stop = context.WithCancel(t.Context())
		w.wg.Go(func() { _ = w.pool.Run(ctx) })
		defer func() {
			w.stop()
			w.wg.Wait()
			if err := cloud.Close(); err != nil {
				t.Error(err)
			}
		}()
		test(w)
	})
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (w *world) check(id string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sick[id]
}

var errDead = errors.New("does not answer")

// fail makes the checks of targets fail, or pass if err is nil; of all if none is named.
func (w *world) fail(err error, ids ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(ids) == 0 {
		ids = []string{"t0", "t1", "t2", "t3"}
	}
	for _, id := range ids {
		w.sick[id] = err
	}
}

// publish runs a Publisher of the pool until the function that is returned is called.
func (w *world) publish(optFns ...func(*r53hc.Options)) (stop func() error) {
	w.Helper()
	p := must(r53hc.New(w.metrics, w.pool, append([]func(*r53hc.Options){func(o *r53hc.Options) {
		o.Series = series
		o.OnEvent = func(_ context.Context, e r53hc.Event) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.events = append(w.events, e)
		}
	}}, optFns...)...))(w)
	ctx, cancel := context.WithCancel(w.Context())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	return func() error { cancel(); return <-done }
}

// said counts the events of a kind, and forgets them.
func (w *world) said() map[r53hc.Kind]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	counts := map[r53hc.Kind]int{}
	for _, e := range w.events {
		counts[e.Kind]++
	}
	w.events = nil
	return counts
}

func spec(changes ...func(*r53hc.Spec)) r53hc.Spec {
	s := r53hc.Spec{Series: series, Alarm: "web", Region: region}
	for _, change := range changes {
		change(&s)
	}
	return s
}

func (w *world) ensure(changes ...func(*r53hc.Spec)) string {
	w.Helper()
	return must(r53hc.Ensure(w.Context(), w.metrics, w.checks, spec(changes...)))(w).HealthCheckID
}

func (w *world) healthy(id string) bool {
	w.Helper()
	return must(route53svc.Healthy(w.cloud, id))(w)
}

// flips waits until a health check is healthy or not, and returns how long that took.
func (w *world) flips(id string, to bool) time.Duration {
	w.Helper()
	from := time.Now()
	for w.healthy(id) != to {
		if time.Since(from) > time.Hour {
			w.Fatalf("it does not become %v", to)
		}
		time.Sleep(100 * time.Millisecond)
	}
	return time.Since(from)
}

func (w *world) within(what string, d, low, high time.Duration) {
	w.Helper()
	if d < low || d > high {
		w.Errorf("%s takes %v, and not %v to %v", what, d, low, high)
	}
}
