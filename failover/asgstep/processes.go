package asgstep

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/internal/awsstep"
)

// SuspendSpec describes a [Suspend].
type SuspendSpec struct {
	ID       string
	Needs    []string
	Estimate time.Duration // default 1 s
	Timeout  time.Duration // zero is the engine's

	Group string // name. Required

	// Processes are those to suspend. Default AZRebalance and ReplaceUnhealthy: the two that undo by themselves what a plan does.
	// Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-suspend-resume-processes.html (read 2026-11).
	Processes []string
}

// SuspendedKey is the key under which [Suspend] puts what it has suspended, separated by commas; [Resume] reads it.
const SuspendedKey = "suspended"

// Suspend returns a step that suspends processes of a group, and is done when the group shows them as suspended. It puts SuspendedKey, with those that
// were not suspended before: what somebody else has suspended stays so when this is over.
//
// Put a [Resume] into the plan that needs all that needs this. It costs a DescribeAutoScalingGroups a look and one SuspendProcesses. A late
// request suspends them again. Undo resumes those that the step has suspended.
func Suspend(api API, s SuspendSpec) failover.Step {
	if len(s.Processes) == 0 {
		s.Processes = []string{"AZRebalance", "ReplaceUnhealthy"}
	}
	p := &suspend{api, s}
	m := awsstep.Mistakes{Needs: s.Needs}
	m.Text("Group", s.Group)
	m.Some("Processes", s.Processes)
	return failover.NewStep(failover.StepFuncs{
		ID: s.ID, Needs: s.Needs, Plane: failover.PlaneMutate, API: apiASG, Writes: []string{s.Group + " processes"},
		Estimate: awsstep.Default(s.Estimate, time.Second), Timeout: s.Timeout,
		Check: p.check, Do: p.do, Undo: p.undo, Ready: ready(api, s.Group), Mistakes: m.Err(),
	})
}

type suspend struct {
	api API
	s   SuspendSpec
}

// running returns the processes of some that are not suspended.
func running(g *types.AutoScalingGroup, some []string) []string {
	return slices.DeleteFunc(slices.Clone(some), func(name string) bool {
		return slices.ContainsFunc(g.SuspendedProcesses, func(p types.SuspendedProcess) bool { return aws.ToString(p.ProcessName) == name })
	})
}

func (p *suspend) check(ctx context.Context, env *failover.Env) (failover.State, error) {
	g, err := group(ctx, env, p.api, p.s.Group)
	switch {
	case err != nil:
		return 0, err
	case len(running(g, p.s.Processes)) == 0:
		return failover.Done, nil
	}
	return failover.NotDone, nil
}

func (p *suspend) do(ctx context.Context, env *failover.Env) error {
	if env.Outputs()[SuspendedKey] == "" {
		g, err := group(ctx, env, p.api, p.s.Group)
		if err != nil {
			return err
		}
		env.Put(SuspendedKey, strings.Join(running(g, p.s.Processes), ","))
		if err := env.Save(ctx); err != nil {
			return err
		}
	}
	_, err := awsstep.Change(ctx, env, "autoscaling:SuspendProcesses", p.s.Group, p.api.SuspendProcesses,
		&autoscaling.SuspendProcessesInput{AutoScalingGroupName: aws.String(p.s.Group), ScalingProcesses: p.s.Processes})
	return err
}

func (p *suspend) undo(ctx context.Context, env *failover.Env) error {
	return resume(ctx, env, p.api, p.s.Group, env.Outputs()[SuspendedKey])
}

// resume resumes processes that are separated by commas; none is none, where Auto Scaling would resume all.
func resume(ctx context.Context, env *failover.Env, api API, name, processes string) error {
	if processes == "" {
		return nil
	}
	_, err := awsstep.Change(ctx, env, "autoscaling:ResumeProcesses", name, api.ResumeProcesses,
		&autoscaling.ResumeProcessesInput{AutoScalingGroupName: aws.String(name), ScalingProcesses: strings.Split(processes, ",")})
	return err
}

// ready tells what the group is like.
func ready(api API, name string) func(context.Context, *failover.Env) ([]failover.Finding, error) {
	return func(ctx context.Context, env *failover.Env) ([]failover.Finding, error) {
		g, err := group(ctx, env, api, name)
		if err != nil {
			return nil, err
		}
		return groupReady(g), nil
	}
}

// ResumeSpec describes a [Resume].
type ResumeSpec struct {
	ID       string
	Needs    []string      // the Suspend, and all that has to be over before
	Estimate time.Duration // default 1 s
	Timeout  time.Duration // zero is the engine's

	Group     string // name. Required
	Suspended string // ID of the [Suspend] whose processes are to go on, which must be in Needs. Required
}

// Resume returns a step that resumes exactly what a [Suspend] has suspended. It is a [failover.Finalizer]: it starts when what it needs has ended, also
// if that has failed, so that no group stays without its processes; whoever resumes the incident after a crash makes up for it.
//
// It costs one ResumeProcesses, which may be repeated. Undo has nothing to take back.
func Resume(api API, s ResumeSpec) failover.Step {
	r := &resumption{api, s}
	m := awsstep.Mistakes{Needs: s.Needs}
	m.Text("Group", s.Group)
	if !slices.Contains(s.Needs, s.Suspended) {
		m.Add("Suspended", s.Suspended, "must be a step in Needs")
	}
	return failover.NewStep(failover.StepFuncs{
		ID: s.ID, Needs: s.Needs, Plane: failover.PlaneMutate, API: apiASG, Writes: []string{s.Group + " processes"}, Final: true,
		Estimate: awsstep.Default(s.Estimate, time.Second), Timeout: s.Timeout,
		Check: r.check, Do: r.do, Undo: func(context.Context, *failover.Env) error { return nil }, Mistakes: m.Err(),
	})
}

type resumption struct {
	api API
	s   ResumeSpec
}

// check does not read: one that is behind would show the group as it was before the processes were suspended, and leave it without them for good. To
// resume what goes on does no harm.
func (r *resumption) check(_ context.Context, env *failover.Env) (failover.State, error) {
	if env.Inputs[r.s.Suspended][SuspendedKey] == "" {
		return failover.Done, nil
	}
	return failover.NotDone, nil
}

func (r *resumption) do(ctx context.Context, env *failover.Env) error {
	return resume(ctx, env, r.api, r.s.Group, env.Inputs[r.s.Suspended][SuspendedKey])
}
