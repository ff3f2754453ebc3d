package snapshot_test

import (
	"encoding/json"
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

func TestPruneDeletesWhatNoRuleKeeps(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		p := copied(of(w.volume()), func(c *snapshot.CopyRule) { c.Retain.Last = 3 })
		p.Retain.Last = 2
		m := w.manager()
		w.taken(m, p, 5)
		if _, err := m.Copy(w.Context(), p); err != nil {
			t.Fatal(err)
		}
		foreign := w.volume() // and what is not of this policy
		for _, tags := range [][]string{{}, {"awsha:owner", "awsha"}, {"awsha:owner", "other", "awsha:policy", "test"}} {
			in := &ec2.CreateSnapshotInput{VolumeId: &foreign}
			if len(tags) > 0 {
				in.TagSpecifications = []types.TagSpecification{{ResourceType: types.ResourceTypeSnapshot, Tags: pairs(tags)}}
			}
			if _, err := w.ec2[home].CreateSnapshot(w.Context(), in); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
		}
		for round := range 2 {
			report, err := m.Prune(w.Context(), p)
			if err != nil || len(report.Deleted) != (1-round)*3 {
				t.Errorf("round %d: %d deleted: %v", round, len(report.Deleted), err)
			}
		}
		if here, there := len(w.snapshots(home)), len(w.snapshots(away)); here != 5 || there != 3 {
			t.Errorf("%d and %d are left", here, there)
		}
	})
}

func TestWhatIsHeldIsNotDeleted(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		p := of(w.volume())
		p.Retain.Last = 1
		m := w.manager()
		w.taken(m, p, 7)
		list := w.snapshots(home)
		w.images = map[string]string{*list[0].SnapshotId: "ami-1234"}
		if _, err := w.ec2[home].LockSnapshot(w.Context(), &ec2.LockSnapshotInput{
			SnapshotId: list[1].SnapshotId, LockMode: types.LockModeCompliance, LockDuration: aws.Int32(1),
		}); err != nil {
			t.Fatal(err)
		}
		w.archived = map[string]time.Time{
			*list[2].SnapshotId: time.Now().Add(-89 * 24 * time.Hour), *list[3].SnapshotId: {}, *list[4].SnapshotId: time.Now().Add(-91 * 24 * time.Hour),
		}
		plan, err := m.Plan(w.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		why := map[string]string{}
		for _, d := range plan.Regions[0].Decisions {
			why[d.Item.ID] = d.Action.String() + ": " + d.Why()
		}
		for i, want := range []string{
			"hold: image ami-1234", "hold: lock compliance", "hold: archive until ", "hold: archive until ", "delete: no rule keeps it", "delete: no rule keeps it",
			"keep: last 1 of 1",
		} {
			if got := why[*list[i].SnapshotId]; !strings.HasPrefix(got, want) {
				t.Errorf("%d: %s, want %s", i, got, want)
			}
		}
		if report, err := m.Apply(w.Context(), plan); err != nil || len(report.Deleted) != 2 {
			t.Errorf("%+v: %v", report, err)
		}
	})
}

// What AWS Backup or Data Lifecycle Manager has taken over is held, and what belongs to another account is not looked at.
func TestWhatOthersManageIsLeft(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		p := of(w.volume())
		p.Retain.Last = 1
		m := w.manager()
		w.taken(m, p, 5)
		list := w.snapshots(home)
		for i, err := range []error{
			ec2svc.ManageSnapshot(w.cloud, home, *list[0].SnapshotId, ec2svc.ByBackup),
			ec2svc.ManageSnapshot(w.cloud, home, *list[1].SnapshotId, ec2svc.ByLifecycleManager),
			ec2svc.ShareSnapshot(w.cloud, home, *list[2].SnapshotId, "111122223333"),
		} {
			if err != nil {
				t.Fatal(i, err)
			}
		}
		plan, err := m.Plan(w.Context(), p)
		if err != nil || len(plan.Regions[0].Decisions) != 4 {
			t.Fatalf("%+v: %v", plan, err)
		}
		for i, want := range []string{"last 1 of 1", "no rule keeps it", "managed by aws:dlm:lifecycle-policy-id", "managed by aws:backup:source-resource"} {
			if got := plan.Regions[0].Decisions[i].Why(); !strings.HasPrefix(got, want) {
				t.Errorf("%d: %s, want %s", i, got, want)
			}
		}
		if report, err := m.Apply(w.Context(), plan); err != nil || len(report.Deleted) != 1 || w.calls("DeleteSnapshot") != 1 {
			t.Errorf("%+v: %v", report, err)
		}
	})
}

func TestAPlanIsJSON(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		p := of(w.volume())
		p.Retain.Last = 1
		m := w.manager()
		w.taken(m, p, 3)
		plan, err := m.Plan(w.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(plan)
		if err != nil {
			t.Fatal(err)
		}
		var read snapshot.Plan
		if err := json.Unmarshal(data, &read); err != nil {
			t.Fatalf("%v in %s", err, data)
		}
		if report, err := m.Apply(w.Context(), &read); err != nil || len(report.Deleted) != 2 {
			t.Errorf("%+v: %v of %s", report, err, data)
		}
	})
}

func TestAStalePlanIsRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*world, *snapshot.Plan)
		want   error
		gone   int
	}{
		"another policy":    {func(_ *world, p *snapshot.Plan) { p.Policy.Retain.Last = 2 }, snapshot.ErrStale, 0},
		"an image was made": {func(w *world, p *snapshot.Plan) { w.images = map[string]string{p.Deletions()[0].ID: "ami-1"} }, snapshot.ErrStale, 0},
		"one is gone": {func(w *world, p *snapshot.Plan) {
			if _, err := w.ec2[home].DeleteSnapshot(w.Context(), &ec2.DeleteSnapshotInput{SnapshotId: aws.String(p.Deletions()[0].ID)}); err != nil {
				w.Fatal(err)
			}
		}, nil, 2},
		"a newer one failed": {func(w *world, p *snapshot.Plan) {
			id := p.Regions[0].Decisions[0].Item.ID
			if _, err := w.ec2[home].DeleteSnapshot(w.Context(), &ec2.DeleteSnapshotInput{SnapshotId: &id}); err != nil {
				w.Fatal(err)
			}
		}, snapshot.ErrStale, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inWorld(t, func(w *world) {
				p := of(w.volume())
				p.Retain.Last = 1
				m := w.manager()
				w.taken(m, p, 3)
				plan, err := m.Plan(w.Context(), p)
				if err != nil {
					t.Fatal(err)
				}
				test.change(w, plan)
				before := w.calls("DeleteSnapshot")
				report, err := m.Apply(w.Context(), plan)
				if !errors.Is(err, test.want) || len(report.Deleted) != test.gone || test.want != nil && w.calls("DeleteSnapshot") != before {
					t.Errorf("%+v: %v", report, err)
				}
			})
		})
	}
}

// One that is refused does not keep the others, and none is tried for ever.
func TestOneFailureDoesNotStopTheRest(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		p := of(w.volume())
		p.Retain.Last = 1
		m := w.manager()
		w.taken(m, p, 6)
		list := w.snapshots(home)
		for i, effect := range []awstest.Effect{
			awstest.Reject(awstest.APIError{Code: "InvalidSnapshot.InUse", Message: "The snapshot is currently in use by ami-1"}),
			awstest.Reject(awstest.APIError{Code: "InvalidParameterValue", Message: "This snapshot is managed by the AWS Backup service and cannot be deleted via EC2 APIs."}),
			awstest.Reject(awstest.APIError{Code: "InvalidSnapshot.NotFound"}),
			awstest.Deny(),
		} {
			if _, err := w.cloud.Inject(awstest.Match{Service: "EC2", Operation: "DeleteSnapshot", Resource: *list[i].SnapshotId}, effect); err != nil {
				t.Fatal(err)
			}
		}
		report, err := m.Prune(w.Context(), p)
		if len(report.Deleted) != 2 || len(report.Refused) != 3 || !errors.Is(err, snapshot.ErrInUse) || !errors.Is(err, snapshot.ErrDenied) {
			t.Errorf("%+v: %v", report, err)
		}
	})
}

func TestAMassDeleteIsRefused(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		p := of(w.volume())
		m := w.manager()
		w.taken(m, p, 60)
		p.Retain.Last = 1
		report, err := m.Prune(w.Context(), p)
		if !errors.Is(err, snapshot.ErrMassDelete) || len(report.Deleted) != 0 || w.calls("DeleteSnapshot") != 0 {
			t.Errorf("%+v: %v", report, err)
		}
		report, err = m.Prune(w.Context(), p, func(o *snapshot.ApplyOptions) { o.AllowMassDelete = true })
		if err != nil || len(report.Deleted) != 59 {
			t.Errorf("%d deleted: %v", len(report.Deleted), err)
		}
	})
}

// Deletes go at 95 % of the rate at least, however long a call takes, and AWS throttles few of them.
func TestDeletesKeepTheirRate(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		var volumes []string
		for range 60 {
			volumes = append(volumes, w.volume())
		}
		p := of(volumes...)
		m := w.manager()
		w.taken(m, p, 8)
		p.Retain.Last = 1
		if _, err := w.cloud.Inject(awstest.Match{Service: "EC2", Operation: "DeleteSnapshot"}, awstest.DelayReply(time.Second)); err != nil {
			t.Fatal(err)
		}
		plan, err := m.Plan(w.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		report, err := m.Apply(w.Context(), plan, func(o *snapshot.ApplyOptions) { o.AllowMassDelete = true })
		if err != nil || len(report.Deleted) != 420 {
			t.Fatalf("%d deleted: %v", len(report.Deleted), err)
		}
		if rate := 420 / time.Since(began).Seconds(); rate < 0.95*4 || rate > 4.2 {
			t.Errorf("%.2f deletes a second", rate)
		}
	}, func(_ *awstest.Options, o *ec2svc.Options) { o.PendingSnapshots = 1000 })
}

// Two managers at once take a volume twice: one of the two counts, and the other goes.
func TestDuplicatesArePruned(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		p := copied(of(w.volume()))
		time.Sleep(5 * time.Minute)
		at := slot(0)
		for range 2 { // the second does not see what the first has made
			if _, err := w.manager().Create(w.Context(), p, at); err != nil {
				t.Fatal(err)
			}
			time.Sleep(20 * time.Second)
		}
		if n := w.calls("CreateSnapshot"); n != 2 {
			t.Fatalf("%d calls", n)
		}
		time.Sleep(10 * time.Minute)
		m := w.manager()
		if _, err := m.Copy(w.Context(), p); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Minute)
		report, err := m.Prune(w.Context(), p)
		if err != nil || len(report.Deleted) != 1 {
			t.Errorf("%+v: %v", report, err)
		}
		time.Sleep(5 * time.Minute)
		here, there := w.snapshots(home), w.snapshots(away)
		if len(here) != 1 || len(there) != 1 || report.Deleted[0].ID <= *here[0].SnapshotId {
			t.Errorf("%d are left, and %d copies; %v went", len(here), len(there), report.Deleted)
		}
	}, lagging(time.Minute))
}
