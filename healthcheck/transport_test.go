package healthcheck_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/healthcheck"
)

// backendServer counts what reaches it, and answers as it is told to.
type backendServer struct {
	*httptest.Server

	requests atomic.Int64
	mu       sync.Mutex
	bodies   []string
	hosts    []string
}

func backendOf(t *testing.T, answer http.HandlerFunc) *backendServer {
	t.Helper()
	s := new(backendServer)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.requests.Add(1)
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		s.bodies, s.hosts = append(s.bodies, string(body)), append(s.hosts, r.Host)
		s.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *backendServer) addr() string { return s.Listener.Addr().String() }

func ok(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		_, _ = io.WriteString(w, "no")
	}
}

// die ends the connection without an answer.
func die(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// refusing is an address at which nobody listens.
func refusing(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// over is a pool of targets at addresses, and a transport over it.
func over(t *testing.T, optFn func(*healthcheck.TransportOptions), addrs ...string) (*healthcheck.Pool, *healthcheck.Transport) {
	t.Helper()
	pool := newPool(t, pass())
	for i, addr := range addrs {
		register(t, pool, healthcheck.Target{ID: fmt.Sprint("t", i), Addr: addr})
	}
	if optFn == nil {
		optFn = func(*healthcheck.TransportOptions) {}
	}
	transport := pool.Transport(nil, optFn)
	t.Cleanup(transport.CloseIdleConnections)
	return pool, transport
}

// oneShot is a body that cannot be got again, and knows whether it was closed.
type oneShot struct {
	io.Reader

	closed atomic.Int64
}

func (b *oneShot) Close() error { b.closed.Add(1); return nil }

func request(t *testing.T, method string, body io.Reader) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://service.example/path?q=1", body)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// read returns what came of a request.
func read(t *testing.T, transport http.RoundTripper, req *http.Request) string {
	t.Helper()
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return "error"
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return "broken body"
	}
	return fmt.Sprintf("%d %s", resp.StatusCode, body)
}

func outstanding(t *testing.T, pool *healthcheck.Pool) int {
	t.Helper()
	var n int
	for id := range pool.All() {
		s, _ := pool.Status(id)
		n += s.Outstanding
	}
	return n
}

func TestTransportSendsToTheTarget(t *testing.T) {
	t.Parallel()
	a, b := backendOf(t, ok), backendOf(t, ok)
	pool := newPool(t, pass())
	register(t, pool, healthcheck.Target{ID: "a", Addr: a.addr()}, healthcheck.Target{ID: "b", Addr: b.addr(), Host: "b.example"})
	transport := pool.Transport(nil)
	defer transport.CloseIdleConnections()
	for range 4 {
		req := request(t, http.MethodPost, strings.NewReader("body"))
		resp, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		if resp.Request != req || req.URL.Host != "service.example" {
			t.Error("the request of the caller was changed, or is not that of the response")
		}
		if n := outstanding(t, pool); n != 1 {
			t.Errorf("%d outstanding while the response is read", n)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		if n := outstanding(t, pool); n != 0 {
			t.Errorf("%d outstanding after the end of the response", n)
		}
		_ = resp.Body.Close()
	}
	if diff := cmp.Diff([]string{"body", "body"}, a.bodies); diff != "" {
		t.Errorf("a got (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"service.example", "service.example"}, a.hosts); diff != "" {
		t.Errorf("Host at a (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"b.example", "b.example"}, b.hosts); diff != "" {
		t.Errorf("Host at b, which has one (-want +got):\n%s", diff)
	}
}

// TestTransportRetries sends the same request twice to a bad target and a good one: round robin begins at the bad one at least once.
func TestTransportRetries(t *testing.T) {
	t.Parallel()
	codes := func(o *healthcheck.TransportOptions) { o.RetryStatus = []int{503} }
	plain := func(s string) io.Reader { return strings.NewReader(s) } // has GetBody
	stream := func(s string) io.Reader { return &oneShot{Reader: strings.NewReader(s)} }
	keyed := func(r *http.Request) { r.Header.Set("Idempotency-Key", "1") }
	for _, tt := range []struct {
		name    string
		bad     http.HandlerFunc // nil refuses connections
		options func(*healthcheck.TransportOptions)
		method  string
		body    func(string) io.Reader
		change  func(*http.Request)
		retried bool
		failed  string // what the request to the bad target comes to, when it is not tried again
	}{
		{name: "refused, GET", method: "GET", retried: true},
		{name: "refused, POST", method: "POST", body: plain, retried: true},
		{name: "refused, POST with a body that cannot be got again", method: "POST", body: stream, retried: true},
		{name: "refused, one attempt", options: func(o *healthcheck.TransportOptions) { o.Attempts = 1 }, method: "GET", failed: "error"},
		{name: "killed, GET", bad: die, method: "GET", retried: true},
		{name: "killed, DELETE", bad: die, method: "DELETE", retried: true},
		{name: "killed, PUT that can be replayed", bad: die, method: "PUT", body: plain, retried: true},
		{name: "killed, PUT that cannot be replayed", bad: die, method: "PUT", body: stream, failed: "error"},
		{name: "killed, POST", bad: die, method: "POST", body: plain, failed: "error"},
		{name: "killed, POST without a body", bad: die, method: "POST", failed: "error"},
		{name: "killed, PATCH", bad: die, method: "PATCH", body: plain, failed: "error"},
		{name: "killed, POST with a key", bad: die, method: "POST", body: plain, change: keyed, retried: true},
		{name: "killed, POST with a key that cannot be replayed", bad: die, method: "POST", body: stream, change: keyed, failed: "error"},
		{name: "503, not configured", bad: status(503), method: "GET", failed: "503 no"},
		{name: "503, GET", bad: status(503), options: codes, method: "GET", retried: true},
		{name: "503, POST", bad: status(503), options: codes, method: "POST", body: plain, failed: "503 no"},
		{name: "503, PUT that can be replayed", bad: status(503), options: codes, method: "PUT", body: plain, retried: true},
		{name: "502, another code", bad: status(502), options: codes, method: "GET", failed: "502 no"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			good, bad := backendOf(t, ok), &backendServer{}
			addr := refusing(t)
			if tt.bad != nil {
				bad = backendOf(t, tt.bad)
				addr = bad.addr()
			}
			pool, transport := over(t, tt.options, good.addr(), addr)
			want, sent := map[string]int{"200 ok": 2}, 2
			if !tt.retried {
				want, sent = map[string]int{"200 ok": 1, tt.failed: 1}, 1
			}
			got := map[string]int{}
			const text = "the body of the request"
			var bodies []string
			for range 2 {
				var body io.Reader
				if tt.body != nil {
					body = tt.body(text)
				}
				req := request(t, tt.method, body)
				if tt.change != nil {
					tt.change(req)
				}
				got[read(t, transport, req)]++
				if b, ok := body.(*oneShot); ok && b.closed.Load() != 1 {
					t.Errorf("the body was closed %d times", b.closed.Load())
				}
			}
			if tt.body != nil {
				for range sent {
					bodies = append(bodies, text)
				}
				if diff := cmp.Diff(bodies, good.bodies); diff != "" {
					t.Errorf("bodies at the good target (-want +got):\n%s", diff)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("outcomes (-want +got):\n%s", diff)
			}
			if n := good.requests.Load(); n != int64(sent) {
				t.Errorf("%d requests at the good target, want %d", n, sent)
			}
			if n := bad.requests.Load(); tt.bad != nil && (n < 1 || n > int64(sent)) {
				t.Errorf("%d requests at the bad target", n)
			}
			if n := outstanding(t, pool); n != 0 {
				t.Errorf("%d outstanding in the end", n)
			}
		})
	}
}

func TestTransportTriesEveryTargetOnceAndReturnsTheLastOutcome(t *testing.T) {
	t.Parallel()
	a, b := backendOf(t, status(503)), backendOf(t, status(503))
	pool, transport := over(t, func(o *healthcheck.TransportOptions) { o.Attempts, o.RetryStatus = 10, []int{503} }, a.addr(), b.addr())
	if got := read(t, transport, request(t, "GET", nil)); got != "503 no" {
		t.Errorf("got %q", got)
	}
	if a.requests.Load() != 1 || b.requests.Load() != 1 {
		t.Errorf("%d and %d requests", a.requests.Load(), b.requests.Load())
	}
	_, dead := over(t, nil, refusing(t), refusing(t))
	_, err := dead.RoundTrip(request(t, "GET", nil))
	var te *healthcheck.TargetError
	var oe *net.OpError
	if !errors.As(err, &te) || te.Attempts != 2 || !errors.As(err, &oe) {
		t.Errorf("error: %v", err)
	}
	if n := outstanding(t, pool); n != 0 {
		t.Errorf("%d outstanding", n)
	}
}

// TestTransportRetryBudget: a pool of which nothing works is not asked a multiple.
func TestTransportRetryBudget(t *testing.T) {
	t.Parallel()
	const requests = 200
	var dials atomic.Int64
	pool := newPool(t, pass())
	register(t, pool, idle(10)...)
	base := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		dials.Add(1)
		return nil, errRefused
	}}
	transport := pool.Transport(base)
	for range requests {
		if got := read(t, transport, request(t, "GET", nil)); got != "error" {
			t.Fatal(got)
		}
	}
	if retries := dials.Load() - requests; retries < requests/5 || retries > requests/5+10 {
		t.Errorf("%d retries of %d requests, want 20 %% and at most 10 more", retries, requests)
	}
}

func TestTransportGivesUpWithItsContext(t *testing.T) {
	t.Parallel()
	stop := make(chan struct{})
	ctx := &expiring{Context: t.Context(), done: make(chan struct{})}
	hang := func(_ http.ResponseWriter, r *http.Request) {
		close(ctx.done) // once: a second attempt would panic
		select {
		case <-r.Context().Done():
		case <-stop:
		}
	}
	a, b := backendOf(t, hang), backendOf(t, hang)
	t.Cleanup(func() { close(stop) })
	pool, transport := over(t, nil, a.addr(), b.addr())
	_, err := transport.RoundTrip(request(t, "GET", nil).WithContext(ctx))
	var timeout interface{ Timeout() bool }
	if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("error: %v", err)
	}
	if n := a.requests.Load() + b.requests.Load(); n != 1 {
		t.Errorf("%d attempts", n)
	}
	if n := outstanding(t, pool); n != 0 {
		t.Errorf("%d outstanding", n)
	}
}

// expiring is a context whose deadline passes when the test says so, however busy the machine is.
type expiring struct {
	context.Context

	done chan struct{}
}

func (e *expiring) Done() <-chan struct{} { return e.done }

func (e *expiring) Err() error {
	select {
	case <-e.done:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

func TestTransportClosesTheBodyWhateverHappens(t *testing.T) {
	t.Parallel()
	good := backendOf(t, ok)
	empty := newPool(t, pass())
	noAddr := newPool(t, pass())
	register(t, noAddr, healthcheck.Target{ID: "a"})
	pool, _ := over(t, nil, good.addr())
	for name, rt := range map[string]http.RoundTripper{
		"no targets":        empty.Transport(nil),
		"no address":        noAddr.Transport(nil),
		"a mistake":         pool.Transport(nil, func(o *healthcheck.TransportOptions) { o.Attempts = -1 }),
		"an invalid scheme": pool.Transport(&http.Transport{}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := &oneShot{Reader: strings.NewReader("x")}
			req := request(t, "PUT", body)
			if name == "an invalid scheme" {
				req.URL.Scheme = "no-such"
			}
			if got := read(t, rt, req); got != "error" {
				t.Errorf("got %q", got)
			}
			if n := body.closed.Load(); n != 1 {
				t.Errorf("closed %d times", n)
			}
		})
	}
}

func TestTransportReportsEveryMistake(t *testing.T) {
	t.Parallel()
	_, transport := over(t, func(o *healthcheck.TransportOptions) { o.Attempts, o.RetryPercent, o.RetryStatus = 101, -1, []int{200} })
	_, err := transport.RoundTrip(request(t, "GET", nil))
	wantFieldErrors(t, err,
		"healthcheck: TransportOptions.Attempts: 101 must be from 1 to 100",
		"healthcheck: TransportOptions.RetryPercent: -1 must be from 1 to 100",
		"healthcheck: TransportOptions.RetryStatus: 200 must be from 400 to 599",
	)
}

// TestTransportTrustsNoBaseThatDoesNotTrace: from such a base it cannot know that nothing was written.
func TestTransportTrustsNoBaseThatDoesNotTrace(t *testing.T) {
	t.Parallel()
	pool := newPool(t, pass())
	register(t, pool, idle(3)...)
	var base failingBase
	transport := pool.Transport(&base)
	if got := read(t, transport, request(t, "POST", nil)); got != "error" || base.calls.Load() != 1 {
		t.Errorf("%q after %d calls for a POST", got, base.calls.Load())
	}
	if got := read(t, transport, request(t, "GET", nil)); got != "error" || base.calls.Load() != 4 {
		t.Errorf("%q after %d more calls for a GET", got, base.calls.Load()-1)
	}
	transport.CloseIdleConnections()
	if base.closed.Load() != 1 {
		t.Error("CloseIdleConnections is not passed on")
	}
}

type failingBase struct{ calls, closed atomic.Int64 }

func (b *failingBase) RoundTrip(*http.Request) (*http.Response, error) {
	b.calls.Add(1)
	return nil, errRefused
}

func (b *failingBase) CloseIdleConnections() { b.closed.Add(1) }

// TestTransportSwitchesProtocols: the body of such a response is a connection that can be written to.
func TestTransportSwitchesProtocols(t *testing.T) {
	t.Parallel()
	server := backendOf(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		all, _ := io.ReadAll(rw) // up to the half-close
		_, _ = conn.Write(all)
	})
	pool, transport := over(t, nil, server.addr())
	req := request(t, "GET", nil)
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", "echo")
	resp, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	conn, isConn := resp.Body.(io.ReadWriteCloser)
	if !isConn || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("%d with a body that is %T", resp.StatusCode, resp.Body)
	}
	_, _ = io.WriteString(conn, "hello\n")
	half, closes := conn.(interface{ CloseWrite() error }) // which httputil.ReverseProxy looks for
	if !closes {
		t.Fatalf("%T cannot close one direction", conn)
	}
	if err := half.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	got, _ := io.ReadAll(conn)
	_ = conn.Close()
	if string(got) != "hello\n" || outstanding(t, pool) != 0 {
		t.Errorf("echo of %q, %d outstanding", got, outstanding(t, pool))
	}
}

// TestTransportUnderLoad: targets die and come back while many send, and no request that could go elsewhere is lost.
func TestTransportUnderLoad(t *testing.T) {
	t.Parallel()
	var down atomic.Int64
	servers := make([]*backendServer, 3)
	var addrs []string
	for i := range servers {
		servers[i] = backendOf(t, func(w http.ResponseWriter, r *http.Request) {
			if down.Load() == int64(i) {
				die(w, r)
			}
			ok(w, r)
		})
		addrs = append(addrs, servers[i].addr())
	}
	pool, transport := over(t, func(o *healthcheck.TransportOptions) { o.RetryPercent = 100 }, addrs...)
	var work sync.WaitGroup
	for worker := range 8 {
		work.Go(func() {
			for n := range 50 {
				down.Store(int64(worker+n/10) % 3)
				text := fmt.Sprint(worker, ":", n)
				req := request(t, "PUT", bytes.NewReader([]byte(text)))
				resp, err := transport.RoundTrip(req)
				if err != nil {
					if te := new(healthcheck.TargetError); !errors.As(err, &te) || te.Attempts != 3 {
						t.Error(err) // not even tried everywhere
					}
					continue
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
		})
	}
	work.Wait()
	if n := outstanding(t, pool); n != 0 {
		t.Errorf("%d outstanding", n)
	}
}

// roundTrip is a base that is a function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// TestTransportSurvivesItsBase: what a base does wrong costs one request, and not the place of the target in the balance.
func TestTransportSurvivesItsBase(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		base roundTrip
		want string
	}{
		{"panics", func(*http.Request) (*http.Response, error) { panic("boom") }, "panic boom"},
		{"returns nothing", func(*http.Request) (*http.Response, error) { return nil, nil }, "error"},
		{
			"returns a response without a body, which is tried again",
			func(*http.Request) (*http.Response, error) { return &http.Response{StatusCode: 503}, nil }, "503 ",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			pool := newPool(t, pass())
			register(t, pool, healthcheck.Target{ID: "a", Addr: "a:1"}, healthcheck.Target{ID: "b", Addr: "b:1"})
			transport := pool.Transport(tt.base, func(o *healthcheck.TransportOptions) { o.RetryStatus = []int{503} })
			got := func() (got string) {
				defer func() {
					if r := recover(); r != nil {
						got = fmt.Sprint("panic ", r)
					}
				}()
				return read(t, transport, request(t, "GET", nil))
			}()
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if n := outstanding(t, pool); n != 0 {
				t.Errorf("%d outstanding", n)
			}
		})
	}
}

// TestTransportLeavesATargetThatStalls: the rest of an answer that nobody wants does not hold up the next attempt.
func TestTransportLeavesATargetThatStalls(t *testing.T) {
	t.Parallel()
	stall := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "10")
		w.WriteHeader(http.StatusServiceUnavailable)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done() // which ends when the client hangs up
	}
	a, b := backendOf(t, ok), backendOf(t, stall)
	pool, transport := over(t, func(o *healthcheck.TransportOptions) { o.RetryStatus = []int{503} }, a.addr(), b.addr())
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for range 2 {
		if got := read(t, transport, request(t, "GET", nil).WithContext(ctx)); got != "200 ok" {
			t.Errorf("got %q", got)
		}
	}
	if b.requests.Load() == 0 || outstanding(t, pool) != 0 {
		t.Errorf("%d requests at the target that stalls, %d outstanding", b.requests.Load(), outstanding(t, pool))
	}
}

// TestTransportRetriesInAnotherZone: when a zone dies, no request goes from one of its dead targets to the next.
func TestTransportRetriesInAnotherZone(t *testing.T) {
	t.Parallel()
	good := backendOf(t, ok)
	pool := newPool(t, pass())
	for i := range 4 {
		register(t, pool, healthcheck.Target{ID: fmt.Sprint("dead", i), Zone: "z1", Addr: refusing(t)})
	}
	register(t, pool, healthcheck.Target{ID: "good", Zone: "z2", Addr: good.addr()})
	client := http.Client{Transport: pool.Transport(nil, func(o *healthcheck.TransportOptions) { o.Attempts, o.RetryPercent = 2, 100 })}
	t.Cleanup(client.CloseIdleConnections)
	for range 20 {
		res, err := client.Get("http://service/")
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
	}
}
