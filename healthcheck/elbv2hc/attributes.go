package elbv2hc

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"github.com/awsha/awsha/healthcheck"
)

// The attributes of target groups that a pool can follow.
// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html (read 2026-11)
const (
	attrDelay          = "deregistration_delay.timeout_seconds"
	attrSlowStart      = "slow_start.duration_seconds"
	attrAlgorithm      = "load_balancing.algorithm.type"
	attrCrossZone      = "load_balancing.cross_zone.enabled" // of load balancers, too
	attrDNSCount       = "target_group_health.dns_failover.minimum_healthy_targets.count"
	attrDNSPercent     = "target_group_health.dns_failover.minimum_healthy_targets.percentage"
	attrRoutingCount   = "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count"
	attrRoutingPercent = "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage"
	attrStickiness     = "stickiness.enabled"
)

// beyond are the attributes that a pool cannot follow: at their neutral value they ask for nothing, and at any other a pool
// differs. An attribute without a neutral value has no part in checks and routing.
var beyond = map[string]struct{ neutral, why string }{
	attrStickiness: {"false", "a pool has no sticky sessions"},
	"load_balancing.algorithm.anomaly_mitigation":                  {"off", "a pool finds no anomalies; passive checks come near"},
	"deregistration_delay.connection_termination.enabled":          {"false", "a pool ends no connections"},
	"target_health_state.unhealthy.connection_termination.enabled": {"false", "a pool ends no connections"},
	"target_health_state.unhealthy.draining_interval_seconds":      {"0", "an unhealthy target gets no traffic at once"},
	"proxy_protocol_v2.enabled":                                    {"false", "checks send no PROXY header, and those of the load balancer do"},
	"target_failover.on_deregistration":                            {"no_rebalance", "a pool knows no flows"},
	"target_failover.on_unhealthy":                                 {"no_rebalance", "a pool knows no flows"},
	"send_tcp_reset.on_deregistration.enabled":                     {"false", "a pool knows no flows"},
	"send_tcp_reset.on_unhealthy.enabled":                          {"false", "a pool knows no flows"},

	"preserve_client_ip.enabled":             {}, // traffic comes from this process
	"stickiness.type":                        {}, // these follow stickiness.enabled
	"stickiness.app_cookie.cookie_name":      {},
	"stickiness.app_cookie.duration_seconds": {},
	"stickiness.lb_cookie.duration_seconds":  {},
	"lambda.multi_value_headers.enabled":     {},
}

// zones finds out whether zones share their targets.
func (i *importer) zones(ctx context.Context, g *Group, attributes map[string]string) *GroupError {
	value := attributes[attrCrossZone]
	switch value {
	case "true", "false":
		g.Settings.ZonalOnly = value == "false"
		return nil
	case "", "use_load_balancer_configuration":
	default:
		g.differ(attrCrossZone, value, "it is not known here, and taken to be as with the load balancer")
	}
	switch {
	case g.Kind == healthcheck.ALBLimits: // always on
	case g.LoadBalancer == "":
		g.Settings.ZonalOnly = true
		g.differ(attrCrossZone, value, "the group has no load balancer yet: it is taken as off, which is the default of its kind")
	default:
		var out *elbv2.DescribeLoadBalancerAttributesOutput
		if err := i.call(ctx, func(ctx context.Context) (err error) {
			out, err = i.api.DescribeLoadBalancerAttributes(ctx, &elbv2.DescribeLoadBalancerAttributesInput{LoadBalancerArn: aws.String(g.LoadBalancer)})
			return err
		}); err != nil {
			return err
		}
		g.Settings.ZonalOnly = true
		for _, a := range out.Attributes {
			if aws.ToString(a.Key) == attrCrossZone {
				g.Settings.ZonalOnly = aws.ToString(a.Value) != "true"
			}
		}
	}
	return nil
}

// readAttributes reads all attributes but that of zones. What it does not understand is a Difference.
func (g *Group) readAttributes(attributes map[string]string) {
	s := &g.Settings
	s.DeregistrationDelay = 300 * time.Second // if it is not told
	var dnsCountOff, dnsPercentOff bool
	for _, key := range slices.Sorted(maps.Keys(attributes)) {
		value := attributes[key]
		understood := true
		switch key {
		case attrCrossZone:
		case attrDelay:
			understood = seconds(&s.DeregistrationDelay, value)
			if s.DeregistrationDelay == 0 {
				s.DeregistrationDelay = healthcheck.None
			}
		case attrSlowStart:
			understood = seconds(&s.SlowStart, value)
		case attrAlgorithm:
			s.Algorithm, understood = algorithmOf(value)
		case attrDNSCount:
			dnsCountOff = value == "off"
			understood = number(&s.ZoneFailover.Count, value)
		case attrDNSPercent:
			dnsPercentOff = value == "off"
			understood = number(&s.ZoneFailover.Percent, value)
		case attrRoutingCount:
			understood = number(&s.RoutingFailover.Count, value)
		case attrRoutingPercent:
			understood = number(&s.RoutingFailover.Percent, value)
		default:
			rule, known := beyond[key]
			switch {
			case !known:
				understood = false
			case rule.why != "" && value != rule.neutral:
				g.differ(key, value, rule.why)
			}
		}
		if !understood {
			g.differ(key, value, "it is not known here")
		}
	}
	const stays = "a zone goes down below the minimum for routing at the latest"
	if dnsCountOff {
		g.differ(attrDNSCount, "off", stays)
	}
	if dnsPercentOff && s.RoutingFailover.Percent > 0 {
		g.differ(attrDNSPercent, "off", stays)
	}
}

func seconds(to *time.Duration, value string) bool {
	n, err := strconv.ParseUint(value, 10, 31)
	if err == nil {
		*to = time.Duration(n) * time.Second
	}
	return err == nil
}

// number reads a number, or "off", which is zero.
func number(to *int, value string) bool {
	if value == "off" {
		*to = 0
		return true
	}
	n, err := strconv.ParseUint(value, 10, 31)
	if err == nil {
		*to = int(n)
	}
	return err == nil
}

func algorithmOf(value string) (healthcheck.Algorithm, bool) {
	for _, a := range []healthcheck.Algorithm{healthcheck.RoundRobin, healthcheck.LeastOutstanding, healthcheck.WeightedRandom} {
		if strings.EqualFold(a.String(), value) {
			return a, true
		}
	}
	return healthcheck.RoundRobin, false
}
