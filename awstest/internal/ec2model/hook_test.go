package ec2model_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestHooks has a service that replaces what is terminated, as Auto Scaling
// does, hear of everything that happens to its instances.
func TestHooks(t *testing.T) {
	t.Parallel()
	var model *ec2model.Model
	var heard []string
	start := time.Duration(0)
	note := func(tx *awstest.Tx, format string, args ...any) {
		at := time.Duration(tx.Now().UnixNano()) - start
		heard = append(heard, fmt.Sprintf("%v ", at)+fmt.Sprintf(format, args...))
	}
	launch := func(tx *awstest.Tx, r *ec2model.Region) ec2model.Instance {
		data := ec2model.LaunchData{Image: "ami-00000001", Type: "t3.micro", ZoneName: "elsewhere"}
		i, err := r.Launch(tx, data, r.Subnets()[1].ID, ec2model.Tags{{Key: "aws:autoscaling:groupName", Value: "web"}})
		if err != nil {
			t.Error(err)
		}
		return i
	}
	service := func(r *awstest.Registry) error {
		model = ec2model.Of(r)
		model.OnState(func(tx *awstest.Tx, r *ec2model.Region, i ec2model.Instance) {
			note(tx, "%s %s", i.ID[len(i.ID)-1:], i.State)
			if i.State == ec2model.ShuttingDown && i.ID[len(i.ID)-1:] == "1" {
				launch(tx, r)
			}
		})
		model.OnStatus(func(tx *awstest.Tx, _ *ec2model.Region, i ec2model.Instance, impaired bool) {
			note(tx, "%s impaired: %v", i.ID[len(i.ID)-1:], impaired)
		})
		return nil
	}
	svctest.InBubble(t, []awstest.Service{service}, func(t *testing.T, c *awstest.Cloud) {
		start = time.Duration(time.Now().UnixNano())
		region := svctest.Must(c.Region("us-east-1"))(t)
		var first ec2model.Instance
		c.Update(func(tx *awstest.Tx) { first = launch(tx, model.Region(tx, region)) })
		if first.Zone != region.Zones()[1] || first.Tags[0].Value != "web" {
			t.Errorf("launched in %s with %v", first.Zone.ID(), first.Tags)
		}
		time.Sleep(time.Minute)
		heal := first.Machine.Fail(awstest.PowerLoss)
		time.Sleep(time.Minute)
		heal() // before it was seen
		time.Sleep(8 * time.Minute)
		heal = first.Zone.Fail(awstest.NetworkLoss)
		time.Sleep(10 * time.Minute)
		heal()
		time.Sleep(10 * time.Minute)
		defer first.Machine.Fail(awstest.PowerLoss)() // once more, and it is terminated before it comes back
		time.Sleep(10 * time.Minute)
		c.Update(func(tx *awstest.Tx) {
			r := model.Region(tx, region)
			i, err := r.Instance(tx.Now(), first.ID)
			if err != nil {
				t.Fatal(err)
			}
			r.Terminate(tx, []ec2model.Instance{i, i}) // the second time it is terminated already
		})
		time.Sleep(time.Hour)
	})
	want := []string{
		"0s 1 pending", "15s 1 running",
		"12m0s 1 impaired: true", "22m0s 1 impaired: false",
		"32m0s 1 impaired: true",
		"40m0s 1 shutting-down", "40m0s 2 pending", "40m15s 2 running", "40m30s 1 terminated",
	}
	if diff := cmp.Diff(want, heard); diff != "" {
		t.Error(diff)
	}
}
