package failover

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"
)

// Proposal is an incident that waits until somebody approves it: a new one, or an open one whose plan reaches further than when it was begun.
type Proposal struct {
	V        int               `json:"v"`
	Service  string            `json:"service"`
	Incident string            `json:"incident"`
	Facts    map[string]string `json:"facts,omitempty"` // as they will be executed, however long the approval takes
	Zone     string            `json:"zone,omitempty"`  // that failed, as the observers know it; another one makes another proposal
	Cause    string            `json:"cause"`
	Blast    string            `json:"blast"`
	Plan     string            `json:"plan"`            // a digest of the plan: of its steps, their order, their planes and radii
	Steps    []string          `json:"steps,omitempty"` // of the plan, in an order that their needs allow
	Time     time.Time         `json:"time"`
	Off      bool              `json:"off,omitempty"` // it has been begun, or is not needed any more
	Seq      uint64            `json:"seq"`
}

// ErrNotProposed reports that what is to be approved is not proposed, or not any more.
var ErrNotProposed = errors.New("not proposed")

// Proposals returns those that wait.
func (b *Board) Proposals(ctx context.Context) ([]Proposal, error) {
	entries, err := b.store.List(ctx, proposalGroup)
	if err != nil {
		return nil, err
	}
	var list []Proposal
	for _, e := range entries {
		p, err := readProposal(e)
		if err != nil {
			return nil, err
		}
		if !p.Off {
			list = append(list, p)
		}
	}
	return list, nil
}

// proposal returns the last one of a service, which may be off. Without any it is empty.
func (b *Board) proposal(ctx context.Context, service string) (Proposal, Version, error) {
	entry, err := b.store.Get(ctx, proposalGroup, url.PathEscape(service))
	if err != nil || entry.Version == "" {
		return Proposal{}, "", err
	}
	p, err := readProposal(entry)
	return p, entry.Version, err
}

func readProposal(e Entry) (p Proposal, err error) {
	if err := json.Unmarshal(e.Value, &p); err != nil {
		return p, Permanent(fmt.Errorf("failover: proposal %s: %w", e.Name, err))
	}
	if p.V > boardVersion {
		return p, Permanent(fmt.Errorf("failover: proposal %s is of version %d: %w", e.Name, p.V, ErrNewer))
	}
	return p, nil
}

// propose puts a proposal up, in place of the service's last one.
func (b *Board) propose(ctx context.Context, p Proposal) error {
	return b.repropose(ctx, p.Service, func(*Proposal) *Proposal { return &p })
}

// withdraw takes the proposal of an incident down, if it is the one that is up: that of a plan, by its digest, or of whatever plan if that is empty.
func (b *Board) withdraw(ctx context.Context, service, incident, plan string) error {
	return b.repropose(ctx, service, func(last *Proposal) *Proposal {
		if last.Incident != incident || last.Off || plan != "" && last.Plan != plan {
			return nil
		}
		last.Off = true
		return last
	})
}

// repropose puts up what next makes of the service's last proposal; nil leaves it.
func (b *Board) repropose(ctx context.Context, service string, next func(last *Proposal) *Proposal) error {
	for {
		last, at, err := b.proposal(ctx, service)
		if err != nil {
			return err
		}
		seq := last.Seq + 1
		p := next(&last)
		if p == nil {
			return nil
		}
		p.V, p.Seq = boardVersion, seq
		value, err := json.Marshal(p)
		if err != nil {
			return err
		}
		if _, err = put(ctx, b.store, proposalGroup, url.PathEscape(service), value, at); !errors.Is(err, ErrChanged) {
			return err
		}
	}
}

// digest stands for what a person approves of a plan: its steps, in whatever order they are listed, and what they need, depend on and reach.
func (p Plan) digest() string {
	type step struct {
		ID     string
		Needs  []string
		Plane  Plane
		Blast  Blast
		Writes []string
		Final  bool
	}
	g, err := compile(p)
	if err != nil {
		return ""
	}
	steps := make([]step, len(g.nodes))
	for i := range g.nodes {
		n := &g.nodes[i]
		steps[i] = step{ID: n.id, Needs: slices.Sorted(slices.Values(n.step.Needs())), Plane: n.plane, Blast: n.blast, Final: n.final}
		if w, ok := n.step.(ResourceWriter); ok {
			steps[i].Writes = slices.Sorted(slices.Values(w.Writes()))
		}
	}
	slices.SortFunc(steps, func(a, b step) int { return cmp.Compare(a.ID, b.ID) })
	text, err := json.Marshal(steps)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:12])
}
