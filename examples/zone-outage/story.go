package main

import (
	"context"
	"fmt"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/healthcheck"
)

// story is the outage as it goes on, and what is measured of it.
type story struct {
	settings
	svc    *service
	pool   *healthcheck.Pool
	engine *failover.Engine
	client *traffic
	show   *screen

	timeline  failover.Timeline
	killed    time.Time
	detected  time.Time
	recovered time.Time
	planTook  time.Duration
	calls     callCounts
	critical  time.Duration

	failback     time.Time
	failbackTook time.Duration
}

// tell lets the zone die and come back.
func (s *story) tell(ctx context.Context, home *awstest.Zone) error {
	if err := s.pool.Wait(ctx, bothHealthy); err != nil {
		return err
	}
	s.show.say("a client asks %s every %v", s.svc.publicIP, s.every)
	if err := sleep(ctx, s.calm); err != nil {
		return err
	}
	s.show.say("%s loses power", s.svc.primary.Zone)
	heal := home.Fail(awstest.PowerLoss)
	defer heal()
	if err := s.failOver(ctx, time.Now()); err != nil {
		return err
	}
	s.show.say("%s has power again", s.svc.primary.Zone)
	heal()
	return s.failBack(ctx)
}

// recoveryLimit is how long the client may wait for a good reply.
const recoveryLimit = 30 * time.Second

// failOver waits until the pool sees that the primary's zone is gone, moves
// the service, and waits until the client is served.
func (s *story) failOver(ctx context.Context, killed time.Time) error {
	ctx, cancel := context.WithTimeoutCause(ctx, recoveryLimit, fmt.Errorf("not recovered after %v", recoveryLimit))
	defer cancel()
	s.killed = killed
	s.timeline.Mark("killed: "+s.svc.primary.Zone, killed)
	if err := s.pool.Wait(ctx, s.zoneLost); err != nil {
		return err
	}
	s.detected = time.Now()
	s.timeline.Mark("detected", s.detected)
	s.show.say("the health pool has lost %s, %v after it died", s.svc.primary.Zone, s.detected.Sub(killed).Round(time.Millisecond))

	plan := s.svc.plan(s.svc.primary, s.svc.standby, s.call)
	_, s.critical = plan.CriticalPath()
	s.svc.calls.take()
	_, err := s.engine.Execute(ctx, incident("outage", s.svc.primary, killed), plan, func(o *failover.ExecOptions) { o.Timeline = &s.timeline })
	s.planTook = time.Since(s.detected)
	s.calls = s.svc.calls.take()
	if err != nil {
		return err
	}
	s.show.say("the plan is done after %v: the address is on %s", s.planTook.Round(time.Millisecond), s.svc.standby.ID)
	for s.recovered.IsZero() {
		if err := sleep(ctx, s.every); err != nil {
			return err
		}
		var server string
		if s.recovered, server = s.client.firstGood(killed); !s.recovered.IsZero() {
			s.timeline.Mark("first good reply, from the "+server, s.recovered)
			s.show.say("the %s serves: the client was without for %v", server, s.recovered.Sub(killed).Round(time.Millisecond))
		}
	}
	return sleep(ctx, s.calm)
}

func (s *story) zoneLost(v *healthcheck.View) bool {
	for _, z := range v.Zones() {
		if z.Zone == s.svc.primary.Zone {
			return !z.Up()
		}
	}
	return false
}

// failBack waits until the primary is well and moves the service home, as a
// failover that is planned: an incident of its own.
func (s *story) failBack(ctx context.Context) error {
	if err := s.pool.Wait(ctx, bothHealthy); err != nil {
		return err
	}
	s.show.say("the primary is healthy again: a planned failback")
	s.failback = time.Now()
	s.timeline.Mark("failback", s.failback)
	plan := s.svc.plan(s.svc.standby, s.svc.primary, s.call)
	_, err := s.engine.Execute(ctx, incident("failback", s.svc.primary, s.failback), plan, func(o *failover.ExecOptions) { o.Timeline = &s.timeline })
	s.failbackTook = time.Since(s.failback)
	if err != nil {
		return err
	}
	if err := sleep(ctx, s.calm); err != nil {
		return err
	}
	_, server := s.client.firstGood(s.failback.Add(s.failbackTook))
	s.show.say("the %s serves", server)
	return nil
}

// incident names what happened, and not who noticed: whoever else executes it
// resumes the same one.
func incident(kind string, n node, at time.Time) string {
	return kind + "-" + n.Zone + "-" + at.UTC().Format("20060102T150405Z")
}

func (s *story) report() *report {
	options := healthcheck.Options{}
	s.settings.pool(&options)
	sent, failed := s.client.count(s.killed, s.failback)
	_, late := s.client.count(s.recovered, s.failback)
	_, failbackFailed := s.client.count(s.failback, time.Time{})
	return &report{
		timeline:            &s.timeline,
		DowntimeMS:          ms(s.recovered.Sub(s.killed)),
		DetectionMS:         ms(s.detected.Sub(s.killed)),
		DetectionBoundMS:    ms(options.DetectionBound()),
		PlanMS:              ms(s.planTook),
		CriticalPathMS:      ms(s.critical),
		Requests:            &sent,
		Failed:              &failed,
		FailedAfterRecovery: &late,
		AssociateCalls:      s.calls.associate,
		DisassociateCalls:   s.calls.disassociate,
		DescribeCalls:       s.calls.describe,
		FailbackMS:          ms(s.failbackTook),
		FailbackFailed:      &failbackFailed,
	}
}
