package healthcheck

// Limits name a kind of load balancer whose ranges the options must keep to.
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
