package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// screen shows progress: lines, and on a terminal one more that is always
// up to date.
type screen struct {
	mu       sync.Mutex
	w        io.Writer
	terminal bool
	start    time.Time
	status   string
}

func newScreen(w io.Writer) *screen {
	s := &screen{w: w, start: time.Now()}
	if f, ok := w.(*os.File); ok {
		info, err := f.Stat()
		s.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return s
}

// say prints a line with the time since the start.
func (s *screen) say(format string, args ...any) {
	s.print(fmt.Sprintf("%6.2fs  %s\n", time.Since(s.start).Seconds(), fmt.Sprintf(format, args...)))
}

// print prints text above the status line.
func (s *screen) print(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.erase()
	_, _ = io.WriteString(s.w, text)
	_, _ = io.WriteString(s.w, s.status)
}

// erase removes the status line.
func (s *screen) erase() {
	if s.status != "" {
		_, _ = io.WriteString(s.w, "\r\x1b[K")
	}
}

// setStatus shows text, cut so that it fits on a line of a terminal: one that wraps could not be erased.
func (s *screen) setStatus(text string) {
	text = text[:min(len(text), 79)]
	s.mu.Lock()
	defer s.mu.Unlock()
	s.erase()
	s.status = text
	_, _ = io.WriteString(s.w, text)
}

// follow shows how far the story is until ctx ends: on a terminal all the time, elsewhere once a second.
func (s *screen) follow(ctx context.Context, st *story) {
	const perSecond = 10
	ticker := time.NewTicker(time.Second / perSecond)
	defer ticker.Stop()
	defer s.setStatus("")
	var past [perSecond]int // handled, by the tick
	for tick := 0; ; tick++ {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		c := st.tally.counts()
		rate := float64(c.done-past[tick%perSecond]) / min(float64(tick+1)/perSecond, 1)
		past[tick%perSecond] = c.done
		made, held := st.fleet.state()
		text := fmt.Sprintf("%d/%d handled, %.0f/s | %d in hand | %.3f calls each | %d failed",
			c.done, st.work.messages, rate, held, float64(made.all())/float64(max(c.done, 1)), made.failed)
		switch {
		case s.terminal:
			s.setStatus(fmt.Sprintf("%6.2fs  %s", time.Since(s.start).Seconds(), text))
		case tick%perSecond == perSecond-1:
			s.say("%s", text)
		}
	}
}
