package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/awsha/awsha/healthcheck"
)

// fleet is a number of HTTP servers in each of several zones. They are real ones, on ports of 127.0.0.1.
type fleet struct {
	servers []*server
	running sync.WaitGroup
}

// server is one of them. It can be killed and revived at the same address.
type server struct {
	target healthcheck.Target
	mu     sync.Mutex
	http   *http.Server // nil while it is dead
}

func newFleet(ctx context.Context, zones []string, perZone int) (*fleet, error) {
	f := &fleet{}
	for _, zone := range zones {
		for n := range perZone {
			s := &server{target: healthcheck.Target{ID: fmt.Sprintf("%s-%d", zone, n+1), Zone: zone, Addr: "127.0.0.1:0"}}
			f.servers = append(f.servers, s)
			if err := f.start(ctx, s); err != nil {
				return nil, errors.Join(err, f.close())
			}
		}
	}
	return f, nil
}

func (f *fleet) targets() []healthcheck.Target {
	var ts []healthcheck.Target
	for _, s := range f.servers {
		ts = append(ts, s.target)
	}
	return ts
}

// kill ends the servers of a zone as a power loss does, as far as one machine can show it: their ports refuse, and connections
// break off in the middle of an answer.
func (f *fleet) kill(zone string) error {
	var errs []error
	for _, s := range f.servers {
		if s.target.Zone == zone {
			errs = append(errs, s.stop())
		}
	}
	return errors.Join(errs...)
}

// revive starts them again.
func (f *fleet) revive(ctx context.Context, zone string) error {
	for _, s := range f.servers {
		if s.target.Zone != zone {
			continue
		}
		if err := f.start(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func (f *fleet) start(ctx context.Context, s *server) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.target.Addr)
	if err != nil {
		return fmt.Errorf("start server %s: %w", s.target.ID, err)
	}
	s.target.Addr = listener.Addr().String()
	h := &http.Server{Handler: s, ReadHeaderTimeout: time.Second}
	s.mu.Lock()
	s.http = h
	s.mu.Unlock()
	f.running.Go(func() { _ = h.Serve(listener) }) // it returns when stop closes it
	return nil
}

func (s *server) stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.http
	s.http = nil
	if h == nil {
		return nil
	}
	return h.Close()
}

// ServeHTTP says which server this is.
func (s *server) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	_, _ = fmt.Fprintln(w, s.target.ID)
}

func (f *fleet) close() error {
	var errs []error
	for _, s := range f.servers {
		errs = append(errs, s.stop())
	}
	f.running.Wait()
	return errors.Join(errs...)
}
