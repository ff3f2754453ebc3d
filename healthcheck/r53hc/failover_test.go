package r53hc_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/healthcheck"
	"github.com/awsha/awsha/healthcheck/r53hc"
)

// From the death of all targets to the health check, and back. The bound is that of the package's page, and the 10 seconds
// that the pool takes, and the 10 that Route 53 does here.
func TestHealthCheckFollowsThePool(t *testing.T) {
	t.Parallel()
	for phase := range 6 {
		t.Run(fmt.Sprint("phase ", phase), func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				defer w.publish()()
				id := w.ensure()
				time.Sleep(10*time.Minute + time.Duration(phase)*10*time.Second)
				if !w.healthy(id) {
					t.Fatal("it is not healthy to begin with")
				}
				w.fail(errDead, "t0", "t1", "t2")
				time.Sleep(10 * time.Minute)
				if !w.healthy(id) {
					t.Error("one target of four is enough")
				}
				w.fail(errDead)
				w.within("its death", w.flips(id, false), 2*time.Minute, 3*time.Minute+20*time.Second)
				w.fail(nil)
				w.within("its return", w.flips(id, true), 0, 2*time.Minute+20*time.Second)
			})
		})
	}
}

// A region whose targets a person has drained leaves DNS, and comes back with them.
func TestHealthCheckFollowsOverrides(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		defer w.publish()()
		id := w.ensure()
		time.Sleep(10 * time.Minute)
		for _, o := range []healthcheck.Override{healthcheck.OverrideDrain, healthcheck.OverrideUnhealthy} {
			for i := range 4 {
				must(0, w.pool.Override(fmt.Sprint("t", i), o))(w)
			}
			w.within("leaving", w.flips(id, false), 2*time.Minute, 3*time.Minute+10*time.Second)
			for i := range 4 {
				must(0, w.pool.Override(fmt.Sprint("t", i), healthcheck.NoOverride))(w)
			}
			w.within("coming back", w.flips(id, true), 0, 2*time.Minute+10*time.Second)
			time.Sleep(3 * time.Minute)
		}
	})
}

// What is not published is bad, or it is what was known, as is asked for.
func TestSilence(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		missing r53hc.Missing
		healthy bool
	}{"bad": {r53hc.MissingUnhealthy, false}, "last known": {r53hc.MissingLastKnown, true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for how, silence := range map[string]func(w *world, stop func() error) (heal func()){
				"the publisher has stopped": func(w *world, stop func() error) func() {
					if err := stop(); !errors.Is(err, context.Canceled) {
						w.Error(err)
					}
					return func() {}
				},
				"the pool has stopped": func(w *world, _ func() error) func() { w.stop(); return func() {} },
				"CloudWatch is down":   func(w *world, _ func() error) func() { return must(w.cloud.FailService("CloudWatch", region))(w) },
				"CloudWatch throttles": func(w *world, _ func() error) func() {
					return must(w.cloud.Inject(awstest.Match{Service: "CloudWatch"}, awstest.Throttle()))(w)
				},
				"Route 53's control is down": func(w *world, stop func() error) func() {
					heal := must(w.cloud.FailService(route53.ServiceID, "us-east-1"))(w)
					_ = stop()
					return heal
				},
			} {
				t.Run(how, func(t *testing.T) {
					t.Parallel()
					inBubble(t, func(w *world) {
						stop := w.publish()
						running := true
						end := func() error { running = false; return stop() }
						id := w.ensure(func(s *r53hc.Spec) { s.Missing = c.missing })
						time.Sleep(10 * time.Minute)
						heal := silence(w, end)
						time.Sleep(10 * time.Minute)
						if got := w.healthy(id); got != c.healthy {
							t.Errorf("healthy is %v", got)
						}
						heal()
						if running {
							_ = stop()
						}
					})
				})
			}
		})
	}
}

// A short failure of CloudWatch moves no traffic: what was not put is put later.
func TestShortFailureOfCloudWatchMovesNothing(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		defer w.publish()()
		id := w.ensure()
		for range 5 {
			time.Sleep(5*time.Minute + 7*time.Second)
			heal := must(w.cloud.FailService("CloudWatch", region))(w)
			time.Sleep(90 * time.Second)
			heal()
			for range 100 {
				time.Sleep(time.Second)
				if !w.healthy(id) {
					t.Fatal("it is unhealthy")
				}
			}
		}
	})
}

func TestEnsureAgain(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		first := must(r53hc.Ensure(w.Context(), w.metrics, w.checks, spec()))(w)
		if first.Version != 1 || !strings.HasSuffix(first.AlarmARN, ":alarm:web") {
			t.Errorf("got %+v", first)
		}
		if again := must(r53hc.Ensure(w.Context(), w.metrics, w.checks, spec()))(w); again != first {
			t.Errorf("the second time %+v, not %+v", again, first)
		}
		// Four calls if nothing goes wrong.
		if n := len(w.cloud.Calls(awstest.Match{})); n != 8 {
			t.Errorf("%d calls", n)
		}
		changed := must(r53hc.Ensure(w.Context(), w.metrics, w.checks, spec(func(s *r53hc.Spec) { s.Below = 50 })))(w)
		if changed.HealthCheckID != first.HealthCheckID || changed.Version != 2 {
			t.Errorf("with another threshold %+v", changed)
		}
		hc := must(w.checks.GetHealthCheck(w.Context(), &route53.GetHealthCheckInput{HealthCheckId: &first.HealthCheckID}))(w).HealthCheck
		if *hc.CloudWatchAlarmConfiguration.Threshold != 50 {
			t.Errorf("Route 53 has %v", *hc.CloudWatchAlarmConfiguration.Threshold)
		}

		_, err := r53hc.Ensure(w.Context(), w.metrics, w.checks, spec(func(s *r53hc.Spec) { s.Missing = r53hc.MissingLastKnown }))
		if !errors.Is(err, r53hc.ErrReferenceTaken) {
			t.Errorf("other settings of the health check: %v", err)
		}
		must(w.checks.DeleteHealthCheck(w.Context(), &route53.DeleteHealthCheckInput{HealthCheckId: &first.HealthCheckID}))(w)
		_, err = r53hc.Ensure(w.Context(), w.metrics, w.checks, spec(func(s *r53hc.Spec) { s.Below = 50 }))
		if !errors.Is(err, r53hc.ErrReferenceTaken) {
			t.Errorf("after a deletion: %v", err)
		}
		other := must(r53hc.Ensure(w.Context(), w.metrics, w.checks, spec(func(s *r53hc.Spec) { s.Reference = "another" })))(w)
		if other.HealthCheckID == first.HealthCheckID {
			t.Error("it is the one that was deleted")
		}
	})
}

func TestEnsureUnderFaults(t *testing.T) {
	t.Parallel()
	for name, effect := range map[string]awstest.Effect{
		"lost replies": awstest.LoseReply(), "throttled": awstest.Throttle(), "down": awstest.Unavailable(),
		"slow": awstest.Delay(15 * time.Second), "applied and refused": awstest.ApplyThenReject(awstest.APIError{Code: "InternalFailure", Status: 500}),
	} {
		for op, service := range map[string]string{
			"PutMetricAlarm": "CloudWatch", "DescribeAlarms": "CloudWatch",
			"CreateHealthCheck": route53.ServiceID, "GetHealthCheck": route53.ServiceID, "UpdateHealthCheck": route53.ServiceID,
		} {
			t.Run(name+" "+op, func(t *testing.T) {
				t.Parallel()
				inBubble(t, func(w *world) {
					changed := func(s *r53hc.Spec) {}
					if op == "UpdateHealthCheck" {
						w.ensure()
						changed = func(s *r53hc.Spec) { s.Periods = 3 }
					}
					must(w.cloud.Inject(awstest.Match{Service: service, Operation: op, Times: 4}, effect))(w) // more than the SDK tries
					id := w.ensure(changed)
					hc := must(w.checks.GetHealthCheck(w.Context(), &route53.GetHealthCheckInput{HealthCheckId: &id}))(w).HealthCheck
					want := int32(2)
					if op == "UpdateHealthCheck" {
						want = 3
					}
					if got := *hc.CloudWatchAlarmConfiguration.EvaluationPeriods; got != want {
						t.Errorf("Route 53 has %d periods, want %d", got, want)
					}
					if n := *must(w.checks.GetHealthCheckCount(w.Context(), nil))(w).HealthCheckCount; n != 1 {
						t.Errorf("%d health checks", n)
					}
				})
			})
		}
	}
}

func TestEnsureWaitsForReads(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.ensure()
	}, func(o *awstest.Options) { o.VisibilityLag = 30 * time.Second })
	inBubble(t, func(w *world) {
		_, err := r53hc.Ensure(w.Context(), w.metrics, w.checks, spec())
		if call, ok := errors.AsType[*r53hc.CallError](err); !ok || call.Op != "DescribeAlarms" || !errors.Is(err, r53hc.ErrUnconfirmed) {
			t.Errorf("got %v", err)
		}
	}, func(o *awstest.Options) { o.VisibilityLag = 3 * time.Minute })
}

func TestEnsureIsRefused(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		defer must(w.cloud.Inject(awstest.Match{Service: route53.ServiceID}, awstest.Deny()))(w)()
		_, err := r53hc.Ensure(w.Context(), w.metrics, w.checks, spec())
		if !errors.Is(err, r53hc.ErrDenied) {
			t.Errorf("got %v", err)
		}
		ctx, cancel := context.WithCancelCause(w.Context())
		cancel(errDead)
		if _, err := r53hc.Ensure(ctx, w.metrics, w.checks, spec()); !errors.Is(err, errDead) {
			t.Errorf("called off: %v", err)
		}
	})
}

// The inputs can be had without a call, for a tool that makes them.
func TestInputs(t *testing.T) {
	t.Parallel()
	alarm := must(spec().AlarmInput())(t)
	check := must(spec().HealthCheckInput())(t)
	if *alarm.TreatMissingData != "breaching" || *alarm.Threshold != 1 || *alarm.Period != 60 || *alarm.EvaluationPeriods != 2 || *alarm.MetricName != "HealthyPercent" ||
		check.HealthCheckConfig.InsufficientDataHealthStatus != "Unhealthy" || *check.CallerReference != "awsha-eu-west-1-web" {
		t.Errorf("got %+v and %+v", alarm, check)
	}
	long := must(spec(func(s *r53hc.Spec) { s.Alarm = strings.Repeat("x", 200) }).HealthCheckInput())(t)
	other := must(spec(func(s *r53hc.Spec) { s.Alarm = strings.Repeat("x", 199) + "é" }).HealthCheckInput())(t)
	if len(*long.CallerReference) != 64 || len(*other.CallerReference) != 64 || *long.CallerReference == *other.CallerReference {
		t.Errorf("references %s and %s", *long.CallerReference, *other.CallerReference)
	}
	unicode := must(spec(func(s *r53hc.Spec) { s.Alarm = strings.Repeat("é", 100) }).HealthCheckInput())(t)
	if ref := *unicode.CallerReference; !utf8.ValidString(ref) || len(ref) > 64 {
		t.Errorf("reference %q", ref)
	}
	_, err := r53hc.Ensure(t.Context(), nil, nil, r53hc.Spec{
		Series: r53hc.Series{Namespace: ":x"}, Statistic: "p99", Period: 10 * time.Second, Periods: -1, Missing: 7,
		Reference: strings.Repeat("x", 65), Actions: make([]string, 6), CallTimeout: -1, Timeout: -1, Metric: strings.Repeat("x", 256), Below: math.NaN(),
	})
	wantFields(t, err, map[string]int{
		"alarms": 1, "healthChecks": 1, "Spec.Namespace": 1, "Spec.Dimensions": 1, "Spec.Statistic": 1, "Spec.Period": 1, "Spec.Periods": 1, "Spec.Missing": 1,
		"Spec.Reference": 1, "Spec.Actions": 1, "Spec.CallTimeout": 1, "Spec.Timeout": 1, "Spec.Metric": 1, "Spec.Below": 1, "Spec.Alarm": 1, "Spec.Region": 1,
	})
}

// Of several that look at one pool, one that is cut off does not move the traffic: the average decides. A minimum would.
func TestOneOfSeveralPublishersIsCutOff(t *testing.T) {
	t.Parallel()
	for statistic, healthy := range map[types.Statistic]bool{types.StatisticAverage: true, types.StatisticMaximum: true, types.StatisticMinimum: false} {
		t.Run(string(statistic), func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				defer w.publish()()
				other := must(r53hc.New(w.metrics, of("uu", "uu"), func(o *r53hc.Options) { o.Series = series }))(w)
				ctx, cancel := context.WithCancel(w.Context())
				done := make(chan error, 1)
				go func() { done <- other.Run(ctx) }()
				defer func() { cancel(); <-done }()
				id := w.ensure(func(s *r53hc.Spec) { s.Statistic = statistic })
				time.Sleep(10 * time.Minute)
				if got := w.healthy(id); got != healthy {
					t.Errorf("healthy is %v", got)
				}
			})
		})
	}
}
