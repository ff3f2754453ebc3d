package awstest_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/awsha/awsha/awstest"
)

func TestProbeOfAnAddress(t *testing.T) {
	t.Parallel()
	flushed := func(pause, after time.Duration, more string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "from "+r.RemoteAddr+" ")
			time.Sleep(pause)
			w.(http.Flusher).Flush()
			time.Sleep(after)
			_, _ = io.WriteString(w, more)
		}
	}
	for name, c := range map[string]struct {
		host  string
		port  uint16
		serve http.HandlerFunc
		want  string // outcome, status, length of the body, time
	}{
		"an address answers":                     {publicA, 80, flushed(0, 0, "ok"), "answered 200, 26 bytes, 0s"},
		"a name leads to another port":           {"web.example", 443, flushed(0, 0, "ok"), "answered 200, 26 bytes, 0s"},
		"a name that is not there":               {"nowhere.example", 80, flushed(0, 0, ""), "unknown host 0, 0 bytes, 0s"},
		"an address that leads nowhere":          {"203.0.113.99", 80, flushed(0, 0, ""), "timed out 0, 0 bytes, 4s"},
		"a closed port":                          {publicA, 81, flushed(0, 0, ""), "refused 0, 0 bytes, 0s"},
		"a slow status":                          {publicA, 80, flushed(2001*time.Millisecond, 0, "ok"), "timed out 0, 0 bytes, 2s"},
		"a slow body after its status":           {publicA, 80, flushed(1500*time.Millisecond, 1500*time.Millisecond, "ok"), "answered 200, 26 bytes, 3s"},
		"a body that is too slow":                {publicA, 80, flushed(time.Second, 2001*time.Millisecond, "ok"), "timed out 0, 0 bytes, 3s"},
		"a body that is longer than is wanted":   {publicA, 80, flushed(0, 0, strings.Repeat("x", 9000)), "answered 200, 5120 bytes, 0s"},
		"a panic":                                {publicA, 80, func(http.ResponseWriter, *http.Request) { panic("no") }, "refused 0, 0 bytes, 0s"},
		"a long reply that never ends is enough": {publicA, 80, endless, "answered 200, 5120 bytes, 0s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				a := f.instance("use1-az1", privateA, publicA)
				f.serve(a, 80, c.serve)
				f.cloud.Update(func(tx *awstest.Tx) {
					tx.Name("web.example", func(*awstest.Tx, uint16) awstest.Hop { return awstest.Hop{Instance: a, Port: 80} })
				})
				start, res := time.Now(), make(chan awstest.ProbeResult, 1)
				f.cloud.Update(func(tx *awstest.Tx) {
					tx.ProbeAddress(c.host, awstest.ProbeSpec{
						Port: c.port, Source: netip.MustParseAddr("198.51.100.9"), ConnectTimeout: 4 * time.Second, Timeout: 2 * time.Second,
						Path: "/", Body: 5120, BodyTimeout: 2 * time.Second,
					}, func(_ *awstest.Tx, r awstest.ProbeResult) { res <- r })
				})
				r := <-res
				outcomes := map[awstest.ProbeOutcome]string{
					awstest.ProbeAnswered: "answered", awstest.ProbeRefused: "refused", awstest.ProbeTimedOut: "timed out", awstest.ProbeUnknownHost: "unknown host",
				}
				if got := fmt.Sprintf("%s %d, %d bytes, %v", outcomes[r.Outcome], r.Status, len(r.Body), took(start)); got != c.want {
					t.Errorf("got %s (%.40q), want %s", got, r.Body, c.want)
				}
				if r.Body != nil && !strings.HasPrefix(string(r.Body), "from 198.51.100.9:") {
					t.Errorf("the handler sees %.40q", r.Body)
				}
			})
		})
	}
}

// endless writes as long as somebody reads.
func endless(w http.ResponseWriter, r *http.Request) {
	_, _ = io.WriteString(w, "from "+r.RemoteAddr)
	for r.Context().Err() == nil {
		_, _ = io.WriteString(w, strings.Repeat("x", 1000))
	}
}

func TestProbeOfAListenerReadsTheBody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a := f.instance("use1-az1", privateA, publicA)
		l, err := a.Listen(80)
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusAccepted)
			w.(http.Flusher).Flush()
			time.Sleep(1500 * time.Millisecond)
			_, _ = io.WriteString(w, strings.Repeat("y", 100))
		})}
		done := make(chan struct{})
		go func() { defer close(done); _ = server.Serve(l) }()
		defer func() { _ = server.Close(); <-done }()
		res := make(chan awstest.ProbeResult, 1)
		f.cloud.Update(func(tx *awstest.Tx) {
			spec := awstest.ProbeSpec{Port: 80, Path: "/", Timeout: time.Second, Body: 10, BodyTimeout: 2 * time.Second}
			tx.ProbeAddress(publicA, spec, func(_ *awstest.Tx, r awstest.ProbeResult) { res <- r })
		})
		if r := <-res; r.Status != http.StatusAccepted || string(r.Body) != "yyyyyyyyyy" {
			t.Errorf("got %+v", r)
		}
	})
}

// A global service is called, and fails, in us-east-1, wherever its client is.
func TestGlobalService(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var regions []string
		service := func(r *awstest.Registry) error {
			e := r.Add(awstest.ServiceSpec{ID: sts.ServiceID, Global: true})
			awstest.Handle(e, func(_ *awstest.Tx, call *awstest.Call, _ *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
				regions = append(regions, call.Region.Name())
				return &sts.GetCallerIdentityOutput{}, nil
			})
			return e.Err()
		}
		cloud, err := awstest.New([]awstest.Service{service})
		if err != nil {
			t.Fatal(err)
		}
		client := sts.NewFromConfig(cloud.Config("eu-west-1"), func(o *sts.Options) { o.Retryer = aws.NopRetryer{} })
		call := func() error { _, err := client.GetCallerIdentity(t.Context(), nil); return err }
		if err := call(); err != nil || fmt.Sprint(regions) != "[us-east-1]" {
			t.Errorf("called in %v, %v", regions, err)
		}
		heal, err := cloud.FailService(sts.ServiceID, "us-east-1")
		if err != nil {
			t.Fatal(err)
		}
		if err := call(); err == nil {
			t.Error("it answers while it is down")
		}
		heal()
		// A fault elsewhere would strike nothing.
		_, err = cloud.FailService(sts.ServiceID, "eu-west-1")
		if mistake, ok := errors.AsType[*awstest.FieldError](err); !ok || mistake.Field != "Match.Region" {
			t.Errorf("a fault of eu-west-1: %v", err)
		}
		if calls := cloud.Calls(awstest.Match{Region: "us-east-1"}); len(calls) != 2 {
			t.Errorf("the ledger has %d calls", len(calls))
		}
		if err := cloud.Close(); err != nil {
			t.Error(err)
		}
	})
}
