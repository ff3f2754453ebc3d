package selfhealth

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// Heartbeat tells whether a loop still turns: the loop calls Beat each time around, and a Live check asks Within. Make one
// with NewHeartbeat. All methods are safe for concurrent use; Beat costs a reading of the clock and takes no lock.
type Heartbeat struct {
	epoch time.Time // so that beats are on the monotonic clock: a wall clock that is set is no loop that is stuck
	beat  atomic.Int64
}

// NewHeartbeat returns a heart that has just beaten.
func NewHeartbeat() *Heartbeat { return &Heartbeat{epoch: time.Now()} }

// Beat says that the loop has come around.
func (b *Heartbeat) Beat() { b.beat.Store(int64(time.Since(b.epoch))) }

// Within returns the Func of a check that fails while the latest Beat is longer ago than limit. Give a loop that waits for
// work a limit beyond its longest wait, or a Beat when it wakes up for nothing.
func (b *Heartbeat) Within(limit time.Duration) func(context.Context) error {
	return func(context.Context) error {
		if ago := time.Since(b.epoch) - time.Duration(b.beat.Load()); ago > limit {
			return fmt.Errorf("the latest beat is %v ago, allowed are %v", ago.Round(time.Millisecond), limit)
		}
		return nil
	}
}
