package preset

import (
	"fmt"
	"time"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/arcstep"
	"github.com/awsha/awsha/failover/asgstep"
	"github.com/awsha/awsha/failover/ec2step"
	"github.com/awsha/awsha/failover/elbstep"
	"github.com/awsha/awsha/snapshot"
)

// APIs are what a [ZoneEvacuation] calls. What an evacuation does not need may be nil.
type APIs struct {
	EC2          EC2API
	ELB          elbstep.API
	AutoScaling  asgstep.API
	ZonalShift   arcstep.API
	Snapshots    func(region string) snapshot.Clients // for Single.Volumes
	SnapshotOpts func(*snapshot.Options)              // see [ec2step.RestoreSpec].Managers
}

// Evacuation describes a [ZoneEvacuation].
type Evacuation struct {
	Service string // of the plan. Required

	// Zone is the ID of the zone that is left. Default the fact [failover.FactZone].
	Zone failover.Ref

	// Shifts are the ARNs of load balancers, Auto Scaling groups and EKS clusters that are enabled for zonal shift.
	Shifts []string

	Groups    []Group
	Instances []Single
}

// Group is an Auto Scaling group that loses instances with the zone.
type Group struct {
	Name  string         // Required
	Count int            // instances to launch elsewhere at once, without waiting for the group to notice: as many as it has in one zone. Required
	Zones []failover.Ref // IDs of the zones to try, in order. Required
}

// Single is an instance that is lost with the zone, of which there is only one.
type Single struct {
	Name     string       // unique in the evacuation: the beginning of the IDs of its steps. Required
	Instance failover.Ref // its ID. Required

	// Launch is how its replacement is launched: image or template, types and subnets. ID and Needs are the preset's, and the zone that is left is avoided.
	// Required.
	Launch ec2step.LaunchSpec

	// Volumes are restored from their newest snapshots, in the zone in which the replacement comes to run: what was written since is lost.
	Volumes []Backup

	// Addresses are the allocation IDs of Elastic IP addresses that move to the replacement, and Targets the groups in which it takes its place.
	Addresses []string
	Targets   []TargetGroup

	// Probe has to succeed on the replacement before addresses and traffic move to it. Nil does not ask.
	Probe Probe
}

// Backup is a volume with a policy that takes snapshots of it.
type Backup struct {
	ID     string           // of the volume that is lost. Required
	Policy *snapshot.Policy // Required
	MaxAge time.Duration    // how much of the last data may be lost at most: see [ec2step.RestoreSpec]. Required
	Edit   func(*snapshot.RestoreRequest)
}

// ZoneEvacuation returns a plan that leaves a zone:
//
//	shift-1                                                          for each resource
//	web-suspend -> web-launch -> web-in-service -> web-resume        for each group
//	db-fence, db-launch -> db-restore-1 -> db-attach-1 -> db-probe -> db-address-1
//	                                                               -> db-register-1 -> db-healthy-1 -> db-deregister-1
//
// Nothing waits for the zone that is left: the orders to stop what is there are given, and are carried out when it is back. Until then an
// old instance may run on, without its address and its targets, beside its replacement, on a volume of its own; when the zone is back it has to be looked
// at before it is used. The order of preference is: what runs elsewhere already needs no step here; a shift is one call; a launch needs capacity
// on the day when everybody does (see [ec2step.Stability]).
//
// Restored volumes make it a plan that loses data: its radius is [failover.BlastData], and a controller asks a person first.
func ZoneEvacuation(api APIs, e Evacuation) failover.Plan {
	zone := orFact(e.Zone, failover.FactZone)
	p := builder{plan: failover.Plan{Service: e.Service}, ec2: api.EC2, elb: api.ELB}
	for i, arn := range e.Shifts {
		p.add(arcstep.Shift(api.ZonalShift, arcstep.ShiftSpec{ID: fmt.Sprintf("shift-%d", i+1), Resource: arn, Away: zone}))
	}
	for _, g := range e.Groups {
		p.group(api.AutoScaling, g)
	}
	for i := range e.Instances {
		p.single(api, zone, &e.Instances[i])
	}
	return p.plan
}

func (p *builder) group(api asgstep.API, g Group) {
	suspend, launch, wait := g.Name+"-suspend", g.Name+"-launch", g.Name+"-in-service"
	// The group goes on replacing what it finds unhealthy: only its balance is kept from undoing the launch while the zone is gone.
	p.add(asgstep.Suspend(api, asgstep.SuspendSpec{ID: suspend, Group: g.Name, Processes: []string{"AZRebalance"}}))
	p.add(asgstep.Launch(api, asgstep.LaunchSpec{ID: launch, Needs: []string{suspend}, Group: g.Name, Count: g.Count, Zones: g.Zones}))
	p.add(asgstep.WaitInService(api, asgstep.WaitSpec{
		ID: wait, Needs: []string{launch}, Group: g.Name, Instances: []failover.Ref{failover.Output(launch, asgstep.InstancesKey)},
	}))
	p.add(asgstep.Resume(api, asgstep.ResumeSpec{ID: g.Name + "-resume", Needs: []string{suspend, wait}, Group: g.Name, Suspended: suspend}))
}

func (p *builder) single(api APIs, zone failover.Ref, s *Single) {
	launch := s.Name + "-launch"
	p.add(ec2step.Fence(api.EC2, ec2step.FenceSpec{ID: s.Name + "-fence", Instance: s.Instance, Unconfirmed: true}))
	spec := s.Launch
	spec.ID, spec.Needs = launch, nil
	spec.Avoid = append(spec.Avoid[:len(spec.Avoid):len(spec.Avoid)], zone)
	p.add(ec2step.Launch(api.EC2, spec))
	ready := []string{launch}
	for i, b := range s.Volumes {
		restore, attach := fmt.Sprintf("%s-restore-%d", s.Name, i+1), fmt.Sprintf("%s-attach-%d", s.Name, i+1)
		p.add(ec2step.Restore(api.Snapshots, ec2step.RestoreSpec{
			ID: restore, Needs: []string{launch}, Policy: b.Policy, Series: snapshot.Series{Kind: snapshot.KindVolume, ID: b.ID},
			Zone: failover.Output(launch, ec2step.ZoneKey), MaxAge: b.MaxAge, Edit: b.Edit, Managers: api.SnapshotOpts,
		}))
		p.add(ec2step.Attach(api.EC2, ec2step.AttachSpec{
			ID: attach, Needs: []string{launch, restore}, Volume: failover.Output(restore, ec2step.VolumeKey), Instance: failover.Output(launch, ec2step.InstanceKey),
		}))
		ready = append(ready, attach)
	}
	p.take(s.Name+"-", launch, s.Instance, ready, s.Addresses, s.Targets, s.Probe)
}
