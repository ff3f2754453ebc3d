package eip

import (
	"context"
	"errors"
	"net/netip"
	"strings"
)

// Request says which address to move, where to, and from whom.
type Request struct {
	AllocationID string // of the address, "eipalloc-..."
	Target       Target
	Expect       Expect

	// Guard is what keeps the address from being taken from the wrong owner. Zero is GuardStrict.
	Guard Guard

	// Fence, if there is one, is asked right before every call that changes anything; once it is not valid any more
	// nothing is sent, and Remap returns [ErrFenced]. GuardLease requires it, the others do without.
	Fence Fence

	// Displace allows to end the association of another address with the target, once EC2 has refused the associate for its
	// sake. Without it such a target is refused with [ErrOccupied]. The other address stays allocated; see Result.Displaced.
	Displace bool

	// Probe, if there is one, is asked whether traffic to the public address arrives, once a read has shown the address on the
	// target, until it returns nil or [Options].ProbeTimeout has passed. Its context ends after CallTimeout. Traffic follows
	// an association by some seconds.
	Probe func(ctx context.Context, publicIP netip.Addr) error
}

// Expect says whom the address may be taken from. Zero means whoever a first read shows to hold it, if anybody: then the
// race is between that read and the association. Whoever decides to move an address because of what its owner does should
// name the owner, so that nobody else can lose it.
type Expect struct {
	// Association is the one that may be ended, typically [Result.After] of an earlier Remap.
	//
	// With its ID and an owner that is not the target, nothing is read before the move. With the ID alone, or the
	// owner alone, the address is read first. An association with the target itself means that nothing is to be moved:
	// Remap only waits until reads show it, which is how a move is taken up again after [ErrUnverified].
	//
	// GuardFree ends no association: it takes none but one with the target itself.
	Association Association
}

// validate reports every mistake in the request, which the caller calls by name.
func (r *Request) validate(name string) error {
	var errs []error
	bad := func(field string, value any, rule string) {
		errs = append(errs, &FieldError{name + "." + field, value, rule})
	}
	id := func(field, value, prefix string) {
		if value != "" && !isID(value, prefix) {
			bad(field, value, "must be "+prefix+"- and hexadecimal digits")
		}
	}
	if r.AllocationID == "" {
		bad("AllocationID", "", "must be set")
	}
	id("AllocationID", r.AllocationID, "eipalloc")

	t, a := r.Target, r.Expect.Association
	errs = append(errs, t.validate(name)...)
	if r.Guard == GuardFree && t.differs(a) {
		bad("Expect.Association", a.String(), "must be nobody or the target under GuardFree, which takes the address from nobody")
	}
	if a.ID == "" && a.NetworkInterfaceID == "" && a.InstanceID == "" && a.PrivateIP.IsValid() {
		bad("Expect.Association.PrivateIP", a.PrivateIP, "needs a NetworkInterfaceID, an InstanceID or an ID beside it")
	}
	id("Expect.Association.ID", a.ID, "eipassoc")
	id("Expect.Association.NetworkInterfaceID", a.NetworkInterfaceID, "eni")
	id("Expect.Association.InstanceID", a.InstanceID, "i")
	if a.PrivateIP.IsValid() && !a.PrivateIP.Is4() {
		bad("Expect.Association.PrivateIP", a.PrivateIP, "must be an IPv4 address")
	}
	switch {
	case int(r.Guard) >= len(guardNames):
		bad("Guard", uint8(r.Guard), "must be GuardStrict, GuardFree or GuardLease")
	case r.Guard == GuardLease && r.Fence == nil:
		bad("Fence", "nil", "must be set under GuardLease")
	}
	return errors.Join(errs...)
}

// isID tells whether s looks like an ID of EC2. Those have 8 or 17 digits; the number is left to EC2, so that "eni-1" does
// in a test.
func isID(s, prefix string) bool {
	digits, ok := strings.CutPrefix(s, prefix+"-")
	return ok && digits != "" && strings.Trim(digits, "0123456789abcdef") == ""
}
