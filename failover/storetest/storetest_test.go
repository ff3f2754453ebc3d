package storetest

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/failover"
)

func TestMemoryStorePasses(t *testing.T) {
	t.Parallel()
	Run(t, func(*testing.T) failover.Store { return &failover.MemoryStore{} })
}

// flawed is a store that breaks what its functions say, and else does what a MemoryStore does.
type flawed struct {
	failover.MemoryStore
	get  func(context.Context, *failover.MemoryStore, string, string) (failover.Entry, error)
	list func(context.Context, *failover.MemoryStore, string) ([]failover.Entry, error)
	put  func(context.Context, *failover.MemoryStore, string, string, []byte, failover.Version) (failover.Version, error)
}

func (f *flawed) Get(ctx context.Context, group, name string) (failover.Entry, error) {
	if f.get == nil {
		return f.MemoryStore.Get(ctx, group, name)
	}
	return f.get(ctx, &f.MemoryStore, group, name)
}

func (f *flawed) List(ctx context.Context, group string) ([]failover.Entry, error) {
	if f.list == nil {
		return f.MemoryStore.List(ctx, group)
	}
	return f.list(ctx, &f.MemoryStore, group)
}

func (f *flawed) Put(ctx context.Context, group, name string, value []byte, old failover.Version) (failover.Version, error) {
	if f.put == nil {
		return f.MemoryStore.Put(ctx, group, name, value, old)
	}
	return f.put(ctx, &f.MemoryStore, group, name, value, old)
}

// renamed changes keys on their way to the store, and leaves the names of entries as they were asked for.
func renamed(change func(group, name string) (string, string)) *flawed {
	return &flawed{
		get: func(ctx context.Context, m *failover.MemoryStore, group, name string) (failover.Entry, error) {
			g, n := change(group, name)
			e, err := m.Get(ctx, g, n)
			e.Name = name
			return e, err
		},
		put: func(ctx context.Context, m *failover.MemoryStore, group, name string, value []byte, old failover.Version) (failover.Version, error) {
			g, n := change(group, name)
			return m.Put(ctx, g, n, value, old)
		},
		list: func(ctx context.Context, m *failover.MemoryStore, group string) ([]failover.Entry, error) {
			g, _ := change(group, "n")
			return m.List(ctx, g)
		},
	}
}

// The rule that a flaw breaks finds it. A flaw may break other rules too.
func TestRulesCanFail(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		rule  string // how it begins
		store func() failover.Store
	}{
		"what is missing is an error": {"an entry that was never put", func() failover.Store {
			return &flawed{get: func(ctx context.Context, m *failover.MemoryStore, g, n string) (failover.Entry, error) {
				e, err := m.Get(ctx, g, n)
				if err == nil && e.Version == "" {
					err = failover.ErrChanged
				}
				return e, err
			}}
		}},
		"what is missing is created over a version": {"an entry that was never put", func() failover.Store {
			return &flawed{put: func(ctx context.Context, m *failover.MemoryStore, g, n string, v []byte, old failover.Version) (failover.Version, error) {
				if e, _ := m.Get(ctx, g, n); e.Version == "" {
					old = ""
				}
				return m.Put(ctx, g, n, v, old)
			}}
		}},
		"the last writer wins": {"an entry is created once", func() failover.Store {
			return &flawed{put: func(ctx context.Context, m *failover.MemoryStore, g, n string, v []byte, _ failover.Version) (failover.Version, error) {
				e, _ := m.Get(ctx, g, n)
				return m.Put(ctx, g, n, v, e.Version)
			}}
		}},
		"a version is a hash of the value": {"a version never returns", func() failover.Store { return &hashed{} }},
		"a read is stale": {"a read sees what was put before it", func() failover.Store {
			return &stale{}
		}},
		"an empty value is none": {"a value is bytes", func() failover.Store {
			return &flawed{put: func(ctx context.Context, m *failover.MemoryStore, g, n string, v []byte, old failover.Version) (failover.Version, error) {
				if len(v) == 0 {
					return "", nil
				}
				return m.Put(ctx, g, n, v, old)
			}}
		}},
		"values are text": {"a value is bytes", func() failover.Store {
			return &flawed{put: func(ctx context.Context, m *failover.MemoryStore, g, n string, v []byte, old failover.Version) (failover.Version, error) {
				return m.Put(ctx, g, n, bytes.ToValidUTF8(v, []byte("\ufffd")), old)
			}}
		}},
		"values are shared": {"a value is kept, not the memory", func() failover.Store { return &hashed{unique: true} }},
		"lists have no order": {"a group is listed in the order", func() failover.Store {
			return &flawed{list: func(ctx context.Context, m *failover.MemoryStore, g string) ([]failover.Entry, error) {
				list, err := m.List(ctx, g)
				slices.Reverse(list)
				return list, err
			}}
		}},
		"lists are in the order of people": {"a group is listed in the order", func() failover.Store {
			return &flawed{list: func(ctx context.Context, m *failover.MemoryStore, g string) ([]failover.Entry, error) {
				list, err := m.List(ctx, g)
				slices.SortFunc(list, func(a, b failover.Entry) int {
					return cmp.Or(cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.Name, b.Name))
				})
				return list, err
			}}
		}},
		"groups run together": {"a group is listed in the order", func() failover.Store {
			return renamed(func(group, name string) (string, string) { return strings.TrimRight(group, "2"), name })
		}},
		"lists end after a page": {"a list is as long", func() failover.Store {
			return &flawed{list: func(ctx context.Context, m *failover.MemoryStore, g string) ([]failover.Entry, error) {
				list, err := m.List(ctx, g)
				return list[:min(len(list), 1000)], err
			}}
		}},
		"names are paths": {"no two keys are the same", func() failover.Store { return renamed(func(g, n string) (string, string) { return g, path.Clean(n) }) }},
		"names have no case": {"no two keys are the same", func() failover.Store {
			return renamed(func(g, n string) (string, string) { return g, strings.ToLower(n) })
		}},
		"names are cut": {"no two keys are the same", func() failover.Store {
			return renamed(func(g, n string) (string, string) { return g, n[:min(len(n), 199)] })
		}},
		"keys are joined": {"no two keys are the same", func() failover.Store { return renamed(func(g, n string) (string, string) { return "", g + "/" + n }) }},
		"escapes are understood": {"no two keys are the same", func() failover.Store {
			return renamed(func(g, n string) (string, string) { return g, strings.ReplaceAll(n, "%2F", "/") })
		}},
		"a check comes before the write": {"of many writers", func() failover.Store {
			return &hashed{unique: true, slow: true}
		}},
		"writes are lost": {"no write of a race", func() failover.Store {
			return &hashed{unique: true, slow: true}
		}},
		"cancellations are not told": {"a context that has ended", func() failover.Store {
			return &flawed{put: func(ctx context.Context, m *failover.MemoryStore, g, n string, v []byte, old failover.Version) (failover.Version, error) {
				return m.Put(context.WithoutCancel(ctx), g, n, v, old)
			}}
		}},
		"cancellations have no cause": {"a context that has ended", func() failover.Store {
			return &flawed{get: func(ctx context.Context, m *failover.MemoryStore, g, n string) (failover.Entry, error) {
				if err := ctx.Err(); err != nil {
					return failover.Entry{}, err
				}
				return m.Get(ctx, g, n)
			}}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				for _, r := range rules() {
					if !strings.HasPrefix(r.name, test.rule) {
						continue
					}
					if err := r.check(t.Context(), test.store()); err == nil {
						t.Errorf("%q finds nothing", r.name)
					}
					return
				}
				t.Errorf("no rule begins with %q", test.rule)
			})
		})
	}
}

// hashed is a store whose versions are the values, or numbers, which shares memory with its callers, and may look well before it writes.
type hashed struct {
	unique, slow bool

	mu      sync.Mutex
	writes  byte
	entries map[[2]string]failover.Entry
}

func (h *hashed) Get(_ context.Context, group, name string) (failover.Entry, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.entries[[2]string{group, name}]
	e.Name = name
	return e, nil
}

func (h *hashed) List(_ context.Context, group string) ([]failover.Entry, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var list []failover.Entry
	for _, key := range slices.SortedFunc(maps.Keys(h.entries), func(a, b [2]string) int { return cmp.Compare(a[1], b[1]) }) {
		if key[0] == group {
			list = append(list, h.entries[key])
		}
	}
	return list, nil
}

func (h *hashed) Put(ctx context.Context, group, name string, value []byte, old failover.Version) (failover.Version, error) {
	if e, _ := h.Get(ctx, group, name); e.Version != old {
		return "", failover.ErrChanged
	}
	if h.slow {
		<-time.After(time.Millisecond)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.writes++
	version := failover.Version("v" + string(value))
	if h.unique {
		version = failover.Version([]byte{'v', h.writes})
	}
	if h.entries == nil {
		h.entries = map[[2]string]failover.Entry{}
	}
	h.entries[[2]string{group, name}] = failover.Entry{Name: name, Value: value, Version: version}
	return version, nil
}

// stale is a store whose reads are one write behind.
type stale struct {
	failover.MemoryStore

	mu     sync.Mutex
	before failover.Entry
}

func (s *stale) Get(context.Context, string, string) (failover.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.before, nil
}

func (s *stale) Put(ctx context.Context, group, name string, value []byte, old failover.Version) (failover.Version, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before, _ = s.MemoryStore.Get(ctx, group, name)
	return s.MemoryStore.Put(ctx, group, name, value, old)
}
