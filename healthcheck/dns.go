package healthcheck

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// DNS keeps targets registered for the addresses of a name. Make one with NewDNS. Each address is a target of its own, with the
// ID "host:port/address": one that is new begins in Initial, and one that is gone from the answer drains. A lookup that fails,
// or finds nothing, changes nothing: the checks know better than the resolver what is alive.
//
// With a Registrar that also has the Events of a [Source], as a Pool has, a target of the DNS that becomes Unhealthy has the name
// looked up at once: perhaps it has moved.
type DNS struct {
	registrar Registrar
	opts      DNSOptions
	host      string
	port      string
	ran       atomic.Bool
	again     chan struct{}

	targets map[string]named // registered by this DNS; of Run only
}

// named is a target with the time of the latest answer that had its address.
type named struct {
	Target
	at time.Time
}

// DNSOptions are the options of a DNS. The zero value of each field means its default.
type DNSOptions struct {
	// Interval is the time from the end of a lookup to the start of the next one. At least one second. Default 30 s. The lifetime
	// of records is not known: package net does not tell it.
	Interval time.Duration
	// MinInterval is how soon a lookup may follow another because of LookupNow or of a target that has become Unhealthy. At most
	// Interval. Default 5 s.
	MinInterval time.Duration
	// Timeout is how long a lookup may take. Default 5 s.
	Timeout time.Duration
	// KeepFor is for how long an address stays registered after the last answer that had it, to within an Interval. Default: it
	// drains with the first answer that lacks it. Give it several Intervals where an answer has only some of the addresses, or each
	// one would drain others: a multivalue answer of Route 53 has up to eight.
	// Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/routing-policy-multivalue.html (read 2026-11).
	KeepFor time.Duration
	// Family restricts the addresses. Default AnyFamily: both.
	Family Family
	// Zone tells the zone of an address, such as by its subnet. Default: none has one.
	Zone func(netip.Addr) string
	// Target completes the target of an address before it is registered, such as with a CheckPort or a Weight. It must be the same
	// each time for the same target, and must leave the ID. Default: it is as it is, with Host set to the name that is looked up.
	Target func(Target) Target
	// Lookup finds the addresses of a host; network is "ip", "ip4" or "ip6". Default: LookupNetIP of a net.Resolver.
	Lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)
	// Logger gets changes at Info and failed lookups at Warn. Nil is silent.
	Logger *slog.Logger
}

const (
	defaultLookupInterval    = 30 * time.Second
	defaultMinLookupInterval = 5 * time.Second
	defaultLookupTimeout     = 5 * time.Second
	minLookupInterval        = time.Second
)

// NewDNS returns a DNS for a name with a port, "host:port". It looks nothing up.
//
// Every mistake is a *FieldError of the error that it returns.
func NewDNS(registrar Registrar, addr string, optFns ...func(*DNSOptions)) (*DNS, error) {
	var o DNSOptions
	for _, fn := range optFns {
		fn(&o)
	}
	orDefault(&o.Interval, defaultLookupInterval)
	orDefault(&o.MinInterval, min(defaultMinLookupInterval, o.Interval))
	orDefault(&o.Timeout, defaultLookupTimeout)
	m := mistakes{options: "DNSOptions"}
	m.require(o.Interval >= minLookupInterval, "Interval", o.Interval, fmt.Sprintf("must be at least %v", minLookupInterval))
	m.require(0 < o.MinInterval && o.MinInterval <= o.Interval, "MinInterval", o.MinInterval, "must be greater than zero and at most Interval")
	m.require(o.Timeout > 0, "Timeout", o.Timeout, "must be greater than zero")
	m.require(o.KeepFor >= 0, "KeepFor", o.KeepFor, "must not be negative")
	m.require(o.Family <= IPv6, "Family", o.Family, "must be AnyFamily, IPv4 or IPv6")
	if registrar == nil {
		m.errs = append(m.errs, &FieldError{Field: "registrar", Rule: "must not be nil"})
	}
	if !validAddr(addr) {
		m.errs = append(m.errs, &FieldError{Field: "addr", Value: addr, Rule: "must be host:port with a port from 1 to 65535"})
	}
	if len(m.errs) > 0 {
		return nil, errors.Join(m.errs...)
	}
	if o.Lookup == nil {
		o.Lookup = new(net.Resolver).LookupNetIP
	}
	host, port, _ := net.SplitHostPort(addr)
	return &DNS{registrar: registrar, opts: o, host: host, port: port, again: make(chan struct{}, 1)}, nil
}

// LookupNow asks Run to look the name up again without waiting for Interval, though not before MinInterval. It returns at once.
func (d *DNS) LookupNow() {
	select {
	case d.again <- struct{}{}:
	default:
	}
}

// Run looks the name up at once, and again and again until ctx ends, and returns its cause. What it has registered stays
// registered. It ends with ErrStopped if the pool has stopped. A second call returns ErrAlreadyRun.
func (d *DNS) Run(ctx context.Context) error {
	if d.ran.Swap(true) {
		return ErrAlreadyRun
	}
	ctx, stop := d.follow(ctx)
	defer stop()
	timer := time.NewTimer(0)
	defer timer.Stop()
	<-timer.C
	for ctx.Err() == nil {
		if err := d.update(ctx); errors.Is(err, ErrStopped) {
			return err
		} else if err != nil && ctx.Err() == nil && d.opts.Logger != nil {
			d.opts.Logger.LogAttrs(ctx, slog.LevelWarn, "lookup", slog.String("host", d.host), slog.String("error", err.Error()))
		}
		timer.Reset(d.opts.MinInterval)
		select {
		case <-timer.C:
		case <-ctx.Done():
			continue
		}
		timer.Reset(d.opts.Interval - d.opts.MinInterval)
		select {
		case <-timer.C:
		case <-d.again:
		case <-ctx.Done():
		}
	}
	return context.Cause(ctx)
}

// follow looks the name up when one of its targets becomes unhealthy, until stop is called, which waits for the end of that. The
// context that it returns ends also when the pool has stopped: lookups that find nothing new would not tell.
func (d *DNS) follow(ctx context.Context) (following context.Context, stop func()) {
	pool, ok := d.registrar.(interface {
		Events(ctx context.Context) iter.Seq[Event]
	})
	if !ok {
		return ctx, func() {}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	events, ended := pool.Events(ctx), make(chan struct{})
	go func() {
		defer close(ended)
		for e := range events {
			lost := e.Kind == Transition && e.Status.State == Unhealthy && strings.HasPrefix(e.Status.Target.ID, d.id(""))
			if lost || e.Dropped > 0 {
				d.LookupNow()
			}
		}
		cancel(ErrStopped)
	}()
	return ctx, func() {
		cancel(nil)
		<-ended
	}
}

// id is that of the target of an address.
func (d *DNS) id(addr string) string { return net.JoinHostPort(d.host, d.port) + "/" + addr }

// update makes the targets those of the addresses that the name has now.
func (d *DNS) update(ctx context.Context) error {
	want, err := d.lookup(ctx)
	if err != nil {
		return err
	}
	var add []Target
	var gone []string
	for id, t := range want {
		if d.targets[id].Target != t.Target {
			add = append(add, t.Target)
		}
	}
	now := time.Now()
	for id, t := range d.targets {
		if _, ok := want[id]; ok {
			continue
		}
		if now.Sub(t.at) < d.opts.KeepFor {
			want[id] = t
		} else {
			gone = append(gone, id)
		}
	}
	if len(add)+len(gone) == 0 {
		d.targets = want
		return nil
	}
	slices.SortFunc(add, func(a, b Target) int { return strings.Compare(a.ID, b.ID) })
	slices.Sort(gone)
	// What is new comes first, so that there is no moment without any.
	if err := d.registrar.Register(add...); err != nil {
		return err
	}
	if err := d.registrar.Deregister(gone...); err != nil {
		return err
	}
	d.targets = want
	if d.opts.Logger != nil {
		d.opts.Logger.LogAttrs(ctx, slog.LevelInfo, "addresses changed", slog.String("host", d.host),
			slog.Int("added", len(add)), slog.Int("removed", len(gone)), slog.Int("now", len(want)))
	}
	return nil
}

// lookup returns the targets of the addresses that the name has now, at least one.
func (d *DNS) lookup(ctx context.Context) (map[string]named, error) {
	ctx, cancel := context.WithTimeout(ctx, d.opts.Timeout)
	defer cancel()
	network := "ip" + strings.TrimPrefix(d.opts.Family.network(), "tcp")
	addrs, err := d.opts.Lookup(ctx, network, d.host)
	if err != nil {
		return nil, fmt.Errorf("healthcheck: look up %s: %w", d.host, err)
	}
	want, now := make(map[string]named, len(addrs)), time.Now()
	for _, addr := range addrs {
		addr = addr.Unmap()
		if d.opts.Family == IPv4 && !addr.Is4() || d.opts.Family == IPv6 && !addr.Is6() || !addr.IsValid() {
			continue
		}
		t := Target{
			ID:   d.id(addr.String()),
			Addr: net.JoinHostPort(addr.String(), d.port),
			Host: d.host,
		}
		if d.opts.Zone != nil {
			t.Zone = d.opts.Zone(addr)
		}
		if d.opts.Target != nil {
			id := t.ID
			t = d.opts.Target(t)
			t.ID = id
		}
		want[t.ID] = named{t, now}
	}
	if len(want) == 0 {
		return nil, fmt.Errorf("healthcheck: look up %s: no addresses of family %v", d.host, d.opts.Family)
	}
	return want, nil
}
