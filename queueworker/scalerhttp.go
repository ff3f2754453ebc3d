package queueworker

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strings"
)

// ServeHTTP answers GET and HEAD with the hint: as JSON, or, if the path ends in "/metrics", in the text format of Prometheus.
// It answers 503 if there is no hint, without a value that could be taken for one, and writes the cause to the log alone, unless who asked
// has gone.
//
// The metrics-api scaler of KEDA reads the JSON: valueLocation "desired", targetValue "1". There is no authentication: mount it where
// only those that scale can reach it.
func (s *Scaler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	hint, err := s.Hint(r.Context())
	if err != nil {
		if r.Context().Err() == nil { // else who asked has gone
			s.opts.Logger.WarnContext(r.Context(), "queueworker: no hint for scaling", "queue", s.queueURL, "error", err)
		}
		http.Error(w, "no hint", http.StatusServiceUnavailable)
		return
	}
	if strings.HasSuffix(r.URL.Path, "/metrics") {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_, _ = w.Write(hint.prometheus(s.queueURL)) // who asked has gone
		return
	}
	body, err := json.Marshal(hint)
	if err != nil { // a number that JSON has no form for
		http.Error(w, "no hint", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(body, '\n'))
}

// prometheus writes the hint in the text format, with the name of the queue as label.
//
// Source: https://prometheus.io/docs/instrumenting/exposition_formats/ (read 2026-11)
func (h ScaleHint) prometheus(queueURL string) []byte {
	label := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(queueURL[strings.LastIndexByte(queueURL, '/')+1:])
	atRisk, lossIn := 0.0, math.NaN()
	if h.AtRisk {
		atRisk = 1
	}
	if h.OldestAge > 0 {
		lossIn = h.LossIn.Seconds()
	}
	var b []byte
	for _, m := range []struct {
		name, help string
		value      float64
	}{
		{"desired_instances", "Instances that the queue needs.", float64(h.Desired)},
		{"floor_instances", "Instances that are to stay since messages are in flight.", float64(h.Floor)},
		{"backlog_per_instance", "Visible messages by instance.", h.BacklogPerInstance},
		{"acceptable_backlog_per_instance", "Largest backlog by instance that keeps the target latency; NaN if not known.", orNaN(h.AcceptableBacklog)},
		{"expected_wait_seconds", "Wait of the last visible message.", h.ExpectedWait.Seconds()},
		{"oldest_message_age_seconds", "Age of the oldest message; NaN if not known.", orNaN(h.OldestAge.Seconds())},
		{"oldest_message_lost_in_seconds", "Time until the retention takes the oldest message; NaN if not known.", lossIn},
		{"data_at_risk", "1 if messages are about to be lost to the retention.", atRisk},
	} {
		b = fmt.Appendf(b, "# HELP queueworker_%s %s\n# TYPE queueworker_%[1]s gauge\nqueueworker_%[1]s{queue=\"%[3]s\"} %[4]v\n", m.name, m.help, label, m.value)
	}
	return b
}

// orNaN says of a zero that the value is not known.
func orNaN(x float64) float64 {
	if x == 0 {
		return math.NaN()
	}
	return x
}
