package rdsstep

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/internal/awsstep"
	"github.com/awsha/awsha/internal/awserr"
)

const apiRDS = "rds"

// The statuses that matter. RDS has them as text.
// Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html (read 2026-11)
const (
	available = "available"
	backingUp = "backing-up" // it takes writes
)

// serves tells whether a status is one in which a database takes requests and changes.
func serves(status *string) bool {
	return slices.Contains([]string{available, backingUp, "storage-optimization", "storage-config-upgrade"}, aws.ToString(status))
}

// once keeps a request to a single attempt.
func once(o *rds.Options) { o.RetryMaxAttempts = 1 }

type instanceReader interface {
	DescribeDBInstances(ctx context.Context, params *rds.DescribeDBInstancesInput, optFns ...func(*rds.Options)) (*rds.DescribeDBInstancesOutput, error)
}

// database reads a DB instance, together with other steps that ask for it.
func database(ctx context.Context, env *failover.Env, api instanceReader, id string) (*types.DBInstance, error) {
	const action = "rds:DescribeDBInstances"
	return failover.Share(ctx, env, action+" "+id, func(ctx context.Context) (*types.DBInstance, error) {
		out, err := awsstep.Call(ctx, action, id, api.DescribeDBInstances, &rds.DescribeDBInstancesInput{DBInstanceIdentifier: &id})
		if err != nil {
			return nil, err
		}
		if len(out.DBInstances) != 1 {
			return nil, &failover.CallError{Action: action, Resource: id, Err: awserr.NoSuch(awserr.Database)}
		}
		return &out.DBInstances[0], nil
	})
}

// writer is a DB instance as a probe needs it.
func writer(i *types.DBInstance) Writer {
	w := Writer{Database: aws.ToString(i.DBInstanceIdentifier), Zone: aws.ToString(i.AvailabilityZone)}
	if e := i.Endpoint; e != nil {
		w.Endpoint, w.Port = aws.ToString(e.Address), aws.ToInt32(e.Port)
	}
	return w
}

// put puts where a database is.
func put(env *failover.Env, w Writer) {
	env.Put(EndpointKey, w.Endpoint)
	env.Put(PortKey, fmt.Sprint(w.Port))
	env.Put(ZoneKey, w.Zone)
}

// zoneName returns the name of a zone that is given by its name or its ID, and nothing for no zone.
func zoneName(ctx context.Context, env *failover.Env, api ZoneAPI, zone failover.Ref) (string, error) {
	if zone.Zero() {
		return "", nil
	}
	v, err := zone.Get(env)
	if err != nil {
		return "", err
	}
	const action = "ec2:DescribeAvailabilityZones"
	zones, err := failover.Share(ctx, env, action, func(ctx context.Context) ([]ec2types.AvailabilityZone, error) {
		out, err := awsstep.Call(ctx, action, "", api.DescribeAvailabilityZones, &ec2.DescribeAvailabilityZonesInput{})
		if err != nil {
			return nil, err
		}
		return out.AvailabilityZones, nil
	})
	if err != nil {
		return "", err
	}
	for _, z := range zones {
		if v == aws.ToString(z.ZoneId) || v == aws.ToString(z.ZoneName) {
			return aws.ToString(z.ZoneName), nil
		}
	}
	return "", failover.Permanent(fmt.Errorf("%s is no zone of this Region", v))
}

// away checks the fields of a zone that is left.
func away(m *awsstep.Mistakes, zone failover.Ref, zones ZoneAPI) {
	m.IfGiven("Away", zone)
	if !zone.Zero() && zones == nil {
		m.Add("Zones", nil, "must be given with Away")
	}
}

// backups tells whether a database keeps backups.
func backups(i *types.DBInstance) []failover.Finding {
	if aws.ToInt32(i.BackupRetentionPeriod) > 0 {
		return nil
	}
	return []failover.Finding{{Level: failover.LevelWarn, Text: aws.ToString(i.DBInstanceIdentifier) + " keeps no backups: it can neither be restored nor have replicas"}}
}

// abroad tells whether a database has a replica in another Region.
func abroad(i *types.DBInstance) []failover.Finding {
	for _, replica := range i.ReadReplicaDBInstanceIdentifiers {
		if strings.HasPrefix(replica, "arn:") { // of the same Region it is a name
			return nil
		}
	}
	return []failover.Finding{{Level: failover.LevelWarn, Text: aws.ToString(i.DBInstanceIdentifier) + " has no replica in another Region"}}
}

// state tells in words what a database is like.
func state(i *types.DBInstance) string {
	return fmt.Sprintf("%s in %s is %s", aws.ToString(i.DBInstanceIdentifier), aws.ToString(i.AvailabilityZone), aws.ToString(i.DBInstanceStatus))
}
