package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/awsha/awsha/healthcheck"
)

// settings of the story.
type settings struct {
	zones   []string
	perZone int
	victim  string // the zone that dies

	interval, timeout time.Duration // of checks
	calm              time.Duration // before, between and after what happens
	pace              time.Duration // from one request of the client to the next
}

var defaults = settings{
	zones: []string{"zone-a", "zone-b", "zone-c"}, perZone: 3, victim: "zone-b",
	interval: 400 * time.Millisecond, timeout: 150 * time.Millisecond,
	calm: 1500 * time.Millisecond, pace: 5 * time.Millisecond,
}

// report is what the story measured.
type report struct {
	Targets          int     `json:"targets"`
	DetectionMS      float64 `json:"detection_ms"` // from the kill until no target of the zone is healthy
	DetectionBoundMS float64 `json:"detection_bound_ms"`
	RecoveryMS       float64 `json:"recovery_ms"` // from the revival until all are healthy again
	Requests         int     `json:"requests"`
	Failed           int     `json:"failed"`
	ToVictim         int     `json:"to_dead_zone"` // answers that claim to come from the dead zone after it was detected
}

func (r *report) String() string {
	var b strings.Builder
	line := func(what, format string, args ...any) {
		fmt.Fprintf(&b, "%-12s "+format+"\n", append([]any{what}, args...)...)
	}
	b.WriteString("\n")
	line("targets", "%d", r.Targets)
	line("detection", "%.0f ms, at most %.0f", r.DetectionMS, r.DetectionBoundMS)
	line("recovery", "%.0f ms", r.RecoveryMS)
	line("requests", "%d, of which %d failed", r.Requests, r.Failed)
	return b.String()
}

// errTold ends what runs beside the story.
var errTold = errors.New("the story is told")

// tell lets a zone die and come back under a pool with a client.
func tell(ctx context.Context, set settings, w io.Writer) (*report, error) {
	checker, err := healthcheck.HTTP()
	if err != nil {
		return nil, err
	}
	var options healthcheck.Options
	pool, err := healthcheck.New(checker, func(o *healthcheck.Options) {
		o.Interval, o.Timeout = set.interval, set.timeout
		o.HealthyThreshold, o.UnhealthyThreshold = 2, 2
		o.MaxStartSpread = set.interval / 2
		// The client need not wait for the checks: a target that refuses it gets no more requests. All of one zone may go so.
		o.Passive = &healthcheck.PassiveOptions{ConnectErrors: 1, MaxEjectPercent: (100 + len(set.zones) - 1) / len(set.zones)}
		options = *o
	})
	if err != nil {
		return nil, err
	}
	servers, err := newFleet(ctx, set.zones, set.perZone)
	if err != nil {
		return nil, err
	}
	if err := pool.Register(servers.targets()...); err != nil {
		return nil, errors.Join(err, servers.close())
	}

	client := newClient(pool.Transport(nil))
	show := newScreen(w, pool, client)
	group, beside := errgroup.WithContext(ctx)
	group.Go(func() error { return pool.Run(beside) })
	group.Go(func() error { return client.run(beside, set.pace) })
	group.Go(func() error { return show.run(beside) })
	r := &report{Targets: len(servers.servers), DetectionBoundMS: ms(options.DetectionBound())}
	group.Go(func() error {
		if err := r.follow(ctx, set, pool, servers, client, show); err != nil {
			return err
		}
		return errTold
	})
	err = group.Wait()
	if errors.Is(err, errTold) {
		err = nil
	}
	r.Requests, r.Failed = client.counts()
	return r, errors.Join(err, servers.close())
}

// follow is the story itself.
func (r *report) follow(
	ctx context.Context, set settings, pool *healthcheck.Pool, servers *fleet, client *client, show *screen,
) error {
	if err := pool.Wait(ctx, allHealthy); err != nil {
		return err
	}
	show.say("all %d targets are healthy", r.Targets)
	if err := pause(ctx, set.calm); err != nil {
		return err
	}

	show.say("%s loses its power", set.victim)
	killed := time.Now()
	if err := servers.kill(set.victim); err != nil {
		return err
	}
	if err := pool.Wait(ctx, func(v *healthcheck.View) bool { return healthy(v, set.victim) == 0 }); err != nil {
		return err
	}
	r.DetectionMS = ms(time.Since(killed))
	show.say("%s gets no more traffic, %.0f ms later", set.victim, r.DetectionMS)
	before := client.answersOf(set.victim)
	if err := pause(ctx, set.calm); err != nil {
		return err
	}
	r.ToVictim = client.answersOf(set.victim) - before

	show.say("%s comes back", set.victim)
	revived := time.Now()
	if err := servers.revive(ctx, set.victim); err != nil {
		return err
	}
	if err := pool.Wait(ctx, allHealthy); err != nil {
		return err
	}
	r.RecoveryMS = ms(time.Since(revived))
	show.say("all targets are healthy again, %.0f ms later", r.RecoveryMS)
	return pause(ctx, set.calm)
}

func allHealthy(v *healthcheck.View) bool { return v.Count(healthcheck.Healthy) == v.Registered() }

func healthy(v *healthcheck.View, zone string) int {
	for _, z := range v.Zones() {
		if z.Zone == zone {
			return z.Healthy
		}
	}
	return 0
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// ms is a duration in milliseconds, to the microsecond.
func ms(d time.Duration) float64 { return math.Round(float64(d)/float64(time.Millisecond)*1000) / 1000 }
