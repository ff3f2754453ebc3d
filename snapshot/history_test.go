package snapshot_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/snapshot"
)

var (
	runs  = flag.Int("histories", 100, "how many random histories of a policy are run")
	plans = flag.Uint64("plans", 2000, "how many random histories of a retention are planned")
	seed  = flag.Uint64("seed", 0, "the seed of the one history to run; 0 is as many as -histories says")
)

// Whatever happens to a policy, the newest completed point of each series stays; and once all is well again, one run of a slot leaves each
// volume and slot with one point, each with its copy, and nothing that nobody knows.
func TestHistories(t *testing.T) {
	t.Parallel()
	if *seed != 0 {
		runHistory(t, *seed)
		return
	}
	for n := range *runs {
		if runHistory(t, uint64(n+1)); t.Failed() {
			t.Fatalf("run it again with -run Histories -seed %d", n+1)
		}
	}
}

// chronicle is a policy that things happen to.
type chronicle struct {
	*world
	rand    *rand.Rand
	policy  *snapshot.Policy
	slot    time.Time
	lasting map[snapshot.Series]time.Time // the time of the newest completed point that has been seen
	story   []string
}

func runHistory(t *testing.T, seed uint64) {
	t.Helper()
	inWorld(t, func(w *world) {
		h := &chronicle{world: w, rand: rand.New(rand.NewPCG(seed, 1)), lasting: map[snapshot.Series]time.Time{}}
		h.begin()
		for range 4 + h.rand.IntN(8) {
			h.step()
			h.lasts()
		}
		h.settles()
		if t.Failed() {
			t.Logf("seed %d: %+v, %v", seed, h.policy.Retain, h.story)
		}
	}, func(o *awstest.Options, s *ec2svc.Options) {
		o.VisibilityLag = time.Duration(seed%3) * 20 * time.Second
		s.ConcurrentCopies = 1 + int(seed%4)
	})
}

func (h *chronicle) begin() {
	p := of()
	if h.rand.IntN(3) > 0 {
		p.Targets.Volumes.IDs = append(p.Targets.Volumes.IDs, h.volume())
	}
	switch h.rand.IntN(5) {
	case 0:
		p.Targets.Instances.IDs = []string{h.instance(1 + h.rand.IntN(2))}
	case 1:
		p.Targets.Images.IDs = []string{h.instance(1)}
	case 2:
		p.Targets.Databases.IDs = []string{h.database("orders")}
	case 3:
		h.cluster("orders")
		p.Targets.Clusters.IDs = []string{"orders"}
	default:
		p.Targets.Volumes.IDs = append(p.Targets.Volumes.IDs, h.volume())
	}
	p.Retain = h.retention()
	if h.rand.IntN(3) > 0 {
		copied(p, func(c *snapshot.CopyRule) { c.Retain, c.LatestOnly = h.retention(), h.rand.IntN(4) == 0 })
	}
	h.policy, h.slot = p, time.Now().Truncate(time.Hour)
}

func (h *chronicle) retention() snapshot.Retention {
	return snapshot.Retention{
		Last: h.rand.IntN(4), Hourly: h.rand.IntN(3), Daily: h.rand.IntN(3), MinKeep: h.rand.IntN(3), MaxAge: time.Duration(h.rand.IntN(2)) * 3 * time.Hour,
		FailedAfter: time.Duration(1+h.rand.IntN(3)) * time.Hour,
	}
}

// step lets time pass and something happen, and runs the next slot, or the same again.
func (h *chronicle) step() {
	time.Sleep(time.Duration(h.rand.IntN(120)) * time.Minute)
	if now := time.Now().Truncate(time.Hour); h.rand.IntN(5) > 0 {
		h.slot = now
	}
	heal := h.fault()
	ctx, kill := context.WithCancelCause(h.Context())
	defer kill(nil)
	if h.rand.IntN(3) == 0 {
		heal = append(heal, h.killAt(kill, 1+h.rand.IntN(40)))
	}
	h.story = append(h.story, "run "+h.slot.Format("15:04"))
	_, _ = h.manager().RunSlot(ctx, h.policy, h.slot) // what fails is to be made up for
	for _, fn := range heal {
		fn()
	}
	if h.rand.IntN(4) == 0 {
		h.failOne()
	}
}

// fault lets some calls go wrong.
func (h *chronicle) fault() (heal []func()) {
	for _, f := range []struct {
		name   string
		effect awstest.Effect
	}{
		{"throttle", awstest.Throttle()}, {"lose", awstest.LoseReply()}, {"refuse", awstest.Unavailable()},
		{"in use", awstest.Reject(awstest.APIError{Code: "InvalidSnapshot.InUse", Message: "in use by ami-1"})},
	} {
		if h.rand.IntN(3) > 0 {
			continue
		}
		operations := []string{"CreateSnapshot", "CreateSnapshots", "CreateImage", "CopySnapshot", "CopyImage", "DeleteSnapshot", "DeregisterImage", "DescribeSnapshots"}
		service := "EC2"
		switch {
		case f.name == "in use":
			operations = []string{"DeleteSnapshot"}
		case len(h.policy.Targets.Databases.IDs) > 0:
			service, operations = "RDS", []string{"CreateDBSnapshot", "CopyDBSnapshot", "DeleteDBSnapshot", "DescribeDBSnapshots", "DescribeDBInstances"}
		case len(h.policy.Targets.Clusters.IDs) > 0:
			service, operations = "RDS", []string{"CreateDBClusterSnapshot", "CopyDBClusterSnapshot", "DeleteDBClusterSnapshot", "DescribeDBClusterSnapshots"}
		}
		op := operations[h.rand.IntN(len(operations))]
		h.story = append(h.story, f.name+" "+op)
		fn, err := h.cloud.Inject(awstest.Match{Service: service, Operation: op, Skip: h.rand.IntN(2), Times: 1 + h.rand.IntN(3)}, f.effect)
		if err != nil {
			h.Fatal(err)
		}
		heal = append(heal, fn)
	}
	return heal
}

// killAt ends a context at the n-th call from now.
func (h *chronicle) killAt(kill context.CancelCauseFunc, n int) (heal func()) {
	h.story = append(h.story, fmt.Sprintf("kill at call %d", n))
	hook := func(context.Context, awstest.Record) { kill(errors.New("killed")) }
	effect := awstest.Before(hook)
	if h.rand.IntN(2) == 0 {
		effect = awstest.After(hook)
	}
	heal, err := h.cloud.Inject(awstest.Match{Skip: n - 1, Times: 1}, effect)
	if err != nil {
		h.Fatal(err)
	}
	return heal
}

// failOne makes one that is pending fail, in either region.
func (h *chronicle) failOne() {
	for _, region := range []string{home, away} {
		for _, s := range h.snapshots(region) {
			if s.State == "pending" && h.rand.IntN(2) == 0 {
				h.story = append(h.story, "fail "+*s.SnapshotId)
				_ = ec2svc.FailSnapshot(h.cloud, region, *s.SnapshotId, "a disk broke") // it may just have ended
			}
		}
	}
}

// points returns what there is, without reads that are behind.
func (h *chronicle) points() []*snapshot.Point {
	h.Helper()
	time.Sleep(time.Minute)
	points, err := h.manager().Points(h.Context(), h.policy)
	if err != nil {
		h.Fatal(err)
	}
	return points
}

// newest returns the times of the newest completed points of each series at home, of all volumes of a set.
func newest(points []*snapshot.Point) map[snapshot.Series]time.Time {
	states := map[string]bool{}
	times := map[string]*snapshot.Point{}
	for _, p := range points {
		if p.Region == home {
			key := p.Series.String() + p.Set
			before, known := states[key]
			states[key] = p.State == snapshot.Completed && (before || !known)
			times[key] = p
		}
	}
	list := map[snapshot.Series]time.Time{}
	for key, good := range states {
		if p := times[key]; good && p.Time.After(list[p.Series]) {
			list[p.Series] = p.Time
		}
	}
	return list
}

// lasts checks that no series has lost the newest completed point that it had.
func (h *chronicle) lasts() {
	h.Helper()
	now := newest(h.points())
	for series, at := range h.lasting {
		if now[series].Before(at) {
			h.Errorf("%v had a completed point of %v, and now %v", series, at, now[series])
		}
	}
	h.lasting = now
}

// settles runs one more slot, without faults, and checks what is left.
func (h *chronicle) settles() {
	h.Helper()
	time.Sleep(26 * time.Hour) // whatever has failed has been looked at
	h.slot = time.Now().Truncate(time.Hour)
	for range 2 {
		if _, err := h.manager().RunSlot(h.Context(), h.policy, h.slot); err != nil {
			h.Errorf("in the end: %v", err)
		}
		time.Sleep(2 * time.Hour) // what an image has left behind is old enough then
	}
	if _, err := h.manager().Prune(h.Context(), h.policy); err != nil {
		h.Errorf("in the end: %v", err)
	}
	type place struct {
		region string
		of     snapshot.Series
		volume string
		slot   time.Time
	}
	count, known := map[place]int{}, map[string]bool{}
	points := h.points()
	for _, p := range points {
		count[place{p.Region, p.Series, p.VolumeID, p.Slot}]++
		if p.State != snapshot.Completed {
			h.Errorf("%s of %v is %v", p.Ref, p.Slot, p.State)
		}
		known[p.ID] = true
		for _, id := range p.Snapshots {
			known[id] = true
		}
	}
	for at, n := range count {
		if n != 1 {
			h.Errorf("%d of %v", n, at)
		}
	}
	for _, region := range []string{home, away} {
		for _, s := range h.snapshots(region) {
			if !known[*s.SnapshotId] {
				h.Errorf("%s in %s is nobody's: %v", *s.SnapshotId, region, *s.Description)
			}
		}
	}
	for _, region := range []string{home, away} {
		names := h.clusterSnapshots(region)
		for _, s := range h.dbSnapshots(region) {
			names = append(names, *s.DBSnapshotIdentifier)
		}
		for _, name := range names {
			if !known[name] {
				h.Errorf("%s in %s is nobody's", name, region)
			}
		}
	}
	last := newest(points)
	for series, at := range last {
		if at.Before(h.slot) {
			h.Errorf("the newest of %v is of %v", series, at)
		}
	}
	if targets, err := h.manager().Targets(h.Context(), h.policy); err != nil || len(last) != len(targets) {
		h.Errorf("%d series of %d targets: %v", len(last), len(targets), err)
	}
	plan, err := h.manager().Plan(h.Context(), h.policy)
	if err != nil || len(plan.Deletions()) > 0 {
		h.Errorf("%d are still to go: %v", len(plan.Deletions()), err)
	}
	if len(h.policy.Copies) > 0 {
		for series, at := range last {
			if !slices.ContainsFunc(points, func(p *snapshot.Point) bool { return p.Region == away && p.Series == series && p.Time.Equal(at) }) {
				h.Errorf("%v has no copy of %v", series, at)
			}
		}
	}
}
