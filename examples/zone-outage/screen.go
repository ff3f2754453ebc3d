package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/awsha/awsha/healthcheck"
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

func (s *screen) setStatus(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.erase()
	s.status = text
	_, _ = io.WriteString(s.w, text)
}

// follow keeps the status line up to date until ctx ends.
func (s *screen) follow(ctx context.Context, client *traffic, pool *healthcheck.Pool) {
	if !s.terminal {
		return
	}
	defer s.setStatus("")
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		var zones []string
		for _, z := range pool.Zones() {
			mark := "up"
			if !z.Up() {
				mark = "DOWN"
			}
			zones = append(zones, z.Zone+" "+mark)
		}
		sent, failed := client.count(time.Time{}, time.Time{})
		s.setStatus(fmt.Sprintf("%6.2fs  %s | %d requests, %d failed", time.Since(s.start).Seconds(), strings.Join(zones, ", "), sent, failed))
	}
}
