package elbv2svc_test

import (
	"go/ast"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"
)

// unexported passes over what the SDK's types keep to themselves.
var unexported = cmp.FilterPath(func(p cmp.Path) bool {
	field, ok := p.Last().(cmp.StructField)
	return ok && !ast.IsExported(field.Name())
}, cmp.Ignore())

// missing returns an ARN of the same kind that nothing has.
func missing(arn string) string { return arn[:len(arn)-16] + strings.Repeat("f", 16) }

func TestDefaultsOfAGroup(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		protocol, check  types.ProtocolEnum
		wantCheck        types.ProtocolEnum
		timeout          int32
		path, codes, ver string
	}{
		"HTTP":                   {"HTTP", "", "HTTP", 5, "/", "200", "HTTP1"},
		"HTTPS":                  {"HTTPS", "", "HTTP", 5, "/", "200", "HTTP1"},
		"HTTP checked by HTTPS":  {"HTTP", "HTTPS", "HTTPS", 5, "/", "200", "HTTP1"},
		"TCP":                    {"TCP", "", "TCP", 10, "", "", ""},
		"TLS":                    {"TLS", "", "TCP", 10, "", "", ""},
		"TCP checked by HTTP":    {"TCP", "HTTP", "HTTP", 6, "/", "200-399", ""},
		"TCP checked by HTTPS":   {"TCP", "HTTPS", "HTTPS", 10, "/", "200-399", ""},
		"HTTPS checked by HTTPS": {"HTTPS", "HTTPS", "HTTPS", 5, "/", "200", "HTTP1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				out := must(w.CreateTargetGroup(w.Context(), &elbv2.CreateTargetGroupInput{
					Name: aws.String("web"), Protocol: c.protocol, HealthCheckProtocol: c.check, Port: aws.Int32(443), VpcId: &w.vpc,
				}))(w)
				want := types.TargetGroup{
					TargetGroupArn: aws.String("arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/0000000000000001"), TargetGroupName: aws.String("web"),
					Protocol: c.protocol, Port: aws.Int32(443), TargetType: types.TargetTypeEnumInstance, VpcId: &w.vpc, IpAddressType: types.TargetGroupIpAddressTypeEnumIpv4,
					HealthCheckEnabled: aws.Bool(true), HealthCheckProtocol: c.wantCheck, HealthCheckPort: aws.String("traffic-port"),
					HealthCheckIntervalSeconds: aws.Int32(30), HealthCheckTimeoutSeconds: &c.timeout, HealthyThresholdCount: aws.Int32(5), UnhealthyThresholdCount: aws.Int32(2),
				}
				if c.ver != "" {
					want.ProtocolVersion = &c.ver
				}
				if c.path != "" {
					want.HealthCheckPath, want.Matcher = &c.path, &types.Matcher{HttpCode: &c.codes}
				}
				if diff := cmp.Diff([]types.TargetGroup{want}, out.TargetGroups, unexported); diff != "" {
					w.Error(diff)
				}
			})
		})
	}
}

func TestGroupRefusals(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.group("taken")
		matcher := func(codes string) func(*elbv2.CreateTargetGroupInput) {
			return func(in *elbv2.CreateTargetGroupInput) { in.Matcher = &types.Matcher{HttpCode: &codes} }
		}
		for name, c := range map[string]struct {
			change func(*elbv2.CreateTargetGroupInput)
			code   string
		}{
			"taken name":                 {func(in *elbv2.CreateTargetGroupInput) { in.Name, in.Port = aws.String("taken"), aws.Int32(81) }, "DuplicateTargetGroupName"},
			"empty name":                 {func(in *elbv2.CreateTargetGroupInput) { in.Name = aws.String("") }, "ValidationError"},
			"hyphen first":               {func(in *elbv2.CreateTargetGroupInput) { in.Name = aws.String("-a") }, "ValidationError"},
			"hyphen last":                {func(in *elbv2.CreateTargetGroupInput) { in.Name = aws.String("a-") }, "ValidationError"},
			"underscore":                 {func(in *elbv2.CreateTargetGroupInput) { in.Name = aws.String("a_b") }, "ValidationError"},
			"33 characters":              {func(in *elbv2.CreateTargetGroupInput) { in.Name = aws.String(strings.Repeat("a", 33)) }, "ValidationError"},
			"32 characters":              {func(in *elbv2.CreateTargetGroupInput) { in.Name = aws.String(strings.Repeat("a", 32)) }, ""},
			"internal- is for balancers": {func(in *elbv2.CreateTargetGroupInput) { in.Name = aws.String("internal-a") }, ""},
			"no protocol":                {func(in *elbv2.CreateTargetGroupInput) { in.Protocol = "" }, "ValidationError"},
			"no port":                    {func(in *elbv2.CreateTargetGroupInput) { in.Port = nil }, "ValidationError"},
			"port 0":                     {func(in *elbv2.CreateTargetGroupInput) { in.Port = aws.Int32(0) }, "ValidationError"},
			"port 65536":                 {func(in *elbv2.CreateTargetGroupInput) { in.Port = aws.Int32(65536) }, "ValidationError"},
			"no VPC":                     {func(in *elbv2.CreateTargetGroupInput) { in.VpcId = nil }, "ValidationError"},
			"no such VPC":                {func(in *elbv2.CreateTargetGroupInput) { in.VpcId = aws.String("vpc-none") }, "ValidationError"},
			"checks switched off":        {func(in *elbv2.CreateTargetGroupInput) { in.HealthCheckEnabled = aws.Bool(false) }, "ValidationError"},
			"checks switched on":         {func(in *elbv2.CreateTargetGroupInput) { in.HealthCheckEnabled = aws.Bool(true) }, ""},
			"version of TCP":             {func(in *elbv2.CreateTargetGroupInput) { in.Protocol, in.ProtocolVersion = "TCP", aws.String("HTTP1") }, "ValidationError"},
			"version 3":                  {func(in *elbv2.CreateTargetGroupInput) { in.ProtocolVersion = aws.String("HTTP3") }, "ValidationError"},
			"version 1":                  {func(in *elbv2.CreateTargetGroupInput) { in.ProtocolVersion = aws.String("HTTP1") }, ""},
			"TCP check of an HTTP group": {func(in *elbv2.CreateTargetGroupInput) { in.HealthCheckProtocol = "TCP" }, "ValidationError"},
			"TLS check":                  {func(in *elbv2.CreateTargetGroupInput) { in.Protocol, in.HealthCheckProtocol = "TCP", "TLS" }, "ValidationError"},
			"UDP check":                  {func(in *elbv2.CreateTargetGroupInput) { in.Protocol, in.HealthCheckProtocol = "TCP", "UDP" }, "ValidationError"},
			"path of a TCP check":        {func(in *elbv2.CreateTargetGroupInput) { in.Protocol, in.HealthCheckPath = "TCP", aws.String("/") }, "ValidationError"},
			"matcher of a TCP check":     {func(in *elbv2.CreateTargetGroupInput) { overTCP(in); matcher("200")(in) }, "ValidationError"},
			"interval 4": {func(in *elbv2.CreateTargetGroupInput) {
				in.HealthCheckIntervalSeconds, in.HealthCheckTimeoutSeconds = aws.Int32(4), aws.Int32(2)
			}, "ValidationError"},
			"interval 5": {func(in *elbv2.CreateTargetGroupInput) {
				in.HealthCheckIntervalSeconds, in.HealthCheckTimeoutSeconds = aws.Int32(5), aws.Int32(2)
			}, ""},
			"interval 300": {func(in *elbv2.CreateTargetGroupInput) {
				in.HealthCheckIntervalSeconds, in.HealthCheckTimeoutSeconds = aws.Int32(300), aws.Int32(120)
			}, ""},
			"interval 301": {func(in *elbv2.CreateTargetGroupInput) { in.HealthCheckIntervalSeconds = aws.Int32(301) }, "ValidationError"},
			"timeout 1":    {func(in *elbv2.CreateTargetGroupInput) { in.HealthCheckTimeoutSeconds = aws.Int32(1) }, "ValidationError"},
			"timeout 121": {func(in *elbv2.CreateTargetGroupInput) {
				in.HealthCheckIntervalSeconds, in.HealthCheckTimeoutSeconds = aws.Int32(300), aws.Int32(121)
			}, "ValidationError"},
			"interval not above the timeout": {func(in *elbv2.CreateTargetGroupInput) { in.HealthCheckTimeoutSeconds = aws.Int32(10) }, "ValidationError"},
			"healthy threshold 1":            {func(in *elbv2.CreateTargetGroupInput) { in.HealthyThresholdCount = aws.Int32(1) }, "ValidationError"},
			"healthy threshold 11":           {func(in *elbv2.CreateTargetGroupInput) { in.HealthyThresholdCount = aws.Int32(11) }, "ValidationError"},
			"unhealthy threshold 1":          {func(in *elbv2.CreateTargetGroupInput) { in.UnhealthyThresholdCount = aws.Int32(1) }, "ValidationError"},
			"unhealthy threshold 11":         {func(in *elbv2.CreateTargetGroupInput) { in.UnhealthyThresholdCount = aws.Int32(11) }, "ValidationError"},
			"check port 0":                   {func(in *elbv2.CreateTargetGroupInput) { in.HealthCheckPort = aws.String("0") }, "ValidationError"},
			"check port 65536":               {func(in *elbv2.CreateTargetGroupInput) { in.HealthCheckPort = aws.String("65536") }, "ValidationError"},
			"check port by name":             {func(in *elbv2.CreateTargetGroupInput) { in.HealthCheckPort = aws.String("http") }, "ValidationError"},
			"relative path":                  {func(in *elbv2.CreateTargetGroupInput) { in.HealthCheckPath = aws.String("health") }, "ValidationError"},
			"path of 1025 characters": {func(in *elbv2.CreateTargetGroupInput) {
				in.HealthCheckPath = aws.String("/" + strings.Repeat("a", 1024))
			}, "ValidationError"},
			"matcher 199":         {matcher("199"), "ValidationError"},
			"matcher 500 of HTTP": {matcher("200-500"), "ValidationError"},
			"matcher 599 of TCP": {func(in *elbv2.CreateTargetGroupInput) {
				in.Protocol, in.HealthCheckProtocol = "TCP", "HTTP"
				matcher("200-599")(in)
			}, ""},
			"matcher backwards": {matcher("300-200"), "ValidationError"},
			"empty matcher":     {matcher(""), "ValidationError"},
			"matcher of words":  {matcher("ok"), "ValidationError"},
		} {
			_, err := w.CreateTargetGroup(w.Context(), w.groupInput("new", c.change))
			if wantCode(w, err, c.code); w.Failed() {
				w.Fatal(name)
			}
			if err == nil {
				for _, g := range must(w.DescribeTargetGroups(w.Context(), nil))(w).TargetGroups {
					if *g.TargetGroupName != "taken" {
						must(w.DeleteTargetGroup(w.Context(), &elbv2.DeleteTargetGroupInput{TargetGroupArn: g.TargetGroupArn}))(w)
					}
				}
			}
		}
		if n := len(must(w.DescribeTargetGroups(w.Context(), nil))(w).TargetGroups); n != 1 {
			w.Errorf("%d groups", n)
		}
	})
}

func TestCreateTargetGroupIsIdempotent(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		group := w.group("web")
		if again := w.group("web"); again != group {
			w.Errorf("the same request makes %s and %s", group, again)
		}
		// What was changed since makes the request another one.
		must(w.ModifyTargetGroup(w.Context(), &elbv2.ModifyTargetGroupInput{TargetGroupArn: &group, UnhealthyThresholdCount: aws.Int32(3)}))(w)
		_, err := w.CreateTargetGroup(w.Context(), w.groupInput("web"))
		wantCode(w, err, "DuplicateTargetGroupName")
	})
}

func TestModifyTargetGroup(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		group, tcp := w.group("web"), w.group("tcp", overTCP)
		shown := func(arn string) string {
			g := must(w.DescribeTargetGroups(w.Context(), &elbv2.DescribeTargetGroupsInput{TargetGroupArns: []string{arn}}))(w).TargetGroups[0]
			codes := ""
			if g.Matcher != nil {
				codes = *g.Matcher.HttpCode
			}
			return string(g.HealthCheckProtocol) + " " + aws.ToString(g.HealthCheckPath) + " " + codes
		}
		for _, c := range []struct {
			in         elbv2.ModifyTargetGroupInput
			code, want string
		}{
			{elbv2.ModifyTargetGroupInput{TargetGroupArn: &group, HealthCheckPath: aws.String("/a")}, "", "HTTP /a 200"},
			{elbv2.ModifyTargetGroupInput{TargetGroupArn: &group, HealthCheckProtocol: "HTTPS"}, "", "HTTPS /a 200"}, // the rest stays
			{elbv2.ModifyTargetGroupInput{TargetGroupArn: &group, HealthCheckProtocol: "TCP"}, "ValidationError", "HTTPS /a 200"},
			{elbv2.ModifyTargetGroupInput{TargetGroupArn: &group, HealthCheckEnabled: aws.Bool(false)}, "ValidationError", "HTTPS /a 200"},
			{elbv2.ModifyTargetGroupInput{TargetGroupArn: &group, HealthCheckTimeoutSeconds: aws.Int32(10), HealthCheckPath: aws.String("/b")}, "ValidationError", "HTTPS /a 200"},
			{elbv2.ModifyTargetGroupInput{TargetGroupArn: &tcp, HealthCheckProtocol: "HTTP"}, "", "HTTP / 200-399"},
			{elbv2.ModifyTargetGroupInput{TargetGroupArn: &tcp, HealthCheckProtocol: "TCP"}, "", "TCP  "},
			{elbv2.ModifyTargetGroupInput{TargetGroupArn: &tcp, HealthCheckPath: aws.String("/")}, "ValidationError", "TCP  "},
		} {
			_, err := w.ModifyTargetGroup(w.Context(), &c.in)
			wantCode(w, err, c.code)
			if got := shown(*c.in.TargetGroupArn); got != c.want {
				w.Errorf("after %+v: %s, want %s", c.in, got, c.want)
			}
		}
		_, err := w.ModifyTargetGroup(w.Context(), &elbv2.ModifyTargetGroupInput{TargetGroupArn: aws.String(missing(group))})
		wantCode(w, err, "TargetGroupNotFound")
	})
}

func TestGroupAttributes(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		group := w.group("web")
		shown := func() string {
			out := must(w.DescribeTargetGroupAttributes(w.Context(), &elbv2.DescribeTargetGroupAttributesInput{TargetGroupArn: &group}))(w)
			return *out.Attributes[0].Key + "=" + *out.Attributes[0].Value
		}
		if got := shown(); got != "deregistration_delay.timeout_seconds=300" {
			w.Error(got)
		}
		for value, code := range map[string]string{"3601": "ValidationError", "-1": "ValidationError", "soon": "ValidationError", "": "ValidationError", "65536": "ValidationError"} {
			wantCode(w, w.delay(group, value), code)
		}
		wantCode(w, w.delay(group, "3600"), "")
		if got := shown(); got != "deregistration_delay.timeout_seconds=3600" {
			w.Error(got)
		}
		wantCode(w, w.delay(missing(group), "1"), "TargetGroupNotFound")
		_, err := w.DescribeTargetGroupAttributes(w.Context(), &elbv2.DescribeTargetGroupAttributesInput{TargetGroupArn: aws.String(missing(group))})
		wantCode(w, err, "TargetGroupNotFound")
	})
}

func TestDeleteTargetGroup(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		group, b := w.front()
		web := answering(200)
		id := w.machine(0, "172.31.0.10", web).ID()
		w.register(group, id)
		w.until(group, id, isHealthy)
		drop := func(arn string) error {
			_, err := w.DeleteTargetGroup(w.Context(), &elbv2.DeleteTargetGroupInput{TargetGroupArn: &arn})
			return err
		}
		wantCode(w, drop(group), "ResourceInUse")
		wantCode(w, drop("web"), "ValidationError")
		must(w.DeleteLoadBalancer(w.Context(), &elbv2.DeleteLoadBalancerInput{LoadBalancerArn: b.LoadBalancerArn}))(w)
		wantCode(w, drop(group), "")
		wantCode(w, drop(group), "") // what is gone is no error
		_, err := w.DescribeTargetHealth(w.Context(), &elbv2.DescribeTargetHealthInput{TargetGroupArn: &group})
		wantCode(w, err, "TargetGroupNotFound")
		if w.group("web") == group {
			w.Error("a new group has the ARN of the old one")
		}
	})
}
