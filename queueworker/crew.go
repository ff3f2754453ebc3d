package queueworker

import "sync"

// crew is goroutines that do one thing after another. One that has nothing to do waits for more, since a new one would have to grow
// its stack again. Guarded by Worker.mu.
type crew[T any] struct {
	do     func(T)
	spare  int // how many wait at most
	idle   []chan T
	closed bool
	all    sync.WaitGroup
}

// giveLocked has one of the crew do what is to be done with v, at once.
func (c *crew[T]) giveLocked(mu *sync.Mutex, v T) {
	if n := len(c.idle); n > 0 {
		next := c.idle[n-1]
		c.idle = c.idle[:n-1]
		next <- v // has room
		return
	}
	c.all.Go(func() {
		next := make(chan T, 1)
		for ok := true; ok; v, ok = <-next {
			c.do(v)
			v = *new(T) // is not to be kept
			mu.Lock()
			if c.closed || len(c.idle) >= c.spare {
				close(next)
			} else {
				c.idle = append(c.idle, next)
			}
			mu.Unlock()
		}
	})
}

// dismissLocked ends those that have nothing to do, and the others when they are done.
func (c *crew[T]) dismissLocked() {
	c.closed = true
	for _, next := range c.idle {
		close(next)
	}
	c.idle = nil
}
