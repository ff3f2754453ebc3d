package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/awsha/awsha/eip"
	"github.com/awsha/awsha/failover"
)

// usualCall is what a call to AWS takes, for the estimates.
const usualCall = 200 * time.Millisecond

// makeMoves makes the failover and the failback on an emulator or on AWS,
// where no zone can be killed. Beside an error the report has what was done
// until then, if anything was.
func makeMoves(ctx context.Context, cfg aws.Config, f flags, show *screen) (_ *report, err error) {
	svc, cleanUp, err := find(ctx, cfg, f, show)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, cleanUp()) }()
	r := &report{timeline: &failover.Timeline{}}
	plan := svc.plan(svc.primary, svc.standby, usualCall)
	path, estimate := plan.CriticalPath()
	show.say("%s on %s can move to %s, in about %v: %v", svc.allocation, svc.primary.ID, svc.standby.ID, estimate, path)
	if f.aws && !f.apply {
		show.say("nothing was changed; -apply moves it there and back")
		return r, nil
	}
	engine, err := newEngine()
	if err != nil {
		return nil, err
	}
	execute := func(kind string, plan failover.Plan) (time.Duration, error) {
		start := time.Now()
		r.timeline.Mark(kind, start)
		_, err := engine.Execute(ctx, incident(kind, svc.primary, start), plan, func(o *failover.ExecOptions) { o.Timeline = r.timeline })
		return time.Since(start), err
	}
	svc.calls.take()
	took, err := execute("failover", plan)
	calls := svc.calls.take()
	if err != nil {
		return r, err
	}
	r.PlanMS, r.CriticalPathMS = ms(took), ms(estimate)
	r.AssociateCalls, r.DisassociateCalls, r.DescribeCalls = calls.associate, calls.disassociate, calls.describe
	if took, err = execute("failback", svc.plan(svc.standby, svc.primary, usualCall)); err != nil {
		return r, err
	}
	r.FailbackMS = ms(took)
	return r, nil
}

// find returns the service: one that is built on the emulator, or the one
// that the user names.
func find(ctx context.Context, cfg aws.Config, f flags, show *screen) (svc *service, cleanUp func() error, err error) {
	nothing := func() error { return nil }
	if f.endpoint != "" {
		svc, err = build(ctx, newClients(cfg), time.Second)
		cleanUp = func() error {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
			defer cancel()
			return svc.remove(ctx)
		}
		if err != nil {
			return nil, nothing, errors.Join(err, cleanUp())
		}
		return svc, cleanUp, nil
	}
	svc = &service{
		clients: newClients(cfg), allocation: f.named.allocation, targetGroup: f.named.targetGroup,
		primary: node{Role: "primary", ID: f.named.from}, standby: node{Role: "standby", ID: f.named.to},
	}
	if svc.remapper, err = eip.New(svc.ec2); err != nil {
		return nil, nothing, err
	}
	for _, n := range []*node{&svc.primary, &svc.standby} {
		if err := n.read(ctx, svc.clients); err != nil {
			return nil, nothing, err
		}
		if n.Interface == "" {
			return nil, nothing, fmt.Errorf("instance %s is not running", n.ID)
		}
	}
	held, err := svc.association(ctx)
	if err != nil {
		return nil, nothing, err
	}
	if held.NetworkInterfaceID != svc.primary.Interface {
		return nil, nothing, fmt.Errorf("-from: %s is not on %s but on %s", svc.allocation, svc.primary.ID, held)
	}
	show.say("found %s on %s", svc.allocation, svc.primary.ID)
	return svc, nothing, nil
}

// configure returns the configuration of an emulator, where any credentials
// do, or of AWS.
func configure(ctx context.Context, f flags) (aws.Config, error) {
	if f.aws {
		return config.LoadDefaultConfig(ctx, config.WithRegion(f.region))
	}
	return aws.Config{
		Region: f.region, BaseEndpoint: aws.String(f.endpoint),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	}, nil
}
