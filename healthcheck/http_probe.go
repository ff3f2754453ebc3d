package healthcheck

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// errBodyMismatch says nothing of what the body was: it may hold what nobody else should read.
var errBodyMismatch = errors.New("healthcheck: BodyMatch is not in the body")

type httpChecker struct {
	connector     connector
	host          string // empty: that of the target
	before, after string // the request around its host, as far as the value of Connection
	codes         matcher
	text          *needle // in the body; nil: none
	isHead        bool
	maxBody       int
	reuse         int
	exchanges     sync.Pool // of *exchange
}

func (c *httpChecker) Open(t Target) (Probe, error) {
	if err := c.connector.accepts(t); err != nil {
		return nil, err
	}
	p := &httpProbe{checker: c, place: c.connector.place(t)}
	p.host = cmp.Or(c.host, t.Host, withoutZone(p.place.addr))
	return p, nil
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
	checker *httpChecker
	host    string
	place   place
	kept    *link // for the next check; nil: none
}

func (p *httpProbe) Check(ctx context.Context) Result {
	if l := p.kept; l != nil {
		p.kept = nil
		if l.isQuiet() {
			if r, stale := p.checkOver(ctx, l); !stale {
				r.Reused = true
				return r
			}
		} else {
			l.close()
		}
	}
	l, err := p.place.connect(ctx)
	if err != nil {
		return resultOf(ctx, err)
	}
	took := l.took
	r, _ := p.checkOver(ctx, l)
	r.Connect = took
	return r
}

// checkOver makes a check over a link. Stale means that the link was used before and that the target has closed it without
// seeing this check, as far as one can tell, which says nothing about the target.
func (p *httpProbe) checkOver(ctx context.Context, l *link) (r Result, stale bool) {
	c := p.checker
	e, ok := c.exchanges.Get().(*exchange)
	if !ok {
		e = new(exchange)
	}
	l.checks++
	again, remote := l.checks > 1, l.remote
	e.begin(ctx, l)
	a, err := p.ask(e, l.checks < c.reuse)
	stale = again && ctx.Err() == nil && (err != nil && !e.gotSome && !isTimeout(err) || a.code == http.StatusRequestTimeout && !a.lasts)
	p.kept = e.end(a.lasts && a.passes && l.checks < c.reuse)
	c.exchanges.Put(e)

	r = resultOf(ctx, err)
	switch {
	case a.code != 0 && !c.codes.matches(a.code):
		r = mismatch(a.code)
	case err == nil && !a.passes:
		r = Result{Outcome: Fail, Reason: ReasonFailedHealthChecks, Detail: "Health checks failed: the body did not match", Err: errBodyMismatch}
	}
	r.Code, r.HasCode, r.RemoteAddr = a.code, a.code != 0, remote
	return r, stale
}

// httpAnswer is what a check learns from an answer.
type httpAnswer struct {
	code   int  // zero: none
	passes bool // as far as it was read
	lasts  bool // the connection can be used again
}

// ask sends the request and reads the answer. The body of an answer whose code does not match is not read.
func (p *httpProbe) ask(e *exchange, keep bool) (a httpAnswer, err error) {
	c := p.checker
	connection := "close\r\n\r\n"
	if keep {
		connection = "keep-alive\r\n\r\n"
	}
	request := append(e.scratch(), c.before...)
	request = append(request, p.host...)
	request = append(request, c.after...)
	request = append(request, connection...)
	if _, err := e.Write(request); err != nil {
		return a, err
	}
	code, body, err := e.head(c.isHead)
	a = httpAnswer{code: code, lasts: body.lasts}
	if err != nil || !c.codes.matches(code) {
		return a, err
	}
	var all bool
	a.passes, all, err = e.skip(body, c.maxBody, c.text)
	a.lasts = a.lasts && all
	a.passes = a.passes && err == nil
	return a, err
}

// mismatch is the failure of a target that answered with a code which is not listed.
func mismatch(code int) Result {
	return Result{
		Outcome: Fail, Reason: ReasonResponseCodeMismatch,
		Detail: "Health checks failed with these codes: [" + strconv.Itoa(code) + "]",
	}
}

func (p *httpProbe) Close() error {
	if p.kept != nil {
		p.kept.close()
		p.kept = nil
	}
	return nil
}
