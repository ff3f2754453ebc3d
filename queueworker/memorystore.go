package queueworker

import (
	"container/list"
	"context"
	"errors"
	"strings"
	"sync"
	"time"
)

const defaultStoreSize = 100_000

// ErrStoreFull is that a MemoryStore has as many claims as it may have, all of which go on.
var ErrStoreFull = errors.New("queueworker: the store of duplicates is full")

// MemoryStoreOptions are the options of a MemoryStore. The zero value of each field means its default.
type MemoryStoreOptions struct {
	// Size is how many keys are remembered at most; a key of 36 bytes needs about 260. Default 100,000.
	Size int
}

// MemoryStore is a Store in the memory of one process: for a worker that runs alone, for duplicates that come to the same worker, and for
// tests. It forgets the keys that were completed first when it is full, and everything with the process. It is safe for concurrent use.
type MemoryStore struct {
	size int

	mu      sync.Mutex
	entries map[string]*memoryEntry
	open    *list.List // of *memoryEntry: claims, those that were begun or extended last at the back
	done    *list.List // likewise: completed, the last ones at the back
}

var _ Store = (*MemoryStore)(nil)

type memoryEntry struct {
	key, token string
	done       bool
	until      time.Time
	at         *list.Element
}

// NewMemoryStore returns an empty store, or all mistakes in its options.
func NewMemoryStore(optFns ...func(*MemoryStoreOptions)) (*MemoryStore, error) {
	var opts MemoryStoreOptions
	for _, fn := range optFns {
		fn(&opts)
	}
	orDefault(&opts.Size, defaultStoreSize)
	var m mistakes
	m.require(opts.Size > 0, "MemoryStoreOptions.Size", opts.Size, "must be greater than zero")
	if err := m.err(); err != nil {
		return nil, err
	}
	return &MemoryStore{size: opts.Size, entries: map[string]*memoryEntry{}, open: list.New(), done: list.New()}, nil
}

// Len returns how many keys are remembered, those included whose time has passed and that have not been forgotten yet.
func (s *MemoryStore) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.entries)
}

// Begin claims a key. See Store. ErrStoreFull is the only error.
func (s *MemoryStore) Begin(_ context.Context, key, token string, lock time.Duration) (Claim, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if e := s.entries[key]; e != nil {
		if remaining := e.until.Sub(now); remaining > 0 && e.token != token {
			if e.done {
				return Claim{State: ClaimDone}, nil
			}
			return Claim{State: ClaimInProgress, Remaining: remaining}, nil
		}
		s.removeLocked(e)
	}
	if !s.roomLocked(now) {
		return Claim{}, ErrStoreFull
	}
	s.addLocked(&memoryEntry{key: key, token: token, until: now.Add(lock)})
	return Claim{State: ClaimNew}, nil
}

// Extend extends a claim. See Store.
func (s *MemoryStore) Extend(_ context.Context, key, token string, lock time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[key]
	if e == nil || e.token != token || e.done {
		return ErrClaimLost
	}
	e.until = time.Now().Add(lock)
	s.open.MoveToBack(e.at)
	return nil
}

// Complete completes a claim. See Store.
func (s *MemoryStore) Complete(_ context.Context, key, token string, ttl time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if e := s.entries[key]; e != nil {
		if e.token != token && now.Before(e.until) {
			return ErrClaimLost
		}
		s.removeLocked(e)
	}
	if !s.roomLocked(now) {
		return ErrStoreFull
	}
	s.addLocked(&memoryEntry{key: key, token: token, done: true, until: now.Add(ttl)})
	return nil
}

// Abandon ends a claim. See Store.
func (s *MemoryStore) Abandon(_ context.Context, key, token string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.entries[key]; e != nil && e.token == token && !e.done {
		s.removeLocked(e)
	}
	return nil
}

// roomLocked makes room for one more: what has run out goes first, then what was completed first, and never a claim that goes on.
func (s *MemoryStore) roomLocked(now time.Time) bool {
	for front := s.done.Front(); front != nil; front = s.done.Front() {
		if e := entryOf(front); now.Before(e.until) && len(s.entries) < s.size {
			break
		}
		s.removeLocked(entryOf(front))
	}
	for at := s.open.Front(); at != nil && len(s.entries) >= s.size; {
		e := entryOf(at)
		at = at.Next()
		if !now.Before(e.until) {
			s.removeLocked(e)
		}
	}
	return len(s.entries) < s.size
}

// addLocked keeps strings of its own: those of a message are parts of the answer that it came in, which they would keep.
func (s *MemoryStore) addLocked(e *memoryEntry) {
	e.key, e.token = strings.Clone(e.key), strings.Clone(e.token)
	s.entries[e.key] = e
	e.at = s.listOf(e).PushBack(e)
}

func (s *MemoryStore) removeLocked(e *memoryEntry) {
	delete(s.entries, e.key)
	s.listOf(e).Remove(e.at)
}

func (s *MemoryStore) listOf(e *memoryEntry) *list.List {
	if e.done {
		return s.done
	}
	return s.open
}

func entryOf(at *list.Element) *memoryEntry {
	e, _ := at.Value.(*memoryEntry)
	return e
}
