package asgstep

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/internal/awsstep"
)

// WaitSpec describes a [WaitInService].
type WaitSpec struct {
	ID       string
	Needs    []string
	Estimate time.Duration // default 1 minute
	Timeout  time.Duration // zero is the engine's

	Group string // name. Required

	// Instances are those to wait for; or, without any, Count is how many instances of the group have to be in service, outside of the Avoid zones.
	Instances []failover.Ref
	Count     int
	Avoid     []failover.Ref // names of zones, as a group shows them
}

// WaitInService returns a step that makes no effect, and is done when instances are in service and healthy to Auto Scaling. If one of the Instances leaves
// the group the step is impossible. It costs a DescribeAutoScalingGroups a look.
func WaitInService(api API, s WaitSpec) failover.Step {
	w := &wait{api: api, s: s}
	m := awsstep.Mistakes{Needs: s.Needs}
	m.Text("Group", s.Group)
	if (len(s.Instances) == 0) == (s.Count < 1) {
		m.Add("Count", s.Count, "must be given, or Instances, and not both")
	}
	for i, r := range s.Instances {
		m.Ref(fmt.Sprintf("Instances[%d]", i), r)
	}
	for i, r := range s.Avoid {
		m.Ref(fmt.Sprintf("Avoid[%d]", i), r)
	}
	return failover.NewStep(failover.StepFuncs{
		ID: s.ID, Needs: s.Needs, Plane: failover.PlaneData, API: apiASG, Estimate: awsstep.Default(s.Estimate, time.Minute), Timeout: s.Timeout,
		Check: w.check, Ready: ready(api, s.Group), Mistakes: m.Err(),
	})
}

type wait struct {
	api  API
	s    WaitSpec
	gone awsstep.Patience
}

func inService(i *types.Instance) bool {
	return i.LifecycleState == types.LifecycleStateInService && aws.ToString(i.HealthStatus) == "Healthy"
}

func (w *wait) check(ctx context.Context, env *failover.Env) (failover.State, error) {
	g, err := group(ctx, env, w.api, w.s.Group)
	if err != nil {
		return 0, err
	}
	if len(w.s.Instances) == 0 {
		return w.counted(env, g)
	}
	ids, err := resolve(env, w.s.Instances)
	if err != nil {
		return 0, err
	}
	state := failover.Done
	for _, id := range ids {
		switch i := member(g, id); {
		case leaves(i): // or a read that is behind
			if w.gone.Over(env) {
				env.Note("%s has left %s", id, w.s.Group)
				return failover.Impossible, nil
			}
			return failover.InProgress, nil
		case !inService(i):
			state = failover.InProgress
		}
	}
	w.gone.End(env)
	return state, nil
}

func (w *wait) counted(env *failover.Env, g *types.AutoScalingGroup) (failover.State, error) {
	var avoid []string
	for _, r := range w.s.Avoid {
		zone, err := r.Get(env)
		if err != nil {
			return 0, err
		}
		avoid = append(avoid, zone)
	}
	n := 0
	for i := range g.Instances {
		if v := &g.Instances[i]; inService(v) && !slices.Contains(avoid, aws.ToString(v.AvailabilityZone)) && !slices.Contains(avoid, aws.ToString(v.AvailabilityZoneId)) {
			n++
		}
	}
	if n >= w.s.Count {
		return failover.Done, nil
	}
	return failover.InProgress, nil
}
