package snapshot

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Item is a snapshot, as far as its retention goes.
type Item struct {
	ID        string    `json:"id"`
	Series    string    `json:"series"`        // what it is a backup of: only items of one series are held against each other
	Set       string    `json:"set,omitempty"` // of those that were taken together, which are kept or deleted together; empty: it stands alone
	Time      time.Time `json:"time"`          // whose data it has; of a copy, that of its source
	State     State     `json:"state"`
	Foreign   bool      `json:"foreign,omitempty"`   // not of this manager: it is never deleted
	Duplicate bool      `json:"duplicate,omitempty"` // another one has the same data: it does not count, and goes
	Holds     []Hold    `json:"holds,omitempty"`     // what keeps it from being deleted
}

// State is how far a snapshot has come.
type State uint8

// The states.
const (
	// Pending: it is being made. It does not count, and is not touched.
	Pending State = iota
	// Completed: it can be restored.
	Completed
	// Failed: it cannot, and never will.
	Failed
)

var stateNames = [...]string{"pending", "completed", "failed"}

// String returns the name of the state in lower case.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "invalid"
}

// Hold is why a snapshot is not deleted although its retention would have it.
type Hold struct {
	Kind   HoldKind `json:"kind"`
	Detail string   `json:"detail,omitempty"` // such as the ID of an image
}

func (h Hold) String() string {
	if h.Detail == "" {
		return h.Kind.String()
	}
	return h.Kind.String() + " " + h.Detail
}

// HoldKind is a kind of hold.
type HoldKind uint8

// The kinds of holds.
const (
	// HeldByImage: an image, disabled ones included, is made of it. EC2 would refuse.
	HeldByImage HoldKind = iota
	// HeldByLock: a snapshot lock has not expired. EC2 would refuse.
	HeldByLock
	// HeldByCopy: a copy of it is under way.
	HeldByCopy
	// HeldForCopy: a copy of it is to be made, and there is none yet.
	HeldForCopy
	// HeldByService: AWS Backup or Data Lifecycle Manager made it, and deletes it.
	HeldByService
	// HeldByArchive: it is in the archive tier for less than the 90 days that are charged for anyhow.
	HeldByArchive
	// HeldByProtection: the image is protected from being deregistered.
	HeldByProtection
	// HeldAsBase: it is the newest copy of its volume, without which the next copy would be a full one.
	HeldAsBase
)

var holdNames = [...]string{"image", "lock", "copy under way", "copy to be made", "managed by", "archive", "deregistration protection", "newest copy"}

// String returns the name of the kind in lower case.
func (k HoldKind) String() string {
	if int(k) < len(holdNames) {
		return holdNames[k]
	}
	return "invalid"
}

// Action is what becomes of an item.
type Action uint8

// The actions.
const (
	// Keep: a rule keeps it, or it is not to be touched.
	Keep Action = iota
	// Delete: no rule keeps it.
	Delete
	// Held: no rule keeps it, but a hold does.
	Held
)

var actionNames = [...]string{"keep", "delete", "hold"}

// String returns the name of the action in lower case.
func (a Action) String() string {
	if int(a) < len(actionNames) {
		return actionNames[a]
	}
	return "invalid"
}

// Decision is what becomes of an item, and why.
type Decision struct {
	Item    Item     `json:"item"`
	Action  Action   `json:"action"`
	Reasons []Reason `json:"reasons"` // at least one
}

// Why returns the reasons in a few words.
func (d *Decision) Why() string {
	texts := make([]string, len(d.Reasons))
	for i, r := range d.Reasons {
		texts[i] = r.String()
	}
	return strings.Join(texts, ", ")
}

// Reason is why an item is kept or not.
type Reason struct {
	Rule string `json:"rule"`           // such as "daily", "min keep", "pending"; of a hold, its text
	Rank int    `json:"rank,omitempty"` // of a count: which one it is, from 1; else 0
	Of   int    `json:"of,omitempty"`   // of a count: how many it keeps; Unlimited for no limit
}

func (r Reason) String() string {
	switch {
	case r.Rank == 0:
		return r.Rule
	case r.Of == Unlimited:
		return fmt.Sprintf("%s %d", r.Rule, r.Rank)
	}
	return fmt.Sprintf("%s %d of %d", r.Rule, r.Rank, r.Of)
}

// MarshalText writes the name of the state.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the name of a state.
func (s *State) UnmarshalText(text []byte) error { return parseName(s, stateNames[:], text, "state") }

// MarshalText writes the name of the kind.
func (k HoldKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads the name of a kind of holds.
func (k *HoldKind) UnmarshalText(text []byte) error {
	return parseName(k, holdNames[:], text, "kind of holds")
}

// MarshalText writes the name of the action.
func (a Action) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads the name of an action.
func (a *Action) UnmarshalText(text []byte) error {
	return parseName(a, actionNames[:], text, "action")
}

func parseName[T ~uint8](to *T, names []string, text []byte, what string) error {
	i := slices.Index(names, string(text))
	if i < 0 {
		return fmt.Errorf("snapshot: %q is no %s; there are %s", text, what, strings.Join(names, ", "))
	}
	*to = T(i)
	return nil
}
