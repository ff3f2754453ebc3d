package statuspage_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/awsha/awsha/healthcheck"
	"github.com/awsha/awsha/healthcheck/healthcheckmock"
	"github.com/awsha/awsha/healthcheck/statuspage"
)

// since is when everything in the tests' pools happened.
var since = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

func sourceOf(statuses ...healthcheck.Status) *healthcheckmock.SourceMock {
	view := healthcheck.NewView(statuses...)
	return &healthcheckmock.SourceMock{ViewFunc: func() *healthcheck.View { return view }}
}

// fleet is n targets in three zones of which every tenth is unhealthy.
func fleet(n int) []healthcheck.Status {
	all := make([]healthcheck.Status, n)
	for i := range all {
		all[i] = healthcheck.Status{
			Target: healthcheck.Target{
				ID: fmt.Sprintf("i-%05d", i), Zone: fmt.Sprintf("use1-az%d", i%3+1), Addr: fmt.Sprintf("10.0.%d.%d:80", i/256, i%256),
			},
			State: healthcheck.Healthy, Since: since, Passes: 7,
			Last: healthcheck.Result{
				Outcome: healthcheck.Pass, Code: 200, HasCode: true, Start: since.Add(time.Minute), Total: 3 * time.Millisecond,
			},
		}
		if i%10 == 3 {
			all[i] = sick(all[i])
		}
	}
	return all
}

func sick(s healthcheck.Status) healthcheck.Status {
	s.State, s.Reason, s.Detail = healthcheck.Unhealthy, healthcheck.ReasonTimeout, "Request timed out"
	s.Passes, s.Fails = 0, 3
	s.Last = healthcheck.Result{
		Outcome: healthcheck.Fail, Reason: s.Reason, Detail: s.Detail, Err: errors.New("dial tcp 10.9.9.9:3128: the proxy says no"),
		Start: since.Add(time.Minute), Total: 5 * time.Second, Lag: 2 * time.Millisecond,
	}
	return s
}

func request(h http.Handler, method, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, http.NoBody)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// element is a node of the page.
type element struct {
	name  string
	attrs map[string]string
	text  string // of it and all in it
	buf   []byte
	in    []*element
}

// all returns the elements of a name, and with a class if that is not empty, in their order.
func (e *element) all(name, class string) (found []*element) {
	if e.name == name && (class == "" || strings.Contains(" "+e.attrs["class"]+" ", " "+class+" ")) {
		found = append(found, e)
	}
	for _, c := range e.in {
		found = append(found, c.all(name, class)...)
	}
	return found
}

// read parses a page strictly, as XML: every element is closed, every attribute is quoted, every name is one.
func read(t *testing.T, page string) *element {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(page))
	root := &element{}
	open := []*element{root}
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("the page is no well-formed markup: %v\n%s", err, page)
		}
		switch token := token.(type) {
		case xml.StartElement:
			e := &element{name: token.Name.Local, attrs: make(map[string]string)}
			for _, a := range token.Attr {
				e.attrs[a.Name.Local] = a.Value
			}
			open[len(open)-1].in = append(open[len(open)-1].in, e)
			open = append(open, e)
		case xml.EndElement:
			e := open[len(open)-1]
			e.text, open = string(e.buf), open[:len(open)-1]
		case xml.CharData:
			for _, e := range open {
				e.buf = append(e.buf, token...)
			}
		}
	}
	return root
}

// page is the page for a query.
func page(t *testing.T, h http.Handler, query string) *element {
	t.Helper()
	w := request(h, http.MethodGet, "/"+query, "Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("%q answers %d, %q: %s", query, w.Code, w.Header().Get("Content-Type"), w.Body)
	}
	return read(t, w.Body.String())
}

// shown are the IDs of the targets on a page.
func shown(page *element) (ids []string) {
	for _, row := range page.all("tr", "target") {
		ids = append(ids, row.all("bdi", "id")[0].text)
	}
	return ids
}

func handlerOf(statuses []healthcheck.Status, optFns ...func(*statuspage.Options)) http.Handler {
	return statuspage.Handler(sourceOf(statuses...), optFns...)
}
