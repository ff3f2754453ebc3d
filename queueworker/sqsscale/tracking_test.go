package sqsscale_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/queueworker"
	"github.com/awsha/awsha/queueworker/queueworkermock"
	"github.com/awsha/awsha/queueworker/sqsscale"
)

var policy = sqsscale.TargetTracking{Group: "workers", Metric: work, Target: 12}

func (w *world) puts() int { return w.cloud.Count(service, "PutScalingPolicy") }

func TestAPolicyIsMadeOnceAndThenLeftAlone(t *testing.T) {
	t.Parallel()
	inWorld(t, 0, 10, 1, func(w *world) {
		missing := []sqsscale.Difference{{Field: "Policy", Want: "backlog-per-instance"}}
		if diff := cmp.Diff(missing, must(policy.Check(w.ctx, w.Client))(w)); diff != "" || w.puts() != 0 {
			w.Errorf("Check made %d changes, and found %s", w.puts(), diff)
		}
		if diff := cmp.Diff(missing, must(policy.Ensure(w.ctx, w.Client))(w)); diff != "" || w.puts() != 1 {
			w.Errorf("Ensure made %d changes, and found %s", w.puts(), diff)
		}
		for range 3 {
			if all := must(policy.Ensure(w.ctx, w.Client))(w); all != nil || w.puts() != 1 {
				w.Errorf("Ensure made %d changes, and found %v", w.puts(), all)
			}
		}
		p := must(w.DescribePolicies(w.ctx, &autoscaling.DescribePoliciesInput{AutoScalingGroupName: aws.String("workers")}))(w).ScalingPolicies
		if len(p) != 1 || len(p[0].Alarms) != 2 || *p[0].TargetTrackingConfiguration.TargetValue != 12 {
			w.Errorf("got %+v", p)
		}
	})
}

func TestWhatIsOtherIsShownAndMended(t *testing.T) {
	t.Parallel()
	inWorld(t, 0, 10, 1, func(w *world) {
		must(policy.Ensure(w.ctx, w.Client))(w)
		other := policy
		other.Target, other.DisableScaleIn, other.Disabled, other.Warmup = 0.5, true, true, 90*time.Second
		other.Metric.QueueName, other.Metric.Name = "more-work", "Backlog"
		want := []sqsscale.Difference{
			{Field: "Dimensions", Have: "AutoScalingGroupName=workers, QueueName=work", Want: "AutoScalingGroupName=workers, QueueName=more-work"},
			{Field: "DisableScaleIn", Have: "false", Want: "true"},
			{Field: "Enabled", Have: "true", Want: "false"},
			{Field: "EstimatedInstanceWarmup", Want: "90"},
			{Field: "MetricName", Have: "BacklogPerInstance", Want: "Backlog"},
			{Field: "TargetValue", Have: "12", Want: "0.5"},
		}
		if diff := cmp.Diff(want, must(other.Check(w.ctx, w.Client))(w)); diff != "" {
			w.Error(diff)
		}
		if diff := cmp.Diff(want, must(other.Ensure(w.ctx, w.Client))(w)); diff != "" {
			w.Error(diff)
		}
		if all := must(other.Check(w.ctx, w.Client))(w); all != nil {
			w.Errorf("left over: %v", all)
		}
	})
}

func TestAPolicyOfAnotherKindIsShownAndReplaced(t *testing.T) {
	t.Parallel()
	inWorld(t, 0, 10, 1, func(w *world) {
		must(w.PutScalingPolicy(w.ctx, &autoscaling.PutScalingPolicyInput{
			AutoScalingGroupName: aws.String("workers"), PolicyName: aws.String("backlog-per-instance"), PolicyType: aws.String("SimpleScaling"),
			AdjustmentType: aws.String("ChangeInCapacity"), ScalingAdjustment: aws.Int32(1),
		}))(w)
		all := must(policy.Ensure(w.ctx, w.Client))(w)
		if !slices.Contains(all, sqsscale.Difference{Field: "PolicyType", Have: "SimpleScaling", Want: "TargetTrackingScaling"}) {
			w.Errorf("got %v", all)
		}
		if all := must(policy.Check(w.ctx, w.Client))(w); all != nil {
			w.Errorf("left over: %v", all)
		}
	})
}

// Reads that are behind, throttles and lost replies are outlasted; the policy is right in the end, and said to be so only then.
func TestEnsureOutlastsFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		op     string
		effect awstest.Effect
	}{
		"a read is throttled":    {"DescribePolicies", awstest.Throttle()},
		"a read fails":           {"DescribePolicies", awstest.Unavailable()},
		"a write is throttled":   {"PutScalingPolicy", awstest.Throttle()},
		"a write fails":          {"PutScalingPolicy", awstest.Unavailable()},
		"the reply is lost":      {"PutScalingPolicy", awstest.LoseReply()},
		"a write hangs, or most": {"PutScalingPolicy", awstest.Delay(3 * time.Second)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inWorld(t, 0, 10, 1, func(w *world) {
				inject(w, w.cloud, awstest.Match{Service: service, Operation: c.op, Times: 7}, c.effect)
				must(policy.Ensure(w.ctx, w.Client))(w)
				if all := must(policy.Check(w.ctx, w.Client))(w); all != nil {
					w.Errorf("left over: %v", all)
				}
			})
		})
	}
	t.Run("reads are behind", func(t *testing.T) {
		t.Parallel()
		inWorld(t, 0, 10, 1, func(w *world) {
			time.Sleep(time.Minute)
			inject(w, w.cloud, awstest.Match{Service: service, Operation: "DescribePolicies"}, awstest.Stale(20*time.Second))
			from := time.Now()
			must(policy.Ensure(w.ctx, w.Client))(w)
			if took := time.Since(from); took < 20*time.Second || w.puts() != 1 {
				w.Errorf("it took %v and %d calls", took, w.puts())
			}
		})
	})
}

func TestEnsureSaysWhatItCouldNotDo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		op     string
		effect awstest.Effect
		want   error
		failed string
	}{
		"reading is denied":    {"DescribePolicies", awstest.Deny(), sqsscale.ErrDenied, "DescribePolicies"},
		"writing is denied":    {"PutScalingPolicy", awstest.Deny(), sqsscale.ErrDenied, "PutScalingPolicy"},
		"reads never show it":  {"DescribePolicies", awstest.Stale(5 * time.Minute), sqsscale.ErrUnconfirmed, "DescribePolicies"},
		"writing hangs":        {"PutScalingPolicy", awstest.Hang(), context.DeadlineExceeded, "PutScalingPolicy"},
		"reading is throttled": {"DescribePolicies", awstest.Throttle(), nil, "DescribePolicies"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inWorld(t, 0, 10, 1, func(w *world) {
				time.Sleep(10 * time.Minute)
				inject(w, w.cloud, awstest.Match{Service: service, Operation: c.op}, c.effect)
				from := time.Now()
				_, err := policy.Ensure(w.ctx, w.Client)
				if call, ok := errors.AsType[*sqsscale.CallError](err); !ok || call.Op != c.failed || call.Of != "workers" || c.want != nil && !errors.Is(err, c.want) {
					w.Errorf("got %v", err)
				}
				if took := time.Since(from); took > 75*time.Second {
					w.Errorf("it took %v", took)
				}
			})
		})
	}
	t.Run("the context ends", func(t *testing.T) {
		t.Parallel()
		inWorld(t, 0, 10, 1, func(w *world) {
			inject(w, w.cloud, awstest.Match{Service: service, Operation: "PutScalingPolicy"}, awstest.Hang())
			cause := errors.New("the program ends")
			ctx, cancel := context.WithTimeoutCause(w.ctx, 5*time.Second, cause)
			defer cancel()
			if _, err := policy.Ensure(ctx, w.Client); !errors.Is(err, cause) {
				w.Errorf("got %v", err)
			}
		})
	})
}

// shelf is an Auto Scaling that keeps policies with metric math, which awstest does not evaluate.
func shelf(enabled ...types.EnabledMetric) *queueworkermock.PoliciesAPIMock {
	var mu sync.Mutex
	var kept []types.ScalingPolicy
	return &queueworkermock.PoliciesAPIMock{
		DescribePoliciesFunc: func(context.Context, *autoscaling.DescribePoliciesInput, ...func(*autoscaling.Options)) (*autoscaling.DescribePoliciesOutput, error) {
			mu.Lock()
			defer mu.Unlock()
			return &autoscaling.DescribePoliciesOutput{ScalingPolicies: kept}, nil
		},
		PutScalingPolicyFunc: func(_ context.Context, in *autoscaling.PutScalingPolicyInput, _ ...func(*autoscaling.Options)) (*autoscaling.PutScalingPolicyOutput, error) {
			mu.Lock()
			defer mu.Unlock()
			c := *in.TargetTrackingConfiguration
			m := *c.CustomizedMetricSpecification
			m.Metrics = slices.Clone(m.Metrics)
			slices.Reverse(m.Metrics) // the order does not matter
			for i := range m.Metrics {
				m.Metrics[i].Label, m.Metrics[i].Period = nil, aws.Int32(60) // nor do labels, and what is the default
			}
			c.CustomizedMetricSpecification = &m
			kept = []types.ScalingPolicy{{PolicyName: in.PolicyName, PolicyType: in.PolicyType, TargetTrackingConfiguration: &c}}
			return &autoscaling.PutScalingPolicyOutput{}, nil
		},
		DescribeAutoScalingGroupsFunc: func(context.Context, *autoscaling.DescribeAutoScalingGroupsInput, ...func(*autoscaling.Options)) (*autoscaling.DescribeAutoScalingGroupsOutput, error) {
			return &autoscaling.DescribeAutoScalingGroupsOutput{AutoScalingGroups: []types.AutoScalingGroup{{EnabledMetrics: enabled}}}, nil
		},
	}
}

func TestAPolicyOfMetricMathNeedsNoPublisher(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ratio := policy
		ratio.MetricMath = true
		api := shelf(types.EnabledMetric{Metric: aws.String("GroupInServiceInstances"), Granularity: aws.String("1Minute")})
		if all := must(ratio.Ensure(t.Context(), api))(t); len(all) != 1 {
			t.Errorf("got %v", all)
		}
		if all := must(ratio.Ensure(t.Context(), api))(t); all != nil || len(api.PutScalingPolicyCalls()) != 1 {
			t.Errorf("%d calls, and %v", len(api.PutScalingPolicyCalls()), all)
		}
		// The queries are those of the guide, but for their labels.
		got := api.PutScalingPolicyCalls()[0].Params.TargetTrackingConfiguration.CustomizedMetricSpecification.Metrics
		if len(got) != 3 || *got[2].Expression != "m1 / m2" || !*got[2].ReturnData || *got[0].ReturnData || *got[1].ReturnData {
			t.Errorf("got %+v", got)
		}
		another := ratio
		another.Metric.QueueName = "more-work"
		want := []sqsscale.Difference{{
			Field: "Metrics.m1",
			Have:  "Sum of ApproximateNumberOfMessagesVisible of AWS/SQS {QueueName=work}, not returned",
			Want:  "Sum of ApproximateNumberOfMessagesVisible of AWS/SQS {QueueName=more-work}, not returned",
		}}
		if diff := cmp.Diff(want, must(another.Check(t.Context(), api))(t)); diff != "" {
			t.Error(diff)
		}
		all := must(policy.Check(t.Context(), api))(t) // from metric math to a publisher
		var fields []string
		for _, d := range all {
			fields = append(fields, d.Field)
		}
		if diff := cmp.Diff([]string{"Dimensions", "MetricName", "Metrics.e1", "Metrics.m1", "Metrics.m2", "Namespace", "Statistic"}, fields); diff != "" {
			t.Error(diff)
		}
	})
}

// A policy that divides by a metric which nobody publishes would never scale, and never say so.
func TestMetricMathNeedsTheMetricsOfTheGroup(t *testing.T) {
	t.Parallel()
	ratio := policy
	ratio.MetricMath = true
	api := shelf(types.EnabledMetric{Metric: aws.String("GroupMaxSize"), Granularity: aws.String("1Minute")})
	all, err := ratio.Ensure(t.Context(), api)
	want := []sqsscale.Difference{
		{Field: "Policy", Want: "backlog-per-instance"},
		{Field: "EnabledMetrics", Have: "GroupMaxSize", Want: "GroupInServiceInstances"},
	}
	if diff := cmp.Diff(want, all); diff != "" || !errors.Is(err, sqsscale.ErrGroupMetrics) {
		t.Errorf("got %v and %s", err, diff)
	}
	if n := len(api.PutScalingPolicyCalls()); n != 0 {
		t.Errorf("%d policies were put", n)
	}
}

func TestAllMistakesOfAPolicyAreReported(t *testing.T) {
	t.Parallel()
	bad := sqsscale.TargetTracking{Name: string(make([]byte, 256)), Target: math.NaN(), Warmup: time.Millisecond, Timeout: -1}
	want := []string{
		"TargetTracking.Group", "TargetTracking.Name", "TargetTracking.Target", "TargetTracking.Warmup", "TargetTracking.Timeout", "Metric.QueueName",
	}
	_, err := bad.Input()
	if diff := cmp.Diff(want, fields(err)); diff != "" {
		t.Error(diff)
	}
	_, err = bad.Check(t.Context(), nil)
	if f, ok := errors.AsType[*queueworker.FieldError](err); !ok || f.Field != "api" {
		t.Errorf("got %v", err)
	}
	if _, err := bad.Ensure(t.Context(), nil); err == nil {
		t.Error("Ensure accepts it")
	}
}

// Publisher and policy together: Auto Scaling follows the backlog by itself.
func TestAPolicyFollowsThePublisher(t *testing.T) {
	t.Parallel()
	inWorld(t, 1, 10, 1, func(w *world) {
		f := &fleet{world: w, handler: 20 * time.Second, slots: 5}
		f.run()
		must(policy.Ensure(w.ctx, w.Client))(w)
		publisher := must(sqsscale.NewPublisher(w.metrics, f.hints(time.Minute), policy.Metric))(w)
		w.wg.Go(func() { _ = publisher.Run(w.ctx) })
		w.send(500)
		w.until("it is scaled out", func() bool { return w.inService() >= 5 })
		w.until("all is handled", func() bool { return f.handled.Load() == 500 })
		w.until("it is scaled in", func() bool { return w.settled(1) })
		if n := f.killed.Load(); n != 0 {
			w.Errorf("%d handlers were killed", n)
		}
	})
}
