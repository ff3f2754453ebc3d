package eip

import (
	"cmp"
	"context"
	"errors"
	"hash/fnv"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

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
// address to a target only if it has none. Who is refused goes on to the next one. Each target tries them in an order of
// its own, so that those that boot together rarely meet.
//
// It returns [ErrPoolEmpty] if no address was free within Wait, and [ErrOccupied] if the target has an address that is
// none of the pool's; else errors as Remap does. Result.AllocationID is empty if none was chosen.
//
// It costs 1 DescribeAddresses to read the pool, 1 AssociateAddress for each address that was tried, and 1
// DescribeAddresses to verify; 1 DescribeInstances if the target is an instance.
func (r *Remapper) Claim(ctx context.Context, req ClaimRequest) (Result, error) {
	if err := req.validate(); err != nil {
		return Result{}, err
	}
	m := r.newMove(Request{Target: req.Target, Guard: GuardFree, Fence: req.Fence, Probe: req.Probe}, "ClaimRequest")
	m.brief = true
	c := &claim{move: m, pool: req, refused: map[string]string{}}
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
	refused map[string]string // address to the association that EC2 refused it for, empty if it did not say
}

// errNoneFree stands for a read that shows no free address.
var errNoneFree = errors.New("every address of the pool is taken")

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
	if !done && ctx.Err() != nil {
		return c.fail(ctx, OpClaim, ErrPoolEmpty, nil)
	}
	return last
}

// settleTarget resolves an instance to its interface. That it may have an address already is for the pool to say.
func (c *claim) settleTarget(ctx context.Context) error {
	c.req.Displace = true // nothing is displaced by a claim: it keeps inspect from judging what it sees
	defer func() { c.req.Displace = false }()
	return c.inspect(ctx)
}

// try goes once through the addresses that a read shows to be free.
func (c *claim) try(ctx context.Context) error {
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
	for _, a := range c.candidates(list) {
		c.choose(a)
		made, err := c.associate(ctx)
		var failure *RemapError
		switch {
		case err == nil && c.res.After != Association{}:
			return nil
		case err == nil:
			return c.verify(ctx, made)
		case errors.Is(err, ErrOccupied):
			return c.occupied(ctx, err)
		case errors.Is(err, ErrConflict) && errors.As(err, &failure) && ctx.Err() == nil:
			c.refused[*a.AllocationId] = failure.Owner.ID
			c.forget()
		default:
			return err
		}
	}
	return c.fail(ctx, OpClaim, ErrPoolEmpty, errNoneFree)
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

// readPool reads the pool.
func (c *claim) readPool(ctx context.Context) (list []types.Address, err error) {
	var filters []types.Filter
	for _, key := range slices.Sorted(maps.Keys(c.pool.Tags)) {
		filters = append(filters, filter("tag:"+key, c.pool.Tags[key])...)
	}
	if c.pool.NetworkBorderGroup != "" {
		filters = append(filters, filter("network-border-group", c.pool.NetworkBorderGroup)...)
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
		if here := associationOf(a); c.to.holds(here) && !c.history.ended(here.ID) {
			return a
		}
	}
	return types.Address{}
}

// candidates returns the addresses that may be free, in an order that is the target's own. One that EC2 has refused is left
// out until a read shows that something has changed since.
func (c *claim) candidates(list []types.Address) []types.Address {
	var free []types.Address
	for _, a := range list {
		id, association := aws.ToString(a.AllocationId), aws.ToString(a.AssociationId)
		if association != "" {
			delete(c.refused, id)
		}
		if _, refused := c.refused[id]; association == "" && !refused && a.ServiceManaged == "" {
			free = append(free, a)
		}
	}
	slices.SortFunc(free, func(a, b types.Address) int {
		return cmp.Compare(c.rank(aws.ToString(a.AllocationId)), c.rank(aws.ToString(b.AllocationId)))
	})
	return free
}

// rank scatters the targets over the pool: each sees it in another order, and in the same every time.
func (c *claim) rank(allocation string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(c.to.String() + " " + allocation))
	return h.Sum64()
}

// occupied finds out whether the address that is on the target is one of the pool: then it is what was claimed, by an earlier
// call whose reply was lost or by another process on the same instance.
func (c *claim) occupied(ctx context.Context, refusal error) error {
	c.forget()
	var there types.Address
	retry.Poll(ctx, c.opts.ReadLag, c.opts.polling(), func(ctx context.Context) bool {
		if list, err := c.readPool(ctx); err == nil {
			there = c.own(list)
		}
		return there.AllocationId != nil
	})
	if there.AllocationId == nil {
		return refusal
	}
	c.choose(there)
	c.hold(ctx, associationOf(there))
	return nil
}

// Release ends exactly the association that it is given, mostly [Result.After] of a Claim or a Remap, and leaves the address
// alone if that association has ended already: whoever holds it then keeps it. The address stays allocated; to give it
// back to AWS is another operation, ReleaseAddress, that this package never calls.
//
// It returns nil once EC2 has accepted that, a [*FieldError] for an association without an ID, and otherwise a
// [*RemapError]. It costs 1 DisassociateAddress, and may be repeated at will.
func (r *Remapper) Release(ctx context.Context, given Association) error {
	if !isID(given.ID, "eipassoc") {
		return &FieldError{"given.ID", given.ID, "must be eipassoc- and hexadecimal digits"}
	}
	m := r.newMove(Request{AllocationID: r.history.allocation(given.ID)}, "")
	if err := m.end(ctx, given.ID); err != nil {
		failure := m.fail(ctx, OpRelease, kindOf(err), err)
		failure.Owner = given
		m.emit(ctx, Event{Kind: KindFailed, Association: given, Err: failure})
		return failure
	}
	m.emit(ctx, Event{Kind: KindDisassociated, Association: given})
	return nil
}
