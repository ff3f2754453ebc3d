package selfhealth

import (
	"context"
	"fmt"
	"time"
)

// Kind is what it means that a check fails. There is no default.
type Kind uint8

const (
	// Live checks say that the process is stuck, and a new one would not be: a loop that no longer turns, a lock that nobody
	// gets. While one fails, /livez and /readyz answer 503, and who supervises the process restarts it. Never ask a dependency
	// here: its outage would restart the fleet.
	Live Kind = iota + 1
	// Local checks are about what belongs to this process or machine: a full disk, an exhausted pool, a missing certificate.
	// While one fails, /readyz answers 503.
	Local
	// Soft checks ask a dependency without which the process still does part of its work. While one fails, the process is
	// Degraded, and /readyz answers 200.
	Soft
	// Hard checks ask a dependency without which every request fails. While one fails, /readyz answers 503, unless a Guard
	// objects.
	//
	// Prefer Soft. A dependency that all instances share fails for all of them at once, and taking the fleet out of service
	// turns a partial outage into a full one: the instances that leave first overload the others, and Auto Scaling groups
	// that use ELB health checks replace all of them. Hard is right where instances have different dependencies, such as a
	// replica in their own zone; give it a Guard.
	Hard
	// Guard checks say that the fleet can spare this instance: nil is yes. While one fails, and for Options.GuardHold after
	// that, Hard checks that fail make the process Degraded instead of Failing: it fails open. A Guard runs all the time, so
	// let it read what is known already, such as the view of a healthcheck.Pool over the fleet.
	Guard
)

// String returns "live", "local", "soft", "hard" or "guard".
func (k Kind) String() string {
	switch k {
	case Live:
		return "live"
	case Local:
		return "local"
	case Soft:
		return "soft"
	case Hard:
		return "hard"
	case Guard:
		return "guard"
	}
	return "invalid"
}

// MarshalText returns String, so that a kind reads the same in JSON and in logs.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

const (
	defaultInterval = 10 * time.Second
	defaultTimeout  = 2 * time.Second
	minInterval     = time.Millisecond // less is a number without its unit
	maxInterval     = 24 * time.Hour
	maxName         = 128
	maxThreshold    = 1000
)

// Check is one question that the process asks itself, in the background.
type Check struct {
	// Name names the check within its Health: 1 to 128 bytes.
	Name string
	Kind Kind

	// Func returns nil if all is well, and otherwise what is wrong. Its context ends after Timeout, and when the check is
	// replaced or removed, or Run ends; Func must then return. It is called on one goroutine for each name, never twice at a
	// time. A panic is recovered and counts as a failure.
	Func func(ctx context.Context) error

	// Interval is how long the check rests between the end of one call and the start of the next, shortened by a random
	// time of up to a tenth so that a fleet does not ask in step. A dependency that is slow is thus asked less often.
	// The first call is at once. From 1 ms to 24 h. Default 10 s.
	Interval time.Duration

	// Timeout is how long a call may take before it counts as failed, whether Func returns or not. Func is not called again
	// while it has not returned; each further Interval then counts as one more failure. From 1 ms to
	// 24 h. Default 2 s.
	Timeout time.Duration

	// MaxAge is how old the latest result, or the registration, may be before the check fails with ErrStale. At least
	// Interval + Timeout. Default 3·Interval + Timeout.
	MaxAge time.Duration

	// FailureThreshold is how many failures in a row make a check fail, 1 to 1000. One pass makes it pass again. Default 1:
	// load balancers and orchestrators count on their side too.
	FailureThreshold int
}

func (c Check) withDefaults() Check {
	if c.Interval == 0 {
		c.Interval = defaultInterval
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	if c.MaxAge == 0 {
		c.MaxAge = 3*c.Interval + c.Timeout
	}
	if c.FailureThreshold == 0 {
		c.FailureThreshold = 1
	}
	return c
}

// validate returns every mistake in checks that have their defaults.
func validate(checks []Check) []error {
	var errs []error
	seen := make(map[string]int, len(checks))
	for i, c := range checks {
		require := func(ok bool, field string, value any, rule string, args ...any) {
			if !ok {
				name := fmt.Sprintf("Check[%d].%s", i, field)
				errs = append(errs, &FieldError{Field: name, Value: value, Rule: fmt.Sprintf(rule, args...)})
			}
		}
		first, again := seen[c.Name]
		require(!again, "Name", c.Name, "is that of Check[%d] too", first)
		if !again {
			seen[c.Name] = i
		}
		require(c.Name != "" && len(c.Name) <= maxName, "Name", c.Name, "must have 1 to %d bytes", maxName)
		require(Live <= c.Kind && c.Kind <= Guard, "Kind", uint8(c.Kind), "must be Live, Local, Soft, Hard or Guard")
		require(c.Func != nil, "Func", "nil", "must not be nil")
		require(minInterval <= c.Interval && c.Interval <= maxInterval,
			"Interval", c.Interval, "must be from %v to %v", minInterval, maxInterval)
		require(minInterval <= c.Timeout && c.Timeout <= maxInterval,
			"Timeout", c.Timeout, "must be from %v to %v", minInterval, maxInterval)
		require(c.MaxAge >= c.Interval+c.Timeout,
			"MaxAge", c.MaxAge, "must be at least Interval + Timeout (%v)", c.Interval+c.Timeout)
		require(1 <= c.FailureThreshold && c.FailureThreshold <= maxThreshold,
			"FailureThreshold", c.FailureThreshold, "must be from 1 to %d", maxThreshold)
	}
	return errs
}
