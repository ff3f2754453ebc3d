package preset

import (
	"context"

	"github.com/awsha/awsha/failover"
)

// Probe asks a new instance whether it does its work. outputs are those of the launch: see [ec2step.InstanceKey] and the keys beside it. It is
// repeated until it returns nil or the step's time is up, must return soon after ctx ends, and changes nothing.
type Probe func(ctx context.Context, outputs map[string]string) error

// probeStep waits for a probe.
func probeStep(id string, needs []string, launch string, probe Probe) failover.Step {
	return failover.NewStep(failover.StepFuncs{
		ID: id, Needs: needs, Plane: failover.PlaneData, Estimate: defaultProbe,
		Check: func(ctx context.Context, env *failover.Env) (failover.State, error) {
			if err := probe(ctx, env.Inputs[launch]); err != nil {
				return failover.InProgress, err
			}
			return failover.Done, nil
		},
	})
}
