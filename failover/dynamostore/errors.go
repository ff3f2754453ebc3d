package dynamostore

import (
	"errors"
	"fmt"
)

// Conditions that a caller branches on with [errors.Is].
var (
	// ErrEventual reports a table that could lose writes which it has acknowledged: one of a global table whose regions agree later, by
	// letting the last writer win. Nothing was read or written. A table in one region will do, and one of a global table
	// with multi-Region strong consistency.
	ErrEventual = errors.New("the table is replicated with eventual consistency")

	// ErrBusy reports that DynamoDB refused a write because another one of the same entry was under way, in another region or in a
	// transaction. It was not stored, unless an earlier try of the same request was, whose reply was lost; it may be repeated.
	ErrBusy = errors.New("another write of the entry is under way")
)

// KeyError is a table whose key is not the store's.
type KeyError struct {
	Table      string
	Has, Needs string // "group S HASH, name S RANGE": attributes, their types, and what they are of the key
}

func (e *KeyError) Error() string {
	return fmt.Sprintf("table %s has the key %q, needs %q", e.Table, e.Has, e.Needs)
}
