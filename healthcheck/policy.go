package healthcheck

import "time"

// Threshold is a number of healthy targets below which something happens. Both limits count: being below either suffices.
type Threshold struct {
	// Count is the least number of healthy targets. Default 1.
	Count int
	// Percent is the least share of the registered targets that are healthy, 1 to 100. Zero is off.
	Percent int
}

// Algorithm is how Pick chooses among the targets that may get traffic. The first three are those of an Application Load
// Balancer.
// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html (read 2026-11).
type Algorithm uint8

const (
	// RoundRobin takes the targets in turn. It is the default.
	RoundRobin Algorithm = iota
	// LeastOutstanding takes the target with the fewest requests under way: of all targets up to 128 of them, of two random
	// ones beyond.
	LeastOutstanding
	// WeightedRandom takes a random target, in proportion to Target.Weight.
	WeightedRandom
	// PowerOfTwo takes the one of two random targets that has fewer requests under way.
	PowerOfTwo
	// LeastOutstandingExact is LeastOutstanding that looks at all targets, however many there are.
	LeastOutstandingExact

	numAlgorithms = int(LeastOutstandingExact) + 1
)

// String returns the algorithm as Elastic Load Balancing spells it where it has it, such as "round_robin".
func (a Algorithm) String() string {
	switch a {
	case RoundRobin:
		return "round_robin"
	case LeastOutstanding:
		return "least_outstanding_requests"
	case WeightedRandom:
		return "weighted_random"
	case PowerOfTwo:
		return "power_of_two"
	case LeastOutstandingExact:
		return "least_outstanding_requests_exact"
	}
	return "invalid"
}

// MarshalText returns String, so that an algorithm reads the same in JSON and in logs.
func (a Algorithm) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// PassiveOptions say when what requests find out about a target ejects it: it then gets no traffic for a while, whatever its
// checks say, until one of them passes. The zero value of each field means its default.
type PassiveOptions struct {
	// ConnectErrors is how many failures to connect or broken connections in a row eject a target. Default 3.
	ConnectErrors int
	// GatewayErrors is how many answers of 502, 503 or 504 in a row eject a target. Default 5.
	GatewayErrors int
	// EjectionTime is how long the first ejection lasts; the n-th in a row lasts n times as long. Default 30 s.
	EjectionTime time.Duration
	// MaxEjectionTime is the longest that an ejection lasts. Default 300 s.
	MaxEjectionTime time.Duration
	// MaxEjectPercent is how many of the registered targets may be ejected at a time, in percent, 1 to 100; one target may
	// always be, unless it is the last one that gets traffic. Default 10.
	MaxEjectPercent int
}

const (
	defaultConnectErrors   = 3
	defaultGatewayErrors   = 5
	defaultEjectionTime    = 30 * time.Second
	defaultMaxEjectionTime = 300 * time.Second
	defaultMaxEjectPercent = 10
)

// withDefaults fills in the zero fields.
func (o PassiveOptions) withDefaults() PassiveOptions {
	orDefault(&o.ConnectErrors, defaultConnectErrors)
	orDefault(&o.GatewayErrors, defaultGatewayErrors)
	orDefault(&o.EjectionTime, defaultEjectionTime)
	orDefault(&o.MaxEjectionTime, max(defaultMaxEjectionTime, o.EjectionTime))
	orDefault(&o.MaxEjectPercent, defaultMaxEjectPercent)
	return o
}

// requirement takes note of a rule that an option breaks.
type requirement func(ok bool, field string, value any, rule string, args ...any)

// validatePolicy looks at where traffic goes; the options have their defaults.
func (o *Options) validatePolicy(require requirement) {
	threshold := func(field string, t Threshold) {
		require(t.Count >= 1, field+".Count", t.Count, "must be at least 1")
		require(0 <= t.Percent && t.Percent <= 100, field+".Percent", t.Percent, "must be from 0 to 100")
	}
	threshold("RoutingFailover", o.RoutingFailover)
	threshold("ZoneFailover", o.ZoneFailover)
	require(o.ZoneFailover.Count >= o.RoutingFailover.Count, "ZoneFailover.Count", o.ZoneFailover.Count,
		"must not be below RoutingFailover.Count (%d)", o.RoutingFailover.Count)
	require(o.ZoneFailover.Percent == 0 || o.ZoneFailover.Percent >= o.RoutingFailover.Percent,
		"ZoneFailover.Percent", o.ZoneFailover.Percent, "must not be below RoutingFailover.Percent (%d)", o.RoutingFailover.Percent)
	require(0 <= o.SlowStart && o.SlowStart <= maxDelay, "SlowStart", o.SlowStart, "must be from 0 to %v", maxDelay)
	require(int(o.Algorithm) < numAlgorithms, "Algorithm", uint8(o.Algorithm), "must be one of the constants")
	if o.Passive != nil {
		p := *o.Passive
		require(p.ConnectErrors >= 1, "Passive.ConnectErrors", p.ConnectErrors, "must be at least 1")
		require(p.GatewayErrors >= 1, "Passive.GatewayErrors", p.GatewayErrors, "must be at least 1")
		require(p.EjectionTime > 0 && p.EjectionTime <= maxDelay, "Passive.EjectionTime", p.EjectionTime,
			"must be greater than zero and at most %v", maxDelay)
		require(p.MaxEjectionTime >= p.EjectionTime && p.MaxEjectionTime <= maxDelay, "Passive.MaxEjectionTime", p.MaxEjectionTime,
			"must be at least EjectionTime (%v) and at most %v", p.EjectionTime, maxDelay)
		require(1 <= p.MaxEjectPercent && p.MaxEjectPercent <= 100, "Passive.MaxEjectPercent", p.MaxEjectPercent,
			"must be from 1 to 100")
	}
}
