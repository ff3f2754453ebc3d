package autoscalingsvc_test

import (
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

// causeOf returns why an instance was terminated.
func (w *world) causeOf(group, id string) string {
	w.Helper()
	for _, a := range w.activities(group) {
		if *a.Description == "Terminating EC2 instance: "+id {
			return *a.Cause
		}
	}
	return ""
}

func (w *world) setHealth(id, status string, respect *bool) error {
	_, err := w.SetInstanceHealth(w.Context(), &autoscaling.SetInstanceHealthInput{InstanceId: &id, HealthStatus: &status, ShouldRespectGracePeriod: respect})
	return err
}

func grace(seconds int32) func(*autoscaling.CreateAutoScalingGroupInput) {
	return func(in *autoscaling.CreateAutoScalingGroupInput) { in.HealthCheckGracePeriod = &seconds }
}

func TestUnhealthyInstancesAreReplaced(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		happens func(w *world, id string)
		cause   string
		within  time.Duration // until another one is launched
	}{
		"terminated": {
			func(w *world, id string) { w.ec2Terminate(id) },
			"an instance was taken out of service in response to an EC2 health check indicating it has been terminated or stopped.", 20 * time.Second,
		},
		"stopped": {
			func(w *world, id string) { w.ec2Stop(id) },
			"an instance was taken out of service in response to an EC2 health check indicating it has been terminated or stopped.", 20 * time.Second,
		},
		"called unhealthy": {
			func(w *world, id string) {
				if err := w.setHealth(id, "Unhealthy", new(false)); err != nil {
					w.Error(err)
				}
			},
			"an instance was taken out of service in response to a user health-check.", 10 * time.Second,
		},
		"without power": {
			func(w *world, id string) {
				i, _ := w.cloud.Instance(id)
				i.Fail(awstest.PowerLoss)
			},
			"an instance was taken out of service in response to an EC2 instance status checks failure.", 6 * time.Minute,
		},
		"without network": {
			func(w *world, id string) {
				i, _ := w.cloud.Instance(id)
				i.Fail(awstest.NetworkLoss)
			},
			"an instance was taken out of service in response to an EC2 instance status checks failure.", 6 * time.Minute,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				ids := w.group("g", 0, 4, 4)
				sick := ids[1]
				c.happens(w, sick)
				took := w.until("g", "InService a:2 b:1, Pending b:1, Terminating b:1")
				if took > c.within || took < c.within/3 {
					t.Errorf("it was replaced after %v, want at most %v", took, c.within)
				}
				if cause := w.causeOf("g", sick); !strings.HasSuffix(cause, c.cause) || !strings.HasPrefix(cause, "At 2000-01-01T00:0") {
					t.Errorf("because %s", cause)
				}
				time.Sleep(2 * time.Minute)
				w.wantShape("g", "InService a:2 b:2")
				w.wantState(sick, "")
				if a := w.activities("g")[0]; !strings.HasSuffix(*a.Cause, "an instance was launched in response to an unhealthy instance needing to be replaced.") || strings.Contains(*a.Cause, "a user request") {
					t.Errorf("%s because %s", *a.Description, *a.Cause)
				}
			})
		})
	}
}

func TestGracePeriod(t *testing.T) {
	t.Parallel()
	t.Run("holds back status checks", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			id := w.group("g", 0, 1, 1, grace(1200))[0]
			i, _ := w.cloud.Instance(id)
			i.Fail(awstest.PowerLoss)
			time.Sleep(19 * time.Minute)
			w.wantState(id, "InService")
			time.Sleep(2 * time.Minute)
			w.wantState(id, "")
		})
	})
	t.Run("does not hold back that an instance does not run", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			id := w.group("g", 0, 1, 1, grace(1200))[0]
			w.ec2Stop(id)
			time.Sleep(2 * time.Minute)
			w.wantState(id, "")
		})
	})
	t.Run("refuses a user's word, unless told otherwise", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			id := w.group("g", 0, 1, 1, grace(1200))[0]
			for _, respect := range []*bool{nil, new(true)} {
				err := w.setHealth(id, "Unhealthy", respect)
				svctest.WantCode(t, err, "ValidationError")
				if !strings.Contains(err.Error(), "seconds) is less than the configured grace period of 1200 seconds") {
					t.Error(err)
				}
			}
			if err := w.setHealth(id, "Healthy", nil); err != nil {
				t.Error(err)
			}
			time.Sleep(20 * time.Minute)
			if err := w.setHealth(id, "Unhealthy", nil); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Minute)
			w.wantState(id, "")
		})
	})
}

// Of what status checks find, a tenth of the group is replaced at a time.
func TestReplacementIsBraked(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		ids := w.group("g", 0, 20, 20)
		for _, id := range ids[:10] {
			i, _ := w.cloud.Instance(id)
			i.Fail(awstest.PowerLoss)
		}
		least, from := 20, time.Now()
		for len(w.healthy("g")) < 20 || time.Since(from) < 6*time.Minute {
			if time.Since(from) > time.Hour {
				t.Fatalf("the group stays %s", w.shape("g"))
			}
			least = min(least, len(w.inService("g")))
			time.Sleep(time.Second)
		}
		if least != 18 {
			t.Errorf("%d instances were in service, want 18", least)
		}
	})
}

// healthy returns the instances in service that still run.
func (w *world) healthy(name string) (ids []string) {
	w.Helper()
	for _, id := range w.inService(name) {
		if i, ok := w.cloud.Instance(id); ok && i.Running() {
			ids = append(ids, id)
		}
	}
	return ids
}

// What does not run is replaced at once, however much it is.
func TestDeadInstancesAreReplacedAtOnce(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		for _, id := range w.group("g", 0, 20, 20) {
			w.ec2Terminate(id)
		}
		if took := w.until("g", "Pending a:10 b:10"); took > time.Minute {
			t.Errorf("they were replaced after %v", took)
		}
	})
}

func maintenance(least, most int32) func(*autoscaling.CreateAutoScalingGroupInput) {
	return func(in *autoscaling.CreateAutoScalingGroupInput) {
		in.InstanceMaintenancePolicy = &types.InstanceMaintenancePolicy{MinHealthyPercentage: &least, MaxHealthyPercentage: &most}
	}
}

func TestMaintenancePolicy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		size        int32
		policy      func(*autoscaling.CreateAutoScalingGroupInput)
		least, most int
	}{
		"launch before terminating":            {4, maintenance(100, 125), 4, 5},
		"launch before terminating, by one":    {4, maintenance(100, 110), 4, 5},
		"all at once":                          {4, maintenance(100, 200), 4, 6},
		"terminate and launch":                 {4, maintenance(50, 100), 2, 4},
		"in between":                           {10, maintenance(90, 110), 9, 10},
		"a policy without room does something": {4, maintenance(100, 100), 3, 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				ids := w.group("g", 0, 20, c.size, c.policy)
				for _, id := range ids[:2] {
					i, _ := w.cloud.Instance(id)
					i.Fail(awstest.PowerLoss)
				}
				least, most, from := len(ids), 0, time.Now()
				for len(w.healthy("g")) < len(ids) || time.Since(from) < 6*time.Minute {
					if time.Since(from) > time.Hour {
						t.Fatalf("the group stays %s", w.shape("g"))
					}
					least, most = min(least, len(w.inService("g"))), max(most, w.capacity("g"))
					time.Sleep(time.Second)
				}
				if least != c.least || most != c.most {
					t.Errorf("never less than %d in service and never more than %d there, want %d and %d", least, most, c.least, c.most)
				}
				time.Sleep(10 * time.Minute)
				if n := len(w.inService("g")); n != len(ids) {
					t.Errorf("%d are in service, want %d", n, len(ids))
				}
			})
		})
	}
}

// What is new has to warm up before it stands in for anything.
func TestReplacementWaitsForTheWarmup(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id := w.group("g", 0, 4, 2, maintenance(100, 150), func(in *autoscaling.CreateAutoScalingGroupInput) { in.DefaultInstanceWarmup = new(int32(300)) })[0]
		time.Sleep(10 * time.Minute)
		if err := w.setHealth(id, "Unhealthy", nil); err != nil {
			t.Fatal(err)
		}
		w.until("g", "InService a:2 b:1")
		if took := w.until("g", "InService a:1 b:1, Terminating a:1"); took < 298*time.Second || took > 302*time.Second {
			t.Errorf("it has been replaced after %v, want five minutes", took)
		}
	})
}

func behind(group string) func(*autoscaling.CreateAutoScalingGroupInput) {
	return func(in *autoscaling.CreateAutoScalingGroupInput) {
		in.TargetGroupARNs, in.HealthCheckType = []string{group}, new("ELB")
	}
}

// answers is a handler whose status can be changed.
type answers struct{ code atomic.Int32 }

func (a *answers) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	if code := a.code.Load(); code != 0 {
		w.WriteHeader(int(code))
	}
}

func TestLoadBalancerHealth(t *testing.T) {
	t.Parallel()
	t.Run("an unhealthy target is drained, terminated and replaced", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			tg := w.front("web")
			ids := w.group("g", 0, 2, 2, behind(tg), grace(120))
			sick := &answers{}
			w.serve(sick, ids[0])
			w.serve(&answers{}, ids[1])
			time.Sleep(5 * time.Minute)
			if got := w.inService("g"); !equal(got, ids) || w.target(tg, ids[0]) != "healthy" {
				t.Fatalf("%v, and %s is %s", got, ids[0], w.target(tg, ids[0]))
			}
			sick.code.Store(500)
			// Two checks of ten seconds, and what Auto Scaling needs to see it.
			if took := w.until("g", "InService b:1, Pending a:1, Terminating a:1"); took > 40*time.Second {
				t.Errorf("it was taken out of service after %v", took)
			}
			if s := w.target(tg, ids[0]); s != "draining" {
				t.Errorf("it is %s", s)
			}
			if c := w.causeOf("g", ids[0]); !strings.HasSuffix(c, "in response to an ELB system health check failure.") {
				t.Error(c)
			}
			time.Sleep(50 * time.Second)
			if a := w.activities("g"); a[0].StatusCode != types.ScalingActivityStatusCodeWaitingForELBConnectionDraining {
				t.Errorf("%s is %s", *a[0].Description, a[0].StatusCode)
			}
			if i, _ := w.cloud.Instance(ids[0]); !i.Running() {
				t.Error("it does not run while it drains")
			}
			w.until("g", "InService a:1 b:1")
			w.wantState(ids[0], "")
		})
	})
	t.Run("the type EC2 does not look at it", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			tg := w.front("web")
			ids := w.group("g", 0, 2, 2, behind(tg), func(in *autoscaling.CreateAutoScalingGroupInput) { in.HealthCheckType = new("EC2") })
			time.Sleep(10 * time.Minute)
			if got := w.inService("g"); !equal(got, ids) || w.target(tg, ids[0]) != "unhealthy" {
				t.Errorf("%v are in service, and %s is %s", got, ids[0], w.target(tg, ids[0]))
			}
			// Until it is told to.
			svctest.Must(w.UpdateAutoScalingGroup(w.Context(), &autoscaling.UpdateAutoScalingGroupInput{AutoScalingGroupName: new("g"), HealthCheckType: new("EC2,ELB")}))(t)
			time.Sleep(10 * time.Minute)
			if got := w.inService("g"); slices.Contains(got, ids[0]) {
				t.Errorf("%v are in service", got)
			}
		})
	})
	t.Run("the grace period holds it back", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			tg := w.front("web")
			ids := w.group("g", 0, 1, 1, behind(tg), grace(600))
			time.Sleep(8 * time.Minute)
			w.wantState(ids[0], "InService")
			w.serve(&answers{}, ids[0])
			time.Sleep(time.Hour)
			w.wantState(ids[0], "InService")
		})
	})
}

func TestSuspendedProcessesOfHealth(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		suspend string
		happens func(*world, string)
		then    string // while it is suspended
		resumed string
	}{
		"HealthCheck marks nothing": {"HealthCheck", func(w *world, id string) { w.ec2Terminate(id) }, "InService a:1 b:1", "InService a:1 b:1"},
		"HealthCheck does not hold back a user": {"HealthCheck", func(w *world, id string) {
			if err := w.setHealth(id, "Unhealthy", nil); err != nil {
				w.Error(err)
			}
		}, "InService a:1 b:1", "InService a:1 b:1"},
		"ReplaceUnhealthy replaces nothing": {"ReplaceUnhealthy", func(w *world, id string) { w.ec2Terminate(id) }, "InService a:1 b:1", "InService a:1 b:1"},
		"Terminate replaces nothing":        {"Terminate", func(w *world, id string) { w.ec2Terminate(id) }, "InService a:1 b:1", "InService a:1 b:1"},
		"Launch terminates all the same":    {"Launch", func(w *world, id string) { w.ec2Terminate(id) }, "InService b:1", "InService a:1 b:1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				ids := w.group("g", 0, 4, 2)
				w.suspend("g", c.suspend)
				c.happens(w, ids[0])
				time.Sleep(10 * time.Minute)
				w.wantShape("g", c.then)
				marked := *w.describe("g").Instances[0].HealthStatus
				if want := map[bool]string{true: "Unhealthy", false: "Healthy"}[c.suspend == "ReplaceUnhealthy" || c.suspend == "Terminate"]; marked != want {
					t.Errorf("the instance is %s, want %s", marked, want)
				}
				w.resume("g", c.suspend)
				time.Sleep(10 * time.Minute)
				w.wantShape("g", c.resumed)
				w.wantState(ids[0], "")
			})
		})
	}
	t.Run("what is marked can be unmarked", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			ids := w.group("g", 0, 4, 2)
			w.suspend("g", "ReplaceUnhealthy")
			if err := w.setHealth(ids[0], "Unhealthy", nil); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			if err := w.setHealth(ids[0], "Healthy", nil); err != nil {
				t.Fatal(err)
			}
			w.resume("g")
			time.Sleep(10 * time.Minute)
			w.wantState(ids[0], "InService")
			if got := *w.describe("g").Instances[0].HealthStatus; got != "Healthy" {
				t.Errorf("it is %s", got)
			}
		})
	})
}

// Status checks that failed before a stop say nothing of the time after it.
func TestStatusChecksBeginAnewWithAStart(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		ids := w.group("g", 0, 2, 1)
		if err := w.enterStandby(true, ids[0]); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		m, _ := w.cloud.Instance(ids[0])
		heal := m.Fail(awstest.NetworkLoss)
		time.Sleep(10 * time.Minute)
		w.ec2Stop(ids[0])
		time.Sleep(5 * time.Minute)
		heal()
		w.inEC2Start(ids[0])
		time.Sleep(10 * time.Minute)
		if err := w.exitStandby(ids[0]); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Minute)
		w.wantState(ids[0], "InService")
	})
}

func TestAnAttachedInstanceMayBeImpaired(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.group("g", 0, 2, 0)
		id := w.run(w.zones[0])
		m, _ := w.cloud.Instance(id)
		defer m.Fail(awstest.NetworkLoss)()
		time.Sleep(10 * time.Minute)
		if err := w.attach(id); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Minute)
		w.wantState(id, "")
	})
}

// A user's word holds until the next look.
func TestCalledHealthyWithoutBeingSo(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		ids := w.group("g", 0, 2, 1)
		w.suspend("g", "ReplaceUnhealthy")
		w.ec2Stop(ids[0])
		want := func(health string) {
			t.Helper()
			if got := *w.describe("g").Instances[0].HealthStatus; got != health {
				t.Errorf("it is %s, want %s", got, health)
			}
		}
		time.Sleep(5 * time.Minute)
		want("Unhealthy")
		if err := w.setHealth(ids[0], "Healthy", nil); err != nil {
			t.Fatal(err)
		}
		want("Healthy")
		time.Sleep(time.Minute)
		want("Unhealthy")
	})
}
