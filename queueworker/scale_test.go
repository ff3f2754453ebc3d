package queueworker_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/queueworker"
)

const day = 24 * time.Hour

// busy is an input of which an instance may have 600 visible messages: 60 s / 1 s × 10.
func busy(change func(*queueworker.ScaleInput)) queueworker.ScaleInput {
	in := queueworker.ScaleInput{MeanHandler: time.Second, Concurrency: 10, Instances: 4, TargetLatency: time.Minute, Max: 50}
	change(&in)
	return in
}

func TestPlan(t *testing.T) {
	t.Parallel()
	type input = queueworker.ScaleInput
	tests := []struct {
		name    string
		change  func(*input)
		desired int
		floor   int
		reason  string
	}{
		{"an idle queue needs nobody", func(*input) {}, 0, 0, "nothing to do"},
		{"one message needs one instance", func(in *input) { in.Visible = 1 }, 1, 0, "1 visible"},
		{"the backlog of an instance is just acceptable", func(in *input) { in.Visible = 600 }, 1, 0, "may have 600"},
		{"one message more needs one instance more", func(in *input) { in.Visible = 601 }, 2, 0, "601 visible"},
		{"arrivals need their slots without any backlog", func(in *input) { in.ArrivalRate = 25 }, 3, 0, "25 messages arrive"},
		{"the larger of backlog and arrivals counts, not the sum", func(in *input) { in.ArrivalRate, in.Visible = 25, 3000 }, 5, 0, "3000 visible"},
		{"messages in flight keep their instances", func(in *input) { in.InFlight = 21 }, 3, 3, "21 messages are in flight"},
		{"messages in flight add no instances", func(in *input) { in.InFlight = 1000 }, 4, 4, "in flight"},
		{"messages in flight start nothing", func(in *input) { in.InFlight, in.Instances = 1000, 0 }, 0, 0, "nothing to do"},
		{"delayed messages keep the last instance", func(in *input) { in.Delayed = 5 }, 1, 0, "the last instance stays"},
		{"delayed messages start nothing", func(in *input) { in.Delayed, in.Instances = 5, 0 }, 0, 0, "nothing to do"},
		{"an old message stops scaling in", func(in *input) { in.OldestAge = time.Minute + 1 }, 4, 0, "nothing is scaled in"},
		{"an old message adds no instances", func(in *input) { in.Visible, in.OldestAge = 1, day }, 4, 0, "nothing is scaled in"},
		{"a message of the target age stops nothing", func(in *input) { in.OldestAge = time.Minute }, 0, 0, "nothing to do"},
		{"the minimum holds", func(in *input) { in.Min = 2 }, 2, 0, "the least that is allowed"},
		{"the maximum holds", func(in *input) { in.Visible = math.MaxInt }, 50, 0, "the most that is allowed"},
		{"the maximum holds over messages in flight", func(in *input) { in.InFlight, in.Max = 40, 2 }, 2, 4, "the most that is allowed"},
		{"without a mean all stays as it is", func(in *input) { in.MeanHandler, in.Visible = 0, 100_000 }, 4, 0, "as it is"},
		{"without a mean one instance finds out", func(in *input) { in.MeanHandler, in.Visible, in.Instances = 0, 9, 0 }, 1, 0, "one instance finds out"},
		{"without a mean and a message nobody starts", func(in *input) { in.MeanHandler, in.Instances = 0, 0 }, 0, 0, "nothing to do"},
		{"a handler beyond the target latency: a slot for each message in time",
			func(in *input) { in.MeanHandler, in.Visible = 2*time.Minute, 10 }, 2, 0, "10 visible"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h, err := queueworker.Plan(busy(tt.change))
			if err != nil {
				t.Fatal(err)
			}
			if h.Desired != tt.desired || h.Floor != tt.floor || !strings.Contains(h.Reason, tt.reason) {
				t.Errorf("%+v; want %d, floor %d, %q", h, tt.desired, tt.floor, tt.reason)
			}
		})
	}
}

func TestPlanTellsOfBacklogAndWait(t *testing.T) {
	t.Parallel()
	got, err := queueworker.Plan(busy(func(in *queueworker.ScaleInput) { in.Visible = 3000 }))
	want := queueworker.ScaleHint{
		Desired: 5, BacklogPerInstance: 750, AcceptableBacklog: 600, ExpectedWait: time.Minute,
		Reason: "3000 visible messages, of which an instance may have 600",
	}
	if err != nil || got != want {
		t.Errorf("%v\n%s", err, cmp.Diff(want, got))
	}
}

func TestPlanWarnsOfDataAboutToBeLost(t *testing.T) {
	t.Parallel()
	type input = queueworker.ScaleInput
	tests := []struct {
		name   string
		change func(*input)
		atRisk bool
		lossIn time.Duration
	}{
		{"no age, no warning", func(*input) {}, false, 0},
		{"just below half of the default retention", func(in *input) { in.OldestAge = 2*day - 1 }, false, 2*day + 1},
		{"half of the default retention", func(in *input) { in.OldestAge = 2 * day }, true, 2 * day},
		{"two days of fourteen are no risk", func(in *input) { in.OldestAge, in.Retention = 2*day, 14*day }, false, 12 * day},
		{"beyond the retention nothing is left", func(in *input) { in.OldestAge, in.Retention = 2*time.Minute, time.Minute }, true, 0},
		{"a backlog that takes half of the retention", func(in *input) { in.Visible, in.Max, in.Retention = 10*1800, 1, time.Hour }, true, 0},
		{"a backlog that takes less", func(in *input) { in.Visible, in.Max, in.Retention = 10*1799, 1, time.Hour }, false, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h, err := queueworker.Plan(busy(tt.change))
			if err != nil {
				t.Fatal(err)
			}
			if h.AtRisk != tt.atRisk || h.LossIn != tt.lossIn || strings.Contains(h.Reason, "data is about to be lost") != tt.atRisk {
				t.Errorf("%+v; want at risk %v, loss in %v", h, tt.atRisk, tt.lossIn)
			}
		})
	}
}

// A wait that no Duration holds is a very long one, and not one in the past.
func TestPlanBoundsTheExpectedWait(t *testing.T) {
	t.Parallel()
	for _, mean := range []time.Duration{time.Second, time.Hour, math.MaxInt64} {
		h, err := queueworker.Plan(busy(func(in *queueworker.ScaleInput) { in.Visible, in.MeanHandler, in.Max = math.MaxInt, mean, 1 }))
		if err != nil || h.ExpectedWait < 140*365*day || !h.AtRisk || h.Desired != 1 {
			t.Errorf("%v a message: %+v, %v", mean, h, err)
		}
	}
}

func TestPlanRefusesBadInputs(t *testing.T) {
	t.Parallel()
	type input = queueworker.ScaleInput
	tests := []struct {
		field  string
		change func(*input)
	}{
		{"Visible", func(in *input) { in.Visible = -1 }},
		{"InFlight", func(in *input) { in.InFlight = -1 }},
		{"Delayed", func(in *input) { in.Delayed = -1 }},
		{"Instances", func(in *input) { in.Instances = -1 }},
		{"Instances", func(in *input) { in.Instances = 1_000_001 }},
		{"OldestAge", func(in *input) { in.OldestAge = -1 }},
		{"Retention", func(in *input) { in.Retention = time.Minute - 1 }},
		{"Retention", func(in *input) { in.Retention = 14*day + 1 }},
		{"ArrivalRate", func(in *input) { in.ArrivalRate = -0.1 }},
		{"ArrivalRate", func(in *input) { in.ArrivalRate = math.NaN() }},
		{"ArrivalRate", func(in *input) { in.ArrivalRate = math.Inf(1) }},
		{"MeanHandler", func(in *input) { in.MeanHandler = -1 }},
		{"Concurrency", func(in *input) { in.Concurrency = 0 }},
		{"TargetLatency", func(in *input) { in.TargetLatency = 0 }},
		{"Max", func(in *input) { in.Max = 0 }},
		{"Max", func(in *input) { in.Max = 1_000_001 }},
		{"Min", func(in *input) { in.Min = -1 }},
		{"Min", func(in *input) { in.Min = 51 }},
	}
	for _, tt := range tests {
		h, err := queueworker.Plan(busy(tt.change))
		var field *queueworker.FieldError
		if !errors.As(err, &field) || field.Field != "ScaleInput."+tt.field || h != (queueworker.ScaleHint{}) {
			t.Errorf("%s: %+v, %v", tt.field, h, err)
		}
	}
	_, err := queueworker.Plan(queueworker.ScaleInput{Visible: -1})
	for _, field := range []string{"Visible", "Concurrency", "TargetLatency", "Max"} {
		if err == nil || !strings.Contains(err.Error(), "ScaleInput."+field) {
			t.Errorf("%s is not told of: %v", field, err)
		}
	}
}

// What holds of every input: the bounds, the floor, and that more of anything never asks for less.
func TestPlanProperties(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	some := func(n int) int { return r.IntN(n) * r.IntN(2) } // zero in half of the cases
	plan := func(in queueworker.ScaleInput) queueworker.ScaleHint {
		h, err := queueworker.Plan(in)
		if err != nil {
			t.Fatalf("seed %d: %+v: %v", seed, in, err)
		}
		return h
	}
	for range 20_000 {
		in := queueworker.ScaleInput{
			Visible: some(100_000), InFlight: some(5000), Delayed: some(100), OldestAge: time.Duration(some(int(5 * day))),
			ArrivalRate: float64(some(1000)), MeanHandler: time.Duration(some(int(10 * time.Minute))), Concurrency: 1 + r.IntN(200),
			Instances: some(100), TargetLatency: 1 + time.Duration(r.IntN(int(time.Hour))), Min: some(5), Max: 5 + r.IntN(200),
		}
		h := plan(in)
		busy := (in.InFlight + in.Concurrency - 1) / in.Concurrency
		switch {
		case h.Desired < in.Min || h.Desired > in.Max:
			t.Fatalf("seed %d: out of bounds: %+v: %+v", seed, in, h)
		case h.Desired < min(in.Instances, busy, in.Max):
			t.Fatalf("seed %d: below what is in flight: %+v: %+v", seed, in, h)
		case in.Visible > 0 && h.Desired == 0:
			t.Fatalf("seed %d: nobody for the messages: %+v: %+v", seed, in, h)
		case in.MeanHandler > 0 && h.Desired < in.Max && h.ExpectedWait > in.TargetLatency+in.MeanHandler:
			t.Fatalf("seed %d: beyond the target: %+v: %+v", seed, in, h)
		case h.Reason == "":
			t.Fatalf("seed %d: no reason: %+v: %+v", seed, in, h)
		}
		more := map[string]queueworker.ScaleInput{}
		for name, change := range map[string]func(*queueworker.ScaleInput){
			"visible": func(in *queueworker.ScaleInput) { in.Visible += 1 + r.IntN(1000) },
			"flight":  func(in *queueworker.ScaleInput) { in.InFlight += 1 + r.IntN(1000) },
			"delayed": func(in *queueworker.ScaleInput) { in.Delayed++ },
			"age":     func(in *queueworker.ScaleInput) { in.OldestAge += time.Duration(r.IntN(int(day))) },
			"rate":    func(in *queueworker.ScaleInput) { in.ArrivalRate += r.Float64() * 100 },
			"min":     func(in *queueworker.ScaleInput) { in.Min = min(in.Min+1, in.Max) },
			"max":     func(in *queueworker.ScaleInput) { in.Max++ },
			"mean": func(in *queueworker.ScaleInput) {
				if in.MeanHandler > 0 { // from not known to known is another rule
					in.MeanHandler += time.Duration(r.IntN(int(time.Minute)))
				}
			},
		} {
			next := in
			change(&next)
			more[name] = next
		}
		for name, next := range more {
			if got := plan(next); got.Desired < h.Desired {
				t.Fatalf("seed %d: more %s, fewer instances: %+v: %+v; %+v", seed, name, in, h, got)
			}
		}
	}
}

func ExamplePlan() {
	hint, err := queueworker.Plan(queueworker.ScaleInput{
		Visible: 9000, InFlight: 40, Instances: 4, Concurrency: 10,
		MeanHandler: 200 * time.Millisecond, TargetLatency: 30 * time.Second, Max: 20,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(hint.Desired, "instances:", hint.Reason)
	fmt.Println("the last message waits for", hint.ExpectedWait)
	// Output:
	// 6 instances: 9000 visible messages, of which an instance may have 1500
	// the last message waits for 30s
}
