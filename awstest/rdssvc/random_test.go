package rdssvc_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/svctest"
	"github.com/awsha/awsha/awstest/rdssvc"
)

// TestRandomSequences holds sequences of calls, with time passing, against
// lists of databases and snapshots that know until when they are busy.
func TestRandomSequences(t *testing.T) {
	svctest.Sequences(t, 400, 50, func(t *testing.T, first, last uint64) {
		for s := first; s <= last && !t.Failed(); s++ {
			sequence(t, s)
		}
	})
}

func sequence(t *testing.T, seed uint64) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cloud := svctest.Must(awstest.New([]awstest.Service{rdssvc.New()}, func(o *awstest.Options) { o.Latency = awstest.NoLatency }))(t)
		r := &run{
			world: &world{T: t, Client: rds.NewFromConfig(cloud.Config(home)), cloud: cloud, start: time.Now()},
			rng:   rand.New(rand.NewPCG(seed, seed)), dbs: map[string]*modelDB{}, snaps: map[string]*modelSnap{},
		}
		defer func() {
			if err := cloud.Close(); err != nil {
				t.Error(err)
			}
		}()
		for range 30 {
			did, got, want := r.step()
			r.log = append(r.log, fmt.Sprintf("%v %s: %s", time.Since(r.start), did, got))
			if got == want {
				got, want = r.observed(), r.expected()
			}
			if got != want {
				t.Fatalf("seed %d:\n%s\ngot\n%s\nwant\n%s", seed, strings.Join(r.log, "\n"), got, want)
			}
		}
	})
}

// run is a sequence under way, with the model.
type run struct {
	*world
	rng   *rand.Rand
	log   []string
	dbs   map[string]*modelDB
	snaps map[string]*modelSnap
}

// modelDB is what it is until a moment, and available from then on; one that
// is deleted is gone.
type modelDB struct {
	busy   string
	until  time.Time
	multi  bool
	writes int
}

type modelSnap struct {
	of     string
	until  time.Time
	writes int
}

func (d *modelDB) status() string {
	if time.Now().Before(d.until) {
		return d.busy
	}
	return "available"
}

func (d *modelDB) be(busy string, takes time.Duration) { d.busy, d.until = busy, time.Now().Add(takes) }

func (s *modelSnap) status() string {
	if time.Now().Before(s.until) {
		return "creating"
	}
	return "available"
}

// forget drops what has been deleted by now.
func (r *run) forget() {
	for id, d := range r.dbs {
		if d.busy == "deleting" && !time.Now().Before(d.until) {
			delete(r.dbs, id)
		}
	}
}

// took tells the end of a call: ok, or the code of its error.
func took(err error) string {
	if err != nil {
		return codeOf(err)
	}
	return "ok"
}

// step takes a step, and tells what it was, how it ended, and how it should
// have.
func (r *run) step() (did, got, want string) {
	r.forget()
	db, snap := "db-"+string(rune('a'+r.rng.IntN(3))), "s-"+string(rune('a'+r.rng.IntN(4)))
	d, s := r.dbs[db], r.snaps[snap]
	switch r.rng.IntN(12) {
	case 0:
		multi := r.rng.IntN(2) == 0
		_, err := r.CreateDBInstance(r.Context(), createInput(db, func(in *createIn) { in.MultiAZ = &multi }))
		if d != nil {
			return "create " + db, took(err), "DBInstanceAlreadyExists"
		}
		r.dbs[db] = &modelDB{multi: multi}
		r.dbs[db].be("creating", 5*time.Minute)
		return "create " + db, took(err), "ok"
	case 1:
		_, err := r.restore(db, snap)
		switch {
		case s == nil:
			return "restore " + db + " from " + snap, took(err), "DBSnapshotNotFound"
		case s.status() != "available":
			return "restore " + db + " from " + snap, took(err), "InvalidDBSnapshotState"
		case d != nil:
			return "restore " + db + " from " + snap, took(err), "DBInstanceAlreadyExists"
		}
		r.dbs[db] = &modelDB{writes: s.writes}
		r.dbs[db].be("creating", 10*time.Minute)
		return "restore " + db + " from " + snap, took(err), "ok"
	case 2:
		return r.delete(db, snap)
	case 3, 4:
		err := r.snapshot(snap, db)
		switch {
		case d == nil:
			return "snapshot " + snap + " of " + db, took(err), "DBInstanceNotFound"
		case s != nil:
			return "snapshot " + snap + " of " + db, took(err), "DBSnapshotAlreadyExists"
		case d.status() != "available":
			return "snapshot " + snap + " of " + db, took(err), "InvalidDBInstanceState"
		}
		d.be("backing-up", 2*time.Minute)
		r.snaps[snap] = &modelSnap{of: db, until: d.until, writes: d.writes}
		return "snapshot " + snap + " of " + db, took(err), "ok"
	case 5:
		source := "s-" + string(rune('a'+r.rng.IntN(4)))
		from := r.snaps[source]
		err := r.copy(r.Client, source, snap)
		switch {
		case from == nil:
			return "copy " + source + " to " + snap, took(err), "DBSnapshotNotFound"
		case s != nil:
			return "copy " + source + " to " + snap, took(err), "DBSnapshotAlreadyExists"
		case from.status() != "available":
			return "copy " + source + " to " + snap, took(err), "InvalidDBSnapshotState"
		}
		// The source has to be there until the end, so nothing else happens meanwhile.
		r.snaps[snap] = &modelSnap{of: from.of, until: time.Now().Add(10 * time.Minute), writes: from.writes}
		time.Sleep(10 * time.Minute)
		r.forget()
		return "copy " + source + " to " + snap, took(err), "ok"
	case 6:
		err := r.remove(r.Client, snap)
		switch {
		case s == nil:
			return "delete " + snap, took(err), "DBSnapshotNotFound"
		case s.status() != "available":
			return "delete " + snap, took(err), "InvalidDBSnapshotState"
		}
		delete(r.snaps, snap)
		return "delete " + snap, took(err), "ok"
	case 7:
		return r.reboot(db)
	case 8, 9:
		total := r.rng.IntN(1000)
		err := rdssvc.SetWrites(r.cloud, home, db, int64(total))
		did = fmt.Sprintf("write %d to %s", total, db)
		switch {
		case d == nil:
			return did, took(err), "DBInstanceNotFound"
		case d.status() != "available" && d.status() != "backing-up":
			return did, took(err), "InvalidDBInstanceState"
		}
		d.writes = total
		return did, took(err), "ok"
	}
	pass := time.Duration(r.rng.IntN(10*60*1000)) * time.Millisecond
	time.Sleep(pass)
	r.forget()
	return "pass " + pass.String(), "", ""
}

func (r *run) delete(db, snap string) (did, got, want string) {
	d, final := r.dbs[db], r.rng.IntN(2) == 0
	in := &rds.DeleteDBInstanceInput{DBInstanceIdentifier: &db, SkipFinalSnapshot: aws.Bool(!final)}
	did = "delete " + db
	if final {
		in.FinalDBSnapshotIdentifier = &snap
		did += " with " + snap
	}
	_, err := r.DeleteDBInstance(r.Context(), in)
	switch {
	case d == nil:
		return did, took(err), "DBInstanceNotFound"
	case d.status() == "deleting":
		return did, took(err), "InvalidDBInstanceState"
	case !final:
		d.be("deleting", 2*time.Minute)
		return did, took(err), "ok"
	case r.snaps[snap] != nil:
		return did, took(err), "DBSnapshotAlreadyExists"
	case d.status() != "available":
		return did, took(err), "InvalidDBInstanceState"
	}
	r.snaps[snap] = &modelSnap{of: db, until: time.Now().Add(2 * time.Minute), writes: d.writes}
	d.be("deleting", 4*time.Minute)
	return did, took(err), "ok"
}

func (r *run) reboot(db string) (did, got, want string) {
	d, failover := r.dbs[db], r.rng.IntN(2) == 0
	_, err := r.RebootDBInstance(r.Context(), &rds.RebootDBInstanceInput{DBInstanceIdentifier: &db, ForceFailover: &failover})
	did = fmt.Sprintf("reboot %s, with failover: %v", db, failover)
	switch {
	case d == nil:
		return did, took(err), "DBInstanceNotFound"
	case failover && !d.multi:
		return did, took(err), "InvalidParameterCombination"
	case d.status() != "available":
		return did, took(err), "InvalidDBInstanceState"
	case failover:
		d.be("rebooting", 90*time.Second)
	default:
		d.be("rebooting", 30*time.Second)
	}
	return did, took(err), "ok"
}

// observed and expected tell the databases and the snapshots.
func (r *run) observed() string {
	var told []string
	for _, i := range svctest.Must(r.DescribeDBInstances(r.Context(), nil))(r).DBInstances {
		id := *i.DBInstanceIdentifier
		told = append(told, fmt.Sprintln(id, *i.DBInstanceStatus, *i.MultiAZ, svctest.Must(rdssvc.Writes(r.cloud, home, id))(r)))
	}
	for _, s := range svctest.Must(r.DescribeDBSnapshots(r.Context(), nil))(r).DBSnapshots {
		told = append(told, fmt.Sprintln(*s.DBSnapshotIdentifier, *s.Status, "of", *s.DBInstanceIdentifier))
	}
	slices.Sort(told)
	return strings.Join(told, "")
}

func (r *run) expected() string {
	r.forget()
	var told []string
	for id, d := range r.dbs {
		told = append(told, fmt.Sprintln(id, d.status(), d.multi, d.writes))
	}
	for id, s := range r.snaps {
		told = append(told, fmt.Sprintln(id, s.status(), "of", s.of))
	}
	slices.Sort(told)
	return strings.Join(told, "")
}
