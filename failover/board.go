package failover

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Board is what controllers tell each other, and what people tell them, on a [Store]: votes, proposals that wait for an approval, what is held, and
// orders. Make one with [NewBoard]; a tool of an operator makes its own, on the same store. It is safe for concurrent use.
//
// Cost: a controller lists the votes in each of its rounds, and writes its own, an entry for each 50 KiB, when they have changed and three times per TTL of
// a quorum. The leader lists the incidents and the orders once a minute, once per Interval while something waits for a person, and in each round while
// anything else is to be decided. Each order, proposal and hold costs a read and a write. Entries are never removed, since a Store does not: there is one
// for each controller name, each service and each order, of a few hundred bytes.
type Board struct {
	store Store

	mu   sync.Mutex
	seen map[string]sighting // of votes, by controller
}

// sighting is when an entry was first seen as it is.
type sighting struct {
	version Version
	at      time.Time
}

// NewBoard returns a board on store.
func NewBoard(store Store) (*Board, error) {
	if store == nil {
		return nil, &FieldError{"store", store, "must not be nil"}
	}
	return &Board{store: store, seen: make(map[string]sighting)}, nil
}

const (
	votesGroup    = "votes"
	ordersGroup   = "orders"
	proposalGroup = "proposals"
	boardVersion  = 1
)

// partMark is between the name of a controller and the number of a part of its votes. An escaped name has none.
const partMark = "/"

// ballot is the value of an entry of a controller in the votes: of all of its services, or of as many as fit.
type ballot struct {
	V          int               `json:"v"`
	Controller string            `json:"controller"`
	Zone       string            `json:"zone"`
	Run        string            `json:"run"` // unique to one run of a controller
	Seq        uint64            `json:"seq"`
	Term       uint64            `json:"term,omitempty"`  // the token of the lead, if it has it
	Unfit      string            `json:"unfit,omitempty"` // why it should not lead; empty: it can
	Votes      map[string][]Vote `json:"votes"`           // by service

	age time.Duration // for how long it has been as it is, by the clock of who reads it
}

// errNameTaken reports that another controller writes votes by the same name, so that only those of one count.
var errNameTaken = errors.New("another controller runs by this name")

// post puts a part of a controller's votes up. at is where its last ones are, and is kept.
func (b *Board) post(ctx context.Context, mine ballot, part int, at *Version) error {
	mine.V = boardVersion
	value, err := json.Marshal(mine)
	if err != nil {
		return err
	}
	name := url.PathEscape(mine.Controller)
	if part > 0 {
		name += partMark + strconv.Itoa(part)
	}
	entry, err := put(ctx, b.store, votesGroup, name, value, *at)
	var taken error
	if errors.Is(err, ErrChanged) { // of an earlier run, or a late write of this one
		var other ballot
		if *at != "" && json.Unmarshal(entry.Value, &other) == nil && other.Run != mine.Run {
			taken = fmt.Errorf("%s: %w", mine.Controller, errNameTaken)
		}
		*at = entry.Version
		entry, err = put(ctx, b.store, votesGroup, name, value, *at)
	}
	if err == nil {
		*at = entry.Version
		err = taken
	}
	return err
}

// ballots returns what all controllers have put up but the one of the given name, with the ages of their votes by our own clock: since when an
// entry has been as it is, which is never before it was first read.
func (b *Board) ballots(ctx context.Context, but string) ([]ballot, error) {
	entries, err := b.store.List(ctx, votesGroup)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	list := make([]ballot, 0, len(entries))
	places := make(map[string]int, len(entries))
	for _, e := range entries { // the first part of a controller comes before the others
		var other ballot
		if json.Unmarshal(e.Value, &other) != nil || other.V != boardVersion || other.Controller == but {
			continue // who cannot be understood has no vote
		}
		first := b.seen[e.Name].version == ""
		if b.seen[e.Name].version != e.Version {
			b.seen[e.Name] = sighting{e.Version, now}
		}
		if first { // it may be of any age: it counts once it has been seen to change
			b.seen[e.Name] = sighting{e.Version, time.Time{}}
		}
		other.age = now.Sub(b.seen[e.Name].at)
		for _, votes := range other.Votes {
			for i := range votes {
				votes[i].Age = other.age
			}
		}
		i, known := places[other.Controller]
		switch {
		case !strings.Contains(e.Name, partMark):
			places[other.Controller] = len(list)
			list = append(list, other)
		case known && list[i].Run == other.Run: // else it is left of an earlier run
			if list[i].Votes == nil {
				list[i].Votes = make(map[string][]Vote, len(other.Votes))
			}
			maps.Copy(list[i].Votes, other.Votes)
		}
	}
	return list, nil
}
