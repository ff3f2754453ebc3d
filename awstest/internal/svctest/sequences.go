package svctest

import (
	"flag"
	"fmt"
	"testing"
)

var (
	seed      = flag.Uint64("seed", 0, "play the one random sequence of this seed")
	sequences = flag.Uint64("sequences", 0, "how many random sequences are played; 0 is as many as the test thinks fit, and a fifth of that with -short or under the race detector")
)

// Sequences plays random sequences, each of which is drawn from its seed: those of the seeds 1 to n, or as the flags -seed and
// -sequences have it. They are played in parallel, by the chunk; a play that finds something tells its seed.
func Sequences(t *testing.T, n, chunk uint64, play func(t *testing.T, first, last uint64)) {
	t.Helper()
	t.Parallel()
	first, last := uint64(1), n
	switch {
	case *seed != 0:
		first, last = *seed, *seed
	case *sequences != 0:
		last = *sequences
	case testing.Short() || raceEnabled:
		last = max(1, n/5)
	}
	for from := first; from <= last; from += chunk {
		to := min(from+chunk-1, last)
		t.Run(fmt.Sprintf("seeds %d to %d", from, to), func(t *testing.T) {
			t.Parallel()
			play(t, from, to)
		})
	}
}
