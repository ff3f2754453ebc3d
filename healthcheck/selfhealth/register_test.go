package selfhealth_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/healthcheck/selfhealth"
)

// TestReload: a component that is reloaded takes its name over, in whatever order its ends and beginnings come. Nothing of
// the old one stays behind and keeps the process red (mycel#88).
func TestReload(t *testing.T) {
	t.Parallel()
	for name, oldFirst := range map[string]bool{"the old one leaves first": true, "the new one comes first": false} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				h := newHealth(t, nil)
				run(t, h)
				older, newer := newThing(), newThing()
				older.down.Store(true)
				removeOld, err := h.Register(selfhealth.Check{Name: "db", Kind: selfhealth.Local, Func: older.check})
				if err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				wantStatus(t, h, true, selfhealth.Failing)

				if oldFirst {
					removeOld()
					wantStatus(t, h, true, selfhealth.OK)
				}
				removeNew, err := h.Register(selfhealth.Check{Name: "db", Kind: selfhealth.Local, Func: newer.check})
				if err != nil {
					t.Fatal(err)
				}
				removeOld()
				synctest.Wait()
				wantStatus(t, h, true, selfhealth.OK)
				calls := older.calls.Load()
				pass(time.Hour)
				if n := older.calls.Load(); n != calls {
					t.Errorf("the old check was called %d times after the reload", n-calls)
				}
				if n := newer.calls.Load(); n < 300 {
					t.Errorf("the new check was called %d times in an hour", n)
				}

				removeNew()
				removeNew()
				if got := h.Report().Checks; len(got) != 0 {
					t.Errorf("checks are left: %+v", got)
				}
			})
		})
	}
}

// TestReloadKeepsState: taking a name over is no gap in what is known: a process that is ready stays so.
func TestReloadKeepsState(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		db, next := newThing(), newThing()
		h := newHealth(t, []selfhealth.Check{{Name: "db", Kind: selfhealth.Hard, Func: db.check}})
		run(t, h)
		next.hangs.Store(true)
		if _, err := h.Register(selfhealth.Check{Name: "db", Kind: selfhealth.Hard, Func: next.check}); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		wantStatus(t, h, true, selfhealth.OK)
		next.down.Store(true)
		close(next.free)
		synctest.Wait()
		wantStatus(t, h, true, selfhealth.Failing)
	})
}

// TestReloadCallsOff: the call that runs is called off, and what it says counts for nothing.
func TestReloadCallsOff(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var cause error
		h := newHealth(t, []selfhealth.Check{{Name: "db", Kind: selfhealth.Local, Func: func(ctx context.Context) error {
			<-ctx.Done()
			cause = ctx.Err()
			return errDown
		}}})
		run(t, h)
		good := newThing()
		if _, err := h.Register(selfhealth.Check{Name: "db", Kind: selfhealth.Local, Func: good.check}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if !errors.Is(cause, context.Canceled) {
			t.Errorf("the old call ended by %v, want that it was called off", cause)
		}
		wantStatus(t, h, true, selfhealth.OK)
	})
}

// TestRemoveHanging: the name of a check that hangs can be given again, and its Func is not run beside the old one.
func TestRemoveHanging(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHealth(t, nil)
		run(t, h)
		db := newThing()
		db.hangs.Store(true)
		remove, err := h.Register(selfhealth.Check{Name: "db", Kind: selfhealth.Local, Func: db.check})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		remove()
		wantStatus(t, h, true, selfhealth.OK)
		// Another kind, which the name may have now that nobody has it.
		if _, err := h.Register(selfhealth.Check{Name: "db", Kind: selfhealth.Soft, Func: db.check}); err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		wantStatus(t, h, true, selfhealth.Degraded)
		db.hangs.Store(false)
		close(db.free)
		pass(time.Minute)
		wantStatus(t, h, true, selfhealth.OK)
		if n := db.most.Load(); n != 1 {
			t.Errorf("%d calls at once, want 1", n)
		}
	})
}

func TestRegisterMistakes(t *testing.T) {
	t.Parallel()
	h := newHealth(t, []selfhealth.Check{{Name: "db", Kind: selfhealth.Soft, Func: newThing().check}})
	ok := newThing().check
	remove, err := h.Register(
		selfhealth.Check{Name: "fine", Kind: selfhealth.Live, Func: ok},
		selfhealth.Check{},
		selfhealth.Check{Name: "fine", Kind: 9, Func: ok},
		selfhealth.Check{Name: strings.Repeat("n", 129), Kind: selfhealth.Live, Func: ok, Interval: -1, Timeout: -1, MaxAge: -3},
		selfhealth.Check{Name: "late", Kind: selfhealth.Live, Func: ok, MaxAge: 12*time.Second - 1, FailureThreshold: 1001},
		selfhealth.Check{Name: "db", Kind: selfhealth.Hard, Func: ok},
	)
	if remove != nil {
		t.Error("there is something to remove")
	}
	var got []string
	for _, err := range err.(interface{ Unwrap() []error }).Unwrap() {
		var field *selfhealth.FieldError
		if !errors.As(err, &field) {
			t.Fatalf("%v is no *FieldError", err)
		}
		got = append(got, strings.Replace(err.Error(), strings.Repeat("n", 129), "nnn…", 1))
	}
	want := []string{
		`selfhealth: Check[1].Name: "" must have 1 to 128 bytes`,
		`selfhealth: Check[1].Kind: 0 must be Live, Local, Soft, Hard or Guard`,
		`selfhealth: Check[1].Func: "nil" must not be nil`,
		`selfhealth: Check[2].Name: "fine" is that of Check[0] too`,
		`selfhealth: Check[2].Kind: 9 must be Live, Local, Soft, Hard or Guard`,
		`selfhealth: Check[3].Name: "nnn…" must have 1 to 128 bytes`,
		`selfhealth: Check[3].Interval: -1ns must be from 1ms to 24h0m0s`,
		`selfhealth: Check[3].Timeout: -1ns must be from 1ms to 24h0m0s`,
		`selfhealth: Check[3].MaxAge: -3ns must be at least Interval + Timeout (-2ns)`,
		`selfhealth: Check[4].MaxAge: 11.999999999s must be at least Interval + Timeout (12s)`,
		`selfhealth: Check[4].FailureThreshold: 1001 must be from 1 to 1000`,
		`selfhealth: Check[5].Kind: "hard" must be soft, as which "db" is registered`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("mistakes (-want +got):\n%s", diff)
	}
	if checks := h.Report().Checks; len(checks) != 1 || checks[0].Kind != selfhealth.Soft {
		t.Errorf("registered are %+v, want only what was before", checks)
	}
}

// TestUnitsForgotten: Interval: 10 is ten nanoseconds, and a check that never rests.
func TestUnitsForgotten(t *testing.T) {
	t.Parallel()
	h := newHealth(t, nil)
	_, err := h.Register(selfhealth.Check{Name: "db", Kind: selfhealth.Soft, Func: newThing().check, Interval: 10, Timeout: 2})
	if err == nil || !strings.Contains(err.Error(), "Interval: 10ns must be from 1ms") ||
		!strings.Contains(err.Error(), "Timeout: 2ns must be from 1ms") {
		t.Errorf("got %v", err)
	}
}
