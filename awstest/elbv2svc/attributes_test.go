package elbv2svc_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
)

// modify changes attributes of a group, given as "key=value".
func (w *world) modify(group string, pairs ...string) error {
	in := &elbv2.ModifyTargetGroupAttributesInput{TargetGroupArn: &group}
	for _, pair := range pairs {
		key, value, _ := strings.Cut(pair, "=")
		in.Attributes = append(in.Attributes, types.TargetGroupAttribute{Key: &key, Value: &value})
	}
	out, err := w.ModifyTargetGroupAttributes(w.Context(), in)
	if err == nil {
		read := must(w.DescribeTargetGroupAttributes(w.Context(), &elbv2.DescribeTargetGroupAttributesInput{TargetGroupArn: &group}))(w)
		if diff := cmp.Diff(pairsOf(read.Attributes), pairsOf(out.Attributes)); diff != "" {
			w.Errorf("a change and a read answer differently: %s", diff)
		}
	}
	return err
}

func pairsOf(all []types.TargetGroupAttribute) map[string]string {
	pairs := map[string]string{}
	for _, a := range all {
		pairs[*a.Key] = *a.Value
	}
	return pairs
}

const (
	minimum = "target_group_health.%s.minimum_healthy_targets.%s"
	cross   = "load_balancing.cross_zone.enabled"
)

var (
	dnsCount       = fmt.Sprintf(minimum, "dns_failover", "count")
	dnsPercent     = fmt.Sprintf(minimum, "dns_failover", "percentage")
	routingCount   = fmt.Sprintf(minimum, "unhealthy_state_routing", "count")
	routingPercent = fmt.Sprintf(minimum, "unhealthy_state_routing", "percentage")
)

// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html (read 2026-11)
func TestAttributesHaveDefaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defer w.close()
	shared := map[string]string{
		"deregistration_delay.timeout_seconds": "300", cross: "use_load_balancer_configuration",
		dnsCount: "1", dnsPercent: "off", routingCount: "1", routingPercent: "off", "stickiness.enabled": "false",
	}
	for name, want := range map[string]map[string]string{
		"application": {
			"stickiness.type": "lb_cookie", "slow_start.duration_seconds": "0",
			"load_balancing.algorithm.type": "round_robin", "load_balancing.algorithm.anomaly_mitigation": "off",
		},
		"network": {"stickiness.type": "source_ip"},
	} {
		maps.Copy(want, shared)
		group := w.group(name, func(in *elbv2.CreateTargetGroupInput) {
			if name == "network" {
				overTCP(in)
			}
		})
		out := must(w.DescribeTargetGroupAttributes(w.Context(), &elbv2.DescribeTargetGroupAttributesInput{TargetGroupArn: &group}))(w)
		if diff := cmp.Diff(want, pairsOf(out.Attributes)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestAttributesAreChecked(t *testing.T) {
	t.Parallel()
	const (
		algorithm = "load_balancing.algorithm.type="
		anomaly   = "load_balancing.algorithm.anomaly_mitigation="
		slow      = "slow_start.duration_seconds="
		refused   = "ValidationError"
	)
	for _, c := range []struct {
		network bool
		set     []string
		code    string
	}{
		{set: []string{slow + "30", algorithm + "round_robin"}},
		{set: []string{slow + "29"}, code: refused},
		{set: []string{slow + "900"}},
		{set: []string{slow + "901"}, code: refused},
		{set: []string{slow + "0"}},
		{set: []string{slow + "30", algorithm + "least_outstanding_requests"}, code: refused},
		{set: []string{algorithm + "least_outstanding_requests"}},
		{set: []string{algorithm + "random"}, code: refused},
		{set: []string{anomaly + "on"}, code: refused},
		{set: []string{anomaly + "on", algorithm + "weighted_random"}},
		{set: []string{anomaly + "true", algorithm + "weighted_random"}, code: refused},
		{network: true, set: []string{slow + "30"}, code: refused},
		{network: true, set: []string{algorithm + "round_robin"}, code: refused},
		{network: true, set: []string{cross + "=true"}},
		{set: []string{cross + "=false"}},
		{set: []string{cross + "=use_load_balancer_configuration"}},
		{set: []string{cross + "=on"}, code: refused},
		{set: []string{routingCount + "=off"}, code: refused},
		{set: []string{routingCount + "=0"}, code: refused},
		{set: []string{routingCount + "=3"}, code: refused}, // above that of DNS failover
		{set: []string{routingCount + "=3", dnsCount + "=3"}},
		{set: []string{routingCount + "=3", dnsCount + "=off"}},
		{set: []string{dnsCount + "=two"}, code: refused},
		{set: []string{dnsPercent + "=100", routingPercent + "=50"}},
		{set: []string{dnsPercent + "=101"}, code: refused},
		{set: []string{dnsPercent + "=40", routingPercent + "=50"}, code: refused},
		{set: []string{routingPercent + "=off"}},
		{set: []string{"stickiness.enabled=false"}},
	} {
		t.Run(strings.Join(c.set, " "), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			defer w.close()
			var changes []func(*elbv2.CreateTargetGroupInput)
			if c.network {
				changes = append(changes, overTCP)
			}
			group := w.group("web", changes...)
			before := must(w.DescribeTargetGroupAttributes(t.Context(), &elbv2.DescribeTargetGroupAttributesInput{TargetGroupArn: &group}))(t)
			wantCode(t, w.modify(group, c.set...), c.code)
			after := pairsOf(must(w.DescribeTargetGroupAttributes(t.Context(), &elbv2.DescribeTargetGroupAttributesInput{TargetGroupArn: &group}))(t).Attributes)
			want := pairsOf(before.Attributes)
			if c.code == "" {
				for _, pair := range c.set {
					key, value, _ := strings.Cut(pair, "=")
					want[key] = value
				}
			}
			if diff := cmp.Diff(want, after); diff != "" {
				t.Errorf("afterwards (-want +got):\n%s", diff)
			}
		})
	}
}

// checkedBeside makes a group be checked by HTTP on port 81.
func checkedBeside(in *elbv2.CreateTargetGroupInput) {
	in.HealthCheckProtocol, in.HealthCheckPort = types.ProtocolEnumHttp, aws.String("81")
}

// fourServers puts two servers into each of the first two zones, a and b into
// the first. All are healthy, as checks decides.
func (w *world) fourServers(group string) (servers map[string]*awstest.Instance, checks map[string]*status) {
	w.Helper()
	servers, checks = map[string]*awstest.Instance{}, map[string]*status{}
	for i, name := range []string{"a", "b", "c", "d"} {
		servers[name] = w.machine(i/2, fmt.Sprintf("172.31.%d.%d", i/2*16, 10+i), named(name))
		checks[name] = answering(200)
		must(servers[name].Serve(81, checks[name]))(w)
		w.register(group, servers[name].ID())
	}
	for _, s := range servers {
		w.until(group, s.ID(), isHealthy)
	}
	return servers, checks
}

func TestThresholdsDecideWhereTrafficGoes(t *testing.T) {
	t.Parallel()
	// Server a answers everything with its name and fails its checks.
	for _, c := range []struct {
		name    string
		network bool
		set     []string
		ask     int
		want    map[string]int
	}{
		{"the healthy ones in turn", false, nil, 6, map[string]int{"b": 2, "c": 2, "d": 2}},
		{"three of four are 75 %", false, []string{routingPercent + "=75"}, 6, map[string]int{"b": 2, "c": 2, "d": 2}},
		{"and below 76 %: it fails open", false, []string{routingPercent + "=76"}, 8, map[string]int{"a": 2, "b": 2, "c": 2, "d": 2}},
		{"or below a count", false, []string{routingCount + "=4", dnsCount + "=4"}, 8, map[string]int{"a": 2, "b": 2, "c": 2, "d": 2}},
		{"a zone each, without cross-zone", false, []string{cross + "=false"}, 8, map[string]int{"b": 4, "c": 2, "d": 2}},
		{"as a network load balancer has it", true, nil, 8, map[string]int{"b": 4, "c": 2, "d": 2}},
		{"unless the group says otherwise", true, []string{cross + "=true"}, 6, map[string]int{"b": 2, "c": 2, "d": 2}},
		{"a zone alone fails open", false, []string{cross + "=false", routingPercent + "=51"}, 8, map[string]int{"a": 2, "b": 2, "c": 2, "d": 2}},
		{"a zone leaves DNS before that", false, []string{cross + "=false", dnsCount + "=2"}, 8, map[string]int{"c": 4, "d": 4}},
		{"with cross-zone all zones are as healthy", false, []string{dnsCount + "=2"}, 6, map[string]int{"b": 2, "c": 2, "d": 2}},
		{"no zone leaves if all would", false, []string{cross + "=false", dnsCount + "=3"}, 8, map[string]int{"b": 4, "c": 2, "d": 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				changes, reason := []func(*elbv2.CreateTargetGroupInput){checkedBeside}, mismatches
				if c.network {
					changes, reason = append(changes, overTCP), fails
				}
				group, lb := w.front(changes...)
				servers, checks := w.fourServers(group)
				checks["a"].code.Store(500)
				w.until(group, servers["a"].ID(), reason)
				if len(c.set) > 0 {
					wantCode(w, w.modify(group, c.set...), "")
				}
				if diff := cmp.Diff(c.want, w.ask(c.ask, *lb.DNSName)); diff != "" {
					w.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestZoneThatDiesLeavesDNS(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		group, lb := w.front(overTCP, checkedBeside)
		servers, _ := w.fourServers(group)
		if diff := cmp.Diff(map[string]int{"a": 2, "b": 2, "c": 2, "d": 2}, w.ask(8, *lb.DNSName)); diff != "" {
			w.Errorf("all healthy (-want +got):\n%s", diff)
		}
		heal := servers["a"].Zone().Fail(awstest.PowerLoss)
		time.Sleep(25 * time.Second)
		if diff := cmp.Diff(map[string]int{"c": 4, "d": 4}, w.ask(8, *lb.DNSName)); diff != "" {
			w.Errorf("a zone without power (-want +got):\n%s", diff)
		}
		heal()
		w.until(group, servers["a"].ID(), isHealthy)
		w.until(group, servers["b"].ID(), isHealthy)
		if diff := cmp.Diff(map[string]int{"a": 2, "b": 2, "c": 2, "d": 2}, w.ask(8, *lb.DNSName)); diff != "" {
			w.Errorf("healthy again (-want +got):\n%s", diff)
		}
	})
}
