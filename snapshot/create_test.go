package snapshot_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/snapshot"
)

func TestEachVolumeIsTakenOnceForASlot(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		p := of(w.volume("app", "a", "cost-centre", "7", "other", "x"), w.volume())
		p.Tags, p.CopyTags = map[string]string{"team": "t"}, []string{"app", "cost-*"}
		at := slot(0)
		for round := range 3 {
			report, err := w.manager().Create(w.Context(), p, at)
			if err != nil {
				t.Fatal(err)
			}
			if adopted := min(round, 1) * 2; report.Targets != 2 || len(report.Points) != 2 || report.Adopted != adopted {
				t.Errorf("round %d: %d targets, %d points, %d adopted", round, report.Targets, len(report.Points), report.Adopted)
			}
		}
		list := w.snapshots(home)
		if len(list) != 2 {
			t.Fatalf("%d snapshots", len(list))
		}
		tags := map[string]string{}
		for _, s := range list {
			for _, tag := range s.Tags {
				if *s.VolumeId == p.Targets.Volumes.IDs[0] {
					tags[*tag.Key] = *tag.Value
				}
			}
		}
		for key, want := range map[string]string{
			"awsha:owner": "awsha", "awsha:policy": "test", "awsha:series": "volume/" + p.Targets.Volumes.IDs[0], "awsha:slot": at.UTC().Format(time.RFC3339),
			"team": "t", "app": "a", "cost-centre": "7", "other": "",
		} {
			if tags[key] != want {
				t.Errorf("tag %s is %q, want %q", key, tags[key], want)
			}
		}
	})
}

func TestAnInstanceIsTakenAtOneInstant(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		first, second := w.instance(3, "app", "a"), w.instance(2, "app", "a")
		w.instance(1, "app", "b")
		out, err := w.ec2[home].DescribeInstances(w.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{first}})
		if err != nil {
			t.Fatal(err)
		}
		devices := out.Reservations[0].Instances[0].BlockDeviceMappings
		excluded := *devices[1].Ebs.VolumeId
		p := &snapshot.Policy{Name: "sets", Region: home, Targets: snapshot.Targets{
			Instances: snapshot.Selector{Tags: map[string]string{"app": "a"}, IDs: []string{second}},
			Volumes:   snapshot.Selector{IDs: []string{*devices[2].Ebs.VolumeId}}, // is in a set
			Exclude:   snapshot.Selector{IDs: []string{excluded}},
		}}
		report, err := w.manager().Create(w.Context(), p, slot(0))
		if err != nil {
			t.Fatal(err)
		}
		sets := map[string]int{}
		for _, point := range report.Points {
			if sets[point.Set]++; point.VolumeID == excluded {
				t.Error("the volume that is excluded was taken")
			}
		}
		if len(report.Points) != 6 || len(sets) != 2 || w.calls("CreateSnapshots") != 2 || w.calls("CreateSnapshot") != 0 {
			t.Errorf("%d points in %d sets, %d CreateSnapshots", len(report.Points), len(sets), w.calls("CreateSnapshots"))
		}
	})
}

func TestTargetsThatAreNotThereAreNamed(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		p := of(w.volume(), "vol-0123456789abcdef0")
		p.Targets.Instances.IDs = []string{"i-0123456789abcdef0"}
		report, err := w.manager().Create(w.Context(), p, slot(0))
		if len(report.Points) != 1 || !errors.Is(err, snapshot.ErrNotFound) {
			t.Errorf("%d points, %v", len(report.Points), err)
		}
		var named []string
		for _, e := range err.(interface{ Unwrap() []error }).Unwrap() {
			if e, ok := errors.AsType[*snapshot.OpError](e); ok {
				named = append(named, e.Resource)
			}
		}
		if len(named) != 2 || named[0] != "i-0123456789abcdef0" || named[1] != "vol-0123456789abcdef0" {
			t.Errorf("named are %q", named)
		}
	})
}

// The reply to each of the calls is lost, or it fails before or after its effect, while reads are behind: there is one snapshot of each volume
// all the same.
func TestALostReplyMakesNoSecondSnapshot(t *testing.T) {
	t.Parallel()
	for name, effect := range map[string]awstest.Effect{
		"lost reply":              awstest.LoseReply(),
		"server error before":     awstest.Unavailable(),
		"server error after":      awstest.ApplyThenReject(awstest.APIError{Code: "InternalError", Status: 500}),
		"throttled":               awstest.Throttle(),
		"hangs":                   awstest.Hang(),
		"too many at a time":      awstest.Reject(awstest.APIError{Code: "ConcurrentSnapshotLimitExceeded", Status: 400}),
		"too soon after the last": awstest.Reject(awstest.APIError{Code: "SnapshotCreationPerVolumeRateExceeded", Status: 400}),
		"too many in the account": awstest.Reject(awstest.APIError{Code: "PendingSnapshotLimitExceeded", Status: 400}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inWorld(t, func(w *world) {
				p := of(w.volume())
				p.Targets.Instances.IDs = []string{w.instance(2)}
				time.Sleep(2 * time.Minute) // reads are behind
				for _, operation := range []string{"CreateSnapshot", "CreateSnapshots"} {
					if _, err := w.cloud.Inject(awstest.Match{Service: "EC2", Operation: operation, Times: 2}, effect); err != nil {
						t.Fatal(err)
					}
				}
				report, err := w.manager().Create(w.Context(), p, slot(0))
				if err != nil {
					t.Error(err)
				}
				time.Sleep(time.Minute)
				if list := w.snapshots(home); len(list) != 4 || len(report.Points) != 4 {
					t.Errorf("%d snapshots, %d points", len(list), len(report.Points))
				}
			}, lagging(30*time.Second))
		})
	}
}

func TestHooksSurroundEachCall(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		good, bad, late, panics := w.volume(), w.volume(), w.volume(), w.volume()
		p := of(good, bad, late, panics)
		frozen := map[string]int{}
		var thawed []error
		m := w.manager(func(o *snapshot.Options) {
			o.Workers = 1
			o.Before = func(ctx context.Context, target snapshot.Target) error {
				frozen[target.ID]++
				switch target.ID {
				case bad:
					return errors.New("cannot freeze")
				case late:
					<-ctx.Done()
				case panics:
					panic("frozen stiff")
				}
				return nil
			}
			o.After = func(_ context.Context, target snapshot.Target, err error) {
				frozen[target.ID]--
				thawed = append(thawed, err)
			}
		})
		report, err := m.Create(w.Context(), p, slot(0))
		if !errors.Is(err, snapshot.ErrHook) || len(report.Points) != 1 || report.Points[0].Series.ID != good || len(w.snapshots(home)) != 1 {
			t.Errorf("%d points: %v", len(report.Points), err)
		}
		for id, n := range frozen {
			if n != 0 {
				t.Errorf("%s is frozen %d times", id, n)
			}
		}
		if len(thawed) != 4 {
			t.Errorf("thawed %d times", len(thawed))
		}
	})
}

func TestABusyVolumeIsTriedAgain(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		volume := w.volume()
		for range 5 {
			if _, err := w.ec2[home].CreateSnapshot(w.Context(), &ec2.CreateSnapshotInput{VolumeId: &volume}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(15 * time.Second)
		}
		report, err := w.manager().Create(w.Context(), of(volume), slot(0))
		if err != nil || len(report.Points) != 1 {
			t.Errorf("%d points: %v", len(report.Points), err)
		}
	})
}

func TestAVolumeThatStaysBusyIsLeftToTheNextSlot(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		volume := w.volume()
		for range 5 {
			out, err := w.ec2[home].CreateSnapshot(w.Context(), &ec2.CreateSnapshotInput{VolumeId: &volume})
			if err != nil {
				t.Fatal(err)
			}
			free, err := w.cloud.Stick(*out.SnapshotId)
			if err != nil {
				t.Fatal(err)
			}
			w.Cleanup(free)
			time.Sleep(15 * time.Second)
		}
		other := w.volume()
		began := time.Now()
		report, err := w.manager().Create(w.Context(), of(volume, other), slot(0))
		if !errors.Is(err, snapshot.ErrBusy) || len(report.Points) != 1 || report.Points[0].Series.ID != other {
			t.Errorf("%d points: %v", len(report.Points), err)
		}
		if d := time.Since(began); d < 10*time.Minute || d > 11*time.Minute {
			t.Errorf("after %v", d)
		}
	})
}

func TestAFencedManagerMakesNothing(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		fence := errors.New("not the leader")
		m := w.manager(func(o *snapshot.Options) { o.Fence = func(context.Context) error { return fence } })
		_, err := m.Create(w.Context(), of(w.volume()), slot(0))
		if !errors.Is(err, snapshot.ErrFenced) || !errors.Is(err, fence) || w.calls("CreateSnapshot") != 0 {
			t.Errorf("%v after %d calls", err, w.calls("CreateSnapshot"))
		}
	})
}

func TestDeniedCallsSayWhich(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		p := of(w.volume())
		if _, err := w.cloud.Inject(awstest.Match{Service: "EC2", Operation: "CreateSnapshot"}, awstest.Deny()); err != nil {
			t.Fatal(err)
		}
		_, err := w.manager().Create(w.Context(), p, slot(0))
		if e, ok := errors.AsType[*snapshot.OpError](err); !ok || !errors.Is(err, snapshot.ErrDenied) || e.Op != "CreateSnapshot" || e.RequestID == "" {
			t.Errorf("%v", err)
		}
		if n := w.calls("CreateSnapshot"); n != 1 {
			t.Errorf("%d calls", n)
		}
	})
}
