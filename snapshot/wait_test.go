package snapshot_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/snapshot"
)

// slow has snapshots take a time.
func slow(d time.Duration) func(*awstest.Options, *ec2svc.Options) {
	return func(_ *awstest.Options, o *ec2svc.Options) {
		o.Snapshot, o.FullSnapshot, o.PendingSnapshots = d, d, 10_000
	}
}

// A thousand volumes on 250 instances take 250 creates, and no more than 30 reads to wait for ten minutes; all are told within a minute of
// their completion.
func TestAThousandVolumes(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		for range 250 {
			w.instance(3, "app", "a")
		}
		p := &snapshot.Policy{Name: "many", Region: home, Targets: snapshot.Targets{Instances: snapshot.Selector{Tags: map[string]string{"app": "a"}}}}
		m := w.manager()
		report, err := m.Create(w.Context(), p, slot(0))
		if err != nil || len(report.Points) != 1000 || w.calls("CreateSnapshots") != 250 {
			t.Fatalf("%d points by %d calls: %v", len(report.Points), w.calls("CreateSnapshots"), err)
		}
		before := m.Calls()["DescribeSnapshots"]
		began := time.Now()
		results, err := m.Wait(w.Context(), report.Points)
		if err != nil || len(results) != 1000 {
			t.Fatalf("%d results: %v", len(results), err)
		}
		if n := m.Calls()["DescribeSnapshots"] - before; n > 30 {
			t.Errorf("%d reads in %v", n, time.Since(began))
		}
		completed := make(map[string]time.Time)
		for _, s := range w.snapshots(home) {
			completed[*s.SnapshotId] = *s.CompletionTime
		}
		for _, e := range w.told(snapshot.PointCompleted) {
			if late := e.Time.Sub(completed[e.Point.ID]); late < 0 || late > time.Minute {
				t.Errorf("%s was told %v late", e.Point.ID, late)
			}
		}
		t.Logf("%d reads in %v", m.Calls()["DescribeSnapshots"]-before, time.Since(began))
	}, slow(10*time.Minute))
}

func TestAFailedSnapshotIsToldAtOnceWithItsMessage(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		m := w.manager()
		report, err := m.Create(w.Context(), of(w.volume(), w.volume()), slot(0))
		if err != nil {
			t.Fatal(err)
		}
		bad, good := report.Points[0], report.Points[1]
		began := time.Now()
		time.AfterFunc(10*time.Second, func() {
			if err := ec2svc.FailSnapshot(w.cloud, home, bad.ID, "Given key ID is not accessible"); err != nil {
				t.Error(err)
			}
		})
		results, err := m.Wait(w.Context(), []*snapshot.Point{bad})
		if d := time.Since(began); !errors.Is(err, snapshot.ErrFailed) || d > 40*time.Second {
			t.Errorf("%v after %v", err, d)
		}
		if r := results[bad.Ref]; r.Point.State != snapshot.Failed || r.Point.Message != "Given key ID is not accessible" {
			t.Errorf("%+v", r.Point)
		}
		results, err = m.Wait(w.Context(), report.Points)
		if !errors.Is(err, snapshot.ErrFailed) || results[good.Ref].Err != nil || results[good.Ref].Point.State != snapshot.Completed {
			t.Errorf("%v", err)
		}
	})
}

// Any number of calls wait with the reads of one, also when the one that reads gives up.
func TestWaitsShareTheirReads(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		m := w.manager()
		report, err := m.Create(w.Context(), of(w.volume(), w.volume(), w.volume()), slot(0))
		if err != nil {
			t.Fatal(err)
		}
		before := m.Calls()["DescribeSnapshots"]
		var all sync.WaitGroup
		for i := range 40 {
			all.Go(func() {
				ctx, cancel := context.WithTimeout(w.Context(), time.Duration(i%10)*time.Minute)
				defer cancel()
				if i%10 == 0 {
					ctx = w.Context()
				}
				results, err := m.Wait(ctx, report.Points)
				if enough := i%10 == 0 || i%10 > 6; i%10 == 6 {
					return // it may be or not
				} else if enough != (err == nil) || len(results) != 3 || !enough && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%d: %v", i%10, err)
				}
			})
		}
		all.Wait()
		if n := m.Calls()["DescribeSnapshots"] - before; n > 12 {
			t.Errorf("%d reads", n)
		}
	})
}

func TestWhatIsNotVisibleYetIsWaitedFor(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		p := of(w.volume())
		time.Sleep(5 * time.Minute)
		m := w.manager()
		report, err := m.Create(w.Context(), p, slot(0))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Wait(w.Context(), report.Points); err != nil {
			t.Error(err)
		}
		never := *report.Points[0]
		never.ID, never.State = "snap-0123456789abcdef0", snapshot.Pending
		began := time.Now()
		if _, err := m.Wait(w.Context(), []*snapshot.Point{&never}); !errors.Is(err, snapshot.ErrNotFound) || time.Since(began) < 5*time.Minute {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	}, lagging(2*time.Minute))
}

// An outage is waited on; what is denied for good ends the wait.
func TestAWaitInAnOutage(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		m := w.manager()
		report, err := m.Create(w.Context(), of(w.volume()), slot(0))
		if err != nil {
			t.Fatal(err)
		}
		heal, err := w.cloud.Inject(awstest.Match{Service: "EC2", Operation: "DescribeSnapshots"}, awstest.Unavailable())
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(time.Hour, heal)
		if _, err := m.Wait(w.Context(), report.Points); err != nil {
			t.Error(err)
		}
		if n := w.calls("DescribeSnapshots"); n > 1200 {
			t.Errorf("%d reads in an hour of outage", n)
		}
		again, err := m.Create(w.Context(), of(w.volume()), slot(1))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.cloud.Inject(awstest.Match{Service: "EC2", Operation: "DescribeSnapshots"}, awstest.Deny()); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Wait(w.Context(), again.Points); !errors.Is(err, snapshot.ErrDenied) {
			t.Error(err)
		}
	})
}
