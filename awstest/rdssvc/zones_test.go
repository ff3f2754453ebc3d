package rdssvc_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/svctest"
	"github.com/awsha/awsha/awstest/rdssvc"
)

// zoneOf returns the zone of an instance.
func (w *world) zoneOf(id string) *awstest.Zone {
	w.Helper()
	name := *w.instance(id).AvailabilityZone
	for _, z := range svctest.Must(w.cloud.Region(home))(w).Zones() {
		if z.Name() == name {
			return z
		}
	}
	w.Fatalf("no zone is named %s", name)
	return nil
}

// zones tells where an instance and its standby are.
func (w *world) zones(id string) string {
	w.Helper()
	i := w.instance(id)
	return *i.AvailabilityZone + " " + aws.ToString(i.SecondaryAvailabilityZone)
}

func (w *world) wantZones(id, want string) {
	w.Helper()
	if got := w.zones(id); got != want {
		w.Errorf("after %v: %s is in %s, want %s", time.Since(w.start), id, got, want)
	}
}

func TestStandbyTakesOver(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fail func(*world) func()
		heal time.Duration // after how long; longer than a failover or shorter
		want string
	}{
		"its zone loses power":                 {func(w *world) func() { return w.zoneOf("db").Fail(awstest.PowerLoss) }, time.Hour, "us-east-1b us-east-1a"},
		"its zone loses the network":           {func(w *world) func() { return w.zoneOf("db").Fail(awstest.NetworkLoss) }, time.Hour, "us-east-1b us-east-1a"},
		"its machine fails":                    {func(w *world) func() { return w.primary("db").Fail(awstest.PowerLoss) }, time.Hour, "us-east-1b us-east-1a"},
		"its zone is back before the failover": {func(w *world) func() { return w.zoneOf("db").Fail(awstest.PowerLoss) }, time.Minute, "us-east-1a us-east-1b"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				w.database("db", multi)
				w.write("db", 8)
				w.wantZones("db", "us-east-1a us-east-1b")
				heal := c.fail(w)
				if err := rdssvc.SetWrites(w.cloud, home, "db", 9); err == nil {
					w.Error("a primary that cannot be reached takes writes")
				}
				if c.heal < 90*time.Second {
					time.Sleep(c.heal)
					heal()
					time.Sleep(time.Hour)
				} else {
					time.Sleep(90*time.Second - 1)
					w.wantZones("db", "us-east-1a us-east-1b")
					time.Sleep(time.Nanosecond)
					w.wantZones("db", c.want)
					w.write("db", 10) // while the zone is away
					time.Sleep(c.heal)
					heal()
					time.Sleep(time.Hour)
				}
				w.wantZones("db", c.want)
				w.wantStatus("db", "available")
				w.write("db", 11)
			})
		})
	}
}

// primary returns the machine that an instance runs on.
func (w *world) primary(id string) *awstest.Instance {
	w.Helper()
	primary, _, err := rdssvc.Machines(w.cloud, home, id)
	if err != nil {
		w.Fatal(err)
	}
	return primary
}

func TestInstanceWithoutStandbyWaitsForItsZone(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.database("db", backed)
		w.write("db", 1)
		time.Sleep(30 * time.Minute)
		if err := w.snapshot("s", "db"); err != nil {
			w.Fatal(err)
		}
		zone := w.zoneOf("db")
		lost := time.Now()
		heal := zone.Fail(awstest.PowerLoss)
		time.Sleep(time.Hour)
		w.wantSnapshot(w.Client, "s", "creating 99%")
		w.wantStatus("db", "backing-up")
		if err := rdssvc.SetWrites(w.cloud, home, "db", 2); err == nil {
			w.Error("a database without power takes writes")
		}
		// What can be restored ends with the logs that were uploaded in time.
		if got := w.instance("db").LatestRestorableTime; !got.Equal(lost.Add(-5*time.Minute)) && !got.Equal(w.start.Add(5*time.Minute)) {
			w.Errorf("restorable until %v after the loss", got.Sub(lost))
		}
		heal()
		w.wantSnapshot(w.Client, "s", "available 100%")
		w.wantStatus("db", "available")
		w.write("db", 2)
	})
}

// A restore goes into a zone that is well.
func TestRestoreOutOfADeadZone(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.database("db", backed)
		w.write("db", 4)
		w.taken("s", "db")
		time.Sleep(10 * time.Minute)
		w.zoneOf("db").Fail(awstest.PowerLoss)
		_, err := w.restore("there", "s", func(in *restoreIn) { in.AvailabilityZone = aws.String("us-east-1a") })
		svctest.WantCode(w, err, "InsufficientDBInstanceCapacity")
		svctest.Must(w.restore("new", "s"))(w)
		if err := w.restorePoint(func(in *rds.RestoreDBInstanceToPointInTimeInput) {
			in.TargetDBInstanceIdentifier, in.UseLatestRestorableTime = aws.String("newer"), aws.Bool(true)
		}); err != nil {
			w.Fatal(err)
		}
		for _, id := range []string{"new", "newer"} {
			w.ready(id)
			w.wantZones(id, "us-east-1b ")
			w.wantWrites(id, 4)
		}
	})
}

func TestZoneThatRefusesLaunches(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		heal := svctest.Must(w.cloud.Region(home))(w).Zones()[0].RefuseLaunches("db.t4g.micro")
		_, err := w.CreateDBInstance(w.Context(), createInput("db", func(in *createIn) { in.AvailabilityZone = aws.String("us-east-1a") }))
		svctest.WantCode(w, err, "InsufficientDBInstanceCapacity")
		w.database("db", multi)
		w.wantZones("db", "us-east-1b us-east-1c")
		heal()
	})
}

func TestRebootWithFailover(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.database("db", multi)
		w.database("alone")
		reboot := func(id string, failover bool) error {
			_, err := w.RebootDBInstance(w.Context(), &rds.RebootDBInstanceInput{DBInstanceIdentifier: &id, ForceFailover: &failover})
			return err
		}
		svctest.WantCode(w, reboot("alone", true), "InvalidParameterCombination")
		if err := reboot("alone", false); err != nil {
			w.Error(err)
		}
		svctest.WantCode(w, reboot("alone", false), "InvalidDBInstanceState")
		time.Sleep(30*time.Second - 1)
		w.wantStatus("alone", "rebooting")
		time.Sleep(time.Nanosecond)
		w.wantStatus("alone", "available")
		before := w.primary("db")
		if err := reboot("db", true); err != nil {
			w.Error(err)
		}
		time.Sleep(90 * time.Second)
		w.wantStatus("db", "available")
		w.wantZones("db", "us-east-1b us-east-1a")
		if w.primary("db") == before {
			w.Error("the same machine is the primary")
		}
		w.write("db", 1)
	})
}

func TestStandbyComesAndGoes(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.database("db")
		for _, c := range []struct {
			multi bool
			want  string
		}{{true, "us-east-1a us-east-1b"}, {false, "us-east-1a "}, {true, "us-east-1a us-east-1b"}} {
			svctest.Must(w.ModifyDBInstance(w.Context(), &rds.ModifyDBInstanceInput{DBInstanceIdentifier: aws.String("db"), MultiAZ: &c.multi, ApplyImmediately: aws.Bool(true)}))(w)
			w.wantStatus("db", "modifying")
			time.Sleep(3 * time.Minute)
			w.wantStatus("db", "available")
			w.wantZones("db", c.want)
		}
	})
}

func TestStuck(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		free := svctest.Must(w.cloud.Stick("arn:aws:rds:us-east-1:123456789012:db:db"))(w)
		svctest.Must(w.CreateDBInstance(w.Context(), createInput("db")))(w)
		time.Sleep(time.Hour)
		w.wantStatus("db", "creating")
		free()
		w.wantStatus("db", "available")
		free = svctest.Must(w.cloud.Stick("arn:aws:rds:us-east-1:123456789012:snapshot:s"))(w)
		if err := w.snapshot("s", "db"); err != nil {
			w.Fatal(err)
		}
		time.Sleep(time.Hour)
		w.wantSnapshot(w.Client, "s", "creating 99%")
		w.wantStatus("db", "available")
		free()
		w.wantSnapshot(w.Client, "s", "available 100%")
	})
}
