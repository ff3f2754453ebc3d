package elbmodel

import (
	"net/netip"

	"github.com/awsha/awsha/awstest"
)

// begin makes a target initial. If the group is in use, its first check
// follows as soon as it is registered with a load balancer that is active.
func (r *Region) begin(tx *awstest.Tx, p *pool, t *target) {
	t.turn++
	t.passes, t.fails = 0, 0
	p.setHealth(tx, t, registering)
	if p.balancer == nil {
		return
	}
	from := tx.Now()
	if active := r.activeAt(p.balancer); active.After(from) {
		from = active
	}
	turn := t.turn
	tx.Schedule(from.Add(r.model.opts.Registration), func(tx *awstest.Tx) {
		tx.WhenFree(nil, t.key.ID, func(tx *awstest.Tx) {
			if t.turn == turn {
				p.setHealth(tx, t, firstChecks)
				r.check(tx, p, t, turn)
			}
		})
	})
}

// check checks a target now and goes on at the group's interval, from start
// to start, until the target's turn is over.
func (r *Region) check(tx *awstest.Tx, p *pool, t *target, turn int) {
	if t.turn != turn {
		return
	}
	g, _ := r.groups.Get(tx.Now(), p.group) // its targets' turns end before it does
	tx.Schedule(tx.Now().Add(g.Check.Interval), func(tx *awstest.Tx) { r.check(tx, p, t, turn) })

	if h, unused := r.unused(tx, g, p.balancer, t.key); unused {
		t.passes, t.fails = 0, 0
		p.setHealth(tx, t, h)
		return
	}
	if t.health.State == Unused {
		p.setHealth(tx, t, firstChecks)
	}
	machine, ok := r.machine(tx, g, t.key)
	if !ok {
		tx.Schedule(tx.Now().Add(g.Check.Timeout), func(tx *awstest.Tx) {
			p.result(tx, t, turn, g, awstest.ProbeResult{Outcome: awstest.ProbeTimedOut})
		})
		return
	}
	spec := awstest.ProbeSpec{Port: g.CheckPort(t.key), Timeout: g.Check.Timeout}
	if layer7(g.Check.Protocol) {
		spec.Path, spec.Host, spec.UserAgent = g.Check.Path, t.hostAt(tx.PrivateIP(machine), spec.Port), "ELB-HealthChecker/2.0"
	}
	tx.Probe(machine, spec, func(tx *awstest.Tx, outcome awstest.ProbeResult) { p.result(tx, t, turn, g, outcome) })
}

// result moves the target's counters and, at the threshold, its state. One
// pass is enough to leave the initial state.
func (p *pool) result(tx *awstest.Tx, t *target, turn int, g *Group, outcome awstest.ProbeResult) {
	if t.turn != turn || t.health.State == Unused {
		return
	}
	failure := g.judge(outcome)
	if failure == (Health{}) {
		t.passes, t.fails = t.passes+1, 0
		if t.health.State == Initial || (t.health.State == Unhealthy && t.passes >= g.Check.Rise) {
			p.setHealth(tx, t, healthy)
		}
		return
	}
	t.passes, t.fails = 0, t.fails+1
	if t.fails >= g.Check.Fall {
		p.setHealth(tx, t, failure)
	}
}

// hostAt returns the Host of the target's HTTP checks.
func (t *target) hostAt(addr netip.Addr, port uint16) string {
	if at := netip.AddrPortFrom(addr, port); at != t.checked {
		t.checked, t.host = at, at.String()
	}
	return t.host
}
