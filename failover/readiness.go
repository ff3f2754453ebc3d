package failover

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"
)

// Level grades a [Finding]. The zero Level is LevelPass.
type Level int

// The levels.
const (
	LevelPass Level = iota // it would work, as far as can be told
	LevelWarn              // it would work, and something should be better
	LevelFail              // it would not work
)

// String returns the level in capitals.
func (l Level) String() string {
	switch l {
	case LevelPass:
		return "PASS"
	case LevelWarn:
		return "WARN"
	case LevelFail:
		return "FAIL"
	}
	return "Level(" + strconv.Itoa(int(l)) + ")"
}

// MarshalText implements encoding.TextMarshaler.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// Finding is something that a step has found about its readiness.
type Finding struct {
	Level Level  `json:"level"`
	Text  string `json:"text"` // what was looked at and what was found, with the resource and, for a permission, the IAM action

	// Estimate is how long the step would take now, if that is known better than [Step.Estimate]. RPO is how much of the last data would be lost now. Zero says
	// nothing.
	Estimate time.Duration `json:"-"`
	RPO      time.Duration `json:"-"`
}

// Readier is implemented by a step that can find out whether it would work: by reads, and by dry runs of EC2.
type Readier interface {
	// Ready looks, and changes nothing. The Env has no fence, so that no effect is allowed, and of the Inputs only those of steps that are done
	// already. An error means that it could not look, and is a finding of LevelFail.
	Ready(ctx context.Context, env *Env) ([]Finding, error)
}

// Readiness is what [Engine.Readiness] has found.
type Readiness struct {
	Service string
	Time    time.Time
	Took    time.Duration
	Level   Level           // the worst of all
	Steps   []StepReadiness // in the order of the plan

	// RTO is how long the plan would take from the decision on: the estimates along its critical path, without the steps that are done. RPO is the worst
	// that a step has found.
	RTO, RPO     time.Duration
	CriticalPath []string
	Plane        Plane // the worst
	Blast        Blast // the largest

	// Forecast is the timeline that an execution would have now, if every step took as long as is estimated. Its times begin with Time.
	Forecast *Timeline
}

// StepReadiness is a step in a [Readiness].
type StepReadiness struct {
	ID       string
	State    State // what Check answered; zero if it was not asked, since the step needs what is not done
	Estimate time.Duration
	RPO      time.Duration
	Plane    Plane
	Blast    Blast
	Findings []Finding
}

// Level is the worst of the findings.
func (s *StepReadiness) Level() (worst Level) {
	for _, f := range s.Findings {
		worst = max(worst, f.Level)
	}
	return worst
}

// readyTimeout bounds one step.
const readyTimeout = time.Minute

// Readiness asks every step of a plan whether it would work now, and forecasts how the plan would go. It makes no effect, takes no lease and writes no
// journal: it can run every hour, and before every planned failover. Steps are asked at the same time, within [Options.Limits]; each has a minute.
//
// facts are those of the incident that is imagined. An invalid plan is a [*PlanError]. That steps would not work is no error: see [Readiness.Level].
func (e *Engine) Readiness(ctx context.Context, plan Plan, facts map[string]string) (*Readiness, error) {
	g, err := compile(plan)
	if err != nil {
		return nil, err
	}
	r := &Readiness{Service: plan.Service, Time: time.Now(), Steps: make([]StepReadiness, len(g.nodes))}
	a := asking{Engine: e, graph: g, facts: facts, report: r, ended: make([]chan struct{}, len(g.nodes)), outputs: make([]map[string]string, len(g.nodes))}
	for i := range a.ended {
		a.ended[i] = make(chan struct{})
	}
	var all errgroup.Group
	for i := range g.nodes {
		all.Go(func() error {
			defer close(a.ended[i])
			a.step(ctx, i)
			return nil
		})
	}
	_ = all.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return nil, cause
	}
	r.Took = time.Since(r.Time)
	r.conclude(g)
	return r, nil
}

// asking is one call of Readiness.
type asking struct {
	*Engine
	graph  *graph
	facts  map[string]string
	report *Readiness

	mu      sync.Mutex
	ended   []chan struct{}     // closed when a step has been asked
	outputs []map[string]string // of steps that are done already
}

// step asks one step, once what it needs has been asked: whether that is done already decides what it can be asked.
func (a *asking) step(ctx context.Context, i int) {
	n := &a.graph.nodes[i]
	s := StepReadiness{ID: n.id, Estimate: n.estimate, Plane: n.plane, Blast: n.blast}
	defer func() { a.report.Steps[i] = s }()
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	inputs, waits := a.inputs(ctx, n)
	env := &Env{
		Service: a.report.Service, Step: n.id, Attempt: 1, Inputs: inputs, Facts: a.facts,
		Logger: a.opts.Logger.With(slog.String("step", n.id)),
	}
	if n.api != "" {
		done, err := a.limits.turn(ctx, n.api)
		if err != nil {
			s.fail("not asked: %v", err)
			return
		}
		defer done()
	}
	if !waits {
		err := guard(func() (err error) {
			s.State, err = n.step.Check(ctx, env)
			return err
		})
		switch {
		case err != nil && s.State == InProgress && !isPermanent(err):
			s.Findings = append(s.Findings, Finding{Text: fmt.Sprintf("it waits: %v", err)})
		case err != nil:
			s.State = 0
			s.fail("check: %v", err)
		case s.State == Impossible:
			s.fail("check: %v", ErrImpossible)
		case s.State == Done:
			s.Estimate = 0
			a.mu.Lock()
			a.outputs[i] = env.Outputs()
			a.mu.Unlock()
		}
	}
	ready, ok := n.step.(Readier)
	if !ok {
		return
	}
	var found []Finding
	err := guard(func() (err error) {
		found, err = ready.Ready(ctx, env)
		return err
	})
	if err != nil {
		s.fail("ready: %v", err)
	}
	for _, f := range found {
		s.Findings = append(s.Findings, f)
		if f.Estimate > 0 && s.State != Done {
			s.Estimate = f.Estimate
		}
		s.RPO = max(s.RPO, f.RPO)
	}
}

// inputs waits for what a step needs to have been asked. It returns what that has put, and whether something of it is not done.
func (a *asking) inputs(ctx context.Context, n *node) (inputs map[string]map[string]string, waits bool) {
	inputs = make(map[string]map[string]string, len(n.needs))
	for _, need := range n.needs {
		select {
		case <-a.ended[need]:
		case <-ctx.Done():
			return inputs, true
		}
		if a.report.Steps[need].State != Done {
			waits = true
			continue
		}
		a.mu.Lock()
		inputs[a.graph.nodes[need].id] = a.outputs[need]
		a.mu.Unlock()
	}
	return inputs, waits
}

func (s *StepReadiness) fail(format string, args ...any) {
	s.Findings = append(s.Findings, Finding{Level: LevelFail, Text: fmt.Sprintf(format, args...)})
}

// conclude adds up what the steps have found.
func (r *Readiness) conclude(g *graph) {
	for i := range r.Steps {
		s := &r.Steps[i]
		r.Level, r.RPO = max(r.Level, s.Level()), max(r.RPO, s.RPO)
		r.Plane, r.Blast = max(r.Plane, s.Plane), max(r.Blast, s.Blast)
		g.nodes[i].estimate = s.Estimate
	}
	var ends []time.Duration
	r.CriticalPath, ends = g.criticalPath()
	r.Forecast = new(Timeline)
	tell := func(at time.Duration, ev Event) {
		ev.Time, ev.Service = r.Time.Add(at), r.Service
		r.Forecast.add(ev)
	}
	tell(0, Event{Kind: KindStarted})
	tell(0, Event{Kind: KindLeased})
	for i := range r.Steps {
		s := &r.Steps[i]
		began := ends[i] - s.Estimate
		tell(began, Event{Kind: KindStepStarted, Step: s.ID})
		if s.State == Done {
			tell(began, Event{Kind: KindStepSkipped, Step: s.ID, Detail: "check: done"})
			continue
		}
		tell(began, Event{Kind: KindStepDo, Step: s.ID, Attempt: 1})
		tell(ends[i], Event{Kind: KindStepDone, Step: s.ID, Attempt: 1, Took: s.Estimate})
		r.RTO = max(r.RTO, ends[i])
	}
	tell(r.RTO, Event{Kind: KindEnded, Took: r.RTO})
}

// String returns the report as a table, the steps with what they have found.
func (r *Readiness) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: RTO %s, RPO %s, worst plane %s, blast radius %s\n", r.Level, printable(r.Service), r.RTO, r.RPO, r.Plane, r.Blast)
	fmt.Fprintf(&b, "critical path: %s\n", printable(strings.Join(r.CriticalPath, ", ")))
	width := 0
	for i := range r.Steps {
		width = max(width, utf8.RuneCountInString(printable(r.Steps[i].ID)))
	}
	for i := range r.Steps {
		s := &r.Steps[i]
		state := "not asked"
		if s.State != 0 {
			state = s.State.String()
		}
		fmt.Fprintf(&b, "%s  %-*s  %8s  %s\n", s.Level(), width, printable(s.ID), s.Estimate, state)
		for _, f := range s.Findings {
			fmt.Fprintf(&b, "      %s  %s\n", f.Level, printable(f.Text))
		}
	}
	return b.String()
}

// MarshalJSON returns the report. Durations are milliseconds.
func (r *Readiness) MarshalJSON() ([]byte, error) {
	type step struct {
		ID         string    `json:"id"`
		Level      Level     `json:"level"`
		State      string    `json:"state,omitempty"`
		EstimateMS float64   `json:"estimate_ms"`
		RPOMS      float64   `json:"rpo_ms,omitempty"`
		Plane      string    `json:"plane"`
		Blast      string    `json:"blast"`
		Findings   []Finding `json:"findings,omitempty"`
	}
	steps := make([]step, len(r.Steps))
	for i := range r.Steps {
		s := &r.Steps[i]
		steps[i] = step{
			ID: s.ID, Level: s.Level(), EstimateMS: milliseconds(s.Estimate), RPOMS: milliseconds(s.RPO),
			Plane: s.Plane.String(), Blast: s.Blast.String(), Findings: s.Findings,
		}
		if s.State != 0 {
			steps[i].State = s.State.String()
		}
	}
	return json.Marshal(struct {
		Service      string    `json:"service"`
		Time         time.Time `json:"time"`
		TookMS       float64   `json:"took_ms"`
		Level        Level     `json:"level"`
		RTOMS        float64   `json:"rto_ms"`
		RPOMS        float64   `json:"rpo_ms"`
		CriticalPath []string  `json:"critical_path"`
		Plane        string    `json:"plane"`
		Blast        string    `json:"blast"`
		Steps        []step    `json:"steps"`
		Forecast     *Timeline `json:"forecast"`
	}{
		r.Service, r.Time.UTC(), milliseconds(r.Took), r.Level, milliseconds(r.RTO), milliseconds(r.RPO), r.CriticalPath, r.Plane.String(), r.Blast.String(),
		steps, r.Forecast,
	})
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
