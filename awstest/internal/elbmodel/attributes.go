package elbmodel

import (
	"time"

	"github.com/awsha/awsha/awstest"
)

// Attributes are what a target group has beside its health check.
// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html (read 2026-11)
type Attributes struct {
	DeregistrationDelay time.Duration
	CrossZone           string    // CrossZoneOn, CrossZoneOff or CrossZoneOfBalancer
	DNSFailover         Threshold // below either part, a zone leaves DNS
	RoutingFailover     Threshold // below either part, traffic goes to all targets in use

	// Of HTTP and HTTPS groups only.
	SlowStart         time.Duration
	Algorithm         string
	AnomalyMitigation bool
}

// Threshold is a least number of healthy targets; zero parts are off.
type Threshold struct{ Count, Percent int }

// Where a group has its cross-zone load balancing from.
const (
	CrossZoneOn         = "true"
	CrossZoneOff        = "false"
	CrossZoneOfBalancer = "use_load_balancer_configuration"
)

// The algorithms of application load balancers.
const (
	RoundRobin       = "round_robin"
	LeastOutstanding = "least_outstanding_requests"
	WeightedRandom   = "weighted_random"
)

const (
	maxDeregistrationDelay = 3600 * time.Second
	minSlowStart           = 30 * time.Second
	maxSlowStart           = 900 * time.Second
)

func defaultAttributes() Attributes {
	return Attributes{
		DeregistrationDelay: 300 * time.Second, CrossZone: CrossZoneOfBalancer,
		DNSFailover: Threshold{Count: 1}, RoutingFailover: Threshold{Count: 1}, Algorithm: RoundRobin,
	}
}

// validate holds attributes against the rules that are documented.
//
// That a threshold of DNS failover is not less than that of routing failover
// is compared count with count and percentage with percentage.
// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health.html (read 2026-11)
//
// AWS's guides do not say here whether slow start goes with weighted_random;
// it is let through.
func (a *Attributes) validate() error {
	dns, routing := a.DNSFailover, a.RoutingFailover
	switch {
	case a.DeregistrationDelay > maxDeregistrationDelay:
		return invalid("'deregistration_delay.timeout_seconds' must be between 0 and 3600 inclusive")
	case a.SlowStart != 0 && (a.SlowStart < minSlowStart || a.SlowStart > maxSlowStart):
		return invalid("'slow_start.duration_seconds' must be 0, or between 30 and 900 inclusive")
	case a.SlowStart != 0 && a.Algorithm == LeastOutstanding:
		return invalid("'slow_start.duration_seconds' cannot be combined with the load balancing algorithm '%s'", LeastOutstanding)
	case a.AnomalyMitigation && a.Algorithm != WeightedRandom:
		return invalid("'load_balancing.algorithm.anomaly_mitigation' requires the load balancing algorithm '%s'", WeightedRandom)
	case dns.Count != 0 && dns.Count < routing.Count:
		return invalid("The count for DNS failover '%d' must be greater than or equal to that for routing failover '%d'", dns.Count, routing.Count)
	case dns.Percent != 0 && dns.Percent < routing.Percent:
		return invalid("The percentage for DNS failover '%d' must be greater than or equal to that for routing failover '%d'", dns.Percent, routing.Percent)
	}
	return nil
}

// SetAttributes changes the attributes of a group. Targets that are draining
// go on as they were.
func (r *Region) SetAttributes(tx *awstest.Tx, g *Group, a Attributes) (*Group, error) {
	if err := a.validate(); err != nil {
		return nil, err
	}
	changed := *g
	changed.Attributes = a
	r.groups.Put(tx.Now(), g.ARN, &changed)
	return &changed, nil
}

// SetDeregistrationDelay changes how long the targets of a group drain.
func (r *Region) SetDeregistrationDelay(tx *awstest.Tx, g *Group, d time.Duration) (*Group, error) {
	a := g.Attributes
	a.DeregistrationDelay = d
	return r.SetAttributes(tx, g, a)
}
