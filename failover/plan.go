package failover

import (
	"slices"
	"time"
)

// Plan is what to do: steps and the order that their needs demand. It is a plain value; nothing changes it.
type Plan struct {
	// Service names what fails over. It is the name of the lease: one execution per service at a time, whatever the incident.
	Service string

	// Steps in any order. They start as soon as everything they need is done, so the order of the slice decides nothing.
	Steps []Step

	// Estimates replace those of steps, by ID: what a drill has measured ([StepReport].Took), say. They forecast; they limit nothing.
	Estimates map[string]time.Duration

	// Budget bounds an execution from the call of Execute, the wait for the lease included. Zero means no bound.
	Budget time.Duration
}

// Validate returns nil for a plan that can be executed, or a [*PlanError] with every fault. It calls no Check, Do or Undo.
func (p Plan) Validate() error {
	_, err := compile(p)
	return err
}

// CriticalPath returns the chain of steps that decides how long the plan takes, first step first, and its estimate: the
// time of the whole plan, since everything else runs beside it. Among equals it takes what comes first in Steps.
// An invalid plan has none.
func (p Plan) CriticalPath() ([]string, time.Duration) {
	g, err := compile(p)
	if err != nil {
		return nil, 0
	}
	path, ends := g.criticalPath()
	var last time.Duration
	for _, end := range ends {
		last = max(last, end)
	}
	return path, last
}

// criticalPath also returns when each step ends if all start as early as they can.
func (g *graph) criticalPath() (path []string, ends []time.Duration) {
	ends = make([]time.Duration, len(g.nodes))
	before := make([]int, len(g.nodes)) // the need that ends last; -1 for none
	last := -1
	for _, i := range g.order {
		n := &g.nodes[i]
		before[i] = -1
		for _, need := range n.needs {
			if before[i] < 0 || ends[need] > ends[before[i]] {
				before[i] = need
			}
		}
		ends[i] = n.estimate
		if before[i] >= 0 {
			ends[i] += ends[before[i]]
		}
		if last < 0 || ends[i] > ends[last] {
			last = i
		}
	}
	for i := last; i >= 0; i = before[i] {
		path = append(path, g.nodes[i].id)
	}
	slices.Reverse(path)
	return path, ends
}

// WorstPlane returns the highest plane that the plan depends on, and 0 for an invalid plan.
func (p Plan) WorstPlane() Plane {
	g, err := compile(p)
	if err != nil {
		return 0
	}
	var worst Plane
	for i := range g.nodes {
		worst = max(worst, g.nodes[i].plane)
	}
	return worst
}

// Order returns the IDs of the steps so that each comes after everything it needs, or nil for an invalid plan.
func (p Plan) Order() []string {
	g, err := compile(p)
	if err != nil {
		return nil
	}
	ids := make([]string, len(g.order))
	for i, n := range g.order {
		ids[i] = g.nodes[n].id
	}
	return ids
}
