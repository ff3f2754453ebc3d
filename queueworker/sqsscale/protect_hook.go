package sqsscale

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/awsha/awsha/internal/awserr"
)

// attend waits until the group terminates the instance, calls drain, and keeps the group waiting until ctx ends.
func (p *Protector) attend(ctx context.Context, drain func()) {
	_, _ = p.hookTimeout(ctx) // to tell of a mistake long before it matters
	for !p.look(ctx) {
		scattered := time.Duration(float64(p.opts.PollInterval) * (0.9 + 0.2*rand.Float64()))
		if !rest(ctx, scattered) {
			return
		}
	}
	drain()
	for pause := time.Duration(0); ; {
		if p.heartbeat(ctx) != nil {
			return // ctx has ended
		}
		if pause == 0 { // after the first heartbeat: it cannot wait
			pause = p.heartbeatPause(ctx)
		}
		if !rest(ctx, pause) {
			return
		}
	}
}

// look reports whether the group is terminating the instance, as far as that is known, and tells of it once.
func (p *Protector) look(ctx context.Context) bool {
	if p.opts.Hook == "" || p.terminating {
		return p.terminating
	}
	if p.terminating = p.targeted(ctx); p.terminating {
		p.emit(ctx, slog.LevelInfo, TerminationNoticed, nil)
	}
	return p.terminating
}

// targeted asks where the instance is going: its metadata service, and Auto Scaling if there is none or it does not answer.
func (p *Protector) targeted(ctx context.Context) bool {
	if p.opts.Metadata != nil {
		state, err := p.targetState(ctx)
		if err == nil {
			p.blind = false
			return state == "Terminated"
		}
		if ctx.Err() != nil {
			return false
		}
		if !p.blind {
			p.blind = true
			p.broken(ctx, "GetMetadata", err)
		}
		if !p.described.IsZero() && time.Since(p.described) < pollAPI {
			return false
		}
	}
	p.described = time.Now()
	state, err := p.lifecycleState(ctx)
	if err != nil {
		p.broken(ctx, "DescribeAutoScalingInstances", err)
		return false
	}
	return strings.HasPrefix(string(state), string(types.LifecycleStateTerminating)) || state == types.LifecycleStateTerminated
}

// targetState asks the metadata service for the steady state that the instance is in or on its way to.
//
// Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/retrieving-target-lifecycle-state-through-imds.html (read 2026-11)
func (p *Protector) targetState(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, p.opts.Timeout)
	defer cancel()
	out, err := p.opts.Metadata.GetMetadata(ctx, &imds.GetMetadataInput{Path: "autoscaling/target-lifecycle-state"})
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(io.LimitReader(out.Content, 1024))
	_ = out.Content.Close() // it has been read
	return strings.TrimSpace(string(text)), err
}

// lifecycleState asks Auto Scaling which state the instance is in. It is empty if the instance is in no group.
func (p *Protector) lifecycleState(ctx context.Context) (types.LifecycleState, error) {
	ctx, cancel := context.WithTimeout(ctx, p.opts.Timeout)
	defer cancel()
	out, err := p.api.DescribeAutoScalingInstances(ctx, &autoscaling.DescribeAutoScalingInstancesInput{InstanceIds: []string{p.instance.ID}})
	if err != nil || len(out.AutoScalingInstances) == 0 {
		return "", err
	}
	return types.LifecycleState(aws.ToString(out.AutoScalingInstances[0].LifecycleState)), nil
}

// heartbeat makes the group wait for another timeout, as soon as it waits at all: an instance is Terminating before. It repeats that until
// ctx ends.
func (p *Protector) heartbeat(ctx context.Context) error {
	gone := false
	err := p.insist(ctx, "RecordLifecycleActionHeartbeat", func(ctx context.Context) error {
		_, err := p.api.RecordLifecycleActionHeartbeat(ctx, &autoscaling.RecordLifecycleActionHeartbeatInput{
			AutoScalingGroupName: &p.instance.Group, LifecycleHookName: &p.opts.Hook, InstanceId: &p.instance.ID,
		})
		return err
	}, func(err error) bool {
		if p.waiting && !gone && awserr.Of(err) == awserr.NotFound {
			gone = true
			p.emit(ctx, slog.LevelWarn, ActionGone, nil)
		}
		return false
	})
	if err != nil {
		return err
	}
	p.waiting = true
	p.emit(ctx, slog.LevelDebug, HeartbeatRecorded, nil)
	return nil
}

// heartbeatPause is the time between two heartbeats: a third of the hook's timeout, and of the shortest possible one if that is not known.
func (p *Protector) heartbeatPause(ctx context.Context) time.Duration {
	timeout, err := p.hookTimeout(ctx)
	if err != nil {
		timeout = minHookTimeout
	}
	return timeout / 3
}

// hookTimeout reads the timeout of the hook, and tells of what keeps it from being used.
func (p *Protector) hookTimeout(ctx context.Context) (time.Duration, error) {
	bounded, cancel := context.WithTimeout(ctx, p.opts.Timeout)
	defer cancel()
	out, err := p.api.DescribeLifecycleHooks(bounded, &autoscaling.DescribeLifecycleHooksInput{
		AutoScalingGroupName: &p.instance.Group, LifecycleHookNames: []string{p.opts.Hook},
	})
	if err != nil {
		p.broken(ctx, "DescribeLifecycleHooks", err)
		return 0, err
	}
	const transition = "autoscaling:EC2_INSTANCE_TERMINATING"
	for _, h := range out.LifecycleHooks {
		if aws.ToString(h.LifecycleHookName) == p.opts.Hook && aws.ToString(h.LifecycleTransition) == transition {
			timeout := time.Duration(aws.ToInt32(h.HeartbeatTimeout)) * time.Second
			return min(max(timeout, minHookTimeout), maxHookTimeout), nil
		}
	}
	err = fmt.Errorf("group %s has no lifecycle hook %s for %s", p.instance.Group, p.opts.Hook, transition)
	p.emit(ctx, slog.LevelWarn, HookUnusable, err)
	return 0, err
}

// maxFinish is how long a completion can be of use: as long as the group can wait for it without a heartbeat, after the target groups.
const maxFinish = maxDeregistration + maxHookTimeout

// complete lets the group go on.
func (p *Protector) complete(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, maxFinish)
	defer cancel()
	over := false
	err := p.insist(ctx, "CompleteLifecycleAction", func(ctx context.Context) error {
		_, err := p.api.CompleteLifecycleAction(ctx, &autoscaling.CompleteLifecycleActionInput{
			AutoScalingGroupName: &p.instance.Group, LifecycleHookName: &p.opts.Hook, InstanceId: &p.instance.ID,
			LifecycleActionResult: aws.String("CONTINUE"),
		})
		return err
	}, func(err error) bool {
		over = awserr.Of(err) == awserr.NotFound && (p.waiting || p.past(ctx))
		return over
	})
	switch {
	case over:
		p.emit(ctx, slog.LevelInfo, ActionGone, nil)
		return nil
	case err == nil:
		p.emit(ctx, slog.LevelInfo, ActionCompleted, nil)
	}
	return err
}

// past reports whether the instance is beyond the state in which its group waits for hooks. The state that Auto Scaling tells may be an
// older one.
func (p *Protector) past(ctx context.Context) bool {
	state, err := p.lifecycleState(ctx)
	if err != nil {
		p.broken(ctx, "DescribeAutoScalingInstances", err)
		return false
	}
	switch state {
	case "", types.LifecycleStateTerminatingProceed, types.LifecycleStateTerminatingRetained, types.LifecycleStateTerminated:
		return true
	default:
		return false
	}
}

// broken tells of a read that is not repeated by itself. What was called off is no news.
func (p *Protector) broken(ctx context.Context, op string, err error) {
	if ctx.Err() == nil {
		p.emit(ctx, slog.LevelWarn, CallFailed, &CallError{Op: op, Of: p.instance.ID, Err: err})
	}
}

// rest reports whether d passed before ctx ended.
func rest(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
