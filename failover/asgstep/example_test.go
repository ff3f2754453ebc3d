package asgstep_test

import (
	"fmt"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/asgstep"
)

// What a plan suspends it resumes by a final step, in whatever way the rest ends.
func Example() {
	const group = "web"
	var client asgstep.API // *autoscaling.Client
	plan := failover.Plan{Service: "orders", Steps: []failover.Step{
		asgstep.Suspend(client, asgstep.SuspendSpec{ID: "suspend", Group: group}),
		asgstep.Launch(client, asgstep.LaunchSpec{
			ID: "launch", Needs: []string{"suspend"}, Group: group, Count: 3, Zones: []failover.Ref{failover.Literal("use1-az1"), failover.Literal("use1-az4")},
		}),
		asgstep.WaitInService(client, asgstep.WaitSpec{
			ID: "in-service", Needs: []string{"launch"}, Group: group, Instances: []failover.Ref{failover.Output("launch", asgstep.InstancesKey)},
		}),
		asgstep.Resume(client, asgstep.ResumeSpec{ID: "resume", Needs: []string{"suspend", "in-service"}, Group: group, Suspended: "suspend"}),
	}}
	fmt.Println(plan.Validate())
	path, estimate := plan.CriticalPath()
	fmt.Println(path, estimate, plan.WorstPlane())
	// Output:
	// <nil>
	// [suspend launch in-service resume] 1m12s create
}
