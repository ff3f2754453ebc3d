// Package awsstep is what the ready-made steps of all AWS services share: how they call, how long they believe that something is not there yet,
// and how they tell what is wrong with their description.
package awsstep

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/internal/awserr"
)

// CallTimeout bounds each call, with the SDK's retries inside it: its own HTTP client waits for a reply without limit.
const CallTimeout = 10 * time.Second

// Call makes one call within CallTimeout. An error is a [*failover.CallError] with the IAM action and the resource.
func Call[I, O, Options any](
	ctx context.Context, action, resource string, call func(context.Context, *I, ...func(*Options)) (*O, error), in *I, optFns ...func(*Options),
) (*O, error) {
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	out, err := call(ctx, in, optFns...)
	if err != nil {
		return nil, &failover.CallError{Action: action, Resource: resource, Err: err}
	}
	return out, nil
}

// Change makes a call that changes something, if the fence of env allows it at this moment.
func Change[I, O, Options any](
	ctx context.Context, env *failover.Env, action, resource string,
	call func(context.Context, *I, ...func(*Options)) (*O, error), in *I, optFns ...func(*Options),
) (*O, error) {
	if err := env.Valid(); err != nil {
		return nil, err
	}
	return Call(ctx, action, resource, call, in, optFns...)
}

// Default returns d, or def if d is zero.
func Default(d, def time.Duration) time.Duration {
	if d == 0 {
		return def
	}
	return d
}

// Patience is how long what AWS does not find may be something that it does not know yet.
type Patience struct {
	mu    sync.Mutex
	since map[string]time.Time // by incident
}

// notYet is for how long after a resource was made AWS may answer that there is none.
// Source: https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html (read 2026-11), which names no number: best practice is to
// wait "up to five minutes" in steps that grow; a minute is what users have seen for images.
const notYet = time.Minute

// Judge returns err, marked as permanent if it says for longer than a minute that something is not there. A nil or another error ends that.
func (p *Patience) Judge(env *failover.Env, err error) error {
	if awserr.Of(err) != awserr.NotFound {
		p.End(env)
		return err
	}
	if p.Over(env) {
		return failover.Permanent(err)
	}
	return err
}

// Over tells whether a minute has passed since it was first asked, for an incident.
func (p *Patience) Over(env *failover.Env) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	began, ok := p.since[key(env)]
	if !ok {
		if p.since == nil {
			p.since = make(map[string]time.Time)
		}
		p.since[key(env)] = time.Now()
		return false
	}
	return time.Since(began) >= notYet
}

// End begins anew.
func (p *Patience) End(env *failover.Env) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.since, key(env))
}

func key(env *failover.Env) string { return env.Service + "\x00" + env.Incident }

// Mistakes gathers what is wrong with a description.
type Mistakes struct {
	Needs []string // of the step: references must be to them
	errs  []error
}

// Add adds a mistake.
func (m *Mistakes) Add(field string, value any, rule string) {
	m.errs = append(m.errs, &failover.FieldError{Field: field, Value: value, Rule: rule})
}

// Ref wants a reference.
func (m *Mistakes) Ref(field string, r failover.Ref) {
	m.errs = append(m.errs, r.Check(field, m.Needs))
}

// IfGiven wants a reference to be right if there is one.
func (m *Mistakes) IfGiven(field string, r failover.Ref) {
	if !r.Zero() {
		m.Ref(field, r)
	}
}

// Text wants a string.
func (m *Mistakes) Text(field, value string) {
	if value == "" {
		m.Add(field, value, "must be given")
	}
}

// Some wants strings.
func (m *Mistakes) Some(field string, values []string) {
	if len(values) == 0 || slices.Contains(values, "") {
		m.Add(field, values, "must have at least one, and none that is empty")
	}
}

// NotNegative wants a duration that is not negative.
func (m *Mistakes) NotNegative(field string, v time.Duration) {
	if v < 0 {
		m.Add(field, v, "must not be negative")
	}
}

// Err returns the mistakes, joined.
func (m *Mistakes) Err() error { return errors.Join(m.errs...) }

// NotYetKnown is what a ready check finds that could not look at something since an earlier step has not run. Every other error is one.
func NotYetKnown(err error) ([]failover.Finding, error) {
	if errors.Is(err, failover.ErrNoValue) {
		return []failover.Finding{{Text: "not looked at: " + err.Error()}}, nil
	}
	return nil, err
}
