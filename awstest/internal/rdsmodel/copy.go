package rdsmodel

import (
	"net/url"
	"strings"
	"time"

	"github.com/awsha/awsha/awstest"
)

// maxCopies is how many copies from other regions may be under way.
// Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_CopySnapshot.html (read 2026-11)
const maxCopies = 20

// Copy asks for a copy of a snapshot.
type Copy struct {
	Source, Target string
	Key            string // empty: that of the source
	CopyTags       bool
	Tags           []Tag
	Presigned      string // the URL by which the source region agrees
}

// Copy copies a snapshot into the region of the shelf.
func (h *Shelf) Copy(tx *awstest.Tx, c Copy) (Snapshot, error) {
	r := h.region
	from := r
	if region, account, kind, _, ok := parseARN(c.Source); ok && account == r.model.cloud.AccountID() && kind == h.of.resource {
		if there, err := r.model.cloud.Region(region); err == nil {
			from = r.model.Region(there)
		}
	}
	there := from.shelf(h.of)
	source, err := there.Get(tx.Now(), c.Source)
	if err != nil {
		return Snapshot{}, err
	}
	if err := h.checkNew(tx, c.Target); err != nil {
		return Snapshot{}, err
	}
	if source.Status != Available {
		return Snapshot{}, h.of.wrongState(source.ID, source.Status, "copied")
	}
	abroad := from != r
	if abroad && source.Key != "" {
		if c.Key == "" {
			// As accounts answer: https://github.com/pbudzon/aws-maintenance/issues/5 (read 2026-11)
			return Snapshot{}, Invalid("Must specify new KMS key for cross region encrypted snapshot copy.")
		}
		if !there.signed(c, r) {
			// As accounts answer: https://github.com/aws/aws-sdk-js-v3/issues/2269 (read 2026-11)
			return Snapshot{}, Invalid("PreSignedUrl could not be authenticated")
		}
	}
	if h.of == clusterShelf && source.Key == "" && c.Key != "" {
		// Source: CopyDBClusterSnapshotInput.KmsKeyId of the SDK (read 2026-11), which names no code
		return Snapshot{}, combination("KmsKeyId can be given only for cluster snapshots that are encrypted.")
	}
	key := source.Key
	if c.Key != "" {
		if key, err = r.key(tx, c.Key); err != nil {
			return Snapshot{}, err
		}
	} else if !r.unlocks(tx, key) {
		_, err := r.key(tx, key)
		return Snapshot{}, err
	}
	var tags []Tag
	if c.CopyTags {
		tags = source.Tags
	}
	if tags, err = merge(tags, c.Tags); err != nil {
		return Snapshot{}, err
	}
	if abroad && r.copies(tx) >= maxCopies {
		// As accounts answer: https://github.com/pbudzon/aws-maintenance/issues/19 (read 2026-11)
		return Snapshot{}, awstest.Errorf("SnapshotQuotaExceeded", "Cannot copy more than %d snapshots across regions", maxCopies)
	}
	s := source
	s.ID = r.identifier(h.of.resource, c.Target)
	s.ARN, s.Source, s.SourceRegion, s.Key, s.Tags, s.Type = r.arn(h.of.resource, s.ID), source.ARN, "", key, tags, Manual
	s.Created, s.Status = time.Time{}, Creating
	takes := r.model.opts.Copying
	if abroad {
		// It waits in a status of its own: https://github.com/hashicorp/terraform-provider-aws/issues/29399 (read 2026-11)
		s.SourceRegion, s.Status = from.region.Name(), Pending
		takes += r.model.opts.CopyPending
	}
	// A source that goes, or a key that does, makes the copy fail.
	// Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_CopySnapshot.html (read 2026-11)
	s = h.fill(tx, s, nil, takes, func(tx *awstest.Tx, s Snapshot) bool {
		left, err := there.Get(tx.Now(), source.ID)
		return err == nil && left.turn == source.turn && from.unlocks(tx, source.Key) && r.unlocks(tx, s.Key)
	})
	if abroad {
		tx.Schedule(tx.Now().Add(r.model.opts.CopyPending), func(tx *awstest.Tx) {
			tx.WhenFree(nil, s.ARN, func(tx *awstest.Tx) {
				if now, ok := h.list.Get(tx.Now(), s.ID); ok && now.turn == s.turn && now.Status == Pending {
					h.change(tx, s.ID, func(s *Snapshot) { s.Status = Creating })
				}
			})
		})
	}
	return s, nil
}

// copies counts the copies from other regions that are under way. That those of
// clusters count as well, AWS does not say.
func (r *Region) copies(tx *awstest.Tx) (n int) {
	for _, h := range []*Shelf{r.snapshots, r.clusterSnapshots} {
		for _, s := range h.list.All(tx.Now()) {
			if s.SourceRegion != "" && (s.Status == Pending || s.Status == Creating) {
				n++
			}
		}
	}
	return n
}

// signed tells whether the URL asks the region of the source for this very
// copy to another.
func (h *Shelf) signed(c Copy, to *Region) bool {
	u, err := url.Parse(c.Presigned)
	if err != nil || !strings.Contains(u.Host, "."+h.region.region.Name()+".") {
		return false
	}
	q := u.Query()
	return q.Get("Action") == h.of.copying && q.Get(h.of.copied) == c.Source &&
		q.Get("DestinationRegion") == to.region.Name() && q.Get("KmsKeyId") == c.Key
}
