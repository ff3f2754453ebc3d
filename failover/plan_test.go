package failover_test

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/failover"
)

func step(id string, estimate time.Duration, needs ...string) failover.StepFuncs {
	return failover.StepFuncs{ID: id, Needs: needs, Plane: failover.PlaneMutate, Estimate: estimate}
}

func writer(id, resource string, needs ...string) failover.StepFuncs {
	f := step(id, 0, needs...)
	f.Writes = []string{resource}
	return f
}

func TestPlanValidate(t *testing.T) {
	t.Parallel()
	noPlane := step("a", 0)
	noPlane.Plane = 0
	tests := []struct {
		name  string
		plan  failover.Plan
		fault error // nil for a valid plan
	}{
		{"accepts a diamond", plan(step("d", 0, "b", "c"), step("b", 0, "a"), step("c", 0, "a"), step("a", 0)), nil},
		{"accepts a need named twice", plan(step("a", 0), step("b", 0, "a", "a")), nil},
		{"accepts two writers in a chain", plan(writer("attach", "vol", "fence"), step("fence", 0, "detach"), writer("detach", "vol")), nil},
		{"accepts one writer that names its resource twice", plan(failover.StepFuncs{ID: "a", Plane: failover.PlaneData, Writes: []string{"r", "r"}}), nil},

		{"refuses an empty plan", failover.Plan{Service: "s"}, &failover.FieldError{Field: "Plan.Steps", Value: 0, Rule: "steps: a plan needs at least one"}},
		{"refuses a plan without a service", failover.Plan{Steps: steps(step("a", 0))}, &failover.FieldError{Field: "Plan.Service", Value: "", Rule: "must not be empty"}},
		{"refuses a negative budget", failover.Plan{Service: "s", Steps: steps(step("a", 0)), Budget: -1}, &failover.FieldError{Field: "Plan.Budget", Value: time.Duration(-1), Rule: "must not be negative"}},
		{"refuses a nil step", failover.Plan{Service: "s", Steps: []failover.Step{nil}}, &failover.FieldError{Field: "Plan.Steps[0]", Rule: "must not be nil"}},
		{"refuses an empty ID", plan(step("", 0)), &failover.FieldError{Field: "Plan.Steps[0].ID", Value: "", Rule: "must not be empty"}},
		{"refuses a negative estimate", plan(step("a", -time.Second)), &failover.FieldError{Field: "Plan.Steps[0].Estimate", Value: -time.Second, Rule: "must not be negative"}},
		{"refuses a negative estimate of the plan", failover.Plan{Service: "s", Steps: steps(step("a", 0)), Estimates: map[string]time.Duration{"a": -1}},
			&failover.FieldError{Field: "Plan.Steps[0].Estimate", Value: time.Duration(-1), Rule: "must not be negative"}},
		{"refuses an estimate of no step", failover.Plan{Service: "s", Steps: steps(step("a", 0)), Estimates: map[string]time.Duration{"b": 1}},
			&failover.FieldError{Field: "Plan.Estimates[b]", Value: time.Duration(1), Rule: "is of no step of the plan"}},
		{"refuses a negative timeout", plan(failover.StepFuncs{ID: "a", Plane: failover.PlaneData, Timeout: -1}), &failover.FieldError{Field: "Plan.Steps[0].Timeout", Value: time.Duration(-1), Rule: "must not be negative"}},
		{"refuses a forgotten plane", plan(noPlane), &failover.FieldError{Field: "Plan.Steps[0].Plane", Value: failover.Plane(0), Rule: "is not a plane"}},
		{"refuses a repeated ID", plan(step("a", 0), step("b", 0), step("a", 0), step("a", 0)), &failover.DuplicateStepError{ID: "a", Count: 3}},
		{"refuses a missing need", plan(step("a", 0, "ghost")), &failover.MissingNeedError{Step: "a", Need: "ghost"}},
		{"refuses a step that needs itself", plan(step("a", 0, "a")), &failover.CycleError{Path: []string{"a", "a"}}},
		{"names the shortest cycle of a knot", plan(step("x", 0), step("a", 0, "b"), step("b", 0, "c", "x"), step("c", 0, "d", "a"), step("d", 0, "a")),
			&failover.CycleError{Path: []string{"a", "b", "c", "a"}}},
		{"refuses two unordered writers", plan(writer("a", "eip", "c"), writer("b", "eip", "c"), step("c", 0)),
			&failover.WritersError{Resource: "eip", Steps: [2]string{"a", "b"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := tt.plan.Validate()
			if tt.fault == nil {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			var pe *failover.PlanError
			if !errors.As(err, &pe) || !errors.Is(err, failover.ErrInvalidPlan) {
				t.Fatalf("error is %T %v, want a PlanError that matches ErrInvalidPlan", err, err)
			}
			if diff := cmp.Diff([]error{tt.fault}, pe.Faults); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPlanValidateReportsAllFaultsAtOnce(t *testing.T) {
	t.Parallel()
	p := failover.Plan{Budget: -time.Second, Steps: steps(
		step("a", 0, "b"), step("b", 0, "a"), // a cycle
		step("c", 0, "d"), step("d", 0, "c", "a"), // another, above the first
		writer("e", "r"), writer("f", "r"),
		step("e", -1, "ghost"),
	)}
	const want = `failover: plan "": Plan.Service: "" must not be empty; Plan.Budget: -1s must not be negative; ` +
		`Plan.Steps[6].Estimate: -1ns must not be negative; step "e": ID used 2 times; step "e": needs "ghost", which is not in the plan; ` +
		`cycle: a needs b needs a; cycle: c needs d needs c; resource "r": written by "e" and "f", neither of which needs the other`
	if diff := cmp.Diff(want, p.Validate().Error()); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
}

func plan(fs ...failover.StepFuncs) failover.Plan {
	return failover.Plan{Service: "orders", Steps: steps(fs...)}
}

func TestCriticalPath(t *testing.T) {
	t.Parallel()
	p := plan(
		step("verify", 2*time.Second, "address", "dns"),
		step("launch", 40*time.Second), step("restore", 70*time.Second),
		step("attach", 5*time.Second, "launch", "restore"),
		step("address", time.Second, "attach"), step("dns", 30*time.Second),
	)
	path, took := p.CriticalPath()
	if diff := cmp.Diff([]string{"restore", "attach", "address", "verify"}, path); diff != "" || took != 78*time.Second {
		t.Errorf("critical path takes %s, want 1m18s; (-want +got):\n%s", took, diff)
	}

	p.Estimates = map[string]time.Duration{"restore": 10 * time.Second, "launch": 20 * time.Second}
	path, took = p.CriticalPath()
	if diff := cmp.Diff([]string{"dns", "verify"}, path); diff != "" || took != 32*time.Second {
		t.Errorf("with other estimates it takes %s, want 32s; (-want +got):\n%s", took, diff)
	}

	path, took = plan(step("a", 0, "a")).CriticalPath()
	if path != nil || took != 0 {
		t.Errorf("an invalid plan has the critical path %v of %s", path, took)
	}
}

func TestWorstPlane(t *testing.T) {
	t.Parallel()
	create := step("launch", 0)
	create.Plane = failover.PlaneCreate
	if got := plan(step("a", 0), create, step("b", 0)).WorstPlane(); got != failover.PlaneCreate {
		t.Errorf("worst plane is %v, want create", got)
	}
	if got := plan().WorstPlane(); got != 0 {
		t.Errorf("worst plane of an invalid plan is %v, want 0", got)
	}
}

// randomPlan returns a valid plan of n steps in random order whose needs are random.
func randomPlan(r *rand.Rand, n int, mk func(id string, estimate time.Duration, needs ...string) failover.StepFuncs) failover.Plan {
	fs := []failover.StepFuncs{}
	for i := range n {
		var needs []string
		for j := range i {
			if r.IntN(i) < 2 {
				needs = append(needs, "s"+strconv.Itoa(j))
			}
		}
		fs = append(fs, mk("s"+strconv.Itoa(i), time.Duration(r.IntN(60_000))*time.Millisecond, needs...))
	}
	r.Shuffle(n, func(i, j int) { fs[i], fs[j] = fs[j], fs[i] })
	return plan(fs...)
}

// longest is the longest path by brute force, to compare CriticalPath with.
func longest(p failover.Plan) time.Duration {
	byID := map[string]failover.Step{}
	for _, s := range p.Steps {
		byID[s.ID()] = s
	}
	memo := map[string]time.Duration{}
	var end func(id string) time.Duration
	end = func(id string) time.Duration {
		if d, ok := memo[id]; ok {
			return d
		}
		var start time.Duration
		for _, need := range byID[id].Needs() {
			start = max(start, end(need))
		}
		memo[id] = start + byID[id].Estimate()
		return memo[id]
	}
	var all time.Duration
	for id := range byID {
		all = max(all, end(id))
	}
	return all
}

func TestCriticalPathIsTheLongestPathOfRandomPlans(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		p := randomPlan(rand.New(rand.NewPCG(seed, 1)), 1+int(seed%30), step)
		path, took := p.CriticalPath()
		if want := longest(p); took != want {
			t.Fatalf("seed %d: critical path takes %s, want %s", seed, took, want)
		}
		var sum time.Duration
		for i, id := range path {
			s := p.Steps[slices.IndexFunc(p.Steps, func(s failover.Step) bool { return s.ID() == id })]
			sum += s.Estimate()
			if i > 0 && !slices.Contains(s.Needs(), path[i-1]) {
				t.Fatalf("seed %d: %s follows %s on the path, but does not need it", seed, id, path[i-1])
			}
		}
		if sum != took {
			t.Fatalf("seed %d: the path's steps take %s together, want %s", seed, sum, took)
		}
	}
}

// FuzzPlanValidate builds any graph out of bytes. A valid plan must have an order that honours every need and writers that
// are ordered; an invalid one must name a fault that is really there.
func FuzzPlanValidate(f *testing.F) {
	f.Add([]byte{3, 0, 1, 1, 2})
	f.Add([]byte{2, 0, 1, 1, 0})
	f.Add([]byte{5, 0, 0, 9, 1, 200, 3})
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) == 0 {
			return
		}
		n := int(data[0])%64 + 1
		needs := make([][]string, n)
		for pair := data[1:]; len(pair) >= 2; pair = pair[2:] {
			i := int(pair[0]) % n
			needs[i] = append(needs[i], strconv.Itoa(int(pair[1])%(n+1))) // n itself is missing
		}
		var fs []failover.StepFuncs
		for i := range n {
			s := step(strconv.Itoa(i), 0, needs[i]...)
			s.Writes = []string{"r" + strconv.Itoa(int(binary.BigEndian.Uint16(append(data, 0, 0)))%(i+1))}
			fs = append(fs, s)
		}
		p := plan(fs...)
		reaches := func(from, to string) bool {
			seen := map[string]bool{}
			for stack := []string{from}; len(stack) > 0; {
				at, _ := strconv.Atoi(stack[len(stack)-1])
				stack = stack[:len(stack)-1]
				if at == n {
					continue
				}
				for _, need := range needs[at] {
					if need == to {
						return true
					}
					if !seen[need] {
						seen[need] = true
						stack = append(stack, need)
					}
				}
			}
			return false
		}

		err := p.Validate()
		if err == nil {
			order := p.Order()
			if len(order) != n {
				t.Fatalf("order %v has not all of %d steps", order, n)
			}
			for i := range n {
				for _, need := range needs[i] {
					if slices.Index(order, need) >= slices.Index(order, strconv.Itoa(i)) || !slices.Contains(order, need) {
						t.Fatalf("order %v has %d before its need %s", order, i, need)
					}
				}
				for j := range i {
					a, b := strconv.Itoa(i), strconv.Itoa(j)
					if fs[i].Writes[0] == fs[j].Writes[0] && !reaches(a, b) && !reaches(b, a) {
						t.Fatalf("%s and %s write %s in no order", a, b, fs[i].Writes[0])
					}
				}
			}
			return
		}
		var pe *failover.PlanError
		if !errors.As(err, &pe) || p.Order() != nil {
			t.Fatalf("error is %v, order of the invalid plan %v", err, p.Order())
		}
		for _, fault := range pe.Faults {
			var (
				missing *failover.MissingNeedError
				cycle   *failover.CycleError
				writers *failover.WritersError
			)
			switch {
			case errors.As(fault, &missing):
				if missing.Need != strconv.Itoa(n) {
					t.Fatalf("%v, but it is in the plan", fault)
				}
			case errors.As(fault, &cycle):
				for i, id := range cycle.Path[1:] {
					at, _ := strconv.Atoi(cycle.Path[i])
					if !slices.Contains(needs[at], id) {
						t.Fatalf("%v, but %d does not need %s", fault, at, id)
					}
				}
				if len(cycle.Path) < 2 || cycle.Path[0] != cycle.Path[len(cycle.Path)-1] {
					t.Fatalf("%v is not closed", fault)
				}
			case errors.As(fault, &writers):
				if reaches(writers.Steps[0], writers.Steps[1]) || reaches(writers.Steps[1], writers.Steps[0]) {
					t.Fatalf("%v, but they are ordered", fault)
				}
			default:
				t.Fatalf("unexpected fault %v", fault)
			}
		}
	})
}

func TestAPlanIsJSON(t *testing.T) {
	t.Parallel()
	fence, move := step("fence", time.Second), step("move", 1500*time.Millisecond, "fence")
	fence.Plane, fence.Writes, fence.API = failover.PlaneMutate, []string{"i-1"}, "ec2"
	move.Plane, move.Blast, move.Timeout, move.Final = failover.PlaneGlobal, failover.BlastRegion, time.Minute, true
	p := plan(fence, move)
	p.Budget = time.Hour
	got, err := json.Marshal(p)
	const want = `{"service":"orders","budget_ms":3600000,"plane":"global","blast":"region","critical_path":["fence","move"],"estimate_ms":2500,"steps":[` +
		`{"id":"fence","plane":"mutate","blast":"zone","estimate_ms":1000,"writes":["i-1"],"api":"ec2"},` +
		`{"id":"move","needs":["fence"],"plane":"global","blast":"region","estimate_ms":1500,"timeout_ms":60000,"final":true}]}`
	if err != nil || string(got) != want {
		t.Errorf("%v\n%s\nwant\n%s", err, got, want)
	}
	if _, err := json.Marshal(failover.Plan{}); !errors.Is(err, failover.ErrInvalidPlan) {
		t.Error(err)
	}
}
