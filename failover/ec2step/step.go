package ec2step

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/internal/awsstep"
	"github.com/awsha/awsha/internal/awserr"
)

// apiEC2 is by which [failover.Options.Limits] counts the steps of this package.
const apiEC2 = "ec2"

// once keeps the SDK from repeating a request: the engine decides about that, after a look.
func once(o *ec2.Options) { o.RetryMaxAttempts = 1 }

func tags(of map[string]string) []types.Tag {
	all := make([]types.Tag, 0, len(of))
	for _, k := range slices.Sorted(maps.Keys(of)) {
		all = append(all, types.Tag{Key: aws.String(k), Value: aws.String(of[k])})
	}
	return all
}

// instanceReader is what reads one instance.
type instanceReader interface {
	DescribeInstances(ctx context.Context, params *ec2.DescribeInstancesInput, optFns ...func(*ec2.Options)) (*ec2.DescribeInstancesOutput, error)
}

// readInstance reads an instance by its ID. One that EC2 does not know is an error of class NotFound, also if the reply just leaves it out.
func readInstance(ctx context.Context, api instanceReader, id string) (*types.Instance, error) {
	out, err := awsstep.Call(ctx, "ec2:DescribeInstances", id, api.DescribeInstances, &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
	if err != nil {
		return nil, err
	}
	for _, r := range out.Reservations {
		for i := range r.Instances {
			if v := &r.Instances[i]; aws.ToString(v.InstanceId) == id && v.State != nil {
				return v, nil
			}
		}
	}
	return nil, &failover.CallError{Action: "ec2:DescribeInstances", Resource: id, Err: awserr.NoSuch(awserr.Instance)}
}
