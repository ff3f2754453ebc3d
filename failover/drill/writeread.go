package drill

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// WriteReadSpec describes a number that is kept in the service's data. Nobody else may write it while the drill runs.
type WriteReadSpec struct {
	// Write replaces the number, and returns nil once the service has acknowledged that. It is called with numbers that only grow, and
	// should be conditional on that where it can: a write that timed out and comes late would replace a newer one, which is then lost.
	Write func(ctx context.Context, number uint64) error

	// Read returns the number that was written last; 0 for none. It must see what was acknowledged, as a consistent read does: an older
	// number counts as lost.
	Read func(ctx context.Context) (uint64, error)

	// ReadLag is for how long a read may show an older number without that being a loss, as on a replica that will catch up: the read is
	// repeated every 100 ms until then, within the probe's timeout. Default 0: it must not.
	ReadLag time.Duration
}

// Loss is what was acknowledged and is not there any more.
type Loss struct {
	Writes int // acknowledged writes that a later read did not see

	// Span is the RPO in time, never less than what is lost: from the acknowledgement of the last write that is still there to that of the
	// last one that is not. Of several losses it is the longest.
	Span time.Duration

	Unverified int // acknowledged writes that no read has looked for since
}

// WriteRead makes a client that keeps a number in the service's data, and so measures what a failover loses. A request reads the number,
// which must be the last one that was acknowledged, or one that was written since then without an answer; and then writes the next one. A
// number that is older is a loss of acknowledged writes: the request is good nevertheless, for the service answers. A number that nobody
// here wrote is a failure: somebody else writes it, or two copies of the data are at work.
//
// A client is for one drill at a time. Mistakes in the spec are told by [New].
func WriteRead(spec WriteReadSpec) Client { return &writeRead{spec: spec} }

// ack is a write that was acknowledged.
type ack struct {
	number uint64
	at     time.Time
}

type writeRead struct {
	spec WriteReadSpec

	mu    sync.Mutex
	begun bool
	acks  []ack  // what was there at first, and what was acknowledged since and is not lost; numbers grow
	seen  uint64 // by the last read
	sent  uint64 // the last that was sent
	loss  Loss
}

// Validate implements [failover.Validator].
func (c *writeRead) Validate() error {
	var m mistakes
	m.require(c.spec.Write != nil, "Write", nil, "must not be nil")
	m.require(c.spec.Read != nil, "Read", nil, "must not be nil")
	m.notNegative("ReadLag", c.spec.ReadLag)
	return errors.Join(m...)
}

// reset forgets an earlier drill.
func (c *writeRead) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.begun, c.acks, c.seen, c.sent, c.loss = false, nil, 0, 0, Loss{}
}

// Loss implements [LossTeller].
func (c *writeRead) Loss() Loss {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.loss
	for i := len(c.acks); i > 0 && c.acks[i-1].number > c.seen; i-- {
		l.Unverified++
	}
	return l
}

func (c *writeRead) Ask(ctx context.Context) error {
	number, err := c.read(ctx)
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	next, err := c.saw(number)
	if err != nil {
		return err
	}
	if err := c.spec.Write(ctx, next); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.acks = append(c.acks, ack{next, time.Now()})
	return nil
}

// recheck is the pause between reads that may lag.
const recheck = 100 * time.Millisecond

// read reads until the number is not older than it must be, or the lag is over.
func (c *writeRead) read(ctx context.Context) (uint64, error) {
	c.mu.Lock()
	var must uint64
	if len(c.acks) > 0 {
		must = c.acks[len(c.acks)-1].number
	}
	c.mu.Unlock()
	for until := time.Now().Add(c.spec.ReadLag); ; {
		number, err := c.spec.Read(ctx)
		if err != nil || number >= must || !time.Now().Before(until) {
			return number, err
		}
		if err := sleep(ctx, recheck); err != nil {
			return 0, err
		}
	}
}

// saw takes in what was read, and returns what to write.
func (c *writeRead) saw(number uint64) (next uint64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !c.begun:
		c.begun, c.seen, c.sent = true, number, number
		c.acks = []ack{{number, time.Now()}}
	case number > c.sent:
		return 0, fmt.Errorf("read: the number is %d, and %d was the last that was written here: somebody else writes it", number, c.sent)
	default:
		c.settle(number)
	}
	c.sent++
	return c.sent, nil
}

// settle counts what is lost, and forgets it.
func (c *writeRead) settle(number uint64) {
	c.seen = number
	first := len(c.acks) // of those that are lost
	for first > 0 && c.acks[first-1].number > number {
		first--
	}
	if first == len(c.acks) {
		return
	}
	from := c.acks[max(first-1, 0)].at // without one before it, nobody knows how old what is left is
	c.loss.Writes += len(c.acks) - first
	c.loss.Span = max(c.loss.Span, c.acks[len(c.acks)-1].at.Sub(from))
	c.acks = c.acks[:first]
	if first == 0 {
		c.acks = []ack{{number, from}}
	}
}
