package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/eip"
)

// account is an account with what the story begins with.
type account struct {
	*world
	cloud      *awstest.Cloud
	allocation string
	interfaces [3]string
}

func newAccount(t *testing.T) *account {
	t.Helper()
	cloud, err := awstest.New([]awstest.Service{ec2svc.New()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cloud.Close(); err != nil {
			t.Error(err)
		}
	})
	a := &account{cloud: cloud, world: &world{Client: ec2.NewFromConfig(cloud.Config("us-east-1"))}}
	if a.allocation, a.interfaces, err = a.build(t.Context()); err != nil {
		t.Fatal(err)
	}
	return a
}

// move runs the program with flags that follow the allocation, up to where it asks for a configuration.
func (a *account) move(t *testing.T, args string) (outcome, error) {
	t.Helper()
	f, err := parse(strings.Fields("-allocation "+a.allocation+" "+args), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return moveNamed(t.Context(), a.cloud.Config("us-east-1"), f, newScreen(io.Discard))
}

// owner returns the interface that has the address.
func (a *account) owner(t *testing.T) string {
	t.Helper()
	out, err := a.DescribeAddresses(t.Context(), &ec2.DescribeAddressesInput{AllocationIds: []string{a.allocation}})
	if err != nil {
		t.Fatal(err)
	}
	return aws.ToString(out.Addresses[0].NetworkInterfaceId)
}

// isChange tells whether a call changes who has an address.
func isChange(r awstest.Record) bool {
	switch in := r.Input.(type) {
	case *ec2.AssociateAddressInput:
		return !aws.ToBool(in.DryRun)
	case *ec2.DisassociateAddressInput:
		return !aws.ToBool(in.DryRun)
	}
	return false
}

// sent returns how many calls of the ledger are changes.
func (a *account) sent() (n int) {
	for _, r := range a.cloud.Calls(awstest.Match{Service: "EC2"}) {
		if isChange(r) {
			n++
		}
	}
	return n
}

func TestNothingIsChangedUnlessAsked(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"-aws", "-aws -n", "-endpoint http://emulator -dry-run"} {
		synctest.Test(t, func(t *testing.T) {
			a := newAccount(t)
			before := a.sent()
			o, err := a.move(t, args+" -target "+a.interfaces[1])
			if err != nil || a.sent() != before || o.Changed {
				t.Errorf("%s: %d changes, %v", args, a.sent()-before, err)
			}
			if o.Before.NetworkInterfaceID != a.interfaces[0] || !strings.Contains(o.Would, o.Before.ID) || !strings.Contains(o.Would, a.interfaces[1]) {
				t.Errorf("%s: before %v, would %s", args, o.Before, o.Would)
			}
		})
	}
}

func TestCallsAreThoseOfTheLedger(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAccount(t)
		before := len(a.cloud.Calls(awstest.Match{}))
		o, err := a.move(t, "-aws -apply -target "+a.interfaces[1])
		if err != nil || !o.Changed || a.owner(t) != a.interfaces[1] {
			t.Fatalf("got %+v, %v", o, err)
		}
		var calls []string // of the move, which begins with its first change
		for _, r := range a.cloud.Calls(awstest.Match{})[before:] {
			if isChange(r) || len(calls) > 0 {
				calls = append(calls, r.Operation)
			}
		}
		calls = calls[:len(calls)-1] // that of owner
		if diff := cmp.Diff([]string{"DisassociateAddress", "AssociateAddress", "DescribeAddresses"}, calls); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]int{1, 1, 1, 0}, []int{o.DisassociateCalls, o.AssociateCalls, o.DescribeCalls, o.InspectCalls}); diff != "" {
			t.Errorf("counts (-want +got):\n%s", diff)
		}

		sent := a.sent()
		again, err := a.move(t, "-aws -apply -target "+a.interfaces[1])
		if err != nil || again.Changed || again.After != o.After || a.sent() != sent {
			t.Errorf("again: %+v, %v, %d changes", again, err, a.sent()-sent)
		}
	})
}

func TestInstanceIsATarget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAccount(t)
		o, err := a.move(t, "-endpoint http://emulator -target i-00000000000000002")
		if err != nil || !o.Changed || o.InspectCalls != 0 || a.owner(t) != a.interfaces[1] {
			t.Errorf("got %+v, %v", o, err)
		}
	})
}

func TestFreeAddressIsTakenFromNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAccount(t)
		sent := a.sent()
		o, err := a.move(t, "-aws -apply -guard free -target "+a.interfaces[1])
		if err == nil || o.Changed || a.sent() != sent || a.owner(t) != a.interfaces[0] {
			t.Errorf("while the primary has it: %+v, %v", o, err)
		}
		held, err := a.DescribeAddresses(t.Context(), &ec2.DescribeAddressesInput{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.Client.DisassociateAddress(t.Context(), &ec2.DisassociateAddressInput{AssociationId: held.Addresses[0].AssociationId}); err != nil {
			t.Fatal(err)
		}
		o, err = a.move(t, "-aws -apply -guard free -target "+a.interfaces[1])
		if err != nil || !o.Changed || o.DisassociateCalls != 0 || a.owner(t) != a.interfaces[1] {
			t.Errorf("once it is free: %+v, %v", o, err)
		}
	})
}

func TestOutdatedExpectationIsAConflict(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAccount(t)
		first, err := a.move(t, "-aws -apply -target "+a.interfaces[1])
		if err != nil {
			t.Fatal(err)
		}
		o, err := a.move(t, "-aws -apply -expect "+first.Before.ID+" -target "+a.interfaces[2])
		if exitCode(err) != 3 || o.Changed || a.owner(t) != a.interfaces[1] {
			t.Errorf("exit status %d of %v, on %s", exitCode(err), err, a.owner(t))
		}
		if o.Conflict == nil || o.Conflict.Owner.NetworkInterfaceID != a.interfaces[1] || o.Conflict.Error == "" || o.Would != "" {
			t.Errorf("conflict %+v, would %q", o.Conflict, o.Would)
		}
	})
}

// Between the checks and the move somebody else moves the address: theirs it stays.
func TestWhoComesInBetweenKeepsTheAddress(t *testing.T) {
	t.Parallel()
	for _, ended := range []bool{false, true} { // the address is free when the checks see it
		synctest.Test(t, func(t *testing.T) {
			a := newAccount(t)
			if ended {
				held, err := a.DescribeAddresses(t.Context(), &ec2.DescribeAddressesInput{})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := a.Client.DisassociateAddress(t.Context(), &ec2.DisassociateAddressInput{AssociationId: held.Addresses[0].AssociationId}); err != nil {
					t.Fatal(err)
				}
			}
			f, err := parse(strings.Fields("-aws -apply -allocation "+a.allocation+" -target "+a.interfaces[1]), io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			ready := rival{a, t}
			remapper, err := eip.New(ready)
			if err != nil {
				t.Fatal(err)
			}
			_, _, err = move(t.Context(), remapper, f.req, true)
			if exitCode(err) != 3 || a.owner(t) != a.interfaces[2] {
				t.Errorf("free %t: exit status %d of %v, on %s", ended, exitCode(err), err, a.owner(t))
			}
		})
	}
}

// rival takes the address right before the first call that could change anything.
type rival struct {
	*account
	t *testing.T
}

func (r rival) take(ctx context.Context) {
	_, err := r.Client.AssociateAddress(ctx, &ec2.AssociateAddressInput{AllocationId: &r.allocation, NetworkInterfaceId: &r.interfaces[2]})
	if err != nil {
		r.t.Error(err)
	}
}

func (r rival) DisassociateAddress(ctx context.Context, in *ec2.DisassociateAddressInput, optFns ...func(*ec2.Options)) (*ec2.DisassociateAddressOutput, error) {
	if !aws.ToBool(in.DryRun) {
		r.take(ctx)
	}
	return r.world.DisassociateAddress(ctx, in, optFns...)
}

func (r rival) AssociateAddress(ctx context.Context, in *ec2.AssociateAddressInput, optFns ...func(*ec2.Options)) (*ec2.AssociateAddressOutput, error) {
	if !aws.ToBool(in.DryRun) {
		r.take(ctx)
	}
	return r.world.AssociateAddress(ctx, in, optFns...)
}

func TestOccupiedTargetIsAConflictUnlessDisplaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAccount(t)
		second, err := a.allocate(t.Context(), "another")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.Client.AssociateAddress(t.Context(), &ec2.AssociateAddressInput{AllocationId: &second, NetworkInterfaceId: &a.interfaces[1]}); err != nil {
			t.Fatal(err)
		}
		sent := a.sent()
		o, err := a.move(t, "-aws -apply -target "+a.interfaces[1])
		if exitCode(err) != 3 || o.Changed || a.sent() != sent {
			t.Errorf("exit status %d of %v, %d changes", exitCode(err), err, a.sent()-sent)
		}
		o, err = a.move(t, "-aws -apply -displace -target "+a.interfaces[1])
		if err != nil || !o.Changed || a.owner(t) != a.interfaces[1] {
			t.Errorf("displacing: %+v, %v", o, err)
		}
	})
}

func TestUnknownAddressIsAnError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAccount(t)
		a.allocation = "eipalloc-0dead"
		if o, err := a.move(t, "-aws -apply -target "+a.interfaces[1]); exitCode(err) != 1 || o.Changed {
			t.Errorf("exit status %d of %v", exitCode(err), err)
		}
	})
}

// Whenever it is interrupted, the story leaves nothing behind, on an emulator whose VPC had no gateway neither.
func TestStoryLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	finished := false
	for patience := time.Millisecond; !finished; patience += 7 * time.Millisecond {
		synctest.Test(t, func(t *testing.T) {
			cloud, err := awstest.New([]awstest.Service{ec2svc.New(func(o *ec2svc.Options) { o.Pending = 50 * time.Millisecond })})
			if err != nil {
				t.Fatal(err)
			}
			client := ec2.NewFromConfig(cloud.Config("us-east-1"))
			gateways, err := client.DescribeInternetGateways(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			gateway := gateways.InternetGateways[0]
			if _, err := client.DetachInternetGateway(t.Context(), &ec2.DetachInternetGatewayInput{InternetGatewayId: gateway.InternetGatewayId, VpcId: gateway.Attachments[0].VpcId}); err != nil {
				t.Fatal(err)
			}
			if _, err := client.DeleteInternetGateway(t.Context(), &ec2.DeleteInternetGatewayInput{InternetGatewayId: gateway.InternetGatewayId}); err != nil {
				t.Fatal(err)
			}

			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			_, err = story(ctx, cloud.Config("us-east-1"), nil, newScreen(io.Discard))
			if finished = err == nil; !finished && !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("after %v: %v", patience, err)
			}
			time.Sleep(2 * time.Hour) // terminated instances fade away
			instances, err1 := client.DescribeInstances(t.Context(), nil)
			addresses, err2 := client.DescribeAddresses(t.Context(), nil)
			gateways, err3 := client.DescribeInternetGateways(t.Context(), nil)
			if err := errors.Join(err1, err2, err3, cloud.Close()); err != nil {
				t.Fatal(err)
			}
			if n := len(instances.Reservations) + len(addresses.Addresses) + len(gateways.InternetGateways); n != 0 {
				t.Errorf("after %v: %d things are left", patience, n)
			}
		})
	}
}
