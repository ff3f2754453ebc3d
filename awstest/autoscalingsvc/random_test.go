package autoscalingsvc_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/autoscalingsvc"
	"github.com/awsha/awsha/awstest/internal/ec2model"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

// TestRandomSequences plays random operations, deaths and failures against a
// naive model: a capacity that is desired, bounds, and who was promised to
// stay. When all is healed and quiet, the group must be what the model says.
func TestRandomSequences(t *testing.T) {
	svctest.Sequences(t, 1000, 125, func(t *testing.T, first, last uint64) {
		for s := first; s <= last && !t.Failed(); s++ {
			play(t, s)
		}
	})
}

func play(t *testing.T, seed uint64) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(o *autoscalingsvc.Options) { o.RetryMax = time.Minute }, func(o *awstest.Options) {
			o.Regions, o.Latency = []string{"us-east-1"}, awstest.NoLatency
		})
		defer w.close()
		g := &game{world: w, rng: rand.New(rand.NewPCG(seed, seed)), promised: map[string]string{}, gone: map[string]bool{}, heals: map[int][]func(){}}
		g.play()
		if t.Failed() {
			t.Logf("replay with -run TestRandomSequences -seed=%d; the operations were:\n%s", seed, strings.Join(g.log, "\n"))
		}
	})
}

// game is the naive model.
type game struct {
	*world
	rng               *rand.Rand
	min, max, desired int
	zones             int
	promised          map[string]string // state that an instance keeps: Standby, or InService for one that is protected
	gone              map[string]bool   // instances that were killed, terminated or detached by us
	heals             map[int][]func()  // by zone
	log               []string
}

func (g *game) do(format string, args ...any) {
	g.log = append(g.log, fmt.Sprintf("%9v  ", time.Since(g.start))+fmt.Sprintf(format, args...))
}

func (g *game) play() {
	g.zones = 1 + g.rng.IntN(3)
	g.min = g.rng.IntN(3)
	g.max = g.min + g.rng.IntN(8)
	g.desired = g.min + g.rng.IntN(g.max-g.min+1)
	in := g.input("g", int32(g.min), int32(g.max), int32(g.desired), g.inZones(g.zones))
	if g.rng.IntN(3) == 0 {
		balancedOnly(in)
	}
	if g.rng.IntN(4) == 0 {
		maintenance(int32(50+10*g.rng.IntN(6)), int32(100+10*g.rng.IntN(5)))(in)
	}
	g.do("create %d..%d, desired %d, in %d zones", g.min, g.max, g.desired, g.zones)
	if _, err := g.CreateAutoScalingGroup(g.Context(), in); err != nil {
		g.Fatal(err)
	}
	for range 12 + g.rng.IntN(20) {
		g.step()
		time.Sleep(time.Duration(g.rng.IntN(40)*g.rng.IntN(8)) * time.Second)
		if g.Failed() {
			return
		}
	}
	g.settle()
}

// pick returns an instance of the group in one of some states.
func (g *game) pick(group types.AutoScalingGroup, states ...types.LifecycleState) (string, types.LifecycleState) {
	var ids []types.Instance
	for _, i := range group.Instances {
		if slices.Contains(states, i.LifecycleState) {
			ids = append(ids, i)
		}
	}
	if len(ids) == 0 {
		return "", ""
	}
	i := ids[g.rng.IntN(len(ids))]
	return *i.InstanceId, i.LifecycleState
}

// counts tells whether an instance in this state is part of the capacity.
func counts(s types.LifecycleState) bool {
	return s == types.LifecycleStateInService || s == types.LifecycleStatePending
}

// step does one thing and holds the group against the model.
func (g *game) step() {
	group := g.describe("g")
	g.check(group)
	name, ctx := new("g"), g.Context()
	decrement := g.rng.IntN(2) == 0
	// want holds the outcome of a change of the capacity against the model's.
	want := func(err error, allowed bool, after int) {
		g.log[len(g.log)-1] += fmt.Sprintf(": %v", err)
		if (err == nil) != allowed {
			g.Errorf("%v: allowed is %v, got %v", g.log[len(g.log)-1], allowed, err)
		}
		if err == nil {
			g.desired = after
		}
	}
	switch g.rng.IntN(14) {
	case 0, 1:
		n := g.rng.IntN(g.max + 2)
		g.do("desire %d", n)
		_, err := g.SetDesiredCapacity(ctx, &autoscaling.SetDesiredCapacityInput{AutoScalingGroupName: name, DesiredCapacity: new(int32(n))})
		want(err, n >= g.min && n <= g.max, n)
	case 2:
		least, most := g.rng.IntN(4), g.rng.IntN(9)
		g.do("bounds %d..%d", least, most)
		_, err := g.UpdateAutoScalingGroup(ctx, &autoscaling.UpdateAutoScalingGroupInput{AutoScalingGroupName: name, MinSize: new(int32(least)), MaxSize: new(int32(most))})
		want(err, least <= most, min(max(g.desired, least), most))
		if err == nil {
			g.min, g.max = least, most
		}
	case 3:
		id, state := g.pick(group, types.LifecycleStateInService, types.LifecycleStatePending)
		if id == "" {
			return
		}
		g.do("terminate %s, decrement %v", id, decrement)
		_, err := g.TerminateInstanceInAutoScalingGroup(ctx, &autoscaling.TerminateInstanceInAutoScalingGroupInput{InstanceId: &id, ShouldDecrementDesiredCapacity: &decrement})
		after := g.desired
		if decrement && counts(state) {
			after--
		}
		want(err, after >= g.min, after)
		if err == nil {
			g.forget(id)
		}
	case 4:
		id, _ := g.pick(group, types.LifecycleStateInService)
		if id == "" {
			return
		}
		g.do("standby %s, decrement %v", id, decrement)
		_, err := g.EnterStandby(ctx, &autoscaling.EnterStandbyInput{AutoScalingGroupName: name, InstanceIds: []string{id}, ShouldDecrementDesiredCapacity: &decrement})
		after := g.desired
		if decrement {
			after--
		}
		want(err, after >= g.min, after)
		if err == nil && !g.gone[id] {
			g.promised[id] = "Standby"
		}
	case 5:
		id, _ := g.pick(group, types.LifecycleStateStandby)
		if id == "" {
			return
		}
		g.do("leave standby %s", id)
		_, err := g.ExitStandby(ctx, &autoscaling.ExitStandbyInput{AutoScalingGroupName: name, InstanceIds: []string{id}})
		want(err, g.desired < g.max, g.desired+1)
		if err == nil {
			delete(g.promised, id) // it may be chosen now, unless it is protected
		}
	case 6:
		id, state := g.pick(group, types.LifecycleStateInService, types.LifecycleStateStandby)
		if id == "" {
			return
		}
		g.do("detach %s, decrement %v", id, decrement)
		_, err := g.DetachInstances(ctx, &autoscaling.DetachInstancesInput{AutoScalingGroupName: name, InstanceIds: []string{id}, ShouldDecrementDesiredCapacity: &decrement})
		after := g.desired
		if decrement && counts(state) {
			after--
		}
		want(err, after >= g.min || after == g.desired, after)
		if err == nil {
			g.forget(id)
		}
	case 7:
		id, state := g.pick(group, types.LifecycleStateInService)
		if id == "" {
			return
		}
		g.do("protect %s", id)
		_, err := g.SetInstanceProtection(ctx, &autoscaling.SetInstanceProtectionInput{AutoScalingGroupName: name, InstanceIds: []string{id}, ProtectedFromScaleIn: new(true)})
		want(err, true, g.desired)
		if !g.gone[id] {
			g.promised[id] = string(state)
		}
	case 8:
		id, _ := g.pick(group, types.LifecycleStateInService, types.LifecycleStateStandby)
		if id == "" {
			return
		}
		g.do("unhealthy %s", id)
		want(g.setHealth(id, "Unhealthy", nil), true, g.desired)
		g.forget(id)
	case 9:
		id, _ := g.pick(group, types.LifecycleStateInService, types.LifecycleStatePending)
		if id == "" {
			return
		}
		g.do("kill %s", id)
		g.ec2Terminate(id)
		g.forget(id)
	case 10:
		z := g.rng.IntN(g.zones)
		g.do("zone %d has no capacity", z)
		g.heals[z] = append(g.heals[z], g.world.zones[z].RefuseLaunches(""))
	case 11:
		z := g.rng.IntN(g.zones)
		g.do("zone %d recovers", z)
		g.heal(z)
	case 12:
		p := processes[g.rng.IntN(len(processes))]
		g.do("suspend %s", p)
		g.suspend("g", p)
	case 13:
		g.do("resume")
		g.resume("g")
	}
}

var processes = []string{"Terminate", "AZRebalance", "HealthCheck", "ReplaceUnhealthy"} // and not Launch, which refuses calls

func (g *game) heal(z int) {
	for _, heal := range g.heals[z] {
		heal()
	}
	delete(g.heals, z)
}

// forget takes back what was promised of an instance that something else
// happens to.
func (g *game) forget(id string) {
	g.gone[id] = true
	delete(g.promised, id)
}

// check asserts what holds at any time.
func (g *game) check(group types.AutoScalingGroup) {
	g.Helper()
	if int(*group.DesiredCapacity) != g.desired || int(*group.MinSize) != g.min || int(*group.MaxSize) != g.max {
		g.Errorf("%d..%d, desired %d; want %d..%d, desired %d", *group.MinSize, *group.MaxSize, *group.DesiredCapacity, g.min, g.max, g.desired)
	}
	there := map[string]types.Instance{}
	for _, i := range group.Instances {
		if _, twice := there[*i.InstanceId]; twice {
			g.Errorf("%s is in the group twice", *i.InstanceId)
		}
		there[*i.InstanceId] = i
	}
	for id, state := range g.promised {
		switch i, ok := there[id]; {
		case !ok:
			g.Errorf("%s has left the group, and was promised to stay %s", id, state)
		case strings.HasPrefix(string(i.LifecycleState), "Terminating"):
			g.Errorf("%s is %s, and was promised to stay %s", id, i.LifecycleState, state)
		}
	}
}

// settle heals everything, waits, and asserts that the group is what it
// should be.
func (g *game) settle() {
	for z := range g.zones {
		g.heal(z)
	}
	g.resume("g")
	time.Sleep(2 * time.Hour)
	group := g.describe("g")
	g.check(group)
	states := map[types.LifecycleState]int{}
	protected := false
	for _, i := range group.Instances {
		states[i.LifecycleState]++
		protected = protected || *i.ProtectedFromScaleIn
		if *i.HealthStatus != "Healthy" && i.LifecycleState != types.LifecycleStateStandby {
			g.Errorf("%s is %s and %s", *i.InstanceId, i.LifecycleState, *i.HealthStatus)
		}
	}
	delete(states, types.LifecycleStateStandby)
	serving := states[types.LifecycleStateInService]
	delete(states, types.LifecycleStateInService)
	if len(states) > 0 {
		g.Errorf("the group never settles: %v", states)
	}
	for id, state := range g.promised {
		if got := g.state(id); got != state {
			g.Errorf("%s is %s, and was promised to stay %s", id, got, state)
		}
	}
	// Those that are protected may be more than the group needs.
	if serving < g.desired || serving > g.desired && !protected {
		g.Errorf("%d instances are in service, want %d", serving, g.desired)
	}
	g.checkActivities(group)
	g.checkLeaks(group)
	if !protected {
		g.checkBalance()
		return
	}
	for _, i := range group.Instances {
		if _, err := g.SetInstanceProtection(g.Context(), &autoscaling.SetInstanceProtectionInput{AutoScalingGroupName: new("g"), InstanceIds: []string{*i.InstanceId}, ProtectedFromScaleIn: new(false)}); err != nil {
			g.Error(err)
		}
	}
	time.Sleep(time.Hour)
	if n := len(g.inService("g")); n != g.desired {
		g.Errorf("without protection %d instances are in service, want %d", n, g.desired)
	}
	g.checkBalance()
}

// checkBalance asserts that the zones differ by one instance at most.
func (g *game) checkBalance() {
	in := make([]int, g.zones)
	for _, i := range g.describe("g").Instances {
		for z := range g.zones {
			if i.LifecycleState == types.LifecycleStateInService && *i.AvailabilityZone == g.world.zones[z].Name() {
				in[z]++
			}
		}
	}
	if slices.Max(in)-slices.Min(in) > 1 {
		g.Errorf("the zones have %v instances", in)
	}
}

// checkActivities asserts that all activities have ended, and that what they
// tell adds up to the instances that are there.
func (g *game) checkActivities(group types.AutoScalingGroup) {
	sum := 0
	pages := autoscaling.NewDescribeScalingActivitiesPaginator(g, &autoscaling.DescribeScalingActivitiesInput{AutoScalingGroupName: new("g")})
	for pages.HasMorePages() {
		page, err := pages.NextPage(g.Context())
		if err != nil {
			g.Fatal(err)
		}
		for _, a := range page.Activities {
			if a.EndTime == nil || a.EndTime.Before(*a.StartTime) || *a.Progress != 100 {
				g.Errorf("%s is %s at %d percent, from %v to %v", *a.Description, a.StatusCode, *a.Progress, a.StartTime, a.EndTime)
			}
			switch what := *a.Description; {
			case strings.HasPrefix(what, "Launching a new EC2 instance: "): // one that was given up is terminated by an activity as well
				sum++
			case strings.HasPrefix(what, "Terminating"), strings.HasPrefix(what, "Detaching"):
				sum--
			}
		}
	}
	if sum != len(group.Instances) {
		g.Errorf("%d instances are in the group, and by its activities there are %d", len(group.Instances), sum)
	}
}

// checkLeaks asserts that the instances of EC2 which say that they are of the
// group are those that are.
func (g *game) checkLeaks(group types.AutoScalingGroup) {
	g.inEC2(func(tx *awstest.Tx, r *ec2model.Region) {
		for id, i := range r.Instances(tx.Now()) {
			ours := slices.ContainsFunc(i.Tags, func(t ec2model.Tag) bool { return t.Key == "aws:autoscaling:groupName" && t.Value == "g" })
			at := slices.IndexFunc(group.Instances, func(m types.Instance) bool { return *m.InstanceId == id })
			if ours && at < 0 && i.State != ec2model.Terminated {
				g.Errorf("%s is %s and left behind", id, i.State)
			}
			if at >= 0 && group.Instances[at].LifecycleState == types.LifecycleStateInService && i.State != ec2model.Running {
				g.Errorf("%s is %s and in service", id, i.State)
			}
		}
	})
}
