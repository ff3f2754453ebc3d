package snapshot_test

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
	"github.com/awsha/awsha/snapshot"
)

// imaged is a policy about images of instances.
func imaged(instances ...string) *snapshot.Policy {
	return &snapshot.Policy{Name: "test", Region: home, Targets: snapshot.Targets{Images: snapshot.Selector{IDs: instances}}}
}

// ownImages returns the images of a region.
func (w *world) ownImages(region string) []types.Image {
	w.Helper()
	out, err := w.ec2[region].DescribeImages(w.Context(), &ec2.DescribeImagesInput{Owners: []string{"self"}, IncludeDisabled: aws.Bool(true)})
	if err != nil {
		w.Fatal(err)
	}
	return out.Images
}

func (w *world) runSlot(p *snapshot.Policy) *snapshot.Report {
	w.Helper()
	report, err := w.manager().RunSlot(w.Context(), p, slot(0))
	if err != nil {
		w.Error(err)
	}
	return report
}

func TestImagesAreTakenCopiedAndPruned(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		instance := w.instance(2, "app", "orders")
		p := copied(imaged(), func(c *snapshot.CopyRule) { c.Retain.Last = 1 })
		p.Targets.Images.Tags = map[string]string{"app": "orders"}
		p.Targets.DeprecateAfter = 36 * time.Hour
		p.CopyTags, p.Tags, p.Retain.Last = []string{"app"}, map[string]string{"team": "web"}, 2
		for range 4 {
			w.runSlot(p)
			time.Sleep(time.Until(slot(1)))
		}
		here, there := w.ownImages(home), w.ownImages(away)
		if len(here) != 2 || len(there) != 1 || len(w.snapshots(home)) != 2*3 || len(w.snapshots(away)) != 3 {
			t.Fatalf("%d and %d images, %d and %d snapshots", len(here), len(there), len(w.snapshots(home)), len(w.snapshots(away)))
		}
		for op, want := range map[string]int{
			"CreateImage": 4, "CopyImage": 4, "DeregisterImage": 2 + 3, "EnableImageDeprecation": 4 + 4, "CreateSnapshot": 0, "CreateSnapshots": 0, "DeleteSnapshot": 0,
		} {
			if got := w.calls(op); got != want {
				t.Errorf("%d of %s, want %d", got, op, want)
			}
		}
		points, err := w.manager().Points(w.Context(), p)
		if err != nil || len(points) != 3 {
			t.Fatalf("%d points: %v", len(points), err)
		}
		for _, one := range points {
			if one.Series != (snapshot.Series{Kind: snapshot.KindImage, ID: instance}) || len(one.Snapshots) != 3 || one.SizeGiB != 8+4+4 ||
				one.Tags["team"] != "web" || one.Tags["app"] != "orders" || one.Deprecated.Sub(one.Time).Round(time.Hour) != 36*time.Hour {
				t.Errorf("%+v", one)
			}
		}
		if newest := points[0]; !strings.HasPrefix(*here[len(here)-1].Name, "awsha-test-"+instance+"-") || newest.State != snapshot.Completed {
			t.Errorf("%s, %v", *here[0].Name, newest.State)
		}
		for _, s := range w.snapshots(home) {
			found := false
			for _, tag := range s.Tags {
				found = found || *tag.Key == "awsha:series" && *tag.Value == "image/"+instance
			}
			if !found {
				t.Errorf("%s has %v", *s.SnapshotId, s.Tags)
			}
		}
	})
}

func TestAnImageLeavesVolumesOut(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		instance := w.instance(2)
		out, err := w.ec2[home].DescribeInstances(w.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{instance}})
		if err != nil {
			t.Fatal(err)
		}
		devices := out.Reservations[0].Instances[0].BlockDeviceMappings
		p := imaged(instance)
		p.Targets.Exclude.IDs = []string{*devices[0].Ebs.VolumeId, *devices[1].Ebs.VolumeId} // the root volume is in every image
		w.runSlot(p)
		if parts := w.ownImages(home)[0].BlockDeviceMappings; len(parts) != 2 || *parts[1].DeviceName == *devices[1].DeviceName {
			t.Errorf("%d parts", len(parts))
		}
	})
}

// Its name makes an image once, whatever becomes of the reply, and with two managers at work.
func TestALostReplyMakesNoSecondImage(t *testing.T) {
	t.Parallel()
	for name, effect := range map[string]awstest.Effect{"the reply is lost": awstest.LoseReply(), "the call is lost": awstest.Unavailable()} {
		for _, op := range []string{"CreateImage", "CopyImage"} {
			t.Run(op+": "+name, func(t *testing.T) {
				t.Parallel()
				inWorld(t, func(w *world) {
					p := copied(imaged(w.instance(1), w.instance(0)))
					if _, err := w.cloud.Inject(awstest.Match{Service: "EC2", Operation: op, Times: 2}, effect); err != nil {
						t.Fatal(err)
					}
					report := w.runSlot(p)
					if len(report.Created.Points) != 2 || len(w.ownImages(home)) != 2 || len(w.ownImages(away)) != 2 {
						t.Errorf("%d points, %d images, %d copies", len(report.Created.Points), len(w.ownImages(home)), len(w.ownImages(away)))
					}
					w.runSlot(p)
					if len(w.ownImages(home)) != 2 || len(w.ownImages(away)) != 2 {
						t.Errorf("then %d images, %d copies", len(w.ownImages(home)), len(w.ownImages(away)))
					}
				})
			})
		}
	}
}

func TestTwoManagersMakeOneImage(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		p := imaged(w.instance(0))
		at := slot(0)
		for range 2 { // the second does not see what the first has made
			report, err := w.manager().Create(w.Context(), p, at)
			if err != nil || len(report.Points) != 1 {
				t.Errorf("%+v: %v", report, err)
			}
			time.Sleep(20 * time.Second)
		}
		time.Sleep(5 * time.Minute)
		if n := len(w.ownImages(home)); n != 1 {
			t.Errorf("%d images", n)
		}
	}, lagging(time.Minute))
}

// A name that somebody else has is no image of ours.
func TestANameThatIsTakenIsAnError(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		one, other := w.instance(0), w.instance(0)
		p := imaged(one)
		if _, err := w.manager().Create(w.Context(), p, slot(0)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Minute)
		first := w.ownImages(home)[0]
		if _, err := w.ec2[home].DeregisterImage(w.Context(), &ec2.DeregisterImageInput{ImageId: first.ImageId}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.ec2[home].CreateImage(w.Context(), &ec2.CreateImageInput{InstanceId: &other, Name: first.Name}); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		report, err := w.manager().Create(w.Context(), p, slot(0))
		if !errors.Is(err, snapshot.ErrExists) || len(report.Points) > 0 || time.Since(began) > 20*time.Minute {
			t.Errorf("%+v after %v: %v", report, time.Since(began), err)
		}
	})
}

func TestAnImageThatFailsIsMadeAgain(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		p := copied(imaged(w.instance(1)))
		at := slot(0)
		m := w.manager()
		report, err := m.Create(w.Context(), p, at)
		if err != nil {
			t.Fatal(err)
		}
		if err := ec2svc.FailSnapshot(w.cloud, home, *w.snapshots(home)[1].SnapshotId, "a disk broke"); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Wait(w.Context(), report.Points); !errors.Is(err, snapshot.ErrFailed) || !strings.Contains(err.Error(), "a disk broke") {
			t.Errorf("%v", err)
		}
		if _, err := m.RunSlot(w.Context(), p, at); err != nil {
			t.Error(err)
		}
		if len(w.ownImages(home)) != 2 || len(w.ownImages(away)) != 1 {
			t.Errorf("%d images, %d copies", len(w.ownImages(home)), len(w.ownImages(away)))
		}
		time.Sleep(25 * time.Hour)
		if _, err := m.Prune(w.Context(), p); err != nil || len(w.ownImages(home)) != 1 || len(w.snapshots(home)) != 2 {
			t.Errorf("%d images, %d snapshots: %v", len(w.ownImages(home)), len(w.snapshots(home)), err)
		}
	})
}

// What an image leaves behind goes a day later, unless it is locked; and what is of an image that is being made stays.
func TestSnapshotsWithoutTheirImageGo(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		p := imaged(w.instance(2))
		p.Retain.FailedAfter = time.Hour
		w.runSlot(p)
		list := w.snapshots(home)
		if _, err := w.ec2[home].LockSnapshot(w.Context(), &ec2.LockSnapshotInput{
			SnapshotId: list[0].SnapshotId, LockMode: types.LockModeGovernance, LockDuration: aws.Int32(1),
		}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.ec2[home].DeregisterImage(w.Context(), &ec2.DeregisterImageInput{ImageId: w.ownImages(home)[0].ImageId}); err != nil {
			t.Fatal(err)
		}
		m := w.manager()
		if report, err := m.Prune(w.Context(), p); err != nil || len(report.Deleted) > 0 {
			t.Errorf("at once %+v: %v", report, err)
		}
		time.Sleep(2 * time.Hour)
		if _, err := m.Create(w.Context(), p, slot(0)); err != nil {
			t.Fatal(err)
		}
		if report, err := m.Prune(w.Context(), p); err != nil || len(report.Deleted) != 2 || len(w.snapshots(home)) != 1+3 {
			t.Errorf("%+v, %d are left: %v", report, len(w.snapshots(home)), err)
		}
		time.Sleep(24 * time.Hour)
		if report, err := m.Prune(w.Context(), p); err != nil || len(report.Deleted) != 1 || report.Deleted[0].ID != *list[0].SnapshotId {
			t.Errorf("%+v: %v", report, err)
		}
	})
}

func TestAProtectedImageIsHeld(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		p := imaged(w.instance(0))
		p.Retain.Last = 1
		w.runSlot(p)
		id := w.ownImages(home)[0].ImageId
		if _, err := w.ec2[home].EnableImageDeregistrationProtection(w.Context(), &ec2.EnableImageDeregistrationProtectionInput{ImageId: id}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Until(slot(1)))
		w.runSlot(p)
		plan, err := w.manager().Plan(w.Context(), p)
		if err != nil || len(plan.Deletions()) > 0 || plan.Regions[0].Decisions[1].Why() != "deregistration protection enabled-without-cooldown" {
			t.Errorf("%+v: %v", plan, err)
		}
	})
}
