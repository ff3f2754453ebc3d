package statuspage

import (
	"html/template"
	"strconv"
	"time"

	"github.com/awsha/awsha/internal/htmlpage"
)

// style adds the chart, which is as wide as the page.
const style = htmlpage.Style + `svg{display:block;width:100%;font:.85rem system-ui,sans-serif;fill:currentColor}
svg .ok{fill:var(--ok)}
svg .bad{fill:var(--bad)}
svg .warn{fill:var(--wait)}
svg .soft{fill:var(--soft)}
svg line{stroke:var(--line)}
svg line.mark{stroke:currentColor;stroke-dasharray:3 3}
dl{display:grid;grid-template-columns:auto 1fr;gap:.2rem 1rem;margin:.6rem 0}
dt{color:var(--soft)}
dd{margin:0}
@media print{svg,tr{break-inside:avoid}}
`

func count(n int) string { return strconv.Itoa(n) }

func functions() template.FuncMap {
	return template.FuncMap{
		"visible": htmlpage.Visible,
		"reason":  htmlpage.Reason,
		"stamp":   func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000Z") },
		"iso":     func(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) },
		"span":    htmlpage.Span,
		"ago":     func(now, t time.Time) string { return htmlpage.Span(now.Sub(t)) },
	}
}

var timelinePage = template.Must(template.New("timeline").Funcs(functions()).Parse(timelineMarkup))

// timelineMarkup is well-formed XML too, but for its first line. Names from outside stand in bdi elements, and pass through visible.
const timelineMarkup = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="color-scheme" content="light dark"/>
<title>{{visible .Title}}</title>
<style>{{.Style}}</style>
</head>
<body>
<header><h1><bdi>{{visible .Title}}</bdi></h1></header>
<main>
{{- if .Facts}}
<dl>
{{- range .Facts}}<dt><bdi>{{visible .What}}</bdi></dt><dd{{if .Class}} class="{{.Class}}"{{end}}><bdi>{{reason .Is}}</bdi></dd>{{end}}
</dl>
{{- end}}
{{- with .Chart}}{{if .Rows}}
<section aria-labelledby="chart">
<h2 id="chart">What happened when</h2>
<svg role="img" aria-labelledby="chart" height="{{.Height}}" xmlns="http://www.w3.org/2000/svg">
<title>Bars of times: without an answer, detection, lease, steps. The table below says the same.</title>
{{- $height := .Height}}
{{- range .Ticks}}<line x1="{{.X}}" x2="{{.X}}" y1="16" y2="{{$height}}"/><text x="{{.X}}" y="12" dx="2" class="soft">{{.Text}}</text>{{end}}
{{- range .Rows}}
<g><title>{{visible .Name}}: {{visible .Says}}</title>
{{- $y := .BarY}}{{range .Bars}}<rect x="{{.X}}" width="{{.Width}}" y="{{$y}}" height="12" rx="2" class="{{.Class}}"/>{{end}}
<text x="0" y="{{.Y}}">{{visible .Name}} <tspan class="soft">{{visible .Says}}</tspan></text></g>
{{- end}}
{{- range .Marks}}
<g><line class="mark" x1="{{.X}}" x2="{{.X}}" y1="16" y2="{{.Y}}"/><text x="0" y="{{.Y}}" dx="4">┆ {{visible .Name}}</text></g>
{{- end}}
</svg>
{{- if .Left}}<p>{{.Left}} more are not drawn.</p>{{end}}
</section>
{{- end}}{{end}}
<section aria-labelledby="events">
<h2 id="events">Events</h2>
{{- if .Events}}
<table role="table">
<thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">At</th><th role="columnheader" scope="col">Event</th><th role="columnheader" scope="col">Step</th><th role="columnheader" scope="col">Took</th><th role="columnheader" scope="col">What</th></tr></thead>
<tbody role="rowgroup">
{{- range .Events}}
<tr role="row" class="event">
<td role="cell" data-label="at">+{{.Offset}} <small><time datetime="{{iso .Time}}">{{stamp .Time}}</time></small></td>
<td role="cell" data-label="event"><span class="mark {{.Class}}"><bdi>{{visible .Kind}}</bdi></span></td>
<td role="cell" data-label="step"><bdi>{{visible .Step}}</bdi>{{if .Attempt}} <small>attempt {{.Attempt}}</small>{{end}}</td>
<td role="cell" data-label="took">{{.Took}}</td>
<td role="cell" data-label="what">{{if .Call}}<bdi>{{visible .Call}}</bdi>{{if .Request}} <small>request <bdi>{{visible .Request}}</bdi></small>{{end}}{{end}}{{if .Detail}}<bdi>{{reason .Detail}}</bdi>{{end}}{{if .Error}} <small class="bad"><bdi>{{reason .Error}}</bdi></small>{{end}}</td>
</tr>
{{- end}}
</tbody>
</table>
{{- if .Left}}<p>{{.Left}} more events are not shown.</p>{{end}}
{{- else}}
<p>Nothing has happened.</p>
{{- end}}
</section>
</main>
</body>
</html>
`
