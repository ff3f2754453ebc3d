package eip

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/awsha/awsha/internal/awserr"
	"github.com/awsha/awsha/internal/retry"
)

// Status is what reads tell about an association.
type Status string

// The statuses.
const (
	StatusLagging Status = "lagging" // the reads have not told in time
	StatusHeld    Status = "held"    // it is there
	StatusStolen  Status = "stolen"  // somebody else holds the address
	StatusFree    Status = "free"    // nobody does
)

// Standing is what [Remapper.Verify] found.
type Standing struct {
	Status   Status
	Owner    Association // as the last read showed it that was not known to be stale
	PublicIP netip.Addr  // zero if no read showed it
}

// Verify reads the address until it can tell whether an association holds it, for at most VerifyTimeout; it changes nothing.
// want is mostly [Result.After] of a Remap, and needs an ID.
//
// A read that shows the ID is proof of StatusHeld, the first one mostly. Reads that show another association are believed
// when they have agreed for ReadLag: on the same interface it is StatusHeld too, else StatusStolen. That nobody holds the
// address is believed at the end of VerifyTimeout only, since a lagging read shows just that after a move. StatusLagging
// means that reads contradicted each other or failed; the error is the last one's then, a [*RemapError]. A wrong ID is a
// [*FieldError].
//
// It costs 1 DescribeAddresses for each read.
func (r *Remapper) Verify(ctx context.Context, allocationID string, want Association) (Standing, error) {
	req := Request{AllocationID: allocationID, Target: Target{NetworkInterfaceID: want.NetworkInterfaceID, PrivateIP: want.PrivateIP}}
	if want.NetworkInterfaceID == "" {
		req.Target.InstanceID = want.InstanceID
	}
	if err := validateVerify(allocationID, want); err != nil {
		return Standing{}, err
	}
	if req.Target.NetworkInterfaceID == "" && req.Target.InstanceID == "" {
		req.Target = Target{} // a private address names nobody by itself
	}
	m := r.newMove(req, "")
	status, seen, err := m.watch(ctx, want.ID)
	standing := Standing{Status: status, Owner: seen, PublicIP: m.res.PublicIP}
	switch {
	case status == StatusLagging:
		kind := kindOf(err)
		if kind == nil {
			kind = ErrUnverified
		}
		return standing, m.fail(ctx, OpVerify, kind, err)
	case status == StatusHeld && m.to == (Target{}) && seen.ID != want.ID:
		standing.Status = StatusStolen // with only an ID to go by, another association is another owner's
	}
	return standing, nil
}

func validateVerify(allocationID string, want Association) error {
	var errs []error
	if !isID(allocationID, "eipalloc") {
		errs = append(errs, &FieldError{"allocationID", allocationID, "must be eipalloc- and hexadecimal digits"})
	}
	if !isID(want.ID, "eipassoc") {
		errs = append(errs, &FieldError{"want.ID", want.ID, "must be eipassoc- and hexadecimal digits"})
	}
	return errors.Join(errs...)
}

// verify waits until reads show the association that EC2 has accepted.
func (m *move) verify(ctx context.Context, made Association) error {
	m.res.After = made
	status, seen, err := m.watch(ctx, made.ID)
	switch status {
	case StatusHeld:
		m.confirm(ctx, seen)
		return nil
	case StatusStolen:
		m.res.After = Association{}
		failure := m.fail(ctx, OpVerify, ErrStolen, err)
		failure.Owner = seen
		return failure
	case StatusFree:
		m.res.After = Association{}
		return m.fail(ctx, OpVerify, ErrEnded, err)
	}
	return m.unverified(ctx, seen, err)
}

// settle finds out by reading what became of an AssociateAddress that got no answer, lost. If it was applied, m.res.After is
// set. It returns nil beside none of that if reads agree that it was not.
func (m *move) settle(ctx context.Context, lost error) error {
	status, seen, err := m.watch(ctx, "")
	if err == nil {
		err = lost
	}
	switch status {
	case StatusHeld:
		m.res.Changed = true
		m.confirm(ctx, seen)
		return nil
	case StatusStolen:
		failure := m.fail(ctx, OpAssociate, ErrConflict, err)
		failure.Owner = seen
		return failure
	case StatusFree:
		return nil
	}
	m.res.Changed = true // perhaps
	return m.unverified(ctx, seen, err)
}

func (m *move) confirm(ctx context.Context, a Association) {
	m.res.After = a
	m.emit(ctx, Event{Kind: KindHeld, Association: a})
}

// unverified says that no read has told in time. To go on is to expect what was made; where that has no ID, because the
// reply was lost, it is an association with the target and with nobody else. Under a lease it is to read anew.
func (m *move) unverified(ctx context.Context, seen Association, err error) error {
	m.res.Next = Expect{Association: m.res.After}
	if m.res.After.ID == "" && m.req.Guard != GuardLease {
		m.res.Next = Expect{Association: Association{
			NetworkInterfaceID: m.to.NetworkInterfaceID, InstanceID: m.req.Target.InstanceID, PrivateIP: m.to.PrivateIP,
		}}
	}
	failure := m.fail(ctx, OpVerify, ErrUnverified, err)
	failure.Owner = seen
	return failure
}

// watch reads the address until it can tell whether the association want holds; an empty want stands for one that was
// perhaps made, by a call that got no answer. It returns what the last read showed that was not stale, and the last error.
func (m *move) watch(ctx context.Context, want string) (status Status, seen Association, err error) {
	var since time.Time // since when reads have agreed on seen; zero if the last one was stale
	agreed := func() bool { return !since.IsZero() && time.Since(since) >= m.opts.ReadLag }
	status = StatusLagging
	retry.Poll(ctx, m.opts.VerifyTimeout, m.opts.polling(), func(ctx context.Context) (done bool) {
		var now Association
		if _, now, err = m.read(ctx); err != nil {
			m.emit(ctx, Event{Kind: KindLagging, Err: err})
			class := awserr.Of(err)
			return class == awserr.Denied || class == awserr.Terminal
		}
		if m.stale(now) {
			since = time.Time{}
		} else {
			if since.IsZero() || now.ID != seen.ID {
				since = time.Now()
			}
			seen = now
			status = m.judge(now, want, agreed())
		}
		if status == StatusLagging {
			m.emit(ctx, Event{Kind: KindLagging, Association: now})
		}
		return status != StatusLagging
	})
	if status == StatusLagging && err == nil && seen == (Association{}) && agreed() && time.Since(since) >= m.gap+m.opts.ReadLag && ctx.Err() == nil {
		status = StatusFree
	}
	return status, seen, err
}

// stale tells whether a read is known to show the past.
func (m *move) stale(now Association) bool {
	return now.ID != "" && (m.ended && now.ID == m.res.Before.ID || m.history.ended(m.req.AllocationID, now.ID))
}

// judge says what a read means that is not known to be stale. agreed tells that reads have said the same for ReadLag.
//
// A read that shows want is proof, since nobody else was given that ID. Where the ID is not known even the target proves
// nothing by itself: the read may show a time before the address left it. An association that was never seen before is newer
// than ours, or older than all that this process knows; only agreement makes it a theft. And that nobody holds the
// address, or that the former owner still does, tells in the same way that a perhaps made association was not made, while
// one that was made for certain is waited for.
func (m *move) judge(now Association, want string, agreed bool) Status {
	switch {
	case now.ID != "" && now.ID == want:
		return StatusHeld
	case !agreed:
		return StatusLagging
	case m.to.holds(now):
		return StatusHeld // somebody else has brought it to the same target
	case want == "" && (now.ID == "" || now.ID == m.res.Before.ID):
		return StatusFree
	case now.ID != "":
		return StatusStolen
	}
	return StatusLagging
}
