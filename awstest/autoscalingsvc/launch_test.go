package autoscalingsvc_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/awsha/awsha/awstest/internal/svctest"
)

func TestLaunchInstances(t *testing.T) {
	t.Parallel()
	launch := func(w *world, token string, n int32, change func(*autoscaling.LaunchInstancesInput)) (*autoscaling.LaunchInstancesOutput, error) {
		in := &autoscaling.LaunchInstancesInput{AutoScalingGroupName: new("g"), ClientToken: &token, RequestedCapacity: &n, AvailabilityZones: w.names(1)}
		change(in)
		return w.LaunchInstances(w.Context(), in)
	}
	nothing := func(*autoscaling.LaunchInstancesInput) {}
	t.Run("they are there at once, and once per token", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			w.group("g", 0, 4, 0)
			out := svctest.Must(launch(w, "a", 2, nothing))(t)
			if len(out.Instances) != 1 || len(out.Instances[0].InstanceIds) != 2 || len(out.Errors) != 0 {
				t.Fatalf("%v", out)
			}
			if i := out.Instances[0]; *i.AvailabilityZone != "us-east-1a" || *i.AvailabilityZoneId != "use1-az2" || *i.InstanceType != instanceType || *i.MarketType != "OnDemand" || *i.SubnetId != "subnet-00000000000000001" {
				t.Errorf("%v", i)
			}
			w.wantShape("g", "Pending a:2")
			w.wantDesired(2)
			if again := svctest.Must(launch(w, "a", 2, nothing))(t); !equal(again.Instances[0].InstanceIds, out.Instances[0].InstanceIds) {
				t.Errorf("%v, and then %v", out.Instances[0].InstanceIds, again.Instances[0].InstanceIds)
			}
			_, err := launch(w, "a", 1, nothing)
			svctest.WantCode(t, err, "IdempotentParameterMismatch")
			time.Sleep(time.Minute)
			w.until("g", "InService a:1 b:1") // they may be rebalanced
		})
	})
	t.Run("without capacity it says so, and goes on by itself only if asked to", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			defer w.zones[0].RefuseLaunches("")()
			w.group("g", 0, 4, 0)
			out := svctest.Must(launch(w, "a", 2, nothing))(t)
			if len(out.Instances) != 0 || len(out.Errors) != 1 || *out.Errors[0].ErrorCode != "InsufficientInstanceCapacity" || *out.Errors[0].AvailabilityZone != "us-east-1a" {
				t.Fatalf("%v", out)
			}
			w.wantDesired(0)
			if w.failures("g") != 1 {
				t.Errorf("%d launches have failed", w.failures("g"))
			}
			svctest.Must(launch(w, "b", 2, func(in *autoscaling.LaunchInstancesInput) {
				in.RetryStrategy = types.RetryStrategyRetryWithGroupConfiguration
			}))(t)
			w.wantDesired(2)
			w.until("g", "InService b:2")
		})
	})
	t.Run("into a subnet", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			w.group("g", 0, 4, 0)
			svctest.Must(launch(w, "a", 1, func(in *autoscaling.LaunchInstancesInput) {
				in.AvailabilityZones, in.SubnetIds = nil, []string{"subnet-00000000000000002"}
			}))(t)
			w.wantShape("g", "Pending b:1")
		})
	})
	t.Run("what is refused", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			w.group("g", 0, 4, 2)
			for name, change := range map[string]func(*autoscaling.LaunchInstancesInput){
				"no place":                 func(in *autoscaling.LaunchInstancesInput) { in.AvailabilityZones = nil },
				"another zone":             func(in *autoscaling.LaunchInstancesInput) { in.AvailabilityZones = []string{"us-east-1f"} },
				"two zones":                func(in *autoscaling.LaunchInstancesInput) { in.AvailabilityZones = w.names(2) },
				"names and IDs":            func(in *autoscaling.LaunchInstancesInput) { in.AvailabilityZoneIds = []string{"use1-az2"} },
				"a subnet of another zone": func(in *autoscaling.LaunchInstancesInput) { in.SubnetIds = []string{"subnet-00000000000000002"} },
				"more than the maximum":    func(in *autoscaling.LaunchInstancesInput) { in.RequestedCapacity = new(int32(3)) },
				"none":                     func(in *autoscaling.LaunchInstancesInput) { in.RequestedCapacity = new(int32(0)) },
				"a token with a space":     func(in *autoscaling.LaunchInstancesInput) { in.ClientToken = new("a b") },
				"another group":            func(in *autoscaling.LaunchInstancesInput) { in.AutoScalingGroupName = new("other") },
				"an unknown strategy":      func(in *autoscaling.LaunchInstancesInput) { in.RetryStrategy = "twice" },
			} {
				if _, err := launch(w, "t", 1, change); err == nil {
					t.Errorf("%s is accepted", name)
				} else {
					svctest.WantCode(t, err, "ValidationError")
				}
			}
			w.wantDesired(2)
		})
	})
}
