package healthcheck_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/awsha/awsha/healthcheck"
)

// together is a connection that sends what was written in one piece.
type together struct {
	net.Conn
	written bytes.Buffer
}

func (c *together) Write(b []byte) (int, error) { return c.written.Write(b) }

func (c *together) Read(b []byte) (int, error) {
	if _, err := c.written.WriteTo(c.Conn); err != nil {
		return 0, err
	}
	return c.Conn.Read(b)
}

// TestUnaskedAnswerWithinTLS: TLS reads ahead, so that what came together with an answer is no longer in the socket.
func TestUnaskedAnswerWithinTLS(t *testing.T) {
	t.Parallel()
	cert := httptest.NewUnstartedServer(nil)
	cert.StartTLS()
	t.Cleanup(cert.Close)
	for name, tt := range map[string]struct {
		unasked string
		reused  bool
	}{
		"another answer": {"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", false},
		"nothing":        {"", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := listen(t)
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				for {
					conn, err := l.Accept()
					if err != nil {
						return
					}
					secure := tls.Server(&together{Conn: conn}, &tls.Config{Certificates: cert.TLS.Certificates}) //nolint:gosec // the defaults
					for b := make([]byte, 4096); err == nil; {
						if _, err = secure.Read(b); err == nil {
							_, _ = io.WriteString(secure, ok200)
							_, err = io.WriteString(secure, tt.unasked)
						}
					}
					_ = conn.Close()
				}
			}()
			t.Cleanup(func() {
				_ = l.Close()
				<-ended
			})
			probe, err := newHTTP(t, func(o *healthcheck.HTTPOptions) { o.Reuse, o.TLS = 100, &healthcheck.TLSOptions{} }).
				Open(healthcheck.Target{ID: "a", Addr: l.Addr().String()})
			if err != nil {
				t.Fatal(err)
			}
			defer probe.Close()
			for i := range 5 {
				if r := again(t, probe, 10*time.Second); r.Outcome != healthcheck.Pass || r.Reused != (tt.reused && i > 0) {
					t.Fatalf("check %d: %+v", i, r)
				}
			}
		})
	}
}
