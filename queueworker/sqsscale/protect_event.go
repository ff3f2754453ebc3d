package sqsscale

import (
	"context"
	"log/slog"
	"time"
)

// ProtectEventKind says what a ProtectEvent is about.
type ProtectEventKind uint8

// The kinds of events of a Protector.
const (
	// ProtectionSet: the instance is protected from scale-in.
	ProtectionSet ProtectEventKind = iota + 1
	// ProtectionRemoved: the instance is not protected any more. It was not before either if the Protector has just begun.
	ProtectionRemoved
	// TerminationNoticed: the group is terminating the instance. The work drains.
	TerminationNoticed
	// HeartbeatRecorded: the group waits for another timeout of the hook.
	HeartbeatRecorded
	// ActionCompleted: the work has ended, and the group goes on.
	ActionCompleted
	// ActionGone: the group does not wait for the hook, or not any more. During a drain that is bad: the limit of the hook is reached,
	// or somebody else has ended the wait. After it, an answer to the completion was lost.
	ActionGone
	// HookUnusable: the group has no such hook for terminations. Err says what it has.
	HookUnusable
	// CallFailed: Err, a *CallError, is a call that did not succeed. It is repeated as long as there is need of it.
	CallFailed
)

var protectEventNames = [...]string{
	"invalid", "protection set", "protection removed", "termination noticed", "heartbeat recorded", "action completed", "action gone", "hook unusable", "call failed",
}

// String returns the kind in words.
func (k ProtectEventKind) String() string {
	if int(k) < len(protectEventNames) {
		return protectEventNames[k]
	}
	return protectEventNames[0]
}

// ProtectEvent is something that a Protector has done or met.
type ProtectEvent struct {
	Time     time.Time
	Kind     ProtectEventKind
	Instance Instance
	// Err is of HookUnusable and CallFailed.
	Err error
}

// emit gives an event to the logger and to the hook.
func (p *Protector) emit(ctx context.Context, level slog.Level, kind ProtectEventKind, err error) {
	e := ProtectEvent{Time: time.Now(), Kind: kind, Instance: p.instance, Err: err}
	attrs := []slog.Attr{slog.String("group", p.instance.Group), slog.String("instance", p.instance.ID)}
	if err != nil {
		attrs = append(attrs, slog.Any("error", err))
	}
	p.opts.Logger.LogAttrs(ctx, level, "sqsscale: "+kind.String(), attrs...)
	tell(ctx, p.opts.Logger, p.opts.OnEvent, e)
}
