package kmssvc

import (
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/kmsmodel"
)

func (s *service) addKeys(e *awstest.Endpoint) {
	awstest.Handle(e, s.createKey, "Description", "KeySpec", "CustomerMasterKeySpec", "KeyUsage", "Origin", "MultiRegion",
		// Accepted and without effect here:
		"Policy", "BypassPolicyLockoutSafetyCheck", "Tags")
	awstest.Handle(e, s.describeKey, "KeyId", "GrantTokens")
	awstest.Handle(e, s.listKeys, "Limit", "Marker")
	awstest.Handle(e, s.enableKey, "KeyId")
	awstest.Handle(e, s.disableKey, "KeyId")
}

// Source: https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html (read 2026-11)
const maxDescription = 8192

func (s *service) createKey(tx *awstest.Tx, call *awstest.Call, in *kms.CreateKeyInput) (*kms.CreateKeyOutput, error) {
	switch {
	case in.KeySpec != "" && in.KeySpec != types.KeySpecSymmetricDefault:
		return nil, call.NotModelled("key spec %s", in.KeySpec)
	case in.CustomerMasterKeySpec != "" && in.CustomerMasterKeySpec != types.CustomerMasterKeySpecSymmetricDefault: //nolint:staticcheck // who still sends it gets an answer
		return nil, call.NotModelled("key spec %s", in.CustomerMasterKeySpec) //nolint:staticcheck // as above
	case in.KeyUsage != "" && in.KeyUsage != types.KeyUsageTypeEncryptDecrypt:
		return nil, call.NotModelled("key usage %s", in.KeyUsage)
	case in.Origin != "" && in.Origin != types.OriginTypeAwsKms:
		return nil, call.NotModelled("key material of origin %s", in.Origin)
	case utf8.RuneCountInString(aws.ToString(in.Description)) > maxDescription:
		return nil, awstest.Errorf("ValidationException", "1 validation error detected: Value at 'description' failed to satisfy constraint: Member must have length less than or equal to %d", maxDescription)
	}
	k := s.region(call).CreateKey(tx, kmsmodel.KeySpec{Description: aws.ToString(in.Description), MultiRegion: aws.ToBool(in.MultiRegion)})
	return &kms.CreateKeyOutput{KeyMetadata: show(tx, call, k)}, nil
}

func (s *service) describeKey(tx *awstest.Tx, call *awstest.Call, in *kms.DescribeKeyInput) (*kms.DescribeKeyOutput, error) {
	k, err := s.region(call).Key(tx, call.At, aws.ToString(in.KeyId))
	if err != nil {
		return nil, err
	}
	return &kms.DescribeKeyOutput{KeyMetadata: show(tx, call, k)}, nil
}

// show tells what is known of a key.
func show(tx *awstest.Tx, call *awstest.Call, k kmsmodel.Key) *types.KeyMetadata {
	m := &types.KeyMetadata{
		KeyId: &k.ID, Arn: &k.ARN, AWSAccountId: aws.String(tx.Cloud().AccountID()), Description: &k.Description,
		CreationDate: &k.Created, Enabled: k.State == kmsmodel.Enabled, KeyState: types.KeyState(k.State), KeyManager: types.KeyManagerType(k.Manager),
		KeySpec: types.KeySpecSymmetricDefault, KeyUsage: types.KeyUsageTypeEncryptDecrypt,
		CustomerMasterKeySpec: types.CustomerMasterKeySpecSymmetricDefault, //nolint:staticcheck // KMS shows it still
		EncryptionAlgorithms:  []types.EncryptionAlgorithmSpec{types.EncryptionAlgorithmSpecSymmetricDefault}, Origin: types.OriginTypeAwsKms,
		MultiRegion: aws.Bool(k.MultiRegion),
	}
	if k.MultiRegion {
		m.MultiRegionConfiguration = &types.MultiRegionConfiguration{
			MultiRegionKeyType: types.MultiRegionKeyTypePrimary, ReplicaKeys: []types.MultiRegionKey{},
			PrimaryKey: &types.MultiRegionKey{Arn: &k.ARN, Region: aws.String(call.Region.Name())},
		}
	}
	if !k.Deletion.IsZero() {
		m.DeletionDate = &k.Deletion
	}
	return m
}

// Source: https://docs.aws.amazon.com/kms/latest/APIReference/API_ListKeys.html (read 2026-11)
const (
	keysPage    = 100
	maxKeysPage = 1000
)

func (s *service) listKeys(_ *awstest.Tx, call *awstest.Call, in *kms.ListKeysInput) (*kms.ListKeysOutput, error) {
	var found []types.KeyListEntry
	for k := range s.region(call).Keys(call.At) {
		found = append(found, types.KeyListEntry{KeyId: &k.ID, KeyArn: &k.ARN})
	}
	part, next, err := page(found, in.Marker, in.Limit, keysPage, maxKeysPage)
	if err != nil {
		return nil, err
	}
	return &kms.ListKeysOutput{Keys: part, NextMarker: next, Truncated: next != nil}, nil
}

func (s *service) enableKey(tx *awstest.Tx, call *awstest.Call, in *kms.EnableKeyInput) (*kms.EnableKeyOutput, error) {
	if err := s.region(call).SetEnabled(tx, aws.ToString(in.KeyId), true); err != nil {
		return nil, err
	}
	return &kms.EnableKeyOutput{}, nil
}

func (s *service) disableKey(tx *awstest.Tx, call *awstest.Call, in *kms.DisableKeyInput) (*kms.DisableKeyOutput, error) {
	if err := s.region(call).SetEnabled(tx, aws.ToString(in.KeyId), false); err != nil {
		return nil, err
	}
	return &kms.DisableKeyOutput{}, nil
}
