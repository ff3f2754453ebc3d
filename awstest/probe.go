package awstest

import (
	"bufio"
	"context"
	"io"
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
	From   *Zone      // where the checker stands; nil is the Internet
	Source netip.Addr // its address, as handlers see it; one of the VPC if it is not valid
	Port   uint16

	// Timeout is of the reply, from the connection; ConnectTimeout of the
	// connection, and Timeout unless it is given.
	Timeout, ConnectTimeout time.Duration

	// Path is asked for by an HTTP GET; an empty path only connects.
	Path      string
	Host      string
	UserAgent string

	// Body is how many bytes of the reply's body are wanted. With the last of
	// them, or the end of the reply, the probe ends; BodyTimeout after the
	// status, which is then what Timeout is of, it times out. Zero wants none.
	Body        int
	BodyTimeout time.Duration
}

func (s *ProbeSpec) connectTimeout() time.Duration {
	if s.ConnectTimeout > 0 {
		return s.ConnectTimeout
	}
	return s.Timeout
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
	// ProbeUnknownHost is a DNS name that leads nowhere, see [Tx.ProbeAddress].
	ProbeUnknownHost
)

// ProbeResult is what a probe met.
type ProbeResult struct {
	Outcome ProbeOutcome
	Status  int    // HTTP status
	Body    []byte // as much of it as was wanted
}

// Probe asks an instance through the network whether it is well, and calls
// done with the answer, with the cloud locked.
//
// What the instance serves with [Instance.Serve] is asked without a
// connection: the handler is called as its server would call it. That costs
// a tenth, which is what lets a day of checks pass in a second.
func (tx *Tx) Probe(i *Instance, spec ProbeSpec, done func(*Tx, ProbeResult)) {
	tx.probe(Hop{Instance: i, Port: spec.Port}, route{}, spec, done)
}

// ProbeAddress is [Tx.Probe] of what an IP address or a DNS name leads to at
// this moment, as [Cloud.Dial] does.
func (tx *Tx) ProbeAddress(host string, spec ProbeSpec, done func(*Tx, ProbeResult)) {
	hop, via, _, err := tx.lookup(&dialing{from: vantage{zone: spec.From}, host: host, port: spec.Port})
	if err != nil {
		tx.Schedule(tx.now, func(tx *Tx) { done(tx, ProbeResult{Outcome: ProbeUnknownHost}) })
		return
	}
	tx.probe(hop, via, spec, done)
}

func (tx *Tx) probe(hop Hop, via route, spec ProbeSpec, done func(*Tx, ProbeResult)) {
	at, i := tx.now, hop.Instance
	spec.Port = hop.Port // where the checked port leads
	finish := func(at time.Time, r ProbeResult) {
		tx.Schedule(at, func(tx *Tx) { done(tx, r) })
	}
	switch tx.cloud.net.path(vantage{zone: spec.From}, via, hop) {
	case pathLost:
		finish(at.Add(spec.connectTimeout()), ProbeResult{Outcome: ProbeTimedOut})
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
	expire  *Event       // guarded by the cloud's lock, like decided
	done    func(*Tx, ProbeResult)
	decided bool

	mu     sync.Mutex
	ended  bool
	own    context.Context // made when somebody asks for it: few handlers do
	cancel context.CancelFunc
}

func (p *probe) timeOut(tx *Tx) { p.decide(tx, ProbeResult{Outcome: ProbeTimedOut}) }

func (p *probe) run(context.Context) {
	if p.handler != nil {
		p.told(p.ask())
	} else {
		p.told(p.dial())
	}
	p.end()
}

// heard runs fn if what the machine says reaches the checker: it does not when
// the machine has died or been cut off meanwhile, and then the timeout decides.
func (p *probe) heard(fn func(*Tx)) {
	p.on.cloud.Update(func(tx *Tx) {
		if !tx.cloud.closed && !p.decided && p.on.boot == p.boot && connected(vantage{zone: p.spec.From}, p.on) {
			fn(tx)
		}
	})
}

// told ends the probe with what the machine has said.
func (p *probe) told(r ProbeResult) {
	p.heard(func(tx *Tx) {
		p.expire.Cancel(tx)
		p.decide(tx, r)
	})
}

// status gives the body its own time, once the status is there.
func (p *probe) status() {
	if p.spec.Body == 0 || p.spec.BodyTimeout == 0 {
		return
	}
	p.heard(func(tx *Tx) {
		p.expire.Cancel(tx)
		p.expire = tx.Schedule(tx.now.Add(p.spec.BodyTimeout), p.timeOut)
	})
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
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Body: http.NoBody, RemoteAddr: s.source(),
		Header: http.Header{"User-Agent": {s.UserAgent}}, Close: true, // as ELB closes after each check
	}
	return req.WithContext(ctx)
}

// source is where the request comes from.
func (s *ProbeSpec) source() string {
	if !s.Source.IsValid() {
		return "10.255.255.1:40000"
	}
	return netip.AddrPortFrom(s.Source, 40000).String()
}

// ask calls the handler as a server would; a panic breaks the connection.
func (p *probe) ask() (r ProbeResult) {
	defer func() {
		if recover() != nil {
			r = ProbeResult{Outcome: ProbeRefused}
		}
	}()
	w := replyWriter{probe: p}
	p.handler.ServeHTTP(&w, p.spec.request(p))
	w.WriteHeader(http.StatusOK)
	return ProbeResult{Status: w.code, Body: w.body}
}

// dial asks over a connection.
func (p *probe) dial() ProbeResult {
	var conn *memnet.Conn
	p.on.cloud.Update(func(tx *Tx) {
		to := net.TCPAddrFromAddrPort(netip.AddrPortFrom(p.on.private, p.spec.Port))
		conn, _ = tx.open(vantage{zone: p.spec.From}, Hop{Instance: p.on, Port: p.spec.Port}, route{}, to)
	})
	if conn == nil {
		return ProbeResult{Outcome: ProbeRefused}
	}
	defer conn.Close()
	stop := context.AfterFunc(p, func() { _ = conn.Close() })
	defer stop()
	req := p.spec.request(p)
	if err := req.Write(conn); err != nil {
		return ProbeResult{Outcome: ProbeRefused}
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), req)
	if err != nil {
		return ProbeResult{Outcome: ProbeRefused}
	}
	defer resp.Body.Close()
	if p.spec.Body == 0 {
		return ProbeResult{Status: resp.StatusCode}
	}
	p.status()
	body, err := io.ReadAll(io.LimitReader(resp.Body, int64(p.spec.Body)))
	if err != nil {
		return ProbeResult{Outcome: ProbeRefused}
	}
	return ProbeResult{Status: resp.StatusCode, Body: body}
}
