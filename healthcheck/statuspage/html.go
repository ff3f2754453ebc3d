package statuspage

import (
	"cmp"
	"html/template"
	"slices"
	"strconv"
	"time"

	"github.com/awsha/awsha/healthcheck"
	"github.com/awsha/awsha/internal/htmlpage"
)

// sheet is what the template gets.
type sheet struct {
	document
	Title   string
	Refresh int // seconds; 0: none
	Style   template.CSS
	Query   query
	States  []string
	Choices []choice // of the zone
	Prev    string   // query strings; empty: none
	Next    string
	AsJSON  string
}

func sheetOf(o Options, q query, d document) sheet {
	s := sheet{
		document: d, Title: o.Title, Refresh: int(o.Refresh / time.Second), Style: style, Query: q,
		AsJSON: q.link("format", "json", "page", strconv.Itoa(d.Page)),
	}
	for state := healthcheck.Initial; state <= healthcheck.Draining; state++ {
		s.States = append(s.States, state.String())
	}
	s.Choices = choicesOf(q, d.Zones)
	if d.Page > 1 {
		s.Prev = q.link("page", strconv.Itoa(d.Page-1))
	}
	if d.Page < d.Pages {
		s.Next = q.link("page", strconv.Itoa(d.Page+1))
	}
	return s
}

// choice is a zone that can be chosen in the form.
type choice struct {
	Value, Text string
	Chosen      bool
}

// choicesOf leaves out the zones whose names a browser would not send back as they are; they can be chosen by their links.
func choicesOf(q query, zones []zone) []choice {
	choices := []choice{{Value: anything, Text: "all"}}
	add := func(name string) {
		if shown := htmlpage.Visible(name); shown == name {
			choices = append(choices, choice{Value: name, Text: cmp.Or(shown, noZone), Chosen: name == q.Zone})
		}
	}
	for _, z := range zones {
		add(z.Zone)
	}
	if q.Zone != anything && !slices.ContainsFunc(zones, func(z zone) bool { return z.Zone == q.Zone }) {
		add(q.Zone) // had its last target taken away; the form says what is filtered all the same
	}
	return choices
}

const noZone = "(no zone)"

func functions() template.FuncMap {
	return template.FuncMap{
		"visible": func(s any) string { return htmlpage.Visible(text(s)) },
		"seconds": func(s float64) string { return htmlpage.Span(time.Duration(s * float64(time.Second))) },
		"stamp":   func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") },
		"iso":     func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"ago":     func(now, t time.Time) string { return htmlpage.Span(now.Sub(t)) },
		"link":    query.link,
		"percent": func(share float32) string { return strconv.Itoa(int(100*share)) + " %" },
		"count": func(n int, one, many string) string {
			if n == 1 {
				return "1 " + one
			}
			return strconv.Itoa(n) + " " + many
		},
	}
}

func text(s any) string {
	switch s := s.(type) {
	case string:
		return s
	case healthcheck.Reason:
		return string(s)
	}
	return ""
}

// markup is well-formed XML too, but for its first line, so that tests can read it strictly. Names from outside stand in bdi
// elements, so that those that are written from right to left move nothing else, and pass through visible.
const markup = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="color-scheme" content="light dark"/>
{{- if .Refresh}}
<meta http-equiv="refresh" content="{{.Refresh}}"/>
{{- end}}
<title>{{visible .Title}}: {{.Counts.Healthy}} of {{.Counts.Registered}} healthy</title>
<style>{{.Style}}</style>
</head>
<body>
<header>
<h1><bdi>{{visible .Title}}</bdi></h1>
<p><strong>{{.Counts.Healthy}} of {{.Counts.Registered}} healthy</strong>
{{- range .States}}{{if ne . "healthy"}}, <a href="{{link $.Query "state" .}}">{{$.Count .}} {{.}}</a>{{end}}{{end}}.
As of <time datetime="{{iso .Time}}">{{stamp .Time}}</time>.</p>
{{- if and .FailOpen .Counts.Registered}}
<p role="status"><strong class="warn">Failing open.</strong> Too few targets are healthy, so traffic goes to the others too.</p>
{{- end}}
{{- with .Local}}{{if .Degraded}}
<p role="status"><strong class="warn">The checker itself is late</strong> by up to {{seconds .LagSeconds}}{{if gt .Stretch 1}}, and checks {{.Stretch}} times as rarely{{end}}{{if .Exhausted}}; as many checks run as may{{end}}. Failures that its own delay may have caused do not count.</p>
{{- end}}{{end}}
</header>
<main>
<section aria-labelledby="zones">
<h2 id="zones">Zones</h2>
{{- if .Zones}}
<table role="table">
<thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">Zone</th><th role="columnheader" scope="col">Traffic</th>
{{- range .States}}<th role="columnheader" scope="col" class="n">{{.}}</th>{{end}}</tr></thead>
<tbody role="rowgroup">
{{- range .Zones}}
<tr role="row" class="zone">
<th role="rowheader" scope="row"><a href="{{link $.Query "zone" .Zone}}"><bdi>{{with .Zone}}{{visible .}}{{else}}` + noZone + `{{end}}</bdi></a></th>
<td role="cell" data-label="traffic">{{if .Up}}<span class="mark healthy">up</span>{{else}}<span class="mark unhealthy">{{if .Healthy}}too few healthy targets{{else}}no healthy target{{end}}</span>{{end}}{{if .Shifted}} <span class="mark warn">shifted away</span>{{end}}{{if .FailOpen}} <span class="mark warn">fails open</span>{{end}}</td>
<td role="cell" class="n" data-label="initial">{{.Initial}}</td>
<td role="cell" class="n" data-label="healthy">{{.Healthy}}</td>
<td role="cell" class="n" data-label="unhealthy">{{.Unhealthy}}</td>
<td role="cell" class="n" data-label="draining">{{.Draining}}</td>
</tr>
{{- end}}
</tbody>
</table>
{{- else}}
<p>No targets are registered.</p>
{{- end}}
</section>
<section aria-labelledby="targets">
<h2 id="targets">Targets</h2>
<form method="get">
<label>Zone <select name="zone">
{{- range .Choices}}<option value="{{.Value}}"{{if .Chosen}} selected="selected"{{end}}>{{.Text}}</option>{{end -}}
</select></label>
<label>State <select name="state"><option value="*">all</option>
{{- range .States}}<option value="{{.}}"{{if eq . $.Query.State}} selected="selected"{{end}}>{{.}}</option>{{end -}}
</select></label>
<label>Search <input type="search" name="q" maxlength="128" value="{{visible .Query.Search}}" placeholder="ID or address"/></label>
<input type="hidden" name="size" value="{{.Query.Size}}"/>
<button type="submit">Show</button>
</form>
<p>{{count .Matched "target" "targets"}}, those in trouble first. <a href="{{.AsJSON}}">As JSON</a></p>
{{- if .Targets}}
<table role="table">
<thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">Target</th><th role="columnheader" scope="col">State</th><th role="columnheader" scope="col">Why</th><th role="columnheader" scope="col">Latest check</th></tr></thead>
<tbody role="rowgroup">
{{- range .Targets}}
<tr role="row" class="target">
<th role="rowheader" scope="row"><bdi class="id">{{visible .ID}}</bdi> <small><bdi>{{visible .Addr}}</bdi>{{if .Host}} <bdi>{{visible .Host}}</bdi>{{end}}{{if .Zone}} in <bdi>{{visible .Zone}}</bdi>{{end}}</small></th>
<td role="cell" data-label="state"><span class="mark {{.State}}">{{.State}}</span>{{if .Ejected}} <span class="mark unhealthy">ejected</span>{{end}}{{if .Override}} <span class="mark warn">overridden: {{.Override}}</span>{{end}} <small>for <time datetime="{{iso .Since}}">{{ago $.Time .Since}}</time></small>{{if .SlowStart}} <small>slow start: {{percent .SlowStart}} of its share</small>{{end}}{{if .Outstanding}} <small>{{count .Outstanding "request" "requests"}} under way</small>{{end}}</td>
<td role="cell" data-label="why">{{if .Reason}}<bdi>{{visible .Reason}}</bdi> <small><bdi>{{visible .Detail}}</bdi></small>{{else}}–{{end}}</td>
<td role="cell" data-label="check">{{with .Last}}{{.Outcome}}{{if .Code}} with code {{.Code}}{{end}} in {{seconds .TotalSeconds}} <small>{{ago $.Time .Start}} ago, {{seconds .LagSeconds}} late{{if .Reused}}, connection reused{{end}}{{if .RemoteAddr}}, at <bdi>{{visible .RemoteAddr}}</bdi>{{end}}{{if ne .Detail ""}}: <bdi>{{visible .Detail}}</bdi>{{end}}{{if .Error}} (<bdi>{{visible .Error}}</bdi>){{end}}</small>{{else}}none yet{{end}}
{{- if gt .Fails 1}} <small>{{.Fails}} failures in a row</small>{{end}}{{if and (gt .Passes 1) (eq .State.String "unhealthy")}} <small>{{.Passes}} passes in a row</small>{{end}}</td>
</tr>
{{- end}}
</tbody>
</table>
{{- end}}
<nav aria-label="Pages">
{{- if .Prev}}<a rel="prev" href="{{.Prev}}">Previous</a>{{end}}
<span>Page {{.Page}} of {{.Pages}}</span>
{{if .Next}}<a rel="next" href="{{.Next}}">Next</a>{{end -}}
</nav>
</section>
</main>
</body>
</html>
`

// Count is the number of targets in the state of that name.
func (s sheet) Count(state string) int {
	switch state {
	case "initial":
		return s.Counts.Initial
	case "healthy":
		return s.Counts.Healthy
	case "unhealthy":
		return s.Counts.Unhealthy
	case "draining":
		return s.Counts.Draining
	}
	return 0
}
