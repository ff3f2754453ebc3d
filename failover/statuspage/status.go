package statuspage

import (
	"bytes"
	"encoding/json"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/internal/htmlpage"
)

// Options are those of Handler. Every zero value means the default that its comment names.
type Options struct {
	// Title is the heading. Default "Failover".
	Title string

	// Refresh is how often a browser loads the page again, in whole seconds, at least 1 s. Default never.
	Refresh time.Duration
}

// How much a page and a document have: of services, and of the votes and the steps of each.
const (
	maxServices = 500
	maxVotes    = 200
	maxSteps    = 1000
)

// Handler serves the status of a controller, at whatever path it is mounted: as a page, or as JSON for ?format=json or a client that accepts only that; with
// ?timeline=SERVICE the page of the timeline of that service's incident, as far as this controller executes it. The source must not be nil. It is safe for
// concurrent use.
//
// Methods other than GET and HEAD get 405, a format or a service that is not there 400 or 404. No answer is to be cached.
func Handler(source Source, optFns ...func(*Options)) http.Handler {
	var o Options
	for _, fn := range optFns {
		fn(&o)
	}
	if o.Title == "" {
		o.Title = "Failover"
	}
	if o.Refresh != 0 {
		o.Refresh = max(o.Refresh.Truncate(time.Second), time.Second)
	}
	return &handler{source, o, htmlpage.Policy(style)}
}

type handler struct {
	source Source
	opts   Options
	policy string
}

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !htmlpage.Begin(w, r, h.policy) {
		return
	}
	w.Header().Set("Vary", "Accept")
	query := r.URL.Query()
	format := query.Get("format")
	if format != "" && format != "json" && format != "html" {
		http.Error(w, "format must be json or html", http.StatusBadRequest)
		return
	}
	status := h.source.Status()
	if query.Has("timeline") {
		h.timeline(w, r, &status, query.Get("timeline"))
		return
	}
	asJSON := format == "json" || format == "" && wantsJSON(r.Header.Get("Accept"))
	kind := htmlpage.HTML
	var body bytes.Buffer
	var err error
	if asJSON {
		kind = htmlpage.JSON
		enc := json.NewEncoder(&body)
		enc.SetIndent("", "  ")
		err = enc.Encode(documentOf(&status))
	} else {
		err = statusPage.Execute(&body, h.sheet(&status))
	}
	if err != nil {
		http.Error(w, "the status cannot be shown", http.StatusInternalServerError)
		return
	}
	htmlpage.Send(w, r, kind, &body)
}

// wantsJSON tells a client that names JSON and no page.
func wantsJSON(accept string) bool {
	return strings.Contains(accept, "application/json") && !strings.Contains(accept, "text/html")
}

func (h *handler) timeline(w http.ResponseWriter, r *http.Request, s *failover.Status, service string) {
	for i := range s.Services {
		if one := &s.Services[i]; one.Name == service {
			serveTimeline(w, r, one.Timeline, func(o *TimelineOptions) { o.Title, o.Plan = one.Incident, one.Plan })
			return
		}
	}
	http.Error(w, "there is no such service", http.StatusNotFound)
}

// document is the JSON, and what the page is made of.
type document struct {
	Version    int       `json:"version"`
	Time       time.Time `json:"time"`
	Controller string    `json:"controller"`
	Zone       string    `json:"zone,omitempty"`
	Leading    bool      `json:"leading"`
	Leader     string    `json:"leader,omitempty"`
	Unwell     string    `json:"unwell,omitempty"`
	Services   []service `json:"services"`
	Left       int       `json:"left,omitempty"` // services that are not shown
}

type service struct {
	Name     string             `json:"service"`
	Verdict  failover.Verdict   `json:"verdict"`
	Since    time.Time          `json:"since,omitzero"`
	Reason   string             `json:"reason,omitempty"`
	Votes    []vote             `json:"votes"`
	Unshown  int                `json:"left,omitempty"` // votes and steps that are not shown
	Incident string             `json:"incident,omitempty"`
	Held     string             `json:"held,omitempty"`
	Proposed *failover.Proposal `json:"proposed,omitempty"`
	GivenUp  bool               `json:"given_up,omitempty"`
	Steps    []step             `json:"steps,omitempty"`
	Timeline bool               `json:"-"`
}

type vote struct {
	Observer string           `json:"observer"`
	Zone     string           `json:"zone,omitempty"`
	Verdict  failover.Verdict `json:"verdict"`
	Evidence string           `json:"evidence,omitempty"`
	AgeMS    float64          `json:"age_ms"`
}

// step is a step of the plan of an incident: the graph, and how far it is.
type step struct {
	ID      string   `json:"id"`
	Needs   []string `json:"needs,omitempty"`
	Plane   string   `json:"plane"`
	State   string   `json:"state"`
	Class   string   `json:"-"`
	Attempt int      `json:"attempt,omitempty"`
	TookMS  float64  `json:"took_ms,omitempty"`
	Error   string   `json:"error,omitempty"`
}

func documentOf(s *failover.Status) document {
	d := document{
		Version: 1, Time: s.Time.UTC(), Controller: s.Controller, Zone: s.Zone, Leading: s.Leading, Leader: s.Leader, Services: make([]service, 0, len(s.Services)),
	}
	if s.Unwell != nil {
		d.Unwell = short(htmlpage.ErrorText(s.Unwell))
	}
	for i := range s.Services {
		if i == maxServices {
			d.Left = len(s.Services) - i
			break
		}
		d.Services = append(d.Services, serviceOf(&s.Services[i]))
	}
	return d
}

func serviceOf(s *failover.ServiceStatus) service {
	one := service{
		Name: s.Name, Verdict: s.Verdict, Since: s.Since, Reason: s.Reason, Votes: make([]vote, 0, len(s.Votes)),
		Incident: s.Incident, Held: s.Held, Proposed: s.Proposed, GivenUp: s.GivenUp, Timeline: s.Timeline != nil,
	}
	for i, v := range s.Votes {
		if i == maxVotes {
			one.Unshown = len(s.Votes) - i
			break
		}
		one.Votes = append(one.Votes, vote{short(v.Observer), short(v.Zone), v.Verdict, short(v.Evidence), float64(v.Age.Microseconds()) / 1000})
	}
	if s.Plan != nil {
		one.Steps = stepsOf(s.Plan, s.Timeline)
		if more := len(one.Steps) - maxSteps; more > 0 {
			one.Steps, one.Unshown = one.Steps[:maxSteps], one.Unshown+more
		}
	}
	return one
}

// short bounds a text of the document.
func short(text string) string {
	if len(text) <= htmlpage.MaxReason {
		return text
	}
	return strings.ToValidUTF8(text[:htmlpage.MaxReason], "") + "…"
}

// stepsOf are the steps of a plan in an order in which each comes after what it needs.
func stepsOf(p *failover.Plan, t *failover.Timeline) (list []step) {
	reports := make(map[string]failover.StepReport)
	if t != nil {
		for _, r := range t.Steps() {
			reports[r.ID] = r
		}
	}
	byID := make(map[string]failover.Step, len(p.Steps))
	for _, s := range p.Steps {
		byID[s.ID()] = s
	}
	for _, id := range p.Order() {
		s := step{ID: id, Needs: byID[id].Needs(), Plane: byID[id].Plane().String(), State: "waits", Class: "soft"}
		if r, ok := reports[id]; ok {
			s.State, s.Class, s.Attempt, s.TookMS = "running", "warn", r.Attempt, float64(r.Took.Microseconds())/1000
			if r.Outcome != "" {
				s.State, s.Class = strings.TrimPrefix(string(r.Outcome), "step "), classOf(r.Outcome)
			}
			if r.Err != nil {
				s.Error = short(why(r.Err))
			}
		}
		list = append(list, s)
	}
	return list
}

// statusSheet is what the template gets.
type statusSheet struct {
	document

	Title   string
	Refresh int // seconds; 0: none
	Style   template.CSS
}

func (h *handler) sheet(s *failover.Status) statusSheet {
	return statusSheet{documentOf(s), h.opts.Title, int(h.opts.Refresh / time.Second), style}
}

// Link is the query of the page of the service's timeline.
func (s service) Link() string { return "?" + url.Values{"timeline": {s.Name}}.Encode() }

// Class is that of the verdict.
func (s service) Class() string { return verdictClass(s.Verdict) }

// Class is that of the verdict.
func (v vote) Class() string { return verdictClass(v.Verdict) }

// Age is for people.
func (v vote) Age() string {
	return htmlpage.Span(min(time.Duration(v.AgeMS*float64(time.Millisecond)), 365*24*time.Hour))
}

func verdictClass(v failover.Verdict) string {
	switch v {
	case failover.Healthy:
		return "ok"
	case failover.Failed:
		return "bad"
	case failover.Suspect:
		return "warn"
	}
	return "soft"
}

var statusPage = template.Must(template.New("status").Funcs(functions()).Parse(statusMarkup))

// statusMarkup is well-formed XML too, but for its first line.
const statusMarkup = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="color-scheme" content="light dark"/>
{{- if .Refresh}}
<meta http-equiv="refresh" content="{{.Refresh}}"/>
{{- end}}
<title>{{visible .Title}}</title>
<style>{{.Style}}</style>
</head>
<body>
<header>
<h1><bdi>{{visible .Title}}</bdi></h1>
<p>Controller <strong><bdi>{{visible .Controller}}</bdi></strong>{{if .Zone}} in <bdi>{{visible .Zone}}</bdi>{{end}}:
{{- if .Leading}} <strong class="ok">leads</strong>{{else}} stands by{{if .Leader}}; <bdi>{{visible .Leader}}</bdi> leads{{end}}{{end}}.
As of <time datetime="{{iso .Time}}">{{stamp .Time}}</time>. <a href="?format=json">As JSON</a></p>
{{- if .Unwell}}
<p role="status"><strong class="bad">This controller cannot judge others.</strong> <bdi>{{reason .Unwell}}</bdi></p>
{{- end}}
</header>
<main>
{{- range .Services}}
<section class="service">
<h2><bdi>{{visible .Name}}</bdi> <span class="mark {{.Class}}">{{.Verdict}}</span></h2>
<p><bdi>{{reason .Reason}}</bdi>{{if not .Since.IsZero}}, for {{ago $.Time .Since}}{{end}}</p>
{{- if .Held}}
<p role="status"><strong class="warn">Held.</strong> <bdi>{{reason .Held}}</bdi></p>
{{- end}}
{{- with .Proposed}}
<p role="status"><strong class="warn">Waits for an approval:</strong> <bdi>{{visible .Incident}}</bdi>, which reaches the {{visible .Blast}}. <bdi>{{reason .Cause}}</bdi></p>
{{- end}}
{{- if .Incident}}
<p>Incident <strong><bdi>{{visible .Incident}}</bdi></strong>{{if .GivenUp}} <strong class="bad">given up: somebody has to look</strong>{{end}}{{if .Timeline}} <a href="{{.Link}}">Timeline</a>{{end}}</p>
{{- end}}
{{- if .Steps}}
<table role="table">
<thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">Step</th><th role="columnheader" scope="col">State</th><th role="columnheader" scope="col">Needs</th></tr></thead>
<tbody role="rowgroup">
{{- range .Steps}}
<tr role="row" class="step"><th role="rowheader" scope="row"><bdi>{{visible .ID}}</bdi> <small>{{.Plane}}</small></th><td role="cell" data-label="state"><span class="mark {{.Class}}">{{.State}}</span>{{if .Attempt}} <small>attempt {{.Attempt}}</small>{{end}}{{if .Error}} <small class="bad"><bdi>{{reason .Error}}</bdi></small>{{end}}</td><td role="cell" data-label="needs">{{range $i, $need := .Needs}}{{if $i}}, {{end}}<bdi>{{visible $need}}</bdi>{{else}}–{{end}}</td></tr>
{{- end}}
</tbody>
</table>
{{- end}}
<table role="table">
<thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">Observer</th><th role="columnheader" scope="col">Vote</th><th role="columnheader" scope="col">Evidence</th></tr></thead>
<tbody role="rowgroup">
{{- range .Votes}}
<tr role="row" class="vote"><th role="rowheader" scope="row"><bdi>{{visible .Observer}}</bdi> <small>in <bdi>{{visible .Zone}}</bdi></small></th><td role="cell" data-label="vote"><span class="mark {{.Class}}">{{.Verdict}}</span> <small>{{.Age}} old</small></td><td role="cell" data-label="evidence"><bdi>{{reason .Evidence}}</bdi></td></tr>
{{- else}}
<tr role="row"><td role="cell">Nobody has voted.</td></tr>
{{- end}}
</tbody>
</table>
{{- if .Unshown}}<p>{{.Unshown}} more votes and steps are not shown.</p>{{end}}
</section>
{{- end}}
{{- if .Left}}<p>{{.Left}} more services are not shown.</p>{{end}}
</main>
</body>
</html>
`
