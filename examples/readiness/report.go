package main

import (
	"context"
	"errors"
	"os"
	"strings"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/ec2step"
	"github.com/awsha/awsha/failover/statuspage"
)

// report is what was found.
type report struct {
	Level     failover.Level           `json:"level"` // the worst of the plan
	RTO       int64                    `json:"rto_ms"`
	Critical  int64                    `json:"critical_path_ms"`
	RPO       float64                  `json:"rpo_seconds"`
	Stability *ec2step.StabilityReport `json:"stability"`
	Readiness *failover.Readiness      `json:"readiness"`

	plan failover.Plan
}

// look reads, and asks by dry runs.
func (p *place) look(ctx context.Context) (*report, error) {
	plan := p.plan()
	if err := plan.Validate(); err != nil {
		return nil, &usageError{"the site makes no plan:", err.Error()}
	}
	inventory, err := ec2step.Survey(ctx, p.ec2, ec2step.SurveyRequest{Instances: true})
	if err != nil {
		return nil, err
	}
	locker, err := failover.NewLocker(new(failover.MemoryStore)) // nothing is executed
	if err != nil {
		return nil, err
	}
	engine, err := failover.New(locker, new(failover.MemoryJournal))
	if err != nil {
		return nil, err
	}
	ready, err := engine.Readiness(ctx, plan, nil)
	if err != nil {
		return nil, err
	}
	_, critical := plan.CriticalPath()
	return &report{
		Level: ready.Level, RTO: ready.RTO.Milliseconds(), Critical: critical.Milliseconds(), RPO: ready.RPO.Seconds(),
		Stability: ec2step.Stability(inventory, p.site.fleets()), Readiness: ready, plan: plan,
	}, nil
}

// String is the report for people.
func (r *report) String() string {
	var b strings.Builder
	b.WriteString("If a zone is lost:\n\n")
	b.WriteString(r.Stability.String())
	b.WriteString("\nIf the single instance is replaced:\n\n")
	b.WriteString(r.Readiness.String())
	return b.String()
}

// page writes the forecast as a page.
func (r *report) page(name string) (err error) {
	file, err := os.Create(name)
	if err != nil {
		return &usageError{"-html:", err.Error()}
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	tone := map[failover.Level]statuspage.Tone{failover.LevelPass: statuspage.Good, failover.LevelWarn: statuspage.Warn, failover.LevelFail: statuspage.Bad}
	lines := []statuspage.Line{{What: "Readiness", Is: r.Level.String(), Tone: tone[r.Level]}}
	for _, l := range r.Stability.Losses {
		line := statuspage.Line{What: "Without " + l.ZoneID, Is: "stable", Tone: statuspage.Good}
		if !l.Stable {
			line.Is, line.Tone = "NOT STABLE", statuspage.Bad
		}
		lines = append(lines, line)
	}
	return statuspage.WriteTimeline(file, r.Readiness.Forecast, func(o *statuspage.TimelineOptions) {
		o.Title, o.Plan, o.Lines = "Forecast of "+r.Readiness.Service, &r.plan, lines
	})
}
