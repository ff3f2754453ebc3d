package snapshot_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/snapshot"
)

var today = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// daily returns one completed item for each of the last n days, at three o'clock, the newest first: "d0", "d1" and so on.
func daily(n int) []snapshot.Item {
	items := make([]snapshot.Item, n)
	for i := range items {
		items[i] = snapshot.Item{
			ID: fmt.Sprintf("d%d", i), Series: "vol-1", State: snapshot.Completed,
			Time: time.Date(2026, 11, 23-i, 3, 0, 0, 0, time.UTC),
		}
	}
	return items
}

// kept returns the IDs of what is not deleted.
func kept(decisions []snapshot.Decision) (ids []string) {
	for _, d := range decisions {
		if d.Action != snapshot.Delete {
			ids = append(ids, d.Item.ID)
		}
	}
	return ids
}

func TestRetentionRules(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for _, c := range []struct {
		name  string
		items []snapshot.Item
		r     snapshot.Retention
		want  string
	}{
		{"nothing said keeps everything", daily(4), snapshot.Retention{}, "d0 d1 d2 d3"},
		{"the last", daily(9), snapshot.Retention{Last: 3}, "d0 d1 d2"},
		// 23 November 2026 is a Monday.
		{"weeks begin on Monday, and the oldest stands for the one to come", daily(12), snapshot.Retention{Weekly: 4}, "d0 d1 d8 d11"},
		{"months, and the oldest", daily(60), snapshot.Retention{Monthly: 12}, "d0 d23 d54 d59"},
		{"months that are all there", daily(90), snapshot.Retention{Monthly: 3}, "d0 d23 d54"},
		{"no limit", daily(60), snapshot.Retention{Monthly: snapshot.Unlimited}, "d0 d23 d54"},
		{"years", daily(400), snapshot.Retention{Yearly: 2}, "d0 d327"},
		{"alternatives", daily(30), snapshot.Retention{Last: 2, Weekly: 2, Within: 3 * day}, "d0 d1 d2 d3"},
		{"within is seen from the newest", daily(30)[10:], snapshot.Retention{Within: 2 * day}, "d10 d11 d12"},
		{"within is seen from now on request", daily(30)[10:], snapshot.Retention{Within: 12 * day, FromNow: true}, "d10 d11"},
		{"age", daily(30), snapshot.Retention{MaxAge: 3 * day}, "d0 d1 d2"},
		{"of a backup that has stopped the last stays", daily(30)[10:], snapshot.Retention{MaxAge: 3 * day}, "d10"},
		{"age beside counts needs both to delete", daily(30)[5:], snapshot.Retention{Last: 2, MaxAge: 9 * day}, "d5 d6 d7 d8"},
		{"the floor", daily(30)[10:], snapshot.Retention{MaxAge: 3 * day, MinKeep: 3}, "d10 d11 d12"},
		{"a series has its own counts", append(daily(3), other(daily(3))...), snapshot.Retention{Last: 1}, "d0 other-d0"},
		{"a retention that is not valid keeps everything", daily(3), snapshot.Retention{Last: 1, Daily: -2}, "d0 d1 d2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := strings.Join(kept(snapshot.PlanRetention(c.items, c.r, today)), " "); got != c.want {
				t.Errorf("%v keeps %s, want %s", &c.r, got, c.want)
			}
		})
	}
}

func other(items []snapshot.Item) []snapshot.Item {
	for i := range items {
		items[i].ID, items[i].Series = "other-"+items[i].ID, "vol-2"
	}
	return items
}

// What no rule keeps, but something else does.
func TestWhatIsLeftAlone(t *testing.T) {
	t.Parallel()
	with := func(n int, change func(*snapshot.Item)) []snapshot.Item {
		items := daily(3)
		change(&items[n])
		return items
	}
	for _, c := range []struct {
		name  string
		items []snapshot.Item
		want  string // of the three with Last: 1
	}{
		{"a pending one does not count, and is not touched", with(0, func(i *snapshot.Item) { i.State = snapshot.Pending }), "keep (pending), keep (last 1 of 1), delete (no rule keeps it)"},
		{"a failed one does not count, and is kept for a day", with(0, func(i *snapshot.Item) { i.State = snapshot.Failed }), "keep (failed, to be looked at), keep (last 1 of 1), delete (no rule keeps it)"},
		{"a failed one goes after a day", with(2, func(i *snapshot.Item) { i.State = snapshot.Failed }), "keep (last 1 of 1), delete (no rule keeps it), delete (failed)"},
		{"a foreign one does not count", with(0, func(i *snapshot.Item) { i.Foreign = true }), "keep (foreign), keep (last 1 of 1), delete (no rule keeps it)"},
		{"one of the future does not count", with(0, func(i *snapshot.Item) { i.Time = today.Add(time.Second) }), "keep (dated after now), keep (last 1 of 1), delete (no rule keeps it)"},
		{"a duplicate does not count, and goes", with(0, func(i *snapshot.Item) { i.Duplicate = true }), "delete (duplicate), keep (last 1 of 1), delete (no rule keeps it)"},
		{
			"one that is held counts and stays", with(2, func(i *snapshot.Item) {
				i.Holds = []snapshot.Hold{{Kind: snapshot.HeldByImage, Detail: "ami-1"}, {Kind: snapshot.HeldByLock}}
			}), "keep (last 1 of 1), delete (no rule keeps it), hold (image ami-1, lock)",
		},
		{
			"a duplicate that is held", with(2, func(i *snapshot.Item) {
				i.Duplicate, i.Holds = true, []snapshot.Hold{{Kind: snapshot.HeldByCopy}}
			}), "keep (last 1 of 1), delete (no rule keeps it), hold (copy under way)",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, d := range snapshot.PlanRetention(c.items, snapshot.Retention{Last: 1}, today) {
				got = append(got, fmt.Sprintf("%v (%s)", d.Action, d.Why()))
			}
			if diff := cmp.Diff(c.want, strings.Join(got, ", ")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestASetIsKeptOrDeletedAsAWhole(t *testing.T) {
	t.Parallel()
	var items []snapshot.Item
	for n := range 4 {
		for _, volume := range []string{"a", "b"} {
			items = append(items, snapshot.Item{
				ID: fmt.Sprintf("s%d%s", n, volume), Series: "i-1", Set: fmt.Sprint("set-", n), State: snapshot.Completed,
				Time: today.Add(time.Duration(-n) * time.Hour),
			})
		}
	}
	items[1].State = snapshot.Failed                               // so that set 0 is none
	items[6].Holds = []snapshot.Hold{{Kind: snapshot.HeldForCopy}} // of set 3
	items[7].Time = items[7].Time.Add(2 * time.Hour)               // a set has the time of its first
	decisions := snapshot.PlanRetention(items, snapshot.Retention{Last: 1}, today)
	want := []snapshot.Action{snapshot.Keep, snapshot.Keep, snapshot.Keep, snapshot.Keep, snapshot.Delete, snapshot.Delete, snapshot.Held, snapshot.Held}
	for i, d := range decisions {
		if d.Action != want[i] {
			t.Errorf("%s: %v (%s), want %v", d.Item.ID, d.Action, d.Why(), want[i])
		}
	}
}

func TestTheZoneSaysWhereDaysBegin(t *testing.T) {
	t.Parallel()
	at := func(hour int) snapshot.Item {
		return snapshot.Item{ID: fmt.Sprint(hour), Series: "vol-1", State: snapshot.Completed, Time: time.Date(2026, 11, 22, hour, 0, 0, 0, time.UTC)}
	}
	items := []snapshot.Item{at(20), at(10), at(2)}
	for name, want := range map[string]string{"UTC": "20 2", "Asia/Tokyo": "20 10", "America/Los_Angeles": "20 2"} {
		got := strings.Join(kept(snapshot.PlanRetention(items, snapshot.Retention{Daily: 2, Location: zone(t, name)}, today)), " ")
		if got != want { // 20:00 is 05:00 of the 23rd in Tokyo; 02:00 is 18:00 of the 21st in Los Angeles
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	hours := []snapshot.Item{ // both half past one in New York
		{ID: "first", Series: "vol-1", State: snapshot.Completed, Time: time.Date(2026, 11, 1, 5, 30, 0, 0, time.UTC)},
		{ID: "second", Series: "vol-1", State: snapshot.Completed, Time: time.Date(2026, 11, 1, 6, 30, 0, 0, time.UTC)},
		{ID: "third", Series: "vol-1", State: snapshot.Completed, Time: time.Date(2026, 11, 1, 7, 30, 0, 0, time.UTC)},
	}
	if got := kept(snapshot.PlanRetention(hours, snapshot.Retention{Hourly: 3, Location: zone(t, "America/New_York")}, today)); len(got) != 3 {
		t.Errorf("hours that clocks show alike are one: %v", got)
	}
}

func TestRetentionNamesEveryMistake(t *testing.T) {
	t.Parallel()
	r := snapshot.Retention{Last: -2, Yearly: -3, Within: -1, MinKeep: -1, FailedAfter: -time.Hour}
	err := r.Validate()
	for _, field := range []string{"last", "yearly", "within", "min_keep", "failed_after"} {
		if err == nil || !strings.Contains(err.Error(), "snapshot: "+field+": ") {
			t.Errorf("%s is not named in %v", field, err)
		}
	}
}

// history is a random series of snapshots and a retention.
type history struct {
	rng   *rand.Rand
	items []snapshot.Item
	r     snapshot.Retention
	now   time.Time
}

func newHistory(seed uint64) *history {
	h := &history{rng: rand.New(rand.NewPCG(seed, 2)), now: today}
	count := func(most int) int {
		switch h.rng.IntN(3) {
		case 0:
			return h.rng.IntN(most + 1)
		case 1:
			if h.rng.IntN(8) == 0 {
				return snapshot.Unlimited
			}
		}
		return 0
	}
	h.r = snapshot.Retention{
		Last: count(5), Hourly: count(30), Daily: count(10), Weekly: count(6), Monthly: count(14), Yearly: count(3), MinKeep: h.rng.IntN(4),
	}
	if h.rng.IntN(3) == 0 {
		h.r.Within = time.Duration(h.rng.IntN(20*24)) * time.Hour
	}
	if h.rng.IntN(3) == 0 {
		h.r.MaxAge = time.Duration(h.rng.IntN(40*24)) * time.Hour
	}
	gap := time.Duration(1+h.rng.IntN(72)) * time.Hour
	at := h.now.Add(-time.Duration(h.rng.IntN(100)) * time.Hour)
	for n := range 1 + h.rng.IntN(80) {
		for _, series := range []string{"vol-1", "vol-2"}[:1+h.rng.IntN(2)] {
			h.items = append(h.items, snapshot.Item{ID: fmt.Sprintf("%s-%03d", series, n), Series: series, State: snapshot.Completed, Time: at})
		}
		at = at.Add(-time.Duration(h.rng.Int64N(int64(2*gap))) - time.Minute)
	}
	return h
}

func histories(t *testing.T, play func(*testing.T, *history)) {
	t.Helper()
	for seed := range *plans {
		play(t, newHistory(seed))
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func TestPruningEachDayKeepsWhatPruningOnceDoes(t *testing.T) {
	t.Parallel()
	histories(t, func(t *testing.T, h *history) {
		slices.Reverse(h.items) // the oldest first
		var left []snapshot.Item
		for n, item := range h.items {
			left = append(left, item)
			if n == len(h.items)-1 || h.rng.IntN(3) == 0 {
				now := item.Time
				if n == len(h.items)-1 {
					now = h.now
				}
				left = survivors(snapshot.PlanRetention(left, h.r, now))
			}
		}
		once := survivors(snapshot.PlanRetention(h.items, h.r, h.now))
		if diff := cmp.Diff(once, left); diff != "" {
			t.Errorf("%v: once (-) and step by step (+):\n%s", &h.r, diff)
		}
	})
}

func survivors(decisions []snapshot.Decision) (items []snapshot.Item) {
	for _, d := range decisions {
		if d.Action != snapshot.Delete {
			items = append(items, d.Item)
		}
	}
	return items
}

func TestTheOrderOfItemsMakesNoDifference(t *testing.T) {
	t.Parallel()
	histories(t, func(t *testing.T, h *history) {
		for i := range h.items { // anything
			item := &h.items[i]
			item.State = snapshot.State(h.rng.IntN(3))
			item.Foreign, item.Duplicate = h.rng.IntN(20) == 0, h.rng.IntN(20) == 0
			if h.rng.IntN(3) == 0 {
				item.Set = fmt.Sprint("set-", h.rng.IntN(10))
			}
			if h.rng.IntN(10) == 0 {
				item.Holds = []snapshot.Hold{{Kind: snapshot.HeldByLock}}
			}
			if h.rng.IntN(4) == 0 && i > 0 {
				item.Time = h.items[i-1].Time
			}
		}
		want := actions(snapshot.PlanRetention(h.items, h.r, h.now))
		h.rng.Shuffle(len(h.items), func(i, k int) { h.items[i], h.items[k] = h.items[k], h.items[i] })
		if diff := cmp.Diff(want, actions(snapshot.PlanRetention(h.items, h.r, h.now))); diff != "" {
			t.Errorf("%v: %s", &h.r, diff)
		}
		h.checkPromises(t)
	})
}

func actions(decisions []snapshot.Decision) map[string]snapshot.Action {
	m := make(map[string]snapshot.Action, len(decisions))
	for _, d := range decisions {
		m[d.Item.ID] = d.Action
	}
	return m
}

// checkPromises checks what holds for every history.
func (h *history) checkPromises(t *testing.T) {
	t.Helper()
	type set struct{ series, name string }
	good, goodKept := map[set][]string{}, map[string]int{} // sets by members; kept points by series
	bySet := map[set][]snapshot.Decision{}
	for _, d := range snapshot.PlanRetention(h.items, h.r, h.now) {
		i := d.Item
		if d.Action == snapshot.Delete && (i.Foreign || i.State == snapshot.Pending || i.Time.After(h.now) || len(i.Holds) > 0) {
			t.Errorf("%+v is deleted", i)
		}
		if len(d.Reasons) == 0 {
			t.Errorf("%+v: no reason", i)
		}
		if i.Foreign || i.Duplicate || i.Time.After(h.now) {
			continue
		}
		name := set{i.Series, i.Set}
		if i.Set == "" {
			name.name = i.ID
		}
		bySet[name] = append(bySet[name], d)
	}
	for name, decisions := range bySet {
		completed := true
		for _, d := range decisions {
			completed = completed && d.Item.State == snapshot.Completed
			if d.Action != decisions[0].Action {
				t.Errorf("%v is torn: %v and %v", name, d.Action, decisions[0].Action)
			}
		}
		if completed {
			good[set{series: name.series}] = append(good[set{series: name.series}], name.name)
			if decisions[0].Action != snapshot.Delete {
				goodKept[name.series]++
			}
		}
	}
	for s, all := range good {
		if floor := min(max(h.r.MinKeep, 1), len(all)); goodKept[s.series] < floor {
			t.Errorf("%s: %d points are kept of %d, want at least %d", s.series, goodKept[s.series], len(all), floor)
		}
	}
}

// The time for each item should be the same.
func BenchmarkPlanRetention(b *testing.B) {
	for _, n := range []int{1000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			items := make([]snapshot.Item, n)
			for i := range items {
				items[i] = snapshot.Item{
					ID: fmt.Sprintf("snap-%017d", i), Series: fmt.Sprintf("vol-%d", i%(n/100)), State: snapshot.Completed,
					Time: today.Add(-time.Duration(i/(n/100)) * 6 * time.Hour),
				}
			}
			rand.New(rand.NewPCG(1, 1)).Shuffle(n, func(i, k int) { items[i], items[k] = items[k], items[i] })
			r := snapshot.Retention{Last: 4, Hourly: 24, Daily: 7, Weekly: 4, Monthly: 12, Yearly: 3, Within: 48 * time.Hour, Location: zone(b, "Europe/Berlin")}
			b.ReportAllocs()
			for b.Loop() {
				snapshot.PlanRetention(items, r, today)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/item")
		})
	}
}
