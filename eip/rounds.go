package eip

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// rounds gathers the reads of many moves into few calls. A round is sent when no move is left that could join it: each
// one that is under way waits for a read, or in line for a slot that one of those has. Or, so that one slow move does not
// hold up the others, when the first of them has waited for patience.
type rounds struct {
	ctx      context.Context // of all the moves
	patience time.Duration
	calls    sync.WaitGroup // goroutines under way

	mu      sync.Mutex
	live    int // moves that may still ask
	waiting int // of these, those that have asked and wait
	timer   *time.Timer
	sent    int     // rounds so far
	free    int     // slots that nobody has
	line    []*slot // that moves wait for, longest first
	slots   int     // that there still are
	outage  error   // why the last one was lost

	places map[Target]string // what the moves go to, and which does

	addresses  queue[types.Address]
	instances  queue[types.Instance]
	interfaces queue[types.NetworkInterface]
	zones      queue[types.AvailabilityZone]
}

func (r *Remapper) newRounds(ctx context.Context, moves int) *rounds {
	return &rounds{
		ctx: ctx, patience: r.opts.MaxPollInterval, live: moves, free: r.opts.MaxInFlight, slots: r.opts.MaxInFlight,
		places:     map[Target]string{},
		addresses:  queue[types.Address]{list: r.listAddresses},
		instances:  queue[types.Instance]{list: r.listInstances},
		interfaces: queue[types.NetworkInterface]{list: r.listInterfaces},
		zones:      queue[types.AvailabilityZone]{list: r.listZones},
	}
}

func (r *rounds) addressQueue() *queue[types.Address]            { return &r.addresses }
func (r *rounds) instanceQueue() *queue[types.Instance]          { return &r.instances }
func (r *rounds) interfaceQueue() *queue[types.NetworkInterface] { return &r.interfaces }
func (r *rounds) zoneQueue() *queue[types.AvailabilityZone]      { return &r.zones }

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
	if !r.flushIfIdle() && r.timer == nil {
		round := r.sent
		r.timer = time.AfterFunc(r.patience, func() { r.lose(round) })
	}
	r.mu.Unlock()
	got := <-reply
	return got.found, got.calls, got.err
}

// lose is called when patience with a round is lost.
func (r *rounds) lose(round int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sent == round { // else it has been sent meanwhile, and the next one has its own timer
		r.flush()
	}
}

// leave is called for a move that will not ask any more.
func (r *rounds) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.live--
	r.flushIfIdle()
}

// flushIfIdle sends the round if nobody is left who could join it. The lock is held.
func (r *rounds) flushIfIdle() bool {
	if r.waiting == 0 || r.waiting+len(r.line) < r.live {
		return false
	}
	r.flush()
	return true
}

// flush sends the round. The lock is held.
func (r *rounds) flush() {
	if r.timer != nil {
		r.timer.Stop()
		r.timer = nil
	}
	r.waiting = 0
	r.sent++
	send(r, &r.addresses)
	send(r, &r.instances)
	send(r, &r.interfaces)
	send(r, &r.zones)
}

// send makes the calls of one kind, in groups as large as a filter may be. Each has a goroutine, so that one that hangs
// holds up its own group only.
func send[T any](r *rounds, q *queue[T]) {
	waiters := q.waiters
	q.waiters = nil
	for group := range slices.Chunk(waiters, maxFilterValues) {
		r.calls.Go(func() {
			found, err := q.list(r.ctx, distinct(group))
			calls := 1
			for _, w := range group {
				w.reply <- answer[T]{found, calls, err}
				calls = 0
			}
		})
	}
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

// outageCause is why the last slot was lost.
func (r *rounds) outageCause() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.outage
}

// place refuses a target that another move goes to under another name: an instance and its interface, an interface and its
// primary address.
func (r *rounds) place(m *move) error {
	if r == nil {
		return nil
	}
	names := []Target{m.to}
	if m.spot != nil {
		names = append(names, Target{NetworkInterfaceID: m.to.NetworkInterfaceID, PrivateIP: m.spot.private})
		if m.spot.primary {
			names = append(names, Target{NetworkInterfaceID: m.to.NetworkInterfaceID})
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, name := range names {
		if other, taken := r.places[name]; taken {
			return m.field("Target", m.req.Target.String(), "must not be the target of "+other+" too, which is "+name.String())
		}
	}
	for _, name := range names {
		r.places[name] = m.name
	}
	return nil
}
