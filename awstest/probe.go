package awstest

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"github.com/awsha/awsha/internal/memnet"
)

// ProbeSpec is a health check that AWS makes of an instance.
type ProbeSpec struct {
	From    *Zone // where the checker stands; nil is the Internet
	Port    uint16
	Timeout time.Duration

	// Path is asked for by an HTTP GET; an empty path only connects.
	Path      string
	Host      string
	UserAgent string
}

// ProbeOutcome is how a probe ended.
type ProbeOutcome uint8

const (
	// ProbeAnswered is a connection, or an HTTP reply with ProbeResult.Status.
	ProbeAnswered ProbeOutcome = iota
	// ProbeRefused is a connection that was refused, reset, or answered by
	// something that is not HTTP.
	ProbeRefused
	// ProbeTimedOut is silence.
	ProbeTimedOut
)

// ProbeResult is what a probe met.
type ProbeResult struct {
	Outcome ProbeOutcome
	Status  int // HTTP status
}

// Probe asks an instance through the network whether it is well, and calls
// done with the answer, with the cloud locked.
//
// What the instance serves with [Instance.Serve] is asked without a
// connection: the handler is called as its server would call it. That costs
// a tenth, which is what lets a day of checks pass in a second.
func (tx *Tx) Probe(i *Instance, spec ProbeSpec, done func(*Tx, ProbeResult)) {
	at := tx.now
	finish := func(at time.Time, r ProbeResult) {
		tx.Schedule(at, func(tx *Tx) { done(tx, r) })
	}
	switch tx.cloud.net.path(vantage{zone: spec.From}, Hop{Instance: i, Port: spec.Port}) {
	case pathLost:
		finish(at.Add(spec.Timeout), ProbeResult{Outcome: ProbeTimedOut})
		return
	case pathRefused:
		finish(at, ProbeResult{Outcome: ProbeRefused})
		return
	}
	if spec.Path == "" {
		finish(at, ProbeResult{Outcome: ProbeAnswered})
		return
	}

	p := &probe{Context: tx.cloud.ctx, spec: spec, on: i, boot: i.boot, handler: i.listening(spec.Port).handler, done: done}
	p.expire = tx.Schedule(at.Add(spec.Timeout), p.timeOut)
	tx.Go(p.run)
}

// probe is an HTTP check under way, and the context of its request. Whatever
// comes first decides: the reply or the timeout.
type probe struct {
	context.Context // of the cloud

	spec    ProbeSpec
	on      *Instance
	boot    int
	handler http.Handler // nil if the port is a listener
	expire  *Event
	done    func(*Tx, ProbeResult)
	decided bool // guarded by the cloud's lock

	mu     sync.Mutex
	ended  bool
	own    context.Context // made when somebody asks for it: few handlers do
	cancel context.CancelFunc
}

func (p *probe) timeOut(tx *Tx) { p.decide(tx, ProbeResult{Outcome: ProbeTimedOut}) }

func (p *probe) run(context.Context) {
	var r ProbeResult
	if p.handler != nil {
		r = p.spec.ask(p, p.handler)
	} else {
		r = p.spec.dial(p, p.on)
	}
	p.on.cloud.Update(func(tx *Tx) {
		// What a machine says that has died or been cut off meanwhile reaches
		// nobody: the timeout decides.
		if !tx.cloud.closed && p.on.boot == p.boot && connected(vantage{zone: p.spec.From}, p.on) {
			p.expire.Cancel(tx)
			p.decide(tx, r)
		}
	})
	p.end()
}

func (p *probe) decide(tx *Tx, r ProbeResult) {
	if !p.decided {
		p.decided = true
		p.end()
		p.done(tx, r)
	}
}

// end cancels the context, as a server does when a request is over.
func (p *probe) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	if p.cancel != nil {
		p.cancel()
	}
}

// context returns the context that ends with the probe.
func (p *probe) context() context.Context {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.own == nil {
		p.own, p.cancel = context.WithCancel(p.Context)
		if p.ended {
			p.cancel()
		}
	}
	return p.own
}

// Done is the channel of a context that can be cancelled.
func (p *probe) Done() <-chan struct{} { return p.context().Done() }

// Err tells whether the probe is over.
func (p *probe) Err() error { return p.context().Err() }

// Value finds what package context looks for in a context of its own.
func (p *probe) Value(key any) any { return p.context().Value(key) }

// request is the HTTP request of the check, as a server sees it.
func (s *ProbeSpec) request(ctx context.Context) *http.Request {
	u, err := url.ParseRequestURI(s.Path)
	if err != nil {
		u = &url.URL{Path: s.Path} // what no server would understand
	}
	req := &http.Request{
		Method: http.MethodGet, URL: u, RequestURI: s.Path, Host: s.Host,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Body: http.NoBody, RemoteAddr: "10.255.255.1:40000",
		Header: http.Header{"User-Agent": {s.UserAgent}}, Close: true, // as ELB closes after each check
	}
	return req.WithContext(ctx)
}

// ask calls a handler as a server would; a panic breaks the connection.
func (s *ProbeSpec) ask(ctx context.Context, h http.Handler) (r ProbeResult) {
	defer func() {
		if recover() != nil {
			r = ProbeResult{Outcome: ProbeRefused}
		}
	}()
	var w statusWriter
	h.ServeHTTP(&w, s.request(ctx))
	w.WriteHeader(http.StatusOK)
	return ProbeResult{Status: w.status}
}

// dial asks over a connection.
func (s *ProbeSpec) dial(ctx context.Context, i *Instance) ProbeResult {
	var conn *memnet.Conn
	i.cloud.Update(func(tx *Tx) {
		to := net.TCPAddrFromAddrPort(netip.AddrPortFrom(i.private, s.Port))
		conn, _ = tx.open(vantage{zone: s.From}, Hop{Instance: i, Port: s.Port}, route{}, to)
	})
	if conn == nil {
		return ProbeResult{Outcome: ProbeRefused}
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	req := s.request(ctx)
	if err := req.Write(conn); err != nil {
		return ProbeResult{Outcome: ProbeRefused}
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), req)
	if err != nil {
		return ProbeResult{Outcome: ProbeRefused}
	}
	_ = resp.Body.Close()
	return ProbeResult{Status: resp.StatusCode}
}

// statusWriter keeps the status of a reply and drops the rest.
type statusWriter struct {
	header http.Header
	status int
}

func (w *statusWriter) Header() http.Header {
	if w.header == nil {
		w.header = http.Header{}
	}
	return w.header
}

func (w *statusWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return len(p), nil
}

func (w *statusWriter) Flush() { w.WriteHeader(http.StatusOK) }

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
}
