package healthcheck_test

import (
	"context"
	"errors"
	"io"
	"log"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/awsha/awsha/healthcheck"
	"github.com/awsha/awsha/internal/memnet"
)

var (
	silent     = log.New(io.Discard, "", 0)
	serverAddr = &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 80}
	clientAddr = &net.TCPAddr{IP: net.IPv4(10, 0, 9, 9), Port: 40000}
)

// serve answers each connection with handle until the test ends, and returns how to reach it.
func serve(t *testing.T, handle func(net.Conn)) (dial func(context.Context, string, string) (net.Conn, error)) {
	t.Helper()
	l := memnet.NewListener(serverAddr)
	var server sync.WaitGroup
	t.Cleanup(func() {
		_ = l.Close()
		server.Wait()
	})
	server.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			server.Go(func() {
				defer conn.Close()
				handle(conn)
			})
		}
	})
	return func(ctx context.Context, _, _ string) (net.Conn, error) { return l.Dial(ctx, clientAddr) }
}

// answer reads a request and writes s.
func answer(s string) func(net.Conn) {
	return func(conn net.Conn) {
		_, _ = conn.Read(make([]byte, 4096))
		_, _ = io.WriteString(conn, s)
	}
}

// check opens a probe and calls it once.
func check(t *testing.T, checker healthcheck.Checker, addr string, timeout time.Duration) healthcheck.Result {
	t.Helper()
	return checkTarget(t, checker, healthcheck.Target{ID: "a", Addr: addr}, timeout)
}

// checkTarget is check for more than an address.
func checkTarget(t *testing.T, checker healthcheck.Checker, target healthcheck.Target, timeout time.Duration) healthcheck.Result {
	t.Helper()
	probe, err := checker.Open(target)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	r := probe.Check(ctx)
	if err := probe.Close(); err != nil {
		t.Error(err)
	}
	return r
}

func newHTTP(t testing.TB, optFns ...func(*healthcheck.HTTPOptions)) healthcheck.Checker {
	t.Helper()
	checker, err := healthcheck.HTTP(optFns...)
	if err != nil {
		t.Fatal(err)
	}
	return checker
}

const (
	passed     = ""
	timeout    = healthcheck.ReasonTimeout
	failed     = healthcheck.ReasonFailedHealthChecks
	mismatched = healthcheck.ReasonResponseCodeMismatch
)

func TestHTTPOutcomes(t *testing.T) {
	t.Parallel()
	const limit = 5 * time.Second
	drip := func(s string) func(net.Conn) { // for ever
		return func(conn net.Conn) {
			for i := 0; ; i++ {
				if _, err := conn.Write([]byte{s[i%len(s)]}); err != nil {
					return
				}
				time.Sleep(100 * time.Millisecond)
			}
		}
	}
	flood := func(head, s string) func(net.Conn) { // for ever
		return func(conn net.Conn) {
			_, err := io.WriteString(conn, head)
			for block := strings.Repeat(s, 1024); err == nil; {
				_, err = io.WriteString(conn, block)
			}
		}
	}
	tests := []struct {
		name   string
		handle func(net.Conn)
		code   int
		reason healthcheck.Reason
		takes  time.Duration
	}{
		{"200", answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), 200, passed, 0},
		{"HTTP/1.0 until close", answer("HTTP/1.0 200 OK\r\n\r\nok"), 200, passed, 0},
		{"a listed code", answer("HTTP/1.1 204 No Content\r\n\r\n"), 204, passed, 0},
		{"another code", answer("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"), 503, mismatched, 0},
		{"a redirect", answer("HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"), 302, mismatched, 0},
		{"another code with an endless body", flood("HTTP/1.1 500 Oh\r\n\r\n", "x"), 500, mismatched, 0},
		{"another code without its body", func(conn net.Conn) {
			answer("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 10\r\n\r\n")(conn)
			_, _ = io.Copy(io.Discard, conn)
		}, 503, mismatched, 0},
		{"a flood as the body", flood("HTTP/1.1 200 OK\r\n\r\n", "x"), 200, passed, 0},
		{"a flood of chunks", flood("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n"), 200, passed, 0},
		{"garbage", answer("SSH-2.0-OpenSSH_9.9\r\n"), 0, failed, 0},
		{"a flood of garbage", flood("", "x"), 0, failed, 0},
		{"a flood of headers", flood("HTTP/1.1 200 OK\r\n", "A: b\r\n"), 0, failed, 0},
		{"a flood as one header", flood("HTTP/1.1 200 OK\r\nA: ", "b"), 0, failed, 0},
		{"a flood of informational answers", flood("", "HTTP/1.1 100 Continue\r\n\r\n"), 0, failed, 0},
		{"closed at once", func(net.Conn) {}, 0, failed, 0},
		{"closed in the header", answer("HTTP/1.1 200 OK\r\nContent-"), 0, failed, 0},
		{"closed in the body", answer("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok"), 200, failed, 0},
		{"reset", func(conn net.Conn) { conn.(*memnet.Conn).Reset() }, 0, failed, 0},
		{"silence", func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }, 0, timeout, limit},
		{"a dripping header", drip("HTTP/1.1 200 OK\r\n" + strings.Repeat("A: b\r\n", 100)), 0, timeout, limit},
		{"a dripping body", drip("HTTP/1.1 200 OK\r\n\r\n" + strings.Repeat("x", 1000)), 200, timeout, limit},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				checker := newHTTP(t, func(o *healthcheck.HTTPOptions) {
					o.Dial = serve(t, tt.handle)
					o.Matcher = "200-204"
				})
				begin := time.Now()
				r := check(t, checker, "10.0.0.1:80", limit)
				if took := time.Since(begin); took != tt.takes {
					t.Errorf("took %v, want %v", took, tt.takes)
				}
				outcome := healthcheck.Fail
				if tt.reason == passed {
					outcome = healthcheck.Pass
				}
				want := healthcheck.Result{Outcome: outcome, Reason: tt.reason, Code: tt.code, HasCode: tt.code != 0, Detail: map[healthcheck.Reason]string{
					passed: "", timeout: "Request timed out", failed: "Health checks failed",
					mismatched: "Health checks failed with these codes: [" + strconv.Itoa(tt.code) + "]",
				}[tt.reason], RemoteAddr: "10.0.0.1:80"}
				if diff := cmp.Diff(want, r, cmpopts.IgnoreFields(healthcheck.Result{}, "Err")); diff != "" {
					t.Errorf("result (-want +got):\n%s", diff)
				}
				if (r.Err != nil) != (tt.reason == timeout || tt.reason == failed) {
					t.Errorf("cause %v", r.Err)
				}
			})
		})
	}
}

// TestHTTPReadsNoMoreThanItHasTo counts what a check takes of an endless answer.
func TestHTTPReadsNoMoreThanItHasTo(t *testing.T) {
	t.Parallel()
	const maxBody = 3000
	for name, tt := range map[string]struct {
		head, flood string
		limit       int64
	}{
		"body":   {"HTTP/1.1 200 OK\r\n\r\n", "xxxxxxxx", 4<<10 + maxBody},
		"header": {"HTTP/1.1 200 OK\r\nA:", "xxxxxxxx", healthcheck.MaxHead},
		"chunks": {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "3\r\nxxx\r\n", 4<<10 + 2*maxBody},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var read atomic.Int64
				dial := serve(t, func(conn net.Conn) {
					_, err := io.WriteString(conn, tt.head)
					for flood := strings.Repeat(tt.flood, 500); err == nil; {
						_, err = io.WriteString(conn, flood)
					}
				})
				checker := newHTTP(t, func(o *healthcheck.HTTPOptions) {
					o.MaxBody = maxBody
					o.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
						conn, err := dial(ctx, network, addr)
						return readCounter{conn, &read}, err
					}
				})
				check(t, checker, "10.0.0.1:80", time.Second)
				if n := read.Load(); n < maxBody || n > tt.limit {
					t.Errorf("read %d bytes, want at most %d", n, tt.limit)
				}
			})
		})
	}
}

type readCounter struct {
	net.Conn
	n *atomic.Int64
}

func (c readCounter) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.n.Add(int64(n))
	return n, err
}

func TestHTTPRequest(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		opt  func(*healthcheck.HTTPOptions)
		addr string
		want string
	}{
		{
			"by default", func(*healthcheck.HTTPOptions) {}, "10.0.0.1:80",
			"GET / HTTP/1.1\r\nHost: 10.0.0.1:80\r\nUser-Agent: awsha-healthcheck/1\r\nAccept: */*\r\nConnection: close\r\n\r\n",
		},
		{
			"with everything",
			func(o *healthcheck.HTTPOptions) {
				o.Method, o.Path, o.Host, o.UserAgent = "HEAD", "/healthz?deep=1", "example.com", "ELB-HealthChecker/2.0"
			},
			"10.0.0.1:8080",
			"HEAD /healthz?deep=1 HTTP/1.1\r\nHost: example.com\r\nUser-Agent: ELB-HealthChecker/2.0\r\nAccept: */*\r\nConnection: close\r\n\r\n",
		},
		{
			"with a method whose requests may have a body",
			func(o *healthcheck.HTTPOptions) { o.Method, o.Header = "POST", http.Header{"accept": {"text/plain"}} }, "10.0.0.1:80",
			"POST / HTTP/1.1\r\nHost: 10.0.0.1:80\r\nUser-Agent: awsha-healthcheck/1\r\naccept: text/plain\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
		},
		{
			"to a link-local address, without the zone", func(*healthcheck.HTTPOptions) {}, "[fe80::1%eth0]:80",
			"GET / HTTP/1.1\r\nHost: [fe80::1]:80\r\nUser-Agent: awsha-healthcheck/1\r\nAccept: */*\r\nConnection: close\r\n\r\n",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var request, dialled string
				dial := serve(t, func(conn net.Conn) {
					b := make([]byte, 4096)
					n, _ := conn.Read(b)
					request = string(b[:n])
					_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"+strings.Repeat("x", 5))
				})
				checker := newHTTP(t, tt.opt, func(o *healthcheck.HTTPOptions) {
					o.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
						dialled = network + " " + addr
						return dial(ctx, network, addr)
					}
				})
				if r := check(t, checker, tt.addr, time.Second); r.Outcome != healthcheck.Pass {
					t.Errorf("result %+v", r)
				}
				if diff := cmp.Diff(tt.want, request); diff != "" {
					t.Errorf("request (-want +got):\n%s", diff)
				}
				if dialled != "tcp "+tt.addr {
					t.Errorf("dialled %s", dialled)
				}
			})
		})
	}
}

func TestHTTPReportsEveryMistake(t *testing.T) {
	t.Parallel()
	_, err := healthcheck.HTTP(func(o *healthcheck.HTTPOptions) {
		o.Method = "GET /admin HTTP/1.1\r\n"
		o.Path = "healthz"
		o.Host = "a\r\nX-Evil: 1"
		o.UserAgent = "a\nb"
		o.Matcher = "2xx"
		o.MaxBody = -1
	})
	wantFieldErrors(t, err,
		`healthcheck: HTTPOptions.Method: "GET /admin HTTP/1.1\r\n" must be an HTTP method other than CONNECT`,
		`healthcheck: HTTPOptions.Path: "healthz" must begin with "/", be escaped and have no fragment`,
		`healthcheck: HTTPOptions.Host: "a\r\nX-Evil: 1" must be a host, with a port or without`,
		`healthcheck: HTTPOptions.UserAgent: "a\nb" must be printable ASCII`,
		`healthcheck: HTTPOptions.Matcher: "2xx" must be codes from 200 to 599 such as "200", "200,202" or "200-299"`,
		`healthcheck: HTTPOptions.MaxBody: -1 must not be negative`,
	)
	_, err = healthcheck.HTTP(func(o *healthcheck.HTTPOptions) { o.Path = "/" + strings.Repeat("a", 1024) })
	if e, ok := errors.AsType[*healthcheck.FieldError](err); !ok || e.Field != "HTTPOptions.Path" {
		t.Errorf("a path that is too long: %v", err)
	}
	for _, tt := range []struct {
		field  string
		mutate func(*healthcheck.HTTPOptions)
	}{
		{"HTTPOptions.Path", func(o *healthcheck.HTTPOptions) { o.Path = "/a b" }},
		{"HTTPOptions.Path", func(o *healthcheck.HTTPOptions) { o.Path = "/a#b" }},
		{"HTTPOptions.Path", func(o *healthcheck.HTTPOptions) { o.Path = "/100%" }},
		{"HTTPOptions.Method", func(o *healthcheck.HTTPOptions) { o.Method = http.MethodConnect }},
		{"HTTPOptions.Host", func(o *healthcheck.HTTPOptions) { o.Host = "https://example.com" }},
		{"HTTPOptions.Host", func(o *healthcheck.HTTPOptions) { o.Host = "example.com/healthz" }},
		{"HTTPOptions.MaxBody", func(o *healthcheck.HTTPOptions) { o.MaxBody = math.MaxInt }}, // and what is added to it overflows
		{"HTTPOptions.TLS.ServerName", func(o *healthcheck.HTTPOptions) { o.TLS = &healthcheck.TLSOptions{ServerName: "example.com:443"} }},
		{"HTTPOptions.TLS.ServerName", func(o *healthcheck.HTTPOptions) { o.TLS = &healthcheck.TLSOptions{ServerName: "https://example.com"} }},
		{"", func(o *healthcheck.HTTPOptions) { o.TLS = &healthcheck.TLSOptions{ServerName: "[2001:db8::1]"} }},
		{"", func(o *healthcheck.HTTPOptions) { o.Host, o.Path, o.MaxBody = "[::1]:80", "//a%20b?c=%23", 256<<20 }},
	} {
		var o healthcheck.HTTPOptions
		tt.mutate(&o)
		_, err := healthcheck.HTTP(tt.mutate)
		if e, ok := errors.AsType[*healthcheck.FieldError](err); ok != (tt.field != "") || ok && e.Field != tt.field {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func TestDialThatFailsHere(t *testing.T) {
	t.Parallel()
	for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EADDRNOTAVAIL} {
		checker := newHTTP(t, func(o *healthcheck.HTTPOptions) {
			o.Dial = func(context.Context, string, string) (net.Conn, error) {
				return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errno}
			}
		})
		r := check(t, checker, "10.0.0.1:80", time.Second)
		if r.Outcome != healthcheck.Unknown || r.Reason != healthcheck.ReasonInternalError || !errors.Is(r.Err, errno) {
			t.Errorf("%v: result %+v", errno, r)
		}
	}
}

// deaf is a connection that knows no deadlines.
type deaf struct{ net.Conn }

func (deaf) SetDeadline(time.Time) error { return errors.ErrUnsupported }

// stubborn is a connection whose Close does not end a Read.
type stubborn struct{ net.Conn }

func (stubborn) Close() error { return nil }

func TestCheckEndsOnAnyConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for name, wrap := range map[string]func(net.Conn) net.Conn{
			"deaf":     func(conn net.Conn) net.Conn { return deaf{conn} },
			"stubborn": func(conn net.Conn) net.Conn { return stubborn{conn} },
		} {
			client, server := net.Pipe()
			go func() { _, _ = io.Copy(io.Discard, server) }()
			checker := newHTTP(t, func(o *healthcheck.HTTPOptions) {
				o.Dial = func(context.Context, string, string) (net.Conn, error) { return wrap(client), nil }
			})
			begin := time.Now()
			if r := check(t, checker, "10.0.0.1:80", time.Second); r.Reason != timeout || time.Since(begin) != time.Second {
				t.Errorf("%s: after %v: %+v", name, time.Since(begin), r)
			}
			_ = client.Close()
		}
	})
}

func TestHTTPOverSockets(t *testing.T) {
	t.Parallel()
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	t.Cleanup(other.Close)
	mux := http.NewServeMux()
	mux.HandleFunc("/ok", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") })
	mux.HandleFunc("/long", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 1<<20)) })
	mux.HandleFunc("/chunked", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "o")
		_ = http.NewResponseController(w).Flush()
		_, _ = io.WriteString(w, "k")
	})
	mux.HandleFunc("/redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusFound) })
	mux.HandleFunc("/down", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	mux.HandleFunc("/hang", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	addr := server.Listener.Addr().String()

	tests := []struct {
		path   string
		method string
		code   int
		reason healthcheck.Reason
	}{
		{"/ok", "", 200, passed},
		{"/ok", "HEAD", 200, passed},
		{"/long", "", 200, passed},
		{"/chunked", "", 200, passed},
		{"/redirect", "", 302, mismatched},
		{"/down", "", 503, mismatched},
		{"/hang", "", 0, timeout},
	}
	for _, tt := range tests {
		t.Run(tt.method+tt.path, func(t *testing.T) {
			t.Parallel()
			limit := 10 * time.Second
			if tt.reason == timeout {
				limit = time.Second // to connect in, on a busy machine
			}
			checker := newHTTP(t, func(o *healthcheck.HTTPOptions) { o.Method, o.Path = tt.method, tt.path })
			r := check(t, checker, addr, limit)
			if r.Code != tt.code || r.Reason != tt.reason || r.Connect <= 0 {
				t.Errorf("result %+v", r)
			}
			if elsewhere.Load() != 0 {
				t.Error("the redirect was followed")
			}
		})
	}
}
