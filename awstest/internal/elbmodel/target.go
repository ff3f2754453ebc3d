package elbmodel

import (
	"fmt"
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
)

// target is a registered target. Checks of it are a chain of events that ends
// when its turn is not the current one any more.
type target struct {
	key    TargetKey
	health Health
	turn   int // counts registrations and interruptions
	passes int // in a row
	fails  int
}

// Register registers targets, all or none.
func (r *Region) Register(tx *awstest.Tx, g *Group, keys []TargetKey) error {
	var unknown, off []string
	for _, k := range keys {
		machine, ok := r.machine(tx, g, k)
		switch {
		case g.TargetType == "ip":
			if addr, err := netip.ParseAddr(k.ID); err != nil || !addr.Is4() {
				return awstest.Errorf("ValidationError", "The IP address '%s' is not a valid IPv4 address", k.ID)
			}
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
	for _, k := range keys {
		t := g.find(k)
		if t != nil && t.health.State != Draining {
			continue // registered already
		}
		if t == nil {
			t = &target{key: k}
			g.targets = append(g.targets, t)
		}
		r.begin(tx, g, t)
	}
	return nil
}

// Deregister deregisters targets; those that are not registered are passed
// over.
func (r *Region) Deregister(tx *awstest.Tx, g *Group, keys []TargetKey) {
	for _, k := range keys {
		t := g.find(k)
		if t == nil || t.health.State == Draining {
			continue
		}
		if g.uses == 0 || g.drainingTime() == 0 {
			r.drop(tx, g, t)
			continue
		}
		t.turn++
		turn := t.turn
		r.setHealth(tx, g, t, draining)
		tx.Schedule(tx.Now().Add(g.drainingTime()), func(tx *awstest.Tx) {
			if t.turn == turn {
				r.drop(tx, g, t)
			}
		})
	}
}

// TargetHealth is a target with its health.
type TargetHealth struct {
	Key TargetKey
	Health
}

// Health returns the health of targets as of a moment: of those given, or of
// all that are registered.
func (r *Region) Health(tx *awstest.Tx, g *Group, at time.Time, keys []TargetKey) []TargetHealth {
	var out []TargetHealth
	if len(keys) > 0 {
		for _, k := range keys {
			h, ok := r.health.Get(at, healthKey{g.ARN, k})
			if !ok {
				h = notRegistered
			}
			out = append(out, TargetHealth{k, r.overlay(tx, g, k, h)})
		}
		return out
	}
	for k, h := range r.health.All(at) {
		if k.group == g.ARN {
			out = append(out, TargetHealth{k.target, r.overlay(tx, g, k.target, h)})
		}
	}
	return out
}

// overlay puts what makes a target unused over the result of its checks.
func (r *Region) overlay(tx *awstest.Tx, g *Group, k TargetKey, h Health) Health {
	if h.State == Unused || h.State == Draining {
		return h
	}
	balancers := r.BalancersOf(g)
	if len(balancers) == 0 {
		return notInUse
	}
	machine, ok := r.machine(tx, g, k)
	switch {
	case !ok:
		return h // an address outside: it will fail its checks
	case !tx.On(machine):
		return stopped
	case !slices.ContainsFunc(balancers, func(b *LoadBalancer) bool { return b.enabled(machine.Zone()) }):
		return zoneDisabled
	}
	return h
}

// begin makes a target initial; its first check follows if the group is in
// use.
func (r *Region) begin(tx *awstest.Tx, g *Group, t *target) {
	t.turn++
	t.passes, t.fails = 0, 0
	r.setHealth(tx, g, t, registering)
	if g.uses == 0 {
		return
	}
	turn := t.turn
	tx.Schedule(tx.Now().Add(r.model.opts.Registration), func(tx *awstest.Tx) {
		if t.turn == turn {
			r.setHealth(tx, g, t, firstChecks)
			r.check(tx, g, t, turn)
		}
	})
}

// check checks a target now and goes on at the group's interval, from start
// to start.
func (r *Region) check(tx *awstest.Tx, g *Group, t *target, turn int) {
	if t.turn != turn || g.uses == 0 {
		return
	}
	c := g.Check
	tx.Schedule(tx.Now().Add(c.Interval), func(tx *awstest.Tx) { r.check(tx, g, t, turn) })
	machine, ok := r.machine(tx, g, t.key)
	if !ok {
		tx.Schedule(tx.Now().Add(c.Timeout), func(tx *awstest.Tx) {
			r.result(tx, g, t, turn, c, awstest.ProbeResult{Outcome: awstest.ProbeTimedOut})
		})
		return
	}
	port := g.checkPort(t.key)
	spec := awstest.ProbeSpec{Port: port, Timeout: c.Timeout}
	if layer7[c.Protocol] {
		spec.Path, spec.Host, spec.UserAgent = c.Path, netip.AddrPortFrom(tx.PrivateIP(machine), port).String(), "ELB-HealthChecker/2.0"
	}
	tx.Probe(machine, spec, func(tx *awstest.Tx, p awstest.ProbeResult) { r.result(tx, g, t, turn, c, p) })
}

// result moves the target's counters and, at the threshold, its state. One
// pass is enough to leave the initial state.
func (r *Region) result(tx *awstest.Tx, g *Group, t *target, turn int, c Check, p awstest.ProbeResult) {
	if t.turn != turn {
		return
	}
	failure := c.judge(p)
	if failure == (Health{}) {
		t.passes, t.fails = t.passes+1, 0
		if t.health.State == Initial || (t.health.State == Unhealthy && t.passes >= c.Rise) {
			r.setHealth(tx, g, t, healthy)
		}
		return
	}
	t.passes, t.fails = 0, t.fails+1
	if t.fails >= c.Fall {
		r.setHealth(tx, g, t, failure)
	}
}

// judge returns the health of a target that has failed a check, or nothing.
func (c *Check) judge(p awstest.ProbeResult) Health {
	switch {
	case p.Outcome == awstest.ProbeTimedOut:
		return Health{Unhealthy, "Target.Timeout", "Request timed out"}
	case p.Outcome == awstest.ProbeRefused:
		return Health{Unhealthy, "Target.FailedHealthChecks", "Health checks failed"}
	case layer7[c.Protocol] && !c.matches(p.Status):
		return Health{Unhealthy, "Target.ResponseCodeMismatch", fmt.Sprintf("Health checks failed with these codes: [%d]", p.Status)}
	}
	return Health{}
}

func (r *Region) setHealth(tx *awstest.Tx, g *Group, t *target, h Health) {
	if t.health != h {
		t.health = h
		r.health.Put(tx.Now(), healthKey{g.ARN, t.key}, h)
	}
}

func (r *Region) drop(tx *awstest.Tx, g *Group, t *target) {
	t.turn++
	g.targets = slices.DeleteFunc(g.targets, func(o *target) bool { return o == t })
	r.health.Delete(tx.Now(), healthKey{g.ARN, t.key})
}

func (g *Group) find(k TargetKey) *target {
	for _, t := range g.targets {
		if t.key == k {
			return t
		}
	}
	return nil
}

// machine returns the instance behind a target.
func (r *Region) machine(tx *awstest.Tx, g *Group, k TargetKey) (*awstest.Instance, bool) {
	if g.TargetType == "ip" {
		addr, err := netip.ParseAddr(k.ID)
		if err != nil {
			return nil, false
		}
		return tx.InstanceAt(r.region, addr)
	}
	i, ok := tx.Instance(k.ID)
	return i, ok && i.Zone().Region() == r.region
}
