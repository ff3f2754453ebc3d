package elbmodel

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/awsha/awsha/awstest"
)

// TargetKey identifies a target in its group.
type TargetKey struct {
	ID   string // an instance, or an IP address
	Port uint16
}

// The states of a target.
const (
	Initial   = "initial"
	Healthy   = "healthy"
	Unhealthy = "unhealthy"
	Draining  = "draining"
	Unused    = "unused"
)

// Health is what DescribeTargetHealth says of a target.
type Health struct{ State, Reason, Description string }

var (
	registering   = Health{Initial, "Elb.RegistrationInProgress", "Target registration is in progress"}
	firstChecks   = Health{Initial, "Elb.InitialHealthChecking", "Initial health checks in progress"}
	healthy       = Health{State: Healthy}
	draining      = Health{Draining, "Target.DeregistrationInProgress", "Target deregistration is in progress"}
	notRegistered = Health{Unused, "Target.NotRegistered", "Target is not registered to the target group"}
	notInUse      = Health{Unused, "Target.NotInUse", "Target group is not configured to receive traffic from the load balancer"}
	zoneDisabled  = Health{Unused, "Target.NotInUse", "Target is in an Availability Zone that is not enabled for the load balancer"}
	stopped       = Health{Unused, "Target.InvalidState", "Target is in the stopped state"}
	terminated    = Health{Unused, "Target.InvalidState", "Target is in the terminated state"}
)

// target is a registered target. Checks of it are a chain of events that ends
// when its turn is not the current one any more.
type target struct {
	key    TargetKey
	health Health
	turn   int // counts registrations and interruptions
	passes int // in a row
	fails  int

	checked netip.AddrPort // where HTTP checks ask, and
	host    string         // the same as text
}

// Registration is a target as RegisterTargets has it.
type Registration struct {
	TargetKey
	Zone string // a name, "all", or empty
}

// Register registers targets, all or none.
func (r *Region) Register(tx *awstest.Tx, g *Group, list []Registration) error {
	check := r.checkInstances
	if g.TargetType == Addresses {
		check = r.checkAddresses
	}
	if err := check(tx, g, list); err != nil {
		return err
	}
	for _, k := range list {
		t := g.pool.find(k.TargetKey)
		if t != nil && t.health.State != Draining {
			continue // registered already
		}
		if t == nil {
			t = &target{key: k.TargetKey}
			g.pool.targets = append(g.pool.targets, t)
		}
		r.begin(tx, g.pool, t)
	}
	return nil
}

func (r *Region) checkInstances(tx *awstest.Tx, g *Group, list []Registration) error {
	var unknown, off []string
	for _, k := range list {
		machine, ok := r.machine(tx, g, k.TargetKey)
		switch {
		case k.Zone != "":
			return invalid("You cannot specify an Availability Zone for targets of type '%s'", g.TargetType)
		case !ok:
			unknown = append(unknown, k.ID)
		case !tx.On(machine):
			off = append(off, k.ID)
		}
	}
	if len(unknown) > 0 {
		return awstest.Errorf("InvalidTarget", "The following targets do not exist: '%s'", strings.Join(unknown, "', '"))
	}
	if len(off) > 0 {
		return awstest.Errorf("InvalidTarget", "The following targets are not in a running state and cannot be registered: '%s'", strings.Join(off, "', '"))
	}
	return nil
}

// sharedAddresses is the range of RFC 6598.
var sharedAddresses = netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64, 0, 0}), 10)

func (r *Region) checkAddresses(tx *awstest.Tx, _ *Group, list []Registration) error {
	vpc := r.model.ec2.Region(tx, r.region).VPC()
	for _, k := range list {
		addr, err := netip.ParseAddr(k.ID)
		switch {
		case err != nil || !addr.Is4():
			return invalid("The IP address '%s' is not a valid IPv4 address", k.ID)
		case !addr.IsPrivate() && !sharedAddresses.Contains(addr):
			return invalid("The IP address '%s' must be in the VPC or in the ranges of RFC 1918 or RFC 6598", k.ID)
		case k.Zone == "" && !vpc.Prefix.Contains(addr):
			return invalid("You must specify an Availability Zone for the IP address '%s', which is outside of the VPC", k.ID)
		case k.Zone != "" && k.Zone != "all" && !slices.ContainsFunc(r.region.Zones(), func(z *awstest.Zone) bool { return z.Name() == k.Zone }):
			return invalid("'%s' is not a valid Availability Zone", k.Zone)
		}
	}
	return nil
}

// Deregister deregisters targets; those that are not registered are passed
// over.
func (g *Group) Deregister(tx *awstest.Tx, keys []TargetKey) {
	p := g.pool
	for _, k := range keys {
		t := p.find(k)
		if t == nil || t.health.State == Draining {
			continue
		}
		if p.balancer == nil || g.DeregistrationDelay == 0 {
			p.drop(tx, t)
			continue
		}
		t.turn++
		turn := t.turn
		p.setHealth(tx, t, draining)
		tx.Schedule(tx.Now().Add(g.DeregistrationDelay), func(tx *awstest.Tx) {
			if t.turn == turn {
				p.drop(tx, t)
			}
		})
	}
}

// TargetHealth is a target with its health.
type TargetHealth struct {
	TargetKey
	Health
}

// Health returns the health of targets as of a moment: of those given, or of
// all that are registered.
func (r *Region) Health(tx *awstest.Tx, g *Group, at time.Time, keys []TargetKey) []TargetHealth {
	var out []TargetHealth
	for _, k := range keys {
		h, ok := g.pool.health.Get(at, k)
		if !ok {
			h = notRegistered
		}
		out = append(out, TargetHealth{k, h})
	}
	if len(keys) == 0 {
		for k, h := range g.pool.health.All(at) {
			out = append(out, TargetHealth{k, h})
		}
	}
	b, inUse := r.BalancerOf(at, g.ARN)
	for i, t := range out {
		switch {
		case t.Health == notRegistered || t.Health == draining:
		case !inUse:
			out[i].Health = notInUse
		default:
			if h, unused := r.unused(tx, g, b, t.TargetKey); unused {
				out[i].Health = h
			}
		}
	}
	return out
}

// unused tells whether a target of a group in use gets neither traffic nor
// checks now, and why.
func (r *Region) unused(tx *awstest.Tx, g *Group, b *LoadBalancer, k TargetKey) (Health, bool) {
	machine, ok := r.machine(tx, g, k)
	switch {
	case !ok && g.TargetType == Instances:
		return terminated, true
	case !ok:
		return Health{}, false // an address that leads nowhere: it will fail its checks
	case !tx.On(machine) && g.TargetType == Instances:
		return stopped, true
	case !b.enabled(machine.Zone()):
		return zoneDisabled, true
	}
	return Health{}, false
}

func (p *pool) setHealth(tx *awstest.Tx, t *target, h Health) {
	if t.health != h {
		t.health = h
		p.health.Put(tx.Now(), t.key, h)
		p.tell(tx, t)
	}
}

func (p *pool) drop(tx *awstest.Tx, t *target) {
	t.turn++
	p.targets = slices.DeleteFunc(p.targets, func(o *target) bool { return o == t })
	p.health.Delete(tx.Now(), t.key)
}

func (p *pool) find(k TargetKey) *target {
	for _, t := range p.targets {
		if t.key == k {
			return t
		}
	}
	return nil
}

// machine returns the instance behind a target.
func (r *Region) machine(tx *awstest.Tx, g *Group, k TargetKey) (*awstest.Instance, bool) {
	if g.TargetType == Addresses {
		addr, _ := netip.ParseAddr(k.ID) // checkAddresses has checked it
		return tx.InstanceAt(r.region, addr)
	}
	i, ok := tx.Instance(k.ID)
	return i, ok && i.Zone().Region() == r.region
}
