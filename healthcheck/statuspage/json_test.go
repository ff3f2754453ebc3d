package statuspage_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/healthcheck"
	"github.com/awsha/awsha/healthcheck/statuspage"
)

// TestJSON: the shape is the one that is documented, to the byte.
func TestJSON(t *testing.T) {
	t.Parallel()
	all := fleet(4)[2:]
	all[0].Last = healthcheck.Result{}
	all[0].Target.Host = "www.example.com"
	w := request(handlerOf(all), http.MethodGet, "/?format=json")
	var document struct{ Time string }
	if err := json.Unmarshal(w.Body.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	want := `{
  "version": 1,
  "time": "` + document.Time + `",
  "seq": 0,
  "failOpen": false,
  "local": {
    "degraded": false,
    "stretch": 1,
    "exhausted": false,
    "lagSeconds": 0
  },
  "counts": {
    "registered": 2,
    "initial": 0,
    "healthy": 1,
    "unhealthy": 1,
    "draining": 0
  },
  "zones": [
    {
      "zone": "use1-az1",
      "up": false,
      "failOpen": false,
      "shifted": false,
      "registered": 1,
      "initial": 0,
      "healthy": 0,
      "unhealthy": 1,
      "draining": 0
    },
    {
      "zone": "use1-az3",
      "up": true,
      "failOpen": false,
      "shifted": false,
      "registered": 1,
      "initial": 0,
      "healthy": 1,
      "unhealthy": 0,
      "draining": 0
    }
  ],
  "matched": 2,
  "page": 1,
  "pages": 1,
  "targets": [
    {
      "id": "i-00003",
      "zone": "use1-az1",
      "addr": "10.0.0.3:80",
      "state": "unhealthy",
      "reason": "Target.Timeout",
      "detail": "Request timed out",
      "since": "2026-11-22T10:00:00Z",
      "passes": 0,
      "fails": 3,
      "last": {
        "outcome": "fail",
        "reason": "Target.Timeout",
        "detail": "Request timed out",
        "start": "2026-11-22T10:01:00Z",
        "lagSeconds": 0.002,
        "connectSeconds": 0,
        "totalSeconds": 5
      }
    },
    {
      "id": "i-00002",
      "zone": "use1-az3",
      "addr": "10.0.0.2:80",
      "host": "www.example.com",
      "state": "healthy",
      "since": "2026-11-22T10:00:00Z",
      "passes": 7,
      "fails": 0
    }
  ]
}
`
	if diff := cmp.Diff(want, w.Body.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := w.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("the type is %q", got)
	}
}

// TestJSONOfTraffic: what a pool that routes knows of a target is told.
func TestJSONOfTraffic(t *testing.T) {
	t.Parallel()
	status := fleet(1)[0]
	status.Ejected, status.SlowStart, status.Outstanding = true, 0.25, 17
	status.Override = healthcheck.OverrideUnhealthy
	body := request(handlerOf([]healthcheck.Status{status}), http.MethodGet, "/?format=json").Body.String()
	for _, want := range []string{`"override": "unhealthy"`, `"ejected": true`, `"slowStart": 0.25`, `"outstanding": 17`} {
		if !strings.Contains(body, want) {
			t.Errorf("there is no %s: %s", want, body)
		}
	}
	status.Ejected, status.SlowStart, status.Outstanding, status.Override = false, 1, 0, healthcheck.NoOverride
	body = request(handlerOf([]healthcheck.Status{status}), http.MethodGet, "/?format=json").Body.String()
	for _, unwanted := range []string{"override", "ejected", "slowStart", "outstanding"} {
		if strings.Contains(body, unwanted) {
			t.Errorf("there is %s: %s", unwanted, body)
		}
	}
}

// TestJSONIsNeverNull: lists are lists, also when there is nothing in them.
func TestJSONIsNeverNull(t *testing.T) {
	t.Parallel()
	body := request(handlerOf(nil), http.MethodGet, "/?format=json").Body.String()
	if !strings.Contains(body, `"zones": []`) || !strings.Contains(body, `"targets": []`) {
		t.Errorf("got %s", body)
	}
}

type brokenError struct{}

func (*brokenError) Error() string { panic("no text") }

// TestErrors: what a checker's error says is for those who were asked to see it.
func TestErrors(t *testing.T) {
	t.Parallel()
	status := fleet(4)[3]
	const inside = "10.9.9.9:3128"
	for _, query := range []string{"/", "/?format=json"} {
		for _, show := range []bool{false, true} {
			h := handlerOf([]healthcheck.Status{status}, func(o *statuspage.Options) { o.ShowErrors = show })
			if got := strings.Contains(request(h, http.MethodGet, query).Body.String(), inside); got != show {
				t.Errorf("%s with ShowErrors %t tells of the inside: %t", query, show, got)
			}
		}
	}
	status.Last.Err = new(brokenError)
	h := handlerOf([]healthcheck.Status{status}, func(o *statuspage.Options) { o.ShowErrors = true })
	if w := request(h, http.MethodGet, "/"); !strings.Contains(w.Body.String(), "the error has no text") {
		t.Errorf("an error without text: %d %s", w.Code, w.Body)
	}
	status.Last.Err = errors.New("\xff<b>")
	h = handlerOf([]healthcheck.Status{status}, func(o *statuspage.Options) { o.ShowErrors = true })
	if body := request(h, http.MethodGet, "/?format=json").Body.String(); !strings.Contains(body, `"error": "\ufffd\u003cb\u003e"`) {
		t.Errorf("an error that is no UTF-8: %s", body)
	}
}

// TestFormat: programs that ask for JSON get it, browsers and those who take anything get the page.
func TestFormat(t *testing.T) {
	t.Parallel()
	h := handlerOf(fleet(3))
	for _, tc := range []struct {
		query, accept string
		json          bool
	}{
		{"", "", false},
		{"", "*/*", false},
		{"", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", false},
		{"", "application/json", true},
		{"", "Application/JSON; charset=utf-8", true},
		{"", "text/html;q=0.5, application/json", true},
		{"", "text/html, application/json", false},
		{"", "text/html, application/json; q=0.9", false},
		{"", "application/json;q=0", false},
		{"", "application/json;q=many", false},
		{"", "application/jsonp", false},
		{"?format=json", "text/html", true},
		{"?format=html", "application/json", false},
	} {
		w := request(h, http.MethodGet, "/"+tc.query, "Accept", tc.accept)
		if got := json.Valid(w.Body.Bytes()); got != tc.json || w.Code != http.StatusOK {
			t.Errorf("%q with Accept %q: %d, JSON %t, want %t", tc.query, tc.accept, w.Code, got, tc.json)
		}
		if w.Header().Get("Vary") != "Accept" {
			t.Errorf("Vary is %q", w.Header().Get("Vary"))
		}
	}
}
