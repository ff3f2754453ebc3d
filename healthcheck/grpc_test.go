package healthcheck_test

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
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

	"github.com/awsha/awsha/healthcheck"
)

func newGRPC(t testing.TB, optFns ...func(*healthcheck.GRPCOptions)) healthcheck.Checker {
	t.Helper()
	checker, err := healthcheck.GRPC(optFns...)
	if err != nil {
		t.Fatal(err)
	}
	return checker
}

// grpcServer serves HTTP/2 in the clear.
func grpcServer(t testing.TB, handle http.HandlerFunc, optFns ...func(*httptest.Server)) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(handle)
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Config.ErrorLog = silent
	for _, fn := range optFns {
		fn(server)
	}
	if server.TLS == nil {
		server.Start()
	} else {
		server.StartTLS()
	}
	t.Cleanup(server.Close)
	return server
}

// frame returns a message as gRPC sends it.
func frame(message string) string {
	return string(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message)))) + message
}

// says answers with a message, in a frame or in whatever else it is, and a status in the trailer.
func says(message string, status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/grpc")
		_, _ = io.WriteString(w, message)
		w.Header().Set(http.TrailerPrefix+"Grpc-Status", strconv.Itoa(status))
	}
}

// only answers with a status alone, as gRPC does where there is no message.
func only(status string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/grpc")
		w.Header().Set("Grpc-Status", status)
	}
}

func TestGRPC(t *testing.T) {
	t.Parallel()
	health := func(o *healthcheck.GRPCOptions) { o.Health = true }
	matcher := func(s string) func(*healthcheck.GRPCOptions) {
		return func(o *healthcheck.GRPCOptions) { o.Matcher = s }
	}
	const internal = healthcheck.ReasonInternalError
	for name, tt := range map[string]struct {
		handle http.HandlerFunc
		opt    func(*healthcheck.GRPCOptions)
		code   int // -1: none
		reason healthcheck.Reason
		detail string
	}{
		"any gRPC server does not know the method": {handle: only("12"), code: 12},
		"with a status in the trailer":             {handle: says("", 12), code: 12},
		"with a message that nobody reads":         {handle: says(frame("zebras"), 12), code: 12},
		"another status":                           {handle: only("14"), code: 14, reason: mismatched, detail: "Health checks failed with these codes: [14]"},
		"OK, which has to be listed":               {handle: says(frame(""), 0), code: 0, reason: mismatched, detail: "Health checks failed with these codes: [0]"},
		"OK, listed":                               {handle: says(frame(""), 0), opt: matcher("0"), code: 0},
		"one of a range":                           {handle: only("7"), opt: matcher("0-5,7"), code: 7},
		"beside a range":                           {handle: only("6"), opt: matcher("0-5,7"), code: 6, reason: mismatched, detail: "Health checks failed with these codes: [6]"},
		"no status":                                {handle: func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hi") }, code: -1, reason: failed},
		"not gRPC, and the page is not found":      {handle: http.NotFound, code: -1, reason: failed},
		"not gRPC, and unavailable":                {handle: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }, code: -1, reason: failed},
		"a status beside one of HTTP": {
			handle: func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Grpc-Status", "12")
				w.WriteHeader(http.StatusBadGateway)
			},
			code: -1, reason: failed,
		},
		"a redirect":                 {handle: http.RedirectHandler("http://169.254.169.254/", http.StatusFound).ServeHTTP, code: -1, reason: failed},
		"a status that is no number": {handle: only("OK"), code: -1, reason: failed},
		"a status that is too large": {handle: only("1000"), code: -1, reason: failed},
		"a negative status":          {handle: only("-1"), code: -1, reason: failed},
		"a message without an end":   {handle: flood, code: -1, reason: failed},
		"a header that is too long": {handle: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X", strings.Repeat("x", 40<<10))
			only("12")(w, r)
		}, code: -1, reason: failed},
		"an answer that breaks off":                 {handle: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, code: -1, reason: failed},
		"an answer that breaks off after its start": {handle: breakOff, code: -1, reason: failed},

		"healthy":                              {handle: says(frame("\x08\x01"), 0), opt: health, code: 0},
		"healthy, in words to come":            {handle: says(frame("\x12\x02hi\x08\x01\x1d1234\x2112345678\x30\x05"), 0), opt: health, code: 0},
		"not serving":                          {handle: says(frame("\x08\x02"), 0), opt: health, code: 0, reason: failed, detail: "Health checks failed: the service is NOT_SERVING"},
		"the last word counts":                 {handle: says(frame("\x08\x01\x08\x02"), 0), opt: health, code: 0, reason: failed, detail: "Health checks failed: the service is NOT_SERVING"},
		"unknown health":                       {handle: says(frame(""), 0), opt: health, code: 0, reason: failed, detail: "Health checks failed: the service is UNKNOWN"},
		"unknown service":                      {handle: says(frame("\x08\x03"), 0), opt: health, code: 0, reason: failed, detail: "Health checks failed: the service is SERVICE_UNKNOWN"},
		"health of another kind":               {handle: says(frame("\x08\xff\x01"), 0), opt: health, code: 0, reason: failed, detail: "Health checks failed: the service is 255"},
		"no health service":                    {handle: only("12"), opt: health, code: 12, reason: mismatched, detail: "Health checks failed with these codes: [12]"},
		"no such service":                      {handle: only("5"), opt: health, code: 5, reason: mismatched, detail: "Health checks failed with these codes: [5]"},
		"OK without a message":                 {handle: only("0"), opt: health, code: -1, reason: failed},
		"OK with a message that is compressed": {handle: says("\x01\x00\x00\x00\x02\x08\x01", 0), opt: health, code: -1, reason: failed},
		"OK with two messages":                 {handle: says(frame("\x08\x01")+frame("\x08\x01"), 0), opt: health, code: -1, reason: failed},
		"OK with half a message":               {handle: says("\x00\x00\x00\x00\x02\x08", 0), opt: health, code: -1, reason: failed},
		"OK with what is no message":           {handle: says(frame("\x08"), 0), opt: health, code: -1, reason: failed},
		"OK with another kind of message":      {handle: says(frame("\x0a\x7f"), 0), opt: health, code: -1, reason: failed},
		"OK with a group":                      {handle: says(frame("\x0b\x0c"), 0), opt: health, code: -1, reason: failed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := grpcServer(t, tt.handle)
			addr := server.Listener.Addr().String()
			opt := tt.opt
			if opt == nil {
				opt = func(*healthcheck.GRPCOptions) {}
			}
			r := check(t, newGRPC(t, opt), addr, 10*time.Second)
			want := healthcheck.Result{Outcome: healthcheck.Pass, Reason: tt.reason, RemoteAddr: addr, Detail: tt.detail}
			if tt.code >= 0 {
				want.Code, want.HasCode = tt.code, true
			}
			if tt.reason != passed {
				want.Outcome = healthcheck.Fail
				if tt.detail == "" {
					want.Detail = "Health checks failed"
				}
			}
			if r.Connect <= 0 || (r.Err != nil) != (tt.reason == failed && tt.code < 0) || strings.Contains(r.Detail, "zebras") {
				t.Errorf("result %+v", r)
			}
			r.Connect, r.Err = 0, nil
			if diff := cmp.Diff(want, r); diff != "" || r.Reason == internal {
				t.Errorf("result (-want +got):\n%s", diff)
			}
		})
	}
}

func flood(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Grpc-Status", "12")
	for {
		if _, err := w.Write(make([]byte, 4096)); err != nil {
			return
		}
	}
}

func breakOff(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Grpc-Status", "12")
	_, _ = io.WriteString(w, "x")
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// TestGRPCRequest looks at what a server sees.
func TestGRPCRequest(t *testing.T) {
	t.Parallel()
	type request struct {
		Proto, Method, Path, Host, Message string
		Header                             http.Header
	}
	header := http.Header{"Content-Type": {"application/grpc"}, "Te": {"trailers"}, "User-Agent": {"awsha-healthcheck/1"}}
	for name, tt := range map[string]struct {
		opt    func(*healthcheck.GRPCOptions)
		target healthcheck.Target
		want   request // Host empty: the address
	}{
		"by default": {
			opt:  func(*healthcheck.GRPCOptions) {},
			want: request{Path: "/AWS.ALB/healthcheck", Message: frame("")},
		},
		"another method of a target with a name": {
			opt:    func(o *healthcheck.GRPCOptions) { o.Path = "/a.B/C" },
			target: healthcheck.Target{Host: "a.test:81"},
			want:   request{Path: "/a.B/C", Host: "a.test:81", Message: frame("")},
		},
		"the health of all": {
			opt:    func(o *healthcheck.GRPCOptions) { o.Health, o.Host = true, "b.test" },
			target: healthcheck.Target{Host: "a.test:81"},
			want:   request{Path: "/grpc.health.v1.Health/Check", Host: "b.test", Message: frame("")},
		},
		"the health of a service": {
			opt:  func(o *healthcheck.GRPCOptions) { o.Health, o.Service = true, "a.B" },
			want: request{Path: "/grpc.health.v1.Health/Check", Message: frame("\x0a\x03a.B")},
		},
		"the health of a service with a long name": {
			opt:  func(o *healthcheck.GRPCOptions) { o.Health, o.Service = true, strings.Repeat("s", 200) },
			want: request{Path: "/grpc.health.v1.Health/Check", Message: frame("\x0a\xc8\x01" + strings.Repeat("s", 200))},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			var got request
			server := grpcServer(t, func(w http.ResponseWriter, r *http.Request) {
				message, _ := io.ReadAll(r.Body)
				mu.Lock()
				got = request{r.Proto, r.Method, r.URL.RequestURI(), r.Host, string(message), r.Header}
				mu.Unlock()
				only("12")(w, r)
			})
			tt.target.ID, tt.target.Addr = "a", server.Listener.Addr().String()
			checkTarget(t, newGRPC(t, tt.opt), tt.target, 10*time.Second)
			mu.Lock()
			defer mu.Unlock()
			tt.want.Proto, tt.want.Method, tt.want.Header = "HTTP/2.0", http.MethodPost, header.Clone()
			tt.want.Header.Set("Content-Length", strconv.Itoa(len(tt.want.Message)))
			if tt.want.Host == "" {
				tt.want.Host = tt.target.Addr
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
		})
	}
}

func TestGRPCOverTLS(t *testing.T) {
	t.Parallel()
	var scheme atomic.Value
	server := grpcServer(t, func(w http.ResponseWriter, r *http.Request) {
		scheme.Store(r.TLS.ServerName + " " + r.TLS.NegotiatedProtocol)
		only("12")(w, r)
	}, func(s *httptest.Server) {
		s.TLS, s.EnableHTTP2 = &tls.Config{}, true
		s.Config.Protocols.SetHTTP2(true)
	})
	target := healthcheck.Target{ID: "a", Addr: server.Listener.Addr().String(), Host: "example.com"}
	for name, tt := range map[string]struct {
		options healthcheck.TLSOptions
		want    healthcheck.Outcome
	}{
		"any certificate":      {healthcheck.TLSOptions{}, healthcheck.Pass},
		"verified":             {healthcheck.TLSOptions{Verify: true, Config: rootsOf(server)}, healthcheck.Pass},
		"of another authority": {healthcheck.TLSOptions{Verify: true}, healthcheck.Fail},
	} {
		for _, reuse := range []int{0, 2} {
			probe := openProbe(t, newGRPC(t, func(o *healthcheck.GRPCOptions) { o.TLS, o.Reuse = &tt.options, reuse }), target)
			for i := range 3 {
				if r := again(t, probe, 10*time.Second); r.Outcome != tt.want || tt.want == healthcheck.Pass && r.Reused != (reuse == 2 && i == 1) {
					t.Errorf("%s: %+v", name, r)
				}
			}
		}
	}
	if s := scheme.Load(); s != "example.com h2" {
		t.Errorf("spoken to as %q", s)
	}

	http1 := tlsServer(t)
	r := check(t, newGRPC(t, func(o *healthcheck.GRPCOptions) { o.TLS = &healthcheck.TLSOptions{} }), http1.Listener.Addr().String(), 10*time.Second)
	if r.Outcome != healthcheck.Fail || r.Reason != failed {
		t.Errorf("a server without HTTP/2: %+v", r)
	}
}

// TestGRPCReuse counts connections, also when the server closes them.
func TestGRPCReuse(t *testing.T) {
	t.Parallel()
	var conns, stop atomic.Int32
	server := grpcServer(t, func(w http.ResponseWriter, r *http.Request) {
		if stop.Load() > 0 {
			w.Header().Set("Connection", "close") // GOAWAY
		}
		only("12")(w, r)
	}, func(s *httptest.Server) {
		s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				conns.Add(1)
			}
		}
	})
	target := healthcheck.Target{ID: "a", Addr: server.Listener.Addr().String()}
	for reuse, want := range map[int]int32{0: 6, 1: 6, 2: 3, 100: 1} {
		conns.Store(0)
		probe := openProbe(t, newGRPC(t, func(o *healthcheck.GRPCOptions) { o.Reuse = reuse }), target)
		for i := range 6 {
			if r := again(t, probe, 10*time.Second); r.Outcome != healthcheck.Pass || r.Reused != (reuse > 0 && i%reuse > 0) {
				t.Errorf("reuse %d, check %d: %+v", reuse, i, r)
			}
		}
		if n := conns.Load(); n != want {
			t.Errorf("reuse %d: %d connections for 6 checks", reuse, n)
		}
	}
	probe := openProbe(t, newGRPC(t, func(o *healthcheck.GRPCOptions) { o.Reuse = 100 }), target)
	again(t, probe, 10*time.Second)
	server.CloseClientConnections()
	if r := again(t, probe, 10*time.Second); r.Outcome != healthcheck.Pass || r.Reused {
		t.Errorf("after the server has closed: %+v", r)
	}
	stop.Store(1)
	for i := range 4 {
		if r := again(t, probe, 10*time.Second); r.Outcome != healthcheck.Pass || r.Reused != (i == 0) {
			t.Errorf("with a server that says goodbye, check %d: %+v", i, r)
		}
	}
}

// TestGRPCHostile: what is at the other end cannot hold a check beyond its time, nor make it read for ever.
func TestGRPCHostile(t *testing.T) {
	t.Parallel()
	settings := "\x00\x00\x00\x04\x00\x00\x00\x00\x00"
	for name, tt := range map[string]struct {
		handle func(net.Conn)
		reason healthcheck.Reason
	}{
		"HTTP/1.1":       {answer("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"), failed},
		"garbage":        {answer(strings.Repeat("\xff", 100)), failed},
		"closed at once": {func(net.Conn) {}, failed},
		"silence":        {func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }, timeout},
		"a flood of pings": {func(conn net.Conn) {
			go func() { _, _ = io.Copy(io.Discard, conn) }()
			_, err := io.WriteString(conn, settings)
			for ping := "\x00\x00\x08\x06\x00\x00\x00\x00\x0012345678"; err == nil; {
				_, err = io.WriteString(conn, strings.Repeat(ping, 100))
			}
		}, failed},
		"a flood of settings": {func(conn net.Conn) {
			go func() { _, _ = io.Copy(io.Discard, conn) }()
			var err error
			for err == nil {
				_, err = io.WriteString(conn, strings.Repeat(settings, 100))
			}
		}, failed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				checker := newGRPC(t, func(o *healthcheck.GRPCOptions) { o.Dial = serve(t, tt.handle) })
				begin := time.Now()
				r := check(t, checker, "10.0.0.1:80", 5*time.Second)
				if r.Outcome != healthcheck.Fail || r.Reason != tt.reason || r.HasCode || (time.Since(begin) == 5*time.Second) != (tt.reason == timeout) {
					t.Errorf("after %v: %+v", time.Since(begin), r)
				}
			})
		})
	}
}

// TestGRPCTimeoutAndCancellation: also over what knows no deadlines.
func TestGRPCTimeoutAndCancellation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		silence := serve(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
		for name, tt := range map[string]struct {
			dial func(context.Context, string, string) (net.Conn, error)
		}{
			"connecting": {blackhole},
			"waiting":    {silence},
			"deaf": {func(ctx context.Context, network, addr string) (net.Conn, error) {
				conn, err := silence(ctx, network, addr)
				return deaf{conn}, err
			}},
			"not even reading": {func(context.Context, string, string) (net.Conn, error) {
				client, server := net.Pipe()
				context.AfterFunc(t.Context(), func() { _ = server.Close() })
				return deaf{client}, nil
			}},
		} {
			probe := openProbe(t, newGRPC(t, func(o *healthcheck.GRPCOptions) { o.Dial = tt.dial }), healthcheck.Target{ID: "a", Addr: "10.0.0.1:80"})
			begin := time.Now()
			if r := again(t, probe, time.Second); r.Reason != timeout || time.Since(begin) != time.Second {
				t.Errorf("%s: after %v: %+v", name, time.Since(begin), r)
			}
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, cancel)
			begin = time.Now()
			if r := probe.Check(ctx); r.Outcome != healthcheck.Unknown || time.Since(begin) != time.Second {
				t.Errorf("%s, called off after %v: %+v", name, time.Since(begin), r)
			}
		}
		own := newGRPC(t, func(o *healthcheck.GRPCOptions) {
			o.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, syscall.EMFILE }
		})
		if r := check(t, own, "10.0.0.1:80", time.Second); r.Outcome != healthcheck.Unknown || !errors.Is(r.Err, syscall.EMFILE) {
			t.Errorf("without a descriptor: %+v", r)
		}
	})
}

func TestGRPCReportsEveryMistake(t *testing.T) {
	t.Parallel()
	_, err := healthcheck.GRPC(func(o *healthcheck.GRPCOptions) {
		o.Path, o.Matcher, o.Host, o.Service, o.Reuse, o.Family = "a.B/C", "100", "a b", "x", -1, 9
	})
	wantFieldErrors(t, err,
		`healthcheck: GRPCOptions.Family: invalid must be AnyFamily, IPv4 or IPv6`,
		`healthcheck: GRPCOptions.Service: "x" must be empty without Health`,
		`healthcheck: GRPCOptions.Path: "a.B/C" must be of the form "/package.Service/Method"`,
		`healthcheck: GRPCOptions.Matcher: "100" must be codes from 0 to 99 such as "0", "0,12" or "0-99"`,
		`healthcheck: GRPCOptions.Host: "a b" must be a host, with a port or without`,
		`healthcheck: GRPCOptions.Reuse: -1 must not be negative`,
	)
	_, err = healthcheck.GRPC(func(o *healthcheck.GRPCOptions) { o.Health, o.Path, o.Matcher = true, "/a.B/C", "12" })
	wantFieldErrors(t, err,
		`healthcheck: GRPCOptions.Path: "/a.B/C" must be empty with Health`,
		`healthcheck: GRPCOptions.Matcher: "12" must be empty with Health`,
	)
}

// FuzzHealthCheckResponse: what is read twice says the same, and what comes after it is what counts.
func FuzzHealthCheckResponse(f *testing.F) {
	for _, s := range []string{"", "\x08\x01", "\x08\x02", "\x12\x02hi\x08\x01", "\x1d1234\x2112345678\x30\x05", "\x08\xff\xff\xff\xff\x0f", "\x0b", "\x0a\x7f"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		status, err := healthcheck.ParseHealthCheckResponse(b)
		if err != nil {
			return
		}
		if again, err := healthcheck.ParseHealthCheckResponse(append(b[:len(b):len(b)], b...)); again != status || err != nil {
			t.Fatalf("%x says %d, twice %d, %v", b, status, again, err)
		}
		if last, err := healthcheck.ParseHealthCheckResponse(append(b[:len(b):len(b)], 8, 1)); last != 1 || err != nil {
			t.Fatalf("%x, then 1, says %d, %v", b, last, err)
		}
	})
}
