package failover

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"
)

// Order is something that a person has said. It is plain data.
type Order struct {
	V    int       `json:"v"`
	Kind OrderKind `json:"kind"`

	Service  string `json:"service,omitempty"`
	Incident string `json:"incident,omitempty"`

	By   string    `json:"by"`
	Why  string    `json:"why,omitempty"`
	Time time.Time `json:"time"` // wall clock of who gave it
	Off  bool      `json:"off,omitempty"`

	// Plan is the digest of the plan that is approved: [Proposal.Plan]. Another plan needs another approval.
	Plan string `json:"plan,omitempty"`
}

// OrderKind says what an [Order] is.
type OrderKind string

// The kinds of orders.
const (
	OrderPause       OrderKind = "pause"       // the kill switch: no controller begins or goes on with anything
	OrderApprove     OrderKind = "approve"     // a proposed incident may be executed
	OrderAcknowledge OrderKind = "acknowledge" // what a past incident blocks is allowed again
	OrderAbandon     OrderKind = "abandon"     // an open incident is given up
)

// Pause is the kill switch of a fleet: controllers stop what they are executing, which stays resumable, and begin nothing until Unpause.
// Detection goes on.
func (b *Board) Pause(ctx context.Context, by, why string) error {
	return b.order(ctx, "pause", Order{Kind: OrderPause, By: by, Why: why})
}

// Unpause takes Pause back.
func (b *Board) Unpause(ctx context.Context, by, why string) error {
	return b.order(ctx, "pause", Order{Kind: OrderPause, By: by, Why: why, Off: true})
}

// Approve lets a proposed incident be executed, whose plan reaches so far that a person has to agree: see [Brakes.Approval]. It is for the plan that is
// proposed now: [Proposal.Blast], [Proposal.Steps]. Without such a proposal it is refused with [ErrNotProposed].
func (b *Board) Approve(ctx context.Context, service, incident, by, why string) error {
	o := Order{Kind: OrderApprove, Service: service, Incident: incident, By: by, Why: why}
	if err := o.check(); err != nil {
		return err
	}
	p, _, err := b.proposal(ctx, service)
	if err != nil {
		return fmt.Errorf("failover: order to %s: %w", o.Kind, err)
	}
	if p.Incident != incident || p.Off {
		return fmt.Errorf("failover: order to %s: incident %s of %s: %w", o.Kind, incident, service, ErrNotProposed)
	}
	o.Plan = p.Plan
	return b.order(ctx, orderName(OrderApprove, service, incident), o)
}

// Acknowledge says that somebody has understood a past incident: it does not block automatic runs any more.
func (b *Board) Acknowledge(ctx context.Context, service, incident, by, why string) error {
	return b.order(ctx, orderName(OrderAcknowledge, service, incident), Order{Kind: OrderAcknowledge, Service: service, Incident: incident, By: by, Why: why})
}

// Abandon has the leader give up an open incident, whoever has begun it: see [Engine.Abandon]. Whoever calls it looks after what is left.
func (b *Board) Abandon(ctx context.Context, service, incident, by, why string) error {
	return b.order(ctx, orderName(OrderAbandon, service, incident), Order{Kind: OrderAbandon, Service: service, Incident: incident, By: by, Why: why})
}

func orderName(kind OrderKind, service, incident string) string {
	return string(kind) + "/" + url.PathEscape(service) + "/" + url.PathEscape(incident)
}

// check reports every mistake of who gives an order.
func (o *Order) check() error {
	var errs []error
	required := func(field, v string) {
		if v == "" {
			errs = append(errs, &FieldError{field, v, "must not be empty"})
		}
	}
	required("by", o.By)
	if o.Kind != OrderPause {
		required("service", o.Service)
		required("incident", o.Incident)
	}
	return errors.Join(errs...)
}

// order writes an order over whatever was said before.
func (b *Board) order(ctx context.Context, name string, o Order) error {
	if err := o.check(); err != nil {
		return err
	}
	o.V, o.Time = boardVersion, time.Now().UTC()
	value, err := json.Marshal(o)
	if err != nil {
		return err
	}
	for {
		entry, err := b.store.Get(ctx, ordersGroup, name)
		if err == nil {
			_, err = put(ctx, b.store, ordersGroup, name, value, entry.Version)
		}
		if !errors.Is(err, ErrChanged) {
			if err != nil {
				return fmt.Errorf("failover: order to %s: %w", o.Kind, err)
			}
			return nil
		}
	}
}

// Orders returns all that is in force, the oldest first.
func (b *Board) Orders(ctx context.Context) ([]Order, error) {
	entries, err := b.store.List(ctx, ordersGroup)
	if err != nil {
		return nil, err
	}
	var list []Order
	for _, e := range entries {
		var o Order
		if err := json.Unmarshal(e.Value, &o); err != nil {
			return nil, Permanent(fmt.Errorf("failover: order %s: %w", e.Name, err))
		}
		if o.V > boardVersion {
			return nil, Permanent(fmt.Errorf("failover: order %s is of version %d: %w", e.Name, o.V, ErrNewer))
		}
		if !o.Off {
			list = append(list, o)
		}
	}
	slices.SortStableFunc(list, func(a, b Order) int { return a.Time.Compare(b.Time) })
	return list, nil
}

// fulfil takes an order down that has been carried out, so that it does not count for what comes later. One that was given anew meanwhile stays.
func (b *Board) fulfil(ctx context.Context, kind OrderKind, service, incident string, given time.Time) error {
	name := orderName(kind, service, incident)
	entry, err := b.store.Get(ctx, ordersGroup, name)
	if err != nil || entry.Version == "" {
		return err
	}
	var o Order
	if err := json.Unmarshal(entry.Value, &o); err != nil {
		return err
	}
	if o.Off || !o.Time.Equal(given) {
		return nil
	}
	o.Off = true
	value, err := json.Marshal(o)
	if err != nil {
		return err
	}
	if _, err = put(ctx, b.store, ordersGroup, name, value, entry.Version); errors.Is(err, ErrChanged) {
		return nil // it is another one now
	}
	return err
}
