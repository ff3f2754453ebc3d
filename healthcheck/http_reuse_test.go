package healthcheck_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/healthcheck"
	"github.com/awsha/awsha/internal/memnet"
)

// openProbe opens a probe that is closed when the test ends.
func openProbe(t testing.TB, checker healthcheck.Checker, target healthcheck.Target) healthcheck.Probe {
	t.Helper()
	probe, err := checker.Open(target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := probe.Close(); err != nil {
			t.Error(err)
		}
	})
	return probe
}

// again checks once with a probe that has been used before, perhaps.
func again(t *testing.T, probe healthcheck.Probe, limit time.Duration) healthcheck.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	return probe.Check(ctx)
}

// requests answers each request over a connection with what reply says for the n-th one, of all connections, until that is
// empty.
func requests(served *atomic.Int32, reply func(n int32) string) func(net.Conn) {
	return func(conn net.Conn) {
		b := make([]byte, 4096)
		for {
			if _, err := conn.Read(b); err != nil {
				return
			}
			s := reply(served.Add(1))
			if s == "" {
				return
			}
			if _, err := io.WriteString(conn, s); err != nil {
				return
			}
		}
	}
}

const ok200 = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// TestReuse counts connections and looks at what each check says of them.
func TestReuse(t *testing.T) {
	t.Parallel()
	always := func(s string) func(int32) string { return func(int32) string { return s } }
	for name, tt := range map[string]struct {
		reuse  int
		reply  func(n int32) string
		reused string // of each check: n new, r reused
	}{
		"not by default":                 {0, always(ok200), "nnnn"},
		"once is not":                    {1, always(ok200), "nnnn"},
		"every other check reconnects":   {2, always(ok200), "nrnrnr"},
		"every third check reconnects":   {3, always(ok200), "nrrnrrn"},
		"as long as the target likes":    {100, always(ok200), "nrrrrrrr"},
		"HTTP/1.0 that offers it":        {100, always("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n"), "nrr"},
		"after chunks":                   {100, always("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"), "nrr"},
		"not after a farewell":           {100, always("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"), "nnn"},
		"not after more than the answer": {100, always(ok200 + "!"), "nnn"},
		"not after a long body":          {100, always("HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n" + strings.Repeat("x", 20000)), "nnn"},
		"not after a failure": {100, func(n int32) string {
			if n == 2 {
				return "HTTP/1.1 503 Oh\r\nContent-Length: 0\r\n\r\n"
			}
			return ok200
		}, "nrnr"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var dials, served atomic.Int32
				dial := serve(t, requests(&served, tt.reply))
				probe := openProbe(t, newHTTP(t, func(o *healthcheck.HTTPOptions) {
					o.Reuse = tt.reuse
					o.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
						dials.Add(1)
						return dial(ctx, network, addr)
					}
				}), healthcheck.Target{ID: "a", Addr: "10.0.0.1:80"})
				var got strings.Builder
				for range tt.reused {
					before := dials.Load()
					r := again(t, probe, time.Second)
					if r.Code == 200 && r.Outcome != healthcheck.Pass {
						t.Errorf("result %+v", r)
					}
					if r.RemoteAddr != "10.0.0.1:80" {
						t.Errorf("to %q", r.RemoteAddr)
					}
					if r.Reused != (dials.Load() == before) {
						t.Errorf("reused %v after %d dials", r.Reused, dials.Load()-before)
					}
					got.WriteByte(map[bool]byte{true: 'r', false: 'n'}[r.Reused])
					time.Sleep(30 * time.Second)
				}
				if got.String() != tt.reused {
					t.Errorf("got %s, want %s", got.String(), tt.reused)
				}
				if n := int(served.Load()); n != len(tt.reused) {
					t.Errorf("%d requests for %d checks", n, len(tt.reused))
				}
			})
		})
	}
}

// TestReuseAfterTheTargetHasHungUp: a check whose connection turns out to be gone makes a new one, once, within its time.
func TestReuseAfterTheTargetHasHungUp(t *testing.T) {
	t.Parallel()
	sorry := "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
	for name, tt := range map[string]struct {
		first   func(net.Conn) // what happens to the first connection, after its first answer
		outcome healthcheck.Outcome
		reason  healthcheck.Reason
		conns   int32
	}{
		"closed while idle":        {func(net.Conn) {}, healthcheck.Pass, passed, 2},
		"reset while idle":         {func(conn net.Conn) { conn.(*memnet.Conn).Reset() }, healthcheck.Pass, passed, 2},
		"said 408 while idle":      {func(conn net.Conn) { _, _ = io.WriteString(conn, sorry) }, healthcheck.Pass, passed, 2},
		"closed at the request":    {func(conn net.Conn) { _, _ = conn.Read(make([]byte, 1)) }, healthcheck.Pass, passed, 2},
		"says 408 to the request":  {answer(sorry), healthcheck.Pass, passed, 2},
		"closed within the answer": {answer("HTTP/1.1 200 OK\r\nContent-"), healthcheck.Fail, failed, 1},
		"garbage":                  {answer("SSH-2.0\r\n"), healthcheck.Fail, failed, 1},
		"silence":                  {func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }, healthcheck.Fail, timeout, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var conns atomic.Int32
				probe := openProbe(t, newHTTP(t, func(o *healthcheck.HTTPOptions) {
					o.Reuse = 100
					o.Dial = serve(t, func(conn net.Conn) {
						n := conns.Add(1)
						answer(ok200)(conn)
						if n == 1 {
							time.Sleep(time.Second)
							tt.first(conn)
							return
						}
						_, _ = io.Copy(io.Discard, conn)
					})
				}), healthcheck.Target{ID: "a", Addr: "10.0.0.1:80"})
				if r := again(t, probe, time.Second); r.Outcome != healthcheck.Pass {
					t.Fatalf("first: %+v", r)
				}
				time.Sleep(10 * time.Second)
				begin := time.Now()
				r := again(t, probe, 5*time.Second)
				if r.Outcome != tt.outcome || r.Reason != tt.reason || conns.Load() != tt.conns || r.Reused != (tt.conns == 1) {
					t.Errorf("over %d connections: %+v", conns.Load(), r)
				}
				if took := time.Since(begin); (took == 5*time.Second) != (tt.reason == timeout) {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}

// TestReuseWhenTheTargetIsGone: no reconnecting for ever.
func TestReuseWhenTheTargetIsGone(t *testing.T) {
	t.Parallel()
	l := listen(t)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		answer(ok200)(conn)
		_ = l.Close()
		_ = conn.Close()
	}()
	probe := openProbe(t, newHTTP(t, func(o *healthcheck.HTTPOptions) { o.Reuse = 10 }), healthcheck.Target{ID: "a", Addr: l.Addr().String()})
	if r := again(t, probe, 10*time.Second); r.Outcome != healthcheck.Pass {
		t.Fatalf("first: %+v", r)
	}
	<-ended
	if r := again(t, probe, 10*time.Second); r.Outcome != healthcheck.Fail || r.Reason != failed || r.Reused {
		t.Errorf("second: %+v", r)
	}
}

// TestUnaskedAnswerIsNotAnAnswer, over sockets, where it can be seen before the next request: a server that answers twice
// would otherwise be one answer behind for ever.
func TestUnaskedAnswerIsNotAnAnswer(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("a connection cannot be looked at without waiting there")
	}
	l := listen(t)
	said := make(chan struct{}, 10)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			answer(ok200)(conn)
			<-said // the first has been read
			_, _ = io.WriteString(conn, "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n")
			said <- struct{}{}
			_, _ = io.Copy(io.Discard, conn)
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-ended
	})
	probe := openProbe(t, newHTTP(t, func(o *healthcheck.HTTPOptions) { o.Reuse = 100 }), healthcheck.Target{ID: "a", Addr: l.Addr().String()})
	for range 3 {
		r := again(t, probe, 10*time.Second)
		if r.Outcome != healthcheck.Pass || r.Reused {
			t.Fatalf("result %+v", r)
		}
		said <- struct{}{}
		<-said
	}
	said <- struct{}{}
}

func TestReuseOverSockets(t *testing.T) {
	t.Parallel()
	var conns atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			conns.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	probe := openProbe(t, newHTTP(t, func(o *healthcheck.HTTPOptions) { o.Reuse = 10 }),
		healthcheck.Target{ID: "a", Addr: server.Listener.Addr().String()})
	for i := range 25 {
		if r := again(t, probe, 10*time.Second); r.Outcome != healthcheck.Pass || r.Reused != (i%10 > 0) {
			t.Errorf("check %d: %+v", i, r)
		}
	}
	if n := conns.Load(); n != 3 {
		t.Errorf("%d connections for 25 checks", n)
	}
	server.CloseClientConnections()
	if r := again(t, probe, 10*time.Second); r.Outcome != healthcheck.Pass || r.Reused {
		t.Errorf("after the server has closed: %+v", r)
	}
}

// TestKeptConnectionOutlivesItsDeadlines: those of one check mean nothing to the next. Over a socket, so the time is real.
func TestKeptConnectionOutlivesItsDeadlines(t *testing.T) {
	t.Parallel()
	probe := openProbe(t, newHTTP(t, func(o *healthcheck.HTTPOptions) { o.Reuse = 10 }), healthcheck.Target{ID: "a", Addr: rawServer(t)})
	for i := range 2 {
		if r := again(t, probe, 10*time.Second); r.Outcome != healthcheck.Pass || r.Reused != (i > 0) {
			t.Errorf("check %d: %+v", i, r)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// TestCloseOfAProbeClosesItsConnection, as the target sees it.
func TestCloseOfAProbeClosesItsConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		checker := newHTTP(t, func(o *healthcheck.HTTPOptions) {
			o.Reuse = 10
			o.Dial = serve(t, func(conn net.Conn) {
				answer(ok200)(conn)
				_, err := conn.Read(make([]byte, 1))
				ended <- err
			})
		})
		probe, err := checker.Open(healthcheck.Target{ID: "a", Addr: "10.0.0.1:80"})
		if err != nil {
			t.Fatal(err)
		}
		again(t, probe, time.Second)
		time.Sleep(time.Hour)
		select {
		case err := <-ended:
			t.Fatalf("closed while idle: %v", err)
		default:
		}
		if err := probe.Close(); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		select {
		case <-ended:
		default:
			t.Error("still open")
		}
	})
}

// TestCalledOffOverAKeptConnection: it counts as nothing, ends soon, and the connection is not used again.
func TestCalledOffOverAKeptConnection(t *testing.T) {
	t.Parallel()
	for _, after := range []time.Duration{time.Millisecond, time.Second} {
		synctest.Test(t, func(t *testing.T) {
			var conns atomic.Int32
			probe := openProbe(t, newHTTP(t, func(o *healthcheck.HTTPOptions) {
				o.Reuse = 10
				o.Dial = serve(t, func(conn net.Conn) {
					conns.Add(1)
					answer(ok200)(conn)
					_, _ = io.Copy(io.Discard, conn)
				})
			}), healthcheck.Target{ID: "a", Addr: "10.0.0.1:80"})
			again(t, probe, time.Second)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			time.AfterFunc(after, cancel)
			begin := time.Now()
			if r := probe.Check(ctx); r.Outcome != healthcheck.Unknown || time.Since(begin) > after+25*time.Millisecond {
				t.Errorf("called off after %v, returned after %v: %+v", after, time.Since(begin), r)
			}
			if r := again(t, probe, time.Second); r.Outcome != healthcheck.Pass || r.Reused || conns.Load() != 2 {
				t.Errorf("afterwards, over %d connections: %+v", conns.Load(), r)
			}
		})
	}
}

// TestSlowAnswerOverAKeptConnection: what takes longer than a check waits before it listens to its context.
func TestSlowAnswerOverAKeptConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var served atomic.Int32
		probe := openProbe(t, newHTTP(t, func(o *healthcheck.HTTPOptions) {
			o.Reuse = 10
			o.Dial = serve(t, requests(&served, func(n int32) string {
				time.Sleep(time.Duration(n) * 20 * time.Millisecond)
				return ok200
			}))
		}), healthcheck.Target{ID: "a", Addr: "10.0.0.1:80"})
		for i := range 5 {
			begin := time.Now()
			r := again(t, probe, time.Second)
			if want := time.Duration(i+1) * 20 * time.Millisecond; r.Outcome != healthcheck.Pass || r.Reused != (i > 0) || time.Since(begin) != want {
				t.Errorf("check %d, after %v: %+v", i, time.Since(begin), r)
			}
		}
	})
}

func TestHTTPHeader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var got []string
		var served atomic.Int32
		dial := serve(t, func(conn net.Conn) {
			b := make([]byte, 4096)
			for {
				n, err := conn.Read(b)
				if err != nil {
					return
				}
				got = append(got, string(b[:n]))
				served.Add(1)
				_, _ = io.WriteString(conn, ok200)
			}
		})
		probe := openProbe(t, newHTTP(t, func(o *healthcheck.HTTPOptions) {
			o.Dial, o.Reuse = dial, 2
			o.Header = http.Header{"X-B": {"2", "3"}, "Accept": {"text/plain"}, "Authorization": {"Bearer secret"}}
		}), healthcheck.Target{ID: "a", Addr: "10.0.0.1:80"})
		again(t, probe, time.Second)
		again(t, probe, time.Second)
		synctest.Wait()
		head := "GET / HTTP/1.1\r\nHost: 10.0.0.1:80\r\nUser-Agent: awsha-healthcheck/1\r\n" +
			"Accept: text/plain\r\nAuthorization: Bearer secret\r\nX-B: 2\r\nX-B: 3\r\nConnection: "
		if diff := cmp.Diff([]string{head + "keep-alive\r\n\r\n", head + "close\r\n\r\n"}, got); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
	})

	_, err := healthcheck.HTTP(func(o *healthcheck.HTTPOptions) {
		o.Method, o.BodyMatch, o.Reuse = "HEAD", "ok", -1
		o.Header = http.Header{
			"A b": {"x"}, "connection": {"close"}, "Host": {"a"}, "Content-Length": {"3"}, "X": {"a\r\nX-Evil: secret"},
		}
	})
	wantFieldErrors(t, err,
		`healthcheck: HTTPOptions.Header["A b"]: "A b" must be the name of a header`,
		`healthcheck: HTTPOptions.Header["Content-Length"]: "Content-Length" must not be set: it belongs to the connection`,
		`healthcheck: HTTPOptions.Header["Host"]: "Host" must be set by the field of that name`,
		`healthcheck: HTTPOptions.Header["X"]: "a value" must not have control characters`,
		`healthcheck: HTTPOptions.Header["connection"]: "connection" must not be set: it belongs to the connection`,
		`healthcheck: HTTPOptions.BodyMatch: "ok" must be empty with HEAD, whose answers have no body`,
		`healthcheck: HTTPOptions.Reuse: -1 must not be negative`,
	)
	_, err = healthcheck.HTTP(func(o *healthcheck.HTTPOptions) { o.MaxBody, o.BodyMatch = 10, "more than ten" })
	wantFieldErrors(t, err, `healthcheck: HTTPOptions.BodyMatch: "more than ten" must fit in MaxBody`)
}

// TestBodyMatch: the code and the body have to match, and no result ever shows what the body was.
func TestBodyMatch(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answer string
		reason healthcheck.Reason
	}{
		"matches":                {"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nstatus: ready", passed},
		"does not":               {"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nsecret: zebras", failed},
		"ends too early":         {"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nstatus: ready", failed},
		"the code does not":      {"HTTP/1.1 500 Oh\r\nContent-Length: 13\r\n\r\nstatus: ready", mismatched},
		"in a body without end":  {"HTTP/1.1 200 OK\r\n\r\nready" + strings.Repeat("x", 10_000), passed},
		"too late":               {"HTTP/1.1 200 OK\r\n\r\n" + strings.Repeat("zebras", 2000) + "ready", failed},
		"without a body":         {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", failed},
		"a redirect to a secret": {"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/zebras\r\nContent-Length: 6\r\n\r\nzebras", mismatched},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				checker := newHTTP(t, func(o *healthcheck.HTTPOptions) { o.Dial, o.BodyMatch = serve(t, answer(tt.answer)), "ready" })
				r := check(t, checker, "10.0.0.1:80", time.Second)
				if r.Reason != tt.reason || (r.Outcome == healthcheck.Pass) != (tt.reason == passed) {
					t.Errorf("result %+v", r)
				}
				if strings.Contains(r.Detail, "zebras") || r.Err != nil && strings.Contains(r.Err.Error(), "zebras") {
					t.Errorf("shows the body: %+v", r)
				}
				if name == "does not" && r.Detail != "Health checks failed: the body did not match" {
					t.Errorf("detail %q", r.Detail)
				}
			})
		})
	}
}

func TestNLBHTTPCheck(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]healthcheck.Outcome{
		200: healthcheck.Pass, 302: healthcheck.Pass, 399: healthcheck.Pass, 400: healthcheck.Fail, 500: healthcheck.Fail,
	} {
		synctest.Test(t, func(t *testing.T) {
			checker := newHTTP(t, healthcheck.NLBHTTPCheck, func(o *healthcheck.HTTPOptions) {
				o.Dial = serve(t, answer("HTTP/1.1 "+strconv.Itoa(code)+"\r\nContent-Length: 0\r\n\r\n"))
			})
			if r := check(t, checker, "10.0.0.1:80", time.Second); r.Outcome != want {
				t.Errorf("%d: %+v", code, r)
			}
		})
	}
}

func TestReconnectThatFailsHereIsUnknown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var dials atomic.Int32
		dial := serve(t, answer(ok200)) // and closes
		probe := openProbe(t, newHTTP(t, func(o *healthcheck.HTTPOptions) {
			o.Reuse = 10
			o.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
				if dials.Add(1) > 1 {
					return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.EMFILE}
				}
				return dial(ctx, network, addr)
			}
		}), healthcheck.Target{ID: "a", Addr: "10.0.0.1:80"})
		again(t, probe, time.Second)
		time.Sleep(time.Second)
		if r := again(t, probe, time.Second); r.Outcome != healthcheck.Unknown || !errors.Is(r.Err, syscall.EMFILE) || r.Reused {
			t.Errorf("result %+v", r)
		}
	})
}
