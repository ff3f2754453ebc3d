package conformance_test

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeListeners.html (read 2026-11)
// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeleteListener.html (read 2026-11)
// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html (read 2026-11)
var listenerScenarios = []scenario{{
	name: "a load balancer has attributes",
	run: func(s *session) {
		group := *must(s.group(s.groupInput("a")))(s).TargetGroupArn
		arn := s.listen(group)
		s.shows("cross-zone by default", "true", func() string { return s.attribute(arn, "load_balancing.cross_zone.enabled") })
		s.is("zonal shift by default", s.attribute(arn, "zonal_shift.config.enabled"), "false")
		s.accepted("enabling zonal shift", s.setAttribute(arn, "zonal_shift.config.enabled", "true"))
		s.shows("zonal shift then", "true", func() string { return s.attribute(arn, "zonal_shift.config.enabled") })
		s.refused("enabling it by another word", s.setAttribute(arn, "zonal_shift.config.enabled", "perhaps"), "ValidationError")
		s.refused("disabling cross-zone", s.setAttribute(arn, "load_balancing.cross_zone.enabled", "false"), "InvalidConfigurationRequest")
		gone := arn[:len(arn)-16] + strings.Repeat("f", 16)
		s.is("of an unknown load balancer", s.attribute(gone, "zonal_shift.config.enabled"), "LoadBalancerNotFound")
		s.refused("changing those of an unknown load balancer", s.setAttribute(gone, "zonal_shift.config.enabled", "true"), "LoadBalancerNotFound")
	},
	differs: []difference{
		{on: motoName, at: "cross-zone by default", does: "false"},
		{on: motoName, at: "zonal shift by default", does: "not there"},
		{on: motoName, at: "enabling it by another word", does: "accepted"},
		{on: motoName, at: "disabling cross-zone", does: "accepted"},
	},
}, {
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

// attribute reads an attribute of a load balancer.
func (s *session) attribute(arn, key string) string {
	out, err := s.elb.DescribeLoadBalancerAttributes(s.Context(), &elbv2.DescribeLoadBalancerAttributesInput{LoadBalancerArn: &arn})
	if err != nil {
		return outcome(err)
	}
	for _, a := range out.Attributes {
		if *a.Key == key {
			return told(a.Value)
		}
	}
	return "not there"
}

func (s *session) setAttribute(arn, key, value string) error {
	_, err := s.elb.ModifyLoadBalancerAttributes(s.Context(), &elbv2.ModifyLoadBalancerAttributesInput{
		LoadBalancerArn: &arn, Attributes: []types.LoadBalancerAttribute{{Key: &key, Value: &value}},
	})
	return err
}
