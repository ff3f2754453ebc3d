package snapshot_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/snapshot"
)

type reversed struct{ *ec2.Client }

func (r reversed) DescribeImages(ctx context.Context, in *ec2.DescribeImagesInput, optFns ...func(*ec2.Options)) (*ec2.DescribeImagesOutput, error) {
	out, err := r.Client.DescribeImages(ctx, in, optFns...)
	if err == nil {
		slices.Reverse(out.Images)
	}
	return out, err
}

func TestSnapshotsOfAnImageCopyThatIsBeingMadeStay(t *testing.T) {
	t.Parallel()
	for _, reverse := range []bool{false, true} {
		inWorld(t, func(w *world) {
			m, err := snapshot.New(func(region string) snapshot.Clients {
				if reverse {
					return snapshot.Clients{EC2: reversed{w.ec2[region]}, KMS: w.kms[region]}
				}
				return snapshot.Clients{EC2: w.ec2[region], KMS: w.kms[region]}
			})
			if err != nil {
				t.Fatal(err)
			}
			p := copied(imaged(w.instance(1)), func(c *snapshot.CopyRule) { c.Retain.FailedAfter = 24 * time.Hour })
			r, err := m.Create(w.Context(), p, slot(0))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := m.Wait(w.Context(), r.Points); err != nil {
				t.Fatal(err)
			}
			time.Sleep(22 * time.Hour)
			copyFor := func(d time.Duration) {
				ctx, cancel := context.WithTimeout(w.Context(), d)
				defer cancel()
				_, err := m.Copy(ctx, p)
				t.Log(err)
			}
			copyFor(time.Minute)
			for _, s := range w.snapshots(away) {
				if err := ec2svc.FailSnapshot(w.cloud, away, *s.SnapshotId, "the key"); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(time.Minute)
			copyFor(3 * time.Hour) // of 5
			for _, i := range w.ownImages(away) {
				t.Logf("%s %s %d", *i.ImageId, i.State, len(i.BlockDeviceMappings))
			}
			plan, err := m.Plan(w.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range plan.Regions[1].Decisions {
				t.Logf("reverse %v: %s %v %v: %s", reverse, d.Item.ID, d.Item.State, d.Action, d.Why())
				for _, s := range w.snapshots(away) {
					if *s.SnapshotId == d.Item.ID && s.State == "pending" && d.Action == snapshot.Delete {
						t.Errorf("reverse %v: %s is pending, of an image that is being copied, and is to be deleted", reverse, d.Item.ID)
					}
				}
			}
		}, func(_ *awstest.Options, o *ec2svc.Options) { o.FullSnapshotCopy = 5 * time.Hour })
	}
}

func TestTheSourceOfACopyOfLatestOnlyStaysUntilItIsCompleted(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		p := copied(of(w.volume()), func(c *snapshot.CopyRule) { c.LatestOnly = true })
		p.Retain.Last = 1
		p.Schedule.Every = time.Hour
		w.runFor(24*time.Hour+30*time.Minute, w.manager(), p)
		completed := 0
		for _, s := range w.snapshots(away) {
			t.Logf("%s %s %v", *s.SnapshotId, s.State, s.StartTime)
			if s.State == "completed" {
				completed++
			}
		}
		if completed == 0 {
			t.Errorf("after a day of %d copies none is completed", w.calls("CopySnapshot"))
		}
	}, func(_ *awstest.Options, o *ec2svc.Options) {
		o.FullSnapshotCopy, o.SnapshotCopy = 3*time.Hour, 30*time.Minute
	})
}

func TestPartsOfCopiesThatNobodyWantsGo(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		p := of()
		p.Targets.Instances.IDs = []string{w.instance(2)}
		copied(p, func(c *snapshot.CopyRule) { c.LatestOnly, c.Retain.Last = true, 1 })
		m := w.manager()
		w.taken(m, p, 1)
		if _, err := w.cloud.Inject(awstest.Match{Service: "EC2", Operation: "CopySnapshot", Skip: 1, Times: 2}, awstest.Deny()); err != nil {
			t.Fatal(err)
		}
		_, err := m.Copy(w.Context(), p)
		t.Log(err != nil)
		w.taken(m, p, 1)
		if _, err := m.Copy(w.Context(), p); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * 24 * time.Hour)
		if _, err := m.Prune(w.Context(), p); err != nil {
			t.Fatal(err)
		}
		if n := len(w.snapshots(away)); n != 3 {
			t.Errorf("%d snapshots are left of one set of 3, a month later", n)
		}
	})
}

func TestAPartOfASetDoesNotCount(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		p := of()
		i := w.instance(2)
		p.Targets.Instances.IDs = []string{i}
		p.Retain.Last = 1
		m := w.manager()
		w.taken(m, p, 2)
		list := w.snapshots(home)
		if _, err := w.ec2[home].DeleteSnapshot(w.Context(), &ec2.DeleteSnapshotInput{SnapshotId: list[len(list)-1].SnapshotId}); err != nil {
			t.Fatal(err)
		}
		report, err := m.Prune(w.Context(), p)
		t.Logf("%d deleted, %d left: %v", len(report.Deleted), len(w.snapshots(home)), err)
		if n := len(w.snapshots(home)); n < 5 {
			t.Errorf("no complete set of 3 is left: %d snapshots", n)
		}
	})
}

func (w *world) failsOnce(m *snapshot.Manager, p *snapshot.Policy) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), time.Minute)
	defer cancel()
	_, _ = m.Copy(ctx, p)
	for _, s := range w.snapshots(away) {
		if s.State == "pending" {
			if err := ec2svc.FailSnapshot(w.cloud, away, *s.SnapshotId, "internal error"); err != nil {
				w.Fatal(err)
			}
		}
	}
	time.Sleep(time.Minute)
	if _, err := m.Copy(w.Context(), p); err != nil {
		w.Fatal(err)
	}
}

func TestACopyMadeAgainIsRestored(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		p := copied(of(w.volume()))
		m := w.manager()
		w.taken(m, p, 1)
		w.failsOnce(m, p)
		for _, s := range w.snapshots(away) {
			t.Logf("%s %s", *s.SnapshotId, s.State)
		}
		_, err := m.Restore(w.Context(), snapshot.RestoreRequest{Policy: p, Series: volumeSeries(p), Region: away, Zone: away + "a"})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestACopyMadeAgainIsKept(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		p := copied(of(w.volume()))
		m := w.manager()
		w.taken(m, p, 1)
		w.failsOnce(m, p)
		w.taken(m, p, 1)
		if _, err := m.Copy(w.Context(), p); err != nil {
			t.Fatal(err)
		}
		time.Sleep(48 * time.Hour)
		plan, err := m.Plan(w.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range plan.Regions[1].Decisions {
			t.Logf("%s %v %v: %s", d.Item.ID, d.Item.State, d.Action, d.Why())
			if d.Item.State == snapshot.Completed && d.Action == snapshot.Delete {
				t.Errorf("%s is completed, and goes: %s", d.Item.ID, d.Why())
			}
		}
	})
}

func TestTheOnlyCopyOfAnImageIsKept(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		p := copied(imaged(w.instance(1)))
		m := w.manager()
		r, err := m.Create(w.Context(), p, slot(0))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Wait(w.Context(), r.Points); err != nil {
			t.Fatal(err)
		}
		w.failsOnce(m, p)
		time.Sleep(48 * time.Hour)
		for _, i := range w.ownImages(away) {
			t.Logf("%s %s", *i.ImageId, i.State)
		}
		report, err := m.Prune(w.Context(), p)
		t.Log(report.Deleted, err)
		available := 0
		for _, i := range w.ownImages(away) {
			if i.State == "available" {
				available++
			}
		}
		if available != 1 {
			t.Errorf("%d available copies are left", available)
		}
	})
}

func TestOneCopyOfAVolumeIsUnderWayAtATime(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		p := copied(of(w.volume()), func(c *snapshot.CopyRule) { c.LatestOnly = true })
		m := w.manager()
		for range 4 {
			w.taken(m, p, 1)
			ctx, cancel := context.WithTimeout(w.Context(), 10*time.Minute)
			_, _ = m.Copy(ctx, p)
			cancel()
		}
		pending := 0
		for _, s := range w.snapshots(away) {
			if s.State == "pending" {
				pending++
			}
		}
		if pending > 1 {
			t.Errorf("%d copies of one volume are under way", pending)
		}
	}, func(_ *awstest.Options, o *ec2svc.Options) { o.FullSnapshotCopy = 24 * time.Hour })
}

func TestASetOfCopiesOfWhichOneWasMadeAgainIsComplete(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		p := of()
		i := w.instance(2)
		p.Targets.Instances.IDs = []string{i}
		copied(p)
		m := w.manager()
		w.taken(m, p, 1)
		ctx, cancel := context.WithTimeout(w.Context(), time.Minute)
		_, _ = m.Copy(ctx, p)
		cancel()
		if err := ec2svc.FailSnapshot(w.cloud, away, *w.snapshots(away)[1].SnapshotId, "internal error"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		reports, err := m.Copy(w.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		t.Log(reports[0].Lag)
		if _, err := m.Restore(w.Context(), snapshot.RestoreRequest{Policy: p, Series: snapshot.Series{Kind: snapshot.KindInstance, ID: i}, Region: away, Zone: away + "a"}); err != nil {
			t.Error(err)
		}
	})
}

func TestWhatOthersHaveCopiedWithItsTagsIsTheirs(t *testing.T) {
	t.Parallel()
	t.Run("image", func(t *testing.T) {
		inWorld(t, func(w *world) {
			p := imaged(w.instance(1))
			p.Retain.Last = 1
			w.runSlot(p)
			out, err := w.ec2[home].CopyImage(w.Context(), &ec2.CopyImageInput{
				SourceRegion: aws.String(home), SourceImageId: w.ownImages(home)[0].ImageId, Name: aws.String("keep-before-migration"), CopyImageTags: aws.Bool(true),
			})
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Until(slot(1)))
			report := w.runSlot(p)
			t.Log(report.Pruned.Deleted)
			for _, i := range w.ownImages(home) {
				if *i.ImageId == *out.ImageId {
					return
				}
			}
			t.Error("the image that somebody has made is deregistered")
		})
	})
	t.Run("database", func(t *testing.T) {
		inWorld(t, func(w *world) {
			p := stored(w.database("orders"))
			p.Retain.Last = 1
			w.runSlot(p)
			if _, err := w.rds[home].CopyDBSnapshot(w.Context(), &rds.CopyDBSnapshotInput{
				SourceDBSnapshotIdentifier: w.dbSnapshots(home)[0].DBSnapshotIdentifier, TargetDBSnapshotIdentifier: aws.String("keep-before-migration"), CopyTags: aws.Bool(true),
			}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Until(slot(1)))
			report := w.runSlot(p)
			t.Log(report.Pruned.Deleted)
			for _, s := range w.dbSnapshots(home) {
				if *s.DBSnapshotIdentifier == "keep-before-migration" {
					return
				}
			}
			t.Error("the snapshot that somebody has made is deleted")
		})
	})
}

func TestTheSourceOfACopyUnderWayStaysWhateverTheRetention(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		p := copied(of(w.volume()), func(c *snapshot.CopyRule) { c.Retain.Last = 1 })
		p.Retain.Last = 1
		p.Schedule.Every = time.Hour
		w.runFor(24*time.Hour+30*time.Minute, w.manager(), p)
		completed, failed := 0, 0
		for _, s := range w.snapshots(away) {
			switch s.State {
			case "completed":
				completed++
			case "error":
				failed++
			}
		}
		if completed == 0 {
			t.Errorf("after a day of %d copies none is completed, %d have failed", w.calls("CopySnapshot"), failed)
		}
	}, func(_ *awstest.Options, o *ec2svc.Options) { o.FullSnapshotCopy = 3 * time.Hour })
}

func TestACompletedSetOutranksOneThatIsPartlyPending(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		p := of()
		p.Targets.Instances.IDs = []string{w.instance(1)}
		time.Sleep(5 * time.Minute)
		at := slot(0)
		var stuck string
		for n := range 2 {
			r, err := w.manager().Create(w.Context(), p, at)
			if err != nil {
				t.Fatal(err)
			}
			if n == 0 {
				stuck = r.Points[1].ID
				if _, err := w.cloud.Stick(stuck); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(20 * time.Second)
		}
		time.Sleep(time.Hour)
		for _, s := range w.snapshots(home) {
			t.Logf("%s %s", *s.SnapshotId, s.State)
		}
		report, err := w.manager().Prune(w.Context(), p)
		t.Logf("deleted %v: %v", report.Deleted, err)
		if err := ec2svc.FailSnapshot(w.cloud, home, stuck, "internal error"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		completed := 0
		for _, s := range w.snapshots(home) {
			t.Logf("%s %s", *s.SnapshotId, s.State)
			if s.State == "completed" {
				completed++
			}
		}
		if completed < 2 {
			t.Errorf("%d completed snapshots are left of two sets of 2", completed)
		}
	}, lagging(time.Minute))
}

func TestACompletedPointOutranksAPendingOne(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		p := of(w.volume())
		time.Sleep(5 * time.Minute)
		at := slot(0)
		var first string
		for i := range 2 {
			r, err := w.manager().Create(w.Context(), p, at)
			if err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				first = r.Points[0].ID
				if _, err := w.cloud.Stick(first); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(20 * time.Second)
		}
		time.Sleep(time.Hour)
		report, err := w.manager().Prune(w.Context(), p)
		t.Logf("deleted %v: %v", report.Deleted, err)
		if err := ec2svc.FailSnapshot(w.cloud, home, first, "internal error"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		completed := 0
		for _, s := range w.snapshots(home) {
			t.Logf("%s %s", *s.SnapshotId, s.State)
			if s.State == "completed" {
				completed++
			}
		}
		if completed != 1 {
			t.Errorf("%d completed snapshots are left", completed)
		}
	}, lagging(time.Minute))
}

func TestPoliciesOfOneNameInTwoRegionsLeaveEachOthersCopiesAlone(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		const third = "eu-west-1"
		manager := func() *snapshot.Manager {
			m, err := snapshot.New(func(region string) snapshot.Clients {
				return snapshot.Clients{EC2: ec2.NewFromConfig(w.cloud.Config(region)), KMS: kms.NewFromConfig(w.cloud.Config(region))}
			})
			if err != nil {
				t.Fatal(err)
			}
			return m
		}
		east := of(w.volume())
		east.Copies = []snapshot.CopyRule{{Region: third}} // all
		m1 := manager()
		w.taken(m1, east, 4)
		if _, err := m1.Copy(w.Context(), east); err != nil {
			t.Fatal(err)
		}
		out, err := w.ec2[away].CreateVolume(w.Context(), &ec2.CreateVolumeInput{AvailabilityZone: aws.String(away + "a"), Size: aws.Int32(8)})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		west := *of(*out.VolumeId)
		west.Region = away
		west.Copies = []snapshot.CopyRule{{Region: third, Retain: snapshot.Retention{Last: 1}}}
		if _, err := manager().RunSlot(w.Context(), &west, slot(0)); err != nil {
			t.Fatal(err)
		}
		points, err := m1.Points(w.Context(), east)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, p := range points {
			if p.Region == third && p.Source.Region == home {
				n++
			}
		}
		if n != 4 {
			t.Errorf("%d of 4 copies of us-east-1 are left after the slot of us-west-2", n)
		}
	})
}

func TestTheSourceOfACopyUnderWayStays(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		p := copied(of(w.volume()), func(c *snapshot.CopyRule) { c.LatestOnly = true })
		p.Retain.Last = 1
		m := w.manager()
		w.taken(m, p, 1)
		ctx, cancel := context.WithTimeout(w.Context(), 10*time.Minute)
		defer cancel()
		_, err := m.Copy(ctx, p)
		t.Log(err)
		w.taken(m, p, 1)
		plan, err := m.Plan(w.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		if w.snapshots(away)[0].State != "pending" {
			t.Fatal("the copy is not under way")
		}
		if d := plan.Regions[0].Decisions[1]; d.Action == snapshot.Delete {
			t.Errorf("%s: %v: %s, while a copy of it is under way", d.Item.ID, d.Action, d.Why())
		}
	}, func(_ *awstest.Options, o *ec2svc.Options) { o.FullSnapshotCopy = 5 * time.Hour })
}

func TestTheRestOfASetOfCopiesGoesToo(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		p := of()
		p.Targets.Instances.IDs = []string{w.instance(2)}
		copied(p, func(c *snapshot.CopyRule) { c.Retain.Last = 1 })
		m := w.manager()
		for range 2 {
			w.taken(m, p, 1)
			if _, err := m.Copy(w.Context(), p); err != nil {
				t.Fatal(err)
			}
		}
		// One delete is refused this once: as by a kill between two of them.
		if _, err := w.cloud.Inject(awstest.Match{Service: "EC2", Operation: "DeleteSnapshot", Skip: 1, Times: 1}, awstest.Deny()); err != nil {
			t.Fatal(err)
		}
		report, err := m.Prune(w.Context(), p)
		t.Logf("%d deleted, %d refused: %v", len(report.Deleted), len(report.Refused), err)
		time.Sleep(7 * 24 * time.Hour)
		report, err = m.Prune(w.Context(), p)
		if err != nil || len(report.Deleted) != 1 {
			t.Errorf("a week later %d deleted: %v", len(report.Deleted), err)
		}
		plan, _ := m.Plan(w.Context(), p)
		for _, d := range plan.Regions[1].Decisions {
			t.Logf("%s %s %v: %s", d.Item.ID, d.Item.State, d.Action, d.Why())
		}
	})
}

func TestAFailedCopyOfOldDataIsKeptToBeLookedAt(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		p := copied(of(w.volume()))
		m := w.manager()
		w.taken(m, p, 1)
		time.Sleep(48 * time.Hour)
		ctx, cancel := context.WithTimeout(w.Context(), time.Minute)
		defer cancel()
		_, _ = m.Copy(ctx, p)
		if err := ec2svc.FailSnapshot(w.cloud, away, *w.snapshots(away)[0].SnapshotId, "the key"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		plan, err := m.Plan(w.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		if d := plan.Regions[1].Decisions[0]; d.Action != snapshot.Keep {
			t.Errorf("failed minutes ago: %v: %s", d.Action, d.Why())
		}
	})
}

func TestAPartOfASetIsNotRestored(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		p := of()
		i := w.instance(2)
		p.Targets.Instances.IDs = []string{i}
		p.Retain.Last = 1
		m := w.manager()
		w.taken(m, p, 2)
		if _, err := w.cloud.Inject(awstest.Match{Service: "EC2", Operation: "DeleteSnapshot", Skip: 1}, awstest.Deny()); err != nil {
			t.Fatal(err)
		}
		report, err := m.Prune(w.Context(), p)
		t.Logf("%d deleted: %v", len(report.Deleted), err)
		restored, err := m.Restore(w.Context(), snapshot.RestoreRequest{
			Policy: p, Series: snapshot.Series{Kind: snapshot.KindInstance, ID: i}, Zone: zoneA, At: time.Now().Add(-90 * time.Minute),
		})
		if err == nil && len(restored.Volumes) != 3 {
			t.Errorf("%d of 3 volumes restored, and no error", len(restored.Volumes))
		}
		p.Retain.Last = 2 // and it counts
		plan, _ := m.Plan(w.Context(), p)
		for _, d := range plan.Regions[0].Decisions {
			t.Logf("%s %v: %s", d.Item.ID, d.Action, d.Why())
		}
	})
}
