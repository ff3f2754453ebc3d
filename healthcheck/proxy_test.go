package healthcheck_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/awsha/awsha/healthcheck"
)

// TestNoProxyOfTheEnvironment is not parallel: it changes the environment.
func TestNoProxyOfTheEnvironment(t *testing.T) {
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"} {
		t.Setenv(name, "http://127.0.0.1:1") // where nobody listens
	}
	t.Setenv("NO_PROXY", "")
	// By a name, since net/http uses no proxy for loopback addresses, whatever the environment says.
	reach := func(o *healthcheck.ConnOptions, s *httptest.Server) { o.Dial = dialTo(s.Listener.Addr().String()) }
	plain := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(plain.Close)
	secure, grpc := tlsServer(t), grpcServer(t, only("12"))
	for name, checker := range map[string]healthcheck.Checker{
		"HTTP":  newHTTP(t, func(o *healthcheck.HTTPOptions) { reach(&o.ConnOptions, plain) }),
		"HTTPS": newHTTP(t, func(o *healthcheck.HTTPOptions) { reach(&o.ConnOptions, secure); o.TLS = &healthcheck.TLSOptions{} }),
		"gRPC":  newGRPC(t, func(o *healthcheck.GRPCOptions) { reach(&o.ConnOptions, grpc) }),
	} {
		if r := check(t, checker, "db.example:80", 10*time.Second); r.Outcome != healthcheck.Pass {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// dialTo reaches addr under any name, and no other than the name of the test.
func dialTo(addr string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, asked string) (net.Conn, error) {
		if asked != "db.example:80" {
			return nil, &net.AddrError{Err: "not the target", Addr: asked}
		}
		return new(net.Dialer).DialContext(ctx, network, addr)
	}
}
