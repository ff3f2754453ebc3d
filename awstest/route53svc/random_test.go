package route53svc_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/svctest"
	"github.com/awsha/awsha/awstest/route53svc"
)

// TestRandomSequences holds sequences of calls, with ports that open and close and time passing, against a list of health
// checks whose health is worked out anew each time.
func TestRandomSequences(t *testing.T) {
	svctest.Sequences(t, 1000, 125, func(t *testing.T, first, last uint64) {
		for s := first; s <= last && !t.Failed(); s++ {
			sequence(t, s)
		}
	})
}

func sequence(t *testing.T, seed uint64) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cloud := svctest.Must(awstest.New([]awstest.Service{route53svc.New()}, func(o *awstest.Options) { o.Latency = awstest.NoLatency }))(t)
		defer func() {
			if err := cloud.Close(); err != nil {
				t.Error(err)
			}
		}()
		w := &world{T: t, Client: route53.NewFromConfig(cloud.Config("us-east-1")), cloud: cloud, start: time.Now()}
		r := &run{world: w, machine: w.machine(answering(200)), rng: rand.New(rand.NewPCG(seed, seed)), open: map[int32]func(){}}
		for range 25 {
			r.step()
			if got, want := r.observed(), r.expected(); got != want {
				t.Fatalf("seed %d:\n%s\ngot\n%s\nwant\n%s", seed, strings.Join(r.log, "\n"), got, want)
			}
		}
	})
}

// run is a sequence under way, with the model.
type run struct {
	*world
	machine *awstest.Instance
	rng     *rand.Rand
	open    map[int32]func() // the ports, and what closes each
	checks  []*modelCheck
	used    []string // caller references
	log     []string
}

type modelCheck struct {
	id, ref            string
	version            int64
	port               int32 // zero: calculated
	healthy            bool  // of an endpoint: as it was when time had passed last
	children           []string
	needed             int32
	inverted, disabled bool
}

var ports = []int32{8001, 8002, 8003}

func (r *run) say(format string, args ...any) {
	r.log = append(r.log, fmt.Sprintf("%v ", time.Since(r.start))+fmt.Sprintf(format, args...))
}

func (r *run) any() *modelCheck { return r.checks[r.rng.IntN(len(r.checks))] }

func (r *run) step() {
	switch n := r.rng.IntN(12); {
	case n < 2 || len(r.checks) == 0:
		r.make()
	case n < 3:
		r.makeSum()
	case n < 4:
		r.again()
	case n < 7:
		r.change(r.any())
	case n < 8:
		r.delete(r.rng.IntN(len(r.checks)))
	case n < 10:
		r.toggle(ports[r.rng.IntN(len(ports))])
	default:
		r.say("pass")
		r.settle()
	}
}

// settle lets the checkers see what has changed: all look once, which is their threshold. The verdicts of the time between are
// not modelled here.
func (r *run) settle() {
	time.Sleep(11 * time.Second)
	for _, c := range r.checks {
		if c.port != 0 && !c.disabled {
			c.healthy = r.open[c.port] != nil
		}
	}
}

func (r *run) added(c *modelCheck, made *types.HealthCheck, err error) {
	if err != nil {
		r.Fatalf("%v\n%s", err, strings.Join(r.log, "\n"))
	}
	c.id, c.ref, c.version = *made.Id, *made.CallerReference, 1
	r.checks = append(r.checks, c)
	r.used = append(r.used, c.ref)
}

func (r *run) make() {
	c := &modelCheck{port: ports[r.rng.IntN(len(ports))], healthy: true, inverted: r.rng.IntN(4) == 0}
	r.say("create an endpoint at %d", c.port)
	made, err := r.try(&config{
		Type: "TCP", IPAddress: aws.String(addr), Port: &c.port, RequestInterval: aws.Int32(10), FailureThreshold: aws.Int32(1),
		Regions: []types.HealthCheckRegion{"us-east-1", "eu-west-1", "sa-east-1"}, Inverted: &c.inverted,
	})
	r.added(c, made, err)
	r.settle()
}

func (r *run) makeSum() {
	c := &modelCheck{needed: int32(r.rng.IntN(4))}
	for _, o := range r.checks {
		if o.port != 0 && r.rng.IntN(2) == 0 {
			c.children = append(c.children, o.id)
		}
	}
	r.say("create a sum of %v", c.children)
	made, err := r.try(&config{Type: "CALCULATED", ChildHealthChecks: c.children, HealthThreshold: &c.needed})
	r.added(c, made, err)
}

// again creates by a reference that has been used.
func (r *run) again() {
	ref := r.used[r.rng.IntN(len(r.used))]
	r.say("create by %s again", ref)
	_, err := r.tryAs(ref, &config{Type: "CALCULATED", HealthThreshold: aws.Int32(200)})
	svctest.WantCode(r, err, "HealthCheckAlreadyExists")
}

func (r *run) change(c *modelCheck) {
	version := c.version - int64(r.rng.IntN(2))
	inverted, disabled := r.rng.IntN(2) == 0, r.rng.IntN(3) == 0
	r.say("update %s to inverted %v, disabled %v, by version %d", c.id, inverted, disabled, version)
	_, err := r.update(c.id, func(in *route53.UpdateHealthCheckInput) {
		in.HealthCheckVersion, in.Inverted, in.Disabled = &version, &inverted, &disabled
	})
	switch {
	case version == 0:
		svctest.WantCode(r, err, "InvalidInput")
		return
	case version != c.version:
		svctest.WantCode(r, err, "HealthCheckVersionMismatch")
		return
	case err != nil:
		r.Error(err)
	}
	c.version++
	c.inverted, c.disabled = inverted, disabled
	r.settle()
}

func (r *run) delete(n int) {
	r.say("delete %s", r.checks[n].id)
	r.remove(r.checks[n].id)
	r.checks = slices.Delete(r.checks, n, n+1)
}

func (r *run) toggle(port int32) {
	r.say("toggle port %d", port)
	if stop := r.open[port]; stop != nil {
		stop()
		delete(r.open, port)
	} else {
		r.open[port] = svctest.Must(r.machine.Serve(int(port), answering(200)))(r)
	}
	r.settle()
}

// observed and expected tell the health checks, in the order of their creation, with their health.
func (r *run) observed() string {
	var told []string
	for _, hc := range svctest.Must(r.ListHealthChecks(r.Context(), nil))(r).HealthChecks {
		healthy := svctest.Must(route53svc.Healthy(r.cloud, *hc.Id))(r)
		told = append(told, fmt.Sprintf("%s %s %d healthy %v", *hc.Id, *hc.CallerReference, *hc.HealthCheckVersion, healthy))
	}
	return strings.Join(told, "\n")
}

func (r *run) expected() string {
	var told []string
	for _, c := range r.checks {
		told = append(told, fmt.Sprintf("%s %s %d healthy %v", c.id, c.ref, c.version, r.health(c)))
	}
	return strings.Join(told, "\n")
}

func (r *run) health(c *modelCheck) bool {
	healthy := c.healthy
	if c.port == 0 {
		n := int32(0)
		for _, o := range r.checks {
			if slices.Contains(c.children, o.id) && r.health(o) {
				n++
			}
		}
		healthy = n >= c.needed
	}
	return (healthy || c.disabled) != c.inverted
}
