package main

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// report is what was measured.
type report struct {
	Messages    int     `json:"messages"`
	Workers     int     `json:"workers"`
	Concurrency int     `json:"concurrency"`
	HandlerMS   float64 `json:"handler_ms"`

	CallsPerMessage float64 `json:"calls_per_message"` // of the workers, failed ones and those of the killed worker included
	Receives        int     `json:"receive_calls"`
	Deletes         int     `json:"delete_calls"`
	Visibility      int     `json:"visibility_calls"`
	FailedCalls     int     `json:"failed_calls"` // of them; also those of which only entries failed

	Lost        int `json:"lost"`        // never handled to the end
	Duplicates  int `json:"duplicates"`  // times that a message was handled to the end once more
	Redelivered int `json:"redelivered"` // deliveries to handlers that SQS counted as a second or later one
	Foreign     int `json:"foreign"`     // deliveries of messages that are not of this run

	Killed   int `json:"killed_workers"`
	AtRisk   int `json:"undeleted_at_kill"` // handled by the killed worker, their delete not known: each may be a duplicate
	InFlight int `json:"in_flight_after_drain"`
	Left     int `json:"left_after_drain"` // in the queue, those in flight included
	Unsent   int `json:"unsent"`

	MessagesPerSecond float64 `json:"msgs_per_s"` // from the start of the workers to the last message
	TookMS            float64 `json:"took_ms"`
	DrainMS           float64 `json:"drain_ms"`
}

func (s *story) report(took, drained time.Duration, left numbers) *report {
	made, _ := s.fleet.state()
	c := s.tally.counts()
	w := s.work
	r := &report{
		Messages: w.messages, Workers: w.workers, Concurrency: w.concurrency, HandlerMS: ms(w.handler),
		CallsPerMessage: rounded(float64(made.all())/float64(w.messages), 1e4),
		Receives:        made.receives, Deletes: made.deletes, Visibility: made.visibility, FailedCalls: made.failed,
		Lost: c.sent - c.done, Duplicates: c.duplicates, Redelivered: c.redelivered, Foreign: c.foreign,
		AtRisk: s.atRisk, InFlight: left.inFlight, Left: left.all(), Unsent: w.messages - c.sent,
		TookMS: ms(took), DrainMS: ms(drained),
	}
	if !s.killed.IsZero() {
		r.Killed = 1
	}
	if took > 0 {
		r.MessagesPerSecond = rounded(float64(c.done)/took.Seconds(), 10)
	}
	return r
}

// ms is a duration in milliseconds, to the microsecond.
func ms(d time.Duration) float64 { return rounded(float64(d)/float64(time.Millisecond), 1000) }

func rounded(v, parts float64) float64 { return math.Round(v*parts) / parts }

// String is the report for people.
func (r *report) String() string {
	var b strings.Builder
	line := func(what, format string, args ...any) {
		fmt.Fprintf(&b, "%-22s "+format+"\n", append([]any{what}, args...)...)
	}
	b.WriteString("\n")
	line("messages", "%d in %.1f s, %.0f a second", r.Messages, r.TookMS/1000, r.MessagesPerSecond)
	line("calls a message", "%.3f: %d receive, %d delete, %d visibility; %d failed", r.CallsPerMessage, r.Receives, r.Deletes, r.Visibility, r.FailedCalls)
	line("lost", "%d", r.Lost)
	if r.Killed == 0 {
		line("duplicates", "%d", r.Duplicates)
		line("redelivered", "%d", r.Redelivered)
	} else {
		line("duplicates", "%d; the killed worker had handled %d and not deleted them", r.Duplicates, r.AtRisk)
		line("redelivered", "%d, which the killed worker held or a lost reply had leased to nobody", r.Redelivered)
	}
	line("in flight after drain", "%d; the drain took %.0f ms", r.InFlight, r.DrainMS)
	return b.String()
}
