package main

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/awscall"
	"github.com/awsha/awsha/failover/preset"
)

// errNotReady makes the exit status 1, after the report.
var errNotReady = errors.New("the plan would not work")

// elsewhere asks whether a database of yours could leave its zone, and has it leave if that is what is asked for.
func elsewhere(ctx context.Context, f flags, show *screen) (*report, error) {
	opts := []func(*config.LoadOptions) error{config.WithRegion(f.region)}
	if f.endpoint != "" {
		opts = append(opts, config.WithBaseEndpoint(f.endpoint), config.WithCredentialsProvider(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		})))
	}
	cfg, err := config.LoadDefaultConfig(ctx, opts...)
	if err != nil {
		return nil, err
	}
	awscall.Record(&cfg)
	r := &report{plan: preset.DatabaseFailover(rds.NewFromConfig(cfg), preset.Databases{
		Service: f.database, Away: failover.Literal(f.away), Zones: ec2.NewFromConfig(cfg), Planned: true, Databases: []preset.Database{{Instance: f.database}},
	})}
	engine, err := newEngine(show)
	if err != nil {
		return nil, err
	}
	_, critical := r.plan.CriticalPath()
	r.CriticalMS = critical.Milliseconds()
	ready, err := engine.Readiness(ctx, r.plan, nil)
	if err != nil {
		return nil, err
	}
	if f.apply == "" || ready.Level == failover.LevelFail {
		r.Readiness, r.RTOMS = ready, ready.RTO.Milliseconds()
		if ready.Level == failover.LevelFail {
			r.miss = errNotReady
		}
		return r, nil
	}
	began := time.Now()
	r.timeline, err = engine.Execute(ctx, "planned-"+began.UTC().Format("20060102T150405Z"), r.plan)
	r.RTOMS, r.Effects = time.Since(began).Milliseconds(), effects(r.timeline, nil)
	return r, err
}
