package elbv2svc_test

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
)

// idle lets virtual time pass with 100 checked targets and returns how often
// they were asked.
func idle(t *testing.T, d time.Duration) int {
	t.Helper()
	var asked atomic.Int64
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		group, _ := w.front(func(in *elbv2.CreateTargetGroupInput) {
			in.HealthCheckIntervalSeconds, in.HealthCheckTimeoutSeconds = nil, nil
		})
		web := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) })
		var ids []string
		for n := range 100 {
			ids = append(ids, w.machine(n%2, fmt.Sprintf("172.31.%d.%d", 16*(n%2), 10+n), web).ID())
		}
		w.register(group, ids...)
		time.Sleep(d)
		w.expect(group, ids[99], isHealthy)
	})
	return int(asked.Load())
}

func TestIdleHourOfChecks(t *testing.T) {
	t.Parallel()
	if checks := idle(t, time.Hour); checks != 100*120 {
		t.Errorf("%d checks in an hour at 30 s, want 12,000", checks)
	}
}

// BenchmarkIdleDay lets a virtual day pass with 100 checked targets; it is to
// take less than two seconds. A bubble needs a *testing.T, so that the day
// runs as a test of its own.
func BenchmarkIdleDay(b *testing.B) {
	b.ReportAllocs()
	checks := 0
	for b.Loop() {
		day := func(t *testing.T) {
			t.Helper()
			checks += idle(t, 24*time.Hour)
		}
		if !testing.RunTests(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{{Name: "IdleDay", F: day}}) {
			b.Fatal("the day failed")
		}
	}
	b.ReportMetric(float64(checks)/b.Elapsed().Seconds(), "checks/s")
}
