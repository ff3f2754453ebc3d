package sqsevents

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/queueworker"
)

// Source wakes a controller when an event comes. Make one with [New].
type Source struct {
	opts   Options
	wake   func()
	worker *queueworker.Worker
	ran    atomic.Bool
	due    chan struct{} // of one: somebody has to be woken

	mu     sync.Mutex
	recent map[string]bool // IDs of events
	order  []string
	stats  Stats
}

// Stats count messages since the source was made.
type Stats struct {
	Received   int // messages
	Woke       int // calls of wake
	Matched    int // events that were a reason to look
	Other      int // events that were none: of unknown kinds, or of what Match leaves out
	Duplicates int
	Old        int
	Malformed  int // messages that are no events
}

// New returns a source that reads the events in a queue and calls wake, such as the Wake of a [failover.Controller]. It makes no call and starts nothing. It
// reports every mistake at once, each as a [*failover.FieldError] or a [*queueworker.FieldError].
func New(api queueworker.API, queueURL string, wake func(), optFns ...func(*Options)) (*Source, error) {
	s := &Source{wake: wake, due: make(chan struct{}, 1), recent: make(map[string]bool)}
	for _, fn := range optFns {
		fn(&s.opts)
	}
	errs := []error{s.opts.complete()}
	if wake == nil {
		errs = append(errs, &failover.FieldError{Field: "wake", Value: nil, Rule: "must not be nil"})
	}
	var err error
	s.worker, err = queueworker.New(api, queueURL, queueworker.HandlerFunc(s.handle), func(o *queueworker.Options) {
		if s.opts.Worker != nil {
			s.opts.Worker(o)
		}
	})
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, err
	}
	return s, nil
}

// ErrAlreadyRun is returned by the second call of Run.
var ErrAlreadyRun = errors.New("sqsevents: Run was called before")

// Run reads events until ctx ends, drains, and returns what [queueworker.Worker.Run] does. Nothing is left running when it returns.
func (s *Source) Run(ctx context.Context) error {
	if s.ran.Swap(true) {
		return ErrAlreadyRun
	}
	waking, stop := context.WithCancel(context.WithoutCancel(ctx))
	var done sync.WaitGroup
	done.Go(func() { s.pace(waking) })
	err := s.worker.Run(ctx)
	stop()
	done.Wait()
	return err
}

// pace wakes whoever is to be woken, MinInterval apart at least.
func (s *Source) pace(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.due:
		}
		s.count(func(st *Stats) { st.Woke++ })
		s.guard(ctx, s.wake)
		timer := time.NewTimer(s.opts.MinInterval)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// handle takes one message. All messages are done with: one that says nothing says nothing the next time either.
func (s *Source) handle(ctx context.Context, m *queueworker.Message) error {
	s.count(func(st *Stats) { st.Received++ })
	event, err := Parse(m.Body)
	if err != nil {
		s.count(func(st *Stats) { st.Malformed++ })
		s.opts.Logger.WarnContext(ctx, "message is no event", slog.String("message", m.ID), slog.Any("error", err))
		return queueworker.Drop(err)
	}
	if !s.matches(ctx, event) {
		s.count(func(st *Stats) { st.Other++ })
		return nil
	}
	if !event.Time.IsZero() && time.Since(event.Time) > s.opts.MaxAge {
		s.count(func(st *Stats) { st.Old++ })
		return nil
	}
	if s.seen(event.ID) {
		s.count(func(st *Stats) { st.Duplicates++ })
		return nil
	}
	s.count(func(st *Stats) { st.Matched++ })
	if s.opts.OnEvent != nil {
		s.guard(ctx, func() { s.opts.OnEvent(ctx, event) })
	}
	select {
	case s.due <- struct{}{}:
	default: // somebody is about to be woken, after this event
	}
	return nil
}

func (s *Source) matches(ctx context.Context, e *Event) (is bool) {
	is = true // if Match cannot tell
	s.guard(ctx, func() { is = s.opts.Match(e) })
	return is
}

// guard calls what is not ours.
func (s *Source) guard(ctx context.Context, call func()) {
	defer func() {
		if v := recover(); v != nil {
			s.opts.Logger.ErrorContext(ctx, "panic", slog.Any("value", v))
		}
	}()
	call()
}

// maxRecent is how many events are known again: the duplicates of EventBridge and SQS come within minutes.
const maxRecent = 4096

// seen tells whether an event has come before, and remembers it.
func (s *Source) seen(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.recent[id] {
		return true
	}
	if len(s.order) == maxRecent {
		delete(s.recent, s.order[0])
		s.order = s.order[1:]
	}
	s.recent[id] = true
	s.order = append(s.order, id)
	return false
}

func (s *Source) count(change func(*Stats)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.stats)
}

// Stats returns the counts so far. It is safe to be called while Run runs.
func (s *Source) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}
