package selfhealth_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/healthcheck/selfhealth"
)

// TestReloadWithOtherLimits: a reload that changes the limits of a check changes no verdict before the new Func has spoken.
func TestReloadWithOtherLimits(t *testing.T) {
	t.Parallel()
	const hour, second = time.Hour, time.Second
	for name, tc := range map[string]struct {
		older, newer selfhealth.Check
		fails, hangs bool          // the older, after its first call
		after        time.Duration // the reload
		want         selfhealth.Status
	}{
		"what was in date for the old is not stale for the new": {
			older: selfhealth.Check{Interval: hour}, newer: selfhealth.Check{Interval: second, Timeout: 10 * second},
			after: 30 * time.Minute, want: selfhealth.OK,
		},
		"failures that were too few are not enough": {
			older: selfhealth.Check{FailureThreshold: 3}, fails: true, after: 15 * second, want: selfhealth.OK,
		},
		"failures that were enough are not too few": {
			newer: selfhealth.Check{FailureThreshold: 3}, fails: true, after: 15 * second, want: selfhealth.Failing,
		},
		"a call in time is not overdue": {
			older: selfhealth.Check{Timeout: 8 * second}, newer: selfhealth.Check{Timeout: 2 * second},
			hangs: true, after: 16 * second, want: selfhealth.OK,
		},
		"a call that hung is not forgotten when it ends": {hangs: true, after: 15 * second, want: selfhealth.Failing},
		"what was stale stays so": {
			older: selfhealth.Check{Timeout: 5 * second, MaxAge: 15 * second, FailureThreshold: 9},
			newer: selfhealth.Check{MaxAge: hour},
			hangs: true, after: 19 * second, want: selfhealth.Failing,
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				older, newer := newThing(), newThing()
				tc.older.Name, tc.older.Kind, tc.older.Func = "db", selfhealth.Local, older.check
				tc.newer.Name, tc.newer.Kind, tc.newer.Func = "db", selfhealth.Local, newer.check
				newer.hangs.Store(true)
				h := newHealth(t, []selfhealth.Check{tc.older})
				run(t, h)
				older.down.Store(tc.fails)
				older.hangs.Store(tc.hangs)
				pass(tc.after)
				wantStatus(t, h, true, tc.want)
				if _, err := h.Register(tc.newer); err != nil {
					t.Fatal(err)
				}
				wantStatus(t, h, true, tc.want)
				close(older.free)
				synctest.Wait()
				wantStatus(t, h, true, tc.want)
				pass(second)
				wantStatus(t, h, true, tc.want)
				close(newer.free)
				synctest.Wait()
				wantStatus(t, h, true, selfhealth.OK)
			})
		})
	}
}

// TestReloadsHideNothing: a check that never answers does not look well because it is registered again and again.
func TestReloadsHideNothing(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		db := newThing()
		check := selfhealth.Check{Name: "db", Kind: selfhealth.Local, Func: db.check}
		h := newHealth(t, []selfhealth.Check{check})
		run(t, h)
		db.hangs.Store(true)
		defer close(db.free)
		for range 60 {
			pass(time.Second)
			if _, err := h.Register(check); err != nil {
				t.Fatal(err)
			}
		}
		wantStatus(t, h, true, selfhealth.Failing)
	})
}

// TestReloadCountsFromNow: what the new check allows counts from the reload, however much the old one allowed.
func TestReloadCountsFromNow(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		db := newThing()
		check := selfhealth.Check{Name: "db", Kind: selfhealth.Local, Func: db.check, Interval: time.Hour}
		h := newHealth(t, []selfhealth.Check{check})
		run(t, h)
		pass(30 * time.Minute)
		db.hangs.Store(true)
		defer close(db.free)
		check.Interval, check.Timeout, check.MaxAge, check.FailureThreshold = time.Second, 5*time.Second, 20*time.Second, 1000
		if _, err := h.Register(check); err != nil {
			t.Fatal(err)
		}
		pass(20 * time.Second)
		wantStatus(t, h, true, selfhealth.OK)
		pass(time.Millisecond)
		wantStatus(t, h, true, selfhealth.Failing)
	})
}
