package eip

import (
	"math/rand/v2"
	"testing"
	"time"
)

// Whatever asks for moves at whatever times: they keep their distance, and the pauses double while moves follow closely and stay
// within their bounds.
func TestDamperBoundsMoves(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 0))
		d := damper{first: time.Minute, max: 15 * time.Minute}
		now := time.Unix(0, 0)
		var moves []time.Time
		for range 3000 {
			now = now.Add(time.Duration(rng.Int64N(int64(10 * time.Second))))
			if rng.IntN(1000) == 0 {
				now = now.Add(time.Duration(rng.Int64N(int64(time.Hour))))
			}
			if d.wait(now) > 0 {
				continue
			}
			before := d.pause
			if n := len(moves); n > 0 {
				if gap := now.Sub(moves[n-1]); gap < before {
					t.Fatalf("seed %d: %v after the last move, want %v", seed, gap, before)
				}
			}
			d.moved(now)
			moves = append(moves, now)
			if d.pause < d.first || d.pause > d.max || before > 0 && d.pause != d.first && d.pause != min(2*before, d.max) {
				t.Fatalf("seed %d: a pause of %v after one of %v", seed, d.pause, before)
			}
		}
		// A move that follows within two minutes makes the next one wait for at least two.
		for i := range moves {
			if i >= 2 && moves[i].Sub(moves[i-2]) < 3*time.Minute {
				t.Fatalf("seed %d: three moves within %v", seed, moves[i].Sub(moves[i-2]))
			}
		}
	}
}

func TestDamperForgetsAfterAQuietTime(t *testing.T) {
	t.Parallel()
	d := damper{first: time.Minute, max: 15 * time.Minute}
	now := time.Unix(0, 0)
	for _, minutes := range []int{1, 2, 4, 8, 15, 15} {
		if wait := d.wait(now); wait > 0 {
			t.Fatalf("waits %v", wait)
		}
		if d.moved(now); d.pause.Minutes() != float64(minutes) {
			t.Fatalf("pause %v, want %d minutes", d.pause, minutes)
		}
		now = now.Add(d.pause)
	}
	now = now.Add(15 * time.Minute) // twice the pause since the last move
	if d.moved(now); d.pause != time.Minute {
		t.Errorf("pause %v after a quiet time", d.pause)
	}
}
