package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/snapshot"
)

const day = 24 * time.Hour

// The days on which something happens, as parts of the whole.
const (
	deletedAt = 0.3 // a volume is deleted
	downAt    = 0.5 // the region of the copies is down for a night
	awayAt    = 0.7 // the program is not running for a week
)

// years is the story of a policy that runs for days.
type years struct {
	*world
	flags   *flags
	show    *screen
	policy  *snapshot.Policy
	manager *snapshot.Manager
	stopped func() error
	missed  int
	failed  int
}

// tellYears runs the policy for so many days, unless it is stopped.
func tellYears(ctx context.Context, f *flags, show *screen, stopped func() error) (*report, error) {
	w, err := newWorld(ctx, f.policy)
	if err != nil {
		return nil, err
	}
	y := &years{world: w, flags: f, show: show, policy: f.policy, stopped: stopped}
	report, err := y.tell(ctx)
	return report, errors.Join(err, w.cloud.Close())
}

func (y *years) tell(ctx context.Context) (*report, error) {
	if onInstances(y.policy) {
		if err := y.launch(ctx, y.policy, 2, 2); err != nil {
			return nil, err
		}
	}
	if len(y.policy.Targets.Volumes.Tags) > 0 {
		if err := y.create(ctx, y.policy, 4); err != nil {
			return nil, err
		}
	}
	var err error
	if y.manager, err = snapshot.New(y.clients, func(o *snapshot.Options) { o.OnEvent = y.hear }); err != nil {
		return nil, err
	}
	y.show.say("policy %q: %d volumes in %s, kept %v", y.policy.Name, len(y.volumes), y.policy.Region, &y.policy.Retain)
	if y.flags.faults {
		if err := disturb(y.cloud); err != nil {
			return nil, err
		}
	}
	if err := y.run(ctx); err != nil {
		return nil, err
	}
	return y.report(ctx)
}

// onInstances reports whether a policy is about instances.
func onInstances(p *snapshot.Policy) bool {
	return len(p.Targets.Instances.Tags)+len(p.Targets.Images.Tags) > 0
}

// disturb lets replies be lost and calls be throttled, to the end.
func disturb(cloud *awstest.Cloud) error {
	for _, operation := range []string{"CreateSnapshot", "CreateSnapshots", "CopySnapshot", "DeleteSnapshot", "DescribeSnapshots"} {
		for probability, effect := range map[float64]awstest.Effect{0.02: awstest.LoseReply(), 0.03: awstest.Throttle()} {
			if _, err := cloud.Inject(awstest.Match{Service: ec2.ServiceID, Operation: operation, Probability: probability}, effect); err != nil {
				return err
			}
		}
	}
	return nil
}

// hear counts what the manager tells.
func (y *years) hear(_ context.Context, e snapshot.Event) {
	switch e.Kind {
	case snapshot.SlotMissed:
		y.missed += e.Count
	case snapshot.SlotDone:
		if e.Err != nil {
			y.failed++
		}
	}
}

// run lets the days pass.
func (y *years) run(ctx context.Context) error {
	stop := y.start(ctx)
	defer func() { stop() }() //nolint:gocritic // the last one
	for n := range y.flags.days {
		y.show.progress(n, y.flags.days, time.Now().UTC().Format("2006-01-02"))
		if err := y.write(y.policy.Region, n); err != nil {
			return err
		}
		if err := y.stopped(); err != nil {
			return err
		}
		if !y.flags.faults {
			time.Sleep(day)
			continue
		}
		switch n {
		case int(deletedAt * float64(y.flags.days)):
			if len(y.policy.Targets.Volumes.Tags) == 0 {
				break // those of instances cannot be deleted
			}
			y.show.say("volume %s is deleted; its last snapshots stay", y.volumes[len(y.volumes)-1])
			if err := y.lose(ctx); err != nil {
				return err
			}
		case int(downAt * float64(y.flags.days)):
			if len(y.policy.Copies) == 0 {
				break
			}
			y.show.say("%s is down for a night; its copies are made up for", y.policy.Copies[0].Region)
			heal, err := y.cloud.Inject(awstest.Match{Service: ec2.ServiceID, Region: y.policy.Copies[0].Region}, awstest.Unavailable())
			if err != nil {
				return err
			}
			time.AfterFunc(day, heal)
		case int(awayAt * float64(y.flags.days)):
			y.show.say("the program is down for a week; nothing expires meanwhile")
			stop()
			time.Sleep(7 * day)
			stop = y.start(ctx)
		}
		time.Sleep(day)
	}
	y.show.progress(0, 0, "")
	y.show.setStatus("")
	return nil
}

// start runs the policy until stop is called.
func (y *years) start(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { _ = y.manager.Run(ctx, y.policy) }) // the policy is valid, and that is all that it would say
	return func() {
		cancel()
		running.Wait()
	}
}

// lose deletes a volume.
func (y *years) lose(ctx context.Context) error {
	last := y.volumes[len(y.volumes)-1]
	y.volumes = y.volumes[:len(y.volumes)-1]
	_, err := ec2.NewFromConfig(y.cloud.Config(y.policy.Region)).DeleteVolume(ctx, &ec2.DeleteVolumeInput{VolumeId: &last})
	return err
}

// report takes one more slot, and says what tonight's prune would do and what there is.
func (y *years) report(ctx context.Context) (*report, error) {
	created, err := y.manager.Create(ctx, y.policy, time.Now())
	if err != nil {
		return nil, err
	}
	if _, err := y.manager.Wait(ctx, created.Points); err != nil {
		return nil, err
	}
	if _, err := y.manager.Copy(ctx, y.policy); err != nil {
		return nil, err
	}
	r, err := newReport(ctx, y.manager, y.policy)
	if err != nil {
		return nil, err
	}
	r.Days, r.Missed, r.Failed, r.Volumes = y.flags.days, y.missed, y.failed, len(y.volumes)
	return r, y.restore(ctx, r)
}

// restore proves that what is kept can be used: that of the last target, in the region of the copies.
func (y *years) restore(ctx context.Context, r *report) error {
	targets, err := y.manager.Targets(ctx, y.policy)
	if err != nil {
		return err
	}
	last, region := targets[len(targets)-1].Series, y.policy.Region
	if last.Kind == snapshot.KindImage { // which is launched
		return nil
	}
	if len(y.policy.Copies) > 0 {
		region = y.policy.Copies[0].Region
	}
	restored, err := y.manager.Restore(ctx, snapshot.RestoreRequest{Policy: y.policy, Region: region, Zone: region + "a", Series: last})
	if err != nil {
		return err
	}
	content, err := ec2svc.ReadVolume(y.cloud, region, restored.Volumes[0].ID)
	if err != nil {
		return err
	}
	if want := fmt.Sprintf("day %d", y.flags.days-1); content != want {
		return fmt.Errorf("the volume that was restored has %q, want %q", content, want)
	}
	r.Restored = fmt.Sprintf("%s in %sa, with the data of %s", restored.Volumes[0].ID, region, restored.Time.UTC().Format(time.DateTime))
	return nil
}
