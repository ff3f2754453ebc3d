package asghc_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/healthcheck"
	"github.com/awsha/awsha/healthcheck/asghc"
	"github.com/awsha/awsha/healthcheck/healthcheckmock"
)

// still is a pool of which nothing changes any more.
func still(view *healthcheck.View) *healthcheckmock.SourceMock {
	return &healthcheckmock.SourceMock{
		ViewFunc: func() *healthcheck.View { return view },
		WaitFunc: func(ctx context.Context, cond func(*healthcheck.View) bool) error {
			if !cond(view) {
				<-ctx.Done()
			}
			return context.Cause(ctx)
		},
	}
}

// What AWS says of a group, and a pool of its zones, is what the plan is made from.
func TestWhatAGroupIsLike(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		group  func(*types.AutoScalingGroup)
		view   healthcheck.ViewOptions
		option func(*asghc.Options)
		want   string // the verdicts on i-0 and i-1, both unhealthy for an hour, and all there is in zone a
	}{
		{name: "as usual", want: "mark brake"},
		{name: "being deleted", group: func(g *types.AutoScalingGroup) { g.Status = aws.String("Delete in progress") }, want: "deleting deleting"},
		{name: "in vCPUs", group: func(g *types.AutoScalingGroup) { g.DesiredCapacityType = aws.String("vcpu") }, want: "other-units other-units"},
		{name: "in units, explicitly", group: func(g *types.AutoScalingGroup) { g.DesiredCapacityType = aws.String("units") }, want: "mark brake"},
		{
			name: "with one that is protected", group: func(g *types.AutoScalingGroup) { g.Instances[0].ProtectedFromScaleIn = aws.Bool(true) },
			option: func(o *asghc.Options) { o.KeepProtected = true }, want: "protected mark",
		},
		{
			name: "with weights", group: func(g *types.AutoScalingGroup) {
				g.DesiredCapacity = aws.Int32(12)
				for k := range g.Instances {
					g.Instances[k].WeightedCapacity = aws.String("2")
				}
			},
			option: func(o *asghc.Options) { o.MaxInFlightPercent = 30 }, want: "mark brake", // 3 of 12 may be missing
		},
		{name: "in a zone that fails open", view: healthcheck.ViewOptions{ZonalOnly: true}, want: "fail-open fail-open"},
		{name: "to a pool that is short of CPU", view: healthcheck.ViewOptions{Local: healthcheck.Local{Stretch: 2}}, want: "degraded degraded"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				group := types.AutoScalingGroup{AutoScalingGroupName: aws.String("g"), DesiredCapacity: aws.Int32(6)}
				var statuses []healthcheck.Status
				for k := range 6 {
					id := fmt.Sprintf("i-%d", k)
					group.Instances = append(group.Instances, types.Instance{InstanceId: &id, LifecycleState: types.LifecycleStateInService, HealthStatus: aws.String("Healthy")})
					s := healthcheck.Status{Target: healthcheck.Target{ID: id, Zone: "b"}, State: healthcheck.Healthy}
					if k < 2 {
						s.Target.Zone, s.State, s.Since = "a", healthcheck.Unhealthy, time.Now().Add(time.Duration(k)*time.Second-time.Hour)
					}
					statuses = append(statuses, s)
				}
				if test.group != nil {
					test.group(&group)
				}
				api := &healthcheckmock.AutoScalingAPIMock{
					DescribeAutoScalingGroupsFunc: func(context.Context, *autoscaling.DescribeAutoScalingGroupsInput, ...func(*autoscaling.Options)) (*autoscaling.DescribeAutoScalingGroupsOutput, error) {
						return &autoscaling.DescribeAutoScalingGroupsOutput{AutoScalingGroups: []types.AutoScalingGroup{group}}, nil
					},
				}
				verdicts := map[string]asghc.Verdict{}
				r := must(asghc.New(api, still(test.view.View(statuses...)), func(o *asghc.Options) {
					o.Groups, o.DryRun = []string{"g"}, true
					o.OnEvent = func(_ context.Context, e asghc.Event) { verdicts[e.Decision.Instance] = e.Decision.Verdict }
					if test.option != nil {
						test.option(o)
					}
				}))(t)
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
				defer cancel()
				if err := r.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
					t.Error(err)
				}
				if diff := cmp.Diff(test.want, fmt.Sprint(verdicts["i-0"], " ", verdicts["i-1"])); diff != "" {
					t.Errorf("verdicts (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// While nothing succeeds, Auto Scaling is asked every eighth Interval, and at the usual pace after that.
func TestAskedLessAndLessOften(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ read, mark error }{
		"reads fail":        {read: errors.New("connection reset")},
		"marks are refused": {mark: errors.New("no such thing")},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var reads atomic.Int32
				from := time.Now()
				api := &healthcheckmock.AutoScalingAPIMock{
					DescribeAutoScalingGroupsFunc: func(context.Context, *autoscaling.DescribeAutoScalingGroupsInput, ...func(*autoscaling.Options)) (*autoscaling.DescribeAutoScalingGroupsOutput, error) {
						reads.Add(1)
						if test.read != nil && time.Since(from) < time.Hour {
							return nil, test.read
						}
						return &autoscaling.DescribeAutoScalingGroupsOutput{AutoScalingGroups: []types.AutoScalingGroup{{
							AutoScalingGroupName: aws.String("g"), DesiredCapacity: aws.Int32(1),
							Instances: []types.Instance{{InstanceId: aws.String("i-000"), LifecycleState: types.LifecycleStateInService, HealthStatus: aws.String("Healthy")}},
						}}}, nil
					},
					SetInstanceHealthFunc: func(context.Context, *autoscaling.SetInstanceHealthInput, ...func(*autoscaling.Options)) (*autoscaling.SetInstanceHealthOutput, error) {
						if time.Since(from) < time.Hour {
							return nil, test.mark
						}
						return &autoscaling.SetInstanceHealthOutput{}, nil
					},
				}
				r := must(asghc.New(api, sickHalf(2), func(o *asghc.Options) { o.Groups, o.RetryGrace = []string{"g"}, time.Second }))(t)
				run := func(d time.Duration) int32 {
					reads.Store(0)
					time.Sleep(d)
					return reads.Load()
				}
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error)
				go func() { done <- r.Run(ctx) }()
				if n := run(time.Hour); n < 20 || n > 40 {
					t.Errorf("%d reads in the hour in which nothing succeeds", n)
				}
				run(5 * time.Minute)
				if n := run(time.Hour); n < 180 {
					t.Errorf("%d reads in the hour after", n)
				}
				cancel()
				<-done
			})
		})
	}
}
