package selfhealth_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/healthcheck/selfhealth"
)

// TestDrain: /readyz turns at once and for good, /livez does not, and the wait is as long as asked.
func TestDrain(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		loop := newThing()
		h := newHealth(t, []selfhealth.Check{
			{Name: "loop", Kind: selfhealth.Live, Func: loop.check},
			{Name: "disk", Kind: selfhealth.Local, Func: loop.check},
		})
		run(t, h)
		start := time.Now()
		done := make(chan error, 2)
		go func() { done <- h.Drain(t.Context(), 90*time.Second) }()
		synctest.Wait()
		wantStatus(t, h, true, selfhealth.Draining)
		pass(30 * time.Second)
		if err := h.Drain(t.Context(), 0); err != nil || time.Since(start) != 30*time.Second {
			t.Errorf("a Drain that does not wait returned %v after %v", err, time.Since(start)-30*time.Second)
		}
		if err := <-done; err != nil || time.Since(start) != 90*time.Second {
			t.Errorf("Drain returned %v after %v, want nil after 90 s", err, time.Since(start))
		}
		h.Started()
		pass(time.Hour)
		wantStatus(t, h, true, selfhealth.Draining)
		loop.down.Store(true)
		pass(11 * time.Second)
		wantStatus(t, h, false, selfhealth.Draining)
	})
}

func TestDrainEndsWithContext(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHealth(t, nil)
		run(t, h)
		because := errors.New("a second signal")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(because) })
		start := time.Now()
		for range 20 {
			if err := h.Drain(ctx, -time.Second); err != nil {
				t.Fatalf("a Drain that does not wait returned %v", err)
			}
		}
		if err := h.Drain(ctx, time.Hour); !errors.Is(err, because) || time.Since(start) != time.Second {
			t.Errorf("Drain returned %v after %v, want the cause after 1 s", err, time.Since(start))
		}
		wantStatus(t, h, true, selfhealth.Draining)
		for range 20 {
			if err := h.Drain(ctx, 0); err != nil {
				t.Fatalf("a Drain that does not wait returned %v after the context had ended", err)
			}
		}
	})
}

// TestDrainTime: a load balancer whose checks begin at any time of its interval has seen enough failures by then.
func TestDrainTime(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		interval  time.Duration
		threshold int
	}{{30 * time.Second, 2}, {5 * time.Second, 2}, {10 * time.Second, 10}} {
		for tenths := range 10 {
			phase := tc.interval * time.Duration(tenths) / 10 // of the load balancer's checks
			synctest.Test(t, func(t *testing.T) {
				h := newHealth(t, nil)
				run(t, h)
				pass(phase)
				start := time.Now()
				var out time.Duration // when the load balancer has taken the target out
				go func() {
					time.Sleep(tc.interval - phase)
					for fails := 0; ; time.Sleep(tc.interval) {
						if answer(h.Readyz(), http.MethodGet, "/readyz").Code != http.StatusOK {
							fails++
						}
						if fails == tc.threshold {
							out = time.Since(start)
							return
						}
					}
				}()
				if err := h.Drain(t.Context(), selfhealth.DrainTime(tc.interval, tc.threshold)); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if out == 0 || time.Since(start)-out < tc.interval {
					t.Errorf("out after %v, and the wait was %v: no interval is left for the news", out, time.Since(start))
				}
			})
		}
	}
}
