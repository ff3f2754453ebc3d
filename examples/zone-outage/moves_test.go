package main

import (
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/awstest/elbv2svc"
)

func account(t *testing.T) *awstest.Cloud {
	t.Helper()
	cloud, err := awstest.New([]awstest.Service{ec2svc.New(), elbv2svc.New()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cloud.Close(); err != nil {
			t.Error(err)
		}
	})
	return cloud
}

func TestMovesOnAnEmulatorLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cloud := account(t)
		r, err := makeMoves(t.Context(), cloud.Config("us-east-1"), flags{endpoint: "http://emulator"}, newScreen(io.Discard))
		if err != nil {
			t.Fatal(err)
		}
		if r.AssociateCalls != 1 || r.DisassociateCalls != 1 || r.DowntimeMS != nil || r.PlanMS == nil || r.FailbackMS == nil {
			t.Errorf("got %+v", r)
		}
		time.Sleep(2 * time.Hour) // terminated instances fade away
		c := newClients(cloud.Config("us-east-1"))
		instances, err := c.ec2.DescribeInstances(t.Context(), nil)
		if err != nil || len(instances.Reservations) != 0 {
			t.Errorf("instances: %v, %v", instances, err)
		}
		addresses, err := c.ec2.DescribeAddresses(t.Context(), nil)
		if err != nil || len(addresses.Addresses) != 0 {
			t.Errorf("addresses: %v, %v", addresses, err)
		}
		groups, err := c.elb.DescribeTargetGroups(t.Context(), nil)
		if err != nil || len(groups.TargetGroups) != 0 {
			t.Errorf("target groups: %v, %v", groups, err)
		}
		balancers, err := c.elb.DescribeLoadBalancers(t.Context(), nil)
		if err != nil || len(balancers.LoadBalancers) != 0 {
			t.Errorf("load balancers: %v, %v", balancers, err)
		}
	})
}

func TestMovesOnAnAccountNeedApply(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cloud := account(t)
		svc, err := build(t.Context(), newClients(cloud.Config("us-east-1")), time.Second)
		if err != nil {
			t.Fatal(err)
		}
		f := flags{aws: true, named: named{allocation: svc.allocation, from: svc.primary.ID, to: svc.standby.ID, targetGroup: svc.targetGroup}}
		mutations := func() int {
			return cloud.Count("EC2", "AssociateAddress") + cloud.Count("EC2", "DisassociateAddress") +
				cloud.Count("Elastic Load Balancing v2", "RegisterTargets") + cloud.Count("Elastic Load Balancing v2", "DeregisterTargets")
		}
		before := mutations()
		if _, err := makeMoves(t.Context(), cloud.Config("us-east-1"), f, newScreen(io.Discard)); err != nil || mutations() != before {
			t.Errorf("without -apply: %v, %d changes", err, mutations()-before)
		}
		f.apply = true
		if _, err := makeMoves(t.Context(), cloud.Config("us-east-1"), f, newScreen(io.Discard)); err != nil {
			t.Error(err)
		}
		if n := mutations() - before; n != 8 {
			t.Errorf("%d changes, want four there and four back", n)
		}
		held, err := svc.association(t.Context())
		if err != nil || held.InstanceID != svc.primary.ID {
			t.Errorf("the address ends on %s, %v", held, err)
		}

		// The wrong way round is found before anything is changed.
		f.named.from, f.named.to = f.named.to, f.named.from
		before = mutations()
		if _, err := makeMoves(t.Context(), cloud.Config("us-east-1"), f, newScreen(io.Discard)); err == nil || !strings.Contains(err.Error(), "-from") || mutations() != before {
			t.Errorf("wrong way round: %v, %d changes", err, mutations()-before)
		}
	})
}
