package ec2step_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/ec2step"
	"github.com/awsha/awsha/failover/internal/steptest"
	"github.com/awsha/awsha/snapshot"
)

// backup is a volume in a zone, of which a policy takes snapshots.
type backup struct {
	volume string
	policy *snapshot.Policy
}

func clients(cfg awsConfig) func(string) snapshot.Clients {
	return func(string) snapshot.Clients { return snapshot.Clients{EC2: ec2.NewFromConfig(cfg)} }
}

func (b *backup) prepare(w *steptest.World) {
	b.volume = volume(w, zoneA, "")
	b.policy = &snapshot.Policy{
		Name: "orders", Region: steptest.Region, Targets: snapshot.Targets{Volumes: snapshot.Selector{IDs: []string{b.volume}}},
	}
	b.take(w, "first")
	b.take(w, "second")
	time.Sleep(time.Minute)
}

func (b *backup) take(w *steptest.World, content string) {
	w.Helper()
	if err := ec2svc.WriteVolume(w.Cloud, steptest.Region, b.volume, content); err != nil {
		w.Fatal(err)
	}
	m, err := snapshot.New(clients(w.Admin))
	if err != nil {
		w.Fatal(err)
	}
	report, err := m.RunSlot(w.Context(), b.policy, time.Now())
	if err != nil {
		w.Fatalf("%+v: %v", report, err)
	}
	time.Sleep(time.Minute)
}

func (b *backup) plan(edit ...func(*ec2step.RestoreSpec)) steptest.Plan {
	return func(_ *steptest.World, cfg awsConfig) failover.Plan {
		s := ec2step.RestoreSpec{
			ID: "restore", Policy: b.policy, Series: snapshot.Series{Kind: snapshot.KindVolume, ID: b.volume}, Zone: failover.Literal(zoneB), MaxAge: time.Hour,
		}
		for _, fn := range edit {
			fn(&s)
		}
		return failover.Plan{Service: "orders", Steps: []failover.Step{ec2step.Restore(clients(cfg), s)}}
	}
}

func restored(w *steptest.World) []types.Volume {
	w.Helper()
	out, err := admin(w).DescribeVolumes(w.Context(), &ec2.DescribeVolumesInput{
		Filters: []types.Filter{{Name: aws.String("availability-zone"), Values: []string{zoneB}}},
	})
	if err != nil {
		w.Fatal(err)
	}
	return out.Volumes
}

func (b *backup) scenario() steptest.Scenario {
	return steptest.Scenario{
		Services: services, Prepare: b.prepare,
		Plan: func(w *steptest.World, cfg awsConfig) failover.Plan { return b.plan()(w, cfg) },
		Verify: func(w *steptest.World) {
			all := restored(w)
			if len(all) != 1 || all[0].State != types.VolumeStateAvailable {
				w.Fatalf("%+v", all)
			}
			if got, err := ec2svc.ReadVolume(w.Cloud, steptest.Region, *all[0].VolumeId); err != nil || got != "second" {
				w.Errorf("%q, %v", got, err)
			}
		},
	}
}

func TestTheNewestSnapshotIsRestoredInAnotherZone(t *testing.T) {
	t.Parallel()
	var b backup
	steptest.Run(t, services, func(w *steptest.World) {
		b.prepare(w)
		zone, err := w.Cloud.Zone("use1-az2")
		if err != nil {
			w.Fatal(err)
		}
		defer zone.Fail(awstest.PowerLoss)()
		timeline, err := w.Execute(b.plan())
		if err != nil {
			w.Fatal(err)
		}
		b.scenario().Verify(w)
		wantCalls(w, "CreateVolume", 1)
		if !strings.Contains(timeline.String(), "are lost") {
			w.Error(timeline)
		}
	})
}

func TestARestoreWhileControllersDie(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(func() steptest.Scenario { return new(backup).scenario() }).KilledAtEachCall(t, 3)
}

func TestARestoreWhileReadsAreBehind(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(func() steptest.Scenario { return new(backup).scenario() }).Stale(t)
}

func TestDataThatAreTooOldAreNotRestored(t *testing.T) {
	t.Parallel()
	var b backup
	steptest.Run(t, services, func(w *steptest.World) {
		b.prepare(w)
		time.Sleep(2 * time.Hour)
		if _, err := w.Execute(b.plan()); !errors.Is(err, snapshot.ErrTooOld) {
			w.Error(err)
		}
		if r := w.Ready(b.plan(), nil); r.Level != failover.LevelFail || r.RPO < 2*time.Hour || !strings.Contains(r.String(), "older than MaxAge") {
			w.Error(r)
		}
		wantCalls(w, "CreateVolume", 0)
		b.take(w, "second")
		if r := w.Ready(b.plan(), nil); r.Level != failover.LevelPass || r.RPO > 10*time.Minute {
			w.Error(r)
		}
		if _, err := w.Execute(b.plan()); err != nil { // what was too old does not stand in the way
			w.Error(err)
		}
		b.scenario().Verify(w)
	})
}

func TestWithoutASnapshotNothingIsRestored(t *testing.T) {
	t.Parallel()
	var b backup
	steptest.Run(t, services, func(w *steptest.World) {
		b.prepare(w)
		other := b.plan(func(s *ec2step.RestoreSpec) { s.Series.ID = "vol-0123456789abcdef0" })
		if _, err := w.Execute(other); !errors.Is(err, snapshot.ErrNoPoint) {
			w.Error(err)
		}
		if r := w.Ready(other, nil); r.Level != failover.LevelFail || !strings.Contains(r.String(), "no completed snapshot") {
			w.Error(r)
		}
	})
}

func TestCodesOfRestores(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(func() steptest.Scenario { return new(backup).scenario() }).Codes(t, ec2.ServiceID, "CreateVolume", []steptest.Code{
		{Code: "RequestLimitExceeded", Status: 503, Want: steptest.Retried},
		{Code: "Unavailable", Status: 503, Want: steptest.Retried},
		{Code: "UnauthorizedOperation", Status: 403, Want: steptest.Permanent},
		{Code: "VolumeLimitExceeded", Want: steptest.Permanent},
	})
}

func TestMistakesInRestores(t *testing.T) {
	t.Parallel()
	err := failover.Plan{Service: "orders", Steps: []failover.Step{ec2step.Restore(nil, ec2step.RestoreSpec{ID: "restore"})}}.Validate()
	for _, text := range []string{"Steps[0].clients", "Steps[0].Zone", "Steps[0].Policy", "Steps[0].Series", "Steps[0].MaxAge"} {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%s is not in %v", text, err)
		}
	}
}
