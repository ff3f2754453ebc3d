package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/eip"
)

// storyInMemory tells the story on EC2 in memory, where permissions can be taken away.
func storyInMemory(ctx context.Context, show *screen) (o outcome, err error) {
	cloud, err := awstest.New([]awstest.Service{ec2svc.New(func(o *ec2svc.Options) { o.Pending = 200 * time.Millisecond })})
	if err != nil {
		return o, err
	}
	defer func() { err = errors.Join(err, cloud.Close()) }()
	return story(ctx, cloud.Config("us-east-1"), func() (heal func(), err error) {
		return cloud.Inject(awstest.Match{Service: "EC2", Operation: "AssociateAddress"}, awstest.Deny())
	}, show)
}

// story tells of an address that moves from a primary to a standby, and of whoever else wants it. A nil deny means that no
// permission can be taken away.
func story(ctx context.Context, cfg aws.Config, deny func() (heal func(), err error), show *screen) (o outcome, err error) {
	w := &world{Client: ec2.NewFromConfig(cfg)}
	defer func() { err = errors.Join(err, w.remove(ctx)) }()
	allocation, interfaces, err := w.build(ctx)
	if err != nil {
		return o, err
	}
	primary, standby, other := interfaces[0], interfaces[1], interfaces[2]
	show.block("primary", []string{primary})
	show.block("standby", []string{standby})
	w.changes.Store(0)

	// A permission is missing: the checks say which, and nothing is changed.
	remapper, err := eip.New(w)
	if err != nil {
		return o, err
	}
	req := eip.Request{AllocationID: allocation, Target: eip.Target{NetworkInterfaceID: standby}}
	var denied []string
	if deny != nil {
		heal, err := deny()
		if err != nil {
			return o, err
		}
		ready, _, err := move(ctx, remapper, req, true)
		heal()
		if !errors.Is(err, eip.ErrNotReady) {
			return o, cmp.Or(err, errors.New("a move without permission was found ready"))
		}
		denied = ready.MissingActions()
		show.block("denied", []string{"missing " + strings.Join(denied, ", "), w.changed()})
	}

	// The dry run, the move, and the same again.
	ready, _, err := move(ctx, remapper, req, false)
	if err != nil {
		return o, err
	}
	show.checks(&ready)
	show.block("dry run", []string{"would " + would(&ready), w.changed()})
	ready, moved, err := move(ctx, remapper, req, true)
	if err != nil {
		return o, err
	}
	show.move("move", &moved)
	_, again, err := move(ctx, remapper, req, true)
	if err != nil {
		return o, err
	}
	show.move("again", &again)
	sent, told := int(w.changes.Swap(0)), moved.Calls.Associate+moved.Calls.Disassociate
	if sent != told {
		return o, fmt.Errorf("%d changes were sent, and the result says %d", sent, told)
	}
	o = newOutcome(&ready, &moved, nil)
	o.Denied = denied

	// Another controller has seen the same owner, but comes too late.
	late, err := eip.New(w)
	if err != nil {
		return o, err
	}
	_, err = late.Remap(ctx, eip.Request{
		AllocationID: allocation, Target: eip.Target{NetworkInterfaceID: other}, Expect: eip.Expect{Association: moved.Before},
	})
	if o.Conflict = conflictOf(err); o.Conflict == nil {
		return o, cmp.Or(err, errors.New("a move with an outdated expectation was made"))
	}
	owner := eip.Association(o.Conflict.Owner)
	show.block("conflict", []string{"for", other}, []string{"expected", moved.Before.String()}, []string{"is told", owner.String()})
	o.Claims, err = race(ctx, w, allocation, show)
	return o, err
}

// race lets instances claim an address of a pool while they boot; there are too few.
func race(ctx context.Context, w *world, pool string, show *screen) ([]claim, error) {
	for range 3 {
		if _, err := w.allocate(ctx, pool); err != nil {
			return nil, err
		}
	}
	instances, err := w.launch(ctx, 5)
	if err != nil {
		return nil, err
	}
	claims, errs := make([]claim, len(instances)), make([]error, len(instances))
	var wg sync.WaitGroup
	for i := range instances {
		wg.Go(func() { claims[i], errs[i] = w.claim(ctx, pool, *instances[i].InstanceId) })
	}
	wg.Wait()
	var rows [][]string
	for _, c := range claims {
		row := []string{c.InstanceID, c.PublicIP.String(), c.AllocationID}
		if c.Error != "" {
			row = []string{c.InstanceID, c.Error}
		}
		rows = append(rows, row)
	}
	show.block("claim", rows...)
	return claims, errors.Join(errs...)
}

// claim is what an instance does that boots.
func (w *world) claim(ctx context.Context, pool, instance string) (claim, error) {
	remapper, err := eip.New(w)
	if err != nil {
		return claim{}, err
	}
	res, err := remapper.Claim(ctx, eip.ClaimRequest{Tags: map[string]string{"pool": pool}, Target: eip.Target{InstanceID: instance}})
	c := claim{InstanceID: instance, AllocationID: res.AllocationID, PublicIP: res.PublicIP}
	if errors.Is(err, eip.ErrPoolEmpty) {
		c.Error, err = eip.ErrPoolEmpty.Error(), nil
	}
	return c, err
}
