package snapshot_test

import (
	"testing"
	"time"

	"github.com/awsha/awsha/snapshot"
)

// everyOther is a schedule of somebody else's.
type everyOther struct{ end time.Time }

func (s everyOther) Next(t time.Time) time.Time {
	if next := t.Truncate(2 * time.Hour).Add(2 * time.Hour); next.Before(s.end) {
		return next
	}
	return time.Time{}
}

func TestSchedulesOfOthersAreFollowedToTheirEnd(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		p := of(w.volume())
		p.Schedule.Custom = everyOther{end: time.Now().Add(9 * time.Hour)}
		w.runFor(24*time.Hour, w.manager(), p)
		if n := w.calls("CreateSnapshot"); n != 4 {
			t.Errorf("%d taken", n)
		}
	})
}

// Clocks are put forward in the night of 12 March 2000's zone, and back in October: each day has one slot.
func TestASlotADayWhereClocksChange(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		p := of(w.volume())
		p.Schedule = snapshot.Schedule{Cron: "30 2 * * *", Location: zone(t, "America/New_York")}
		p.Retain.Last = 1
		w.runFor(366*24*time.Hour, w.manager(), p)
		days := map[string]int{}
		for _, e := range w.told(snapshot.SlotTaken) {
			days[e.Slot.In(zone(t, "America/New_York")).Format(time.DateOnly)]++
		}
		for day, n := range days {
			if n != 1 {
				t.Errorf("%d on %s", n, day)
			}
		}
		if len(days) != 366 {
			t.Errorf("%d days", len(days))
		}
	})
}

// Slots of an interval do not depend on when the program began.
func TestIntervalsAreThoseOfTheClock(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		time.Sleep(17*time.Minute + 3*time.Second)
		p := of(w.volume())
		p.Schedule.Every = 45 * time.Minute
		w.runFor(10*time.Hour, w.manager(), p)
		for _, e := range w.told(snapshot.SlotTaken) {
			if e.Slot.Unix()%(45*60) != 0 {
				t.Errorf("slot %v", e.Slot)
			}
		}
	})
}

// Points that come faster than copies of them can be made are told.
func TestCopiesThatCannotKeepUpAreTold(t *testing.T) {
	t.Parallel()
	for slots, want := range map[int]int{1: 1, 20: 0} {
		inWorld(t, func(w *world) {
			var volumes []string
			for range 10 {
				volumes = append(volumes, w.volume())
			}
			p := copied(of(volumes...))
			m := w.manager(func(o *snapshot.Options) { o.CopySlots = slots })
			w.taken(m, p, 2)
			if _, err := m.Copy(w.Context(), p); err != nil {
				t.Fatal(err)
			}
			if n := len(w.told(snapshot.CannotKeepUp)); n != want {
				t.Errorf("%d slots: told %d times", slots, n)
			}
		})
	}
}

func TestNewestSlot(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 11, 30, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		schedule snapshot.Schedule
		want     string
	}{
		"an interval":         {snapshot.Schedule{Every: 6 * time.Hour}, "2026-11-23 06:00"},
		"each night":          {snapshot.Schedule{Cron: "30 3 * * *"}, "2026-11-23 03:30"},
		"the very moment":     {snapshot.Schedule{Cron: "30 11 * * *"}, "2026-11-23 11:30"},
		"each month":          {snapshot.Schedule{Cron: "0 0 1 * *"}, "2026-11-01 00:00"},
		"leap days":           {snapshot.Schedule{Cron: "0 0 29 2 *"}, "2024-02-29 00:00"},
		"one that has ended":  {snapshot.Schedule{Custom: everyOther{end: now.Add(-24 * time.Hour)}}, "2026-11-22 10:00"},
		"one of 20 years ago": {snapshot.Schedule{Custom: everyOther{end: now.AddDate(-20, 0, 0)}}, ""},
		"none":                {snapshot.Schedule{}, ""},
	} {
		slot, ok := test.schedule.Newest(now)
		got := ""
		if ok {
			got = slot.UTC().Format("2006-01-02 15:04")
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
