package snapshot_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/snapshot"
)

// A service that runs the policies of some files until it is told to stop.
func Example() { //nolint:testableexamples // needs an account
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	manager, err := snapshot.New(func(region string) snapshot.Clients {
		return snapshot.Clients{
			EC2: ec2.NewFromConfig(cfg, func(o *ec2.Options) { o.Region = region }),
			KMS: kms.NewFromConfig(cfg, func(o *kms.Options) { o.Region = region }),
		}
	}, func(o *snapshot.Options) {
		o.OnEvent = func(_ context.Context, e snapshot.Event) {
			if e.Kind == snapshot.PointAge && e.Age > 26*time.Hour {
				fmt.Println("no good backup since yesterday:", e.Series)
			}
		}
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	var policies []*snapshot.Policy
	for _, file := range os.Args[1:] {
		data, err := os.ReadFile(file)
		if err != nil {
			fmt.Println(err)
			return
		}
		policy, err := snapshot.ParsePolicy(data)
		if err != nil {
			fmt.Println(file, err)
			return
		}
		policies = append(policies, policy)
	}
	if err := manager.Run(ctx, policies...); err != nil {
		fmt.Println(err)
	}
}

// All mistakes of a policy are named at once, by their paths.
func ExampleParsePolicy() {
	_, err := snapshot.ParsePolicy([]byte(`{
		"name": "orders",
		"region": "us-east-1",
		"targets": {"volumes": {"ids": ["vol-1"]}, "buckets": {}},
		"retain": {"daily": 7, "within": "soon"},
		"copies": [{"region": "us-east-1"}]
	}`))
	var all interface{ Unwrap() []error }
	if errors.As(err, &all) {
		for _, one := range all.Unwrap() {
			var mistake *snapshot.FieldError
			if errors.As(one, &mistake) {
				fmt.Println(mistake.Field)
			}
		}
	}
	// Output:
	// copies[0].region
	// retain.within
	// targets.buckets
	// targets.volumes.ids[0]
}

// What a retention keeps can be asked without an account.
func ExamplePlanRetention() {
	monday := time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)
	var items []snapshot.Item
	for n := range 10 {
		items = append(items, snapshot.Item{
			ID: fmt.Sprintf("snap-%d", n), Series: "volume/vol-1", Time: monday.AddDate(0, 0, -n), State: snapshot.Completed,
		})
	}
	items[0].State = snapshot.Failed
	for _, d := range snapshot.PlanRetention(items, snapshot.Retention{Daily: 3, Weekly: 2}, monday.Add(time.Hour)) {
		fmt.Println(d.Item.Time.Format("Mon Jan 2"), d.Action, "-", d.Why())
	}
	// Output:
	// Mon Nov 23 keep - failed, to be looked at
	// Sun Nov 22 keep - daily 1 of 3, weekly 1 of 2
	// Sat Nov 21 keep - daily 2 of 3
	// Fri Nov 20 keep - daily 3 of 3
	// Thu Nov 19 delete - no rule keeps it
	// Wed Nov 18 delete - no rule keeps it
	// Tue Nov 17 delete - no rule keeps it
	// Mon Nov 16 delete - no rule keeps it
	// Sun Nov 15 keep - weekly 2 of 2
	// Sat Nov 14 delete - no rule keeps it
}

// A night job runs once on the day when its hour does not come, and once on the day when it comes twice.
func ExampleCron() {
	newYork, err := time.LoadLocation("America/New_York")
	if err != nil {
		fmt.Println(err)
		return
	}
	for expression, at := range map[string]time.Time{
		"30 2 * * *": time.Date(2026, 3, 7, 0, 0, 0, 0, newYork), "30 1 * * *": time.Date(2026, 10, 31, 0, 0, 0, 0, newYork),
	} {
		schedule, err := snapshot.Cron(expression, newYork)
		if err != nil {
			fmt.Println(err)
			return
		}
		for range 3 {
			at = schedule.Next(at)
			fmt.Println(at.Format("Jan 2 15:04 MST"))
		}
	}
	// Unordered output:
	// Mar 7 02:30 EST
	// Mar 8 03:00 EDT
	// Mar 9 02:30 EDT
	// Oct 31 01:30 EDT
	// Nov 1 01:30 EDT
	// Nov 2 01:30 EST
}

// A retention that names no rule keeps everything; the counts add up.
func ExampleRetention_String() {
	for _, r := range []snapshot.Retention{{}, {Last: 3, Daily: 7, Within: 48 * time.Hour}, {Yearly: snapshot.Unlimited}} {
		fmt.Println(r.String())
	}
	// Output:
	// everything
	// last 3, daily 7, within 48h0m0s
	// yearly all
}

// A region is lost, and its volumes are restored in the one that has the copies.
func ExampleManager_Restore() {
	ctx := context.Background()
	cloud, err := awstest.New([]awstest.Service{ec2svc.New(func(o *ec2svc.Options) {
		o.FullSnapshot, o.FullSnapshotCopy, o.VolumeCreating = ec2svc.Immediately, ec2svc.Immediately, ec2svc.Immediately
	})})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer cloud.Close()
	made, err := ec2.NewFromConfig(cloud.Config("us-east-1")).CreateVolume(ctx, &ec2.CreateVolumeInput{
		AvailabilityZone: aws.String("us-east-1a"), Size: aws.Int32(8),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := ec2svc.WriteVolume(cloud, "us-east-1", *made.VolumeId, "all orders"); err != nil {
		fmt.Println(err)
		return
	}

	manager, err := snapshot.New(func(region string) snapshot.Clients {
		return snapshot.Clients{EC2: ec2.NewFromConfig(cloud.Config(region))}
	}, func(o *snapshot.Options) { o.PollInterval = time.Millisecond })
	if err != nil {
		fmt.Println(err)
		return
	}
	policy := &snapshot.Policy{
		Name: "orders", Region: "us-east-1", Targets: snapshot.Targets{Volumes: snapshot.Selector{IDs: []string{*made.VolumeId}}},
		Copies: []snapshot.CopyRule{{Region: "us-west-2"}},
	}
	if _, err := manager.RunSlot(ctx, policy, time.Now()); err != nil {
		fmt.Println(err)
		return
	}

	if _, err := cloud.FailService(ec2.ServiceID, "us-east-1"); err != nil {
		fmt.Println(err)
		return
	}
	restored, err := manager.Restore(ctx, snapshot.RestoreRequest{
		Policy: policy, Series: snapshot.Series{Kind: snapshot.KindVolume, ID: *made.VolumeId}, Region: "us-west-2", Zone: "us-west-2b",
		Token: "disaster of 2026", // the same again makes nothing twice
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	data, err := ec2svc.ReadVolume(cloud, "us-west-2", restored.Volumes[0].ID)
	fmt.Println(data, err)
	// Output: all orders <nil>
}
