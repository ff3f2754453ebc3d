package drill

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Fault describes what is to break. Which kinds there are, and what they need, is the injector's business.
type Fault struct {
	Kind   string            `json:"kind"`             // such as "power loss". Required
	Target string            `json:"target,omitempty"` // what breaks: a zone ID, an instance ID, the ID of an experiment template
	Params map[string]string `json:"params,omitempty"` // what the kind needs besides
}

// String returns the fault on one line: "power loss of use1-az1".
func (f Fault) String() string {
	text := f.Kind
	if f.Target != "" {
		text += " of " + f.Target
	}
	var params []string
	for _, key := range slices.Sorted(maps.Keys(f.Params)) {
		params = append(params, key+"="+f.Params[key])
	}
	if len(params) > 0 {
		text += " (" + strings.Join(params, ", ") + ")"
	}
	return text
}

// FaultState is how far a fault is. The zero FaultState is not valid, so that an answer cannot be forgotten.
type FaultState int

// The states of a fault.
const (
	FaultPending FaultState = iota + 1 // asked for; it may have begun to take effect
	FaultActive                        // it has taken effect
	FaultEnding                        // it is being taken back
	FaultEnded                         // nothing is broken any more
	FaultFailed                        // the injector gave up, and nobody knows what is broken; if nothing is, it answers FaultEnded
)

var faultStates = [...]string{FaultPending: "pending", FaultActive: "active", FaultEnding: "ending", FaultEnded: "ended", FaultFailed: "failed"}

func (s FaultState) String() string {
	if s > 0 && int(s) < len(faultStates) {
		return faultStates[s]
	}
	return "FaultState(" + strconv.Itoa(int(s)) + ")"
}

// grace is how long what ignores the end of its context is waited for.
const grace = 5 * time.Second

// errLeftBehind is why a call of the injector has no outcome.
var errLeftBehind = errors.New("the injector did not return after its time was over")

// bounded calls what is not ours. It returns without it if that does not return within a grace after the end of ctx, and hands what comes
// then to late. The channel has room for the answer, so that whoever was left behind can leave.
func bounded[T any](ctx context.Context, call func(context.Context) (T, error), late func(T)) (T, error) {
	type answer struct {
		v   T
		err error
	}
	var mu sync.Mutex
	left := false
	answers := make(chan answer, 1)
	go func() {
		a := answer{err: errGoexit}
		defer func() {
			mu.Lock()
			defer mu.Unlock()
			answers <- a
			if left && late != nil {
				go late(a.v)
			}
		}()
		a.err = guard(func() (err error) {
			a.v, err = call(ctx)
			return err
		})
	}()
	select {
	case a := <-answers:
		return a.v, a.err
	case <-ctx.Done():
	}
	patience := time.NewTimer(grace)
	defer patience.Stop()
	select {
	case a := <-answers:
		return a.v, a.err
	case <-patience.C:
	}
	mu.Lock()
	defer mu.Unlock()
	select {
	case a := <-answers:
		return a.v, a.err
	default:
	}
	left = true
	var none T
	return none, errors.Join(errLeftBehind, context.Cause(ctx))
}

// injected is the fault of a run: ended once, by whoever comes first.
type injected struct {
	fault     Fault
	opts      *Options
	injection Injection
	doubt     error // why nobody knows whether there is an injection

	mu     sync.Mutex
	ending bool
	ended  chan struct{}
	err    error
	at     time.Time // when it was seen to be ended
}

// timeout bounds a context, whose cause says what did not happen.
func timeout(ctx context.Context, d time.Duration, what string) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, d, fmt.Errorf("%s after %v: %w", what, d, context.DeadlineExceeded))
}

// inject asks for the fault, and returns when that has been answered.
func inject(ctx context.Context, injector Injector, id string, fault Fault, opts *Options) (*injected, error) {
	f := &injected{fault: fault, opts: opts, ended: make(chan struct{})}
	limited, cancel := timeout(ctx, opts.InjectTimeout, "not in force")
	defer cancel()
	found, err := bounded(limited, func(ctx context.Context) (Injection, error) {
		return injector.Inject(ctx, id, fault)
	}, func(late Injection) {
		if late != nil { // nobody waits for it any more, and it must not stay
			_ = (&injected{fault: fault, opts: opts, injection: late, ended: make(chan struct{})}).end(ctx)
		}
	})
	f.injection = found
	switch {
	case err == nil && found == nil:
		f.doubt = errors.New("the injector returned neither an injection nor an error")
		return f, fmt.Errorf("inject %s: %w", f.fault, f.doubt)
	case err == nil:
		return f, nil
	}
	if cause := context.Cause(limited); cause != nil && !errors.Is(err, cause) {
		err = fmt.Errorf("%w: %w", cause, err)
	}
	err = fmt.Errorf("inject %s: %w", f.fault, err)
	if found == nil && (limited.Err() != nil || panicked(err)) {
		f.doubt = err
	}
	return f, err
}

// await polls until the fault has taken effect.
func (f *injected) await(ctx context.Context) error {
	limited, cancel := timeout(ctx, f.opts.InjectTimeout, "not in force")
	defer cancel()
	for {
		state, err := bounded(limited, f.injection.State, nil)
		switch {
		case err != nil:
		case state == FaultActive:
			return nil
		case state != FaultPending:
			return fmt.Errorf("inject %s: the fault is %s before it was seen in force", f.fault, state)
		}
		if cause := sleep(limited, f.opts.PollInterval); cause != nil {
			if err != nil {
				cause = fmt.Errorf("%w: last error: %w", cause, err)
			}
			return fmt.Errorf("inject %s: %w", f.fault, cause)
		}
	}
}

// watch polls until ctx ends, or the fault has ended by itself: then it returns true.
func (f *injected) watch(ctx context.Context) bool {
	for sleep(ctx, f.opts.PollInterval) == nil {
		state, err := bounded(ctx, f.injection.State, nil)
		if err == nil && state > FaultActive {
			return !f.isEnding()
		}
	}
	return false
}

func (f *injected) isEnding() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ending
}

// end takes the fault back, once, whatever has become of ctx. Everybody who calls it waits, and gets the same [*UnendedError] or nil. No
// lock is held meanwhile.
func (f *injected) end(ctx context.Context) error {
	f.mu.Lock()
	first := !f.ending
	f.ending = true
	f.mu.Unlock()
	if first {
		err := f.takeBack(context.WithoutCancel(ctx))
		f.mu.Lock()
		f.err, f.at = err, time.Now()
		f.mu.Unlock()
		close(f.ended)
	}
	<-f.ended
	return f.err
}

// takeBack asks for the end, and sees that it comes.
func (f *injected) takeBack(ctx context.Context) error {
	if f.injection == nil {
		if f.doubt != nil {
			return &UnendedError{Fault: f.fault, Err: f.doubt}
		}
		return nil
	}
	ctx, cancel := timeout(ctx, f.opts.EndTimeout, "not ended")
	defer cancel()
	asked := false
	var last error
	for {
		if !asked {
			_, err := bounded(ctx, func(ctx context.Context) (struct{}, error) { return struct{}{}, f.injection.End(ctx) }, nil)
			asked, last = err == nil, err
		}
		if asked {
			state, err := bounded(ctx, f.injection.State, nil)
			switch {
			case err == nil && state == FaultEnded:
				return nil
			case err == nil && state == FaultFailed:
				return &UnendedError{Fault: f.fault, Err: errors.New("the fault is failed")}
			case err == nil:
				last = fmt.Errorf("the fault is %s", state)
			default:
				last = err
			}
		}
		if cause := sleep(ctx, f.opts.PollInterval); cause != nil {
			return &UnendedError{Fault: f.fault, Err: fmt.Errorf("%w: %w", cause, last)}
		}
	}
}
