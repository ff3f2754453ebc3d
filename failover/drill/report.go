package drill

import (
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

	// Detection is from Struck to Detected. RTO is the longest of the probes'; it is open, and longer than that, if one was not back while
	// the fault was in force. Plan is from the detection, or from Struck without one, to the end of the plan.
	Detection, RTO, Plan time.Duration
	RTOOpen              bool

	// RPO and LostWrites are those of the probes that write and read: the longest, and the sum. RPOKnown is false if there is no such
	// probe, or one that has not read since the fault.
	RPO        time.Duration
	RPOKnown   bool
	LostWrites int

	// Requests and Failed count from the fault until the failback begins. FailedAfterRecovery are those of Failed that came once all was
	// well.
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

	// Requests and Failed count from the fault until the failback begins; so do FirstFailure, LastFailure (when they were sent) and
	// Downtimes.
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
