//go:build !race

package queueworker_test

import "testing"

// Not in parallel: the allocations of other tests would count.
func TestAMessageCostsFewAllocations(t *testing.T) {
	const atMost = 15
	if got := drainStream(t, 20_000); got > atMost {
		t.Errorf("%.1f allocations a message, want at most %d", got, atMost)
	}
}
