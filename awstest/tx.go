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

// begin takes the time, once the lock is held, so that no change is older than
// the one before it.
func (tx *Tx) begin() {
	tx.now = time.Now().UTC() // as the SDK reads times
	tx.catchUp()
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

// Go runs fn on another goroutine, which Close waits for; ctx ends with the
// cloud. The goroutines stay for the next fn, with the stacks they have grown.
func (tx *Tx) Go(fn func(ctx context.Context)) {
	c := tx.cloud
	switch {
	case c.closed:
	case c.idle > 0:
		c.idle--
		c.work <- fn // has room for every idle worker
	default:
		c.wg.Add(1)
		go c.labour(fn)
	}
}

// maxIdle is how many goroutines wait for something to do.
const maxIdle = 1024

// labour runs fn and then whatever comes, until the cloud is closed.
func (c *Cloud) labour(fn func(context.Context)) {
	defer c.wg.Done()
	for more := true; more; fn, more = <-c.work {
		fn(c.ctx)
		c.mu.Lock()
		if c.closed || c.idle == maxIdle {
			c.mu.Unlock()
			return
		}
		c.idle++
		c.mu.Unlock()
	}
}

func (tx *Tx) settle() {
	for _, fn := range tx.after {
		fn()
	}
	tx.after = nil
}
