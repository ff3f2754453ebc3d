package rdsstep

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/awsha/awsha/failover"
)

// Writer is a database that should take writes.
type Writer struct {
	Database string // identifier of the DB instance
	Endpoint string // host name: the address that it has by now is for the probe to find out
	Port     int32
	Zone     string // name
}

// Probe writes something that does no harm, such as the time to a row of its own, and returns nil once the database has committed it. It connects
// anew each time, so that it finds the way that new clients find: for 20 to 30 seconds after a failover the name may still lead to the old primary,
// whose answer is that it is read-only. It must return soon after ctx ends, which is [ProbeTimeout] later at the latest.
type Probe func(ctx context.Context, w Writer) error

// ProbeTimeout is the time that a [Probe] has.
const ProbeTimeout = 5 * time.Second

// proof is that a database takes writes, and has done so for a while.
type proof struct {
	probe  Probe
	steady time.Duration

	mu    sync.Mutex
	since map[string]time.Time // of the first good answer of those that go on, by incident
}

// ask asks the database, and returns Done once it has taken writes for long enough. Without a probe that is at once.
func (p *proof) ask(ctx context.Context, env *failover.Env, w Writer) (failover.State, error) {
	if p.probe == nil {
		return failover.Done, nil
	}
	ctx, cancel := context.WithTimeout(ctx, ProbeTimeout)
	defer cancel()
	err := p.probe(ctx, w)
	p.mu.Lock()
	defer p.mu.Unlock()
	key := incident(env)
	if err != nil {
		delete(p.since, key)
		return failover.InProgress, fmt.Errorf("%s does not take writes: %w", w.Endpoint, err)
	}
	since, ok := p.since[key]
	if !ok {
		since = time.Now()
		if p.since == nil {
			p.since = make(map[string]time.Time)
		}
		p.since[key] = since
	}
	if good := time.Since(since); good < p.steady {
		return failover.InProgress, fmt.Errorf("%s has taken writes for %s of %s", w.Endpoint, good.Round(time.Second), p.steady)
	}
	return failover.Done, nil
}

// finding tells that nobody asks.
func (p *proof) finding(database string) []failover.Finding {
	if p.probe != nil {
		return nil
	}
	return []failover.Finding{{Level: failover.LevelWarn, Text: database + ": there is no probe: that RDS shows it as available does not prove that it takes writes"}}
}
