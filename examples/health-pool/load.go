package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/awsha/awsha/healthcheck"
)

const minInterval = 50 * time.Millisecond

// load is a load test of the checker.
type load struct {
	targets  int
	interval time.Duration
	length   time.Duration
	reuse    int
}

// cost is what it measured.
type cost struct {
	Targets           int     `json:"targets"`
	ChecksPerSecond   float64 `json:"checks_per_s"`
	CPUMicrosPerCheck float64 `json:"cpu_us_per_check"` // user and system time of this process
	CPUPercent        float64 `json:"cpu_percent"`      // of one core
	RSSBytesPerTarget float64 `json:"rss_bytes_per_target"`
	StartLagP99MS     float64 `json:"start_lag_p99_ms"` // of the latest check of each target, once an interval
	Goroutines        int     `json:"goroutines"`       // at most, as seen ten times a second
	Healthy           int     `json:"healthy"`          // at the end
}

func (c *cost) String() string {
	var b strings.Builder
	line := func(what, format string, args ...any) {
		fmt.Fprintf(&b, "%-12s "+format+"\n", append([]any{what}, args...)...)
	}
	b.WriteString("\n")
	line("targets", "%d, of which %d are healthy", c.Targets, c.Healthy)
	line("checks", "%.0f a second", c.ChecksPerSecond)
	line("CPU", "%.1f µs a check, %.1f %% of a core", c.CPUMicrosPerCheck, c.CPUPercent)
	line("memory", "%.0f bytes resident a target", c.RSSBytesPerTarget)
	line("start lag", "%.1f ms at the 99th percentile", c.StartLagP99MS)
	line("goroutines", "%d at most", c.Goroutines)
	return b.String()
}

func (l load) run(ctx context.Context, w io.Writer) (*cost, error) {
	limit, err := openFiles()
	if err != nil {
		return nil, err
	}
	if err := l.fits(limit); err != nil {
		return nil, err
	}
	servers, err := startServers(ctx)
	if err != nil {
		return nil, err
	}
	c, err := l.measure(ctx, servers.addrs, w)
	return c, errors.Join(err, servers.stop(ctx))
}

// fits reports whether the connections that are kept fit into a limit of open files.
func (l load) fits(limit uint64) error {
	if need := uint64(l.targets) + spareFiles; l.reuse > 0 && need > limit {
		return fmt.Errorf("-targets: %d need %d open files, and the limit (ulimit -n) is %d", l.targets, need, limit)
	}
	return nil
}

// spareFiles is how many files the load test has open beside its connections, in either process: listeners, pipes, /proc.
const spareFiles = 64

// measure checks targets at the given addresses and counts.
func (l load) measure(ctx context.Context, addrs []string, w io.Writer) (*cost, error) {
	inner, err := healthcheck.HTTP(func(o *healthcheck.HTTPOptions) { o.Reuse = l.reuse })
	if err != nil {
		return nil, err
	}
	checker := &counted{Checker: inner}
	pool, err := healthcheck.New(checker, func(o *healthcheck.Options) {
		o.Interval, o.Timeout = l.interval, l.interval/2
		o.MaxStartSpread = l.interval
	})
	if err != nil {
		return nil, err
	}

	before, err := resident()
	if err != nil {
		return nil, err
	}
	if err := pool.Register(l.list(addrs)...); err != nil {
		return nil, err
	}

	c := &cost{Targets: l.targets}
	group, beside := errgroup.WithContext(ctx)
	group.Go(func() error { return pool.Run(beside) })
	group.Go(func() error {
		fmt.Fprintf(w, "%d targets, checked every %v: warming up\n", l.targets, l.interval)
		if err := pause(beside, 2*l.interval); err != nil {
			return err
		}
		fmt.Fprintf(w, "measuring for %v\n", l.length)
		if err := l.observe(beside, pool, checker, c); err != nil {
			return err
		}
		after, err := resident()
		if err != nil {
			return err
		}
		c.RSSBytesPerTarget = max(float64(after-before), 0) / float64(l.targets)
		return errTold
	})
	if err := group.Wait(); !errors.Is(err, errTold) {
		return nil, err
	}
	return c, nil
}

// list spreads the targets over the addresses, of which each stands for many, and over three zones.
func (l load) list(addrs []string) []healthcheck.Target {
	targets := make([]healthcheck.Target, l.targets)
	for i := range targets {
		targets[i] = healthcheck.Target{
			ID: fmt.Sprintf("i-%08d", i), Zone: fmt.Sprintf("zone-%c", 'a'+i%3), Addr: addrs[i%len(addrs)],
		}
	}
	return targets
}

// observe fills in what is measured while the pool runs.
func (l load) observe(ctx context.Context, pool *healthcheck.Pool, checker *counted, c *cost) error {
	start, checks := time.Now(), checker.n.Load()
	used, err := cpuTime()
	if err != nil {
		return err
	}
	var lags []time.Duration
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	sweep := start.Add(l.interval)
	for now := start; now.Before(start.Add(l.length)); {
		select {
		case now = <-ticker.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		c.Goroutines = max(c.Goroutines, runtime.NumGoroutine())
		if now.Before(sweep) {
			continue
		}
		sweep = now.Add(l.interval)
		for _, status := range pool.All() {
			lags = append(lags, status.Last.Lag)
		}
	}
	took, checked := time.Since(start), checker.n.Load()-checks
	usedNow, err := cpuTime()
	if err != nil {
		return err
	}
	used = usedNow - used
	c.ChecksPerSecond = float64(checked) / took.Seconds()
	c.CPUMicrosPerCheck = float64(used.Microseconds()) / float64(max(checked, 1))
	c.CPUPercent = 100 * used.Seconds() / took.Seconds()
	c.Healthy = pool.View().Count(healthcheck.Healthy)
	slices.Sort(lags)
	if n := len(lags); n > 0 {
		c.StartLagP99MS = ms(lags[min(n-1, n*99/100)])
	}
	return nil
}

// counted is a Checker that counts its checks.
type counted struct {
	healthcheck.Checker

	n atomic.Int64
}

func (c *counted) Open(t healthcheck.Target) (healthcheck.Probe, error) {
	probe, err := c.Checker.Open(t)
	if err != nil {
		return nil, err
	}
	return countedProbe{probe, &c.n}, nil
}

type countedProbe struct {
	healthcheck.Probe

	n *atomic.Int64
}

func (p countedProbe) Check(ctx context.Context) healthcheck.Result {
	p.n.Add(1)
	return p.Probe.Check(ctx)
}
