package snapshot

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// Points returns what there is of a policy, in its region and those of its copies, the newest first. It takes a call for each 1,000 in each
// region, and of RDS one for each 100 that there are, whosoever. Reads are behind: what was made in the last minutes may be missing.
func (m *Manager) Points(ctx context.Context, p *Policy) ([]*Point, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	points, err := m.region(p.Region).points(ctx, p)
	if err != nil {
		return nil, err
	}
	for i := range p.Copies {
		copies, err := m.region(p.Copies[i].Region).points(ctx, p)
		if err != nil {
			return nil, err
		}
		points = append(points, copies...)
	}
	slices.SortFunc(points, newestFirst)
	return points, nil
}

func newestFirst(a, b *Point) int {
	return cmp.Or(b.Time.Compare(a.Time), cmp.Compare(a.Region, b.Region), cmp.Compare(a.ID, b.ID))
}

// marked returns the duplicates among points of one region: of two that were made for the same series and slot, or are copies of the same
// source, one counts: one that is completed, else one that is pending; of those the one with more members, and then the first. Sets are counted
// as a whole, copies each by itself.
func marked(points []*Point) map[Ref]bool {
	wholes := make(map[whole]standing)
	for _, p := range points {
		if p.Source.ID == "" {
			s := wholes[wholeOf(p)]
			wholes[wholeOf(p)] = standing{rank: max(s.rank, rank(p.State)), members: s.members + 1}
		}
	}
	stands := func(p *Point) standing {
		if s, ok := wholes[wholeOf(p)]; ok && p.Source.ID == "" {
			return s
		}
		return standing{rank: rank(p.State)}
	}

	type made struct {
		series Series
		slot   time.Time
		source Ref
	}
	first := make(map[made]*Point)
	ordered := slices.SortedFunc(slices.Values(points), func(a, b *Point) int {
		x, y := stands(a), stands(b)
		return cmp.Or(cmp.Compare(x.rank, y.rank), cmp.Compare(y.members, x.members), a.Begun.Compare(b.Begun), cmp.Compare(a.Set, b.Set), cmp.Compare(a.ID, b.ID))
	})
	duplicates := make(map[Ref]bool)
	for _, p := range ordered {
		key := made{series: p.Series, slot: p.Slot, source: p.Source}
		switch one, ok := first[key]; {
		case !ok:
			first[key] = p
		case p.State != Failed && (one.Set != p.Set || p.Source.ID != ""):
			duplicates[p.Ref] = true
		}
	}
	return duplicates
}

// whole is what was made by one call, of originals.
type whole struct {
	series Series
	slot   time.Time
	set    string
}

func wholeOf(p *Point) whole { return whole{p.Series, p.Slot, p.Set} }

// standing is how much a whole is worth: by the worst of its points, and by how many there are.
type standing struct{ rank, members int }

// rank orders points by whether they are worth more than others of the same data.
func rank(s State) int {
	switch s {
	case Completed:
		return 0
	case Pending:
		return 1
	}
	return 2
}
