package main

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/awsha/awsha/failover"
)

// report is what was measured. What a run cannot measure is left out: on an
// emulator and on AWS there is no client and no outage.
type report struct {
	timeline *failover.Timeline

	DowntimeMS          *float64 `json:"downtime_ms,omitempty"`        // from the kill to the first good reply
	DetectionMS         *float64 `json:"detection_ms,omitempty"`       // from the kill to the start of the plan
	DetectionBoundMS    *float64 `json:"detection_bound_ms,omitempty"` // unhealthy threshold x interval + timeout + tick
	PlanMS              *float64 `json:"plan_ms,omitempty"`
	CriticalPathMS      *float64 `json:"critical_path_ms,omitempty"` // the plan's own estimate
	Requests            *int     `json:"requests,omitempty"`         // this and the next five: of the failover alone
	Failed              *int     `json:"failed,omitempty"`
	FailedAfterRecovery *int     `json:"failed_after_recovery,omitempty"`
	AssociateCalls      int      `json:"associate_calls"`
	DisassociateCalls   int      `json:"disassociate_calls"`
	DescribeCalls       int      `json:"describe_calls"` // of EC2
	FailbackMS          *float64 `json:"failback_ms,omitempty"`
	FailbackFailed      *int     `json:"failback_failed,omitempty"`
}

// ms is a duration in milliseconds, to the microsecond.
func ms(d time.Duration) *float64 {
	v := math.Round(float64(d)/float64(time.Millisecond)*1000) / 1000
	return &v
}

// String is the report for people.
func (r *report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s\n", r.timeline)
	line := func(what, format string, args ...any) {
		fmt.Fprintf(&b, "%-22s "+format+"\n", append([]any{what}, args...)...)
	}
	if r.DowntimeMS != nil {
		line("downtime", "%.0f ms", *r.DowntimeMS)
		line("detection", "%.0f ms, at most %.0f", *r.DetectionMS, *r.DetectionBoundMS)
	}
	if r.PlanMS != nil {
		line("plan", "%.0f ms, estimated %.0f", *r.PlanMS, *r.CriticalPathMS)
	}
	if r.Requests != nil {
		line("requests", "%d, of which %d failed, %d of them after the recovery", *r.Requests, *r.Failed, *r.FailedAfterRecovery)
	}
	line("calls to EC2", "%d associate, %d disassociate, %d describe", r.AssociateCalls, r.DisassociateCalls, r.DescribeCalls)
	if r.FailbackMS != nil {
		line("failback", "%.0f ms", *r.FailbackMS)
	}
	if r.FailbackFailed != nil {
		line("failed requests of it", "%d", *r.FailbackFailed)
	}
	return b.String()
}
