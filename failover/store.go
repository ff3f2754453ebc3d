package failover

import (
	"bytes"
	"context"
	"errors"
	"fmt"
)

// Store keeps small values under keys of two parts, for the controllers of a fleet. Leases ([NewLocker]), journals ([NewJournal]),
// and the votes and orders of controllers ([NewBoard]) are built on it, so that all of what is hard about them is written once: a store has to do
// no more than one conditional write. [MemoryStore] is one; packages dynamostore and s3store have those that outlive a zone.
//
// Implementations are safe for concurrent use, repeat nothing by themselves beyond what their client does, and read strongly: a
// Get or a List that begins after a Put has returned sees it, or what came after it. One that may lose a write that it has
// acknowledged, as a global table does in which the last writer wins, is no Store.
// Package storetest has the tests that every implementation must pass.
type Store interface {
	// Get returns an entry. One that was never put has neither Value nor Version, and is no error.
	Get(ctx context.Context, group, name string) (Entry, error)

	// List returns the entries of a group in the order of their names, byte by byte. Each is as it was at some moment during the call.
	List(ctx context.Context, group string) ([]Entry, error)

	// Put stores value if the version that is stored is old, where the empty version stands for no entry, and returns the new one. It
	// returns an error that matches [ErrChanged] if it is another: the value was not stored then, unless an earlier try of the same
	// request was, whose reply was lost. After any other error the value may have been stored, or be stored later.
	// Values are up to [MaxValue]; a longer one is an error, and not stored.
	Put(ctx context.Context, group, name string, value []byte, old Version) (Version, error)
}

// MaxValue is how many bytes the value of an entry of a [Store] may have.
const MaxValue = 64 << 10

// CheckValue is for implementations of [Store]: it returns a [*FieldError], which is permanent, for a value that is longer than [MaxValue].
func CheckValue(value []byte) error {
	if len(value) > MaxValue {
		return Permanent(&FieldError{"bytes of value", len(value), fmt.Sprintf("must be at most %d", MaxValue)})
	}
	return nil
}

// Version stands for one state of an entry: it never returns once the entry has changed. It is the store's own, to compare for being
// the same and no more. The empty version is that of an entry which is not there.
type Version string

// Entry is what a [Store] keeps under a key.
type Entry struct {
	Name    string
	Value   []byte
	Version Version
}

// ErrChanged reports that an entry is not, or not any more, what the caller of [Store.Put] has seen.
var ErrChanged = errors.New("changed by somebody else")

// put stores a value that no other write has, and settles a reply that does not say what happened by reading. The entry is what is
// stored: value itself if there is no error. ErrChanged is certain then, and the entry that of somebody else or of an earlier
// request of ours. After any other error nothing is certain.
func put(ctx context.Context, s Store, group, name string, value []byte, old Version) (Entry, error) {
	version, err := s.Put(ctx, group, name, value, old)
	if err == nil {
		return Entry{name, value, version}, nil
	}
	found, rerr := s.Get(ctx, group, name)
	switch {
	case rerr != nil:
		return Entry{}, fmt.Errorf("%v; read what came of it: %w", err, rerr) //nolint:errorlint // not even ErrChanged is certain without the read
	case bytes.Equal(found.Value, value):
		return found, nil
	case errors.Is(err, ErrChanged):
		return found, err
	case found.Version != old:
		return found, fmt.Errorf("%w, after %w", ErrChanged, err)
	default:
		return Entry{}, err
	}
}
