package snapshot

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

var opDescribeKey = operation{name: "DescribeKey", pace: paceRead, repeat: true}

// checkKey looks whether snapshots can be encrypted with a key. EC2 would accept a copy under a key that cannot be used, and fail later.
func (r *region) checkKey(ctx context.Context, key string) error {
	if key == "" {
		return nil
	}
	if r.clients.KMS == nil {
		return &OpError{Op: opDescribeKey.name, Region: r.name, Resource: key, Kind: ErrKey, Err: errors.New("Clients.KMS is not set, and the rule names a key")}
	}
	var out *kms.DescribeKeyOutput
	if err := r.do(ctx, opDescribeKey, key, func(ctx context.Context) (err error) {
		out, err = r.clients.KMS.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &key}, func(o *kms.Options) { o.Retryer = aws.NopRetryer{} })
		return err
	}); err != nil {
		return err
	}
	k := out.KeyMetadata
	if k == nil || k.KeyState != types.KeyStateEnabled || k.KeySpec != types.KeySpecSymmetricDefault || k.KeyUsage != types.KeyUsageTypeEncryptDecrypt {
		e := &OpError{Op: opDescribeKey.name, Region: r.name, Resource: key, Kind: ErrKey}
		if k != nil {
			e.Err = fmt.Errorf("it is %s, %s, for %s", k.KeyState, k.KeySpec, k.KeyUsage)
		}
		return e
	}
	return nil
}
