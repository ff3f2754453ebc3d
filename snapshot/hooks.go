package snapshot

import (
	"context"
	"fmt"
	"runtime/debug"
)

// before calls the hook before a target is taken. A hook that is late has failed: what it has frozen may run again.
func (m *Manager) before(ctx context.Context, t *Target) (err error) {
	if m.opts.Before == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, m.opts.HookTimeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in Before: %v\n%s", p, debug.Stack())
		}
	}()
	if err := m.opts.Before(ctx, *t); err != nil {
		return err
	}
	return context.Cause(ctx)
}

// after calls the hook after that, even if ctx has ended.
func (m *Manager) after(ctx context.Context, t *Target, err error) {
	if m.opts.After == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), m.opts.HookTimeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			m.opts.Logger.ErrorContext(ctx, "snapshot: panic in After", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	m.opts.After(ctx, *t, err)
}
