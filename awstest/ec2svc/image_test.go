package ec2svc_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
)

// createImage begins an image, without a reboot.
func (w *world) createImage(instance, name string, change ...func(*ec2.CreateImageInput)) (string, error) {
	in := &ec2.CreateImageInput{InstanceId: &instance, Name: &name, NoReboot: aws.Bool(true)}
	for _, fn := range change {
		fn(in)
	}
	out, err := w.CreateImage(w.Context(), in)
	if err != nil {
		return "", err
	}
	return *out.ImageId, nil
}

// image makes an image, and waits until it is available.
func (w *world) image(instance, name string, change ...func(*ec2.CreateImageInput)) string {
	w.Helper()
	id := must(w.createImage(instance, name, change...))(w)
	time.Sleep(5 * time.Minute)
	w.wantImage(id, "available")
	return id
}

func (w *world) describeImage(id string) (types.Image, error) {
	out, err := w.DescribeImages(w.Context(), &ec2.DescribeImagesInput{ImageIds: []string{id}, IncludeDisabled: aws.Bool(true)})
	if err != nil {
		return types.Image{}, err
	}
	return out.Images[0], nil
}

// wantImage checks the state of an image, and the message of one that failed.
func (w *world) wantImage(id, want string) {
	w.Helper()
	i := must(w.describeImage(id))(w)
	got := string(i.State)
	if i.StateReason != nil {
		got += ": " + *i.StateReason.Message
	}
	if got != want {
		w.Errorf("%s is %s, want %s", id, got, want)
	}
}

// parts returns the snapshots of an image.
func (w *world) parts(id string) (ids []string) {
	w.Helper()
	for _, d := range must(w.describeImage(id))(w).BlockDeviceMappings {
		ids = append(ids, *d.Ebs.SnapshotId)
	}
	return ids
}

func (w *world) deregister(id string, with bool) (*ec2.DeregisterImageOutput, error) {
	return w.DeregisterImage(w.Context(), &ec2.DeregisterImageInput{ImageId: &id, DeleteAssociatedSnapshots: &with})
}

// images returns the IDs of those that match.
func (w *world) imagesBy(in *ec2.DescribeImagesInput) (ids []string) {
	w.Helper()
	for _, i := range must(w.DescribeImages(w.Context(), in))(w).Images {
		ids = append(ids, *i.ImageId)
	}
	return ids
}

func TestImageIsLaunchedWithItsData(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		instance, volumes := w.three()
		for n, v := range volumes {
			w.write(v, fmt.Sprint("data ", n))
		}
		id := must(w.createImage(instance, "web 1"))(w)
		w.wantImage(id, "pending")
		if len(w.parts(id)) > 0 {
			t.Error("a pending image shows what it is made of")
		}
		time.Sleep(5 * time.Minute)
		w.wantImage(id, "available")
		if n := len(w.parts(id)); n != 3 {
			t.Errorf("it is made of %d snapshots", n)
		}
		launched := w.running(zoneB, func(in *ec2.RunInstancesInput) {
			in.ImageId = &id
			in.BlockDeviceMappings = []types.BlockDeviceMapping{
				{DeviceName: aws.String("/dev/sdg"), Ebs: &types.EbsBlockDevice{VolumeSize: aws.Int32(40)}},
				{DeviceName: aws.String("/dev/sdh"), Ebs: &types.EbsBlockDevice{VolumeSize: aws.Int32(1)}},
			}
		})
		var got []string
		for _, d := range w.instance(launched).BlockDeviceMappings {
			content := must(ec2svc.ReadVolume(w.cloud, region, *d.Ebs.VolumeId))(w)
			size := *must(w.DescribeVolumes(w.Context(), &ec2.DescribeVolumesInput{VolumeIds: []string{*d.Ebs.VolumeId}}))(w).Volumes[0].Size
			got = append(got, fmt.Sprintf("%s %s %d", *d.DeviceName, content, size))
		}
		want := []string{"/dev/xvda data 0 8", "/dev/sdf data 1 1", "/dev/sdg data 2 40", "/dev/sdh  1"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("volumes (-want +got):\n%s", diff)
		}
	})
}

func TestImageIsShown(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		instance, _ := w.three()
		began := time.Now()
		id := w.image(instance, "web", func(in *ec2.CreateImageInput) {
			in.Description = aws.String("of the web")
			in.BlockDeviceMappings = []types.BlockDeviceMapping{{DeviceName: aws.String("/dev/sdf"), NoDevice: aws.String("")}}
			in.TagSpecifications = append(tags(types.ResourceTypeImage, "role", "image"), tags(types.ResourceTypeSnapshot, "role", "part")...)
		})
		i := must(w.describeImage(id))(w)
		created := must(time.Parse(time.RFC3339, *i.CreationDate))(w)
		got := []any{
			*i.Name, *i.Description, *i.SourceInstanceId == instance, *i.RootDeviceName, len(i.BlockDeviceMappings), created.Sub(began) < time.Second,
			*i.Tags[0].Value, *w.snapshot(w.parts(id)[0]).Tags[0].Value, *i.DeregistrationProtection,
		}
		if diff := cmp.Diff([]any{"web", "of the web", true, "/dev/xvda", 2, true, "image", "part", "disabled"}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		for name, in := range map[string]*ec2.DescribeImagesInput{
			"all":         {},
			"own":         {Owners: []string{"self"}},
			"by name":     {Filters: []types.Filter{filter("name", "we*")}},
			"by snapshot": {Filters: []types.Filter{filter("block-device-mapping.snapshot-id", w.parts(id)[1])}},
			"by tag":      {Filters: []types.Filter{filter("tag:role", "image"), filter("state", "available")}},
			"by instance": {Filters: []types.Filter{filter("source-instance-id", instance), filter("root-device-type", "ebs")}},
		} {
			if got := w.imagesBy(in); !slices.Equal(got, []string{id}) {
				t.Errorf("%s: %v", name, got)
			}
		}
		for name, in := range map[string]*ec2.DescribeImagesInput{
			"of others":         {Owners: []string{"amazon"}},
			"by another state":  {Filters: []types.Filter{filter("state", "failed")}},
			"copies":            {Filters: []types.Filter{filter("source-image-id", "*")}},
			"by another device": {Filters: []types.Filter{filter("block-device-mapping.device-name", "/dev/sdf")}},
		} {
			if got := w.imagesBy(in); len(got) > 0 {
				t.Errorf("%s: %v", name, got)
			}
		}
	})
}

func TestImagesAreRefused(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		instance, other := w.running(zoneA), w.running(zoneA)
		id := must(w.createImage(instance, "web"))(w)
		_, err := w.createImage(other, "web")
		wantCode(t, err, "InvalidAMIName.Duplicate")
		_, err = w.createImage(instance, "again")
		wantCode(t, err, "SnapshotCreationPerVolumeRateExceeded")
		_, err = w.createImage(other, "a?")
		wantCode(t, err, "InvalidAMIName.Malformed")
		_, err = w.createImage("i-12345678", "new")
		wantCode(t, err, "InvalidInstanceID.NotFound")
		for device, why := range map[string]string{"/dev/xvda": "the root", "/dev/sdz": "none"} {
			_, err = w.createImage(other, "new", func(in *ec2.CreateImageInput) {
				in.BlockDeviceMappings = []types.BlockDeviceMapping{{DeviceName: &device, NoDevice: aws.String("")}}
			})
			if wantCode(t, err, "InvalidBlockDeviceMapping"); t.Failed() {
				t.Log(why)
			}
		}
		_, err = w.RunInstances(w.Context(), run(1, func(in *ec2.RunInstancesInput) { in.ImageId = &id }))
		wantCode(t, err, "InvalidAMIID.Unavailable")
		_, err = w.describeImage("ami-12345678")
		wantCode(t, err, "InvalidAMIID.NotFound")
		_, err = w.deregister("ami-1", false)
		wantCode(t, err, "InvalidAMIID.Malformed")
		for _, d := range []time.Duration{-time.Hour, 11 * 366 * 24 * time.Hour} {
			_, err = w.EnableImageDeprecation(w.Context(), &ec2.EnableImageDeprecationInput{ImageId: &id, DeprecateAt: aws.Time(time.Now().Add(d))})
			wantCode(t, err, "InvalidParameterValue")
		}
		must(w.TerminateInstances(w.Context(), &ec2.TerminateInstancesInput{InstanceIds: []string{other}}))(w)
		_, err = w.createImage(other, "late")
		wantCode(t, err, "IncorrectInstanceState")
	})
}

func TestRebootForAnImage(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id := w.running(zoneA)
		time.Sleep(10 * time.Minute)
		initializing := func() bool {
			out := must(w.DescribeInstanceStatus(w.Context(), &ec2.DescribeInstanceStatusInput{InstanceIds: []string{id}}))(w)
			return out.InstanceStatuses[0].InstanceStatus.Status == types.SummaryStatusInitializing
		}
		must(w.createImage(id, "as it is"))(w)
		if initializing() {
			t.Error("it was rebooted")
		}
		time.Sleep(15 * time.Second)
		must(w.createImage(id, "clean", func(in *ec2.CreateImageInput) { in.NoReboot = nil }))(w)
		if !initializing() {
			t.Error("it was not rebooted")
		}
	})
}

func TestImageFailsWithASnapshot(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		instance, _ := w.three()
		id := must(w.createImage(instance, "web"))(w)
		var parts []string
		for _, s := range must(w.DescribeSnapshots(w.Context(), &ec2.DescribeSnapshotsInput{}))(w).Snapshots {
			if strings.Contains(*s.Description, id) {
				parts = append(parts, *s.SnapshotId)
			}
		}
		w.do(ec2svc.FailSnapshot(w.cloud, region, parts[1], "a disk broke"))
		w.wantImage(id, "failed: a disk broke")
		_, err := w.createImage(w.running(zoneA), "web")
		wantCode(t, err, "InvalidAMIName.Duplicate")
		out := must(w.deregister(id, true))(w)
		if len(out.DeleteSnapshotResults) != 3 {
			t.Errorf("%d snapshots went with it", len(out.DeleteSnapshotResults))
		}
		w.wantSnapshot(parts[0], "InvalidSnapshot.NotFound")
	})
}

func TestImageHoldsItsSnapshots(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		instance, _ := w.three()
		id := w.image(instance, "web")
		parts := w.parts(id)
		w.do(justErr(w.DisableImage(w.Context(), &ec2.DisableImageInput{ImageId: &id})))
		w.wantImage(id, "disabled")
		if got := w.imagesBy(&ec2.DescribeImagesInput{}); len(got) > 0 {
			t.Errorf("disabled ones are shown: %v", got)
		}
		err := w.deleteSnapshot(parts[0])
		wantCode(t, err, "InvalidSnapshot.InUse")
		if !strings.Contains(err.Error(), id) {
			t.Errorf("%v does not name %s", err, id)
		}
		_, err = w.RunInstances(w.Context(), run(1, func(in *ec2.RunInstancesInput) { in.ImageId = &id }))
		wantCode(t, err, "InvalidAMIID.Unavailable")
		w.do(justErr(w.EnableImage(w.Context(), &ec2.EnableImageInput{ImageId: &id})))
		w.running(zoneA, func(in *ec2.RunInstancesInput) { in.ImageId = &id })
		w.do(justErr(w.deregister(id, false)))
		_, err = w.deregister(id, false)
		wantCode(t, err, "InvalidAMIID.Unavailable")
		_, err = w.RunInstances(w.Context(), run(1, func(in *ec2.RunInstancesInput) { in.ImageId = &id }))
		wantCode(t, err, "InvalidAMIID.Unavailable")
		w.do(w.deleteSnapshot(parts[0]))
		w.image(w.running(zoneA), "web") // the name is free
	})
}

func justErr[T any](_ T, err error) error { return err }

func TestProtectedImageStays(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id := w.image(w.running(zoneA), "web")
		shown := func(want string) {
			t.Helper()
			if got := *must(w.describeImage(id))(w).DeregistrationProtection; !strings.HasPrefix(got, want) {
				t.Errorf("protection %s, want %s", got, want)
			}
		}
		w.do(justErr(w.EnableImageDeregistrationProtection(w.Context(), &ec2.EnableImageDeregistrationProtectionInput{ImageId: &id, WithCooldown: aws.Bool(true)})))
		shown("enabled-with-cooldown")
		w.do(justErr(w.DisableImageDeregistrationProtection(w.Context(), &ec2.DisableImageDeregistrationProtectionInput{ImageId: &id})))
		shown("disabled-with-cooldown until ")
		time.Sleep(24*time.Hour - time.Second)
		_, err := w.deregister(id, true)
		wantCode(t, err, "OperationNotPermitted")
		time.Sleep(time.Second)
		shown("disabled")
		w.do(justErr(w.deregister(id, true)))
	})
}

func TestImageIsDeprecatedToTheMinute(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id := w.image(w.running(zoneA), "web")
		at := time.Now().Add(time.Hour).Truncate(time.Minute).Add(31 * time.Second)
		w.do(justErr(w.EnableImageDeprecation(w.Context(), &ec2.EnableImageDeprecationInput{ImageId: &id, DeprecateAt: &at})))
		if got := must(time.Parse(time.RFC3339, *must(w.describeImage(id))(w).DeprecationTime))(w); !got.Equal(at.Add(29 * time.Second)) {
			t.Errorf("deprecated at %v", got)
		}
		w.do(justErr(w.DisableImageDeprecation(w.Context(), &ec2.DisableImageDeprecationInput{ImageId: &id})))
		if got := must(w.describeImage(id))(w).DeprecationTime; got != nil {
			t.Errorf("deprecated at %s", *got)
		}
	})
}

func TestImageIsCopied(t *testing.T) {
	t.Parallel()
	inTwoRegions(t, nil, func(near, far *world) {
		instance, volumes := near.three()
		near.write(volumes[2], "kept")
		id := near.image(instance, "web", func(in *ec2.CreateImageInput) {
			in.TagSpecifications = tags(types.ResourceTypeImage, "a", "1", "b", "1")
		})
		ask := func() *ec2.CopyImageInput {
			return &ec2.CopyImageInput{
				SourceRegion: aws.String(region), SourceImageId: &id, Name: aws.String("web"), ClientToken: aws.String("once"), CopyImageTags: aws.Bool(true),
				TagSpecifications: append(tags(types.ResourceTypeImage, "b", "2"), tags(types.ResourceTypeSnapshot, "c", "3")...),
			}
		}
		made := *must(far.CopyImage(near.Context(), ask()))(near).ImageId
		if again := *must(far.CopyImage(near.Context(), ask()))(near).ImageId; again != made {
			t.Errorf("the token made %s and %s", made, again)
		}
		changed := ask()
		changed.Name = aws.String("other")
		_, err := far.CopyImage(near.Context(), changed)
		wantCode(t, err, "IdempotentParameterMismatch")
		other := ask()
		other.ClientToken = aws.String("twice")
		_, err = far.CopyImage(near.Context(), other)
		wantCode(t, err, "InvalidAMIName.Duplicate")
		far.wantImage(made, "pending")
		time.Sleep(10 * time.Minute)
		far.wantImage(made, "available")
		i := must(far.describeImage(made))(near)
		got := []any{*i.SourceImageId == id, *i.SourceImageRegion, len(i.Tags), *i.Tags[0].Value, *i.Tags[1].Value, *far.snapshot(far.parts(made)[0]).Tags[0].Value}
		if diff := cmp.Diff([]any{true, region, 2, "1", "2", "3"}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		restored := must(far.CreateVolume(near.Context(), &ec2.CreateVolumeInput{SnapshotId: aws.String(far.parts(made)[2]), AvailabilityZone: aws.String(farRegion + "a")}))(near)
		if content := must(ec2svc.ReadVolume(near.cloud, farRegion, *restored.VolumeId))(near); content != "kept" {
			t.Errorf("it has %q", content)
		}
	})
}

func TestCopyOfAnImageUnderAKeyThatCannotBeUsedFails(t *testing.T) {
	t.Parallel()
	inTwoRegions(t, nil, func(near, far *world) {
		id := near.image(near.running(zoneA), "web")
		_, err := far.CopyImage(near.Context(), &ec2.CopyImageInput{
			SourceRegion: aws.String(region), SourceImageId: &id, Name: aws.String("web"), KmsKeyId: aws.String("alias/none"),
		})
		wantCode(t, err, "InvalidParameterDependency")
		made := *must(far.CopyImage(near.Context(), &ec2.CopyImageInput{
			SourceRegion: aws.String(region), SourceImageId: &id, Name: aws.String("web"), KmsKeyId: aws.String("alias/none"), Encrypted: aws.Bool(true),
		}))(near).ImageId
		time.Sleep(10 * time.Minute)
		far.wantImage(made, "failed: Given key ID is not accessible")
		far.do(justErr(far.deregister(made, true)))
	})
}

func TestImageOutlivesItsZone(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		instance := w.running(zoneA)
		w.write(*w.instance(instance).BlockDeviceMappings[0].Ebs.VolumeId, "kept")
		id := w.image(instance, "web")
		second := must(w.createImage(instance, "later"))(w)
		heal := w.zone(zoneA).Fail(awstest.PowerLoss)
		time.Sleep(time.Hour)
		w.wantImage(second, "pending") // its snapshot has yet to leave the zone
		launched := w.running(zoneB, func(in *ec2.RunInstancesInput) { in.ImageId = &id })
		w.wantContent(*w.instance(launched).BlockDeviceMappings[0].Ebs.VolumeId, "kept")
		heal()
		time.Sleep(time.Minute)
		w.wantImage(second, "available")
	})
}

func TestLockHoldsASnapshot(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id := w.completed(w.volume(zoneA))
		lock := func(change func(*ec2.LockSnapshotInput)) error {
			in := &ec2.LockSnapshotInput{SnapshotId: &id, LockMode: types.LockModeGovernance, LockDuration: aws.Int32(2)}
			change(in)
			_, err := w.LockSnapshot(w.Context(), in)
			return err
		}
		unlock := func() error { return justErr(w.UnlockSnapshot(w.Context(), &ec2.UnlockSnapshotInput{SnapshotId: &id})) }
		wantLock := func(want types.LockState) {
			t.Helper()
			locks := must(w.DescribeLockedSnapshots(w.Context(), &ec2.DescribeLockedSnapshotsInput{Filters: []types.Filter{filter("lock-state", "*")}}))(w).Snapshots
			if want == "" && len(locks) > 0 || want != "" && (len(locks) != 1 || locks[0].LockState != want || *locks[0].SnapshotId != id) {
				t.Errorf("locks %v, want %s", locks, want)
			}
		}
		for name, change := range map[string]func(*ec2.LockSnapshotInput){
			"no end":                    func(in *ec2.LockSnapshotInput) { in.LockDuration = nil },
			"two ends":                  func(in *ec2.LockSnapshotInput) { in.ExpirationDate = aws.Time(time.Now().Add(time.Hour)) },
			"an end that is past":       func(in *ec2.LockSnapshotInput) { in.LockDuration, in.ExpirationDate = nil, aws.Time(time.Now()) },
			"too long":                  func(in *ec2.LockSnapshotInput) { in.LockDuration = aws.Int32(36501) },
			"governance that cools off": func(in *ec2.LockSnapshotInput) { in.CoolOffPeriod = aws.Int32(1) },
			"no mode":                   func(in *ec2.LockSnapshotInput) { in.LockMode = "none" },
		} {
			if err := lock(change); err == nil || !strings.Contains(err.Error(), "InvalidParameter") {
				t.Errorf("%s: %v", name, err)
			}
		}
		w.do(lock(func(*ec2.LockSnapshotInput) {}))
		wantLock(types.LockStateGovernance)
		wantCode(t, w.deleteSnapshot(id), "OperationNotPermitted")
		w.do(unlock())
		wantLock("")
		w.do(lock(func(in *ec2.LockSnapshotInput) {
			in.LockMode, in.CoolOffPeriod = types.LockModeCompliance, aws.Int32(3)
		}))
		wantLock(types.LockStateComplianceCooloff)
		time.Sleep(3 * time.Hour)
		wantLock(types.LockStateCompliance)
		wantCode(t, unlock(), "OperationNotPermitted")
		wantCode(t, lock(func(*ec2.LockSnapshotInput) {}), "OperationNotPermitted")
		w.do(lock(func(in *ec2.LockSnapshotInput) { in.LockMode, in.LockDuration = types.LockModeCompliance, aws.Int32(4) }))
		time.Sleep(4 * 24 * time.Hour)
		wantLock(types.LockStateExpired)
		w.do(w.deleteSnapshot(id))
		wantLock("")
	})
}
