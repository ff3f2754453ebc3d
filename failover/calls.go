package failover

import (
	"context"
	"time"
)

// callsKey is the key of what takes down the AWS calls of a step.
type callsKey struct{}

func withCalls(ctx context.Context, take func(Call, time.Duration, error)) context.Context {
	return context.WithValue(ctx, callsKey{}, take)
}

// RecordCall puts an AWS call into the timeline, as one of the step for which it was made: ctx is that of Check, Do, Undo or Ready, or derived from
// it. With any other context it does nothing. Package awscall does it for every call of an SDK client.
func RecordCall(ctx context.Context, c Call, took time.Duration, err error) {
	if take, ok := ctx.Value(callsKey{}).(func(Call, time.Duration, error)); ok {
		take(c, took, err)
	}
}
