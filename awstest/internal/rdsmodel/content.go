package rdsmodel

import (
	"sort"
	"time"

	"github.com/awsha/awsha/awstest"
)

// content is what a database holds: how many writes it has seen, and when. It
// stands for the transaction log.
type content struct {
	log    []write
	follow func(at time.Time) int64 // of a read replica: what it has of its source; else nil
}

type write struct {
	at    time.Time
	total int64
}

// contains returns content that begins with a number of writes.
func contains(now time.Time, total int64) *content {
	return &content{log: []write{{now, total}}}
}

// at returns the writes that the content had as of a moment.
func (c *content) at(t time.Time) int64 {
	if c.follow != nil {
		return c.follow(t)
	}
	if n := sort.Search(len(c.log), func(i int) bool { return c.log[i].at.After(t) }); n > 0 {
		return c.log[n-1].total
	}
	return 0
}

// SetWrites makes a database hold a number of writes from now on. It is refused
// for one that takes none: a read replica, and one that is not there yet or not
// any more.
func (r *Region) SetWrites(tx *awstest.Tx, id string, total int64) error {
	i, err := r.Instance(tx.Now(), id)
	switch {
	case err != nil:
		return err
	case i.Cluster != "" && !r.writer(tx, i):
		return i.wrongState("be written to: it is not the writer of its cluster")
	case i.Source != "":
		return i.wrongState("be written to: it is a read replica")
	case !i.running() || !tx.Reachable(i.nodes.primary).OK:
		return i.wrongState("be written to")
	}
	i.content.log = append(i.content.log, write{tx.Now(), total})
	return nil
}

// Writes returns how many writes a database holds now.
func (r *Region) Writes(tx *awstest.Tx, id string) (int64, error) {
	i, err := r.Instance(tx.Now(), id)
	if err != nil {
		return 0, err
	}
	return i.content.at(tx.Now()), nil
}

// writer tells whether an instance is the writer of its cluster.
func (r *Region) writer(tx *awstest.Tx, i Instance) bool {
	c, err := r.Cluster(tx.Now(), i.Cluster)
	return err == nil && len(c.Members) > 0 && c.Members[0] == i.ID
}
