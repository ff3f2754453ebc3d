package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/drill"
	"github.com/awsha/awsha/failover/statuspage"
)

// report is what was measured. What a run cannot measure is left out: on an emulator and on AWS nobody breaks anything, and nobody asks.
type report struct {
	Verdict     string `json:"verdict,omitempty"`
	RTOMS       int64  `json:"rto_ms"` // from the fault to the first good answer of those that go on; of the plan alone, if there is no fault
	DetectionMS int64  `json:"detection_ms,omitempty"`
	BoundMS     int64  `json:"detection_bound_ms,omitempty"`
	CriticalMS  int64  `json:"critical_path_ms"` // of the plan, as it was forecast

	RPOSeconds   *float64 `json:"rpo_seconds,omitempty"`
	WritesLost   *int     `json:"writes_lost,omitempty"`   // of the ledger
	MessagesLost *int     `json:"messages_lost,omitempty"` // orders that were accepted and not done

	Requests            *int   `json:"requests,omitempty"` // from the fault on
	Failed              *int   `json:"failed,omitempty"`
	FailedAfterRecovery *int   `json:"failed_after_recovery,omitempty"`
	CustomersRTOMS      *int64 `json:"customers_rto_ms,omitempty"` // the longest of theirs

	Effects map[string]int `json:"effects_per_step,omitempty"` // calls that changed something

	Readiness *failover.Readiness `json:"readiness,omitempty"` // of a plan that is not carried out

	miss     error
	plan     failover.Plan
	drill    *drill.Report
	timeline *failover.Timeline
}

// verdict is why the exit status is not 0.
func (r *report) verdict() error { return r.miss }

// measure takes over what a drill has measured.
func (r *report) measure(d *drill.Report, bound time.Duration) {
	r.drill, r.timeline, r.miss = d, d.Timeline, d.Err()
	r.Verdict, r.RTOMS, r.DetectionMS, r.BoundMS, r.CriticalMS = d.Verdict.String(), d.RTO.Milliseconds(), d.Detection.Milliseconds(), bound.Milliseconds(), d.Critical.Milliseconds()
	r.RPOSeconds, r.WritesLost, r.Requests, r.Failed, r.FailedAfterRecovery = new(d.RPO.Seconds()), &d.LostWrites, &d.Requests, &d.Failed, &d.FailedAfterRecovery
	r.CustomersRTOMS = new(int64)
	for _, p := range d.Probes {
		if p.Name != roleBook {
			*r.CustomersRTOMS = max(*r.CustomersRTOMS, p.RTO.Milliseconds())
		}
	}
}

// String is the report for people.
func (r *report) String() string {
	if r.Readiness != nil {
		return r.Readiness.String()
	}
	var b strings.Builder
	b.WriteByte('\n')
	line := func(what, format string, args ...any) {
		fmt.Fprintf(&b, "%-14s "+format+"\n", append([]any{what}, args...)...)
	}
	path, critical := r.plan.CriticalPath()
	forecast := fmt.Sprintf("%.1f s, %s", critical.Seconds(), strings.Join(path, ", "))
	if d := r.drill; d != nil {
		line("verdict", "%s", strings.ToUpper(d.Verdict.String()))
		for _, m := range d.Misses {
			line("  missed", "%s", m)
		}
		line("detection", "%.1f s, of at most %.1f", d.Detection.Seconds(), float64(r.BoundMS)/1000)
		line("plan", "%.1f s; its critical path was forecast as %s", d.Plan.Seconds(), forecast)
		line("RTO", "%.1f s, as the ledger's client saw it; %.1f s of the customers", d.RTO.Seconds(), float64(*r.CustomersRTOMS)/1000)
		line("  forecast", "%.1f s: detection and critical path; it took %.1f %% longer", (d.Detection + critical).Seconds(), 100*(d.RTO.Seconds()/(d.Detection+critical).Seconds()-1))
		line("RPO", "%.1f s: %d writes to the ledger are lost, and %d orders", *r.RPOSeconds, *r.WritesLost, *r.MessagesLost)
		line("requests", "%d from the fault on, of which %d failed, %d of them after the recovery", d.Requests, d.Failed, d.FailedAfterRecovery)
	} else {
		line("plan", "%.1f s; its critical path was forecast as %s", float64(r.RTOMS)/1000, forecast)
	}
	b.WriteString("effects\n")
	for _, step := range slices.Sorted(maps.Keys(r.Effects)) {
		line("", "%d of %s", r.Effects[step], step)
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
	switch {
	case r.drill != nil:
		return r.drill.WriteHTML(file)
	case r.Readiness != nil:
		tone := map[failover.Level]statuspage.Tone{failover.LevelPass: statuspage.Good, failover.LevelWarn: statuspage.Warn, failover.LevelFail: statuspage.Bad}
		return statuspage.WriteTimeline(file, r.Readiness.Forecast, func(o *statuspage.TimelineOptions) {
			o.Title, o.Plan = "Forecast: "+r.plan.Service+" leaves a zone", &r.plan
			o.Lines = []statuspage.Line{{What: "Readiness", Is: r.Readiness.Level.String(), Tone: tone[r.Readiness.Level]}}
		})
	default:
		return statuspage.WriteTimeline(file, r.timeline, func(o *statuspage.TimelineOptions) { o.Title, o.Plan = r.plan.Service+" leaves a zone", &r.plan })
	}
}

// effects counts the calls of each step that changed something, as the timeline has them. counts tells whether one did; nil counts what got an answer.
func effects(t *failover.Timeline, counts func(*failover.Call) bool) map[string]int {
	steps := map[string]int{}
	for _, ev := range t.Events() {
		if ev.Kind != failover.KindCall || !changes(ev.Call.Operation) {
			continue
		}
		if counts == nil && ev.Err == nil || counts != nil && counts(ev.Call) {
			steps[ev.Step]++
		}
	}
	return steps
}

// changes tells whether an operation changes something.
func changes(operation string) bool {
	for _, reads := range []string{"Describe", "Get", "List"} {
		if strings.HasPrefix(operation, reads) {
			return false
		}
	}
	return true
}
