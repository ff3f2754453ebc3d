package elbv2hc_test

import (
	"context"
	"errors"
	"testing"

	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/smithy-go"

	"github.com/awsha/awsha/healthcheck/elbv2hc"
	"github.com/awsha/awsha/healthcheck/healthcheckmock"
)

// FuzzRefusal registers three targets, one of which is refused with any message. Whatever it says, the one is named as
// refused and no target is lost: a message may take more out of the call than it should, never register the wrong one.
func FuzzRefusal(f *testing.F) {
	f.Add("The following targets do not exist: 'i-b'", "InvalidTarget")
	f.Add("i-a, i-b and i-c are wrong.", "ValidationError")
	f.Add("i-bb 10.0.0.1.", "InvalidTarget")
	f.Add("", "TooManyTargets")
	f.Fuzz(func(t *testing.T, message, code string) {
		if code != "TooManyTargets" && code != "ValidationError" {
			code = "InvalidTarget"
		}
		registered := map[string]bool{}
		api := &healthcheckmock.SyncAPIMock{
			DescribeTargetHealthFunc: describing().DescribeTargetHealth,
			RegisterTargetsFunc: func(_ context.Context, in *elbv2.RegisterTargetsInput, _ ...func(*elbv2.Options)) (*elbv2.RegisterTargetsOutput, error) {
				for _, d := range in.Targets {
					if *d.Id == "i-b" {
						return nil, &smithy.GenericAPIError{Code: code, Message: message}
					}
				}
				for _, d := range in.Targets {
					registered[*d.Id] = true
				}
				return &elbv2.RegisterTargetsOutput{}, nil
			},
		}
		want := []elbv2hc.Target{{ID: "i-a", Port: 80}, {ID: "i-b", Port: 80}, {ID: "i-c", Port: 80}}
		got, err := must(elbv2hc.NewSyncer(api, arn))(t).Sync(t.Context(), want)
		e := (*elbv2hc.GroupError)(nil)
		if !errors.As(err, &e) || len(e.Refused)+len(got.Registered) != 3 || registered["i-b"] || len(registered) != len(got.Registered) {
			t.Fatalf("%v registered, error %v", got.Registered, err)
		}
	})
}

// FuzzAttributes imports a group with any value of any attribute: it is read or is a difference, and nothing of it makes
// Import fail.
func FuzzAttributes(f *testing.F) {
	f.Add("deregistration_delay.timeout_seconds", "60")
	f.Add("slow_start.duration_seconds", "-1")
	f.Add("load_balancing.cross_zone.enabled", "perhaps")
	f.Add("target_group_health.dns_failover.minimum_healthy_targets.count", "99999999999")
	f.Add("stickiness.enabled", "")
	f.Fuzz(func(t *testing.T, key, value string) {
		group := types.TargetGroup{Protocol: types.ProtocolEnumHttp, HealthCheckProtocol: types.ProtocolEnumHttp}
		g, err := elbv2hc.Import(t.Context(), importing(&group, map[string]string{key: value}, nil), arn)
		if err != nil {
			t.Fatal(err)
		}
		if s := g.Settings; s.SlowStart < 0 || s.RoutingFailover.Count < 0 || s.ZoneFailover.Percent < 0 || s.DeregistrationDelay == 0 {
			t.Errorf("%s=%s: %+v", key, value, s)
		}
	})
}
