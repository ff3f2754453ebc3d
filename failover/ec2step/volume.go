package ec2step

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/internal/awsstep"
	"github.com/awsha/awsha/internal/awserr"
)

// readVolume reads a volume together with other steps that ask for it. One that EC2 does not know is an error of class NotFound.
func readVolume(ctx context.Context, env *failover.Env, api VolumeAPI, id string) (*types.Volume, error) {
	const action = "ec2:DescribeVolumes"
	return failover.Share(ctx, env, action+" "+id, func(ctx context.Context) (*types.Volume, error) {
		out, err := awsstep.Call(ctx, action, id, api.DescribeVolumes, &ec2.DescribeVolumesInput{VolumeIds: []string{id}})
		if err != nil {
			return nil, err
		}
		for i := range out.Volumes {
			if v := &out.Volumes[i]; aws.ToString(v.VolumeId) == id {
				return v, nil
			}
		}
		return nil, &failover.CallError{Action: action, Resource: id, Err: awserr.NoSuch(awserr.Volume)}
	})
}

// attachment returns that of a volume to an instance, and one to any other. The state of the volume says less: it is in use while it is attached to anything
// and until a while after.
func attachment(v *types.Volume, instance string) (own, other *types.VolumeAttachment) {
	for i := range v.Attachments {
		switch a := &v.Attachments[i]; {
		case a.State == types.VolumeAttachmentStateDetached:
		case aws.ToString(a.InstanceId) == instance:
			own = a
		default:
			other = a
		}
	}
	return own, other
}

// keyAsked is under which the journal has when a change was asked for, by the clock of whoever asked.
const keyAsked = "asked"

func putAsked(env *failover.Env) { env.Put(keyAsked, time.Now().UTC().Format(time.RFC3339)) }

// askedFor is how long ago that was, as far as two clocks can tell; zero if nothing was asked for.
func askedFor(env *failover.Env) time.Duration {
	at, err := time.Parse(time.RFC3339, env.Outputs()[keyAsked])
	if err != nil {
		return 0
	}
	return time.Since(at)
}

// both resolves two references.
func both(env *failover.Env, a, b failover.Ref) (first, second string, err error) {
	if first, err = a.Get(env); err == nil {
		second, err = b.Get(env)
	}
	return first, second, err
}
