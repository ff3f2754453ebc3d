package autoscalingsvc_test

import (
	"github.com/awsha/awsha/awstest/internal/ec2model"
	"github.com/awsha/awsha/awstest/internal/zonalshiftmodel"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

func TestBalance(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.group("g", 0, 10, 7, w.inZones(3))
		w.wantShape("g", "InService a:3 b:2 c:2")
		w.setDesired("g", 4)
		time.Sleep(time.Minute)
		w.wantShape("g", "InService a:2 b:1 c:1") // the fullest zone first, then the oldest of all
		w.setDesired("g", 9)
		time.Sleep(time.Minute)
		w.wantShape("g", "InService a:3 b:3 c:3")
	})
}

func TestZoneWithoutCapacity(t *testing.T) {
	t.Parallel()
	t.Run("other zones take its share, and the group is rebalanced when it is back", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			heal := w.zones[0].RefuseLaunches(instanceType)
			w.group("g", 0, 4, 4)
			w.wantShape("g", "InService b:4")
			a := w.activities("g")
			last := a[len(a)-1]
			if last.StatusCode != types.ScalingActivityStatusCodeFailed || last.EndTime == nil || *last.Progress != 100 {
				t.Errorf("%s, ended %v", last.StatusCode, last.EndTime)
			}
			const says = "We currently do not have sufficient t3.micro capacity in the Availability Zone you requested (us-east-1a). Launching EC2 instance failed."
			if *last.StatusMessage != says || *last.Description != "Launching a new EC2 instance.  Status Reason: "+says {
				t.Errorf("%q, %q", *last.StatusMessage, *last.Description)
			}
			// Tried again after 30 s, 1, 2, 4, 8 and then 10 minutes each.
			time.Sleep(time.Hour)
			if n := w.failures("g"); n != 10 {
				t.Errorf("%d launches have failed, want 10", n)
			}
			heal()
			w.until("g", "InService b:4, Pending a:1") // one more than the maximum
			if took := w.until("g", "InService a:2 b:2"); took > 5*time.Minute {
				t.Errorf("rebalancing has taken %v", took)
			}
			for _, a := range w.activities("g") {
				if strings.Contains(*a.Cause, "to aid in balancing") && !strings.HasPrefix(*a.Description, "Launching a new EC2 instance") {
					t.Errorf("%s because %s", *a.Description, *a.Cause)
				}
			}
		})
	})
	t.Run("a group that is balanced only waits for the zone", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			heal := w.zones[0].RefuseLaunches("")
			w.group("g", 0, 4, 4, balancedOnly)
			time.Sleep(time.Hour)
			w.wantShape("g", "InService b:2")
			heal()
			w.until("g", "InService a:2 b:2")
		})
	})
	t.Run("no zone has any", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			healA, healB := w.zones[0].RefuseLaunches(""), w.zones[1].RefuseLaunches("")
			w.group("g", 0, 4, 2)
			time.Sleep(10 * time.Minute)
			w.wantShape("g", "")
			if got := *w.describe("g").DesiredCapacity; got != 2 {
				t.Errorf("the desired capacity is %d", got)
			}
			healB()
			w.until("g", "InService b:2")
			healA()
			w.until("g", "InService a:1 b:1")
		})
	})
	t.Run("of another type does not matter", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			defer w.zones[0].RefuseLaunches("m5.large")()
			w.group("g", 0, 4, 4)
			w.wantShape("g", "InService a:2 b:2")
		})
	})
}

func TestZoneFails(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]awstest.Fault{"without power": awstest.PowerLoss, "without network": awstest.NetworkLoss} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				w.group("g", 0, 6, 6, w.inZones(3))
				w.wantShape("g", "InService a:2 b:2 c:2")
				heal := w.zones[0].Fail(fault)
				// Status checks fail after two minutes and are let pass for three.
				// Then one instance is replaced after the other: two are a third of
				// the group. Those in the dead zone shut down when it is back.
				took := w.until("g", "InService b:3 c:3, Terminating a:2")
				if took < 5*time.Minute || took > 7*time.Minute {
					t.Errorf("the instances of the zone were replaced after %v, want from 5 to 7 minutes", took)
				}
				time.Sleep(time.Hour)
				w.wantShape("g", "InService b:3 c:3, Terminating a:2")
				heal()
				w.until("g", "InService a:2 b:2 c:2")
				for _, a := range w.activities("g") {
					if a.StatusCode != types.ScalingActivityStatusCodeSuccessful && a.StatusCode != types.ScalingActivityStatusCodeFailed {
						t.Errorf("%s is %s", *a.Description, a.StatusCode)
					}
				}
			})
		})
	}
	t.Run("a short failure does nothing", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			before := w.group("g", 0, 2, 2)
			heal := w.zones[0].Fail(awstest.PowerLoss)
			time.Sleep(2*time.Minute + 30*time.Second)
			heal()
			time.Sleep(time.Hour)
			if got := w.inService("g"); !equal(got, before) {
				t.Errorf("the instances were %v and are %v", before, got)
			}
		})
	})
	t.Run("a launch that is under way is made elsewhere", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			svctest.Must(w.CreateAutoScalingGroup(w.Context(), w.input("g", 0, 2, 2)))(t)
			time.Sleep(6 * time.Second)
			w.wantShape("g", "Pending a:1 b:1")
			heal := w.zones[0].Fail(awstest.PowerLoss)
			w.until("g", "InService b:2, Terminating a:1")
			heal()
			w.until("g", "InService a:1 b:1")
		})
	})
}

func equal(a, b []string) bool { return strings.Join(a, " ") == strings.Join(b, " ") }

func TestRebalancing(t *testing.T) {
	t.Parallel()
	t.Run("to other zones, new instances come before old ones go", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			w.group("g", 0, 4, 4)
			svctest.Must(w.UpdateAutoScalingGroup(w.Context(), &autoscaling.UpdateAutoScalingGroupInput{
				AutoScalingGroupName: new("g"), AvailabilityZones: []string{w.zones[1].Name(), w.zones[2].Name()},
			}))(t)
			least, most := 4, 4
			for w.shape("g") != "InService b:2 c:2" {
				if time.Since(w.start) > time.Hour {
					t.Fatalf("the group stays %s", w.shape("g"))
				}
				least, most = min(least, len(w.inService("g"))), max(most, w.capacity("g"))
				time.Sleep(time.Second)
			}
			if least != 4 || most != 5 {
				t.Errorf("never less than %d instances were in service, and never more than %d there; want 4 and 5", least, most)
			}
		})
	})
	t.Run("the margin is a tenth of the maximum", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			heal := w.zones[0].RefuseLaunches("")
			w.group("g", 0, 30, 30)
			w.wantShape("g", "InService b:30")
			heal()
			most := 0
			for w.shape("g") != "InService a:15 b:15" {
				if time.Since(w.start) > 3*time.Hour {
					t.Fatalf("the group stays %s", w.shape("g"))
				}
				most = max(most, w.capacity("g"))
				time.Sleep(time.Second)
			}
			if most != 33 {
				t.Errorf("the group has had up to %d instances, want 33", most)
			}
		})
	})
	t.Run("what is protected stays", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			heal := w.zones[0].RefuseLaunches("")
			ids := w.group("g", 0, 4, 4)
			svctest.Must(w.SetInstanceProtection(w.Context(), &autoscaling.SetInstanceProtectionInput{AutoScalingGroupName: new("g"), InstanceIds: ids, ProtectedFromScaleIn: new(true)}))(t)
			heal()
			time.Sleep(time.Hour)
			w.wantShape("g", "InService b:4")
		})
	})
}

func TestBackOffBeginsAnew(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		heal := w.zones[0].RefuseLaunches("")
		w.group("g", 0, 4, 2)
		time.Sleep(time.Hour)
		heal()
		w.until("g", "InService a:1 b:1")
		heal = w.zones[0].RefuseLaunches("")
		before := w.failures("g")
		w.setDesired("g", 4)
		time.Sleep(time.Minute)
		if n := w.failures("g") - before; n != 2 { // at once, and after half a minute
			t.Errorf("%d launches have failed, want 2", n)
		}
		heal()
	})
}

func zonalShift(behavior types.ImpairedZoneHealthCheckBehavior) func(*autoscaling.CreateAutoScalingGroupInput) {
	return func(in *autoscaling.CreateAutoScalingGroupInput) {
		in.AvailabilityZoneImpairmentPolicy = &types.AvailabilityZoneImpairmentPolicy{ZonalShiftEnabled: new(true), ImpairedZoneHealthCheckBehavior: behavior}
	}
}

func TestZonalShift(t *testing.T) {
	t.Parallel()
	t.Run("launches stay out of the zone until it ends", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			w.group("g", 0, 6, 2, zonalShift(types.ImpairedZoneHealthCheckBehaviorReplaceUnhealthy))
			cancel := w.shift("g", w.zones[0])
			w.setDesired("g", 6)
			time.Sleep(30 * time.Minute)
			w.wantShape("g", "InService a:1 b:5")
			cancel()
			w.until("g", "InService a:3 b:3")
		})
	})
	t.Run("the other zones are rebalanced, and this one is not", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			heal := w.zones[2].RefuseLaunches("")
			w.group("g", 0, 9, 9, w.inZones(3), zonalShift(types.ImpairedZoneHealthCheckBehaviorReplaceUnhealthy))
			w.wantShape("g", "InService a:5 b:4")
			w.shift("g", w.zones[0])
			heal()
			time.Sleep(50 * time.Minute)
			w.wantShape("g", "InService a:5 b:2 c:2")
			w.until("g", "InService a:3 b:3 c:3")
		})
	})
	t.Run("it ends by itself", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			w.group("g", 0, 6, 4, zonalShift(types.ImpairedZoneHealthCheckBehaviorReplaceUnhealthy))
			w.shift("g", w.zones[0])
			w.setDesired("g", 6)
			time.Sleep(59 * time.Minute)
			w.wantShape("g", "InService a:2 b:4")
			w.until("g", "InService a:3 b:3")
		})
	})
	t.Run("what is unhealthy in the zone is replaced elsewhere", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			ids := w.group("g", 0, 6, 4, zonalShift(types.ImpairedZoneHealthCheckBehaviorReplaceUnhealthy))
			w.shift("g", w.zones[0])
			w.ec2Terminate(w.in(w.zones[0], ids)[0])
			time.Sleep(10 * time.Minute)
			w.wantShape("g", "InService a:1 b:3")
		})
	})
	t.Run("what is unhealthy in the zone is ignored", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			ids := w.group("g", 0, 6, 4, zonalShift(types.ImpairedZoneHealthCheckBehaviorIgnoreUnhealthy))
			cancel := w.shift("g", w.zones[0])
			here, there := w.in(w.zones[0], ids)[0], w.in(w.zones[1], ids)[0]
			w.ec2Terminate(here)
			w.ec2Terminate(there)
			time.Sleep(10 * time.Minute)
			w.wantState(here, "InService")
			w.wantState(there, "")
			w.wantShape("g", "InService a:2 b:2")
			cancel()
			time.Sleep(10 * time.Minute)
			w.wantState(here, "")
			w.wantShape("g", "InService a:2 b:2")
		})
	})
	t.Run("a group that is not enabled for it is not managed", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			w.group("g", 0, 2, 2)
			if n := w.managed(); n != 0 {
				t.Errorf("%d resources can be shifted", n)
			}
			svctest.Must(w.UpdateAutoScalingGroup(w.Context(), &autoscaling.UpdateAutoScalingGroupInput{
				AutoScalingGroupName: new("g"), AvailabilityZoneImpairmentPolicy: &types.AvailabilityZoneImpairmentPolicy{
					ZonalShiftEnabled: new(true), ImpairedZoneHealthCheckBehavior: types.ImpairedZoneHealthCheckBehaviorIgnoreUnhealthy,
				},
			}))(t)
			if n := w.managed(); n != 1 {
				t.Errorf("%d resources can be shifted, want the group", n)
			}
		})
	})
}

func TestAutoshiftUnderWay(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.cloud.Update(func(tx *awstest.Tx) {
			m, _ := awstest.Lookup[zonalshiftmodel.Model](tx)
			m.Region(w.region).StartAutoshift(tx, w.zones[0])
		})
		w.group("g", 0, 4, 2, zonalShift(types.ImpairedZoneHealthCheckBehaviorReplaceUnhealthy))
		w.wantShape("g", "InService b:2")
		w.group("later", 0, 4, 0)
		svctest.Must(w.UpdateAutoScalingGroup(w.Context(), &autoscaling.UpdateAutoScalingGroupInput{
			AutoScalingGroupName: new("later"), DesiredCapacity: new(int32(2)),
			AvailabilityZoneImpairmentPolicy: &types.AvailabilityZoneImpairmentPolicy{ZonalShiftEnabled: new(true), ImpairedZoneHealthCheckBehavior: types.ImpairedZoneHealthCheckBehaviorReplaceUnhealthy},
		}))(t)
		time.Sleep(time.Minute)
		w.wantShape("later", "InService b:2")
	})
}

// Another template may launch what there is room for.
func TestNewTemplateWithoutCapacity(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		for _, z := range w.zones {
			z.RefuseLaunches(instanceType)
		}
		w.group("g", 0, 8, 2)
		time.Sleep(20 * time.Minute)
		w.wantShape("g", "")
		var id string
		w.inEC2(func(tx *awstest.Tx, r *ec2model.Region) {
			other, err := r.CreateTemplate(tx, ec2model.TemplateSpec{Name: "other", First: ec2model.VersionSpec{Data: ec2model.LaunchData{Image: "ami-1", Type: "m5.large"}}})
			if err != nil {
				t.Fatal(err)
			}
			id = other.ID
		})
		svctest.Must(w.UpdateAutoScalingGroup(w.Context(), &autoscaling.UpdateAutoScalingGroupInput{AutoScalingGroupName: new("g"), LaunchTemplate: &types.LaunchTemplateSpecification{LaunchTemplateId: &id}}))(t)
		time.Sleep(time.Minute)
		w.wantShape("g", "InService a:1 b:1")
	})
}
