package failover

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// MemoryStore is a [Store] in this process: for tests, drills and programs of which only one runs. The zero value is empty and
// ready. It is safe for concurrent use and never waits.
type MemoryStore struct {
	mu     sync.Mutex
	groups map[string]map[string]memoryEntry
}

type memoryEntry struct {
	value   []byte
	version uint64
}

// Get implements [Store].
func (m *MemoryStore) Get(ctx context.Context, group, name string) (Entry, error) {
	if err := context.Cause(ctx); err != nil {
		return Entry{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.groups[group][name].as(name), nil
}

// List implements [Store].
func (m *MemoryStore) List(ctx context.Context, group string) ([]Entry, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	entries := make([]Entry, 0, len(m.groups[group]))
	for name, e := range m.groups[group] {
		entries = append(entries, e.as(name))
	}
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	return entries, nil
}

// Put implements [Store].
func (m *MemoryStore) Put(ctx context.Context, group, name string, value []byte, old Version) (Version, error) {
	if err := context.Cause(ctx); err != nil {
		return "", err
	}
	if err := CheckValue(value); err != nil {
		return "", err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.groups[group][name]
	if now.named() != old {
		return "", fmt.Errorf("failover: put %s of %s over version %q: %w: it is %q", name, group, old, ErrChanged, now.named())
	}
	if m.groups == nil {
		m.groups = make(map[string]map[string]memoryEntry)
	}
	if m.groups[group] == nil {
		m.groups[group] = make(map[string]memoryEntry)
	}
	next := memoryEntry{slices.Clone(value), now.version + 1}
	m.groups[group][name] = next
	return next.named(), nil
}

func (e memoryEntry) as(name string) Entry { return Entry{name, slices.Clone(e.value), e.named()} }

func (e memoryEntry) named() Version {
	if e.version == 0 {
		return ""
	}
	return Version(strconv.FormatUint(e.version, 10))
}
