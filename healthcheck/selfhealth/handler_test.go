package selfhealth_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/healthcheck/selfhealth"
)

const secret = "10.0.0.5 says no to user admin"

// leaky has a check with a name and an error that are nobody's business, and lets requests with a header read them.
func leaky(t *testing.T) *selfhealth.Health {
	t.Helper()
	return newHealth(t, []selfhealth.Check{
		{Name: "a db", Kind: selfhealth.Soft, Func: func(context.Context) error {
			time.Sleep(time.Millisecond)
			return errors.New(secret)
		}},
		{Name: "loop", Kind: selfhealth.Live, Func: newThing().check},
	}, func(o *selfhealth.Options) {
		o.Authorize = func(r *http.Request) bool { return r.Header.Get("Authorization") == "let me" }
	})
}

func TestMethods(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := leaky(t)
		run(t, h)
		pass(time.Second)
		for _, path := range []string{"/livez", "/readyz", "/healthz", "/healthz?verbose"} {
			get := answer(h.Handler(), http.MethodGet, path)
			head := answer(h.Handler(), http.MethodHead, path)
			if get.Code != http.StatusOK || head.Code != http.StatusOK {
				t.Errorf("%s: GET answers %d, HEAD %d, want 200", path, get.Code, head.Code)
			}
			if head.Body.Len() > 0 {
				t.Errorf("%s: the answer to HEAD has the body %q", path, head.Body)
			}
			if diff := cmp.Diff(get.Header(), head.Header()); diff != "" {
				t.Errorf("%s: headers of GET and HEAD differ:\n%s", path, diff)
			}
			want := http.Header{
				"Cache-Control": {"no-store"}, "Content-Type": {"application/json"}, "X-Content-Type-Options": {"nosniff"},
			}
			if diff := cmp.Diff(want, get.Header()); diff != "" {
				t.Errorf("%s: headers (-want +got):\n%s", path, diff)
			}
			for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW"} {
				w := answer(h.Handler(), method, path)
				if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" || w.Body.Len() > 0 {
					t.Errorf("%s %s answers %d %q, Allow %q", method, path, w.Code, w.Body, w.Header().Get("Allow"))
				}
			}
		}
		for _, path := range []string{"/", "/livez/", "/readyz/x", "/metrics", "//readyz", "/x/../readyz"} {
			if w := answer(h.Handler(), http.MethodGet, path); w.Code != http.StatusNotFound || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%s answers %d, Cache-Control %q, want 404 that is not cached", path, w.Code, w.Header().Get("Cache-Control"))
			}
		}
	})
}

// TestNothingLeaks: without authorisation an answer has the status and nothing else, whatever is asked for.
func TestNothingLeaks(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := leaky(t)
		run(t, h)
		pass(time.Second)
		for _, path := range []string{"/readyz", "/readyz?verbose", "/healthz", "/healthz?verbose", "/healthz?verbose=1&x=%zz"} {
			w := answer(h.Handler(), http.MethodGet, path)
			if got, want := w.Body.String(), `{"status":"degraded"}`+"\n"; got != want || w.Code != http.StatusOK {
				t.Errorf("%s answers %d %q, want 200 %q", path, w.Code, got, want)
			}
		}
		if got, want := answer(h.Handler(), http.MethodGet, "/livez?verbose").Body.String(), `{"status":"ok"}`+"\n"; got != want {
			t.Errorf("/livez answers %q, want %q", got, want)
		}
	})
}

func TestVerbose(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := leaky(t)
		run(t, h)
		pass(2*time.Second + time.Millisecond)
		w := authorised(h, "/healthz?verbose")
		want := `{
  "status": "degraded",
  "live": true,
  "checks": [
    {
      "name": "a db",
      "kind": "soft",
      "state": "failing",
      "error": "` + secret + `",
      "failures": 1,
      "ageSeconds": 2,
      "tookSeconds": 0.001
    },
    {
      "name": "loop",
      "kind": "live",
      "state": "passing",
      "ageSeconds": 2.001
    }
  ]
}
`
		if diff := cmp.Diff(want, w.Body.String()); diff != "" || w.Code != http.StatusOK {
			t.Errorf("%d (-want +got):\n%s", w.Code, diff)
		}
		r, _ := http.NewRequest(http.MethodHead, "/healthz?verbose", http.NoBody)
		r.Header.Set("Authorization", "let me")
		head := httptest.NewRecorder()
		h.Healthz().ServeHTTP(head, r)
		if head.Code != http.StatusOK || head.Body.Len() > 0 {
			t.Errorf("HEAD answers %d with a body of %d bytes", head.Code, head.Body.Len())
		}
		if got := authorised(h, "/healthz").Body.String(); strings.Contains(got, "checks") {
			t.Errorf("without verbose the answer is %q", got)
		}
	})
}

func authorised(h *selfhealth.Health, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r, _ := http.NewRequest(http.MethodGet, target, http.NoBody)
	r.Header.Set("Authorization", "let me")
	h.Handler().ServeHTTP(w, r)
	return w
}

type brokenError struct{}

func (*brokenError) Error() string { panic("no text") }

// TestHostileErrors: whatever a check returns is shown as text of bounded length, and shown at all.
func TestHostileErrors(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		err  error
		want string
	}{
		"long":          {errors.New(strings.Repeat("x", 1<<20)), strings.Repeat("x", 512) + "…"},
		"cut in a rune": {errors.New(strings.Repeat("x", 511) + "é"), strings.Repeat("x", 511) + "�…"},
		"no text":       {errors.New("\xff\xfe"), "�"},
		"markup":        {errors.New("</script><b>"), "</script><b>"},
		"panics":        {new(brokenError), "the error has no text: it panicked"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				h := newHealth(t,
					[]selfhealth.Check{{Name: "db", Kind: selfhealth.Soft, Func: func(context.Context) error { return tc.err }}},
					func(o *selfhealth.Options) { o.Authorize = func(*http.Request) bool { return true } },
				)
				run(t, h)
				var got struct{ Checks []struct{ Error string } }
				w := authorised(h, "/healthz?verbose")
				if strings.Contains(w.Body.String(), "<") {
					t.Errorf("the body has markup: %q", w.Body)
				}
				if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || len(got.Checks) != 1 {
					t.Fatalf("%v: %q", err, w.Body)
				}
				if got.Checks[0].Error != tc.want {
					t.Errorf("the error is %.600q, want %.600q", got.Checks[0].Error, tc.want)
				}
			})
		})
	}
}

// TestRequestsRunNoChecks: however many ask, the checks run at their own pace.
func TestRequestsRunNoChecks(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		db := newThing()
		h := newHealth(t, []selfhealth.Check{{Name: "db", Kind: selfhealth.Hard, Func: db.check}})
		run(t, h)
		for range 10_000 {
			answer(h.Handler(), http.MethodGet, "/healthz?verbose")
			answer(h.Handler(), http.MethodGet, "/livez")
		}
		if n := db.calls.Load(); n != 1 {
			t.Errorf("the check ran %d times, want once", n)
		}
	})
}

// TestAnswersAllocateNothing: load balancers ask all the time, and from every node.
func TestAnswersAllocateNothing(t *testing.T) {
	h := newHealth(t, []selfhealth.Check{
		{Name: "db", Kind: selfhealth.Hard, Func: newThing().check},
		{Name: "loop", Kind: selfhealth.Live, Func: newThing().check},
	})
	for name, handler := range map[string]http.Handler{"/livez": h.Livez(), "/readyz": h.Readyz(), "/healthz": h.Healthz()} {
		w := &discard{header: make(http.Header)}
		r, err := http.NewRequest(http.MethodGet, name, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(100, func() { handler.ServeHTTP(w, r) }); n > 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
		if w.code != http.StatusServiceUnavailable && w.code != http.StatusOK || w.bytes == 0 {
			t.Errorf("%s answered %d with %d bytes", name, w.code, w.bytes)
		}
	}
}

// discard is a ResponseWriter that costs nothing itself.
type discard struct {
	header      http.Header
	code, bytes int
}

func (d *discard) Header() http.Header               { return d.header }
func (d *discard) WriteHeader(code int)              { d.code = code }
func (d *discard) Write(p []byte) (int, error)       { d.bytes += len(p); return len(p), nil }
func (d *discard) WriteString(s string) (int, error) { d.bytes += len(s); return len(s), nil }

func BenchmarkReadyz(b *testing.B) {
	h, err := selfhealth.New()
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"} {
		if _, err := h.Register(selfhealth.Check{Name: name, Kind: selfhealth.Hard, Func: newThing().check}); err != nil {
			b.Fatal(err)
		}
	}
	handler := h.Readyz()
	r, err := http.NewRequest(http.MethodGet, "/readyz", http.NoBody)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	w := &discard{header: make(http.Header)}
	for b.Loop() {
		handler.ServeHTTP(w, r)
	}
}
