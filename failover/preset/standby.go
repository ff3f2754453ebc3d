package preset

import (
	"context"
	"net/netip"

	"github.com/awsha/awsha/eip"
	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/ec2step"
)

// Standby describes an [EIPStandby].
type Standby struct {
	Service      string // of the plan. Required
	AllocationID string // of the address. Required

	// From and To are the IDs of the instances or network interfaces that the address leaves and comes to. Default the facts
	// [failover.FactFailed] and [failover.FactTarget].
	From, To failover.Ref

	// Fence stops From, by force, before the address leaves it: for a service of which only one may be at work. It must be an instance then.
	Fence bool

	// Probe asks whether traffic to the address arrives: see [eip.Request].
	Probe func(ctx context.Context, publicIP netip.Addr) error
}

// EIPStandby returns a plan that moves an Elastic IP address to a standby that runs already:
//
//	[fence ->] address
//
// It is the plan with the least to go wrong: nothing is launched, one thing is changed, and it is reversible. Without Fence the address moves
// however the old instance is, and whoever has a connection to it by another way keeps it.
func EIPStandby(api EC2API, s Standby) failover.Plan {
	from, to := orFact(s.From, failover.FactFailed), orFact(s.To, failover.FactTarget)
	p := builder{plan: failover.Plan{Service: s.Service}}
	var needs []string
	if s.Fence {
		p.add(ec2step.Fence(api, ec2step.FenceSpec{ID: "fence", Instance: from}))
		needs = []string{"fence"}
	}
	p.add(ec2step.MoveAddress(api, ec2step.AddressSpec{
		ID: "address", Needs: needs, AllocationID: s.AllocationID, From: from, To: to, Guard: eip.GuardStrict, Probe: s.Probe,
	}))
	return p.plan
}
