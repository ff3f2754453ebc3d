package sqsscale

import (
	"context"
	"log/slog"
	"runtime/debug"
)

// tell gives an event to a hook, if there is one, and recovers a panic in it.
func tell[E any](ctx context.Context, logger *slog.Logger, hook func(context.Context, E), e E) {
	if hook == nil {
		return
	}
	defer func() {
		if v := recover(); v != nil {
			logger.ErrorContext(ctx, "sqsscale: panic in OnEvent", "panic", v, "stack", string(debug.Stack()))
		}
	}()
	hook(ctx, e)
}
