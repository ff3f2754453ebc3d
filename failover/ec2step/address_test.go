package ec2step_test

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/eip"
	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/ec2step"
	"github.com/awsha/awsha/failover/internal/steptest"
)

// traveller is an address on the first of three instances.
type traveller struct{ from, to, stranger, address string }

func (a *traveller) prepare(w *steptest.World) {
	a.from, a.to, a.stranger = launch(w, zoneA), launch(w, zoneB), launch(w, zoneB)
	out, err := admin(w).AllocateAddress(w.Context(), &ec2.AllocateAddressInput{})
	if err != nil {
		w.Fatal(err)
	}
	a.address = *out.AllocationId
	a.give(w, a.from)
}

func (a *traveller) give(w *steptest.World, id string) {
	w.Helper()
	_, err := admin(w).AssociateAddress(context.WithoutCancel(w.Context()), &ec2.AssociateAddressInput{AllocationId: &a.address, InstanceId: &id, AllowReassociation: new(true)})
	if err != nil {
		w.Error(err)
	}
}

func (a *traveller) on(w *steptest.World, want string) {
	w.Helper()
	out, err := admin(w).DescribeAddresses(w.Context(), &ec2.DescribeAddressesInput{AllocationIds: []string{a.address}})
	if err != nil {
		w.Fatal(err)
	}
	got := ""
	if id := out.Addresses[0].InstanceId; id != nil {
		got = *id
	}
	if got != want {
		w.Errorf("the address is on %q, want %q", got, want)
	}
}

func (a *traveller) plan(edit ...func(*ec2step.AddressSpec)) steptest.Plan {
	return only(func(api *ec2.Client) failover.Step {
		s := ec2step.AddressSpec{ID: "move", AllocationID: a.address, From: failover.Literal(a.from), To: failover.Literal(a.to)}
		for _, fn := range edit {
			fn(&s)
		}
		return ec2step.MoveAddress(api, s)
	})
}

func (a *traveller) scenario(edit ...func(*ec2step.AddressSpec)) steptest.Scenario {
	return steptest.Scenario{
		Services: services, Prepare: a.prepare,
		Plan:   func(w *steptest.World, cfg awsConfig) failover.Plan { return a.plan(edit...)(w, cfg) },
		Verify: func(w *steptest.World) { a.on(w, a.to) },
	}
}

func lease(s *ec2step.AddressSpec) { s.Guard = eip.GuardLease }

func TestAnAddressMovesThereAndBack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edit         func(*ec2step.AddressSpec)
		disassociate int
	}{
		"strict": {func(*ec2step.AddressSpec) {}, 1},
		"lease":  {lease, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var a traveller
			steptest.Run(t, services, func(w *steptest.World) {
				a.prepare(w)
				if _, err := w.Execute(a.plan(c.edit)); err != nil {
					w.Fatal(err)
				}
				a.on(w, a.to)
				wantCalls(w, "AssociateAddress", 1)
				wantCalls(w, "DisassociateAddress", c.disassociate)
				if err := w.RollBack(a.plan(c.edit)); err != nil {
					w.Fatal(err)
				}
				a.on(w, a.from)
			})
		})
	}
}

func TestAnAddressMovesWhileControllersDie(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(func() steptest.Scenario { return new(traveller).scenario() }).KilledAtEachCall(t, 5)
}

func TestAnAddressMovesUnderALeaseWhileControllersDie(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(func() steptest.Scenario { return new(traveller).scenario(lease) }).KilledAtEachCall(t, 4)
}

func TestAnAddressMovesBackWhileControllersDie(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(func() steptest.Scenario {
		a := new(traveller)
		s := a.scenario()
		s.RollBack, s.Verify = true, func(w *steptest.World) { a.on(w, a.from) }
		return s
	}).KilledAtEachCall(t, 4)
}

func TestAnAddressMovesWhileReadsAreBehind(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(func() steptest.Scenario { return new(traveller).scenario() }).Stale(t)
}

func TestCodesOfAddresses(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(func() steptest.Scenario { return new(traveller).scenario(lease) }).Codes(t, ec2.ServiceID, "AssociateAddress", []steptest.Code{
		{Code: "RequestLimitExceeded", Status: 503, Want: steptest.Retried},
		{Code: "Unavailable", Status: 503, Want: steptest.Retried},
		{Code: "InternalError", Status: 500, Want: steptest.Retried},
		{Code: "InvalidInstanceID", Message: "The pending instance 'i-1' is not in a valid state for this operation.", Want: steptest.Retried},
		{Code: "InvalidInstanceID", Message: "The terminated instance 'i-1' is not in a valid state for this operation.", Want: steptest.Permanent},
		{Code: "UnauthorizedOperation", Status: 403, Want: steptest.Permanent},
		{Code: "InvalidParameterCombination", Want: steptest.Permanent},
	})
}

// TestAnAddressThatSomebodyElseHasIsLeftToIt gives the address to a third instance before the step, and while it is under way.
func TestAnAddressThatSomebodyElseHasIsLeftToIt(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"", "DescribeAddresses", "DisassociateAddress"} {
		t.Run("before "+operation, func(t *testing.T) {
			t.Parallel()
			var a traveller
			steptest.Run(t, services, func(w *steptest.World) {
				a.prepare(w)
				if operation == "" {
					a.give(w, a.stranger)
				} else {
					w.Inject(awstest.Match{Service: ec2.ServiceID, Operation: operation, Times: 1},
						awstest.Before(func(context.Context, awstest.Record) { a.give(w, a.stranger) }))
				}
				_, err := w.Execute(a.plan())
				if err == nil {
					w.Error("no error")
				}
				a.on(w, a.stranger)
				_, applied := w.Calls("AssociateAddress")
				if applied != 0 {
					w.Errorf("%d associations", applied)
				}
			})
		})
	}
}

func TestReadyOfAnAddress(t *testing.T) {
	t.Parallel()
	var a traveller
	steptest.Run(t, services, func(w *steptest.World) {
		a.prepare(w)
		for name, edit := range map[string]func(*ec2step.AddressSpec){"strict": func(*ec2step.AddressSpec) {}, "lease": lease} {
			if r := w.Ready(a.plan(edit), nil); r.Level != failover.LevelPass {
				w.Errorf("%s: %v", name, r)
			}
		}
		r := w.Ready(a.plan(func(s *ec2step.AddressSpec) { s.To = failover.Fact(failover.FactTarget) }), map[string]string{failover.FactTarget: "i-0123456789abcdef0"})
		if r.Level != failover.LevelFail || !strings.Contains(r.String(), "i-0123456789abcdef0") {
			w.Error(r)
		}
		w.Inject(awstest.Match{Service: ec2.ServiceID, Operation: "AssociateAddress"}, awstest.Deny())
		if r := w.Ready(a.plan(), nil); r.Level != failover.LevelFail || !strings.Contains(r.String(), "ec2:AssociateAddress") {
			w.Error(r)
		}
		a.on(w, a.from)
	})
}

func TestMistakesInAddresses(t *testing.T) {
	t.Parallel()
	p := failover.Plan{Service: "orders", Steps: []failover.Step{
		ec2step.MoveAddress(nil, ec2step.AddressSpec{ID: "move"}, func(o *eip.Options) { o.CallTimeout = -1 }),
	}}
	err := p.Validate()
	for _, text := range []string{"Steps[0].AllocationID", "Steps[0].From", "Steps[0].To", "CallTimeout"} {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%s is not in %v", text, err)
		}
	}
}
