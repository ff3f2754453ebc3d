package statuspage_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/failovermock"
	"github.com/awsha/awsha/failover/statuspage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var update = flag.Bool("update", false, "write the files of testdata anew")

var began = time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC)

// jsonTimeline makes a timeline of events: as a caller would, by what it can add.
func timeline(marks ...string) *failover.Timeline {
	var t failover.Timeline
	for i, m := range marks {
		t.Mark(m, began.Add(time.Duration(i)*time.Second))
	}
	return &t
}

// executed is the timeline of a plan of which one step fails.
func executed(t testing.TB) (*failover.Timeline, *failover.Plan) {
	t.Helper()
	locker, err := failover.NewLocker(new(failover.MemoryStore))
	if err != nil {
		t.Fatal(err)
	}
	engine, err := failover.New(locker, new(failover.MemoryJournal))
	if err != nil {
		t.Fatal(err)
	}
	does := func(err error) func(ctx context.Context, env *failover.Env) error {
		return func(ctx context.Context, env *failover.Env) error {
			failover.RecordCall(ctx, failover.Call{Service: "EC2", Operation: "AssociateAddress", RequestID: "req-1"}, time.Millisecond, nil)
			env.Note("says %s", "<b>")
			return err
		}
	}
	plan := failover.Plan{Service: "orders", Steps: []failover.Step{
		failover.NewStep(failover.StepFuncs{ID: "fence", Plane: failover.PlaneMutate, Estimate: time.Second, Do: does(nil)}),
		failover.NewStep(failover.StepFuncs{ID: "move", Needs: []string{"fence"}, Plane: failover.PlaneMutate, Estimate: 2 * time.Second, Do: does(failover.Permanent(errors.New("denied")))}),
		failover.NewStep(failover.StepFuncs{ID: "dns", Needs: []string{"move"}, Plane: failover.PlaneGlobal, Estimate: time.Minute, Do: does(nil)}),
	}}
	tl := new(failover.Timeline)
	_, err = engine.Execute(t.Context(), "orders-1", plan, func(o *failover.ExecOptions) { o.Timeline = tl })
	if err == nil {
		t.Fatal("no error")
	}
	now := time.Now()
	tl.Downtime("client", now.Add(-30*time.Second), now)
	tl.Mark("killed", now.Add(-30*time.Second))
	return tl, &plan
}

func page(t *testing.T, tl *failover.Timeline, optFns ...func(*statuspage.TimelineOptions)) string {
	t.Helper()
	var b bytes.Buffer
	if err := statuspage.WriteTimeline(&b, tl, optFns...); err != nil {
		t.Fatal(err)
	}
	wellFormed(t, b.String())
	return b.String()
}

// wellFormed reads a page as strict XML, and refuses what a page must not have.
func wellFormed(t testing.TB, page string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(strings.TrimPrefix(page, "<!DOCTYPE html>\n")))
	d.Entity = map[string]string{}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%v in\n%.2000s", err, page)
		}
		e, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		switch e.Name.Local {
		case "script", "img", "iframe", "object", "link", "b":
			t.Fatalf("the page has a <%s>", e.Name.Local)
		}
		for _, a := range e.Attr {
			if strings.HasPrefix(a.Name.Local, "on") || a.Name.Local == "src" || a.Name.Local == "style" {
				t.Fatalf("<%s> has %s", e.Name.Local, a.Name.Local)
			}
		}
	}
}

func TestAPageTellsWhatHappened(t *testing.T) {
	t.Parallel()
	tl, plan := executed(t)
	text := page(t, tl, func(o *statuspage.TimelineOptions) { o.Title, o.Plan = "Drill of Monday", plan })
	for _, want := range []string{
		"<h1><bdi>Drill of Monday</bdi></h1>", "Without an answer (RTO)", "30 s", "1m 3s: fence, move, dns", "1 done, 1 failed, 1 not run", "AWS calls",
		"no answer: client", "EC2 AssociateAddress", "request <bdi>req-1</bdi>", "denied", "┆ killed", `class="bad"`, "FAILED", "says &lt;b&gt;", "<title>Drill of Monday</title>",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

// The drawing of a timeline whose times are known.
func TestChart(t *testing.T) {
	t.Parallel()
	tl := timeline("killed", "detected", "well again")
	tl.Downtime("client", began, began.Add(2*time.Second))
	tl.Downtime("<b>probe\u202e", began.Add(500*time.Millisecond), began.Add(time.Second))
	got := page(t, tl)
	golden := filepath.Join("testdata", "chart.html")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the page differs from %s: see the difference with -update and git diff", golden)
	}
}

// What a caller adds stands above what the page adds up, with its own colour.
func TestLinesOfTheCaller(t *testing.T) {
	t.Parallel()
	tl := timeline("killed", "well again")
	tl.Add(failover.Event{Kind: failover.KindDowntime, Time: began.Add(2 * time.Second), Took: time.Second, Detail: "client"})
	text := page(t, tl, func(o *statuspage.TimelineOptions) {
		o.Lines = []statuspage.Line{
			{"Verdict", "fail", statuspage.Bad}, {"<b>", "a\u202eb", statuspage.Good}, {"held", "why", statuspage.Warn}, {"plain", "text", statuspage.Plain},
		}
	})
	const want = `<dl><dt><bdi>Verdict</bdi></dt><dd class="bad"><bdi>fail</bdi></dd><dt><bdi>&lt;b&gt;</bdi></dt><dd class="ok"><bdi>a\u202eb</bdi></dd>` +
		`<dt><bdi>held</bdi></dt><dd class="warn"><bdi>why</bdi></dd><dt><bdi>plain</bdi></dt><dd><bdi>text</bdi></dd>` +
		`<dt><bdi>Without an answer (RTO)</bdi></dt><dd><bdi>1 s</bdi></dd>`
	if !strings.Contains(strings.ReplaceAll(text, "\n", ""), want) {
		t.Errorf("no %s in\n%s", want, text)
	}
}

func TestAnEmptyTimelineIsAPage(t *testing.T) {
	t.Parallel()
	if text := page(t, new(failover.Timeline)); !strings.Contains(text, "Nothing has happened.") || strings.Contains(text, "<svg") {
		t.Error(text)
	}
}

// However long the timeline, and whatever its names, the page is of bounded size and says what is missing.
func TestPagesAreBounded(t *testing.T) {
	t.Parallel()
	var tl failover.Timeline
	name := strings.Repeat("<script>alert(1)</script>\x00\xff\u202e", 400)
	for i := range 50_000 {
		at := began.Add(time.Duration(i) * time.Millisecond)
		if i%2 == 0 {
			tl.Mark(name, at)
		} else {
			tl.Downtime(name, at, at.Add(time.Second))
		}
	}
	text := page(t, &tl)
	if len(text) > 4<<20 || !strings.Contains(text, "48000 more events are not shown") || !strings.Contains(text, "24800 more are not drawn") {
		t.Errorf("%d bytes", len(text))
	}
}

func TestChartAndTableCountFromOneMoment(t *testing.T) {
	t.Parallel()
	var tl failover.Timeline
	tl.Downtime("client", began, began.Add(8*time.Second))
	tl.Mark("good again", began.Add(10*time.Second))
	if text := page(t, &tl); !strings.Contains(text, `data-label="at">+8s <`) || !strings.Contains(text, `data-label="at">+10s <`) {
		t.Error(text)
	}
}

func TestAReasonIsShownToItsEnd(t *testing.T) {
	t.Parallel()
	var tl failover.Timeline
	why := "operation error EC2: DisassociateAddress, https response error StatusCode: 403, RequestID: 00000000-0000-4000-8000-000000000005, " +
		"api error UnauthorizedOperation: You are not authorized to perform this operation."
	tl.Add(failover.Event{
		Time: began, Kind: failover.KindStepFailed, Step: "remap-address",
		Err: &failover.StepError{Incident: "i", Step: "remap-address", Attempt: 1, Err: failover.ErrStepTimeout, Last: errors.New(why)},
	})
	text := page(t, &tl)
	for _, want := range []string{"step timeout: last error: operation error EC2", "UnauthorizedOperation: You are not authorized to perform this operation."} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

func TestAStepThatWasUndoneDoesNotRun(t *testing.T) {
	t.Parallel()
	var tl failover.Timeline
	plan := failover.Plan{Service: "s", Steps: []failover.Step{failover.NewStep(failover.StepFuncs{ID: "a", Plane: failover.PlaneMutate})}}
	tl.Add(failover.Event{Time: began, Kind: failover.KindStepStarted, Step: "a"})
	tl.Add(failover.Event{Time: began, Kind: failover.KindStepUndone, Step: "a"})
	source := &failovermock.StatusSourceMock{StatusFunc: func() failover.Status {
		return failover.Status{Services: []failover.ServiceStatus{{Name: "s", Incident: "i", Plan: &plan, Timeline: &tl}}}
	}}
	w := httptest.NewRecorder()
	statuspage.Handler(source).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/?format=json", http.NoBody))
	if !strings.Contains(w.Body.String(), `"state": "undone"`) {
		t.Error(w.Body)
	}
}

func TestAStatusIsBounded(t *testing.T) {
	t.Parallel()
	votes := make([]failover.Vote, 10_000)
	for i := range votes {
		votes[i] = failover.Vote{Observer: strings.Repeat("o", 10_000), Evidence: strings.Repeat("x", 10_000)}
	}
	source := &failovermock.StatusSourceMock{StatusFunc: func() failover.Status {
		return failover.Status{Services: []failover.ServiceStatus{{Name: "s", Votes: votes}}}
	}}
	for _, format := range []string{"json", "html"} {
		w := httptest.NewRecorder()
		statuspage.Handler(source).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/?format="+format, http.NoBody))
		if w.Body.Len() > 1<<20 || !strings.Contains(w.Body.String(), "9800") {
			t.Errorf("%s: %d bytes", format, w.Body.Len())
		}
	}
}

func FuzzTimeline(f *testing.F) {
	f.Add("plain", "</svg><script>", int64(time.Second))
	f.Add("\x00\xff", "]]>", int64(-1))
	f.Add("\u202e", "&amp;", int64(1)<<62)
	f.Fuzz(func(t *testing.T, a, b string, d int64) {
		tl := timeline(a, b)
		tl.Downtime(b, began, began.Add(time.Duration(d)))
		tl.Mark(a, began.Add(time.Duration(d)))
		var out bytes.Buffer
		if err := statuspage.WriteTimeline(&out, tl, func(o *statuspage.TimelineOptions) { o.Title = b }); err != nil {
			t.Fatal(err)
		}
		wellFormed(t, out.String())
	})
}

// status is one of a leader with an incident, something held, a proposal, and names that are hostile.
func status(t *testing.T) failover.Status {
	t.Helper()
	tl, plan := executed(t)
	return failover.Status{
		Time: began, Controller: "controller-1", Zone: "use1-az1", Leading: true, Leader: "controller-1", Unwell: errors.New("no way <out>"),
		Services: []failover.ServiceStatus{
			{
				Name: "orders", Verdict: failover.Failed, Since: began.Add(-time.Minute), Reason: "2 of 3 say failed", Incident: "orders-1", Plan: plan, Timeline: tl,
				Votes: []failover.Vote{{Observer: "probe@az1", Zone: "use1-az1", Verdict: failover.Failed, Evidence: "timeout", Age: 3 * time.Second}},
			},
			{
				Name: "</h2><script>", Verdict: failover.Suspect, Held: "the cooldown", GivenUp: true, Incident: "x",
				Proposed: &failover.Proposal{Incident: "x-1", Blast: "region", Cause: "<i>"},
			},
			{Name: "fresh"},
		},
	}
}

func serve(t *testing.T, s failover.Status, method, target, accept string) *httptest.ResponseRecorder {
	t.Helper()
	h := statuspage.Handler(&failovermock.StatusSourceMock{StatusFunc: func() failover.Status { return s }}, func(o *statuspage.Options) {
		o.Title, o.Refresh = "Orders & co", 1500*time.Millisecond
	})
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), method, target, http.NoBody)
	if accept != "" {
		r.Header.Set("Accept", accept)
	}
	h.ServeHTTP(w, r)
	return w
}

func TestTheStatusIsAPage(t *testing.T) {
	t.Parallel()
	w := serve(t, status(t), http.MethodGet, "/failover", "text/html,application/json")
	text := w.Body.String()
	wellFormed(t, text)
	for _, want := range []string{
		"Orders &amp; co", "controller-1", "leads", "no way &lt;out&gt;", "2 of 3 say failed", "for 1m 0s", "probe@az1", "timeout", "3 s old", "orders-1",
		`href="?timeline=orders"`, "the cooldown", "Waits for an approval", "x-1", "given up", "Nobody has voted", `content="1"`, "&lt;/h2&gt;&lt;script&gt;", "denied",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if w.Code != http.StatusOK || w.Header().Get("Cache-Control") != "no-store" || !strings.Contains(w.Header().Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

func TestTheStatusIsJSON(t *testing.T) {
	t.Parallel()
	for target, accept := range map[string]string{"/?format=json": "", "/": "application/json"} {
		w := serve(t, status(t), http.MethodGet, target, accept)
		var d struct {
			Controller string
			Leading    bool
			Services   []struct {
				Service, Verdict, Held string
				Votes                  []struct {
					Observer string
					AgeMS    float64 `json:"age_ms"`
				}
				Steps []struct{ ID, State, Error string }
			}
		}
		if err := json.Unmarshal(w.Body.Bytes(), &d); err != nil || w.Header().Get("Content-Type") != "application/json" {
			t.Fatalf("%v: %s", err, w.Body)
		}
		one := d.Services[0]
		if !d.Leading || one.Service != "orders" || one.Verdict != "failed" || one.Votes[0].AgeMS != 3000 || d.Services[1].Held != "the cooldown" {
			t.Errorf("%+v", d)
		}
		if len(one.Steps) != 3 || one.Steps[0].State != "done" || one.Steps[1].State != "failed" || !strings.Contains(one.Steps[1].Error, "denied") || one.Steps[2].State != "not run" {
			t.Errorf("%+v", one.Steps)
		}
	}
}

func TestTheTimelineOfAnIncidentIsServed(t *testing.T) {
	t.Parallel()
	s := status(t)
	if w := serve(t, s, http.MethodGet, "/?timeline=orders", ""); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "<svg") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for _, target := range []string{"/?timeline=fresh", "/?timeline=other", "/?timeline="} {
		if w := serve(t, s, http.MethodGet, target, ""); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", target, w.Code)
		}
	}
	h := statuspage.TimelineHandler(func() *failover.Timeline { return s.Services[0].Timeline })
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodHead, "/", http.NoBody))
	if w.Code != http.StatusOK || w.Body.Len() > 0 || w.Header().Get("Content-Length") == "" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	none := statuspage.TimelineHandler(func() *failover.Timeline { return nil })
	w = httptest.NewRecorder()
	none.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody))
	if w.Code != http.StatusNotFound {
		t.Error(w.Code)
	}
}

func TestWrongRequestsAreRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		method, target string
		code           int
	}{{http.MethodPost, "/", 405}, {http.MethodDelete, "/?timeline=orders", 405}, {http.MethodGet, "/?format=xml", 400}} {
		if w := serve(t, status(t), tt.method, tt.target, ""); w.Code != tt.code {
			t.Errorf("%s %s: %d", tt.method, tt.target, w.Code)
		}
	}
}

// An error that cannot be printed is no reason for half a page.
func TestErrorsThatPanicAreShown(t *testing.T) {
	t.Parallel()
	s := failover.Status{Unwell: panics{}}
	if w := serve(t, s, http.MethodGet, "/", ""); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "it panicked") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

type panics struct{}

func (panics) Error() string { panic("no") }

func BenchmarkWriteTimeline(b *testing.B) {
	var tl failover.Timeline
	for i := range 600 {
		tl.Downtime("probe", began, began.Add(time.Duration(i)*time.Second))
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := statuspage.WriteTimeline(io.Discard, &tl); err != nil {
			b.Fatal(err)
		}
	}
}
