package failover

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/awsha/awsha/internal/awserr"
	"github.com/awsha/awsha/internal/retry"
)

// stepRun is one step in one execution. Its states: unseen -> (checked, not done) -> intended -> settled -> recorded.
// From intended until settled it is in doubt: nobody knows whether the effect is there except Check.
type stepRun struct {
	*execution
	node   *node
	inputs map[string]map[string]string
	known  history // from before this execution
	logger *slog.Logger

	attempt    int       // calls of Do intended for the incident
	tries      int       // of those, in this execution
	doubtSince time.Time // zero while no effect can be under way
	polled     bool
	inProgress bool  // the last answer of Check
	waiting    error // what it waits for, as Check has it
	doErr      error // of the last Do

	outcome Phase // once settled: done or skipped, which is left to be recorded
	outputs map[string]string
	unsaved bool // Do has put outputs that are not in the journal yet

	underWay bool   // of a rollback: Do's effect was, as Check last had it
	kept     string // of a rollback: why the effect stays
}

// run brings the step to an outcome and records it.
func (s *stepRun) run(work context.Context) *StepError {
	return s.bounded(work, s.round, func() (Kind, string) {
		if s.outcome == PhaseSkipped {
			return KindStepSkipped, "check: done"
		}
		return KindStepDone, ""
	})
}

// bounded repeats a round until the step's time is up, and tells and records how that ended.
func (s *stepRun) bounded(work context.Context, round func(context.Context) (bool, error), done func() (Kind, string)) *StepError {
	timeout := s.node.timeout
	if timeout == 0 {
		timeout = s.opts.StepTimeout
	}
	ctx, cancel := context.WithTimeoutCause(work, timeout, fmt.Errorf("%w after %s", ErrStepTimeout, timeout))
	defer cancel()

	started := time.Now()
	s.tell(ctx, Event{Kind: KindStepStarted})
	err := s.repeat(ctx, round)
	end := Event{Took: time.Since(started)}
	if err != nil {
		if lost := s.lease.Valid(); lost != nil {
			s.cancel(lost)
		}
		if work.Err() == nil { // what was cancelled has not failed: it may be resumed
			if aerr := s.recordFailed(work, err); aerr != nil {
				err.Err = errors.Join(err.Err, fmt.Errorf("record failed: %w", aerr))
			}
		}
		end.Kind, end.Err = KindStepFailed, err
	} else {
		end.Kind, end.Detail = done()
	}
	s.tell(work, end)
	return err
}

func (s *stepRun) recordFailed(work context.Context, err *StepError) error {
	ctx, cancel := context.WithTimeout(work, cleanupTimeout)
	defer cancel()
	return s.record(ctx, PhaseFailed, err.Err.Error())
}

// repeat goes round until the step is recorded, cannot succeed, or is out of time.
func (s *stepRun) repeat(ctx context.Context, round func(context.Context) (bool, error)) *StepError {
	var pauses, poll backoff.BackOff
	var class awserr.Class // of the error that the pauses are for
	var last error
	var told string // for what it waits
	for {
		recorded, err := round(ctx)
		if recorded {
			return nil
		}
		if isPermanent(err) {
			return s.failure(err, nil)
		}
		if cause := context.Cause(ctx); cause != nil {
			if err != nil && !errors.Is(err, cause) {
				last = err
			}
			return s.failure(cause, cmp.Or(s.waiting, last))
		}
		var pause time.Duration
		switch {
		case err != nil:
			last, s.waiting = err, nil
			if now := awserr.Of(err); pauses == nil || now != class {
				pauses, class = s.opts.retries(err), now
			}
			pause = pauses.NextBackOff()
			s.tell(ctx, Event{Kind: KindStepRetry, Err: err, Detail: "in " + pause.Round(time.Millisecond).String()})
		default:
			if now := fmt.Sprint(s.waiting); !s.polled || now != told {
				s.polled, told = true, now
				s.tell(ctx, Event{Kind: KindStepWaiting, Err: s.waiting})
			}
			if poll == nil {
				poll = s.opts.polls()
			}
			pause = poll.NextBackOff()
			if left := s.lagLeft(); left > 0 {
				pause = min(pause, left)
			}
		}
		if cause := sleep(ctx, pause); cause != nil {
			return s.failure(cause, cmp.Or(s.waiting, last))
		}
	}
}

// round takes the step as far as it goes without waiting. With neither an error nor a record, it has to wait.
func (s *stepRun) round(ctx context.Context) (recorded bool, err error) {
	if s.outcome == "" {
		if err := s.settle(ctx); err != nil || s.outcome == "" {
			return false, err
		}
	}
	// What has happened is true whatever became of ctx, and the log refuses it if it is no longer ours to tell.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	if err := s.record(ctx, s.outcome, ""); err != nil {
		return false, fmt.Errorf("record %s: %w", s.outcome, err)
	}
	return true, nil
}

// settle looks, and acts if there is something to do. It sets the outcome once the effect is there.
func (s *stepRun) settle(ctx context.Context) error {
	if err := s.save(ctx); err != nil {
		return err
	}
	state, err := s.check(ctx)
	if s.waiting = nil; err != nil && state == InProgress && !isPermanent(err) {
		s.waiting, err = err, nil
	}
	if err != nil {
		return fmt.Errorf("check: %w", err)
	}
	switch state {
	case Done:
		s.outcome = PhaseDone
		if s.doubtSince.IsZero() && !s.polled {
			s.outcome = PhaseSkipped
		}
		return nil
	case InProgress:
		s.inProgress = true
		return nil
	case Impossible:
		return Permanent(fmt.Errorf("check: %w", ErrImpossible))
	case NotDone:
		if s.inProgress { // it has just ended, and the read of what came of it may lag
			s.inProgress, s.doubtSince = false, time.Now()
		}
	default:
		return Permanent(fmt.Errorf("check: %v is not an answer", state))
	}

	if s.lagLeft() > 0 {
		return nil // perhaps the read is behind the effect
	}
	if s.opts.MaxAttempts > 0 && s.tries == s.opts.MaxAttempts {
		return Permanent(fmt.Errorf("not done after %d tries: %w", s.tries, s.doErr))
	}
	s.attempt++
	if err := s.record(ctx, PhaseIntent, ""); err != nil {
		s.attempt--
		return fmt.Errorf("record intent: %w", err)
	}
	s.tell(ctx, Event{Kind: KindStepDo})
	env, end := s.env(ctx, s.attempt)
	defer end()
	env.save = func(ctx context.Context, outputs map[string]string) error {
		s.outputs = outputs
		return s.record(ctx, PhaseIntent, "saved")
	}
	if err := env.Valid(); err != nil {
		return fmt.Errorf("fence: %w", err)
	}
	s.tries++
	err = s.do(ctx, env)
	s.doubtSince = time.Now()
	s.overrun(ctx)
	if err == nil {
		s.outcome = PhaseDone
		return nil
	}
	s.doErr = fmt.Errorf("do: %w", err)
	if errors.Is(err, ErrInProgress) {
		return s.save(ctx)
	}
	return s.doErr
}

// overrun tells of a call that returned when others may act already, by the lease of the service or by that of a leader: whether what it sent came before
// that, only a read can tell.
func (s *stepRun) overrun(ctx context.Context) {
	if lost := (stepFence{s.lease, s.how.leader, ctx}).Valid(); errors.Is(lost, ErrLeaseLost) {
		s.tell(ctx, Event{Kind: KindOverrun, Err: lost})
	}
}

// save writes down what Do has put beside ErrInProgress, such as the ID of a job: after a crash nothing else would know it.
func (s *stepRun) save(ctx context.Context) error {
	if !s.unsaved {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	if err := s.record(ctx, PhaseIntent, "in progress"); err != nil {
		return fmt.Errorf("record outputs: %w", err)
	}
	s.unsaved = false
	return nil
}

// lagLeft is for how long NotDone cannot be believed.
func (s *stepRun) lagLeft() time.Duration {
	if s.doubtSince.IsZero() {
		return 0
	}
	return s.opts.ReadLag - time.Since(s.doubtSince)
}

func (s *stepRun) check(ctx context.Context) (state State, err error) {
	env, end := s.env(ctx, s.attempt+1)
	defer end()
	err = s.limited(ctx, func(ctx context.Context) (err error) {
		state, err = s.node.step.Check(ctx, env)
		return err
	})
	if err == nil && state == Done { // what else it has put is not true yet
		s.take(env)
	}
	return state, err
}

func (s *stepRun) do(ctx context.Context, env *Env) error {
	err := s.limited(ctx, func(ctx context.Context) error { return s.node.step.Do(ctx, env) })
	if err == nil || errors.Is(err, ErrInProgress) {
		s.unsaved = s.take(env) && err != nil
	}
	return err
}

// limited calls a step's function among as many others as its API may have at once, and takes down the AWS calls that it makes.
func (s *stepRun) limited(ctx context.Context, call func(context.Context) error) error {
	if s.node.api != "" {
		done, err := s.limits.turn(ctx, s.node.api)
		if err != nil {
			return err
		}
		defer done()
	}
	return guard(func() error {
		return call(withCalls(ctx, func(c Call, took time.Duration, err error) {
			s.tell(ctx, Event{Kind: KindCall, Call: &c, Took: took, Err: err})
		}))
	})
}

// env makes the Env of one call, which allows effects until end is called: what the call leaves running has none.
func (s *stepRun) env(ctx context.Context, attempt int) (env *Env, end func()) {
	call, cancel := context.WithCancelCause(ctx)
	env = &Env{
		Service:  s.service,
		Incident: s.incident,
		Step:     s.node.id,
		Attempt:  attempt,
		Inputs:   s.inputs,
		Facts:    s.execution.known.incident.Facts,
		Fence:    stepFence{s.lease, s.how.leader, call},
		flights:  s.flights,
		Logger:   s.logger,
		outputs:  maps.Clone(s.outputs),
		save:     func(context.Context, map[string]string) error { return Permanent(errSave) },
		note: func(text string) {
			s.emit(ctx, Event{Kind: KindNote, Step: s.node.id, Attempt: attempt, Detail: text})
		},
	}
	if !s.doubtSince.IsZero() {
		env.flights = nil
	}
	return env, func() { cancel(errReturned) }
}

// errSave is of a step that saves where nothing is to be saved.
var errSave = errors.New("only Do may save")

// errReturned ends the effects of a call of Check or Do that has returned.
var errReturned = fmt.Errorf("the call has returned: %w", ErrFenced)

// take keeps what the step has put, and tells whether that is anything new.
func (s *stepRun) take(env *Env) (news bool) {
	out := env.Outputs()
	news = !maps.Equal(out, s.outputs)
	s.outputs = out
	return news
}

func (s *stepRun) record(ctx context.Context, phase Phase, detail string) error {
	r := Record{
		Version: RecordVersion, Service: s.service, Incident: s.incident, Step: s.node.id, Attempt: s.attempt, Phase: phase,
		Token: s.lease.Token(), Time: time.Now().UTC(), Detail: brief(detail, maxDetail),
	}
	r.Outputs = s.outputs
	err := s.log.Append(ctx, r)
	if errors.Is(err, ErrFenced) {
		s.cancel(err)
	}
	return err
}

func (s *stepRun) tell(ctx context.Context, ev Event) {
	ev.Step, ev.Attempt = s.node.id, s.attempt
	s.emit(ctx, ev)
}

func (s *stepRun) failure(err, last error) *StepError {
	return &StepError{Incident: s.incident, Step: s.node.id, Attempt: s.attempt, Err: err, Last: last}
}

// retries draws the pauses after an error. Those that AWS asks for are by its class; else they are drawn evenly from 0 to a limit that
// doubles. A randomization factor of 1 means 0 to twice the interval: hence the halves.
func (o *Options) retries(err error) backoff.BackOff {
	switch awserr.Of(err) {
	case awserr.Throttle, awserr.Busy:
		return retry.Throttle().Pauses()
	case awserr.Pending, awserr.NotFound:
		return retry.Pending().Pauses()
	}
	return backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(o.RetryBase/2), backoff.WithMaxInterval(o.RetryMax/2),
		backoff.WithMultiplier(2), backoff.WithRandomizationFactor(1), backoff.WithMaxElapsedTime(0))
}

func (o *Options) polls() backoff.BackOff {
	return backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(o.PollInterval), backoff.WithMaxInterval(o.PollInterval),
		backoff.WithMultiplier(1), backoff.WithRandomizationFactor(0.1), backoff.WithMaxElapsedTime(0))
}

// guard turns a panic into an error.
func guard(fn func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{v, debug.Stack()}
		}
	}()
	return fn()
}
