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
	"github.com/aws/smithy-go"
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
	return still(healthcheck.NewView(statuses...))
}

// Reads ask for no more than AWS allows at a time, follow its pages, and never ask for everything.
func TestReadsComeInParts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked, marked []string
		api := &healthcheckmock.AutoScalingAPIMock{
			DescribeAutoScalingInstancesFunc: func(_ context.Context, in *autoscaling.DescribeAutoScalingInstancesInput, _ ...func(*autoscaling.Options)) (*autoscaling.DescribeAutoScalingInstancesOutput, error) {
				asked = append(asked, fmt.Sprint(len(in.InstanceIds), " instances ", aws.ToString(in.NextToken)))
				out := &autoscaling.DescribeAutoScalingInstancesOutput{NextToken: aws.String("")} // as good as none
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
				out := &autoscaling.DescribeAutoScalingGroupsOutput{NextToken: aws.String("")}
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

// A policy may name some of the groups only.
func TestAGroupThatIsNotPermittedKeepsNoOtherFromItsTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked []string
		api := &healthcheckmock.AutoScalingAPIMock{
			DescribeAutoScalingGroupsFunc: func(context.Context, *autoscaling.DescribeAutoScalingGroupsInput, ...func(*autoscaling.Options)) (*autoscaling.DescribeAutoScalingGroupsOutput, error) {
				out := &autoscaling.DescribeAutoScalingGroupsOutput{}
				for k, name := range []string{"theirs", "ours"} {
					g := types.AutoScalingGroup{AutoScalingGroupName: aws.String(name), DesiredCapacity: aws.Int32(4)}
					for n := range 4 {
						g.Instances = append(g.Instances, types.Instance{
							InstanceId: aws.String(fmt.Sprintf("i-%03d", 4*k+n)), LifecycleState: types.LifecycleStateInService, HealthStatus: aws.String("Healthy"),
						})
					}
					out.AutoScalingGroups = append(out.AutoScalingGroups, g)
				}
				return out, nil
			},
			SetInstanceHealthFunc: func(_ context.Context, in *autoscaling.SetInstanceHealthInput, _ ...func(*autoscaling.Options)) (*autoscaling.SetInstanceHealthOutput, error) {
				asked = append(asked, *in.InstanceId)
				if *in.InstanceId < "i-004" {
					return nil, &smithy.GenericAPIError{Code: "AccessDenied", Message: "not authorized"}
				}
				return &autoscaling.SetInstanceHealthOutput{}, nil
			},
		}
		r := must(asghc.New(api, sickHalf(8), func(o *asghc.Options) {
			o.Groups, o.Interval, o.MaxInFlightPercent = []string{"theirs", "ours"}, time.Minute, 100
		}))(t)
		ctx, cancel := context.WithTimeout(t.Context(), 73*time.Second) // two rounds: in the first it is too young itself
		defer cancel()
		if err := r.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if diff := cmp.Diff([]string{"i-000", "i-004", "i-006"}, asked); diff != "" {
			t.Errorf("asked for (-want +got):\n%s", diff)
		}
	})
}

// What a pool has said last is no news when it has stopped.
func TestThePoolStops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pool := must(healthcheck.New(healthcheck.Func(func(_ context.Context, target healthcheck.Target) error {
			if target.ID == "i-0" {
				return errors.New("does not answer")
			}
			return nil
		})))(t)
		must(0, pool.Register(healthcheck.Target{ID: "i-0"}, healthcheck.Target{ID: "i-1"}, healthcheck.Target{ID: "i-2"}))(t)
		ctx, cancel := context.WithTimeout(t.Context(), 80*time.Second) // unhealthy by then, and not for long
		defer cancel()
		done := make(chan error)
		r := must(asghc.New(&healthcheckmock.AutoScalingAPIMock{}, pool))(t) // with nothing to call
		go func() { done <- r.Run(t.Context()) }()
		_ = pool.Run(ctx)
		if pool.View().Count(healthcheck.Unhealthy) != 1 {
			t.Fatal("nothing is unhealthy: the test is about nothing")
		}
		if err := <-done; !errors.Is(err, healthcheck.ErrStopped) {
			t.Errorf("Run returned %v", err)
		}
	})
}
