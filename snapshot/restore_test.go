package snapshot_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/snapshot"
)

// write replaces what is on a volume.
func (w *world) write(volume, content string) {
	w.Helper()
	if err := ec2svc.WriteVolume(w.cloud, home, volume, content); err != nil {
		w.Fatal(err)
	}
}

// read returns what is on a restored volume.
func (w *world) read(v snapshot.RestoredVolume) string {
	w.Helper()
	content, err := ec2svc.ReadVolume(w.cloud, v.Region, v.ID)
	if err != nil {
		w.Fatal(err)
	}
	return content
}

// history takes a volume at so many slots, with "1", "2" and so on on it, and copies all but the last.
func (w *world) history(slots int) (*snapshot.Manager, *snapshot.Policy) {
	w.Helper()
	volume := w.volume()
	p := copied(of(volume))
	m := w.manager()
	for n := range slots {
		if n == slots-1 {
			if _, err := m.Copy(w.Context(), p); err != nil {
				w.Fatal(err)
			}
		}
		w.write(volume, fmt.Sprint(n+1))
		w.taken(m, p, 1)
	}
	return m, p
}

func volumeSeries(p *snapshot.Policy) snapshot.Series {
	return snapshot.Series{Kind: snapshot.KindVolume, ID: p.Targets.Volumes.IDs[0]}
}

func TestTheNewestPointIsRestored(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		began := time.Now()
		m, p := w.history(4)
		for name, test := range map[string]struct {
			edit func(*snapshot.RestoreRequest)
			want string
		}{
			"the newest":      {func(r *snapshot.RestoreRequest) { r.Zone = "us-east-1b" }, "4"},
			"the newest copy": {func(r *snapshot.RestoreRequest) { r.Region, r.Zone = away, "us-west-2a" }, "3"},
			"in a zone by ID": {func(r *snapshot.RestoreRequest) { r.Zone = "use1-az2" }, "4"},
			"the newest of a time": {func(r *snapshot.RestoreRequest) {
				r.Zone, r.At = zoneA, began.Truncate(time.Hour).Add(time.Hour+30*time.Minute)
			}, "2"},
			"larger, and of a type":  {func(r *snapshot.RestoreRequest) { r.Zone, r.SizeGiB, r.Type, r.IOPS = zoneA, 20, "gp3", 4000 }, "4"},
			"waited for to the last": {func(r *snapshot.RestoreRequest) { r.Zone, r.Initialized, r.InitializationRate = zoneA, true, 100 }, "4"},
		} {
			req := snapshot.RestoreRequest{Policy: p, Series: volumeSeries(p), Tags: map[string]string{"why": "a drill"}}
			test.edit(&req)
			at := time.Now()
			got, err := m.Restore(w.Context(), req)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if content := w.read(got.Volumes[0]); content != test.want {
				t.Errorf("%s: %q, want %q", name, content, test.want)
			}
			if got.Age != at.Sub(got.Time) || got.Age <= 0 {
				t.Errorf("%s: data of %v are %v old", name, got.Time, got.Age)
			}
			if took := time.Since(at); req.Initialized && took < 80*time.Second || !req.Initialized && took > 10*time.Second {
				t.Errorf("%s: it took %v", name, took)
			}
		}
		if _, err := m.Restore(w.Context(), snapshot.RestoreRequest{Policy: p, Series: volumeSeries(p), Zone: zoneA, At: began.Add(-time.Hour)}); !errors.Is(err, snapshot.ErrNoPoint) {
			t.Errorf("%v", err)
		}
		limited := snapshot.RestoreRequest{Policy: p, Series: volumeSeries(p), Zone: zoneA, MaxAge: time.Hour, Token: "limited"}
		got, err := m.Restore(w.Context(), limited)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Hour)
		again, err := m.Restore(w.Context(), limited) // what was begun in time is ended
		if err != nil || again.Volumes[0].ID != got.Volumes[0].ID {
			t.Errorf("%+v, %v", again, err)
		}
		creates := m.Calls()["CreateVolume"]
		limited.Token = "too late"
		if _, err := m.Restore(w.Context(), limited); !errors.Is(err, snapshot.ErrTooOld) || m.Calls()["CreateVolume"] != creates {
			t.Errorf("%v", err)
		}
	})
}

func TestAnInstancesVolumesAreRestoredTogether(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		id := w.instance(2)
		out, err := w.ec2[home].DescribeVolumes(w.Context(), &ec2.DescribeVolumesInput{})
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, v := range out.Volumes {
			ids = append(ids, *v.VolumeId)
			w.write(*v.VolumeId, "of "+*v.VolumeId)
		}
		slices.Sort(ids)
		p := copied(&snapshot.Policy{Name: "sets", Region: home, Targets: snapshot.Targets{Instances: snapshot.Selector{IDs: []string{id}}}})
		m := w.manager()
		w.taken(m, p, 1)
		if _, err := m.Copy(w.Context(), p); err != nil {
			t.Fatal(err)
		}
		req := snapshot.RestoreRequest{Policy: p, Series: snapshot.Series{Kind: snapshot.KindInstance, ID: id}, Region: away, Zone: "us-west-2b"}
		got, err := m.Restore(w.Context(), req)
		if err != nil || len(got.Volumes) != 3 {
			t.Fatalf("%+v: %v", got, err)
		}
		for i, v := range got.Volumes {
			if content := w.read(v); v.Point.VolumeID != ids[i] || content != "of "+ids[i] {
				t.Errorf("%d: %q", i, content)
			}
		}
		req.Volumes = ids[1:2]
		if got, err = m.Restore(w.Context(), req); err != nil || len(got.Volumes) != 1 || w.read(got.Volumes[0]) != "of "+ids[1] {
			t.Errorf("%+v: %v", got, err)
		}
	})
}

// The same token returns the same volumes: after a lost reply, after a crash, and when no more are allowed.
func TestATokenMakesOneVolume(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		m, p := w.history(2)
		req := snapshot.RestoreRequest{Policy: p, Series: volumeSeries(p), Zone: zoneA, Token: "drill 7"}
		if _, err := w.cloud.Inject(awstest.Match{Service: "EC2", Operation: "CreateVolume", Times: 1}, awstest.LoseReply()); err != nil {
			t.Fatal(err)
		}
		first, err := m.Restore(w.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		second, err := w.manager().Restore(w.Context(), req)
		if err != nil || first.Volumes[0].ID != second.Volumes[0].ID {
			t.Errorf("%+v and %+v: %v", first.Volumes, second.Volumes, err)
		}
		if _, err := w.cloud.Inject(awstest.Match{Service: "EC2", Operation: "CreateVolume"}, awstest.Reject(awstest.APIError{Code: "VolumeLimitExceeded"})); err != nil {
			t.Fatal(err)
		}
		third, err := w.manager().Restore(w.Context(), req)
		if err != nil || first.Volumes[0].ID != third.Volumes[0].ID {
			t.Errorf("%+v: %v", third, err)
		}
		req.Token = "drill 8"
		if _, err := m.Restore(w.Context(), req); !errors.Is(err, snapshot.ErrQuota) {
			t.Errorf("%v", err)
		}
	})
}

// EC2 answers before it has looked at the key: the volume vanishes, that is an error, and the same token makes it once the key can be used.
func TestAKeyThatFailsIsSeen(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		m, p := w.history(2)
		key, err := w.kms[home].CreateKey(w.Context(), &kms.CreateKeyInput{})
		if err != nil {
			t.Fatal(err)
		}
		id := key.KeyMetadata.KeyId
		if _, err := w.kms[home].DisableKey(w.Context(), &kms.DisableKeyInput{KeyId: id}); err != nil {
			t.Fatal(err)
		}
		req := snapshot.RestoreRequest{Policy: p, Series: volumeSeries(p), Zone: zoneA, KMSKeyID: *id, Token: "t"}
		began := time.Now()
		got, err := m.Restore(w.Context(), req)
		if !errors.Is(err, snapshot.ErrFailed) || time.Since(began) > 6*time.Minute {
			t.Errorf("%+v after %v: %v", got, time.Since(began), err)
		}
		if _, err := w.kms[home].EnableKey(w.Context(), &kms.EnableKeyInput{KeyId: id}); err != nil {
			t.Fatal(err)
		}
		if got, err = m.Restore(w.Context(), req); err != nil || w.read(got.Volumes[0]) != "2" {
			t.Fatalf("%+v: %v", got, err)
		}
		out, err := w.ec2[home].DescribeVolumes(w.Context(), &ec2.DescribeVolumesInput{VolumeIds: []string{got.Volumes[0].ID}})
		if err != nil || !aws.ToBool(out.Volumes[0].Encrypted) || *out.Volumes[0].KmsKeyId != *key.KeyMetadata.Arn || out.Volumes[0].State != types.VolumeStateAvailable {
			t.Errorf("%+v: %v", out, err)
		}
	})
}

func TestARestoreThatIsWrongNamesEachMistake(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		m := w.manager()
		_, err := m.Restore(w.Context(), snapshot.RestoreRequest{InitializationRate: 50, Tags: map[string]string{"aws:x": ""}})
		if got := fieldsOf(err); !slices.Equal(got, []string{"InitializationRate", "Policy", "Series.ID", "Series.Kind", `Tags["aws:x"]`, "Zone"}) {
			t.Errorf("%q", got)
		}
		p := of("vol-01234567")
		_, err = m.Restore(w.Context(), snapshot.RestoreRequest{Policy: p, Series: volumeSeries(p), Zone: zoneA, Region: away})
		if got := fieldsOf(err); !slices.Equal(got, []string{"Region"}) {
			t.Errorf("%q", got)
		}
		ctx, cancel := context.WithCancel(w.Context())
		cancel()
		if _, err := m.Restore(ctx, snapshot.RestoreRequest{Policy: p, Series: volumeSeries(p), Zone: zoneA}); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	})
}

// The same token returns the same volumes, also when there is a newer point by then, and makes what is missing of the older one.
func TestARequestKeepsToItsPoint(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		instance := w.instance(1)
		p := &snapshot.Policy{Name: "test", Region: home, Targets: snapshot.Targets{Instances: snapshot.Selector{IDs: []string{instance}}}}
		m := w.manager()
		first := w.runSlot(p).Created.Points
		req := snapshot.RestoreRequest{Policy: p, Series: snapshot.Series{Kind: snapshot.KindInstance, ID: instance}, Zone: home + "b", Token: "drill"}
		if _, err := w.cloud.Inject(awstest.Match{Service: "EC2", Operation: "CreateVolume", Skip: 1, Times: 1}, awstest.Deny()); err != nil {
			t.Fatal(err)
		}
		half, err := m.Restore(w.Context(), req)
		if !errors.Is(err, snapshot.ErrDenied) || len(half.Volumes) != 1 {
			t.Fatalf("%+v: %v", half, err)
		}
		time.Sleep(time.Until(slot(1)))
		w.runSlot(p)
		whole, err := m.Restore(w.Context(), req)
		if err != nil || len(whole.Volumes) != 2 || whole.Volumes[0].ID != half.Volumes[0].ID || whole.Volumes[0].Point.Set != first[0].Set {
			t.Errorf("%+v: %v", whole, err)
		}
		req.Token = "another drill"
		newer, err := m.Restore(w.Context(), req)
		if err != nil || !newer.Time.After(whole.Time) {
			t.Errorf("%+v: %v", newer, err)
		}
	})
}
