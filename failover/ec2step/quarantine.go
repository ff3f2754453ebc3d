package ec2step

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/internal/awsstep"
)

// QuarantineSpec describes a [Quarantine].
type QuarantineSpec struct {
	ID       string
	Needs    []string
	Estimate time.Duration // default 2 s
	Timeout  time.Duration // zero is the engine's

	Instance      failover.Ref // its ID. Required
	SecurityGroup string       // ID of the group that lets nothing through, of the same VPC. Required
}

// Quarantine returns a step that gives all network interfaces of an instance one security group and no other: one without rules cuts it off.
// It is the fence for an instance that must not be stopped, or that does not stop.
//
// It is a weaker fence than [Fence]. Connections that are tracked may go on after the groups have changed, and what an instance does without the network, such as to
// write to its volumes, it goes on doing; so [Detach] takes no volume away by force after it.
// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/security-group-connection-tracking.html (read 2026-11).
//
// It is done when a read shows that no interface has another group: one that somebody attaches or changes meanwhile is changed as well. What happens to the
// interfaces after that read, or within the lag before it, it does not see.
//
// It costs a DescribeInstances a look and one ModifyNetworkInterfaceAttribute an interface. A late request makes the same change again.
// Undo gives each interface the groups that it had, unless somebody has changed them since.
func Quarantine(api QuarantineAPI, s QuarantineSpec) failover.Step {
	q := &quarantine{api: api, s: s}
	m := awsstep.Mistakes{Needs: s.Needs}
	m.Ref("Instance", s.Instance)
	m.Text("SecurityGroup", s.SecurityGroup)
	return failover.NewStep(failover.StepFuncs{
		ID: s.ID, Needs: s.Needs, Plane: failover.PlaneMutate, Blast: failover.BlastInstance, API: apiEC2, Writes: writes(s.Instance),
		Estimate: awsstep.Default(s.Estimate, 2*time.Second), Timeout: s.Timeout,
		Check: q.check, Do: q.do, Undo: q.undo, Ready: q.ready, Mistakes: m.Err(),
	})
}

type quarantine struct {
	api      QuarantineAPI
	s        QuarantineSpec
	patience awsstep.Patience
}

// groups are the security groups of each interface of the instance, by its ID, and the IDs in order.
func (q *quarantine) groups(ctx context.Context, env *failover.Env) (of map[string][]string, ids []string, err error) {
	id, err := q.s.Instance.Get(env)
	if err != nil {
		return nil, nil, err
	}
	i, err := sharedInstance(ctx, env, q.api, id)
	if err != nil {
		return nil, nil, q.patience.Judge(env, err)
	}
	if i.State.Name == types.InstanceStateNameTerminated {
		return nil, nil, nil
	}
	of = make(map[string][]string)
	for _, n := range i.NetworkInterfaces {
		eni := aws.ToString(n.NetworkInterfaceId)
		for _, g := range n.Groups {
			of[eni] = append(of[eni], aws.ToString(g.GroupId))
		}
		slices.Sort(of[eni])
		ids = append(ids, eni)
	}
	slices.Sort(ids)
	return of, ids, nil
}

func (q *quarantine) check(ctx context.Context, env *failover.Env) (failover.State, error) {
	of, ids, err := q.groups(ctx, env)
	if err != nil {
		return 0, err
	}
	for _, eni := range ids {
		if !slices.Equal(of[eni], []string{q.s.SecurityGroup}) {
			return failover.NotDone, nil
		}
	}
	return failover.Done, nil
}

func (q *quarantine) do(ctx context.Context, env *failover.Env) error {
	of, ids, err := q.groups(ctx, env)
	if err != nil {
		return err
	}
	was := env.Outputs()
	for _, eni := range ids {
		if was[keyWas+" "+eni] == "" {
			env.Put(keyWas+" "+eni, strings.Join(of[eni], ","))
		}
	}
	if err := env.Save(ctx); err != nil {
		return err
	}
	for _, eni := range ids {
		if err := q.change(ctx, env, eni, []string{q.s.SecurityGroup}); err != nil {
			return err
		}
	}
	return failover.ErrInProgress // until a read shows it, and no interface that has come since
}

func (q *quarantine) change(ctx context.Context, env *failover.Env, eni string, groups []string) error {
	_, err := awsstep.Change(ctx, env, "ec2:ModifyNetworkInterfaceAttribute", eni, q.api.ModifyNetworkInterfaceAttribute,
		&ec2.ModifyNetworkInterfaceAttributeInput{NetworkInterfaceId: aws.String(eni), Groups: groups})
	return err
}

func (q *quarantine) undo(ctx context.Context, env *failover.Env) error {
	of, ids, err := q.groups(ctx, env)
	if err != nil {
		return err
	}
	was := env.Outputs()
	for _, eni := range ids {
		before := strings.FieldsFunc(was[keyWas+" "+eni], func(r rune) bool { return r == ',' })
		if len(before) == 0 || !slices.Equal(of[eni], []string{q.s.SecurityGroup}) && !slices.Equal(of[eni], before) {
			continue // a read that is behind shows what was before: only what is neither is somebody else's
		}
		if err := q.change(ctx, env, eni, before); err != nil {
			return err
		}
	}
	return nil
}

func (q *quarantine) ready(ctx context.Context, env *failover.Env) ([]failover.Finding, error) {
	var found []failover.Finding
	out, err := awsstep.Call(ctx, "ec2:DescribeSecurityGroups", q.s.SecurityGroup, q.api.DescribeSecurityGroups,
		&ec2.DescribeSecurityGroupsInput{GroupIds: []string{q.s.SecurityGroup}})
	switch {
	case err != nil:
		found = append(found, failover.Finding{Level: failover.LevelFail, Text: err.Error()})
	case len(out.SecurityGroups) == 1:
		if g := &out.SecurityGroups[0]; len(g.IpPermissions)+len(g.IpPermissionsEgress) > 0 {
			found = append(found, failover.Finding{Level: failover.LevelWarn, Text: q.s.SecurityGroup + " has rules: it lets something through"})
		}
	}
	_, ids, err := q.groups(ctx, env)
	if errors.Is(err, failover.ErrNoValue) {
		return append(found, failover.Finding{Text: "not looked at: " + err.Error()}), nil
	}
	if err != nil {
		return found, err
	}
	for _, eni := range ids {
		_, err := awsstep.Call(ctx, "ec2:ModifyNetworkInterfaceAttribute", eni, q.api.ModifyNetworkInterfaceAttribute,
			&ec2.ModifyNetworkInterfaceAttributeInput{NetworkInterfaceId: aws.String(eni), Groups: []string{q.s.SecurityGroup}, DryRun: aws.Bool(true)})
		found = append(found, failover.DryRun("ec2:ModifyNetworkInterfaceAttribute", eni, err))
	}
	return found, nil
}
