package elbv2svc_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/elbv2svc"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

const serviceID = elbv2.ServiceID

func TestDocListsEveryOperation(t *testing.T) {
	t.Parallel()
	svctest.PageListsOperations(t, svctest.Operations[*elbv2.Client](t, elbv2svc.New(), serviceID))
}

// codes returns the error codes in the source of the adapter and its model.
func codes(t *testing.T) map[string]bool {
	t.Helper()
	found := svctest.Codes(t, "*.go", "../internal/elbmodel/*.go")
	kinds := must(parser.ParseFile(token.NewFileSet(), "../internal/elbmodel/elbmodel.go", nil, parser.SkipObjectResolution))(t)
	ast.Inspect(kinds, func(n ast.Node) bool { // kind{part, name, notFound}
		if lit, ok := n.(*ast.CompositeLit); ok {
			if k, ok := lit.Type.(*ast.Ident); ok && k.Name == "kind" {
				found[must(strconv.Unquote(lit.Elts[2].(*ast.BasicLit).Value))(t)] = true
			}
		}
		return true
	})
	return found
}

func TestDocListsEveryErrorCode(t *testing.T) {
	t.Parallel()
	svctest.PageListsCodes(t, codes(t))
}

func TestErrorsAreOfTheSDKsTypes(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		svctest.ErrorTypes(w, w.cloud, serviceID, codes(t), w.Client, func(code string) *elbv2.Client {
			return elbv2.New(elbv2.Options{
				Region: "us-east-1", Credentials: aws.AnonymousCredentials{}, RetryMaxAttempts: 1,
				HTTPClient: svctest.Answer("<ErrorResponse><Error><Code>" + code + "</Code><Message>no</Message></Error></ErrorResponse>"),
			})
		})
	})
}

func TestServiceFaults(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		call := func() error {
			_, err := w.DescribeLoadBalancers(w.Context(), nil)
			return err
		}
		svctest.ServiceFaults(w, w.cloud, awstest.Match{Service: serviceID, Operation: "DescribeLoadBalancers"}, call,
			svctest.ServiceFault{Effect: awstest.Throttle(), Code: "Throttling", Status: 400, Attempts: 3},
			svctest.ServiceFault{Effect: awstest.Unavailable(), Code: "ServiceUnavailable", Status: 503, Attempts: 3},
			svctest.ServiceFault{Effect: awstest.Deny(), Code: "AccessDenied", Status: 403, Attempts: 1},
		)
	})
}

func TestNotModelledIsLoud(t *testing.T) {
	t.Parallel()
	create := func(change func(*elbv2.CreateTargetGroupInput)) func(*world) error {
		return func(w *world) error {
			_, err := w.CreateTargetGroup(w.Context(), w.groupInput("new", change))
			return err
		}
	}
	balance := func(change func(*elbv2.CreateLoadBalancerInput)) func(*world) error {
		return func(w *world) error {
			in := &elbv2.CreateLoadBalancerInput{Name: aws.String("front"), Subnets: w.subnets[:2]}
			change(in)
			_, err := w.CreateLoadBalancer(w.Context(), in)
			return err
		}
	}
	listen := func(change func(*elbv2.CreateListenerInput)) func(*world) error {
		return func(w *world) error {
			_, err := w.CreateListener(w.Context(), listener(*w.balancer("front", "").LoadBalancerArn, w.group("web"), 80, change))
			return err
		}
	}
	for name, c := range map[string]struct {
		call func(*world) error
		says string
	}{
		"an operation": {func(w *world) error {
			_, err := w.DescribeRules(w.Context(), &elbv2.DescribeRulesInput{})
			return err
		}, ".DescribeRules"},
		"a parameter":   {create(func(in *elbv2.CreateTargetGroupInput) { in.TargetControlPort = aws.Int32(1) }), ".CreateTargetGroup: parameter TargetControlPort"},
		"a target type": {create(func(in *elbv2.CreateTargetGroupInput) { in.TargetType = "lambda" }), ".CreateTargetGroup: target type lambda"},
		"a protocol":    {create(func(in *elbv2.CreateTargetGroupInput) { in.Protocol = "GENEVE" }), ".CreateTargetGroup: protocol GENEVE"},
		"gRPC":          {create(func(in *elbv2.CreateTargetGroupInput) { in.ProtocolVersion = aws.String("GRPC") }), ".CreateTargetGroup: protocol version GRPC"},
		"IPv6 targets":  {create(func(in *elbv2.CreateTargetGroupInput) { in.IpAddressType = "ipv6" }), ".CreateTargetGroup: IP address type ipv6"},
		"gRPC codes":    {create(func(in *elbv2.CreateTargetGroupInput) { in.Matcher = &types.Matcher{GrpcCode: aws.String("0")} }), ".CreateTargetGroup: a matcher of gRPC codes"},
		"gateway":       {balance(func(in *elbv2.CreateLoadBalancerInput) { in.Type = "gateway" }), ".CreateLoadBalancer: load balancer type gateway"},
		"dual stack":    {balance(func(in *elbv2.CreateLoadBalancerInput) { in.IpAddressType = "dualstack" }), ".CreateLoadBalancer: IP address type dualstack"},
		"a part of a mapping": {balance(func(in *elbv2.CreateLoadBalancerInput) {
			in.Subnets, in.SubnetMappings = nil, []types.SubnetMapping{{AllocationId: aws.String("eipalloc-1")}}
		}), ".CreateLoadBalancer: an address of a subnet mapping"},
		"an action": {listen(func(in *elbv2.CreateListenerInput) { in.DefaultActions[0].Type = "redirect" }), ".CreateListener: an action other than to forward"},
		"two actions": {listen(func(in *elbv2.CreateListenerInput) {
			in.DefaultActions = append(in.DefaultActions, in.DefaultActions[0])
		}), ".CreateListener: an action other than to forward"},
		"UDP": {listen(func(in *elbv2.CreateListenerInput) { in.Protocol = "UDP" }), ".CreateListener: protocol UDP"},
		"weights": {listen(func(in *elbv2.CreateListenerInput) {
			in.DefaultActions[0].ForwardConfig = &types.ForwardActionConfig{TargetGroups: []types.TargetGroupTuple{{Weight: aws.Int32(1)}, {Weight: aws.Int32(2)}}}
		}), ".CreateListener: a weight of a target group"},
		"stickiness": {listen(func(in *elbv2.CreateListenerInput) {
			in.DefaultActions[0].ForwardConfig = &types.ForwardActionConfig{
				TargetGroups:                []types.TargetGroupTuple{{TargetGroupArn: in.DefaultActions[0].TargetGroupArn}},
				TargetGroupStickinessConfig: &types.TargetGroupStickinessConfig{Enabled: aws.Bool(true)},
			}
		}), ".CreateListener: stickiness of target groups"},
		"an attribute": {func(w *world) error {
			_, err := w.ModifyTargetGroupAttributes(w.Context(), &elbv2.ModifyTargetGroupAttributesInput{
				TargetGroupArn: aws.String(w.group("web")), Attributes: []types.TargetGroupAttribute{{Key: aws.String("stickiness.enabled"), Value: aws.String("true")}},
			})
			return err
		}, `.ModifyTargetGroupAttributes: attribute "stickiness.enabled"`},
		"a part of a target": {func(w *world) error {
			_, err := w.RegisterTargets(w.Context(), &elbv2.RegisterTargetsInput{
				TargetGroupArn: aws.String(w.group("web")), Targets: []types.TargetDescription{{Id: aws.String("i-1"), QuicServerId: aws.String("0x1")}},
			})
			return err
		}, ".RegisterTargets: a QUIC server ID of a target"},
		"anomalies": {func(w *world) error {
			_, err := w.DescribeTargetHealth(w.Context(), &elbv2.DescribeTargetHealthInput{TargetGroupArn: aws.String(w.group("web")), Include: []types.DescribeTargetHealthInputIncludeEnum{"All"}})
			return err
		}, ".DescribeTargetHealth: parameter Include"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			want := "awstest: " + serviceID + c.says + " is not modelled"
			err := c.call(w)
			var nm *awstest.NotModelledError
			if !errors.Is(err, awstest.ErrNotModelled) || !errors.As(err, &nm) || nm.Error() != want {
				t.Errorf("got %v, want %s", err, want)
			}
			if err := w.cloud.Close(); err == nil || err.Error() != want {
				t.Errorf("Close returns %v", err)
			}
		})
	}
}
