// Package rdsstep has steps for failover plans that act on Amazon RDS: a standby
// takes over, a reader becomes the writer, a replica becomes a database of its own,
// a database is restored.
//
//	steps := []failover.Step{
//		rdsstep.Failover(rdsClient, rdsstep.FailoverSpec{
//			ID: "database", Database: "orders", Away: failover.Fact(failover.FactZone), Zones: ec2Client, Probe: write,
//		}),
//	}
//
// # When to use it
//
// A Multi-AZ DB instance and a cluster fail over by themselves when their zone
// fails: the steps wait for that, make sure of it by a write, and ask for it where
// it does not happen, or before a zone is left on purpose. Across Regions nothing
// happens by itself: that is what [Promote] is for.
//
// Read replicas are no high availability: their promotion loses data, takes
// minutes, cannot be taken back, and leaves a database with another name in one
// zone. No step here uses one where a standby is missing.
//
// # How it works
//
//	Failover         RebootDBInstance with failover -> rebooting -> another zone, available -> probe
//	FailoverCluster  FailoverDBCluster, to a reader of choice -> failing-over -> another writer, available -> probe
//	Promote          lag <= MaxLag -> PromoteReadReplica -> modifying, rebooting -> no source, available -> probe
//	Restore          a point of a policy, or RDS's own backups, by package snapshot -> available -> probe
//
// What counts as done is that the role has moved, and that a write of yours
// ([Probe]) passes: RDS shows available before clients arrive. The probe is the guard
// against names that still lead to the old primary, too: connect anew in each.
//
// # Guarantees and failure modes
//
//   - None of RDS's calls has a token or a dry run. Each is in the journal before it
//     is sent, is sent with a single attempt, and not again until a minute has passed
//     in which nothing shows of it, whoever executes the plan by then.
//   - A failover that RDS has begun by itself is waited for, and not doubled.
//   - With Away, a database that has left the zone already is left alone.
//   - A replica that is further behind than may be lost is not promoted, nor one of
//     which nobody knows, and a restore does not take a point that is too old.
//   - The source of a promoted replica, if it lives, goes on taking writes: fence it.
//   - An operator who fails over between the last read of a step and its call is not
//     seen: the step would bring the primary back. RDS has no condition for that.
//
// # AWS calls and IAM actions
//
//	{"Version": "2012-10-17", "Statement": [
//		{"Effect": "Allow", "Resource": "*", "Action": ["rds:DescribeDBInstances", "rds:DescribeDBClusters",
//			"cloudwatch:GetMetricData", "ec2:DescribeAvailabilityZones"]},
//		{"Effect": "Allow", "Action": ["rds:RebootDBInstance", "rds:PromoteReadReplica"], "Resource": "arn:aws:rds:REGION:ACCOUNT:db:NAME"},
//		{"Effect": "Allow", "Action": "rds:FailoverDBCluster",
//			"Resource": ["arn:aws:rds:REGION:ACCOUNT:cluster:NAME", "arn:aws:rds:REGION:ACCOUNT:db:*"]}]}
//
// Restore needs what package snapshot says of RestoreDatabase.
// Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonrds.html (read 2026-11)
//
// # Limits
//
// Global databases of Aurora, blue/green deployments and Oracle's switchover are
// not here. Clocks decide how long ago a request was sent: those of two controllers
// may differ by some seconds.
//
// # Errors
//
// [ErrNoStandby], [ErrNoReader], [ErrNotReplica] and [ErrLag]; those of package snapshot
// from Restore; [*failover.CallError] for calls. The ready checks tell Multi-AZ that is
// off, backups that are off, a replica in another Region that is missing, and a lag that
// is over the limit; a missing permission to act shows when it is used.
//
// # Testing
//
// Package awstest with rdssvc runs all of it in testing/synctest bubbles. Package
// stepmock has mocks of the interfaces.
package rdsstep
