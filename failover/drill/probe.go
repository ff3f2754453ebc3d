package drill

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/awsha/awsha/failover"
)

// Probe is a client that asks the service all the time, and so measures what its users see.
//
// A request is sent Interval after the last one was, or as soon as that has ended if it took longer: none overlaps another of the same
// probe. What the probe says of a downtime is off by no more than Interval + Timeout, on either side: between two requests nobody looks,
// and one that is under way as the service comes back may have to time out. [ProbeReport.Bound] has it.
type Probe struct {
	Name     string // unique in the drill
	Client   Client
	Interval time.Duration // from the start of a request to the next. Default 1 s; at least 10 ms
	Timeout  time.Duration // of a request. Default 1 s
	RTO      time.Duration // the target of this probe. Default Targets.RTO
}

// minInterval bounds what a probe costs, the service and memory.
const minInterval = 10 * time.Millisecond

// sample is one request.
type sample struct {
	start time.Time
	took  time.Duration
	ok    bool
}

func (s *sample) end() time.Time { return s.start.Add(s.took) }

// probing is a probe as it runs.
type probing struct {
	Probe

	timeline *failover.Timeline
	news     func() // somebody may wait for the next answer

	mu      sync.Mutex
	samples []sample
	down    time.Time // when the first request of those that fail was sent; zero: the last one was good
	good    time.Time // when the first good answer of those that go on came; zero: the last one was not
	failure error     // the last one
}

// run asks until ctx ends. What is under way then does not count.
func (p *probing) run(ctx context.Context) {
	for {
		start := time.Now()
		err := p.ask(ctx)
		if ctx.Err() != nil {
			return
		}
		p.take(sample{start, time.Since(start), err == nil}, err)
		p.news()
		if sleep(ctx, max(p.Interval-time.Since(start), 0)) != nil {
			return
		}
	}
}

func (p *probing) ask(ctx context.Context) error {
	limited, cancel := context.WithTimeoutCause(ctx, p.Timeout, fmt.Errorf("no answer in %v: %w", p.Timeout, context.DeadlineExceeded))
	defer cancel()
	start := time.Now()
	err := guard(func() error { return p.Client.Ask(limited) })
	switch took := time.Since(start); {
	case err == nil && took > p.Timeout:
		return fmt.Errorf("answered after %v, which is too late", took)
	case err != nil && limited.Err() != nil && !errors.Is(err, context.Cause(limited)):
		return fmt.Errorf("%w: %w", context.Cause(limited), err)
	}
	return err
}

// take notes what has become of a request.
func (p *probing) take(s sample, err error) {
	p.mu.Lock()
	p.samples = append(p.samples, s)
	var back time.Time // the service is back
	switch {
	case !s.ok:
		p.failure, p.good = err, time.Time{}
		if p.down.IsZero() {
			p.down = s.start
		}
	case p.good.IsZero():
		p.good = s.end()
		back, p.down = p.down, time.Time{}
	}
	p.mu.Unlock()
	if !back.IsZero() {
		p.timeline.Downtime(p.Name, back, s.end())
	}
}

// close tells the timeline of a downtime that goes on.
func (p *probing) close() {
	p.mu.Lock()
	down := p.down
	p.mu.Unlock()
	if !down.IsZero() {
		p.timeline.Downtime(p.Name+", which goes on", down, time.Now())
	}
}

// well tells whether requests have had good answers for a time, not counting those before a moment.
func (p *probing) well(since time.Time, steady time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.good.IsZero() {
		return false
	}
	if p.good.After(since) {
		since = p.good
	}
	last := p.samples[len(p.samples)-1] // a good one
	return !last.start.Before(since.Add(steady))
}

// failed returns the last failure if a request failed that was sent at a moment or after it.
func (p *probing) failed(since time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range slices.Backward(p.samples) {
		if s.start.Before(since) {
			break
		}
		if !s.ok {
			return p.failure
		}
	}
	return nil
}

// Interval is a time without a good answer.
type Interval struct {
	From time.Time // when the first request was sent that failed
	To   time.Time // when the next good answer came; zero: none did
}

// downtimes are the times without a good answer. The samples are ordered.
func downtimes(samples []sample) (list []Interval) {
	down := false
	for i := range samples {
		s := &samples[i]
		switch {
		case !s.ok && !down:
			list = append(list, Interval{From: s.start})
		case s.ok && down:
			list[len(list)-1].To = s.end()
		}
		down = !s.ok
	}
	return list
}

// between are the samples that were sent from one moment until before another. A zero end is the end of time.
func between(samples []sample, from, to time.Time) []sample {
	first := slices.IndexFunc(samples, func(s sample) bool { return !s.start.Before(from) })
	if first < 0 {
		return nil
	}
	samples = samples[first:]
	if to.IsZero() {
		return samples
	}
	if last := slices.IndexFunc(samples, func(s sample) bool { return !s.start.Before(to) }); last >= 0 {
		samples = samples[:last]
	}
	return samples
}

func countFailed(samples []sample) (n int) {
	for i := range samples {
		if !samples[i].ok {
			n++
		}
	}
	return n
}

// latencies are those of good answers, ordered.
func latencies(samples []sample) (list []time.Duration) {
	for i := range samples {
		if samples[i].ok {
			list = append(list, samples[i].took)
		}
	}
	slices.Sort(list)
	return list
}

// percentile is the smallest value that at least that share of an ordered list does not exceed: the nearest rank.
func percentile(list []time.Duration, share int) time.Duration {
	if len(list) == 0 {
		return 0
	}
	return list[(len(list)*share+99)/100-1]
}
