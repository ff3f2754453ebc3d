package healthcheck

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	defaultUserAgent = "awsha-healthcheck/1"
	defaultMaxBody   = 8 << 10

	// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html
	// (HealthCheckPath, read 2026-11).
	maxPath = 1024
)

// HTTPOptions are the options of an HTTP checker. The zero value of each field means its default.
type HTTPOptions struct {
	ConnOptions

	// Method is the request's method. Default GET, as Elastic Load Balancing has it.
	Method string

	// Path is the request's path, with a query if need be, in the form in which it is sent. It begins with a slash and
	// has at most 1024 bytes. Default "/".
	Path string

	// Host is the Host header. Default: Target.Host, or else the address of the target, port included, as an Application
	// Load Balancer sends it. It has no part in where the connection goes, nor in what its certificate must say.
	Host string

	// UserAgent is the User-Agent header. Default "awsha-healthcheck/1".
	UserAgent string

	// Matcher lists the codes that pass, in the grammar of Elastic Load Balancing: "200", "200,202" or "200-399", from
	// 200 to 599. Default "200".
	Matcher string

	// MaxBody is how much of an answer's body is read, in bytes as they come over the wire. What is longer passes without
	// being read to its end. Default 8 KiB.
	MaxBody int
}

// HTTP returns a Checker that asks targets over HTTP/1.1, without TLS. Every mistake in the options is a *FieldError of the
// error that it returns.
//
// A target passes when, within the timeout, it accepts a new connection, answers with a code that the matcher lists, and
// completes its answer or sends more than MaxBody of it. Redirects are never followed: their code goes to the matcher. The
// connection is then reset, so that none is left in TIME_WAIT. A check reads no more than 32 KiB of header and MaxBody, in one
// pooled buffer, whatever the target sends.
func HTTP(optFns ...func(*HTTPOptions)) (Checker, error) {
	var o HTTPOptions
	for _, fn := range optFns {
		fn(&o)
	}
	orDefault(&o.Method, "GET")
	orDefault(&o.Path, "/")
	orDefault(&o.UserAgent, defaultUserAgent)
	orDefault(&o.Matcher, "200")
	orDefault(&o.MaxBody, defaultMaxBody)

	codes, ok := parseMatcher(o.Matcher, minHTTPCode, maxHTTPCode)
	m := mistakes{options: "HTTPOptions"}
	connector := o.connector(&m)
	m.require(isToken(o.Method), "Method", o.Method, "must be an HTTP method")
	m.require(strings.HasPrefix(o.Path, "/") && isPlain(o.Path), "Path", o.Path, `must begin with "/" and be escaped`)
	m.require(len(o.Path) <= maxPath, "Path", o.Path, fmt.Sprintf("must have at most %d bytes", maxPath))
	m.require(isPlain(o.Host), "Host", o.Host, "must be a host, with a port or without")
	m.require(isPlain(strings.ReplaceAll(o.UserAgent, " ", "")), "UserAgent", o.UserAgent, "must be printable ASCII")
	m.require(ok, "Matcher", o.Matcher, `must be codes from 200 to 599 such as "200", "200,202" or "200-299"`)
	m.require(o.MaxBody > 0, "MaxBody", o.MaxBody, "must not be negative")
	if len(m.errs) > 0 {
		return nil, errors.Join(m.errs...)
	}
	return &httpChecker{
		connector: connector,
		host:      o.Host,
		before:    o.Method + " " + o.Path + " HTTP/1.1\r\nHost: ",
		after:     "\r\nUser-Agent: " + o.UserAgent + "\r\nAccept: */*\r\nConnection: close\r\n\r\n",
		codes:     codes,
		isHead:    o.Method == "HEAD", //nolint:usestdlibvars // net/http is not linked in for a word
		maxBody:   o.MaxBody,
	}, nil
}

type httpChecker struct {
	connector     connector
	host          string // empty: that of the target
	before, after string // the request around its host
	codes         matcher
	isHead        bool
	maxBody       int
	readers       sync.Pool // of *responseReader
}

func (c *httpChecker) Open(t Target) (Probe, error) {
	if err := c.connector.accepts(t); err != nil {
		return nil, err
	}
	addr := t.CheckAddr()
	return &httpProbe{checker: c, addr: addr, host: cmp.Or(c.host, t.Host, withoutZone(addr))}, nil
}

// withoutZone cuts the zone out of an IPv6 address such as "[fe80::1%eth0]:80": it means something to this machine only.
// Source: RFC 6874, section 4.
func withoutZone(addr string) string {
	address, zone, ok := strings.Cut(addr, "%")
	if _, port, closed := strings.Cut(zone, "]"); ok && closed {
		return address + "]" + port
	}
	return addr
}

type httpProbe struct {
	checker    *httpChecker
	addr, host string
}

func (p *httpProbe) Check(ctx context.Context) Result {
	start := time.Now()
	l, err := p.checker.connector.connect(ctx, p.addr)
	if err != nil {
		return resultOf(ctx, err)
	}
	defer l.close()
	defer l.watch(ctx)()
	connected := time.Since(start)
	code, err := p.ask(l.conn)
	r := resultOf(ctx, err)
	if code != 0 && !p.checker.codes.matches(code) {
		r = Result{
			Outcome: Fail, Reason: ReasonResponseCodeMismatch,
			Detail: "Health checks failed with these codes: [" + strconv.Itoa(code) + "]",
		}
	}
	r.Code, r.HasCode, r.RemoteAddr, r.Connect = code, code != 0, l.remote, connected
	return r
}

// ask sends the request and reads the answer. The body of an answer whose code does not match is not read.
func (p *httpProbe) ask(conn net.Conn) (code int, err error) {
	c := p.checker
	r, ok := c.readers.Get().(*responseReader)
	if !ok {
		r = new(responseReader)
	}
	defer c.readers.Put(r)

	request := append(r.scratch(), c.before...)
	request = append(request, p.host...)
	request = append(request, c.after...)
	if _, err := conn.Write(request); err != nil {
		return 0, err
	}
	r.reset(conn)
	code, body, err := r.head(c.isHead)
	if err != nil || !c.codes.matches(code) {
		return code, err
	}
	return code, r.skip(body, c.maxBody)
}

func (*httpProbe) Close() error { return nil }

// isToken reports whether s may be a method or the name of a header.
// Source: RFC 9110, section 5.6.2.
func isToken[T string | []byte](s T) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return len(s) > 0
}
