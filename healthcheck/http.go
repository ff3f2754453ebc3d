package healthcheck

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const (
	defaultUserAgent = "awsha-healthcheck/1"
	defaultMaxBody   = 8 << 10

	// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html
	// (HealthCheckPath, read 2026-11).
	maxPath = 1024

	maxMaxBody = 256 << 20 // twice which is an int on every machine
)

// HTTPOptions are the options of an HTTP checker. The zero value of each field means its default.
type HTTPOptions struct {
	// ConnOptions are how to connect. With TLS it is a check by HTTPS. One of a Network Load Balancer fails for a target that
	// supports TLS 1.3 only; this one does not.
	// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html (read 2026-11).
	ConnOptions

	// Method is the request's method, whatever has no body. CONNECT is refused. Default GET, as Elastic Load Balancing has it.
	Method string

	// Path is the request's path, with a query if need be, in the form in which it is sent. It begins with a slash and
	// has at most 1024 bytes. A fragment ("#"), which no server ever sees, is refused. Default "/".
	Path string

	// Host is the Host header. Default: Target.Host, or else the address of the target, port included, as an Application
	// Load Balancer sends it. It has no part in where the connection goes, nor in what its certificate must say.
	Host string

	// UserAgent is the User-Agent header. Default "awsha-healthcheck/1".
	UserAgent string

	// Header are further headers. Those that belong to the connection, and those that have a field of their own here, are
	// refused.
	Header http.Header

	// Matcher lists the codes that pass, in the grammar of Elastic Load Balancing: "200", "200,202" or "200-399", from
	// 200 to 599. Default "200".
	Matcher string

	// BodyMatch is what must stand somewhere in the first MaxBody bytes of the body, byte for byte. Default: anything will do.
	BodyMatch string

	// MaxBody is how much of an answer's body is read, in bytes. What is longer passes without being read to its end, and
	// costs a connection that was to be reused. At most 256 MiB. Default 8 KiB.
	MaxBody int

	// Reuse makes every so many checks of a target use one connection: the k-th reconnects, so that whether the target still
	// accepts connections is found out too, k times later. Default, and 1: a new connection for each check, as Elastic Load
	// Balancing makes one. A check over a kept connection takes a quarter of the CPU of one over a new connection, with TLS a
	// fortieth. Between two checks it has no goroutine and no buffer: it is about 0.5 KiB, with TLS 8 KiB, and 4 KiB in the
	// kernel.
	//
	// A connection is kept after a pass whose answer has ended and does not say otherwise. If the target has closed it, or
	// spoken unasked, by the time of the next check, that check makes a new one within its time. So a check may be sent
	// twice.
	Reuse int
}

// NLBHTTPCheck makes an HTTP checker pass the codes that pass in target groups of Network and Gateway Load Balancers:
// 200 to 399.
// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Matcher.html (read 2026-11).
func NLBHTTPCheck(o *HTTPOptions) { o.Matcher = "200-399" }

// HTTP returns a Checker that asks targets over HTTP/1.1, with TLS if the options have it. Every mistake in the options is a
// *FieldError of the error that it returns.
//
// A target passes when, within the timeout, it accepts a connection, answers with a code that the matcher lists, and completes
// its answer or sends more than MaxBody of it, with BodyMatch in it. Redirects are never followed: their code goes to the
// matcher. A check reads no more than 32 KiB of header and twice MaxBody, the framing of chunks included, in one pooled buffer,
// whatever the target sends.
func HTTP(optFns ...func(*HTTPOptions)) (Checker, error) {
	var o HTTPOptions
	for _, fn := range optFns {
		fn(&o)
	}
	orDefault(&o.Method, http.MethodGet)
	orDefault(&o.Path, "/")
	orDefault(&o.UserAgent, defaultUserAgent)
	orDefault(&o.Matcher, "200")
	orDefault(&o.MaxBody, defaultMaxBody)
	codes, ok := parseMatcher(o.Matcher, minHTTPCode, maxHTTPCode)
	isHead := o.Method == http.MethodHead

	m := mistakes{options: "HTTPOptions"}
	connector := o.connector(&m, "http/1.1", o.Reuse <= 1)
	m.require(isToken(o.Method) && o.Method != http.MethodConnect, "Method", o.Method, "must be an HTTP method other than CONNECT")
	m.require(isPath(o.Path), "Path", o.Path, `must begin with "/", be escaped and have no fragment`)
	m.require(len(o.Path) <= maxPath, "Path", o.Path, fmt.Sprintf("must have at most %d bytes", maxPath))
	m.require(isHost(o.Host), "Host", o.Host, "must be a host, with a port or without")
	m.require(isPlain(strings.ReplaceAll(o.UserAgent, " ", "")), "UserAgent", o.UserAgent, "must be printable ASCII")
	header := headerLines(&m, o.Header)
	m.require(ok, "Matcher", o.Matcher, `must be codes from 200 to 599 such as "200", "200,202" or "200-299"`)
	m.require(o.BodyMatch == "" || !isHead, "BodyMatch", o.BodyMatch, "must be empty with HEAD, whose answers have no body")
	m.require(o.MaxBody > 0, "MaxBody", o.MaxBody, "must not be negative")
	m.require(o.MaxBody <= maxMaxBody, "MaxBody", o.MaxBody, fmt.Sprintf("must be at most %d bytes", maxMaxBody))
	m.require(o.MaxBody <= 0 || len(o.BodyMatch) <= o.MaxBody, "BodyMatch", o.BodyMatch, "must fit in MaxBody")
	m.require(o.Reuse >= 0, "Reuse", o.Reuse, "must not be negative")
	if len(m.errs) > 0 {
		return nil, errors.Join(m.errs...)
	}
	c := &httpChecker{
		connector: connector,
		host:      o.Host,
		before:    o.Method + " " + o.Path + " HTTP/1.1\r\nHost: ",
		after:     "\r\nUser-Agent: " + o.UserAgent + "\r\n" + header + noContent(o.Method) + "Connection: ",
		codes:     codes,
		isHead:    isHead,
		maxBody:   o.MaxBody,
		reuse:     o.Reuse,
	}
	if o.BodyMatch != "" {
		c.text = newNeedle(o.BodyMatch)
	}
	return c, nil
}

// noContent is how the methods whose requests usually have a body say that there is none: servers may ask for it, with a 411.
// Source: RFC 9110, sections 8.6 and 15.5.12.
func noContent(method string) string {
	switch method {
	case http.MethodPost, http.MethodPut, http.MethodPatch:
		return "Content-Length: 0\r\n"
	}
	return ""
}

// headerLines returns a header as it is sent, always in the same order.
func headerLines(m *mistakes, header http.Header) string {
	var lines strings.Builder
	accepts := func(name string) bool { return strings.EqualFold(name, "Accept") && len(header[name]) > 0 }
	if !slices.ContainsFunc(slices.Collect(maps.Keys(header)), accepts) {
		lines.WriteString("Accept: */*\r\n")
	}
	for _, name := range slices.Sorted(maps.Keys(header)) {
		field := fmt.Sprintf("Header[%q]", name)
		m.require(isToken(name), field, name, "must be the name of a header")
		switch http.CanonicalHeaderKey(name) {
		case "Host", "User-Agent":
			m.require(false, field, name, "must be set by the field of that name")
		case "Connection", "Keep-Alive", "Proxy-Connection", "Content-Length", "Transfer-Encoding", "Te", "Trailer", "Upgrade", "Expect":
			m.require(false, field, name, "must not be set: it belongs to the connection")
		}
		for _, value := range header[name] {
			m.require(isFieldValue([]byte(value)), field, "a value", "must not have control characters") // it may be a secret
			lines.WriteString(name + ": " + value + "\r\n")
		}
	}
	return lines.String()
}

// isPath reports whether s may be what is asked for in a request.
// Source: RFC 9112, section 3.2.1.
func isPath(s string) bool {
	_, err := url.ParseRequestURI(s) // which takes a fragment for a part of the path
	return err == nil && strings.HasPrefix(s, "/") && isPlain(s) && !strings.Contains(s, "#")
}

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
