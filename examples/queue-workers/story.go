package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

// story is one run, from an empty queue to an empty queue.
type story struct {
	work  work
	place *place
	tally *tally
	fleet *fleet
	show  *screen

	start  time.Time
	killed time.Time // zero: nobody was
	atRisk int       // messages that the killed worker had handled and perhaps not deleted
}

// tell runs it where the flags say. The report is nil where there is nothing to report.
func tell(ctx context.Context, f flags, show *screen) (_ *report, err error) {
	p, err := open(ctx, f)
	if err != nil {
		return nil, err
	}
	return tellAt(ctx, p, f.work, show)
}

// tellAt runs it at a place, which it closes.
func tellAt(ctx context.Context, p *place, w work, show *screen) (_ *report, err error) {
	clean := false
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute+2*w.visibility)
		defer cancel()
		err = errors.Join(err, p.close(ctx, clean))
	}()
	s := &story{work: w, place: p, tally: newTally(), show: show}
	s.fleet = &fleet{place: p, tally: s.tally, work: w, hurry: ctx.Done(), ended: make(chan error, 1)}
	r, err := s.run(ctx)
	clean = err == nil && r.Lost == 0 && r.Left == 0
	if r != nil && r.Lost > 0 {
		err = errors.Join(fmt.Errorf("%d messages are lost", r.Lost), err)
	}
	return r, err
}

// run sends the messages and has them handled; then it drains the workers and looks at what is left.
func (s *story) run(ctx context.Context) (*report, error) {
	s.start = time.Now()
	err := s.handleAll(ctx)
	took := s.tally.counts().last.Sub(s.start)
	drained, drainErr := s.fleet.drain()
	err = errors.Join(err, drainErr)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx) // whatever else went wrong, went wrong because of that
	}
	if err != nil && !errors.Is(err, errStalled) {
		return nil, err
	}
	n, countErr := s.place.countSettled(ctx)
	if countErr != nil {
		return nil, errors.Join(err, countErr)
	}
	s.show.say("the workers have drained in %v; %d messages are left, of which %d in flight", drained.Round(time.Millisecond), n.all(), n.inFlight)
	return s.report(took, drained, n), err
}

// handleAll returns when each message has been handled, and what a killed worker has left over has, too.
func (s *story) handleAll(ctx context.Context) error {
	for range s.work.workers {
		if _, err := s.fleet.add(ctx); err != nil {
			return err
		}
	}
	s.show.say("%d workers, each with %d handlers of %v", s.work.workers, s.work.concurrency, s.work.handler)
	group, ctx := errgroup.WithContext(ctx)
	followed, over := context.WithCancel(ctx)
	group.Go(func() error {
		s.show.follow(followed, s)
		return nil
	})
	group.Go(func() error {
		if err := produce(ctx, s.place, s.tally, s.work.messages); err != nil {
			return err
		}
		s.show.say("%d messages are sent", s.work.messages)
		return nil
	})
	group.Go(func() error {
		defer over()
		return s.watch(ctx)
	})
	return group.Wait()
}

var errStalled = errors.New("stalled")

// watch kills a worker after a third of the messages, and returns when all is done.
func (s *story) watch(ctx context.Context) error {
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	patience := s.work.handler + 3*s.work.visibility + 30*time.Second
	for {
		select {
		case <-ticker.C:
		case err := <-s.fleet.ended:
			return fmt.Errorf("a worker has ended: %w", err)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		c := s.tally.counts()
		if s.work.faults && s.killed.IsZero() && c.done >= s.work.messages/3 {
			if err := s.killOne(ctx); err != nil {
				return err
			}
			continue
		}
		if c.done == s.work.messages && s.nothingComes(c) {
			return nil
		}
		if time.Since(c.last) > patience {
			return fmt.Errorf("%w: nothing was handled for %v", errStalled, patience)
		}
	}
}

// nothingComes reports whether what the killed worker has left over is done. It comes back after its lease, unless its delete, of
// which the worker did not live to hear, was the last thing that it did.
func (s *story) nothingComes(c counts) bool {
	if c.awaited == 0 {
		return true
	}
	_, held := s.fleet.state()
	return held == 0 && time.Since(c.last) > time.Second && time.Since(s.killed) > s.work.visibility+time.Second
}

// killOne kills the first worker, and puts a new one in its place.
func (s *story) killOne(ctx context.Context) error {
	victim := s.fleet.members[0]
	s.killed = time.Now()
	inHand, undeleted := s.fleet.kill(victim)
	s.atRisk = len(undeleted)
	s.tally.await(undeleted)
	s.show.say("%s is killed with %d messages in hand, and %d handled whose delete is not known", victim.name, inHand, s.atRisk)
	m, err := s.fleet.add(ctx)
	if err != nil {
		return err
	}
	s.show.say("%s takes its place; what was leased comes back within %v", m.name, s.work.visibility)
	return nil
}
