package eip

import (
	"errors"
	"net/netip"
	"strings"
	"time"
)

// Request says which address to move, where to, and from whom.
type Request struct {
	AllocationID string // of the address, "eipalloc-..."
	Target       Target
	Expect       Expect
}

// Expect says whom the address may be taken from. Zero means whoever a first read shows to hold it, if anybody: then the
// race is between that read and the association. Whoever decides to move an address because of what its owner does should
// name the owner, so that nobody else can lose it.
type Expect struct {
	// Association is the one that may be ended, typically [Result.After] of an earlier Remap.
	//
	// With its ID and an owner that is not the target, the first read is spared. With the ID alone, or the owner alone, the
	// address is read first. An association with the target itself means that nothing is to be moved: Remap
	// only waits until reads show it, which is how a move is taken up again after [ErrUnverified].
	Association Association

	// Free expects that nobody holds the address, so that nothing is disassociated.
	Free bool
}

// Result is what a Remap found and did. It is valid beside an error too, as far as things are known then.
type Result struct {
	// Changed tells that this Remap made the association that it returns, or may have made it if the error is
	// [ErrUnverified]. False beside a nil error: the address was on the target already.
	Changed bool

	// Before is what the address was to be taken from; zero if it was free, or on the target already.
	Before Association

	// After is the association with the target; zero if there is none. Until a read has shown it, it has the ID that EC2
	// returned and what the Request said of the target.
	After Association

	// Next is what to expect in the Remap that goes on after [ErrUnverified], of the same address to the same target. It
	// allows to take the address from nobody but who held it when this Remap began. Zero beside any other outcome.
	Next Expect

	// Calls counts calls of the [API]; what the SDK's retryer repeats inside one is not counted.
	Calls Calls

	// Took is from the call of Remap to its return.
	Took time.Duration
}

// Calls counts calls of the [API] by operation.
type Calls struct{ Describe, Disassociate, Associate int }

// validate reports every mistake in the request.
func (r *Request) validate() error {
	var errs []error
	bad := func(field string, value any, rule string) {
		errs = append(errs, &FieldError{"Request." + field, value, rule})
	}
	id := func(field, value, prefix string) {
		if value != "" && !isID(value, prefix) {
			bad(field, value, "must be "+prefix+"- and hexadecimal digits")
		}
	}
	private := func(field string, ip netip.Addr) {
		if ip.IsValid() && !ip.Is4() {
			bad(field, ip, "must be an IPv4 address")
		}
	}
	if r.AllocationID == "" {
		bad("AllocationID", "", "must be set")
	}
	id("AllocationID", r.AllocationID, "eipalloc")

	t := r.Target
	switch {
	case t.NetworkInterfaceID == "" && t.InstanceID == "":
		bad("Target", t.String(), "must have a NetworkInterfaceID or an InstanceID")
	case t.NetworkInterfaceID != "" && t.InstanceID != "":
		bad("Target", t.NetworkInterfaceID+" and "+t.InstanceID, "must not have both a NetworkInterfaceID and an InstanceID")
	}
	id("Target.NetworkInterfaceID", t.NetworkInterfaceID, "eni")
	id("Target.InstanceID", t.InstanceID, "i")
	private("Target.PrivateIP", t.PrivateIP)

	a := r.Expect.Association
	if r.Expect.Free && a != (Association{}) {
		bad("Expect", a.String(), "must not be both Free and an Association")
	}
	if a.ID == "" && a.NetworkInterfaceID == "" && a.InstanceID == "" && a.PrivateIP.IsValid() {
		bad("Expect.Association.PrivateIP", a.PrivateIP, "needs a NetworkInterfaceID, an InstanceID or an ID beside it")
	}
	id("Expect.Association.ID", a.ID, "eipassoc")
	id("Expect.Association.NetworkInterfaceID", a.NetworkInterfaceID, "eni")
	id("Expect.Association.InstanceID", a.InstanceID, "i")
	private("Expect.Association.PrivateIP", a.PrivateIP)
	return errors.Join(errs...)
}

// isID tells whether s looks like an ID of EC2. Those have 8 or 17 digits; the number is left to EC2, so that "eni-1" does
// in a test.
func isID(s, prefix string) bool {
	digits, ok := strings.CutPrefix(s, prefix+"-")
	return ok && digits != "" && strings.Trim(digits, "0123456789abcdef") == ""
}
