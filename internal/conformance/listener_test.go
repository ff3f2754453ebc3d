package conformance_test

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
)

// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeListeners.html (read 2026-11)
// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeleteListener.html (read 2026-11)
var listenerScenarios = []scenario{{
	name: "a listener is found, and deleted",
	run: func(s *session) {
		group := *must(s.group(s.groupInput("a")))(s).TargetGroupArn
		s.listen(group)
		var balancer string
		s.shows("load balancers of the group", "1", func() string {
			g := must(s.elb.DescribeTargetGroups(s.Context(), &elbv2.DescribeTargetGroupsInput{TargetGroupArns: []string{group}}))(s).TargetGroups[0]
			if len(g.LoadBalancerArns) > 0 {
				balancer = g.LoadBalancerArns[0]
			}
			return strings.Repeat("1", len(g.LoadBalancerArns))
		})
		of := func(in *elbv2.DescribeListenersInput) string {
			out, err := s.elb.DescribeListeners(s.Context(), in)
			if err != nil {
				return outcome(err)
			}
			var arns []string
			for _, l := range out.Listeners {
				s.call(*l.ListenerArn, "the listener")
				arns = append(arns, *l.ListenerArn)
			}
			return s.set(arns)
		}
		s.is("by load balancer", of(&elbv2.DescribeListenersInput{LoadBalancerArn: &balancer}), "the listener")
		l := must(s.elb.DescribeListeners(s.Context(), &elbv2.DescribeListenersInput{LoadBalancerArn: &balancer}))(s).Listeners[0]
		s.is("what it does", string(l.Protocol)+", "+string(l.DefaultActions[0].Type)+" to "+told(l.DefaultActions[0].TargetGroupArn), "HTTP, forward to group a")
		arn := *l.ListenerArn
		s.is("by ARN", of(&elbv2.DescribeListenersInput{ListenerArns: []string{arn}}), "the listener")
		gone := arn[:len(arn)-16] + strings.Repeat("f", 16)
		s.is("an unknown one", of(&elbv2.DescribeListenersInput{ListenerArns: []string{gone}}), "ListenerNotFound")
		_, err := s.elb.DeleteListener(s.Context(), &elbv2.DeleteListenerInput{ListenerArn: aws.String(gone)})
		s.refused("deleting an unknown one", err, "ListenerNotFound")
		_, err = s.elb.DeleteListener(s.Context(), &elbv2.DeleteListenerInput{ListenerArn: &arn})
		s.accepted("deleting", err)
		s.shows("by load balancer then", "nothing", func() string { return of(&elbv2.DescribeListenersInput{LoadBalancerArn: &balancer}) })
		_, err = s.elb.DeleteListener(s.Context(), &elbv2.DeleteListenerInput{ListenerArn: &arn})
		s.refused("deleting again", err, "ListenerNotFound")
	},
}}
