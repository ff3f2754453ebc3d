package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// screen shows progress: lines, and on a terminal one more that is always
// up to date.
type screen struct {
	mu       sync.Mutex
	w        io.Writer
	terminal bool
	status   string
}

func newScreen(w io.Writer) *screen {
	s := &screen{w: w}
	if f, ok := w.(*os.File); ok {
		info, err := f.Stat()
		s.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return s
}

// say prints a line with the time of the story.
func (s *screen) say(format string, args ...any) {
	s.print(time.Now().UTC().Format("2006-01-02 15:04") + "  " + fmt.Sprintf(format, args...) + "\n")
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

// progress shows a bar, on a terminal only.
func (s *screen) progress(done, of int, text string) {
	if !s.terminal {
		return
	}
	const width = 30
	filled := width * done / max(of, 1)
	s.setStatus(fmt.Sprintf("[%s%s] %s", strings.Repeat("#", filled), strings.Repeat(".", width-filled), text))
}
