package snapshot

import (
	"context"
	"maps"
	"sync"
)

// Manager takes, copies, prunes and restores the snapshots of policies. It is safe for concurrent use, keeps nothing on disk, and knows what
// there is by the tags of the snapshots alone: another manager with the same Options.Owner, on any machine, goes on where one ended.
type Manager struct {
	opts    Options
	clients func(region string) Clients

	mu      sync.Mutex
	regions map[string]*region
	calls   map[string]int  // by operation
	running map[string]bool // policies that Run follows, by name, and slots that are being taken
}

// New makes a Manager. The function returns the clients of a region, and is called once for each. New makes no calls.
//
// The error joins a [*FieldError] for each mistake in the options.
func New(clients func(region string) Clients, optFns ...func(*Options)) (*Manager, error) {
	var opts Options
	for _, fn := range optFns {
		fn(&opts)
	}
	var m mistakes
	m.require(clients != nil, "clients", nil, "must be given")
	opts.complete(&m)
	if err := m.err(); err != nil {
		return nil, err
	}
	return &Manager{opts: opts, clients: clients, regions: make(map[string]*region), calls: make(map[string]int), running: make(map[string]bool)}, nil
}

// Calls returns how many calls have been made so far, by operation, such as "CreateSnapshots".
func (m *Manager) Calls() map[string]int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.calls)
}

// region returns what is kept of a region.
func (m *Manager) region(name string) *region {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.regions[name]
	if r == nil {
		r = newRegion(m, name, m.clients(name))
		m.regions[name] = r
	}
	return r
}

// begin notes that something is under way which must not be twice in a manager. end is nil if it is already.
func (m *Manager) begin(what string) (end func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.running[what] {
		return nil
	}
	m.running[what] = true
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.running, what)
	}
}

// fenced asks the fence.
func (m *Manager) fenced(ctx context.Context) error {
	if m.opts.Fence == nil {
		return nil
	}
	return m.opts.Fence(ctx)
}
