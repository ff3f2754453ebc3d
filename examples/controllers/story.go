package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/dynamostore"
)

// report is what was measured. What cannot be measured on an emulator is left out: nobody sends requests there, and nobody counts effects.
type report struct {
	Leaders      []string       `json:"leaders"`
	Incidents    int            `json:"incidents"`
	Effects      map[string]int `json:"effects_per_step,omitempty"`
	Resumed      int            `json:"resumed"`
	DetectionMS  float64        `json:"detection_ms"`
	RTOMS        float64        `json:"rto_ms,omitempty"` // from the first request that failed to the first good one
	PlanMS       float64        `json:"plan_ms"`          // from the detection to the end of the last step
	CriticalMS   float64        `json:"critical_path_ms"`
	TakeoverMS   float64        `json:"takeover_ms"` // from the death of the leader's zone until another one goes on
	Requests     int            `json:"requests,omitempty"`
	Failed       int            `json:"failed,omitempty"`
	criticalPath []string
}

// tell tells the story, and measures it.
func tell(ctx context.Context, place func(context.Context) (*site, error), show *screen) (_ *report, err error) {
	show.say("three zones, a table, and a service with an address start")
	s, err := place(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.end(ctx)) }()
	show.say("%s is on %s in %s; %s stands by in %s", s.svc.publicIP, s.svc.primary.id, s.svc.primary.zone, s.svc.standby.id, s.svc.standby.zone)

	ctx, cancel := context.WithCancel(ctx)
	f := &fleet{site: s, show: show, at: make(map[failover.Kind]time.Time), dead: make(map[string]bool)}
	s.verify = func(context.Context) bool { return true }
	var beside sync.WaitGroup
	defer beside.Wait()
	defer f.running.Wait()
	defer cancel()
	if s.client != nil {
		s.verify = func(ctx context.Context) bool { return s.client.check(ctx) == nil }
		beside.Go(func() { s.client.run(ctx) })
	}
	return f.run(ctx)
}

func (f *fleet) run(ctx context.Context) (*report, error) {
	s := f.site
	for i := range s.machines {
		m := &s.machines[i]
		if err := f.start(ctx, m); err != nil {
			return nil, err
		}
		if i == 0 { // the first leads
			if err := await(ctx, "somebody leads", func() bool { return !f.when(failover.KindLeading).IsZero() }); err != nil {
				return nil, err
			}
		}
	}
	if err := sleep(ctx, 3*interval); err != nil { // the leader warms up, and all have voted
		return nil, err
	}

	f.show.say("THE PRIMARY DIES")
	struck := time.Now()
	if err := s.strike(ctx); err != nil {
		return nil, err
	}
	if err := await(ctx, "the leader begins", func() bool { return !f.when(failover.KindStepDo).IsZero() || !f.when(failover.KindStepDone).IsZero() }); err != nil {
		return nil, err
	}
	if err := sleep(ctx, s.pause); err != nil {
		return nil, err
	}
	detected, killed := f.when(failover.KindDetected), time.Now()
	f.killLeader()

	journal, err := f.journal()
	if err != nil {
		return nil, err
	}
	if err := await(ctx, "another controller finishes", func() bool {
		list, err := journal.Incidents(ctx)
		return err == nil && len(list) > 0 && list[0].State == failover.IncidentDone
	}); err != nil {
		return nil, err
	}
	if err := sleep(ctx, interval); err != nil { // nothing follows
		return nil, err
	}
	return f.measure(ctx, struck, detected, killed, journal)
}

// leading is who has last taken the lead.
func (f *fleet) leading() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.leaders[len(f.leaders)-1]
}

// killLeader ends the zone of the leader, once.
func (f *fleet) killLeader() {
	f.once.Do(func() {
		leader := f.leading()
		i := slices.IndexFunc(f.site.machines, func(m machine) bool { return m.name == leader })
		f.show.say("THE ZONE OF THE LEADER DIES")
		f.kill(&f.site.machines[i])
	})
}

func (f *fleet) journal() (*failover.StoreJournal, error) {
	store, err := dynamostore.New(dynamodb.NewFromConfig(f.site.cfg), table)
	if err != nil {
		return nil, err
	}
	return failover.NewJournal(store)
}

func (f *fleet) measure(ctx context.Context, struck, detected, killed time.Time, journal failover.Journal) (*report, error) {
	incidents, err := journal.Incidents(ctx)
	if err != nil {
		return nil, err
	}
	plan, err := f.site.svc.plan(f.site.svc.ec2, f.site.verify)
	if err != nil {
		return nil, err
	}
	path, estimate := plan.CriticalPath()
	r := &report{Incidents: len(incidents), DetectionMS: ms(detected.Sub(struck)), CriticalMS: ms(estimate), criticalPath: path}
	if f.site.effects != nil {
		r.Effects = f.site.effects()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	r.Leaders, r.Resumed = slices.Clone(f.leaders), f.started-len(incidents)
	r.PlanMS, r.TakeoverMS = ms(f.at[failover.KindStepDone].Sub(detected)), ms(f.at[failover.KindLeading].Sub(killed))
	if c := f.site.client; c != nil {
		from, to := c.downtime(struck)
		r.RTOMS = ms(to.Sub(from))
		r.Requests, r.Failed = c.count()
	}
	return r, errors.Join(f.errs...)
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// String is the report for people.
func (r *report) String() string {
	var b strings.Builder
	b.WriteByte('\n')
	line := func(what, format string, args ...any) {
		fmt.Fprintf(&b, "%-16s "+format+"\n", append([]any{what}, args...)...)
	}
	line("leaders", "%s", strings.Join(r.Leaders, ", then "))
	line("incidents", "%d, resumed %d times", r.Incidents, r.Resumed)
	for _, step := range []string{stepStop, stepRemap, stepLabel} {
		if r.Effects != nil {
			line("  "+step, "%d effect", r.Effects[step])
		}
	}
	line("detection", "%.0f ms", r.DetectionMS)
	line("takeover", "%.0f ms, of a lease of %v", r.TakeoverMS, ttl)
	line("plan", "%.0f ms with the takeover; its critical path is estimated at %.0f ms: %s", r.PlanMS, r.CriticalMS, strings.Join(r.criticalPath, ", "))
	if r.Requests > 0 {
		line("RTO", "%.0f ms, as a client saw it: %d of %d requests failed", r.RTOMS, r.Failed, r.Requests)
	}
	return b.String()
}
