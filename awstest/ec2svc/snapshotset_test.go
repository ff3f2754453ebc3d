package ec2svc_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest/ec2svc"
)

// three returns an instance with three volumes, the root volume first.
func (w *world) three() (instance string, volumes []string) {
	w.Helper()
	instance = w.running(zoneA)
	volumes = []string{*w.instance(instance).BlockDeviceMappings[0].Ebs.VolumeId}
	for n, device := range []string{"/dev/sdf", "/dev/sdg"} {
		v := w.volume(zoneA, func(in *ec2.CreateVolumeInput) {
			in.TagSpecifications = tags(types.ResourceTypeVolume, "role", fmt.Sprint("data", n), "own", "yes")
		})
		volumes = append(volumes, w.attached(v, instance, device))
	}
	return instance, volumes
}

// set begins snapshots of the volumes of an instance.
func (w *world) set(instance string, change ...func(*ec2.CreateSnapshotsInput)) ([]types.SnapshotInfo, error) {
	in := &ec2.CreateSnapshotsInput{InstanceSpecification: &types.InstanceSpecification{InstanceId: &instance}}
	for _, fn := range change {
		fn(in)
	}
	out, err := w.CreateSnapshots(w.Context(), in)
	if err != nil {
		return nil, err
	}
	return out.Snapshots, nil
}

func TestSetIsOfOneInstant(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		instance, volumes := w.three()
		w.completed(volumes[1]) // the next one of it would be quick by itself
		for n, v := range volumes {
			w.write(v, fmt.Sprint("before ", n))
		}
		set := must(w.set(instance))(w)
		for _, v := range volumes {
			w.write(v, "after")
		}
		time.Sleep(5*time.Minute - time.Second)
		for _, s := range set {
			w.wantSnapshot(*s.SnapshotId, "pending 99%")
		}
		time.Sleep(time.Second)
		for n, s := range set {
			w.wantSnapshot(*s.SnapshotId, "completed 100%")
			if *s.VolumeId != volumes[n] || !s.StartTime.Equal(*set[0].StartTime) {
				w.Errorf("the %d. is of %s at %v", n, *s.VolumeId, s.StartTime)
			}
			w.wantContent(*must(w.made(*s.SnapshotId))(w).VolumeId, fmt.Sprint("before ", n))
		}
	})
}

func TestSetLeavesOutWhatItIsTold(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		instance, v := w.three()
		other := w.volume(zoneA)
		gone := w.running(zoneA)
		wantCode(w, w.terminate(gone), "")
		many := make([]string, 41)
		for n := range many {
			many[n] = other
		}
		for _, c := range []struct {
			instance    string
			withoutRoot bool
			without     []string
			want        []string
			code        string
		}{
			{instance, false, nil, v, ""},
			{instance, true, nil, v[1:], ""},
			{instance, false, []string{v[1]}, []string{v[0], v[2]}, ""},
			{instance, true, []string{v[2], v[2]}, []string{v[1]}, ""},
			{instance, true, v[1:], nil, "InvalidParameterValue"},
			{instance, false, v[:1], nil, "InvalidParameterValue"},
			{instance, false, []string{other, "vol-12345678"}, nil, "InvalidParameterValue"},
			{instance, false, many, nil, "InvalidParameterValue"},
			{instance, false, []string{"data"}, nil, "InvalidVolumeID.Malformed"},
			{gone, false, nil, nil, "IncorrectInstanceState"},
			{"i-12345678", false, nil, nil, "InvalidInstanceID.NotFound"},
			{"instance", false, nil, nil, "InvalidInstanceID.Malformed"},
		} {
			set, err := w.set(c.instance, func(in *ec2.CreateSnapshotsInput) {
				in.InstanceSpecification.ExcludeBootVolume, in.InstanceSpecification.ExcludeDataVolumeIds = &c.withoutRoot, c.without
			})
			wantCode(w, err, c.code)
			var got []string
			for _, s := range set {
				got = append(got, *s.VolumeId)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				w.Errorf("without root %v, without %v: %s", c.withoutRoot, c.without, diff)
			}
			if err == nil {
				time.Sleep(10 * time.Minute)
			}
		}
	})
}

// The error names what the request names first, whatever the order of maps.
func TestSetSaysTheSameWheneverItIsAsked(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		instance, _ := w.three()
		a, b := w.volume(zoneA), w.volume(zoneA)
		for range 20 {
			_, err := w.set(instance, func(in *ec2.CreateSnapshotsInput) {
				in.InstanceSpecification.ExcludeDataVolumeIds = []string{b, a}
			})
			wantMessage(w, err, "InvalidParameterValue", "The volume '"+b+"' is not attached to the instance '"+instance+"'.")
		}
	})
}

func TestSetIsTaggedAndInherits(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		instance, volumes := w.three()
		set := must(w.set(instance, func(in *ec2.CreateSnapshotsInput) {
			in.CopyTagsFromSource, in.TagSpecifications = types.CopyTagsFromSourceVolume, tags(types.ResourceTypeSnapshot, "own", "no", "run", "1")
		}))(w)
		var got []map[string]string
		for _, s := range set {
			of := map[string]string{}
			for _, t := range w.snapshot(*s.SnapshotId).Tags {
				of[*t.Key] = *t.Value
			}
			got = append(got, of)
		}
		want := []map[string]string{{"own": "no", "run": "1"}, {"own": "no", "run": "1", "role": "data0"}, {"own": "no", "run": "1", "role": "data1"}}
		if diff := cmp.Diff(want, got); diff != "" {
			w.Error(diff)
		}
		var many []string
		for n := range 48 {
			many = append(many, fmt.Sprintf("%d=x", n))
		}
		wantCode(w, w.tag(volumes[1], many...), "")
		time.Sleep(time.Minute)
		_, err := w.set(instance, func(in *ec2.CreateSnapshotsInput) {
			in.CopyTagsFromSource, in.TagSpecifications = types.CopyTagsFromSourceVolume, tags(types.ResourceTypeSnapshot, "run", "1")
		})
		wantCode(w, err, "TagLimitExceeded")
	})
}

func TestOneThatFailsFailsTheSet(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		instance, _ := w.three()
		set := must(w.set(instance))(w)
		time.Sleep(time.Minute)
		wantCode(w, w.deleteSnapshot(*set[0].SnapshotId), "")
		if err := ec2svc.FailSnapshot(w.cloud, region, *set[1].SnapshotId, "gone wrong"); err != nil {
			w.Fatal(err)
		}
		for range 2 { // and they stay so
			w.wantSnapshot(*set[0].SnapshotId, "InvalidSnapshot.NotFound")
			w.wantSnapshot(*set[1].SnapshotId, "error 0%: gone wrong")
			w.wantSnapshot(*set[2].SnapshotId, "error 0%: gone wrong")
			time.Sleep(time.Hour)
		}
		again := must(w.set(instance))(w)
		time.Sleep(5 * time.Minute)
		w.wantSnapshot(*again[1].SnapshotId, "completed 100%")
	})
}

func TestOneThatIsStuckHoldsUpTheSet(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		instance, _ := w.three()
		set := must(w.set(instance))(w)
		heal := must(w.cloud.Stick(*set[2].SnapshotId))(w)
		time.Sleep(time.Hour)
		w.wantSnapshot(*set[0].SnapshotId, "pending 99%")
		heal()
		time.Sleep(time.Second)
		w.wantSnapshot(*set[0].SnapshotId, "completed 100%")
	})
}

func TestSetIsMadeWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options func(*ec2svc.Options)
		before  func(w *world, volumes []string)
		code    string
	}{
		"room for two that are pending": {func(o *ec2svc.Options) { o.PendingSnapshots = 2 }, nil, "PendingSnapshotLimitExceeded"},
		"room for three":                {func(o *ec2svc.Options) { o.PendingSnapshots, o.SnapshotQuota = 3, 3 }, nil, ""},
		"room for two":                  {func(o *ec2svc.Options) { o.SnapshotQuota = 2 }, nil, "SnapshotLimitExceeded"},
		"a volume that must rest": {func(*ec2svc.Options) {}, func(w *world, volumes []string) {
			must(w.snap(volumes[2]))(w)
		}, "SnapshotCreationPerVolumeRateExceeded"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubbleWith(t, c.options, func(w *world) {
				instance, volumes := w.three()
				if c.before != nil {
					c.before(w, volumes)
				}
				count := func() int {
					return len(must(w.DescribeSnapshots(w.Context(), &ec2.DescribeSnapshotsInput{}))(w).Snapshots)
				}
				before := count()
				_, err := w.set(instance)
				wantCode(w, err, c.code)
				if made := count() - before; made != 0 && c.code != "" || made != 3 && c.code == "" {
					w.Errorf("%d were made", made)
				}
			})
		})
	}
}
