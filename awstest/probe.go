package awstest

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"strconv"
	"time"
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

	// Whatever comes first decides: the reply or the timeout.
	decided := false
	ctx, cancel := context.WithCancel(tx.cloud.ctx)
	settle := func(tx *Tx, r ProbeResult) {
		if !decided {
			decided = true
			cancel()
			done(tx, r)
		}
	}
	expire := tx.Schedule(at.Add(spec.Timeout), func(tx *Tx) {
		settle(tx, ProbeResult{Outcome: ProbeTimedOut})
	})
	handler := i.listening(spec.Port).handler
	tx.Go(func(context.Context) {
		defer cancel()
		var r ProbeResult
		if handler != nil {
			r = spec.ask(ctx, handler)
		} else {
			r = spec.dial(ctx, i)
		}
		i.cloud.Update(func(tx *Tx) {
			if ctx.Err() == nil {
				expire(tx)
				settle(tx, r)
			}
		})
	})
}

func (s *ProbeSpec) request(ctx context.Context) *http.Request {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.Host+s.Path, http.NoBody)
	if err != nil { // the path or the host is not of a URL's form; no server would answer
		return nil
	}
	req.Header.Set("User-Agent", s.UserAgent)
	req.Header.Set("Connection", "close")
	return req
}

// ask calls a handler as a server would; a panic breaks the connection.
func (s *ProbeSpec) ask(ctx context.Context, h http.Handler) (r ProbeResult) {
	req := s.request(ctx)
	if req == nil {
		return ProbeResult{Outcome: ProbeRefused}
	}
	req.RequestURI = req.URL.RequestURI()
	req.RemoteAddr = "10.255.255.1:40000"
	defer func() {
		if recover() != nil {
			r = ProbeResult{Outcome: ProbeRefused}
		}
	}()
	w := statusWriter{header: http.Header{}}
	h.ServeHTTP(&w, req)
	w.WriteHeader(http.StatusOK)
	return ProbeResult{Status: w.status}
}

// dial asks over a connection.
func (s *ProbeSpec) dial(ctx context.Context, i *Instance) ProbeResult {
	req := s.request(ctx)
	if req == nil {
		return ProbeResult{Outcome: ProbeRefused}
	}
	from := vantage{zone: s.From}
	address := net.JoinHostPort(i.PrivateIP().String(), strconv.Itoa(int(s.Port)))
	conn, err := i.cloud.dial(ctx, from, "tcp", address)
	if err != nil {
		return ProbeResult{Outcome: ProbeRefused}
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
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

func (w *statusWriter) Header() http.Header { return w.header }

func (w *statusWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return len(p), nil
}

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
}
