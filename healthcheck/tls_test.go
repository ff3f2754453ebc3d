package healthcheck_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/healthcheck"
)

// tlsServer speaks HTTPS with the certificate of httptest, which is for example.com, 127.0.0.1 and ::1.
func tlsServer(t testing.TB, optFns ...func(*httptest.Server)) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }))
	server.TLS, server.Config.ErrorLog = &tls.Config{}, silent
	for _, fn := range optFns {
		fn(server)
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

func rootsOf(server *httptest.Server) *tls.Config {
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return &tls.Config{RootCAs: roots}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	asked := map[string][]string{} // SNI by address of the client
	server := tlsServer(t, func(s *httptest.Server) {
		s.TLS.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			mu.Lock()
			defer mu.Unlock()
			asked[hello.ServerName] = hello.SupportedProtos
			return nil, nil //nolint:nilnil // keep the configuration
		}
	})
	addr := server.Listener.Addr().String()
	trust := rootsOf(server)
	for name, tt := range map[string]struct {
		options healthcheck.TLSOptions
		host    string
		sni     string
		wantErr any // nil: passes
	}{
		"any certificate, as Elastic Load Balancing": {},
		"asked for by the target's name":             {host: "a.test:8443", sni: "a.test"},
		"asked for by the checker's name":            {options: healthcheck.TLSOptions{ServerName: "b.test"}, host: "a.test", sni: "b.test"},
		"asked for by the name in Config":            {options: healthcheck.TLSOptions{Config: &tls.Config{ServerName: "c.test"}}, host: "a.test", sni: "c.test"},
		"verified by IP address":                     {options: healthcheck.TLSOptions{Verify: true, Config: trust}},
		"verified by the target's name":              {options: healthcheck.TLSOptions{Verify: true, Config: trust}, host: "example.com", sni: "example.com"},
		"verified by the checker's name":             {options: healthcheck.TLSOptions{Verify: true, Config: trust, ServerName: "example.com"}, host: "x.test", sni: "example.com"},
		"verified by an IP address of the checker":   {options: healthcheck.TLSOptions{Verify: true, Config: trust, ServerName: "::1"}, host: "x.test"},
		"of an unknown authority":                    {options: healthcheck.TLSOptions{Verify: true}, wantErr: new(x509.UnknownAuthorityError)},
		"of another name":                            {options: healthcheck.TLSOptions{Verify: true, Config: trust}, host: "d.test", sni: "d.test", wantErr: new(x509.HostnameError)},
		"without that IP address":                    {options: healthcheck.TLSOptions{Verify: true, Config: trust, ServerName: "10.0.0.1"}, wantErr: new(x509.HostnameError)},
		"judged by a function": {options: healthcheck.TLSOptions{Config: &tls.Config{VerifyConnection: func(s tls.ConnectionState) error {
			if len(s.PeerCertificates) == 0 {
				return errors.New("no certificate")
			}
			return nil
		}}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target := healthcheck.Target{ID: "a", Addr: addr, Host: tt.host}
			for protocol, checker := range map[string]healthcheck.Checker{
				"HTTPS": newHTTP(t, func(o *healthcheck.HTTPOptions) { o.TLS = &tt.options }),
				"TCP":   newTCP(t, func(o *healthcheck.TCPOptions) { o.TLS = &tt.options }),
			} {
				probe := openProbe(t, checker, target)
				for range 3 { // verified anew each time
					r := again(t, probe, 10*time.Second)
					if tt.wantErr == nil {
						if r.Outcome != healthcheck.Pass || r.Connect <= 0 || r.RemoteAddr != addr {
							t.Errorf("%s: %+v", protocol, r)
						}
						continue
					}
					if r.Outcome != healthcheck.Fail || r.Reason != failed || r.HasCode || !errors.As(r.Err, tt.wantErr) {
						t.Errorf("%s: %+v", protocol, r)
					}
				}
			}
			mu.Lock()
			defer mu.Unlock()
			if _, ok := asked[tt.sni]; !ok {
				t.Errorf("never asked for %q", tt.sni)
			}
		})
	}
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		for name, protocols := range asked {
			if slices.Contains(protocols, "h2") {
				t.Errorf("%q: offers %v", name, protocols)
			}
		}
	})
}

func TestTLSVersions(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		lo, hi uint16
		config *tls.Config
		want   healthcheck.Outcome
	}{
		"1.2 only": {tls.VersionTLS12, tls.VersionTLS12, nil, healthcheck.Pass},
		"1.3 only": {tls.VersionTLS13, tls.VersionTLS13, nil, healthcheck.Pass},
		"1.1 only": {tls.VersionTLS11, tls.VersionTLS11, nil, healthcheck.Fail},
		"1.1 only, asked for": {
			tls.VersionTLS11, tls.VersionTLS11,
			&tls.Config{MinVersion: tls.VersionTLS10}, healthcheck.Pass, //nolint:gosec // that is the case
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := tlsServer(t, func(s *httptest.Server) {
				s.TLS.MinVersion, s.TLS.MaxVersion = tt.lo, tt.hi
			})
			checker := newHTTP(t, func(o *healthcheck.HTTPOptions) { o.TLS = &healthcheck.TLSOptions{Config: tt.config} })
			if r := check(t, checker, server.Listener.Addr().String(), 10*time.Second); r.Outcome != tt.want || tt.want == healthcheck.Fail && r.Reason != failed {
				t.Errorf("result %+v", r)
			}
		})
	}
}

// TestTLSFailures: a target that does not speak TLS, or not to its end, fails in time and for the right reason.
func TestTLSFailures(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		handle func(net.Conn)
		reason healthcheck.Reason
	}{
		"a plain HTTP server":    {answer("HTTP/1.1 400 Bad Request\r\n\r\n"), failed},
		"garbage":                {answer("\x16\x03\x01\xff\xffgarbage"), failed},
		"an alert":               {answer("\x15\x03\x03\x00\x02\x02\x28"), failed},
		"hangs up":               {func(net.Conn) {}, failed},
		"hangs up in the middle": {answer("\x16\x03\x03\x00\x40\x02"), failed},
		"silence":                {func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }, timeout},
		"a flood of empty records": {func(conn net.Conn) {
			for {
				if _, err := io.WriteString(conn, strings.Repeat("\x16\x03\x03\x00\x00", 100)); err != nil {
					return
				}
			}
		}, failed},
		"a flood as one handshake": {func(conn net.Conn) {
			record := "\x16\x03\x03\x10\x00" + strings.Repeat("\x02\xff\xff\xff", 1024)
			for {
				if _, err := io.WriteString(conn, record); err != nil {
					return
				}
			}
		}, failed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for protocol, open := range map[string]func(healthcheck.ConnOptions) healthcheck.Checker{
				"HTTPS": func(c healthcheck.ConnOptions) healthcheck.Checker {
					return newHTTP(t, func(o *healthcheck.HTTPOptions) { o.ConnOptions = c })
				},
				"TCP": func(c healthcheck.ConnOptions) healthcheck.Checker {
					return newTCP(t, func(o *healthcheck.TCPOptions) { o.ConnOptions = c })
				},
			} {
				synctest.Test(t, func(t *testing.T) {
					var conn healthcheck.ConnOptions
					conn.Dial, conn.TLS = serve(t, tt.handle), &healthcheck.TLSOptions{}
					begin := time.Now()
					r := check(t, open(conn), "10.0.0.1:443", 5*time.Second)
					if r.Outcome != healthcheck.Fail || r.Reason != tt.reason || (time.Since(begin) == 5*time.Second) != (tt.reason == timeout) {
						t.Errorf("%s: after %v: %+v", protocol, time.Since(begin), r)
					}
					if garbled, ok := errors.AsType[tls.RecordHeaderError](r.Err); ok && garbled.Conn != nil {
						t.Errorf("%s: the result holds on to a connection", protocol)
					}
				})
			}
		})
	}
	t.Run("TLS spoken to in the clear", func(t *testing.T) {
		t.Parallel()
		server := tlsServer(t)
		if r := check(t, newHTTP(t), server.Listener.Addr().String(), 10*time.Second); r.Outcome != healthcheck.Fail || r.Code != 400 {
			t.Errorf("result %+v", r) // as net/http says it
		}
	})
}

// TestTLSWithinConnectTimeout also over a connection that knows no deadlines.
func TestTLSWithinConnectTimeout(t *testing.T) {
	t.Parallel()
	for name, wrap := range map[string]func(net.Conn) net.Conn{
		"any":  func(conn net.Conn) net.Conn { return conn },
		"deaf": func(conn net.Conn) net.Conn { return deaf{conn} },
	} {
		synctest.Test(t, func(t *testing.T) {
			dial := serve(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
			checker := newHTTP(t, func(o *healthcheck.HTTPOptions) {
				o.TLS, o.ConnectTimeout = &healthcheck.TLSOptions{}, 2*time.Second
				o.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
					conn, err := dial(ctx, network, addr)
					return wrap(conn), err
				}
			})
			begin := time.Now()
			if r := check(t, checker, "10.0.0.1:443", 5*time.Second); r.Reason != timeout || time.Since(begin) != 2*time.Second {
				t.Errorf("%s: after %v: %+v", name, time.Since(begin), r)
			}
		})
	}
}

// TestTLSReuse: a kept connection has no handshake, and a new one resumes the session of its own target only.
func TestTLSReuse(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		reuse   int
		options healthcheck.TLSOptions
		want    string // of each check of a: n full handshake, s resumed, r reused
	}{
		"resumed":                   {0, healthcheck.TLSOptions{}, "nsss"},
		"kept":                      {3, healthcheck.TLSOptions{}, "nrrnrr"},
		"not resumed when verified": {0, healthcheck.TLSOptions{Verify: true}, "nnn"},
		"not resumed when the caller looks": {
			0, healthcheck.TLSOptions{Config: &tls.Config{VerifyConnection: func(tls.ConnectionState) error { return nil }}}, "nnn",
		},
		"not resumed if tickets are off": {0, healthcheck.TLSOptions{Config: &tls.Config{SessionTicketsDisabled: true}}, "nnn"},
		"a cache of the caller's mixes up targets of one name": {
			0, healthcheck.TLSOptions{Config: &tls.Config{ClientSessionCache: tls.NewLRUClientSessionCache(10)}}, "nnn",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var resumed, full atomic.Int32
			count := func(s *httptest.Server) {
				s.TLS.VerifyConnection = func(state tls.ConnectionState) error {
					if state.DidResume {
						resumed.Add(1)
					} else {
						full.Add(1)
					}
					return nil
				}
			}
			a, b := tlsServer(t, count), tlsServer(t)
			if tt.options.Verify {
				tt.options.Config = rootsOf(a)
			}
			checker := newHTTP(t, func(o *healthcheck.HTTPOptions) { o.Reuse, o.TLS = tt.reuse, &tt.options })
			open := func(s *httptest.Server) healthcheck.Probe {
				return openProbe(t, checker, healthcheck.Target{ID: "x", Addr: s.Listener.Addr().String(), Host: "example.com"})
			}
			probe, other := open(a), open(b)
			var got strings.Builder
			for range tt.want {
				before := resumed.Load()
				n := full.Load()
				r := again(t, probe, 10*time.Second)
				switch {
				case r.Outcome != healthcheck.Pass:
					t.Fatalf("result %+v", r)
				case r.Reused:
					got.WriteByte('r')
				case resumed.Load() > before:
					got.WriteByte('s')
				case full.Load() > n:
					got.WriteByte('n')
				}
				if r := again(t, other, 10*time.Second); r.Outcome != healthcheck.Pass { // by the same name
					t.Fatalf("the other: %+v", r)
				}
			}
			if got.String() != tt.want {
				t.Errorf("got %s, want %s", got.String(), tt.want)
			}
		})
	}
}

func TestTLSOptionsReportEveryMistake(t *testing.T) {
	t.Parallel()
	_, err := healthcheck.HTTP(func(o *healthcheck.HTTPOptions) {
		o.TLS = &healthcheck.TLSOptions{
			Verify: true, ServerName: "a b",
			Config: &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}}, //nolint:gosec // a mistake
		}
	})
	wantFieldErrors(t, err,
		`healthcheck: HTTPOptions.TLS.ServerName: "a b" must be a host without a port`,
		`healthcheck: HTTPOptions.TLS.Verify: true must not be with Config.InsecureSkipVerify`,
		`healthcheck: HTTPOptions.TLS.Config.NextProtos: [h2] must be empty or list http/1.1`,
	)
}

// TestTLSConfigIsCopied: what the caller does with it later changes nothing, and it stays as it is.
func TestTLSConfigIsCopied(t *testing.T) {
	t.Parallel()
	server := tlsServer(t)
	config := rootsOf(server)
	checker := newHTTP(t, func(o *healthcheck.HTTPOptions) { o.TLS = &healthcheck.TLSOptions{Config: config} })
	if config.InsecureSkipVerify || config.NextProtos != nil {
		t.Error("the caller's configuration was changed")
	}
	config.MaxVersion, config.MinVersion = tls.VersionTLS10, tls.VersionTLS10 //nolint:gosec // which the server refuses
	if r := check(t, checker, server.Listener.Addr().String(), 10*time.Second); r.Outcome != healthcheck.Pass {
		t.Errorf("result %+v", r)
	}
}

// TestTLSGoodbye: what is closed in order says so in TLS too, or the server would have to take it for cut off.
func TestTLSGoodbye(t *testing.T) {
	t.Parallel()
	cert := httptest.NewUnstartedServer(nil)
	cert.StartTLS()
	t.Cleanup(cert.Close)
	l := listen(t)
	said := make(chan []byte, 1)
	go func() {
		defer close(said)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		config := &tls.Config{Certificates: cert.TLS.Certificates, MaxVersion: tls.VersionTLS12} //nolint:gosec // whose alerts can be told apart
		if err := tls.Server(conn, config).HandshakeContext(t.Context()); err != nil {
			return
		}
		b, _ := io.ReadAll(conn)
		said <- b
	}()
	t.Cleanup(func() { _ = l.Close() })
	checker := newTCP(t, func(o *healthcheck.TCPOptions) { o.TLS, o.Close = &healthcheck.TLSOptions{}, healthcheck.Orderly })
	if r := check(t, checker, l.Addr().String(), 10*time.Second); r.Outcome != healthcheck.Pass {
		t.Fatalf("result %+v", r)
	}
	const alert = 21 // Source: RFC 5246, section 6.2.1
	if b := <-said; len(b) == 0 || b[0] != alert {
		t.Errorf("%x, want an alert", b)
	}
}
