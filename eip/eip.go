package eip

import (
	"context"
	"sync"
	"time"
)

// Mover moves Elastic IP addresses. A [Remapper] is one; substitute it where a service's own tests should not move any.
type Mover interface {
	// Remap brings an address to a target; see [Remapper.Remap].
	Remap(ctx context.Context, req Request) (Result, error)

	// RemapAll brings many addresses to their targets; see [Remapper.RemapAll].
	RemapAll(ctx context.Context, reqs []Request) ([]Outcome, error)
}

// Claimer takes addresses from a pool and gives them back. A [Remapper] is one.
type Claimer interface {
	// Claim takes a free address; see [Remapper.Claim].
	Claim(ctx context.Context, req ClaimRequest) (Result, error)

	// Release gives up an association; see [Remapper.Release].
	Release(ctx context.Context, given Association) error
}

var (
	_ Mover   = (*Remapper)(nil)
	_ Claimer = (*Remapper)(nil)
)

// Remapper moves Elastic IP addresses within one Region, that of its client. It is safe for concurrent use, holds no
// goroutine and needs no Close. It remembers the latest associations that it saw or ended, at most 256, in order to
// recognise reads that lag behind.
type Remapper struct {
	api     API
	opts    Options
	history history
	groups  sync.Map // network border group by zone
}

// New returns a Remapper on an EC2 client. It makes no call. Each option left at zero has its documented default; all
// mistakes in them are reported at once, each a [*FieldError].
func New(api API, optFns ...func(*Options)) (*Remapper, error) {
	var opts Options
	for _, fn := range optFns {
		fn(&opts)
	}
	if err := opts.complete(api); err != nil {
		return nil, err
	}
	return &Remapper{api: api, opts: opts}, nil
}

// Remap brings the address to the target, taking it from exactly the expected association and from nobody else.
//
// It returns nil once a read has shown the address on the target under the association ID that EC2 gave, once reads agree that
// somebody else has brought it there, or if it was there from the beginning ([Result.Changed] is false then). It returns a [*FieldError] for each mistake in the request,
// before it has an effect, and otherwise a [*RemapError], with the Result as far as it is known: to go on after
// [ErrUnverified], expect [Result.Next].
//
// An address that was found on the target costs 1 DescribeAddresses. A move costs, under the guards of [Guard]:
//
//	          owner named by Expect                   owner not named: in addition
//	strict    1 Disassociate (0 if free)              1 DescribeAddresses
//	          1 Associate                             1 read of the target (0 if the address is free)
//	          1 DescribeAddresses
//	free      (Expect names nobody)                   1 Associate
//	                                                  2 DescribeAddresses
//	lease     1 Associate                             1 DescribeAddresses
//	          1 DescribeAddresses
//	          1 read of the target (0 with Displace)
//
// A read of the target is 1 DescribeNetworkInterfaces; a target that is an instance is always read, by 1
// DescribeInstances instead. What reads tell is refused before any effect: an address or an interface that a service
// manages, another account's interface, another network border group, several interfaces, a terminated instance, a
// target that is occupied. What nobody has read is left to EC2, whose refusal of a strict move comes when the address has
// left its owner: make sure of the target with [Remapper.Ready], or leave the owner to be read.
//
// Calls are added by throttles, lost replies and lagging reads, and by an occupant that is displaced: 1 AssociateAddress
// that is refused, 1 DisassociateAddress, and 1 DescribeNetworkInterfaces unless a read of the interface has shown it.
// Remap blocks until it is done. The options bound each step, ctx the whole: when it ends, Remap returns at once with its
// cause in the error.
//
// Several callers, in this process or in others, may move the same address at once: of those that expect the same
// association and have different targets, one wins and the others get [ErrConflict].
func (r *Remapper) Remap(ctx context.Context, req Request) (Result, error) {
	if err := req.validate("Request"); err != nil {
		return Result{AllocationID: req.AllocationID}, err
	}
	m := r.newMove(req, "Request")
	return m.finish(ctx, m.run)
}

// newMove prepares a move; name is what the caller calls the request.
func (r *Remapper) newMove(req Request, name string) *move {
	return &move{Remapper: r, req: req, name: name, to: req.Target, res: Result{AllocationID: req.AllocationID}}
}

// finish runs a move to its end.
func (m *move) finish(ctx context.Context, run func(context.Context) error) (Result, error) {
	start := time.Now()
	err := run(ctx)
	m.slot.give()
	if m.rounds != nil {
		m.rounds.leave()
	}
	if err == nil {
		err = m.probe(ctx)
	}
	m.res.Took = time.Since(start)
	if err != nil {
		m.emit(ctx, Event{Kind: KindFailed, Association: m.res.After, Err: err})
	}
	return m.res, err
}
