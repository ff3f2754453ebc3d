package main

import (
	"bytes"
	"fmt"
	"html"
	"slices"
	"strings"
	"time"

	"github.com/awsha/awsha/snapshot"
)

// The calendar: a column for each week, a row for each day of it.
const (
	cell   = 11 // pixels from one day to the next
	square = 9
	left   = 4
	top    = 16
)

// page is a document that shows which days are kept, in each region.
func (r *report) page() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Snapshots of %[1]s</title><style>
body{font:14px system-ui,sans-serif;margin:2em;color:#222;background:#fff}
text{font:10px system-ui,sans-serif;fill:#666} .no{fill:#eee} .yes{fill:#2a7} .some{fill:#9d8} .held{fill:#d90} .goes{fill:#c44}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}.no{fill:#2a2a2a}}
</style></head><body><h1>Snapshots of %[1]s</h1>
<p>Kept: %[2]s. Each square is a day: <b style="color:#2a7">all volumes</b> are kept, <b style="color:#9d8">some</b> are, a <b style="color:#d90">hold</b> keeps them, or they <b style="color:#c44">go</b> next.</p>
`, html.EscapeString(r.plan.Policy.Name), html.EscapeString(r.plan.Policy.Retain.String()))
	for _, region := range r.plan.Regions {
		fmt.Fprintf(&b, "<h2>%s</h2>\n", html.EscapeString(region.Region))
		r.strip(&b, region.Decisions)
	}
	b.WriteString("</body></html>\n")
	return b.Bytes()
}

// night is what is decided of the snapshots of a day.
type night struct {
	kept, held, gone int
	why              []string
}

// strip draws the days of a region.
func (r *report) strip(b *bytes.Buffer, decisions []snapshot.Decision) {
	nights := map[time.Time]*night{}
	end := r.plan.At.Truncate(day)
	begin := end.Add(-time.Duration(r.Days) * day)
	series := map[string]bool{}
	for i := range decisions {
		d := &decisions[i]
		at := d.Item.Time.UTC().Truncate(day)
		n := nights[at]
		if n == nil {
			n = &night{}
			nights[at] = n
		}
		series[d.Item.Series] = true
		switch d.Action {
		case snapshot.Keep:
			n.kept++
		case snapshot.Held:
			n.held++
		default:
			n.gone++
		}
		if why := d.Action.String() + ": " + d.Why(); !slices.Contains(n.why, why) {
			n.why = append(n.why, why)
		}
		if at.Before(begin) {
			begin = at
		}
	}
	begin = begin.Add(-time.Duration((begin.Weekday()+6)%7) * day) // a Monday
	weeks := int(end.Sub(begin)/(7*day)) + 1
	fmt.Fprintf(b, "<svg width=\"%d\" height=\"%d\" role=\"img\">\n", 2*left+weeks*cell, top+7*cell)
	for at := begin; !at.After(end); at = at.Add(day) {
		n := int(at.Sub(begin) / day)
		x, y := left+n/7*cell, top+n%7*cell
		if at.Day() == 1 {
			fmt.Fprintf(b, "<text x=\"%d\" y=\"10\">%s</text>", x, label(at))
		}
		class, title := "no", at.Format(time.DateOnly)
		if one := nights[at]; one != nil {
			class = one.class(len(series))
			title += fmt.Sprintf(": %d kept, %d held, %d go\n%s", one.kept, one.held, one.gone, strings.Join(one.why, "\n"))
		}
		fmt.Fprintf(b, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"><title>%s</title></rect>\n",
			class, x, y, square, square, html.EscapeString(title))
	}
	b.WriteString("</svg>\n")
}

func (n *night) class(series int) string {
	switch {
	case n.kept >= series:
		return "yes"
	case n.kept > 0:
		return "some"
	case n.held > 0:
		return "held"
	}
	return "goes"
}

// label is the name of a month, and in January the year.
func label(at time.Time) string {
	if at.Month() == time.January {
		return at.Format("2006")
	}
	return at.Format("Jan")
}
