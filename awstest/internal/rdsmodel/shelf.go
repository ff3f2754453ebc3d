package rdsmodel

import (
	"iter"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/history"
)

// Shelf is where a region keeps the snapshots of its DB instances, or those of
// its clusters.
type Shelf struct {
	region *Region
	list   *history.Table[string, Snapshot] // by identifier
	taken  int                              // how many there have been
	of     *shelfKind
}

// shelfKind is how RDS calls what a shelf has.
type shelfKind struct {
	resource         string // in ARNs
	parameter        string // the name of a new one
	copying, copied  string // the operation that copies, and its parameter for the source
	notFound, exists func(id string) *awstest.APIError
	wrongState       func(id string, status Status, what string) *awstest.APIError
	onlyManual       func() *awstest.APIError
}

var instanceShelf = &shelfKind{
	resource: "snapshot", parameter: "DBSnapshotIdentifier", copying: "CopyDBSnapshot", copied: "SourceDBSnapshotIdentifier",
	notFound: func(id string) *awstest.APIError {
		return awstest.Errorf("DBSnapshotNotFound", "DBSnapshot %s not found.", id)
	},
	exists: func(id string) *awstest.APIError {
		return awstest.Errorf("DBSnapshotAlreadyExists", "Cannot create the snapshot because a snapshot with the identifier %s already exists.", id)
	},
	wrongState: func(id string, status Status, what string) *awstest.APIError {
		return awstest.Errorf("InvalidDBSnapshotState", "The DB snapshot %s is %s and cannot be %s.", id, status, what)
	},
	onlyManual: func() *awstest.APIError {
		return awstest.Errorf("InvalidDBSnapshotState", "Only manual snapshots may be deleted.")
	},
}

var clusterShelf = &shelfKind{
	resource: "cluster-snapshot", parameter: "DBClusterSnapshotIdentifier", copying: "CopyDBClusterSnapshot", copied: "SourceDBClusterSnapshotIdentifier",
	notFound: func(id string) *awstest.APIError {
		return awstest.Errorf("DBClusterSnapshotNotFoundFault", "DBClusterSnapshot %s not found.", id)
	},
	exists: func(id string) *awstest.APIError {
		return awstest.Errorf("DBClusterSnapshotAlreadyExistsFault", "Cannot create the cluster snapshot because one with the identifier %s already exists.", id)
	},
	wrongState: func(id string, status Status, what string) *awstest.APIError {
		return awstest.Errorf("InvalidDBClusterSnapshotStateFault", "The DB cluster snapshot %s is %s and cannot be %s.", id, status, what)
	},
	onlyManual: func() *awstest.APIError {
		return awstest.Errorf("InvalidDBClusterSnapshotStateFault", "Only manual cluster snapshots may be deleted.")
	},
}

func newShelf(r *Region, of *shelfKind) *Shelf {
	return &Shelf{region: r, of: of, list: history.NewTable[string, Snapshot](awstest.Memory)}
}

// maxManual is how many manual snapshots of instances a region may have, and
// how many of clusters.
// Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html (read 2026-11)
const maxManual = 100

// Get returns a snapshot as of a moment, by its identifier or its ARN.
func (h *Shelf) Get(at time.Time, ref string) (Snapshot, error) {
	if s, ok := h.list.Get(at, h.region.identifier(h.of.resource, ref)); ok {
		return s, nil
	}
	return Snapshot{}, missing(h.of.notFound(ref))
}

// All yields the snapshots as of a moment.
func (h *Shelf) All(at time.Time) iter.Seq2[string, Snapshot] { return h.list.All(at) }

func (h *Shelf) change(tx *awstest.Tx, id string, edit func(*Snapshot)) {
	if s, ok := h.list.Get(tx.Now(), id); ok {
		edit(&s)
		h.list.Put(tx.Now(), id, s)
	}
}

// checkNew tells by its error whether a manual snapshot can have a name.
func (h *Shelf) checkNew(tx *awstest.Tx, id string) error {
	id = h.region.identifier(h.of.resource, id)
	if err := checkID(h.of.parameter, id, maxSnapshotID); err != nil {
		return err
	}
	count := 0
	for _, s := range h.list.All(tx.Now()) {
		switch {
		case s.ID == id:
			return h.of.exists(id)
		case s.Type == Manual:
			count++
		}
	}
	if count >= maxManual {
		return awstest.Errorf("SnapshotQuotaExceeded", "Cannot create more than %d manual snapshots", maxManual)
	}
	return nil
}

// fill makes a snapshot that is there after a time, or has failed unless good
// holds then.
func (h *Shelf) fill(tx *awstest.Tx, s Snapshot, zone *awstest.Zone, takes time.Duration, good func(*awstest.Tx, Snapshot) bool) Snapshot {
	s.began, s.ends = tx.Now(), tx.Now().Add(takes)
	h.taken++
	s.turn = h.taken
	h.list.Put(tx.Now(), s.ID, s)
	tx.Schedule(s.ends, func(tx *awstest.Tx) {
		tx.WhenFree(zone, s.ARN, func(tx *awstest.Tx) {
			now, ok := h.list.Get(tx.Now(), s.ID)
			if !ok || now.turn != s.turn {
				return
			}
			fine := good(tx, now)
			h.change(tx, s.ID, func(s *Snapshot) {
				if s.Status = Failed; fine {
					s.Status, s.Created = Available, s.began
				}
			})
		})
	})
	return s
}

// Delete deletes a manual snapshot at once.
func (h *Shelf) Delete(tx *awstest.Tx, ref string) (Snapshot, error) {
	s, err := h.Get(tx.Now(), ref)
	switch {
	case err != nil:
		return s, err
	case s.Type != Manual:
		return s, h.of.onlyManual()
	case s.Status != Available && s.Status != Failed:
		return s, h.of.wrongState(s.ID, s.Status, "deleted")
	}
	h.list.Delete(tx.Now(), s.ID)
	s.Status = Deleted
	return s, nil
}
