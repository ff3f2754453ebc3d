package snapshot_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/awstest/kmssvc"
	"github.com/awsha/awsha/awstest/rdssvc"
	"github.com/awsha/awsha/snapshot"
)

const (
	home  = "us-east-1"
	away  = "us-west-2"
	zoneA = "us-east-1a"
)

// world is two regions of a cloud.
type world struct {
	*testing.T
	cloud *awstest.Cloud
	ec2   map[string]*ec2.Client
	kms   map[string]*kms.Client
	rds   map[string]*rds.Client

	images   map[string]string    // of others that have snapshots, by snapshot
	archived map[string]time.Time // snapshots, by when they were; zero if they are being

	mu     sync.Mutex
	events []snapshot.Event
}

// reader adds what the cloud does not know to what it does.
type reader struct {
	*ec2.Client
	w *world
}

func (r reader) DescribeImages(ctx context.Context, in *ec2.DescribeImagesInput, optFns ...func(*ec2.Options)) (*ec2.DescribeImagesOutput, error) {
	out, err := r.Client.DescribeImages(ctx, in, optFns...)
	if err != nil || len(in.Filters) != 1 || *in.Filters[0].Name != "block-device-mapping.snapshot-id" {
		return out, err
	}
	for _, id := range in.Filters[0].Values {
		if image := r.w.images[id]; image != "" {
			out.Images = append(out.Images, types.Image{ImageId: &image, BlockDeviceMappings: []types.BlockDeviceMapping{{Ebs: &types.EbsBlockDevice{SnapshotId: &id}}}})
		}
	}
	return out, nil
}

func (r reader) DescribeSnapshots(ctx context.Context, in *ec2.DescribeSnapshotsInput, optFns ...func(*ec2.Options)) (*ec2.DescribeSnapshotsOutput, error) {
	out, err := r.Client.DescribeSnapshots(ctx, in, optFns...)
	if err != nil {
		return nil, err
	}
	for i := range out.Snapshots {
		if _, ok := r.w.archived[*out.Snapshots[i].SnapshotId]; ok {
			out.Snapshots[i].StorageTier = types.StorageTierArchive
		}
	}
	return out, nil
}

func (r reader) DescribeSnapshotTierStatus(
	_ context.Context, in *ec2.DescribeSnapshotTierStatusInput, _ ...func(*ec2.Options),
) (*ec2.DescribeSnapshotTierStatusOutput, error) {
	out := &ec2.DescribeSnapshotTierStatusOutput{}
	for _, id := range in.Filters[0].Values {
		s := types.SnapshotTierStatus{SnapshotId: &id}
		if at := r.w.archived[id]; !at.IsZero() {
			s.ArchivalCompleteTime = &at
		}
		out.SnapshotTierStatuses = append(out.SnapshotTierStatuses, s)
	}
	return out, nil
}

// inWorld runs a test in a bubble.
func inWorld(t *testing.T, test func(*world), optFns ...func(*awstest.Options, *ec2svc.Options)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var cloudOpts awstest.Options
		services := []awstest.Service{kmssvc.New(), rdssvc.New(), ec2svc.New(func(o *ec2svc.Options) {
			for _, fn := range optFns {
				fn(&cloudOpts, o)
			}
		})}
		cloud, err := awstest.New(services, func(o *awstest.Options) {
			for _, fn := range optFns {
				fn(o, &ec2svc.Options{})
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := cloud.Close(); err != nil {
				t.Error(err)
			}
		}()
		w := &world{T: t, cloud: cloud, ec2: map[string]*ec2.Client{}, kms: map[string]*kms.Client{}, rds: map[string]*rds.Client{}}
		for _, region := range []string{home, away} {
			w.ec2[region] = ec2.NewFromConfig(cloud.Config(region))
			w.kms[region] = kms.NewFromConfig(cloud.Config(region))
			w.rds[region] = rds.NewFromConfig(cloud.Config(region))
		}
		test(w)
	})
}

// lagging has reads stand behind.
func lagging(d time.Duration) func(*awstest.Options, *ec2svc.Options) {
	return func(o *awstest.Options, _ *ec2svc.Options) { o.VisibilityLag = d }
}

// manager returns one whose events are kept.
func (w *world) manager(optFns ...func(*snapshot.Options)) *snapshot.Manager {
	w.Helper()
	m, err := snapshot.New(func(region string) snapshot.Clients {
		return snapshot.Clients{EC2: reader{w.ec2[region], w}, KMS: w.kms[region], RDS: w.rds[region]}
	}, append([]func(*snapshot.Options){func(o *snapshot.Options) {
		o.OnEvent = func(_ context.Context, e snapshot.Event) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.events = append(w.events, e)
		}
	}}, optFns...)...)
	if err != nil {
		w.Fatal(err)
	}
	return m
}

// volume makes a volume.
func (w *world) volume(tags ...string) string {
	w.Helper()
	return w.volumeOf(&ec2.CreateVolumeInput{AvailabilityZone: aws.String(zoneA), Size: aws.Int32(8)}, tags...)
}

func (w *world) volumeOf(in *ec2.CreateVolumeInput, tags ...string) string {
	w.Helper()
	if len(tags) > 0 {
		in.TagSpecifications = []types.TagSpecification{{ResourceType: types.ResourceTypeVolume, Tags: pairs(tags)}}
	}
	out, err := w.ec2[home].CreateVolume(w.Context(), in)
	if err != nil {
		w.Fatal(err)
	}
	time.Sleep(5 * time.Second)
	return *out.VolumeId
}

func pairs(tags []string) (list []types.Tag) {
	for i := 0; i < len(tags); i += 2 {
		list = append(list, types.Tag{Key: &tags[i], Value: &tags[i+1]})
	}
	return list
}

// instance launches one that has so many volumes besides its root volume.
func (w *world) instance(volumes int, tags ...string) string {
	w.Helper()
	in := &ec2.RunInstancesInput{
		ImageId: aws.String("ami-12345678"), InstanceType: types.InstanceTypeT3Micro, MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
		Placement: &types.Placement{AvailabilityZone: aws.String(zoneA)},
	}
	for i := range volumes {
		in.BlockDeviceMappings = append(in.BlockDeviceMappings, types.BlockDeviceMapping{
			DeviceName: aws.String(fmt.Sprintf("/dev/sd%c", 'f'+i)), Ebs: &types.EbsBlockDevice{VolumeSize: aws.Int32(4)},
		})
	}
	if len(tags) > 0 {
		in.TagSpecifications = []types.TagSpecification{{ResourceType: types.ResourceTypeInstance, Tags: pairs(tags)}}
	}
	out, err := w.ec2[home].RunInstances(w.Context(), in)
	if err != nil {
		w.Fatal(err)
	}
	time.Sleep(time.Minute)
	return *out.Instances[0].InstanceId
}

// of is a policy about volumes.
func of(volumes ...string) *snapshot.Policy {
	return &snapshot.Policy{Name: "test", Region: home, Targets: snapshot.Targets{Volumes: snapshot.Selector{IDs: volumes}}}
}

// slot is the time of one, now or as many hours from now.
func slot(hours int) time.Time {
	return time.Now().Truncate(time.Hour).Add(time.Duration(hours) * time.Hour)
}

// snapshots returns those of a region, by when they began.
func (w *world) snapshots(region string) []types.Snapshot {
	w.Helper()
	out, err := w.ec2[region].DescribeSnapshots(w.Context(), &ec2.DescribeSnapshotsInput{OwnerIds: []string{"self"}})
	if err != nil {
		w.Fatal(err)
	}
	slices.SortFunc(out.Snapshots, func(a, b types.Snapshot) int {
		return cmp.Or(a.StartTime.Compare(*b.StartTime), cmp.Compare(*a.SnapshotId, *b.SnapshotId))
	})
	return out.Snapshots
}

// told returns the events of a kind.
func (w *world) told(kind snapshot.EventKind) (list []snapshot.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.events {
		if e.Kind == kind {
			list = append(list, e)
		}
	}
	return list
}

// calls returns how many calls the cloud has seen of an operation.
func (w *world) calls(operation string) int { return w.cloud.Count("EC2", operation) }
