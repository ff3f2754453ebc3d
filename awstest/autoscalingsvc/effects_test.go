package autoscalingsvc_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/autoscalingsvc"
	"github.com/awsha/awsha/awstest/internal/ec2model"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

func TestDescribesLag(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		time.Sleep(time.Minute)
		ids := w.group("g", 0, 2, 1)
		time.Sleep(time.Minute)
		hooks := func() int {
			return len(svctest.Must(w.DescribeLifecycleHooks(w.Context(), &autoscaling.DescribeLifecycleHooksInput{AutoScalingGroupName: new("g")}))(w).LifecycleHooks)
		}
		policies := func() int {
			return len(svctest.Must(w.DescribePolicies(w.Context(), &autoscaling.DescribePoliciesInput{AutoScalingGroupName: new("g")}))(w).ScalingPolicies)
		}
		tags := func() int { return len(svctest.Must(w.DescribeTags(w.Context(), nil))(w).Tags) }
		w.setDesired("g", 2)
		svctest.Must(w.PutLifecycleHook(w.Context(), &autoscaling.PutLifecycleHookInput{AutoScalingGroupName: new("g"), LifecycleHookName: new("h"), LifecycleTransition: new(terminating)}))(t)
		svctest.Must(w.CreateOrUpdateTags(w.Context(), &autoscaling.CreateOrUpdateTagsInput{Tags: []types.Tag{{Key: new("a"), ResourceId: new("g"), ResourceType: new("auto-scaling-group")}}}))(t)
		svctest.Must(w.tracking())(t)
		time.Sleep(10 * time.Second)
		heal := svctest.Must(w.cloud.Inject(awstest.Match{Service: serviceID}, awstest.Stale(30*time.Second)))(t)
		w.wantDesired(1)
		w.wantShape("g", "InService a:1")
		if got := fmt.Sprint(len(w.activities("g")), hooks(), policies(), tags()); got != "1 0 0 0" {
			t.Errorf("a stale read sees %s", got)
		}
		// Changes see the present.
		svctest.WantCode(t, func() error {
			_, err := w.SetDesiredCapacity(w.Context(), &autoscaling.SetDesiredCapacityInput{AutoScalingGroupName: new("g"), DesiredCapacity: new(int32(2)), HonorCooldown: new(true)})
			return err
		}(), "ScalingActivityInProgress")
		heal()
		w.wantDesired(2)
		w.wantShape("g", "InService a:1, Pending b:1")
		if got := fmt.Sprint(len(w.activities("g")), hooks(), policies(), tags()); got != "2 1 1 1" {
			t.Errorf("a read sees %s", got)
		}
		// A group that is gone is still there to a stale read, with its instances.
		svctest.Must(w.DeleteAutoScalingGroup(w.Context(), &autoscaling.DeleteAutoScalingGroupInput{AutoScalingGroupName: new("g"), ForceDelete: new(true)}))(t)
		time.Sleep(10 * time.Second)
		defer svctest.Must(w.cloud.Inject(awstest.Match{Service: serviceID}, awstest.Stale(12*time.Second)))(t)()
		if got := w.describe("g"); len(got.Instances) != 2 || *got.Instances[0].InstanceId != ids[0] || got.Status != nil {
			t.Errorf("%v", got)
		}
	})
}

func TestVisibilityLag(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.zones = w.zones[:2]
		svctest.Must(w.CreateAutoScalingGroup(w.Context(), w.input("g", 0, 1, 1)))(t)
		if n := len(svctest.Must(w.DescribeAutoScalingGroups(w.Context(), nil))(t).AutoScalingGroups); n != 0 {
			t.Errorf("%d groups are seen at once", n)
		}
		time.Sleep(2 * time.Minute)
		w.wantShape("g", "InService a:1")
	}, func(o *awstest.Options) { o.VisibilityLag = time.Minute })
}

// The reply to a launch is lost: the SDK sends the call again, with its token.
func TestALostReplyOfLaunchInstances(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.group("g", 0, 4, 0)
		svctest.Must(w.cloud.Inject(awstest.Match{Service: serviceID, Operation: "LaunchInstances", Times: 1}, awstest.LoseReply()))(t)
		out := svctest.Must(w.LaunchInstances(w.Context(), &autoscaling.LaunchInstancesInput{AutoScalingGroupName: new("g"), RequestedCapacity: new(int32(1)), AvailabilityZones: w.names(1)}))(t)
		if n := w.cloud.Count(serviceID, "LaunchInstances"); n != 2 || len(out.Instances) != 1 {
			t.Errorf("%d calls, %v", n, out.Instances)
		}
		w.wantDesired(1)
	})
}

// The reply to a change that has no token is lost: it is made twice, which
// shows for what counts.
func TestALostReplyOfATermination(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		ids := w.group("g", 0, 4, 3)
		svctest.Must(w.cloud.Inject(awstest.Match{Service: serviceID, Operation: "TerminateInstanceInAutoScalingGroup", Times: 1}, awstest.LoseReply()))(t)
		svctest.Must(w.TerminateInstanceInAutoScalingGroup(w.Context(), &autoscaling.TerminateInstanceInAutoScalingGroupInput{InstanceId: &ids[0], ShouldDecrementDesiredCapacity: new(true)}))(t)
		if n := w.cloud.Count(serviceID, "TerminateInstanceInAutoScalingGroup"); n != 2 {
			t.Errorf("%d calls", n)
		}
		w.wantDesired(2)
	})
}

func TestEffectsOnACall(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		effect  awstest.Effect
		code    string
		applied bool
		takes   time.Duration
	}{
		"rejected":              {awstest.Reject(awstest.APIError{Code: "ResourceContention", Message: "busy", Status: 500}), "ResourceContention", false, 0},
		"applied, and an error": {awstest.ApplyThenReject(awstest.APIError{Code: "ResourceContention", Message: "busy", Status: 500}), "ResourceContention", true, 0},
		"slow":                  {awstest.Delay(10 * time.Second), "", true, 10 * time.Second},
		"answered late":         {awstest.DelayReply(10 * time.Second), "", true, 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				w.group("g", 0, 4, 0)
				svctest.Must(w.cloud.Inject(awstest.Match{Service: serviceID, Operation: "SetDesiredCapacity", Times: 1}, c.effect))(t)
				from := time.Now()
				_, err := w.SetDesiredCapacity(w.Context(), &autoscaling.SetDesiredCapacityInput{AutoScalingGroupName: new("g"), DesiredCapacity: new(int32(1))},
					func(o *autoscaling.Options) { o.Retryer = aws.NopRetryer{} })
				if took := time.Since(from).Round(time.Second); took != c.takes {
					t.Errorf("it has taken %v", took)
				}
				if c.code != "" {
					svctest.WantCode(t, err, c.code)
				} else if err != nil {
					t.Error(err)
				}
				w.wantDesired(map[bool]int32{true: 1}[c.applied])
			})
		})
	}
	t.Run("hanging", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			defer svctest.Must(w.cloud.Inject(awstest.Match{Service: serviceID}, awstest.Hang()))(t)()
			ctx, cancel := context.WithTimeout(w.Context(), time.Minute)
			defer cancel()
			if _, err := w.DescribeAutoScalingGroups(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		})
	})
}

func TestStuckInstances(t *testing.T) {
	t.Parallel()
	t.Run("pending, it is given up and replaced", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			svctest.Must(w.CreateAutoScalingGroup(w.Context(), w.input("g", 0, 1, 1)))(t)
			time.Sleep(6 * time.Second)
			id := w.only()
			heal := svctest.Must(w.cloud.Stick(id))(t)
			time.Sleep(9 * time.Minute)
			w.wantState(id, "Pending")
			time.Sleep(2 * time.Minute)
			w.wantState(id, "Terminating")
			w.wantShape("g", "InService a:1, Terminating a:1")
			heal()
			time.Sleep(time.Minute)
			w.wantShape("g", "InService a:1")
		})
	})
	t.Run("terminating, it is replaced all the same", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			id := w.group("g", 0, 1, 1)[0]
			heal := svctest.Must(w.cloud.Stick(id))(t)
			if err := w.setHealth(id, "Unhealthy", nil); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
			w.wantShape("g", "InService a:1, Terminating a:1")
			heal()
			time.Sleep(time.Minute)
			w.wantState(id, "")
		})
	})
	t.Run("on its way to standby", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			id := w.group("g", 0, 1, 1)[0]
			heal := svctest.Must(w.cloud.Stick(id))(t)
			if err := w.enterStandby(true, id); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
			w.wantState(id, "EnteringStandby")
			heal()
			w.wantState(id, "Standby")
		})
	})
	t.Run("a group that is being deleted", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			w.group("g", 0, 1, 1)
			heal := svctest.Must(w.cloud.Stick("g"))(t)
			svctest.Must(w.DeleteAutoScalingGroup(w.Context(), &autoscaling.DeleteAutoScalingGroupInput{AutoScalingGroupName: new("g"), ForceDelete: new(true)}))(t)
			time.Sleep(time.Hour)
			if s := w.describe("g").Status; s == nil {
				t.Error("it has no status")
			}
			heal()
			if n := len(svctest.Must(w.DescribeAutoScalingGroups(w.Context(), nil))(t).AutoScalingGroups); n != 0 {
				t.Errorf("%d groups are left", n)
			}
		})
	})
}

func TestPages(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		var names []string
		for n := range 60 {
			names = append(names, fmt.Sprintf("g%02d", n))
			svctest.Must(w.CreateAutoScalingGroup(w.Context(), w.input(names[n], 0, 0, 0, func(in *autoscaling.CreateAutoScalingGroupInput) {
				in.Tags = []types.Tag{{Key: new("n"), Value: new(fmt.Sprint(n % 2))}}
			})))(t)
		}
		read := func(in *autoscaling.DescribeAutoScalingGroupsInput) (sizes []int, got []string) {
			for p := autoscaling.NewDescribeAutoScalingGroupsPaginator(w, in); p.HasMorePages(); {
				page := svctest.Must(p.NextPage(w.Context()))(w)
				sizes = append(sizes, len(page.AutoScalingGroups))
				for _, g := range page.AutoScalingGroups {
					got = append(got, *g.AutoScalingGroupName)
				}
			}
			return sizes, got
		}
		sizes, got := read(&autoscaling.DescribeAutoScalingGroupsInput{})
		if !slices.Equal(sizes, []int{50, 10}) || !equal(got, names) {
			t.Errorf("pages of %v: %v", sizes, got)
		}
		if sizes, _ := read(&autoscaling.DescribeAutoScalingGroupsInput{MaxRecords: new(int32(25)), Filters: []types.Filter{{Name: new("tag:n"), Values: []string{"1"}}}}); !slices.Equal(sizes, []int{25, 5}) {
			t.Errorf("pages of %v", sizes)
		}
		for name, want := range map[string][]int{"tag-key": {50, 10}, "tag-value": {0}} {
			if sizes, _ := read(&autoscaling.DescribeAutoScalingGroupsInput{Filters: []types.Filter{{Name: &name, Values: []string{"n"}}}}); !slices.Equal(sizes, want) {
				t.Errorf("pages of %v by %s", sizes, name)
			}
		}
		tags := svctest.Must(w.DescribeTags(w.Context(), &autoscaling.DescribeTagsInput{Filters: []types.Filter{
			{Name: new("auto-scaling-group"), Values: names[:5]}, {Name: new("key"), Values: []string{"n"}}, {Name: new("value"), Values: []string{"0"}}, {Name: new("propagate-at-launch"), Values: []string{"true"}},
		}}))(t).Tags
		if len(tags) != 3 || *tags[1].ResourceId != "g02" {
			t.Errorf("%v", tags)
		}
		for _, call := range []func() error{
			func() error {
				_, err := w.DescribeAutoScalingGroups(w.Context(), &autoscaling.DescribeAutoScalingGroupsInput{MaxRecords: new(int32(101))})
				return err
			},
			func() error {
				_, err := w.DescribeAutoScalingGroups(w.Context(), &autoscaling.DescribeAutoScalingGroupsInput{Filters: []types.Filter{{Name: new("name")}}})
				return err
			},
			func() error {
				_, err := w.DescribeTags(w.Context(), &autoscaling.DescribeTagsInput{Filters: []types.Filter{{Name: new("name")}}})
				return err
			},
			func() error {
				_, err := w.DescribeScalingActivities(w.Context(), &autoscaling.DescribeScalingActivitiesInput{Filters: []types.Filter{{Name: new("Status"), Values: []string{"Failed"}}}})
				return err
			},
			func() error {
				_, err := w.DescribeScalingActivities(w.Context(), &autoscaling.DescribeScalingActivitiesInput{Filters: []types.Filter{{Name: new("StartTimeLowerBound"), Values: []string{"yesterday"}}}})
				return err
			},
		} {
			svctest.WantCode(t, call(), "ValidationError")
		}
		for _, token := range []string{"more", ""} {
			_, err := w.DescribeAutoScalingGroups(w.Context(), &autoscaling.DescribeAutoScalingGroupsInput{NextToken: &token})
			svctest.WantCode(t, err, "InvalidNextToken")
		}
	})
}

func TestActivitiesAreFiltered(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		heal := w.zones[0].RefuseLaunches("")
		w.group("g", 0, 2, 1) // one has failed, at 5 s, and one has succeeded
		heal()
		time.Sleep(time.Minute - time.Duration(time.Now().Nanosecond()))
		w.setDesired("g", 2)
		time.Sleep(time.Minute)
		count := func(filters ...types.Filter) int {
			return len(svctest.Must(w.DescribeScalingActivities(w.Context(), &autoscaling.DescribeScalingActivitiesInput{AutoScalingGroupName: new("g"), Filters: filters}))(w).Activities)
		}
		filter := func(name string, values ...string) types.Filter { return types.Filter{Name: &name, Values: values} }
		got := []int{
			count(), count(filter("Status", "Failed")), count(filter("Status", "Successful", "Failed")),
			count(filter("StartTimeLowerBound", "2000-01-01T00:01:00Z")), count(filter("StartTimeUpperBound", "2000-01-01T00:01:00")),
			count(filter("StartTimeUpperBound", "2000-01-01T01:01:00+01:00"), filter("Status", "Successful")),
		}
		if diff := cmp.Diff([]int{3, 1, 3, 1, 2, 1}, got); diff != "" {
			t.Errorf("want (-), got (+): %s", diff)
		}
		id := *w.activities("g")[1].ActivityId
		if list := svctest.Must(w.DescribeScalingActivities(w.Context(), &autoscaling.DescribeScalingActivitiesInput{ActivityIds: []string{id, "none"}}))(t).Activities; len(list) != 1 || *list[0].ActivityId != id {
			t.Errorf("%v", list)
		}
	})
}

func TestTags(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.group("g", 0, 1, 0)
		tag := func(key, value string) types.Tag {
			return types.Tag{Key: &key, Value: &value, ResourceId: new("g"), ResourceType: new("auto-scaling-group")}
		}
		set := func(tags ...types.Tag) error {
			_, err := w.CreateOrUpdateTags(w.Context(), &autoscaling.CreateOrUpdateTagsInput{Tags: tags})
			return err
		}
		shown := func() (out []string) {
			for _, t := range w.describe("g").Tags {
				out = append(out, *t.Key+"="+*t.Value)
			}
			return out
		}
		if err := set(tag("a", "1"), tag("b", "2"), tag("a", "3")); err != nil {
			t.Fatal(err)
		}
		if got := shown(); !equal(got, []string{"a=3", "b=2"}) {
			t.Errorf("%v", got)
		}
		other, noType := tag("c", "1"), tag("c", "1")
		other.ResourceId, noType.ResourceType = new("other"), nil
		svctest.WantCode(t, set(tag("c", "1"), other), "ValidationError")
		svctest.WantCode(t, set(noType), "ValidationError")
		svctest.WantCode(t, set(tag("", "1")), "ValidationError")
		if got := shown(); len(got) != 2 {
			t.Errorf("half of a request was done: %v", got)
		}
		svctest.Must(w.DeleteTags(w.Context(), &autoscaling.DeleteTagsInput{Tags: []types.Tag{tag("a", "")}}))(t)
		if got := shown(); !equal(got, []string{"b=2"}) {
			t.Errorf("%v", got)
		}
		var many []types.Tag
		for n := range 50 {
			many = append(many, tag(fmt.Sprint(n), ""))
		}
		svctest.WantCode(t, set(many...), "LimitExceeded")
	})
}

// Two regions do not know of each other.
func TestRegionsAreApart(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.group("g", 0, 1, 1)
		elsewhere := autoscaling.NewFromConfig(w.cloud.Config("eu-west-1"))
		if n := len(svctest.Must(elsewhere.DescribeAutoScalingGroups(w.Context(), nil))(t).AutoScalingGroups); n != 0 {
			t.Errorf("%d groups are in the other region", n)
		}
		if n := len(svctest.Must(elsewhere.DescribeAutoScalingInstances(w.Context(), nil))(t).AutoScalingInstances); n != 0 {
			t.Errorf("%d instances are in the other region", n)
		}
	})
}

func TestTokenOfAnUnknownRegion(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(*autoscalingsvc.Options) {})
	defer w.close()
	if _, ok := autoscalingsvc.LifecycleActionToken(w.cloud, "mars-1", "g", "h", "i"); ok {
		t.Error("there is a token")
	}
	bare := svctest.Must(awstest.New(nil))(t)
	if _, ok := autoscalingsvc.LifecycleActionToken(bare, "us-east-1", "g", "h", "i"); ok {
		t.Error("there is a token without Auto Scaling")
	}
}

func TestServicesAreDown(t *testing.T) {
	t.Parallel()
	ec2 := func(r *awstest.Registry) error { return r.Add(awstest.ServiceSpec{ID: "EC2"}).Err() }
	with := func(t *testing.T, test func(*world)) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			w := newWorldOf(t, []awstest.Service{autoscalingsvc.New(), ec2})
			defer w.close()
			test(w)
		})
	}
	t.Run("Auto Scaling does nothing by itself meanwhile", func(t *testing.T) {
		t.Parallel()
		with(t, func(w *world) {
			ids := w.group("g", 0, 4, 2)
			w.setDesired("g", 3)
			heal := svctest.Must(w.cloud.FailService(serviceID, "us-east-1"))(t)
			w.ec2Terminate(ids[0])
			time.Sleep(10 * time.Minute)
			heal()
			w.wantShape("g", "InService a:1 b:1") // as it was
			time.Sleep(2 * time.Minute)
			w.wantShape("g", "InService a:2 b:1")
			w.wantState(ids[0], "")
		})
	})
	t.Run("nor do hooks, alarms and launches go on", func(t *testing.T) {
		t.Parallel()
		with(t, func(w *world) {
			w.group("g", 0, 8, 1)
			svctest.Must(w.tracking())(t)
			svctest.Must(w.CreateAutoScalingGroup(w.Context(), w.input("h", 0, 1, 1, withHooks(hook("h", launching, 60, "ABANDON")))))(t)
			time.Sleep(30 * time.Second)
			id := *w.describe("h").Instances[0].InstanceId
			w.wantState(id, "Pending:Wait")
			svctest.Must(w.CreateAutoScalingGroup(w.Context(), w.input("p", 0, 1, 1, withHooks(hook("h", launching, 600, "ABANDON")))))(t)
			time.Sleep(10 * time.Second)
			pending := *w.describe("p").Instances[0].InstanceId
			heal := svctest.Must(w.cloud.FailService(serviceID, "us-east-1"))(t)
			w.report(5, 20)
			if i := w.instance(id); i.State != ec2model.Running {
				t.Errorf("%s is %s", id, i.State)
			}
			heal()
			w.wantDesired(1)
			w.wantState(pending, "Pending")
			w.report(1, 20)
			w.wantDesired(2)
			w.wantState(pending, "Pending:Wait")
			time.Sleep(time.Minute)
			if i := w.instance(id); i.State != ec2model.Terminated {
				t.Errorf("%s is %s", id, i.State)
			}
		})
	})
	t.Run("without EC2 launches fail and terminations wait", func(t *testing.T) {
		t.Parallel()
		with(t, func(w *world) {
			ids := w.group("g", 0, 4, 2)
			heal := svctest.Must(w.cloud.FailService("EC2", "us-east-1"))(t)
			w.setDesired("g", 3)
			time.Sleep(time.Minute)
			if n := w.failures("g"); n == 0 || *w.activities("g")[0].StatusMessage != "EC2 is unavailable. Launching EC2 instance failed." {
				t.Errorf("%d failures, %v", n, w.activities("g")[0].StatusMessage)
			}
			w.setDesired("g", 1)
			time.Sleep(10 * time.Minute)
			w.wantShape("g", "InService b:1, Terminating a:1")
			if i, _ := w.cloud.Instance(ids[0]); !i.Running() {
				t.Error("the instance does not run")
			}
			heal()
			time.Sleep(2 * time.Minute)
			w.wantShape("g", "InService b:1")
		})
	})
}

func TestTagsAreCountedInCharacters(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.group("g", 0, 2, 0)
		put := func(n int) error {
			_, err := w.CreateOrUpdateTags(w.Context(), &autoscaling.CreateOrUpdateTagsInput{Tags: []types.Tag{{Key: new(strings.Repeat("ж", n)), Value: new(strings.Repeat("ж", 2*n)), ResourceId: new("g"), ResourceType: new("auto-scaling-group")}}})
			return err
		}
		if err := put(128); err != nil {
			t.Error(err)
		}
		svctest.WantCode(t, put(129), "ValidationError")
	})
}
