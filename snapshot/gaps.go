package snapshot

import (
	"sync"
	"time"
)

// gaps keeps the calls about one volume apart.
type gaps struct {
	least time.Duration

	mu   sync.Mutex
	last map[string]time.Time // of the calls less than a gap ago
}

// reserve takes the next place for calls about all of these volumes, and returns how long it is to it.
func (g *gaps) reserve(volumes []string, now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.last == nil {
		g.last = make(map[string]time.Time)
	}
	for volume, at := range g.last {
		if now.Sub(at) >= g.least {
			delete(g.last, volume)
		}
	}
	place := now
	for _, volume := range volumes {
		if at, ok := g.last[volume]; ok && at.Add(g.least).After(place) {
			place = at.Add(g.least)
		}
	}
	for _, volume := range volumes {
		g.last[volume] = place
	}
	return place.Sub(now)
}
