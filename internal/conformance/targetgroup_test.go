package conformance_test

import (
	"context"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RegisterTargets.html (read 2026-11)
// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html (read 2026-11)
// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html (read 2026-11)
var targetScenarios = []scenario{
	{
		name: "a target of a group without a listener is not in use",
		run: func(s *session) {
			m, arn := s.launch("the instance"), *must(s.group(s.groupInput("a")))(s).TargetGroupArn
			s.accepted("registering", s.register(arn, m.id))
			s.shows("health", "unused, Target.NotInUse", func() string { return s.health(arn, m.id) })
			s.accepted("registering again", s.register(arn, m.id))
			s.accepted("deregistering", s.deregister(arn, m.id))
			s.shows("health after deregistering", "unused, Target.NotRegistered", func() string { return s.health(arn, m.id) })
			s.accepted("deregistering again", s.deregister(arn, m.id))
			s.shows("targets", "nothing", func() string { return s.targets(arn) })
		},
		differs: []difference{
			{on: motoName, at: "health", does: "healthy"},
			{on: motoName, at: "deregistering again", does: "InvalidTarget"},
		},
	},
	{
		name: "a target of a group with a listener is checked and drained",
		run: func(s *session) {
			subnets := s.subnets()
			m := s.launch("the instance", inZone(*subnets[0].AvailabilityZone)) // which does not listen
			arn := *must(s.group(s.groupInput("a", func(in *elbv2.CreateTargetGroupInput) {
				in.HealthCheckIntervalSeconds, in.HealthCheckTimeoutSeconds = aws.Int32(5), aws.Int32(2)
			})))(s).TargetGroupArn
			must("", s.setDelay(arn, "30"))(s)
			s.listen(arn)
			s.accepted("registering", s.register(arn, m.id))
			s.shows("state after registering", "initial", func() string { return s.healthState(arn, m.id) })
			s.shows("state after checks", "unhealthy", func() string { return s.healthState(arn, m.id) })
			_, err := s.elb.DeleteTargetGroup(s.Context(), &elbv2.DeleteTargetGroupInput{TargetGroupArn: &arn})
			s.refused("deleting a group in use", err, "ResourceInUse")
			s.accepted("deregistering", s.deregister(arn, m.id))
			s.shows("health after deregistering", "draining, Target.DeregistrationInProgress", func() string { return s.health(arn, m.id) })
			s.shows("targets after the delay", "nothing", func() string { return s.targets(arn) })
		},
		differs: []difference{
			{on: motoName, at: "state after registering", does: "healthy"},
			{on: motoName, at: "state after checks", does: "healthy"},
			{on: motoName, at: "health after deregistering", does: "unused, Target.NotRegistered"},
		},
	},
	{
		name: "a target has to exist and to run",
		run: func(s *session) {
			m, g := s.launch("the instance"), must(s.group(s.groupInput("a")))(s)
			arn := *g.TargetGroupArn
			must(s.stop(m.id))(s)
			s.await("", "stopped", func() string { return s.state(m.id) })
			s.refused("a stopped instance", s.register(arn, m.id), "InvalidTarget")
			s.refused("an unknown instance", s.register(arn, "i"+unknown), "InvalidTarget")
			s.shows("targets after refusals", "nothing", func() string { return s.targets(arn) })
			s.accepted("deregistering what is not registered", s.deregister(arn, "i"+unknown))
			s.refused("registering with an unknown group", s.register(missing(g), m.id), "TargetGroupNotFound")
			s.refused("deregistering from an unknown group", s.deregister(missing(g), m.id), "TargetGroupNotFound")
			s.is("health in an unknown group", s.health(missing(g), m.id), "TargetGroupNotFound")
			s.refused("registering with what is no ARN", s.register("web", m.id), "ValidationError")
		},
		differs: []difference{
			{on: motoName, at: "an unknown instance", does: "accepted"},
			{on: motoName, at: "targets after refusals", does: "i-0123456789abcdef0:80"},
			{on: motoName, at: "registering with what is no ARN", does: "TargetGroupNotFound"},
		},
	},
	{
		name: "a target is registered by address and port",
		run: func(s *session) {
			m := s.launch("the instance")
			arn := *must(s.group(s.groupInput("a", func(in *elbv2.CreateTargetGroupInput) { in.TargetType = types.TargetTypeEnumIp })))(s).TargetGroupArn
			for _, port := range []*int32{nil, aws.Int32(8080)} {
				_, err := s.elb.RegisterTargets(s.Context(), &elbv2.RegisterTargetsInput{TargetGroupArn: &arn, Targets: []types.TargetDescription{{Id: &m.private, Port: port}}})
				s.accepted("registering, port "+number(port), err)
			}
			s.shows("targets", "the private address of the instance:80, the private address of the instance:8080", func() string { return s.told(s.targets(arn)) })
			s.refused("a public address", s.register(arn, "8.8.8.8"), "ValidationError")
			s.refused("what is no address", s.register(arn, m.id), "ValidationError")
		},
		differs: []difference{
			{on: motoName, at: "targets", does: "the private address of the instance:8080"},
			{on: motoName, at: "a public address", does: "accepted"},
			{on: motoName, at: "what is no address", does: "accepted"},
		},
	},
}

func describe(ids []string) (list []types.TargetDescription) {
	for _, id := range ids {
		list = append(list, types.TargetDescription{Id: &id})
	}
	return list
}

func (s *session) register(arn string, ids ...string) error {
	_, err := s.elb.RegisterTargets(s.Context(), &elbv2.RegisterTargetsInput{TargetGroupArn: &arn, Targets: describe(ids)})
	return err
}

func (s *session) deregister(arn string, ids ...string) error {
	_, err := s.elb.DeregisterTargets(s.Context(), &elbv2.DeregisterTargetsInput{TargetGroupArn: &arn, Targets: describe(ids)})
	return err
}

// health tells the state of a target with its reason.
func (s *session) health(arn, id string) string {
	out, err := s.elb.DescribeTargetHealth(s.Context(), &elbv2.DescribeTargetHealthInput{TargetGroupArn: &arn, Targets: describe([]string{id})})
	switch {
	case err != nil:
		return outcome(err)
	case len(out.TargetHealthDescriptions) != 1:
		return "not shown"
	}
	h := out.TargetHealthDescriptions[0].TargetHealth
	if h.Reason == "" {
		return string(h.State)
	}
	return string(h.State) + ", " + string(h.Reason)
}

func (s *session) healthState(arn, id string) string {
	state, _, _ := strings.Cut(s.health(arn, id), ",")
	return state
}

// targets tells which targets a group has, in whatever state.
func (s *session) targets(arn string) string {
	out, err := s.elb.DescribeTargetHealth(s.Context(), &elbv2.DescribeTargetHealthInput{TargetGroupArn: &arn})
	if err != nil {
		return outcome(err)
	}
	var list []string
	for _, d := range out.TargetHealthDescriptions {
		list = append(list, told(d.Target.Id)+":"+number(d.Target.Port))
	}
	return s.set(list)
}

// listen puts a load balancer in front of a group, and waits until it is active.
func (s *session) listen(group string) (arn string) {
	s.Helper()
	subnets := s.subnets()
	out := must(s.elb.CreateLoadBalancer(s.Context(), &elbv2.CreateLoadBalancerInput{
		Name: aws.String("awsha-" + s.mark), Subnets: []string{*subnets[0].SubnetId, *subnets[1].SubnetId},
		Tags: []types.Tag{{Key: aws.String(markKey), Value: &s.mark}},
	}))(s)
	arn = *out.LoadBalancers[0].LoadBalancerArn
	s.cleanly(arn, func(ctx context.Context) error {
		_, err := s.elb.DeleteLoadBalancer(ctx, &elbv2.DeleteLoadBalancerInput{LoadBalancerArn: &arn})
		return err
	})
	must(s.elb.CreateListener(s.Context(), &elbv2.CreateListenerInput{
		LoadBalancerArn: &arn, Port: aws.Int32(80), Protocol: types.ProtocolEnumHttp,
		DefaultActions: []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: &group}},
	}))(s)
	s.shows("state of the load balancer", "active", func() string {
		out := must(s.elb.DescribeLoadBalancers(s.Context(), &elbv2.DescribeLoadBalancersInput{LoadBalancerArns: []string{arn}}))(s)
		return string(out.LoadBalancers[0].State.Code)
	})
	return arn
}

func number(n *int32) string {
	if n == nil {
		return "none"
	}
	return strconv.Itoa(int(*n))
}
