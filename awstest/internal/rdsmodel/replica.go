package rdsmodel

import (
	"slices"
	"time"

	"github.com/awsha/awsha/awstest"
)

// CreateReplica makes a read replica of an instance of the region.
func (r *Region) CreateReplica(tx *awstest.Tx, ref string, o Overrides) (Instance, error) {
	source, err := r.Instance(tx.Now(), ref)
	switch {
	case err != nil:
		return source, err
	case source.Status != Available || source.Retention == 0:
		return source, awstest.Errorf("InvalidDBInstanceState", "Automated backups are not enabled for this database instance, or it is not available. To enable automated backups, use ModifyDBInstance to set the backup retention period to a non-zero value.")
	case !r.unlocks(tx, source.Key):
		_, err := r.key(tx, source.Key)
		return source, err
	}
	// Replicas begin without backups.
	// Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ReadRepl.html (read 2026-11)
	data := &content{follow: r.follow(source)}
	replica, err := r.launch(tx, o.spec(source.Shape, source.Key, 0), data, r.model.opts.Creating)
	if err != nil {
		return replica, err
	}
	replica = r.change(tx, replica.ID, func(i *Instance) { i.Source = source.ID })
	r.change(tx, source.ID, func(i *Instance) { i.Replicas = append(slices.Clone(i.Replicas), replica.ID) })
	return replica, nil
}

// follow returns what a replica has of its source: all but the last moment.
func (r *Region) follow(source Instance) func(time.Time) int64 {
	return func(at time.Time) int64 { return source.content.at(at.Add(-r.model.opts.Lag)) }
}

// detach makes a replica an instance of its own. It keeps what it has.
func (i *Instance) detach(tx *awstest.Tx) {
	total := i.content.at(tx.Now())
	i.content = contains(tx.Now(), total)
	i.Source = ""
}

// PromoteReplica makes a read replica an instance of its own, which reboots,
// and is backed up from then on.
func (r *Region) PromoteReplica(tx *awstest.Tx, ref string, retention int32) (Instance, error) {
	i, err := r.Instance(tx.Now(), ref)
	switch {
	case err != nil:
		return i, err
	case i.Source == "":
		return i, awstest.Errorf("InvalidDBInstanceState", "DB Instance %s is not a read replica.", i.ID)
	case i.Status != Available:
		return Instance{}, i.wrongState("be promoted")
	}
	if err := checkRetention(retention); err != nil {
		return i, err
	}
	source := i.Source
	r.change(tx, source, func(s *Instance) {
		s.Replicas = slices.DeleteFunc(slices.Clone(s.Replicas), func(id string) bool { return id == i.ID })
	})
	i = r.turn(tx, i.ID, func(i *Instance) {
		i.detach(tx)
		i.Status = Modifying
	})
	r.later(tx, i, r.model.opts.Promoting, func(tx *awstest.Tx, i Instance) {
		tx.PowerOff(i.nodes.primary)
		i = r.turn(tx, i.ID, func(i *Instance) { i.Status, i.Retention = Rebooting, retention })
		r.later(tx, i, r.model.opts.Rebooting, func(tx *awstest.Tx, i Instance) {
			r.powerOn(tx, i)
			r.settle(tx, i)
			if i, _ = r.instances.Get(tx.Now(), i.ID); retention > 0 {
				r.beginBackups(tx, i)
			}
		})
	})
	return i, nil
}
