package failover_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/failover"
)

// A controller on a memory store, with one observer: in a fleet each controller has one in its own zone, and all have the same store.
func ExampleController() {
	inBubble(func(ctx context.Context) {
		store := new(failover.MemoryStore) // dynamostore.New(client, "failover") in a fleet
		locker, err := failover.NewLocker(store)
		if err != nil {
			log.Fatal(err)
		}
		journal, err := failover.NewJournal(store)
		if err != nil {
			log.Fatal(err)
		}
		board, err := failover.NewBoard(store)
		if err != nil {
			log.Fatal(err)
		}
		engine, err := failover.New(locker, journal)
		if err != nil {
			log.Fatal(err)
		}

		died := time.Now().Add(time.Minute)
		var moved atomic.Bool
		orders := failover.Service{
			Name:   "orders",
			Quorum: failover.Quorum{Of: 1},
			Observers: []failover.Observer{failover.NewObserver("probe", "use1-az2", func(context.Context) failover.Observation {
				if time.Now().After(died) && !moved.Load() {
					return failover.Observation{Verdict: failover.Failed, Evidence: "no answer", Zone: "use1-az1"}
				}
				return failover.Observation{Verdict: failover.Healthy}
			})},
			Plan: func(in failover.Incident) (failover.Plan, error) {
				return failover.Plan{Service: "orders", Steps: []failover.Step{failover.NewStep(failover.StepFuncs{
					ID: "move", Plane: failover.PlaneMutate, Estimate: time.Second,
					Do: func(context.Context, *failover.Env) error {
						fmt.Println("moved out of", in.Facts[failover.FactZone])
						moved.Store(true)
						return nil
					},
				})}}, nil
			},
		}
		controller, err := failover.NewController(engine, board, []failover.Service{orders}, func(o *failover.ControllerOptions) {
			o.Name, o.Zone = "controller-2", "use1-az2"
			o.OnEvent = func(_ context.Context, ev failover.Event) {
				if ev.Kind == failover.KindDetected {
					fmt.Println("detected within 10 s:", ev.Time.Sub(died) < 10*time.Second)
				}
			}
		})
		if err != nil {
			log.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
		defer cancel()
		err = controller.Run(ctx)
		fmt.Println(errors.Is(err, context.DeadlineExceeded))

		incidents, err := journal.Incidents(context.Background())
		fmt.Println(len(incidents), incidents[0].State, err)
	})
	// Output:
	// detected within 10 s: true
	// moved out of use1-az1
	// true
	// 1 done <nil>
}

func ExampleEngine_Rollback() {
	locker, err := failover.NewLocker(new(failover.MemoryStore))
	if err != nil {
		log.Fatal(err)
	}
	engine, err := failover.New(locker, new(failover.MemoryJournal))
	if err != nil {
		log.Fatal(err)
	}
	says := func(text string) func(context.Context, *failover.Env) error {
		return func(context.Context, *failover.Env) error { fmt.Println(text); return nil }
	}
	plan := failover.Plan{Service: "orders", Steps: []failover.Step{
		failover.NewStep(failover.StepFuncs{ID: "move", Plane: failover.PlaneMutate, Do: says("moves"), Undo: says("moves back")}),
		failover.NewStep(failover.StepFuncs{ID: "label", Needs: []string{"move"}, Plane: failover.PlaneMutate, Do: says("labels"), Undo: says("takes the label off")}),
	}}
	_, err = engine.Execute(context.Background(), "orders-1", plan)
	fmt.Println(err)
	_, err = engine.Rollback(context.Background(), "orders-1", plan)
	fmt.Println(err)
	// Output:
	// moves
	// labels
	// <nil>
	// takes the label off
	// moves back
	// <nil>
}

func ExampleEngine_Readiness() {
	locker, err := failover.NewLocker(new(failover.MemoryStore))
	if err != nil {
		log.Fatal(err)
	}
	engine, err := failover.New(locker, new(failover.MemoryJournal))
	if err != nil {
		log.Fatal(err)
	}
	plan := failover.Plan{Service: "orders", Steps: []failover.Step{
		failover.NewStep(failover.StepFuncs{ID: "fence", Plane: failover.PlaneMutate, Estimate: 30 * time.Second}),
		failover.NewStep(failover.StepFuncs{
			ID: "promote", Needs: []string{"fence"}, Plane: failover.PlaneMutate, Blast: failover.BlastData, Estimate: time.Minute,
			Ready: func(context.Context, *failover.Env) ([]failover.Finding, error) {
				return []failover.Finding{{Level: failover.LevelWarn, Text: "the replica lags", RPO: 90 * time.Second}}, nil
			},
		}),
	}}
	ready, err := engine.Readiness(context.Background(), plan, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(ready)
	// Output:
	// WARN orders: RTO 1m30s, RPO 1m30s, worst plane mutate, blast radius data
	// critical path: fence, promote
	// PASS  fence         30s  not done
	// WARN  promote      1m0s  not asked
	//       WARN  the replica lags
}

// inBubble runs an example in virtual time.
func inBubble(run func(context.Context)) {
	testing.RunTests(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{{
		Name: "example", F: func(t *testing.T) { synctest.Test(t, func(t *testing.T) { run(t.Context()) }) },
	}})
}
