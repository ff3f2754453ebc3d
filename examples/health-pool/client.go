package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// client sends requests to the pool and knows what became of them.
type client struct {
	http http.Client

	mu       sync.Mutex
	requests int
	failed   int
	answers  map[string]int // by zone
}

func newClient(transport http.RoundTripper) *client {
	return &client{http: http.Client{Transport: transport, Timeout: time.Second}, answers: map[string]int{}}
}

// run sends one request after the other until ctx ends.
func (c *client) run(ctx context.Context, pace time.Duration) error {
	defer c.http.CloseIdleConnections()
	ticker := time.NewTicker(pace)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		name, err := c.get(ctx)
		if ctx.Err() != nil {
			continue // it was called off and is no failure
		}
		c.mu.Lock()
		c.requests++
		if err != nil {
			c.failed++
		} else if i := strings.LastIndexByte(name, '-'); i > 0 {
			c.answers[name[:i]]++
		}
		c.mu.Unlock()
	}
}

// get asks the service who it is. Its host is a name for the pool, not an address: the pool's transport picks one.
func (c *client) get(ctx context.Context) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://service/", http.NoBody)
	if err != nil {
		return "", err
	}
	res, err := c.http.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<10))
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("the service answered %s", res.Status)
	}
	return strings.TrimSpace(string(body)), err
}

func (c *client) counts() (requests, failed int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.requests, c.failed
}

func (c *client) answersOf(zone string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.answers[zone]
}
