package eip

import (
	"net/netip"
	"time"
)

// Result is what a Remap found and did. It is valid beside an error too, as far as things are known then.
type Result struct {
	// AllocationID and PublicIP are of the address; PublicIP is zero until a read has shown it.
	AllocationID string
	PublicIP     netip.Addr

	// Changed tells that this Remap made an association, or may have made one if the error is [ErrUnverified]. It is in After
	// unless it has ended since, which [ErrStolen] and [ErrEnded] report. False beside a nil error: the address was on the
	// target already.
	Changed bool

	// Before is what the address was to be taken from; zero if it was free, or on the target already.
	Before Association

	// After is the association with the target; zero if there is none. Until a read has shown it, it has the ID that EC2
	// returned and what the Request said of the target.
	After Association

	// Displaced is the address that had to leave the target, the last one if several had to; zero if none had. Under GuardLease EC2 displaces without a
	// word: it is named here only if the target was read, which an instance always is.
	Displaced Occupant

	// Next is what to expect in the Remap that goes on after [ErrUnverified], of the same address to the same target. It
	// allows to take the address from nobody but who held it when this Remap began; under GuardLease, where the lease
	// decides, it may be zero. Zero beside any other outcome.
	Next Expect

	// Calls counts calls of the [API]; what the SDK's retryer repeats inside one is not counted.
	Calls Calls

	// Took is from the call of Remap to its return.
	Took time.Duration
}

// Calls counts calls of the [API].
type Calls struct {
	Describe     int // DescribeAddresses
	Disassociate int // DisassociateAddress
	Associate    int // AssociateAddress
	Inspect      int // reads of the target: DescribeInstances, DescribeNetworkInterfaces, DescribeAvailabilityZones, and of Ready DescribeInternetGateways
}

// Occupant is another address on the target.
type Occupant struct {
	AllocationID, AssociationID string
	PublicIP                    netip.Addr
}
