package failover

import (
	"context"
	"sync"

	"golang.org/x/sync/semaphore"
	"golang.org/x/sync/singleflight"
)

// flights are the reads of one execution that several steps share. They end with the execution and not with the step that came first.
type flights struct {
	ctx     context.Context
	group   singleflight.Group
	running sync.WaitGroup
}

// Share reads something that other steps of the execution may be reading at this moment, and lets all that ask for the same key have the
// answer to one request: ten steps that look at one load balancer cost one call. It is for reads only; a shared effect would be made once
// for several steps, each of which believes to have made it. A step that has called Do reads alone, so that it never gets an answer
// from before its effect; so does an Env that no engine has made.
//
// read must use the context that it is given, which ends with the execution.
func Share[T any](ctx context.Context, env *Env, key string, read func(context.Context) (T, error)) (T, error) {
	if env.flights == nil {
		return read(ctx)
	}
	env.flights.running.Add(1)
	answer := env.flights.group.DoChan(key, func() (v any, err error) {
		err = guard(func() (err error) {
			v, err = read(env.flights.ctx)
			return err
		})
		return v, err
	})
	var none T
	select {
	case r := <-answer:
		env.flights.running.Done()
		v, ok := r.Val.(T)
		switch {
		case r.Err != nil:
			return none, r.Err
		case !ok: // one key for two types
			return read(ctx)
		}
		return v, nil
	case <-ctx.Done():
		go func() {
			<-answer
			env.flights.running.Done()
		}()
		return none, context.Cause(ctx)
	}
}

// limits are how many steps may call each API at once.
type limits struct {
	of map[string]int

	mu    sync.Mutex
	turns map[string]*semaphore.Weighted
}

// defaultLimit is for APIs that Options.Limits does not name.
const defaultLimit = 16

func (l *limits) turn(ctx context.Context, api string) (done func(), err error) {
	l.mu.Lock()
	turns := l.turns[api]
	if turns == nil {
		n, ok := l.of[api]
		if !ok {
			n = defaultLimit
		}
		turns = semaphore.NewWeighted(int64(n))
		if l.turns == nil {
			l.turns = make(map[string]*semaphore.Weighted)
		}
		l.turns[api] = turns
	}
	l.mu.Unlock()
	if turns.Acquire(ctx, 1) != nil {
		return nil, context.Cause(ctx)
	}
	return func() { turns.Release(1) }, nil
}
