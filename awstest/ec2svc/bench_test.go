package ec2svc_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
)

// BenchmarkDescribeByID describes an instance by its ID among ten and among
// ten thousand: the cost is to be the same, and no more than twice.
func BenchmarkDescribeByID(b *testing.B) {
	zones := []string{zoneA, zoneB, "use1-az3"}
	for _, n := range []int{10, 10_000} {
		b.Run(fmt.Sprintf("among=%d", n), func(b *testing.B) {
			cloud, err := awstest.New([]awstest.Service{ec2svc.New()}, func(o *awstest.Options) { o.Latency, o.CallLog = awstest.NoLatency, 100 })
			if err != nil {
				b.Fatal(err)
			}
			defer cloud.Close()
			client := ec2.NewFromConfig(cloud.Config(region))
			var id string
			for left, z := n, 0; left > 0; z++ {
				out := must(client.RunInstances(b.Context(), run(int32(min(left, 4000)), func(in *ec2.RunInstancesInput) { in.Placement = at(zones[z]) })))(b)
				left -= len(out.Instances)
				id = *out.Instances[len(out.Instances)/2].InstanceId
			}
			b.ReportAllocs()
			for b.Loop() {
				out := must(client.DescribeInstances(b.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{id}}))(b)
				if aws.ToString(out.Reservations[0].Instances[0].InstanceId) != id {
					b.Fatal("not the one asked for")
				}
			}
		})
	}
}
