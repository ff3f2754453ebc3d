package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/awsha/awsha/healthcheck"
)

// screen shows what happens: as lines, and on a terminal with a table of the pool below them that is always up to date.
type screen struct {
	pool   *healthcheck.Pool
	client *client
	start  time.Time

	mu       sync.Mutex
	w        io.Writer
	terminal bool
	drawn    int // lines of the table that are on the terminal
}

func newScreen(w io.Writer, pool *healthcheck.Pool, client *client) *screen {
	s := &screen{w: w, pool: pool, client: client, start: time.Now()}
	if f, ok := w.(*os.File); ok {
		info, err := f.Stat()
		s.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return s
}

// say prints a line with the time since the start.
func (s *screen) say(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.erase()
	fmt.Fprintf(s.w, "%6.2fs  %s\n", time.Since(s.start).Seconds(), fmt.Sprintf(format, args...))
	s.draw()
}

// run keeps the table up to date until ctx ends.
func (s *screen) run(ctx context.Context) error {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			s.mu.Lock()
			s.erase()
			s.draw()
			s.mu.Unlock()
		case <-ctx.Done():
			return context.Cause(ctx) // the last table stays
		}
	}
}

func (s *screen) erase() {
	if s.drawn > 0 {
		fmt.Fprintf(s.w, "\x1b[%dA\x1b[J", s.drawn)
		s.drawn = 0
	}
}

func (s *screen) draw() {
	if !s.terminal {
		return
	}
	text := s.table()
	_, _ = io.WriteString(s.w, text)
	s.drawn = strings.Count(text, "\n")
}

// table is the pool at this moment.
func (s *screen) table() string {
	var b strings.Builder
	requests, failed := s.client.counts()
	fmt.Fprintf(&b, "\n%d requests, %d failed\n\n", requests, failed)
	view := s.pool.View()
	rows := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(rows, "ZONE\tTARGET\tSTATE\tFOR\tLAST CHECK")
	for id, status := range view.All() {
		last := string(status.Last.Reason)
		if status.Last.Outcome == healthcheck.Pass {
			last = fmt.Sprintf("%d in %.1f ms", status.Last.Code, ms(status.Last.Total))
		}
		fmt.Fprintf(rows, "%s\t%s\t%s\t%.1f s\t%s\n", status.Target.Zone, id, status.State, time.Since(status.Since).Seconds(), last)
	}
	_ = rows.Flush() // into memory
	return b.String()
}
