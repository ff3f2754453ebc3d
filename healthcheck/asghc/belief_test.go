package asghc_test

import (
	"cmp"
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
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/healthcheck"
	"github.com/awsha/awsha/healthcheck/asghc"
	"github.com/awsha/awsha/healthcheck/healthcheckmock"
)

// scripted is a pool of ten targets i-0 ... i-9 that looks as a script says, and a group of theirs that always looks well.
// It tells what is marked, and when.
type scripted struct {
	start   time.Time
	view    func(at time.Duration) []healthcheck.Status
	refuse  func(id string) error
	slow    time.Duration   // each call
	every   time.Duration   // Interval; a second if zero
	percent int             // MaxInFlightPercent; 10 if zero
	changes []time.Duration // when who waits looks again; each second if nil
	log     []string
}

// statuses has the first n targets unhealthy, for an hour.
func (s *scripted) statuses(n int, change ...func(*healthcheck.Status)) (all []healthcheck.Status) {
	for k := range 10 {
		st := healthcheck.Status{Target: healthcheck.Target{ID: fmt.Sprintf("i-%d", k)}, State: healthcheck.Healthy}
		if k < n {
			st.State, st.Fails = healthcheck.Unhealthy, 1
			st.Since = s.start.Add(-time.Hour).Add(time.Duration(k) * time.Second)
			for _, fn := range change {
				fn(&st)
			}
		}
		all = append(all, st)
	}
	return all
}

func (s *scripted) run(t *testing.T, d time.Duration) {
	t.Helper()
	s.start = time.Now()
	view := func() *healthcheck.View { return healthcheck.NewView(s.view(time.Since(s.start))...) }
	source := &healthcheckmock.SourceMock{ViewFunc: view, WaitFunc: func(ctx context.Context, cond func(*healthcheck.View) bool) error {
		for !cond(view()) {
			next := time.Second
			if s.changes != nil {
				next = 24 * time.Hour
				for _, at := range s.changes {
					if d := time.Until(s.start.Add(at)); d > 0 {
						next = min(next, d)
					}
				}
			}
			select {
			case <-time.After(next):
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		return nil
	}}
	api := &healthcheckmock.AutoScalingAPIMock{
		DescribeAutoScalingGroupsFunc: func(context.Context, *autoscaling.DescribeAutoScalingGroupsInput, ...func(*autoscaling.Options)) (*autoscaling.DescribeAutoScalingGroupsOutput, error) {
			time.Sleep(s.slow)
			g := types.AutoScalingGroup{AutoScalingGroupName: aws.String("g"), DesiredCapacity: aws.Int32(10)}
			for k := range 10 {
				g.Instances = append(g.Instances, types.Instance{
					InstanceId: aws.String(fmt.Sprintf("i-%d", k)), LifecycleState: types.LifecycleStateInService, HealthStatus: aws.String("Healthy"),
				})
			}
			return &autoscaling.DescribeAutoScalingGroupsOutput{AutoScalingGroups: []types.AutoScalingGroup{g}}, nil
		},
		SetInstanceHealthFunc: func(_ context.Context, in *autoscaling.SetInstanceHealthInput, _ ...func(*autoscaling.Options)) (*autoscaling.SetInstanceHealthOutput, error) {
			s.log = append(s.log, fmt.Sprint(*in.InstanceId, " in minute ", int(time.Since(s.start)/time.Minute)))
			time.Sleep(s.slow)
			if s.refuse == nil {
				return &autoscaling.SetInstanceHealthOutput{}, nil
			}
			return &autoscaling.SetInstanceHealthOutput{}, s.refuse(*in.InstanceId)
		},
	}
	r := must(asghc.New(api, source, func(o *asghc.Options) {
		o.Groups, o.Interval, o.SettleTime = []string{"g"}, cmp.Or(s.every, time.Second), 3*time.Minute
		o.MaxInFlightPercent = cmp.Or(s.percent, 10)
	}))(t)
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	if err := r.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

// What a pool says is believed, or not, and what has been done is remembered for as long as reads do not show it.
func TestBelief(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		view   func(s *scripted, at time.Duration) []healthcheck.Status
		refuse func(id string) error
		set    func(*scripted)
		want   []string
	}{
		{
			name: "nothing is marked in the first minute, and one instance until it is seen to be",
			view: func(s *scripted, _ time.Duration) []healthcheck.Status { return s.statuses(2) },
			want: []string{"i-0 in minute 1", "i-0 in minute 4"},
		},
		{
			name:   "a mark without a reply counts",
			view:   func(s *scripted, _ time.Duration) []healthcheck.Status { return s.statuses(2) },
			refuse: func(string) error { return context.DeadlineExceeded },
			want:   []string{"i-0 in minute 1", "i-0 in minute 4"},
		},
		{
			name: "a target that passes a check again is let alone",
			view: func(s *scripted, at time.Duration) []healthcheck.Status {
				return s.statuses(1, func(st *healthcheck.Status) {
					if at < 3*time.Minute {
						st.Passes, st.Fails = 1, 0
					}
				})
			},
			want: []string{"i-0 in minute 3"},
		},
		{
			name: "a pool in which too many were unhealthy is believed a minute later",
			view: func(s *scripted, at time.Duration) []healthcheck.Status {
				if at < 3*time.Minute+30*time.Second {
					return s.statuses(6)
				}
				return s.statuses(1)
			},
			want: []string{"i-0 in minute 4"},
		},
		{
			name: "a pool that has failed open likewise",
			view: func(s *scripted, at time.Duration) []healthcheck.Status {
				if at < 3*time.Minute+30*time.Second {
					return s.statuses(10)
				}
				return s.statuses(1)
			},
			want: []string{"i-0 in minute 4"},
		},
		{
			name: "doubt between two rounds",
			view: func(s *scripted, at time.Duration) []healthcheck.Status {
				if 70*time.Second < at && at < 95*time.Second { // rounds come after 100 to 120 s, and after 200 to 240 s
					return s.statuses(10)
				}
				return s.statuses(2)
			},
			set:  func(s *scripted) { s.every = 100 * time.Second },
			want: []string{"i-0 in minute 3"},
		},
		{
			name: "doubt that ends just before a round",
			view: func(s *scripted, at time.Duration) []healthcheck.Status {
				if 5*time.Second <= at && at < 95*time.Second {
					return s.statuses(10)
				}
				return s.statuses(2)
			},
			set: func(s *scripted) {
				s.every, s.changes = 100*time.Second, []time.Duration{5 * time.Second, 95 * time.Second}
			},
			want: []string{"i-0 in minute 3"},
		},
		{
			name: "a pool that fails open while the group is read",
			view: func(s *scripted, at time.Duration) []healthcheck.Status {
				if at > time.Minute+5*time.Second {
					return s.statuses(10)
				}
				return s.statuses(1)
			},
			set: func(s *scripted) { s.slow = 8 * time.Second },
		},
		{
			name: "a pool that fails open while instances are marked",
			view: func(s *scripted, at time.Duration) []healthcheck.Status {
				if at > time.Minute+13*time.Second {
					return s.statuses(10)
				}
				return s.statuses(4)
			},
			set:  func(s *scripted) { s.slow, s.percent = 8*time.Second, 100 },
			want: []string{"i-0 in minute 1"},
		},
		{
			name: "a target that comes back while another is marked",
			view: func(s *scripted, at time.Duration) []healthcheck.Status {
				if all := s.statuses(2); at > time.Minute+13*time.Second {
					all[1].State = healthcheck.Healthy
					return all
				}
				return s.statuses(2)
			},
			set:  func(s *scripted) { s.slow, s.percent = 8*time.Second, 100 },
			want: []string{"i-0 in minute 1", "i-0 in minute 4"},
		},
		{
			name: "one that is refused keeps nobody from its turn",
			view: func(s *scripted, _ time.Duration) []healthcheck.Status { return s.statuses(2) },
			refuse: func(id string) error {
				if id == "i-0" {
					return &smithy.GenericAPIError{Code: "ValidationError", Message: "for reasons of its own"}
				}
				return nil
			},
			want: []string{"i-0 in minute 1", "i-1 in minute 1", "i-0 in minute 4", "i-1 in minute 4"},
		},
		{
			name: "a check that tells nothing",
			view: func(s *scripted, at time.Duration) []healthcheck.Status {
				return s.statuses(1, func(st *healthcheck.Status) {
					st.Last = healthcheck.Result{Start: s.start, Outcome: healthcheck.Fail}
					if at < 3*time.Minute {
						st.Last.Outcome = healthcheck.Unknown
					}
				})
			},
			want: []string{"i-0 in minute 3"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &scripted{refuse: test.refuse}
				if test.set != nil {
					test.set(s)
				}
				s.view = func(at time.Duration) []healthcheck.Status { return test.view(s, at) }
				s.run(t, 5*time.Minute)
				if diff := gocmp.Diff(test.want, s.log); diff != "" {
					t.Errorf("marks (-want +got):\n%s", diff)
				}
			})
		})
	}
}
