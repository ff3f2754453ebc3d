package healthcheck

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"slices"
	"sync/atomic"
	"time"
)

// drainLimit is up to which size a response that nobody wants is read, so that its connection can be used again. It should be no
// larger than what comes together with the header, or the next attempt waits for it.
const drainLimit = 4 << 10

// drainTime is how long that may take: it comes at once, or the target has stalled, and the request is waiting to go elsewhere.
const drainTime = 100 * time.Millisecond

var errNoResponse = errors.New("healthcheck: the base returned neither a response nor an error")

// TargetError is why Transport has no response.
type TargetError struct {
	Target   Target // of the last attempt
	Attempts int
	Err      error // what the base said
}

// Error names the target by its ID.
func (e *TargetError) Error() string {
	if e.Attempts > 1 {
		return fmt.Sprintf("healthcheck: request to %q, after %d other attempts: %v", e.Target.ID, e.Attempts-1, e.Err)
	}
	return fmt.Sprintf("healthcheck: request to %q: %v", e.Target.ID, e.Err)
}

// Unwrap returns what the base said.
func (e *TargetError) Unwrap() error { return e.Err }

// Timeout reports whether it was a timeout, which is how *url.Error asks.
func (e *TargetError) Timeout() bool {
	var t interface{ Timeout() bool }
	return errors.As(e.Err, &t) && t.Timeout()
}

// attempt is one request to one target and what came of it.
type attempt struct {
	lease    Lease
	response *http.Response
	err      error
	ours     bool               // err is none that another target could mend
	cancel   context.CancelFunc // calls the request off; nil if nobody will want to

	looked atomic.Bool // the base has told that it looks for a connection
	got    atomic.Bool // and that it has one: it may have written
}

// attempt sends req to a target.
func (t *Transport) attempt(req *http.Request, lease Lease, body *bodySource) *attempt {
	a := &attempt{lease: lease, ours: true}
	if lease.Target.Addr == "" {
		a.err = &FieldError{Field: "Target.Addr", Value: "", Rule: "must not be empty"}
		return a
	}
	ctx := httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		GetConn: func(string) { a.looked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { a.got.Store(true) },
	})
	if len(t.opts.RetryStatus) > 0 {
		ctx, a.cancel = context.WithCancel(ctx)
	}
	out := req.WithContext(ctx) // a shallow copy: the request itself is the caller's
	u := *req.URL
	u.Host = lease.Target.Addr
	out.URL = &u
	out.Host = cmp.Or(lease.Target.Host, req.Host, req.URL.Host)
	if out.Body, a.err = body.take(); a.err != nil {
		return a
	}
	returned := false
	defer func() {
		if !returned { // the base panics: a lease that is never done would keep traffic away from the target for good
			a.lease.Done(Use{Err: context.Canceled})
		}
	}()
	a.response, a.err = t.base.RoundTrip(out) //nolint:bodyclose // result hands it to the caller, and discard closes it
	returned = true
	if a.response == nil && a.err == nil {
		a.err = errNoResponse
	}
	if a.err == nil && a.response.Body == nil {
		a.response.Body = http.NoBody
	}
	_, traces := t.base.(*http.Transport)
	a.ours = traces && !a.looked.Load() // for a connection, because the request is not valid
	return a
}

// again reports whether the request may be sent to another target.
func (a *attempt) again(t *Transport, req *http.Request, body *bodySource) bool {
	if req.Context().Err() != nil || !body.replayable() {
		return false
	}
	if a.err == nil {
		return isIdempotent(req) && slices.Contains(t.opts.RetryStatus, a.response.StatusCode)
	}
	return !a.ours && (isIdempotent(req) || a.looked.Load() && !a.got.Load())
}

// result ends the last attempt.
func (a *attempt) result(req *http.Request, attempts int) (*http.Response, error) {
	if a.err != nil {
		a.discard(req)
		return nil, &TargetError{Target: a.lease.Target, Attempts: attempts, Err: a.err}
	}
	r := a.response
	r.Request = req // by which relative redirects are resolved
	u := Use{StatusCode: r.StatusCode}
	if r.Body == http.NoBody {
		a.end()
		a.lease.Done(u)
		return r, nil
	}
	b := &leasedBody{ReadCloser: r.Body, lease: a.lease, use: u, ctx: req.Context(), end: a.end}
	r.Body = b
	if w, ok := b.ReadCloser.(io.Writer); ok { // of 101 Switching Protocols
		r.Body = &leasedConn{leasedBody: b, Writer: w}
	}
	return r, nil
}

// discard ends an attempt whose outcome nobody gets.
func (a *attempt) discard(req *http.Request) {
	defer a.end()
	switch {
	case a.err != nil && a.ours:
		a.lease.Done(Use{Err: context.Canceled})
		return
	case a.err != nil:
		a.lease.Done(Use{Err: blame(req.Context(), a.err)})
		return
	}
	if n := a.response.ContentLength; 0 <= n && n <= drainLimit {
		stall := time.AfterFunc(drainTime, a.end)
		_, _ = io.Copy(io.Discard, a.response.Body)
		stall.Stop()
	}
	_ = a.response.Body.Close()
	a.lease.Done(Use{StatusCode: a.response.StatusCode})
}

// end releases what the attempt holds, once nobody reads its response any more.
func (a *attempt) end() {
	if a.cancel != nil {
		a.cancel()
	}
}

// blame returns an error for Use.Err. When the caller has called the request off, whatever the error says, the target is not to blame.
func blame(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return context.Canceled
	}
	return err
}

// isIdempotent is RFC 9110, section 9.2.2, and the header that says so of any other method.
func isIdempotent(req *http.Request) bool {
	switch req.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut, http.MethodDelete:
		return true
	}
	return req.Header.Get("Idempotency-Key") != "" || req.Header.Get("X-Idempotency-Key") != ""
}
