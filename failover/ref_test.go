package failover_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/smithy-go"

	"github.com/awsha/awsha/failover"
)

func TestARefFindsItsString(t *testing.T) {
	t.Parallel()
	env := &failover.Env{
		Inputs: map[string]map[string]string{"launch": {"instance": "i-2"}},
		Facts:  map[string]string{failover.FactTarget: "i-3"},
	}
	for _, c := range []struct {
		ref         failover.Ref
		value, text string
	}{
		{failover.Literal("i-1"), "i-1", "i-1"},
		{failover.Output("launch", "instance"), "i-2", "output instance of step launch"},
		{failover.Fact(failover.FactTarget), "i-3", "fact target"},
		{failover.Output("launch", "zone"), "", "output zone of step launch"},
		{failover.Output("restore", "volume"), "", "output volume of step restore"},
		{failover.Fact("rpo"), "", "fact rpo"},
		{failover.Ref{}, "", ""},
	} {
		value, err := c.ref.Get(env)
		if value != c.value || (err != nil) != (c.value == "") || c.ref.String() != c.text {
			t.Errorf("%q: %q, %v", c.ref, value, err)
		}
		if err != nil && (!errors.Is(err, failover.ErrNoValue) || !strings.Contains(err.Error(), c.text)) {
			t.Errorf("%q: %v", c.ref, err)
		}
	}
}

func TestAPlanTellsTheMistakesOfItsSteps(t *testing.T) {
	t.Parallel()
	needs := []string{"launch"}
	step := failover.NewStep(failover.StepFuncs{
		ID: "attach", Plane: failover.PlaneMutate,
		Mistakes: errors.Join(
			failover.Ref{}.Check("Volume", needs), failover.Literal("").Check("Device", needs), failover.Output("restore", "volume").Check("Source", needs),
			failover.Output("launch", "").Check("Instance", needs), failover.Output("launch", "instance").Check("Fine", needs), failover.Fact("x").Check("Fine", nil),
			errors.New("both of something"),
		),
	})
	err := failover.Plan{Service: "orders", Steps: []failover.Step{step}}.Validate()
	for _, text := range []string{
		`Plan.Steps[0].Volume: "" must be given`, `Plan.Steps[0].Device: "" must be given`,
		`Plan.Steps[0].Source: "output volume of step restore" must be of a step in Needs`,
		`Plan.Steps[0].Instance: "output  of step launch" must have a key`, `step "attach": both of something`,
	} {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%q is not in %v", text, err)
		}
	}
	if strings.Contains(err.Error(), "Fine") {
		t.Error(err)
	}
}

func TestACallErrorNamesItsAction(t *testing.T) {
	t.Parallel()
	denied := &smithy.GenericAPIError{Code: "UnauthorizedOperation", Message: "You are not authorized"}
	err := error(&failover.CallError{Action: "ec2:AttachVolume", Resource: "vol-1 to i-1", Err: denied})
	if !errors.Is(err, failover.ErrDenied) || !strings.HasPrefix(err.Error(), "ec2:AttachVolume vol-1 to i-1: api error UnauthorizedOperation") {
		t.Error(err)
	}
	err = &failover.CallError{Action: "ec2:AttachVolume", Err: context.Canceled}
	if errors.Is(err, failover.ErrDenied) || !errors.Is(err, context.Canceled) || err.Error() != "ec2:AttachVolume: context canceled" {
		t.Error(err)
	}
	for code, level := range map[string]failover.Level{
		"DryRunOperation": failover.LevelPass, "UnauthorizedOperation": failover.LevelFail, "RequestLimitExceeded": failover.LevelWarn,
		"InvalidVolume.NotFound": failover.LevelFail,
	} {
		if f := failover.DryRun("ec2:AttachVolume", "vol-1", &smithy.GenericAPIError{Code: code}); f.Level != level || !strings.Contains(f.Text, "ec2:AttachVolume vol-1") {
			t.Errorf("%s: %+v", code, f)
		}
	}
	if f := failover.DryRun("ec2:AttachVolume", "vol-1", nil); f.Level != failover.LevelFail {
		t.Errorf("%+v", f)
	}
}
