package drill

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/awsha/awsha/failover"
)

// NewClient makes a client of a function: see [Client]. A nil function is a mistake, which [New] tells.
func NewClient(ask func(ctx context.Context) error) Client { return clientFunc(ask) }

type clientFunc func(context.Context) error

func (f clientFunc) Ask(ctx context.Context) error { return f(ctx) }

// isNil tells a nil interface, and one that holds nil.
func isNil(v any) bool {
	if v == nil {
		return true
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Pointer, reflect.Func, reflect.Map, reflect.Chan, reflect.Slice, reflect.Interface:
		return r.IsNil()
	default:
		return false
	}
}

// HTTPSpec describes a request over HTTP.
type HTTPSpec struct {
	URL    string // http or https. Required
	Header http.Header

	// Status tells which status is good. Nil: 200 to 299. A redirect is an answer, and is not followed.
	Status func(code int) bool

	// Body is a text that a good answer has in its first 64 KiB. Empty: any body will do, and no body too; it is read nevertheless.
	Body string

	// Transport sends it. Nil: a transport of the client's own, with net.Dialer's ways and the proxies of the environment.
	Transport http.RoundTripper

	// KeepAlive lets requests share a connection, as far as Transport does. By default each has its own, and finds the way that new users
	// find.
	KeepAlive bool
}

// HTTP makes a client that sends a GET request. Mistakes in the spec are told by [New].
func HTTP(spec HTTPSpec) Client {
	c := &httpClient{spec: spec}
	transport := spec.Transport
	if transport == nil {
		own := &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, DisableKeepAlives: !spec.KeepAlive}
		c.idle, transport = own, own
	}
	c.client = &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if c.spec.Status == nil {
		c.spec.Status = func(code int) bool { return code >= 200 && code <= 299 }
	}
	return c
}

type httpClient struct {
	spec   HTTPSpec
	client *http.Client
	idle   *http.Transport // of our own; else nil
}

// Validate implements [failover.Validator].
func (c *httpClient) Validate() error {
	var m mistakes
	u, err := url.Parse(c.spec.URL)
	m.require(err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "", "URL", c.spec.URL, "must be a URL of http or https with a host")
	m.require(len(c.spec.Body) <= maxBody, "Body", len(c.spec.Body), "characters are more than the 64 KiB of an answer that are looked at")
	return errors.Join(m...)
}

// maxBody is how much of a body is looked at.
const maxBody = 64 << 10

func (c *httpClient) Ask(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.spec.URL, http.NoBody)
	if err != nil {
		return err
	}
	for name, values := range c.spec.Header {
		req.Header[name] = slices.Clone(values)
	}
	if host := c.spec.Header.Get("Host"); host != "" {
		req.Host = host
	}
	req.Close = !c.spec.KeepAlive
	resp, err := c.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	switch {
	case !c.spec.Status(resp.StatusCode):
		return fmt.Errorf("status %s", resp.Status)
	case err != nil:
		return fmt.Errorf("status %s: body: %w", resp.Status, err)
	case !strings.Contains(string(body), c.spec.Body):
		return fmt.Errorf("status %s: the body has no %q", resp.Status, c.spec.Body)
	}
	return nil
}

// close gives back what the client holds.
func (c *httpClient) close() {
	if c.idle != nil {
		c.idle.CloseIdleConnections()
	}
}

// TCPSpec describes a connection over TCP.
type TCPSpec struct {
	Address string // host:port. Required

	// Dial connects; its signature is that of [net.Dialer.DialContext]. Nil: that of a net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// TCP makes a client that connects and hangs up. Mistakes in the spec are told by [New].
func TCP(spec TCPSpec) Client {
	if spec.Dial == nil {
		spec.Dial = new(net.Dialer).DialContext
	}
	return &tcpClient{spec}
}

type tcpClient struct{ spec TCPSpec }

// Validate implements [failover.Validator].
func (c *tcpClient) Validate() error {
	host, port, err := net.SplitHostPort(c.spec.Address)
	if err != nil || host == "" || port == "" {
		return &failover.FieldError{Field: "Address", Value: c.spec.Address, Rule: "must be a host and a port"}
	}
	return nil
}

func (c *tcpClient) Ask(ctx context.Context) error {
	conn, err := c.spec.Dial(ctx, "tcp", c.spec.Address)
	if err != nil {
		return err
	}
	_ = conn.Close() // it has been there
	return nil
}

// DNSSpec describes a question for the addresses of a name.
type DNSSpec struct {
	Host string // Required

	// Want are the addresses of which a good answer has one at least. Empty: any answer is good that has an address. While a record moves,
	// a probe that wants the new address tells when this resolver has it: caches on the way keep the old one for its TTL.
	Want []string

	// Resolver asks. Nil: [net.DefaultResolver], which is the system's.
	Resolver Resolver
}

// DNS makes a client that resolves a name. Mistakes in the spec are told by [New].
func DNS(spec DNSSpec) Client {
	spec.Want = slices.Clone(spec.Want)
	if isNil(spec.Resolver) {
		spec.Resolver = net.DefaultResolver
	}
	return &dnsClient{spec}
}

type dnsClient struct{ spec DNSSpec }

// Validate implements [failover.Validator].
func (c *dnsClient) Validate() error {
	var m mistakes
	m.require(c.spec.Host != "", "Host", c.spec.Host, "must not be empty")
	for i, a := range c.spec.Want {
		m.require(net.ParseIP(a) != nil, fmt.Sprintf("Want[%d]", i), a, "must be an IP address")
	}
	return errors.Join(m...)
}

func (c *dnsClient) Ask(ctx context.Context) error {
	found, err := c.spec.Resolver.LookupHost(ctx, c.spec.Host)
	if err != nil {
		return err
	}
	same := func(a string) bool {
		return len(c.spec.Want) == 0 || slices.ContainsFunc(c.spec.Want, func(want string) bool { return net.ParseIP(want).Equal(net.ParseIP(a)) })
	}
	if !slices.ContainsFunc(found, same) {
		return fmt.Errorf("%s has the addresses %q, none of %q", c.spec.Host, found, c.spec.Want)
	}
	return nil
}
