package elbv2svc

import (
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/elbmodel"
)

func (s *service) addAttributes(e *awstest.Endpoint) {
	awstest.Handle(e, s.describeTargetGroupAttributes, "TargetGroupArn")
	awstest.Handle(e, s.modifyTargetGroupAttributes, "TargetGroupArn", "Attributes")
}

// The attributes of target groups that are modelled; beside them crossZone,
// which load balancers have as well.
const (
	deregistrationDelay = "deregistration_delay.timeout_seconds"
	dnsCount            = "target_group_health.dns_failover.minimum_healthy_targets.count"
	dnsPercent          = "target_group_health.dns_failover.minimum_healthy_targets.percentage"
	routingCount        = "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count"
	routingPercent      = "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage"
	stickiness          = "stickiness.enabled"
	stickinessType      = "stickiness.type"

	// Of application load balancers only.
	algorithm         = "load_balancing.algorithm.type"
	anomalyMitigation = "load_balancing.algorithm.anomaly_mitigation"
	slowStart         = "slow_start.duration_seconds"
)

func (s *service) describeTargetGroupAttributes(_ *awstest.Tx, call *awstest.Call, in *elbv2.DescribeTargetGroupAttributesInput) (*elbv2.DescribeTargetGroupAttributesOutput, error) {
	g, err := s.region(call).Group(call.At, aws.ToString(in.TargetGroupArn))
	if err != nil {
		return nil, err
	}
	return &elbv2.DescribeTargetGroupAttributesOutput{Attributes: showAttributes(g)}, nil
}

func (s *service) modifyTargetGroupAttributes(tx *awstest.Tx, call *awstest.Call, in *elbv2.ModifyTargetGroupAttributesInput) (*elbv2.ModifyTargetGroupAttributesOutput, error) {
	region := s.region(call)
	g, err := region.Group(tx.Now(), aws.ToString(in.TargetGroupArn))
	if err != nil {
		return nil, err
	}
	changed := g.Attributes
	for _, a := range in.Attributes {
		if err := setAttribute(call, g, &changed, aws.ToString(a.Key), aws.ToString(a.Value)); err != nil {
			return nil, err
		}
	}
	if g, err = region.SetAttributes(tx, g, changed); err != nil {
		return nil, err
	}
	return &elbv2.ModifyTargetGroupAttributesOutput{Attributes: showAttributes(g)}, nil
}

// setAttribute changes one attribute.
func setAttribute(call *awstest.Call, g *elbmodel.Group, a *elbmodel.Attributes, key, value string) error {
	switch key {
	case algorithm, anomalyMitigation, slowStart:
		if !ofApplications(g) {
			return invalid("Target group attribute key '%s' is not supported for target groups with the '%s' protocol", key, g.Protocol)
		}
	}
	switch key {
	case deregistrationDelay:
		return parseSeconds(&a.DeregistrationDelay, key, value)
	case slowStart:
		return parseSeconds(&a.SlowStart, key, value)
	case crossZone:
		return parseOneOf(&a.CrossZone, key, value, elbmodel.CrossZoneOn, elbmodel.CrossZoneOff, elbmodel.CrossZoneOfBalancer)
	case algorithm:
		return parseOneOf(&a.Algorithm, key, value, elbmodel.RoundRobin, elbmodel.LeastOutstanding, elbmodel.WeightedRandom)
	case anomalyMitigation:
		var mode string
		err := parseOneOf(&mode, key, value, "on", "off")
		a.AnomalyMitigation = mode == "on"
		return err
	case dnsCount:
		return parseCount(&a.DNSFailover.Count, key, value, true)
	case dnsPercent:
		return parsePercent(&a.DNSFailover.Percent, key, value)
	case routingCount:
		return parseCount(&a.RoutingFailover.Count, key, value, false)
	case routingPercent:
		return parsePercent(&a.RoutingFailover.Percent, key, value)
	case stickiness:
		if value == "false" {
			return nil
		}
	}
	return call.NotModelled("attribute %q", key)
}

func ofApplications(g *elbmodel.Group) bool { return g.Protocol == "HTTP" || g.Protocol == "HTTPS" }

func parseSeconds(to *time.Duration, key, value string) error {
	seconds, err := strconv.ParseUint(value, 10, 16)
	if err != nil {
		return invalid("'%s' of '%s' is not a number of seconds", value, key)
	}
	*to = time.Duration(seconds) * time.Second
	return nil
}

func parseOneOf(to *string, key, value string, allowed ...string) error {
	if !wanted(allowed, value) {
		return invalid("'%s' of '%s' must be one of %q", value, key, allowed)
	}
	*to = value
	return nil
}

// maxCount is a bound for what AWS calls the maximum number of targets, which
// is a quota.
const maxCount = 1000

// parseCount reads a number of targets, or "off" where that is allowed.
func parseCount(to *int, key, value string, canBeOff bool) error {
	if canBeOff && value == "off" {
		*to = 0
		return nil
	}
	return parseRange(to, key, value, maxCount)
}

func parsePercent(to *int, key, value string) error {
	if value == "off" {
		*to = 0
		return nil
	}
	return parseRange(to, key, value, 100)
}

func parseRange(to *int, key, value string, most uint64) error {
	n, err := strconv.ParseUint(value, 10, 16)
	if err != nil || n < 1 || n > most {
		return invalid("'%s' of '%s' must be between 1 and %d", value, key, most)
	}
	*to = int(n)
	return nil
}

func showAttributes(g *elbmodel.Group) (all []types.TargetGroupAttribute) {
	add := func(key, value string) {
		all = append(all, types.TargetGroupAttribute{Key: aws.String(key), Value: aws.String(value)})
	}
	seconds := func(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }
	orOff := func(n int) string {
		if n == 0 {
			return "off"
		}
		return strconv.Itoa(n)
	}
	add(deregistrationDelay, seconds(g.DeregistrationDelay))
	add(crossZone, g.CrossZone)
	add(dnsCount, orOff(g.DNSFailover.Count))
	add(dnsPercent, orOff(g.DNSFailover.Percent))
	add(routingCount, orOff(g.RoutingFailover.Count))
	add(routingPercent, orOff(g.RoutingFailover.Percent))
	add(stickiness, "false")
	if !ofApplications(g) {
		add(stickinessType, "source_ip")
		return all
	}
	add(stickinessType, "lb_cookie")
	add(slowStart, seconds(g.SlowStart))
	add(algorithm, g.Algorithm)
	add(anomalyMitigation, map[bool]string{true: "on", false: "off"}[g.AnomalyMitigation])
	return all
}
