package eip

import (
	"context"
	"time"
)

// Mover moves Elastic IP addresses. A [Remapper] is one; substitute it where a service's own tests should not move any.
type Mover interface {
	// Remap brings an address to a target; see [Remapper.Remap].
	Remap(ctx context.Context, req Request) (Result, error)
}

var _ Mover = (*Remapper)(nil)

// Remapper moves Elastic IP addresses within one Region, that of its client. It is safe for concurrent use, holds no
// goroutine and needs no Close. It remembers the latest associations that it saw or ended, at most 256, in order to
// recognise reads that lag behind.
type Remapper struct {
	api     API
	opts    Options
	history history
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
// It returns nil once a read has shown the address on the target under the association ID that EC2 gave, or if it was
// there from the beginning ([Result.Changed] is false then). It returns a [*FieldError] for each mistake in the request
// before it has an effect, and otherwise a [*RemapError], with the Result as far as it is known: to go on after
// [ErrUnverified], expect [Result.Next].
//
// An address that was found on the target costs 1 DescribeAddresses. A move costs 1 DisassociateAddress (none if the
// address is free), 1 AssociateAddress and 1 DescribeAddresses; 1 more of those if [Expect] does not name the owner. Calls
// are added by throttles, lost replies and lagging reads only. Remap blocks until it is done. The options bound each step,
// ctx the whole: when it ends, Remap returns at once with its cause in the error.
//
// Several callers, in this process or in others, may move the same address at once: of those that expect the same
// association and have different targets, one wins and the others get [ErrConflict].
func (r *Remapper) Remap(ctx context.Context, req Request) (Result, error) {
	if err := req.validate(); err != nil {
		return Result{}, err
	}
	start := time.Now()
	m := &move{Remapper: r, req: req}
	err := m.run(ctx)
	m.res.Took = time.Since(start)
	if err != nil {
		m.emit(ctx, Event{Kind: KindFailed, Association: m.res.After, Err: err})
		return m.res, err
	}
	return m.res, nil
}
