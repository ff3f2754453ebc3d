package elbv2svc_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"
)

func TestLoadBalancerAsItIsShown(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		in := &elbv2.CreateLoadBalancerInput{Name: aws.String("Front"), Subnets: w.subnets[:2], SecurityGroups: []string{"sg-1"}}
		out := must(w.CreateLoadBalancer(w.Context(), in))(w)
		want := []types.LoadBalancer{{
			LoadBalancerArn:  aws.String("arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/Front/0000000000000001"),
			LoadBalancerName: aws.String("Front"), DNSName: aws.String("Front-0000000001.us-east-1.elb.amazonaws.com"),
			Type: "application", Scheme: "internet-facing", IpAddressType: "ipv4", VpcId: &w.vpc, SecurityGroups: []string{"sg-1"},
			State: &types.LoadBalancerState{Code: "active"}, CreatedTime: out.LoadBalancers[0].CreatedTime,
			AvailabilityZones: []types.AvailabilityZone{
				{SubnetId: &w.subnets[0], ZoneName: aws.String("us-east-1a")}, {SubnetId: &w.subnets[1], ZoneName: aws.String("us-east-1b")},
			},
		}}
		if diff := cmp.Diff(want, out.LoadBalancers, unexported); diff != "" {
			w.Error(diff)
		}
		in = &elbv2.CreateLoadBalancerInput{
			Name: aws.String("back"), Scheme: types.LoadBalancerSchemeEnumInternal, IpAddressType: types.IpAddressTypeIpv4,
			SubnetMappings: []types.SubnetMapping{{SubnetId: &w.subnets[0]}, {SubnetId: &w.subnets[1]}},
		}
		if got := *must(w.CreateLoadBalancer(w.Context(), in))(w).LoadBalancers[0].DNSName; got != "internal-back-0000000002.us-east-1.elb.amazonaws.com" {
			w.Error(got)
		}
		if got := *w.balancer("flows", "network").DNSName; got != "flows-0000000000000003.elb.us-east-1.amazonaws.com" {
			w.Error(got)
		}
	})
}

func TestCreateLoadBalancerIsIdempotent(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		create := func(change func(*elbv2.CreateLoadBalancerInput)) (string, error) {
			in := &elbv2.CreateLoadBalancerInput{Name: aws.String("front"), Subnets: slices.Clone(w.subnets[:2]), SecurityGroups: []string{"sg-1", "sg-2"}}
			change(in)
			out, err := w.CreateLoadBalancer(w.Context(), in)
			if err != nil {
				return "", err
			}
			return *out.LoadBalancers[0].LoadBalancerArn, nil
		}
		arn, err := create(func(*elbv2.CreateLoadBalancerInput) {})
		wantCode(w, err, "")
		for name, c := range map[string]struct {
			change func(*elbv2.CreateLoadBalancerInput)
			code   string
		}{
			"the same":             {func(*elbv2.CreateLoadBalancerInput) {}, ""},
			"in another order":     {func(in *elbv2.CreateLoadBalancerInput) { slices.Reverse(in.Subnets); slices.Reverse(in.SecurityGroups) }, ""},
			"the defaults written": {func(in *elbv2.CreateLoadBalancerInput) { in.Type, in.Scheme = "application", "internet-facing" }, ""},
			"another type":         {func(in *elbv2.CreateLoadBalancerInput) { in.Type = "network" }, "DuplicateLoadBalancerName"},
			"another scheme":       {func(in *elbv2.CreateLoadBalancerInput) { in.Scheme = "internal" }, "DuplicateLoadBalancerName"},
			"more subnets":         {func(in *elbv2.CreateLoadBalancerInput) { in.Subnets = w.subnets[:3] }, "DuplicateLoadBalancerName"},
			"other groups":         {func(in *elbv2.CreateLoadBalancerInput) { in.SecurityGroups = nil }, "DuplicateLoadBalancerName"},
		} {
			got, err := create(c.change)
			if wantCode(w, err, c.code); w.Failed() || err == nil && got != arn {
				w.Fatalf("%s: %s", name, got)
			}
		}
	})
}

func TestLoadBalancerRefusals(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		for name, c := range map[string]struct {
			change func(*elbv2.CreateLoadBalancerInput)
			code   string
		}{
			"internal- as a name": {func(in *elbv2.CreateLoadBalancerInput) { in.Name = aws.String("internal-a") }, "ValidationError"},
			"33 characters":       {func(in *elbv2.CreateLoadBalancerInput) { in.Name = aws.String(strings.Repeat("a", 33)) }, "ValidationError"},
			"one subnet":          {func(in *elbv2.CreateLoadBalancerInput) { in.Subnets = w.subnets[:1] }, "ValidationError"},
			"no subnet":           {func(in *elbv2.CreateLoadBalancerInput) { in.Type, in.Subnets = "network", nil }, "ValidationError"},
			"both ways of subnets": {func(in *elbv2.CreateLoadBalancerInput) {
				in.SubnetMappings = []types.SubnetMapping{{SubnetId: &w.subnets[2]}}
			}, "ValidationError"},
			"unknown subnet":  {func(in *elbv2.CreateLoadBalancerInput) { in.Subnets = []string{w.subnets[0], "subnet-none"} }, "SubnetNotFound"},
			"one zone twice":  {func(in *elbv2.CreateLoadBalancerInput) { in.Subnets = []string{w.subnets[0], w.subnets[0]} }, "InvalidConfigurationRequest"},
			"a scheme of its": {func(in *elbv2.CreateLoadBalancerInput) { in.Scheme = "private" }, "ValidationError"},
		} {
			in := &elbv2.CreateLoadBalancerInput{Name: aws.String("front"), Subnets: w.subnets[:2]}
			c.change(in)
			_, err := w.CreateLoadBalancer(w.Context(), in)
			if wantCode(w, err, c.code); w.Failed() {
				w.Fatal(name)
			}
		}
		must(w.CreateLoadBalancer(w.Context(), &elbv2.CreateLoadBalancerInput{Name: aws.String("flows"), Type: "network", Subnets: w.subnets[:1]}))(w) // one is enough
	})
}

func TestListeners(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		group, other, tcp := w.group("web"), w.group("other"), w.group("tcp", overTCP)
		b, nlb := *w.balancer("front", "application").LoadBalancerArn, *w.balancer("flows", "network").LoadBalancerArn
		l := w.listen(b, group, 80)
		if want := strings.Replace(b, ":loadbalancer/", ":listener/", 1) + "/"; !strings.HasPrefix(l, want) {
			w.Errorf("%s does not begin with %s", l, want)
		}
		if again := w.listen(b, group, 80); again != l {
			w.Errorf("the same request makes %s and %s", l, again)
		}
		certificate := []types.Certificate{{CertificateArn: aws.String("arn:aws:acm:c")}}
		for name, c := range map[string]struct {
			in   *elbv2.CreateListenerInput
			code string
		}{
			"port taken":                 {listener(b, other, 80), "DuplicateListener"},
			"no such balancer":           {listener(missing(b), group, 81), "LoadBalancerNotFound"},
			"no such group":              {listener(b, missing(group), 81), "TargetGroupNotFound"},
			"group in place of balancer": {listener(group, group, 81), "ValidationError"},
			"balancer in place of group": {listener(b, b, 81), "ValidationError"},
			"no group":                   {listener(b, group, 81, func(in *elbv2.CreateListenerInput) { in.DefaultActions[0].TargetGroupArn = nil }), "ValidationError"},
			"group of another balancer":  {listener(*w.balancer("second", "application").LoadBalancerArn, group, 81), "TargetGroupAssociationLimit"},
			"TCP on an application":      {listener(b, other, 81, func(in *elbv2.CreateListenerInput) { in.Protocol = "TCP" }), "ValidationError"},
			"HTTP on a network":          {listener(nlb, tcp, 81), "ValidationError"},
			"HTTP to a TCP group":        {listener(b, tcp, 81), "IncompatibleProtocols"},
			"no certificate":             {listener(b, other, 81, func(in *elbv2.CreateListenerInput) { in.Protocol = "HTTPS" }), "ValidationError"},
			"certificate of HTTP":        {listener(b, other, 81, func(in *elbv2.CreateListenerInput) { in.Certificates = certificate }), "ValidationError"},
			"two certificates": {listener(b, other, 81, func(in *elbv2.CreateListenerInput) {
				in.Protocol, in.Certificates = "HTTPS", slices.Repeat(certificate, 2)
			}), "ValidationError"},
			"port 0":      {listener(b, other, 0), "ValidationError"},
			"no port":     {listener(b, other, 0, func(in *elbv2.CreateListenerInput) { in.Port = nil }), "ValidationError"},
			"no protocol": {listener(b, other, 81, func(in *elbv2.CreateListenerInput) { in.Protocol = "" }), "ValidationError"},
			"redirect of a forward": {listener(b, other, 81, func(in *elbv2.CreateListenerInput) {
				in.DefaultActions[0].RedirectConfig = &types.RedirectActionConfig{StatusCode: "HTTP_301"}
			}), "ValidationError"},
			"two groups that differ": {listener(b, other, 81, func(in *elbv2.CreateListenerInput) {
				in.DefaultActions[0].ForwardConfig = &types.ForwardActionConfig{TargetGroups: []types.TargetGroupTuple{{TargetGroupArn: &group}}}
			}), "ValidationError"},
		} {
			_, err := w.CreateListener(w.Context(), c.in)
			if wantCode(w, err, c.code); w.Failed() {
				w.Fatal(name)
			}
		}
		// A certificate and the longer form of an action.
		out := must(w.CreateListener(w.Context(), listener(b, other, 443, func(in *elbv2.CreateListenerInput) {
			in.Protocol, in.Certificates, in.SslPolicy = "HTTPS", certificate, aws.String("ELBSecurityPolicy-2016-08")
			in.DefaultActions[0].TargetGroupArn = nil
			in.DefaultActions[0].ForwardConfig = &types.ForwardActionConfig{TargetGroups: []types.TargetGroupTuple{{TargetGroupArn: &other, Weight: aws.Int32(1)}}}
		})))(w)
		want := types.Listener{
			ListenerArn: out.Listeners[0].ListenerArn, LoadBalancerArn: &b, Port: aws.Int32(443), Protocol: "HTTPS", Certificates: certificate, SslPolicy: aws.String("ELBSecurityPolicy-2016-08"),
			DefaultActions: []types.Action{{Type: "forward", TargetGroupArn: &other, ForwardConfig: &types.ForwardActionConfig{
				TargetGroups: []types.TargetGroupTuple{{TargetGroupArn: &other, Weight: aws.Int32(1)}},
			}}},
		}
		if diff := cmp.Diff(want, out.Listeners[0], unexported); diff != "" {
			w.Error(diff)
		}
		must(w.CreateListener(w.Context(), listener(nlb, tcp, 443, func(in *elbv2.CreateListenerInput) { in.Protocol, in.Certificates = "TLS", certificate })))(w)

		drop := func(arn string) error {
			_, err := w.DeleteListener(w.Context(), &elbv2.DeleteListenerInput{ListenerArn: &arn})
			return err
		}
		wantCode(w, drop(l), "")
		wantCode(w, drop(l), "ListenerNotFound")
		wantCode(w, drop(b), "ValidationError")
	})
}

func TestDescribes(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		var groups, listeners, names []string
		b, idle := *w.balancer("b", "application").LoadBalancerArn, *w.balancer("idle", "application").LoadBalancerArn
		for _, name := range []string{"one", "two", "three"} {
			names = append(names, name)
			groups = append(groups, w.group(name))
			listeners = append(listeners, w.listen(b, groups[len(groups)-1], int32(80+len(groups))))
		}
		lonely := w.group("lonely")
		for name, c := range map[string]struct {
			in   elbv2.DescribeTargetGroupsInput
			want []string
			code string
		}{
			"all":              {elbv2.DescribeTargetGroupsInput{}, append(slices.Clone(groups), lonely), ""},
			"by ARN":           {elbv2.DescribeTargetGroupsInput{TargetGroupArns: groups[1:]}, groups[1:], ""},
			"by name, twice":   {elbv2.DescribeTargetGroupsInput{Names: []string{"two", "two"}}, groups[1:2], ""},
			"by load balancer": {elbv2.DescribeTargetGroupsInput{LoadBalancerArn: &b}, groups, ""},
			"of an idle one":   {elbv2.DescribeTargetGroupsInput{LoadBalancerArn: &idle}, nil, ""},
			"unknown ARN":      {elbv2.DescribeTargetGroupsInput{TargetGroupArns: []string{missing(lonely)}}, nil, "TargetGroupNotFound"},
			"unknown name":     {elbv2.DescribeTargetGroupsInput{Names: []string{"two", "four"}}, nil, "TargetGroupNotFound"},
			"unknown balancer": {elbv2.DescribeTargetGroupsInput{LoadBalancerArn: aws.String(missing(b))}, nil, "LoadBalancerNotFound"},
			"two ways":         {elbv2.DescribeTargetGroupsInput{Names: names, TargetGroupArns: groups}, nil, "ValidationError"},
			"page of none":     {elbv2.DescribeTargetGroupsInput{PageSize: aws.Int32(0)}, nil, "ValidationError"},
			"page of 401":      {elbv2.DescribeTargetGroupsInput{PageSize: aws.Int32(401)}, nil, "ValidationError"},
			"bad marker":       {elbv2.DescribeTargetGroupsInput{Marker: aws.String("2")}, nil, "ValidationError"},
		} {
			out, err := w.DescribeTargetGroups(w.Context(), &c.in)
			wantCode(w, err, c.code)
			var got []string
			if err == nil {
				for _, g := range out.TargetGroups {
					got = append(got, *g.TargetGroupArn)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				w.Errorf("%s: %s", name, diff)
			}
		}
		for name, c := range map[string]struct {
			in    elbv2.DescribeLoadBalancersInput
			count int
			code  string
		}{
			"all":          {elbv2.DescribeLoadBalancersInput{}, 2, ""},
			"by ARN":       {elbv2.DescribeLoadBalancersInput{LoadBalancerArns: []string{idle}}, 1, ""},
			"by name":      {elbv2.DescribeLoadBalancersInput{Names: []string{"b", "idle"}}, 2, ""},
			"unknown ARN":  {elbv2.DescribeLoadBalancersInput{LoadBalancerArns: []string{missing(b)}}, 0, "LoadBalancerNotFound"},
			"unknown name": {elbv2.DescribeLoadBalancersInput{Names: []string{"b", "c"}}, 0, "LoadBalancerNotFound"},
			"both":         {elbv2.DescribeLoadBalancersInput{Names: []string{"b"}, LoadBalancerArns: []string{b}}, 0, "ValidationError"},
		} {
			out, err := w.DescribeLoadBalancers(w.Context(), &c.in)
			if wantCode(w, err, c.code); err == nil && len(out.LoadBalancers) != c.count {
				w.Errorf("%s: %d load balancers", name, len(out.LoadBalancers))
			}
		}
		for name, c := range map[string]struct {
			in    elbv2.DescribeListenersInput
			count int
			code  string
		}{
			"of a load balancer": {elbv2.DescribeListenersInput{LoadBalancerArn: &b}, 3, ""},
			"of an idle one":     {elbv2.DescribeListenersInput{LoadBalancerArn: &idle}, 0, ""},
			"by ARN":             {elbv2.DescribeListenersInput{ListenerArns: listeners[:2]}, 2, ""},
			"all":                {elbv2.DescribeListenersInput{}, 0, "ValidationError"},
			"both":               {elbv2.DescribeListenersInput{LoadBalancerArn: &b, ListenerArns: listeners}, 0, "ValidationError"},
			"unknown":            {elbv2.DescribeListenersInput{ListenerArns: []string{missing(listeners[0])}}, 0, "ListenerNotFound"},
			"unknown balancer":   {elbv2.DescribeListenersInput{LoadBalancerArn: aws.String(missing(b))}, 0, "LoadBalancerNotFound"},
		} {
			out, err := w.DescribeListeners(w.Context(), &c.in)
			if wantCode(w, err, c.code); err == nil && len(out.Listeners) != c.count {
				w.Errorf("%s: %d listeners", name, len(out.Listeners))
			}
		}

		// The SDK's paginators meet everything once.
		var paged []string
		for p := elbv2.NewDescribeTargetGroupsPaginator(w, &elbv2.DescribeTargetGroupsInput{PageSize: aws.Int32(3)}); p.HasMorePages(); {
			for _, g := range must(p.NextPage(w.Context()))(w).TargetGroups {
				paged = append(paged, *g.TargetGroupArn)
			}
		}
		if diff := cmp.Diff(append(groups, lonely), paged); diff != "" {
			w.Error(diff)
		}
	})
}

func TestDeleteLoadBalancer(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		group, b := w.front()
		id := w.machine(0, "172.31.0.10", named("a")).ID()
		w.register(group, id)
		w.until(group, id, isHealthy)
		l := *must(w.DescribeListeners(w.Context(), &elbv2.DescribeListenersInput{LoadBalancerArn: b.LoadBalancerArn}))(w).Listeners[0].ListenerArn
		drop := func(arn string) error {
			_, err := w.DeleteLoadBalancer(w.Context(), &elbv2.DeleteLoadBalancerInput{LoadBalancerArn: &arn})
			return err
		}
		wantCode(w, drop(group), "ValidationError")
		wantCode(w, drop(*b.LoadBalancerArn), "")
		wantCode(w, drop(*b.LoadBalancerArn), "") // what is gone is no error
		_, err := w.DescribeListeners(w.Context(), &elbv2.DescribeListenersInput{ListenerArns: []string{l}})
		wantCode(w, err, "ListenerNotFound")
		w.expect(group, id, isNotInUse)
		if diff := cmp.Diff(map[string]int{"error": 1}, w.ask(1, *b.DNSName)); diff != "" {
			w.Error(diff)
		}
		// Its targets are registered still: a new load balancer finds them.
		w.listen(*w.balancer("front", "application").LoadBalancerArn, group, 80)
		if took := w.until(group, id, isHealthy); took < 5*time.Second || took > 6*time.Second {
			w.Errorf("healthy after %v", took)
		}
	})
}
