package conformance_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html (read 2026-11)
// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_ModifyTargetGroup.html (read 2026-11)
// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html (read 2026-11)
var groupScenarios = []scenario{
	{
		name: "a target group has defaults",
		run: func(s *session) {
			g := must(s.group(s.groupInput("a")))(s)
			s.is("protocol", string(g.Protocol)+" "+told(g.ProtocolVersion), "HTTP HTTP1")
			s.is("port", fmt.Sprint(aws.ToInt32(g.Port)), "80")
			s.is("target type", string(g.TargetType), "instance")
			s.is("VPC", told(g.VpcId), "the default VPC")
			s.is("check", fmt.Sprintf("%s on %s of %s wants %s", g.HealthCheckProtocol, told(g.HealthCheckPort), told(g.HealthCheckPath), code(g.Matcher)), "HTTP on traffic-port of / wants 200")
			s.is("checks are enabled", fmt.Sprint(aws.ToBool(g.HealthCheckEnabled)), "true")
			s.is("thresholds", thresholds(g), "5 up, 2 down")
			s.is("interval", fmt.Sprint(aws.ToInt32(g.HealthCheckIntervalSeconds)), "30")
			// The guide says 5 seconds and the API reference 6.
			timeout := aws.ToInt32(g.HealthCheckTimeoutSeconds)
			s.is("timeout is 5 or 6", fmt.Sprint(timeout == 5 || timeout == 6), "true")
			s.is("load balancers", fmt.Sprint(len(g.LoadBalancerArns)), "0")

			tcp := must(s.group(s.groupInput("b", func(in *elbv2.CreateTargetGroupInput) { in.Protocol = types.ProtocolEnumTcp })))(s)
			s.is("check of TCP", string(tcp.HealthCheckProtocol)+" of "+told(tcp.HealthCheckPath), "TCP of none")
			s.is("timeout of TCP", fmt.Sprint(aws.ToInt32(tcp.HealthCheckTimeoutSeconds)), "10")
			s.is("thresholds of TCP", thresholds(tcp), "5 up, 2 down")
		},
	},
	{
		name: "a target group is found",
		run: func(s *session) {
			a, b := must(s.group(s.groupInput("a")))(s), must(s.group(s.groupInput("b")))(s)
			read := func(in *elbv2.DescribeTargetGroupsInput) func() string {
				return func() string {
					out, err := s.elb.DescribeTargetGroups(s.Context(), in)
					if err != nil {
						return outcome(err)
					}
					var arns []string
					for i := range out.TargetGroups {
						arns = append(arns, *out.TargetGroups[i].TargetGroupArn)
					}
					return s.set(arns)
				}
			}
			s.shows("by ARN", "group b", read(&elbv2.DescribeTargetGroupsInput{TargetGroupArns: []string{*b.TargetGroupArn}}))
			s.shows("by name", "group a", read(&elbv2.DescribeTargetGroupsInput{Names: []string{*a.TargetGroupName}}))
			s.shows("by two names", "group a, group b", read(&elbv2.DescribeTargetGroupsInput{Names: []string{*a.TargetGroupName, *b.TargetGroupName}}))
			s.is("by an unknown ARN", read(&elbv2.DescribeTargetGroupsInput{TargetGroupArns: []string{missing(a)}})(), "TargetGroupNotFound")
			s.is("by an unknown name", read(&elbv2.DescribeTargetGroupsInput{Names: []string{"awsha-" + s.mark + "-none"}})(), "TargetGroupNotFound")
			s.is("by what is no ARN", read(&elbv2.DescribeTargetGroupsInput{TargetGroupArns: []string{"web"}})(), "ValidationError")

			remove := func(arn string) error {
				_, err := s.elb.DeleteTargetGroup(s.Context(), &elbv2.DeleteTargetGroupInput{TargetGroupArn: &arn})
				return err
			}
			s.accepted("deleting", remove(*a.TargetGroupArn))
			s.shows("by the ARN of a deleted one", "TargetGroupNotFound", read(&elbv2.DescribeTargetGroupsInput{TargetGroupArns: []string{*a.TargetGroupArn}}))
			s.accepted("deleting again", remove(*a.TargetGroupArn)) // the one error that is documented is ResourceInUse
		},
		differs: []difference{
			{on: motoName, at: "by what is no ARN", does: "TargetGroupNotFound"},
			{on: motoName, at: "deleting again", does: "TargetGroupNotFound"},
		},
	},
	{
		name: "the name of a target group is taken",
		run: func(s *session) {
			first := must(s.group(s.groupInput("a")))(s)
			again, err := s.group(s.groupInput("a"))
			s.accepted("the same request again", err)
			if err == nil {
				s.is("group of the same request", same(*again.TargetGroupArn, *first.TargetGroupArn), "the same")
			}
			_, err = s.group(s.groupInput("a", func(in *elbv2.CreateTargetGroupInput) { in.Port = aws.Int32(81) }))
			s.refused("with another port", err, "DuplicateTargetGroupName")
		},
		differs: []difference{
			{on: motoName, at: "the same request again", does: "DuplicateTargetGroupName"},
		},
	},
	{
		name: "a target group is refused",
		run: func(s *session) {
			for n, c := range []struct {
				at     string
				change func(*elbv2.CreateTargetGroupInput)
			}{
				{"a name that is too long", func(in *elbv2.CreateTargetGroupInput) { in.Name = aws.String(strings.Repeat("a", 33)) }},
				{"a name with a hyphen in front", func(in *elbv2.CreateTargetGroupInput) { in.Name = aws.String("-a") }},
				{"a name with a dot", func(in *elbv2.CreateTargetGroupInput) { in.Name = aws.String("a.b") }},
				{"no protocol", func(in *elbv2.CreateTargetGroupInput) { in.Protocol = "" }},
				{"no VPC", func(in *elbv2.CreateTargetGroupInput) { in.VpcId = nil }},
				{"an unknown VPC", func(in *elbv2.CreateTargetGroupInput) { in.VpcId = aws.String("vpc" + unknown) }},
				{"an interval of 4 seconds", func(in *elbv2.CreateTargetGroupInput) { in.HealthCheckIntervalSeconds = aws.Int32(4) }},
				{"a timeout of 121 seconds", func(in *elbv2.CreateTargetGroupInput) {
					in.HealthCheckIntervalSeconds, in.HealthCheckTimeoutSeconds = aws.Int32(300), aws.Int32(121)
				}},
				{"a threshold of 1", func(in *elbv2.CreateTargetGroupInput) { in.HealthyThresholdCount = aws.Int32(1) }},
			} {
				_, err := s.group(s.groupInput(string(rune('a'+n)), c.change))
				s.refused(c.at, err, "ValidationError")
			}
		},
		differs: []difference{
			{on: motoName, at: "a timeout of 121 seconds", does: "accepted"},
			{on: motoName, at: "a threshold of 1", does: "accepted"},
		},
	},
	{
		name: "the settings of a target group change",
		run: func(s *session) {
			g := must(s.group(s.groupInput("a")))(s)
			_, err := s.elb.ModifyTargetGroup(s.Context(), &elbv2.ModifyTargetGroupInput{
				TargetGroupArn: g.TargetGroupArn, HealthCheckPath: aws.String("/healthz"), HealthCheckPort: aws.String("8080"),
				HealthCheckIntervalSeconds: aws.Int32(10), HealthCheckTimeoutSeconds: aws.Int32(4),
				HealthyThresholdCount: aws.Int32(3), UnhealthyThresholdCount: aws.Int32(4), Matcher: &types.Matcher{HttpCode: aws.String("200-299")},
			})
			s.accepted("changing", err)
			s.shows("check", "HTTP on 8080 of /healthz wants 200-299", func() string {
				out := must(s.elb.DescribeTargetGroups(s.Context(), &elbv2.DescribeTargetGroupsInput{TargetGroupArns: []string{*g.TargetGroupArn}}))(s)
				g = out.TargetGroups[0]
				return fmt.Sprintf("%s on %s of %s wants %s", g.HealthCheckProtocol, told(g.HealthCheckPort), told(g.HealthCheckPath), code(g.Matcher))
			})
			s.is("thresholds", thresholds(g), "3 up, 4 down")
			s.is("times", fmt.Sprint(aws.ToInt32(g.HealthCheckIntervalSeconds), aws.ToInt32(g.HealthCheckTimeoutSeconds)), "10 4")
			gone := missing(g)
			_, err = s.elb.ModifyTargetGroup(s.Context(), &elbv2.ModifyTargetGroupInput{TargetGroupArn: &gone, HealthCheckPath: aws.String("/")})
			s.refused("of an unknown group", err, "TargetGroupNotFound")
		},
	},
	{
		name: "the deregistration delay of a target group changes",
		run: func(s *session) {
			g := must(s.group(s.groupInput("a")))(s)
			s.shows("default", "300", func() string { return s.delay(*g.TargetGroupArn) })
			s.accepted("0 seconds", s.setDelay(*g.TargetGroupArn, "0"))
			s.shows("after 0 seconds", "0", func() string { return s.delay(*g.TargetGroupArn) })
			s.accepted("3600 seconds", s.setDelay(*g.TargetGroupArn, "3600"))
			s.shows("after 3600 seconds", "3600", func() string { return s.delay(*g.TargetGroupArn) })
			s.refused("3601 seconds", s.setDelay(*g.TargetGroupArn, "3601"), "ValidationError")
			s.refused("no number", s.setDelay(*g.TargetGroupArn, "long"), "ValidationError")
			s.shows("after refusals", "3600", func() string { return s.delay(*g.TargetGroupArn) })
			s.refused("of an unknown group", s.setDelay(missing(g), "1"), "TargetGroupNotFound")
			s.is("reading that of an unknown group", s.delay(missing(g)), "TargetGroupNotFound")
		},
		differs: []difference{
			{on: motoName, at: "3600 seconds", does: "ValidationError"},
			{on: motoName, at: "after 3600 seconds", does: "0"},
			{on: motoName, at: "no number", does: "not implemented"},
			{on: motoName, at: "after refusals", does: "0"},
		},
	},
	{
		name: "a target group has attributes",
		run: func(s *session) {
			g := *must(s.group(s.groupInput("a")))(s).TargetGroupArn
			for _, d := range []struct{ key, value string }{
				{"load_balancing.algorithm.type", "round_robin"},
				{"load_balancing.cross_zone.enabled", "use_load_balancer_configuration"},
				{"slow_start.duration_seconds", "0"},
				{dnsCountKey, "1"},
				{dnsPercentKey, "off"},
				{routingCountKey, "1"},
				{routingPercentKey, "off"},
				{"stickiness.enabled", "false"},
			} {
				s.shows("default of "+d.key, d.value, func() string { return s.groupAttribute(g, d.key) })
			}
			s.accepted("slow start of 30 seconds", s.setGroupAttribute(g, "slow_start.duration_seconds", "30"))
			s.shows("slow start", "30", func() string { return s.groupAttribute(g, "slow_start.duration_seconds") })
			s.refused("slow start of 29 seconds", s.setGroupAttribute(g, "slow_start.duration_seconds", "29"), "ValidationError")
			s.refused("least outstanding requests in slow start", s.setGroupAttribute(g, "load_balancing.algorithm.type", "least_outstanding_requests"), "ValidationError")
			s.accepted("no slow start", s.setGroupAttribute(g, "slow_start.duration_seconds", "0"))
			s.accepted("least outstanding requests", s.setGroupAttribute(g, "load_balancing.algorithm.type", "least_outstanding_requests"))
			s.refused("an unknown algorithm", s.setGroupAttribute(g, "load_balancing.algorithm.type", "random"), "ValidationError")
			s.accepted("75 % for DNS", s.setGroupAttribute(g, dnsPercentKey, "75"))
			s.accepted("50 % for routing", s.setGroupAttribute(g, routingPercentKey, "50"))
			s.shows("percentage for routing", "50", func() string { return s.groupAttribute(g, routingPercentKey) })
			s.refused("more for routing than for DNS", s.setGroupAttribute(g, routingPercentKey, "76"), "ValidationError")
			s.refused("101 %", s.setGroupAttribute(g, dnsPercentKey, "101"), "ValidationError")
			s.accepted("without cross-zone", s.setGroupAttribute(g, "load_balancing.cross_zone.enabled", "false"))
			s.shows("cross-zone", "false", func() string { return s.groupAttribute(g, "load_balancing.cross_zone.enabled") })
			s.refused("cross-zone perhaps", s.setGroupAttribute(g, "load_balancing.cross_zone.enabled", "perhaps"), "ValidationError")

			tcp := *must(s.group(s.groupInput("b", func(in *elbv2.CreateTargetGroupInput) { in.Protocol = types.ProtocolEnumTcp })))(s).TargetGroupArn
			s.refused("slow start of TCP", s.setGroupAttribute(tcp, "slow_start.duration_seconds", "30"), "ValidationError")
			s.shows("algorithm of TCP", "not shown", func() string { return s.groupAttribute(tcp, "load_balancing.algorithm.type") })
		},
		differs: []difference{
			{on: motoName, at: "default of " + dnsCountKey, does: "not shown"},
			{on: motoName, at: "default of " + dnsPercentKey, does: "not shown"},
			{on: motoName, at: "default of " + routingCountKey, does: "not shown"},
			{on: motoName, at: "default of " + routingPercentKey, does: "not shown"},
			{on: motoName, at: "slow start of 29 seconds", does: "accepted"},
			{on: motoName, at: "least outstanding requests in slow start", does: "accepted"},
			{on: motoName, at: "an unknown algorithm", does: "accepted"},
			{on: motoName, at: "more for routing than for DNS", does: "accepted"},
			{on: motoName, at: "101 %", does: "accepted"},
			{on: motoName, at: "cross-zone perhaps", does: "accepted"},
			{on: motoName, at: "slow start of TCP", does: "accepted"},
			{on: motoName, at: "algorithm of TCP", does: "round_robin"},
		},
	},
}

// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health.html (read 2026-11)
const (
	dnsCountKey       = "target_group_health.dns_failover.minimum_healthy_targets.count"
	dnsPercentKey     = "target_group_health.dns_failover.minimum_healthy_targets.percentage"
	routingCountKey   = "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count"
	routingPercentKey = "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage"
)

// groupInput makes an HTTP group on port 80 of the default VPC. Its name is its own in the account.
func (s *session) groupInput(name string, change ...func(*elbv2.CreateTargetGroupInput)) *elbv2.CreateTargetGroupInput {
	s.Helper()
	in := &elbv2.CreateTargetGroupInput{
		Name: aws.String("awsha-" + s.mark + "-" + name), Protocol: types.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: s.subnets()[0].VpcId,
		Tags: []types.Tag{{Key: aws.String(markKey), Value: &s.mark}},
	}
	for _, fn := range change {
		fn(in)
	}
	return in
}

func (s *session) group(in *elbv2.CreateTargetGroupInput) (types.TargetGroup, error) {
	out, err := s.elb.CreateTargetGroup(s.Context(), in)
	if err != nil {
		return types.TargetGroup{}, err
	}
	g := out.TargetGroups[0]
	s.call(*g.TargetGroupArn, "group "+strings.TrimPrefix(*in.Name, "awsha-"+s.mark+"-"))
	s.cleanly(*g.TargetGroupArn, func(ctx context.Context) error {
		_, err := s.elb.DeleteTargetGroup(ctx, &elbv2.DeleteTargetGroupInput{TargetGroupArn: g.TargetGroupArn})
		return unless(err, "TargetGroupNotFound")
	})
	return g, nil
}

const delayKey = "deregistration_delay.timeout_seconds"

func (s *session) delay(arn string) string { return s.groupAttribute(arn, delayKey) }

func (s *session) setDelay(arn, seconds string) error {
	return s.setGroupAttribute(arn, delayKey, seconds)
}

func (s *session) groupAttribute(arn, key string) string {
	out, err := s.elb.DescribeTargetGroupAttributes(s.Context(), &elbv2.DescribeTargetGroupAttributesInput{TargetGroupArn: &arn})
	if err != nil {
		return outcome(err)
	}
	for _, a := range out.Attributes {
		if aws.ToString(a.Key) == key {
			return told(a.Value)
		}
	}
	return "not shown"
}

func (s *session) setGroupAttribute(arn, key, value string) error {
	_, err := s.elb.ModifyTargetGroupAttributes(s.Context(), &elbv2.ModifyTargetGroupAttributesInput{
		TargetGroupArn: &arn, Attributes: []types.TargetGroupAttribute{{Key: &key, Value: &value}},
	})
	return err
}

// missing returns an ARN of the same kind that nothing has.
func missing(g types.TargetGroup) string {
	arn := *g.TargetGroupArn
	return arn[:len(arn)-16] + strings.Repeat("f", 16)
}

func thresholds(g types.TargetGroup) string {
	return fmt.Sprintf("%d up, %d down", aws.ToInt32(g.HealthyThresholdCount), aws.ToInt32(g.UnhealthyThresholdCount))
}

func code(m *types.Matcher) string {
	if m == nil {
		return "nothing"
	}
	return told(m.HttpCode)
}
