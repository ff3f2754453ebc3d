package awstest

import (
	"context"
	"fmt"
	"time"
)

// Tx is the right to look at the world and to change it: whoever has one
// holds the cloud's lock. It is valid until the function that it was given to
// returns.
type Tx struct {
	cloud *Cloud
	now   time.Time
	after []func()
}

// Cloud returns the cloud that is locked.
func (tx *Tx) Cloud() *Cloud { return tx.cloud }

// Now returns the time of this change, the same however often it is asked.
func (tx *Tx) Now() time.Time { return tx.now }

// NewID returns an ID of the form AWS uses, such as "i-00000000000000001" for
// the prefix "i". IDs of a prefix count up, so that runs repeat.
func (tx *Tx) NewID(prefix string) string {
	tx.cloud.nextID[prefix]++
	return fmt.Sprintf("%s-%017x", prefix, tx.cloud.nextID[prefix])
}

// AfterUnlock runs fn once the lock is released, before the call or the
// update returns. Work that may wait for others belongs there.
func (tx *Tx) AfterUnlock(fn func()) { tx.after = append(tx.after, fn) }

// Go runs fn on a goroutine of its own that Close waits for; ctx ends with
// the cloud.
func (tx *Tx) Go(fn func(ctx context.Context)) {
	c := tx.cloud
	if c.closed {
		return
	}
	c.wg.Add(1)
	go func() {
		defer c.wg.Done()
		fn(c.ctx)
	}()
}

func (tx *Tx) settle() {
	for _, fn := range tx.after {
		fn()
	}
	tx.after = nil
}
