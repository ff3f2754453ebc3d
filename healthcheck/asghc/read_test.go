package asghc_test

import (
	"context"
	"errors"
	"fmt"
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

// sickHalf is a pool of n targets, every other of which has been unhealthy for an hour.
func sickHalf(n int) *healthcheckmock.SourceMock {
	var statuses []healthcheck.Status
	for k := range n {
		s := healthcheck.Status{Target: healthcheck.Target{ID: fmt.Sprintf("i-%03d", k)}, State: healthcheck.Healthy, Since: time.Now().Add(-time.Hour)}
		if k%2 == 0 {
			s.State = healthcheck.Unhealthy
		}
		statuses = append(statuses, s)
	}
	view := healthcheck.NewView(statuses...)
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

// Reads ask for no more than AWS allows at a time, follow its pages, and never ask for everything.
func TestReadsComeInParts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked, marked []string
		api := &healthcheckmock.AutoScalingAPIMock{
			DescribeAutoScalingInstancesFunc: func(_ context.Context, in *autoscaling.DescribeAutoScalingInstancesInput, _ ...func(*autoscaling.Options)) (*autoscaling.DescribeAutoScalingInstancesOutput, error) {
				asked = append(asked, fmt.Sprint(len(in.InstanceIds), " instances ", aws.ToString(in.NextToken)))
				out := &autoscaling.DescribeAutoScalingInstancesOutput{}
				if in.NextToken == nil {
					out.NextToken = aws.String("more")
					return out, nil
				}
				for _, id := range in.InstanceIds { // a group of their own for each
					out.AutoScalingInstances = append(out.AutoScalingInstances, types.AutoScalingInstanceDetails{AutoScalingGroupName: aws.String("g-" + id), InstanceId: aws.String(id)})
				}
				return out, nil
			},
			DescribeAutoScalingGroupsFunc: func(_ context.Context, in *autoscaling.DescribeAutoScalingGroupsInput, _ ...func(*autoscaling.Options)) (*autoscaling.DescribeAutoScalingGroupsOutput, error) {
				asked = append(asked, fmt.Sprint(len(in.AutoScalingGroupNames), " groups ", aws.ToString(in.NextToken)))
				out := &autoscaling.DescribeAutoScalingGroupsOutput{}
				if in.NextToken == nil {
					out.NextToken = aws.String("more")
					return out, nil
				}
				for _, name := range in.AutoScalingGroupNames {
					out.AutoScalingGroups = append(out.AutoScalingGroups, types.AutoScalingGroup{
						AutoScalingGroupName: aws.String(name), DesiredCapacity: aws.Int32(1),
						Instances: []types.Instance{{InstanceId: aws.String(name[2:]), LifecycleState: types.LifecycleStateInService, HealthStatus: aws.String("Healthy")}},
					})
				}
				return out, nil
			},
			SetInstanceHealthFunc: func(_ context.Context, in *autoscaling.SetInstanceHealthInput, _ ...func(*autoscaling.Options)) (*autoscaling.SetInstanceHealthOutput, error) {
				if *in.HealthStatus != "Unhealthy" || !*in.ShouldRespectGracePeriod {
					t.Errorf("asked for %v", in)
				}
				marked = append(marked, *in.InstanceId)
				return &autoscaling.SetInstanceHealthOutput{}, nil
			},
		}
		r := must(asghc.New(api, sickHalf(120), func(o *asghc.Options) { o.Interval = time.Minute }))(t)
		ctx, cancel := context.WithTimeout(t.Context(), 61*time.Second+12*time.Second) // two rounds: in the first it is too young itself
		defer cancel()
		if err := r.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		want := []string{
			"50 instances ", "50 instances more", "10 instances ", "10 instances more",
			"50 groups ", "50 groups more", "10 groups ", "10 groups more",
		}
		if diff := cmp.Diff(want, asked); diff != "" {
			t.Errorf("asked (-want +got):\n%s", diff)
		}
		if len(marked) != 60 {
			t.Errorf("%d instances were marked", len(marked))
		}
	})
}

func TestInstancesOfNoGroup(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		api := &healthcheckmock.AutoScalingAPIMock{ // with nothing else to call
			DescribeAutoScalingInstancesFunc: func(context.Context, *autoscaling.DescribeAutoScalingInstancesInput, ...func(*autoscaling.Options)) (*autoscaling.DescribeAutoScalingInstancesOutput, error) {
				return &autoscaling.DescribeAutoScalingInstancesOutput{}, nil
			},
		}
		var got []asghc.Verdict
		r := must(asghc.New(api, sickHalf(2), func(o *asghc.Options) {
			o.OnEvent = func(_ context.Context, e asghc.Event) {
				got = append(got, e.Decision.Verdict)
				panic("which is recovered")
			}
		}))(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := r.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if diff := cmp.Diff([]asghc.Verdict{asghc.Young, asghc.NoMember}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
