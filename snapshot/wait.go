package snapshot

import (
	"context"
	"maps"
	"sync"
)

// Result is what became of a point that was waited for.
type Result struct {
	Point *Point // as it was seen last
	Err   error  // nil if it is completed; an *OpError else
}

// Wait waits until each of the points is completed, or has failed, or ctx has ended. It returns what became of each: all of them, whatever
// happens; and the errors of those that are not completed, joined.
//
// One poller for each region looks after all that is waited for there, by any number of calls: a read for each 1,000 snapshots of a slot,
// 15 s after the beginning, and then ever more slowly up to a minute. A snapshot that reads do not show is waited for, for Options.ReadLag.
// A snapshot that has failed is told at once, with AWS's message. There is no deadline but that of ctx: a large volume takes hours.
func (m *Manager) Wait(ctx context.Context, points []*Point) (map[Ref]Result, error) {
	regions := make(map[*region][]*Point)
	for _, p := range points {
		r := m.region(p.Region)
		regions[r] = append(regions[r], p)
	}
	var mu sync.Mutex
	var all sync.WaitGroup
	results := make(map[Ref]Result, len(points))
	for r, of := range regions {
		all.Go(func() {
			partial := r.waits.wait(ctx, of)
			mu.Lock()
			defer mu.Unlock()
			maps.Copy(results, partial)
		})
	}
	all.Wait()
	return results, failures(points, results)
}
