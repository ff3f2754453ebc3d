package healthcheck

import (
	"iter"
	"slices"
)

// Changes are what Reconcile has done, as IDs in order.
type Changes struct {
	Added    []string
	Replaced []string // under the same ID, by a target that is not equal, or that was draining
	Removed  []string // drained
}

// Reconcile makes the registered targets those of want: it registers what is missing or differs, as Register does, and
// deregisters the others, as Deregister does. Targets that are equal keep their state, so that a list can be read anew as often as
// one likes.
//
// It has an effect on all targets or on none; its errors are those of Register. An empty list drains the pool: a caller that
// cannot read its list must not pass what it got.
func (p *Pool) Reconcile(want iter.Seq[Target]) (Changes, error) {
	targets := slices.Collect(want)
	wanted := make(map[string]bool, len(targets))
	for _, t := range targets {
		wanted[t.ID] = true
	}
	probes, err := p.openAndLock(targets)
	if err != nil {
		return Changes{}, err
	}

	var c Changes
	for i, t := range targets {
		if probes[i] == nil {
			continue
		}
		var did change
		switch probes[i], did = p.addLocked(t, probes[i]); did {
		case added:
			c.Added = append(c.Added, t.ID)
		case replaced:
			c.Replaced = append(c.Replaced, t.ID)
		case kept:
		}
	}
	for id, e := range p.entries {
		if !wanted[id] && e.state != Draining {
			c.Removed = append(c.Removed, id)
		}
	}
	slices.Sort(c.Added)
	slices.Sort(c.Replaced)
	slices.Sort(c.Removed)
	for _, id := range c.Removed {
		probes = append(probes, p.drainLocked(p.entries[id]))
	}
	p.mu.Unlock()
	p.closeProbes(probes...)
	p.deliver()
	return c, nil
}

// openAndLock opens probes for those targets that are not registered as they are, and returns with p.mu locked and that still so: another
// Reconcile may have drained one meanwhile.
func (p *Pool) openAndLock(targets []Target) ([]Probe, error) {
	for {
		probes, err := p.open(targets)
		if err != nil {
			return nil, err
		}
		p.mu.Lock()
		if p.stopped {
			p.mu.Unlock()
			p.closeProbes(probes...)
			return nil, ErrStopped
		}
		complete := true
		for i, t := range targets {
			complete = complete && (probes[i] != nil || p.registeredLocked(t))
		}
		if complete {
			return probes, nil
		}
		p.mu.Unlock()
		p.closeProbes(probes...)
	}
}
