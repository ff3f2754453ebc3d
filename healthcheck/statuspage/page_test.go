package statuspage_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/healthcheck"
	"github.com/awsha/awsha/healthcheck/healthcheckmock"
	"github.com/awsha/awsha/healthcheck/statuspage"
)

// TestPage: the worst come first, and everything about a target is said.
func TestPage(t *testing.T) {
	t.Parallel()
	all := fleet(6)
	all[0].State, all[0].Reason, all[0].Last = healthcheck.Initial, healthcheck.ReasonRegistrationInProgress, healthcheck.Result{}
	all[1].State, all[1].Reason = healthcheck.Draining, healthcheck.ReasonDeregistrationInProgress
	all[2].Target.Zone, all[2].Target.Host = "", "www.example.com"
	all[2].Last.Code, all[2].Last.Reused = 0, true // gRPC's OK
	doc := page(t, handlerOf(all), "")
	if diff := cmp.Diff([]string{"i-00003", "i-00000", "i-00001", "i-00002", "i-00004", "i-00005"}, shown(doc)); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	for i, wants := range [][]string{
		{"10.0.0.3:80", "use1-az1", "unhealthy", "Target.Timeout", "Request timed out", "fail in 5 s", "2 ms late", "3 failures in a row"},
		{"initial", "Elb.RegistrationInProgress", "none yet"},
		{"draining", "Target.DeregistrationInProgress"},
		{"healthy", "pass with code 0 in 3 ms", "connection reused", "www.example.com"},
		{"healthy", "pass with code 200 in 3 ms"},
	} {
		row := doc.all("tr", "target")[i]
		for _, want := range wants {
			if !strings.Contains(row.text, want) {
				t.Errorf("row %d does not say %q: %q", i, want, row.text)
			}
		}
		if strings.Contains(row.text, "proxy") {
			t.Errorf("row %d tells of the inside: %q", i, row.text)
		}
	}
	var zones []string
	for _, row := range doc.all("tr", "zone") {
		var cells []string
		for _, cell := range row.in {
			cells = append(cells, cell.text)
		}
		zones = append(zones, strings.Join(cells, "|"))
	}
	want := []string{"(no zone)|up|0|1|0|0", "use1-az1|no healthy target|1|0|1|0", "use1-az2|up|0|1|0|1", "use1-az3|up|0|1|0|0"}
	if diff := cmp.Diff(want, zones); diff != "" {
		t.Errorf("zones (-want +got):\n%s", diff)
	}
	if got := doc.all("title", "")[0].text; got != "Targets: 3 of 5 healthy" {
		t.Errorf("the title is %q", got)
	}
	if got := doc.all("header", "")[0].text; !strings.Contains(got, "3 of 5 healthy, 1 initial, 1 unhealthy, 1 draining") {
		t.Errorf("the header says %q", got)
	}
}

// TestTraffic: the page says where the traffic goes when that is not by health alone.
func TestTraffic(t *testing.T) {
	t.Parallel()
	all := fleet(3)
	all[1].Ejected, all[2].SlowStart, all[2].Outstanding = true, 0.25, 17
	all[0].Override = healthcheck.OverrideDrain
	doc := page(t, handlerOf(all), "")
	if diff := cmp.Diff([]string{"i-00001", "i-00000", "i-00002"}, shown(doc)); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	rows := doc.all("tr", "target")
	if !strings.Contains(rows[0].text, "healthy ejected") || strings.Contains(rows[1].text, "ejected") {
		t.Errorf("an ejected target is %q, another one %q", rows[0].text, rows[1].text)
	}
	if !strings.Contains(rows[2].text, "slow start: 25 % of its share") || !strings.Contains(rows[2].text, "17 requests under way") {
		t.Errorf("a target in slow start is %q", rows[2].text)
	}
	if !strings.Contains(rows[1].text, "overridden: drain") || strings.Contains(rows[2].text, "overridden") {
		t.Errorf("an overridden target is %q, another one %q", rows[1].text, rows[2].text)
	}
	if strings.Contains(rows[1].text, "slow start") || strings.Contains(rows[1].text, "under way") {
		t.Errorf("a target without is %q", rows[1].text)
	}
	for i := range all {
		if strings.Contains(doc.all("body", "")[0].text, "ailing open") {
			t.Errorf("with %d of 3 unhealthy the page says that the pool fails open", i)
		}
		all[i] = sick(all[i])
		doc = page(t, handlerOf(all), "")
	}
	if got := doc.all("header", "")[0].text; !strings.Contains(got, "Failing open.") {
		t.Errorf("without a healthy target the header says %q", got)
	}
	if got := doc.all("tr", "zone")[0].text; !strings.Contains(got, "fails open") {
		t.Errorf("without a healthy target the zone says %q", got)
	}
	if doc = page(t, handlerOf(nil), ""); strings.Contains(doc.all("header", "")[0].text, "Failing open.") {
		t.Error("a pool without targets says that it sends traffic to them")
	}
}

func TestEmptyPool(t *testing.T) {
	t.Parallel()
	doc := page(t, handlerOf(nil), "")
	if got := doc.all("main", "")[0].text; !strings.Contains(got, "No targets are registered") ||
		!strings.Contains(got, "0 targets") || !strings.Contains(got, "Page 1 of 1") {
		t.Errorf("the page says %q", got)
	}
}

// TestOptions: what is set can be seen, and what is out of range is the nearest that is not.
func TestOptions(t *testing.T) {
	t.Parallel()
	refresh := func(doc *element) string {
		for _, meta := range doc.all("meta", "") {
			if meta.attrs["http-equiv"] == "refresh" {
				return meta.attrs["content"]
			}
		}
		return ""
	}
	all := fleet(2000)
	for _, tc := range []struct {
		name    string
		opts    statuspage.Options
		query   string
		rows    int
		refresh string
		title   string
	}{
		{"defaults", statuspage.Options{}, "", 100, "", "Targets"},
		{"set", statuspage.Options{PageSize: 7, Refresh: 90 * time.Second, Title: "A & B"}, "", 7, "90", "A & B"},
		{"too small", statuspage.Options{PageSize: -1, Refresh: time.Millisecond}, "", 1, "1", "Targets"},
		{"too great", statuspage.Options{PageSize: 5000}, "", 1000, "", "Targets"},
		{"asked for", statuspage.Options{PageSize: 7}, "?size=20", 20, "", "Targets"},
		{"asked for too many", statuspage.Options{PageSize: 7}, "?size=50000", 1000, "", "Targets"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			doc := page(t, handlerOf(all, func(o *statuspage.Options) { *o = tc.opts }), tc.query)
			if n := len(shown(doc)); n != tc.rows {
				t.Errorf("%d rows, want %d", n, tc.rows)
			}
			if got := refresh(doc); got != tc.refresh {
				t.Errorf("refreshed each %q s, want %q", got, tc.refresh)
			}
			if got := doc.all("h1", "")[0].text; got != tc.title {
				t.Errorf("the heading is %q, want %q", got, tc.title)
			}
		})
	}
}

// TestFilters: filters narrow what is listed, never the counts, and a page beyond the last is the last.
func TestFilters(t *testing.T) {
	t.Parallel()
	all := fleet(60)
	all[7].Target.Zone = ""
	all[8].Target.Zone = anythingCalled
	h := handlerOf(all, func(o *statuspage.Options) { o.PageSize = 4 })
	for _, tc := range []struct {
		query, want, says string
	}{
		{"", "i-00003 i-00013 i-00023 i-00033", "60 targets, Page 1 of 15"},
		{"?page=2", "i-00043 i-00053 i-00000 i-00001", "60 targets, Page 2 of 15"},
		{"?page=15", "i-00056 i-00057 i-00058 i-00059", "60 targets, Page 15 of 15"},
		{"?page=9223372036854775807", "i-00056 i-00057 i-00058 i-00059", "60 targets, Page 15 of 15"},
		{"?state=unhealthy&page=2", "i-00043 i-00053", "6 targets, Page 2 of 2"},
		{"?state=unhealthy&page=3&size=3", "i-00033 i-00043 i-00053", "6 targets, Page 2 of 2"},
		{"?state=unhealthy&zone=use1-az2", "i-00013 i-00043", "2 targets, Page 1 of 1"},
		{"?zone=", "i-00007", "1 target, Page 1 of 1"},
		{"?zone=use1&state=*", "", "0 targets, Page 1 of 1"},
		{"?q=0003", "i-00003 i-00033 i-00030 i-00031", "11 targets, Page 1 of 3"},
		{"?q=10.0.0.59%3A", "i-00059", "1 target, Page 1 of 1"},
		{"?q=0005&state=unhealthy", "i-00053", "1 target, Page 1 of 1"},
		{"?state=initial", "", "0 targets, Page 1 of 1"},
	} {
		doc := page(t, h, tc.query)
		got := strings.Join(shown(doc), " ")
		if got != tc.want {
			t.Errorf("%q shows %q, want %q", tc.query, got, tc.want)
		}
		text := doc.all("main", "")[0].text
		for want := range strings.SplitSeq(tc.says, ", ") {
			if !strings.Contains(text, want) {
				t.Errorf("%q does not say %q", tc.query, want)
			}
		}
		if got := doc.all("title", "")[0].text; got != "Targets: 54 of 60 healthy" {
			t.Errorf("%q has the title %q", tc.query, got)
		}
	}
}

const anythingCalled = "zone&state=initial#" // a zone whose name would break a link

// TestLinks: following the links shows every target once, and keeps the filter.
func TestLinks(t *testing.T) {
	t.Parallel()
	all := fleet(50)
	for i := range all {
		all[i].Target.Zone = anythingCalled
	}
	h := handlerOf(all, func(o *statuspage.Options) { o.PageSize = 7 })
	query := page(t, h, "").all("tr", "zone")[0].all("a", "")[0].attrs["href"]
	seen := make(map[string]int)
	pages := 0
	for rel := "next"; ; pages++ {
		doc := page(t, h, query)
		for _, id := range shown(doc) {
			seen[id]++
		}
		var next string
		for _, a := range doc.all("a", "") {
			if a.attrs["rel"] == rel {
				next = a.attrs["href"]
			}
		}
		if next == "" {
			break
		}
		query = next
	}
	if len(seen) != 50 || pages != 7 {
		t.Errorf("%d targets on %d pages before the last, want 50 on 7", len(seen), pages)
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("%s is shown %d times", id, n)
		}
	}
	for _, o := range page(t, h, query).all("option", "") {
		if chosen := o.attrs["selected"] != ""; chosen != (o.attrs["value"] == anythingCalled) {
			t.Errorf("option %q is chosen: %t", o.attrs["value"], chosen)
		}
	}
}

// TestLinksKeepTheFilter: a link changes what it is about and nothing else; another filter begins on its first page.
func TestLinksKeepTheFilter(t *testing.T) {
	t.Parallel()
	doc := page(t, handlerOf(fleet(100)), "?page=2&q=i-0&size=7&state=healthy&zone=use1-az1")
	got := make(map[string]string)
	for _, a := range doc.all("a", "") {
		got[strings.TrimSpace(a.text)] = a.attrs["href"]
	}
	const filter = "q=i-0&size=7&state=healthy"
	want := map[string]string{
		"0 initial":    "?q=i-0&size=7&state=initial&zone=use1-az1",
		"10 unhealthy": "?q=i-0&size=7&state=unhealthy&zone=use1-az1",
		"0 draining":   "?q=i-0&size=7&state=draining&zone=use1-az1",
		"use1-az1":     "?" + filter + "&zone=use1-az1",
		"use1-az2":     "?" + filter + "&zone=use1-az2",
		"use1-az3":     "?" + filter + "&zone=use1-az3",
		"Previous":     "?" + filter + "&zone=use1-az1",
		"Next":         "?page=3&" + filter + "&zone=use1-az1",
		"As JSON":      "?format=json&page=2&" + filter + "&zone=use1-az1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("links (-want +got):\n%s", diff)
	}
	for name, want := range map[string]string{"q": "i-0", "size": "7"} {
		for _, input := range doc.all("input", "") {
			if input.attrs["name"] == name && input.attrs["value"] != want {
				t.Errorf("the form sends %s=%q, want %q", name, input.attrs["value"], want)
			}
		}
	}
}

// TestZoneThatIsGone: the form says what is filtered, also when that zone has no target any more.
func TestZoneThatIsGone(t *testing.T) {
	t.Parallel()
	var chosen []string
	for _, o := range page(t, handlerOf(fleet(3)), "?zone=gone").all("option", "") {
		if o.attrs["selected"] != "" {
			chosen = append(chosen, o.attrs["value"])
		}
	}
	if diff := cmp.Diff([]string{"gone"}, chosen); diff != "" {
		t.Errorf("chosen (-want +got):\n%s", diff)
	}
}

// TestShiftedZone: a zone that traffic was shifted away from says so, and no other.
func TestShiftedZone(t *testing.T) {
	t.Parallel()
	pool, err := healthcheck.New(healthcheck.Func(func(context.Context, healthcheck.Target) error { return nil }))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range fleet(3) {
		if err := pool.Register(s.Target); err != nil {
			t.Fatal(err)
		}
	}
	cancel, err := pool.Shift("use1-az2", time.Hour, "a test")
	if err != nil {
		t.Fatal(err)
	}
	defer cancel()
	for _, row := range page(t, statuspage.Handler(pool), "").all("tr", "zone") {
		zone := row.all("a", "")[0].text
		if shifted := strings.Contains(row.text, "shifted away"); shifted != (zone == "use1-az2") {
			t.Errorf("%s is shifted away from: %t", zone, shifted)
		}
	}
}

// TestHostileNames: a name is shown as what it is, and is neither markup nor moves, hides or covers anything.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ name, want string }{
		"markup":            {`<script>alert("1")</script>`, `<script>alert("1")</script>`},
		"attribute":         {`" onmouseover="x' `, `" onmouseover="x'\u0020`},
		"blank letters":     {"a\u3164\u115f\uffa0\u2800", `a\u3164\u115f\uffa0\u2800`},
		"spaces":            {"  a  b c", `\u0020\u0020a \u0020b c`},
		"template":          {`{{.Title}}`, `{{.Title}}`},
		"comment":           {`<!-- ]]> --><![CDATA[`, `<!-- ]]> --><![CDATA[`},
		"entity":            {`&lt;&#0;`, `&lt;&#0;`},
		"link":              {`javascript:alert(1)`, `javascript:alert(1)`},
		"overrides":         {"a\u202egpj.exe\u2066\u200f", `a\u202egpj.exe\u2066\u200f`},
		"invisible":         {"a\u200bb\u00adc\ufeff\u2028\u00a0", `a\u200bb\u00adc\ufeff\u2028\u00a0`},
		"control":           {"a\x00\x1b[31m\r\n\t\x7f", `a\u0000\u001b[31m\u000d\u000a\u0009\u007f`},
		"no UTF-8":          {"a\xff\xc3(", `a\xff\xc3(`},
		"marks pile up":     {"Z\u0351\u0357", `Z\u0351\u0357`},
		"encloses":          {"a\u20dd", `a\u20dd`},
		"tags":              {"a\U000e0041", `a\U000e0041`},
		"right to left":     {"שלום", "שלום"},
		"very long":         {strings.Repeat("w", 1<<20), strings.Repeat("w", 128) + "…"},
		"long, many bytes":  {strings.Repeat("水", 200), strings.Repeat("水", 128) + "…"},
		"a replacement":     {"\ufffd", "\ufffd"},
		"only what is long": {strings.Repeat("w", 128), strings.Repeat("w", 128)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sick(healthcheck.Status{Target: healthcheck.Target{ID: tc.name, Zone: tc.name, Addr: tc.name, Host: tc.name}})
			s.Reason, s.Detail, s.Last.Detail, s.Last.RemoteAddr = healthcheck.Reason(tc.name), tc.name, tc.name, tc.name
			s.Last.Err = fmt.Errorf("%s", tc.name)
			h := handlerOf([]healthcheck.Status{s}, func(o *statuspage.Options) { o.Title, o.ShowErrors = tc.name, true })
			if len(tc.name) < 1000 { // the filter of a request is not longer either
				if got := page(t, h, page(t, h, "").all("tr", "zone")[0].all("a", "")[0].attrs["href"]); len(shown(got)) != 1 {
					t.Error("the link of the zone does not lead to its target")
				}
			}
			doc := page(t, h, "")
			if diff := cmp.Diff([]string{tc.want}, shown(doc)); diff != "" {
				t.Errorf("name (-want +got):\n%s", diff)
			}
			row := doc.all("tr", "target")[0]
			names := 0
			for _, e := range row.all("bdi", "") {
				if e.text != tc.want {
					t.Errorf("an isolated text is %.200q, want %.200q", e.text, tc.want)
				}
				names++
			}
			if names != 9 { // ID, address, host, zone, reason, detail, remote address, detail and error of the check
				t.Errorf("%d names in the row, want 9", names)
			}
			for _, forbidden := range []string{"script", "img", "iframe", "link", "object", "base"} {
				if n := len(doc.all(forbidden, "")); n > 0 {
					t.Errorf("%d <%s>", n, forbidden)
				}
			}
			for _, a := range doc.all("a", "") {
				if !strings.HasPrefix(a.attrs["href"], "?") {
					t.Errorf("a link leads to %q", a.attrs["href"])
				}
			}
		})
	}
}

// TestPolicy: the page is allowed its own style and nothing else, and has nothing else.
func TestPolicy(t *testing.T) {
	t.Parallel()
	w := request(handlerOf(fleet(3)), http.MethodGet, "/")
	doc := read(t, w.Body.String())
	sum := sha256.Sum256([]byte(doc.all("style", "")[0].text))
	want := http.Header{
		"Cache-Control": {"no-store"}, "Content-Type": {"text/html; charset=utf-8"}, "Referrer-Policy": {"no-referrer"},
		"Vary": {"Accept"}, "X-Content-Type-Options": {"nosniff"}, "Content-Length": {fmt.Sprint(w.Body.Len())},
		"Content-Security-Policy": {"default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
			"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"},
	}
	if diff := cmp.Diff(want, w.Header()); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	var walk func(e *element)
	walk = func(e *element) {
		for name := range e.attrs {
			if name == "style" || strings.HasPrefix(name, "on") || name == "src" {
				t.Errorf("<%s> has %s, which the policy forbids", e.name, name)
			}
		}
		for _, c := range e.in {
			walk(c)
		}
	}
	walk(doc)
	viewport := false
	for _, meta := range doc.all("meta", "") {
		viewport = viewport || meta.attrs["name"] == "viewport" && strings.Contains(meta.attrs["content"], "width=device-width")
	}
	if !viewport {
		t.Error("a phone would show the page as wide as that of a desk")
	}
}

// TestLatePool: who looks at old results learns that the checker itself is the reason.
func TestLatePool(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		local healthcheck.Local
		want  string
	}{
		"in time": {healthcheck.Local{Stretch: 1}, ""},
		"late": {
			healthcheck.Local{Stretch: 4, Lag: 1500 * time.Millisecond},
			"The checker itself is late by up to 1 s, and checks 4 times as rarely. Failures",
		},
		"exhausted": {
			healthcheck.Local{Stretch: 1, Exhausted: true, Lag: 90 * time.Second},
			"The checker itself is late by up to 1m 30s; as many checks run as may. Failures",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			view := healthcheck.ViewOptions{Local: tc.local}.View(fleet(3)...)
			h := statuspage.Handler(&healthcheckmock.SourceMock{ViewFunc: func() *healthcheck.View { return view }})
			got := page(t, h, "").all("header", "")[0].text
			if says := strings.Contains(got, "itself is late"); says != (tc.want != "") || !strings.Contains(got, tc.want) {
				t.Errorf("the header says %q, want %q", got, tc.want)
			}
			var doc struct {
				Local struct {
					Degraded, Exhausted bool
					Stretch             int
					LagSeconds          float64
				}
			}
			if err := json.Unmarshal(request(h, http.MethodGet, "/?format=json").Body.Bytes(), &doc); err != nil {
				t.Fatal(err)
			}
			l := doc.Local
			if l.Degraded != tc.local.Degraded() || l.Exhausted != tc.local.Exhausted || l.Stretch != tc.local.Stretch ||
				l.LagSeconds != tc.local.Lag.Seconds() {
				t.Errorf("the JSON says %+v, want %+v", l, tc.local)
			}
		})
	}
}

// TestOwnWordsStayWhole: beside a long name in a wide table, columns of states and numbers keep the width of their words.
func TestOwnWordsStayWhole(t *testing.T) {
	t.Parallel()
	style := page(t, handlerOf(fleet(1)), "").all("style", "")[0].text
	anywhere := strings.Index(style, "overflow-wrap:anywhere")
	whole := strings.Index(style, ".mark,.n,thead th{overflow-wrap:break-word}") // which counts for the least width; anywhere does not
	if anywhere < 0 || whole < anywhere {
		t.Errorf("in the style, anywhere is at %d and the exception at %d", anywhere, whole)
	}
}
