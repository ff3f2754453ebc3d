package ec2svc

import (
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

// snapshotFilters are those on what a snapshot has by itself.
func snapshotFilters(tx *awstest.Tx, at time.Time) filterable[ec2model.Snapshot] {
	return filterable[ec2model.Snapshot]{
		"description":   one(func(s ec2model.Snapshot) string { return s.Description }),
		"encrypted":     one(func(s ec2model.Snapshot) string { return strconv.FormatBool(s.Encrypted) }),
		"owner-id":      one(func(s ec2model.Snapshot) string { return ownerOf(tx, s) }),
		"progress":      one(func(s ec2model.Snapshot) string { return progress(at, s) }),
		"snapshot-id":   one(func(s ec2model.Snapshot) string { return s.ID }),
		"start-time":    one(func(s ec2model.Snapshot) string { return showTime(s.StartedAt) }),
		"status":        one(func(s ec2model.Snapshot) string { return string(s.State) }),
		"storage-tier":  one(func(ec2model.Snapshot) string { return string(types.StorageTierStandard) }),
		"transfer-type": one(func(s ec2model.Snapshot) string { return string(transferType(s)) }),
		"volume-id":     one(func(s ec2model.Snapshot) string { return s.Volume }),
		"volume-size":   one(func(s ec2model.Snapshot) string { return strconv.Itoa(int(s.SizeGiB)) }),
	}
}

func (s *service) describeSnapshots(tx *awstest.Tx, call *awstest.Call, in *ec2.DescribeSnapshotsInput) (*ec2.DescribeSnapshotsOutput, error) {
	if len(in.SnapshotIds) > 0 && in.MaxResults != nil {
		return nil, awstest.Errorf("InvalidParameterCombination", "The parameter SnapshotIds cannot be used with the parameter MaxResults")
	}
	match, err := snapshotFilters(tx, call.At).matcher(call, in.Filters, tagsOf)
	if err != nil {
		return nil, err
	}
	region := s.region(tx, call)
	get := func(id string) (ec2model.Snapshot, error) { return region.Snapshot(call.At, id) }
	found, err := find(snapshotKind, in.SnapshotIds, get, region.Snapshots(call.At))
	if err != nil {
		return nil, err
	}
	found = only(found, func(s ec2model.Snapshot) bool {
		return len(in.OwnerIds) == 0 || slices.Contains(in.OwnerIds, ownerOf(tx, s)) || s.Owner == "" && slices.Contains(in.OwnerIds, "self")
	})
	found, next, err := page(only(found, match), in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &ec2.DescribeSnapshotsOutput{NextToken: next}
	for _, one := range found {
		out.Snapshots = append(out.Snapshots, showSnapshot(tx, call.At, one))
	}
	return out, nil
}

func showSnapshot(tx *awstest.Tx, at time.Time, s ec2model.Snapshot) types.Snapshot {
	out := types.Snapshot{
		SnapshotId: aws.String(s.ID), VolumeId: aws.String(s.Volume), VolumeSize: aws.Int32(s.SizeGiB), Description: aws.String(s.Description),
		StartTime: aws.Time(s.StartedAt), State: types.SnapshotState(s.State), Progress: aws.String(progress(at, s)), Encrypted: aws.Bool(s.Encrypted),
		OwnerId: aws.String(ownerOf(tx, s)), StorageTier: types.StorageTierStandard, Tags: showTags(tagsOf(s)),
	}
	if s.Encrypted {
		out.KmsKeyId = aws.String(s.Key)
	}
	if s.Message != "" {
		out.StateMessage = aws.String(s.Message)
	}
	if s.Within > 0 {
		out.TransferType, out.CompletionDurationMinutes = transferType(s), aws.Int32(int32(s.Within/time.Minute))
	}
	if s.State == ec2model.SnapshotCompleted {
		out.CompletionTime = aws.Time(s.EndedAt)
	}
	return out
}

func ownerOf(tx *awstest.Tx, s ec2model.Snapshot) string {
	if s.Owner != "" {
		return s.Owner
	}
	return tx.Cloud().AccountID()
}

// tagsOf returns the tags that the account sees: not those that another one has given.
func tagsOf(s ec2model.Snapshot) ec2model.Tags {
	if s.Owner != "" {
		return nil
	}
	return s.Tags
}

func progress(at time.Time, s ec2model.Snapshot) string { return strconv.Itoa(s.Progress(at)) + "%" }

func transferType(s ec2model.Snapshot) types.TransferType {
	if s.Within > 0 {
		return types.TransferTypeTimeBased
	}
	return types.TransferTypeStandard
}
