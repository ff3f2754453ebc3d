package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/drill"
	"github.com/awsha/awsha/failover/statuspage"
)

// report is what was measured. What a run cannot measure is left out: nobody writes to a database of yours.
type report struct {
	Verdict     string         `json:"verdict,omitempty"`
	RTOMS       int64          `json:"rto_ms"` // the time without a writer; of the plan alone, if nobody writes
	DetectionMS int64          `json:"detection_ms,omitempty"`
	CriticalMS  int64          `json:"critical_path_ms"`
	RPOSeconds  *float64       `json:"rpo_seconds,omitempty"`
	Written     *int64         `json:"writes_acknowledged,omitempty"`
	Lost        *int           `json:"writes_lost,omitempty"`
	Requests    *int           `json:"requests,omitempty"` // from the fault on
	Failed      *int           `json:"failed,omitempty"`
	Late        *int           `json:"failed_after_recovery,omitempty"`
	Effects     map[string]int `json:"effects_per_step,omitempty"`

	Readiness *failover.Readiness `json:"readiness,omitempty"` // of a plan that is not carried out

	miss     error
	plan     failover.Plan
	drill    *drill.Report
	timeline *failover.Timeline
}

func (r *report) measure(d *drill.Report, written int64) {
	r.drill, r.timeline, r.miss = d, d.Timeline, d.Err()
	r.Verdict, r.RTOMS, r.DetectionMS, r.CriticalMS = d.Verdict.String(), d.RTO.Milliseconds(), d.Detection.Milliseconds(), d.Critical.Milliseconds()
	r.RPOSeconds, r.Written, r.Lost, r.Requests, r.Failed, r.Late = new(d.RPO.Seconds()), &written, &d.LostWrites, &d.Requests, &d.Failed, &d.FailedAfterRecovery
}

// String is the report for people.
func (r *report) String() string {
	if r.Readiness != nil {
		return r.Readiness.String()
	}
	var b strings.Builder
	b.WriteByte('\n')
	line := func(what, format string, args ...any) {
		fmt.Fprintf(&b, "%-10s "+format+"\n", append([]any{what}, args...)...)
	}
	_, critical := r.plan.CriticalPath()
	if d := r.drill; d != nil {
		line("verdict", "%s", strings.ToUpper(d.Verdict.String()))
		for _, m := range d.Misses {
			line("  missed", "%s", m)
		}
		if d.Detection > 0 {
			line("detection", "%.1f s", d.Detection.Seconds())
		}
		line("RTO", "%.1f s without a writer; detection and critical path were forecast as %.1f s", d.RTO.Seconds(), (d.Detection + critical).Seconds())
		line("RPO", "%.1f s: of %d writes that were acknowledged %d are lost", *r.RPOSeconds, *r.Written, *r.Lost)
		line("requests", "%d from the fault on, of which %d failed, %d of them after the recovery", d.Requests, d.Failed, d.FailedAfterRecovery)
	} else {
		line("plan", "%.1f s; forecast as %.1f s", float64(r.RTOMS)/1000, critical.Seconds())
	}
	for _, step := range slices.Sorted(maps.Keys(r.Effects)) {
		line("effects", "%d of %s", r.Effects[step], step)
	}
	if len(r.Effects) == 0 {
		line("effects", "none: RDS did it by itself")
	}
	return b.String()
}

// page writes the report as a page: that of the drill, of the execution, or of the forecast.
func (r *report) page(name string) (err error) {
	file, err := os.Create(name)
	if err != nil {
		return &usageError{"-html:", err.Error()}
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	timeline := r.timeline
	switch {
	case r.drill != nil:
		return r.drill.WriteHTML(file)
	case r.Readiness != nil:
		timeline = r.Readiness.Forecast
	}
	return statuspage.WriteTimeline(file, timeline, func(o *statuspage.TimelineOptions) { o.Title, o.Plan = "A database fails over", &r.plan })
}

// effects counts the calls of each step that changed something, as the timeline has them. counts tells whether one did; nil counts what got an answer.
func effects(t *failover.Timeline, counts func(*failover.Call) bool) map[string]int {
	steps := map[string]int{}
	for _, ev := range t.Events() {
		if ev.Kind == failover.KindCall && !strings.HasPrefix(ev.Call.Operation, "Describe") && (counts == nil && ev.Err == nil || counts != nil && counts(ev.Call)) {
			steps[ev.Step]++
		}
	}
	return steps
}
