package failover

import (
	"context"
	"strconv"
	"time"
)

// Step is one effect of a plan and the knowledge of how to see it.
//
// ID, Needs, Plane and Estimate are constant and called once per validation. The engine never calls Check, Do and Undo of a
// step at the same time, but the steps of a plan run in parallel. All three must return soon after ctx ends: Execute
// waits for them, since a call that nobody waits for could still have an effect.
//
// A step that makes two effects cannot tell after a crash which of them happened: make two steps of it.
type Step interface {
	// ID names the step in needs, journal and timeline. It must be unique in the plan and the same whenever the incident
	// is resumed.
	ID() string

	// Needs lists the IDs of the steps that must be done before this one starts.
	Needs() []string

	// Plane is the worst control plane that the step depends on.
	Plane() Plane

	// Estimate is how long the step usually takes. It forecasts; it limits nothing.
	Estimate() time.Duration

	// Check reads whether the effect is there. It is called before the first Do, before every repetition of Do, and to poll.
	// It changes nothing. An error means that it could not see, and is retried like one of Do; beside InProgress it says what is waited for, and Check
	// is polled.
	Check(ctx context.Context, env *Env) (State, error)

	// Do makes the effect. It calls [Env.Valid] right before each request that changes something, and must tolerate being
	// repeated with the same [Env.ClientToken]. It returns nil when the effect is there, ErrInProgress when it has been asked for
	// and Check should be polled for it, an error marked by [Permanent] to fail at once, and any other error to be retried.
	Do(ctx context.Context, env *Env) error

	// Undo takes the effect back. [Engine.Rollback] calls it for a step that has been done, or may have been; so it must tolerate that there
	// is nothing to take back, and being repeated. It returns ErrIrreversible if that cannot be done, ErrInProgress when it has
	// been asked for and Check should be polled until it answers NotDone, and else what Do returns. Execute never calls it.
	Undo(ctx context.Context, env *Env) error
}

// ResourceWriter is implemented by a step that names what it writes, such as "eipalloc-1". [Plan.Validate] then refuses a
// plan in which two steps may write one resource at the same time. Two writers are allowed if one needs the other, directly
// or not: detach, then attach.
type ResourceWriter interface {
	Writes() []string
}

// Timeouter is implemented by a step whose timeout is not [Options.StepTimeout]. Zero means that it is.
type Timeouter interface {
	Timeout() time.Duration
}

// Finalizer is implemented by a step that cleans up: it starts when all that it needs has ended, whether that is done, failed or could not
// begin, provided that something of it began. To resume a suspended process is one. It makes no plan done: a step that failed has failed. It does
// not start when the execution is stopped; whoever resumes the incident starts it.
//
// If something before it failed, it runs again when the incident is resumed, after all that. What it names in its needs is looked at again before, and
// made again where it has been taken back; so a final step has to name what it takes back.
type Finalizer interface {
	Final() bool
}

// Caller is implemented by a step that names the API which it calls, such as "ec2": [Options.Limits] counts by it.
type Caller interface {
	API() string
}

// Validator is implemented by a step that can be described wrongly. [Plan.Validate] asks it, and tells every mistake, before anything runs.
type Validator interface {
	// Validate returns nil, or the mistakes: [*FieldError] values, joined by [errors.Join] if there are several; their fields are
	// told as fields of the step. No I/O.
	Validate() error
}

// State is what a Check saw. The zero State is not valid, so that an answer cannot be forgotten.
type State int

// What a Check may answer.
const (
	NotDone    State = iota + 1 // the effect is not there, as far as a read can tell
	InProgress                  // the effect is under way: poll
	Done                        // the effect is there
	Impossible                  // the effect can no longer happen: the step fails without Do
)

func (s State) String() string {
	switch s {
	case NotDone:
		return "not done"
	case InProgress:
		return "in progress"
	case Done:
		return "done"
	case Impossible:
		return "impossible"
	}
	return "State(" + strconv.Itoa(int(s)) + ")"
}

// Plane says what kind of service must work for a step to work: the higher, the less likely it works on the day of the
// failure. The zero Plane is not valid, so that a plan cannot look better than it is.
type Plane int

// Planes from the most to the least dependable.
const (
	PlaneData   Plane = iota + 1 // switches of a data plane: routing control, zonal shift, a health-checked record
	PlaneMutate                  // changes of what exists: addresses, routes, registrations
	PlaneCreate                  // what needs new capacity: instances, volumes, restores
	PlaneGlobal                  // control planes with a single home: DNS edits, CloudFront, IAM
)

func (p Plane) String() string {
	switch p {
	case PlaneData:
		return "data"
	case PlaneMutate:
		return "mutate"
	case PlaneCreate:
		return "create"
	case PlaneGlobal:
		return "global"
	}
	return "Plane(" + strconv.Itoa(int(p)) + ")"
}

// StepFuncs describes a step by its functions; [NewStep] makes the step.
type StepFuncs struct {
	ID       string
	Needs    []string
	Plane    Plane
	Estimate time.Duration
	Timeout  time.Duration // zero means Options.StepTimeout
	Writes   []string
	API      string // which [Options.Limits] counts, such as "ec2"; empty: without a limit
	Final    bool   // see [Finalizer]
	Blast    Blast  // zero means BlastZone

	Check func(context.Context, *Env) (State, error) // nil always answers NotDone: Do is repeated whenever it is in doubt
	Do    func(context.Context, *Env) error          // nil makes no effect: the step waits for Check to answer Done
	Undo  func(context.Context, *Env) error          // nil returns ErrIrreversible, or nil if Do is nil: there is nothing to take back

	// Ready is that of [Readier]. Nil finds nothing.
	Ready func(context.Context, *Env) ([]Finding, error)

	// Mistakes are those of whoever described the step: see [Validator]. Several are joined by [errors.Join].
	Mistakes error
}

// NewStep makes a [Step] of its description, which has all the interfaces that a step may have.
func NewStep(f StepFuncs) Step { return &funcStep{f} }

type funcStep struct{ f StepFuncs }

func (s *funcStep) ID() string              { return s.f.ID }
func (s *funcStep) Needs() []string         { return s.f.Needs }
func (s *funcStep) Plane() Plane            { return s.f.Plane }
func (s *funcStep) Estimate() time.Duration { return s.f.Estimate }
func (s *funcStep) Timeout() time.Duration  { return s.f.Timeout }
func (s *funcStep) Writes() []string        { return s.f.Writes }
func (s *funcStep) API() string             { return s.f.API }
func (s *funcStep) Final() bool             { return s.f.Final }
func (s *funcStep) Blast() Blast            { return s.f.Blast }
func (s *funcStep) Validate() error         { return s.f.Mistakes }

// blind tells that Check knows nothing.
func (s *funcStep) blind() bool { return s.f.Check == nil }

func (s *funcStep) Check(ctx context.Context, env *Env) (State, error) {
	if s.f.Check == nil {
		return NotDone, nil
	}
	state, err := s.f.Check(ctx, env)
	if state == NotDone && s.f.Do == nil {
		state = InProgress
	}
	return state, err
}

func (s *funcStep) Do(ctx context.Context, env *Env) error {
	if s.f.Do == nil {
		return nil
	}
	return s.f.Do(ctx, env)
}

func (s *funcStep) Undo(ctx context.Context, env *Env) error {
	switch {
	case s.f.Undo != nil:
		return s.f.Undo(ctx, env)
	case s.f.Do == nil:
		return nil
	}
	return ErrIrreversible
}

func (s *funcStep) Ready(ctx context.Context, env *Env) ([]Finding, error) {
	if s.f.Ready == nil {
		return nil, nil
	}
	return s.f.Ready(ctx, env)
}
