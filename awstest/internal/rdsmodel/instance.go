package rdsmodel

import (
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/awsha/awsha/awstest"
)

// Status is the status of an instance or a snapshot, by RDS's name.
type Status string

// The statuses that are modelled.
// Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html (read 2026-11)
const (
	Creating     Status = "creating"
	Available    Status = "available"
	BackingUp    Status = "backing-up"
	Modifying    Status = "modifying"
	Rebooting    Status = "rebooting"
	Deleting     Status = "deleting"
	Failed       Status = "failed"
	Inaccessible Status = "inaccessible-encryption-credentials"
	Pending      Status = "pending" // of a snapshot
	Deleted      Status = "deleted" // of a snapshot
)

// Shape is what an instance is like, and what a snapshot remembers of it.
type Shape struct {
	Class, Engine, EngineVersion string
	StorageGiB                   int32
	StorageType                  string
	MasterUsername, DBName       string
	Port                         int32
}

// Instance is a DB instance.
type Instance struct {
	Shape
	ID, ARN, ResourceID string
	Zone, Secondary     *awstest.Zone // Secondary is that of the standby, or nil
	MultiAZ             bool
	Key                 string // ARN; empty if it is not encrypted
	Retention           int32  // days
	CopyTags            bool
	Protected           bool
	Created             time.Time // zero until it is there
	Status              Status
	Tags                []Tag
	Endpoint            string   // empty until it is there
	Source              string   // identifier of a read replica's source
	Replicas            []string // identifiers
	Cluster             string   // identifier of the one that it is of

	from    time.Time // since when it can be restored to a point in time; zero if never
	turn    int       // counts what happens to it: an end that comes too late ends nothing
	content *content
	nodes   *nodes
}

// Spec is what an instance is to be like.
type Spec struct {
	Shape
	ID        string
	ZoneName  string
	MultiAZ   bool
	Encrypted bool
	Key       string // ID, alias or ARN; default: the key of the account for RDS
	Retention int32
	CopyTags  bool
	Protected bool
	Tags      []Tag
}

// defaultKey is the key of an instance for which none is named.
const defaultKey = "alias/aws/rds"

// maxRetention is how many days backups can be kept.
// Source: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html (read 2026-11)
const maxRetention = 35

// Instance returns an instance as of a moment, by its identifier or its ARN.
func (r *Region) Instance(at time.Time, ref string) (Instance, error) {
	if i, ok := r.instances.Get(at, r.identifier(aDatabase, ref)); ok {
		return i, nil
	}
	return Instance{}, missing(awstest.Errorf("DBInstanceNotFound", "DBInstance %s not found.", ref))
}

// Instances yields the instances as of a moment.
func (r *Region) Instances(at time.Time) iter.Seq2[string, Instance] { return r.instances.All(at) }

// CreateInstance makes an empty database.
func (r *Region) CreateInstance(tx *awstest.Tx, spec Spec) (Instance, error) {
	if spec.Encrypted && spec.Key == "" {
		spec.Key = defaultKey
	}
	if spec.Encrypted {
		key, err := r.key(tx, spec.Key)
		if err != nil {
			return Instance{}, err
		}
		spec.Key = key
	}
	return r.launch(tx, spec, contains(tx.Now(), 0), r.model.opts.Creating)
}

// launch makes an instance. Its key, if it has one, is an ARN.
func (r *Region) launch(tx *awstest.Tx, spec Spec, data *content, takes time.Duration) (Instance, error) {
	spec.ID = r.identifier(aDatabase, spec.ID)
	if err := checkID("DBInstanceIdentifier", spec.ID, maxInstanceID); err != nil {
		return Instance{}, err
	}
	if err := checkRetention(spec.Retention); err != nil {
		return Instance{}, err
	}
	if _, taken := r.instances.Get(tx.Now(), spec.ID); taken {
		return Instance{}, awstest.Errorf("DBInstanceAlreadyExists", "DB instance already exists")
	}
	tags, err := merge(nil, spec.Tags)
	if err != nil {
		return Instance{}, err
	}
	zone, secondary, err := r.place(tx, spec)
	if err != nil {
		return Instance{}, err
	}
	i := Instance{
		Shape: spec.Shape, ID: spec.ID, ARN: r.arn(aDatabase, spec.ID), ResourceID: "db-" + tx.NewID("DB")[3:],
		Zone: zone, Secondary: secondary, MultiAZ: spec.MultiAZ, Key: spec.Key, Retention: spec.Retention,
		CopyTags: spec.CopyTags, Protected: spec.Protected, Status: Creating, Tags: tags, content: data,
	}
	i.nodes = &nodes{primary: r.host(tx, zone, i.ID)}
	if secondary != nil {
		i.nodes.standby = r.host(tx, secondary, i.ID)
	}
	r.instances.Put(tx.Now(), i.ID, i)
	r.later(tx, i, takes, func(tx *awstest.Tx, i Instance) {
		if !r.unlocks(tx, i.Key) {
			r.turn(tx, i.ID, func(i *Instance) { i.Status = Inaccessible })
			return
		}
		r.powerOn(tx, i)
		i = r.turn(tx, i.ID, func(i *Instance) {
			i.Status, i.Created, i.Endpoint = Available, tx.Now(), r.endpoint(i.ID)
		})
		tx.Name(i.Endpoint, r.resolve(i.ID))
		r.tell(tx, instanceCreated, i.ID, i.ARN)
		if i.Retention > 0 {
			r.beginBackups(tx, i)
		}
	})
	return i, nil
}

func checkRetention(days int32) error {
	if days < 0 || days > maxRetention {
		return Invalid("Invalid backup retention period: %d. It must be between 0 and %d.", days, maxRetention)
	}
	return nil
}

// place chooses the zones of an instance.
func (r *Region) place(tx *awstest.Tx, spec Spec) (zone, secondary *awstest.Zone, err error) {
	if spec.ZoneName != "" {
		if spec.MultiAZ {
			return nil, nil, combination("Requesting a specific availability zone is not valid for Multi-AZ instances.")
		}
		for _, z := range r.region.Zones() {
			if z.Name() == spec.ZoneName {
				if !tx.CanLaunch(z, spec.Class) {
					return nil, nil, noCapacity(spec.Class)
				}
				return z, nil, nil
			}
		}
		return nil, nil, Invalid("Invalid availability zone: %s", spec.ZoneName)
	}
	var open []*awstest.Zone
	for _, z := range r.region.Zones() {
		if tx.CanLaunch(z, spec.Class) {
			open = append(open, z)
		}
	}
	switch {
	case len(open) == 0 || spec.MultiAZ && len(open) == 1:
		return nil, nil, noCapacity(spec.Class)
	case spec.MultiAZ:
		return open[0], open[1], nil
	}
	return open[0], nil, nil
}

func noCapacity(class string) error {
	return awstest.Errorf("InsufficientDBInstanceCapacity", "Insufficient capacity for %s in the Availability Zones asked for.", class)
}

// running tells whether an instance has its machines on.
func (i *Instance) running() bool {
	return i.Status == Available || i.Status == BackingUp || i.Status == Modifying
}

func (i *Instance) wrongState(what string) error {
	return awstest.Errorf("InvalidDBInstanceState", "The DB instance %s is %s and cannot %s.", i.ID, i.Status, what)
}

// change puts what edit makes of an instance in its place.
func (r *Region) change(tx *awstest.Tx, id string, edit func(*Instance)) Instance {
	i, ok := r.instances.Get(tx.Now(), id)
	if ok {
		edit(&i)
		r.instances.Put(tx.Now(), id, i)
	}
	return i
}

// turn changes an instance in a way that puts an end to what was under way.
func (r *Region) turn(tx *awstest.Tx, id string, edit func(*Instance)) Instance {
	return r.change(tx, id, func(i *Instance) {
		i.turn++
		edit(i)
	})
}

// later ends a transition of an instance after d, unless something else has
// happened to it by then; another of its name is another one. Its zone holds it up while it is dead, unless there
// is a standby, and so does cloud.Stick.
func (r *Region) later(tx *awstest.Tx, i Instance, d time.Duration, finish func(*awstest.Tx, Instance)) {
	zone := i.Zone
	if i.MultiAZ && i.Status != Creating {
		zone = nil
	}
	tx.Schedule(tx.Now().Add(d), func(tx *awstest.Tx) {
		tx.WhenFree(zone, i.ARN, func(tx *awstest.Tx) {
			if now, ok := r.instances.Get(tx.Now(), i.ID); ok && now.ResourceID == i.ResourceID && now.turn == i.turn {
				finish(tx, now)
			}
		})
	})
}

// settle makes an instance available again.
func (r *Region) settle(tx *awstest.Tx, i Instance) {
	r.turn(tx, i.ID, func(i *Instance) { i.Status = Available })
}

// DeleteInstance deletes an instance with its automated backups; final is the
// identifier of a last snapshot, or empty.
func (r *Region) DeleteInstance(tx *awstest.Tx, ref string, skipFinal bool, final string) (Instance, error) {
	i, err := r.Instance(tx.Now(), ref)
	switch {
	case err != nil:
		return i, err
	case i.Protected:
		return i, combination("Cannot delete protected DB Instance, please disable deletion protection and try again.")
	case i.Status == Deleting:
		return i, awstest.Errorf("InvalidDBInstanceState", "Instance %s is already being deleted.", i.ID)
	case skipFinal && final != "":
		return i, combination("FinalDBSnapshotIdentifier cannot be specified when SkipFinalSnapshot is set.")
	case i.Cluster != "" && (!skipFinal || final != ""):
		return i, combination("A final snapshot cannot be made of an instance of a cluster; SkipFinalSnapshot must be set.") // AWS documents no code for it
	case !skipFinal && i.Source != "":
		return i, combination("A final snapshot cannot be made of a read replica; SkipFinalSnapshot must be set.")
	case !skipFinal && final == "":
		return i, combination("FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.")
	}
	takes := r.model.opts.Deleting
	if !skipFinal {
		if err := r.snapshots.checkNew(tx, final); err != nil {
			return i, err
		}
		if i.Status != Available {
			return Instance{}, i.wrongState("be snapshotted: it is not available")
		}
		r.snapshot(tx, i, final, Manual, i.snapshotTags())
		takes += r.model.opts.BackingUp
	}
	i = r.turn(tx, i.ID, func(i *Instance) { i.Status = Deleting })
	r.later(tx, i, takes, r.remove)
	return i, nil
}

// remove takes an instance away. Its replicas go on alone.
// Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ReadRepl.html (read 2026-11)
func (r *Region) remove(tx *awstest.Tx, i Instance) {
	i.nodes.remove(tx)
	if i.Endpoint != "" {
		tx.Name(i.Endpoint, nil)
	}
	r.instances.Delete(tx.Now(), i.ID)
	r.tell(tx, instanceDeleted, i.ID, i.ARN)
	r.leave(tx, i)
	r.dropAutomated(tx, i, 0)
	for _, id := range i.Replicas {
		r.change(tx, id, func(replica *Instance) { replica.detach(tx) })
	}
	if i.Source != "" {
		r.change(tx, i.Source, func(source *Instance) {
			source.Replicas = slices.DeleteFunc(slices.Clone(source.Replicas), func(id string) bool { return id == i.ID })
		})
	}
}

// Change is what ModifyInstance changes; nil means as it is.
type Change struct {
	Retention *int32
	MultiAZ   *bool
	Protected *bool
	CopyTags  *bool
}

// ModifyInstance changes an instance at once.
func (r *Region) ModifyInstance(tx *awstest.Tx, ref string, c Change) (Instance, error) {
	i, err := r.Instance(tx.Now(), ref)
	switch {
	case err != nil:
		return i, err
	case i.Status != Available:
		return Instance{}, i.wrongState("be modified")
	}
	retention, multi := i.Retention, i.MultiAZ
	if c.Retention != nil {
		retention = *c.Retention
		if err := checkRetention(retention); err != nil {
			return i, err
		}
		if retention == 0 && len(i.Replicas) > 0 {
			return i, combination("The backup retention period of a source of read replicas cannot be 0.") // AWS documents no code for it
		}
	}
	if c.MultiAZ != nil {
		multi = *c.MultiAZ
	}
	var secondary *awstest.Zone
	if multi && !i.MultiAZ {
		for _, z := range r.region.Zones() {
			if z != i.Zone && tx.CanLaunch(z, i.Class) {
				secondary = z
				break
			}
		}
		if secondary == nil {
			return i, noCapacity(i.Class)
		}
	}
	i = r.change(tx, i.ID, func(i *Instance) {
		if c.Protected != nil {
			i.Protected = *c.Protected
		}
		if c.CopyTags != nil {
			i.CopyTags = *c.CopyTags
		}
	})
	if retention == i.Retention && multi == i.MultiAZ {
		return i, nil
	}
	i = r.turn(tx, i.ID, func(i *Instance) { i.Status = Modifying })
	r.later(tx, i, r.model.opts.Modifying, func(tx *awstest.Tx, i Instance) {
		first := i.Retention == 0 && retention > 0
		r.setStandby(tx, i, secondary, multi)
		i = r.turn(tx, i.ID, func(i *Instance) { i.Status, i.Retention = Available, retention })
		switch {
		case first:
			r.beginBackups(tx, i)
		case retention == 0:
			r.change(tx, i.ID, func(i *Instance) { i.from = time.Time{} })
		}
		r.dropAutomated(tx, i, retention)
	})
	return i, nil
}

// endpoint is the name of an instance, of which the second part is the same
// for all of an account in a region.
func (r *Region) endpoint(id string) string {
	return fmt.Sprintf("%s.c%s.%s.rds.amazonaws.com", id, r.model.cloud.AccountID()[1:], r.region.Name())
}
