package preset

import (
	"fmt"
	"time"

	"github.com/awsha/awsha/eip"
	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/ec2step"
	"github.com/awsha/awsha/failover/elbstep"
)

// EC2API is what plans call of EC2; *ec2.Client is one.
type EC2API interface {
	ec2step.LaunchAPI
	ec2step.FenceAPI
	ec2step.VolumeAPI
	eip.API
}

// Replacement describes what [ReplaceInstance] puts in the place of an instance.
type Replacement struct {
	Service string // of the plan. Required

	// Failed is the ID of the instance. Default the fact [failover.FactFailed].
	Failed failover.Ref

	// Launch is how the new one is launched: image or template, types and subnets. ID, Needs and, with Volumes, Zone are the preset's. Required.
	Launch ec2step.LaunchSpec

	// Zone is the zone of Volumes, by ID or name, where the new instance has to be. Required with Volumes.
	Zone failover.Ref

	// Volumes are the IDs of those that move to the new instance.
	Volumes []string

	// Addresses are the allocation IDs of Elastic IP addresses that move to the new instance.
	Addresses []string

	// Targets are the groups in which the new one is to take its place.
	Targets []TargetGroup

	// Probe, if there is one, has to succeed on the new instance before addresses and traffic move to it. It gets the outputs of the launch: see
	// [ec2step.InstanceKey] and the keys beside it.
	Probe Probe
}

// TargetGroup is a group of a load balancer, and the port of its targets; zero is that of the group.
type TargetGroup struct {
	ARN  string
	Port uint16
}

// ReplaceInstance returns a plan that puts a new instance in the place of one that has failed, in the zone of its volumes if it has any:
//
//	fence  -> detach-1 -+
//	launch -------------+-> attach-1 -> probe -+-> address-1
//	                                           +-> register-1 -> healthy-1 -> deregister-1
//
// The old instance is stopped by force, and has to be before a volume leaves it: single-writer data are the exception from new first, then
// switch. In a zone that is down it cannot be: see [ZoneEvacuation]. elb may be nil without Targets.
func ReplaceInstance(api EC2API, elb elbstep.API, r Replacement) failover.Plan {
	failed := orFact(r.Failed, failover.FactFailed)
	p := builder{plan: failover.Plan{Service: r.Service}, ec2: api, elb: elb}
	p.add(ec2step.Fence(api, ec2step.FenceSpec{ID: "fence", Instance: failed}))
	r.Launch.ID, r.Launch.Needs = "launch", nil
	if len(r.Volumes) > 0 {
		r.Launch.Zone = r.Zone
	}
	p.add(ec2step.Launch(api, r.Launch))
	fresh := failover.Output("launch", ec2step.InstanceKey)
	ready := []string{"launch"}
	for i, id := range r.Volumes {
		detach, attach := fmt.Sprintf("detach-%d", i+1), fmt.Sprintf("attach-%d", i+1)
		p.add(ec2step.Detach(api, ec2step.DetachSpec{
			ID: detach, Needs: []string{"fence"}, FencedBy: "fence", Volume: failover.Literal(id), Instance: failed,
		}))
		p.add(ec2step.Attach(api, ec2step.AttachSpec{ID: attach, Needs: []string{detach, "launch"}, Volume: failover.Literal(id), Instance: fresh}))
		ready = append(ready, attach)
	}
	p.take("", "launch", failed, ready, r.Addresses, r.Targets, r.Probe)
	return p.plan
}

// orFact is a reference, or that to a fact of the incident.
func orFact(r failover.Ref, fact string) failover.Ref {
	if r.Zero() {
		return failover.Fact(fact)
	}
	return r
}

// builder adds steps to a plan.
type builder struct {
	plan failover.Plan
	ec2  EC2API
	elb  elbstep.API
}

func (p *builder) add(s failover.Step) { p.plan.Steps = append(p.plan.Steps, s) }

// take has a new instance take the place of an old one, once steps are done: it is probed, then gets the addresses and the traffic.
func (p *builder) take(prefix, launch string, old failover.Ref, ready, addresses []string, targets []TargetGroup, probe Probe) {
	if probe != nil {
		id := prefix + "probe"
		p.add(probeStep(id, ready, launch, probe))
		ready = append(ready[:len(ready):len(ready)], id)
	}
	fresh := failover.Output(launch, ec2step.InstanceKey)
	for i, allocation := range addresses {
		p.add(ec2step.MoveAddress(p.ec2, ec2step.AddressSpec{
			ID: fmt.Sprintf("%saddress-%d", prefix, i+1), Needs: ready, AllocationID: allocation, From: old, To: fresh,
		}))
	}
	for i, t := range targets {
		register, healthy, deregister := fmt.Sprintf("%sregister-%d", prefix, i+1), fmt.Sprintf("%shealthy-%d", prefix, i+1), fmt.Sprintf("%sderegister-%d", prefix, i+1)
		p.add(elbstep.Register(p.elb, elbstep.RegisterSpec{
			ID: register, Needs: ready, TargetGroup: t.ARN, Targets: []elbstep.Target{{ID: fresh, Port: t.Port}},
		}))
		p.add(elbstep.WaitHealthy(p.elb, elbstep.WaitSpec{
			ID: healthy, Needs: []string{launch, register}, TargetGroup: t.ARN, Targets: []elbstep.Target{{ID: fresh, Port: t.Port}},
		}))
		p.add(elbstep.Deregister(p.elb, elbstep.DeregisterSpec{
			ID: deregister, Needs: []string{healthy}, TargetGroup: t.ARN, Targets: []elbstep.Target{{ID: old, Port: t.Port}},
		}))
	}
}

// defaultProbe is how long a probe usually takes.
const defaultProbe = 5 * time.Second
