package failover_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/awsha/awsha/failover"
)

// link is one client's way to a store, which can be cut: calls hang until their contexts end.
type link struct {
	failover.Store

	mu   sync.Mutex
	down bool
}

func (l *link) set(down bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = down
}

func (l *link) reach(ctx context.Context) error {
	l.mu.Lock()
	down := l.down
	l.mu.Unlock()
	if !down {
		return nil
	}
	<-ctx.Done()
	return fmt.Errorf("store unreachable: %w", context.Cause(ctx))
}

func (l *link) Get(ctx context.Context, group, name string) (failover.Entry, error) {
	if err := l.reach(ctx); err != nil {
		return failover.Entry{}, err
	}
	return l.Store.Get(ctx, group, name)
}

func (l *link) Put(ctx context.Context, group, name string, value []byte, old failover.Version) (failover.Version, error) {
	if err := l.reach(ctx); err != nil {
		return "", err
	}
	return l.Store.Put(ctx, group, name, value, old)
}

// linkedLocker gives each holder a link of its own.
type linkedLocker struct {
	store   failover.Store
	options []func(*failover.LockerOptions)

	mu      sync.Mutex
	holders map[string]*link // the last that was granted a name
}

func newLocker(tb testing.TB, optFns ...func(*failover.LockerOptions)) *linkedLocker {
	tb.Helper()
	return &linkedLocker{store: new(failover.MemoryStore), options: optFns, holders: make(map[string]*link)}
}

func (l *linkedLocker) Acquire(ctx context.Context, name string, o failover.LeaseOptions) (failover.Lease, error) {
	way := &link{Store: l.store}
	locker, err := failover.NewLocker(way, l.options...)
	if err != nil {
		return nil, err
	}
	lease, err := locker.Acquire(ctx, name, o)
	if err == nil {
		l.mu.Lock()
		l.holders[name] = way
		l.mu.Unlock()
	}
	return lease, err
}

// Cut cuts the last holder of a name off from the store.
func (l *linkedLocker) Cut(name string) (heal func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	way := l.holders[name]
	if way == nil {
		return func() {}
	}
	way.set(true)
	return func() { way.set(false) }
}

// slowStore takes a millisecond for a write.
type slowStore struct {
	failover.Store

	mu   sync.Mutex
	puts int
}

func (s *slowStore) Put(ctx context.Context, group, name string, value []byte, old failover.Version) (failover.Version, error) {
	s.mu.Lock()
	s.puts++
	s.mu.Unlock()
	time.Sleep(time.Millisecond)
	return s.Store.Put(ctx, group, name, value, old)
}

func (l *link) isDown() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.down
}

func (l *link) List(ctx context.Context, group string) ([]failover.Entry, error) {
	if err := l.reach(ctx); err != nil {
		return nil, err
	}
	return l.Store.List(ctx, group)
}
