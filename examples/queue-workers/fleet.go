package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/awsha/awsha/queueworker"
)

// fleet is the workers, each on a machine of its own.
type fleet struct {
	place *place
	tally *tally
	work  work
	hurry <-chan struct{} // closed when the run is broken off, and handlers give back what they have
	ended chan error      // a worker has ended of itself

	wait sync.WaitGroup

	mu      sync.Mutex
	members []*member // the killed ones included
}

// member is a worker.
type member struct {
	name    string
	machine *machine
	worker  *queueworker.Worker
	drain   context.CancelFunc
	err     error     // what Run returned
	ended   time.Time // when it did; both are to be read after fleet.wait
}

// add starts a worker. It ends by drain, not with ctx.
func (f *fleet) add(ctx context.Context) (*member, error) {
	m := &member{machine: newMachine(sqs.NewFromConfig(f.place.cfg))}
	var err error
	m.worker, err = queueworker.New(m.machine, f.place.queue, f.handler(m.machine), func(o *queueworker.Options) {
		o.Concurrency = f.work.concurrency
		o.Visibility = f.work.visibility
		o.DrainTimeout = f.work.handler + 10*time.Second
		o.CancelReceives = true // it ends when all messages are deleted, so that no more can come
	})
	if err != nil {
		return nil, err
	}
	ctx, m.drain = context.WithCancel(context.WithoutCancel(ctx))
	f.mu.Lock()
	f.members = append(f.members, m)
	m.name = fmt.Sprintf("worker %d", len(f.members))
	f.mu.Unlock()
	f.wait.Go(func() {
		m.err = m.worker.Run(ctx)
		m.ended = time.Now()
		if ctx.Err() == nil {
			select {
			case f.ended <- m.err:
			default: // one is enough
			}
		}
	})
	return m, nil
}

var (
	errForeign = errors.New("not a message of this run")
	errHurry   = errors.New("the run is broken off")
)

// handler takes its time with a message and then notes that it is done, which a machine that is dead cannot.
func (f *fleet) handler(machine *machine) queueworker.HandlerFunc {
	return func(ctx context.Context, m *queueworker.Message) error {
		n, ours := f.tally.number(m.Body)
		f.tally.begin(m.Attempt, ours)
		if !ours {
			return queueworker.RetryAfter(time.Minute, errForeign)
		}
		timer := time.NewTimer(f.work.handler)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-f.hurry:
			return queueworker.Release(errHurry)
		case <-machine.power.Done():
			return errDead
		}
		if !machine.finish(m.ID, func() { f.tally.finish(n, m.ID) }) {
			return errDead
		}
		return nil
	}
}

// kill takes the power from a worker, and returns how many messages it had in hand, and those that it had handled and perhaps not
// deleted.
func (f *fleet) kill(m *member) (inHand int, undeleted map[string]struct{}) {
	s := m.worker.Stats()
	undeleted = m.machine.kill()
	m.drain() // so that its goroutines end; nothing that they do has an effect
	return s.Running + s.Buffered, undeleted
}

// drain ends the workers, and returns how long that took those who are alive, and what they could not bring to an end. The killed one is
// only waited for: what its goroutines try to no effect takes as long as its leases.
func (f *fleet) drain() (took time.Duration, err error) {
	f.mu.Lock()
	members := f.members
	f.mu.Unlock()
	began := time.Now()
	for _, m := range members {
		m.drain()
	}
	f.wait.Wait()
	var errs []error
	for _, m := range members {
		if !m.machine.alive() {
			continue
		}
		took = max(took, m.ended.Sub(began))
		if m.err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", m.name, m.err))
		}
	}
	return took, errors.Join(errs...)
}

// state returns the calls of all workers until now, and how many messages those who are alive have in hand.
func (f *fleet) state() (made calls, held int) {
	f.mu.Lock()
	members := f.members
	f.mu.Unlock()
	for _, m := range members {
		made.add(m.machine.made())
		if m.machine.alive() {
			s := m.worker.Stats()
			held += s.Running + s.Buffered
		}
	}
	return made, held
}
