package rdsstep

import (
	"context"
	"sync"
	"time"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/internal/awserr"
)

// settling is for how long a request that may have been taken is waited for before it is made again. No request here has a token, and one that is
// made twice takes a role away from where the first has brought it. RDS shows what has been asked for within seconds; AWS names no number.
const settling = time.Minute

// ask makes a request that must not be made twice. When it is sent is in the journal before, and is taken back if AWS has refused it.
func ask(ctx context.Context, env *failover.Env, call func() error) error {
	env.Put(keySent, time.Now().UTC().Format(time.RFC3339Nano))
	if err := env.Save(ctx); err != nil {
		return err
	}
	err := call()
	switch awserr.Of(err) {
	case awserr.None, awserr.Transient: // it may have been taken
		return err
	}
	env.Put(keySent, "")
	if serr := env.Save(context.WithoutCancel(ctx)); serr != nil {
		return serr
	}
	return err
}

// grace is a time in which RDS may act by itself.
type grace struct {
	of time.Duration

	mu    sync.Mutex
	since map[string]time.Time // of the first look, by incident
}

// lasts tells whether it is not over yet. It begins with the first question; another controller begins anew.
func (g *grace) lasts(env *failover.Env) bool {
	if g.of == 0 || env.Incident == "" { // a ready check is no first look
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	key := incident(env)
	since, ok := g.since[key]
	if !ok {
		since = time.Now()
		if g.since == nil {
			g.since = make(map[string]time.Time)
		}
		g.since[key] = since
	}
	return time.Since(since) < g.of
}

func incident(env *failover.Env) string { return env.Service + "\x00" + env.Incident }

// asked tells whether a request may have been taken that does not show yet.
func asked(env *failover.Env) bool {
	at, err := time.Parse(time.RFC3339Nano, env.Outputs()[keySent])
	if err != nil {
		return false
	}
	age := time.Since(at) // by two wall clocks, if another controller has sent it
	return age < settling && age > -settling
}
