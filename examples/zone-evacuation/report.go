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
	Verdict      string         `json:"verdict,omitempty"`
	RTOMS        float64        `json:"rto_ms"` // from the fault to the first good answer of those that go on; without a fault, of the plan
	DetectionMS  float64        `json:"detection_ms,omitempty"`
	BoundMS      float64        `json:"detection_bound_ms,omitempty"`
	CriticalMS   float64        `json:"critical_path_ms"` // of the plan, as it was forecast
	RPOSeconds   float64        `json:"rpo_seconds"`
	WritesLost   int            `json:"writes_lost"`
	Requests     int            `json:"requests,omitempty"`
	Failed       int            `json:"failed,omitempty"`
	Late         int            `json:"failed_after_recovery"`
	WebRTOMS     float64        `json:"customers_rto_ms,omitempty"` // the longest of the customers'
	MessagesLost int            `json:"messages_lost"`
	Effects      map[string]int `json:"effects_per_step"`

	drill *drill.Report
	plan  *failover.Plan
}

func (r *report) measure(m *memory) {
	d := r.drill
	r.Verdict, r.RTOMS, r.DetectionMS, r.BoundMS, r.CriticalMS = d.Verdict.String(), ms(d.RTO), ms(d.Detection), ms(m.watch.DetectionBound()), ms(d.Critical)
	r.RPOSeconds, r.WritesLost, r.Requests, r.Failed, r.Late = d.RPO.Seconds(), d.LostWrites, d.Requests, d.Failed, d.FailedAfterRecovery
	for _, p := range d.Probes {
		if p.Name != roleBook {
			r.WebRTOMS = max(r.WebRTOMS, ms(p.RTO))
		}
	}
	r.Effects = m.effects(d.Timeline)
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// String is the report for people.
func (r *report) String() string {
	var b strings.Builder
	b.WriteByte('\n')
	if r.drill != nil {
		b.WriteString(r.drill.String())
	}
	line := func(what, format string, args ...any) {
		fmt.Fprintf(&b, "%-18s "+format+"\n", append([]any{what}, args...)...)
	}
	line("orders lost", "%d", r.MessagesLost)
	for _, step := range slices.Sorted(maps.Keys(r.Effects)) {
		line("  "+step, "%d effect", r.Effects[step])
	}
	return b.String()
}

// page writes the report as a page.
func (r *report) page(name string) (err error) {
	file, err := os.Create(name)
	if err != nil {
		return &usageError{"-html:", err.Error()}
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return r.drill.WriteHTML(file)
}

var _ = statuspage.Good
