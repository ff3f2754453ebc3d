package drill_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/failover/drill"
)

// drilled is the report of a drill with everything in it, that missed a target.
func (w *world) drilled(optFns ...func(*drill.Options)) *drill.Report {
	w.Helper()
	r, back := w.byHand(), w.plan(w.primary, 0)
	r.Failback = &back
	report, err := w.drill(w.Context(), w.injector, r, []drill.Probe{w.probe(), w.data()}, append([]func(*drill.Options){func(o *drill.Options) {
		o.ID, o.Targets = "monday", drill.Targets{RTO: time.Second, Detection: time.Minute, RPO: new(time.Hour), MaxLostWrites: new(1000), MaxFailed: new(0)}
	}}, optFns...)...)
	w.must(err)
	return report
}

func TestReportAsJSONHasStableNames(t *testing.T) {
	bubble(t, func(w *world) {
		raw, err := json.Marshal(w.drilled())
		w.must(err)
		var doc map[string]any
		w.must(json.Unmarshal(raw, &doc))
		want := strings.Fields(`began critical_path critical_path_ms detected detection_ms drill ended failback failback_failed failed failed_after_recovery fault
			fault_ended incident injected lost_writes misses plan_ended plan_ms probes readiness recovered requests rpo_seconds rto_ms service struck targets timeline
			verdict version`)
		if diff := cmp.Diff(want, slices.Sorted(maps.Keys(doc))); diff != "" {
			t.Errorf("names (-want +got):\n%s", diff)
		}
		probe := doc["probes"].([]any)[1].(map[string]any)
		want = strings.Fields(`bound_ms downtime_ms downtimes failback_downtime_ms failback_failed failed failed_after_recovery first_failure interval_ms last_error
			last_failure loss p50_ms p99_ms probe recovered recovered_at requests rto_ms rto_target_ms timeout_ms`)
		if diff := cmp.Diff(want, slices.Sorted(maps.Keys(probe))); diff != "" {
			t.Errorf("names of a probe (-want +got):\n%s", diff)
		}
		miss := doc["misses"].([]any)[0].(map[string]any)
		if doc["verdict"] != "fail" || doc["drill"] != "monday" || miss["target"] != "rto" || miss["probe"] != "client" || doc["rto_ms"].(float64) < 42400 {
			t.Errorf("%s", raw)
		}
	})
}

// What was not measured is left out.
func TestReportOfADrillThatDidNotBegin(t *testing.T) {
	bubble(t, func(w *world) {
		p := w.probe()
		p.Client = drill.TCP(drill.TCPSpec{Address: w.ip + ":81", Dial: w.cloud.Dial})
		report, err := w.drill(w.Context(), w.injector, w.byHand(), []drill.Probe{p})
		if !errors.Is(err, drill.ErrNotSteady) {
			t.Fatal(err)
		}
		raw, err := json.Marshal(report)
		w.must(err)
		for _, name := range []string{`"rto_ms":`, `"detection_ms"`, `"plan_ms"`, `"rpo_seconds"`, `"struck"`} {
			if head, _, _ := strings.Cut(string(raw), `"probes"`); strings.Contains(head, name) {
				t.Errorf("%s in %s", name, head)
			}
		}
		if text := report.String(); !strings.HasPrefix(text, "NO VERDICT  drill-orders-2000") || strings.Contains(text, "RTO  ") && strings.Contains(text, "MISSED") {
			t.Errorf("%s", text)
		}
	})
}

func TestReportAsPage(t *testing.T) {
	bubble(t, func(w *world) {
		report := w.drilled(func(o *drill.Options) { o.ID = "<b>monday\u202e" })
		var page bytes.Buffer
		w.must(report.WriteHTML(&page))
		for _, want := range []string{
			`<h1><bdi>orders: drill &lt;b&gt;monday\u202e</bdi></h1>`, `<dd class="bad"><bdi>fail</bdi></dd>`, "rto of client: 4", "wanted at most 1s", "probe client",
			"no answer: client", "promote, remap", "power loss of use1-az2", "verdict: fail", `<dd class="bad"><bdi>4`,
		} {
			if !strings.Contains(page.String(), want) {
				t.Errorf("no %q in\n%s", want, &page)
			}
		}
		d := xml.NewDecoder(strings.NewReader(strings.TrimPrefix(page.String(), "<!DOCTYPE html>\n")))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if text := report.String(); strings.ContainsRune(text, '\u202e') || !strings.HasPrefix(text, `FAIL  <b>monday\u202e of orders: power loss of use1-az2`+"\n\nMISSED  rto of client: 4") {
			t.Errorf("%s", text)
		}
	})
}

func TestVerdictsAsText(t *testing.T) {
	t.Parallel()
	if got := drill.NoVerdict.String() + drill.Pass.String() + drill.Fail.String() + drill.Verdict(9).String(); got != "no verdictpassfailVerdict(9)" {
		t.Errorf("%q", got)
	}
}
