package healthcheck

// What routing knows, for those who look at the pool.

// scopeStatusLocked counts a zone under ZonalOnly, and else the pool, which has no name.
func (p *Pool) scopeStatusLocked(zone string) ZoneStatus {
	if p.opts.ZonalOnly {
		return p.zoneStatusLocked(zone)
	}
	all := ZoneStatus{FailOpen: p.traffic.failOpen}
	for name := range p.zones {
		z := p.zones.status(name)
		all.Initial += z.Initial
		all.Healthy += z.Healthy
		all.Unhealthy += z.Unhealthy
		all.Draining += z.Draining
	}
	return all
}

// zoneStatusLocked is the status of a zone with what routing makes of it.
func (p *Pool) zoneStatusLocked(zone string) ZoneStatus {
	return p.traffic.complete(p.opts, p.zones.status(zone))
}

func (t *traffic) complete(o Options, s ZoneStatus) ZoneStatus {
	s.FailOpen, s.Shifted = t.failsOpen(o.ZonalOnly, s.Zone), t.shifted[s.Zone]
	z := t.zones[s.Zone]
	s.Down = z == nil || o.ZoneFailover.below(z.tally)
	return s
}

// zonesLocked returns the status of every zone that has a target.
func (p *Pool) zonesLocked() []ZoneStatus {
	zones := p.zones.list()
	for i := range zones {
		zones[i] = p.traffic.complete(p.opts, zones[i])
	}
	return zones
}

// failsOpen reports whether picks for a zone disregard health.
func (t *traffic) failsOpen(zonal bool, zone string) bool {
	if !zonal {
		return t.failOpen
	}
	z := t.zones[zone]
	return z == nil || z.failOpen
}

// failOpenNow is what View.FailOpen says of the pool.
func (t *traffic) failOpenNow(p *Pool) bool {
	if !p.opts.ZonalOnly {
		return t.failOpen
	}
	_, failOpen := p.routesLocked()
	return failOpen
}

// statusLocked is the status of a target with what routing knows of it.
func (p *Pool) statusLocked(e *entry, now int64) Status {
	s := p.table.now().at(e.place).status()
	p.routingLocked(&s, e, now)
	s.Shifted = p.traffic.shifted[s.Target.Zone]
	return s
}

// routingLocked completes a status with what moves all the time.
func (p *Pool) routingLocked(s *Status, e *entry, now int64) {
	s.SlowStart = 1
	if b := e.backend; b != nil {
		s.Outstanding = int(b.outstanding.Load())
		s.SlowStart = float32(p.traffic.slowStart.share(b.slowSince.Load(), now))
	}
}

// idleLocked reports whether a target has no request outstanding. For one that is closed it stays so.
func (e *entry) idleLocked() bool { return e.backend == nil || e.backend.outstanding.Load() == 0 }

// idle is told when a target that gets no new traffic has lost its last request.
func (p *Pool) idle(b *backend) {
	p.mu.Lock()
	defer p.unlockAndTell()
	e := b.entry
	if p.opts.FinishWhenIdle && e.state == Draining && p.entries[b.target.ID] == e {
		p.removeLocked(e)
	}
}
