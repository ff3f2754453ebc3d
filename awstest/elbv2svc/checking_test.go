package elbv2svc_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/elbv2svc"
)

func TestTargetFollowsItsChecks(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		group, _ := w.front(func(in *elbv2.CreateTargetGroupInput) {
			in.HealthyThresholdCount, in.UnhealthyThresholdCount = aws.Int32(3), aws.Int32(2)
		})
		web := answering(200)
		id := w.machine(0, "172.31.0.10", web).ID()
		w.register(group, id)

		w.expect(group, id, isRegistering)
		time.Sleep(6 * time.Second)
		w.expect(group, id, isHealthy) // one pass is enough from initial

		web.code.Store(503)
		time.Sleep(10 * time.Second)
		w.expect(group, id, isHealthy) // one failure is not
		time.Sleep(10 * time.Second)
		w.expect(group, id, mismatches)

		web.code.Store(200)
		time.Sleep(20 * time.Second)
		w.expect(group, id, mismatches) // two passes of three
		web.code.Store(503)
		time.Sleep(10 * time.Second) // counters are of results in a row
		web.code.Store(200)
		time.Sleep(20 * time.Second)
		w.expect(group, id, mismatches)
		time.Sleep(10 * time.Second)
		w.expect(group, id, isHealthy)
	})
}

func TestNewTargetThatFails(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		group, _ := w.front(func(in *elbv2.CreateTargetGroupInput) { in.UnhealthyThresholdCount = aws.Int32(3) })
		id := w.machine(0, "172.31.0.10", answering(500)).ID()
		w.register(group, id)
		time.Sleep(5*time.Second + 20*time.Second - 10*time.Millisecond)
		w.expect(group, id, isNew)
		time.Sleep(20 * time.Millisecond)
		h := w.health(group, id).TargetHealth
		want := &types.TargetHealth{State: "unhealthy", Reason: "Target.ResponseCodeMismatch", Description: aws.String("Health checks failed with these codes: [500]")}
		if diff := cmp.Diff(want, h, unexported); diff != "" {
			w.Error(diff)
		}
	})
}

func TestReasonsOfFailure(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		group, _ := w.front()
		for name, c := range map[string]struct {
			target *awstest.Instance
			want   string
		}{
			"hangs":  {w.machine(0, "172.31.0.10", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })), timesOut},
			"closed": {w.machine(0, "172.31.0.11", nil), fails},
			"panics": {w.machine(1, "172.31.16.12", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("bug") })), fails},
			"cut off": {func() *awstest.Instance {
				i := w.machine(1, "172.31.16.13", answering(200))
				i.Fail(awstest.NetworkLoss)
				return i
			}(), timesOut},
			"no power": {func() *awstest.Instance {
				i := w.machine(1, "172.31.16.14", answering(200))
				i.Fail(awstest.PowerLoss)
				return i
			}(), timesOut},
			"301": {w.machine(1, "172.31.16.15", answering(301)), mismatches},
		} {
			w.register(group, c.target.ID())
			if w.until(group, c.target.ID(), c.want); w.Failed() {
				w.Fatalf("%s", name)
			}
		}
	})
}

// Checks start at a fixed rate, whenever a target dies: detection takes from
// (threshold - 1) to (threshold) intervals, and a timeout where nothing
// answers.
func TestDetectionIsBounded(t *testing.T) {
	t.Parallel()
	silence := func(i *awstest.Instance, _ func()) { i.Fail(awstest.PowerLoss) }
	refusal := func(_ *awstest.Instance, stop func()) { stop() }
	const soon, late = 10 * time.Millisecond, 10*time.Second - 10*time.Millisecond
	for name, c := range map[string]struct {
		die   func(i *awstest.Instance, stop func())
		after time.Duration // a check that has passed
		want  time.Duration // from the death, to a tenth of a second
	}{
		"silence right after a check":  {silence, soon, 25 * time.Second},
		"silence right before a check": {silence, late, 15 * time.Second},
		"refusal right after a check":  {refusal, soon, 20 * time.Second},
		"refusal right before a check": {refusal, late, 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				group, _ := w.front()
				inst := w.machine(0, "172.31.0.10", nil)
				asked := make(chan struct{}, 100)
				var quick atomic.Bool
				web := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
					asked <- struct{}{}
					if !quick.Load() {
						time.Sleep(3 * time.Second) // which does not move the next check
					}
				})
				stop := must(inst.Serve(80, web))(w)
				w.register(group, inst.ID())
				from := time.Now()
				for n := range 4 {
					<-asked
					if at := time.Since(from); at != time.Duration(5+10*n)*time.Second {
						w.Errorf("check %d starts after %v", n, at)
					}
				}
				w.until(group, inst.ID(), isHealthy)
				quick.Store(true)
				<-asked
				time.Sleep(c.after)
				c.die(inst, stop)
				got := w.until(group, inst.ID(), map[bool]string{true: timesOut, false: fails}[strings.HasPrefix(name, "silence")])
				if got < c.want-100*time.Millisecond || got > c.want+200*time.Millisecond {
					w.Errorf("detected after %v, want %v", got, c.want)
				}
			})
		})
	}
}

func TestCheckPortAndPath(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		group, _ := w.front(func(in *elbv2.CreateTargetGroupInput) {
			in.HealthCheckPort, in.HealthCheckPath = aws.String("8080"), aws.String("/health?deep=1")
			in.Matcher = &types.Matcher{HttpCode: aws.String("204,300-302")}
		})
		inst := w.machine(0, "172.31.0.10", answering(200)) // the traffic port is well, the other one counts
		w.register(group, inst.ID())
		w.until(group, inst.ID(), fails)
		type request struct{ method, path, query, host, agent string }
		seen := make(chan request, 1)
		must(inst.Serve(8080, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			select {
			case seen <- request{r.Method, r.URL.Path, r.URL.RawQuery, r.Host, r.UserAgent()}:
			default:
			}
			rw.WriteHeader(http.StatusFound)
		})))(w)
		w.until(group, inst.ID(), isHealthy)
		want := request{"GET", "/health", "deep=1", "172.31.0.10:8080", "ELB-HealthChecker/2.0"}
		if got := <-seen; got != want {
			w.Errorf("asked by %+v, want %+v", got, want)
		}
		if got := *w.health(group, inst.ID()).HealthCheckPort; got != "8080" {
			w.Errorf("health check port %s", got)
		}
	})
}

func TestTargetsOnPortsOfTheirOwn(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		group, _ := w.front()
		inst := w.machine(0, "172.31.0.10", answering(200))
		must(inst.Serve(8081, answering(500)))(w)
		both := []types.TargetDescription{{Id: aws.String(inst.ID())}, {Id: aws.String(inst.ID()), Port: aws.Int32(8081)}}
		must(w.RegisterTargets(w.Context(), &elbv2.RegisterTargetsInput{TargetGroupArn: &group, Targets: both}))(w)
		time.Sleep(20 * time.Second)
		out := must(w.DescribeTargetHealth(w.Context(), &elbv2.DescribeTargetHealthInput{TargetGroupArn: &group}))(w)
		got := map[int32]string{}
		for _, d := range out.TargetHealthDescriptions {
			got[*d.Target.Port] = *d.HealthCheckPort + " " + text(d.TargetHealth)
		}
		if diff := cmp.Diff(map[int32]string{80: "80 " + isHealthy, 8081: "8081 " + mismatches}, got); diff != "" {
			w.Error(diff)
		}
		// Without its port, the target of the group's port is meant.
		w.deregister(group, inst.ID())
		w.expect(group, inst.ID(), isDraining)
		out = must(w.DescribeTargetHealth(w.Context(), &elbv2.DescribeTargetHealthInput{TargetGroupArn: &group, Targets: both[1:]}))(w)
		if got := text(out.TargetHealthDescriptions[0].TargetHealth); got != mismatches {
			w.Errorf("the other target is %s", got)
		}
	})
}

func TestConnectionChecks(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		group, _ := w.front(overTCP)
		web := answering(500) // which a connection does not see
		open, closed := w.machine(0, "172.31.0.10", web), w.machine(1, "172.31.16.10", nil)
		w.register(group, open.ID(), closed.ID())
		time.Sleep(time.Minute)
		w.expect(group, open.ID(), isHealthy)
		w.expect(group, closed.ID(), fails)
		if n := web.asked.Load(); n != 0 {
			w.Errorf("%d requests", n)
		}
		open.Fail(awstest.NetworkLoss)
		within(w, w.until(group, open.ID(), fails), 15*time.Second, 25*time.Second)
	})
}

func TestNetworkLoadBalancersHaveOneReasonForAllFailures(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		group, _ := w.front(overTCP, func(in *elbv2.CreateTargetGroupInput) { in.HealthCheckProtocol = types.ProtocolEnumHttp })
		inst := w.machine(0, "172.31.0.10", answering(500))
		w.register(group, inst.ID())
		w.until(group, inst.ID(), fails)
		if got := *w.health(group, inst.ID()).TargetHealth.Description; got != "Health checks failed" {
			w.Errorf("described as %q", got)
		}
	})
}

func TestProgramWithItsOwnServerIsCheckedOverAConnection(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		group, _ := w.front()
		inst := w.machine(0, "172.31.0.10", nil)
		l := must(inst.Listen(80))(w)
		agents := make(chan string, 1)
		server := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { agents <- r.UserAgent() })}
		go server.Serve(l)
		defer server.Close()
		w.register(group, inst.ID())
		if agent := <-agents; agent != "ELB-HealthChecker/2.0" {
			w.Errorf("checked by %q", agent)
		}
		time.Sleep(time.Second)
		w.expect(group, inst.ID(), isHealthy)
	})
}

func TestNewSettingsHoldFromTheNextCheck(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		group, _ := w.front()
		web := answering(204)
		id := w.machine(0, "172.31.0.10", web).ID()
		w.register(group, id)
		w.until(group, id, mismatches)
		out := must(w.ModifyTargetGroup(w.Context(), &elbv2.ModifyTargetGroupInput{
			TargetGroupArn: &group, HealthCheckIntervalSeconds: aws.Int32(20), HealthyThresholdCount: aws.Int32(2), Matcher: &types.Matcher{HttpCode: aws.String("200-204")},
		}))(w)
		if m := *out.TargetGroups[0].Matcher.HttpCode; m != "200-204" {
			w.Errorf("matcher %s", m)
		}
		// The next check is due by the old interval, the one after it by the new one.
		if took := w.until(group, id, isHealthy); took < 29*time.Second || took > 31*time.Second {
			w.Errorf("healthy after %v, want 30 s", took)
		}
	})
}

func TestNothingIsCheckedBeforeTheLoadBalancerIsActive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorldWith(t, func(*elbv2svc.Options) {})
		defer w.close()
		group, b := w.front()
		if b.State.Code != types.LoadBalancerStateEnumProvisioning {
			w.Errorf("a new load balancer is %s", b.State.Code)
		}
		web := answering(200)
		id := w.machine(0, "172.31.0.10", web).ID()
		w.register(group, id)
		time.Sleep(time.Until(b.CreatedTime.Add(2*time.Minute - 2*time.Second)))
		w.expect(group, id, isRegistering)
		if diff := cmp.Diff(map[string]int{"error": 1}, w.ask(1, *b.DNSName)); diff != "" { // it takes one second to time out
			w.Errorf("while it is provisioned: %s", diff)
		}
		if web.asked.Load() != 0 {
			w.Error("it was checked")
		}
		time.Sleep(7 * time.Second)
		w.expect(group, id, isHealthy)
		if got := w.ask(1, *b.DNSName); got["error"] != 0 {
			w.Error("it does not forward")
		}
		out := must(w.DescribeLoadBalancers(w.Context(), nil))(w)
		if code := out.LoadBalancers[0].State.Code; code != types.LoadBalancerStateEnumActive {
			w.Errorf("it is %s", code)
		}
	})
}

func TestStuckTargetStaysInitialUntilHealed(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		group, _ := w.front()
		inst := w.machine(0, "172.31.0.10", answering(200))
		heal := must(w.cloud.Stick(inst.ID()))(w)
		w.register(group, inst.ID())
		time.Sleep(time.Hour)
		w.expect(group, inst.ID(), "initial Elb.RegistrationInProgress")
		heal()
		time.Sleep(time.Second)
		w.expect(group, inst.ID(), "healthy")
	})
}
