package rdsmodel

import (
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/awsha/awsha/awstest"
)

// Cluster is a DB cluster of Aurora: storage in three zones, which outlives
// the instances that read and write it.
type Cluster struct {
	Engine, EngineVersion  string
	MasterUsername, DBName string
	Port                   int32

	ID, ARN, ResourceID string
	Key                 string // ARN; empty if it is not encrypted
	Retention           int32  // days
	CopyTags            bool
	Protected           bool
	Created             time.Time // zero until it is there
	Status              Status
	Tags                []Tag
	Members             []string // identifiers, the writer first
	Endpoint            string   // empty until it is there

	turn    int // counts what happens to it: an end that comes too late ends nothing
	content *content
}

// aCluster is how ARNs name it.
const aCluster = "cluster"

// Cluster returns a cluster as of a moment, by its identifier or its ARN.
func (r *Region) Cluster(at time.Time, ref string) (Cluster, error) {
	if c, ok := r.clusters.Get(at, r.identifier(aCluster, ref)); ok {
		return c, nil
	}
	return Cluster{}, missing(awstest.Errorf("DBClusterNotFoundFault", "DBCluster %s not found.", ref))
}

// Clusters yields the clusters as of a moment.
func (r *Region) Clusters(at time.Time) iter.Seq2[string, Cluster] { return r.clusters.All(at) }

// ClusterSnapshots are those of the clusters of the region.
func (r *Region) ClusterSnapshots() *Shelf { return r.clusterSnapshots }

// ClusterSpec is what a cluster is to be like.
type ClusterSpec struct {
	Engine, EngineVersion  string
	MasterUsername, DBName string
	Port                   int32
	ID                     string
	Encrypted              bool
	Key                    string // ID, alias or ARN; default: the key of the account for RDS
	Retention              int32
	CopyTags               bool
	Protected              bool
	Tags                   []Tag
}

// CreateCluster makes an empty cluster, without instances.
func (r *Region) CreateCluster(tx *awstest.Tx, spec ClusterSpec) (Cluster, error) {
	if spec.Encrypted {
		if spec.Key == "" {
			spec.Key = defaultKey
		}
		key, err := r.key(tx, spec.Key)
		if err != nil {
			return Cluster{}, err
		}
		spec.Key = key
	}
	return r.launchCluster(tx, spec, 0, r.model.opts.Creating)
}

// launchCluster makes a cluster. Its key, if it has one, is an ARN.
func (r *Region) launchCluster(tx *awstest.Tx, spec ClusterSpec, writes int64, takes time.Duration) (Cluster, error) {
	spec.ID = r.identifier(aCluster, spec.ID)
	if err := checkID("DBClusterIdentifier", spec.ID, maxInstanceID); err != nil {
		return Cluster{}, err
	}
	// Source: CreateDBClusterInput.BackupRetentionPeriod of the SDK (read 2026-11)
	if spec.Retention < 1 || spec.Retention > maxRetention {
		return Cluster{}, Invalid("Invalid backup retention period: %d. It must be between 1 and %d.", spec.Retention, maxRetention)
	}
	if _, taken := r.clusters.Get(tx.Now(), spec.ID); taken {
		return Cluster{}, awstest.Errorf("DBClusterAlreadyExistsFault", "DB Cluster already exists")
	}
	tags, err := merge(nil, spec.Tags)
	if err != nil {
		return Cluster{}, err
	}
	c := Cluster{
		Engine: spec.Engine, EngineVersion: spec.EngineVersion, MasterUsername: spec.MasterUsername, DBName: spec.DBName, Port: spec.Port,
		ID: spec.ID, ARN: r.arn(aCluster, spec.ID), ResourceID: "cluster-" + tx.NewID("CLUSTER")[8:], Key: spec.Key, Retention: spec.Retention,
		CopyTags: spec.CopyTags, Protected: spec.Protected, Status: Creating, Tags: tags, content: contains(tx.Now(), writes),
	}
	r.clusters.Put(tx.Now(), c.ID, c)
	r.laterCluster(tx, c, takes, func(tx *awstest.Tx, c Cluster) {
		if !r.unlocks(tx, c.Key) {
			r.turnCluster(tx, c.ID, func(c *Cluster) { c.Status = Inaccessible })
			return
		}
		r.turnCluster(tx, c.ID, func(c *Cluster) {
			c.Status, c.Created, c.Endpoint = Available, tx.Now(), r.clusterEndpoint(c.ID)
		})
		tx.Name(r.clusterEndpoint(c.ID), r.resolveWriter(c.ID))
		r.tell(tx, clusterCreated, c.ID, c.ARN)
	})
	return c, nil
}

func (r *Region) clusterEndpoint(id string) string {
	return fmt.Sprintf("%s.cluster-c%s.%s.rds.amazonaws.com", id, r.model.cloud.AccountID()[1:], r.region.Name())
}

// resolveWriter leads the name of a cluster to its writer.
func (r *Region) resolveWriter(id string) func(*awstest.Tx, uint16) awstest.Hop {
	return func(tx *awstest.Tx, port uint16) awstest.Hop {
		c, ok := r.clusters.Get(tx.Now(), id)
		if !ok || len(c.Members) == 0 {
			return awstest.Hop{}
		}
		return r.resolve(c.Members[0])(tx, port)
	}
}

func (r *Region) changeCluster(tx *awstest.Tx, id string, edit func(*Cluster)) Cluster {
	c, ok := r.clusters.Get(tx.Now(), id)
	if ok {
		edit(&c)
		r.clusters.Put(tx.Now(), id, c)
	}
	return c
}

// turnCluster changes a cluster in a way that puts an end to what was under
// way.
func (r *Region) turnCluster(tx *awstest.Tx, id string, edit func(*Cluster)) Cluster {
	return r.changeCluster(tx, id, func(c *Cluster) {
		c.turn++
		edit(c)
	})
}

// laterCluster ends a transition of a cluster after d, unless something else
// has happened to it by then. Its storage is in three zones: none holds it up.
func (r *Region) laterCluster(tx *awstest.Tx, c Cluster, d time.Duration, finish func(*awstest.Tx, Cluster)) {
	tx.Schedule(tx.Now().Add(d), func(tx *awstest.Tx) {
		tx.WhenFree(nil, c.ARN, func(tx *awstest.Tx) {
			if now, ok := r.clusters.Get(tx.Now(), c.ID); ok && now.turn == c.turn {
				finish(tx, now)
			}
		})
	})
}

func (c *Cluster) wrongState(what string) error {
	return awstest.Errorf("InvalidDBClusterStateFault", "The DB cluster %s is %s and cannot %s.", c.ID, c.Status, what)
}

// AddMember makes an instance of a cluster; the first is the writer.
func (r *Region) AddMember(tx *awstest.Tx, cluster, id, class, zone string, tags []Tag) (Instance, error) {
	c, err := r.Cluster(tx.Now(), cluster)
	switch {
	case err != nil:
		return Instance{}, err
	case c.Status != Available:
		return Instance{}, c.wrongState("be given an instance")
	}
	i, err := r.launch(tx, Spec{
		Shape: Shape{
			Class: class, Engine: c.Engine, EngineVersion: c.EngineVersion, StorageGiB: 1, StorageType: "aurora", MasterUsername: c.MasterUsername,
			DBName: c.DBName, Port: c.Port,
		},
		ID: id, ZoneName: zone, Key: c.Key, Tags: tags,
	}, c.content, r.model.opts.Creating)
	if err != nil {
		return Instance{}, err
	}
	r.changeCluster(tx, c.ID, func(c *Cluster) { c.Members = append(slices.Clone(c.Members), i.ID) })
	return r.change(tx, i.ID, func(i *Instance) { i.Cluster = c.ID }), nil
}

// leave takes an instance that is gone out of its cluster. If it was the
// writer, the next one is.
func (r *Region) leave(tx *awstest.Tx, i Instance) {
	if i.Cluster == "" {
		return
	}
	c := r.changeCluster(tx, i.Cluster, func(c *Cluster) {
		c.Members = slices.DeleteFunc(slices.Clone(c.Members), func(id string) bool { return id == i.ID })
	})
	if c.Endpoint != "" {
		tx.Name(c.Endpoint, r.resolveWriter(c.ID))
	}
}

// DeleteCluster deletes a cluster that has no instances; final is the
// identifier of a last snapshot, or empty.
func (r *Region) DeleteCluster(tx *awstest.Tx, ref string, skipFinal bool, final string) (Cluster, error) {
	c, err := r.Cluster(tx.Now(), ref)
	switch {
	case err != nil:
		return c, err
	case c.Protected:
		return c, combination("Cannot delete protected Cluster, please disable deletion protection and try again.")
	case slices.ContainsFunc(c.Members, func(id string) bool { i, ok := r.instances.Get(tx.Now(), id); return ok && i.Status != Deleting }):
		return c, awstest.Errorf("InvalidDBClusterStateFault", "Cluster cannot be deleted, it still contains DB instances in non-deleting state.")
	case c.Status == Deleting:
		return Cluster{}, c.wrongState("be deleted")
	case skipFinal && final != "":
		return c, combination("FinalDBSnapshotIdentifier cannot be specified when SkipFinalSnapshot is set.")
	case !skipFinal && final == "":
		return c, combination("FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.")
	}
	takes := r.model.opts.Deleting
	if !skipFinal {
		if err := r.clusterSnapshots.checkNew(tx, final); err != nil {
			return c, err
		}
		if c.Status != Available {
			return Cluster{}, c.wrongState("be snapshotted: it is not available")
		}
		r.snapshotCluster(tx, c, final, c.snapshotTags())
		takes += r.model.opts.BackingUp
	}
	c = r.turnCluster(tx, c.ID, func(c *Cluster) { c.Status = Deleting })
	r.laterCluster(tx, c, takes, func(tx *awstest.Tx, c Cluster) {
		if c.Endpoint != "" {
			tx.Name(c.Endpoint, nil)
		}
		r.clusters.Delete(tx.Now(), c.ID)
		r.tell(tx, clusterDeleted, c.ID, c.ARN)
	})
	return c, nil
}

func (c *Cluster) snapshotTags() []Tag {
	if c.CopyTags {
		return c.Tags
	}
	return nil
}

// CreateClusterSnapshot makes a manual snapshot of a cluster, which stays
// available meanwhile.
func (r *Region) CreateClusterSnapshot(tx *awstest.Tx, id, cluster string, tags []Tag) (Snapshot, error) {
	c, err := r.Cluster(tx.Now(), cluster)
	if err != nil {
		return Snapshot{}, err
	}
	if err := r.clusterSnapshots.checkNew(tx, id); err != nil {
		return Snapshot{}, err
	}
	if c.Status != Available {
		return Snapshot{}, c.wrongState("be snapshotted")
	}
	if tags, err = merge(c.snapshotTags(), tags); err != nil {
		return Snapshot{}, err
	}
	return r.snapshotCluster(tx, c, id, tags), nil
}

func (r *Region) snapshotCluster(tx *awstest.Tx, c Cluster, id string, tags []Tag) Snapshot {
	id = r.identifier(clusterShelf.resource, id)
	s := Snapshot{
		Shape: Shape{Engine: c.Engine, EngineVersion: c.EngineVersion, StorageGiB: 1, StorageType: "aurora", MasterUsername: c.MasterUsername, DBName: c.DBName, Port: c.Port},
		ID:    id, ARN: r.arn(clusterShelf.resource, id), Instance: c.ID, InstanceARN: c.ARN, ResourceID: c.ResourceID, InstanceCreated: c.Created,
		Retention: c.Retention, Type: Manual, Status: Creating, Key: c.Key, Tags: tags, Writes: c.content.at(tx.Now()), Original: tx.Now(),
	}
	return r.clusterSnapshots.fill(tx, s, nil, r.model.opts.BackingUp, func(tx *awstest.Tx, s Snapshot) bool { return r.unlocks(tx, s.Key) })
}

// Restorable returns the moments between which a cluster can be restored as
// of a moment; it is not ok before it is there. Its log is kept all the time.
func (c *Cluster) Restorable(at time.Time) (earliest, latest time.Time, ok bool) {
	if c.Created.IsZero() {
		return earliest, latest, false
	}
	earliest = c.Created
	if kept := at.Add(-time.Duration(c.Retention) * day); kept.After(earliest) {
		earliest = kept
	}
	if latest = at.Add(-logInterval); latest.Before(earliest) {
		latest = earliest
	}
	return earliest, latest, true
}

// RestoreClusterSnapshot makes a cluster, without instances, of a snapshot.
// What the spec leaves out is as it was.
func (r *Region) RestoreClusterSnapshot(tx *awstest.Tx, ref string, spec ClusterSpec) (Cluster, error) {
	s, err := r.clusterSnapshots.Get(tx.Now(), ref)
	switch {
	case err != nil:
		return Cluster{}, err
	case s.Status != Available:
		return Cluster{}, clusterShelf.wrongState(s.ID, s.Status, "restored")
	case spec.Engine != s.Engine:
		return Cluster{}, Invalid("The engine %s is not that of the snapshot, %s.", spec.Engine, s.Engine)
	}
	return r.restoreCluster(tx, spec.of(s.Shape, s.Key, s.Retention), s.Writes)
}

// RestoreClusterPoint makes a cluster, without instances, that holds what
// another held at a moment; the zero time is the latest that can be had.
func (r *Region) RestoreClusterPoint(tx *awstest.Tx, ref string, when time.Time, spec ClusterSpec) (Cluster, error) {
	c, err := r.Cluster(tx.Now(), ref)
	if err != nil {
		return c, err
	}
	earliest, latest, ok := c.Restorable(tx.Now())
	if when.IsZero() {
		when = latest
	}
	switch {
	case !ok:
		return Cluster{}, c.wrongState("be restored: it has no backup yet")
	// AWS documents no code for it.
	case when.After(latest):
		return c, Invalid("The specified cluster can not be restored to a time later than %s.", latest.Format(time.RFC3339))
	case when.Before(earliest):
		return c, Invalid("The specified cluster can not be restored to a time earlier than %s.", earliest.Format(time.RFC3339))
	}
	shape := Shape{Engine: c.Engine, EngineVersion: c.EngineVersion, MasterUsername: c.MasterUsername, DBName: c.DBName, Port: c.Port}
	return r.restoreCluster(tx, spec.of(shape, c.Key, c.Retention), c.content.at(when))
}

func (r *Region) restoreCluster(tx *awstest.Tx, spec ClusterSpec, writes int64) (Cluster, error) {
	if !r.unlocks(tx, spec.Key) {
		_, err := r.key(tx, spec.Key)
		return Cluster{}, err
	}
	return r.launchCluster(tx, spec, writes, r.model.opts.Restoring)
}

// of completes a spec by what is restored.
func (s ClusterSpec) of(shape Shape, key string, retention int32) ClusterSpec {
	s.Engine, s.EngineVersion, s.MasterUsername, s.DBName, s.Key = shape.Engine, shape.EngineVersion, shape.MasterUsername, shape.DBName, key
	if s.Port == 0 {
		s.Port = shape.Port
	}
	if s.Retention == 0 {
		s.Retention = max(1, retention)
	}
	return s
}
