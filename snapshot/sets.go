package snapshot

import (
	"slices"
	"time"
)

// sets returns points by what was taken together, the newest first, without duplicates. Those of one set are in the order of their IDs.
func sets(points []*Point) [][]*Point {
	duplicates := marked(points)
	type key struct {
		region string
		series Series
		set    string
	}
	at := make(map[key]int)
	var list [][]*Point
	for _, p := range slices.SortedFunc(slices.Values(points), newestFirst) {
		if duplicates[p.Ref] || p.State == Failed && p.Source.ID != "" {
			continue
		}
		k := key{p.Region, p.Series, p.Set}
		i, ok := at[k]
		if !ok {
			i = len(list)
			at[k] = i
			list = append(list, nil)
		}
		list[i] = append(list[i], p)
	}
	return list
}

// completed reports whether all of a set is, and of a copy whether all has been copied.
func completed(set []*Point) bool {
	if len(set) < set[0].Members {
		return false
	}
	return !slices.ContainsFunc(set, func(p *Point) bool { return p.State != Completed })
}

// latest returns the time of the newest completed set of each series.
func latest(points []*Point) map[Series]time.Time {
	times := make(map[Series]time.Time)
	for _, set := range sets(points) {
		if one := set[0]; completed(set) && one.Time.After(times[one.Series]) {
			times[one.Series] = one.Time
		}
	}
	return times
}
