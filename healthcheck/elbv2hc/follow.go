package elbv2hc

import (
	"context"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

const opFollow = "read the health of"

// Follower reads the health of a target group as Elastic Load Balancing sees it, over and over, and gives it to pools and
// watchers. It is a healthcheck.Checker. Make one with [Follow]; all methods are safe for concurrent use.
//
// One read serves all of its probes and watchers: their number costs no calls.
type Follower struct {
	api   HealthAPI
	group string
	in    *elbv2.DescribeTargetHealthInput
	opts  FollowOptions

	mu      sync.Mutex // never held across a wait or a call
	ran     bool
	ended   bool
	latest  *Snapshot     // nil before the first read
	err     error         // of the latest read
	changed chan struct{} // closed when latest shows something else, and at the end; nil while nobody waits
}

// Follow returns a Follower of a target group. It makes no call and starts nothing: Run does. Every mistake is a
// *FieldError of the error that it returns.
func Follow(api HealthAPI, targetGroupARN string, optFns ...func(*FollowOptions)) (*Follower, error) {
	opts, errs := followOptions(optFns)
	if errs = append(checkGroup(api, targetGroupARN), errs...); len(errs) > 0 {
		return nil, joined(errs)
	}
	in := &elbv2.DescribeTargetHealthInput{TargetGroupArn: aws.String(targetGroupARN)}
	if opts.Anomalies {
		in.Include = []types.DescribeTargetHealthInputIncludeEnum{types.DescribeTargetHealthInputIncludeEnumAnomaly}
	}
	return &Follower{api: api, group: targetGroupARN, in: in, opts: opts}, nil
}

// Run reads the group until ctx ends, and then returns its cause. The first read comes within a tenth of Interval, at random,
// so that processes which start together do not read together. While reads fail, the pauses between them double up to
// MaxInterval. A second call returns ErrAlreadyRun at once.
func (f *Follower) Run(ctx context.Context) error {
	f.mu.Lock()
	again := f.ran
	f.ran = true
	f.mu.Unlock()
	if again {
		return ErrAlreadyRun
	}
	defer f.end()
	timer := time.NewTimer(time.Duration(rand.Float64() * float64(f.opts.Interval) / 10)) //nolint:gosec // spread, not secrecy
	defer timer.Stop()
	interval := f.opts.Interval
	for {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		start := time.Now()
		interval = f.after(f.read(ctx), interval)
		timer.Reset(jittered(interval) - time.Since(start))
	}
}

// after returns the interval that follows a read.
func (f *Follower) after(err error, interval time.Duration) time.Duration {
	if err == nil {
		return f.opts.Interval
	}
	if interval > f.opts.MaxInterval/2 {
		return f.opts.MaxInterval
	}
	return 2 * interval
}

// jittered returns a pause that differs from the one given by up to a tenth.
func jittered(pause time.Duration) time.Duration {
	pause = min(pause, math.MaxInt64/2)         // which stands for never
	return pause - pause/10 + rand.N(pause/5+1) //nolint:gosec // spread, not secrecy
}

// read makes one read and keeps what it tells.
func (f *Follower) read(ctx context.Context) error {
	at := time.Now()
	all, err := describe(ctx, f.api, f.opts.CallTimeout, f.in)
	if ctx.Err() != nil {
		return ctx.Err() // the end of Run is no news
	}
	f.mu.Lock()
	before := f.err
	f.err = err
	if err == nil {
		old := f.latest
		f.latest = &Snapshot{At: at, all: all}
		if old == nil || !slices.Equal(old.all, all) {
			f.changedLocked()
		}
	}
	f.mu.Unlock()
	switch {
	case err != nil && before == nil:
		f.opts.Logger.WarnContext(ctx, "the health of the target group cannot be read", "group", f.group, "err", err)
	case err == nil && before != nil:
		f.opts.Logger.InfoContext(ctx, "the health of the target group can be read again", "group", f.group)
	}
	return err
}

func (f *Follower) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = true
	f.changedLocked()
}

// changedLocked lets everybody who waits look again.
func (f *Follower) changedLocked() {
	if f.changed != nil {
		close(f.changed)
		f.changed = nil
	}
}

// Snapshot returns what the latest read that succeeded has told, and a *GroupError if the latest read has failed. Before a read
// has succeeded, the snapshot is nil and there is an error: [ErrStale] if no read has ended yet.
func (f *Follower) Snapshot() (*Snapshot, error) {
	f.mu.Lock()
	latest, err := f.latest, f.err
	f.mu.Unlock()
	if err != nil {
		return latest, failed(opFollow, f.group, err)
	}
	if latest == nil {
		return nil, &GroupError{Op: opFollow, Group: f.group, Kind: ErrStale}
	}
	return latest, nil
}

// Watch yields the group as it is, once a read has succeeded, and again whenever a read shows something else, until ctx or
// Run ends. A loop that is slower than the changes gets the latest snapshot and never those between; [Snapshot.Since] says
// what differs. Watching costs no calls.
func (f *Follower) Watch(ctx context.Context) iter.Seq[*Snapshot] {
	return func(yield func(*Snapshot) bool) {
		var seen *Snapshot
		for ctx.Err() == nil {
			f.mu.Lock()
			latest, ended := f.latest, f.ended
			if f.changed == nil {
				f.changed = make(chan struct{})
			}
			changed := f.changed
			f.mu.Unlock()
			switch {
			case latest != nil && (seen == nil || !slices.Equal(seen.all, latest.all)):
				seen = latest
				if !yield(seen) {
					return
				}
				continue
			case ended:
				return
			}
			select {
			case <-changed:
			case <-ctx.Done():
			}
		}
	}
}
