package failover

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// graph is a plan with its needs resolved to indices. Steps are asked for their constants once, here.
type graph struct {
	nodes []node
	order []int // each after everything it needs
}

type node struct {
	step     Step
	id       string
	needs    []int // a need that is named twice is here twice
	feeds    []int // the nodes that need this one, likewise
	plane    Plane
	estimate time.Duration
	timeout  time.Duration // zero means the engine's
	api      string
	final    bool
	blast    Blast
}

func compile(p Plan) (*graph, error) {
	var faults []error
	fault := func(err error) { faults = append(faults, err) }

	if p.Service == "" {
		fault(&FieldError{"Plan.Service", p.Service, "must not be empty"})
	}
	if len(p.Steps) == 0 {
		fault(&FieldError{"Plan.Steps", len(p.Steps), "steps: a plan needs at least one"})
	}
	notNegative(&faults, "Plan.Budget", p.Budget)

	g := &graph{nodes: make([]node, len(p.Steps))}
	byID := make(map[string]int, len(p.Steps))
	uses := make(map[string]int, len(p.Steps))
	var resources []string // in the order of their first writer
	writers := make(map[string][]int)
	for i, s := range p.Steps {
		wrong := func(name string, v any, rule string) {
			fault(&FieldError{fmt.Sprintf("Plan.Steps[%d]%s", i, name), v, rule})
		}
		if s == nil {
			wrong("", s, "must not be nil")
			continue
		}
		n := node{step: s, id: s.ID(), plane: s.Plane(), estimate: s.Estimate()}
		if d, ok := p.Estimates[n.id]; ok {
			n.estimate = d
		}
		if t, ok := s.(Timeouter); ok {
			n.timeout = t.Timeout()
		}
		if c, ok := s.(Caller); ok {
			n.api = c.API()
		}
		if f, ok := s.(Finalizer); ok {
			n.final = f.Final()
		}
		n.blast = BlastZone
		if b, ok := s.(Blaster); ok {
			n.blast = cmp.Or(b.Blast(), BlastZone)
		}
		if n.blast < 0 || n.blast > BlastData {
			wrong(".Blast", n.blast, "is none")
		}
		if w, ok := s.(ResourceWriter); ok {
			for _, r := range w.Writes() {
				if writers[r] == nil {
					resources = append(resources, r)
				}
				if !slices.Contains(writers[r], i) {
					writers[r] = append(writers[r], i)
				}
			}
		}
		g.nodes[i] = n

		if n.id == "" {
			wrong(".ID", n.id, "must not be empty")
		}
		if n.plane < PlaneData || n.plane > PlaneGlobal {
			wrong(".Plane", n.plane, "is not a plane")
		}
		if n.estimate < 0 {
			wrong(".Estimate", n.estimate, "must not be negative")
		}
		if n.timeout < 0 {
			wrong(".Timeout", n.timeout, "must not be negative")
		}
		if v, ok := s.(Validator); ok {
			for _, err := range split(v.Validate()) {
				if field, ok := errors.AsType[*FieldError](err); ok {
					wrong("."+field.Field, field.Value, field.Rule)
				} else {
					fault(fmt.Errorf("step %q: %w", n.id, err))
				}
			}
		}
		if uses[n.id]++; uses[n.id] == 1 {
			byID[n.id] = i
		}
	}
	for i := range g.nodes {
		if id := g.nodes[i].id; id != "" && uses[id] > 1 && byID[id] == i {
			fault(&DuplicateStepError{id, uses[id]})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(p.Estimates)) {
		if uses[id] == 0 {
			fault(&FieldError{"Plan.Estimates[" + id + "]", p.Estimates[id], "is of no step of the plan"})
		}
	}

	for i := range g.nodes {
		if g.nodes[i].step == nil {
			continue
		}
		for _, id := range g.nodes[i].step.Needs() {
			need, ok := byID[id]
			if !ok {
				fault(&MissingNeedError{g.nodes[i].id, id})
				continue
			}
			g.nodes[i].needs = append(g.nodes[i].needs, need)
			g.nodes[need].feeds = append(g.nodes[need].feeds, i)
		}
	}
	for _, knot := range g.sort() {
		fault(&CycleError{g.cycle(knot)})
	}
	for _, r := range resources {
		for _, pair := range g.unordered(writers[r]) {
			fault(&WritersError{r, [2]string{g.nodes[pair[0]].id, g.nodes[pair[1]].id}})
		}
	}
	if len(faults) > 0 {
		return nil, &PlanError{p.Service, faults}
	}
	return g, nil
}

// split takes joined errors apart.
func split(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	switch {
	case err == nil:
		return nil
	case !ok:
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, split(e)...)
	}
	return all
}

// sort sets the order and returns the knots: sets of nodes that all need each other. It is Tarjan's algorithm, which finds
// each strongly connected component after all that it needs.
func (g *graph) sort() (knots [][]int) {
	const settled = -1
	var (
		seen  = make([]int, len(g.nodes)) // 0 = unseen, else when found, or settled
		stack []int
		clock int
		visit func(i int) int
	)
	visit = func(i int) int {
		clock++
		found := clock
		seen[i] = found
		low := found // the earliest node still on the stack that i leads to
		height := len(stack)
		stack = append(stack, i)
		for _, need := range g.nodes[i].needs {
			switch {
			case seen[need] == 0:
				low = min(low, visit(need))
			case seen[need] != settled:
				low = min(low, seen[need])
			}
		}
		if low < found {
			return low
		}
		component := slices.Clone(stack[height:])
		stack = stack[:height]
		for _, n := range component {
			seen[n] = settled
		}
		slices.Sort(component)
		g.order = append(g.order, component...)
		if len(component) > 1 || slices.Contains(g.nodes[i].needs, i) {
			knots = append(knots, component)
		}
		return low
	}
	for i := range g.nodes {
		if seen[i] == 0 {
			visit(i)
		}
	}
	slices.SortFunc(knots, slices.Compare)
	return knots
}

// cycle returns the shortest circle of needs through the first node of a knot.
func (g *graph) cycle(knot []int) []string {
	start := knot[0]
	from := map[int]int{} // by whom a node was first needed
	for queue := []int{start}; ; queue = queue[1:] {
		i := queue[0]
		for _, need := range g.nodes[i].needs {
			if need == start {
				path := []string{g.nodes[start].id}
				for ; i != start; i = from[i] {
					path = append(path, g.nodes[i].id)
				}
				path = append(path, g.nodes[start].id)
				slices.Reverse(path)
				return path
			}
			if _, ok := from[need]; !ok && slices.Contains(knot, need) {
				from[need] = i
				queue = append(queue, need)
			}
		}
	}
}

// unordered returns pairs of nodes of which neither needs the other, none if all are in a chain.
func (g *graph) unordered(nodes []int) (pairs [][2]int) {
	if len(nodes) < 2 {
		return nil
	}
	place := make([]int, len(g.nodes))
	for at, i := range g.order {
		place[i] = at
	}
	sorted := slices.SortedFunc(slices.Values(nodes), func(a, b int) int { return place[a] - place[b] })
	for i, later := range sorted[1:] {
		if !g.leadsTo(later, sorted[i]) {
			pairs = append(pairs, [2]int{sorted[i], later})
		}
	}
	return pairs
}

// leadsTo reports whether from needs to, directly or not.
func (g *graph) leadsTo(from, to int) bool {
	seen := make([]bool, len(g.nodes))
	for stack := []int{from}; len(stack) > 0; {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for _, need := range g.nodes[i].needs {
			if need == to {
				return true
			}
			if !seen[need] {
				seen[need] = true
				stack = append(stack, need)
			}
		}
	}
	return false
}
