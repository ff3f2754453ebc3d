package eip

import "context"

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
	if _, err := m.end(ctx, given.ID); err != nil {
		failure := m.fail(ctx, OpRelease, kindOf(err), err)
		failure.Owner = given
		m.emit(ctx, Event{Kind: KindFailed, Association: given, Err: failure})
		return failure
	}
	m.emit(ctx, Event{Kind: KindDisassociated, Association: given})
	return nil
}
