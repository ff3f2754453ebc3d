package queueworker

import (
	"sync/atomic"
	"time"
)

// lease is one delivery of a message, as long as the worker holds it.
type lease struct {
	until atomic.Pointer[time.Time] // by the monotonic clock
}

func (l *lease) deadline() time.Time {
	if t := l.until.Load(); t != nil {
		return *t
	}
	return time.Time{}
}
