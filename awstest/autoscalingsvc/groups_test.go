package autoscalingsvc_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/smithy-go/document"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/autoscalingsvc"
	"github.com/awsha/awsha/awstest/internal/ec2model"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

func TestAGroupIsShown(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		start := time.Now().Add(time.Millisecond)
		ids := w.group("g", 1, 3, 1, func(in *autoscaling.CreateAutoScalingGroupInput) {
			in.Tags = []types.Tag{{Key: new("team"), Value: new("blue")}, {Key: new("private"), Value: new("x"), PropagateAtLaunch: new(false)}}
		})
		tag := func(key, value string, propagate bool) types.TagDescription {
			return types.TagDescription{Key: &key, Value: &value, PropagateAtLaunch: &propagate, ResourceId: new("g"), ResourceType: new("auto-scaling-group")}
		}
		template := func(version string) *types.LaunchTemplateSpecification {
			return &types.LaunchTemplateSpecification{LaunchTemplateId: &w.template, LaunchTemplateName: new("web"), Version: &version}
		}
		want := types.AutoScalingGroup{
			AutoScalingGroupName: new("g"),
			AutoScalingGroupARN:  new("arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:00000000-0005-4000-8000-000000000001:autoScalingGroupName/g"),
			CreatedTime:          &start, LaunchTemplate: template("$Default"),
			MinSize: new(int32(1)), MaxSize: new(int32(3)), DesiredCapacity: new(int32(1)),
			AvailabilityZones: []string{"us-east-1a", "us-east-1b"}, AvailabilityZoneIds: []string{"use1-az2", "use1-az3"},
			HealthCheckType: new("EC2"), HealthCheckGracePeriod: new(int32(0)), DefaultCooldown: new(int32(300)),
			NewInstancesProtectedFromScaleIn: new(false), TerminationPolicies: []string{"Default"},
			AvailabilityZoneDistribution: &types.AvailabilityZoneDistribution{CapacityDistributionStrategy: "balanced-best-effort"},
			Tags:                         []types.TagDescription{tag("team", "blue", true), tag("private", "x", false)},
			Instances: []types.Instance{{
				InstanceId: &ids[0], InstanceType: new("t3.micro"), AvailabilityZone: new("us-east-1a"), AvailabilityZoneId: new("use1-az2"),
				LifecycleState: "InService", HealthStatus: new("Healthy"), ProtectedFromScaleIn: new(false), LaunchTemplate: template("1"),
			}},
		}
		if diff := cmp.Diff(want, w.describe("g"), cmpopts.IgnoreTypes(document.NoSerde{})); diff != "" {
			t.Errorf("want (-), got (+): %s", diff)
		}
		wantTags := ec2model.Tags{{Key: "aws:ec2launchtemplate:id", Value: w.template}, {Key: "aws:ec2launchtemplate:version", Value: "1"}, {Key: "team", Value: "blue"}, {Key: "aws:autoscaling:groupName", Value: "g"}}
		if diff := cmp.Diff(wantTags, w.instance(ids[0]).Tags); diff != "" {
			t.Errorf("tags of the instance, want (-), got (+): %s", diff)
		}
		in := svctest.Must(w.DescribeAutoScalingInstances(w.Context(), nil))(t).AutoScalingInstances
		if len(in) != 1 || *in[0].AutoScalingGroupName != "g" || *in[0].HealthStatus != "HEALTHY" || *in[0].LifecycleState != "InService" {
			t.Errorf("%v", in)
		}
		bare := svctest.Must(w.DescribeAutoScalingGroups(w.Context(), &autoscaling.DescribeAutoScalingGroupsInput{IncludeInstances: new(false)}))(t).AutoScalingGroups
		if len(bare) != 1 || len(bare[0].Instances) != 0 {
			t.Errorf("%v", bare)
		}
	})
}

func TestGroupsAreRefused(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.group("taken", 0, 1, 0)
		for name, c := range map[string]struct {
			change func(*autoscaling.CreateAutoScalingGroupInput)
			code   string
		}{
			"a name that is taken": {func(in *autoscaling.CreateAutoScalingGroupInput) { in.AutoScalingGroupName = new("taken") }, "AlreadyExists"},
			"a colon":              {func(in *autoscaling.CreateAutoScalingGroupInput) { in.AutoScalingGroupName = new("a:b") }, "ValidationError"},
			"a space":              {func(in *autoscaling.CreateAutoScalingGroupInput) { in.AutoScalingGroupName = new("a b") }, "ValidationError"},
			"a long name": {func(in *autoscaling.CreateAutoScalingGroupInput) {
				in.AutoScalingGroupName = new(strings.Repeat("a", 256))
			}, "ValidationError"},
			"bounds turned round":       {func(in *autoscaling.CreateAutoScalingGroupInput) { in.MinSize = new(int32(4)) }, "ValidationError"},
			"a negative bound":          {func(in *autoscaling.CreateAutoScalingGroupInput) { in.MinSize = new(int32(-1)) }, "ValidationError"},
			"a desired capacity beyond": {func(in *autoscaling.CreateAutoScalingGroupInput) { in.DesiredCapacity = new(int32(4)) }, "ValidationError"},
			"no place":                  {func(in *autoscaling.CreateAutoScalingGroupInput) { in.AvailabilityZones = nil }, "ValidationError"},
			"an unknown zone":           {func(in *autoscaling.CreateAutoScalingGroupInput) { in.AvailabilityZones = []string{"us-east-1x"} }, "ValidationError"},
			"a zone of another region":  {func(in *autoscaling.CreateAutoScalingGroupInput) { in.AvailabilityZones = []string{"eu-west-1a"} }, "ValidationError"},
			"names and IDs":             {func(in *autoscaling.CreateAutoScalingGroupInput) { in.AvailabilityZoneIds = []string{"use1-az1"} }, "ValidationError"},
			"an unknown subnet":         {func(in *autoscaling.CreateAutoScalingGroupInput) { in.VPCZoneIdentifier = new("subnet-1") }, "ValidationError"},
			"a subnet of another zone": {func(in *autoscaling.CreateAutoScalingGroupInput) {
				in.VPCZoneIdentifier = new("subnet-00000000000000003")
			}, "ValidationError"},
			"no template": {func(in *autoscaling.CreateAutoScalingGroupInput) { in.LaunchTemplate = nil }, "ValidationError"},
			"an unknown template": {func(in *autoscaling.CreateAutoScalingGroupInput) {
				in.LaunchTemplate = &types.LaunchTemplateSpecification{LaunchTemplateName: new("other")}
			}, "ValidationError"},
			"an unknown version":        {func(in *autoscaling.CreateAutoScalingGroupInput) { in.LaunchTemplate.Version = new("7") }, "ValidationError"},
			"a template by ID and name": {func(in *autoscaling.CreateAutoScalingGroupInput) { in.LaunchTemplate.LaunchTemplateName = new("web") }, "ValidationError"},
			"an unknown health check":   {func(in *autoscaling.CreateAutoScalingGroupInput) { in.HealthCheckType = new("TCP") }, "ValidationError"},
			"a negative grace period":   {func(in *autoscaling.CreateAutoScalingGroupInput) { in.HealthCheckGracePeriod = new(int32(-1)) }, "ValidationError"},
			"an unknown target group":   {behind("arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/0123456789abcdef"), "ValidationError"},
			"Default before others": {func(in *autoscaling.CreateAutoScalingGroupInput) {
				in.TerminationPolicies = []string{"Default", "OldestInstance"}
			}, "ValidationError"},
			"half a maintenance policy": {func(in *autoscaling.CreateAutoScalingGroupInput) {
				in.InstanceMaintenancePolicy = &types.InstanceMaintenancePolicy{MinHealthyPercentage: new(int32(90))}
			}, "ValidationError"},
			"a wide maintenance policy":  {maintenance(50, 200), "ValidationError"},
			"a maximum below everything": {maintenance(50, 99), "ValidationError"},
			"shifts without a behaviour": {zonalShift(""), "ValidationError"},
			"an unknown behaviour":       {zonalShift("Ignore"), "ValidationError"},
			"a hook without transition":  {withHooks(hook("h", "", 30, "ABANDON")), "ValidationError"},
			"a tag of AWS": {func(in *autoscaling.CreateAutoScalingGroupInput) {
				in.Tags = []types.Tag{{Key: new("aws:mine"), Value: new("x")}}
			}, "ValidationError"},
			"a tag of another group": {func(in *autoscaling.CreateAutoScalingGroupInput) {
				in.Tags = []types.Tag{{Key: new("a"), ResourceId: new("other")}}
			}, "ValidationError"},
		} {
			if _, err := w.CreateAutoScalingGroup(w.Context(), w.input("g", 1, 3, 2, c.change)); err == nil {
				t.Errorf("%s is accepted", name)
			} else {
				svctest.WantCode(t, err, c.code)
			}
		}
		if n := len(svctest.Must(w.DescribeAutoScalingGroups(w.Context(), nil))(t).AutoScalingGroups); n != 1 {
			t.Errorf("there are %d groups, want 1", n)
		}
	})
}

func TestQuotaOfGroups(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *autoscalingsvc.Options) { o.GroupQuota = 2 })
	defer w.close()
	for _, name := range []string{"a", "b"} {
		svctest.Must(w.CreateAutoScalingGroup(t.Context(), w.input(name, 0, 0, 0)))(t)
	}
	_, err := w.CreateAutoScalingGroup(t.Context(), w.input("c", 0, 0, 0))
	svctest.WantCode(t, err, "LimitExceeded")
	limits := svctest.Must(w.DescribeAccountLimits(t.Context(), nil))(t)
	if *limits.MaxNumberOfAutoScalingGroups != 2 || *limits.NumberOfAutoScalingGroups != 2 {
		t.Errorf("%d of %d groups", *limits.NumberOfAutoScalingGroups, *limits.MaxNumberOfAutoScalingGroups)
	}
}

func TestSubnets(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.group("g", 0, 4, 2, func(in *autoscaling.CreateAutoScalingGroupInput) {
			in.AvailabilityZones, in.VPCZoneIdentifier = nil, new("subnet-00000000000000003,subnet-00000000000000002")
		})
		w.wantShape("g", "InService b:1 c:1")
		g := w.describe("g")
		if *g.VPCZoneIdentifier != "subnet-00000000000000003,subnet-00000000000000002" || !equal(g.AvailabilityZones, []string{"us-east-1c", "us-east-1b"}) {
			t.Errorf("%v, %v", *g.VPCZoneIdentifier, g.AvailabilityZones)
		}
		svctest.Must(w.UpdateAutoScalingGroup(w.Context(), &autoscaling.UpdateAutoScalingGroupInput{AutoScalingGroupName: new("g"), AvailabilityZoneIds: []string{w.zones[0].ID()}}))(t)
		w.until("g", "InService a:2")
	})
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	update := func(w *world, change func(*autoscaling.UpdateAutoScalingGroupInput)) error {
		in := &autoscaling.UpdateAutoScalingGroupInput{AutoScalingGroupName: new("g")}
		change(in)
		_, err := w.UpdateAutoScalingGroup(w.Context(), in)
		return err
	}
	t.Run("bounds move the desired capacity", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			w.group("g", 0, 4, 2)
			if err := update(w, func(in *autoscaling.UpdateAutoScalingGroupInput) { in.MinSize = new(int32(3)) }); err != nil {
				t.Fatal(err)
			}
			w.wantDesired(3)
			if err := update(w, func(in *autoscaling.UpdateAutoScalingGroupInput) {
				in.MinSize, in.MaxSize = new(int32(0)), new(int32(1))
			}); err != nil {
				t.Fatal(err)
			}
			w.wantDesired(1)
			svctest.WantCode(t, update(w, func(in *autoscaling.UpdateAutoScalingGroupInput) { in.DesiredCapacity = new(int32(2)) }), "ValidationError")
			svctest.WantCode(t, update(w, func(in *autoscaling.UpdateAutoScalingGroupInput) { in.MinSize = new(int32(2)) }), "ValidationError")
			w.until("g", "InService b:1")
			if c := *w.activities("g")[0].Cause; !strings.Contains(c, "a user request update of AutoScalingGroup constraints to min: 0, max: 1, desired: 1 changing the desired capacity from 3 to 1.") {
				t.Error(c)
			}
		})
	})
	t.Run("a new template is for new instances, and old ones go first", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			old := w.group("g", 0, 4, 2, w.inZones(1), func(in *autoscaling.CreateAutoScalingGroupInput) { in.LaunchTemplate.Version = new("$Latest") })
			w.newVersion()
			w.setDesired("g", 4)
			time.Sleep(time.Minute)
			if got := w.inService("g"); !equal(got[:2], old) {
				t.Errorf("%v are in service, want %v among them", got, old)
			}
			versions := map[string]int{}
			for _, i := range w.describe("g").Instances {
				versions[*i.LaunchTemplate.Version]++
			}
			if diff := cmp.Diff(map[string]int{"1": 2, "2": 2}, versions); diff != "" {
				t.Errorf("want (-), got (+): %s", diff)
			}
			w.setDesired("g", 2)
			time.Sleep(2 * time.Minute)
			for _, i := range w.describe("g").Instances {
				if *i.LaunchTemplate.Version != "2" || w.instance(*i.InstanceId).Image != "ami-2" {
					t.Errorf("%s has version %s", *i.InstanceId, *i.LaunchTemplate.Version)
				}
			}
		})
	})
	t.Run("a template that is gone fails launches until there is another", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			w.group("g", 0, 4, 1)
			other := w.newTemplate("other")
			w.inEC2(func(tx *awstest.Tx, r *ec2model.Region) {
				old, err := r.Template(tx.Now(), ec2model.TemplateRef{ID: w.template})
				if err != nil {
					t.Fatal(err)
				}
				r.DeleteTemplate(tx, old)
			})
			w.setDesired("g", 2)
			time.Sleep(10 * time.Minute)
			w.wantShape("g", "InService a:1")
			if n := w.failures("g"); n != 5 {
				t.Errorf("%d launches have failed, want 5", n)
			}
			if err := update(w, func(in *autoscaling.UpdateAutoScalingGroupInput) {
				in.LaunchTemplate = &types.LaunchTemplateSpecification{LaunchTemplateName: &other.Name}
			}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			w.wantShape("g", "InService a:1 b:1")
		})
	})
	t.Run("what can be set can be shown and taken back", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			w.group("g", 0, 4, 0)
			if err := update(w, func(in *autoscaling.UpdateAutoScalingGroupInput) {
				in.DefaultInstanceWarmup, in.HealthCheckGracePeriod, in.DefaultCooldown = new(int32(60)), new(int32(90)), new(int32(10))
				in.NewInstancesProtectedFromScaleIn, in.TerminationPolicies = new(true), []string{"NewestInstance"}
				in.InstanceMaintenancePolicy = &types.InstanceMaintenancePolicy{MinHealthyPercentage: new(int32(90)), MaxHealthyPercentage: new(int32(110))}
				in.AvailabilityZoneDistribution = &types.AvailabilityZoneDistribution{CapacityDistributionStrategy: "balanced-only"}
				in.AvailabilityZoneImpairmentPolicy = &types.AvailabilityZoneImpairmentPolicy{ZonalShiftEnabled: new(true), ImpairedZoneHealthCheckBehavior: "IgnoreUnhealthy"}
			}); err != nil {
				t.Fatal(err)
			}
			g := w.describe("g")
			got := fmt.Sprintln(*g.DefaultInstanceWarmup, *g.HealthCheckGracePeriod, *g.DefaultCooldown, *g.NewInstancesProtectedFromScaleIn, g.TerminationPolicies,
				*g.InstanceMaintenancePolicy.MinHealthyPercentage, *g.InstanceMaintenancePolicy.MaxHealthyPercentage, g.AvailabilityZoneDistribution.CapacityDistributionStrategy,
				*g.AvailabilityZoneImpairmentPolicy.ZonalShiftEnabled, g.AvailabilityZoneImpairmentPolicy.ImpairedZoneHealthCheckBehavior)
			if want := "60 90 10 true [NewestInstance] 90 110 balanced-only true IgnoreUnhealthy\n"; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			if err := update(w, func(in *autoscaling.UpdateAutoScalingGroupInput) {
				in.DefaultInstanceWarmup = new(int32(-1))
				in.InstanceMaintenancePolicy = &types.InstanceMaintenancePolicy{MinHealthyPercentage: new(int32(-1)), MaxHealthyPercentage: new(int32(-1))}
			}); err != nil {
				t.Fatal(err)
			}
			if g := w.describe("g"); g.DefaultInstanceWarmup != nil || g.InstanceMaintenancePolicy != nil {
				t.Errorf("%v, %v", g.DefaultInstanceWarmup, g.InstanceMaintenancePolicy)
			}
		})
	})
}

func TestDelete(t *testing.T) {
	t.Parallel()
	remove := func(w *world, force bool) error {
		_, err := w.DeleteAutoScalingGroup(w.Context(), &autoscaling.DeleteAutoScalingGroupInput{AutoScalingGroupName: new("g"), ForceDelete: &force})
		return err
	}
	t.Run("with instances it must be forced", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			ids := w.group("g", 0, 2, 2, withHooks(hook("drain", terminating, 3600, "CONTINUE")))
			svctest.WantCode(t, remove(w, false), "ResourceInUse")
			if err := remove(w, true); err != nil {
				t.Fatal(err)
			}
			if s := w.describe("g").Status; s == nil || *s != "Delete in progress" {
				t.Errorf("its status is %v", s)
			}
			svctest.WantCode(t, remove(w, true), "ValidationError")
			_, err := w.SetDesiredCapacity(w.Context(), &autoscaling.SetDesiredCapacityInput{AutoScalingGroupName: new("g"), DesiredCapacity: new(int32(1))})
			svctest.WantCode(t, err, "ValidationError")
			time.Sleep(time.Minute)
			if n := len(svctest.Must(w.DescribeAutoScalingGroups(w.Context(), nil))(t).AutoScalingGroups); n != 0 {
				t.Errorf("%d groups are left", n)
			}
			for _, id := range ids {
				if s := w.instance(id).State; s != ec2model.Terminated {
					t.Errorf("%s is %s", id, s)
				}
			}
			_, err = w.DescribeScalingActivities(w.Context(), &autoscaling.DescribeScalingActivitiesInput{AutoScalingGroupName: new("g")})
			svctest.WantCode(t, err, "ValidationError")
			gone := svctest.Must(w.DescribeScalingActivities(w.Context(), &autoscaling.DescribeScalingActivitiesInput{AutoScalingGroupName: new("g"), IncludeDeletedGroups: new(true)}))(t).Activities
			if len(gone) != 4 || *gone[0].AutoScalingGroupState != "Deleted" || gone[0].EndTime == nil {
				t.Errorf("%d activities, the first %v", len(gone), gone[0])
			}
			// The name is free.
			w.group("g", 0, 1, 1)
			if n := len(w.activities("g")); n != 1 {
				t.Errorf("%d activities, want 1", n)
			}
		})
	})
	t.Run("while instances terminate it must wait", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			w.group("g", 0, 2, 2)
			w.setDesired("g", 0)
			time.Sleep(10 * time.Second)
			svctest.WantCode(t, remove(w, false), "ScalingActivityInProgress")
			time.Sleep(time.Minute)
			if err := remove(w, false); err != nil {
				t.Fatal(err)
			}
			if n := len(svctest.Must(w.DescribeAutoScalingGroups(w.Context(), nil))(t).AutoScalingGroups); n != 0 {
				t.Errorf("%d groups are left", n)
			}
			svctest.WantCode(t, remove(w, false), "ValidationError")
		})
	})
	t.Run("it does not wait for a dead zone", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			ids := w.group("g", 0, 2, 2)
			heal := w.zones[0].Fail(awstest.PowerLoss)
			if err := remove(w, true); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			if n := len(svctest.Must(w.DescribeAutoScalingGroups(w.Context(), nil))(t).AutoScalingGroups); n != 0 {
				t.Errorf("%d groups are left", n)
			}
			if s := w.instance(ids[0]).State; s != ec2model.ShuttingDown {
				t.Errorf("the instance is %s", s)
			}
			heal()
			time.Sleep(time.Minute)
			if s := w.instance(ids[0]).State; s != ec2model.Terminated {
				t.Errorf("the instance is %s", s)
			}
		})
	})
}

func TestSetDesiredCapacity(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.group("g", 1, 3, 1)
		set := func(n int32, honor bool) error {
			_, err := w.SetDesiredCapacity(w.Context(), &autoscaling.SetDesiredCapacityInput{AutoScalingGroupName: new("g"), DesiredCapacity: &n, HonorCooldown: &honor})
			return err
		}
		for n, says := range map[int32]string{
			4: "New SetDesiredCapacity value 4 is above max value 3 for the AutoScalingGroup.",
			0: "New SetDesiredCapacity value 0 is below min value 1 for the AutoScalingGroup.",
		} {
			err := set(n, false)
			svctest.WantCode(t, err, "ValidationError")
			if !strings.Contains(err.Error(), says) {
				t.Error(err)
			}
		}
		svctest.WantCode(t, set(2, true), "ScalingActivityInProgress")
		time.Sleep(5 * time.Minute)
		if err := set(2, true); err != nil {
			t.Error(err)
		}
		time.Sleep(10 * time.Second)
		svctest.WantCode(t, set(3, true), "ScalingActivityInProgress")
		if err := set(3, false); err != nil {
			t.Error(err)
		}
		w.until("g", "InService a:2 b:1")
	})
}

func TestTerminate(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		ids := w.group("g", 1, 4, 3)
		terminate := func(decrement bool, ids ...string) (*autoscaling.TerminateInstanceInAutoScalingGroupOutput, error) {
			in := &autoscaling.TerminateInstanceInAutoScalingGroupInput{ShouldDecrementDesiredCapacity: &decrement}
			if len(ids) == 1 {
				in.InstanceId = &ids[0]
			} else {
				in.AutoScalingGroupName, in.InstanceIds = new("g"), ids
			}
			return w.TerminateInstanceInAutoScalingGroup(w.Context(), in)
		}
		out := svctest.Must(terminate(true, ids[0]))(t)
		if a := out.Activity; *a.Description != "Terminating EC2 instance: "+ids[0] || a.StatusCode != "InProgress" || *a.Progress != 0 || !strings.HasSuffix(*a.Cause, "was taken out of service in response to a user request, shrinking the capacity from 3 to 2.") {
			t.Errorf("%v, %v", *a.Description, *a.Cause)
		}
		w.wantState(ids[0], "Terminating")
		w.wantDesired(2)
		again := svctest.Must(terminate(true, ids[0]))(t) // nothing more
		if *again.Activity.ActivityId != *out.Activity.ActivityId {
			t.Errorf("%s and %s", *again.Activity.ActivityId, *out.Activity.ActivityId)
		}
		w.wantDesired(2)
		if both := svctest.Must(terminate(false, ids[1], ids[2]))(t); both.Activity != nil || len(both.Activities) != 2 {
			t.Errorf("%v", both)
		}
		w.until("g", "InService a:1 b:1")
		next := w.inService("g")
		svctest.Must(terminate(true, next[0]))(t)
		_, err := terminate(true, next[1])
		svctest.WantCode(t, err, "ValidationError") // the minimum is 1
		_, err = terminate(false, "i-none")
		svctest.WantCode(t, err, "ValidationError")
		_, err = w.TerminateInstanceInAutoScalingGroup(w.Context(), &autoscaling.TerminateInstanceInAutoScalingGroupInput{ShouldDecrementDesiredCapacity: new(false), InstanceIds: next})
		svctest.WantCode(t, err, "ValidationError") // without a group
		_, err = w.TerminateInstanceInAutoScalingGroup(w.Context(), &autoscaling.TerminateInstanceInAutoScalingGroupInput{ShouldDecrementDesiredCapacity: new(false)})
		svctest.WantCode(t, err, "ValidationError")
	})
}

func TestTerminationPolicies(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		policies []string
		want     int // of three instances that were launched ten minutes apart
	}{
		"OldestInstance":            {[]string{"OldestInstance"}, 0},
		"NewestInstance":            {[]string{"NewestInstance"}, 2},
		"OldestLaunchTemplate":      {[]string{"OldestLaunchTemplate", "NewestInstance"}, 1},
		"ClosestToNextInstanceHour": {[]string{"ClosestToNextInstanceHour"}, 1},
		"Default":                   {nil, 1}, // the oldest template, then the next hour
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				w.group("g", 0, 4, 1, w.inZones(1), func(in *autoscaling.CreateAutoScalingGroupInput) {
					in.TerminationPolicies, in.LaunchTemplate.Version = c.policies, new("$Latest")
				})
				time.Sleep(10 * time.Minute)
				w.setDesired("g", 2)
				time.Sleep(10 * time.Minute)
				w.newVersion()
				w.setDesired("g", 3)
				time.Sleep(45 * time.Minute) // the first one is in its second hour, the second one at the end of its first
				ids := w.inService("g")
				if len(ids) != 3 {
					t.Fatalf("%v are in service", ids)
				}
				w.setDesired("g", 2)
				time.Sleep(10 * time.Second)
				for n, id := range ids {
					if going := strings.HasPrefix(w.state(id), "Terminating"); going != (n == c.want) {
						t.Errorf("instance %d is %s", n, w.state(id))
					}
				}
			})
		})
	}
}

func TestScaleInProtection(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		ids := w.group("g", 0, 4, 2, func(in *autoscaling.CreateAutoScalingGroupInput) { in.NewInstancesProtectedFromScaleIn = new(true) })
		protect := func(on bool, ids ...string) error {
			_, err := w.SetInstanceProtection(w.Context(), &autoscaling.SetInstanceProtectionInput{AutoScalingGroupName: new("g"), InstanceIds: ids, ProtectedFromScaleIn: &on})
			return err
		}
		w.setDesired("g", 0)
		time.Sleep(time.Hour)
		w.wantShape("g", "InService a:1 b:1")
		if err := protect(false, ids[1]); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		w.wantShape("g", "InService a:1")
		svctest.WantCode(t, protect(false, ids[0], "i-none"), "ValidationError")
		if !*w.describe("g").Instances[0].ProtectedFromScaleIn {
			t.Error("half of a request was done")
		}
		// Only what is in service, or on standby, can be protected or not.
		w.group("h", 0, 1, 1, withHooks(hook("ready", launching, 3600, "ABANDON"), hook("drain", terminating, 3600, "CONTINUE")))
		id := *w.describe("h").Instances[0].InstanceId
		protectIn := func() error {
			_, err := w.SetInstanceProtection(w.Context(), &autoscaling.SetInstanceProtectionInput{AutoScalingGroupName: new("h"), InstanceIds: []string{id}, ProtectedFromScaleIn: new(true)})
			return err
		}
		time.Sleep(time.Minute)
		w.wantState(id, "Pending:Wait")
		svctest.WantCode(t, protectIn(), "ValidationError")
		if _, err := w.CompleteLifecycleAction(w.Context(), &autoscaling.CompleteLifecycleActionInput{
			AutoScalingGroupName: new("h"), LifecycleHookName: new("ready"), InstanceId: &id, LifecycleActionResult: new("CONTINUE"),
		}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		w.wantState(id, "InService")
		w.setDesired("h", 0)
		time.Sleep(time.Minute)
		w.wantState(id, "Terminating:Wait")
		svctest.WantCode(t, protectIn(), "ValidationError")
		// It does not protect from being unhealthy, nor from a user.
		w.setDesired("g", 1)
		w.ec2Terminate(ids[0])
		time.Sleep(2 * time.Minute)
		w.wantState(ids[0], "")
		w.wantShape("g", "InService a:1")
	})
}

func TestSuspendedLaunchAndTerminate(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.group("g", 0, 4, 2)
		w.suspend("g", "Launch", "Terminate")
		names := func() (out []string) {
			for _, p := range w.describe("g").SuspendedProcesses {
				out = append(out, *p.ProcessName)
			}
			return out
		}
		if got := names(); !equal(got, []string{"Launch", "Terminate"}) {
			t.Errorf("%v are suspended", got)
		}
		w.setDesired("g", 4)
		time.Sleep(10 * time.Minute)
		w.wantShape("g", "InService a:1 b:1")
		w.setDesired("g", 1)
		time.Sleep(10 * time.Minute)
		w.wantShape("g", "InService a:1 b:1")
		w.resume("g", "Terminate")
		time.Sleep(10 * time.Minute)
		w.wantShape("g", "InService b:1")
		w.suspend("g") // all
		if got := names(); len(got) != 9 {
			t.Errorf("%v are suspended", got)
		}
		_, err := w.SuspendProcesses(w.Context(), &autoscaling.SuspendProcessesInput{AutoScalingGroupName: new("g"), ScalingProcesses: []string{"Everything"}})
		svctest.WantCode(t, err, "ValidationError")
		w.resume("g")
		if got := names(); len(got) != 0 {
			t.Errorf("%v are suspended", got)
		}
	})
}

func TestRebalancingWithoutTerminate(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		heal := w.zones[0].RefuseLaunches("")
		w.group("g", 0, 20, 20)
		w.suspend("g", "Terminate")
		heal()
		time.Sleep(time.Hour)
		// It launches and cannot terminate: up to a tenth more than the maximum.
		w.wantShape("g", "InService a:2 b:20")
		w.resume("g", "Terminate")
		w.until("g", "InService a:10 b:10")
	})
}

// Whoever writes into an answer, or into what it has sent, changes nothing.
func TestAnswersAreTheCallers(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.group("g", 0, 4, 0, withHooks(hook("h", terminating, 60, "CONTINUE")), zonalShift(types.ImpairedZoneHealthCheckBehaviorReplaceUnhealthy))
		lower := new(0.0)
		svctest.Must(w.PutScalingPolicy(w.Context(), &autoscaling.PutScalingPolicyInput{
			AutoScalingGroupName: new("g"), PolicyName: new("steps"), PolicyType: new("StepScaling"), AdjustmentType: new("ChangeInCapacity"),
			StepAdjustments: []types.StepAdjustment{{MetricIntervalLowerBound: lower, ScalingAdjustment: new(int32(1))}},
		}))(t)
		svctest.Must(w.tracking())(t)
		*lower = 77
		launch := func() []string {
			out := svctest.Must(w.LaunchInstances(w.Context(), &autoscaling.LaunchInstancesInput{AutoScalingGroupName: new("g"), RequestedCapacity: new(int32(1)), AvailabilityZones: w.names(1), ClientToken: new("once")}))(t)
			return out.Instances[0].InstanceIds
		}
		launch()
		time.Sleep(time.Minute)
		look := func() (types.AutoScalingGroup, types.LifecycleHook, []types.ScalingPolicy, []string) {
			return w.describe("g"),
				svctest.Must(w.DescribeLifecycleHooks(w.Context(), &autoscaling.DescribeLifecycleHooksInput{AutoScalingGroupName: new("g")}))(t).LifecycleHooks[0],
				svctest.Must(w.DescribePolicies(w.Context(), nil))(t).ScalingPolicies, launch()
		}
		g, h, p, ids := look()
		for _, text := range []*string{
			g.AutoScalingGroupARN, g.HealthCheckType, &g.TerminationPolicies[0], h.AutoScalingGroupName,
			p[1].TargetTrackingConfiguration.CustomizedMetricSpecification.MetricName, &ids[0],
		} {
			*text = "spoilt"
		}
		*g.AvailabilityZoneImpairmentPolicy.ZonalShiftEnabled = false
		*p[0].StepAdjustments[0].MetricIntervalLowerBound = 88
		*p[1].TargetTrackingConfiguration.TargetValue = 99
		g, h, p, ids = look()
		if *g.AutoScalingGroupARN == "spoilt" || *g.HealthCheckType == "spoilt" || g.TerminationPolicies[0] == "spoilt" || !*g.AvailabilityZoneImpairmentPolicy.ZonalShiftEnabled {
			t.Error("the group has changed")
		}
		if *h.AutoScalingGroupName == "spoilt" {
			t.Error("the hook has changed")
		}
		tracking := p[1].TargetTrackingConfiguration
		if b := *p[0].StepAdjustments[0].MetricIntervalLowerBound; b != 0 || *tracking.TargetValue == 99 || *tracking.CustomizedMetricSpecification.MetricName == "spoilt" {
			t.Errorf("the policies have changed: %v", b)
		}
		if ids[0] == "spoilt" {
			t.Error("what a token is known for has changed")
		}
	})
}

func TestCausesHaveALimit(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.group("g", 0, 8, 1)
		w.suspend("g", "Launch")
		for i := range 100 {
			w.setDesired("g", int32(2+i%2))
		}
		w.resume("g")
		time.Sleep(time.Minute)
		cause := *w.activities("g")[0].Cause
		if len(cause) > 1023 || !strings.HasSuffix(cause, "increasing the capacity from 2 to 3.") || !strings.Contains(cause, "changing the desired capacity from 2 to 3.") {
			t.Errorf("%d characters: %s", len(cause), cause)
		}
	})
}

func TestCooldownAfterAFailure(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.group("g", 0, 8, 1)
		time.Sleep(time.Hour)
		for _, z := range w.zones {
			z.RefuseLaunches("")
		}
		w.setDesired("g", 3)
		time.Sleep(10 * time.Second)
		if w.failures("g") == 0 {
			t.Error("no launch has failed")
		}
		svctest.Must(w.SetDesiredCapacity(w.Context(), &autoscaling.SetDesiredCapacityInput{AutoScalingGroupName: new("g"), DesiredCapacity: new(int32(2)), HonorCooldown: new(true)}))(t)
	})
}

// Forced deletion while EC2 is down forgets no instance.
func TestForcedDeletionWaitsForEC2(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ec2 := func(r *awstest.Registry) error { return r.Add(awstest.ServiceSpec{ID: "EC2"}).Err() }
		w := newWorldOf(t, []awstest.Service{autoscalingsvc.New(), ec2})
		defer w.close()
		ids := w.group("g", 0, 2, 2)
		heal := svctest.Must(w.cloud.FailService("EC2", "us-east-1"))(t)
		svctest.Must(w.DeleteAutoScalingGroup(w.Context(), &autoscaling.DeleteAutoScalingGroupInput{AutoScalingGroupName: new("g"), ForceDelete: new(true)}))(t)
		time.Sleep(10 * time.Minute)
		if g := w.describe("g"); g.Status == nil || *g.Status != "Delete in progress" {
			t.Errorf("its status is %v", g.Status)
		}
		heal()
		time.Sleep(5 * time.Minute)
		for _, id := range ids {
			if s := w.instance(id).State; s != ec2model.Terminated {
				t.Errorf("%s is %s", id, s)
			}
		}
		if n := len(svctest.Must(w.DescribeAutoScalingGroups(w.Context(), nil))(t).AutoScalingGroups); n != 0 {
			t.Errorf("there are %d groups", n)
		}
	})
}

func TestInstanceRefreshesAreNone(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.group("g", 0, 1, 0)
		out, err := w.DescribeInstanceRefreshes(w.Context(), &autoscaling.DescribeInstanceRefreshesInput{AutoScalingGroupName: new("g")})
		if err != nil || len(out.InstanceRefreshes) != 0 || out.NextToken != nil {
			t.Errorf("got %+v, %v", out, err)
		}
		_, err = w.DescribeInstanceRefreshes(w.Context(), &autoscaling.DescribeInstanceRefreshesInput{AutoScalingGroupName: new("other")})
		svctest.WantCode(t, err, "ValidationError")
		_, err = w.DescribeInstanceRefreshes(w.Context(), &autoscaling.DescribeInstanceRefreshesInput{AutoScalingGroupName: new("g"), NextToken: new("x")})
		svctest.WantCode(t, err, "InvalidNextToken")
	})
}
