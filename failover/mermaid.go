package failover

import (
	"fmt"
	"slices"
	"strings"
)

// Mermaid returns the plan as a Mermaid flowchart, for a runbook or a pull request: arrows lead from what is needed to what needs it,
// thick ones along the critical path. An invalid plan has none.
func (p Plan) Mermaid() string {
	g, err := compile(p)
	if err != nil {
		return ""
	}
	critical, _ := p.CriticalPath()
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	for i := range g.nodes {
		n := &g.nodes[i]
		label := strings.ReplaceAll(printable(n.id), `"`, "#quot;")
		fmt.Fprintf(&b, "    s%d[\"%s<br/>%s, %s\"]\n", i, label, n.plane, n.estimate)
	}
	for i := range g.nodes {
		at := slices.Index(critical, g.nodes[i].id)
		for _, need := range g.nodes[i].needs {
			arrow := "-->"
			if at > 0 && critical[at-1] == g.nodes[need].id {
				arrow = "==>"
			}
			fmt.Fprintf(&b, "    s%d %s s%d\n", need, arrow, i)
		}
	}
	return b.String()
}
