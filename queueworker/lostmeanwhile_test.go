package queueworker_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/awsha/awsha/queueworker"
)

// What is around a handler takes time, in which its message may be lost: then it is handled elsewhere.
func TestAMessageThatIsLostOnItsWayToTheHandlerIsNotHandled(t *testing.T) {
	t.Parallel()
	for name, middleware := range map[string]func(t *testing.T, lose func()) queueworker.Middleware{
		"while its body is loaded": func(_ *testing.T, lose func()) queueworker.Middleware {
			return queueworker.LoadPointers(func(context.Context, queueworker.S3Pointer) (string, error) { lose(); return "loaded", nil })
		},
		"while it is claimed": func(t *testing.T, lose func()) queueworker.Middleware {
			memory := newStore(t, 10)
			store := spy(memory)
			store.BeginFunc = func(ctx context.Context, key, token string, lock time.Duration) (queueworker.Claim, error) {
				lose()
				return memory.Begin(ctx, key, token, lock)
			}
			t.Cleanup(func() {
				if n := memory.Len(); n != 0 {
					t.Errorf("%d claims are left", n)
				}
			})
			return queueworker.Deduplicate(store)
		},
		"while it waits for a batch": func(t *testing.T, lose func()) queueworker.Middleware {
			return func(next queueworker.Handler) queueworker.Handler {
				b, _ := batchOf(t, 2, func(ctx context.Context, messages []*queueworker.Message) error { return next.Handle(ctx, messages[0]) })
				time.AfterFunc(10*time.Millisecond, lose)
				return b
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, lose := context.WithCancelCause(t.Context())
			h := queueworker.Chain(queueworker.HandlerFunc(func(context.Context, *queueworker.Message) error {
				t.Error("it is handled")
				return nil
			}), middleware(t, func() { lose(queueworker.ErrLeaseLost) }))
			err := h.Handle(ctx, &queueworker.Message{ID: "m", Body: pointerBody, Attributes: sized("ExtendedPayloadSize")})
			if !errors.Is(err, queueworker.ErrLeaseLost) {
				t.Error(err)
			}
		})
	}
}
