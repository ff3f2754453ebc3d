package statuspage

import (
	"context"
	"strings"
	"time"

	"github.com/awsha/awsha/healthcheck"
)

// snapshot is a view in the order of the page: the worst first, and by ID among equals.
type snapshot struct {
	at    time.Time
	view  *healthcheck.View
	items []item
}

// item is what the filters need of a target. The rest is looked up for those that are shown.
type item struct {
	id, zone, addr string
	state          healthcheck.State
}

func newSnapshot(v *healthcheck.View) *snapshot {
	const ranks = 4
	var ranked [ranks][]item
	n := 0
	for id, s := range v.All() {
		r := rank(s)
		ranked[r] = append(ranked[r], item{id: id, zone: s.Target.Zone, addr: s.Target.Addr, state: s.State})
		n++
	}
	snap := &snapshot{at: time.Now(), view: v, items: make([]item, 0, n)}
	for _, items := range ranked {
		snap.items = append(snap.items, items...)
	}
	return snap
}

// rank orders targets by how much they ask to be looked at.
func rank(s healthcheck.Status) int {
	switch s.State {
	case healthcheck.Unhealthy:
		return 0
	case healthcheck.Initial, healthcheck.Unused:
		return 1
	case healthcheck.Draining:
		return 2
	case healthcheck.Healthy:
		if s.Ejected {
			return 0
		}
		return 3
	}
	return 0
}

// find returns the IDs of the page that q asks for, or of the last one before it, that page, and how many targets match.
func (s *snapshot) find(q query) (ids []string, page, matched int) {
	ids = make([]string, 0, q.Size)
	for _, it := range s.items {
		if q.Zone != anything && it.zone != q.Zone || q.State != anything && it.state.String() != q.State {
			continue
		}
		if q.Search != "" && !strings.Contains(it.id, q.Search) && !strings.Contains(it.addr, q.Search) {
			continue
		}
		matched++
		if page < q.Page && matched > page*q.Size {
			page++ // the next page begins, and is the one unless it is past again
			ids = ids[:0]
		}
		if matched <= page*q.Size {
			ids = append(ids, it.id)
		}
	}
	return ids, max(page, 1), matched
}

// flight is a snapshot that is being made, for all who ask meanwhile.
type flight struct {
	done chan struct{}
	snap *snapshot // nil if the source broke
}

// snapshot returns one that is not older than MaxAge, or nil if the source broke or ctx has ended. The source is asked by one
// request at a time.
func (h *handler) snapshot(ctx context.Context) *snapshot {
	h.mu.Lock()
	f := h.latest
	if f == nil {
		f = &flight{done: make(chan struct{})}
		h.latest = f
		h.mu.Unlock()
		h.fly(f)
		return f.snap
	}
	h.mu.Unlock()
	select {
	case <-f.done:
		return f.snap
	case <-ctx.Done():
		return nil
	}
}

// fly makes the snapshot of f, and lets go of it after MaxAge: what nobody looks at costs nothing.
func (h *handler) fly(f *flight) {
	defer func() { // deferred, because the source may panic, for net/http to recover
		close(f.done)
		if f.snap == nil || h.opts.MaxAge < 0 {
			h.forget()
		} else {
			time.AfterFunc(h.opts.MaxAge, h.forget)
		}
	}()
	f.snap = newSnapshot(h.source.View())
}

// forget is called once for each flight, and no other can begin before that.
func (h *handler) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.latest = nil
}
