package drill

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/internal/htmlpage"
)

// Report is what a drill has measured. Times that did not come are zero.
type Report struct {
	ID        string // of the drill
	Service   string
	Fault     Fault
	Incident  string // that a controller opened, or the drill executed; empty: there was none
	Verdict   Verdict
	Misses    []Miss // why the verdict is Fail, the worst first
	Targets   Targets
	Readiness *failover.Readiness // before the drill; nil: nobody was asked

	Began, Injected time.Time // the probes; the call of Inject
	Struck          time.Time // the fault was in force, or a request failed, whichever was seen first: RTO and detection count from here
	Detected        time.Time
	PlanEnded       time.Time
	Recovered       time.Time // the last probe was back
	FaultEnded      time.Time // was seen to be over
	Failback, Ended time.Time

	// Detection is from Struck to Detected. RTO is the longest of the probes'; it is open, and longer than that, if one was not back while the fault was in force. Plan is
	// from the detection, or from Struck without one, to the end of the plan.
	Detection, RTO, Plan time.Duration
	RTOOpen              bool

	// RPO and LostWrites are those of the probes that write and read: the longest, and the sum. RPOKnown is false if there is no such probe, or one that
	// has not read since the fault.
	RPO        time.Duration
	RPOKnown   bool
	LostWrites int

	// Requests and Failed count from the fault until the failback begins. FailedAfterRecovery are those of Failed that came once all was well.
	Requests, Failed, FailedAfterRecovery int
	FailbackFailed                        int // from the failback on

	CriticalPath []string // of the plan
	Critical     time.Duration
	Probes       []ProbeReport // in the order that they were given
	Timeline     *failover.Timeline

	plan *failover.Plan
}

// ProbeReport is what a probe has measured.
type ProbeReport struct {
	Name              string
	Interval, Timeout time.Duration
	Bound             time.Duration // by how much RTO and a downtime may be off: Interval + Timeout
	Target            time.Duration // of its RTO; 0: none

	// Requests and Failed count from the fault until the failback begins; so do FirstFailure, LastFailure (when they were sent) and Downtimes.
	Requests, Failed          int
	FirstFailure, LastFailure time.Time
	LastError                 error // of the whole drill
	Downtimes                 []Interval
	Downtime                  time.Duration // their sum; one that goes on counts to the end of the drill

	RTO                 time.Duration // from the fault to RecoveredAt, 0 if no request failed; until the wait ended if Recovered is false
	Recovered           bool          // good answers for Options.Steady, after the plan and while the fault was in force
	RecoveredAt         time.Time     // the first of those; zero: no request had failed
	FailedAfterRecovery int
	FailbackFailed      int
	FailbackDowntime    time.Duration

	P50, P99 time.Duration // latencies of the good answers of the whole drill
	Loss     *Loss         // nil: the probe does not look for it
}

// report measures. broken tells that the drill did not come to its end.
func (r *run) report(broken bool) *Report {
	plan := r.response.Plan
	rep := &Report{
		ID: r.id, Service: plan.Service, Fault: r.Drill.fault, Targets: r.opts.Targets, Readiness: r.readiness, Timeline: r.timeline, plan: &plan,
		Began: r.began, Injected: r.injected, Struck: r.struck, Detected: r.detected, PlanEnded: r.planEnded, Failback: r.failback, Ended: r.ended,
		Incident: r.watched.now().incident,
	}
	if r.response.Watch == nil && !r.planEnded.IsZero() {
		rep.Incident = r.id
	}
	rep.CriticalPath, rep.Critical = plan.CriticalPath()
	if r.fault != nil && r.fault.injection != nil && r.fault.err == nil {
		rep.FaultEnded = r.fault.at
	}
	if !r.detected.IsZero() {
		rep.Detection = max(r.detected.Sub(r.struck), 0)
	}
	if !r.planEnded.IsZero() {
		from := r.struck
		if r.detected.After(from) {
			from = r.detected
		}
		rep.Plan = max(r.planEnded.Sub(from), 0)
	}
	rep.RPOKnown = true
	tellers := 0
	for i := range r.probing {
		p := r.measure(i)
		rep.Probes = append(rep.Probes, p)
		rep.Requests += p.Requests
		rep.Failed += p.Failed
		rep.FailedAfterRecovery += p.FailedAfterRecovery
		rep.FailbackFailed += p.FailbackFailed
		rep.RTO = max(rep.RTO, p.RTO)
		rep.RTOOpen = rep.RTOOpen || !p.Recovered && !r.struck.IsZero()
		if p.RecoveredAt.After(rep.Recovered) {
			rep.Recovered = p.RecoveredAt
		}
		if p.Loss != nil {
			tellers++
			rep.RPO = max(rep.RPO, p.Loss.Span)
			rep.LostWrites += p.Loss.Writes
			rep.RPOKnown = rep.RPOKnown && r.readSince(i)
		}
	}
	rep.RPOKnown = rep.RPOKnown && tellers > 0
	if rep.RTOOpen {
		rep.Recovered = time.Time{}
	}
	r.judge(rep, broken)
	return rep
}

// measure adds up what a probe has seen.
func (r *run) measure(i int) ProbeReport {
	p := r.probing[i]
	p.mu.Lock()
	defer p.mu.Unlock()
	rep := ProbeReport{Name: p.Name, Interval: p.Interval, Timeout: p.Timeout, Bound: p.Interval + p.Timeout, Target: p.RTO, LastError: p.failure}
	from := r.injected
	if from.IsZero() {
		from = r.began
	}
	drilled := between(p.samples, from, r.failback)
	rep.Requests, rep.Failed = len(drilled), countFailed(drilled)
	rep.Downtimes = downtimes(drilled)
	for _, d := range rep.Downtimes {
		rep.Downtime += r.length(d)
	}
	for k := range drilled {
		if s := &drilled[k]; !s.ok {
			if rep.FirstFailure.IsZero() {
				rep.FirstFailure = s.start
			}
			rep.LastFailure = s.start
		}
	}
	if rep.Recovered = i < len(r.recovered) && r.recovered[i]; rep.Recovered {
		if down := downtimes(between(p.samples, from, r.settled)); len(down) > 0 {
			rep.RecoveredAt = down[len(down)-1].To
			rep.RTO = max(rep.RecoveredAt.Sub(r.struck), 0)
		}
		rep.FailedAfterRecovery = countFailed(between(drilled, r.settled, time.Time{}))
	} else if !r.struck.IsZero() {
		rep.RTO = max(r.settled.Sub(r.struck), 0)
	}
	if !r.failback.IsZero() {
		back := between(p.samples, r.failback, time.Time{})
		rep.FailbackFailed = countFailed(back)
		for _, d := range downtimes(back) {
			rep.FailbackDowntime += r.length(d)
		}
	}
	took := latencies(p.samples)
	rep.P50, rep.P99 = percentile(took, 50), percentile(took, 99)
	if t, ok := p.Client.(LossTeller); ok {
		l := t.Loss()
		rep.Loss = &l
	}
	return rep
}

// length is that of a time without an answer.
func (r *run) length(d Interval) time.Duration {
	if d.To.IsZero() {
		return max(r.ended.Sub(d.From), 0)
	}
	return d.To.Sub(d.From)
}

// readSince tells whether a probe that reads had a good answer to what it asked since the fault was in force, and the plan done.
func (r *run) readSince(i int) bool {
	p := r.probing[i]
	p.mu.Lock()
	defer p.mu.Unlock()
	from := r.struck
	if r.planEnded.After(from) {
		from = r.planEnded
	}
	after := between(p.samples, from, time.Time{})
	return !from.IsZero() && countFailed(after) < len(after)
}

// String returns the verdict, what was measured, and the timeline, for a terminal: what others wrote is escaped.
func (r *Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s of %s: %s\n\n", strings.ToUpper(r.Verdict.String()), printable(r.ID), printable(r.Service), printable(r.Fault.String()))
	for _, m := range r.Misses {
		fmt.Fprintf(&b, "MISSED  %s\n", printable(m.String()))
	}
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, l := range r.lines() {
		fmt.Fprintf(w, "%s\t%s\n", l.what, printable(l.is))
	}
	_ = w.Flush() // a strings.Builder takes everything
	b.WriteByte('\n')
	fmt.Fprintln(w, "PROBE\tREQUESTS\tFAILED\tLATER\tDOWNTIME\tRTO\t+-\tP50\tP99\tLAST ERROR")
	for i := range r.Probes {
		p := &r.Probes[i]
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%s\t%s\t%s\t%s\t%s\t%s\n", printable(p.Name), p.Requests, p.Failed, p.FailedAfterRecovery,
			short(p.Downtime), p.rto(), short(p.Bound), short(p.P50), short(p.P99), printable(htmlpage.ErrorText(p.LastError)))
	}
	_ = w.Flush()
	text := b.String()
	b.Reset()
	for line := range strings.Lines(text) {
		b.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	return b.String() + "\n" + r.Timeline.String()
}

func (p *ProbeReport) rto() string {
	if !p.Recovered && p.RTO > 0 {
		return "more than " + short(p.RTO)
	}
	return short(p.RTO)
}

// printable escapes what a terminal might act on, and what is no text.
func printable(s string) string {
	var b strings.Builder
	for s != "" {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			quoted := strconv.QuoteRune(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		s = s[size:]
	}
	return b.String()
}

func short(d time.Duration) string { return d.Round(time.Millisecond).String() }

// line is one of the summary.
type line struct {
	what, is string
	missed   bool
}

// lines are the summary, with the targets.
func (r *Report) lines() (list []line) {
	missed := make(map[string]bool)
	for _, m := range r.Misses {
		missed[m.Target] = true
	}
	add := func(target, what, is, atMost string) {
		if atMost != "" {
			is += ", of at most " + atMost
		}
		list = append(list, line{what, is, missed[target]})
	}
	bound := func(d time.Duration) string {
		if d == 0 {
			return ""
		}
		return short(d)
	}
	if !r.Struck.IsZero() {
		rto := short(r.RTO)
		if r.RTOOpen {
			rto = "more than " + rto
		}
		add(TargetRTO, "RTO", rto, bound(r.Targets.RTO))
	}
	if !r.Detected.IsZero() {
		add(TargetDetection, "detection", short(r.Detection), bound(r.Targets.Detection))
	}
	if !r.PlanEnded.IsZero() {
		add(TargetPlan, "plan", short(r.Plan)+", estimated "+short(r.Critical)+": "+strings.Join(r.CriticalPath, ", "), "")
	}
	if r.RPOKnown {
		most := ""
		if t := r.Targets.RPO; t != nil {
			most = short(*t)
		}
		add(TargetRPO, "RPO", short(r.RPO), most)
		most = ""
		if t := r.Targets.MaxLostWrites; t != nil {
			most = fmt.Sprint(*t)
		}
		add(TargetLostWrites, "lost writes", fmt.Sprint(r.LostWrites), most)
	}
	most := ""
	if t := r.Targets.MaxFailed; t != nil {
		most = fmt.Sprint(*t)
	}
	add(TargetFailed, "requests", fmt.Sprintf("%d, of which %d failed, %d of them after the recovery", r.Requests, r.Failed, r.FailedAfterRecovery), most)
	if !r.Failback.IsZero() {
		add(TargetFailback, "failback", fmt.Sprintf("%d requests failed", r.FailbackFailed), "")
	}
	return list
}

// MarshalJSON returns the report, with the timeline. Durations are milliseconds, but for rpo_seconds; what was not measured is left out. Names stay as they are
// within a version.
func (r *Report) MarshalJSON() ([]byte, error) {
	type interval struct {
		From time.Time `json:"from"`
		To   time.Time `json:"to,omitzero"`
	}
	type loss struct {
		Writes     int     `json:"writes"`
		RPOSeconds float64 `json:"rpo_seconds"`
		Unverified int     `json:"unverified"`
	}
	type probe struct {
		Name         string     `json:"probe"`
		IntervalMS   float64    `json:"interval_ms"`
		TimeoutMS    float64    `json:"timeout_ms"`
		BoundMS      float64    `json:"bound_ms"`
		TargetMS     float64    `json:"rto_target_ms,omitempty"`
		Requests     int        `json:"requests"`
		Failed       int        `json:"failed"`
		After        int        `json:"failed_after_recovery"`
		FirstFailure time.Time  `json:"first_failure,omitzero"`
		LastFailure  time.Time  `json:"last_failure,omitzero"`
		LastError    string     `json:"last_error,omitempty"`
		Downtimes    []interval `json:"downtimes,omitempty"`
		DowntimeMS   float64    `json:"downtime_ms"`
		RTOMS        float64    `json:"rto_ms"`
		Recovered    bool       `json:"recovered"`
		RecoveredAt  time.Time  `json:"recovered_at,omitzero"`
		BackFailed   int        `json:"failback_failed"`
		BackMS       float64    `json:"failback_downtime_ms"`
		P50MS        float64    `json:"p50_ms"`
		P99MS        float64    `json:"p99_ms"`
		Loss         *loss      `json:"loss,omitempty"`
	}
	type targets struct {
		RTOMS         float64  `json:"rto_ms,omitempty"`
		DetectionMS   float64  `json:"detection_ms,omitempty"`
		RPOSeconds    *float64 `json:"rpo_seconds,omitempty"`
		MaxLostWrites *int     `json:"lost_writes,omitempty"`
		MaxFailed     *int     `json:"failed,omitempty"`
	}
	doc := struct {
		Version      int                 `json:"version"`
		ID           string              `json:"drill"`
		Service      string              `json:"service"`
		Fault        Fault               `json:"fault"`
		Incident     string              `json:"incident,omitempty"`
		Verdict      Verdict             `json:"verdict"`
		Misses       []Miss              `json:"misses"`
		Targets      targets             `json:"targets"`
		Began        time.Time           `json:"began"`
		Injected     time.Time           `json:"injected,omitzero"`
		Struck       time.Time           `json:"struck,omitzero"`
		Detected     time.Time           `json:"detected,omitzero"`
		PlanEnded    time.Time           `json:"plan_ended,omitzero"`
		Recovered    time.Time           `json:"recovered,omitzero"`
		FaultEnded   time.Time           `json:"fault_ended,omitzero"`
		Failback     time.Time           `json:"failback,omitzero"`
		Ended        time.Time           `json:"ended,omitzero"`
		DetectionMS  *float64            `json:"detection_ms,omitempty"`
		RTOMS        *float64            `json:"rto_ms,omitempty"`
		RTOOpen      bool                `json:"rto_open,omitempty"`
		PlanMS       *float64            `json:"plan_ms,omitempty"`
		CriticalMS   float64             `json:"critical_path_ms"`
		CriticalPath []string            `json:"critical_path"`
		RPOSeconds   *float64            `json:"rpo_seconds,omitempty"`
		LostWrites   *int                `json:"lost_writes,omitempty"`
		Requests     int                 `json:"requests"`
		Failed       int                 `json:"failed"`
		After        int                 `json:"failed_after_recovery"`
		BackFailed   *int                `json:"failback_failed,omitempty"`
		Probes       []probe             `json:"probes"`
		Readiness    *failover.Readiness `json:"readiness,omitempty"`
		Timeline     *failover.Timeline  `json:"timeline"`
	}{
		Version: 1, ID: r.ID, Service: r.Service, Fault: r.Fault, Incident: r.Incident, Verdict: r.Verdict, Misses: append([]Miss{}, r.Misses...),
		Targets: targets{
			RTOMS: milliseconds(r.Targets.RTO), DetectionMS: milliseconds(r.Targets.Detection), MaxLostWrites: r.Targets.MaxLostWrites, MaxFailed: r.Targets.MaxFailed,
		},
		Began: r.Began.UTC(), Injected: r.Injected.UTC(), Struck: r.Struck.UTC(), Detected: r.Detected.UTC(), PlanEnded: r.PlanEnded.UTC(),
		Recovered: r.Recovered.UTC(), FaultEnded: r.FaultEnded.UTC(), Failback: r.Failback.UTC(), Ended: r.Ended.UTC(),
		CriticalMS: milliseconds(r.Critical), CriticalPath: r.CriticalPath, RTOOpen: r.RTOOpen, Requests: r.Requests, Failed: r.Failed, After: r.FailedAfterRecovery,
		Probes: []probe{}, Readiness: r.Readiness, Timeline: r.Timeline,
	}
	if t := r.Targets.RPO; t != nil {
		doc.Targets.RPOSeconds = new(t.Seconds())
	}
	if !r.Struck.IsZero() {
		doc.RTOMS = new(milliseconds(r.RTO))
	}
	if !r.Detected.IsZero() {
		doc.DetectionMS = new(milliseconds(r.Detection))
	}
	if !r.PlanEnded.IsZero() {
		doc.PlanMS = new(milliseconds(r.Plan))
	}
	if r.RPOKnown {
		doc.RPOSeconds, doc.LostWrites = new(r.RPO.Seconds()), new(r.LostWrites)
	}
	if !r.Failback.IsZero() {
		doc.BackFailed = new(r.FailbackFailed)
	}
	for i := range r.Probes {
		p := &r.Probes[i]
		one := probe{
			Name: p.Name, IntervalMS: milliseconds(p.Interval), TimeoutMS: milliseconds(p.Timeout), BoundMS: milliseconds(p.Bound), TargetMS: milliseconds(p.Target),
			Requests: p.Requests, Failed: p.Failed, After: p.FailedAfterRecovery, FirstFailure: p.FirstFailure.UTC(), LastFailure: p.LastFailure.UTC(),
			LastError: htmlpage.ErrorText(p.LastError), DowntimeMS: milliseconds(p.Downtime), RTOMS: milliseconds(p.RTO), Recovered: p.Recovered,
			RecoveredAt: p.RecoveredAt.UTC(), BackFailed: p.FailbackFailed, BackMS: milliseconds(p.FailbackDowntime),
			P50MS: milliseconds(p.P50), P99MS: milliseconds(p.P99),
		}
		for _, d := range p.Downtimes {
			one.Downtimes = append(one.Downtimes, interval{d.From.UTC(), d.To.UTC()})
		}
		if p.Loss != nil {
			one.Loss = &loss{p.Loss.Writes, p.Loss.Span.Seconds(), p.Loss.Unverified}
		}
		doc.Probes = append(doc.Probes, one)
	}
	return json.Marshal(doc)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
