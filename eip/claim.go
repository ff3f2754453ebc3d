package eip

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/internal/awserr"
	"github.com/awsha/awsha/internal/retry"
)

// ClaimRequest says what an address is claimed from, and for whom.
type ClaimRequest struct {
	// Tags name the pool: the addresses that have all of these tags. At least one is required.
	Tags map[string]string

	// NetworkBorderGroup restricts the pool to one group; that of the target, where the Region has several. Empty means any.
	NetworkBorderGroup string

	// Target is who claims, mostly the instance itself.
	Target Target

	// Wait is how long to wait for an address to become free. Zero means not at all.
	Wait time.Duration

	// Fence and Probe are as in [Request].
	Fence Fence
	Probe func(ctx context.Context, publicIP netip.Addr) error
}

// Claim associates a free address of a pool with the target, and returns it. A target that has an address of the pool
// keeps that one ([Result.Changed] is false then), so that a reboot or a crash after a claim costs nothing.
//
// Any number of instances may claim at once. AllowReassociation is false: EC2 gives an address to the first who asks, and an
// address to a target only if it has none. Who is refused reads the pool again and goes on to the next one. Each target
// tries them in an order of its own, so that those that boot together rarely meet. Pools are told apart by their tags,
// literally: * and ? stand for themselves. Addresses that a service manages are passed over.
//
// It returns [ErrPoolEmpty] if no address was free within Wait, with what is known of the pool in RemapError.Err, and
// [ErrOccupied] if the target has an address that is none of the pool's; else errors as Remap does. Result.AllocationID is
// empty if none was chosen. To go on after [ErrUnverified], claim again.
//
// That the target has an address already is a read's judgement, which may be stale: who has just lost its address to a
// Release or a Remap elsewhere, and claims at once, may be told that it has it. What this Remapper has ended, it knows.
//
// It costs 1 DescribeAddresses to read the pool, 1 AssociateAddress for each address that was tried, with 1
// DescribeAddresses for each that was refused, and 1 DescribeAddresses to verify; 1 DescribeInstances if the target is
// an instance; 1 DescribeAddresses and mostly 1 DescribeNetworkInterfaces to say by what the target is occupied. While it
// waits it reads the pool after PollInterval, growing to MaxPollInterval.
func (r *Remapper) Claim(ctx context.Context, req ClaimRequest) (Result, error) {
	if err := req.validate(); err != nil {
		return Result{}, err
	}
	m := r.newMove(Request{Target: req.Target, Guard: GuardFree, Fence: req.Fence, Probe: req.Probe}, "ClaimRequest")
	m.brief = true
	c := &claim{move: m, pool: req, refused: map[string]time.Time{}}
	return m.finish(ctx, c.run)
}

// validate reports every mistake in the request.
func (r *ClaimRequest) validate() error {
	var errs []error
	if len(r.Tags) == 0 {
		errs = append(errs, &FieldError{"ClaimRequest.Tags", "", "must name a pool by at least one tag"})
	}
	for _, key := range slices.Sorted(maps.Keys(r.Tags)) {
		if key == "" {
			errs = append(errs, &FieldError{"ClaimRequest.Tags", key, "must not be an empty key"})
		}
	}
	if r.Wait < 0 {
		errs = append(errs, &FieldError{"ClaimRequest.Wait", r.Wait, "must not be negative"})
	}
	return errors.Join(append(errs, r.Target.validate("ClaimRequest")...)...)
}

// claim is one Claim under way.
type claim struct {
	*move
	pool    ClaimRequest
	refused map[string]time.Time // when EC2 refused an address that reads show to be free
	refusal error                // the last one
}

func (c *claim) run(ctx context.Context) error {
	if c.to.InstanceID != "" {
		if err := c.settleTarget(ctx); err != nil {
			return err
		}
	}
	var last error
	done := retry.Poll(ctx, c.pool.Wait, c.opts.polling(), func(ctx context.Context) bool {
		last = c.try(ctx)
		return !errors.Is(last, ErrPoolEmpty)
	})
	if empty := new(RemapError); !done && ctx.Err() != nil && errors.As(last, &empty) {
		return c.fail(ctx, OpClaim, nil, empty.Err) // it would have waited longer
	}
	return last
}

// settleTarget resolves an instance to its interface. That it may have an address already is for the pool to say.
func (c *claim) settleTarget(ctx context.Context) error {
	c.req.Displace = true // nothing is displaced by a claim: it keeps inspect from judging what it sees
	defer func() { c.req.Displace = false }()
	return c.inspect(ctx)
}

// try goes once through the addresses that reads show to be free. After each refusal the pool is read again: others
// are likely to have taken more than the one.
func (c *claim) try(ctx context.Context) error {
	for tried := map[string]bool{}; ; {
		list, err := c.readPool(ctx)
		if err != nil {
			return c.fail(ctx, OpClaim, kindOf(err), err)
		}
		if there := c.own(list); there.AllocationId != nil {
			c.choose(there)
			c.res.After = associationOf(there)
			c.emit(ctx, Event{Kind: KindUnchanged, Association: c.res.After})
			return nil
		}
		next := c.candidate(list, tried)
		if next.AllocationId == nil {
			return c.fail(ctx, OpClaim, ErrPoolEmpty, c.facts(list))
		}
		tried[*next.AllocationId] = true
		if again, err := c.take(ctx, next); !again {
			return err
		}
	}
}

// take associates an address. It reports whether EC2 has refused that one, so that another may do.
func (c *claim) take(ctx context.Context, a types.Address) (again bool, err error) {
	c.choose(a)
	made, err := c.associate(ctx)
	var failure *RemapError
	switch {
	case err == nil && c.res.After != Association{}:
		return false, nil
	case err == nil:
		return false, c.verify(ctx, made)
	case !errors.As(err, &failure):
		return false, err
	case errors.Is(err, ErrOccupied):
		return false, c.occupied(ctx, failure)
	case errors.Is(err, ErrConflict), errors.Is(err, ErrNotFound): // taken, or released since the read
		c.refused[*a.AllocationId], c.refusal = time.Now(), failure.Err
		c.forget()
		return true, nil
	}
	return false, err
}

// facts says why no address of the pool will do.
func (c *claim) facts(list []types.Address) error {
	var taken, managed, refused int
	for _, a := range list {
		_, no := c.refused[aws.ToString(a.AllocationId)]
		switch {
		case a.ServiceManaged != "":
			managed++
		case aws.ToString(a.AssociationId) != "":
			taken++
		case no:
			refused++
		}
	}
	switch {
	case len(list) == 0:
		return errors.New("no address has these tags")
	case refused == 0:
		return fmt.Errorf("of %d addresses %d are taken and %d managed by services", len(list), taken, managed)
	}
	return fmt.Errorf("of %d addresses %d are taken, %d managed by services and %d refused, the last one so: %w", len(list), taken, managed, refused, c.refusal)
}

// choose makes an address the one that the move is about.
func (c *claim) choose(a types.Address) {
	c.req.AllocationID = aws.ToString(a.AllocationId)
	c.res.AllocationID, c.res.PublicIP = c.req.AllocationID, parseIP(a.PublicIp)
}

// forget is the reverse of choose.
func (c *claim) forget() {
	c.req.AllocationID = ""
	c.res.AllocationID, c.res.PublicIP = "", netip.Addr{}
}

// literally keeps a filter from taking a value for a pattern.
// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html (read 2026-11)
var literally = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`)

// readPool reads the pool.
func (c *claim) readPool(ctx context.Context) (list []types.Address, err error) {
	var filters []types.Filter
	for _, key := range slices.Sorted(maps.Keys(c.pool.Tags)) {
		filters = append(filters, filter("tag:"+key, literally.Replace(c.pool.Tags[key]))...)
	}
	if c.pool.NetworkBorderGroup != "" {
		filters = append(filters, filter("network-border-group", literally.Replace(c.pool.NetworkBorderGroup))...)
	}
	err = c.retry(ctx, repeatable, func(ctx context.Context) (err error) {
		c.res.Calls.Describe++
		list, err = c.describe(ctx, &ec2.DescribeAddressesInput{Filters: filters})
		return err
	})
	for _, a := range list {
		c.history.note(aws.ToString(a.AllocationId), aws.ToString(a.AssociationId))
	}
	return list, err
}

// own returns the address of the pool that the target has; zero if it has none.
func (c *claim) own(list []types.Address) types.Address {
	for _, a := range list {
		if here := associationOf(a); c.to.holds(here) && !c.history.ended(aws.ToString(a.AllocationId), here.ID) {
			return a
		}
	}
	return types.Address{}
}

// candidate returns the address to try next, in an order that is the target's own; zero if there is none. One that EC2 has
// refused is left out until reads had the time to show who holds it: if they still show nobody then, it may be free again.
func (c *claim) candidate(list []types.Address, tried map[string]bool) (next types.Address) {
	for _, a := range list {
		id, association := aws.ToString(a.AllocationId), aws.ToString(a.AssociationId)
		at, refused := c.refused[id]
		switch {
		case id == "" || a.ServiceManaged != "" || tried[id]:
		case association != "" && !c.history.ended(id, association):
			delete(c.refused, id)
		case refused && time.Since(at) < c.opts.ReadLag:
		case next.AllocationId == nil || c.rank(id) < c.rank(*next.AllocationId):
			next = a
		}
	}
	return next
}

// rank scatters the targets over the pool: each sees it in another order, and in the same every time.
func (c *claim) rank(allocation string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(c.to.String() + " " + allocation))
	return h.Sum64()
}

// occupied finds out whether the address that is on the target is one of the pool: then it is what was claimed, by an earlier
// call whose reply was lost or by another process on the same instance. Reads of the pool and of the target tell, whichever
// is first; those that show neither are behind EC2's refusal, and repeated.
func (c *claim) occupied(ctx context.Context, refusal *RemapError) error {
	c.forget()
	var there types.Address
	var held Association
	retry.Poll(ctx, c.opts.VerifyTimeout, c.opts.polling(), func(ctx context.Context) bool {
		list, err := c.readPool(ctx)
		if err != nil {
			return classOf(err) == awserr.Denied || classOf(err) == awserr.Terminal
		}
		if there = c.own(list); there.AllocationId != nil {
			held = associationOf(there)
			return true
		}
		if refusal.Occupant, err = c.occupant(ctx); err != nil || refusal.Occupant == (Occupant{}) {
			return false
		}
		if i := slices.IndexFunc(list, func(a types.Address) bool { return aws.ToString(a.AllocationId) == refusal.Occupant.AllocationID }); i >= 0 {
			there, held = list[i], Association{ID: refusal.Occupant.AssociationID, NetworkInterfaceID: c.to.NetworkInterfaceID}
		}
		return true
	})
	if held == (Association{}) {
		refusal.Cause = context.Cause(ctx)
		return refusal
	}
	c.choose(there)
	c.confirm(ctx, held)
	return nil
}
