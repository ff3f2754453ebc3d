package eip

import (
	"context"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// rounds gathers the reads of many moves into few calls. A round is sent when every move that is still under way waits for
// a read; or, so that one slow move does not hold up the others, when the first of them has waited for patience.
type rounds struct {
	ctx      context.Context // of all the moves
	patience time.Duration
	wg       sync.WaitGroup // calls under way

	mu      sync.Mutex
	live    int // moves that may still ask
	waiting int // of these, those that have asked and wait
	timer   *time.Timer

	addresses  queue[types.Address]
	instances  queue[types.Instance]
	interfaces queue[types.NetworkInterface]
}

func (r *Remapper) newRounds(ctx context.Context, moves int) *rounds {
	return &rounds{
		ctx: ctx, patience: r.opts.MaxPollInterval, live: moves,
		addresses:  queue[types.Address]{list: r.listAddresses},
		instances:  queue[types.Instance]{list: r.listInstances},
		interfaces: queue[types.NetworkInterface]{list: r.listInterfaces},
	}
}

func (r *rounds) addressQueue() *queue[types.Address]            { return &r.addresses }
func (r *rounds) instanceQueue() *queue[types.Instance]          { return &r.instances }
func (r *rounds) interfaceQueue() *queue[types.NetworkInterface] { return &r.interfaces }

// queue is what a round is to read of one kind.
type queue[T any] struct {
	list    lister[T]
	waiters []waiter[T]
}

type waiter[T any] struct {
	id    string
	reply chan<- answer[T] // has room for it
}

type answer[T any] struct {
	found map[string]T
	calls int // that this waiter has to answer for; the others of the round went along for nothing
	err   error
}

// ask waits for the next round. It needs no context of its own: that of all the moves ends every wait.
func (q *queue[T]) ask(r *rounds, id string) (map[string]T, int, error) {
	reply := make(chan answer[T], 1)
	r.mu.Lock()
	q.waiters = append(q.waiters, waiter[T]{id, reply})
	r.waiting++
	switch {
	case r.waiting == r.live:
		r.flush()
	case r.timer == nil:
		r.timer = time.AfterFunc(r.patience, r.lose)
	}
	r.mu.Unlock()
	got := <-reply
	return got.found, got.calls, got.err
}

// lose is called when patience is lost.
func (r *rounds) lose() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.flush()
}

// leave is called for a move that will not ask any more.
func (r *rounds) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.live--
	if r.waiting > 0 && r.waiting == r.live {
		r.flush()
	}
}

// flush sends the round. The lock is held.
func (r *rounds) flush() {
	if r.timer != nil {
		r.timer.Stop()
		r.timer = nil
	}
	r.waiting = 0
	send(r, &r.addresses)
	send(r, &r.instances)
	send(r, &r.interfaces)
}

// send makes the calls of one kind on a goroutine, in groups as large as a filter may be.
func send[T any](r *rounds, q *queue[T]) {
	waiters := q.waiters
	q.waiters = nil
	if len(waiters) == 0 {
		return
	}
	r.wg.Go(func() {
		for len(waiters) > 0 {
			n := min(len(waiters), maxFilterValues)
			group := waiters[:n]
			waiters = waiters[n:]
			found, err := q.list(r.ctx, distinct(group))
			calls := 1
			for _, w := range group {
				w.reply <- answer[T]{found, calls, err}
				calls = 0
			}
		}
	})
}

func distinct[T any](group []waiter[T]) []string {
	ids := make([]string, 0, len(group))
	seen := make(map[string]bool, len(group))
	for _, w := range group {
		if !seen[w.id] {
			seen[w.id] = true
			ids = append(ids, w.id)
		}
	}
	return ids
}
