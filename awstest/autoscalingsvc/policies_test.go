package autoscalingsvc_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/cwmodel"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

func (w *world) inCloudWatch(fn func(*awstest.Tx, *cwmodel.Region)) {
	w.Helper()
	w.cloud.Update(func(tx *awstest.Tx) {
		m, ok := awstest.Lookup[cwmodel.Model](tx)
		if !ok {
			w.Fatal("there is no CloudWatch")
		}
		fn(tx, m.Region(w.region))
	})
}

// report puts a value of the metric backlog each minute for a while.
func (w *world) report(minutes int, value float64) {
	w.Helper()
	for range minutes {
		w.inCloudWatch(func(tx *awstest.Tx, r *cwmodel.Region) {
			r.Put(tx, cwmodel.Datum{Metric: backlog, Values: []float64{value}})
		})
		time.Sleep(time.Minute)
	}
}

var backlog = cwmodel.Metric{Namespace: "queue", Name: "backlog", Dimensions: []cwmodel.Dimension{{Name: "of", Value: "work"}}}

// tracking makes a policy that keeps the metric backlog at 10.
func (w *world) tracking(changes ...func(*autoscaling.PutScalingPolicyInput)) (*autoscaling.PutScalingPolicyOutput, error) {
	in := &autoscaling.PutScalingPolicyInput{
		AutoScalingGroupName: new("g"), PolicyName: new("keep"), PolicyType: new("TargetTrackingScaling"), EstimatedInstanceWarmup: new(int32(60)),
		TargetTrackingConfiguration: &types.TargetTrackingConfiguration{
			TargetValue: new(10.0),
			CustomizedMetricSpecification: &types.CustomizedMetricSpecification{
				Namespace: new("queue"), MetricName: new("backlog"), Statistic: types.MetricStatisticAverage,
				Dimensions: []types.MetricDimension{{Name: new("of"), Value: new("work")}},
			},
		},
	}
	for _, change := range changes {
		change(in)
	}
	return w.PutScalingPolicy(w.Context(), in)
}

func (w *world) alarms() (list []cwmodel.Alarm) {
	w.Helper()
	w.inCloudWatch(func(tx *awstest.Tx, r *cwmodel.Region) {
		for a := range r.Alarms(tx.Now()) {
			list = append(list, a)
		}
	})
	return list
}

func TestTargetTracking(t *testing.T) {
	t.Parallel()
	t.Run("makes two alarms, and takes them away", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			w.group("g", 0, 2, 1)
			out := svctest.Must(w.tracking())(t)
			type shown struct {
				Name      string
				Periods   int
				Period    time.Duration
				Operator  cwmodel.Operator
				Threshold float64
				Action    string
			}
			var got []shown
			for _, a := range w.alarms() {
				name, _, _ := strings.Cut(a.Name, "-0000")
				got = append(got, shown{name, a.Periods, a.Period, a.Operator, a.Threshold, strings.Join(a.AlarmActions, " ")})
			}
			want := []shown{
				{"TargetTracking-g-AlarmHigh", 3, time.Minute, cwmodel.Greater, 10, *out.PolicyARN},
				{"TargetTracking-g-AlarmLow", 15, time.Minute, cwmodel.Less, 9, *out.PolicyARN},
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("want (-), got (+): %s", diff)
			}
			if len(out.Alarms) != 2 || *out.Alarms[0].AlarmName != w.alarms()[0].Name || *out.Alarms[0].AlarmARN != w.alarms()[0].ARN {
				t.Errorf("%v", out.Alarms)
			}
			before := w.alarms()[0].Name
			again := svctest.Must(w.tracking(func(in *autoscaling.PutScalingPolicyInput) { in.TargetTrackingConfiguration.TargetValue = new(20.0) }))(t)
			if *again.PolicyARN != *out.PolicyARN || w.alarms()[0].Name != before || w.alarms()[0].Threshold != 20 || w.alarms()[1].Threshold != 18 {
				t.Errorf("%v", w.alarms())
			}
			svctest.Must(w.tracking(func(in *autoscaling.PutScalingPolicyInput) { in.TargetTrackingConfiguration.DisableScaleIn = new(true) }))(t)
			if list := w.alarms(); len(list) != 1 || !strings.Contains(list[0].Name, "-AlarmHigh-") {
				t.Errorf("%v", list)
			}
			svctest.Must(w.DeletePolicy(w.Context(), &autoscaling.DeletePolicyInput{AutoScalingGroupName: new("g"), PolicyName: new("keep")}))(t)
			if list := w.alarms(); len(list) != 0 {
				t.Errorf("%v are left", list)
			}
			svctest.Must(w.tracking())(t)
			svctest.Must(w.DeleteAutoScalingGroup(w.Context(), &autoscaling.DeleteAutoScalingGroupInput{AutoScalingGroupName: new("g"), ForceDelete: new(true)}))(t)
			time.Sleep(time.Minute)
			if list := w.alarms(); len(list) != 0 {
				t.Errorf("%v are left by the group", list)
			}
		})
	})
	t.Run("grows at once and shrinks slowly", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			w.group("g", 1, 10, 2)
			svctest.Must(w.tracking())(t)
			w.report(10, 10)
			w.wantDesired(2)
			w.report(2, 30) // an alarm of three minutes does not mind two
			w.report(3, 10)
			w.wantDesired(2)
			w.report(4, 25) // 2 instances with 25 each are 5 with 10
			w.wantDesired(5)
			if c := *w.activities("g")[0].Cause; !strings.Contains(c, "a monitor alarm TargetTracking-g-AlarmHigh-") || !strings.Contains(c, " in state ALARM triggered policy keep changing the desired capacity from 2 to 5.") {
				t.Error(c)
			}
			w.report(12, 2)
			w.wantDesired(5)
			w.report(4, 2)
			if got := *w.describe("g").DesiredCapacity; got >= 5 || got < 3 {
				t.Errorf("the desired capacity is %d soon after the alarm", got)
			}
			w.report(30, 2)
			w.wantDesired(1) // the minimum
		})
	})
	t.Run("does not exceed the maximum, nor go on while instances warm up", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			w.group("g", 0, 4, 1)
			svctest.Must(w.tracking(func(in *autoscaling.PutScalingPolicyInput) { in.EstimatedInstanceWarmup = new(int32(1200)) }))(t)
			w.report(15, 20)
			w.wantDesired(2) // the second one does not count yet
			w.report(20, 20)
			w.wantDesired(4)
			w.report(30, 100)
			w.wantDesired(4)
		})
	})
	t.Run("does not shrink without data, when disabled, or when scaling in is", func(t *testing.T) {
		t.Parallel()
		for name, change := range map[string]func(*autoscaling.PutScalingPolicyInput){
			"no data":  func(*autoscaling.PutScalingPolicyInput) {},
			"disabled": func(in *autoscaling.PutScalingPolicyInput) { in.Enabled = new(false) },
			"scale in": func(in *autoscaling.PutScalingPolicyInput) { in.TargetTrackingConfiguration.DisableScaleIn = new(true) },
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				inBubble(t, func(w *world) {
					w.group("g", 0, 4, 3)
					svctest.Must(w.tracking(change))(t)
					if name == "no data" {
						time.Sleep(time.Hour)
					} else {
						w.report(60, 1)
					}
					w.wantDesired(3)
				})
			})
		}
	})
	t.Run("two policies must agree to shrink", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			w.group("g", 0, 4, 3)
			svctest.Must(w.tracking())(t)
			svctest.Must(w.tracking(func(in *autoscaling.PutScalingPolicyInput) {
				in.PolicyName, in.TargetTrackingConfiguration.TargetValue = new("other"), new(1.0)
			}))(t)
			w.report(40, 1) // low to one, right to the other
			w.wantDesired(3)
			svctest.Must(w.DeletePolicy(w.Context(), &autoscaling.DeletePolicyInput{AutoScalingGroupName: new("g"), PolicyName: new("other")}))(t)
			w.report(10, 1)
			if got := *w.describe("g").DesiredCapacity; got >= 3 {
				t.Errorf("the desired capacity is %d", got)
			}
		})
	})
	t.Run("does not shrink while the group grows", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			w.group("g", 0, 4, 2)
			svctest.Must(w.tracking())(t)
			svctest.Must(w.PutLifecycleHook(w.Context(), &autoscaling.PutLifecycleHookInput{AutoScalingGroupName: new("g"), LifecycleHookName: new("h"), LifecycleTransition: new(launching), HeartbeatTimeout: new(int32(7200))}))(t)
			w.setDesired("g", 3)
			w.report(40, 1)
			w.wantDesired(3)
			for _, i := range w.describe("g").Instances {
				if i.LifecycleState == types.LifecycleStatePendingWait {
					if err := w.complete("h", *i.InstanceId, "CONTINUE"); err != nil {
						t.Fatal(err)
					}
				}
			}
			w.report(10, 1)
			if got := *w.describe("g").DesiredCapacity; got >= 3 {
				t.Errorf("the desired capacity is %d", got)
			}
		})
	})
	t.Run("is held back while AlarmNotification is suspended", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			w.group("g", 0, 4, 1)
			svctest.Must(w.tracking())(t)
			w.suspend("g", "AlarmNotification")
			w.report(10, 40)
			w.wantDesired(1)
			w.resume("g", "AlarmNotification")
			w.report(3, 40) // an alarm that goes on is noticed
			w.wantDesired(4)
		})
	})
	t.Run("does not shrink a group that is shifted away from a zone", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			w.group("g", 0, 4, 2, zonalShift(types.ImpairedZoneHealthCheckBehaviorReplaceUnhealthy))
			svctest.Must(w.tracking())(t)
			w.shift("g", w.zones[0])
			w.report(40, 1)
			w.wantDesired(2)
			w.report(10, 20) // it grows
			if got := *w.describe("g").DesiredCapacity; got <= 2 {
				t.Errorf("the desired capacity is %d", got)
			}
		})
	})
}

// alarm makes an alarm of a user, which is in alarm as soon as backlog is
// above 50.
func (w *world) alarm(actions ...string) {
	w.Helper()
	w.inCloudWatch(func(tx *awstest.Tx, r *cwmodel.Region) {
		if _, err := r.PutAlarm(tx, cwmodel.AlarmSpec{
			Name: "mine", Query: cwmodel.Query{Metric: backlog, Statistic: cwmodel.Average}, Period: time.Minute, Periods: 1,
			Operator: cwmodel.GreaterOrEqual, Threshold: 50, AlarmActions: actions,
		}, nil); err != nil {
			w.Fatal(err)
		}
	})
}

func TestSimpleScaling(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.group("g", 1, 10, 2)
		out := svctest.Must(w.PutScalingPolicy(w.Context(), &autoscaling.PutScalingPolicyInput{
			AutoScalingGroupName: new("g"), PolicyName: new("more"), AdjustmentType: new("ChangeInCapacity"), ScalingAdjustment: new(int32(2)), Cooldown: new(int32(600)),
		}))(t)
		w.alarm(*out.PolicyARN)
		time.Sleep(10 * time.Minute)
		w.report(2, 80)
		w.wantDesired(4)
		w.report(8, 80) // it cools down
		w.wantDesired(4)
		w.report(5, 80)
		w.wantDesired(6)
		if got := svctest.Must(w.DescribePolicies(w.Context(), &autoscaling.DescribePoliciesInput{AutoScalingGroupName: new("g")}))(t).ScalingPolicies; len(got) != 1 || len(got[0].Alarms) != 1 || *got[0].Alarms[0].AlarmName != "mine" || *got[0].PolicyType != "SimpleScaling" {
			t.Errorf("%v", got)
		}
		// A user's alarm stays, without its action.
		svctest.Must(w.DeletePolicy(w.Context(), &autoscaling.DeletePolicyInput{PolicyName: out.PolicyARN}))(t)
		if list := w.alarms(); len(list) != 1 || len(list[0].AlarmActions) != 0 {
			t.Errorf("%v", list)
		}
	})
}

// The example of AWS's guide: a threshold of 60 here, in place of 50, since
// steps begin there.
func TestStepScaling(t *testing.T) {
	t.Parallel()
	steps := func(list ...[3]float64) (out []types.StepAdjustment) {
		for _, s := range list {
			step := types.StepAdjustment{ScalingAdjustment: new(int32(s[2]))}
			if s[0] != inf {
				step.MetricIntervalLowerBound = new(s[0])
			}
			if s[1] != inf {
				step.MetricIntervalUpperBound = new(s[1])
			}
			out = append(out, step)
		}
		return out
	}
	put := func(w *world, name string, list []types.StepAdjustment) (*autoscaling.PutScalingPolicyOutput, error) {
		return w.PutScalingPolicy(w.Context(), &autoscaling.PutScalingPolicyInput{
			AutoScalingGroupName: new("g"), PolicyName: &name, PolicyType: new("StepScaling"), AdjustmentType: new("PercentChangeInCapacity"), StepAdjustments: list, EstimatedInstanceWarmup: new(int32(120)),
		})
	}
	t.Run("follows the size of the breach", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			w.group("g", 0, 30, 10)
			out := svctest.Must(put(w, "out", steps([3]float64{0, 10, 0}, [3]float64{10, 20, 10}, [3]float64{20, inf, 30})))(t)
			w.alarm(*out.PolicyARN)
			w.report(3, 55)
			w.wantDesired(10)
			w.report(2, 60)
			w.wantDesired(11)
			w.report(1, 60) // the new instance warms up: 11 is right already
			w.wantDesired(11)
			w.report(2, 45) // no alarm
			w.report(2, 75)
			w.wantDesired(14) // 30 percent of 11 are 3.3
		})
	})
	t.Run("by hand", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			w.group("g", 0, 30, 10)
			svctest.Must(put(w, "in", steps([3]float64{-10, 0, 0}, [3]float64{-20, -10, -10}, [3]float64{inf, -20, -30})))(t)
			execute := func(value float64) error {
				_, err := w.ExecutePolicy(w.Context(), &autoscaling.ExecutePolicyInput{AutoScalingGroupName: new("g"), PolicyName: new("in"), MetricValue: &value, BreachThreshold: new(50.0)})
				return err
			}
			time.Sleep(10 * time.Minute)
			for _, c := range []struct {
				value float64
				want  int32
			}{{40.1, 10}, {40, 9}, {30.1, 9}, {30, 7}, {0, 5}} { // 10 percent of 9 are 0.9, which is 1
				if err := execute(c.value); err != nil {
					t.Fatal(err)
				}
				if c.value == 30.1 {
					c.want = 8
				}
				if c.value == 30 {
					c.want = 6 // 30 percent of 8 are 2.4
				}
				w.wantDesired(c.want)
				time.Sleep(2 * time.Minute)
			}
			svctest.WantCode(t, execute(51), "ValidationError") // no step
			_, err := w.ExecutePolicy(w.Context(), &autoscaling.ExecutePolicyInput{AutoScalingGroupName: new("g"), PolicyName: new("in")})
			svctest.WantCode(t, err, "ValidationError")
		})
	})
	t.Run("what is refused", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			w.group("g", 0, 1, 0)
			for name, list := range map[string][]types.StepAdjustment{
				"none":         nil,
				"no bounds":    steps([3]float64{inf, inf, 1}),
				"a gap":        steps([3]float64{0, 10, 1}, [3]float64{20, inf, 2}),
				"an overlap":   steps([3]float64{0, 10, 1}, [3]float64{5, inf, 2}),
				"turned round": steps([3]float64{10, 0, 1}),
				"no end":       steps([3]float64{0, 10, 1}),
				"no beginning": steps([3]float64{-10, 0, 1}),
			} {
				if _, err := put(w, "p", list); err == nil {
					t.Errorf("%s is accepted", name)
				} else {
					svctest.WantCode(t, err, "ValidationError")
				}
			}
		})
	})
}

const inf = 1e9

func TestExecuteSimplePolicies(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind string
		by   int32
		min  int32
		want int32
	}{
		"change":            {"ChangeInCapacity", -2, 0, 2},
		"exact":             {"ExactCapacity", 3, 0, 3},
		"exact, too much":   {"ExactCapacity", 30, 0, 10},
		"percent":           {"PercentChangeInCapacity", 60, 0, 6},
		"percent, rounded":  {"PercentChangeInCapacity", 10, 0, 5},
		"percent, minimum":  {"PercentChangeInCapacity", 10, 3, 7},
		"percent down":      {"PercentChangeInCapacity", -60, 0, 2},
		"down to the least": {"ChangeInCapacity", -20, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				w.group("g", 1, 10, 4)
				in := &autoscaling.PutScalingPolicyInput{AutoScalingGroupName: new("g"), PolicyName: new("p"), AdjustmentType: &c.kind, ScalingAdjustment: &c.by}
				if c.min > 0 {
					in.MinAdjustmentMagnitude = &c.min
				}
				svctest.Must(w.PutScalingPolicy(w.Context(), in))(t)
				execute := func(honor bool) error {
					_, err := w.ExecutePolicy(w.Context(), &autoscaling.ExecutePolicyInput{AutoScalingGroupName: new("g"), PolicyName: new("p"), HonorCooldown: &honor})
					return err
				}
				svctest.WantCode(t, execute(true), "ScalingActivityInProgress") // instances have just been launched
				if err := execute(false); err != nil {
					t.Fatal(err)
				}
				w.wantDesired(c.want)
				time.Sleep(10 * time.Minute)
				if err := execute(true); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestPoliciesAreRefused(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.group("g", 0, 1, 0)
		for name, change := range map[string]func(*autoscaling.PutScalingPolicyInput){
			"another group":         func(in *autoscaling.PutScalingPolicyInput) { in.AutoScalingGroupName = new("other") },
			"an unknown type":       func(in *autoscaling.PutScalingPolicyInput) { in.PolicyType = new("Magic") },
			"an unknown adjustment": func(in *autoscaling.PutScalingPolicyInput) { in.AdjustmentType = new("Double") },
			"no adjustment":         func(in *autoscaling.PutScalingPolicyInput) { in.ScalingAdjustment = nil },
			"a cooldown of steps": func(in *autoscaling.PutScalingPolicyInput) {
				in.PolicyType, in.Cooldown = new("StepScaling"), new(int32(1))
			},
			"a minimum of no percents": func(in *autoscaling.PutScalingPolicyInput) { in.MinAdjustmentMagnitude = new(int32(1)) },
			"a warmup":                 func(in *autoscaling.PutScalingPolicyInput) { in.EstimatedInstanceWarmup = new(int32(1)) },
			"no target": func(in *autoscaling.PutScalingPolicyInput) {
				in.PolicyType, in.AdjustmentType, in.ScalingAdjustment = new("TargetTrackingScaling"), nil, nil
			},
		} {
			in := &autoscaling.PutScalingPolicyInput{AutoScalingGroupName: new("g"), PolicyName: new("p"), AdjustmentType: new("ChangeInCapacity"), ScalingAdjustment: new(int32(1))}
			change(in)
			if _, err := w.PutScalingPolicy(w.Context(), in); err == nil {
				t.Errorf("%s is accepted", name)
			} else {
				svctest.WantCode(t, err, "ValidationError")
			}
		}
		_, err := w.DeletePolicy(w.Context(), &autoscaling.DeletePolicyInput{AutoScalingGroupName: new("g"), PolicyName: new("p")})
		svctest.WantCode(t, err, "ValidationError")
		_, err = w.ExecutePolicy(w.Context(), &autoscaling.ExecutePolicyInput{AutoScalingGroupName: new("g"), PolicyName: new("p")})
		svctest.WantCode(t, err, "ValidationError")
	})
}

func TestTargetTrackingOfAQueue(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		from  int32
		value float64
		want  int32
	}{
		"an empty group grows":           {0, 35, 4},
		"a huge value asks for the most": {1, 1e100, 8},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				w.group("g", 0, 8, c.from)
				svctest.Must(w.tracking())(t)
				w.report(4, c.value)
				w.wantDesired(c.want)
			})
		})
	}
}

func TestAPolicyThatIsRefusedKeepsItsAlarms(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.group("g", 0, 2, 0)
		svctest.Must(w.tracking())(t)
		before := w.alarms()
		_, err := w.tracking(func(in *autoscaling.PutScalingPolicyInput) {
			in.TargetTrackingConfiguration.DisableScaleIn = new(true)
			in.TargetTrackingConfiguration.CustomizedMetricSpecification.MetricName = new("")
		})
		svctest.WantCode(t, err, "ValidationError")
		if after := w.alarms(); len(after) != 2 || after[0].Name != before[0].Name || after[1].Name != before[1].Name {
			t.Errorf("the alarms are %v, and were %v", after, before)
		}
	})
}
