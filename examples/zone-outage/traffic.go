package main

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"
)

// traffic is a client that sends a request every so often, whatever becomes
// of the earlier ones, each over a connection of its own.
type traffic struct {
	url     string
	every   time.Duration
	client  *http.Client
	mu      sync.Mutex
	samples []sample
}

// sample is one request.
type sample struct {
	start, end time.Time
	ok         bool
	server     string // who has answered
}

// run sends requests until ctx ends, and returns when all are answered or
// have failed.
func (t *traffic) run(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	ticker := time.NewTicker(t.every)
	defer ticker.Stop()
	for {
		wg.Go(func() { t.request(context.WithoutCancel(ctx)) }) // what is under way when ctx ends is still answered
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

func (t *traffic) request(ctx context.Context) {
	s := sample{start: time.Now()}
	s.server, s.ok = t.ask(ctx)
	s.end = time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.samples = append(t.samples, s)
}

// ask returns who has answered, and whether the answer was a good one.
func (t *traffic) ask(ctx context.Context) (server string, ok bool) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.url, http.NoBody)
	if err != nil {
		return "", false
	}
	resp, err := t.client.Do(req)
	if err != nil {
		return "", false
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return string(body), err == nil && resp.StatusCode == http.StatusOK
}

// firstGood returns when the first request that was sent after a moment
// had its good reply, and who sent it.
func (t *traffic) firstGood(after time.Time) (at time.Time, server string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.samples {
		if s.ok && s.start.After(after) && (at.IsZero() || s.end.Before(at)) {
			at, server = s.end, s.server
		}
	}
	return at, server
}

// count returns how many requests were sent from one moment until before
// another, and how many of them failed. A zero end is the end of time.
func (t *traffic) count(from, to time.Time) (sent, failed int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.samples {
		if s.start.Before(from) || (!to.IsZero() && !s.start.Before(to)) {
			continue
		}
		sent++
		if !s.ok {
			failed++
		}
	}
	return sent, failed
}
