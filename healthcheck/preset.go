package healthcheck

import "time"

// The presets are the defaults of target groups, for use as options of New, before others. What they set can be changed
// after them, within the ranges of AWS, unless Limits is set back to NoLimits. How a check is made is the checker's part:
// its zero options are those of an Application Load Balancer.
//
// Source, unless said otherwise:
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html (read 2026-11).

// ALB sets what a target group of an Application Load Balancer has for HTTP and HTTPS: a check every 30 s, which may take 5 s,
// 5 passes and 2 failures.
//
// The timeout is that of the user guide; the API reference has 6 s for HTTP and 10 s for HTTPS.
// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html (read 2026-11).
func ALB(o *Options) { preset(o, ALBLimits, 30*time.Second, 5*time.Second) }

// ALBGRPC sets what a target group of an Application Load Balancer has for gRPC. Its numbers are those of ALB; the matcher,
// which differs, is the checker's.
func ALBGRPC(o *Options) { ALB(o) }

// NLBTCP sets what a target group of a Network Load Balancer has for TCP checks: every 30 s, 10 s each. Cross-zone load
// balancing is off.
func NLBTCP(o *Options) {
	preset(o, NLBLimits, 30*time.Second, 10*time.Second)
	o.ZonalOnly = true
}

// NLBHTTP sets what a target group of a Network Load Balancer has for HTTP checks: every 30 s, 6 s each. Those for HTTPS
// are of 10 s, as in NLBTCP. Cross-zone load balancing is off.
func NLBHTTP(o *Options) {
	preset(o, NLBLimits, 30*time.Second, 6*time.Second)
	o.ZonalOnly = true
}

// GWLB sets what a target group of a Gateway Load Balancer has: a TCP check every 10 s, which may take 5 s. Its checks go to
// port 80 unless told otherwise: set Target.CheckPort. Cross-zone load balancing is off.
func GWLB(o *Options) {
	preset(o, GWLBLimits, 10*time.Second, 5*time.Second)
	o.ZonalOnly = true
}

// preset sets what is not the same everywhere, and what is, so that a preset also undoes other options.
func preset(o *Options, limits Limits, interval, timeout time.Duration) {
	o.Limits, o.Interval, o.Timeout = limits, interval, timeout
	o.HealthyThreshold, o.UnhealthyThreshold = defaultHealthyThreshold, defaultUnhealthyThreshold
	o.DeregistrationDelay = defaultDeregistrationDelay
	o.RoutingFailover, o.ZoneFailover, o.ZonalOnly = Threshold{Count: 1}, Threshold{Count: 1}, false
	o.SlowStart, o.Algorithm = 0, RoundRobin
}
