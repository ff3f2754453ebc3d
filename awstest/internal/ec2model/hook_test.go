package ec2model_test

import (
	"errors"
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
			r.Terminate(tx, []ec2model.Instance{i, i}, false) // the second time it is terminated already
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

// listen is a service that notes what status checks say of instances that it
// launches into the first zone.
func listen(t *testing.T, test func(launch func() ec2model.Instance, change func(func(*awstest.Tx, *ec2model.Region)), heard func() []string)) {
	t.Helper()
	var model *ec2model.Model
	var heard []string
	service := func(r *awstest.Registry) error {
		model = ec2model.Of(r)
		model.OnStatus(func(tx *awstest.Tx, _ *ec2model.Region, i ec2model.Instance, impaired bool) {
			heard = append(heard, fmt.Sprintf("%s %v impaired: %v", i.ID[len(i.ID)-2:], tx.Now().Sub(i.LaunchedAt), impaired))
		})
		return nil
	}
	svctest.InBubble(t, []awstest.Service{service}, func(t *testing.T, c *awstest.Cloud) {
		region := svctest.Must(c.Region("us-east-1"))(t)
		change := func(fn func(*awstest.Tx, *ec2model.Region)) {
			c.Update(func(tx *awstest.Tx) { fn(tx, model.Region(tx, region)) })
		}
		test(func() (i ec2model.Instance) {
			change(func(tx *awstest.Tx, r *ec2model.Region) {
				i = svctest.Must(r.Launch(tx, ec2model.LaunchData{Image: "ami-00000001"}, r.Subnets()[0].ID, nil))(t)
			})
			return i
		}, change, func() (list []string) {
			c.Update(func(*awstest.Tx) { list = heard }) // events run with the cloud locked
			return list
		})
	})
}

// TestStatusOfAMachineThatNeverComesUp has a fault keep a machine down that is
// launched, started or rebooted: nothing changes about it, and it is impaired.
func TestStatusOfAMachineThatNeverComesUp(t *testing.T) {
	t.Parallel()
	listen(t, func(launch func() ec2model.Instance, change func(func(*awstest.Tx, *ec2model.Region)), heard func() []string) {
		i := launch()
		defer i.Machine.Fail(awstest.PowerLoss)()
		list := []ec2model.Instance{i}
		now := func(tx *awstest.Tx, r *ec2model.Region) (out []ec2model.Instance) {
			for _, i := range list {
				out = append(out, svctest.Must(r.Instance(tx.Now(), i.ID))(t))
			}
			return out
		}
		time.Sleep(10 * time.Minute)
		change(func(tx *awstest.Tx, r *ec2model.Region) { svctest.Must(r.Stop(tx, now(tx, r), false))(t) })
		time.Sleep(10 * time.Minute)
		change(func(tx *awstest.Tx, r *ec2model.Region) { svctest.Must(r.Start(tx, now(tx, r)))(t) })
		time.Sleep(10 * time.Minute)
		change(func(tx *awstest.Tx, r *ec2model.Region) {
			if err := r.Reboot(tx, now(tx, r)); err != nil {
				t.Error(err)
			}
		})
		time.Sleep(10 * time.Minute)
		want := []string{
			"01 2m15s impaired: true",  // launched
			"01 22m15s impaired: true", // started
			"01 30m0s impaired: false", // rebooted: the checks start anew
			"01 32m0s impaired: true",
		}
		if diff := cmp.Diff(want, heard()); diff != "" {
			t.Error(diff)
		}
	})
}

// TestStatusIsToldInOrder has a zone fail: who replaces what was in it does so
// in the same order each time.
func TestStatusIsToldInOrder(t *testing.T) {
	t.Parallel()
	listen(t, func(launch func() ec2model.Instance, _ func(func(*awstest.Tx, *ec2model.Region)), heard func() []string) {
		var want []string
		var zone *awstest.Zone
		for n := range 12 {
			zone = launch().Zone
			want = append(want, fmt.Sprintf("%02x 12m0s impaired: true", n+1))
		}
		time.Sleep(10 * time.Minute)
		defer zone.Fail(awstest.PowerLoss)()
		time.Sleep(10 * time.Minute)
		if diff := cmp.Diff(want, heard()); diff != "" {
			t.Error(diff)
		}
	})
}

// TestLaunchIntoASubnetBesideAnInterface refuses to launch elsewhere, as EC2
// does when it is asked for both.
func TestLaunchIntoASubnetBesideAnInterface(t *testing.T) {
	t.Parallel()
	listen(t, func(_ func() ec2model.Instance, change func(func(*awstest.Tx, *ec2model.Region)), _ func() []string) {
		change(func(tx *awstest.Tx, r *ec2model.Region) {
			n := svctest.Must(r.CreateInterface(tx, ec2model.InterfaceSpec{Subnet: r.Subnets()[0].ID}))(t)
			i, err := r.Launch(tx, ec2model.LaunchData{Image: "ami-00000001", Interface: n.ID}, r.Subnets()[1].ID, nil)
			if api, ok := errors.AsType[*awstest.APIError](err); !ok || api.Code != "InvalidParameterCombination" {
				t.Errorf("launched in %v, error %v", i.Zone, err)
			}
		})
	})
}
