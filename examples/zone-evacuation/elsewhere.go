package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/snapshot"
)

// errNotReady makes the exit status 1, after the report.
var errNotReady = errors.New("the plan would not work")

// onAWS looks at the site of a file, and leaves its zone if that is what is asked for.
func onAWS(ctx context.Context, f flags, show io.Writer) (*report, error) {
	data, err := os.ReadFile(f.site)
	if err != nil {
		return nil, &usageError{"-site:", err.Error()}
	}
	s, err := read(data)
	if err != nil {
		return nil, err
	}
	if f.apply != "" && f.apply != s.Service {
		return nil, &usageError{"-apply", fmt.Sprintf("must be the name of the site's service, which is %q", s.Service)}
	}
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion(s.Region))
	if err != nil {
		return nil, err
	}
	r := &report{plan: s.plan(cfg)}
	if err := r.plan.Validate(); err != nil {
		return nil, &usageError{"the site makes no plan:", err.Error()}
	}
	if f.apply != "" {
		err = r.apply(ctx, cfg, f.table, f.incident, newScreen(show))
	} else {
		err = r.forecast(ctx)
	}
	return r, err
}

// forecast asks by reads and dry runs whether the plan would work.
func (r *report) forecast(ctx context.Context) error {
	locker, err := failover.NewLocker(new(failover.MemoryStore)) // nothing is executed
	if err != nil {
		return err
	}
	engine, err := failover.New(locker, new(failover.MemoryJournal))
	if err != nil {
		return err
	}
	if r.Readiness, err = engine.Readiness(ctx, r.plan, nil); err != nil {
		return err
	}
	_, critical := r.plan.CriticalPath()
	r.RTOMS, r.CriticalMS, r.RPOSeconds = r.Readiness.RTO.Milliseconds(), critical.Milliseconds(), new(r.Readiness.RPO.Seconds())
	if r.Readiness.Level == failover.LevelFail {
		r.miss = errNotReady
	}
	return nil
}

// apply carries the plan out, as a new incident or as what is left of an earlier one.
func (r *report) apply(ctx context.Context, cfg aws.Config, table, incident string, show *screen) error {
	engine, err := newEngine(cfg, table, show.event)
	if err != nil {
		return err
	}
	if ready, err := engine.Readiness(ctx, r.plan, nil); err != nil {
		return err
	} else if ready.Level == failover.LevelFail {
		r.Readiness, r.miss = ready, errNotReady
		return nil
	}
	began := time.Now()
	if incident == "" {
		incident = "evacuation-" + began.UTC().Format("20060102T150405Z")
	}
	show.say("the incident is %s", incident)
	r.timeline, err = engine.Execute(ctx, incident, r.plan)
	_, critical := r.plan.CriticalPath()
	r.RTOMS, r.CriticalMS, r.Effects = time.Since(began).Milliseconds(), critical.Milliseconds(), effects(r.timeline, nil)
	return err
}

// onEndpoint builds the ledger on an emulator, stops it as the loss of its zone would, and evacuates it. Emulators have neither zones that fail, nor
// zonal shifts, nor launches by Auto Scaling: there are no web servers.
func onEndpoint(ctx context.Context, f flags, show *screen) (_ *report, err error) {
	cfg := aws.Config{
		Region: f.region, BaseEndpoint: aws.String(f.endpoint),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	}
	b, err := build(ctx, cfg, time.Second, false)
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		err = errors.Join(err, b.remove(ctx))
	}()
	if err != nil {
		return nil, err
	}
	show.say("the ledger is %s in %s", b.ledger().Instance, b.Zone)
	manager, err := snapshot.New(func(string) snapshot.Clients { return snapshot.Clients{EC2: ec2.NewFromConfig(cfg)} })
	if err != nil {
		return nil, err
	}
	backup, err := manager.RunSlot(ctx, b.policy, time.Now())
	if err != nil {
		return nil, err
	}
	for _, point := range backup.Created.Points {
		taken(b, ec2.NewFromConfig(cfg).DeleteSnapshot, &ec2.DeleteSnapshotInput{SnapshotId: aws.String(point.ID)})
	}
	show.say("its backup is taken: %d snapshot", len(backup.Created.Points))
	if _, err := ec2.NewFromConfig(cfg).StopInstances(ctx, &ec2.StopInstancesInput{InstanceIds: []string{b.ledger().Instance}, Force: aws.Bool(true)}); err != nil {
		return nil, err
	}
	show.say("THE LEDGER STOPS")
	r := &report{plan: b.plan(cfg)}
	if err := r.apply(ctx, cfg, table, "", show); err != nil {
		return nil, err
	}
	return r, b.moved(ctx)
}

// moved looks that the address is on another instance in another zone, which has a volume beside its root, and has remove take all that away.
func (b *built) moved(ctx context.Context) error {
	api := ec2.NewFromConfig(b.cfg)
	addresses, err := api.DescribeAddresses(ctx, &ec2.DescribeAddressesInput{AllocationIds: b.ledger().Addresses})
	if err != nil {
		return err
	}
	id := aws.ToString(addresses.Addresses[0].InstanceId)
	if eni := addresses.Addresses[0].NetworkInterfaceId; id == "" && eni != nil { // moto leaves the instance out
		out, err := api.DescribeNetworkInterfaces(ctx, &ec2.DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{*eni}})
		if err != nil {
			return err
		}
		id = aws.ToString(out.NetworkInterfaces[0].Attachment.InstanceId)
	}
	out, err := api.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
	if err != nil {
		return err
	}
	inst := out.Reservations[0].Instances[0]
	volumes, err := api.DescribeVolumes(ctx, &ec2.DescribeVolumesInput{Filters: []types.Filter{{Name: aws.String("attachment.instance-id"), Values: []string{id}}}})
	if err != nil {
		return err
	}
	for _, v := range volumes.Volumes {
		if aws.ToString(v.SnapshotId) != "" { // the others go with their instance
			taken(b, api.DeleteVolume, &ec2.DeleteVolumeInput{VolumeId: v.VolumeId})
		}
	}
	taken(b, api.TerminateInstances, &ec2.TerminateInstancesInput{InstanceIds: []string{id}})
	switch {
	case id == b.ledger().Instance:
		return errors.New("the address has not moved")
	case *inst.Placement.AvailabilityZone == *b.subnets[0].AvailabilityZone:
		return errors.New("the new ledger is in the zone that was left")
	case len(volumes.Volumes) < 2:
		return errors.New("the new ledger has no volume")
	}
	return nil
}
