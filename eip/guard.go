package eip

import "fmt"

// Guard says what keeps a Remap from taking the address from the wrong owner.
type Guard uint8

const (
	// GuardStrict ends exactly the expected association and then associates the address if nobody holds it. Two calls, of
	// which only the second decides; in between the address is free. It needs no lease and no agreement between callers.
	GuardStrict Guard = iota

	// GuardFree associates the address if nobody holds it, and takes it from nobody.
	GuardFree

	// GuardLease takes the address from whoever holds it, in one call and without a gap. EC2 checks nothing: what keeps two
	// callers apart is the lease behind Request.Fence, which is required, and asked right before the call. A call that
	// was sent in time and arrives late may undo the move of the next holder, who sees it as ErrStolen; let the lease's
	// margin be no shorter than Options.CallTimeout.
	GuardLease
)

var guardNames = [...]string{GuardStrict: "strict", GuardFree: "free", GuardLease: "lease"}

// String returns "strict", "free" or "lease".
func (g Guard) String() string {
	if int(g) < len(guardNames) {
		return guardNames[g]
	}
	return fmt.Sprintf("Guard(%d)", uint8(g))
}

// Fence is the right to move addresses for as long as it is valid: a lease with a fencing token. A failover.Lease is one.
// It is called from the goroutines of Remap, concurrently, and must return at once.
type Fence interface {
	// Token grows with every holder. It is written to the log beside what was done under it.
	Token() uint64

	// Valid returns nil if a call that is sent now is sent by the holder, and otherwise why not. It is asked right before
	// every call that changes anything, retries included.
	Valid() error
}
