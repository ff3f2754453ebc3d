package elbv2hc

// SyncResult is what a Sync did, or under SyncOptions.DryRun would have done. The lists are by ID and port.
type SyncResult struct {
	Registered   []Target
	Deregistered []Target
	Unchanged    int // wanted, and registered before

	// OtherZone are wanted targets that are registered with another zone than wanted. They are left as they are: AWS
	// does not say that a registration can change its zone. Deregister them, and register them again once they have drained.
	OtherZone []Target

	DryRun bool
}

// Changed reports whether the Sync did anything.
func (r *SyncResult) Changed() bool { return len(r.Registered)+len(r.Deregistered) > 0 }

// plan is what makes a group equal to what is wanted.
type plan struct {
	add, remove []Target
	live        int // registered now, and not dead
	loss        int // how many of these are removed
	unchanged   int
	otherZone   []Target
}

// makePlan compares what is wanted with what a read has shown, corrected by the Syncer's own recent changes. Draining targets
// count as not registered: a wanted one is registered again, an unwanted one is on its way out already.
func makePlan(want []Target, all []Health, own map[key]recent, owns func(Target) bool) plan {
	now := make(map[key]Target, len(all))
	dead := map[key]bool{}
	for _, h := range all {
		if h.registered() {
			now[h.Target.key()] = h.Target
		}
		if h.dead() {
			dead[h.Target.key()] = true
		}
	}
	for k, change := range own {
		_, shown := now[k]
		switch {
		case change.registered && !shown:
			now[k] = change.target
		case !change.registered:
			delete(now, k)
		}
	}
	var p plan
	wanted := make(map[key]bool, len(want))
	for _, t := range want {
		wanted[t.key()] = true
		there, ok := now[t.key()]
		switch {
		case !ok:
			p.add = append(p.add, t)
		case t.Zone != "" && there.Zone != "" && t.Zone != there.Zone:
			p.otherZone = append(p.otherZone, t)
			p.unchanged++
		default:
			p.unchanged++
		}
	}
	for k, t := range now {
		remove := !wanted[k] && owns(t)
		if remove {
			p.remove = append(p.remove, t)
		}
		if !dead[k] {
			p.live++
			if remove {
				p.loss++
			}
		}
	}
	sortTargets(p.add)
	sortTargets(p.remove)
	sortTargets(p.otherZone)
	return p
}

// tooMany reports whether a plan takes more away than is allowed, given how many of its additions were refused.
func (p *plan) tooMany(refused int, o *SyncOptions) bool {
	if p.loss == 0 {
		return false
	}
	if left := p.live - p.loss + len(p.add) - refused; left <= 0 && !o.AllowEmpty {
		return true
	}
	return p.loss > 1 && p.loss*100 > o.MaxRemovePercent*p.live
}
