package statuspage

import (
	"bytes"
	"encoding/json"
	"html/template"
	"net/http"
	"sync"

	"github.com/awsha/awsha/internal/htmlpage"
)

type handler struct {
	source Source
	opts   Options
	page   *template.Template
	policy string

	mu     sync.Mutex // never held while the source is asked
	latest *flight
}

// Handler serves the page, and its JSON, at whatever path it is mounted. The source must not be nil. It is safe for concurrent
// use.
//
// The page tells of addresses and failures of the inside: mount it where operators are, or behind a handler that knows them.
// Methods other than GET and HEAD get 405, and queries that make no sense 400. A panic of the source is left to the server, as
// that of any handler; requests that waited for the same View get 503. No answer is to be cached: checks change it without an
// event that could mark it.
//
// An answer costs the time of one pass over the targets, a few bytes for each and some kilobytes for each that it shows;
// see the package page.
func Handler(source Source, optFns ...func(*Options)) http.Handler {
	var o Options
	for _, fn := range optFns {
		fn(&o)
	}
	return &handler{
		source: source,
		opts:   o.withDefaults(),
		page:   template.Must(template.New("page").Funcs(functions()).Parse(markup)), // a constant that the tests parse
		policy: htmlpage.Policy(style),
	}
}

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !htmlpage.Begin(w, r, h.policy) {
		return
	}
	w.Header().Set("Vary", "Accept")
	q, err := parse(r, h.opts)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	snap := h.snapshot(r.Context())
	if snap == nil {
		http.Error(w, "the status is not available", http.StatusServiceUnavailable)
		return
	}
	var body bytes.Buffer
	if err := h.render(&body, snap, q); err != nil {
		http.Error(w, "the status cannot be shown", http.StatusInternalServerError)
		return
	}
	kind := htmlpage.HTML
	if q.JSON {
		kind = htmlpage.JSON
	}
	htmlpage.Send(w, r, kind, &body)
}

// render writes the whole answer before any of it is sent, so that one that breaks is an error and not half a page.
func (h *handler) render(body *bytes.Buffer, snap *snapshot, q query) error {
	doc := snap.documentOf(q, h.opts.ShowErrors)
	if q.JSON {
		enc := json.NewEncoder(body)
		enc.SetIndent("", "  ")
		return enc.Encode(doc)
	}
	return h.page.Execute(body, sheetOf(h.opts, q, doc))
}
