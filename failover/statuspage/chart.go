package statuspage

import (
	"slices"
	"strconv"
	"time"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/internal/htmlpage"
)

// Bounds of a page.
const (
	maxRows   = 200
	maxEvents = 2000
	maxMarks  = 50
)

// chart is what the SVG is made of. Places are in percent of the width, so that the drawing is as wide as the screen, and its letters are as large as all others.
type chart struct {
	Rows   []row
	Marks  []mark
	Ticks  []tick
	Height int
	Left   int // rows that were left out
}

// row is one bar, or several of one step.
type row struct {
	Name string
	Says string // how it ended, in words
	Bars []bar
	Y    int // of its text
	BarY int
}

type bar struct {
	X, Width string // percent
	Class    string // ok, bad, warn or soft
}

type mark struct {
	X    string
	Name string
	Y    int
}

type tick struct {
	X    string
	Text string
}

const (
	rowHeight = 40
	topHeight = 24 // of the ticks
)

// span is a row before it has a place.
type span struct {
	name, says string
	parts      []part
}

type part struct {
	from, to time.Time
	class    string
}

// spans reads the rows of a chart from events, which are ordered by time. What has not ended goes on to the end.
func spans(events []failover.Event) (list []span) {
	if len(events) == 0 {
		return nil
	}
	last := events[len(events)-1].Time
	add := func(name, says, class string, ev *failover.Event) {
		list = append(list, span{name, says, []part{{ev.Time.Add(-ev.Took), ev.Time, class}}})
	}
	places := make(map[string]int)
	begun := make(map[string]bool)
	for i := range events {
		ev := &events[i]
		switch ev.Kind {
		case failover.KindDowntime:
			add("no answer: "+ev.Detail, htmlpage.Span(ev.Took), "bad", ev)
		case failover.KindDetected:
			add("detection", htmlpage.Span(ev.Took), "warn", ev)
		case failover.KindLeased:
			add("lease", "after "+htmlpage.Span(ev.Took), "soft", ev)
		case failover.KindStepStarted:
			at, ok := places[ev.Step]
			if !ok {
				at = len(list)
				places[ev.Step] = at
				list = append(list, span{name: ev.Step})
			}
			list[at].says = "running"
			list[at].parts = append(list[at].parts, part{ev.Time, last, "warn"})
			begun[ev.Step] = true
		case failover.KindStepDone, failover.KindStepSkipped, failover.KindStepFailed, failover.KindStepNotRun, failover.KindStepUndone, failover.KindStepKept:
			at, ok := places[ev.Step]
			if !ok {
				at = len(list)
				places[ev.Step] = at
				list = append(list, span{name: ev.Step})
			}
			list[at].says = outcome(ev)
			if begun[ev.Step] {
				p := &list[at].parts[len(list[at].parts)-1]
				p.to, p.class = ev.Time, classOf(ev.Kind)
				begun[ev.Step] = false
			}
		}
	}
	return list
}

func outcome(ev *failover.Event) string {
	words := map[failover.Kind]string{
		failover.KindStepDone: "done", failover.KindStepSkipped: "was done before", failover.KindStepFailed: "FAILED", failover.KindStepNotRun: "not run",
		failover.KindStepUndone: "undone", failover.KindStepKept: "stays",
	}[ev.Kind]
	if ev.Took > 0 {
		words += " in " + htmlpage.Span(ev.Took)
	}
	return words
}

func classOf(k failover.Kind) string {
	switch k {
	case failover.KindStepDone, failover.KindStepUndone:
		return "ok"
	case failover.KindStepFailed:
		return "bad"
	case failover.KindStepKept:
		return "warn"
	}
	return "soft"
}

// beginning is where chart and table begin to count: an event is told when it ends, and what it tells of may have begun before all others.
func beginning(events []failover.Event, list []span) (from time.Time) {
	if len(events) > 0 {
		from = events[0].Time
	}
	for _, s := range list {
		for _, p := range s.parts {
			if p.from.Before(from) {
				from = p.from
			}
		}
	}
	return from
}

// draw makes the chart of events, which are ordered by time.
func draw(events []failover.Event, list []span, from time.Time) chart {
	var c chart
	if len(list) == 0 {
		return c
	}
	to := events[len(events)-1].Time
	whole := max(to.Sub(from), time.Millisecond)
	place := func(at time.Time) string { return percent(float64(at.Sub(from)) / float64(whole)) }
	if len(list) > maxRows {
		c.Left = len(list) - maxRows
		list = list[:maxRows]
	}
	for i, s := range list {
		r := row{Name: s.name, Says: s.says, Y: topHeight + i*rowHeight + 14, BarY: topHeight + i*rowHeight + 20}
		for _, p := range s.parts {
			r.Bars = append(r.Bars, bar{place(p.from), percent(max(float64(p.to.Sub(p.from))/float64(whole), 0.002)), p.class})
		}
		c.Rows = append(c.Rows, r)
	}
	c.Height = topHeight + len(list)*rowHeight + 4
	for i := range events {
		if ev := &events[i]; ev.Kind == failover.KindMark && len(c.Marks) < maxMarks && !ev.Time.Before(from) {
			c.Marks = append(c.Marks, mark{place(ev.Time), ev.Detail, c.Height + 14*(len(c.Marks)+1)})
		}
	}
	c.Ticks = ticks(whole)
	c.Height += 14*len(c.Marks) + 8
	return c
}

func percent(share float64) string { return strconv.FormatFloat(100*share, 'f', 2, 64) + "%" }

// steps of a scale.
var scale = []time.Duration{
	time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second,
	30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour,
	6 * time.Hour, 12 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour, 30 * 24 * time.Hour, 365 * 24 * time.Hour,
}

// ticks are at most five, at even times.
func ticks(whole time.Duration) (list []tick) {
	i := slices.IndexFunc(scale, func(d time.Duration) bool { return whole/d <= 4 })
	if i < 0 {
		i = len(scale) - 1
	}
	for at := time.Duration(0); at < whole-whole/12 && len(list) < 6; at += scale[i] { // right at the end there is no room for a text
		list = append(list, tick{percent(float64(at) / float64(whole)), "+" + at.String()})
	}
	return list
}
