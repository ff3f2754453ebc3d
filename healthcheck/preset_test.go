package healthcheck_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/awsha/awsha/healthcheck"
)

func TestPresetsAreTheDefaultsOfTargetGroups(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name              string
		preset            func(*healthcheck.Options)
		interval, timeout time.Duration
		zonal             bool
		limits            healthcheck.Limits
	}{
		{"ALB", healthcheck.ALB, 30 * time.Second, 5 * time.Second, false, healthcheck.ALBLimits},
		{"ALBGRPC", healthcheck.ALBGRPC, 30 * time.Second, 5 * time.Second, false, healthcheck.ALBLimits},
		{"NLBTCP", healthcheck.NLBTCP, 30 * time.Second, 10 * time.Second, true, healthcheck.NLBLimits},
		{"NLBHTTP", healthcheck.NLBHTTP, 30 * time.Second, 6 * time.Second, true, healthcheck.NLBLimits},
		{"GWLB", healthcheck.GWLB, 10 * time.Second, 5 * time.Second, true, healthcheck.GWLBLimits},
	} {
		o := healthcheck.Options{HealthyThreshold: 1, DeregistrationDelay: healthcheck.None, SlowStart: time.Second}
		tt.preset(&o)
		got := fmt.Sprintln(o.Interval, o.Timeout, o.HealthyThreshold, o.UnhealthyThreshold, o.DeregistrationDelay, o.ZonalOnly,
			o.SlowStart, o.RoutingFailover, o.ZoneFailover, o.Limits)
		want := fmt.Sprintln(tt.interval, tt.timeout, 5, 2, 300*time.Second, tt.zonal, 0*time.Second, "{1 0} {1 0}", tt.limits)
		if got != want {
			t.Errorf("%s: %s, want %s", tt.name, got, want)
		}
		if err := o.Validate(); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestLimitsAreThoseOfAWS(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		preset func(*healthcheck.Options)
		change func(*healthcheck.Options)
		want   []string
	}{
		{"the least of all is allowed", healthcheck.ALB, func(o *healthcheck.Options) {
			o.Interval, o.Timeout, o.HealthyThreshold, o.UnhealthyThreshold = 5*time.Second, 2*time.Second, 2, 2
			o.DeregistrationDelay, o.SlowStart = healthcheck.None, 30*time.Second
		}, nil},
		{"the most of all is allowed", healthcheck.ALB, func(o *healthcheck.Options) {
			o.Interval, o.Timeout, o.HealthyThreshold, o.UnhealthyThreshold = 300*time.Second, 120*time.Second, 10, 10
			o.DeregistrationDelay, o.SlowStart = time.Hour, 900*time.Second
		}, nil},
		{"below all ranges", healthcheck.ALB, func(o *healthcheck.Options) {
			o.Interval, o.Timeout, o.HealthyThreshold, o.UnhealthyThreshold = 4*time.Second, time.Second, 1, 1
			o.DeregistrationDelay, o.SlowStart = 1500*time.Millisecond, 29*time.Second
		}, []string{
			"Interval: 4s must be whole seconds from 5 to 300 under Limits alb",
			"Timeout: 1s must be whole seconds from 2 to 120 under Limits alb",
			"HealthyThreshold: 1 must be from 2 to 10 under Limits alb",
			"UnhealthyThreshold: 1 must be from 2 to 10 under Limits alb",
			"DeregistrationDelay: 1.5s must be whole seconds from 0 to 3600 under Limits alb",
			"SlowStart: 29s must be whole seconds from 30 to 900 under Limits alb",
		}},
		{"beyond all ranges", healthcheck.NLBTCP, func(o *healthcheck.Options) {
			o.Interval, o.Timeout, o.HealthyThreshold, o.UnhealthyThreshold = 301*time.Second, 121*time.Second, 11, 11
			o.DeregistrationDelay = time.Hour + time.Second
		}, []string{
			"Interval: 5m1s must be whole seconds from 5 to 300 under Limits nlb",
			"Timeout: 2m1s must be whole seconds from 2 to 120 under Limits nlb",
			"HealthyThreshold: 11 must be from 2 to 10 under Limits nlb",
			"UnhealthyThreshold: 11 must be from 2 to 10 under Limits nlb",
			"DeregistrationDelay: 1h0m1s must be whole seconds from 0 to 3600 under Limits nlb",
		}},
		{"an interval that is the timeout", healthcheck.GWLB, func(o *healthcheck.Options) {
			o.Interval = o.Timeout
		}, []string{"Interval: 5s must be greater than Timeout (5s)"}},
		{"slow start with least outstanding requests", healthcheck.ALB, func(o *healthcheck.Options) {
			o.SlowStart, o.Algorithm = time.Minute, healthcheck.LeastOutstanding
		}, []string{"SlowStart: 1m0s cannot be combined with Algorithm least_outstanding_requests under Limits alb"}},
		{"an algorithm that is not AWS's", healthcheck.ALB, func(o *healthcheck.Options) {
			o.Algorithm = healthcheck.PowerOfTwo
		}, []string{"Algorithm: power_of_two must be one of Elastic Load Balancing's under Limits alb"}},
		{"what only an ALB has", healthcheck.GWLB, func(o *healthcheck.Options) {
			o.SlowStart, o.Algorithm = time.Minute, healthcheck.WeightedRandom
		}, []string{
			"SlowStart: 1m0s must be zero under Limits gwlb, which has no slow start",
			"Algorithm: weighted_random must be the default under Limits gwlb, which has no other",
		}},
		{"a zone that gives up after the pool", healthcheck.NLBHTTP, func(o *healthcheck.Options) {
			o.RoutingFailover = healthcheck.Threshold{Count: 2, Percent: 50}
			o.ZoneFailover.Percent = 49
		}, []string{
			"ZoneFailover.Count: 1 must not be below RoutingFailover.Count (2)",
			"ZoneFailover.Percent: 49 must not be below RoutingFailover.Percent (50)",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var o healthcheck.Options
			tt.preset(&o)
			tt.change(&o)
			err := o.Validate()
			if len(tt.want) == 0 {
				if err != nil {
					t.Error(err)
				}
				return
			}
			for i := range tt.want {
				tt.want[i] = "healthcheck: Options." + tt.want[i]
			}
			wantFieldErrors(t, err, tt.want...)

			o.Limits = healthcheck.NoLimits
			_, err = healthcheck.New(pass(), func(p *healthcheck.Options) { *p = o })
			if valid := o.Validate(); (err == nil) != (valid == nil) {
				t.Errorf("New says %v, Validate %v", err, valid)
			}
		})
	}
}

func TestNamesOfLimitsAndOverrides(t *testing.T) {
	t.Parallel()
	got, err := json.Marshal([]any{
		healthcheck.NoLimits, healthcheck.ALBLimits, healthcheck.NLBLimits, healthcheck.GWLBLimits, healthcheck.Limits(9),
		healthcheck.NoOverride, healthcheck.OverrideHealthy, healthcheck.OverrideUnhealthy, healthcheck.OverrideDrain, healthcheck.Override(9),
	})
	const want = `["none","alb","nlb","gwlb","invalid","no_override","healthy","unhealthy","drain","invalid"]`
	if err != nil || string(got) != want {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
}
