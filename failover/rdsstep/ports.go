package rdsstep

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/rds"
)

//go:generate go tool -modfile=../../internal/tools/go.mod moq -rm -out ../stepmock/rdsstep.go -pkg stepmock . DatabaseAPI ClusterAPI ReplicaAPI MetricAPI ZoneAPI:DatabaseZoneAPIMock

// DatabaseAPI is what [Failover] calls of RDS; *rds.Client is one, as of all interfaces here unless it is said. Implementations are safe for concurrent
// use, end a call when its context ends, and return errors in the SDK's form.
type DatabaseAPI interface {
	// DescribeDBInstances needs rds:DescribeDBInstances on the instance. It is called with its identifier.
	DescribeDBInstances(ctx context.Context, params *rds.DescribeDBInstancesInput, optFns ...func(*rds.Options)) (*rds.DescribeDBInstancesOutput, error)

	// RebootDBInstance needs rds:RebootDBInstance on the instance. It has no token, and is sent with a single attempt.
	RebootDBInstance(ctx context.Context, params *rds.RebootDBInstanceInput, optFns ...func(*rds.Options)) (*rds.RebootDBInstanceOutput, error)
}

// ClusterAPI is what [FailoverCluster] calls.
type ClusterAPI interface {
	// DescribeDBClusters needs rds:DescribeDBClusters on the cluster. It is called with its identifier.
	DescribeDBClusters(ctx context.Context, params *rds.DescribeDBClustersInput, optFns ...func(*rds.Options)) (*rds.DescribeDBClustersOutput, error)

	// DescribeDBInstances needs rds:DescribeDBInstances, on "*". It is called for the instances of the cluster, by a filter, which has pages of 100.
	DescribeDBInstances(ctx context.Context, params *rds.DescribeDBInstancesInput, optFns ...func(*rds.Options)) (*rds.DescribeDBInstancesOutput, error)

	// FailoverDBCluster needs rds:FailoverDBCluster on the cluster and on the instance that takes over. It has no token, and is sent with a single
	// attempt.
	FailoverDBCluster(ctx context.Context, params *rds.FailoverDBClusterInput, optFns ...func(*rds.Options)) (*rds.FailoverDBClusterOutput, error)
}

// ReplicaAPI is what [Promote] calls.
type ReplicaAPI interface {
	// DescribeDBInstances needs rds:DescribeDBInstances on the replica. It is called with its identifier.
	DescribeDBInstances(ctx context.Context, params *rds.DescribeDBInstancesInput, optFns ...func(*rds.Options)) (*rds.DescribeDBInstancesOutput, error)

	// PromoteReadReplica needs rds:PromoteReadReplica on the replica. It has no token, and is sent with a single attempt.
	PromoteReadReplica(ctx context.Context, params *rds.PromoteReadReplicaInput, optFns ...func(*rds.Options)) (*rds.PromoteReadReplicaOutput, error)
}

// MetricAPI is what the lag of a replica is read with; *cloudwatch.Client is one, of the replica's Region.
type MetricAPI interface {
	// GetMetricData needs cloudwatch:GetMetricData, which takes no resource in a policy. It is called for one metric.
	GetMetricData(ctx context.Context, params *cloudwatch.GetMetricDataInput, optFns ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error)
}

// ZoneAPI tells the names of zones from their IDs: RDS knows names alone. *ec2.Client is one.
type ZoneAPI interface {
	// DescribeAvailabilityZones needs ec2:DescribeAvailabilityZones, which takes no resource in a policy.
	DescribeAvailabilityZones(ctx context.Context, params *ec2.DescribeAvailabilityZonesInput, optFns ...func(*ec2.Options)) (*ec2.DescribeAvailabilityZonesOutput, error)
}

var (
	_ DatabaseAPI = (*rds.Client)(nil)
	_ ClusterAPI  = (*rds.Client)(nil)
	_ ReplicaAPI  = (*rds.Client)(nil)
	_ MetricAPI   = (*cloudwatch.Client)(nil)
	_ ZoneAPI     = (*ec2.Client)(nil)
)
