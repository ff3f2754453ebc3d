package failover_test

import (
	"context"
	"fmt"
	"log"
	"sync/atomic"
	"time"

	"github.com/awsha/awsha/failover"
)

// A service's address moves to a standby: the old primary is stopped while the standby is promoted, then the address follows.
func Example() {
	var stopped, promoted, moved atomic.Bool // what would be AWS

	step := func(id string, effect *atomic.Bool, needs ...string) failover.Step {
		return failover.NewStep(failover.StepFuncs{
			ID: id, Needs: needs, Plane: failover.PlaneMutate,
			Check: func(context.Context, *failover.Env) (failover.State, error) {
				if effect.Load() {
					return failover.Done, nil
				}
				return failover.NotDone, nil
			},
			Do: func(_ context.Context, env *failover.Env) error {
				if err := env.Valid(); err != nil { // right before each effect
					return err
				}
				effect.Store(true)
				return nil
			},
		})
	}
	plan := failover.Plan{Service: "orders", Steps: []failover.Step{
		step("stop old primary", &stopped),
		step("promote standby", &promoted),
		step("remap address", &moved, "stop old primary", "promote standby"),
	}}

	locker, err := failover.NewLocker(new(failover.MemoryStore))
	if err != nil {
		log.Fatal(err)
	}
	engine, err := failover.New(locker, new(failover.MemoryJournal))
	if err != nil {
		log.Fatal(err)
	}
	_, err = engine.Execute(context.Background(), "orders-1", plan)
	fmt.Println(stopped.Load(), promoted.Load(), moved.Load(), err)

	again, err := engine.Execute(context.Background(), "orders-1", plan) // the incident is over: nothing to do
	fmt.Println(len(again.Steps()), again.Steps()[0].Outcome, err)
	// Output:
	// true true true <nil>
	// 3 step skipped <nil>
}

func ExampleNew() {
	_, err := failover.New(nil, new(failover.MemoryJournal), func(o *failover.Options) {
		o.RetryMax = -time.Second
	})
	fmt.Println(err)
	// Output:
	// failover: locker: <nil> must not be nil
	// failover: Options.RetryMax: -1s must not be negative
}

// Launch and restore run beside each other: only the longer of the two counts.
func ExamplePlan_CriticalPath() {
	step := func(id string, plane failover.Plane, estimate time.Duration, needs ...string) failover.Step {
		return failover.NewStep(failover.StepFuncs{ID: id, Plane: plane, Estimate: estimate, Needs: needs})
	}
	plan := failover.Plan{Service: "orders", Steps: []failover.Step{
		step("launch", failover.PlaneCreate, 40*time.Second),
		step("restore volume", failover.PlaneCreate, 70*time.Second),
		step("attach volume", failover.PlaneMutate, 5*time.Second, "launch", "restore volume"),
		step("remap address", failover.PlaneMutate, time.Second, "attach volume"),
	}}
	path, took := plan.CriticalPath()
	fmt.Printf("%q\n%s, depends on the %s plane\n", path, took, plan.WorstPlane())
	// Output:
	// ["restore volume" "attach volume" "remap address"]
	// 1m16s, depends on the create plane
}

func ExamplePlan_Validate() {
	plan := failover.Plan{Service: "orders", Steps: []failover.Step{
		failover.NewStep(failover.StepFuncs{ID: "attach", Plane: failover.PlaneMutate, Needs: []string{"detach"}}),
		failover.NewStep(failover.StepFuncs{ID: "detach", Plane: failover.PlaneMutate, Needs: []string{"attach", "fence"}}),
	}}
	fmt.Println(plan.Validate())
	// Output:
	// failover: plan "orders": step "detach": needs "fence", which is not in the plan; cycle: attach needs detach needs attach
}

func ExamplePlan_Mermaid() {
	step := func(id string, estimate time.Duration, needs ...string) failover.Step {
		return failover.NewStep(failover.StepFuncs{ID: id, Plane: failover.PlaneMutate, Estimate: estimate, Needs: needs})
	}
	plan := failover.Plan{Service: "orders", Steps: []failover.Step{
		step("stop", 30*time.Second),
		step("promote", 90*time.Second),
		step("remap", time.Second, "stop", "promote"),
	}}
	fmt.Print(plan.Mermaid())
	// Output:
	// flowchart LR
	//     s0["stop<br/>mutate, 30s"]
	//     s1["promote<br/>mutate, 1m30s"]
	//     s2["remap<br/>mutate, 1s"]
	//     s0 --> s2
	//     s1 ==> s2
}
