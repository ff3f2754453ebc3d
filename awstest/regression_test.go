package awstest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/awsha/awsha/awstest"
)

func TestRebootedClientIsResetToItsServer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a, b := f.instance("use1-az1", privateA, ""), f.instance("use1-az2", privateB, "")
		l, err := b.Listen(7)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := a.Dial(t.Context(), "tcp", privateB+":7")
		if err != nil {
			t.Fatal(err)
		}
		server, _ := l.Accept()
		for range 100 {
			heal := a.Fail(awstest.PowerLoss)
			time.Sleep(time.Second)
			heal()
		}
		conn.Close()
		time.Sleep(24 * time.Hour)
		server.SetWriteDeadline(time.Now().Add(time.Hour))
		server.SetReadDeadline(time.Now().Add(time.Hour))
		_, err = server.Read(make([]byte, 1))
		if !errors.Is(err, syscall.ECONNRESET) {
			t.Error("server end never reset")
		}
		server.Close()
	})
}

func TestDialThatMetAFullBacklogTriesAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a := f.instance("use1-az1", privateA, publicA)
		l, err := a.Listen(7)
		if err != nil {
			t.Fatal(err)
		}
		for range 4096 {
			f.dial(publicA + ":7")
		}
		go func() {
			time.Sleep(time.Second)
			for range 100 {
				c, _ := l.Accept()
				c.Close()
			}
		}()
		c, err := f.cloud.Dial(t.Context(), "tcp", publicA+":7")
		if err != nil {
			t.Error("never woken, though 100 places were free after 1 s")
		} else {
			c.Close()
		}
	})
}

func TestSecondStopStopsNobodyElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a := f.instance("use1-az1", privateA, publicA)
		stop := f.serve(a, 80, named("a"))
		stop()
		f.serve(a, 80, named("b"))
		stop()
		f.expectReply(publicA, "b")
	})
}

func TestProbeSeesWhatAClientSees(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a := f.instance("use1-az1", privateA, publicA)
		var path string
		f.serve(a, 80, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			path = r.URL.Path
			w.WriteHeader(200)
			w.(http.Flusher).Flush()
		}))
		if _, err := f.get(publicA); err != nil {
			t.Error(err)
		}
		res := make(chan awstest.ProbeResult, 1)
		f.cloud.Update(func(tx *awstest.Tx) {
			tx.Probe(a, awstest.ProbeSpec{Port: 80, Path: "/a%20b", Timeout: time.Second}, func(_ *awstest.Tx, r awstest.ProbeResult) { res <- r })
		})
		if r := <-res; r.Status != 200 {
			t.Errorf("flusher: over a connection 200, probe %+v", r)
		}
		if path != "/a b" {
			t.Errorf("handler saw path %q", path)
		}
	})
}

func TestProbeHearsNothingFromTheDead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a := f.instance("use1-az1", privateA, publicA)
		f.serve(a, 80, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { time.Sleep(3 * time.Second) }))
		res := make(chan awstest.ProbeResult, 1)
		f.cloud.Update(func(tx *awstest.Tx) {
			tx.Probe(a, awstest.ProbeSpec{Port: 80, Path: "/", Timeout: 5 * time.Second}, func(_ *awstest.Tx, r awstest.ProbeResult) { res <- r })
		})
		time.Sleep(time.Second)
		defer f.zone("use1-az1").Fail(awstest.PowerLoss)()
		if r := <-res; r.Outcome == awstest.ProbeAnswered {
			t.Errorf("a machine without power has answered %+v", r)
		}
	})
}

func TestLoggerMayAskTheCloud(t *testing.T) {
	t.Parallel()
	var cloud *awstest.Cloud
	lines := 0
	cloud, err := awstest.New([]awstest.Service{new(counter).service}, func(o *awstest.Options) {
		o.Logger = slog.New(hookHandler{func() {
			lines++
			cloud.Count("STS", "")
		}})
	})
	if err != nil {
		t.Fatal(err)
	}
	// A logger that is called with the lock held would never return.
	if _, err := sts.NewFromConfig(cloud.Config("us-east-1")).GetSessionToken(t.Context(), nil); !errors.Is(err, awstest.ErrNotModelled) || lines == 0 {
		t.Errorf("got %v, and %d lines", err, lines)
	}
}

type hookHandler struct{ fn func() }

func (h hookHandler) Enabled(context.Context, slog.Level) bool { return true }
func (h hookHandler) Handle(_ context.Context, r slog.Record) error {
	h.fn()
	return nil
}
func (h hookHandler) WithAttrs([]slog.Attr) slog.Handler { return h }
func (h hookHandler) WithGroup(string) slog.Handler      { return h }

func TestLedgerSharesNoOutputWithTheCaller(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *awstest.Options) { o.Latency = awstest.NoLatency })
	var wg sync.WaitGroup
	stop := make(chan struct{})
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			for _, r := range f.cloud.Calls(mutation) {
				if out, ok := r.Output.(*sts.AssumeRoleOutput); ok && out != nil {
					_ = *out
				}
			}
		}
	})
	for range 200 {
		_ = f.add()
	}
	close(stop)
	wg.Wait()
}

func TestLedgerSharesNoInputWithTheCaller(t *testing.T) {
	t.Parallel()
	svc := func(r *awstest.Registry) error {
		e := r.Add(awstest.ServiceSpec{ID: sts.ServiceID})
		awstest.Handle(e, func(*awstest.Tx, *awstest.Call, *sts.AssumeRoleInput) (*sts.AssumeRoleOutput, error) {
			return &sts.AssumeRoleOutput{}, nil
		}, "RoleArn", "RoleSessionName", "TransitiveTagKeys")
		return e.Err()
	}
	cloud, _ := awstest.New([]awstest.Service{svc}, func(o *awstest.Options) { o.Latency = awstest.NoLatency })
	defer cloud.Close()
	client := sts.NewFromConfig(cloud.Config("us-east-1"))
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				cloud.Calls(awstest.Match{Resource: "x"})
			}
		}
	})
	in := addInput()
	in.TransitiveTagKeys = make([]string, 1)
	for n := range 300 {
		in.TransitiveTagKeys[0] = fmt.Sprint(n) // a worker reuses its batch
		if _, err := client.AssumeRole(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	wg.Wait()
	seen := cloud.Calls(awstest.Match{Resource: "3"})
	if len(seen) != 1 {
		t.Errorf("the call that carried \"3\" is found %d times: the ledger's history was rewritten", len(seen))
	}
}

func TestRegionsThatClientsUse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		for _, region := range []string{"aws-global", "ap-southeast-1", "sa-east-1", "eu-north-1", "ap-south-1"} {
			if _, err := sts.NewFromConfig(f.cloud.Config(region)).GetCallerIdentity(t.Context(), nil); err != nil {
				t.Errorf("%s: %v", region, err)
			}
		}
	})
}

func TestCallOfAnIsolatedInstanceGoesOutWhenItCan(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a := f.instance("use1-az1", privateA, "")
		client := f.clientOf(a)
		heal := f.zone("use1-az1").Fail(awstest.NetworkLoss)
		if _, err := f.cloud.LoseReply("STS", "AssumeRole", 1); err != nil {
			t.Fatal(err)
		}
		go func() { time.Sleep(3 * time.Second); heal() }()
		start := time.Now()
		if _, err := client.AssumeRole(t.Context(), addInput()); err != nil {
			t.Error(err)
		}
		if time.Since(start) > 10*time.Second {
			t.Errorf("healed after 3 s, the call went on for %v; Dial would have connected at 3 s", time.Since(start))
		}
		if got := f.read(); got != "2" {
			t.Errorf("sum %s: the LoseReply was used up by an attempt that never left the instance", got)
		}
	})
}

func TestReplyDoesNotCrossACutNetwork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a := f.instance("use1-az1", privateA, "")
		f.inject(mutation, awstest.DelayReply(10*time.Second))
		go func() { time.Sleep(5 * time.Second); f.zone("use1-az1").Fail(awstest.NetworkLoss) }()
		_, err := f.clientOf(a).AssumeRole(t.Context(), addInput(), func(o *sts.Options) { o.RetryMaxAttempts = 1 })
		if err == nil {
			t.Error("the reply crossed a network that was cut 5 s before")
		}
		if r := f.cloud.Calls(mutation)[0]; !r.Applied || r.Output != nil || r.Err == nil {
			t.Errorf("ledger: %+v", r)
		}
	})
}

func TestCallUnderWayAtCloseHasNoEffect(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.inject(mutation, awstest.Before(func(context.Context, awstest.Record) { f.cloud.Close() }))
		if err := f.add(); !errors.Is(err, awstest.ErrClosed) {
			t.Errorf("got %v, want ErrClosed", err)
		}
	})
}

func TestDeadlineComesBeforeTheReplyOfTheSameInstant(t *testing.T) {
	t.Parallel()
	counts := map[string]int{}
	for range 300 {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			defer cancel()
			_, err := f.client.AssumeRole(ctx, addInput())
			counts[fmt.Sprint(err == nil)+" applied "+f.read()]++
		})
	}
	if len(counts) > 1 {
		t.Errorf("latency == timeout in virtual time: %v", counts)
	}
}

func TestEventComesBeforeTheChangeOfTheSameInstant(t *testing.T) {
	t.Parallel()
	counts := map[bool]int{}
	for range 300 {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			happened := false
			f.cloud.Update(func(tx *awstest.Tx) {
				tx.Schedule(tx.Now().Add(time.Second), func(*awstest.Tx) { happened = true })
			})
			time.Sleep(time.Second)
			f.cloud.Update(func(*awstest.Tx) { counts[happened]++ })
		})
	}
	if len(counts) > 1 {
		t.Errorf("event at 1 s seen by a transaction at 1 s: %v", counts)
	}
}

func TestLedgerHasTheErrorThatTheCallerGot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.inject(mutation, awstest.Deny())
		err := f.add()
		var api smithy.APIError
		rec := f.cloud.Calls(mutation)[0]
		if errors.As(err, &api) != errors.As(rec.Err, &api) {
			t.Errorf("caller got %v; ledger has %T", err, rec.Err)
		}
	})
}

func TestServiceWithoutErrorsOfItsOwnHasTheCommonOnes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		svc := func(r *awstest.Registry) error {
			e := r.Add(awstest.ServiceSpec{ID: sts.ServiceID})
			awstest.Handle(e, func(*awstest.Tx, *awstest.Call, *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
				return &sts.GetCallerIdentityOutput{}, nil
			})
			return e.Err()
		}
		cloud, _ := awstest.New([]awstest.Service{svc})
		defer cloud.Close()
		cloud.Inject(awstest.Match{Service: "STS"}, awstest.Throttle())
		_, err := sts.NewFromConfig(cloud.Config("us-east-1")).GetCallerIdentity(t.Context(), nil)
		if code(err) == "" || cloud.Count("STS", "") != 3 {
			t.Errorf("Throttle gives %v, attempts %d", err, cloud.Count("STS", ""))
		}
	})
}

func TestCloseWaitsForHandlers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a := f.instance("use1-az1", privateA, publicA)
		var mu sync.Mutex
		ended := false
		f.serve(a, 80, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			time.Sleep(10 * time.Second)
			mu.Lock()
			ended = true
			mu.Unlock()
		}))
		c := f.dial(publicA + ":80")
		io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		synctest.Wait()
		f.cloud.Close()
		mu.Lock()
		if !ended {
			t.Error("Close has returned; a handler still runs")
		}
		mu.Unlock()
		time.Sleep(time.Minute)
	})
}

func TestEveryHangMustBeHealed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		one := f.inject(mutation, awstest.Hang())
		two := f.inject(mutation, awstest.Hang())
		go func() { time.Sleep(time.Minute); one(); time.Sleep(time.Minute); two() }()
		start := time.Now()
		f.add()
		if d := time.Since(start); d < 2*time.Minute {
			t.Errorf("went on after %v, while the second Hang was in force", d)
		}
		time.Sleep(time.Hour)
	})
}
