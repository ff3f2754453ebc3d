package htmlpage

import (
	"bytes"
	"net/http"
	"strconv"
)

// The types of what is served.
const (
	HTML = "text/html; charset=utf-8"
	JSON = "application/json"
)

// Begin sets the headers that every answer has, and refuses methods other than GET and HEAD. It reports whether to go on.
func Begin(w http.ResponseWriter, r *http.Request, policy string) bool {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Content-Security-Policy", policy)
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return false
	}
	return true
}

// Send sends an answer that is complete: one that breaks while it is made is an error, and not half a page.
func Send(w http.ResponseWriter, r *http.Request, kind string, body *bytes.Buffer) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Length", strconv.Itoa(body.Len()))
	if r.Method != http.MethodHead {
		_, _ = body.WriteTo(w) // the caller is gone; there is nobody to tell
	}
}
