package failover

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"
)

// Held is an incident that did not begin, or did not go on, although a service had failed: what the controllers would have done, and why not.
type Held struct {
	V        int       `json:"v"`
	Service  string    `json:"service"`
	Incident string    `json:"incident"`
	Why      string    `json:"why"`
	By       string    `json:"by"` // the controller
	Time     time.Time `json:"time"`
	Ended    time.Time `json:"ended,omitzero"` // since then it is not held any more: it has begun, or was not needed
}

const heldGroup = "held"

// Held returns what is held, and of each service for which nothing is, what was held last.
func (b *Board) Held(ctx context.Context) ([]Held, error) {
	entries, err := b.store.List(ctx, heldGroup)
	if err != nil {
		return nil, err
	}
	list := make([]Held, len(entries))
	for i, e := range entries {
		if err := json.Unmarshal(e.Value, &list[i]); err != nil {
			return nil, Permanent(fmt.Errorf("failover: held %s: %w", e.Name, err))
		}
		if list[i].V > boardVersion {
			return nil, Permanent(fmt.Errorf("failover: held %s is of version %d: %w", e.Name, list[i].V, ErrNewer))
		}
	}
	return list, nil
}

// hold writes down what a service's incident is held for.
func (b *Board) hold(ctx context.Context, h Held) error {
	return b.rehold(ctx, h.Service, func(*Held) *Held { return &h })
}

// unhold writes down that nothing of the service is held any more.
func (b *Board) unhold(ctx context.Context, service string) error {
	return b.rehold(ctx, service, func(last *Held) *Held {
		if last.Service == "" || !last.Ended.IsZero() {
			return nil
		}
		last.Ended = time.Now().UTC()
		return last
	})
}

func (b *Board) rehold(ctx context.Context, service string, next func(last *Held) *Held) error {
	name := url.PathEscape(service)
	for {
		entry, err := b.store.Get(ctx, heldGroup, name)
		if err != nil {
			return err
		}
		var last Held
		if entry.Version != "" {
			if err := json.Unmarshal(entry.Value, &last); err != nil {
				return err
			}
		}
		h := next(&last)
		if h == nil {
			return nil
		}
		h.V = boardVersion
		value, err := json.Marshal(h)
		if err != nil {
			return err
		}
		if _, err = put(ctx, b.store, heldGroup, name, value, entry.Version); !errors.Is(err, ErrChanged) {
			return err
		}
	}
}
