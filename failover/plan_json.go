package failover

import "encoding/json"

// MarshalJSON returns the plan as it would be executed, with its critical path, for a review or a program of another language. Durations are milliseconds. An invalid plan is
// its *PlanError. There is no way back: steps are code.
func (p Plan) MarshalJSON() ([]byte, error) {
	g, err := compile(p)
	if err != nil {
		return nil, err
	}
	type step struct {
		ID         string   `json:"id"`
		Needs      []string `json:"needs,omitempty"`
		Plane      string   `json:"plane"`
		Blast      string   `json:"blast"`
		EstimateMS float64  `json:"estimate_ms"`
		TimeoutMS  float64  `json:"timeout_ms,omitempty"`
		Writes     []string `json:"writes,omitempty"`
		API        string   `json:"api,omitempty"`
		Final      bool     `json:"final,omitempty"`
	}
	steps := make([]step, len(g.nodes))
	for i := range g.nodes {
		n := &g.nodes[i]
		steps[i] = step{
			ID: n.id, Needs: n.step.Needs(), Plane: n.plane.String(), Blast: n.blast.String(), EstimateMS: milliseconds(n.estimate), TimeoutMS: milliseconds(n.timeout),
			API: n.api, Final: n.final,
		}
		if w, ok := n.step.(ResourceWriter); ok {
			steps[i].Writes = w.Writes()
		}
	}
	path, estimate := p.CriticalPath()
	return json.Marshal(struct {
		Service      string   `json:"service"`
		BudgetMS     float64  `json:"budget_ms,omitempty"`
		Plane        string   `json:"plane"` // the worst
		Blast        string   `json:"blast"` // the largest
		CriticalPath []string `json:"critical_path"`
		EstimateMS   float64  `json:"estimate_ms"` // of it
		Steps        []step   `json:"steps"`
	}{p.Service, milliseconds(p.Budget), p.WorstPlane().String(), p.Blast().String(), path, milliseconds(estimate), steps})
}
