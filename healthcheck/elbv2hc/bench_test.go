package elbv2hc_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/awsha/awsha/healthcheck"
	"github.com/awsha/awsha/healthcheck/elbv2hc"
)

// BenchmarkFollowedCheck is one check of one target, which makes no call, in groups of several sizes.
func BenchmarkFollowedCheck(b *testing.B) {
	for _, n := range []int{10, 1000} {
		b.Run(fmt.Sprintf("targets=%d", n), func(b *testing.B) {
			var all []types.TargetHealthDescription
			for i := range n {
				all = append(all, types.TargetHealthDescription{
					Target:       &types.TargetDescription{Id: aws.String(fmt.Sprintf("i-%017d", i)), Port: aws.Int32(80)},
					TargetHealth: &types.TargetHealth{State: types.TargetHealthStateEnumHealthy},
				})
			}
			f := must(elbv2hc.Follow(describing(all...), arn))(b)
			ctx, cancel := context.WithCancel(b.Context())
			ended := make(chan error)
			go func() { ended <- f.Run(ctx) }()
			for range f.Watch(b.Context()) {
				break
			}
			probe := must(f.Open(healthcheck.Target{ID: "i-00000000000000007", Addr: "10.0.0.1:80"}))(b)
			b.ReportAllocs()
			for b.Loop() {
				if r := probe.Check(ctx); r.Outcome != healthcheck.Pass {
					b.Fatal(r)
				}
			}
			cancel()
			<-ended
		})
	}
}
