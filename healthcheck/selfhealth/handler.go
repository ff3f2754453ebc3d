package selfhealth

import (
	"encoding/json"
	"io"
	"net/http"
	"time"
)

// Handler serves /livez, /readyz and /healthz, and 404 for every other path. See [Health.Livez], [Health.Readyz] and
// [Health.Healthz], which can also be mounted one by one, such as at the path that a target group has.
//
// No request runs a check or waits for one, so that requests cannot pile up behind a check and the checks cannot be made to
// run more often. The methods are GET and HEAD; others get 405. No answer is to be cached. Bodies are JSON with a "status" of
// one word and, but for what Options.Authorize allows, say nothing else about the process.
func (h *Health) Handler() http.Handler {
	livez, readyz, healthz := h.Livez(), h.Readyz(), h.Healthz()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path { // no ServeMux, which lets its 404 and its redirects be cached
		case "/livez":
			livez.ServeHTTP(w, r)
		case "/readyz":
			readyz.ServeHTTP(w, r)
		case "/healthz":
			healthz.ServeHTTP(w, r)
		default:
			w.Header().Set("Cache-Control", "no-store")
			http.NotFound(w, r)
		}
	})
}

// Livez answers 200 with {"status":"ok"}, or 503 with {"status":"failing"} while a Live check fails. Dependencies, draining and
// starting do not move it: a restart would help against none of them. It is for what restarts the process, such as a liveness
// probe; it is not for a load balancer.
func (h *Health) Livez() http.Handler {
	return h.endpoint(func(w http.ResponseWriter, r *http.Request, header *answerHeader) {
		if h.Live() {
			header.answer(w, r, OK)
		} else {
			header.answer(w, r, Failing)
		}
	})
}

// Readyz answers 200 while the process should get traffic, with {"status":"ok"} or {"status":"degraded"}, and else 503 with
// "starting", "failing" or "draining"; see [Status]. It is for load balancers.
func (h *Health) Readyz() http.Handler {
	return h.endpoint(func(w http.ResponseWriter, r *http.Request, header *answerHeader) {
		header.answer(w, r, h.Status())
	})
}

// Healthz answers as Readyz does, and is for people: with ?verbose, who is allowed by Options.Authorize gets every check too:
//
//	{
//	  "status": "degraded",
//	  "live": true,
//	  "checks": [
//	    {
//	      "name": "db",
//	      "kind": "soft",
//	      "state": "failing",
//	      "error": "dial tcp 10.0.0.5:5432: connect: connection refused",
//	      "failures": 3,
//	      "ageSeconds": 4.2,
//	      "tookSeconds": 0.001
//	    }
//	  ]
//	}
//
// Fields that are zero are left out; ageSeconds counts from the end of the latest call. Fields may be added, and none will be
// renamed or change its meaning.
func (h *Health) Healthz() http.Handler {
	return h.endpoint(func(w http.ResponseWriter, r *http.Request, header *answerHeader) {
		if r.URL.RawQuery == "" || !r.URL.Query().Has("verbose") || h.opts.Authorize == nil || !h.opts.Authorize(r) {
			header.answer(w, r, h.Status())
			return
		}
		report := h.Report()
		header.begin(w, code(report.Status))
		if r.Method != http.MethodHead {
			enc := json.NewEncoder(w)
			enc.SetIndent("", "  ")
			_ = enc.Encode(detailOf(report)) // the caller is gone; there is nobody to tell
		}
	})
}

type detail struct {
	Status Status        `json:"status"`
	Live   bool          `json:"live"`
	Checks []checkDetail `json:"checks"`
}

type checkDetail struct {
	Name        string  `json:"name"`
	Kind        Kind    `json:"kind"`
	State       State   `json:"state"`
	FailOpen    bool    `json:"failOpen,omitempty"`
	Error       string  `json:"error,omitempty"`
	Failures    int     `json:"failures,omitempty"`
	AgeSeconds  float64 `json:"ageSeconds,omitempty"`
	TookSeconds float64 `json:"tookSeconds,omitempty"`
}

func detailOf(r Report) detail {
	d := detail{Status: r.Status, Live: r.Live, Checks: make([]checkDetail, len(r.Checks))}
	for i, c := range r.Checks {
		d.Checks[i] = checkDetail{
			Name: c.Name, Kind: c.Kind, State: c.State, FailOpen: c.FailOpen,
			Error: errorText(c.Err), Failures: c.Failures, TookSeconds: c.Took.Seconds(),
		}
		if !c.Last.IsZero() {
			d.Checks[i].AgeSeconds = r.Time.Sub(c.Last).Round(time.Millisecond).Seconds()
		}
	}
	return d
}

// answerHeader is the header of every answer, made once so that an answer allocates nothing. Canonical keys only.
type answerHeader struct{ cache, kind, sniff, allow []string }

// endpoint lets GET and HEAD through.
func (h *Health) endpoint(serve func(http.ResponseWriter, *http.Request, *answerHeader)) http.Handler {
	header := &answerHeader{
		cache: []string{"no-store"}, kind: []string{"application/json"}, sniff: []string{"nosniff"}, allow: []string{"GET, HEAD"},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header()["Allow"] = header.allow
			header.begin(w, http.StatusMethodNotAllowed)
			return
		}
		serve(w, r, header)
	})
}

func (a *answerHeader) begin(w http.ResponseWriter, code int) {
	header := w.Header()
	header["Cache-Control"] = a.cache
	header["Content-Type"] = a.kind
	header["X-Content-Type-Options"] = a.sniff
	w.WriteHeader(code)
}

// answer writes the status and nothing else.
func (a *answerHeader) answer(w http.ResponseWriter, r *http.Request, s Status) {
	a.begin(w, code(s))
	if r.Method == http.MethodHead {
		return
	}
	var body string
	switch s {
	case Starting:
		body = `{"status":"starting"}` + "\n"
	case OK:
		body = `{"status":"ok"}` + "\n"
	case Degraded:
		body = `{"status":"degraded"}` + "\n"
	case Failing:
		body = `{"status":"failing"}` + "\n"
	case Draining:
		body = `{"status":"draining"}` + "\n"
	}
	_, _ = io.WriteString(w, body) // the caller is gone; there is nobody to tell
}

func code(s Status) int {
	if s.Ready() {
		return http.StatusOK
	}
	return http.StatusServiceUnavailable
}
