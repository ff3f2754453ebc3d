package s3model_test

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/awsha/awsha/awstest/internal/s3model"
)

// FuzzOrdered holds the map against Go's own. Each three bytes are a step:
// what is done, and to which key.
func FuzzOrdered(f *testing.F) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 30, 3000, 30_000} {
		steps := make([]byte, n)
		for i := range steps {
			steps[i] = byte(rng.IntN(256))
		}
		f.Add(steps)
	}
	f.Fuzz(func(t *testing.T, steps []byte) {
		var o s3model.Ordered[int]
		ref := map[string]int{}
		for n := 0; n+2 < len(steps); n += 3 {
			key := fmt.Sprint(binary.BigEndian.Uint16(steps[n+1:]) % 4096)
			if steps[n]%4 == 0 {
				o.Delete(key)
				delete(ref, key)
			} else {
				o.Put(key, n)
				ref[key] = n
			}
			if v, ok := o.Get(key); v != ref[key] || ok != (steps[n]%4 != 0) || o.Len() != len(ref) {
				t.Fatalf("step %d: %s is %d %v, want %d; %d keys, want %d", n/3, key, v, ok, ref[key], o.Len(), len(ref))
			}
		}
		for _, from := range []string{"", "2", "2000", "39", "9999", "a"} {
			var want, got []string
			for _, key := range slices.Sorted(maps.Keys(ref)) {
				if key >= from {
					want = append(want, fmt.Sprint(key, ref[key]))
				}
			}
			for key, v := range o.From(from) {
				got = append(got, fmt.Sprint(key, v))
			}
			if !slices.Equal(want, got) {
				t.Fatalf("from %q: %d keys, want %d", from, len(got), len(want))
			}
		}
	})
}

// Keys that come in order, in either direction, or at random: an insertion
// moves one chunk, so that a hundred thousand take no minute.
func TestOrderedGrows(t *testing.T) {
	t.Parallel()
	const n = 100_000
	for name, at := range map[string]func(int) int{
		"forwards":  func(i int) int { return i },
		"backwards": func(i int) int { return n - 1 - i },
		"anyhow":    func(i int) int { return i * 7919 % n },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var o s3model.Ordered[int]
			for i := range n {
				o.Put(fmt.Sprintf("%06d", at(i)), at(i))
			}
			want := 0
			for key, v := range o.From("") {
				if v != want || key != fmt.Sprintf("%06d", want) {
					t.Fatalf("%s is %d, want %d", key, v, want)
				}
				want++
			}
			if want != n || o.Len() != n {
				t.Errorf("%d keys, of %d", want, o.Len())
			}
			for i := range n {
				o.Delete(fmt.Sprintf("%06d", at(i)))
			}
			if o.Len() != 0 {
				t.Errorf("%d keys are left", o.Len())
			}
			for key := range o.From("") {
				t.Fatalf("%s is left", key)
			}
		})
	}
}
