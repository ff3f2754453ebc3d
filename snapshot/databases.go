package snapshot

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"
)

// databases are the calls for DB instances that belong to no cluster: those of a cluster are taken with it. What is made twice is refused for
// its name.
type databases struct{ api RDSAPI }

var databaseOps = rdsOps{
	targets:   operation{name: "DescribeDBInstances", pace: paceRDSRead, repeat: true},
	snapshots: operation{name: "DescribeDBSnapshots", pace: paceRDSRead, repeat: true},
	create:    operation{name: "CreateDBSnapshot", pace: paceRDS, repeat: true},
	copy:      operation{name: "CopyDBSnapshot", pace: paceRDS, repeat: true},
	delete:    operation{name: "DeleteDBSnapshot", pace: paceRDS, repeat: true},
}

func (d databases) targets(ctx context.Context, marker *string) (map[string][]types.Tag, *string, error) {
	out, err := d.api.DescribeDBInstances(ctx, &rds.DescribeDBInstancesInput{MaxRecords: aws.Int32(maxRecords), Marker: marker}, onceRDS)
	if err != nil {
		return nil, nil, err
	}
	tags := make(map[string][]types.Tag)
	for i := range out.DBInstances {
		if db := &out.DBInstances[i]; db.DBClusterIdentifier == nil {
			tags[aws.ToString(db.DBInstanceIdentifier)] = db.TagList
		}
	}
	return tags, out.Marker, nil
}

func (d databases) snapshots(ctx context.Context, marker *string) (list []record, next *string, err error) {
	out, err := d.api.DescribeDBSnapshots(ctx, &rds.DescribeDBSnapshotsInput{
		SnapshotType: aws.String(manual), MaxRecords: aws.Int32(maxRecords), Marker: marker,
	}, onceRDS)
	if err != nil {
		return nil, nil, err
	}
	for i := range out.DBSnapshots {
		list = append(list, databaseRecord(&out.DBSnapshots[i]))
	}
	return list, out.Marker, nil
}

func (d databases) create(ctx context.Context, of, name string, tags []types.Tag) (record, error) {
	out, err := d.api.CreateDBSnapshot(ctx, &rds.CreateDBSnapshotInput{DBInstanceIdentifier: &of, DBSnapshotIdentifier: &name, Tags: tags}, onceRDS)
	if err != nil {
		return record{}, err
	}
	return databaseRecord(out.DBSnapshot), nil
}

// copy asks with an input of its own: the SDK keeps the presigned request for the source in it, which it makes only where SourceRegion is set.
func (d databases) copy(ctx context.Context, source *Point, key *string, name string, tags []types.Tag) (record, error) {
	out, err := d.api.CopyDBSnapshot(ctx, &rds.CopyDBSnapshotInput{
		SourceDBSnapshotIdentifier: &source.arn, SourceRegion: &source.Region, TargetDBSnapshotIdentifier: &name, KmsKeyId: key, Tags: tags,
	}, onceRDS)
	if err != nil {
		return record{}, err
	}
	return databaseRecord(out.DBSnapshot), nil
}

func (d databases) delete(ctx context.Context, name string) error {
	_, err := d.api.DeleteDBSnapshot(ctx, &rds.DeleteDBSnapshotInput{DBSnapshotIdentifier: &name}, onceRDS)
	return err
}

func databaseRecord(s *types.DBSnapshot) record {
	if s == nil {
		return record{}
	}
	return record{
		id: s.DBSnapshotIdentifier, arn: s.DBSnapshotArn, state: s.Status, key: s.KmsKeyId, engine: s.Engine, begun: s.SnapshotCreateTime, percent: s.PercentProgress,
		sizeGiB: s.AllocatedStorage, tags: s.TagList,
	}
}
