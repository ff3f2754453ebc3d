package history_test

import (
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest/internal/history"
)

const keep = time.Minute

// at is a moment, in seconds from the start.
func at(seconds int) time.Time { return time.Unix(0, 0).Add(time.Duration(seconds) * time.Second) }

func TestGet(t *testing.T) {
	t.Parallel()
	tb := history.NewTable[string, int](keep)
	tb.Put(at(10), "a", 1)
	tb.Put(at(20), "a", 2)
	tb.Put(at(20), "a", 3) // the same instant: the later write wins
	tb.Delete(at(30), "a")
	tb.Delete(at(31), "a") // not there: nothing
	tb.Delete(at(31), "b")
	tb.Put(at(40), "a", 4)
	for _, c := range []struct {
		name  string
		at    int
		value int
		found bool
	}{
		{"before it was put", 9, 0, false},
		{"when it was put", 10, 1, true},
		{"between two puts", 19, 1, true},
		{"when it was put again", 20, 3, true},
		{"until it is deleted", 29, 3, true},
		{"when it was deleted", 30, 0, false},
		{"while it is deleted", 39, 0, false},
		{"when it is back", 40, 4, true},
		{"in the future", 1000, 4, true},
	} {
		if v, ok := tb.Get(at(c.at), "a"); v != c.value || ok != c.found {
			t.Errorf("%s: got %d %v, want %d %v", c.name, v, ok, c.value, c.found)
		}
	}
	if _, ok := tb.Get(at(1000), "b"); ok {
		t.Error("found what was never put")
	}
}

func TestAllIsInTheOrderOfTheFirstPut(t *testing.T) {
	t.Parallel()
	tb := history.NewTable[string, int](keep)
	tb.Put(at(1), "b", 1)
	tb.Put(at(2), "a", 1)
	tb.Put(at(3), "c", 1)
	tb.Put(at(4), "b", 2)
	tb.Delete(at(5), "a")
	for when, want := range map[int][]string{0: nil, 1: {"b"}, 2: {"b", "a"}, 4: {"b", "a", "c"}, 5: {"b", "c"}} {
		var got []string
		for k := range tb.All(at(when)) {
			got = append(got, k)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("at %d: %s", when, diff)
		}
	}
	for k := range tb.All(at(5)) {
		if k != "b" {
			t.Errorf("a loop that ended went on to %s", k)
		}
		break
	}
}

func TestTableMayChangeWhileItIsRead(t *testing.T) {
	t.Parallel()
	tb := history.NewTable[int, int](keep)
	for k := range 1000 {
		tb.Put(at(0), k, k)
	}
	now, seen := 0, 0
	for k := range tb.All(at(0)) {
		now += 10
		tb.Delete(at(now), k)
		tb.Put(at(now), 1000+k, k)
		seen++
	}
	if seen > 1000 {
		t.Errorf("saw %d keys, some of which were added meanwhile", seen)
	}
	if n := maps.Collect(tb.All(at(now))); len(n) < 1000 {
		t.Errorf("%d keys are left of those added", len(n))
	}
}

func TestTimeThatGoesBackLosesNoValue(t *testing.T) {
	t.Parallel()
	tb := history.NewTable[string, int](keep)
	tb.Put(at(10), "a", 1)
	tb.Put(at(9), "a", 2)
	if v, ok := tb.Get(at(10), "a"); v != 2 || !ok {
		t.Errorf("got %d %v, want the later write", v, ok)
	}
	if _, ok := tb.Get(at(9), "a"); ok {
		t.Error("the past has changed")
	}
}

// model keeps every version for ever.
type model struct {
	versions map[int][]entry
	order    []int
}

type entry struct {
	since   int
	value   int
	deleted bool
}

func (m *model) push(k int, e entry) {
	if m.versions[k] == nil {
		if e.deleted {
			return
		}
		m.order = append(m.order, k)
	}
	m.versions[k] = append(m.versions[k], e)
}

func (m *model) get(when, k int) (value int, found bool) {
	for _, e := range m.versions[k] {
		if e.since <= when {
			value, found = e.value, !e.deleted
		}
	}
	if !found {
		value = 0
	}
	return value, found
}

// FuzzTable holds a table against the model. Each three bytes are a step:
// what is done, to which key, and how many seconds pass before.
func FuzzTable(f *testing.F) {
	f.Add([]byte{0, 1, 0, 0, 1, 5, 1, 1, 5, 0, 1, 70})
	f.Add([]byte{0, 1, 0, 1, 1, 0, 0, 1, 0, 1, 1, 61, 0, 2, 61})
	rng := rand.New(rand.NewPCG(1, 2))
	long := make([]byte, 3000)
	for i := range long {
		long[i] = byte(rng.IntN(256))
	}
	f.Add(long)
	f.Fuzz(func(t *testing.T, steps []byte) {
		tb := history.NewTable[int, int](keep)
		m := model{versions: map[int][]entry{}}
		now := 0
		for n := 0; n+2 < len(steps); n += 3 {
			k := int(steps[n+1]) // many keys, so that some are forgotten
			now += int(steps[n+2]) / 4
			if steps[n]%3 == 0 {
				tb.Delete(at(now), k)
				m.push(k, entry{now, 0, true})
			} else {
				tb.Put(at(now), k, n)
				m.push(k, entry{now, n, false})
			}
			for _, back := range []int{0, 1, 17, 60} {
				v, ok := tb.Get(at(now-back), k)
				want, wantOK := m.get(now-back, k)
				if v != want || ok != wantOK {
					t.Fatalf("step %d: key %d %d s ago: got %d %v, want %d %v", n/3, k, back, v, ok, want, wantOK)
				}
			}
		}
		for _, back := range []int{0, 30, 60} {
			got, want := map[int]int{}, map[int]int{}
			maps.Insert(got, tb.All(at(now-back)))
			for _, k := range m.order {
				if v, ok := m.get(now-back, k); ok {
					want[k] = v
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%d s ago: %s", back, diff)
			}
		}
	})
}

// TestMemoryIsBounded churns through a hundred times what is alive. What is
// kept is a matter of the last minute, however long the table has lived.
func TestMemoryIsBounded(t *testing.T) {
	// Not parallel: it looks at the heap of the process.
	for name, churn := range map[string]func(tb *history.Table[int, *[1024]byte], second int){
		"new versions of one key": func(tb *history.Table[int, *[1024]byte], second int) {
			for range 10 {
				tb.Put(at(second), 0, new([1024]byte))
			}
		},
		"keys that come and go": func(tb *history.Table[int, *[1024]byte], second int) {
			tb.Put(at(second), second, new([1024]byte))
			tb.Delete(at(second+1), second)
		},
		"one key that comes and goes": func(tb *history.Table[int, *[1024]byte], second int) {
			tb.Put(at(second), 0, new([1024]byte))
			tb.Delete(at(second+1), 0)
		},
	} {
		t.Run(name, func(t *testing.T) {
			tb := history.NewTable[int, *[1024]byte](keep)
			before := heap()
			for second := range 10_000 {
				churn(tb, second)
			}
			// Twice a minute's worth of kilobytes would do; half a megabyte
			// leaves room for what else the process does. All of it is 10 MB at least.
			if grown := heap() - before; grown > 512<<10 {
				t.Errorf("the table holds %d kB", grown>>10)
			}
			runtime.KeepAlive(tb)
		})
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestHotKeyCostsNoMoreThanItsWindow(t *testing.T) {
	t.Parallel()
	// Many versions within what is kept: quadratic cost would take
	// minutes.
	tb := history.NewTable[int, int](time.Hour)
	start := time.Unix(0, 0)
	for n := range 200_000 {
		tb.Put(start.Add(time.Duration(n)*time.Millisecond), 0, n)
	}
	moments := []int{0, 1, 99_999, 199_999}
	var got []int
	for _, n := range moments {
		v, _ := tb.Get(start.Add(time.Duration(n)*time.Millisecond), 0)
		got = append(got, v)
	}
	if !slices.Equal(moments, got) {
		t.Errorf("got %v, want %v", got, moments)
	}
}
