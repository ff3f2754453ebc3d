package healthcheck_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/healthcheck"
)

func TestRhythm(t *testing.T) {
	t.Parallel()
	for range 1000 {
		o := healthcheck.Options{
			Interval:       healthcheck.Tick + rand.N(time.Minute),
			MaxStartSpread: 1 + rand.N(90*time.Second),
		}
		interval := o.Interval.Truncate(healthcheck.Tick)
		now, hash := rand.N(time.Hour), rand.Uint64()
		due := healthcheck.Due(o, now, hash, 40)

		if delay := due[0] - now; delay < 0 || delay > min(o.MaxStartSpread, o.Interval)+healthcheck.Tick {
			t.Fatalf("%+v: first check after %v", o, delay)
		}
		for i, at := range due {
			if at%healthcheck.Tick != 0 {
				t.Fatalf("%+v: check %d is due at %v, between two ticks", o, i, at)
			}
			if i == 0 {
				continue
			}
			gap := at - due[i-1]
			if gap > interval || gap < interval-max(interval/8, healthcheck.Tick) {
				t.Fatalf("%+v: check %d comes %v after the one before", o, i, gap)
			}
			if i > 16 && gap != interval {
				t.Fatalf("%+v: check %d comes %v after the one before, and should have settled", o, i, gap)
			}
		}
		again := healthcheck.Due(o, now+rand.N(time.Hour), hash, 40)
		if a, b := due[39]%interval, again[39]%interval; a != b {
			t.Fatalf("%+v: settled at %v of the interval, and at %v when registered later", o, a, b)
		}
	}
}

func TestRhythmIsEven(t *testing.T) {
	t.Parallel()
	const targets, slots = 100_000, 20
	o := healthcheck.Options{Interval: 10 * time.Second}
	var first, settled [slots]int
	for range targets {
		due := healthcheck.Due(o, 0, rand.Uint64(), 20)
		first[min(due[0]*slots/(2*time.Second), slots-1)]++
		settled[due[19]%o.Interval*slots/o.Interval]++
	}
	for _, counts := range [][slots]int{first, settled} {
		if lo, hi := slices.Min(counts[:]), slices.Max(counts[:]); lo < targets/slots*9/10 || hi > targets/slots*11/10 {
			t.Errorf("between %d and %d checks in a slot, want about %d: %v", lo, hi, targets/slots, counts)
		}
	}
}

func TestHeapKeepsOrder(t *testing.T) {
	t.Parallel()
	for range 300 {
		ops := make([]healthcheck.HeapOp, rand.N(400))
		due := map[int]int64{}
		for i := range ops {
			ops[i] = healthcheck.HeapOp{Entry: rand.N(100), Due: rand.Int64N(200) - 40}
			if ops[i].Due < 0 {
				delete(due, ops[i].Entry)
			} else {
				due[ops[i].Entry] = ops[i].Due
			}
		}
		var want []int64
		for _, at := range due {
			want = append(want, at)
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, healthcheck.HeapOrder(ops)); diff != "" {
			t.Fatalf("out of order (-want +got):\n%s", diff)
		}
	}
}
