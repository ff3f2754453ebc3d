package sqsscale

import (
	"context"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"github.com/awsha/awsha/internal/awserr"
)

// protection is what is known of an instance, or wanted.
type protection uint8

const (
	unknown protection = iota
	protected
	unprotected
)

// wish tells what protection a busy or idle instance should have: a change must have lasted.
type wish struct {
	protectAfter, unprotectAfter time.Duration

	busy  bool
	since time.Time // zero: nothing has been seen
	want  protection
}

// see takes in whether the instance is busy now.
func (w *wish) see(busy bool, now time.Time) protection {
	if w.since.IsZero() || busy != w.busy {
		w.busy, w.since = busy, now
	}
	switch lasted := now.Sub(w.since); {
	case busy && lasted >= w.protectAfter:
		w.want = protected
	case !busy && lasted >= w.unprotectAfter:
		w.want = unprotected
	}
	return w.want
}

// glance is how often the handlers are counted.
const glance = time.Second

// guard keeps the protection of the instance as its handlers need it, until ctx ends.
func (p *Protector) guard(ctx context.Context) {
	ticker := time.NewTicker(glance)
	defer ticker.Stop()
	for {
		if want := p.wanted(); want != unknown && want != p.protection {
			// What fails has been told of. It is repeated here, or with the next glance if something else is wanted then.
			_ = p.setProtection(ctx, want, func(error) bool { return p.wanted() != want })
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

func (p *Protector) wanted() protection { return p.wish.see(p.running() > 0, time.Now()) }

// unprotect is for the end of Run.
func (p *Protector) unprotect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, p.opts.FinishTimeout)
	defer cancel()
	elsewhere := func(err error) bool { return awserr.Of(err) == awserr.Pending } // not in service: there is nothing to remove
	if err := p.setProtection(ctx, unprotected, elsewhere); err != nil && !elsewhere(err) {
		return err
	}
	return nil
}

// setProtection sets what is wanted, and repeats that until it is set, an error is enough, or ctx ends. While an answer is missing the
// protection is not known, so that it is set again, whatever it was.
func (p *Protector) setProtection(ctx context.Context, want protection, enough func(error) bool) error {
	p.protection = unknown
	err := p.insist(ctx, "SetInstanceProtection", func(ctx context.Context) error {
		_, err := p.api.SetInstanceProtection(ctx, &autoscaling.SetInstanceProtectionInput{
			AutoScalingGroupName: &p.instance.Group, InstanceIds: []string{p.instance.ID}, ProtectedFromScaleIn: aws.Bool(want == protected),
		})
		return err
	}, enough)
	if err != nil {
		return err
	}
	p.protection = want
	kind := ProtectionSet
	if want == unprotected {
		kind = ProtectionRemoved
	}
	p.emit(ctx, slog.LevelInfo, kind, nil)
	return nil
}

// failed tells of a call that will be repeated. What only has to wait for the instance is no warning.
func (p *Protector) failed(ctx context.Context, err error) {
	level := slog.LevelWarn
	if class := awserr.Of(err); class == awserr.Pending || class == awserr.NotFound {
		level = slog.LevelDebug
	}
	p.emit(ctx, level, CallFailed, err)
}
