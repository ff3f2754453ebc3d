package eip

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/semaphore"
)

// Outcome is what became of one request of a RemapAll.
type Outcome struct {
	Result
	Err error // as Remap returns it; a FieldError says "Requests[3]" instead of "Request"
}

// RemapAll moves many addresses, typically those of a zone that has died, each as [Remapper.Remap] would. It returns when
// all have ended, one outcome for each request in their order. One that fails stops none of the others; the error joins
// the errors of the outcomes.
//
// What differs is how many calls it takes. Reads are made together, up to 200 addresses, instances or interfaces in one call:
// a round of reads begins when all moves that are under way wait for it, or when the first has waited for
// MaxPollInterval. Calls.Describe and Calls.Inspect of a Result count the calls that the request had to answer for, so that
// the sum over all outcomes is what was sent. With owners that are named, N addresses cost 1 DisassociateAddress and 1
// AssociateAddress each, and 1 DescribeAddresses for each 200.
//
// No more than MaxInFlight moves are between their first and their last change at any time, so that neither EC2's
// throttle nor a crash finds many addresses without an owner. Requests wait their turn in no particular order. No two may
// name the same address.
func (r *Remapper) RemapAll(ctx context.Context, reqs []Request) ([]Outcome, error) {
	outcomes := make([]Outcome, len(reqs))
	errs := make([]error, len(reqs))
	moves := r.newMoves(ctx, reqs, outcomes)
	var wg sync.WaitGroup
	for i, m := range moves {
		if m != nil {
			wg.Go(func() { outcomes[i].Result, outcomes[i].Err = m.finish(ctx, m.run) })
		}
	}
	wg.Wait()
	for i := range outcomes {
		errs[i] = outcomes[i].Err
	}
	return outcomes, errors.Join(errs...)
}

// newMoves prepares the moves that share rounds and slots; nil for requests with mistakes, which go to their outcomes.
func (r *Remapper) newMoves(ctx context.Context, reqs []Request, outcomes []Outcome) []*move {
	moves := make([]*move, len(reqs))
	first := make(map[string]int, len(reqs))
	valid := 0
	for i, req := range reqs {
		name := fmt.Sprintf("Requests[%d]", i)
		outcomes[i].AllocationID = req.AllocationID
		err := req.validate(name)
		if before, again := first[req.AllocationID]; again {
			rule := fmt.Sprintf("must not be the address of Requests[%d] too", before)
			err = errors.Join(err, &FieldError{name + ".AllocationID", req.AllocationID, rule})
		} else {
			first[req.AllocationID] = i
		}
		if outcomes[i].Err = err; err == nil {
			moves[i] = r.newMove(req, name)
			valid++
		}
	}
	rounds := r.newRounds(ctx, valid)
	slots := semaphore.NewWeighted(int64(r.opts.MaxInFlight))
	for _, m := range moves {
		if m != nil {
			m.rounds, m.slot = rounds, &slot{of: slots}
		}
	}
	return moves
}
