package queueworker

import (
	"math"
	"math/rand/v2"
	"time"
)

// RetryPolicy says how long to wait until a message is tried again after an attempt that failed. It is called from many goroutines
// at a time. What it returns is rounded up to whole seconds, to one at least, and ends with the twelve hours for which SQS lets a
// message be held.
type RetryPolicy func(m *Message, err error) time.Duration

// BackoffOptions are the options of Backoff. The zero value of each field means its default.
type BackoffOptions struct {
	First  time.Duration // after the first attempt. Default 1 s
	Max    time.Duration // the longest. Default 15 min
	Growth float64       // from one to the next. Default 2
}

// Backoff returns a policy of delays that grow with Message.Attempt. Each is at random from half of the full delay to all of it, so
// that messages that failed together do not come back together.
func Backoff(optFns ...func(*BackoffOptions)) RetryPolicy {
	o := BackoffOptions{}
	for _, fn := range optFns {
		fn(&o)
	}
	orDefault(&o.First, time.Second)
	orDefault(&o.Max, 15*time.Minute)
	orDefault(&o.Growth, 2)
	first, longest := float64(max(o.First, time.Second)), float64(max(o.Max, o.First, time.Second))
	growth := max(o.Growth, 1)
	return func(m *Message, _ error) time.Duration {
		full := min(first*math.Pow(growth, float64(max(m.Attempt, 1)-1)), longest)
		return time.Duration(full/2 + rand.Float64()*full/2)
	}
}
