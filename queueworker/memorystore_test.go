package queueworker_test

import (
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// heap returns how many bytes are in use.
func heap() float64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// The strings of a message are parts of the one answer that brought it. Not in parallel: the memory of other tests would count.
func TestAMemoryStoreKeepsKeysAndNotTheAnswersTheyCameIn(t *testing.T) {
	const n, size = 100, 1 << 20
	store := newStore(t, n)
	before := heap()
	for i := range n {
		answer := strings.Repeat(" ", size) + strconv.Itoa(i)
		key := answer[size-36:]
		if _, err := store.Begin(t.Context(), key, answer[size-20:], time.Minute); err != nil {
			t.Fatal(err)
		}
		if err := store.Complete(t.Context(), key, answer[size-20:], time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	if kept := heap() - before; kept > n*size/4 {
		t.Errorf("%d keys keep %.0f MiB", store.Len(), kept/(1<<20))
	}
	runtime.KeepAlive(store)
}

// BenchmarkMemoryStore is what a key costs that is remembered.
func BenchmarkMemoryStore(b *testing.B) {
	ids := make([]string, b.N)
	for i := range ids {
		ids[i] = "00000000-0000-0000-0000-" + strconv.Itoa(1e11+i)
	}
	store := newStore(b, b.N)
	before := heap()
	b.ReportAllocs()
	b.ResetTimer()
	for _, id := range ids {
		if _, err := store.Begin(b.Context(), id, id, time.Hour); err != nil {
			b.Fatal(err)
		}
		if err := store.Complete(b.Context(), id, id, time.Hour); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	b.ReportMetric((heap()-before)/float64(b.N), "kept-B/key")
	runtime.KeepAlive(store)
	runtime.KeepAlive(ids)
}
