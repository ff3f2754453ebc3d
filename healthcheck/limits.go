package healthcheck

import "time"

// Limits name a kind of load balancer to whose ranges and rules the options must keep.
type Limits uint8

const (
	// NoLimits leaves the ranges of this package.
	NoLimits Limits = iota
	// ALBLimits are those of an Application Load Balancer.
	ALBLimits
	// NLBLimits are those of a Network Load Balancer.
	NLBLimits
	// GWLBLimits are those of a Gateway Load Balancer.
	GWLBLimits
)

// String returns "none", "alb", "nlb" or "gwlb".
func (l Limits) String() string {
	switch l {
	case NoLimits:
		return "none"
	case ALBLimits:
		return "alb"
	case NLBLimits:
		return "nlb"
	case GWLBLimits:
		return "gwlb"
	}
	return "invalid"
}

// MarshalText returns String, so that limits read the same in JSON and in logs.
func (l Limits) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// The ranges of a target group. AWS counts in whole seconds.
// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html and
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html (read 2026-11).
const (
	elbMinInterval, elbMaxInterval   = 5 * time.Second, 300 * time.Second
	elbMinTimeout, elbMaxTimeout     = 2 * time.Second, 120 * time.Second
	elbMinThreshold, elbMaxThreshold = 2, 10
	elbMaxDeregistrationDelay        = time.Hour
	elbMinSlowStart, elbMaxSlowStart = 30 * time.Second, 900 * time.Second
)

// validateLimits looks at the rules of o.Limits; the options have their defaults.
func (o *Options) validateLimits(require requirement) {
	require(o.Limits <= GWLBLimits, "Limits", uint8(o.Limits), "must be one of the constants")
	if o.Limits == NoLimits || o.Limits > GWLBLimits {
		return
	}
	seconds := func(field string, d, lo, hi time.Duration) {
		require(lo <= d && d <= hi && d%time.Second == 0, field, d,
			"must be whole seconds from %.0f to %.0f under Limits %v", lo.Seconds(), hi.Seconds(), o.Limits)
	}
	threshold := func(field string, n int) {
		require(elbMinThreshold <= n && n <= elbMaxThreshold, field, n,
			"must be from %d to %d under Limits %v", elbMinThreshold, elbMaxThreshold, o.Limits)
	}
	seconds("Interval", o.Interval, elbMinInterval, elbMaxInterval)
	seconds("Timeout", o.Timeout, elbMinTimeout, elbMaxTimeout)
	threshold("HealthyThreshold", o.HealthyThreshold)
	threshold("UnhealthyThreshold", o.UnhealthyThreshold)
	seconds("DeregistrationDelay", o.DeregistrationDelay, 0, elbMaxDeregistrationDelay)
	if o.Limits != ALBLimits {
		require(o.SlowStart == 0, "SlowStart", o.SlowStart, "must be zero under Limits %v, which has no slow start", o.Limits)
		require(o.Algorithm == RoundRobin, "Algorithm", o.Algorithm, "must be the default under Limits %v, which has no other", o.Limits)
		return
	}
	if o.SlowStart != 0 {
		seconds("SlowStart", o.SlowStart, elbMinSlowStart, elbMaxSlowStart)
	}
	// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html
	// (read 2026-11).
	require(o.SlowStart == 0 || o.Algorithm != LeastOutstanding,
		"SlowStart", o.SlowStart, "cannot be combined with Algorithm %v under Limits %v", o.Algorithm, o.Limits)
	require(o.Algorithm <= WeightedRandom || int(o.Algorithm) >= numAlgorithms,
		"Algorithm", o.Algorithm, "must be one of Elastic Load Balancing's under Limits %v", o.Limits)
}
