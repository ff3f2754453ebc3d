package elbmodel

import "github.com/awsha/awsha/awstest"

// OnHealth makes fn hear of every health that a target of a group has got, at
// that very instant, in an event of its own. Other services ask for it while
// the cloud is being made.
func (m *Model) OnHealth(fn func(tx *awstest.Tx, r *Region, group string, t TargetHealth)) {
	m.onHealth = append(m.onHealth, fn)
}

func (p *pool) tell(tx *awstest.Tx, t *target) {
	if len(p.region.model.onHealth) == 0 {
		return
	}
	seen := TargetHealth{t.key, t.health}
	tx.Schedule(tx.Now(), func(tx *awstest.Tx) {
		for _, fn := range p.region.model.onHealth {
			fn(tx, p.region, p.group, seen)
		}
	})
}

// Draining tells whether a target of the group is draining now.
func (g *Group) Draining(k TargetKey) bool {
	t := g.pool.find(k)
	return t != nil && t.health.State == Draining
}
