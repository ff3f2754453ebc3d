package elbv2hc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/awsha/awsha/healthcheck"
	"github.com/awsha/awsha/internal/retry"
)

const opImport = "import"

// Group is a target group as Elastic Load Balancing is told to check it and to route to it, in the terms of healthcheck. Get
// one with [Import].
type Group struct {
	ARN, Name    string
	LoadBalancer string // the ARN; empty while no listener forwards to the group
	Protocol     types.ProtocolEnum
	TargetType   types.TargetTypeEnum
	Port         uint16 // of targets that are registered without one

	// Kind is the kind of load balancer that the group is for, by its protocol.
	Kind healthcheck.Limits

	// Check is how the targets are checked.
	Check GroupCheck

	// Settings are what Options sets: intervals, thresholds, deregistration delay, failing open, zones, slow start and
	// algorithm. Everything else in it is zero.
	Settings healthcheck.Options

	// Differences are what a pool with this Checker and these Options does otherwise than the load balancer, because
	// healthcheck has nothing like it. Empty means that nothing is known that differs.
	Differences []Difference
}

// GroupCheck is the health check of a target group.
type GroupCheck struct {
	Protocol types.ProtocolEnum // HTTP, HTTPS or TCP
	GRPC     bool               // over HTTP or HTTPS
	Path     string             // of HTTP and HTTPS
	Matcher  string             // of HTTP and HTTPS: codes, or those of gRPC
	Port     uint16             // zero is that on which a target gets traffic
}

// Difference is a setting that a pool does not follow.
type Difference struct {
	Setting string // as Elastic Load Balancing calls it, such as "stickiness.enabled"
	Value   string
	Why     string // what happens instead
}

// String reads like "stickiness.enabled=true: a pool has no sticky sessions".
func (d Difference) String() string { return d.Setting + "=" + d.Value + ": " + d.Why }

// ImportOptions configure Import. The zero value of each field means its default.
type ImportOptions struct {
	// CallTimeout bounds each call, with the retries of the SDK inside it. Default 10 s.
	CallTimeout time.Duration

	// RetryTimeout is how long one call is tried again while it is throttled or fails. Default 1 minute.
	RetryTimeout time.Duration
}

// Import reads a target group. It makes a DescribeTargetGroups and a DescribeTargetGroupAttributes, and for a Network or
// Gateway Load Balancer whose group leaves cross-zone load balancing to it a DescribeLoadBalancerAttributes.
//
// Mistakes in the arguments are *FieldError values, joined. Everything else is a *GroupError: [ErrNotFound], [ErrDenied],
// [ErrUnsupported] for groups that cannot be checked over a network.
func Import(ctx context.Context, api ImportAPI, targetGroupARN string, optFns ...func(*ImportOptions)) (*Group, error) {
	var o ImportOptions
	for _, fn := range optFns {
		fn(&o)
	}
	errs := checkGroup(api, targetGroupARN)
	duration(&errs, "ImportOptions.CallTimeout", &o.CallTimeout, 10*time.Second)
	duration(&errs, "ImportOptions.RetryTimeout", &o.RetryTimeout, time.Minute)
	if len(errs) > 0 {
		return nil, joined(errs)
	}
	g, err := (&importer{api: api, opts: o}).group(ctx, targetGroupARN)
	if err != nil {
		if err.Op, err.Group = opImport, targetGroupARN; ctx.Err() != nil {
			err.Cause = context.Cause(ctx)
		}
		return nil, err
	}
	return g, nil
}

// Options makes a pool follow the group: use it as an option of healthcheck.New. It sets the fields of Settings and no other.
// Limits is among them: to depart from what AWS allows, such as with an Interval of 1 s, set it to healthcheck.NoLimits after
// this.
func (g *Group) Options(o *healthcheck.Options) {
	s := &g.Settings
	o.Interval, o.Timeout = s.Interval, s.Timeout
	o.HealthyThreshold, o.UnhealthyThreshold = s.HealthyThreshold, s.UnhealthyThreshold
	o.DeregistrationDelay = s.DeregistrationDelay
	o.RoutingFailover, o.ZoneFailover, o.ZonalOnly = s.RoutingFailover, s.ZoneFailover, s.ZonalOnly
	o.SlowStart, o.Algorithm, o.Limits = s.SlowStart, s.Algorithm, s.Limits
}

// Target returns t with the port on which the group checks its targets.
func (g *Group) Target(t healthcheck.Target) healthcheck.Target {
	t.CheckPort = g.Check.Port
	return t
}

func (g *Group) differ(setting, value, why string) {
	g.Differences = append(g.Differences, Difference{setting, value, why})
}

// importer is one import.
type importer struct {
	api  ImportAPI
	opts ImportOptions
}

// call makes a call until it succeeds or RetryTimeout has passed.
func (i *importer) call(ctx context.Context, call func(context.Context) error) *GroupError {
	err := retry.Do(ctx, i.opts.RetryTimeout, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, i.opts.CallTimeout)
		defer cancel()
		return call(ctx)
	}, repeatable, nil)
	if err != nil {
		return failed("", "", err)
	}
	return nil
}

func (i *importer) group(ctx context.Context, arn string) (*Group, *GroupError) {
	var groups *elbv2.DescribeTargetGroupsOutput
	if err := i.call(ctx, func(ctx context.Context) (err error) {
		groups, err = i.api.DescribeTargetGroups(ctx, &elbv2.DescribeTargetGroupsInput{TargetGroupArns: []string{arn}})
		return err
	}); err != nil {
		return nil, err
	}
	if len(groups.TargetGroups) != 1 {
		return nil, &GroupError{Kind: ErrNotFound}
	}
	g, err := groupOf(&groups.TargetGroups[0])
	if err != nil {
		return nil, err
	}
	var out *elbv2.DescribeTargetGroupAttributesOutput
	if err := i.call(ctx, func(ctx context.Context) (err error) {
		out, err = i.api.DescribeTargetGroupAttributes(ctx, &elbv2.DescribeTargetGroupAttributesInput{TargetGroupArn: aws.String(arn)})
		return err
	}); err != nil {
		return nil, err
	}
	attributes := map[string]string{}
	for _, a := range out.Attributes {
		attributes[aws.ToString(a.Key)] = aws.ToString(a.Value)
	}
	if err := i.zones(ctx, g, attributes); err != nil {
		return nil, err
	}
	g.readAttributes(attributes)
	slices.SortStableFunc(g.Differences, func(a, b Difference) int { return strings.Compare(a.Setting, b.Setting) })
	return g, nil
}

// groupOf reads what is no attribute.
func groupOf(t *types.TargetGroup) (*Group, *GroupError) {
	g := &Group{
		ARN: aws.ToString(t.TargetGroupArn), Name: aws.ToString(t.TargetGroupName), Protocol: t.Protocol, TargetType: t.TargetType,
		Port: uint16(aws.ToInt32(t.Port)),
		Check: GroupCheck{
			Protocol: t.HealthCheckProtocol, Path: aws.ToString(t.HealthCheckPath), GRPC: aws.ToString(t.ProtocolVersion) == "GRPC",
		},
	}
	if len(t.LoadBalancerArns) > 0 {
		g.LoadBalancer = t.LoadBalancerArns[0]
	}
	switch {
	case t.TargetType == types.TargetTypeEnumLambda:
		return nil, unsupported("targets are Lambda functions")
	case t.HealthCheckEnabled != nil && !*t.HealthCheckEnabled:
		return nil, unsupported("health checks are disabled")
	}
	switch t.Protocol {
	case types.ProtocolEnumHttp, types.ProtocolEnumHttps:
		g.Kind = healthcheck.ALBLimits
	case types.ProtocolEnumGeneve:
		g.Kind = healthcheck.GWLBLimits
	default:
		g.Kind = healthcheck.NLBLimits
	}
	s := &g.Settings
	s.Limits = g.Kind
	s.Interval = time.Duration(aws.ToInt32(t.HealthCheckIntervalSeconds)) * time.Second
	s.Timeout = time.Duration(aws.ToInt32(t.HealthCheckTimeoutSeconds)) * time.Second
	if s.Timeout >= s.Interval && s.Interval > time.Second {
		s.Timeout = s.Interval - time.Second
		g.differ("HealthCheckTimeoutSeconds", strconv.Itoa(int(*t.HealthCheckTimeoutSeconds)),
			fmt.Sprintf("a check ends before the next one begins: its timeout is %v", s.Timeout))
	}
	s.HealthyThreshold, s.UnhealthyThreshold = int(aws.ToInt32(t.HealthyThresholdCount)), int(aws.ToInt32(t.UnhealthyThresholdCount))
	if port := aws.ToString(t.HealthCheckPort); port != "" && port != "traffic-port" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return nil, unsupported("health check port " + strconv.Quote(port))
		}
		g.Check.Port = uint16(n)
	}
	if err := g.readMatcher(t.Matcher); err != nil {
		return nil, err
	}
	g.differInChecks(t)
	return g, nil
}

// readMatcher reads which answers pass.
func (g *Group) readMatcher(m *types.Matcher) *GroupError {
	switch g.Check.Protocol {
	case types.ProtocolEnumHttp, types.ProtocolEnumHttps:
	case types.ProtocolEnumTcp:
		g.Check.GRPC, g.Check.Path = false, ""
		return nil
	default:
		return unsupported("health check protocol " + string(g.Check.Protocol))
	}
	if m != nil {
		g.Check.Matcher = aws.ToString(m.HttpCode)
		if g.Check.GRPC {
			g.Check.Matcher = aws.ToString(m.GrpcCode)
		}
	}
	return nil
}

func unsupported(what string) *GroupError {
	return &GroupError{Kind: ErrUnsupported, Err: errors.New(what)}
}

// differInChecks notes what checks do otherwise.
func (g *Group) differInChecks(t *types.TargetGroup) {
	http := g.Check.Protocol != types.ProtocolEnumTcp
	if version := aws.ToString(t.ProtocolVersion); version == "HTTP2" {
		g.differ("ProtocolVersion", version, "checks speak HTTP/1.1")
	}
	if http && g.Kind == healthcheck.NLBLimits {
		g.differ("HealthCheckProtocol", string(g.Check.Protocol),
			"checks name the target in the Host header, and those of a Network Load Balancer its node")
	}
	if g.Check.Protocol == types.ProtocolEnumHttps && g.Kind == healthcheck.NLBLimits {
		g.differ("HealthCheckProtocol", string(g.Check.Protocol), "checks speak TLS 1.3, and those of a Network Load Balancer do not")
	}
	if port := t.TargetControlPort; port != nil {
		g.differ("TargetControlPort", strconv.Itoa(int(*port)), "a pool has no target optimizer")
	}
}
