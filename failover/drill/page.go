package drill

import (
	"fmt"
	"io"

	"github.com/awsha/awsha/failover/statuspage"
)

// WriteHTML writes the report as a page, complete in itself: the verdict, what was measured, every miss, and the timeline. The error is
// that of w.
func (r *Report) WriteHTML(w io.Writer) error {
	tone := map[Verdict]statuspage.Tone{Pass: statuspage.Good, Fail: statuspage.Bad, NoVerdict: statuspage.Warn}[r.Verdict]
	lines := []statuspage.Line{{What: "Verdict", Is: r.Verdict.String(), Tone: tone}, {What: "Fault", Is: r.Fault.String()}}
	for _, m := range r.Misses {
		lines = append(lines, statuspage.Line{What: "Missed", Is: m.String(), Tone: statuspage.Bad})
	}
	for _, l := range r.lines() {
		one := statuspage.Line{What: l.what, Is: l.is}
		if l.missed {
			one.Tone = statuspage.Bad
		}
		lines = append(lines, one)
	}
	for i := range r.Probes {
		p := &r.Probes[i]
		lines = append(lines, statuspage.Line{What: "probe " + p.Name, Is: fmt.Sprintf("RTO %s (+- %s), %d of %d requests failed, half answered in %s, 99 of 100 in %s",
			p.rto(), short(p.Bound), p.Failed, p.Requests, short(p.P50), short(p.P99))})
	}
	return statuspage.WriteTimeline(w, r.Timeline, func(o *statuspage.TimelineOptions) {
		o.Title, o.Plan, o.Lines = r.Service+": drill "+r.ID, r.plan, lines
	})
}
