package snapshot

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"
)

// clusters are the calls for DB clusters. What is made twice is refused for its name.
type clusters struct{ api RDSAPI }

var clusterOps = rdsOps{
	targets:   operation{name: "DescribeDBClusters", pace: paceRDSRead, repeat: true},
	snapshots: operation{name: "DescribeDBClusterSnapshots", pace: paceRDSRead, repeat: true},
	create:    operation{name: "CreateDBClusterSnapshot", pace: paceRDS, repeat: true},
	copy:      operation{name: "CopyDBClusterSnapshot", pace: paceRDS, repeat: true},
	delete:    operation{name: "DeleteDBClusterSnapshot", pace: paceRDS, repeat: true},
}

func (c clusters) targets(ctx context.Context, marker *string) (map[string][]types.Tag, *string, error) {
	out, err := c.api.DescribeDBClusters(ctx, &rds.DescribeDBClustersInput{MaxRecords: aws.Int32(maxRecords), Marker: marker}, onceRDS)
	if err != nil {
		return nil, nil, err
	}
	tags := make(map[string][]types.Tag)
	for i := range out.DBClusters {
		tags[aws.ToString(out.DBClusters[i].DBClusterIdentifier)] = out.DBClusters[i].TagList
	}
	return tags, out.Marker, nil
}

func (c clusters) snapshots(ctx context.Context, marker *string) (list []record, next *string, err error) {
	out, err := c.api.DescribeDBClusterSnapshots(ctx, &rds.DescribeDBClusterSnapshotsInput{
		SnapshotType: aws.String(manual), MaxRecords: aws.Int32(maxRecords), Marker: marker,
	}, onceRDS)
	if err != nil {
		return nil, nil, err
	}
	for i := range out.DBClusterSnapshots {
		list = append(list, clusterRecord(&out.DBClusterSnapshots[i]))
	}
	return list, out.Marker, nil
}

func (c clusters) create(ctx context.Context, of, name string, tags []types.Tag) (record, error) {
	out, err := c.api.CreateDBClusterSnapshot(ctx, &rds.CreateDBClusterSnapshotInput{
		DBClusterIdentifier: &of, DBClusterSnapshotIdentifier: &name, Tags: tags,
	}, onceRDS)
	if err != nil {
		return record{}, err
	}
	return clusterRecord(out.DBClusterSnapshot), nil
}

// copy asks with an input of its own, as that of databases.
func (c clusters) copy(ctx context.Context, source *Point, key *string, name string, tags []types.Tag) (record, error) {
	out, err := c.api.CopyDBClusterSnapshot(ctx, &rds.CopyDBClusterSnapshotInput{
		SourceDBClusterSnapshotIdentifier: &source.arn, SourceRegion: &source.Region, TargetDBClusterSnapshotIdentifier: &name, KmsKeyId: key, Tags: tags,
	}, onceRDS)
	if err != nil {
		return record{}, err
	}
	return clusterRecord(out.DBClusterSnapshot), nil
}

func (c clusters) delete(ctx context.Context, name string) error {
	_, err := c.api.DeleteDBClusterSnapshot(ctx, &rds.DeleteDBClusterSnapshotInput{DBClusterSnapshotIdentifier: &name}, onceRDS)
	return err
}

func clusterRecord(s *types.DBClusterSnapshot) record {
	if s == nil {
		return record{}
	}
	return record{
		id: s.DBClusterSnapshotIdentifier, arn: s.DBClusterSnapshotArn, state: s.Status, key: s.KmsKeyId, engine: s.Engine, begun: s.SnapshotCreateTime,
		percent: s.PercentProgress, sizeGiB: s.AllocatedStorage, tags: s.TagList,
	}
}
