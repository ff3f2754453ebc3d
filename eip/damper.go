package eip

import "time"

// damper spaces moves out, so that a choice that flaps between targets does not make the address flap. Moves that follow one
// another closely double the pause between them; a quiet time of twice the pause brings it back to its first length.
type damper struct {
	first, max time.Duration

	pause time.Duration // after the last move
	last  time.Time     // of it; zero before the first
}

// wait returns how long a move has to wait now; zero or less if it may begin.
func (d *damper) wait(now time.Time) time.Duration {
	if d.last.IsZero() {
		return 0
	}
	return d.pause - now.Sub(d.last)
}

// moved notes a move.
func (d *damper) moved(now time.Time) {
	if d.last.IsZero() || now.Sub(d.last) >= 2*d.pause {
		d.pause = d.first
	} else {
		d.pause = min(2*d.pause, d.max)
	}
	d.last = now
}
