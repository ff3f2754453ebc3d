package snapshot_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/snapshot"
)

// runFor runs policies for a while.
func (w *world) runFor(d time.Duration, m *snapshot.Manager, policies ...*snapshot.Policy) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), d)
	defer cancel()
	if err := m.Run(ctx, policies...); err != nil {
		w.Error(err)
	}
}

func TestSlotsAreRunBySchedule(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		p := copied(of(w.volume()), func(c *snapshot.CopyRule) { c.Retain.Last = 2 })
		p.Schedule.Every, p.Retain.Last = time.Hour, 3
		began := time.Now()
		w.runFor(10*time.Hour+30*time.Minute, w.manager(), p)
		if n := w.calls("CreateSnapshot"); n != 10 {
			t.Errorf("%d snapshots taken", n)
		}
		if here, there := len(w.snapshots(home)), len(w.snapshots(away)); here != 3 || there != 2 {
			t.Errorf("%d kept, and %d copies", here, there)
		}
		for i, e := range w.told(snapshot.SlotTaken) {
			if want := began.Truncate(time.Hour).Add(time.Duration(i+1) * time.Hour); !e.Slot.Equal(want) || e.Time.Sub(want) > time.Second {
				t.Errorf("slot %v at %v, want %v", e.Slot, e.Time, want)
			}
		}
		for _, e := range w.told(snapshot.SlotDone) {
			if e.Err != nil {
				t.Error(e.Err)
			}
		}
		ages := w.told(snapshot.PointAge)
		if len(ages) != 10 || ages[9].Age < time.Minute || ages[9].Age > time.Hour {
			t.Errorf("%d ages: %v", len(ages), ages[len(ages)-1].Age)
		}
	})
}

func TestMissedSlotsAreCaughtUpOnce(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		catchUp time.Duration
		want    int // in the first minutes after a break of five and a half hours
		missed  int
	}{
		"caught up":     {2 * time.Hour, 1, 4},
		"nothing to do": {10 * time.Minute, 0, 0},
		"no catch-up":   {0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inWorld(t, func(w *world) {
				p := of(w.volume())
				p.Schedule.Every, p.CatchUp = time.Hour, test.catchUp
				w.runFor(time.Until(slot(1))+30*time.Minute, w.manager(), p)
				time.Sleep(5 * time.Hour)
				before := w.calls("CreateSnapshot")
				w.runFor(20*time.Minute, w.manager(), p)
				if n := w.calls("CreateSnapshot") - before; n != test.want {
					t.Errorf("%d taken", n)
				}
			})
		})
	}
}

// A slot that has been run costs reads only when it is run again.
func TestASlotIsRunAgainAfterACrash(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		p := of(w.volume(), w.volume())
		at := slot(0)
		if _, err := w.manager().RunSlot(w.Context(), p, at); err != nil {
			t.Fatal(err)
		}
		report, err := w.manager().RunSlot(w.Context(), p, at)
		if err != nil || report.Created.Adopted != 2 || w.calls("CreateSnapshot") != 2 {
			t.Errorf("%+v: %v", report, err)
		}
	})
}

// A snapshot that does not end keeps its slot from being waited for, and not the next one from being taken.
func TestAStuckSnapshotDoesNotStopTheSchedule(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		p := of(w.volume())
		p.Schedule.Every = time.Hour
		stuck := false
		m := w.manager(func(o *snapshot.Options) {
			keep := o.OnEvent
			o.OnEvent = func(ctx context.Context, e snapshot.Event) {
				if keep(ctx, e); e.Kind == snapshot.Created && !stuck {
					stuck = true
					if _, err := w.cloud.Stick(e.Point.ID); err != nil {
						t.Error(err)
					}
				}
			}
		})
		w.runFor(5*time.Hour+30*time.Minute, m, p)
		if n := w.calls("CreateSnapshot"); n != 5 {
			t.Errorf("%d taken", n)
		}
		done := w.told(snapshot.SlotDone)
		if len(done) != 5 || done[0].Err == nil || done[1].Err != nil {
			t.Errorf("%d done: %v", len(done), done[0].Err)
		}
	})
}

func TestPoliciesThatCannotRunAreRefused(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		none, twice := of("vol-01234567"), of("vol-01234567")
		twice.Schedule.Every = time.Hour
		err := w.manager().Run(w.Context(), none, twice, &snapshot.Policy{})
		for _, want := range []string{"schedule: must be set", "name: is that of another policy", "targets: must select something"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q is not in %v", want, err)
			}
		}
	})
}

// What a slot has done can be stored.
func TestAReportIsJSON(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		volume := w.volume()
		data, err := json.Marshal(w.runSlot(copied(of(volume))))
		if err != nil {
			t.Fatal(err)
		}
		var read snapshot.Report
		if err := json.Unmarshal(data, &read); err != nil {
			t.Fatal(err)
		}
		series := snapshot.Series{Kind: snapshot.KindVolume, ID: volume}
		if read.Ages[series] <= 0 || len(read.Created.Points) != 1 || read.Created.Points[0].Series != series || len(read.Copied[0].Lag) != 1 {
			t.Errorf("%s", data)
		}
		if err := json.Unmarshal([]byte(`{"ages": {"disk/1": 1}}`), &read); err == nil {
			t.Error("a series of no kind was read")
		}
	})
}

// Killed at every call of a slot and run again, it ends in the same state.
func TestKilledAtEachCall(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		policy    func(*world) *snapshot.Policy
		points    int // of a slot
		snapshots int // that EC2 has of it
	}{
		"snapshots": {func(w *world) *snapshot.Policy {
			p := of(w.volume())
			p.Targets.Instances.IDs = []string{w.instance(1)}
			return p
		}, 3, 3},
		"images": {func(w *world) *snapshot.Policy {
			p := imaged(w.instance(1))
			p.Targets.DeprecateAfter = 48 * time.Hour
			return p
		}, 1, 2},
		"databases": {func(w *world) *snapshot.Policy { return stored(w.database("orders")) }, 1, 0},
		"clusters": {func(w *world) *snapshot.Policy {
			w.cluster("orders")
			return clustered("orders")
		}, 1, 0},
	} {
		for _, after := range []bool{false, true} {
			t.Run(name+map[bool]string{false: ", before it", true: ", after it"}[after], func(t *testing.T) {
				t.Parallel()
				n := 1
				for ; killedAt(t, n, after, test.policy, test.points, test.snapshots); n++ {
				}
				t.Logf("%d calls", n-1)
			})
		}
	}
}

// killedAt kills a slot before or after its n-th call, and runs it again. It reports whether there was one.
func killedAt(t *testing.T, n int, after bool, policy func(*world) *snapshot.Policy, points, snapshots int) (reached bool) {
	inWorld(t, func(w *world) {
		p := copied(policy(w), func(c *snapshot.CopyRule) { c.Retain.Last = 2 })
		p.Retain.Last = 2
		w.taken(w.manager(), p, 2)
		at := slot(0)
		ctx, kill := context.WithCancelCause(w.Context())
		var calls atomic.Int64 // of several goroutines
		count := func(context.Context, awstest.Record) {
			if calls.Add(1) == int64(n) {
				kill(errors.New("killed"))
			}
		}
		hook := awstest.Before(count)
		if after {
			hook = awstest.After(count)
		}
		heal, err := w.cloud.Inject(awstest.Match{}, hook)
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.manager().RunSlot(ctx, p, at)
		heal()
		if reached = calls.Load() >= int64(n); reached != (err != nil) {
			t.Errorf("call %d: %v", n, err)
		}
		if _, err := w.manager().RunSlot(w.Context(), p, at); err != nil {
			t.Errorf("call %d: %v", n, err)
		}
		type key struct {
			region string
			of     snapshot.Series
			volume string
			slot   time.Time
		}
		seen := map[key]int{}
		there, err := w.manager().Points(w.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		for _, point := range there {
			if seen[key{point.Region, point.Series, point.VolumeID, point.Slot}]++; point.State != snapshot.Completed {
				t.Errorf("call %d: %s is %v", n, point.Ref, point.State)
			}
			if after := p.Targets.DeprecateAfter; after > 0 && !point.Deprecated.Equal(point.Time.Add(after).Truncate(time.Minute)) {
				t.Errorf("call %d: %s is deprecated at %v", n, point.Ref, point.Deprecated)
			}
		}
		for k, count := range seen {
			if count != 1 {
				t.Errorf("call %d: %d of %v", n, count, k)
			}
		}
		if here, away := len(w.snapshots(home)), len(w.snapshots(away)); len(seen) != 2*2*points || here+away != 2*2*snapshots {
			t.Errorf("call %d: %d points, %d and %d snapshots", n, len(there), here, away)
		}
	})
	return reached
}
