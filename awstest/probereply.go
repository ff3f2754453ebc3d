package awstest

import "net/http"

// sentAt is how much of a reply's body a server of package net/http keeps back
// before it sends the status, unless the handler flushes or ends.
const sentAt = 4096

// replyWriter keeps the status of a reply, and the body as far as it is wanted.
type replyWriter struct {
	probe  *probe
	header http.Header
	code   int
	body   []byte
	size   int  // of what was written
	sent   bool // the status, before the handler has ended
}

func (w *replyWriter) Header() http.Header {
	if w.header == nil {
		w.header = http.Header{}
	}
	return w.header
}

func (w *replyWriter) WriteHeader(status int) {
	if w.code == 0 && status >= 200 {
		w.code = status
	}
}

func (w *replyWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	wanted := w.probe.spec.Body
	if part := p[:min(len(p), wanted-len(w.body))]; len(part) > 0 {
		w.body = append(w.body, part...)
	}
	w.size += len(p)
	if w.size > sentAt {
		w.send()
	}
	if wanted > 0 && w.sent && len(w.body) == wanted {
		w.probe.told(ProbeResult{Status: w.code, Body: w.body})
	}
	return len(p), nil
}

// Flush implements http.Flusher.
func (w *replyWriter) Flush() {
	w.WriteHeader(http.StatusOK)
	w.send()
}

// send tells the checker the status, which is all that one wants that does not
// want the body.
func (w *replyWriter) send() {
	switch {
	case w.sent:
		return
	case w.probe.spec.Body == 0:
		w.probe.told(ProbeResult{Status: w.code})
	default:
		w.probe.status()
	}
	w.sent = true
}
