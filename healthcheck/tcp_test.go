package healthcheck_test

import (
	"context"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/healthcheck"
)

func newTCP(t testing.TB, optFns ...func(*healthcheck.TCPOptions)) healthcheck.Checker {
	t.Helper()
	checker, err := healthcheck.TCP(optFns...)
	if err != nil {
		t.Fatal(err)
	}
	return checker
}

func listen(t *testing.T) *net.TCPListener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.(*net.TCPListener)
}

func TestTCPOverSockets(t *testing.T) {
	t.Parallel()
	t.Run("accepted, and reset afterwards", func(t *testing.T) {
		t.Parallel()
		l := listen(t)
		ended := make(chan error, 1)
		go func() {
			conn, err := l.Accept()
			if err == nil {
				defer conn.Close()
				_, err = conn.Read(make([]byte, 1))
			}
			ended <- err
		}()
		if r := check(t, newTCP(t), l.Addr().String(), 10*time.Second); r.Outcome != healthcheck.Pass || r.Connect <= 0 || r.Reason != "" {
			t.Errorf("result %+v", r)
		}
		if err := <-ended; !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the target sees %v, want a reset, which leaves no TIME_WAIT", err)
		}
	})
	t.Run("refused", func(t *testing.T) {
		t.Parallel()
		l := listen(t)
		_ = l.Close()
		for name, checker := range map[string]healthcheck.Checker{"TCP": newTCP(t), "HTTP": newHTTP(t)} {
			r := check(t, checker, l.Addr().String(), 10*time.Second)
			if r.Outcome != healthcheck.Fail || r.Reason != failed || !errors.Is(r.Err, syscall.ECONNREFUSED) {
				t.Errorf("%s: result %+v", name, r)
			}
		}
	})
	t.Run("never accepted", func(t *testing.T) {
		t.Parallel()
		l := listen(t)
		if r := check(t, newTCP(t), l.Addr().String(), 10*time.Second); r.Outcome != healthcheck.Pass {
			t.Errorf("TCP, which sees the kernel only: %+v", r)
		}
		if r := check(t, newHTTP(t), l.Addr().String(), 100*time.Millisecond); r.Outcome != healthcheck.Fail || r.Reason != timeout {
			t.Errorf("HTTP: %+v", r)
		}
	})
}

func TestTCPTimeoutAndCancellation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		blackhole := newTCP(t, func(o *healthcheck.TCPOptions) {
			o.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
				<-ctx.Done()
				return nil, &net.OpError{Op: "dial", Net: "tcp", Err: ctx.Err()}
			}
		})
		begin := time.Now()
		if r := check(t, blackhole, "10.0.0.1:80", time.Minute); r.Outcome != healthcheck.Fail || r.Reason != timeout || time.Since(begin) != time.Minute {
			t.Errorf("after %v: %+v", time.Since(begin), r)
		}

		probe, err := blackhole.Open(healthcheck.Target{ID: "a", Addr: "10.0.0.1:80"})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if r := probe.Check(ctx); r.Outcome != healthcheck.Unknown {
			t.Errorf("called off: %+v", r)
		}

		silent := newHTTP(t, func(o *healthcheck.HTTPOptions) {
			o.Dial = serve(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
		})
		probe, err = silent.Open(healthcheck.Target{ID: "a", Addr: "10.0.0.1:80"})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		begin = time.Now()
		if r := probe.Check(ctx); r.Outcome != healthcheck.Unknown || time.Since(begin) != time.Second {
			t.Errorf("called off while reading, after %v: %+v", time.Since(begin), r)
		}
	})
}
