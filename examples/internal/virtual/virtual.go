// Package virtual runs an example's story in virtual time: hours of it in seconds, or at a pace at which it can be followed.
package virtual

import (
	"context"
	"flag"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// Bubble calls what it is given in virtual time: whenever all that this has begun waits for something to come, the clock is put forward to
// when it comes. A wait for what is outside, such as a signal, holds the clock up: ask for that instead.
type Bubble func(func())

// Main ends the process with the status that body returns. Virtual time is testing/synctest's, and that is for tests; so body is run as one.
func Main(body func(Bubble) int) {
	testing.Init()
	_ = flag.CommandLine.Parse(nil) // the flags of tests stay as they are: body has its own
	story := testing.InternalTest{Name: "story", F: func(t *testing.T) {
		os.Exit(body(func(tell func()) { synctest.Test(t, func(*testing.T) { tell() }) }))
	}}
	testing.Main(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{story}, nil, nil)
}

// Pacer holds the clock of a bubble up, so that the story can be followed.
type Pacer struct {
	step  time.Duration   // of virtual time
	ticks <-chan struct{} // one for each step
}

// NewPacer is to be called outside of the bubble. At a speed of 10, ten seconds of the story take one; at 0 nothing is held up. Stop it in the end.
func NewPacer(speed float64) (p *Pacer, stop func()) {
	const tick = 50 * time.Millisecond
	if speed <= 0 {
		return &Pacer{}, func() {}
	}
	ticks, done := make(chan struct{}), make(chan struct{})
	go func() {
		ticker := time.NewTicker(tick)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
			case <-done:
				return
			}
			select {
			case ticks <- struct{}{}:
			case <-done:
				return
			}
		}
	}()
	return &Pacer{time.Duration(float64(tick) * speed), ticks}, func() { close(done) }
}

// Run holds the clock up until ctx ends, which is to be one of the bubble. It calls look before each step.
func (p *Pacer) Run(ctx context.Context, look func()) {
	step := p.step
	if step == 0 {
		step = time.Second
	}
	for {
		look()
		select {
		case <-time.After(step):
		case <-ctx.Done():
			return
		}
		if p.ticks != nil {
			<-p.ticks
		}
	}
}
