package drill_test

import (
	"testing"
	"time"

	"github.com/awsha/awsha/failover/drill"
)

func TestAPassingDrillMeasures(t *testing.T) {
	bubble(t, func(w *world) {
		back := w.plan(w.primary, 0)
		r := w.byHand()
		r.Failback, r.HomeReady = &back, after(20*time.Second)
		report, err := w.drill(w.Context(), w.injector, r, []drill.Probe{w.probe()}, func(o *drill.Options) {
			o.Targets = drill.Targets{RTO: time.Minute, Detection: detect, MaxFailed: new(200)}
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Log(report)
	})
}
