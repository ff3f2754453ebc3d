package failover

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Board is what controllers tell each other, and what people tell them, on a [Store]: votes, proposals that wait for an approval, and orders. Make one
// with [NewBoard]; a tool of an operator makes its own, on the same store. It is safe for concurrent use.
//
// Cost: a controller writes one entry, or one for each 50 KiB of votes if it watches hundreds of services, and lists one group in each round in which there is news, and at least three times per TTL of a quorum; the leader
// lists the orders in each round. Each order costs a read and a write.
type Board struct {
	store Store

	mu   sync.Mutex
	seen map[string]sighting // of votes, by controller
}

// sighting is when an entry was first seen as it is.
type sighting struct {
	version Version
	at      time.Time
}

// NewBoard returns a board on store.
func NewBoard(store Store) (*Board, error) {
	if store == nil {
		return nil, &FieldError{"store", store, "must not be nil"}
	}
	return &Board{store: store, seen: make(map[string]sighting)}, nil
}

const (
	votesGroup    = "votes"
	ordersGroup   = "orders"
	proposalGroup = "proposals"
	boardVersion  = 1
)

// partMark is between the name of a controller and the number of a part of its votes. An escaped name has none.
const partMark = "/"

// ballot is the value of an entry of a controller in the votes: of all of its services, or of as many as fit.
type ballot struct {
	V          int               `json:"v"`
	Controller string            `json:"controller"`
	Zone       string            `json:"zone"`
	Run        string            `json:"run"` // unique to one run of a controller
	Seq        uint64            `json:"seq"`
	Term       uint64            `json:"term,omitempty"` // the token of the lead, if it has it
	Votes      map[string][]Vote `json:"votes"`          // by service
}

// post puts a part of a controller's votes up. at is where its last ones are, and is kept.
func (b *Board) post(ctx context.Context, mine ballot, part int, at *Version) error {
	mine.V = boardVersion
	value, err := json.Marshal(mine)
	if err != nil {
		return err
	}
	name := url.PathEscape(mine.Controller)
	if part > 0 {
		name += partMark + strconv.Itoa(part)
	}
	entry, err := put(ctx, b.store, votesGroup, name, value, *at)
	if errors.Is(err, ErrChanged) { // of an earlier run, or a late write of this one
		*at = entry.Version
		entry, err = put(ctx, b.store, votesGroup, name, value, *at)
	}
	if err == nil {
		*at = entry.Version
	}
	return err
}

// ballots returns what all controllers have put up but the one of the given name, with the ages of their votes by our own clock: since when an
// entry has been as it is, which is never before it was first read.
func (b *Board) ballots(ctx context.Context, but string) ([]ballot, error) {
	entries, err := b.store.List(ctx, votesGroup)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	list := make([]ballot, 0, len(entries))
	places := make(map[string]int, len(entries))
	for _, e := range entries { // the first part of a controller comes before the others
		var other ballot
		if json.Unmarshal(e.Value, &other) != nil || other.V != boardVersion || other.Controller == but {
			continue // who cannot be understood has no vote
		}
		first := b.seen[e.Name].version == ""
		if b.seen[e.Name].version != e.Version {
			b.seen[e.Name] = sighting{e.Version, now}
		}
		if first { // it may be of any age: it counts once it has been seen to change
			b.seen[e.Name] = sighting{e.Version, time.Time{}}
		}
		for _, votes := range other.Votes {
			for i := range votes {
				votes[i].Age = now.Sub(b.seen[e.Name].at)
			}
		}
		i, known := places[other.Controller]
		switch {
		case !strings.Contains(e.Name, partMark):
			places[other.Controller] = len(list)
			list = append(list, other)
		case known && list[i].Run == other.Run: // else it is left of an earlier run
			if list[i].Votes == nil {
				list[i].Votes = make(map[string][]Vote, len(other.Votes))
			}
			maps.Copy(list[i].Votes, other.Votes)
		}
	}
	return list, nil
}

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

// Approve lets a proposed incident be executed, whose plan reaches so far that a person has to agree: see [Brakes.Approval].
func (b *Board) Approve(ctx context.Context, service, incident, by, why string) error {
	return b.order(ctx, orderName(OrderApprove, service, incident), Order{Kind: OrderApprove, Service: service, Incident: incident, By: by, Why: why})
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

// order writes an order over whatever was said before.
func (b *Board) order(ctx context.Context, name string, o Order) error {
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
	if err := errors.Join(errs...); err != nil {
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
			return nil, fmt.Errorf("failover: order %s: %w", e.Name, err)
		}
		if o.V > boardVersion {
			return nil, fmt.Errorf("failover: order %s is of version %d: %w", e.Name, o.V, ErrNewer)
		}
		if !o.Off {
			list = append(list, o)
		}
	}
	slices.SortStableFunc(list, func(a, b Order) int { return a.Time.Compare(b.Time) })
	return list, nil
}

// Proposal is an incident that waits until somebody approves it.
type Proposal struct {
	V        int               `json:"v"`
	Service  string            `json:"service"`
	Incident string            `json:"incident"`
	Facts    map[string]string `json:"facts,omitempty"`
	Cause    string            `json:"cause"`
	Blast    string            `json:"blast"`
	Time     time.Time         `json:"time"`
	Off      bool              `json:"off,omitempty"` // it has been begun, or is not needed any more
	Seq      uint64            `json:"seq"`
}

// propose puts up a service's proposal, or takes it down, in place of the last one.
func (b *Board) propose(ctx context.Context, p Proposal) error {
	p.V = boardVersion
	for {
		entry, err := b.store.Get(ctx, proposalGroup, url.PathEscape(p.Service))
		if err != nil {
			return err
		}
		var last Proposal
		if entry.Version != "" {
			if err := json.Unmarshal(entry.Value, &last); err != nil {
				return fmt.Errorf("failover: proposal for %s: %w", p.Service, err)
			}
		}
		p.Seq = last.Seq + 1
		value, err := json.Marshal(p)
		if err != nil {
			return err
		}
		if _, err = put(ctx, b.store, proposalGroup, url.PathEscape(p.Service), value, entry.Version); !errors.Is(err, ErrChanged) {
			return err
		}
	}
}

// Proposals returns those that wait.
func (b *Board) Proposals(ctx context.Context) ([]Proposal, error) {
	entries, err := b.store.List(ctx, proposalGroup)
	if err != nil {
		return nil, err
	}
	var list []Proposal
	for _, e := range entries {
		var p Proposal
		if err := json.Unmarshal(e.Value, &p); err != nil {
			return nil, fmt.Errorf("failover: proposal %s: %w", e.Name, err)
		}
		if !p.Off {
			list = append(list, p)
		}
	}
	return list, nil
}
