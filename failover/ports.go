package failover

import (
	"context"
	"time"
)

//go:generate go tool -modfile=../internal/tools/go.mod moq -rm -out failovermock/failovermock.go -pkg failovermock . Locker Lease Journal Log Step Store Observer

// Locker grants leases: at most one live lease of a name at any time, each with a token greater than every one before it.
//
// The engine calls Acquire once per execution. Implementations are safe for concurrent use.
// Two stores must never stand in for each other behind one name: that is split brain by design.
type Locker interface {
	// Acquire waits until it holds the lease of name or until ctx ends, and then returns ctx's cause. ctx bounds the waiting
	// only: the lease lives on after ctx ended, until Release. The lease renews itself; the caller must Release it.
	Acquire(ctx context.Context, name string, o LeaseOptions) (Lease, error)
}

// LeaseOptions say more about one acquisition.
type LeaseOptions struct {
	// Holder says who holds the lease and what for; people read it beside the lease. The engine gives the incident. May be empty.
	Holder string

	// Dead is a proof of death, for a takeover that does not wait: it returns true if the holder certainly makes no effects any more, since
	// its machine is known to be off or cut off, for example. It is asked while somebody else holds the lease, at each look, and may
	// read for some seconds. A holder that shows a sign of life meanwhile keeps the lease. Nil waits the TTL out.
	Dead func(ctx context.Context, holder LeaseHolder) bool
}

// LeaseHolder is who holds a lease that somebody else waits for.
type LeaseHolder struct {
	Name      string // LeaseOptions.Holder of its acquisition
	Token     uint64
	Unchanged time.Duration // for how long the waiting caller has seen no renewal
}

// Fence answers the question that must be asked right before each effect: may I still?
// Packages that make the calls take one as an interface of their own of the same two methods.
type Fence interface {
	// Token is the fencing token, for calls that can carry a condition on it.
	Token() uint64

	// Valid returns nil while effects are allowed, and the reason once they are not; it never becomes nil again.
	// It is called before each effect: no I/O, no waiting, safe for concurrent use.
	Valid() error
}

// Lease is the right to act for a name, until it is lost.
//
// The holder judges itself, on the monotonic clock, by the moment at which the last successful renewal was sent:
// Valid fails and Context ends a margin before a rival may acquire. (On Linux that clock stands still while a machine is
// suspended; what a holder does as it wakes is left to the journal's token and to the conditions of its calls.)
type Lease interface {
	// Valid returns an error that matches ErrLeaseLost once Context has ended.
	Fence

	// Context ends when the lease does, with a cause that matches ErrLeaseLost. It carries the values of Acquire's context.
	Context() context.Context

	// Release ends Context, waits until nothing that the lease started runs, and lets a rival acquire at once.
	// ctx bounds it. The engine calls it once, after the last step has returned. A second call does nothing and returns nil.
	// It never takes the lease from a later holder. An error means that a rival has to wait for the lease to run out.
	Release(ctx context.Context) error
}

// Journal keeps what was intended and what came of it, per service and incident, so that another controller can go on from
// there. One incident, such as a zone that is down, may befall many services, each with a lease and a log of its own.
// Implementations are safe for concurrent use.
type Journal interface {
	// Open gives the log of a service's incident to the holder of token, and fences every holder of an older one. An incident that
	// was never opened is empty. With a token older than one it has seen, it returns an error that matches ErrFenced.
	// The engine calls it once per execution, under the lease. There is nothing to close.
	Open(ctx context.Context, service, incident string, token uint64) (Log, error)

	// Incidents returns the incidents of all services that have an opening record, in no particular order. It needs no lease. A
	// controller calls it when it becomes the leader, to find what was left open and what was done lately.
	Incidents(ctx context.Context) ([]Incident, error)
}

// Log is one holder's access to the records of one incident.
type Log interface {
	// Append returns nil once r is durable: a Replay that begins later, by anyone, has it, after every record whose Append
	// had returned before. If the incident has been opened with a newer token, it stores nothing and returns an error that
	// matches ErrFenced. On any other error the outcome is unknown: the engine appends the same record again, and a log
	// may then keep both. Steps that run at once call it concurrently. It may block on its store; ctx bounds it.
	Append(ctx context.Context, r Record) error

	// Replay returns the records in order of Append, those of older tokens first. The engine calls it once, before the first Append.
	Replay(ctx context.Context) ([]Record, error)
}
