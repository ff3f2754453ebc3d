package drill

import (
	"encoding/json"
	"time"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/internal/htmlpage"
)

// MarshalJSON returns the report, with the timeline. Durations are milliseconds, but for rpo_seconds; what was not measured is left out.
// Names stay as they are within a version.
func (r *Report) MarshalJSON() ([]byte, error) {
	type interval struct {
		From time.Time `json:"from"`
		To   time.Time `json:"to,omitzero"`
	}
	type loss struct {
		Writes     int     `json:"writes"`
		RPOSeconds float64 `json:"rpo_seconds"`
		Unverified int     `json:"unverified"`
	}
	type probe struct {
		Name         string     `json:"probe"`
		IntervalMS   float64    `json:"interval_ms"`
		TimeoutMS    float64    `json:"timeout_ms"`
		BoundMS      float64    `json:"bound_ms"`
		TargetMS     float64    `json:"rto_target_ms,omitempty"`
		Requests     int        `json:"requests"`
		Failed       int        `json:"failed"`
		After        int        `json:"failed_after_recovery"`
		FirstFailure time.Time  `json:"first_failure,omitzero"`
		LastFailure  time.Time  `json:"last_failure,omitzero"`
		LastError    string     `json:"last_error,omitempty"`
		Downtimes    []interval `json:"downtimes,omitempty"`
		DowntimeMS   float64    `json:"downtime_ms"`
		RTOMS        float64    `json:"rto_ms"`
		Recovered    bool       `json:"recovered"`
		RecoveredAt  time.Time  `json:"recovered_at,omitzero"`
		BackFailed   int        `json:"failback_failed"`
		BackMS       float64    `json:"failback_downtime_ms"`
		P50MS        float64    `json:"p50_ms"`
		P99MS        float64    `json:"p99_ms"`
		Loss         *loss      `json:"loss,omitempty"`
	}
	type targets struct {
		RTOMS         float64  `json:"rto_ms,omitempty"`
		DetectionMS   float64  `json:"detection_ms,omitempty"`
		RPOSeconds    *float64 `json:"rpo_seconds,omitempty"`
		MaxLostWrites *int     `json:"lost_writes,omitempty"`
		MaxFailed     *int     `json:"failed,omitempty"`
	}
	doc := struct {
		Version      int                 `json:"version"`
		ID           string              `json:"drill"`
		Service      string              `json:"service"`
		Fault        Fault               `json:"fault"`
		Incident     string              `json:"incident,omitempty"`
		Verdict      Verdict             `json:"verdict"`
		Misses       []Miss              `json:"misses"`
		Targets      targets             `json:"targets"`
		Began        time.Time           `json:"began"`
		Injected     time.Time           `json:"injected,omitzero"`
		Struck       time.Time           `json:"struck,omitzero"`
		Detected     time.Time           `json:"detected,omitzero"`
		PlanEnded    time.Time           `json:"plan_ended,omitzero"`
		Recovered    time.Time           `json:"recovered,omitzero"`
		FaultEnded   time.Time           `json:"fault_ended,omitzero"`
		Failback     time.Time           `json:"failback,omitzero"`
		Ended        time.Time           `json:"ended,omitzero"`
		DetectionMS  *float64            `json:"detection_ms,omitempty"`
		RTOMS        *float64            `json:"rto_ms,omitempty"`
		RTOOpen      bool                `json:"rto_open,omitempty"`
		PlanMS       *float64            `json:"plan_ms,omitempty"`
		CriticalMS   float64             `json:"critical_path_ms"`
		CriticalPath []string            `json:"critical_path"`
		RPOSeconds   *float64            `json:"rpo_seconds,omitempty"`
		LostWrites   *int                `json:"lost_writes,omitempty"`
		Requests     int                 `json:"requests"`
		Failed       int                 `json:"failed"`
		After        int                 `json:"failed_after_recovery"`
		BackFailed   *int                `json:"failback_failed,omitempty"`
		Probes       []probe             `json:"probes"`
		Readiness    *failover.Readiness `json:"readiness,omitempty"`
		Timeline     *failover.Timeline  `json:"timeline"`
	}{
		Version: 1, ID: r.ID, Service: r.Service, Fault: r.Fault, Incident: r.Incident, Verdict: r.Verdict, Misses: append([]Miss{}, r.Misses...),
		Targets: targets{
			RTOMS: milliseconds(r.Targets.RTO), DetectionMS: milliseconds(r.Targets.Detection), MaxLostWrites: r.Targets.MaxLostWrites, MaxFailed: r.Targets.MaxFailed,
		},
		Began: r.Began.UTC(), Injected: r.Injected.UTC(), Struck: r.Struck.UTC(), Detected: r.Detected.UTC(), PlanEnded: r.PlanEnded.UTC(),
		Recovered: r.Recovered.UTC(), FaultEnded: r.FaultEnded.UTC(), Failback: r.Failback.UTC(), Ended: r.Ended.UTC(),
		CriticalMS: milliseconds(r.Critical), CriticalPath: r.CriticalPath, RTOOpen: r.RTOOpen, Requests: r.Requests, Failed: r.Failed, After: r.FailedAfterRecovery,
		Probes: []probe{}, Readiness: r.Readiness, Timeline: r.Timeline,
	}
	if t := r.Targets.RPO; t != nil {
		doc.Targets.RPOSeconds = new(t.Seconds())
	}
	if !r.Struck.IsZero() {
		doc.RTOMS = new(milliseconds(r.RTO))
	}
	if !r.Detected.IsZero() {
		doc.DetectionMS = new(milliseconds(r.Detection))
	}
	if !r.PlanEnded.IsZero() {
		doc.PlanMS = new(milliseconds(r.Plan))
	}
	if r.RPOKnown {
		doc.RPOSeconds, doc.LostWrites = new(r.RPO.Seconds()), new(r.LostWrites)
	}
	if !r.Failback.IsZero() {
		doc.BackFailed = new(r.FailbackFailed)
	}
	for i := range r.Probes {
		p := &r.Probes[i]
		one := probe{
			Name: p.Name, IntervalMS: milliseconds(p.Interval), TimeoutMS: milliseconds(p.Timeout), BoundMS: milliseconds(p.Bound), TargetMS: milliseconds(p.Target),
			Requests: p.Requests, Failed: p.Failed, After: p.FailedAfterRecovery, FirstFailure: p.FirstFailure.UTC(), LastFailure: p.LastFailure.UTC(),
			LastError: htmlpage.ErrorText(p.LastError), DowntimeMS: milliseconds(p.Downtime), RTOMS: milliseconds(p.RTO), Recovered: p.Recovered,
			RecoveredAt: p.RecoveredAt.UTC(), BackFailed: p.FailbackFailed, BackMS: milliseconds(p.FailbackDowntime),
			P50MS: milliseconds(p.P50), P99MS: milliseconds(p.P99),
		}
		for _, d := range p.Downtimes {
			one.Downtimes = append(one.Downtimes, interval{d.From.UTC(), d.To.UTC()})
		}
		if p.Loss != nil {
			one.Loss = &loss{p.Loss.Writes, p.Loss.Span.Seconds(), p.Loss.Unverified}
		}
		doc.Probes = append(doc.Probes, one)
	}
	return json.Marshal(doc)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
