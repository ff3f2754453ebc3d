package ec2svc_test

import (
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

const farRegion = "eu-west-1"

// far returns the same world seen from another region.
func (w *world) far() *world {
	return &world{w.T, ec2.NewFromConfig(w.cloud.Config(farRegion)), w.cloud}
}

// copySnapshot begins a copy to the region of the client.
func (w *world) copySnapshot(from, id string, change ...func(*ec2.CopySnapshotInput)) (string, error) {
	in := &ec2.CopySnapshotInput{SourceRegion: &from, SourceSnapshotId: &id}
	for _, fn := range change {
		fn(in)
	}
	out, err := w.CopySnapshot(w.Context(), in)
	if err != nil {
		return "", err
	}
	return *out.SnapshotId, nil
}

// inTwoRegions is a cloud with a second region.
func inTwoRegions(t *testing.T, options func(*ec2svc.Options), test func(near, far *world)) {
	t.Helper()
	inBubbleWith(t, options, func(w *world) { test(w, w.far()) }, func(o *awstest.Options) { o.Regions = []string{region, farRegion} })
}

func TestCopyIsASnapshotOfItsOwn(t *testing.T) {
	t.Parallel()
	inTwoRegions(t, nil, func(near, far *world) {
		v := near.volume(zoneA)
		near.write(v, "kept")
		id := near.completed(v, func(in *ec2.CreateSnapshotInput) { in.TagSpecifications = tags(types.ResourceTypeSnapshot, "run", "1") })
		began := time.Now()
		made := must(far.copySnapshot(region, id, func(in *ec2.CopySnapshotInput) {
			in.Description, in.TagSpecifications = aws.String("far"), tags(types.ResourceTypeSnapshot, "copy", "1")
		}))(near)
		time.Sleep(5 * time.Minute)
		far.wantSnapshot(made, "pending 50%")
		time.Sleep(5 * time.Minute)
		far.wantSnapshot(made, "completed 100%")
		near.wantSnapshot(made, "InvalidSnapshot.NotFound")
		s := far.snapshot(made)
		got := []any{*s.VolumeId, *s.Description, *s.Encrypted, s.StartTime.Sub(began) < time.Second, len(s.Tags), *s.Tags[0].Key}
		if diff := cmp.Diff([]any{"vol-ffffffff", "far", false, true, 1, "copy"}, got); diff != "" {
			near.Error(diff)
		}
		wantCode(near, near.deleteSnapshot(id), "")
		zone := must(far.DescribeAvailabilityZones(near.Context(), &ec2.DescribeAvailabilityZonesInput{}))(near).AvailabilityZones[0].ZoneId
		restored := *must(far.CreateVolume(near.Context(), &ec2.CreateVolumeInput{AvailabilityZoneId: zone, SnapshotId: &made}))(near).VolumeId
		if content := must(ec2svc.ReadVolume(near.cloud, farRegion, restored))(near); content != "kept" {
			near.Errorf("the restored volume has %q", content)
		}
	})
}

func TestCopiesAreRefused(t *testing.T) {
	t.Parallel()
	inTwoRegions(t, func(o *ec2svc.Options) { o.ConcurrentCopies = 2 }, func(near, far *world) {
		done := near.completed(near.volume(zoneA))
		pending := must(near.snap(near.volume(zoneA)))(near)
		within := func(minutes int32) func(*ec2.CopySnapshotInput) {
			return func(in *ec2.CopySnapshotInput) { in.CompletionDurationMinutes = &minutes }
		}
		for name, c := range map[string]struct {
			from, id string
			change   func(*ec2.CopySnapshotInput)
			code     string
		}{
			"a pending one":            {region, pending, nil, "IncorrectState"},
			"of another region":        {farRegion, done, nil, "InvalidSnapshot.NotFound"},
			"of no region":             {"mars-1", done, nil, "InvalidParameterValue"},
			"what is none":             {region, "snapshot", nil, "InvalidSnapshotID.Malformed"},
			"decrypted":                {region, done, func(in *ec2.CopySnapshotInput) { in.Encrypted = aws.Bool(false) }, "InvalidParameterValue"},
			"a key without encryption": {region, done, func(in *ec2.CopySnapshotInput) { in.KmsKeyId = aws.String("alias/x") }, "InvalidParameterDependency"},
			"within no time":           {region, done, within(0), "InvalidParameterValue"},
			"within 20 minutes":        {region, done, within(20), "InvalidParameterValue"},
			"within three days":        {region, done, within(2895), "InvalidParameterValue"},
		} {
			change := c.change
			if change == nil {
				change = func(*ec2.CopySnapshotInput) {}
			}
			if _, err := far.copySnapshot(c.from, c.id, change); codeOf(err) != c.code {
				near.Errorf("%s: got %v, want %s", name, err, c.code)
			}
		}
		first := must(far.copySnapshot(region, done, within(15)))(near)
		second := must(far.copySnapshot(region, done))(near)
		_, err := far.copySnapshot(region, done)
		wantMessage(near, err, "ResourceLimitExceeded", "Too many snapshot copies in progress. The limit is 2 for this destination region.")
		must(near.copySnapshot(region, done))(near) // to another region there is room
		wantCode(near, far.deleteSnapshot(second), "")
		_, err = far.copySnapshot(region, done)
		wantCode(near, err, "ResourceLimitExceeded")
		time.Sleep(10 * time.Minute)
		far.wantSnapshot(first, "completed 100%")
		must(far.copySnapshot(region, done))(near)
	})
}

func TestCopyIsFullOnlyWithoutTheLastUnderItsKey(t *testing.T) {
	t.Parallel()
	inTwoRegions(t, nil, func(near, far *world) {
		v := near.volume(zoneA)
		source := near.completed(v)
		encrypted := func(in *ec2.CopySnapshotInput) { in.Encrypted = aws.Bool(true) }
		plain := func(*ec2.CopySnapshotInput) {}
		made := func(change func(*ec2.CopySnapshotInput), wantFull bool) string {
			near.Helper()
			id := must(far.copySnapshot(region, source, change))(near)
			takes := 2 * time.Minute
			if wantFull {
				takes = 10 * time.Minute
			}
			time.Sleep(takes - time.Second)
			far.wantSnapshot(id, "pending 99%")
			time.Sleep(time.Second)
			far.wantSnapshot(id, "completed 100%")
			if full := must(ec2svc.IsFullSnapshot(near.cloud, farRegion, id))(near); full != wantFull {
				near.Errorf("%s is full: %v", id, full)
			}
			return id
		}
		first := made(plain, true)
		source = near.completed(v)
		second := made(plain, false)
		third := made(encrypted, true) // another key
		made(encrypted, false)
		wantCode(near, far.deleteSnapshot(third), "")
		made(encrypted, false) // it was not the last
		wantCode(near, far.deleteSnapshot(second), "")
		made(plain, true) // though the first is there
		far.wantSnapshot(first, "completed 100%")
	})
}

func TestCopiesOfOneVolumeGoOneAfterTheOther(t *testing.T) {
	t.Parallel()
	inTwoRegions(t, nil, func(near, far *world) {
		v := near.volume(zoneA)
		one, two := near.completed(v), near.completed(v)
		other := near.completed(near.volume(zoneA))
		first, second, apart := must(far.copySnapshot(region, one))(near), must(far.copySnapshot(region, two))(near), must(far.copySnapshot(region, other))(near)
		time.Sleep(10 * time.Minute)
		far.wantSnapshot(first, "completed 100%")
		far.wantSnapshot(apart, "completed 100%")
		far.wantSnapshot(second, "pending 0%")
		time.Sleep(time.Minute)
		far.wantSnapshot(second, "pending 50%")
		third := must(far.copySnapshot(region, one))(near)
		if err := ec2svc.FailSnapshot(near.cloud, farRegion, second, "gone wrong"); err != nil {
			near.Fatal(err)
		}
		far.wantSnapshot(second, "error 0%: gone wrong")
		time.Sleep(2 * time.Minute) // the third had not to wait for longer
		far.wantSnapshot(third, "completed 100%")
		time.Sleep(time.Hour)
		far.wantSnapshot(second, "error 0%: gone wrong")
	})
}

func TestCopyIsBoundByItsDuration(t *testing.T) {
	t.Parallel()
	inTwoRegions(t, func(o *ec2svc.Options) { o.FullSnapshotCopy = 5 * time.Hour }, func(near, far *world) {
		id := near.completed(near.volume(zoneA))
		made := must(far.copySnapshot(region, id, func(in *ec2.CopySnapshotInput) { in.CompletionDurationMinutes = aws.Int32(45) }))(near)
		time.Sleep(45*time.Minute - time.Second)
		far.wantSnapshot(made, "pending 99%")
		time.Sleep(time.Second)
		far.wantSnapshot(made, "completed 100%")
		if s := far.snapshot(made); s.TransferType != types.TransferTypeTimeBased || *s.CompletionDurationMinutes != 45 {
			near.Errorf("it is %s, within %d minutes", s.TransferType, aws.ToInt32(s.CompletionDurationMinutes))
		}
	})
}

func TestCopyFailsInTheEnd(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*ec2.CopySnapshotInput)
		then   func(near *world, source string)
		says   string
	}{
		"an unknown key": {func(in *ec2.CopySnapshotInput) {
			in.Encrypted, in.KmsKeyId = aws.Bool(true), aws.String("alias/none")
		}, func(*world, string) {}, "Given key ID is not accessible"},
		"a source that is deleted": {func(*ec2.CopySnapshotInput) {}, func(near *world, source string) {
			wantCode(near, near.deleteSnapshot(source), "")
		}, "The source snapshot does not exist"},
		"a request that was signed for another": {func(in *ec2.CopySnapshotInput) {
			in.PresignedUrl = aws.String("https://ec2.us-east-1.amazonaws.com/?Action=CopySnapshot&SourceRegion=us-east-1&SourceSnapshotId=snap-87654321")
		}, func(*world, string) {}, "The presigned URL is not valid for the source snapshot"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inTwoRegions(t, nil, func(near, far *world) {
				source := near.completed(near.volume(zoneA))
				made := must(far.copySnapshot(region, source, c.change))(near)
				c.then(near, source)
				time.Sleep(10*time.Minute - time.Second)
				far.wantSnapshot(made, "pending 99%")
				time.Sleep(time.Second)
				far.wantSnapshot(made, "error 0%: "+c.says)
			})
		})
	}
}

// The SDK writes the request that it has signed into the caller's input: an input that is used again is for the first source.
func TestInputOfACopyThatIsUsedAgain(t *testing.T) {
	t.Parallel()
	inTwoRegions(t, nil, func(near, far *world) {
		one, two := near.completed(near.volume(zoneA)), near.completed(near.volume(zoneA))
		in := &ec2.CopySnapshotInput{SourceRegion: aws.String(region), SourceSnapshotId: &one}
		first := *must(far.CopySnapshot(near.Context(), in))(near).SnapshotId
		signed := in.PresignedUrl != nil
		in.SourceSnapshotId = &two
		second := *must(far.CopySnapshot(near.Context(), in))(near).SnapshotId
		time.Sleep(10 * time.Minute)
		far.wantSnapshot(first, "completed 100%")
		if signed {
			far.wantSnapshot(second, "error 0%: The presigned URL is not valid for the source snapshot")
		} else {
			near.Error(fmt.Errorf("the SDK has signed nothing: %v", in))
		}
	})
}

func TestCopyIsHeldUpByStickOnly(t *testing.T) {
	t.Parallel()
	inTwoRegions(t, nil, func(near, far *world) {
		source := near.completed(near.volume(zoneA))
		made := must(far.copySnapshot(region, source))(near)
		free := must(far.copySnapshot(region, near.completed(near.volume(zoneA))))(near)
		heal := must(near.cloud.Stick(made))(near)
		defer near.zone(zoneA).Fail(awstest.PowerLoss)()
		time.Sleep(time.Hour)
		far.wantSnapshot(free, "completed 100%")
		far.wantSnapshot(made, "pending 99%")
		heal()
		time.Sleep(time.Second)
		far.wantSnapshot(made, "completed 100%")
	})
}
