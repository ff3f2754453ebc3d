package r53hc_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/healthcheck"
	"github.com/awsha/awsha/healthcheck/healthcheckmock"
	"github.com/awsha/awsha/healthcheck/r53hc"
)

// of is a source with targets in zones a and b: h is a healthy one, u an unhealthy, i an initial, d a draining one. Of those
// that pass their checks, e is ejected, D drained and U unhealthy by hand, and s in a zone that is shifted; of those that fail,
// H is healthy by hand.
func of(a, b string) healthcheck.Source {
	overrides := map[rune]healthcheck.Override{'D': healthcheck.OverrideDrain, 'U': healthcheck.OverrideUnhealthy, 'H': healthcheck.OverrideHealthy}
	states := map[rune]healthcheck.State{
		'e': healthcheck.Healthy, 'D': healthcheck.Healthy, 'U': healthcheck.Healthy, 's': healthcheck.Healthy, 'H': healthcheck.Unhealthy,
		'h': healthcheck.Healthy, 'u': healthcheck.Unhealthy, 'i': healthcheck.Initial, 'd': healthcheck.Draining,
	}
	var all []healthcheck.Status
	for zone, targets := range map[string]string{"a": a, "b": b} {
		for i, s := range targets {
			last := healthcheck.Result{Outcome: healthcheck.Pass, Start: time.Now()}
			if s == 'u' || s == 'H' {
				last.Outcome = healthcheck.Fail
			}
			status := healthcheck.Status{Target: healthcheck.Target{ID: zone + string(rune('0'+i)), Zone: zone}, State: states[s], Last: last}
			status.Ejected, status.Shifted, status.Override = s == 'e', s == 's', overrides[s]
			all = append(all, status)
		}
	}
	return &healthcheckmock.SourceMock{WaitFunc: func(ctx context.Context, cond func(*healthcheck.View) bool) error {
		cond(healthcheck.NewView(all...))
		return context.Cause(ctx)
	}}
}

func TestHandlerAnswersByThePool(t *testing.T) {
	t.Parallel()
	zoneA := func(o *r53hc.HandlerOptions) { o.Zone = "a" }
	half := func(o *r53hc.HandlerOptions) { o.MinHealthyPercent = 50 }
	for name, c := range map[string]struct {
		source  healthcheck.Source
		options func(*r53hc.HandlerOptions)
		well    bool
	}{
		"one healthy target is enough":        {of("u", "uuuh"), nil, true},
		"none is not":                         {of("u", "i"), nil, false},
		"a draining one does not count":       {of("d", ""), nil, false},
		"no target is not well":               {of("", ""), nil, false},
		"a zone with a healthy target":        {of("hu", "u"), zoneA, true},
		"a zone without":                      {of("u", "h"), zoneA, false},
		"a zone that is not there":            {of("", "h"), zoneA, false},
		"half of the registered":              {of("hu", "hi"), half, true},
		"less than half":                      {of("hu", "ui"), half, false},
		"half, and none of none":              {of("", ""), half, false},
		"half of those that are not draining": {of("hu", "dd"), half, true},
		"all are drained by hand":             {of("DD", "D"), nil, false},
		"all are unhealthy by hand":           {of("UU", "U"), nil, false},
		"one is healthy by hand":              {of("Hu", "u"), nil, true},
		"the only one that passes is ejected": {of("eu", "u"), nil, false},
		"a zone that is drained by hand":      {of("D", "h"), zoneA, false},
		"a zone that is shifted":              {of("s", "h"), zoneA, false},
		"a pool with a zone that is shifted":  {of("s", "u"), nil, true},
		"half, of those that are not drained": {of("hDD", "u"), half, true},
		"half, with a zone that is shifted":   {of("s", "u"), half, true},
		"a rule of one's own": {of("h", "u"), func(o *r53hc.HandlerOptions) {
			o.Healthy = func(v *healthcheck.View) bool { return v.Count(healthcheck.Unhealthy) == 0 }
		}, false},
		"a pool that has stopped": {&healthcheckmock.SourceMock{WaitFunc: func(_ context.Context, cond func(*healthcheck.View) bool) error {
			cond(healthcheck.NewView(healthcheck.Status{Target: healthcheck.Target{ID: "a"}, State: healthcheck.Healthy}))
			return healthcheck.ErrStopped
		}}, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.options == nil {
				c.options = func(*r53hc.HandlerOptions) {}
			}
			h := must(r53hc.NewHandler(c.source, c.options))(t)
			for method, body := range map[string]string{http.MethodGet: "in service", http.MethodHead: ""} {
				rec := httptest.NewRecorder()
				h.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), method, "/healthz", nil))
				want := http.StatusOK
				if !c.well {
					want, body = http.StatusServiceUnavailable, ""
				}
				if rec.Code != want || rec.Body.String() != body || rec.Header().Get("Cache-Control") != "no-store" {
					t.Errorf("%s is answered by %d %q %v", method, rec.Code, rec.Body, rec.Header())
				}
			}
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil))
			if rec.Code != http.StatusMethodNotAllowed || rec.Header().Get("Allow") != "GET, HEAD" {
				t.Errorf("POST is answered by %d", rec.Code)
			}
		})
	}
}

func TestMistakesInHandlerOptions(t *testing.T) {
	t.Parallel()
	_, err := r53hc.NewHandler(nil, func(o *r53hc.HandlerOptions) {
		o.Zone, o.MinHealthyPercent, o.Body = "a", 101, strings.Repeat("x", 256)
		o.Healthy = func(*healthcheck.View) bool { return true }
	})
	wantFields(t, err, map[string]int{"source": 1, "HandlerOptions.MinHealthyPercent": 1, "HandlerOptions.Healthy": 1, "HandlerOptions.Body": 1})
}

// Route 53's checkers ask the handler on a machine with a public address.
func TestCheckersFollowTheHandler(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		zone := must(w.cloud.Zone("euw1-az1"))(w)
		var machine *awstest.Instance
		w.cloud.Update(func(tx *awstest.Tx) {
			machine = tx.NewInstance(awstest.InstanceSpec{ID: "i-1", Zone: zone})
			tx.Route(nil, netip.MustParseAddr("203.0.113.10"), machine)
			tx.PowerOn(machine)
		})
		must(machine.Serve(80, must(r53hc.NewHandler(w.pool))(w)))(w)
		id := *must(w.checks.CreateHealthCheck(w.Context(), &route53.CreateHealthCheckInput{
			CallerReference: aws.String("a"),
			HealthCheckConfig: &types.HealthCheckConfig{
				Type: types.HealthCheckTypeHttpStrMatch, SearchString: aws.String("in service"), IPAddress: aws.String("203.0.113.10"),
				ResourcePath: aws.String("/healthz"), RequestInterval: aws.Int32(10), FailureThreshold: aws.Int32(2),
			},
		}))(w).HealthCheck.Id
		time.Sleep(time.Minute)
		if !w.healthy(id) {
			t.Fatal("it is not healthy to begin with")
		}
		w.fail(errDead)
		w.within("its death", w.flips(id, false), 15*time.Second, 35*time.Second)
		w.fail(nil)
		w.within("its return", w.flips(id, true), 10*time.Second, 35*time.Second)
		w.stop() // the pool
		w.within("the end of the pool", w.flips(id, false), 10*time.Second, 25*time.Second)
	})
}

// Over a real connection: a body with its length, and none that says why.
func TestHandlerOverHTTP(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(must(r53hc.NewHandler(of("h", ""), func(o *r53hc.HandlerOptions) { o.Body = "well" }))(t))
	defer server.Close()
	req := must(http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, http.NoBody))(t)
	resp := must(server.Client().Do(req))(t)
	defer resp.Body.Close()
	if body := must(io.ReadAll(resp.Body))(t); string(body) != "well" || resp.ContentLength != 4 {
		t.Errorf("got %q of %d", body, resp.ContentLength)
	}
}

// A check of a pool of a thousand costs what one of a pool of one does, as long as nothing changes.
func BenchmarkHandler(b *testing.B) {
	for _, n := range []int{1, 1000} {
		b.Run(fmt.Sprint(n, " targets"), func(b *testing.B) {
			var addrs []string
			for i := range n {
				addrs = append(addrs, fmt.Sprintf("10.0.%d.%d:80", i/250, i%250+1))
			}
			pool, stop := fleet(addrs...)
			defer stop()
			h := must(r53hc.NewHandler(pool))(b)
			req := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/", http.NoBody)
			b.ReportAllocs()
			for b.Loop() {
				h.ServeHTTP(httptest.NewRecorder(), req)
			}
		})
	}
}
