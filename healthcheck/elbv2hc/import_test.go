package elbv2hc_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/healthcheck"
	"github.com/awsha/awsha/healthcheck/elbv2hc"
	"github.com/awsha/awsha/healthcheck/healthcheckmock"
)

func overTCP(in *elbv2.CreateTargetGroupInput) { in.Protocol = types.ProtocolEnumTcp }

// attributes changes attributes of the group, given as "key=value".
func (w *world) attributes(pairs ...string) {
	w.Helper()
	in := &elbv2.ModifyTargetGroupAttributesInput{TargetGroupArn: &w.group}
	for _, pair := range pairs {
		key, value, _ := strings.Cut(pair, "=")
		in.Attributes = append(in.Attributes, types.TargetGroupAttribute{Key: &key, Value: &value})
	}
	must(w.ModifyTargetGroupAttributes(w.Context(), in))(w)
}

func TestImportReadsHowAGroupIsChecked(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.front()
		w.attributes("deregistration_delay.timeout_seconds=60", "slow_start.duration_seconds=45",
			"target_group_health.dns_failover.minimum_healthy_targets.count=3",
			"target_group_health.dns_failover.minimum_healthy_targets.percentage=60",
			"target_group_health.unhealthy_state_routing.minimum_healthy_targets.count=2",
			"target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage=50")
		g := must(elbv2hc.Import(w.Context(), w, w.group))(w)
		if g.Kind != healthcheck.ALBLimits || g.Name != "web" || g.Port != 80 || g.LoadBalancer == "" || len(g.Differences) > 0 {
			w.Errorf("%+v", g)
		}
		want := elbv2hc.GroupCheck{Protocol: "HTTP", Path: "/healthz?deep=0", Matcher: "200-204,301", Port: 8080}
		if diff := cmp.Diff(want, g.Check); diff != "" {
			w.Error(diff)
		}
		settings := healthcheck.Options{
			Interval: 20 * time.Second, Timeout: 7 * time.Second, HealthyThreshold: 3, UnhealthyThreshold: 4,
			DeregistrationDelay: time.Minute, SlowStart: 45 * time.Second, Limits: healthcheck.ALBLimits,
			RoutingFailover: healthcheck.Threshold{Count: 2, Percent: 50}, ZoneFailover: healthcheck.Threshold{Count: 3, Percent: 60},
		}
		ignoreFuncs := cmpopts.IgnoreFields(healthcheck.Options{}, "OnEvent")
		if diff := cmp.Diff(settings, g.Settings, ignoreFuncs); diff != "" {
			w.Error(diff)
		}
		o := healthcheck.Options{Jitter: time.Second, EventBuffer: 7}
		g.Options(&o)
		settings.Jitter, settings.EventBuffer = time.Second, 7
		if diff := cmp.Diff(settings, o, ignoreFuncs); diff != "" {
			w.Errorf("as options of a pool: %s", diff)
		}
		must(healthcheck.New(must(g.Checker())(w), g.Options))(w)
		if got := g.Target(healthcheck.Target{ID: "i-1", Addr: "10.0.0.1:80"}); got.CheckAddr() != "10.0.0.1:8080" {
			w.Errorf("checked at %s", got.CheckAddr())
		}
		if calls := w.cloud.Count(name, "DescribeLoadBalancerAttributes"); calls != 0 {
			w.Errorf("%d reads of an application load balancer, whose zones always share", calls)
		}
	}, func(in *elbv2.CreateTargetGroupInput) {
		in.HealthCheckIntervalSeconds, in.HealthCheckTimeoutSeconds = aws.Int32(20), aws.Int32(7)
		in.HealthyThresholdCount, in.UnhealthyThresholdCount = aws.Int32(3), aws.Int32(4)
		in.HealthCheckPath, in.HealthCheckPort = aws.String("/healthz?deep=0"), aws.String("8080")
		in.Matcher = &types.Matcher{HttpCode: aws.String("200-204,301")}
	})
}

func TestImportFindsOutWhetherZonesShare(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		network bool
		act     func(w *world)
		zonal   bool
	}{
		{"application", false, func(w *world) { w.front() }, false},
		{"application, the group does not", false, func(w *world) {
			w.front()
			w.attributes("load_balancing.cross_zone.enabled=false")
		}, true},
		{"network", true, func(w *world) { w.front() }, true},
		{"network, the group does", true, func(w *world) {
			w.front()
			w.attributes("load_balancing.cross_zone.enabled=true")
		}, false},
		{"network, the load balancer does", true, func(w *world) {
			w.front()
			out := must(w.DescribeLoadBalancers(w.Context(), &elbv2.DescribeLoadBalancersInput{}))(w)
			must(w.ModifyLoadBalancerAttributes(w.Context(), &elbv2.ModifyLoadBalancerAttributesInput{
				LoadBalancerArn: out.LoadBalancers[0].LoadBalancerArn,
				Attributes:      []types.LoadBalancerAttribute{{Key: aws.String("load_balancing.cross_zone.enabled"), Value: aws.String("true")}},
			}))(w)
		}, false},
		{"network, without a load balancer", true, func(*world) {}, true},
		{"application, without a load balancer", false, func(*world) {}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var changes []func(*elbv2.CreateTargetGroupInput)
			if test.network {
				changes = append(changes, overTCP)
			}
			inBubble(t, func(w *world) {
				test.act(w)
				g := must(elbv2hc.Import(w.Context(), w, w.group))(w)
				if g.Settings.ZonalOnly != test.zonal {
					w.Errorf("zones are apart: %t", g.Settings.ZonalOnly)
				}
				unsure := slices.ContainsFunc(g.Differences, func(d elbv2hc.Difference) bool { return d.Setting == "load_balancing.cross_zone.enabled" })
				if unsure != (test.network && g.LoadBalancer == "") {
					w.Errorf("differences %v", g.Differences)
				}
			}, changes...)
		})
	}
}

// A pool that is made from a group comes to the same result at the same time, within an interval.
func TestPoolAgreesWithTheLoadBalancer(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*elbv2.CreateTargetGroupInput){
		"HTTP": func(*elbv2.CreateTargetGroupInput) {},
		"HTTP on a port": func(in *elbv2.CreateTargetGroupInput) {
			in.HealthCheckPort = aws.String("80")
			in.Port = aws.Int32(9000)
		},
		"TCP":             overTCP,
		"HTTP of network": func(in *elbv2.CreateTargetGroupInput) { overTCP(in); in.HealthCheckProtocol = types.ProtocolEnumHttp },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				w.front()
				g := must(elbv2hc.Import(w.Context(), w, w.group))(w)
				checker := must(g.Checker(func(o *healthcheck.ConnOptions) { o.Dial = w.server(1, 9).Dial }))(w)
				pool := must(healthcheck.New(checker, g.Options))(w)
				s := w.server(0, 0)
				target := elbv2hc.Target{ID: s.ID(), Port: g.Port}
				if err := pool.Register(g.Target(healthcheck.Target{ID: s.ID(), Addr: s.addr + ":" + target.String()[len(s.ID())+1:]})); err != nil {
					w.Fatal(err)
				}
				w.register(target)
				f := w.follow(func(o *elbv2hc.FollowOptions) { o.Interval = time.Second })
				defer w.runs(f.Run)()
				defer w.runs(pool.Run)()
				agree := func(want string, from, to time.Duration) {
					w.Helper()
					start := time.Now()
					for end := start.Add(10 * time.Minute); time.Now().Before(end); time.Sleep(500 * time.Millisecond) {
						snapshot, _ := f.Snapshot()
						if snapshot == nil {
							continue
						}
						h, status := snapshot.Health(target)[0], must2(pool.Status(s.ID()))
						if string(h.State) == want && status.State.String() == want {
							within(w, want, time.Since(start), from, to)
							return
						}
					}
					w.Fatalf("they never agree on %s", want)
				}
				agree("healthy", 0, 18*time.Second)
				heal := s.Fail(awstest.NetworkLoss)
				agree("unhealthy", 15*time.Second, 27*time.Second)
				heal()
				agree("healthy", 40*time.Second, 52*time.Second)
			}, change)
		})
	}
}

func must2[T any](v T, _ bool) T { return v }

func TestImportNamesWhatAPoolCannotFollow(t *testing.T) {
	t.Parallel()
	group := types.TargetGroup{
		TargetGroupArn: aws.String(arn), Protocol: types.ProtocolEnumTls, ProtocolVersion: nil, Port: aws.Int32(443),
		HealthCheckProtocol: types.ProtocolEnumHttps, HealthCheckPath: aws.String("/"), HealthCheckPort: aws.String("traffic-port"),
		HealthCheckIntervalSeconds: aws.Int32(30), HealthCheckTimeoutSeconds: aws.Int32(10), HealthyThresholdCount: aws.Int32(5),
		UnhealthyThresholdCount: aws.Int32(2), LoadBalancerArns: []string{"arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/net/a/1"},
		TargetControlPort: aws.Int32(3000),
	}
	api := importing(&group, map[string]string{
		"stickiness.enabled": "true", "stickiness.type": "source_ip",
		"deregistration_delay.timeout_seconds":                                           "0",
		"deregistration_delay.connection_termination.enabled":                            "true",
		"target_health_state.unhealthy.connection_termination.enabled":                   "false",
		"target_health_state.unhealthy.draining_interval_seconds":                        "60",
		"proxy_protocol_v2.enabled":                                                      "true",
		"preserve_client_ip.enabled":                                                     "true",
		"load_balancing.algorithm.type":                                                  "by_moonlight",
		"slow_start.duration_seconds":                                                    "some",
		"target_group_health.dns_failover.minimum_healthy_targets.count":                 "off",
		"target_group_health.dns_failover.minimum_healthy_targets.percentage":            "off",
		"target_group_health.unhealthy_state_routing.minimum_healthy_targets.count":      "1",
		"target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "20",
		"something.new": "yes",
	}, map[string]string{"load_balancing.cross_zone.enabled": "true"})
	g := must(elbv2hc.Import(t.Context(), api, arn))(t)
	var got []string
	for _, d := range g.Differences {
		if d.Why == "" || !strings.HasPrefix(d.String(), d.Setting+"="+d.Value+": ") {
			t.Errorf("%v", d)
		}
		got = append(got, d.Setting+"="+d.Value)
	}
	want := []string{
		"HealthCheckProtocol=HTTPS", "HealthCheckProtocol=HTTPS", "TargetControlPort=3000",
		"deregistration_delay.connection_termination.enabled=true",
		"load_balancing.algorithm.type=by_moonlight",
		"proxy_protocol_v2.enabled=true",
		"slow_start.duration_seconds=some",
		"something.new=yes",
		"stickiness.enabled=true",
		"target_group_health.dns_failover.minimum_healthy_targets.count=off",
		"target_group_health.dns_failover.minimum_healthy_targets.percentage=off",
		"target_health_state.unhealthy.draining_interval_seconds=60",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if g.Kind != healthcheck.NLBLimits || g.Settings.ZonalOnly || g.Settings.DeregistrationDelay != healthcheck.None {
		t.Errorf("%+v", g)
	}
	must(healthcheck.New(must(g.Checker())(t), g.Options))(t)

	group.Protocol, group.ProtocolVersion, group.TargetControlPort = types.ProtocolEnumHttps, aws.String("HTTP2"), nil
	g = must(elbv2hc.Import(t.Context(), importing(&group, map[string]string{"load_balancing.cross_zone.enabled": "perhaps"}, nil), arn))(t)
	if len(g.Differences) != 2 || g.Differences[0].Setting != "ProtocolVersion" || g.Differences[1].Value != "perhaps" || g.Settings.ZonalOnly || g.Settings.DeregistrationDelay != 5*time.Minute {
		t.Errorf("%+v", g)
	}
	group.Protocol, group.ProtocolVersion = types.ProtocolEnumGeneve, nil
	if g = must(elbv2hc.Import(t.Context(), importing(&group, nil, nil), arn))(t); g.Kind != healthcheck.GWLBLimits || !g.Settings.ZonalOnly {
		t.Errorf("%+v", g)
	}
}

const arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/0123456789abcdef"

// importing is an API with one group.
func importing(g *types.TargetGroup, attributes, balancer map[string]string) *healthcheckmock.ImportAPIMock {
	return &healthcheckmock.ImportAPIMock{
		DescribeTargetGroupsFunc: func(context.Context, *elbv2.DescribeTargetGroupsInput, ...func(*elbv2.Options)) (*elbv2.DescribeTargetGroupsOutput, error) {
			return &elbv2.DescribeTargetGroupsOutput{TargetGroups: []types.TargetGroup{*g}}, nil
		},
		DescribeTargetGroupAttributesFunc: func(context.Context, *elbv2.DescribeTargetGroupAttributesInput, ...func(*elbv2.Options)) (*elbv2.DescribeTargetGroupAttributesOutput, error) {
			out := &elbv2.DescribeTargetGroupAttributesOutput{}
			for key, value := range attributes {
				out.Attributes = append(out.Attributes, types.TargetGroupAttribute{Key: &key, Value: &value})
			}
			return out, nil
		},
		DescribeLoadBalancerAttributesFunc: func(context.Context, *elbv2.DescribeLoadBalancerAttributesInput, ...func(*elbv2.Options)) (*elbv2.DescribeLoadBalancerAttributesOutput, error) {
			out := &elbv2.DescribeLoadBalancerAttributesOutput{}
			for key, value := range balancer {
				out.Attributes = append(out.Attributes, types.LoadBalancerAttribute{Key: &key, Value: &value})
			}
			return out, nil
		},
	}
}

// AWS refuses a timeout that is not less than the interval. A group that has one nevertheless can be imported.
func TestChecksThatMayOverlapAreShortened(t *testing.T) {
	t.Parallel()
	g := must(elbv2hc.Import(t.Context(), importing(&types.TargetGroup{
		Protocol: types.ProtocolEnumTcp, HealthCheckProtocol: types.ProtocolEnumTcp,
		HealthCheckIntervalSeconds: aws.Int32(10), HealthCheckTimeoutSeconds: aws.Int32(10),
	}, nil, nil), arn))(t)
	if g.Settings.Interval != 10*time.Second || g.Settings.Timeout != 9*time.Second || g.Differences[0].Setting != "HealthCheckTimeoutSeconds" {
		t.Errorf("%+v", g)
	}
	must(healthcheck.New(must(g.Checker())(t), g.Options))(t)
}

func TestGroupsThatCannotBeChecked(t *testing.T) {
	t.Parallel()
	for name, group := range map[string]types.TargetGroup{
		"Lambda functions":     {TargetType: types.TargetTypeEnumLambda},
		"checks that are off":  {HealthCheckEnabled: aws.Bool(false)},
		"an unknown protocol":  {HealthCheckProtocol: types.ProtocolEnumUdp},
		"a port that is none":  {HealthCheckProtocol: types.ProtocolEnumTcp, HealthCheckPort: aws.String("any")},
		"a port that is great": {HealthCheckProtocol: types.ProtocolEnumTcp, HealthCheckPort: aws.String("65536")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := elbv2hc.Import(t.Context(), importing(&group, nil, nil), arn)
			if e := wantGroupError(t, err, elbv2hc.ErrUnsupported); e.Group != arn || e.Op != "import" {
				t.Errorf("%+v", e)
			}
		})
	}
}

func TestImportOutlastsFaults(t *testing.T) {
	t.Parallel()
	for what, effect := range map[string]awstest.Effect{
		"throttles": awstest.Throttle(), "server errors": awstest.Unavailable(), "lost replies": awstest.LoseReply(), "calls that hang": awstest.Hang(),
	} {
		for _, operation := range []string{"DescribeTargetGroups", "DescribeTargetGroupAttributes", "DescribeLoadBalancerAttributes"} {
			t.Run(what+" of "+operation, func(t *testing.T) {
				t.Parallel()
				inBubble(t, func(w *world) {
					w.front()
					time.AfterFunc(30*time.Second, w.inject(operation, 0, effect))
					must(elbv2hc.Import(w.Context(), w, w.group))(w)
					within(w, "the end", time.Since(w.start), 30*time.Second, 55*time.Second)

					w.inject(operation, 0, effect)
					ctx, cancel := context.WithTimeoutCause(w.Context(), 10*time.Second, errEnough)
					defer cancel()
					_, err := elbv2hc.Import(ctx, w, w.group)
					wantGroupError(w, err, errEnough)
				}, overTCP)
			})
		}
	}
}

var errEnough = errors.New("enough")

func TestImportEndsWithWhatCannotBeRepeated(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		_, err := elbv2hc.Import(w.Context(), w, arn)
		if e := wantGroupError(w, err, elbv2hc.ErrNotFound); e.RequestID == "" {
			w.Errorf("%+v", e)
		}
		w.inject("DescribeTargetGroupAttributes", 0, awstest.Deny())
		_, err = elbv2hc.Import(w.Context(), w, w.group)
		wantGroupError(w, err, elbv2hc.ErrDenied)
	})
	_, err := elbv2hc.Import(t.Context(), nil, "", func(o *elbv2hc.ImportOptions) { o.CallTimeout, o.RetryTimeout = -1, -1 })
	wantFields(t, err, "api", "targetGroupARN", "ImportOptions.CallTimeout", "ImportOptions.RetryTimeout")
}

func TestCheckerAsksWhatTheLoadBalancerAsks(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		s, from := w.server(0, 0), w.server(1, 1)
		g := &elbv2hc.Group{Kind: healthcheck.NLBLimits, Check: elbv2hc.GroupCheck{Protocol: types.ProtocolEnumHttp, Path: "/"}}
		for _, c := range []struct {
			kind    healthcheck.Limits
			matcher string
			status  int
			want    healthcheck.Outcome
		}{
			{healthcheck.NLBLimits, "", http.StatusFound, healthcheck.Pass},
			{healthcheck.ALBLimits, "", http.StatusFound, healthcheck.Fail},
			{healthcheck.ALBLimits, "302", http.StatusFound, healthcheck.Pass},
			{healthcheck.NLBLimits, "200", http.StatusFound, healthcheck.Fail},
		} {
			g.Kind, g.Check.Matcher = c.kind, c.matcher
			s.status.Store(int32(c.status))
			checker := must(g.Checker(func(o *healthcheck.ConnOptions) { o.Dial = from.Dial }))(w)
			probe := must(checker.Open(healthcheck.Target{ID: "a", Addr: s.addr + ":80"}))(w)
			if r := probe.Check(w.Context()); r.Outcome != c.want {
				w.Errorf("%v with matcher %q: %v, %s", c.kind, c.matcher, r.Outcome, r.Detail)
			}
			_ = probe.Close()
		}
	})
}

// A server that answers gRPC over TLS, with a certificate that nobody has signed.
func TestCheckerOfGRPCAndHTTPS(t *testing.T) {
	t.Parallel()
	var asked atomic.Pointer[http.Request]
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Store(r)
		w.Header().Set("Content-Type", "application/grpc")
		w.Header().Set("Grpc-Status", "12")
	}))
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // checks are reset
	server.StartTLS()
	defer server.Close()
	for _, c := range []struct {
		version, path, matcher string
		method, proto          string
		want                   healthcheck.Outcome
	}{
		{"GRPC", "/AWS.ALB/healthcheck", "12", http.MethodPost, "HTTP/2.0", healthcheck.Pass},
		{"GRPC", "/a.B/C", "0", http.MethodPost, "HTTP/2.0", healthcheck.Fail},
		{"GRPC", "/a.B/C", "0-20", http.MethodPost, "HTTP/2.0", healthcheck.Pass},
		{"HTTP1", "/healthz", "200", http.MethodGet, "HTTP/1.1", healthcheck.Pass},
		{"HTTP1", "/healthz", "201", http.MethodGet, "HTTP/1.1", healthcheck.Fail},
	} {
		group := types.TargetGroup{
			Protocol: types.ProtocolEnumHttps, ProtocolVersion: &c.version, HealthCheckProtocol: types.ProtocolEnumHttps, HealthCheckPath: &c.path,
			Matcher: &types.Matcher{GrpcCode: &c.matcher},
		}
		if c.version == "HTTP1" {
			group.Matcher = &types.Matcher{HttpCode: &c.matcher}
		}
		g := must(elbv2hc.Import(t.Context(), importing(&group, nil, nil), arn))(t)
		probe := must(must(g.Checker())(t).Open(healthcheck.Target{ID: "a", Addr: server.Listener.Addr().String()}))(t)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		r := probe.Check(ctx)
		cancel()
		if r.Outcome != c.want {
			t.Errorf("%+v: %v, %s: %v", c, r.Outcome, r.Detail, r.Err)
		}
		if got := asked.Load(); got.Method != c.method || got.Proto != c.proto || got.URL.Path != c.path {
			t.Errorf("asked by %s %s %s, want %+v", got.Method, got.Proto, got.URL.Path, c)
		}
		_ = probe.Close()
	}
}
