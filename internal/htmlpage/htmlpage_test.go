package htmlpage_test

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/awsha/awsha/internal/htmlpage"
)

func TestTextsShowWhatTheyHold(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"plain":                    "plain",
		"":                         "",
		"a\u202eb":                 `a\u202eb`,
		"\x1b[31m":                 `\u001b[31m`,
		"\xff":                     `\xff`,
		"e\u0301":                  `e\u0301`,
		"\U000e0001":               `\U000e0001`,
		"\u2800":                   `\u2800`,
		strings.Repeat("x", 128):   strings.Repeat("x", 128),
		strings.Repeat("é", 1_000): strings.Repeat("é", 128) + "…",
	} {
		if got := htmlpage.Visible(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	const spaced = " a  b "
	if got := htmlpage.Visible(spaced); got != `\u0020a \u0020b\u0020` {
		t.Errorf("%q: %q", spaced, got)
	}
}

func TestTextsOfErrors(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]string{nil: "", errors.New("oops"): "oops", panics{}: "the error has no text: it panicked"} {
		if got := htmlpage.ErrorText(err); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

type panics struct{}

func (panics) Error() string { panic("no") }

func TestSpansHaveTwoUnits(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		-1: "0 s", 0: "0 ms", 1500 * time.Microsecond: "1.5 ms", time.Second: "1 s", 61 * time.Second: "1m 1s", 90 * time.Minute: "1h 30m", 50 * time.Hour: "2d 2h",
	} {
		if got := htmlpage.Span(d); got != want {
			t.Errorf("%d: %q, want %q", d, got, want)
		}
	}
}

func TestOnlyReadsAreServed(t *testing.T) {
	t.Parallel()
	for method, want := range map[string]struct {
		code int
		body string
	}{http.MethodGet: {200, "hello"}, http.MethodHead: {200, ""}, http.MethodPost: {405, ""}} {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), method, "/", http.NoBody)
		if htmlpage.Begin(w, r, htmlpage.Policy(htmlpage.Style)) {
			htmlpage.Send(w, r, htmlpage.HTML, bytes.NewBufferString("hello"))
		}
		if w.Code != want.code || w.Body.String() != want.body || !strings.Contains(w.Header().Get("Content-Security-Policy"), "default-src 'none'; style-src 'sha256-") {
			t.Errorf("%s: %d %q %v", method, w.Code, w.Body, w.Header())
		}
		if want.code == 200 && w.Header().Get("Content-Length") != "5" {
			t.Errorf("%s: %v", method, w.Header())
		}
	}
}
