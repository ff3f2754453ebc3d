package healthcheck_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/healthcheck"
)

type contextKey struct{}

// TestContextOfAChecker uses the context of a check in all the ways that a probe may, which end in three ways.
func TestContextOfAChecker(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		end  func(pool *healthcheck.Pool, stop func() error)
		want error
		took time.Duration
	}{
		{"at the timeout", func(*healthcheck.Pool, func() error) {}, context.DeadlineExceeded, 5 * time.Second},
		{"by Deregister", func(pool *healthcheck.Pool, _ func() error) { _ = pool.Deregister("a") }, context.Canceled, time.Second},
		{"by the end of Run", func(_ *healthcheck.Pool, stop func() error) { _ = stop() }, context.Canceled, time.Second},
	} {
		for name, listen := range map[string]func(ctx context.Context){
			"the channel": func(ctx context.Context) { <-ctx.Done() },
			"a child": func(ctx context.Context) {
				child, cancel := context.WithTimeout(ctx, time.Hour)
				defer cancel()
				<-child.Done()
				if !errors.Is(child.Err(), ctx.Err()) {
					panic(child.Err())
				}
			},
			"AfterFunc": func(ctx context.Context) {
				ended, never := make(chan struct{}), context.AfterFunc(ctx, func() { panic("was stopped") })
				context.AfterFunc(ctx, func() { close(ended) })
				if !never() || never() {
					panic("stopped twice")
				}
				<-ended
			},
			"polling": func(ctx context.Context) {
				for ctx.Err() == nil {
					time.Sleep(time.Millisecond)
				}
			},
		} {
			t.Run(tt.name+", seen by "+name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					var after atomic.Value
					pool := newPool(t, healthcheck.Func(func(ctx context.Context, _ healthcheck.Target) error {
						if ctx.Value(contextKey{}) != "run" || ctx.Err() != nil {
							t.Errorf("value %v, error %v", ctx.Value(contextKey{}), ctx.Err())
						}
						begin := time.Now()
						if deadline, ok := ctx.Deadline(); !ok || !deadline.Equal(begin.Add(5*time.Second)) {
							t.Errorf("deadline %v, %t", deadline, ok)
						}
						listen(ctx)
						if took := time.Since(begin); took < tt.took || took > tt.took+time.Millisecond || !errors.Is(ctx.Err(), tt.want) {
							t.Errorf("%v after %v, want %v after %v", ctx.Err(), took, tt.want, tt.took)
						}
						after.Store(ctx)
						return ctx.Err()
					}), func(o *healthcheck.Options) { o.MaxStartSpread = healthcheck.None })
					register(t, pool, healthcheck.Target{ID: "a"})
					ctx, cancel := context.WithCancel(context.WithValue(t.Context(), contextKey{}, "run"))
					ended := make(chan error, 1)
					go func() { ended <- pool.Run(ctx) }()
					stop := func() error {
						cancel()
						return <-ended
					}
					time.Sleep(time.Second)
					tt.end(pool, stop)
					time.Sleep(5 * time.Second)
					if c, ok := after.Load().(context.Context); !ok || !errors.Is(c.Err(), tt.want) {
						t.Error("the check has not ended")
					} else {
						<-c.Done()
						context.AfterFunc(c, func() {})
					}
					cancel()
				})
			})
		}
	}
}

func TestContextEndsWithItsCheck(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		kept := make(chan context.Context, 1)
		pool := newPool(t, healthcheck.Func(func(ctx context.Context, _ healthcheck.Target) error {
			kept <- ctx
			return nil
		}))
		register(t, pool, healthcheck.Target{ID: "a"})
		run(t, pool)
		ctx := <-kept
		<-ctx.Done()
		if !errors.Is(ctx.Err(), context.Canceled) {
			t.Errorf("error %v", ctx.Err())
		}
	})
}
