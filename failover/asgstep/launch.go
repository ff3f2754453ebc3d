package asgstep

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/internal/awsstep"
	"github.com/awsha/awsha/internal/awserr"
)

// InstancesKey is the key under which [Launch] puts the IDs of what it has launched, separated by commas. Specs take them as one reference.
const InstancesKey = "instances"

// ErrNoCapacity reports that not all instances could be launched in any of the zones.
var ErrNoCapacity = errors.New("no capacity")

// LaunchSpec describes a [Launch].
type LaunchSpec struct {
	ID       string
	Needs    []string
	Estimate time.Duration // default 10 s
	Timeout  time.Duration // zero is the engine's

	Group string // name. Required
	Count int    // instances to launch, 1 to 100. Required

	// Zones are the IDs of the zones to try, in order, such as "use1-az1". Required.
	Zones []failover.Ref
}

// Launch returns a step that launches instances into a group in zones of its choice, and is done when they are launched: [WaitInService] waits for
// them. It puts InstancesKey. The desired capacity of the group grows by them.
//
// LaunchInstances answers at once what was launched and why the rest was not, so that what a zone refuses is asked of the next one without a pause;
// a group that launches by itself tells that late. How far it has come is in the journal before each request, whose client token is derived from that: after
// a crash the same request is made again, and nothing is launched twice. If the last zone refuses, the error matches ErrNoCapacity, and the next
// execution begins with the first zone again, for what is missing.
//
// It costs one LaunchInstances a zone. Undo terminates what it has launched, and takes it off the desired capacity.
// Source: https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_LaunchInstances.html (read 2026-11).
func Launch(api API, s LaunchSpec) failover.Step {
	l := &launch{api, s}
	m := awsstep.Mistakes{Needs: s.Needs}
	m.Text("Group", s.Group)
	if s.Count < 1 || s.Count > 100 {
		m.Add("Count", s.Count, "must be 1 to 100")
	}
	if len(s.Zones) == 0 {
		m.Add("Zones", len(s.Zones), "zones: must have at least one")
	}
	for i, r := range s.Zones {
		m.Ref(fmt.Sprintf("Zones[%d]", i), r)
	}
	return failover.NewStep(failover.StepFuncs{
		ID: s.ID, Needs: s.Needs, Plane: failover.PlaneCreate, API: apiASG, Writes: []string{s.Group + " capacity"},
		Estimate: awsstep.Default(s.Estimate, 10*time.Second), Timeout: s.Timeout,
		Check: l.check, Do: l.do, Undo: l.undo, Ready: l.ready, Mistakes: m.Err(),
	})
}

type launch struct {
	api API
	s   LaunchSpec
}

// keyNext is under which the journal has which request is made next: its number counts up over all executions.
const keyNext = "next"

func launched(env *failover.Env) []string {
	return strings.FieldsFunc(env.Outputs()[InstancesKey], func(r rune) bool { return r == ',' })
}

func (l *launch) check(_ context.Context, env *failover.Env) (failover.State, error) {
	if len(launched(env)) >= l.s.Count {
		return failover.Done, nil
	}
	return failover.NotDone, nil // the same request again tells what came of it
}

func (l *launch) do(ctx context.Context, env *failover.Env) error {
	var refused []error
	for tries := 0; tries < len(l.s.Zones); {
		next, _ := strconv.Atoi(env.Outputs()[keyNext]) // none is the first
		zone, err := l.s.Zones[next%len(l.s.Zones)].Get(env)
		if err != nil {
			return err
		}
		if env.Outputs()[keyNext] == "" {
			env.Put(keyNext, "0")
			if err := env.Save(ctx); err != nil {
				return err
			}
		}
		out, err := l.ask(ctx, env, zone, next)
		switch awserr.Of(err) {
		case awserr.None:
		case awserr.Burned, awserr.Capacity: // nothing, under this token or in this zone
			out = new(autoscaling.LaunchInstancesOutput)
			refused = append(refused, err)
		case awserr.Quota:
			return failover.Permanent(err)
		default:
			return err
		}
		refused = append(refused, l.take(env, out)...)
		if len(launched(env)) >= l.s.Count {
			return nil
		}
		env.Put(keyNext, strconv.Itoa(next+1))
		if err := env.Save(ctx); err != nil {
			return err
		}
		tries++
	}
	return failover.Permanent(fmt.Errorf("%s: %d of %d launched: %w: %w", l.s.Group, len(launched(env)), l.s.Count, ErrNoCapacity, errors.Join(refused...)))
}

// ask makes one request: for what is missing, in one zone.
func (l *launch) ask(ctx context.Context, env *failover.Env, zone string, n int) (*autoscaling.LaunchInstancesOutput, error) {
	missing := l.s.Count - len(launched(env))
	return awsstep.Change(ctx, env, "autoscaling:LaunchInstances", fmt.Sprintf("%s, %d in %s", l.s.Group, missing, zone), l.api.LaunchInstances,
		&autoscaling.LaunchInstancesInput{
			AutoScalingGroupName: aws.String(l.s.Group), RequestedCapacity: aws.Int32(int32(missing)), AvailabilityZoneIds: []string{zone},
			RetryStrategy: types.RetryStrategyNone, ClientToken: aws.String(env.ClientToken(zone, strconv.Itoa(n), strconv.Itoa(missing))),
		}, once)
}

// take puts what was launched, and returns what was not and why.
func (l *launch) take(env *failover.Env, out *autoscaling.LaunchInstancesOutput) (refused []error) {
	all := launched(env)
	for _, c := range out.Instances {
		all = append(all, c.InstanceIds...)
		env.Note("launched %s in %s", strings.Join(c.InstanceIds, ", "), aws.ToString(c.AvailabilityZoneId))
	}
	env.Put(InstancesKey, strings.Join(all, ","))
	for _, e := range out.Errors {
		err := fmt.Errorf("%s in %s: %s: %s", aws.ToString(e.InstanceType), aws.ToString(e.AvailabilityZoneId), aws.ToString(e.ErrorCode), aws.ToString(e.ErrorMessage))
		env.Note("%v", err)
		refused = append(refused, err)
	}
	return refused
}

func (l *launch) undo(ctx context.Context, env *failover.Env) error {
	g, err := group(ctx, env, l.api, l.s.Group)
	if err != nil {
		return err
	}
	left := false
	for _, id := range launched(env) {
		if i := member(g, id); leaves(i) {
			continue
		}
		left = true
		if err := terminate(ctx, env, l.api, id, true); err != nil {
			return err
		}
	}
	if left {
		env.Note("terminated %s", strings.Join(launched(env), ", "))
	}
	return nil
}

func (l *launch) ready(ctx context.Context, env *failover.Env) ([]failover.Finding, error) {
	g, err := group(ctx, env, l.api, l.s.Group)
	if err != nil {
		return nil, err
	}
	found := groupReady(g)
	if have, most := len(g.Instances), int(aws.ToInt32(g.MaxSize)); have+l.s.Count > most {
		found = append(found, failover.Finding{
			Level: failover.LevelWarn, Text: fmt.Sprintf("%s has %d instances and may have %d: %d more do not fit until some have gone", l.s.Group, have, most, l.s.Count),
		})
	}
	return found, nil
}
