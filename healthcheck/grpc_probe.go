package healthcheck

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"
)

type grpcChecker struct {
	connector connector
	transport *http.Transport
	url       url.URL // but for its host
	host      string  // empty: that of the target
	header    http.Header
	message   []byte
	codes     matcher
	health    bool
	reuse     int
}

func (c *grpcChecker) Open(t Target) (Probe, error) {
	if err := c.connector.accepts(t); err != nil {
		return nil, err
	}
	p := &grpcProbe{checker: c, place: c.connector.place(t)}
	p.host = cmp.Or(c.host, t.Host, withoutZone(p.place.addr))
	return p, nil
}

type grpcProbe struct {
	checker *grpcChecker
	host    string
	place   place
	kept    *grpcConn // for the next check; nil: none
}

func (p *grpcProbe) Check(ctx context.Context) Result {
	if conn := p.kept; conn != nil {
		p.kept = nil
		if conn.lasts() {
			if r, stale := p.checkOver(ctx, conn); !stale {
				r.Reused = true
				return r
			}
		} else {
			conn.hangUp()
		}
	}
	conn, err := p.connect(ctx)
	if err != nil {
		return resultOf(ctx, err)
	}
	r, _ := p.checkOver(ctx, conn)
	r.Connect = conn.link.took
	return r
}

// connect makes a connection that speaks HTTP/2.
func (p *grpcProbe) connect(ctx context.Context) (*grpcConn, error) {
	l, err := p.place.connect(ctx)
	if err != nil {
		return nil, err
	}
	if over, ok := l.conn.(*tls.Conn); ok && over.ConnectionState().NegotiatedProtocol != "h2" {
		l.close()
		return nil, malformed("no HTTP/2 over TLS")
	}
	conn := &grpcConn{Conn: l.conn, link: l}
	stop := conn.begin(ctx)
	conn.http2, err = p.checker.transport.NewClientConn(context.WithValue(ctx, dialedKey{}, conn), "http", p.place.addr)
	stop()
	if err != nil {
		l.close()
		return nil, err
	}
	return conn, nil
}

// checkOver makes a check over a connection, which it keeps for the next one or closes. Stale means that the connection was used
// before and has ended, or was about to, and that nothing of an answer came over it, which says nothing about the target. A
// request that is reset on a connection which lasts has been answered.
func (p *grpcProbe) checkOver(ctx context.Context, conn *grpcConn) (r Result, stale bool) {
	c := p.checker
	stop := conn.begin(ctx)
	conn.link.checks++
	a, err := p.call(ctx, conn)
	stale = conn.link.checks > 1 && err != nil && !a.came && !conn.lasts() && ctx.Err() == nil && !isTimeout(err)
	if stop() && err == nil && conn.link.checks < c.reuse && conn.SetDeadline(time.Time{}) == nil {
		p.kept = conn
	} else {
		conn.hangUp()
	}

	r = resultOf(ctx, err)
	switch {
	case err == nil && !c.codes.matches(a.code):
		r = mismatch(a.code)
	case err == nil && c.health && a.serving != statusServing:
		r = Result{Outcome: Fail, Reason: ReasonFailedHealthChecks, Detail: "Health checks failed: the service is " + a.serving.String()}
	}
	r.Code, r.HasCode, r.RemoteAddr = a.code, err == nil, conn.link.remote
	return r, stale
}

// grpcAnswer is what a check learns from an answer.
type grpcAnswer struct {
	came    bool // some of it
	code    int
	serving servingStatus
}

// call calls the method. The code is that of an answer without an error.
func (p *grpcProbe) call(ctx context.Context, conn *grpcConn) (a grpcAnswer, err error) {
	c := p.checker
	at := c.url
	at.Host = p.host
	request := (&http.Request{
		Method: http.MethodPost, URL: &at, Host: p.host, Header: c.header,
		Body: io.NopCloser(bytes.NewReader(c.message)), ContentLength: int64(len(c.message)),
	}).WithContext(ctx)
	response, err := conn.http2.RoundTrip(request)
	if err != nil {
		return a, err
	}
	a.came = true
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return a, malformed(fmt.Sprintf("HTTP status %d", response.StatusCode))
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxGRPCMessage+1))
	switch {
	case err != nil:
		return a, noEOF(err)
	case len(body) > maxGRPCMessage:
		return a, malformed("the message is too long")
	}
	status := response.Trailer.Get("Grpc-Status")
	if len(body) == 0 { // such an answer may have its trailer in place of its header
		status = cmp.Or(status, response.Header.Get("Grpc-Status"))
	}
	a.code, err = parseGRPCStatus(status)
	if err != nil || a.code != 0 || !c.health {
		return a, err
	}
	message, err := ungrpcMessage(body)
	if err != nil {
		return a, err
	}
	a.serving, err = parseHealthCheckResponse(message)
	return a, err
}

func (p *grpcProbe) Close() error {
	if p.kept != nil {
		p.kept.hangUp()
		p.kept = nil
	}
	return nil
}

// grpcConn is a connection of a probe as net/http uses it, which reads from it on a goroutine of its own until hangUp.
type grpcConn struct {
	net.Conn
	link  *link
	http2 *http.ClientConn
	left  atomic.Int64 // how much may be read
}

// begin makes the connection serve one check, and end with ctx.
func (c *grpcConn) begin(ctx context.Context) (stop func() bool) {
	c.left.Store(maxGRPCAnswer)
	deadline, _ := ctx.Deadline()
	_ = c.SetDeadline(deadline) // the close below does without
	return context.AfterFunc(ctx, c.link.abort)
}

func (c *grpcConn) Read(b []byte) (int, error) {
	left := c.left.Load()
	if left <= 0 {
		return 0, malformed("too much around it")
	}
	n, err := c.Conn.Read(b[:min(int64(len(b)), left)])
	c.left.Add(int64(-n))
	return n, err
}

// Close closes the connection as CloseMode says; net/http calls it.
func (c *grpcConn) Close() error {
	c.link.close()
	return nil
}

// lasts reports whether the connection takes another request.
func (c *grpcConn) lasts() bool { return c.http2.Err() == nil && c.http2.Available() > 0 }

func (c *grpcConn) hangUp() { _ = c.http2.Close() }

type dialedKey struct{}

// dialedBefore gives a Transport the connection of its context.
func dialedBefore(ctx context.Context, _, _ string) (net.Conn, error) {
	conn, ok := ctx.Value(dialedKey{}).(*grpcConn)
	if !ok {
		return nil, errors.New("healthcheck: no connection")
	}
	return conn, nil
}
