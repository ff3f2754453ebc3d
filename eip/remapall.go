package eip

import (
	"context"
	"errors"
	"fmt"
	"sync"
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
// AssociateAddress each, and 1 DescribeAddresses for each 200, or for each MaxPollInterval that the changes take.
//
// No more than MaxInFlight moves are between their first and their last change at any time, so that neither EC2's
// throttle, nor an outage of AssociateAddress, nor a crash finds many addresses without an owner. A move keeps its place
// while EC2 throttles or fails, so that the others wait for it, with their owners: for up to RetryTimeout for each of its two
// changes, and VerifyTimeout for a lost reply; those further back wait several turns. One that gives up on a throttle, a
// server error or a missing permission with its address freed does not make room for another; when MaxInFlight have,
// the rest ends with [ErrHalted], untouched. Requests wait their turn in no particular order.
//
// No two may name the same address or the same target, under whatever name. The order in which they are served is nobody's choice: to swap two
// addresses takes Displace.
func (r *Remapper) RemapAll(ctx context.Context, reqs []Request) ([]Outcome, error) {
	outcomes := make([]Outcome, len(reqs))
	errs := make([]error, len(reqs))
	moves := r.newMoves(reqs, outcomes)
	rounds := r.newRounds(ctx, len(moves))
	var wg sync.WaitGroup
	for i, m := range moves {
		m.rounds, m.slot = rounds, &slot{of: rounds}
		wg.Go(func() { outcomes[i].Result, outcomes[i].Err = m.finish(ctx, m.run) })
	}
	wg.Wait()
	rounds.calls.Wait()
	for i := range outcomes {
		errs[i] = outcomes[i].Err
	}
	return outcomes, errors.Join(errs...)
}

// newMoves prepares the moves, each under the index of its request. Requests with mistakes have none: those go to their outcomes.
func (r *Remapper) newMoves(reqs []Request, outcomes []Outcome) map[int]*move {
	moves := make(map[int]*move, len(reqs))
	addresses, targets := make(map[string]int), make(map[Target]int)
	for i, req := range reqs {
		name := fmt.Sprintf("Requests[%d]", i)
		outcomes[i].AllocationID = req.AllocationID
		err := req.validate(name)
		if err == nil {
			err = errors.Join(
				unique(addresses, i, name+".AllocationID", req.AllocationID, "address"),
				unique(targets, i, name+".Target", req.Target, "target"),
			)
		}
		if outcomes[i].Err = err; err == nil {
			moves[i] = r.newMove(req, name)
		}
	}
	return moves
}

// unique refuses a value that an earlier request has.
func unique[T comparable](seen map[T]int, i int, field string, value T, what string) error {
	if before, again := seen[value]; again {
		return &FieldError{field, fmt.Sprint(value), fmt.Sprintf("must not be the %s of Requests[%d] too", what, before)}
	}
	seen[value] = i
	return nil
}
