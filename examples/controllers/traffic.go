package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// traffic is a client that sends a request every so often, whatever becomes of the earlier ones, each over a connection of its own.
type traffic struct {
	url    string
	every  time.Duration
	client *http.Client

	mu      sync.Mutex
	samples []sample
}

// sample is one request.
type sample struct {
	start, end time.Time
	ok         bool
}

func (t *traffic) run(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	ticker := time.NewTicker(t.every)
	defer ticker.Stop()
	for {
		wg.Go(func() {
			s := sample{start: time.Now()}
			s.ok = t.check(context.WithoutCancel(ctx)) == nil // what is under way when ctx ends is still answered
			s.end = time.Now()
			t.mu.Lock()
			defer t.mu.Unlock()
			t.samples = append(t.samples, s)
		})
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// check sends one request, and returns nil for a good answer.
func (t *traffic) check(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.url, http.NoBody)
	if err != nil {
		return err
	}
	resp, err := t.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("answer %s", resp.Status)
	}
	return nil
}

// downtime returns when the first request after a moment failed that was sent then, and when the first good answer after that came.
func (t *traffic) downtime(after time.Time) (from, to time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.samples {
		if !s.ok && !s.start.Before(after.Add(-t.client.Timeout)) && (from.IsZero() || s.start.Before(from)) {
			from = s.start
		}
	}
	for _, s := range t.samples {
		if s.ok && s.start.After(from) && (to.IsZero() || s.end.Before(to)) {
			to = s.end
		}
	}
	return from, to
}

func (t *traffic) count() (sent, failed int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.samples {
		sent++
		if !s.ok {
			failed++
		}
	}
	return sent, failed
}
