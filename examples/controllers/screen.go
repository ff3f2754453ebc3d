package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// screen shows progress.
type screen struct {
	mu    sync.Mutex
	w     io.Writer
	start time.Time
}

func newScreen(w io.Writer) *screen { return &screen{w: w, start: time.Now()} }

// say prints a line with the time since the start.
func (s *screen) say(format string, args ...any) {
	s.print(fmt.Sprintf("%6.2fs  %s\n", time.Since(s.start).Seconds(), fmt.Sprintf(format, args...)))
}

func (s *screen) print(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = io.WriteString(s.w, text)
}
