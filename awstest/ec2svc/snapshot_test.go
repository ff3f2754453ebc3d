package ec2svc_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
)

// snap begins a snapshot of a volume.
func (w *world) snap(volume string, change ...func(*ec2.CreateSnapshotInput)) (string, error) {
	in := &ec2.CreateSnapshotInput{VolumeId: &volume}
	for _, fn := range change {
		fn(in)
	}
	out, err := w.CreateSnapshot(w.Context(), in)
	if err != nil {
		return "", err
	}
	return *out.SnapshotId, nil
}

// completed makes a snapshot and waits until it is completed, and a moment longer, so that the volume allows the next.
func (w *world) completed(volume string, change ...func(*ec2.CreateSnapshotInput)) string {
	w.Helper()
	id := must(w.snap(volume, change...))(w)
	time.Sleep(5 * time.Minute)
	w.wantSnapshot(id, "completed 100%")
	return id
}

// snapshot describes a snapshot.
func (w *world) snapshot(id string) types.Snapshot {
	w.Helper()
	return must(w.DescribeSnapshots(w.Context(), &ec2.DescribeSnapshotsInput{SnapshotIds: []string{id}}))(w).Snapshots[0]
}

func (w *world) wantSnapshot(id, want string) {
	w.Helper()
	out, err := w.DescribeSnapshots(w.Context(), &ec2.DescribeSnapshotsInput{SnapshotIds: []string{id}})
	got := codeOf(err)
	if err == nil {
		s := out.Snapshots[0]
		got = fmt.Sprintf("%s %s", s.State, *s.Progress)
		if s.StateMessage != nil {
			got += ": " + *s.StateMessage
		}
	}
	if got != want {
		w.Errorf("%s is %q, want %q", id, got, want)
	}
}

func (w *world) deleteSnapshot(id string) error {
	_, err := w.DeleteSnapshot(w.Context(), &ec2.DeleteSnapshotInput{SnapshotId: &id})
	return err
}

// made returns a volume that is made of a snapshot.
func (w *world) made(snapshot string, change ...func(*ec2.CreateVolumeInput)) (types.Volume, error) {
	in := &ec2.CreateVolumeInput{AvailabilityZoneId: aws.String(zoneB), SnapshotId: &snapshot}
	for _, fn := range change {
		fn(in)
	}
	out, err := w.CreateVolume(w.Context(), in)
	if err != nil {
		return types.Volume{}, err
	}
	time.Sleep(2 * time.Second)
	return must(w.DescribeVolumes(w.Context(), &ec2.DescribeVolumesInput{VolumeIds: []string{*out.VolumeId}}))(w).Volumes[0], nil
}

func (w *world) write(volume, content string) {
	w.Helper()
	if err := ec2svc.WriteVolume(w.cloud, region, volume, content); err != nil {
		w.Fatal(err)
	}
}

func (w *world) wantContent(volume, want string) {
	w.Helper()
	if got := must(ec2svc.ReadVolume(w.cloud, region, volume))(w); got != want {
		w.Errorf("%s has %q, want %q", volume, got, want)
	}
}

func TestSnapshotHasWhatWasOnTheVolumeWhenItWasBegun(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		v := w.volume(zoneA, func(in *ec2.CreateVolumeInput) { in.Size = aws.Int32(7) })
		w.write(v, "before")
		id := must(w.snap(v))(w)
		w.write(v, "after")
		w.wantSnapshot(id, "pending 0%")
		time.Sleep(2*time.Minute + 30*time.Second)
		w.wantSnapshot(id, "pending 50%")
		time.Sleep(2*time.Minute + 29*time.Second)
		w.wantSnapshot(id, "pending 99%")
		time.Sleep(time.Second)
		w.wantSnapshot(id, "completed 100%")
		wantCode(w, w.deleteVolume(v), "")
		made := must(w.made(id))(w)
		w.wantContent(*made.VolumeId, "before")
		if *made.Size != 7 || *made.SnapshotId != id || *made.AvailabilityZoneId != zoneB {
			w.Errorf("got a volume of %d GiB of %s in %s", *made.Size, *made.SnapshotId, *made.AvailabilityZoneId)
		}
		wantCode(w, w.deleteSnapshot(id), "")
		w.wantSnapshot(id, "InvalidSnapshot.NotFound")
		w.wantContent(*made.VolumeId, "before")
	})
}

func TestSnapshotShowsWhatItIs(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		v := w.volume(zoneA, func(in *ec2.CreateVolumeInput) { in.Encrypted = aws.Bool(true) })
		began := time.Now()
		id := w.completed(v, func(in *ec2.CreateSnapshotInput) {
			in.Description, in.TagSpecifications = aws.String("nightly"), tags(types.ResourceTypeSnapshot, "run", "1")
		})
		s := w.snapshot(id)
		got := []any{*s.VolumeId, *s.VolumeSize, *s.Description, *s.Encrypted, *s.KmsKeyId != "", s.StartTime.Sub(began) < time.Second, s.CompletionTime.Sub(*s.StartTime) == 5*time.Minute, *s.OwnerId, s.StorageTier, *s.Tags[0].Key + *s.Tags[0].Value}
		want := []any{v, int32(1), "nightly", true, true, true, true, w.cloud.AccountID(), types.StorageTierStandard, "run1"}
		if diff := cmp.Diff(want, got); diff != "" {
			w.Error(diff)
		}
	})
}

func TestSecondSnapshotIsFullOnlyWithoutTheLast(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		v := w.volume(zoneA)
		full := func(id string, want bool) {
			w.Helper()
			if got := must(ec2svc.IsFullSnapshot(w.cloud, region, id))(w); got != want {
				w.Errorf("%s is full: %v, want %v", id, got, want)
			}
		}
		first, second := w.completed(v), w.completed(v)
		full(first, true)
		full(second, false)
		wantCode(w, w.deleteSnapshot(second), "")
		third := w.completed(v) // the first is still there, and not the last
		full(third, true)
		wantCode(w, w.deleteSnapshot(first), "")
		fourth := must(w.snap(v))(w)
		full(fourth, false)
		time.Sleep(time.Minute)
		w.wantSnapshot(fourth, "completed 100%")
		full(must(w.snap(w.volume(zoneA)))(w), true)
	})
}

func TestVolumeLimitsItsSnapshots(t *testing.T) {
	t.Parallel()
	for kind, limit := range map[types.VolumeType]int{"gp3": 5, "st1": 1, "sc1": 1} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			inBubbleWith(t, func(o *ec2svc.Options) { o.Snapshot = 5 * time.Minute }, func(w *world) {
				v := w.volume(zoneA, func(in *ec2.CreateVolumeInput) { in.VolumeType, in.Size = kind, aws.Int32(125) })
				var ids []string
				for range limit {
					ids = append(ids, must(w.snap(v))(w))
					time.Sleep(14 * time.Second)
					_, err := w.snap(v)
					wantCode(w, err, "SnapshotCreationPerVolumeRateExceeded")
					time.Sleep(time.Second)
				}
				full := func() {
					w.Helper()
					_, err := w.snap(v)
					wantCode(w, err, "ConcurrentSnapshotLimitExceeded")
				}
				full()
				must(w.snap(w.volume(zoneA)))(w) // another volume does not care
				wantCode(w, w.deleteSnapshot(ids[0]), "")
				full() // it would not have ended yet
				time.Sleep(5*time.Minute - time.Duration(15*limit)*time.Second)
				last := must(w.snap(v))(w) // the first would have ended
				time.Sleep(15 * time.Second)
				if err := ec2svc.FailSnapshot(w.cloud, region, last, "gone wrong"); err != nil {
					w.Fatal(err)
				}
				w.wantSnapshot(last, "error 0%: gone wrong")
				time.Sleep(10 * time.Minute)
				for range limit - 1 {
					must(w.snap(v))(w)
					time.Sleep(15 * time.Second)
				}
				full() // the failed one counts
				wantCode(w, w.deleteSnapshot(last), "")
				must(w.snap(v))(w)
			})
		})
	}
}

func TestRegionLimitsItsSnapshots(t *testing.T) {
	t.Parallel()
	inBubbleWith(t, func(o *ec2svc.Options) { o.PendingSnapshots, o.SnapshotQuota = 2, 3 }, func(w *world) {
		a, b, c := w.volume(zoneA), w.volume(zoneA), w.volume(zoneA)
		one := must(w.snap(a))(w)
		must(w.snap(b))(w)
		_, err := w.snap(c)
		wantCode(w, err, "PendingSnapshotLimitExceeded")
		wantCode(w, w.deleteSnapshot(one), "")
		_, err = w.snap(c)
		wantCode(w, err, "PendingSnapshotLimitExceeded")
		time.Sleep(5 * time.Minute)
		must(w.snap(c))(w)
		must(w.snap(a))(w)
		time.Sleep(5 * time.Minute)
		_, err = w.snap(a)
		wantCode(w, err, "SnapshotLimitExceeded")
		_, err = w.copySnapshot(region, one)
		wantCode(w, err, "InvalidSnapshot.NotFound")
	})
}

func TestSnapshotsAreRefused(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		done := w.completed(w.volume(zoneA, func(in *ec2.CreateVolumeInput) { in.Size = aws.Int32(5) }))
		secret := w.completed(w.volume(zoneA, func(in *ec2.CreateVolumeInput) { in.Encrypted = aws.Bool(true) }))
		pending := must(w.snap(w.volume(zoneA)))(w)
		late := w.creating(zoneA)
		snap := func(id string) error { _, err := w.snap(id); return err }
		volume := func(id string, change func(*ec2.CreateVolumeInput)) error { _, err := w.made(id, change); return err }
		none := func(*ec2.CreateVolumeInput) {}
		describe := func(in *ec2.DescribeSnapshotsInput) error { _, err := w.DescribeSnapshots(w.Context(), in); return err }
		for name, c := range map[string]struct {
			err  error
			code string
		}{
			"of a volume that is being created":              {snap(late), "IncorrectState"},
			"of no volume":                                   {snap("vol-12345678"), "InvalidVolume.NotFound"},
			"of what is no volume":                           {snap("volume"), "InvalidVolumeID.Malformed"},
			"a volume of a pending one":                      {volume(pending, none), "IncorrectState"},
			"a volume of none":                               {volume("snap-12345678", none), "InvalidSnapshot.NotFound"},
			"a volume of what is none":                       {volume("snap", none), "InvalidSnapshotID.Malformed"},
			"a smaller volume":                               {volume(done, func(in *ec2.CreateVolumeInput) { in.Size = aws.Int32(4) }), "InvalidParameterValue"},
			"a larger volume":                                {volume(done, func(in *ec2.CreateVolumeInput) { in.Size = aws.Int32(6) }), ""},
			"a slow initialization":                          {volume(done, func(in *ec2.CreateVolumeInput) { in.VolumeInitializationRate = aws.Int32(99) }), "InvalidParameterValue"},
			"a fast initialization":                          {volume(done, func(in *ec2.CreateVolumeInput) { in.VolumeInitializationRate = aws.Int32(301) }), "InvalidParameterValue"},
			"a key for an encrypted one, without encryption": {volume(secret, func(in *ec2.CreateVolumeInput) { in.KmsKeyId = aws.String("alias/aws/ebs") }), "InvalidParameterDependency"},
			"initialization of nothing": {func() error {
				_, err := w.CreateVolume(w.Context(), volumeIn(zoneA, func(in *ec2.CreateVolumeInput) { in.VolumeInitializationRate = aws.Int32(200) }))
				return err
			}(), "InvalidParameterCombination"},
			"deletion of none":         {w.deleteSnapshot("snap-12345678"), "InvalidSnapshot.NotFound"},
			"deletion of what is none": {w.deleteSnapshot("snap"), "InvalidSnapshotID.Malformed"},
			"tags of none":             {w.tag("snap-12345678", "a=b"), "InvalidSnapshot.NotFound"},
			"pages beside IDs":         {describe(&ec2.DescribeSnapshotsInput{SnapshotIds: []string{done}, MaxResults: aws.Int32(5)}), "InvalidParameterCombination"},
			"small pages":              {describe(&ec2.DescribeSnapshotsInput{MaxResults: aws.Int32(4)}), "InvalidParameterValue"},
			"large pages":              {describe(&ec2.DescribeSnapshotsInput{MaxResults: aws.Int32(1001)}), "InvalidParameterValue"},
		} {
			if got := codeOf(c.err); c.err == nil && c.code != "" || c.err != nil && got != c.code {
				w.Errorf("%s: got %v, want %s", name, c.err, c.code)
			}
		}
	})
}

func (w *world) tag(id string, pairs ...string) error {
	_, err := w.CreateTags(w.Context(), &ec2.CreateTagsInput{Resources: []string{id}, Tags: tagList(pairs...)})
	return err
}

func TestSnapshotsAreFoundByFilters(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		a, b := w.volume(zoneA), w.volume(zoneA, func(in *ec2.CreateVolumeInput) { in.Size, in.Encrypted = aws.Int32(2), aws.Bool(true) })
		one := w.completed(a, func(in *ec2.CreateSnapshotInput) {
			in.Description, in.TagSpecifications = aws.String("x"), tags(types.ResourceTypeSnapshot, "run", "1")
		})
		two := must(w.snap(b))(w)
		wantCode(w, w.tag(two, "run=2"), "")
		timed := must(w.copySnapshot(region, one, func(in *ec2.CopySnapshotInput) { in.CompletionDurationMinutes = aws.Int32(15) }))(w)
		list := func(in *ec2.DescribeSnapshotsInput) (ids []string) {
			w.Helper()
			for _, s := range must(w.DescribeSnapshots(w.Context(), in))(w).Snapshots {
				ids = append(ids, *s.SnapshotId)
			}
			return ids
		}
		for _, c := range []struct {
			filter types.Filter
			want   []string
		}{
			{filter("description", "x"), []string{one}},
			{filter("encrypted", "true"), []string{two}},
			{filter("owner-id", w.cloud.AccountID()), []string{one, two, timed}},
			{filter("progress", "100%"), []string{one}},
			{filter("snapshot-id", two, "snap-12345678"), []string{two}},
			{filter("start-time", "1999*"), nil},
			{filter("start-time", "2000*"), []string{one, two, timed}},
			{filter("status", "pending"), []string{two, timed}},
			{filter("storage-tier", "standard"), []string{one, two, timed}},
			{filter("tag:run", "2"), []string{two}},
			{filter("tag-key", "run"), []string{one, two}},
			{filter("transfer-type", "time-based"), []string{timed}},
			{filter("volume-id", b), []string{two}},
			{filter("volume-size", "1"), []string{one, timed}},
		} {
			if diff := cmp.Diff(c.want, list(&ec2.DescribeSnapshotsInput{Filters: []types.Filter{c.filter}})); diff != "" {
				w.Errorf("%s %v: %s", *c.filter.Name, c.filter.Values, diff)
			}
		}
		for owner, want := range map[string]int{"self": 3, "amazon": 0, "999999999999": 0, w.cloud.AccountID(): 3} {
			if got := list(&ec2.DescribeSnapshotsInput{OwnerIds: []string{owner}}); len(got) != want {
				w.Errorf("of %s there are %v", owner, got)
			}
		}
		if got := len(must(w.DescribeTags(w.Context(), &ec2.DescribeTagsInput{Filters: []types.Filter{filter("resource-type", "snapshot")}}))(w).Tags); got != 2 {
			w.Errorf("DescribeTags shows %d tags of snapshots", got)
		}
	})
}

func TestNewSnapshotIsNotVisibleForAWhile(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		v := w.volume(zoneA)
		time.Sleep(time.Hour)
		id := must(w.snap(v, func(in *ec2.CreateSnapshotInput) { in.TagSpecifications = tags(types.ResourceTypeSnapshot, "run", "1") }))(w)
		heal := must(w.cloud.Inject(awstest.Match{Service: "EC2", Operation: "DescribeSnapshots"}, awstest.Stale(time.Minute)))(w)
		defer heal()
		byTag := func() int {
			return len(must(w.DescribeSnapshots(w.Context(), &ec2.DescribeSnapshotsInput{Filters: []types.Filter{filter("tag:run", "1")}}))(w).Snapshots)
		}
		w.wantSnapshot(id, "InvalidSnapshot.NotFound")
		if n := byTag(); n != 0 {
			w.Errorf("its tag finds %d", n)
		}
		time.Sleep(time.Minute)
		w.wantSnapshot(id, "pending 0%")
		if n := byTag(); n != 1 {
			w.Errorf("its tag finds %d", n)
		}
	})
}

// There is no ClientToken: the SDK sends the call again, the volume has to rest, and nobody knows of the snapshot that was made.
func TestLostReplyOfCreateSnapshotLeavesOneBehind(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		v := w.volume(zoneA)
		heal := must(w.cloud.Inject(awstest.Match{Service: "EC2", Operation: "CreateSnapshot", Times: 1}, awstest.LoseReply()))(w)
		defer heal()
		_, err := w.snap(v)
		wantCode(w, err, "SnapshotCreationPerVolumeRateExceeded")
		time.Sleep(15 * time.Second)
		id := must(w.snap(v))(w)
		all := must(w.DescribeSnapshots(w.Context(), &ec2.DescribeSnapshotsInput{}))(w).Snapshots
		if len(all) != 2 || *all[1].SnapshotId != id {
			w.Errorf("there are %d snapshots", len(all))
		}
	})
}

func TestSnapshotIsHeldUp(t *testing.T) {
	t.Parallel()
	for name, hold := range map[string]func(w *world, id string) (heal func()){
		"by Stick":            func(w *world, id string) func() { return must(w.cloud.Stick(id))(w) },
		"by a dark zone":      func(w *world, _ string) func() { return w.zone(zoneA).Fail(awstest.PowerLoss) },
		"by a zone cut off":   func(w *world, _ string) func() { return w.zone(zoneA).Fail(awstest.NetworkLoss) },
		"not by another zone": func(w *world, _ string) func() { return w.zone(zoneB).Fail(awstest.PowerLoss) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				v := w.volume(zoneA)
				w.write(v, "kept")
				old := w.completed(v)
				id := must(w.snap(v))(w)
				heal := hold(w, id)
				time.Sleep(time.Hour)
				if name == "not by another zone" {
					w.wantSnapshot(id, "completed 100%")
				} else {
					w.wantSnapshot(id, "pending 99%")
				}
				w.wantSnapshot(old, "completed 100%") // snapshots outlive the zone
				heal()
				time.Sleep(time.Second)
				w.wantSnapshot(id, "completed 100%")
			})
		})
	}
}

func TestSnapshotOfALostZoneIsRestoredInAnother(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		v := w.volume(zoneA)
		w.write(v, "kept")
		id := w.completed(v)
		defer w.zone(zoneA).Fail(awstest.PowerLoss)()
		w.wantContent(*must(w.made(id))(w).VolumeId, "kept")
	})
}

func TestVolumeShowsItsInitialization(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id := w.completed(w.volume(zoneA, func(in *ec2.CreateVolumeInput) { in.Size = aws.Int32(30) }))
		rated := *must(w.made(id, func(in *ec2.CreateVolumeInput) { in.VolumeInitializationRate = aws.Int32(300) }))(w).VolumeId
		plain, empty := *must(w.made(id))(w).VolumeId, w.volume(zoneA)
		show := func(id string) string {
			w.Helper()
			d := must(w.DescribeVolumeStatus(w.Context(), &ec2.DescribeVolumeStatusInput{VolumeIds: []string{id}}))(w).VolumeStatuses[0].InitializationStatusDetails
			if d == nil {
				return "none"
			}
			return fmt.Sprintf("%s %d%% %d s", d.InitializationType, *d.Progress, aws.ToInt64(d.EstimatedTimeToCompleteInSeconds))
		}
		got := []string{show(rated), show(plain), show(empty)} // 30 GiB take 102 s at 300 MiB/s, and a few seconds have passed
		time.Sleep(48 * time.Second)
		got = append(got, show(rated))
		time.Sleep(time.Hour)
		got = append(got, show(rated), show(plain))
		want := []string{"provisioned-rate 5% 95 s", "default 0% 0 s", "none", "provisioned-rate 52% 47 s", "provisioned-rate 100% 0 s", "default 100% 0 s"}
		if diff := cmp.Diff(want, got); diff != "" {
			w.Error(diff)
		}
	})
}

func TestEncryptedSnapshotPassesItsKeyOn(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		plain := w.completed(w.volume(zoneA))
		secret := w.completed(w.volume(zoneA, func(in *ec2.CreateVolumeInput) { in.Encrypted = aws.Bool(true) }))
		key := *w.snapshot(secret).KmsKeyId
		for name, c := range map[string]struct {
			of  string
			set *bool
			key string
		}{
			"plain stays plain":                   {plain, nil, ""},
			"plain is encrypted":                  {plain, aws.Bool(true), key},
			"encrypted stays so":                  {secret, nil, key},
			"encrypted stays so, whatever is set": {secret, aws.Bool(false), key},
		} {
			v := must(w.made(c.of, func(in *ec2.CreateVolumeInput) { in.Encrypted = c.set }))(w)
			if *v.Encrypted != (c.key != "") || aws.ToString(v.KmsKeyId) != c.key {
				w.Errorf("%s: encrypted %v under %s, want %q", name, *v.Encrypted, aws.ToString(v.KmsKeyId), c.key)
			}
		}
	})
}

func TestSnapshotHelpersSayWhatIsWrong(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		done := w.completed(w.volume(zoneA))
		full := func(region, id string) error { _, err := ec2svc.IsFullSnapshot(w.cloud, region, id); return err }
		read := func(id string) error { _, err := ec2svc.ReadVolume(w.cloud, region, id); return err }
		for name, err := range map[string]error{
			"write to no volume":     ec2svc.WriteVolume(w.cloud, region, "vol-12345678", "x"),
			"read of no volume":      read("vol-12345678"),
			"failure of none":        ec2svc.FailSnapshot(w.cloud, region, "snap-12345678", "x"),
			"failure of a completed": ec2svc.FailSnapshot(w.cloud, region, done, "x"),
			"fullness of none":       full(region, "snap-12345678"),
			"fullness elsewhere":     full("eu-west-1", done),
		} {
			if fe := (*awstest.FieldError)(nil); !errors.As(err, &fe) {
				w.Errorf("%s: got %v", name, err)
			}
		}
	})
}

// A full snapshot takes its own time, also if that is set to be the shorter one.
func TestFullSnapshotsTakeTheirOwnTime(t *testing.T) {
	t.Parallel()
	inBubbleWith(t, func(o *ec2svc.Options) { o.Snapshot, o.FullSnapshot = time.Hour, time.Minute }, func(w *world) {
		v := w.volume(zoneA)
		first := must(w.snap(v))(w)
		time.Sleep(time.Minute)
		w.wantSnapshot(first, "completed 100%")
		second := must(w.snap(v))(w)
		time.Sleep(time.Hour - time.Second)
		w.wantSnapshot(second, "pending 99%")
		time.Sleep(time.Second)
		w.wantSnapshot(second, "completed 100%")
	})
}
