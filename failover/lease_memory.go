package failover

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// MemoryLocker is a [Locker] in this process: for tests, drills and programs of which only one runs.
// Its leases keep the same clock as those of a remote store, so that a rehearsal shows what the real one would do.
// It keeps a few words for every name it has ever seen, so that tokens never start again. It is safe for concurrent use;
// waiting acquirers are served in no particular order.
type MemoryLocker struct {
	timing LeaseTiming

	mu   sync.Mutex
	rows map[string]*memoryLease
}

// memoryLease is the store's half of a lease.
type memoryLease struct {
	token   uint64 // of the last grant
	holder  string
	expires time.Time     // zero once released
	freed   chan struct{} // closed at the next release
	cut     uint64        // the token whose holder cannot reach the store, if any
}

// NewMemoryLocker returns a locker whose leases have the given timing. It reports every mistake in it as a [*FieldError].
func NewMemoryLocker(optFns ...func(*LeaseTiming)) (*MemoryLocker, error) {
	var timing LeaseTiming
	for _, fn := range optFns {
		fn(&timing)
	}
	if err := timing.complete(); err != nil {
		return nil, err
	}
	return &MemoryLocker{timing: timing, rows: make(map[string]*memoryLease)}, nil
}

// Acquire implements [Locker].
func (m *MemoryLocker) Acquire(ctx context.Context, name string, o LeaseOptions) (Lease, error) {
	var rival string
	for {
		if cause := context.Cause(ctx); cause != nil {
			if rival != "" {
				cause = fmt.Errorf("held by %q: %w", rival, cause)
			}
			return nil, cause
		}
		sent := time.Now()
		token, held := m.grant(name, o.Holder)
		if token != 0 {
			return holdLease(ctx, name, token, sent, m.timing,
				func(ctx context.Context) error { return m.renew(ctx, name, token) },
				func(ctx context.Context) error { return m.free(ctx, name, token) },
			), nil
		}
		rival = held.holder
		timer := time.NewTimer(time.Until(held.expires))
		select {
		case <-timer.C:
		case <-held.freed:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// Cut cuts the present holder of name off from the store until heal is called: its renewals and its release hang until
// their contexts end, while rivals reach the store as before. If nobody holds name, it does nothing.
func (m *MemoryLocker) Cut(name string) (heal func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	row := m.rows[name]
	if row == nil || row.expires.IsZero() {
		return func() {}
	}
	token := row.token
	row.cut = token
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if row.cut == token {
			row.cut = 0
		}
	}
}

// grant returns a new token, or 0 and a copy of the lease that is in the way.
func (m *MemoryLocker) grant(name, holder string) (uint64, memoryLease) {
	m.mu.Lock()
	defer m.mu.Unlock()
	row := m.rows[name]
	if row == nil {
		row = new(memoryLease)
		m.rows[name] = row
	}
	now := time.Now()
	if now.Before(row.expires) {
		return 0, *row
	}
	row.token++
	row.holder = holder
	row.expires = now.Add(m.timing.TTL)
	row.freed = make(chan struct{})
	return row.token, memoryLease{}
}

func (m *MemoryLocker) renew(ctx context.Context, name string, token uint64) error {
	return m.reach(ctx, name, token, func(row *memoryLease) error {
		if row.token != token {
			return fmt.Errorf("%w: taken by %q", ErrLeaseLost, row.holder)
		}
		row.expires = time.Now().Add(m.timing.TTL)
		return nil
	})
}

func (m *MemoryLocker) free(ctx context.Context, name string, token uint64) error {
	return m.reach(ctx, name, token, func(row *memoryLease) error {
		if row.token == token {
			row.expires = time.Time{}
			close(row.freed)
		}
		return nil
	})
}

// reach is a request of token's holder to the store.
func (m *MemoryLocker) reach(ctx context.Context, name string, token uint64, serve func(*memoryLease) error) error {
	m.mu.Lock()
	row := m.rows[name]
	if row.cut != token {
		defer m.mu.Unlock()
		return serve(row)
	}
	m.mu.Unlock()
	<-ctx.Done()
	return fmt.Errorf("store unreachable: %w", context.Cause(ctx))
}
