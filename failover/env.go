package failover

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"maps"
	"sync"
)

// Env is what the engine tells a step in one call of Check, Do, Undo or Ready, and what the step tells the engine.
// A step's own test can make one: the zero Env has no fence and therefore allows no effect.
type Env struct {
	Service  string
	Incident string
	Step     string
	Attempt  int // which call of Do this is, or would be next; from 1, earlier executions of the incident included

	// Inputs are what the steps named in Needs have put, by step ID: also those that an earlier execution did.
	Inputs map[string]map[string]string

	// Facts are what was known when the incident was opened: see [ExecOptions.Facts].
	Facts map[string]string

	Fence  Fence        // to hand to what makes the call. Nil is not valid
	Logger *slog.Logger // with incident and step; never nil when the engine calls

	note    func(text string)
	save    func(ctx context.Context, outputs map[string]string) error
	flights *flights // of the execution; nil once the step may have acted

	mu      sync.Mutex
	outputs map[string]string
}

// Valid returns nil while the step may make effects. It is to be called right before each request that changes something:
// it fails once the lease, the execution or the step's time has ended, or the call that the Env was given to has returned.
// It costs no I/O.
func (e *Env) Valid() error {
	if e.Fence == nil {
		return fmt.Errorf("step %s: no fence: %w", e.Step, ErrFenced)
	}
	return e.Fence.Valid()
}

// ClientToken is the idempotency token of this step in this incident of the service: the same in every attempt and every execution.
// A request that differs in more than its time, such as a launch in another zone or of another type, must differ in parts,
// because AWS refuses a token that returns with other parameters. It is 40 hexadecimal digits; EC2 takes up to 64
// ASCII characters.
func (e *Env) ClientToken(parts ...string) string {
	h := sha256.New()
	for _, s := range append([]string{e.Service, e.Incident, e.Step}, parts...) {
		fmt.Fprintf(h, "%d:%s,", len(s), s) // lengths, so that no two lists read the same
	}
	return hex.EncodeToString(h.Sum(nil)[:20])
}

// Put records an output of the step, such as the ID of what it made. What Do puts and returns nil or ErrInProgress goes into
// the journal, and from there into the Inputs of the steps that need this one. What Check puts when it answers Done counts as
// well, so that an effect whose Do never returned is not lost. Keep outputs to a few short strings. Safe for concurrent use.
func (e *Env) Put(key, value string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.outputs == nil {
		e.outputs = make(map[string]string)
	}
	e.outputs[key] = value
}

// Outputs returns a copy of what the step has put so far, earlier calls and executions included: a Check finds the job that
// its Do has started.
func (e *Env) Outputs() map[string]string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return maps.Clone(e.outputs)
}

// Save writes what has been put so far into the journal, now: what a later call of Do must know however this one ends. A launch saves which
// candidate it asks for next, so that one that was refused is not asked again after a crash; a change saves what was there before, for
// Undo. It costs one write of the journal. It is for Do alone, and not for goroutines of its own. An error means that nobody knows whether it is written: make no
// effect, and return it. An Env that no engine has made saves nothing.
func (e *Env) Save(ctx context.Context) error {
	if e.save == nil {
		return nil
	}
	if err := e.save(ctx, e.Outputs()); err != nil {
		return fmt.Errorf("save outputs: %w", err)
	}
	return nil
}

// Note adds a line to the timeline: an AWS request ID, a choice made. Safe for concurrent use.
func (e *Env) Note(format string, args ...any) {
	if e.note != nil {
		e.note(fmt.Sprintf(format, args...))
	}
}

// stepFence is valid while the lease of the service, that of the leader who executes, and the context of the step are.
type stepFence struct {
	lease  Lease
	leader Fence // nil: no leader executes
	step   context.Context
}

func (f stepFence) Token() uint64 { return f.lease.Token() }

func (f stepFence) Valid() error {
	if err := f.lease.Valid(); err != nil {
		return err
	}
	if f.leader != nil {
		if err := f.leader.Valid(); err != nil {
			return err
		}
	}
	return context.Cause(f.step)
}
