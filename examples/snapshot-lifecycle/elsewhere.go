package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/awsha/awsha/snapshot"
)

// account returns the configuration of a real account, or of an emulator, by region.
func account(ctx context.Context, f *flags) (func(region string) aws.Config, error) {
	cfg := aws.Config{
		BaseEndpoint: &f.endpoint,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	}
	if f.endpoint == "" {
		var err error
		if cfg, err = config.LoadDefaultConfig(ctx); err != nil {
			return nil, err
		}
	}
	return func(region string) aws.Config {
		in := cfg.Copy()
		in.Region = region
		return in
	}, nil
}

// elsewhere looks at the policy where it is for real, and runs it only with -apply.
func elsewhere(ctx context.Context, f *flags, in func(region string) aws.Config, stdout io.Writer) error {
	m, err := snapshot.New(func(region string) snapshot.Clients {
		cfg := in(region)
		return snapshot.Clients{EC2: ec2.NewFromConfig(cfg), KMS: kms.NewFromConfig(cfg), RDS: rds.NewFromConfig(cfg)}
	})
	if err != nil {
		return err
	}
	say := func(format string, args ...any) {
		if !f.json {
			fmt.Fprintf(stdout, format+"\n", args...)
		}
	}
	targets, err := m.Targets(ctx, f.policy)
	if err != nil {
		return err
	}
	for i := range targets {
		say("would take  %v, %d volumes", targets[i].Series, len(targets[i].Volumes))
	}
	var failed error
	if f.apply {
		slot, ok := f.policy.Schedule.Newest(time.Now())
		if !ok {
			return errors.New("the policy's schedule has no slot yet")
		}
		say("running the slot of %s; it waits until all is completed", slot.Format(time.DateTime+" MST"))
		_, failed = m.RunSlot(ctx, f.policy, slot)
	}
	r, err := newReport(ctx, m, f.policy)
	if err != nil {
		return errors.Join(failed, err)
	}
	if r.Volumes = 0; f.json {
		for i := range targets {
			r.Volumes += len(targets[i].Volumes)
		}
		return errors.Join(failed, json.NewEncoder(stdout).Encode(r))
	}
	fmt.Fprint(stdout, r.String())
	if !f.apply {
		say("nothing was changed; -apply takes, copies and deletes")
	}
	return failed
}
