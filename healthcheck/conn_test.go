package healthcheck_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/healthcheck"
	"github.com/awsha/awsha/internal/memnet"
)

// blackhole never connects.
func blackhole(ctx context.Context, _, _ string) (net.Conn, error) {
	<-ctx.Done()
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: ctx.Err()}
}

func TestConnOptionsReportEveryMistake(t *testing.T) {
	t.Parallel()
	wrong := healthcheck.ConnOptions{Family: 3, ConnectTimeout: -1, Close: 2}
	_, err := healthcheck.TCP(func(o *healthcheck.TCPOptions) { o.ConnOptions = wrong })
	wantFieldErrors(t, err,
		`healthcheck: TCPOptions.Family: invalid must be AnyFamily, IPv4 or IPv6`,
		`healthcheck: TCPOptions.ConnectTimeout: -1ns must not be negative`,
		`healthcheck: TCPOptions.Close: invalid must be Reset or Orderly`,
	)
	_, err = healthcheck.HTTP(func(o *healthcheck.HTTPOptions) { o.ConnOptions = wrong; o.Path = "x" })
	wantFieldErrors(t, err,
		`healthcheck: HTTPOptions.Family: invalid must be AnyFamily, IPv4 or IPv6`,
		`healthcheck: HTTPOptions.ConnectTimeout: -1ns must not be negative`,
		`healthcheck: HTTPOptions.Close: invalid must be Reset or Orderly`,
		`healthcheck: HTTPOptions.Path: "x" must begin with "/", be escaped and have no fragment`,
	)
}

// TestWhereAndAsWhom: the address that is dialled, the Host header and the family are three things.
func TestWhereAndAsWhom(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		target     healthcheck.Target
		family     healthcheck.Family
		host       string
		wantDialed string
		wantHost   string
	}{
		"the address serves for both": {
			target: healthcheck.Target{Addr: "10.0.0.1:80"}, wantDialed: "tcp 10.0.0.1:80", wantHost: "10.0.0.1:80",
		},
		"the target has a name": {
			target: healthcheck.Target{Addr: "10.0.0.1:80", Host: "a.example"}, wantDialed: "tcp 10.0.0.1:80", wantHost: "a.example",
		},
		"the checker's name wins": {
			target: healthcheck.Target{Addr: "10.0.0.1:80", Host: "a.example"}, host: "b.example:81",
			wantDialed: "tcp 10.0.0.1:80", wantHost: "b.example:81",
		},
		"the target has a port for checks": {
			target: healthcheck.Target{Addr: "10.0.0.1:80", CheckPort: 8081}, wantDialed: "tcp 10.0.0.1:8081", wantHost: "10.0.0.1:8081",
		},
		"the same over IPv6": {
			target: healthcheck.Target{Addr: "[fd00::1]:80", CheckPort: 8081}, wantDialed: "tcp [fd00::1]:8081", wantHost: "[fd00::1]:8081",
		},
		"IPv4 only": {
			target: healthcheck.Target{Addr: "a.example:80"}, family: healthcheck.IPv4, wantDialed: "tcp4 a.example:80", wantHost: "a.example:80",
		},
		"IPv6 only": {
			target: healthcheck.Target{Addr: "[fd00::1]:80"}, family: healthcheck.IPv6, wantDialed: "tcp6 [fd00::1]:80", wantHost: "[fd00::1]:80",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var dialed, request string
				dial := serve(t, func(conn net.Conn) {
					b := make([]byte, 4096)
					n, _ := conn.Read(b)
					request = string(b[:n])
					_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
				})
				checker := newHTTP(t, func(o *healthcheck.HTTPOptions) {
					o.Host, o.Family = tt.host, tt.family
					o.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
						dialed = network + " " + addr
						return dial(ctx, network, addr)
					}
				})
				tt.target.ID = "a"
				if r := checkTarget(t, checker, tt.target, time.Second); r.Outcome != healthcheck.Pass {
					t.Errorf("result %+v", r)
				}
				if dialed != tt.wantDialed {
					t.Errorf("dialled %q, want %q", dialed, tt.wantDialed)
				}
				if !strings.Contains(request, "\r\nHost: "+tt.wantHost+"\r\n") {
					t.Errorf("want Host %q in %q", tt.wantHost, request)
				}
			})
		})
	}
}

func TestAddressOfTheOtherFamilyIsRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		family healthcheck.Family
		addr   string
		want   string
	}{
		{healthcheck.IPv4, "[fd00::1]:80", `healthcheck: Target.Addr: "[fd00::1]:80" must be of family ipv4, or a name`},
		{healthcheck.IPv6, "10.0.0.1:80", `healthcheck: Target.Addr: "10.0.0.1:80" must be of family ipv6, or a name`},
		{healthcheck.IPv4, "[::ffff:10.0.0.1]:80", ""},
		{healthcheck.IPv6, "[fe80::1%eth0]:80", ""},
		{healthcheck.AnyFamily, "[fd00::1]:80", ""},
	} {
		checker := newTCP(t, func(o *healthcheck.TCPOptions) { o.Family = tt.family })
		_, err := checker.Open(healthcheck.Target{ID: "a", Addr: tt.addr})
		if (err == nil) != (tt.want == "") || err != nil && err.Error() != tt.want {
			t.Errorf("%v, %s: %v, want %q", tt.family, tt.addr, err, tt.want)
		}
	}
}

// TestHostThatIsNoHostIsRefused: by Register, rather than by every target.
func TestHostThatIsNoHostIsRefused(t *testing.T) {
	t.Parallel()
	for _, checker := range []healthcheck.Checker{newHTTP(t), newTCP(t), newGRPC(t)} {
		for host, ok := range map[string]bool{"": true, "example.com": true, "a_b.internal:8080": true, "[::1]:80": true, "https://example.com": false, "a/b": false} {
			_, err := checker.Open(healthcheck.Target{ID: "a", Addr: "10.0.0.1:80", Host: host})
			if e, is := errors.AsType[*healthcheck.FieldError](err); is == ok || is && e.Field != "Target.Host" {
				t.Errorf("%T, %q: %v", checker, host, err)
			}
		}
	}
}

func TestConnectTimeoutIsPartOfTheTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		conn := func(o *healthcheck.ConnOptions) { o.Dial, o.ConnectTimeout = blackhole, 2*time.Second }
		for name, tt := range map[string]struct {
			checker healthcheck.Checker
			timeout time.Duration
			want    time.Duration
		}{
			"HTTP":              {newHTTP(t, func(o *healthcheck.HTTPOptions) { conn(&o.ConnOptions) }), 5 * time.Second, 2 * time.Second},
			"TCP":               {newTCP(t, func(o *healthcheck.TCPOptions) { conn(&o.ConnOptions) }), 5 * time.Second, 2 * time.Second},
			"TCP, ending first": {newTCP(t, func(o *healthcheck.TCPOptions) { conn(&o.ConnOptions) }), time.Second, time.Second},
		} {
			begin := time.Now()
			if r := check(t, tt.checker, "10.0.0.1:80", tt.timeout); r.Outcome != healthcheck.Fail || r.Reason != timeout || time.Since(begin) != tt.want {
				t.Errorf("%s: after %v: %+v", name, time.Since(begin), r)
			}
		}

		slow := newHTTP(t, func(o *healthcheck.HTTPOptions) { // connects at once, answers later than ConnectTimeout
			o.ConnectTimeout = time.Second
			o.Dial = serve(t, func(conn net.Conn) {
				time.Sleep(3 * time.Second)
				answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")(conn)
			})
		})
		if r := check(t, slow, "10.0.0.1:80", 5*time.Second); r.Outcome != healthcheck.Pass {
			t.Errorf("a slow answer over a quick connection: %+v", r)
		}
	})
}

// TestCloseMode looks at the connection as the target does.
func TestCloseMode(t *testing.T) {
	t.Parallel()
	for mode, wantReset := range map[healthcheck.CloseMode]bool{healthcheck.Reset: true, healthcheck.Orderly: false} {
		t.Run(mode.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ended := make(chan error, 1)
				checker := newTCP(t, func(o *healthcheck.TCPOptions) {
					o.Close = mode
					o.Dial = serve(t, func(conn net.Conn) {
						_, err := conn.Read(make([]byte, 1))
						ended <- err
					})
				})
				if r := check(t, checker, "10.0.0.1:80", time.Second); r.Outcome != healthcheck.Pass {
					t.Errorf("result %+v", r)
				}
				if err := <-ended; (err != io.EOF) != wantReset {
					t.Errorf("the target sees %v", err)
				}
			})
		})
	}
}

// TestRemoteAddr: which address a name led to is reported, and none where there is none.
func TestRemoteAddr(t *testing.T) {
	t.Parallel()
	l := listen(t)
	port := l.Addr().(*net.TCPAddr).Port
	for _, family := range []healthcheck.Family{healthcheck.AnyFamily, healthcheck.IPv4} {
		checker := newTCP(t, func(o *healthcheck.TCPOptions) { o.Family = family })
		want := "127.0.0.1:" + strconv.Itoa(port)
		if r := check(t, checker, "localhost:"+strconv.Itoa(port), 10*time.Second); r.RemoteAddr != want {
			t.Errorf("%v: %+v, want %v", family, r, want)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		pipe := newTCP(t, func(o *healthcheck.TCPOptions) {
			o.Dial = func(context.Context, string, string) (net.Conn, error) {
				client, server := memnet.Pipe(nil, nil, nil)
				_ = server.Close()
				return client, nil
			}
		})
		if r := check(t, pipe, "10.0.0.1:80", time.Second); r.Outcome != healthcheck.Pass || r.RemoteAddr != "" {
			t.Errorf("a connection without addresses: %+v", r)
		}
	})
}

// TestIPv6OverSockets: a name with an address of one family only is reached over it, or not at all.
func TestIPv6OverSockets(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skip("no IPv6 here: ", err)
	}
	t.Cleanup(func() { _ = l.Close() })
	addr := l.Addr().String()
	for _, family := range []healthcheck.Family{healthcheck.AnyFamily, healthcheck.IPv6} {
		checker := newTCP(t, func(o *healthcheck.TCPOptions) { o.Family = family })
		if r := check(t, checker, addr, 10*time.Second); r.Outcome != healthcheck.Pass || r.RemoteAddr != addr {
			t.Errorf("%v: %+v", family, r)
		}
	}
	four := newTCP(t, func(o *healthcheck.TCPOptions) { o.Family = healthcheck.IPv4 })
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	if r := check(t, four, "localhost:"+port, 10*time.Second); r.Outcome == healthcheck.Pass {
		t.Errorf("over IPv4: %+v", r)
	}
}
