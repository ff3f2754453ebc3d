package route53svc_test

import (
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/svctest"
	"github.com/awsha/awsha/awstest/route53svc"
)

// How long a death and a return take to be found out.
func TestVerdictFollowsTheEndpoint(t *testing.T) {
	t.Parallel()
	between := func(t *testing.T, what string, got, low, high time.Duration) {
		t.Helper()
		if got < low || got > high {
			t.Errorf("%s takes %v, not %v to %v", what, got, low, high)
		}
	}
	for name, c := range map[string]struct {
		config                        *config
		death, latest, back, backLate time.Duration
	}{
		"with the defaults":              {endpoint(), 84 * time.Second, 87 * time.Second, 60 * time.Second, 68 * time.Second},
		"fast, with a threshold of one":  {endpoint(quick), 8 * time.Second, 9 * time.Second, 0, 3 * time.Second},
		"a TCP endpoint, with defaults":  {endpoint(func(c *config) { c.Type, c.Port, c.ResourcePath = "TCP", aws.Int32(80), nil }), 84 * time.Second, 87 * time.Second, 60 * time.Second, 68 * time.Second},
		"an HTTPS endpoint, on its port": {endpoint(quick, func(c *config) { c.Type, c.Port = "HTTPS", aws.Int32(80) }), 8 * time.Second, 9 * time.Second, 0, 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				s := answering(200)
				i := w.machine(s)
				id := w.create(c.config)
				w.is(id, true)
				w.until(10 * time.Minute)
				w.is(id, true)
				heal := i.Fail(awstest.PowerLoss) // silence: every look takes its timeout
				silent := 3 * 4 * time.Second
				if c.config.Type == "TCP" {
					silent = 3 * 10 * time.Second
				}
				if aws.ToInt32(c.config.FailureThreshold) == 1 {
					silent /= 3
				}
				between(t, "its death", w.flips(id, false), c.death+silent-4*time.Second, c.latest+silent)
				heal()
				between(t, "its return", w.flips(id, true), c.back, c.backLate+silent/3)
			})
		})
	}
}

func TestWhatIsAsked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		config *config
		host   string
		target string
	}{
		"a name, on the usual port":       {endpoint(func(c *config) { c.FullyQualifiedDomainName = aws.String("web.example") }), "web.example", "/healthz"},
		"a name, on another port":         {endpoint(func(c *config) { c.Port, c.FullyQualifiedDomainName = aws.Int32(8080), aws.String("web.example") }), "web.example:8080", "/healthz"},
		"an address":                      {endpoint(), addr, "/healthz"},
		"a name of HTTPS on port 443":     {endpoint(func(c *config) { c.Type, c.FullyQualifiedDomainName = "HTTPS", aws.String("web.example") }), "web.example", "/healthz"},
		"a query":                         {endpoint(func(c *config) { c.ResourcePath = aws.String("/a?b=c") }), addr, "/a?b=c"},
		"a path without a slash":          {endpoint(func(c *config) { c.ResourcePath = aws.String("a") }), addr, "/a"},
		"no path":                         {endpoint(func(c *config) { c.ResourcePath = nil }), addr, "/"},
		"a name alone, which is resolved": {endpoint(func(c *config) { c.IPAddress, c.FullyQualifiedDomainName = nil, aws.String("web.example") }), "web.example", "/healthz"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				s := answering(302)
				i := w.machine(s)
				svctest.Must(i.Serve(8080, s))(w)
				svctest.Must(i.Serve(443, s))(w)
				w.cloud.Update(func(tx *awstest.Tx) {
					tx.Name("web.example", func(_ *awstest.Tx, port uint16) awstest.Hop { return awstest.Hop{Instance: i, Port: port} })
				})
				id := w.create(c.config)
				time.Sleep(5*time.Minute - 500*time.Millisecond)
				w.is(id, true) // a redirect is well, and not followed
				r := s.last.Load()
				if r.Host != c.host || r.RequestURI != c.target || r.Method != http.MethodGet || !strings.HasPrefix(r.UserAgent(), "Amazon-Route53-Health-Check-Service (ref "+id) {
					t.Errorf("asked for %s %s of %s by %s", r.Method, r.RequestURI, r.Host, r.UserAgent())
				}
				// 16 checkers, every 30 seconds.
				if n := s.asked.Load(); n != 160 {
					t.Errorf("asked %d times in five minutes, want 160", n)
				}
			})
		})
	}
}

func TestWhatFails(t *testing.T) {
	t.Parallel()
	match := func(c *config) { c.Type, c.SearchString = "HTTP_STR_MATCH", aws.String("all is well") }
	says := func(text string) http.HandlerFunc {
		return func(rw http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(rw, text) }
	}
	after := func(status, body time.Duration) http.HandlerFunc {
		return func(rw http.ResponseWriter, _ *http.Request) {
			time.Sleep(status)
			rw.(http.Flusher).Flush()
			time.Sleep(body)
			_, _ = io.WriteString(rw, "all is well")
		}
	}
	for name, c := range map[string]struct {
		config *config
		serve  http.HandlerFunc
		status string // empty: healthy
	}{
		"status 399":                   {endpoint(), func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(399) }, ""},
		"status 400":                   {endpoint(), func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(400) }, "Failure: HTTP Status Code 400, Bad Request"},
		"a status just in time":        {endpoint(), after(1999*time.Millisecond, 0), ""},
		"a body that nobody waits for": {endpoint(), after(1900*time.Millisecond, time.Minute), ""},
		"a status too late":            {endpoint(), after(2001*time.Millisecond, 0), "Failure: Connection timed out."},
		"a string that is found":       {endpoint(match), says("so far all is well here"), ""},
		"a string that is not found":   {endpoint(match), says("ALL IS WELL"), "not found in the first 5120 bytes"},
		"a string in time":             {endpoint(match), after(1900*time.Millisecond, 1900*time.Millisecond), ""},
		"a string too late":            {endpoint(match), after(0, 2001*time.Millisecond), "Failure: Connection timed out."},
		"a string at the end of 5,120": {endpoint(match), says(strings.Repeat("x", 5120-11) + "all is well"), ""},
		"a string one byte too far":    {endpoint(match), says(strings.Repeat("x", 5120-10) + "all is well"), "not found in the first 5120 bytes"},
		"a string under a wrong status": {endpoint(match), func(rw http.ResponseWriter, _ *http.Request) {
			rw.WriteHeader(500)
			_, _ = io.WriteString(rw, "all is well")
		}, "Failure: HTTP Status Code 500, Internal Server Error"},
		"a closed port":                    {endpoint(func(c *config) { c.Port = aws.Int32(81) }), says(""), "Failure: The endpoint refused or reset"},
		"a name that is not there":         {endpoint(func(c *config) { c.IPAddress, c.FullyQualifiedDomainName = nil, aws.String("nowhere.example") }), says(""), "Failure: DNS resolution failed"},
		"an address that nobody has":       {endpoint(func(c *config) { c.IPAddress = aws.String("203.0.113.99") }), says(""), "Failure: Connection timed out."},
		"a panic":                          {endpoint(), func(http.ResponseWriter, *http.Request) { panic("no") }, "Failure: The endpoint refused or reset"},
		"a TCP endpoint, whatever it says": {endpoint(func(c *config) { c.Type, c.Port, c.ResourcePath = "TCP", aws.Int32(80), nil }), func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(500) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				w.machine(&site{serve: c.serve})
				id := w.create(c.config)
				time.Sleep(5 * time.Minute)
				w.is(id, c.status == "")
				out := svctest.Must(w.GetHealthCheckStatus(w.Context(), &route53.GetHealthCheckStatusInput{HealthCheckId: &id}))(w)
				failures := svctest.Must(w.GetHealthCheckLastFailureReason(w.Context(), &route53.GetHealthCheckLastFailureReasonInput{HealthCheckId: &id}))(w)
				regions := map[types.HealthCheckRegion]int{}
				for _, o := range out.HealthCheckObservations {
					regions[o.Region]++
					text, age := *o.StatusReport.Status, time.Since(*o.StatusReport.CheckedTime)
					if strings.HasPrefix(text, "Success: ") != (c.status == "") || !strings.Contains(text, c.status) || age > 40*time.Second {
						t.Errorf("%s, %v ago", text, age)
					}
				}
				if len(regions) != 8 || len(out.HealthCheckObservations) != 16 {
					t.Errorf("%d checkers in %d regions", len(out.HealthCheckObservations), len(regions))
				}
				if n := len(failures.HealthCheckObservations); (n == 16) != (c.status != "") || (n == 0) != (c.status == "") {
					t.Errorf("%d checkers have failures to tell", n)
				}
			})
		})
	}
}

// More than 18 % of the checkers are enough.
func TestSomeCheckersAreEnough(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		ranges := svctest.Must(w.GetCheckerIpRanges(w.Context(), nil))(w).CheckerIpRanges
		if len(ranges) != 16 {
			t.Fatalf("%d ranges", len(ranges))
		}
		reach := map[int]bool{2: false, 3: true} // of 16: 12.5 % and 18.75 %
		var served atomic.Int64
		served.Store(16)
		w.machine(&site{serve: func(rw http.ResponseWriter, r *http.Request) {
			from := netip.MustParseAddrPort(r.RemoteAddr).Addr()
			for n, text := range ranges {
				if netip.MustParsePrefix(text).Contains(from) && n >= int(served.Load()) {
					rw.WriteHeader(503)
				}
			}
		}})
		id := w.create(endpoint(quick))
		time.Sleep(time.Minute)
		w.is(id, true)
		for _, n := range []int{3, 2, 3, 2} {
			served.Store(int64(n))
			time.Sleep(time.Minute)
			w.is(id, reach[n])
		}
	})
}

func TestRegionsOfCheckers(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		s := answering(200)
		w.machine(s)
		id := w.create(endpoint(func(c *config) { c.Regions = []types.HealthCheckRegion{"us-west-1", "eu-west-1", "sa-east-1"} }))
		time.Sleep(5*time.Minute - 500*time.Millisecond)
		if n := s.asked.Load(); n != 60 { // six checkers
			t.Errorf("asked %d times, want 60", n)
		}
		svctest.Must(w.update(id, func(in *route53.UpdateHealthCheckInput) { in.ResetElements = []types.ResettableElementName{"Regions"} }))(w)
		s.asked.Store(0)
		time.Sleep(5*time.Minute - 500*time.Millisecond)
		if n := s.asked.Load(); n != 160 {
			t.Errorf("asked %d times, want 160", n)
		}
	})
}

// What the checkers of a region say that is taken out does not count any more, even if nobody changes their opinion from then on.
func TestVerdictIsOfTheCheckersThatLook(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		ranges := svctest.Must(w.GetCheckerIpRanges(w.Context(), nil))(w).CheckerIpRanges
		few := []string{"107.23.255.0/26", "54.243.31.192/26", "54.183.255.128/26", "54.241.32.64/26"} // us-east-1 and us-west-1
		w.machine(&site{serve: func(rw http.ResponseWriter, r *http.Request) {
			from := netip.MustParseAddrPort(r.RemoteAddr).Addr()
			for _, text := range ranges {
				if netip.MustParsePrefix(text).Contains(from) && !slices.Contains(few, text) {
					rw.WriteHeader(503)
				}
			}
		}})
		id := w.create(endpoint(quick))
		time.Sleep(time.Minute)
		w.is(id, true) // four of 16
		svctest.Must(w.update(id, func(in *route53.UpdateHealthCheckInput) {
			in.Regions = []types.HealthCheckRegion{"us-west-2", "eu-west-1", "sa-east-1"}
		}))(w)
		time.Sleep(time.Minute)
		w.is(id, false) // none of six
		svctest.Must(w.update(id, func(in *route53.UpdateHealthCheckInput) {
			in.Regions = []types.HealthCheckRegion{"us-east-1", "eu-west-1", "us-west-1"}
		}))(w)
		time.Sleep(time.Minute)
		w.is(id, true) // four of six
	})
}

// The checkers go on while the control plane is down, and so does what follows.
func TestControlPlaneIsDown(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		i := w.machine(answering(200))
		id := w.create(endpoint(quick))
		heal := svctest.Must(w.cloud.FailService(route53.ServiceID, "us-east-1"))(w)
		_, err := w.GetHealthCheck(w.Context(), &route53.GetHealthCheckInput{HealthCheckId: &id})
		svctest.WantCode(w, err, "ServiceUnavailable")
		defer i.Fail(awstest.NetworkLoss)()
		if d := w.flips(id, false); d > 20*time.Second {
			t.Errorf("it takes %v", d)
		}
		heal()
		svctest.Must(w.GetHealthCheck(w.Context(), &route53.GetHealthCheckInput{HealthCheckId: &id}))(w)
	})
}

func TestFailureOfAZone(t *testing.T) {
	t.Parallel()
	for _, fault := range []awstest.Fault{awstest.PowerLoss, awstest.NetworkLoss} {
		inBubble(t, func(w *world) {
			i := w.machine(answering(200))
			id := w.create(endpoint(quick))
			time.Sleep(time.Minute)
			heal := i.Zone().Fail(fault)
			time.Sleep(time.Minute)
			w.is(id, false)
			heal()
			time.Sleep(time.Minute)
			w.is(id, true)
		})
	}
}

func TestStuckHealthCheckKeepsItsVerdict(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		s := answering(200)
		w.machine(s)
		id := w.create(endpoint(quick))
		heal := svctest.Must(w.cloud.Stick(id))(w)
		s.status.Store(500)
		time.Sleep(time.Hour)
		w.is(id, true)
		heal()
		w.is(id, false)
	})
}

func TestInvertedAndDisabled(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		s := answering(200)
		w.machine(s)
		id := w.create(endpoint(quick, func(c *config) { c.Inverted = aws.Bool(true) }))
		w.is(id, false) // new ones are healthy, and so this is not
		s.status.Store(500)
		time.Sleep(time.Minute)
		w.is(id, true)
		set := func(inverted, disabled bool) {
			svctest.Must(w.update(id, func(in *route53.UpdateHealthCheckInput) { in.Inverted, in.Disabled = &inverted, &disabled }))(w)
		}
		set(false, false)
		w.is(id, false) // at once: the verdict is there
		set(false, true)
		w.is(id, true)
		set(true, true)
		w.is(id, false)
		s.asked.Store(0)
		time.Sleep(time.Hour)
		if n := s.asked.Load(); n != 0 {
			t.Errorf("asked %d times while disabled", n)
		}
		set(false, false)
		w.is(id, true) // it begins anew
		time.Sleep(time.Minute)
		w.is(id, false)
	})
}

// An update moves the checkers to another endpoint, and none stays behind.
func TestUpdateAndDeleteEndLooks(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		s := answering(200)
		i := w.machine(s)
		other := answering(200)
		svctest.Must(i.Serve(8080, other))(w)
		id := w.create(endpoint(quick))
		time.Sleep(time.Minute)
		svctest.Must(w.update(id, func(in *route53.UpdateHealthCheckInput) { in.Port = aws.Int32(8080) }))(w)
		s.asked.Store(0)
		time.Sleep(5*time.Minute - 500*time.Millisecond)
		if a, b := s.asked.Load(), other.asked.Load(); a != 0 || b != 16*30 {
			t.Errorf("asked %d times here and %d times there", a, b)
		}
		w.remove(id)
		other.asked.Store(0)
		time.Sleep(time.Hour)
		if n := other.asked.Load(); n != 0 {
			t.Errorf("asked %d times after the deletion", n)
		}
		if _, err := route53svc.Healthy(w.cloud, id); err == nil {
			t.Error("it still has a health")
		}
	})
}
