package autoscalingsvc_test

import (
	"testing"
	"time"
)

func TestLaunches(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		ids := w.group("g", 0, 5, 3)
		w.wantShape("g", "InService a:2 b:1")
		if len(ids) != 3 {
			w.Errorf("%v", ids)
		}
		w.setDesired("g", 5)
		time.Sleep(time.Minute)
		w.wantShape("g", "InService a:3 b:2")
		w.setDesired("g", 0)
		time.Sleep(2 * time.Minute)
		w.wantShape("g", "")
		for _, a := range w.activities("g") {
			w.Log(*a.Description, "|", *a.Cause, "|", a.StatusCode, *a.Progress)
		}
	})
}
