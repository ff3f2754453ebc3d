package failover

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf8"
)

// Timeline is what happened in an execution, and when. The zero value is empty and ready. It is safe for concurrent use and
// can be read while the execution runs.
type Timeline struct {
	mu     sync.Mutex
	events []Event
}

// Mark adds something that the caller saw: "killed", "detected", "first good reply". A zero at means now.
func (t *Timeline) Mark(name string, at time.Time) {
	if at.IsZero() {
		at = time.Now()
	}
	t.add(Event{Time: at, Kind: KindMark, Detail: name})
}

// Downtime adds that a probe, such as a client that asks once a second, was without a good answer from one moment to another.
func (t *Timeline) Downtime(probe string, from, to time.Time) {
	t.add(Event{Time: to, Took: max(to.Sub(from), 0), Kind: KindDowntime, Detail: probe})
}

// Add adds an event as it is, for whoever gathers those that controllers and engines tell their OnEvent. A zero Time means now.
func (t *Timeline) Add(ev Event) {
	if ev.Time.IsZero() {
		ev.Time = time.Now()
	}
	t.add(ev)
}

func (t *Timeline) add(ev Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.events = append(t.events, ev)
}

// Events returns a copy of the events, ordered by time.
func (t *Timeline) Events() []Event {
	t.mu.Lock()
	events := slices.Clone(t.events)
	t.mu.Unlock()
	slices.SortStableFunc(events, func(a, b Event) int { return a.Time.Compare(b.Time) })
	return events
}

// StepReport is one step in a timeline.
type StepReport struct {
	ID      string
	Outcome Kind // KindStepDone, KindStepSkipped, KindStepFailed, KindStepNotRun, or of a rollback KindStepUndone or KindStepKept; empty while it runs
	Started time.Time
	Took    time.Duration // zero while it runs, and for a step that did not
	Attempt int           // calls of Do for the incident
	Err     error
}

// Steps returns a report for each step that has an event, ordered by its first. If the timeline covers several executions,
// the last one counts.
func (t *Timeline) Steps() []StepReport {
	var reports []StepReport
	place := map[string]int{}
	for _, ev := range t.Events() {
		if ev.Step == "" {
			continue
		}
		i, ok := place[ev.Step]
		if !ok {
			i = len(reports)
			place[ev.Step] = i
			reports = append(reports, StepReport{ID: ev.Step, Started: ev.Time})
		}
		r := &reports[i]
		r.Attempt = cmp.Or(ev.Attempt, r.Attempt)
		switch ev.Kind {
		case KindStepStarted:
			*r = StepReport{ID: ev.Step, Started: ev.Time, Attempt: r.Attempt}
		case KindStepDone, KindStepSkipped, KindStepFailed, KindStepNotRun, KindStepUndone, KindStepKept:
			r.Outcome, r.Took, r.Err = ev.Kind, ev.Took, ev.Err
		}
	}
	return reports
}

// String returns the timeline as a table, times relative to the first event. What steps and callers wrote is shown with control
// characters and other unprintable runes escaped, so that it can be sent to a terminal.
func (t *Timeline) String() string {
	events := t.Events()
	if len(events) == 0 {
		return "nothing happened\n"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "from %s\n", events[0].Time.UTC().Format(time.RFC3339))
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "AT\tEVENT\tSTEP\tATTEMPT\tTOOK\tDETAIL")
	for i := range events {
		ev := &events[i]
		var attempt, took string
		if ev.Attempt > 0 {
			attempt = strconv.Itoa(ev.Attempt)
		}
		if ev.Took > 0 {
			took = ev.Took.Round(time.Millisecond).String()
		}
		detail := ev.Detail
		if ev.Call != nil {
			detail = strings.TrimSuffix(fmt.Sprintf("%s %s %s", ev.Call.Service, ev.Call.Operation, ev.Call.RequestID), " ")
		}
		if ev.Err != nil {
			why := ev.Err.Error()
			var se *StepError
			if ev.Kind == KindStepFailed && errors.As(ev.Err, &se) {
				why = se.why() // the other columns have the rest
			}
			detail = strings.TrimPrefix(detail+": "+why, ": ")
		}
		offset := ev.Time.Sub(events[0].Time).Round(time.Millisecond)
		fmt.Fprintf(w, "+%s\t%s\t%s\t%s\t%s\t%s\n", offset, ev.Kind, printable(ev.Step), attempt, took, printable(detail))
	}
	_ = w.Flush() // a strings.Builder takes everything
	for line := range strings.Lines(table.String()) {
		b.WriteString(strings.TrimRight(line, " \n"))
		b.WriteByte('\n')
	}
	return b.String()
}

// MarshalJSON returns {"events": [...]}, ordered by time. Durations are milliseconds; offsets count from the first event.
func (t *Timeline) MarshalJSON() ([]byte, error) {
	type event struct {
		Time     time.Time `json:"time"`
		OffsetMS float64   `json:"offset_ms"`
		Kind     Kind      `json:"kind"`
		Incident string    `json:"incident,omitempty"`
		Service  string    `json:"service,omitempty"`
		Step     string    `json:"step,omitempty"`
		Attempt  int       `json:"attempt,omitempty"`
		TookMS   float64   `json:"took_ms,omitempty"`
		Error    string    `json:"error,omitempty"`
		Detail   string    `json:"detail,omitempty"`
		Call     *Call     `json:"call,omitempty"`
	}
	events := t.Events()
	out := make([]event, len(events))
	for i := range events {
		ev := &events[i]
		out[i] = event{
			Time: ev.Time.UTC(), OffsetMS: milliseconds(ev.Time.Sub(events[0].Time)), Kind: ev.Kind,
			Incident: ev.Incident, Service: ev.Service, Step: ev.Step, Attempt: ev.Attempt,
			TookMS: milliseconds(ev.Took), Detail: ev.Detail, Call: ev.Call,
		}
		if ev.Err != nil {
			out[i].Error = ev.Err.Error()
		}
	}
	return json.Marshal(struct {
		Events []event `json:"events"`
	}{out})
}

// printable escapes what a terminal might act on: control characters, escapes, direction overrides, broken UTF-8.
func printable(s string) string {
	var b strings.Builder
	for s != "" {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			quoted := strconv.QuoteRune(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		s = s[size:]
	}
	return b.String()
}
