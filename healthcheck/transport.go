package healthcheck

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"time"
)

const (
	defaultAttempts     = 3
	defaultRetryPercent = 20

	// retryReserve is how many retries a transport has saved up at most, which is also what it begins with.
	retryReserve = 10

	dialTimeout = 5 * time.Second
)

// TransportOptions are the options of Pool.Transport. The zero value of each field means its default.
type TransportOptions struct {
	// Attempts is how often a request is tried in all, each time at another target, 1 to 100. Default 3; 1 never retries.
	Attempts int
	// RetryStatus are status codes after which a request is tried again, if it may be, such as 502, 503 and 504. Default none.
	RetryStatus []int
	// RetryPercent is how many retries there are at most for every 100 requests, 1 to 100, beside 10 at the beginning: when all
	// targets fail, they get this much more traffic and not a multiple. Default 20.
	RetryPercent int
	// Zone is where the requests come from; see PickOptions.Zone.
	Zone string
}

// Transport is an http.RoundTripper that sends each request to a target of the pool. It is safe for concurrent use.
type Transport struct {
	pool   *Pool
	base   http.RoundTripper
	opts   TransportOptions
	err    error // mistakes in the options
	budget retryBudget
}

// Transport returns a RoundTripper that picks a target for each request and sends it there by base: to Target.Addr, with the
// scheme of the request. The Host header is Target.Host if there is one, and else what it would be without the pool. The lease
// lasts until the body of the response has been read to its end or closed, so close it, as always. What becomes of the request
// feeds Options.Passive and the algorithms that go by load.
//
// A request that fails is sent to another target, of another zone if there is one, and never to one that it was sent to before, if
//
//   - no connection was got for it, so that no byte of it can have been written; or it is idempotent, by its method (RFC 9110,
//     section 9.2.2) or an Idempotency-Key header, and either got no response or one of TransportOptions.RetryStatus;
//   - its body can be sent again: there is none, it has GetBody, or nobody has read from it;
//   - its context has not ended; and
//   - TransportOptions allow for one more attempt and the budget for one more retry.
//
// When no further target can be picked, the response or error of the last attempt is returned. An error is a *TargetError, unless
// no target could be picked at all, which is [ErrNoTargets].
//
// A nil base is a transport of its own, with a timeout for dialling and without a proxy from the environment. With another base it
// is the dial function of that which needs the timeout, as a request that gives up does not end its dial. To see whether a
// connection was got, the base has to support net/http/httptrace, as *http.Transport does; if it does not, only idempotent
// requests are tried again. With HTTPS, certificates are verified for the host in Target.Addr, unless the base is configured with a
// ServerName.
//
// All requests go to the pool, whatever host they name, those included that an http.Client makes to follow a redirect to
// elsewhere: see http.Client.CheckRedirect. A mistake in the options is what RoundTrip returns, as *FieldError values joined by
// errors.Join.
func (p *Pool) Transport(base http.RoundTripper, optFns ...func(*TransportOptions)) *Transport {
	var o TransportOptions
	for _, fn := range optFns {
		fn(&o)
	}
	orDefault(&o.Attempts, defaultAttempts)
	orDefault(&o.RetryPercent, defaultRetryPercent)
	o.RetryStatus = slices.Clone(o.RetryStatus)
	if base == nil {
		base = &http.Transport{
			DialContext:           (&net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}).DialContext,
			ForceAttemptHTTP2:     true,
			MaxIdleConnsPerHost:   64, // the default of 2 is for many hosts with few requests each
			IdleConnTimeout:       90 * time.Second,
			TLSHandshakeTimeout:   10 * time.Second,
			ExpectContinueTimeout: time.Second,
		}
	}
	t := &Transport{pool: p, base: base, opts: o, err: o.validate()}
	t.budget.init(o.RetryPercent)
	return t
}

func (o TransportOptions) validate() error {
	var errs []error
	if o.Attempts < 1 || o.Attempts > 100 {
		errs = append(errs, &FieldError{Field: "TransportOptions.Attempts", Value: o.Attempts, Rule: "must be from 1 to 100"})
	}
	if o.RetryPercent < 1 || o.RetryPercent > 100 {
		errs = append(errs, &FieldError{Field: "TransportOptions.RetryPercent", Value: o.RetryPercent, Rule: "must be from 1 to 100"})
	}
	for _, code := range o.RetryStatus {
		if code < 400 || code > 599 {
			errs = append(errs, &FieldError{Field: "TransportOptions.RetryStatus", Value: code, Rule: "must be from 400 to 599"})
		}
	}
	return errors.Join(errs...)
}

// CloseIdleConnections closes those of the base.
func (t *Transport) CloseIdleConnections() {
	if c, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// RoundTrip sends a request to a target; see [Pool.Transport].
func (t *Transport) RoundTrip(req *http.Request) (_ *http.Response, err error) {
	body := &bodySource{req: req}
	defer func() { body.end(err != nil) }()
	if t.err != nil {
		return nil, t.err
	}
	if req.URL == nil {
		return nil, &FieldError{Field: "Request.URL", Value: req.URL, Rule: "must not be nil"}
	}
	pick := PickOptions{Zone: t.opts.Zone}
	lease, err := t.pool.Pick(pick)
	if err != nil {
		return nil, err
	}
	t.budget.deposit()
	for attempts := 1; ; attempts++ {
		a := t.attempt(req, lease, body)
		if attempts == t.opts.Attempts || !a.again(t, req, body) {
			return a.result(req, attempts)
		}
		if pick.Except == nil {
			pick.Except = make([]string, 0, t.opts.Attempts)
		}
		pick.Except = append(pick.Except, lease.Target.ID)
		if zone := lease.Target.Zone; zone != "" && !slices.Contains(pick.AvoidZones, zone) {
			pick.AvoidZones = append(pick.AvoidZones, zone)
		}
		next, err := t.pool.Pick(pick)
		if err != nil {
			return a.result(req, attempts) // there is no other target
		}
		if !t.budget.withdraw() {
			next.Done(Use{Err: context.Canceled})
			return a.result(req, attempts)
		}
		a.discard(req)
		lease = next
	}
}
