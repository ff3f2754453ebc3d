package storetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"testing"

	"github.com/awsha/awsha/failover"
)

// Run tests a store. It calls open once for each subtest, from several goroutines at once; what open returns must be usable until the
// subtest has ended, whose t it gets.
func Run(t *testing.T, open func(t *testing.T) failover.Store) {
	t.Helper()
	for _, r := range rules() {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			if r.long && testing.Short() {
				t.Skip("long")
			}
			if err := r.check(t.Context(), open(t)); err != nil {
				t.Error(err)
			}
		})
	}
}

// rule is one sentence of the contract of failover.Store, and what finds out whether a store keeps it. That it can find that is
// tested with stores that do not.
type rule struct {
	name  string
	check func(context.Context, failover.Store) error
	long  bool
	race  bool
}

func rules() []rule {
	return []rule{
		{name: "an entry that was never put has neither value nor version", check: absent},
		{name: "an entry is created once and replaced by who knows its version", check: replaced},
		{name: "a version never returns, not even with the value", check: versions},
		{name: "a read sees what was put before it", check: strong},
		{name: "a value is bytes, from none to 64 KiB", check: values},
		{name: "a value is kept, not the memory it came in", check: copied},
		{name: "a group is listed in the order of names, without the others", check: listed},
		{name: "a list is as long as the group", check: longList, long: true},
		{name: "no two keys are the same, whatever their names", check: names},
		{name: "of many writers of a version one wins", check: race, race: true},
		{name: "no write of a race is lost", check: count, race: true},
		{name: "a context that has ended is told by its cause, and nothing is stored", check: ended},
	}
}

// group is a name that no other test or run has.
func group(of string) string { return "storetest-" + of + "-" + rand.Text() }

// isValue reads an entry and compares it.
func isValue(ctx context.Context, s failover.Store, group, name string, value []byte, version failover.Version) error {
	e, err := s.Get(ctx, group, name)
	switch {
	case err != nil:
		return fmt.Errorf("get %q of %q: %w", name, group, err)
	case e.Name != name:
		return fmt.Errorf("get %q of %q: the entry says it is %q", name, group, e.Name)
	case !bytes.Equal(e.Value, value):
		return fmt.Errorf("get %q of %q: the value is %s, want %s", name, group, brief(e.Value), brief(value))
	case e.Version != version:
		return fmt.Errorf("get %q of %q: the version is %q, want %q, which Put returned", name, group, e.Version, version)
	}
	return nil
}

// isRefused asserts that a value is not put over a version that is not the entry's.
func isRefused(ctx context.Context, s failover.Store, group, name string, old failover.Version) error {
	version, err := s.Put(ctx, group, name, []byte("refuse me"), old)
	switch {
	case err == nil:
		return fmt.Errorf("put %q of %q over version %q, which it does not have: stored as version %q, want ErrChanged", name, group, old, version)
	case !errors.Is(err, failover.ErrChanged):
		return fmt.Errorf("put %q of %q over version %q, which it does not have: %w, want ErrChanged", name, group, old, err)
	}
	return nil
}

func put(ctx context.Context, s failover.Store, group, name string, value []byte, old failover.Version) (failover.Version, error) {
	version, err := s.Put(ctx, group, name, value, old)
	switch {
	case err != nil:
		return "", fmt.Errorf("put %s as %q of %q over version %q: %w", brief(value), name, group, old, err)
	case version == "":
		return "", fmt.Errorf("put %s as %q of %q over version %q: no version is returned", brief(value), name, group, old)
	}
	return version, nil
}

func brief(value []byte) string {
	if len(value) <= 40 {
		return fmt.Sprintf("%q", value)
	}
	return fmt.Sprintf("%q and %d bytes more", value[:40], len(value)-40)
}

// Race runs the rules about writers who race alone: for stores whose service is made to refuse some requests for no fault of theirs, which
// other rules do not forgive.
func Race(t *testing.T, s failover.Store) {
	t.Helper()
	for _, r := range rules() {
		if !r.race {
			continue
		}
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			if err := r.check(t.Context(), s); err != nil {
				t.Error(err)
			}
		})
	}
}
