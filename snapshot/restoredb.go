package snapshot

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"github.com/awsha/awsha/internal/awserr"
	"github.com/awsha/awsha/internal/retry"
)

// DatabaseRequest says which DB instance or cluster to restore, and how.
type DatabaseRequest struct {
	// Policy is what has taken the snapshots, and Series what of: a database or a cluster.
	Policy *Policy
	Series Series
	// Region is where to restore: the policy's own, or one where it has copies. Default the policy's own.
	Region string

	// At asks for the newest point whose data are not younger. Zero is the newest of all.
	At time.Time
	// PointInTime restores what there was at that second, by RDS's own backups and not by a point of the policy. Latest is the newest
	// that they have, which is within the last five minutes.
	// Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIT.html (read 2026-11)
	PointInTime time.Time
	Latest      bool
	// BackupsARN are the automated backups to use: of a DB instance that has been deleted, or that are replicated to Region. Empty are those of Series
	// itself, which are in the policy's own region. It is for databases.
	BackupsARN string

	// ID is that of the new instance or cluster. RDS keeps it from being made twice: the same request again, also after a crash, returns what
	// is there, and one that is not of this request is an ErrExists.
	ID string
	// Class is that of its instances, such as db.r7g.large. Empty is that of the source for a database; a cluster needs one.
	Class string
	// Instances is how many a cluster of Aurora gets, called ID-1, ID-2 and so on. Default 1. Other clusters have the three that RDS gives them.
	Instances int
	// Zone is the Availability Zone of a database, by name. Empty is any.
	Zone string
	// MultiAZ gives a database a standby.
	MultiAZ bool

	// The groups are those that the new one belongs to. Empty are the defaults of the account, and not those of the source.
	SubnetGroup    string
	SecurityGroups []string
	ParameterGroup string

	// Protected keeps the new one from being deleted by mistake.
	Protected bool
	Tags      map[string]string
}

// RestoredDatabase is what RestoreDatabase has made.
type RestoredDatabase struct {
	ID        string
	Region    string
	Instances []string // of a cluster
	Endpoint  string   // host name; of a cluster the writer's
	Port      int32
	Point     *Point        // what it was made of; nil if of RDS's own backups, or gone meanwhile
	Time      time.Time     // whose data it has; zero if nobody says, which is with BackupsARN and Latest
	Age       time.Duration // of the data, when RestoreDatabase was called: what has been lost; negative if nobody says
}

// RestoreDatabase makes a DB instance or a cluster of a completed point, or of RDS's own backups, and waits until it is available.
//
// It takes the read of Points, the call that restores, a CreateDBInstance for each instance of a cluster of Aurora, and reads to wait as for Wait.
// What RDS begins and cannot end is an [ErrFailed], and stays to be looked at. Without a completed point the error is [ErrNoPoint].
func (m *Manager) RestoreDatabase(ctx context.Context, req DatabaseRequest) (*RestoredDatabase, error) {
	if err := req.complete(); err != nil {
		return nil, err
	}
	d := databaseRestore{region: m.region(req.Region), req: &req, out: &RestoredDatabase{ID: req.ID, Region: req.Region}}
	began := time.Now()
	if err := d.source(ctx); err != nil {
		return nil, err
	}
	var err error
	if req.Series.Kind == KindCluster {
		err = d.cluster(ctx)
	} else {
		err = d.database(ctx)
	}
	if d.out.Age = -1; !d.out.Time.IsZero() {
		d.out.Age = began.Sub(d.out.Time)
	}
	return d.out, err
}

// maxClusterInstances is how many instances a cluster of Aurora has at most.
// Source: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.Overview.html (read 2026-11)
const maxClusterInstances = 16

func (q *DatabaseRequest) complete() error {
	var m mistakes
	m.require(q.Policy != nil, "Policy", nil, "must be set")
	if q.Policy != nil {
		if err := q.Policy.Validate(); err != nil {
			return err
		}
		orDefault(&q.Region, q.Policy.Region)
		m.require(slices.Contains(q.Policy.regions(), q.Region), "Region", q.Region, "must be that of the policy or of one of its copies")
		own := q.Region == q.Policy.Region || q.BackupsARN != ""
		m.require(own || q.PointInTime.IsZero() && !q.Latest, "Region", q.Region, "must be the policy's own for PointInTime and Latest, unless BackupsARN is set")
	}
	isCluster := q.Series.Kind == KindCluster
	m.require(isCluster || q.Series.Kind == KindDatabase, "Series.Kind", string(q.Series.Kind), "must be database or cluster")
	m.require(q.Series.ID != "", "Series.ID", nil, "must be set")
	m.require(isDatabase(q.ID), "ID", q.ID, "must be an identifier of at most 63 lower-case letters, digits and hyphens")
	set := 0
	for _, is := range []bool{!q.At.IsZero(), !q.PointInTime.IsZero(), q.Latest} {
		if is {
			set++
		}
	}
	m.require(set <= 1, "At", nil, "must not be set together with PointInTime or Latest, nor these together")
	m.require(q.BackupsARN == "" || !isCluster && (q.Latest || !q.PointInTime.IsZero()), "BackupsARN", q.BackupsARN, "is for databases, with PointInTime or Latest")
	m.require(!isCluster || q.Class != "", "Class", nil, "must be set for a cluster")
	m.require(!isCluster || q.Zone == "" && !q.MultiAZ, "Zone", q.Zone, "is for databases, and so is MultiAZ")
	m.require(!q.MultiAZ || q.Zone == "", "Zone", q.Zone, "must not be set together with MultiAZ")
	m.require(q.Instances >= 0 && q.Instances <= maxClusterInstances && (isCluster || q.Instances == 0), "Instances", q.Instances, "must be at most 16, and is for clusters")
	orDefault(&q.Instances, 1)
	for key := range q.Tags {
		m.require(!reserved(key), join("Tags", key), nil, `must not begin with "aws:", "rds:" or "awsha:"`)
	}
	return m.err()
}

// databaseRestore is one call of RestoreDatabase.
type databaseRestore struct {
	region *region
	req    *DatabaseRequest
	out    *RestoredDatabase
	points []*Point // of the series
}

// source finds what to restore, and whose data that has.
func (d *databaseRestore) source(ctx context.Context) error {
	if d.region.clients.RDS == nil {
		return &OpError{Op: "Clients", Region: d.region.name, Err: errors.New("RDS is not set")}
	}
	switch {
	case !d.req.PointInTime.IsZero():
		d.out.Time = d.req.PointInTime
		return nil
	case d.req.Latest:
		return d.latest(ctx)
	}
	store := d.region.store(d.req.Series.Kind)
	points, err := store.points(ctx, d.req.Policy.Name, tagSeries, d.req.Series.String())
	if err != nil {
		return err
	}
	d.points = points
	for _, set := range sets(points) {
		if one := set[0]; completed(set) && (d.req.At.IsZero() || !one.Time.After(d.req.At)) {
			d.out.Point, d.out.Time = one, one.Time
			return nil
		}
	}
	return &OpError{Op: store.(*rdsStore).ops.snapshots.name, Region: d.region.name, Resource: d.req.Series.String(), Kind: ErrNoPoint}
}

// latest reads how far RDS's own backups reach.
func (d *databaseRestore) latest(ctx context.Context) error {
	if d.req.BackupsARN != "" {
		return nil
	}
	var at *time.Time
	if d.req.Series.Kind == KindCluster {
		c, err := d.describeCluster(ctx, d.req.Series.ID)
		if err != nil {
			return err
		}
		at = c.LatestRestorableTime
	} else {
		db, err := d.describeDatabase(ctx, d.req.Series.ID)
		if err != nil {
			return err
		}
		at = db.LatestRestorableTime
	}
	if at == nil {
		return &OpError{Op: "Restore", Region: d.region.name, Resource: d.req.Series.String(), Kind: ErrNoPoint, Err: failure("RDS makes no backups of it by itself")}
	}
	d.out.Time = *at
	return nil
}

// tags are those of what is made; one tells which request it is of.
func (d *databaseRestore) tags() []types.Tag {
	tags := make(map[string]string, len(d.req.Tags)+2)
	maps.Copy(tags, d.req.Tags)
	tags[tagOwner], tags[tagRestore] = d.region.manager.opts.Owner, d.token()
	if d.out.Point != nil {
		tags[tagRestored] = d.out.Point.String()
	}
	if !d.out.Time.IsZero() {
		tags[tagAsOf] = d.out.Time.UTC().Format(time.RFC3339Nano)
	}
	return rdsTags(tags)
}

func (d *databaseRestore) token() string {
	r := d.req
	return token(r.Series.String(), r.ID, strconv.FormatInt(r.At.Unix(), 10), strconv.FormatInt(r.PointInTime.Unix(), 10), strconv.FormatBool(r.Latest))
}

// make makes a call that makes something with an ID. If the ID is taken, by a call whose reply was lost or before a crash, that is good, unless it is not ours.
func (d *databaseRestore) make(ctx context.Context, name, id string, call func(context.Context) error, tagsOf func(context.Context) ([]types.Tag, error)) error {
	op := operation{name: name, pace: paceRDS, repeat: true}
	w := maker{region: d.region, op: op, look: func(ctx context.Context) (bool, error) {
		list, err := tagsOf(ctx)
		tags := rdsTagMap(list)
		if tags[tagRestore] != d.token() {
			return false, err
		}
		d.adopt(tags)
		return true, err
	}}
	err := w.make(ctx, func(ctx context.Context) error {
		if err := d.region.admit(ctx, op); err != nil {
			return err
		}
		return d.region.try(ctx, op, call)
	})
	return d.region.outcome(ctx, op, id, err)
}

// adopt takes in whose data that has which the same request made before: there may be a newer point now.
func (d *databaseRestore) adopt(tags map[string]string) {
	if at, err := time.Parse(time.RFC3339Nano, tags[tagAsOf]); err == nil {
		d.out.Time = at
	}
	if source := tags[tagRestored]; d.out.Point != nil && source != d.out.Point.String() {
		d.out.Point = nil
		if i := slices.IndexFunc(d.points, func(p *Point) bool { return p.String() == source }); i >= 0 {
			d.out.Point = d.points[i]
		}
	}
}

// database restores a DB instance.
func (d *databaseRestore) database(ctx context.Context) error {
	name := "RestoreDBInstanceFromDBSnapshot"
	call := d.fromSnapshot
	if d.out.Point == nil {
		name, call = "RestoreDBInstanceToPointInTime", d.toPointInTime
	}
	tagsOf := func(ctx context.Context) ([]types.Tag, error) {
		db, err := d.describeDatabase(ctx, d.req.ID)
		return db.TagList, err
	}
	if err := d.make(ctx, name, d.req.ID, call, tagsOf); err != nil {
		return err
	}
	return d.await(ctx, d.req.ID, func(ctx context.Context) (string, error) {
		db, err := d.describeDatabase(ctx, d.req.ID)
		if db.Endpoint != nil {
			d.out.Endpoint, d.out.Port = aws.ToString(db.Endpoint.Address), aws.ToInt32(db.Endpoint.Port)
		}
		return aws.ToString(db.DBInstanceStatus), err
	})
}

func (d *databaseRestore) fromSnapshot(ctx context.Context) error {
	r := d.req
	_, err := d.region.clients.RDS.RestoreDBInstanceFromDBSnapshot(ctx, &rds.RestoreDBInstanceFromDBSnapshotInput{
		DBInstanceIdentifier: &r.ID, DBSnapshotIdentifier: &d.out.Point.ID, DBInstanceClass: given(r.Class), AvailabilityZone: given(r.Zone),
		MultiAZ: aws.Bool(r.MultiAZ), DBSubnetGroupName: given(r.SubnetGroup), VpcSecurityGroupIds: r.SecurityGroups, DBParameterGroupName: given(r.ParameterGroup),
		DeletionProtection: aws.Bool(r.Protected), Tags: d.tags(),
	}, onceRDS)
	return err
}

func (d *databaseRestore) toPointInTime(ctx context.Context) error {
	r := d.req
	in := &rds.RestoreDBInstanceToPointInTimeInput{
		TargetDBInstanceIdentifier: &r.ID, DBInstanceClass: given(r.Class), AvailabilityZone: given(r.Zone), MultiAZ: aws.Bool(r.MultiAZ),
		DBSubnetGroupName: given(r.SubnetGroup), VpcSecurityGroupIds: r.SecurityGroups, DBParameterGroupName: given(r.ParameterGroup),
		DeletionProtection: aws.Bool(r.Protected), Tags: d.tags(),
	}
	if in.SourceDBInstanceAutomatedBackupsArn = given(r.BackupsARN); r.BackupsARN == "" {
		in.SourceDBInstanceIdentifier = &r.Series.ID
	}
	if r.Latest {
		in.UseLatestRestorableTime = aws.Bool(true)
	} else {
		in.RestoreTime = aws.Time(r.PointInTime.UTC())
	}
	_, err := d.region.clients.RDS.RestoreDBInstanceToPointInTime(ctx, in, onceRDS)
	return err
}

// cluster restores a DB cluster, and gives one of Aurora its instances.
func (d *databaseRestore) cluster(ctx context.Context) error {
	name := "RestoreDBClusterFromSnapshot"
	call := d.clusterFromSnapshot
	if d.out.Point == nil {
		name, call = "RestoreDBClusterToPointInTime", d.clusterToPointInTime
	}
	var shown types.DBCluster
	look := func(ctx context.Context) (err error) {
		shown, err = d.describeCluster(ctx, d.req.ID)
		return err
	}
	if err := d.make(ctx, name, d.req.ID, call, func(ctx context.Context) ([]types.Tag, error) {
		err := look(ctx)
		return shown.TagList, err
	}); err != nil {
		return err
	}
	if err := d.await(ctx, d.req.ID, func(ctx context.Context) (string, error) {
		err := look(ctx)
		return aws.ToString(shown.Status), err
	}); err != nil {
		return err
	}
	d.out.Endpoint, d.out.Port = aws.ToString(shown.Endpoint), aws.ToInt32(shown.Port)
	if !aurora(shown.Engine) {
		return nil
	}
	var errs []error
	for n := range d.req.Instances {
		errs = append(errs, d.member(ctx, fmt.Sprintf("%s-%d", d.req.ID, n+1), shown.Engine))
	}
	for _, id := range d.out.Instances {
		errs = append(errs, d.await(ctx, id, func(ctx context.Context) (string, error) {
			db, err := d.describeDatabase(ctx, id)
			return aws.ToString(db.DBInstanceStatus), err
		}))
	}
	return errors.Join(errs...)
}

// aurora tells clusters whose instances are made one by one.
func aurora(engine *string) bool { return strings.HasPrefix(aws.ToString(engine), "aurora") }

// member makes an instance of the cluster.
func (d *databaseRestore) member(ctx context.Context, id string, engine *string) error {
	err := d.make(ctx, "CreateDBInstance", id, func(ctx context.Context) error {
		_, err := d.region.clients.RDS.CreateDBInstance(ctx, &rds.CreateDBInstanceInput{
			DBInstanceIdentifier: &id, DBClusterIdentifier: &d.req.ID, DBInstanceClass: &d.req.Class, Engine: engine, Tags: d.tags(),
		}, onceRDS)
		return err
	}, func(ctx context.Context) ([]types.Tag, error) {
		db, err := d.describeDatabase(ctx, id)
		return db.TagList, err
	})
	if err == nil {
		d.out.Instances = append(d.out.Instances, id)
	}
	return err
}

func (d *databaseRestore) clusterFromSnapshot(ctx context.Context) error {
	r := d.req
	in := &rds.RestoreDBClusterFromSnapshotInput{
		DBClusterIdentifier: &r.ID, SnapshotIdentifier: &d.out.Point.ID, Engine: &d.out.Point.engine, DBSubnetGroupName: given(r.SubnetGroup),
		VpcSecurityGroupIds: r.SecurityGroups, DBClusterParameterGroupName: given(r.ParameterGroup), DeletionProtection: aws.Bool(r.Protected), Tags: d.tags(),
	}
	if !aurora(in.Engine) {
		in.DBClusterInstanceClass = &r.Class
	}
	_, err := d.region.clients.RDS.RestoreDBClusterFromSnapshot(ctx, in, onceRDS)
	return err
}

func (d *databaseRestore) clusterToPointInTime(ctx context.Context) error {
	r := d.req
	in := &rds.RestoreDBClusterToPointInTimeInput{
		DBClusterIdentifier: &r.ID, SourceDBClusterIdentifier: &r.Series.ID, DBSubnetGroupName: given(r.SubnetGroup),
		VpcSecurityGroupIds: r.SecurityGroups, DBClusterParameterGroupName: given(r.ParameterGroup), DeletionProtection: aws.Bool(r.Protected), Tags: d.tags(),
	}
	if r.Latest {
		in.UseLatestRestorableTime = aws.Bool(true)
	} else {
		in.RestoreToTime = aws.Time(r.PointInTime.UTC())
	}
	source, err := d.describeCluster(ctx, r.Series.ID)
	if err != nil {
		return err
	}
	if !aurora(source.Engine) {
		in.DBClusterInstanceClass = &r.Class
	}
	_, err = d.region.clients.RDS.RestoreDBClusterToPointInTime(ctx, in, onceRDS)
	return err
}

// given is nil for an empty text, which leaves a field to RDS.
func given(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func (d *databaseRestore) describeDatabase(ctx context.Context, id string) (db types.DBInstance, err error) {
	err = d.region.do(ctx, databaseOps.targets, id, func(ctx context.Context) error {
		out, err := d.region.clients.RDS.DescribeDBInstances(ctx, &rds.DescribeDBInstancesInput{DBInstanceIdentifier: &id}, onceRDS)
		if err == nil && len(out.DBInstances) > 0 {
			db = out.DBInstances[0]
		}
		return err
	})
	return db, err
}

func (d *databaseRestore) describeCluster(ctx context.Context, id string) (c types.DBCluster, err error) {
	err = d.region.do(ctx, clusterOps.targets, id, func(ctx context.Context) error {
		out, err := d.region.clients.RDS.DescribeDBClusters(ctx, &rds.DescribeDBClustersInput{DBClusterIdentifier: &id}, onceRDS)
		if err == nil && len(out.DBClusters) > 0 {
			c = out.DBClusters[0]
		}
		return err
	})
	return c, err
}

// await waits until what was made is available. It is not there yet, as far as reads know, for Options.ReadLag at most.
func (d *databaseRestore) await(ctx context.Context, id string, status func(context.Context) (string, error)) (err error) {
	const forever = 1 << 62
	seen := time.Now()
	o := &d.region.manager.opts
	retry.Poll(ctx, forever, retry.Policy{First: o.PollInterval, Max: o.MaxPollInterval, Growth: 1.5, Jitter: 0.2}, func(ctx context.Context) bool {
		now, readErr := status(ctx)
		switch {
		case awserr.Of(readErr) == awserr.NotFound || readErr == nil && now == "":
			if time.Since(seen) < o.ReadLag {
				return false
			}
			err = &OpError{Op: "Restore", Region: d.region.name, Resource: id, Kind: ErrFailed, Err: failure("it has vanished")}
			return true
		case readErr != nil && (outage(readErr) || ctx.Err() != nil): // it is looked again
			return false
		case readErr != nil:
			err = readErr
			return true
		case now == "available":
			err = nil
			return true
		}
		if seen = time.Now(); !restoreFailed(now) {
			return false
		}
		err = &OpError{Op: "Restore", Region: d.region.name, Resource: id, Kind: ErrFailed, Err: failure("its status is " + now)}
		return true
	})
	if err == nil && ctx.Err() != nil {
		return opError("Restore", d.region.name, id, context.Cause(ctx))
	}
	return err
}

// restoreFailed reports whether a status does not lead to available by itself.
// Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html#Overview.DBInstance.Status (read 2026-11)
func restoreFailed(status string) bool {
	return slices.Contains([]string{"failed", "restore-error", "inaccessible-encryption-credentials", "inaccessible-encryption-credentials-recoverable", "deleting"}, status) ||
		strings.HasPrefix(status, "incompatible-")
}
