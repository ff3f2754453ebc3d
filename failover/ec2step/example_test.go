package ec2step_test

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/ec2step"
)

// A replacement is launched where there is capacity, which a dry look at the inventory shows beforehand.
func Example() {
	cloud, err := awstest.New([]awstest.Service{ec2svc.New(func(o *ec2svc.Options) { o.Pending = 10 * time.Millisecond })})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer cloud.Close()
	client := ec2.NewFromConfig(cloud.Config("us-east-1"))
	zone, err := cloud.Zone("use1-az2")
	if err != nil {
		fmt.Println(err)
		return
	}
	zone.Fail(awstest.PowerLoss)

	ctx := context.Background()
	inventory, err := ec2step.Survey(ctx, client, ec2step.SurveyRequest{Types: []string{"m7g.large"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	wish := ec2step.Wish{Types: []string{"m7g.large"}}
	var subnets []string
	for _, s := range inventory.Subnets {
		subnets = append(subnets, s.ID)
	}
	fmt.Println("first choice:", ec2step.Ladder(inventory, wish, nil)[0].ZoneID)

	locker, err := failover.NewLocker(new(failover.MemoryStore))
	if err != nil {
		fmt.Println(err)
		return
	}
	engine, err := failover.New(locker, new(failover.MemoryJournal), func(o *failover.Options) { o.PollInterval = 5 * time.Millisecond })
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = engine.Execute(ctx, "orders-1", failover.Plan{Service: "orders", Steps: []failover.Step{
		ec2step.Launch(client, ec2step.LaunchSpec{
			ID: "launch", Image: failover.Literal("ami-12345678"), Types: wish.Types, Subnets: subnets,
			Avoid: []failover.Ref{failover.Fact(failover.FactZone)},
		}),
	}}, func(o *failover.ExecOptions) { o.Facts = map[string]string{failover.FactZone: "use1-az2"} })
	if err != nil {
		fmt.Println(err)
		return
	}
	out, err := client.DescribeInstances(ctx, &ec2.DescribeInstancesInput{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("launched in:", *out.Reservations[0].Instances[0].Placement.AvailabilityZoneId)
	// Output:
	// first choice: use1-az3
	// launched in: use1-az3
}

// The loss of each zone is imagined, and what is missing then is told.
func ExampleStability() {
	inventory := &ec2step.Inventory{
		Zones:   []ec2step.Zone{{ID: "use1-az1"}, {ID: "use1-az2"}},
		Subnets: []ec2step.Subnet{{ID: "subnet-1", ZoneID: "use1-az1", Free: 100}, {ID: "subnet-2", ZoneID: "use1-az2", Free: 100}},
		Instances: []ec2step.Instance{
			{ID: "i-1", ZoneID: "use1-az1", Type: "m7g.large", Tags: map[string]string{"app": "orders"}},
			{ID: "i-2", ZoneID: "use1-az2", Type: "m7g.large", Tags: map[string]string{"app": "orders"}},
		},
		Reservations: []ec2step.Reservation{
			{ID: "cr-1", ZoneID: "use1-az2", Type: "m7g.large", Platform: ec2step.DefaultPlatform, Tenancy: "default", Total: 1, Free: 1},
		},
	}
	fmt.Print(ec2step.Stability(inventory, []ec2step.Fleet{{Name: "orders", Tags: map[string]string{"app": "orders"}, Needed: 2}}))
	// Output:
	// stable: without use1-az1
	//   orders: 1 lost, 1 left, 2 needed; 1 m7g.large in use1-az2, cr-1
	// NOT STABLE: without use1-az2
	//   orders: 1 lost, 1 left, 2 needed; nothing is reserved for 1
}
