package elbv2svc_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/elbv2svc"
)

const serviceID = elbv2.ServiceID

// operations returns the names of the operations of the SDK's client that are
// modelled: those that a fault can be injected into.
func operations(t *testing.T) (names []string) {
	t.Helper()
	cloud := must(awstest.New([]awstest.Service{elbv2svc.New()}))(t)
	client := reflect.TypeFor[*elbv2.Client]()
	for method := range client.Methods() {
		name := method.Name
		if _, err := cloud.Inject(awstest.Match{Service: serviceID, Operation: name}, awstest.Throttle()); err == nil {
			names = append(names, name)
		}
	}
	if err := cloud.Close(); err != nil {
		t.Error(err)
	}
	return names
}

// packageDoc returns the first words of the list items of a section of the
// package's page.
func packageDoc(t *testing.T, section string) (items []string) {
	t.Helper()
	file := must(parser.ParseFile(token.NewFileSet(), "doc.go", nil, parser.ParseComments|parser.PackageClauseOnly))(t)
	_, rest, found := strings.Cut(file.Doc.Text(), "\n# "+section+"\n")
	if !found {
		t.Fatalf("doc.go has no section %s", section)
	}
	rest, _, _ = strings.Cut(rest, "\n# ")
	for line := range strings.Lines(rest) {
		if item, ok := strings.CutPrefix(strings.TrimSpace(line), "- "); ok {
			item, _, _ = strings.Cut(item, ":")
			items = append(items, item)
		}
	}
	return items
}

func TestDocListsEveryOperation(t *testing.T) {
	t.Parallel()
	documented := packageDoc(t, "Operations")
	slices.Sort(documented)
	if diff := cmp.Diff(operations(t), documented); diff != "" {
		t.Errorf("what is modelled (-) and what doc.go lists (+): %s", diff)
	}
}

// codes returns the error codes in the source of the adapter and its model.
func codes(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	note := func(e ast.Expr) {
		if text, ok := e.(*ast.BasicLit); ok && text.Kind == token.STRING {
			if code, err := strconv.Unquote(text.Value); err == nil && code != "" {
				found[code] = true
			}
		}
	}
	for _, pattern := range []string{"*.go", "../internal/elbmodel/*.go"} {
		for _, name := range must(filepath.Glob(pattern))(t) {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			file := must(parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution))(t)
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CallExpr:
					if f, ok := n.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "Errorf" {
						note(n.Args[0])
					}
				case *ast.KeyValueExpr:
					if k, ok := n.Key.(*ast.Ident); ok && k.Name == "Code" {
						note(n.Value)
					}
				case *ast.CompositeLit: // kind{part, name, notFound}
					if k, ok := n.Type.(*ast.Ident); ok && k.Name == "kind" {
						note(n.Elts[2])
					}
				}
				return true
			})
		}
	}
	return found
}

func TestDocListsEveryErrorCode(t *testing.T) {
	t.Parallel()
	documented := map[string]bool{}
	for _, code := range packageDoc(t, "Errors") {
		documented[code] = true
	}
	if diff := cmp.Diff(codes(t), documented); diff != "" {
		t.Errorf("codes in the source (-) and in doc.go (+): %s", diff)
	}
}

// A code that the SDK has a type for reaches the caller in that type.
func TestErrorsAreOfTheSDKsTypes(t *testing.T) {
	t.Parallel()
	generic := map[string]bool{"AccessDenied": true, "ServiceUnavailable": true, "Throttling": true, "ValidationError": true}
	inBubble(t, func(w *world) {
		for code := range codes(t) {
			heal := must(w.cloud.Inject(awstest.Match{Service: serviceID}, awstest.Reject(awstest.APIError{Code: code, Message: "no"})))(w)
			_, err := w.DescribeListeners(w.Context(), &elbv2.DescribeListenersInput{ListenerArns: []string{"l"}})
			heal()
			wantCode(w, err, code)
			modelled := false
			for ; err != nil; err = errors.Unwrap(err) {
				modelled = modelled || strings.HasSuffix(reflect.TypeOf(err).String(), "types."+code+"Exception")
			}
			if modelled == generic[code] {
				w.Errorf("%s is of the SDK's type: %v", code, modelled)
			}
		}
	})
}

func TestServiceFaults(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		for _, c := range []struct {
			effect   awstest.Effect
			code     string
			status   int
			attempts int
		}{
			{awstest.Throttle(), "Throttling", 400, 3},
			{awstest.Unavailable(), "ServiceUnavailable", 503, 3},
			{awstest.Deny(), "AccessDenied", 403, 1},
		} {
			before := w.cloud.Count(serviceID, "DescribeLoadBalancers")
			heal := must(w.cloud.Inject(awstest.Match{Service: serviceID, Operation: "DescribeLoadBalancers"}, c.effect))(w)
			_, err := w.DescribeLoadBalancers(w.Context(), nil)
			heal()
			wantCode(w, err, c.code)
			wantStatus(w, err, c.status)
			if n := w.cloud.Count(serviceID, "DescribeLoadBalancers") - before; n != c.attempts {
				w.Errorf("%s: %d attempts, want %d", c.code, n, c.attempts)
			}
		}
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
