package awstest

import (
	"fmt"
	"slices"
)

// fault is an effect in force. It is guarded by the cloud's lock.
type fault struct {
	match  Match
	effect Effect
	seen   int
	struck int
	healed chan struct{}
}

// Inject puts a fault in force until heal is called; heal may be called more
// than once. A match that can select no call, because it names a service or
// an operation that this cloud does not model, is refused with a [*FieldError].
func (c *Cloud) Inject(m Match, e Effect) (heal func(), err error) {
	if err := c.checkMatch(m); err != nil {
		return nil, err
	}
	if e.stale < 0 || e.stale > Memory {
		return nil, &FieldError{Field: "Stale", Value: e.stale, Rule: fmt.Sprintf("must be from 0 to Memory (%v)", Memory)}
	}
	f := &fault{match: m, effect: e, healed: make(chan struct{})}
	c.mu.Lock()
	c.faults = append(c.faults, f)
	c.mu.Unlock()
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.heal(f)
	}, nil
}

// LoseReply injects [LoseReply] for the next n calls of an operation.
func (c *Cloud) LoseReply(service, operation string, n int) (heal func(), err error) {
	if n <= 0 {
		return nil, &FieldError{Field: "n", Value: n, Rule: "must be positive"}
	}
	return c.Inject(Match{Service: service, Operation: operation, Times: n}, LoseReply())
}

// FailService makes every call to a service in a region fail with the
// service's own error for being down, until healed.
func (c *Cloud) FailService(service, region string) (heal func(), err error) {
	return c.Inject(Match{Service: service, Region: region}, Unavailable())
}

// strike returns the effects of the faults that hit a call, merged, and the
// channel that ends a hang.
func (c *Cloud) strike(r *Record) (e Effect, healed <-chan struct{}) {
	for _, f := range slices.Clone(c.faults) {
		if !f.match.selects(r) {
			continue
		}
		f.seen++
		if f.seen <= f.match.Skip || (f.match.Probability > 0 && c.rng.Float64() >= f.match.Probability) {
			continue
		}
		f.struck++
		if e.reject == nil {
			e.reject = f.effect.reject
		}
		if e.applyReject == nil {
			e.applyReject = f.effect.applyReject
		}
		if e.before == nil {
			e.before = f.effect.before
		}
		if e.after == nil {
			e.after = f.effect.after
		}
		if f.effect.hang && !e.hang {
			e.hang, healed = true, f.healed
		}
		e.loseReply = e.loseReply || f.effect.loseReply
		e.delay += f.effect.delay
		e.delayReply += f.effect.delayReply
		e.stale = max(e.stale, f.effect.stale)
		if f.match.Times > 0 && f.struck >= f.match.Times {
			if f.effect.hang {
				// It strikes nobody else, but holds this call until healed.
				c.faults = slices.DeleteFunc(c.faults, func(g *fault) bool { return g == f })
			} else {
				c.heal(f)
			}
		}
	}
	return e, healed
}

func (c *Cloud) heal(f *fault) {
	c.faults = slices.DeleteFunc(c.faults, func(g *fault) bool { return g == f })
	select {
	case <-f.healed:
	default:
		close(f.healed)
	}
}
