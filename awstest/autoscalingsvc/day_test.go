package autoscalingsvc_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/awstest/autoscalingsvc"
)

// idle lets virtual time pass over a group of 100 instances that a load
// balancer checks, and returns how often they were asked.
func idle(t *testing.T, d time.Duration) int {
	t.Helper()
	var asked atomic.Int64
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(*autoscalingsvc.Options) {})
		defer w.close()
		tg := w.frontEvery("web", 30*time.Second)
		ids := w.group("g", 0, 100, 100, behind(tg), grace(600))
		w.serve(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }), ids...)
		time.Sleep(d)
		if got := w.inService("g"); !equal(got, ids) {
			w.Errorf("%d instances are in service, and not those that were", len(got))
		}
	})
	return int(asked.Load())
}

func TestIdleHour(t *testing.T) {
	t.Parallel()
	// The first checks are a minute before anybody answers.
	if n := idle(t, time.Hour); n != 100*120 {
		t.Errorf("%d checks in an hour at 30 s, want 12,000", n)
	}
}

// BenchmarkIdleDay lets a virtual day pass over a group of 100 instances whose
// load balancer checks them; it is to take less than five seconds. A bubble
// needs a *testing.T, so that the day runs as a test of its own.
func BenchmarkIdleDay(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		day := func(t *testing.T) {
			t.Helper()
			idle(t, 24*time.Hour)
		}
		if !testing.RunTests(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{{Name: "IdleDay", F: day}}) {
			b.Fatal("the day failed")
		}
	}
}
