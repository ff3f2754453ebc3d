package awstest

import "slices"

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
// an operation that this cloud does not model, or a region in which a global
// service is not, is refused with a [*FieldError],
// and so is an effect that makes no sense.
func (c *Cloud) Inject(m Match, e Effect) (heal func(), err error) {
	if err := c.checkMatch(m); err != nil {
		return nil, err
	}
	if err := e.check(); err != nil {
		return nil, err
	}
	if e.special != nil {
		if err := c.checkSpecial(m, e.special); err != nil {
			return nil, err
		}
	}
	f := &fault{match: m, effect: e, healed: make(chan struct{})}
	c.mu.Lock()
	c.faults = append(c.faults, f)
	c.mu.Unlock()
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.retire(f)
		f.heal()
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

// struck is what the faults that hit a call do to it together.
type struck struct {
	Effect
	hangs    []<-chan struct{} // each must be healed
	specials []any
}

// afterwards tells whether something happens between effect and answer.
func (s *struck) afterwards() bool {
	return s.after != nil || s.delayReply != 0 || s.applyReject != nil || s.loseReply
}

// strike returns what the faults do to a call.
func (c *Cloud) strike(r *Record) (s struck) {
	for _, f := range slices.Clone(c.faults) {
		if !f.effect.special.knows(r) || !f.match.selects(r) {
			continue
		}
		f.seen++
		if f.seen <= f.match.Skip || (f.match.Probability > 0 && c.rng.Float64() >= f.match.Probability) {
			continue
		}
		f.struck++
		s.add(f)
		if f.match.Times > 0 && f.struck >= f.match.Times {
			c.retire(f)
			if !f.effect.hang { // a hang strikes nobody else, but holds who it has struck
				f.heal()
			}
		}
	}
	return s
}

func (s *struck) add(f *fault) {
	e := &f.effect
	if s.reject == nil {
		s.reject = e.reject
	}
	if s.applyReject == nil {
		s.applyReject = e.applyReject
	}
	if s.before == nil {
		s.before = e.before
	}
	if s.after == nil {
		s.after = e.after
	}
	if e.hang {
		s.hangs = append(s.hangs, f.healed)
	}
	if e.special != nil {
		s.specials = append(s.specials, e.special.value)
	}
	s.loseReply = s.loseReply || e.loseReply
	s.delay += e.delay
	s.delayReply += e.delayReply
	s.stale = max(s.stale, e.stale)
}

// retire takes a fault out of force.
func (c *Cloud) retire(f *fault) {
	c.faults = slices.DeleteFunc(c.faults, func(g *fault) bool { return g == f })
}

// heal lets go of the calls that hang on a fault.
func (f *fault) heal() {
	select {
	case <-f.healed:
	default:
		close(f.healed)
	}
}
