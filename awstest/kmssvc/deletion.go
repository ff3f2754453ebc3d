package kmssvc

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/kmsmodel"
)

func (s *service) addDeletion(e *awstest.Endpoint) {
	awstest.Handle(e, s.scheduleKeyDeletion, "KeyId", "PendingWindowInDays")
	awstest.Handle(e, s.cancelKeyDeletion, "KeyId")
}

func (s *service) scheduleKeyDeletion(tx *awstest.Tx, call *awstest.Call, in *kms.ScheduleKeyDeletionInput) (*kms.ScheduleKeyDeletionOutput, error) {
	days := kmsmodel.DefaultWindow
	if in.PendingWindowInDays != nil {
		days = int(*in.PendingWindowInDays)
	}
	k, err := s.region(call).ScheduleDeletion(tx, aws.ToString(in.KeyId), days)
	if err != nil {
		return nil, err
	}
	return &kms.ScheduleKeyDeletionOutput{
		KeyId: &k.ARN, DeletionDate: &k.Deletion, KeyState: types.KeyState(k.State), PendingWindowInDays: aws.Int32(int32(days)),
	}, nil
}

func (s *service) cancelKeyDeletion(tx *awstest.Tx, call *awstest.Call, in *kms.CancelKeyDeletionInput) (*kms.CancelKeyDeletionOutput, error) {
	k, err := s.region(call).CancelDeletion(tx, aws.ToString(in.KeyId))
	if err != nil {
		return nil, err
	}
	return &kms.CancelKeyDeletionOutput{KeyId: &k.ARN}, nil
}
