package queueworker

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// How long a queue keeps a message: by default, and the limits of the attribute MessageRetentionPeriod.
//
// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html (read 2026-11)
const (
	defaultRetention = 4 * 24 * time.Hour
	minRetention     = time.Minute
	maxRetention     = 14 * 24 * time.Hour
)

const maxInstances = 1_000_000

// longestWait bounds ScaleHint.ExpectedWait, in nanoseconds: a float beyond the largest integer converts to anything.
const longestWait = math.MaxInt64 / 2

// ScaleInput is what Plan decides by: a queue, its workers, and what is asked of them. The numbers of SQS are approximate.
type ScaleInput struct {
	// Visible messages wait to be received.
	Visible int
	// InFlight messages are received and not deleted. Those that wait for a retry are among them: SQS does not tell them apart.
	InFlight int
	// Delayed messages cannot be received yet. They are no backlog; they keep the last instance.
	Delayed int
	// OldestAge is the age of the oldest message, which only CloudWatch tells. Zero: not known.
	OldestAge time.Duration
	// Retention is how long the queue keeps a message, from a minute to 14 days. Zero means the default of SQS, 4 days.
	Retention time.Duration
	// ArrivalRate is the messages sent a second. Zero: none, or not known.
	ArrivalRate float64

	// MeanHandler is how long a handler takes, see Stats.MeanHandler. Zero: not known, as before the first message.
	MeanHandler time.Duration
	// Concurrency is the handlers that an instance runs at a time, at least 1.
	Concurrency int
	// Instances run now.
	Instances int

	// TargetLatency is how long a message may wait for its handler. It is required.
	TargetLatency time.Duration
	// Min and Max bound ScaleHint.Desired. Zero for Min allows to scale in to nothing. Max is required, from 1 to a million.
	Min, Max int
}

// ScaleHint is what Plan advises, and why.
type ScaleHint struct {
	// Desired is the number of instances, from ScaleInput.Min to ScaleInput.Max.
	Desired int `json:"desired"`
	// Floor is the instances that are to stay since messages are in flight; at most ScaleInput.Instances.
	Floor int `json:"floor"`
	// BacklogPerInstance is the visible messages by instance; with no instance, all of them.
	BacklogPerInstance float64 `json:"backlogPerInstance"`
	// AcceptableBacklog is the largest BacklogPerInstance that keeps the target latency: the target value of a target-tracking
	// policy. Zero: not known, for want of a mean handler time.
	AcceptableBacklog float64 `json:"acceptableBacklog"`
	// ExpectedWait is how long the last visible message will wait with Desired instances; what is beyond 146 years is told as that.
	// Zero: no time, or not known.
	ExpectedWait time.Duration `json:"expectedWaitNanos"`
	// OldestAge is the age of the oldest message, as it was given. Zero: not known.
	OldestAge time.Duration `json:"oldestAgeNanos"`
	// LossIn is the time after which SQS throws the oldest message away, at the least zero. It means something only if OldestAge is
	// known.
	LossIn time.Duration `json:"lossInNanos"`
	// AtRisk: data is about to be lost. The oldest message has used up half of the retention, or the last one will have.
	AtRisk bool `json:"atRisk"`
	// Reason tells in words what decided, and warns if AtRisk.
	Reason string `json:"reason"`
}

// Plan tells how many instances a queue needs. It is a pure function.
//
// Desired is the largest of
//   - the visible messages by AcceptableBacklog, which is TargetLatency / MeanHandler × Concurrency,
//   - what the arrivals keep busy, ArrivalRate × MeanHandler / Concurrency,
//   - and Floor, the instances whose handlers are at work as far as the queue knows,
//
// kept between Min and Max, which hold whatever else is said. Desired never falls as a count, the rate, the age or a known mean rises.
// There is at least one instance if messages are visible, and the last one stays while messages are delayed.
//
// While the oldest message is older than TargetLatency nothing is scaled in. The age never adds instances by itself: one message that
// always fails is old, and more workers do not help it. A FIFO queue has no use for more slots than it has message groups, of which
// Plan does not know: Max is the place for that.
//
// While MeanHandler is not known, the instances stay as they are, and there is one if messages are visible or arrive.
//
// Every mistake of the input is a *FieldError of the error; the hint is then zero.
func Plan(in ScaleInput) (ScaleHint, error) {
	if err := in.validate(); err != nil {
		return ScaleHint{}, err
	}
	orDefault(&in.Retention, defaultRetention)
	slots := float64(in.Concurrency)
	h := ScaleHint{
		Floor:              min(in.Instances, atLeast(float64(in.InFlight)/slots)),
		BacklogPerInstance: float64(in.Visible) / float64(max(in.Instances, 1)),
		OldestAge:          in.OldestAge,
	}
	desired, why := 0, "nothing to do"
	raise := func(n int, reason string) {
		if n > desired {
			desired, why = n, reason
		}
	}
	if in.MeanHandler > 0 {
		h.AcceptableBacklog = float64(in.TargetLatency) / float64(in.MeanHandler) * slots
		raise(atLeast(float64(in.Visible)/h.AcceptableBacklog), fmt.Sprintf("%d visible messages, of which an instance may have %.4g", in.Visible, h.AcceptableBacklog))
		raise(atLeast(in.ArrivalRate*in.MeanHandler.Seconds()/slots), fmt.Sprintf("%.4g messages arrive a second", in.ArrivalRate))
	} else {
		raise(in.Instances, "the time of a handler is not known: as it is")
		if in.Visible > 0 || in.ArrivalRate > 0 {
			raise(1, "the time of a handler is not known: one instance finds out")
		}
	}
	raise(h.Floor, fmt.Sprintf("%d messages are in flight", in.InFlight))
	if in.Delayed > 0 {
		raise(min(in.Instances, 1), fmt.Sprintf("%d messages are delayed: the last instance stays", in.Delayed))
	}
	if in.OldestAge > in.TargetLatency {
		raise(in.Instances, fmt.Sprintf("the oldest message has waited for %v: nothing is scaled in", in.OldestAge))
	}
	raise(in.Min, "the least that is allowed")
	if desired > in.Max {
		desired, why = in.Max, why+"; the most that is allowed"
	}
	h.Desired = desired
	h.Reason = why
	h.risk(in)
	return h, nil
}

// risk holds what is known of time against the retention.
func (h *ScaleHint) risk(in ScaleInput) {
	var warnings []string
	if in.OldestAge > 0 {
		h.LossIn = max(0, in.Retention-in.OldestAge)
		if in.OldestAge >= in.Retention/2 {
			warnings = append(warnings, fmt.Sprintf("the oldest message is lost in %v, after the retention of %v", h.LossIn, in.Retention))
		}
	}
	if in.MeanHandler > 0 && in.Visible > 0 && h.Desired > 0 {
		wait := float64(in.Visible) * float64(in.MeanHandler) / (float64(in.Concurrency) * float64(h.Desired))
		h.ExpectedWait = time.Duration(min(wait, longestWait))
		if h.ExpectedWait >= in.Retention/2 {
			warnings = append(warnings, fmt.Sprintf("the backlog takes %v, of a retention of %v", h.ExpectedWait, in.Retention))
		}
	}
	if h.AtRisk = len(warnings) > 0; h.AtRisk {
		h.Reason += "; data is about to be lost: " + strings.Join(warnings, ", ")
	}
}

func (in ScaleInput) validate() error {
	var m mistakes
	for _, f := range []struct {
		name string
		n    int
	}{{"Visible", in.Visible}, {"InFlight", in.InFlight}, {"Delayed", in.Delayed}, {"Instances", in.Instances}, {"Min", in.Min}} {
		m.require(f.n >= 0, "ScaleInput."+f.name, f.n, "must not be negative")
	}
	m.require(in.Instances <= maxInstances, "ScaleInput.Instances", in.Instances, "must be at most 1000000")
	m.require(in.OldestAge >= 0, "ScaleInput.OldestAge", in.OldestAge, "must not be negative")
	m.require(in.Retention == 0 || in.Retention >= minRetention && in.Retention <= maxRetention,
		"ScaleInput.Retention", in.Retention, "must be from a minute to 14 days")
	m.require(in.ArrivalRate >= 0 && !math.IsInf(in.ArrivalRate, 1), "ScaleInput.ArrivalRate", in.ArrivalRate, "must be a number, and not negative")
	m.require(in.MeanHandler >= 0, "ScaleInput.MeanHandler", in.MeanHandler, "must not be negative")
	m.require(in.Concurrency >= 1, "ScaleInput.Concurrency", in.Concurrency, "must be at least 1")
	m.require(in.TargetLatency > 0, "ScaleInput.TargetLatency", in.TargetLatency, "must be positive")
	m.require(in.Max >= 1 && in.Max <= maxInstances, "ScaleInput.Max", in.Max, "must be from 1 to 1000000")
	m.require(in.Min <= in.Max || in.Max < 1, "ScaleInput.Min", in.Min, "must be at most Max")
	return m.err()
}

// atLeast rounds up. What lies beyond any Max is a number just beyond it, which an int holds.
func atLeast(x float64) int { return int(min(math.Ceil(x), maxInstances+1)) }
