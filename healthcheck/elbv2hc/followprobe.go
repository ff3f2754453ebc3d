package elbv2hc

import (
	"context"
	"fmt"
	"time"

	"github.com/awsha/awsha/healthcheck"
)

var _ healthcheck.Checker = (*Follower)(nil)

// Open returns a probe whose checks answer from the latest read of the group, without a call. Use the Follower as the checker
// of a pool, under [Follower.Options], or beside checks of your own in healthcheck.All.
//
// A check passes or fails as FollowOptions.Outcome says of what Elastic Load Balancing says, and has its reason and
// description. It is Unknown, which moves no target, while nothing has been read, and once the latest read is older than
// StaleAfter: when Elastic Load Balancing's API is down, the pool stays as it is. Of several registrations that a target
// means, one that fails counts before one that is unknown, and that before one that passes.
func (f *Follower) Open(target healthcheck.Target) (healthcheck.Probe, error) {
	t := f.opts.TargetOf(target).canonical()
	if t.ID == "" {
		return nil, &FieldError{"FollowOptions.TargetOf", target.ID, "must return the ID of a registration"}
	}
	return followProbe{f, t}, nil
}

// Options makes a pool believe each answer of the Follower at once: Elastic Load Balancing has counted results against the
// group's thresholds already. It sets Interval to a quarter of that of the reads, as checks cost no calls, Timeout to half of
// that, and both thresholds to 1. So a target follows what Elastic Load Balancing says within 1.35 times
// FollowOptions.Interval and the time of a read.
func (f *Follower) Options(o *healthcheck.Options) {
	o.Interval, o.Timeout = f.opts.Interval/4, f.opts.Interval/8
	o.HealthyThreshold, o.UnhealthyThreshold = 1, 1
}

type followProbe struct {
	follower *Follower
	target   Target
}

func (p followProbe) Check(context.Context) healthcheck.Result {
	f := p.follower
	f.mu.Lock()
	latest, err := f.latest, f.err
	f.mu.Unlock()
	switch {
	case latest == nil:
		return outOfDate("nothing is known of the target group yet", err)
	case time.Since(latest.At) > f.opts.StaleAfter:
		return outOfDate(fmt.Sprintf("what is known of the target group is of %s", latest.At.UTC().Format(time.RFC3339)), err)
	}
	var worst healthcheck.Result
	for i, h := range of(p.target, latest.all) {
		if r := f.resultOf(h); i == 0 || weight(r.Outcome) > weight(worst.Outcome) {
			worst = r
		}
	}
	return worst
}

func (followProbe) Close() error { return nil }

// outOfDate wraps what made the reads fail, if anything did.
func outOfDate(detail string, err error) healthcheck.Result {
	cause := ErrStale
	if err != nil {
		cause = fmt.Errorf("%w: %w", ErrStale, err)
	}
	return healthcheck.Result{
		Outcome: healthcheck.Unknown, Reason: healthcheck.ReasonInternalError, Detail: detail, Err: cause,
	}
}

func (f *Follower) resultOf(h Health) healthcheck.Result {
	outcome := f.opts.Outcome(h)
	if outcome == healthcheck.Pass {
		return healthcheck.Result{Outcome: outcome}
	}
	return healthcheck.Result{Outcome: outcome, Reason: healthcheck.Reason(h.Reason), Detail: h.Description}
}

// weight orders outcomes for targets with several registrations.
func weight(o healthcheck.Outcome) int {
	switch o {
	case healthcheck.Pass:
		return 0
	case healthcheck.Unknown:
		return 1
	case healthcheck.Fail:
	}
	return 2
}
