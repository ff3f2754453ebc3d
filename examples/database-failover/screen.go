package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/awsha/awsha/failover"
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
	s.print(fmt.Sprintf("%7.2fs  %s\n", time.Since(s.start).Seconds(), fmt.Sprintf(format, args...)))
}

func (s *screen) print(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = io.WriteString(s.w, text)
}

// event shows what an engine or a drill tells.
func (s *screen) event(_ context.Context, ev failover.Event) {
	text := ev.Detail
	switch ev.Kind {
	case failover.KindMark:
	case failover.KindStarted, failover.KindLeased, failover.KindEnded, failover.KindStepDo, failover.KindStepDone, failover.KindStepFailed, failover.KindStepSkipped:
		text = string(ev.Kind)
		if ev.Step != "" {
			text += " " + ev.Step
		}
		if ev.Took > 0 {
			text += fmt.Sprintf(", %.2f s", ev.Took.Seconds())
		}
		if ev.Detail != "" {
			text += ": " + ev.Detail
		}
	default:
		return
	}
	if ev.Err != nil {
		text += ": " + ev.Err.Error()
	}
	s.say("%s", text)
}
