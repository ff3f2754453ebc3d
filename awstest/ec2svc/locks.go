package ec2svc

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

func (s *service) addLocks(e *awstest.Endpoint) {
	handle(e, s.lockSnapshot, "SnapshotId", "LockMode", "CoolOffPeriod", "LockDuration", "ExpirationDate")
	handle(e, s.unlockSnapshot, "SnapshotId")
	handle(e, s.describeLockedSnapshots, "SnapshotIds", "Filters", "MaxResults", "NextToken")
}

// Bounds of a lock. Source: LockSnapshotInput of the SDK (read 2026-11)
const maxLockDays, maxCoolOff = 36500, 72

func (s *service) lockSnapshot(tx *awstest.Tx, call *awstest.Call, in *ec2.LockSnapshotInput) (*ec2.LockSnapshotOutput, error) {
	if err := snapshotKind.check(aws.ToString(in.SnapshotId)); err != nil {
		return nil, err
	}
	lock := ec2model.Lock{Compliance: in.LockMode == types.LockModeCompliance, Days: aws.ToInt32(in.LockDuration), CoolOff: aws.ToInt32(in.CoolOffPeriod)}
	switch days := in.LockDuration; {
	case in.LockMode != types.LockModeCompliance && in.LockMode != types.LockModeGovernance:
		return nil, awstest.Errorf("InvalidParameterValue", "The value '%s' for LockMode is not valid.", in.LockMode)
	case (days == nil) == (in.ExpirationDate == nil):
		return nil, awstest.Errorf("InvalidParameterCombination", "Either LockDuration or ExpirationDate must be specified, and not both.")
	case days != nil && (*days < 1 || *days > maxLockDays):
		return nil, awstest.Errorf("InvalidParameterValue", "The value %d for LockDuration is not valid.", *days)
	case in.CoolOffPeriod != nil && (!lock.Compliance || lock.CoolOff < 1 || lock.CoolOff > maxCoolOff):
		return nil, awstest.Errorf("InvalidParameterValue", "The value %d for CoolOffPeriod is not valid.", lock.CoolOff)
	case days != nil:
		lock.ExpiresAt = tx.Now().AddDate(0, 0, int(*days))
	default:
		lock.ExpiresAt = *in.ExpirationDate
		lock.Days = int32(lock.ExpiresAt.Sub(tx.Now()) / (24 * time.Hour))
	}
	if !lock.ExpiresAt.After(tx.Now()) {
		return nil, awstest.Errorf("InvalidParameterValue", "The value %s for ExpirationDate is not valid.", showTime(lock.ExpiresAt))
	}
	locked, err := s.region(tx, call).LockSnapshot(tx, *in.SnapshotId, lock)
	if err != nil {
		return nil, err
	}
	shown := showLock(tx, tx.Now(), locked)
	return &ec2.LockSnapshotOutput{
		SnapshotId: shown.SnapshotId, LockState: shown.LockState, LockDuration: shown.LockDuration, LockCreatedOn: shown.LockCreatedOn,
		LockDurationStartTime: shown.LockDurationStartTime, LockExpiresOn: shown.LockExpiresOn, CoolOffPeriod: shown.CoolOffPeriod,
		CoolOffPeriodExpiresOn: shown.CoolOffPeriodExpiresOn,
	}, nil
}

func (s *service) unlockSnapshot(tx *awstest.Tx, call *awstest.Call, in *ec2.UnlockSnapshotInput) (*ec2.UnlockSnapshotOutput, error) {
	if err := snapshotKind.check(aws.ToString(in.SnapshotId)); err != nil {
		return nil, err
	}
	if err := s.region(tx, call).UnlockSnapshot(tx, *in.SnapshotId); err != nil {
		return nil, err
	}
	return &ec2.UnlockSnapshotOutput{SnapshotId: in.SnapshotId}, nil
}

func (s *service) describeLockedSnapshots(tx *awstest.Tx, call *awstest.Call, in *ec2.DescribeLockedSnapshotsInput) (*ec2.DescribeLockedSnapshotsOutput, error) {
	filters := filterable[ec2model.Snapshot]{"lock-state": one(func(s ec2model.Snapshot) string { return s.Lock.State(call.At) })}
	match, err := filters.matcher(call, in.Filters, nil)
	if err != nil {
		return nil, err
	}
	region := s.region(tx, call)
	get := func(id string) (ec2model.Snapshot, error) { return region.Snapshot(call.At, id) }
	found, err := find(snapshotKind, in.SnapshotIds, get, region.Snapshots(call.At))
	if err != nil {
		return nil, err
	}
	found = only(found, func(s ec2model.Snapshot) bool { return s.Lock.State(call.At) != "" && match(s) })
	found, next, err := page(found, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &ec2.DescribeLockedSnapshotsOutput{NextToken: next}
	for _, one := range found {
		out.Snapshots = append(out.Snapshots, showLock(tx, call.At, one))
	}
	return out, nil
}

func showLock(tx *awstest.Tx, at time.Time, s ec2model.Snapshot) types.LockedSnapshotsInfo {
	l := &s.Lock
	out := types.LockedSnapshotsInfo{
		SnapshotId: aws.String(s.ID), OwnerId: aws.String(tx.Cloud().AccountID()), LockState: types.LockState(l.State(at)), LockDuration: aws.Int32(l.Days),
		LockCreatedOn: aws.Time(l.CreatedAt), LockDurationStartTime: aws.Time(l.StartedAt), LockExpiresOn: aws.Time(l.ExpiresAt),
	}
	if l.CoolOff > 0 {
		out.CoolOffPeriod, out.CoolOffPeriodExpiresOn = aws.Int32(l.CoolOff), aws.Time(l.CoolOffUntil)
	}
	return out
}
