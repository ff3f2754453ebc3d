package elbv2hc_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/healthcheck"
	"github.com/awsha/awsha/healthcheck/elbv2hc"
	"github.com/awsha/awsha/healthcheck/healthcheckmock"
)

// unreliable is a group whose reads show any moment of the last 20 s, and whose calls are throttled, lose their replies or take
// too long, until it is calm.
type unreliable struct {
	*rand.Rand
	calm    bool
	now     map[string]bool
	history []moment
}

type moment struct {
	at    time.Time
	group map[string]bool
}

// call makes a call that has an effect.
func (u *unreliable) call(effect func()) error {
	time.Sleep(time.Millisecond)
	fault := u.IntN(8)
	if u.calm {
		fault = -1
	}
	if fault == 0 {
		return &smithy.GenericAPIError{Code: "Throttling", Message: "Rate exceeded"}
	}
	effect()
	u.history = append(u.history, moment{time.Now(), maps.Clone(u.now)})
	switch fault {
	case 1:
		return &smithy.GenericAPIError{Code: "InternalFailure", Message: "the reply is lost"}
	case 2:
		return context.DeadlineExceeded
	}
	return nil
}

func (u *unreliable) api() *healthcheckmock.SyncAPIMock {
	return &healthcheckmock.SyncAPIMock{
		DescribeTargetHealthFunc: func(
			context.Context, *elbv2.DescribeTargetHealthInput, ...func(*elbv2.Options),
		) (*elbv2.DescribeTargetHealthOutput, error) {
			at := time.Now().Add(-time.Duration(u.IntN(20)) * time.Second)
			out := &elbv2.DescribeTargetHealthOutput{}
			err := u.call(func() {
				var shown map[string]bool
				for _, m := range u.history {
					if !m.at.After(at) {
						shown = m.group
					}
				}
				for id := range shown {
					d := description(&types.TargetHealth{State: types.TargetHealthStateEnumHealthy})
					d.Target.Id = aws.String(id)
					out.TargetHealthDescriptions = append(out.TargetHealthDescriptions, d)
				}
			})
			return out, err
		},
		RegisterTargetsFunc: func(_ context.Context, in *elbv2.RegisterTargetsInput, _ ...func(*elbv2.Options)) (*elbv2.RegisterTargetsOutput, error) {
			return &elbv2.RegisterTargetsOutput{}, u.call(func() {
				for _, d := range in.Targets {
					u.now[*d.Id] = true
				}
			})
		},
		DeregisterTargetsFunc: func(_ context.Context, in *elbv2.DeregisterTargetsInput, _ ...func(*elbv2.Options)) (*elbv2.DeregisterTargetsOutput, error) {
			return &elbv2.DeregisterTargetsOutput{}, u.call(func() {
				for _, d := range in.Targets {
					delete(u.now, *d.Id)
				}
			})
		},
	}
}

// Whatever went wrong before, one Sync in calm makes the group what is wanted.
func TestSyncsConverge(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			u := &unreliable{Rand: rand.New(rand.NewPCG(seed, 0)), now: map[string]bool{}}
			s := must(elbv2hc.NewSyncer(u.api(), arn, always, func(o *elbv2hc.SyncOptions) {
				o.InService, o.ChunkSize = time.Duration(u.IntN(2))*time.Minute, 3
			}))(t)
			var want []elbv2hc.Target
			wanted := map[string]bool{}
			for range 10 {
				want = nil
				clear(wanted)
				for i := range 20 {
					if u.IntN(2) == 0 {
						want = append(want, elbv2hc.Target{ID: fmt.Sprintf("10.0.0.%d", i), Port: 80})
						wanted[want[len(want)-1].ID] = true
					}
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(u.IntN(100))*time.Second)
				_, _ = s.Sync(ctx, want) // as far as it goes
				cancel()
				time.Sleep(time.Duration(u.IntN(60)) * time.Second)
			}
			u.calm = true
			time.Sleep(time.Minute)
			must(s.Sync(t.Context(), want))(t)
			if diff := cmp.Diff(wanted, u.now); diff != "" {
				t.Errorf("seed %d: the group (-want +got):\n%s", seed, diff)
			}
		})
	}
}

// Every group that Elastic Load Balancing takes makes a pool.
func TestEveryGroupMakesAPool(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	one := func(values ...string) string { return values[r.IntN(len(values))] }
	const minimum = "target_group_health.%s.minimum_healthy_targets.%s"
	for range 300 {
		protocol, check := one("HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP", "GENEVE", "QUIC"), one("HTTP", "HTTPS", "TCP")
		application := protocol == "HTTP" || protocol == "HTTPS"
		if application && check == "TCP" {
			check = "HTTP"
		}
		interval := 5 + r.Int32N(296)
		group := &types.TargetGroup{
			Protocol: types.ProtocolEnum(protocol), HealthCheckProtocol: types.ProtocolEnum(check), HealthCheckPath: aws.String("/x"),
			HealthCheckPort: aws.String(one("traffic-port", "1", "65535")), HealthCheckIntervalSeconds: &interval,
			HealthCheckTimeoutSeconds: aws.Int32(2 + r.Int32N(min(interval-2, 119))),
			HealthyThresholdCount:     aws.Int32(2 + r.Int32N(9)), UnhealthyThresholdCount: aws.Int32(2 + r.Int32N(9)),
		}
		count, percent := r.IntN(5)+1, r.IntN(60)+1
		attributes := map[string]string{
			fmt.Sprintf(minimum, "unhealthy_state_routing", "count"):      fmt.Sprint(count),
			fmt.Sprintf(minimum, "dns_failover", "count"):                 one("off", fmt.Sprint(count), fmt.Sprint(count+3)),
			fmt.Sprintf(minimum, "unhealthy_state_routing", "percentage"): one("off", fmt.Sprint(percent)),
			fmt.Sprintf(minimum, "dns_failover", "percentage"):            one("off", fmt.Sprint(percent), fmt.Sprint(percent+40)),
			"deregistration_delay.timeout_seconds":                        fmt.Sprint(r.IntN(3601)),
		}
		switch {
		case application:
			attributes["load_balancing.algorithm.type"] = one("round_robin", "weighted_random", "least_outstanding_requests")
			if attributes["load_balancing.algorithm.type"] != "least_outstanding_requests" {
				attributes["slow_start.duration_seconds"] = one("0", "30", "900")
			}
			group.Matcher = &types.Matcher{HttpCode: aws.String(one("200", "200,202", "200-499"))}
			if r.IntN(2) == 0 {
				group.ProtocolVersion, group.HealthCheckPath = aws.String("GRPC"), aws.String(one("/AWS.ALB/healthcheck", "/a.b/c"))
				group.Matcher = &types.Matcher{GrpcCode: aws.String(one("0", "12", "0-99", "0,12"))}
			}
		case check != "TCP":
			group.Matcher = &types.Matcher{HttpCode: aws.String(one("200-399", "200-599", "599"))}
		}
		g := must(elbv2hc.Import(t.Context(), importing(group, attributes, nil), arn))(t)
		checker, err := g.Checker()
		if err == nil {
			_, err = healthcheck.New(checker, g.Options)
		}
		if err != nil {
			t.Fatalf("%+v with %v: %v", g, attributes, err)
		}
	}
}
