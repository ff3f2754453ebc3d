package preset_test

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/ec2step"
	"github.com/awsha/awsha/failover/preset"
)

// A plan is read before it is trusted: its order, what it takes, and on what it depends.
func ExampleReplaceInstance() {
	client := ec2.NewFromConfig(aws.Config{Region: "us-east-1"})
	plan := preset.ReplaceInstance(client, nil, preset.Replacement{
		Service: "orders", Volumes: []string{"vol-1"}, Zone: failover.Literal("use1-az1"), Addresses: []string{"eipalloc-1"},
		Launch: ec2step.LaunchSpec{Image: failover.Literal("ami-1"), Types: []string{"m7g.large", "m7i.large"}, Subnets: []string{"subnet-1"}},
	})
	path, estimate := plan.CriticalPath()
	fmt.Println(plan.Order())
	fmt.Println(path, estimate)
	fmt.Println("worst plane:", plan.WorstPlane())
	// Output:
	// [fence launch detach-1 attach-1 address-1]
	// [launch attach-1 address-1] 37s
	// worst plane: create
}
