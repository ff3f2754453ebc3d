package statuspage

import (
	"bytes"
	"errors"
	"html/template"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/internal/htmlpage"
)

// TimelineOptions configure the page of a timeline. Every zero value means the default that its comment names.
type TimelineOptions struct {
	// Title is the heading. Default "Timeline".
	Title string

	// Plan is what was executed: its critical path is shown beside what was measured. Nil shows none.
	Plan *failover.Plan

	// Lines stand above the summary, such as the verdict of a drill. Nil: none.
	Lines []Line
}

// Line is one of a summary.
type Line struct {
	What, Is string // texts of any kind: they are shown as they are, the second cut to 512 characters
	Tone     Tone
}

// Tone is the colour of a line. It says nothing that the words do not. The zero Tone is plain.
type Tone int

// The tones.
const (
	Plain Tone = iota
	Good
	Warn
	Bad
)

func (t Tone) class() string {
	switch t {
	case Good:
		return "ok"
	case Warn:
		return "warn"
	case Bad:
		return "bad"
	default:
		return ""
	}
}

// WriteTimeline writes a page of a timeline, complete in itself. One that still grows is shown as it is now. The error is that of w.
func WriteTimeline(w io.Writer, t *failover.Timeline, optFns ...func(*TimelineOptions)) error {
	var o TimelineOptions
	for _, fn := range optFns {
		fn(&o)
	}
	var page bytes.Buffer
	if err := timelinePage.Execute(&page, sheetOf(t, o)); err != nil {
		return err
	}
	_, err := page.WriteTo(w)
	return err
}

// TimelineHandler serves the page of what source returns, such as the timeline of the drill that runs. Nil is answered with 404. It is safe for concurrent use if source is.
func TimelineHandler(source func() *failover.Timeline, optFns ...func(*TimelineOptions)) http.Handler {
	policy := htmlpage.Policy(style)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !htmlpage.Begin(w, r, policy) {
			return
		}
		serveTimeline(w, r, source(), optFns...)
	})
}

func serveTimeline(w http.ResponseWriter, r *http.Request, t *failover.Timeline, optFns ...func(*TimelineOptions)) {
	if t == nil {
		http.Error(w, "there is no timeline", http.StatusNotFound)
		return
	}
	var page bytes.Buffer
	if err := WriteTimeline(&page, t, optFns...); err != nil {
		http.Error(w, "the timeline cannot be shown", http.StatusInternalServerError)
		return
	}
	htmlpage.Send(w, r, htmlpage.HTML, &page)
}

// timelineSheet is what the template gets.
type timelineSheet struct {
	Title  string
	Style  template.CSS
	Chart  chart
	Facts  []fact
	Events []line
	Left   int // events that were left out
}

// fact is a line of the summary.
type fact struct{ What, Is, Class string }

// line is an event in the table.
type line struct {
	Time    time.Time
	Offset  string
	Kind    string
	Class   string
	Step    string
	Attempt int
	Took    string
	Call    string
	Request string
	Detail  string
	Error   string
}

func sheetOf(t *failover.Timeline, o TimelineOptions) timelineSheet {
	events := t.Events()
	s := timelineSheet{Title: o.Title, Style: style}
	for _, l := range o.Lines {
		s.Facts = append(s.Facts, fact{l.What, l.Is, l.Tone.class()})
	}
	s.Facts = append(s.Facts, facts(events, o.Plan)...)
	if s.Title == "" {
		s.Title = "Timeline"
	}
	list := spans(events)
	from := beginning(events, list)
	s.Chart = draw(events, list, from)
	for i := range events {
		if i == maxEvents {
			s.Left = len(events) - i
			break
		}
		s.Events = append(s.Events, lineOf(&events[i], from))
	}
	return s
}

func lineOf(ev *failover.Event, from time.Time) line {
	l := line{
		Time: ev.Time, Offset: ev.Time.Sub(from).Round(time.Millisecond).String(), Kind: string(ev.Kind), Step: ev.Step, Attempt: ev.Attempt, Detail: ev.Detail,
	}
	if ev.Took > 0 {
		l.Took = htmlpage.Span(ev.Took)
	}
	if ev.Call != nil {
		l.Call, l.Request = ev.Call.Service+" "+ev.Call.Operation, ev.Call.RequestID
	}
	if ev.Err != nil {
		l.Error, l.Class = htmlpage.ErrorText(ev.Err), "bad"
		if ev.Kind == failover.KindStepFailed {
			l.Error = why(ev.Err)
		}
	}
	return l
}

// why is the text of the error of a step without the name of the step, which stands beside it.
func why(err error) string {
	step, ok := errors.AsType[*failover.StepError](err)
	switch {
	case !ok:
		return htmlpage.ErrorText(err)
	case step.Last != nil:
		return htmlpage.ErrorText(step.Err) + ": last error: " + htmlpage.ErrorText(step.Last)
	}
	return htmlpage.ErrorText(step.Err)
}

// facts are the summary.
func facts(events []failover.Event, plan *failover.Plan) (list []fact) {
	var detection, downtime, total time.Duration
	ends := make(map[string]failover.Kind)
	var calls int
	for i := range events {
		ev := &events[i]
		switch ev.Kind {
		case failover.KindDetected:
			detection = max(detection, ev.Took)
		case failover.KindDowntime:
			downtime = max(downtime, ev.Took)
		case failover.KindEnded:
			total += ev.Took
		case failover.KindCall:
			calls++
		case failover.KindStepDone, failover.KindStepSkipped, failover.KindStepFailed, failover.KindStepNotRun, failover.KindStepUndone, failover.KindStepKept:
			ends[ev.Step] = ev.Kind
		}
	}
	add := func(what string, d time.Duration) {
		if d > 0 {
			list = append(list, fact{What: what, Is: htmlpage.Span(d)})
		}
	}
	add("Without an answer (RTO)", downtime)
	add("Detection", detection)
	add("Execution", total)
	if plan != nil {
		if path, estimate := plan.CriticalPath(); len(path) > 0 {
			list = append(list, fact{What: "Critical path, estimated", Is: htmlpage.Span(estimate) + ": " + strings.Join(path, ", ")})
		}
	}
	if len(ends) > 0 {
		counts := make(map[failover.Kind]int)
		for _, kind := range ends {
			counts[kind]++
		}
		var texts []string
		for _, k := range []failover.Kind{
			failover.KindStepDone, failover.KindStepSkipped, failover.KindStepFailed, failover.KindStepNotRun, failover.KindStepUndone, failover.KindStepKept,
		} {
			if n := counts[k]; n > 0 {
				texts = append(texts, count(n)+" "+strings.TrimPrefix(string(k), "step "))
			}
		}
		list = append(list, fact{What: "Steps", Is: strings.Join(texts, ", ")})
	}
	if calls > 0 {
		list = append(list, fact{What: "AWS calls", Is: count(calls)})
	}
	return list
}
